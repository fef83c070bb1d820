"""How an appointment repeats, and the local days that gives. Wall-clock time stays the same when the clock changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from dateutil.rrule import DAILY, FR, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, rrule

from clinicdesk.errors import Invalid

#: What a series may repeat by → its words. A month keeps the weekday's place in it (the second Tuesday), as clinics plan.
UNITS: Final = {"workday": "every working day", "week": "every week", "two_weeks": "every 2 weeks", "four_weeks": "every 4 weeks",
                "month": "every month, same weekday"}
LEAST, MOST = 2, 60


@dataclass(frozen=True, slots=True)
class Repeats:
    """A unit of `UNITS` and how many appointments in all, 2 to 60."""

    unit: str
    count: int

    def words(self) -> str:
        """`every 2 weeks, 6 times`."""
        return f"{UNITS[self.unit]}, {self.count} times"


def days(first: date, repeats: Repeats) -> list[date]:
    """The days of a series that begins on `first`, in order; Invalid("repeat_count") outside 2 to 60."""
    if not LEAST <= repeats.count <= MOST:
        raise Invalid("repeat_count", f"A series has {LEAST} to {MOST} appointments.")
    start = datetime(first.year, first.month, first.day)  # noqa: DTZ001  days only; the zone is applied to each
    if repeats.unit == "workday":
        rule = rrule(DAILY, dtstart=start, count=repeats.count, byweekday=(MO, TU, WE, TH, FR))
    elif repeats.unit == "month":
        place = (first.day - 1) // 7 + 1
        nth = (MO, TU, WE, TH, FR, SA, SU)[first.weekday()](place if place < 5 else -1)  # a fifth weekday: the last of its month
        rule = rrule(MONTHLY, dtstart=start, count=repeats.count, byweekday=nth)
    else:
        rule = rrule(WEEKLY, dtstart=start, count=repeats.count, interval={"week": 1, "two_weeks": 2, "four_weeks": 4}[repeats.unit])
    return [moment.date() for moment in rule]


def shifted(moment: datetime, old: datetime, new: datetime, zone: tzinfo) -> datetime:
    """Another appointment of a series moved as one was from `old` to `new`: by as many local days, to the same local time."""
    away = (new.astimezone(zone).date() - old.astimezone(zone).date()).days
    clock = new.astimezone(zone).time()
    if new.astimezone(zone).time() == old.astimezone(zone).time():
        clock = moment.astimezone(zone).time()
    return datetime.combine(moment.astimezone(zone).date() + timedelta(days=away), clock, zone)
