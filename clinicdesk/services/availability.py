"""When doctors work and when they are free: weekly hours, closures, slots, and the places still to be had."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from sqlalchemy import delete, insert, or_, select, text

from clinicdesk.errors import FreePlace, Invalid, NotAllowed, SlotTaken
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor
from clinicdesk.models.scheduling import Closure, TimeSlot
from clinicdesk.models.scheduling import WorkingHours as HoursTable
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.rules.slots import HORIZON_DAYS, Range, WorkingHours, expand_template, free_places, nearest_free, wall, without
from clinicdesk.rules.slots import open_ranges as open_hours
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class ClosureRow:
    """Leave of a doctor, or of the whole clinic (`doctor_id` None)."""

    id: int
    doctor_id: int | None
    doctor_name: str
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class SlotRow:
    """A slot a doctor offers; `taken` when an appointment holds any of it."""

    id: int
    doctor_id: int
    starts_at: datetime
    ends_at: datetime
    taken: bool


@dataclass(frozen=True, slots=True)
class SlotTemplate:
    """Many slots at once: what `make_slots` expands over the days from `first` to `last`, both included."""

    doctor_id: int
    first: date
    last: date
    weekdays: frozenset[int]
    start: time
    end: time
    minutes: int
    gap: int = 0


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What a template would make: how many, from when to when, and which existing slots are in the way."""

    count: int
    starts_at: datetime
    ends_at: datetime
    overlaps: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class When:
    """Which places are wanted: weekdays (bit 0 is Monday), between two local minutes, and of each day only the `first`."""

    weekdays: int = 127
    from_minute: int = 0
    to_minute: int = 1440
    first: bool = False

    def takes(self, place: Range, zone: tzinfo) -> bool:
        """Whether the whole place lies within."""
        start, end = place.starts_at.astimezone(zone), place.ends_at.astimezone(zone)
        begins, lasts = start.hour * 60 + start.minute, (end - start).total_seconds() // 60
        return bool(self.weekdays >> start.weekday() & 1) and self.from_minute <= begins and begins + lasts <= self.to_minute


ANY_TIME = When()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Everything needed to say when a doctor is open and free over some days; made by `calendars`."""

    hours: tuple[WorkingHours, ...]
    closures: tuple[Range, ...]
    closed_reasons: tuple[tuple[Range, str], ...]
    slots: tuple[Range, ...]
    busy: tuple[Range, ...]


def _time(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)


def _minute(at: time, *, end: bool = False) -> int:
    return 1440 if end and at == time(0) else at.hour * 60 + at.minute


def day_bounds(session: ClinicSession, day: date) -> tuple[datetime, datetime]:
    """The half-open moments of one day in the clinic's zone."""
    return wall(day, time(0), session.zone), wall(day + timedelta(days=1), time(0), session.zone)


def working_hours(session: ClinicSession, doctor_id: int) -> list[WorkingHours]:
    """Weekly hours in order."""
    rows = session.execute(
        select(HoursTable.weekday, HoursTable.starts_minute, HoursTable.ends_minute)
        .where(HoursTable.doctor_id == doctor_id)
        .order_by(HoursTable.weekday, HoursTable.starts_minute)
    )
    return [WorkingHours(r.weekday, _time(r.starts_minute), _time(r.ends_minute)) for r in rows]


def set_working_hours(session: ClinicSession, doctor_id: int, hours: Iterable[WorkingHours]) -> None:
    """Replace the whole week; hours of one day may not overlap."""
    session.execute(delete(HoursTable).where(HoursTable.doctor_id == doctor_id))
    rows = [
        {"doctor_id": doctor_id, "weekday": h.weekday, "starts_minute": _minute(h.start), "ends_minute": _minute(h.end, end=True)}
        for h in hours
    ]
    if rows:
        with session.attempt():
            session.execute(insert(HoursTable), rows)


def closures(session: ClinicSession, doctor_id: int | None = None, after: datetime | None = None) -> list[ClosureRow]:
    """Closures that end after a moment (now), in order: all, or those that touch one doctor."""
    query = (
        select(Closure.id, Closure.doctor_id, User.name, Closure.starts_at, Closure.ends_at, Closure.reason)
        .outerjoin(Doctor, Doctor.id == Closure.doctor_id)
        .outerjoin(User, User.id == Doctor.user_id)
        .where(Closure.ends_at > (after or session.now()))
        .order_by(Closure.starts_at, Closure.id)
    )
    if doctor_id is not None:
        query = query.where(or_(Closure.doctor_id.is_(None), Closure.doctor_id == doctor_id))
    return [ClosureRow(r[0], r[1], r[2] or "", r[3], r[4], r[5]) for r in session.execute(query)]


def add_closure(session: ClinicSession, doctor_id: int | None, starts_at: datetime, ends_at: datetime, reason: str) -> None:
    """Close a doctor's calendar, or the whole clinic's."""
    if ends_at <= starts_at:
        raise Invalid("ends_at", "A closure ends after it starts.")
    with session.attempt():
        session.execute(insert(Closure).values(doctor_id=doctor_id, starts_at=starts_at, ends_at=ends_at, reason=reason.strip()))


def remove_closure(session: ClinicSession, closure_id: int) -> None:
    """Open again what was closed."""
    if session.scalar(delete(Closure).where(Closure.id == closure_id).returning(Closure.id)) is None:
        raise NotAllowed


def calendars(
    session: ClinicSession, doctor_ids: Sequence[int], starts_at: datetime, ends_at: datetime, *, busy_times: bool = True
) -> dict[int, Calendar]:
    """The calendars of some doctors over a stretch of time; four queries whatever their number.

    Without `busy_times` (who reads the appointments anyway) `busy` stays empty and the fourth query is not asked.
    """
    hours: dict[int, list[WorkingHours]] = defaultdict(list)
    for doctor_id, weekday, starts, ends in session.rows(
        select(HoursTable.doctor_id, HoursTable.weekday, HoursTable.starts_minute, HoursTable.ends_minute)
        .where(HoursTable.doctor_id.in_(doctor_ids))
        .order_by(HoursTable.weekday, HoursTable.starts_minute)
    ):
        hours[doctor_id].append(WorkingHours(weekday, _time(starts), _time(ends)))
    closed: dict[int | None, list[tuple[Range, str]]] = defaultdict(list)
    for c in session.execute(
        select(Closure.doctor_id, Closure.starts_at, Closure.ends_at, Closure.reason).where(
            Closure.starts_at < ends_at, Closure.ends_at > starts_at, or_(Closure.doctor_id.is_(None), Closure.doctor_id.in_(doctor_ids))
        )
    ):
        closed[c.doctor_id].append((Range(c.starts_at, c.ends_at), c.reason))
    slots: dict[int, list[Range]] = defaultdict(list)
    for s in session.execute(
        select(TimeSlot.doctor_id, TimeSlot.starts_at, TimeSlot.ends_at)
        .order_by(TimeSlot.starts_at)
        .where(TimeSlot.doctor_id.in_(doctor_ids), TimeSlot.starts_at < ends_at, TimeSlot.starts_at >= starts_at)
    ):
        slots[s.doctor_id].append(Range(s.starts_at, s.ends_at))
    busy: dict[int, list[Range]] = defaultdict(list)
    if busy_times:
        for doctor_id, begin, end in session.execute(_BUSY, {"a": starts_at, "b": ends_at, "ids": list(doctor_ids)}):
            busy[doctor_id].append(Range(begin, end))
    found = {}
    for doctor_id in doctor_ids:
        reasons = tuple(closed[None] + closed[doctor_id])
        found[doctor_id] = Calendar(
            tuple(hours[doctor_id]), tuple(r for r, _ in reasons), reasons, tuple(slots[doctor_id]), tuple(busy[doctor_id])
        )
    return found


def open_on(calendar: Calendar, day: date, session: ClinicSession) -> tuple[Range, ...]:
    """Open ranges of one day: working hours and slots, less the closures."""
    start, end = day_bounds(session, day)
    offered = [
        *open_hours(day, session.zone, calendar.hours, calendar.closures),
        *without([s for s in calendar.slots if start <= s.starts_at < end], calendar.closures),
    ]
    return tuple(without(offered, ()))


_BUSY = text("select doctor_id, starts_at, ends_at from clinic.busy(:a, :b) where lane = 0 and doctor_id = any(:ids)")


def _places(calendar: Calendar, day: date, minutes: int, session: ClinicSession, not_before: datetime) -> list[Range]:
    start, end = day_bounds(session, day)
    slots = [s for s in calendar.slots if start <= s.starts_at < end]
    if slots:
        taken = (*calendar.busy, *calendar.closures)
        return [s for s in slots if s.starts_at >= not_before and not any(s.overlaps(t) for t in taken)]
    return free_places(
        day,
        session.zone,
        calendar.hours,
        minutes=minutes,
        step=minutes,
        closures=calendar.closures,
        busy=calendar.busy,
        not_before=not_before,
    )


def next_free(
    session: ClinicSession,
    *,
    doctor_id: int | None = None,
    specialization: str = "",
    minutes: int = 20,
    after: datetime | None = None,
    count: int = 10,
    days: int = HORIZON_DAYS,
    when: When = ANY_TIME,
) -> list[FreePlace]:
    """The first free places of a doctor, of a specialization, or of anybody available, in order of time; `when` says which ones count."""
    after = after or session.now()
    query = select(Doctor.id).join(User, User.id == Doctor.user_id).where(Doctor.available, User.active)
    if doctor_id is not None:
        query = query.where(Doctor.id == doctor_id)
    if specialization:
        query = query.where(Doctor.specialization == specialization)
    ids = list(session.scalars(query))
    first = after.astimezone(session.zone).date()
    found: list[FreePlace] = []
    for week in range(0, days, 7):
        span = [first + timedelta(days=week + d) for d in range(min(7, days - week))]
        all_calendars = calendars(session, ids, day_bounds(session, span[0])[0], day_bounds(session, span[-1])[1])
        for day in span:
            here = sorted((p.starts_at, i, p) for i in ids for p in _places(all_calendars[i], day, minutes, session, after)
                          if when.takes(p, session.zone))
            found.extend(FreePlace(i, p.starts_at, p.ends_at) for _, i, p in (here[:1] if when.first else here))
        if len(found) >= count:
            break
    return sorted(found, key=lambda p: (p.starts_at, p.doctor_id))[:count]


def free_doctors(session: ClinicSession, at: datetime, minutes: int = 20) -> list[int]:
    """Ids of the available doctors who are open and free for so long from a moment on."""
    wish = Range(at, at + timedelta(minutes=minutes))
    day = at.astimezone(session.zone).date()
    who = select(Doctor.id).join(User, User.id == Doctor.user_id).where(Doctor.available, User.active).order_by(Doctor.id)
    ids = list(session.scalars(who))
    start, end = day_bounds(session, day)
    return [
        i
        for i, c in calendars(session, ids, start, end).items()
        if any(r.contains(wish) for r in open_on(c, day, session)) and not any(b.overlaps(wish) for b in c.busy)
    ]


def nearest_places(session: ClinicSession, doctor_id: int, wanted: datetime, minutes: int, count: int = 3) -> list[FreePlace]:
    """The free places of a doctor nearest to a wish, before and after it, never in the past."""
    margin = timedelta(days=8)
    calendar = calendars(session, [doctor_id], wanted - margin, wanted + margin)[doctor_id]
    local = wanted.astimezone(session.zone).date()
    if calendar.slots:
        days = [local + timedelta(days=d) for d in range(-7, 8)]
        places = [p for day in days for p in _places(calendar, day, minutes, session, session.now())]
        places = sorted(sorted(places, key=lambda p: abs(p.starts_at - wanted))[:count])
    else:
        places = nearest_free(
            wanted,
            session.zone,
            calendar.hours,
            minutes=minutes,
            now=session.now(),
            closures=calendar.closures,
            busy=calendar.busy,
            count=count,
        )
    return [FreePlace(doctor_id, p.starts_at, p.ends_at) for p in places]


def slots(session: ClinicSession, doctor_id: int, first: date, last: date) -> list[SlotRow]:
    """Slots of a doctor over some days, both included."""
    start, end = day_bounds(session, first)[0], day_bounds(session, last)[1]
    rows = session.execute(
        select(TimeSlot.id, TimeSlot.doctor_id, TimeSlot.starts_at, TimeSlot.ends_at)
        .where(TimeSlot.doctor_id == doctor_id, TimeSlot.starts_at >= start, TimeSlot.starts_at < end)
        .order_by(TimeSlot.starts_at)
    ).all()
    busy = calendars(session, [doctor_id], start, end)[doctor_id].busy
    return [SlotRow(*r, taken=any(b.overlaps(Range(r.starts_at, r.ends_at)) for b in busy)) for r in rows]


def _ranges(session: ClinicSession, template: SlotTemplate) -> list[Range]:
    return expand_template(template.first, template.last, template.weekdays, start=template.start, end=template.end,
                           minutes=template.minutes, gap=template.gap, zone=session.zone)


def plan_slots(session: ClinicSession, template: SlotTemplate) -> SlotPlan:
    """What `make_slots` would do with this template, without doing it. Invalid names the field that must change."""
    ranges = _ranges(session, template)
    query = select(TimeSlot.starts_at, TimeSlot.ends_at).where(
        TimeSlot.doctor_id == template.doctor_id, TimeSlot.starts_at < ranges[-1].ends_at, TimeSlot.ends_at > ranges[0].starts_at)
    known = sorted(Range(*row) for row in session.execute(query))
    in_the_way, first = [], 0
    for slot in known:  # both lists are in order and free of overlaps in themselves: one walk through both
        while first < len(ranges) and ranges[first].ends_at <= slot.starts_at:
            first += 1
        if first < len(ranges) and ranges[first].overlaps(slot):
            in_the_way.append(slot)
    return SlotPlan(len(ranges), ranges[0].starts_at, ranges[-1].ends_at, tuple(in_the_way))


def overlap_words(plan: SlotPlan, zone: tzinfo) -> str:
    """Which slots are in the way of a plan, in one sentence; "" when none is."""
    if not plan.overlaps:
        return ""
    one = plan.overlaps[0]
    where = f"{clinical_date(one.starts_at, zone, weekday=True)}, {clinical_time(one.starts_at, zone)}–{clinical_time(one.ends_at, zone)}"
    if len(plan.overlaps) == 1:
        return f"There is already a slot on {where}."
    return f"{len(plan.overlaps)} slots are already there, the first on {where}."


def make_slots(session: ClinicSession, template: SlotTemplate) -> int:
    """Make many slots at once, all or none; SlotTaken says which existing slots are in the way. Gives back how many."""
    plan, ranges = plan_slots(session, template), _ranges(session, template)
    if plan.overlaps:
        raise SlotTaken(overlap_words(plan, session.zone))
    try:  # somebody else may have made slots since
        with session.attempt():
            session.execute(
                insert(TimeSlot),
                [{"doctor_id": template.doctor_id, "starts_at": r.starts_at, "ends_at": r.ends_at, "made_by": session.my_id}
                 for r in ranges],
            )
    except SlotTaken as taken:
        raise SlotTaken(overlap_words(plan_slots(session, template), session.zone) or taken.sentence) from taken
    return len(ranges)


def remove_slots(session: ClinicSession, slot_ids: Sequence[int]) -> int:
    """Take slots away again; appointments in them stay."""
    return len(session.scalars(delete(TimeSlot).where(TimeSlot.id.in_(slot_ids)).returning(TimeSlot.id)).all())
