"""How dates, times and durations are written, the same under every regional setting, and how a typed birth date is understood.

Clinical form `06-Feb-2026` and 24-hour `14:05` (reference clinical-safety R14–R17, from ISB 1501 and 1503); durations R18.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.texts import latin_digits, tidy

MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NOT_RECORDED: Final = "Not recorded"
EARLIEST_BIRTH: Final = date(1880, 1, 1)
#: Nobody alive is taken to be older when a birth year is typed with two digits.
OLDEST_BY_TWO_DIGITS: Final = 110

_EXAMPLES: Final = "Type it like 05-Nov-1980, 1980-11-05 or 5.11.1980."


def _local(moment: datetime, zone: tzinfo | None) -> datetime:
    return moment if zone is None else moment.astimezone(zone)


def elapsed(begin: datetime, end: datetime) -> timedelta:
    """How long it really is from one moment to another: Python alone subtracts two moments of one zone by their wall clocks."""
    return end.astimezone(UTC) - begin.astimezone(UTC)


def later(moment: datetime, by: timedelta) -> datetime:
    """A moment so much later, in the same zone, also when the clock changes in between."""
    return (moment.astimezone(UTC) + by).astimezone(moment.tzinfo)


def clinical_date(day: date | None, zone: tzinfo | None = None, *, weekday: bool = False) -> str:
    """`06-Feb-2026`, or `Fri 06-Feb-2026`; None says "Not recorded". A datetime is taken in `zone` when one is given."""
    if day is None:
        return NOT_RECORDED
    if isinstance(day, datetime):
        day = _local(day, zone).date()
    text = f"{day.day:02d}-{MONTHS[day.month - 1][:3]}-{day.year:04d}"
    return f"{WEEKDAYS[day.weekday()][:3]} {text}" if weekday else text


def clinical_time(at: time | datetime | None, zone: tzinfo | None = None) -> str:
    """24-hour `14:05`; None says "Not recorded". A datetime is taken in `zone` when one is given."""
    if at is None:
        return NOT_RECORDED
    if isinstance(at, datetime):
        at = _local(at, zone).time()
    return f"{at.hour:02d}:{at.minute:02d}"


def clinical_moment(at: datetime | None, zone: tzinfo | None = None) -> str:
    """`06-Feb-2026 14:05` in `zone`; None says "Not recorded"."""
    return NOT_RECORDED if at is None else f"{clinical_date(at, zone)} {clinical_time(at, zone)}"


def long_date(day: date | None, zone: tzinfo | None = None, *, weekday: bool = False) -> str:
    """`06 February 2026` for patients (kiosk, letters, screen readers), optionally `Friday 06 February 2026`."""
    if day is None:
        return NOT_RECORDED
    if isinstance(day, datetime):
        day = _local(day, zone).date()
    text = f"{day.day:02d} {MONTHS[day.month - 1]} {day.year:04d}"
    return f"{WEEKDAYS[day.weekday()]} {text}" if weekday else text


def duration_text(duration: timedelta) -> str:
    """A duration such as `1d 2hr 5min`, rounded down to seconds; no unit that is zero, `0min` for nothing (R18).

    Units are d, hr, min, sec; negative durations are a programming error.
    """
    seconds = int(duration.total_seconds())
    if seconds < 0:
        raise ValueError("a duration is not negative")
    parts = []
    for name, size in (("d", 86_400), ("hr", 3_600), ("min", 60), ("sec", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{name}")
    return " ".join(parts) or "0min"


def minutes_text(minutes: int) -> str:
    """Minutes as a duration: 95 → `1hr 35min`."""
    return duration_text(timedelta(minutes=minutes))


def parse_birth_date(text: str, today: date, day_first: bool | None = None, field: str = "born") -> date:  # noqa: FBT001  a setting
    """The date of birth meant by `text` in any common notation.

    `day_first` is the clinic's habit for 5/11/1980 (True: 5 November, False: 11 May); None refuses what could be either. Dots are
    always day first, a four-digit year may lead. `Invalid` explains what is ambiguous, in the future or before 1880.
    """
    cleaned = latin_digits(tidy(text)).strip(" .,")
    if not cleaned:
        raise Invalid(field, f"The date of birth is needed. {_EXAMPLES}")
    candidates = sorted(set(_readings(cleaned, day_first, today)))
    possible = [day for day in candidates if EARLIEST_BIRTH <= day <= today]
    if len(possible) == 1:
        return possible[0]
    if possible:
        choices = " or ".join(clinical_date(day) for day in possible)
        raise Invalid(field, f"This can mean {choices}. Type the month as a word and the year with four digits.")
    if any(day > today for day in candidates):
        raise Invalid(field, f"A date of birth cannot be after today, {clinical_date(today)}.")
    if candidates:
        raise Invalid(field, f"A date of birth cannot be before {clinical_date(EARLIEST_BIRTH)}.")
    raise Invalid(field, f"This is not a date. {_EXAMPLES}")


def date_readings(text: str, today: date) -> tuple[date, ...]:
    """Every possible date of birth that `text` could mean, in order; empty when it is no date. For searching, never for storing."""
    cleaned = latin_digits(tidy(text)).strip(" .,")
    return tuple(sorted({day for day in _readings(cleaned, None, today) if EARLIEST_BIRTH <= day <= today}))


def _readings(text: str, day_first: bool | None, today: date) -> Iterable[date]:  # noqa: FBT001
    numeric = re.fullmatch(r"(\d{1,4})\s*([./\-\s])\s*(\d{1,2})\s*\2\s*(\d{1,4})", text)
    if numeric:
        first, mark, second, third = numeric.groups()
        if len(first) == 4 and len(third) <= 2:
            return _days([(first, second, third)], today)
        if len(first) > 2 or len(third) not in {2, 4}:
            return []
        orders = _orders(first, second, third, True if mark == "." else day_first)
        return _days(orders, today)
    if re.fullmatch(r"\d{8}", text):
        leading = _days([(text[:4], text[4:6], text[6:])], today)
        plausible = [day for day in leading if EARLIEST_BIRTH.year <= day.year <= today.year]
        return plausible + _days(_orders(text[:2], text[2:4], text[4:], day_first), today)
    if re.fullmatch(r"\d{6}", text):
        return _days(_orders(text[:2], text[2:4], text[4:], day_first), today)
    return _worded(text, today)


def _orders(first: str, second: str, year: str, day_first: bool | None) -> list[tuple[str, str, str]]:  # noqa: FBT001
    by_day, by_month = (year, second, first), (year, first, second)
    if day_first is None:
        return [by_day, by_month]
    preferred, other = (by_day, by_month) if day_first else (by_month, by_day)
    return [preferred] if 1 <= int(preferred[1]) <= 12 else [other]


def _worded(text: str, today: date) -> Iterable[date]:
    parts = re.findall(r"\d+|[^\W\d_]+", text)
    words = [p for p in parts if not p.isdigit() and p.casefold() not in {"st", "nd", "rd", "th", "of"}]
    numbers = [p for p in parts if p.isdigit()]
    if len(words) != 1 or len(numbers) != 2 or len(words[0]) < 3:
        return []
    months = [i for i, name in enumerate(MONTHS, 1) if name.casefold().startswith(words[0].casefold())]
    if words[0].casefold() == "sept":
        months = [9]
    if len(months) != 1:
        return []
    month = str(months[0])
    if len(numbers[0]) == 4:
        return _days([(numbers[0], month, numbers[1])], today)
    return _days([(numbers[1], month, numbers[0])], today)


def _days(orders: Iterable[tuple[str, str, str]], today: date) -> list[date]:
    days = []
    for year, month, day in orders:
        for full_year in _years(year, today):
            try:
                days.append(date(full_year, int(month), int(day)))
            except ValueError:
                continue
    return days


def _years(year: str, today: date) -> list[int]:
    if len(year) == 4:
        return [int(year)]
    if len(year) != 2:
        return []
    centuries = range(today.year // 100 * 100, today.year - OLDEST_BY_TWO_DIGITS - 100, -100)
    return [y for y in (c + int(year) for c in centuries) if today.year - OLDEST_BY_TWO_DIGITS <= y <= today.year]
