"""What a strength of the formulary says in numbers: `500 mg`, `125 mg in 5 mL`, `100 micrograms per puff`.

Strengths with more than one ingredient or in per cent say no single amount and give None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from clinicdesk.errors import Invalid
from clinicdesk.rules.doses import DOSE_UNITS, parse_dose


@dataclass(frozen=True, slots=True)
class Content:
    """`value` `unit` in each `per_value` `per_unit`; `per_unit` is empty where one piece (tablet, capsule, vial) holds it."""

    value: Decimal
    unit: str
    per_value: Decimal = Decimal(1)
    per_unit: str = ""


@lru_cache(maxsize=4096)
def content(strength: str) -> Content | None:
    """The amount a strength names; None when it names none or more than one."""
    match = re.fullmatch(r"([\d.,]+ ?[^\W\d_]+(?: units?)?)(?: (?:iron|base))?(?: ?(?:in|per|/) ?(?:([\d.,]+) ?)?([^\W\d_]+))?",
                         strength.strip(), re.IGNORECASE)
    if match is None:
        return None
    try:
        value, unit = parse_dose(match[1])
        if match[3] is None:
            return Content(value, unit)
        per_value, per_unit = parse_dose(f"{match[2] or '1'} {match[3]}")
    except Invalid:
        return None
    return Content(value, unit, per_value, per_unit)


def converted(value: Decimal, unit: str, to_unit: str) -> Decimal | None:
    """An amount in another unit of mass; None where the units have no fixed ratio."""
    if unit == to_unit:
        return value
    one, two = DOSE_UNITS[unit].micrograms, DOSE_UNITS[to_unit].micrograms
    return None if one is None or two is None else value * one / two


def pieces(value: Decimal, unit: str, strength: str) -> Decimal | None:
    """How many pieces (or mL) of a strength hold an amount of mass, exactly; None where the strength does not say."""
    known = content(strength)
    if known is None:
        return None
    amount = converted(value, unit, known.unit)
    return None if amount is None else amount * known.per_value / known.value
