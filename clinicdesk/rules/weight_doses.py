"""A dose from the weight: so much per kg, times the weight, held at a maximum, rounded to what can be measured.

How old a weight may be and how a dose is rounded are conventions of this house, to be approved by a clinician; they come from no source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.directions import FORMS
from clinicdesk.rules.doses import fmt_dose, fmt_number
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.strengths import content, converted

CHILD_BELOW: Final = 18
#: Below this age in years a weight may be this many days old.
_WEIGHT_DAYS: Final = ((1, 14), (2, 30), (5, 90), (CHILD_BELOW, 180))
_ADULT_DAYS: Final = 365
#: A dose that cannot be given closer than this to the computed one is not offered.
_NEAR: Final = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Weight:
    """A weight in kg and the day it was measured."""

    kg: Decimal
    on: date


@dataclass(frozen=True, slots=True)
class WeightDose:
    """The dose to give, how it was reached in words, and the basis as the paper prints it."""

    value: Decimal
    unit: str
    steps: str
    basis: str


def weight_age_limit(born: date, today: date) -> int:
    """How many days old a weight may be at this age."""
    years = (today - born).days / 365.25
    return next((days for below, days in _WEIGHT_DAYS if years < below), _ADULT_DAYS)


def too_old(weight: Weight, born: date, today: date) -> bool:
    """Whether the child must be weighed again."""
    return (today - weight.on).days > weight_age_limit(born, today)


def dose_by_weight(per_kg: Decimal, unit: str, weight: Weight, *, doses_a_day: int | None = None, strength: str = "", form: str = "",
                   most: Decimal | None = None) -> WeightDose:
    """One dose. With `doses_a_day` the amount per kg is that of a whole day; `most` is the greatest single dose in `unit`.

    `Invalid` when no measurable dose of this strength comes within a tenth of the computed one.
    """
    if per_kg <= 0:
        raise Invalid("per_kg", "The dose for each kg is more than zero.")
    each = per_kg * weight.kg / (doses_a_day or 1)
    share = f" ÷ {doses_a_day} doses" if doses_a_day else ""
    steps = [f"{fmt_dose(per_kg, unit)} per kg × {fmt_number(weight.kg)} kg{share} = {fmt_dose(_short(each), unit)}"]
    if most is not None and each > most:
        each = most
        steps.append(f"held at the greatest single dose, {fmt_dose(most, unit)}")
    value, given = _measurable(each, unit, strength, form)
    if (value, given) != (each, unit):
        steps.append(f"given as {fmt_dose(value, given)}")
    day = " a day" if doses_a_day else ""
    return WeightDose(value, given, "; ".join(steps) + ".", f"{fmt_dose(per_kg, unit)} per kg{day}, {fmt_number(weight.kg)} kg"
                                                           f" on {clinical_date(weight.on)}")


def _measurable(amount: Decimal, unit: str, strength: str, form: str) -> tuple[Decimal, str]:
    known, shape = content(strength), FORMS.get(form)
    same = converted(amount, unit, known.unit) if known is not None else None
    if known is not None and same is not None and known.per_unit == "mL":
        volume = same * known.per_value / known.value
        return _near(volume, Decimal("0.5") if volume >= 5 else Decimal("0.1"), strength), "mL"
    if known is not None and same is not None and shape is not None and not known.per_unit and shape.unit in {"tablet", "capsule"}:
        return _near(same / known.value, Decimal("0.5") if shape.unit == "tablet" else Decimal(1), strength), shape.unit
    return _rounded(amount, Decimal(1) if amount >= 10 else Decimal("0.1")), unit


def _near(value: Decimal, step: Decimal, strength: str) -> Decimal:
    found = _rounded(value, step)
    if found <= 0 or abs(found - value) > value * _NEAR:
        raise Invalid("strength", f"{strength} cannot be divided so that it gives this dose. Choose another strength or a liquid.")
    return found


def _rounded(value: Decimal, step: Decimal) -> Decimal:
    return (value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step


def _short(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP) if value >= Decimal("0.01") else value.quantize(Decimal("0.000001"))
