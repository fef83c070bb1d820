"""What “book meyer tue 15:00 dr k” means: a name, a day, a time, a doctor, a length and a reason, in any order after the first word.

Only words are understood here; who and when that is in this clinic is found by `services.commanding`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final

from dateutil import parser
from dateutil.relativedelta import FR, MO, SA, SU, TH, TU, WE, relativedelta

VERBS: Final = frozenset({"book", "appointment", "appt"})
_WEEKDAYS: Final = {"mon": MO, "tue": TU, "wed": WE, "thu": TH, "fri": FR, "sat": SA, "sun": SU}
_CLOCK: Final = re.compile(r"^(?:at)?(\d{1,2})(?:[:.h](\d{2}))?\s*(am|pm|h)?$")
_FOUR: Final = re.compile(r"^([01]\d|2[0-3])([0-5]\d)$")
_LENGTH: Final = re.compile(r"^(\d{1,3})\s*(?:m|min|mins|minutes|')$")
_DATE: Final = re.compile(r"^\d{1,4}[-./]\w{1,3}(?:[-./]\d{0,4})?$")
_DOCTOR: Final = frozenset({"dr", "dr.", "doctor", "with"})
_NOISE: Final = frozenset({"at", "on", "for", "the"})


@dataclass(frozen=True, slots=True)
class BookingWords:
    """What was said. `day` and `at` are None when not said; `doctor` the words after “dr”; `reason` what follows a semicolon."""

    name: str
    day: date | None = None
    at: time | None = None
    doctor: str = ""
    minutes: int | None = None
    reason: str = ""


@dataclass(slots=True)
class _Reading:
    today: date
    name: list[str] = field(default_factory=list)
    doctor: list[str] | None = None
    day: date | None = None
    at: time | None = None
    minutes: int | None = None


def booking_words(typed: str, today: date) -> BookingWords | None:
    """The parts of a booking command; None when the text is none (another first word, or nothing after it)."""
    command, _, reason = typed.strip().partition(";")
    words = command.split()
    if len(words) < 2 or words[0].casefold() not in VERBS:
        return None
    reading, rest = _Reading(today), words[1:]
    while rest:
        taken = _day(reading, rest) or _time(reading, rest) or _length(reading, rest) or _doctor(reading, rest)
        if not taken:
            if reading.doctor and reading.name and len(reading.doctor) < 2:
                reading.doctor.append(rest[0])  # a doctor's second name, once the patient is named
            elif rest[0].casefold() not in _NOISE:
                reading.name.append(rest[0])
            taken = 1
        del rest[:taken]
    name = " ".join(reading.name)
    if not name:
        return None
    return BookingWords(name, reading.day, reading.at, " ".join(reading.doctor or ()), reading.minutes, reason.strip())


def _day(reading: _Reading, rest: list[str]) -> int:
    """How many words say a day."""
    if reading.day is not None:
        return 0
    first = rest[0].casefold().rstrip(",")
    second = rest[1].casefold() if len(rest) > 1 else ""
    if first in {"today", "tomorrow"}:
        reading.day = reading.today + timedelta(days=first == "tomorrow")
        return 1
    if first == "in" and second.isdigit() and len(rest) > 2 and rest[2].casefold().rstrip("s") in {"day", "week"}:
        reading.day = reading.today + timedelta(days=int(second) * (7 if rest[2].casefold().startswith("week") else 1))
        return 3
    if first == "next" and second[:3] in _WEEKDAYS and _is_weekday(second):
        monday = reading.today + relativedelta(weekday=MO(-1), weeks=1)
        reading.day = monday + relativedelta(weekday=_WEEKDAYS[second[:3]])
        return 2
    if _is_weekday(first):
        reading.day = reading.today + relativedelta(weekday=_WEEKDAYS[first[:3]])
        return 1
    if _DATE.match(first) and not _is_time(first):
        parts = [part for part in re.split(r"[-./]", first) if part]
        whole = parts if len(parts) == 3 else [*parts, str(reading.today.year)]
        try:
            found = parser.parse("-".join(whole), dayfirst=len(whole[0]) < 4, yearfirst=len(whole[0]) == 4).date()
        except (ValueError, OverflowError):
            return 0
        if found < reading.today and len(parts) < 3:
            found = found + relativedelta(years=1)  # a day and month without a year is the next one
        reading.day = found
        return 1
    return 0


def _is_time(word: str) -> bool:
    """Whether `9.20` is a time: with a dot it is a day and month when it can only be that, or when nobody books at such a minute."""
    found = _CLOCK.match(word)
    if found is None or int(found[1]) > 23:
        return False
    minute = int(found[2] or 0)
    return "." not in word or not 1 <= minute <= 12 or minute % 5 == 0


def _is_weekday(word: str) -> bool:
    names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    return len(word) >= 3 and any(name.startswith(word) or (word == "tues" and name == "tuesday") for name in names)


def _time(reading: _Reading, rest: list[str]) -> int:
    if reading.at is not None:
        return 0
    word = rest[0].casefold()
    if found := _FOUR.match(word):
        reading.at = time(int(found[1]), int(found[2]))
        return 1
    found = _CLOCK.match(word)
    if found is None or (found[2] is None and found[3] is None):
        return 0
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3] in {"am", "pm"}:
        hour = hour % 12 + (12 if found[3] == "pm" else 0)
    if hour > 23 or minute > 59:
        return 0
    reading.at = time(hour, minute)
    return 1


def _length(reading: _Reading, rest: list[str]) -> int:
    found = _LENGTH.match(rest[0].casefold())
    if found is None and rest[0].isdigit() and len(rest) > 1 and rest[1].casefold() in {"min", "minutes"}:
        reading.minutes = int(rest[0])
        return 2
    if found is None or not 5 <= int(found[1]) <= 480:
        return 0
    reading.minutes = int(found[1])
    return 1


def _doctor(reading: _Reading, rest: list[str]) -> int:
    if rest[0].casefold() in _DOCTOR and reading.doctor is None and len(rest) > 1:
        skip = 2 if len(rest) > 2 and rest[0].casefold() == "with" and rest[1].casefold() in _DOCTOR else 1
        reading.doctor = [rest[skip]]
        return skip + 1
    return 0
