"""What is printed on a prescription, and what it must not lack before somebody signs it (reference clinical-safety § 1.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from clinicdesk.rules.directions import ROUTES, Direction, dose_words, frequency_words, in_words

#: The four titles an allergy status can have (reference R9); no other wording exists.
ALLERGY_TITLES: Final = ("Known allergies", "No known allergies", "Allergies not recorded", "Allergies unavailable")


@dataclass(frozen=True, slots=True)
class Letterhead:
    """The clinic as it stands at the top of its paper."""

    name: str
    address: str
    phone: str = ""
    email: str = ""
    registration: str = ""


@dataclass(frozen=True, slots=True)
class Prescriber:
    """Who prescribes (P1). `role` in words, for example General practitioner."""

    name: str
    role: str
    registration: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class PrescriptionPatient:
    """For whom (P3). `age_text` as on the day of issue; `weight_kg` for children and where a dose was calculated from it."""

    family_name: str
    given_name: str
    title: str
    address: str
    born: date
    age_text: str
    sex: str
    record_id: str
    weight_kg: Decimal | None = None


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One medicine in words, every part already safe to read (P4–P9). `free_text` marks a medicine no check knows.

    `duration` is the length of the course in words (the directions say it too); `dose_basis` says how a dose was calculated, for
    example "10 mg per kg".
    """

    medicine: str
    brand: str
    strength: str
    form: str
    dose: str
    route: str
    frequency: str
    directions: str
    quantity: str
    instructions: str = ""
    indication: str = ""
    free_text: bool = False
    rate: str = ""
    duration: str = ""
    dose_basis: str = ""


@dataclass(frozen=True, slots=True)
class PrescriptionSheet:
    """A whole prescription. `issued` is aware and in the clinic's zone; `signer_line` says who signed when, or asks for ink.

    `allergy_title` is one of `ALLERGY_TITLES`; `allergies` only with "Known allergies", each with its reaction in words.
    """

    letterhead: Letterhead
    prescriber: Prescriber
    patient: PrescriptionPatient
    issue_id: str
    issued: datetime
    allergy_title: str
    allergies: tuple[str, ...]
    items: tuple[SheetItem, ...]
    signer_line: str = ""


def item_from(direction: Direction, *, medicine: str, strength: str, form: str, quantity: str, brand: str = "", instructions: str = "",
              indication: str = "", free_text: bool = False, dose_basis: str = "") -> SheetItem:
    """The item of a structured direction: all words are made here, so the line and the sentence cannot disagree."""
    route = ROUTES.get(direction.route)
    days = direction.duration_days
    duration = "" if days is None or direction.once else "for 1 day" if days == 1 else f"for {days} days"
    return SheetItem(medicine, brand, strength, form, dose_words(direction), route.label if route else "", frequency_words(direction),
                     in_words(direction), quantity, instructions, indication, free_text, direction.rate, duration, dose_basis)


def missing(sheet: PrescriptionSheet, age_years: int) -> tuple[str, ...]:
    """Every element of P1–P10 and P12 that is empty, in words; signing is blocked until this is empty.

    A weight is needed under 12 years, where doses follow it. What a direction lacks is `directions.missing_elements`.
    """
    p, who = sheet.prescriber, sheet.patient
    lacks = [name for name, value in (
        ("clinic name", sheet.letterhead.name), ("prescriber name", p.name), ("prescriber role", p.role),
        ("prescriber registration number", p.registration), ("prescriber address", p.address or sheet.letterhead.address),
        ("prescriber telephone", p.phone or sheet.letterhead.phone), ("patient family name", who.family_name),
        ("patient given name", who.given_name), ("patient address", who.address), ("patient age", who.age_text), ("patient sex", who.sex),
        ("patient record number", who.record_id), ("issue number", sheet.issue_id)) if not value.strip()]
    if age_years < 12 and who.weight_kg is None:
        lacks.append("patient weight")
    if sheet.allergy_title not in ALLERGY_TITLES or (sheet.allergy_title == "Known allergies") != bool(sheet.allergies):
        lacks.append("allergy status")
    if not sheet.items:
        lacks.append("a medicine")
    for number, item in enumerate(sheet.items, 1):
        lacks += [f"item {number}: {name}" for name, value in (
            ("medicine", item.medicine), ("form", item.form), ("dose", item.dose), ("route", item.route), ("frequency", item.frequency),
            ("directions", item.directions), ("quantity or duration", item.quantity or item.duration)) if not value.strip()]
    return tuple(lacks)
