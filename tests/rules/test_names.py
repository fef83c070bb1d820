"""Finding people however they are typed."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.rules.names import KINDS, Query, capitals, name_words, normalise, parse_query, patient_terms, prefix_end, sound

TODAY = date(2026, 11, 21)


def finds(query: Query, terms: frozenset[tuple[str, str]]) -> bool:
    """The database's comparison, in Python."""
    return all(any(k == kind and p.encode() <= t.encode() < prefix_end(p).encode() for kind, p in need for t, k in terms)
               for need in query.needs)


MAIRE = patient_terms(patient_id="p_4k7m2q", first_name="Máire-Anne", last_name="O’Brien", phone="+442079460958",
                      email="Maire@Example.org",
                      born=date(1980, 11, 5), tags=["Diabetes type 2"])
IVAN = patient_terms(patient_id="p_abc123", first_name="Иван", last_name="Щербаков", phone="0612345678", born=date(1934, 12, 6))
CRUZ = patient_terms(patient_id="p_zzzzz1", first_name="José", last_name="De La Cruz Weiß", phone="5553058795")


@pytest.mark.parametrize(("typed", "plain"), [("Weiß", "weiss"), ("Øystein Łukasz", "oystein lukasz"), ("D'Árcy-Çelik", "d arcy celik"),
                                              ("ΓΙΏΡΓΟΣ", "giorgos"), ("Йордан", "yordan"), ("ＡＢＣ", "abc"), ("  ", ""),
                                              ("İpek", "ipek")])
def test_normalise(typed: str, plain: str) -> None:
    assert normalise(typed) == plain


def test_names_are_split_and_joined() -> None:
    assert name_words("O'Brien-Smith") == ("o", "brien", "smith", "obriensmith")
    assert name_words("De La Cruz") == ("de", "la", "cruz", "delacruz")


@pytest.mark.parametrize("typed", [
    "maire", "MÁIRE", "o'brien", "obrien", "o brien", "brien", "bri mai", "maire-anne", "maireanne o’b", "anne", "0958", "7946 0958",
    "020 7946 0958", "+44 20 7946 0958", "+442079460958", "00442079460958", "5/11/1980", "11/5/1980", "1980-11-05", "5.11.80",
    "5 Nov 1980",
    "brien 5 nov 1980", "5-Nov-1980 maire", "Nov 5, 1980", "nov 1980", "1980", "11.1980", "11/1980 obrien", "p_4k", "P_4K7M2Q", "4k7m2q",
    "maire@", "MAIRE@example.org", "#diab", "diabetes", "brien 1980 #dia", "brien 5.11.1980 0958",
    "brien 5", "19801105", "05111980", "٠٩٥٨",
])
def test_found(typed: str) -> None:
    query = parse_query(typed, TODAY)
    assert query
    assert finds(query, MAIRE)


@pytest.mark.parametrize("typed", ["brian", "maire smith", "0959", "6/11/1980", "1981", "p_4k7m2r", "#asthma", "maire@other.org",
                                   "5 Oct 1980", "obrien 555", "dec 1980"])
def test_not_found(typed: str) -> None:
    assert not finds(parse_query(typed, TODAY), MAIRE)


@pytest.mark.parametrize("typed", ["ivan shcherb", "Щерб", "06 12 34 56 78", "06-12-34-56-78", "6.12.1934", "6 dec 34", "5678"])
def test_other_scripts_and_grouped_numbers(typed: str) -> None:
    assert finds(parse_query(typed, TODAY), IVAN)


@pytest.mark.parametrize("typed", ["jose cruz", "delacruz", "de la cruz weiss", "weiß", "555-305-8795", "(555) 305 8795", "cruz 8795"])
def test_spaced_names(typed: str) -> None:
    assert finds(parse_query(typed, TODAY), CRUZ)


def test_query_by_kind() -> None:
    query = parse_query("O'Bri maire 0958 #dia a@b p_1", TODAY)
    assert query.names == ("obri", "maire")
    assert query.phone_tails == ("8590", "859")
    assert (query.tags[-1], query.emails, query.ids) == ("dia", ("a@b",), ("p_1",))
    assert parse_query("5.11.80", TODAY).born == ("19801105",)
    assert not parse_query(" 5 ", TODAY)
    assert not parse_query("", TODAY)


def test_sound_alikes() -> None:
    for typed, stored in (("Smyth", "Smith"), ("Katherine", "Catherine"), ("Philips", "Fillips"), ("Jonson", "Johnson")):
        codes = {t for t, k in patient_terms(patient_id="p_1", first_name=stored, last_name="X") if k == "sound"}
        assert set(parse_query(typed, TODAY).sounds) <= codes
    assert sound("שלום") == ""


def test_terms_are_of_known_kinds_and_phone_tail_is_a_prefix() -> None:
    assert {k for _, k in MAIRE} == set(KINDS)
    assert ("859064970244", "phone") in MAIRE
    assert ("19801105", "born") in MAIRE


def test_capitals() -> None:
    assert [capitals(n) for n in ("Brennan", "Παπαδόπουλος", "Éluard", "Щербаков", "van der Weiß", "Προΐστιος")] == [
        "BRENNAN", "ΠΑΠΑΔΟΠΟΥΛΟΣ", "ÉLUARD", "ЩЕРБАКОВ", "VAN DER WEISS", "ΠΡΟΪΣΤΙΟΣ"]


@given(st.text(min_size=1, max_size=6).filter(lambda s: s.strip("\U0010ffff")), st.text(max_size=6))
def test_prefix_end_bounds_exactly_the_prefix(prefix: str, other: str) -> None:
    end = prefix_end(prefix).encode()
    assert prefix.encode() <= (prefix + other).encode() < end
    inside = prefix.encode() <= other.encode() < end
    assert inside == other.startswith(prefix)


@given(st.text(alphabet="ab\ud7ff\ue000", min_size=1, max_size=3), st.text(alphabet="abc\ud7ff\ue000\ue001", max_size=3))
def test_prefix_end_leaves_nothing_between(prefix: str, other: str) -> None:
    assert (prefix <= other < prefix_end(prefix)) == other.startswith(prefix)


@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20))
def test_a_person_is_found_by_any_start_of_the_own_name(first: str, last: str) -> None:
    terms = patient_terms(patient_id="p_1", first_name=first, last_name=last)
    for word in (*name_words(first), *name_words(last)):
        if word.isalpha() and word.isascii():
            assert finds(parse_query(word[: len(word) // 2 + 1], TODAY), terms)


@given(st.text(max_size=40))
def test_no_query_fails(typed: str) -> None:
    for need in parse_query(typed, TODAY).needs:
        assert need
        assert all(kind in KINDS and prefix for kind, prefix in need)
