"""Identifiers, contacts and names: what is accepted, what is stored, and that every refusal says what is allowed."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules import formats


def test_new_patient_ids_are_valid_and_vary() -> None:
    source = random.Random(1)
    ids = {formats.new_patient_id(source) for _ in range(2_000)}
    assert len(ids) == 2_000
    assert all(formats.check_patient_id(i) == i for i in ids)


@pytest.mark.parametrize("typed", ["p_12345", "p_1234567", "x_123456", "p_12345ä", "", "p_123 456"])
def test_patient_id_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="p_4k7m2q"):
        formats.check_patient_id(typed)


@pytest.mark.parametrize(("typed", "stored"), [
    ("555-305-8795", "5553058795"),
    ("+44 (0)20 7946 0958", "+4402079460958"),
    ("0044 20 7946 0958", "+442079460958"),
    ("(617) 555.0100", "6175550100"),
    ("+٤٤٢٠٧٩٤٦٠٩٥٨", "+442079460958"),
    ("123456789", "123456789"),
    ("123456789012345", "123456789012345"),
])
def test_phone_is_normalised(typed: str, stored: str) -> None:
    assert formats.check_phone(typed) == stored


@pytest.mark.parametrize("typed", ["12345678", "1234567890123456", "++123456789", "123+456789", "phone", "", "12345678x9"])
def test_phone_refused(typed: str) -> None:
    with pytest.raises(Invalid, match="9 to 15 digits") as refusal:
        formats.check_phone(typed)
    assert refusal.value.field == "phone"


@given(st.from_regex(r"\+?[0-9]{9,15}", fullmatch=True), st.sampled_from([None, "US", "GB", "DE"]))
def test_phone_text_never_changes_a_digit(stored: str, region: str | None) -> None:
    shown = formats.phone_text(stored, region)
    assert re.sub(r"\D", "", shown) == stored.lstrip("+")
    assert shown.startswith("+") == stored.startswith("+")


def test_phone_text_reads_like_the_country() -> None:
    assert formats.phone_text("+442079460958") == "+44 20 7946 0958"
    assert formats.phone_text("6175550100", "US") == "(617) 555-0100"
    assert formats.phone_text("5553058795") == "555 305 8795"


@pytest.mark.parametrize("typed", ["999-12-3456", "999123456", "999 12 3456", " 999–12–3456 "])
def test_ssn(typed: str) -> None:
    assert formats.check_ssn(typed) == "999-12-3456"


@pytest.mark.parametrize("typed", ["99-123-45", "99912345", "9991234567", "999-12-345x", ""])
def test_ssn_by_digits_only(typed: str) -> None:
    with pytest.raises(Invalid, match="XXX-XX-XXXX"):
        formats.check_ssn(typed)


def test_email() -> None:
    assert formats.check_email(" Ada.Love@Example.ORG ") == "Ada.Love@example.org"
    assert formats.check_email("josé@exämple.org") == "josé@exämple.org"
    for typed in ["ada", "ada@", "@example.org", "a b@example.org", "a@b@c.org", "a" * 300 + "@example.org"]:
        with pytest.raises(Invalid):
            formats.check_email(typed)


def test_names() -> None:
    assert formats.check_name("  Anne-Marie   O'Neil ", "first_name") == "Anne-Marie O'Neil"
    assert formats.check_name("x" * 60, "last_name") == "x" * 60
    assert formats.check_name("Ze\u0301", "first_name") == "Zé"
    assert formats.check_name("A\u202eda\x00", "first_name") == "Ada"
    with pytest.raises(Invalid, match="61 characters; 60"):
        formats.check_name("x" * 61, "last_name")
    for typed in ["", "   ", "\u200b", "123", "--"]:
        with pytest.raises(Invalid) as refusal:
            formats.check_name(typed, "last_name")
        assert refusal.value.field == "last_name"


@given(st.text(max_size=80))
def test_an_accepted_name_is_stable_and_within_limits(typed: str) -> None:
    try:
        stored = formats.check_name(typed, "first_name")
    except Invalid:
        return
    assert 1 <= len(stored) <= 60
    assert formats.check_name(stored, "first_name") == stored


@pytest.mark.parametrize(("field", "limit"), [("added_note", 500), ("about_note", 250), ("tag", 30)])
def test_text_limits(field: str, limit: int) -> None:
    assert formats.PATIENT_LIMITS[field] == limit
    assert formats.check_text("x" * limit, field) == "x" * limit
    with pytest.raises(Invalid, match=f"{limit + 1} characters; {limit} are allowed"):
        formats.check_text("x" * (limit + 1), field)


def test_text_keeps_lines() -> None:
    assert formats.check_text("one  two\r\n\r\nthree \n", "added_note") == "one two\n\nthree"


def test_sex_has_no_default() -> None:
    assert [formats.check_sex(s) for s in ("f", "Male", "O", "prefer not to say")] == ["F", "M", "O", "P"]
    for typed in ["", "x", "unknown"]:
        with pytest.raises(Invalid):
            formats.check_sex(typed)


def test_tag() -> None:
    assert formats.check_tag(" #Diabetes  type 2") == "Diabetes type 2"
    for typed in ["", "#", "x" * 31]:
        with pytest.raises(Invalid):
            formats.check_tag(typed)
