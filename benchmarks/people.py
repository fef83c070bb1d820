"""Made-up people by number: the same number is always the same person, so nothing has to be remembered between two passes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from clinicdesk.demo.people import FIRST_NAMES, LAST_NAMES, STREETS, TOWNS

_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SPACE = 36**6
_STEP = 1_000_003  # shares no factor with 36**6, so that every number gives another id
_FIRST = {sex: names.split() for sex, names in FIRST_NAMES.items()}
_STEMS = LAST_NAMES.split(" ")
#: Endings make some thousands of family names of the demo's; with fewer every prefix would fit half the clinic.
_ENDINGS = ("", "son", "ova", "ini", "sen", "ez", "ski", "berg", "ford", "well", "ton", "mann", "stein", "hall", "worth", "ley", "man",
            "ides", "escu", "enko", "aro", "eira", "quist", "dal", "gaard", "land", "brook", "field", "wood", "ham", "by", "more")
_STREETS, _TOWNS = STREETS.split("|"), TOWNS.split("|")
_OLDEST = date(1930, 1, 1)


@dataclass(frozen=True, slots=True)
class Person:
    """One line of `clinic.patients`."""

    id: str
    first_name: str
    last_name: str
    born: date
    sex: str
    phone: str
    email: str
    address: str


def patient_id(number: int) -> str:
    """The record id of a number; no two share one below 36**6."""
    rest, letters = (number + 1) * _STEP % _SPACE, ""
    for _ in range(6):
        rest, digit = divmod(rest, 36)
        letters += _LETTERS[digit]
    return f"p_{letters}"


def person(number: int) -> Person:
    """The person of a number."""
    mixed = (number + 1) * 2_654_435_761 % 2**32
    sex = "FM"[mixed & 1]
    first = _FIRST[sex][(mixed >> 3) % len(_FIRST[sex])]
    stem, ending = _STEMS[(mixed >> 9) % len(_STEMS)], _ENDINGS[(mixed >> 17) % len(_ENDINGS)]
    return Person(
        patient_id(number), first, f"{stem}{ending}", _OLDEST + timedelta(days=mixed % 34_000), sex, f"+4477{number:08d}",
        f"patient{number}@mail.example" if number % 3 else "",
        f"{1 + mixed % 180} {_STREETS[mixed % len(_STREETS)]}, {_TOWNS[mixed % len(_TOWNS)]}",
    )
