"""Opening hours, free places and slots from a template: pure arithmetic on half-open ranges, right across clock changes.

Every moment given back is in UTC, because Python compares and subtracts two moments of one zone by their wall clock and is then wrong
by an hour when clocks go back. Show them with `moments.clinical_time(at, zone)`. Moments given in may be in any zone but aware.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from clinicdesk.errors import Invalid

#: `nearest_free` looks this many days to either side of the wish.
HORIZON_DAYS = 60
#: A template may not make more slots than this at once.
TEMPLATE_LIMIT = 5_000


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Half-open interval [starts_at, ends_at) of aware moments, kept in UTC; never empty."""

    starts_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        """Moves both ends to UTC; `ValueError` for naive or reversed ends (a programming error)."""
        if self.starts_at.tzinfo is None or self.ends_at.tzinfo is None:
            raise ValueError("a range needs aware moments")
        object.__setattr__(self, "starts_at", self.starts_at.astimezone(UTC))
        object.__setattr__(self, "ends_at", self.ends_at.astimezone(UTC))
        if self.ends_at <= self.starts_at:
            raise ValueError("a range ends after it starts")

    @property
    def minutes(self) -> int:
        """Length in whole minutes."""
        return int((self.ends_at - self.starts_at) / timedelta(minutes=1))

    def overlaps(self, other: Range) -> bool:
        """Whether the two share any moment; touching ends do not."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def contains(self, other: Range) -> bool:
        """Whether `other` lies within this range."""
        return self.starts_at <= other.starts_at and other.ends_at <= self.ends_at


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """Weekly hours in the clinic's wall clock; weekday 0 is Monday, an end of 00:00 means midnight. `Invalid("end")` otherwise."""

    weekday: int
    start: time
    end: time

    def __post_init__(self) -> None:
        """Refuses hours that do not go forward within one day."""
        if not 0 <= self.weekday <= 6:
            raise Invalid("weekday", "A weekday is Monday to Sunday.")
        if self.end <= self.start and self.end != time(0):
            raise Invalid("end", "Hours end later on the same day than they start.")


def wall(day: date, at: time, zone: tzinfo) -> datetime:
    """The UTC moment of a wall-clock time; a time skipped by the clocks means the same instant an hour later on the clock."""
    return datetime.combine(day, at.replace(tzinfo=None), tzinfo=zone).astimezone(UTC)


def hours_on(day: date, zone: tzinfo, hours: Iterable[WorkingHours]) -> list[Range]:
    """The working ranges of one day, merged where they touch or overlap, in order."""
    ranges = []
    for h in hours:
        if h.weekday != day.weekday():
            continue
        start = wall(day, h.start, zone)
        end = wall(day + timedelta(days=1), h.end, zone) if h.end == time(0) else wall(day, h.end, zone)
        if start < end:
            ranges.append(Range(start, end))
    return merged(ranges)


def merged(ranges: Iterable[Range]) -> list[Range]:
    """The same moments as few ranges as possible, in order."""
    result: list[Range] = []
    for r in sorted(ranges):
        if result and r.starts_at <= result[-1].ends_at:
            result[-1] = Range(result[-1].starts_at, max(result[-1].ends_at, r.ends_at))
        else:
            result.append(r)
    return result


def without(ranges: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """What is left of `ranges` when every moment of `taken` is cut out, in order."""
    cuts = merged(taken)
    result = []
    for r in merged(ranges):
        start = r.starts_at
        for cut in cuts:
            if cut.ends_at <= start or cut.starts_at >= r.ends_at:
                continue
            if cut.starts_at > start:
                result.append(Range(start, cut.starts_at))
            start = cut.ends_at
        if start < r.ends_at:
            result.append(Range(start, r.ends_at))
    return result


def open_ranges(day: date, zone: tzinfo, hours: Iterable[WorkingHours], closures: Iterable[Range] = (),
                busy: Iterable[Range] = ()) -> list[Range]:
    """When a doctor is open (and, with `busy`, free) on one day of the clinic's calendar, in order."""
    shifts = hours_on(day, zone, hours)
    if not shifts:
        return []
    whole = Range(shifts[0].starts_at, shifts[-1].ends_at)
    return without(shifts, (r for taken in (closures, busy) for r in taken if r.overlaps(whole)))


def free_places(day: date, zone: tzinfo, hours: Sequence[WorkingHours], *, minutes: int, step: int,
                closures: Iterable[Range] = (), busy: Iterable[Range] = (), not_before: datetime | None = None) -> list[Range]:
    """Free places of `minutes` on one day, starting every `step` minutes from each opening, none before `not_before`.

    The grid is anchored at the start of the working hours, so places stay at round times whatever is already booked.
    """
    _check_length(minutes, step)
    free = open_ranges(day, zone, hours, closures, busy)
    length, stride = timedelta(minutes=minutes), timedelta(minutes=step)
    places = []
    for shift in hours_on(day, zone, hours):
        start = shift.starts_at
        while start + length <= shift.ends_at:
            place = Range(start, start + length)
            if (not_before is None or start >= not_before) and any(f.contains(place) for f in free):
                places.append(place)
            start += stride
    return places


def nearest_free(wanted: datetime, zone: tzinfo, hours: Sequence[WorkingHours], *, minutes: int, now: datetime,
                 closures: Iterable[Range] = (), busy: Iterable[Range] = (), count: int = 3, step: int = 5) -> list[Range]:
    """The `count` free places nearest to `wanted`, before and after it, none before `now`; in order of time.

    Looks at most `HORIZON_DAYS` days to either side. Of two places equally near the later comes first. `busy` and `closures`
    must cover that horizon.
    """
    closures, busy = list(closures), list(busy)
    centre = wanted.astimezone(zone).date()
    found: list[Range] = []

    def distance(place: Range) -> tuple[timedelta, bool]:
        return abs(place.starts_at - wanted), place.starts_at < wanted

    for offset in range(HORIZON_DAYS + 1):
        days = {centre + timedelta(days=offset), centre - timedelta(days=offset)}
        for day in days:
            if day >= now.astimezone(zone).date():
                found.extend(free_places(day, zone, hours, minutes=minutes, step=step, closures=closures, busy=busy,
                                         not_before=now))
        found.sort(key=distance)
        found = _spread(found, count)
        # No day of a later ring is nearer than this (two hours allow for a clock change), so a shorter distance is final.
        if len(found) >= count and distance(found[count - 1])[0] <= timedelta(days=offset) - timedelta(hours=2):
            break
    return sorted(found[:count])


def _spread(places: Sequence[Range], count: int) -> list[Range]:
    """The first places that do not overlap each other: three offers five minutes apart would be one offer."""
    chosen: list[Range] = []
    for place in places:
        if len(chosen) == count:
            break
        if not any(place.overlaps(other) for other in chosen):
            chosen.append(place)
    return chosen


def expand_template(first: date, last: date, weekdays: Iterable[int], *, start: time, end: time, minutes: int, gap: int,
                    zone: tzinfo) -> list[Range]:
    """Slots of `minutes` with `gap` minutes between them, from `start` to `end` by the wall clock on the chosen weekdays.

    `first` and `last` are both included. `Invalid` names the field (`last`, `weekdays`, `end`, `minutes`, `gap`) that must change;
    more than `TEMPLATE_LIMIT` slots at once are refused.
    """
    _check_length(minutes, 1)
    if not 0 <= gap <= 240:
        raise Invalid("gap", "The gap between slots is 0 to 240 minutes.")
    chosen = frozenset(weekdays)
    if not chosen or not chosen <= frozenset(range(7)):
        raise Invalid("weekdays", "Choose at least one day of the week.")
    if last < first:
        raise Invalid("last", "The last day is on or after the first day.")
    hours = [WorkingHours(weekday, start, end) for weekday in sorted(chosen)]
    slots = []
    for day in _days(first, last):
        for shift in hours_on(day, zone, hours):
            at = shift.starts_at
            while at + timedelta(minutes=minutes) <= shift.ends_at:
                slots.append(Range(at, at + timedelta(minutes=minutes)))
                at += timedelta(minutes=minutes + gap)
        if len(slots) > TEMPLATE_LIMIT:
            raise Invalid("last", f"This would make more than {TEMPLATE_LIMIT:,} slots. Choose fewer days.")
    if not slots:
        raise Invalid("minutes", f"No slot of {minutes} minutes fits between these times on these days.")
    return slots


def _days(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _check_length(minutes: int, step: int) -> None:
    if not 5 <= minutes <= 480:
        raise Invalid("minutes", "An appointment lasts 5 to 480 minutes.")
    if step < 1:
        raise Invalid("step", "The step is at least 1 minute.")
