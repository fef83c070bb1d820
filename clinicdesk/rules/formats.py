"""How identifiers, contacts and names are checked, stored and shown, with every field limit in one table.

Functions named `check_…` take what a person typed and return what is stored; they raise `Invalid` naming the form field.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import email_validator
import phonenumbers

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import (
    clinical_date,
    clinical_moment,
    clinical_time,
    duration_text,
    long_date,
    minutes_text,
    parse_birth_date,
)
from clinicdesk.rules.texts import latin_digits, tidy

__all__ = [
    "PATIENT_LIMITS", "SEXES", "check_email", "check_name", "check_patient_id", "check_phone", "check_sex", "check_ssn", "check_tag",
    "check_text", "clinical_date", "clinical_moment", "clinical_time", "duration_text", "long_date", "minutes_text", "new_patient_id",
    "parse_birth_date", "phone_text",
]

#: Longest text of each field in characters; the database has the same numbers as constraints (FEATURES 2.1).
PATIENT_LIMITS: Final[Mapping[str, int]] = MappingProxyType({
    "first_name": 60,
    "last_name": 60,
    "title": 20,
    "phone": 16,
    "email": 254,
    "address": 300,
    "ssn": 11,
    "emergency_name": 120,
    "emergency_relation": 60,
    "emergency_phone": 16,
    "added_note": 500,
    "about_note": 250,
    "medical_history": 4000,
    "allergies": 2000,
    "medication": 2000,
    "tag": 30,
})

#: Words for the stored sex letters (FEATURES 2.1; never the letter on a screen, reference R20).
SEXES: Final[Mapping[str, str]] = MappingProxyType({"F": "Female", "M": "Male", "O": "Other", "P": "Prefer not to say"})

_ID_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
_PATIENT_ID = re.compile(r"p_[a-z0-9]{6}")
_PHONE = re.compile(r"\+?[0-9]{9,15}")
_LINE_FIELDS: Final = frozenset({"first_name", "last_name", "title", "emergency_name", "emergency_relation", "tag"})


def new_patient_id(source: random.Random) -> str:
    """A fresh record id, `p_` and six of a–z and 0–9 (2.2 billion of them); pass `random.SystemRandom()` outside tests."""
    return "p_" + "".join(source.choices(_ID_LETTERS, k=6))


def check_patient_id(text: str, field: str = "id") -> str:
    """The record id in lower case, or `Invalid`."""
    value = tidy(text).lower()
    if not _PATIENT_ID.fullmatch(value):
        raise Invalid(field, "A record number is p_ followed by 6 letters or digits, for example p_4k7m2q.")
    return value


def check_phone(text: str, field: str = "phone") -> str:
    """A telephone number as stored: digits with an optional leading +; spaces, dashes, dots and brackets may be typed."""
    value = re.sub(r"[\s\-‐‑–./()\[\]]", "", latin_digits(tidy(text)))
    value = re.sub(r"^00(?=[1-9])", "+", value)
    if not _PHONE.fullmatch(value):
        raise Invalid(field, "A telephone number has 9 to 15 digits and may begin with +. Spaces, dashes and brackets are fine.")
    return value


def phone_text(stored: str, region: str | None = None) -> str:
    """A stored telephone number grouped for reading; `region` is the clinic's two-letter country for numbers without +.

    A number no numbering plan knows is grouped in threes from the left, so no digit is ever hidden or added.
    """
    try:
        number = phonenumbers.parse(stored, None if stored.startswith("+") else region)
    except phonenumbers.NumberParseException:
        number = None
    if number is not None and phonenumbers.is_possible_number(number):
        style = phonenumbers.PhoneNumberFormat.INTERNATIONAL if stored.startswith("+") else phonenumbers.PhoneNumberFormat.NATIONAL
        shown = phonenumbers.format_number(number, style)
        if re.sub(r"\D", "", shown) == stored.lstrip("+"):
            return shown
    sign, digits = ("+", stored[1:]) if stored.startswith("+") else ("", stored)
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return sign + " ".join(groups)


def check_ssn(text: str, field: str = "ssn") -> str:
    """A social security number as `XXX-XX-XXXX`; nine digits with or without dashes or spaces may be typed."""
    digits = re.sub(r"[\s\-‐‑–.]", "", latin_digits(tidy(text)))
    if not re.fullmatch(r"[0-9]{9}", digits):
        raise Invalid(field, "A social security number has 9 digits, written XXX-XX-XXXX.")
    return f"{digits[:3]}-{digits[3:5]}-{digits[5:]}"


def check_email(text: str, field: str = "email") -> str:
    """An e-mail address with its domain in lower case; nothing is looked up on a network."""
    value = tidy(text)
    if len(value) > PATIENT_LIMITS["email"]:
        raise Invalid(field, f"An e-mail address has at most {PATIENT_LIMITS['email']} characters.")
    try:
        return email_validator.validate_email(value, check_deliverability=False, test_environment=True).normalized
    except email_validator.EmailNotValidError as problem:
        raise Invalid(field, "An e-mail address looks like name@example.org.") from problem


def check_name(text: str, field: str) -> str:
    """A person's first or last name: 1 to 60 characters with at least one letter, spaces trimmed and collapsed."""
    value = tidy(text)
    limit = PATIENT_LIMITS.get(field, 60)
    label = field.replace("_", " ")
    if not value:
        raise Invalid(field, f"The {label} is needed: 1 to {limit} characters.")
    if len(value) > limit:
        raise Invalid(field, f"The {label} has {len(value)} characters; {limit} are allowed.")
    if not any(c.isalpha() for c in value):
        raise Invalid(field, f"The {label} needs at least one letter.")
    return value


def check_sex(text: str, field: str = "sex") -> str:
    """One of F, M, O, P; the word may be given too. There is no default (reference R20)."""
    value = tidy(text)
    for letter, word in SEXES.items():
        if value.casefold() in {letter.casefold(), word.casefold()}:
            return letter
    raise Invalid(field, "Choose the sex: Female, Male, Other or Prefer not to say.")


def check_text(text: str, field: str) -> str:
    """Free text of a patient field within its limit; line breaks are kept except in one-line fields."""
    limit = PATIENT_LIMITS[field]
    if field in _LINE_FIELDS:
        value = tidy(text)
    else:
        lines = (tidy(line) for line in re.split(r"\r\n|\r|\n", text))
        value = "\n".join(lines).strip("\n")
    if len(value) > limit:
        raise Invalid(field, f"This has {len(value)} characters; {limit} are allowed.")
    return value


def check_tag(text: str, field: str = "tags") -> str:
    """A tag: 1 to 30 characters on one line, shown as typed and compared without regard to case."""
    value = tidy(text).lstrip("#").strip()
    if not 1 <= len(value) <= PATIENT_LIMITS["tag"]:
        raise Invalid(field, f"A tag has 1 to {PATIENT_LIMITS['tag']} characters.")
    return value
