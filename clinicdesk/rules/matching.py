"""Who of the waiting list fits a free place, best first, and why: in sentences a receptionist can say on the telephone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from clinicdesk.rules.moments import elapsed

URGENCY: Final = {1: "Routine", 2: "Soon", 3: "Urgent"}
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody waits for. `weekdays` has bit 0 for Monday; minutes are local, after midnight; moments are aware."""

    minutes: int
    since: datetime
    urgency: int = 1
    doctor_id: int | None = None
    specialization: str = ""
    weekdays: int = 127
    from_minute: int = 0
    to_minute: int = 1440
    first_day: date | None = None
    last_day: date | None = None
    notice_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A free place of a doctor."""

    doctor_id: int
    specialization: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a wish fits: higher `score` first; `reasons` say why."""

    score: tuple[int, int, int, int]
    reasons: tuple[str, ...]


def fit(wanted: Wanted, place: Place, now: datetime, zone: tzinfo) -> Fit | None:
    """None when it does not fit. Order: urgency, then whole days of waiting, then a wish for just this doctor, then the fuller place.

    Our own proposal (fair by waiting time within one urgency; shared/reference/peers.md, moonshot 6), to be signed off by the clinic.
    """
    local = place.starts_at.astimezone(zone)
    length = int(elapsed(place.starts_at, place.ends_at).total_seconds() // 60)
    start_minute = local.hour * 60 + local.minute
    fits = (
        wanted.minutes <= length
        and (wanted.doctor_id is None or wanted.doctor_id == place.doctor_id)
        and (not wanted.specialization or wanted.specialization == place.specialization)
        and bool(wanted.weekdays >> local.weekday() & 1)
        and wanted.from_minute <= start_minute
        and start_minute + wanted.minutes <= wanted.to_minute
        and (wanted.first_day is None or local.date() >= wanted.first_day)
        and (wanted.last_day is None or local.date() <= wanted.last_day)
        and place.starts_at - now >= timedelta(minutes=wanted.notice_minutes)
        and place.starts_at > now
    )
    if not fits:
        return None
    waited = max(0, (now - wanted.since).days)
    reasons = [URGENCY[wanted.urgency]] if wanted.urgency > 1 else []
    reasons.append("waiting since today" if waited == 0 else f"waiting for {waited} day{'s' if waited > 1 else ''}")
    if wanted.doctor_id is not None:
        reasons.append("wants this doctor")
    elif wanted.specialization:
        reasons.append(f"any doctor of {wanted.specialization}")
    reasons.append(f"needs {wanted.minutes} of {length} minutes" if wanted.minutes < length else f"needs just these {length} minutes")
    return Fit((wanted.urgency, waited, int(wanted.doctor_id is not None), wanted.minutes), tuple(reasons))


def wish_words(wanted: Wanted, doctor: str) -> str:
    """What is wanted, in one line: `Dr Kim, Tue Thu, 08:00–12:00, 20 min, from 01-Dec-2026`."""
    parts = [doctor or wanted.specialization or "Any doctor"]
    if wanted.weekdays != 127:
        days = " ".join(name for bit, name in enumerate(WEEKDAYS) if wanted.weekdays >> bit & 1)
        parts.append("Mon–Fri" if wanted.weekdays == 0b0011111 else days)
    if wanted.from_minute and wanted.to_minute < 1440:
        parts.append(f"{_clock(wanted.from_minute)}–{_clock(wanted.to_minute)}")
    elif wanted.from_minute:
        parts.append(f"after {_clock(wanted.from_minute)}")
    elif wanted.to_minute < 1440:
        parts.append(f"before {_clock(wanted.to_minute)}")
    parts.append(f"{wanted.minutes} min")
    if wanted.first_day:
        parts.append(f"from {wanted.first_day:%d-%b-%Y}")
    if wanted.last_day:
        parts.append(f"until {wanted.last_day:%d-%b-%Y}")
    return ", ".join(parts)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
