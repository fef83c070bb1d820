"""Canonical text and codes: every text comes back as it was, two papers never share one, and a code stays within its size."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinicdesk.rules import canonical
from clinicdesk.rules.canonical import Field, NotCanonical, Paper, clean, digest, fields, joined, prose, read, written
from clinicdesk.rules.code_words import packed, unpacked
from clinicdesk.rules.codes import (
    ALPHABET,
    MOST_LETTERS,
    Stamp,
    Unreadable,
    base45,
    one_letter_away,
    payloads,
    taken_apart,
    unbase45,
)

STAMP = Stamp(b"\x01\x02\x03\x04", lambda data: (data * 2)[-64:].ljust(64, b"."))
WORDS = st.text(max_size=300).map(clean)
CODES = st.sampled_from("mBSFdRoyDixuQ")


def head(family: str = "Brennan", given_name: str = "Niamh") -> tuple[Field, ...]:
    values = {"k": "RX", "n": "RX-7K3M-9Q2D", "t": "2026-11-21 14:05", "f": family, "g": given_name, "b": "1980-11-05", "s": "Female",
              "r": "p_4k7m2q"}
    return tuple(Field(code, value) for code, value in values.items())


@given(st.lists(st.tuples(CODES, WORDS), max_size=30))
def test_what_is_written_is_read(parts: list[tuple[str, str]]) -> None:
    whole = [*head(), *(Field(code, value) for code, value in parts)]
    assert read(written(whole)) == whole


@given(st.lists(st.tuples(CODES, WORDS), min_size=1, max_size=6), st.lists(st.tuples(CODES, WORDS), min_size=1, max_size=6))
def test_two_contents_never_share_a_text(a: list[tuple[str, str]], b: list[tuple[str, str]]) -> None:
    texts = [written([Field(*part) for part in parts]) for parts in (a, b)]
    assert (texts[0] == texts[1]) == (a == b)


@given(st.text(max_size=2000).map(clean))
def test_shortened_text_comes_back(text: str) -> None:
    assert unpacked(packed(text)) == text


@given(st.binary(max_size=300))
def test_base_45(data: bytes) -> None:
    assert unbase45(base45(data)) == data
    assert set(base45(data)) <= set(ALPHABET)


def test_base_45_is_that_of_the_standard() -> None:
    """The examples of RFC 9285, section 4.3."""
    assert [base45(text) for text in (b"AB", b"Hello!!", b"base-45")] == ["BB8", "%69 VD92EX0", "UJCLQE7W581"]
    assert unbase45("QED8WEX0") == b"ietf!"


@settings(max_examples=60)
@given(st.lists(st.lists(st.tuples(CODES, WORDS), min_size=1, max_size=8), min_size=1, max_size=4), WORDS.map(lambda w: w[:60]))
def test_any_paper_fits_its_codes_and_comes_back(units: list[list[tuple[str, str]]], family: str) -> None:
    paper = Paper(head(family), tuple(tuple(Field(*part) for part in unit) for unit in units))
    codes = [code for page in payloads(STAMP, paper, [[n] for n in range(len(units))]) for code in page]
    assert all(len(code) <= MOST_LETTERS and set(code) <= set(ALPHABET) for code in codes)
    parts = [taken_apart(code) for code in codes]
    assert [(p.number, p.total) for p in parts] == [(n, len(parts)) for n in range(1, len(parts) + 1)]
    assert written(joined([p.fields for p in parts])) == paper.text()
    assert all(p.signature == STAMP.sign(p.signed) for p in parts)


def test_a_changed_letter_is_located() -> None:
    (code,), = payloads(STAMP, Paper(head(), (fields(m="amoxicillin", d="500 mg"),)), [[0]])
    for place in range(len(code)):
        letter = "A" if code[place] != "A" else "7"
        changed = code[:place] + letter + code[place + 1:]
        with pytest.raises(Unreadable):
            taken_apart(changed)
        assert (place + 1, code[place]) in list(one_letter_away(changed))


@pytest.mark.parametrize("text", ["", "CD1", "CD2\x1fkRX\x1f", "CD1\x1fkRX", "CD1\x1f\x1f", "CD1\x1fZ\x1f", *string.printable[:5]])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(NotCanonical):
        read(text)


def test_long_prose_stands_by_its_digest_which_ignores_line_breaks() -> None:
    words = "Walks daily without complaint. " * 20
    assert [f.code for f in prose("History", words)] == ["H", "h"]
    assert [f.code for f in prose("History", "Walks daily.")] == ["H", "P"]
    assert digest(words) == digest(words.replace(" ", "\n")) != digest(words.replace("daily", "weekly"))


def test_parts_of_different_papers_do_not_join() -> None:
    with pytest.raises(NotCanonical):
        joined([head(), (*head("Other"), Field("m", "x"))])
    with pytest.raises(NotCanonical):
        joined([(*head(), Field("+", "x"))])
    assert canonical.KINDS["RX"][0] == "Prescription"
