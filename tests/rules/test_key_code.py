"""The clinic key on paper."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.rules.key_code import key_code, read_key_code


@given(st.binary(min_size=32, max_size=32))
def test_what_is_written_down_can_be_typed_again(key: bytes) -> None:
    code = key_code(key)
    assert [len(group) for group in code.split("-")] == [4] * 14
    assert read_key_code(code) == key
    assert read_key_code(f"  {code.lower().replace('-', ' ')}\n") == key
    assert read_key_code(code.replace("O", "0").replace("B", "8").replace("I", "1")) == key


@given(st.binary(min_size=32, max_size=32), st.integers(0, 55), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_one_wrong_letter_is_noticed(key: bytes, place: int, letter: str) -> None:
    text = key_code(key).replace("-", "")
    wrong = text[:place] + letter + text[place + 1 :]
    assert read_key_code(wrong) == (key if wrong == text else None)


@pytest.mark.parametrize("typed", ["", "hello", "AAAA-BBBB", "ä" * 56, "A" * 56, "=" * 56, "A" * 10_000])
def test_other_text_is_no_key(typed: str) -> None:
    assert read_key_code(typed) is None


def test_only_a_whole_key_becomes_a_code() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        key_code(b"short")
