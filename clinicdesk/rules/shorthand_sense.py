"""Where a whole direction contradicts itself, though each part is understood: a course shorter than its interval, more than its maximum."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from clinicdesk.rules.directions import Direction, frequency_words
from clinicdesk.rules.doses import DOSE_UNITS, fmt_number
from clinicdesk.rules.shorthand_fits import Asked, amount_words

_WEEK_HOURS: Final = 168
#: A thousand grams: more than anybody takes of a medicine in a day, and more than is printed (`fmt_dose`).
_KILOGRAM: Final = Decimal(1_000_000_000)


#: Injected undiluted it has killed (Drug and Therapeutics Bulletin 9/8, 31; NPSA alert 1051 of 2002; WHO Patient Safety Solution 5, 2007).
_ONLY_DILUTED: Final = frozenset({"potassium chloride"})
_INJECTED: Final = frozenset({"intravenous", "intramuscular", "subcutaneous"})


def contradictions(d: Direction, medicine: str) -> Iterator[Asked]:
    """What is to be asked about a direction as a whole (field, sentence, choices)."""
    if medicine in _ONLY_DILUTED and d.route in _INJECTED:
        yield "route", f"{medicine.capitalize()} injected undiluted is fatal. Is it an infusion?", ("by infusion into a vein", "by mouth")
    hours = d.every_hours or (_WEEK_HOURS if len(d.weekdays) == 1 and not (d.times_per_day or 0) > 1 else None)
    if hours is not None and d.duration_days is not None and d.duration_days * 24 <= hours:
        days = "1 day" if d.duration_days == 1 else f"{d.duration_days} days"
        sentence = f"“For {days}” is not longer than the time between doses (“{frequency_words(d)}”): how often, and for how long in all?"
        yield "duration", sentence, ("once only",)
    most = _doses_a_day(d)
    if most is not None and d.dose_value is not None:
        yield from _too_much(d, most)
    if d.max_per_day is not None and _mass(d.max_per_day, d.dose_unit) >= _KILOGRAM:
        yield "max_per_day", f"{amount_words(d.max_per_day, d.dose_unit)} in a day is surely a typing error.", ()


def _doses_a_day(d: Direction) -> int | None:
    """How many doses the schedule gives in a day, at most; None where it gives none, or only as needed."""
    if d.as_needed or d.once:
        return None
    return d.times_per_day if d.times_per_day is not None else math.ceil(Decimal(24) / d.every_hours) if d.every_hours is not None else None


def _too_much(d: Direction, times: int) -> Iterator[Asked]:
    day = times * (d.dose_value or 0)
    if d.max_per_day is not None and day > d.max_per_day:
        said, most = amount_words(Decimal(day), d.dose_unit), amount_words(d.max_per_day, d.dose_unit)
        yield "max_per_day", f"“{frequency_words(d)}” gives {said} in a day, more than the maximum of {most}.", ()
    if _mass(Decimal(day), d.dose_unit) >= _KILOGRAM:
        yield "dose_value", f"{fmt_number(Decimal(day))} {d.dose_unit} in a day is surely a typing error.", ()
    if d.min_interval_hours is not None and times > 1 and times * d.min_interval_hours > 24 and not d.every_hours:
        yield "min_interval_hours", f"“{frequency_words(d)}” and {d.min_interval_hours} hours between doses do not agree.", ()
    if d.every_hours is not None and d.min_interval_hours is not None and d.min_interval_hours > d.every_hours:
        yield "min_interval_hours", f"“{frequency_words(d)}” and {d.min_interval_hours} hours between doses do not agree.", ()


def _mass(value: Decimal, unit: str) -> Decimal:
    known = DOSE_UNITS.get(unit)
    return value * known.micrograms if known is not None and known.micrograms is not None else Decimal(0)
