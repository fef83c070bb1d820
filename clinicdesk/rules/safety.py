"""What a check of medicines is told and what it answers. The checks themselves are in `rules/checks.py`, what they know in
`resources/medicines/`.

Three tiers after reference clinical-safety R33: 1 interrupts and needs a reason and a second action, 2 is visible and needs one reason,
3 is information beside the line. A check that could not run is an alert too (`not-checked`), never silence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

Rule = Literal["allergy", "allergy-class", "allergy-cross-reaction", "interaction", "duplicate", "max-dose", "age", "pregnancy", "kidney",
               "not-checked"]
Tier = Literal[1, 2, 3]


@dataclass(frozen=True, slots=True)
class KnownAllergy:
    """An allergy or intolerance as recorded; `severity` is mild, moderate, severe or empty; `tolerated` names the medicines this
    patient took after `noted_on` without a reaction (R35)."""

    substance: str
    reaction: str = ""
    severity: str = ""
    noted_on: date | None = None
    tolerated: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """The facts of one patient the checks may use; None means not recorded, which is never the same as no.

    `allergies` is None when nobody has asked, empty when none are known. `egfr` in mL/min/1.73 m², weight in kg. `sex` is M, F, I or ''.
    """

    today: date
    birth_date: date | None = None
    sex: str = ""
    weight_kg: Decimal | None = None
    pregnant: bool | None = None
    egfr: Decimal | None = None
    allergies: tuple[KnownAllergy, ...] | None = None
    medicines: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prescribed:
    """One line to be checked. The amounts are None where the direction does not say them; `text` is how a person wrote it and `unclear`
    holds, in sentences, what of it could not be read."""

    medicine: str
    dose_value: Decimal | None = None
    dose_unit: str = ""
    strength: str = ""
    route: str = ""
    times_per_day: Decimal | None = None
    max_per_day: Decimal | None = None
    as_needed: bool = False
    duration_days: int | None = None
    text: str = ""
    unclear: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alert:
    """One finding. `key` names the rule and the row of the table it comes from, so that a reason given for it can be found again.

    `line` counts the prescribed lines from 0, `medicine` is the prescribed one, `other` the allergy, medicine or fact it meets; `facts`
    are this patient's facts it used, in words; `data_date` is the date of the table (ISO), `approved` what is said of its approval ("not
    yet approved" until a clinician did).
    """

    rule: Rule
    tier: Tier
    key: str
    medicine: str
    sentence: str
    advice: str = ""
    other: str = ""
    facts: tuple[str, ...] = field(default=())
    source: str = ""
    data_date: str = ""
    approved: str = "not yet approved"
    line: int = 0
