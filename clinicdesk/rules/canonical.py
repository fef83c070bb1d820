"""The canonical form of a paper: one unambiguous text of what is printed, signed as it is and carried by the codes on the paper.

A text is `CD1` and then fields, each a one-letter code, its value and the unit separator U+001F, which no value can hold. The first
fields (`HEAD`) say which paper it is and whose; the rest is its content in the printed order. A code on paper carries a part: the head,
a piece of the content, "n of m", the key and a signature of its own, so that a single page can be checked alone.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clinicdesk.rules.moments import clinical_date, clinical_moment

VERSION: Final = "CD1"
END: Final = "\x1f"
#: Kind of paper → what it is called, and the letters its number begins with.
KINDS: Final[dict[str, tuple[str, str]]] = {
    "RX": ("Prescription", "RX"),
    "VS": ("Visit summary", "VS"),
    "SN": ("Sick note", "SN"),
    "RL": ("Referral letter", "RL"),
}
HEAD: Final = "kntfgbsr"
#: Code → what a person calls it.
LABELS: Final[dict[str, str]] = {
    "k": "kind of paper", "n": "number", "t": "time of issue", "f": "family name", "g": "given name", "b": "date of birth", "s": "sex",
    "r": "record number", "p": "prescriber", "q": "registration", "w": "weight", "a": "allergy status", "l": "allergies", "c": "item count",
    "I": "item", "m": "medicine", "B": "brand", "S": "strength", "F": "form", "d": "dose", "R": "rate", "o": "route", "y": "frequency",
    "D": "directions", "i": "reason (for)", "x": "instructions", "u": "calculated from", "Q": "quantity", "e": "note that it is free text",
    "H": "heading", "P": "text", "h": "text by its digest",
}
#: Prose longer than this stands in a code as its length and digest; the words themselves are in the PDF's own signature.
LONGEST_PROSE: Final = 160


class NotCanonical(ValueError):
    """A text that is no canonical form of this version."""


@dataclass(frozen=True, slots=True)
class Field:
    """One printed element."""

    code: str
    value: str

    def written(self) -> str:
        """As it stands in the canonical text."""
        return self.code + self.value + END


@dataclass(frozen=True, slots=True)
class Paper:
    """What is signed. `units` are pieces that stand together on a page: the prescriber's lines, an item, a section."""

    head: tuple[Field, ...]
    units: tuple[tuple[Field, ...], ...]

    @property
    def number(self) -> str:
        """The number of the paper."""
        return next(f.value for f in self.head if f.code == "n")

    def text(self) -> str:
        """The whole canonical text."""
        return written([*self.head, *(f for unit in self.units for f in unit)])


def clean(value: str) -> str:
    """A value as it is signed: composed, without control and direction characters, white space as single spaces, ends trimmed."""
    composed = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    kept = "".join(c for c in composed if c == "\n" or unicodedata.category(c) not in {"Cc", "Cf"})
    return re.sub(r" *\n *", "\n", re.sub("[ \u00a0]+", " ", kept)).strip()


def fields(**values: str) -> tuple[Field, ...]:
    """Fields by code in the order given; empty ones are left out."""
    return tuple(Field(code, clean(value)) for code, value in values.items() if clean(value))


def prose(heading: str, text: str) -> tuple[Field, ...]:
    """A headed paragraph: its words when they are short, else their length and digest without white space."""
    words = clean(text)
    if len(words) <= LONGEST_PROSE:
        return (Field("H", clean(heading)), Field("P", words))
    return (Field("H", clean(heading)), Field("h", digest(words)))


def squeezed(text: str) -> str:
    """Text without white space, compatibility forms resolved: what a wrapped line and an extracted one have in common."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def digest(words: str) -> str:
    """Length and 16 hexadecimal digits of the SHA-256 of a text without white space."""
    flat = squeezed(words)
    return f"{len(flat)}.{hashlib.sha256(flat.encode()).hexdigest()[:16]}"


def written(parts: Sequence[Field]) -> str:
    """Fields as one canonical text."""
    return VERSION + END + "".join(f.written() for f in parts)


def read(text: str) -> list[Field]:
    """The fields of a canonical text; NotCanonical for anything this version does not write."""
    if not text.startswith(VERSION + END) or not text.endswith(END):
        raise NotCanonical("not a text of this version")
    found = []
    for piece in text[len(VERSION + END):-1].split(END):
        if not piece or (piece[0] not in LABELS and piece[0] != "+"):
            raise NotCanonical("an unknown field")
        found.append(Field(piece[0], piece[1:]))
    return found


def joined(pieces: Sequence[Sequence[Field]]) -> tuple[Field, ...]:
    """The fields of a whole paper from those of its parts in order; a field that was cut is put together again.

    NotCanonical when the parts are not of one paper.
    """
    whole: list[Field] = []
    for number, piece in enumerate(pieces):
        head, rest = tuple(piece[:len(HEAD)]), list(piece[len(HEAD):])
        if number == 0:
            whole += head
        elif head != tuple(whole[:len(HEAD)]):
            raise NotCanonical("parts of different papers")
        for field in rest:
            if field.code == "+":
                if len(whole) <= len(HEAD):
                    raise NotCanonical("a continuation of nothing")
                whole[-1] = Field(whole[-1].code, whole[-1].value + field.value)
            else:
                whole.append(field)
    return tuple(whole)


def _shown(field: Field) -> str:
    if field.code == "k":
        return KINDS.get(field.value, (field.value, ""))[0]
    if field.code == "h":
        return f"{field.value.split('.', maxsplit=1)[0]} letters, in the PDF only"
    try:
        return {"b": lambda v: clinical_date(date.fromisoformat(v)), "t": lambda v: clinical_moment(datetime.fromisoformat(v))}.get(
            field.code, str)(field.value)
    except ValueError:
        return field.value


def labelled(parts: Sequence[Field]) -> list[tuple[str, str]]:
    """Each field as (label, value) for a person; those of an item or section say which."""
    found, of = [], ""
    for field in parts:
        if field.code == "I":
            of = f"Item {field.value}: "
            continue
        if field.code == "H":
            of = f"{field.value}: "
            continue
        label = "continued" if field.code == "+" else LABELS[field.code]
        value = _shown(field)
        name = of + label if of else label[:1].upper() + label[1:]
        found.append((name, value))
    return found
