"""Dates of a history, exact to the day, the month or the year (clinical-safety R19): read as people write them, shown as they are."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import EARLIEST_BIRTH, MONTHS, clinical_date, parse_birth_date
from clinicdesk.rules.texts import tidy

Precision = Literal["day", "month", "year"]


def parse_partial(text: str, today: date, field: str) -> tuple[date, Precision]:
    """`21-Nov-2019`, `11/2019`, `Nov 2019`, `2019` → the first day of what was meant, and how exact it is.

    `Invalid` for the future, for before 1880, and for what is no date or could be two.
    """
    cleaned = tidy(text).strip(" .,")
    if match := re.fullmatch(r"(\d{4})", cleaned):
        return _checked(int(match[1]), 1, today, field), "year"
    if match := re.fullmatch(r"(\d{1,2})[/.\- ](\d{4})", cleaned):
        return _checked(int(match[2]), int(match[1]), today, field), "month"
    if match := re.fullmatch(r"(\d{4})[/.\-](\d{1,2})", cleaned):
        return _checked(int(match[1]), int(match[2]), today, field), "month"
    if match := re.fullmatch(r"([^\W\d_]{3,})[.,/\- ]*(\d{4})", cleaned):
        found = [number for number, name in enumerate(MONTHS, 1) if match[1].casefold()[:3] == name.casefold()[:3]]
        if not found:
            raise Invalid(field, f"“{match[1][:20]}” is no month.")
        return _checked(int(match[2]), found[0], today, field), "month"
    try:
        return parse_birth_date(cleaned, today, field=field), "day"
    except Invalid as refusal:
        sentence = refusal.sentence.replace("A date of birth", "This date").replace("The date of birth is", "A date is")
        raise Invalid(field, sentence) from None


def partial_text(day: date | None, precision: str) -> str:
    """As exact as it is known: `21-Nov-2019`, `Nov-2019`, `2019`, or that it is not known."""
    if day is None:
        return "Date not known"
    if precision == "year":
        return f"{day.year}"
    return clinical_date(day)[3:] if precision == "month" else clinical_date(day)


def _checked(year: int, month: int, today: date, field: str) -> date:
    if not 1 <= month <= 12:
        raise Invalid(field, "A month is 1 to 12.")
    day = date(year, month, 1) if year else EARLIEST_BIRTH
    if day > today:
        raise Invalid(field, f"This date cannot be after today, {clinical_date(today)}.")
    if year < EARLIEST_BIRTH.year:
        raise Invalid(field, f"This date cannot be before {EARLIEST_BIRTH.year}.")
    return day
