"""Series of appointments: planning and booking them, and changing this one, the following ones, or all. Each is one thing to take back.

The appointments are the truth: changing or cancelling one never touches another that was not asked for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import select

from clinicdesk.errors import Invalid, NotAllowed, SlotTaken
from clinicdesk.models.scheduling import Appointment, Series
from clinicdesk.rules.moments import clinical_date, clinical_time, elapsed, later
from clinicdesk.rules.recurrence import Repeats, days, shifted
from clinicdesk.rules.slots import Range
from clinicdesk.services import appointments, undoing
from clinicdesk.services.availability import Calendar, calendars, nearest_places, open_on
from clinicdesk.services.schedule import NewAppointment, Planned
from clinicdesk.storage.database import ClinicSession

#: How much of a series a change means.
THIS, FOLLOWING, ALL = "this", "following", "all"
SCOPES: Final = {THIS: "Only this one", FOLLOWING: "This and the following", ALL: "The whole series"}
_STILL_OPEN = ("scheduled", "confirmed")


def plan(session: ClinicSession, doctor_id: int, starts_at: datetime, ends_at: datetime, repeats: Repeats) -> list[Planned]:
    """Every appointment a series would have, with what stands against it and the nearest free place then."""
    zone, length = session.zone, elapsed(starts_at, ends_at)
    first = starts_at.astimezone(zone)
    starts = [datetime.combine(day, first.time(), zone) for day in days(first.date(), repeats)]
    return _planned(session, doctor_id, [Planned(0, start, later(start, length)) for start in starts])


def _planned(session: ClinicSession, doctor_id: int, wanted: Sequence[Planned], leaving: Collection[Range] = ()) -> list[Planned]:
    """The same with problems filled in; `leaving` are times that these appointments hold now and will not any more."""
    calendar = calendars(session, [doctor_id], min(p.starts_at for p in wanted), max(p.ends_at for p in wanted))[doctor_id]
    busy = list(calendar.busy)
    for held in leaving:
        if held in busy:
            busy.remove(held)
    found = []
    for one in wanted:
        problem, blocked = _against(session, calendar, busy, Range(one.starts_at, one.ends_at))
        nearest = None
        if problem:
            minutes = int(elapsed(one.starts_at, one.ends_at).total_seconds() // 60)
            near = nearest_places(session, doctor_id, one.starts_at, minutes, 1)
            nearest = near[0] if near else None
        found.append(replace(one, problem=problem, blocked=blocked, nearest=nearest))
    return found


def _against(session: ClinicSession, calendar: Calendar, busy: Sequence[Range], wish: Range) -> tuple[str, bool]:
    if wish.starts_at < session.now():
        return "This time has already passed.", True
    if any(held.overlaps(wish) for held in busy):
        return "The doctor already has an appointment then.", True
    closed = next((reason for span, reason in calendar.closed_reasons if span.overlaps(wish)), None)
    if closed is not None:
        return f"Closed: {closed}.", False
    if not any(span.contains(wish) for span in open_on(calendar, wish.starts_at.astimezone(session.zone).date(), session)):
        return "Outside the doctor’s hours.", False
    return "", False


def book(session: ClinicSession, wish: NewAppointment, places: Sequence[tuple[datetime, datetime]], repeats: Repeats) -> tuple[int, ...]:
    """Book all these places as one series, or none: SlotTaken names the first that is taken. Repeating the `key` gives the same ones."""
    if len(places) < 2:
        raise Invalid("repeat_count", "A series has at least 2 appointments.")
    if wish.key:
        known = session.scalar(select(Appointment.series_id).where(Appointment.request_key == f"{wish.key}-0"))
        if known is not None:
            return tuple(session.scalars(select(Appointment.id).where(Appointment.series_id == known).order_by(Appointment.starts_at)))
    rule = replace(repeats, count=len(places)).words()
    with session.attempt(), undoing.one_action(session, "series"):
        series_id = undoing.new_series(session, wish.patient_id, rule)
        booked = []
        for number, (starts_at, ends_at) in enumerate(places):
            one = replace(wish, starts_at=starts_at, ends_at=ends_at, key=f"{wish.key}-{number}" if wish.key else "", series_id=series_id)
            try:
                booked.append(appointments.book(session, one, rule))
            except SlotTaken as taken:
                raise SlotTaken(f"{_when(session, starts_at)}: {taken.sentence}", taken.holder, taken.nearest) from taken
    return tuple(booked)


def rule_of(session: ClinicSession, series_id: int) -> str:
    """How a series repeats, in words."""
    return session.scalar(select(Series.rule).where(Series.id == series_id)) or ""


def members(session: ClinicSession, appointment_id: int, scope: str) -> list[Appointment]:
    """The appointments a change means, by start: always the one itself; of the others only those still to come and not begun."""
    row = session.get(Appointment, appointment_id)
    if row is None:
        raise NotAllowed
    if scope == THIS or row.series_id is None:
        return [row]
    a = Appointment
    query = select(a).where(a.series_id == row.series_id, a.status.in_(_STILL_OPEN), a.starts_at >= session.now(), a.id != row.id)
    if scope == FOLLOWING:
        query = query.where(a.starts_at > row.starts_at)
    return sorted([row, *session.scalars(query)], key=lambda one: (one.starts_at, one.id))


def _hold(session: ClinicSession, appointment_id: int, scope: str) -> None:
    """Lock whatever `members` may name a moment later: all of the series, closed ones too.

    Another desk may open one of them again while this waits for the first lock; taken only then, it would be out of the common order.
    """
    row = session.get(Appointment, appointment_id)
    if row is None:
        raise NotAllowed
    alone = scope == THIS or row.series_id is None
    undoing.hold(session, [row.id] if alone else session.scalars(select(Appointment.id).where(Appointment.series_id == row.series_id)))


def plan_move(
    session: ClinicSession, appointment_id: int, scope: str, doctor_id: int, starts_at: datetime, ends_at: datetime
) -> list[Planned]:
    """Where each would go, as many days on and at the same new time, with what stands against it."""
    rows = members(session, appointment_id, scope)
    old = next(row.starts_at for row in rows if row.id == appointment_id)
    wanted = []
    for row in rows:
        start = starts_at if row.id == appointment_id else shifted(row.starts_at, old, starts_at, session.zone)
        wanted.append(Planned(row.id, start, later(start, elapsed(starts_at, ends_at)), was=row.starts_at))
    return _planned(session, doctor_id, wanted, [Range(row.starts_at, row.ends_at) for row in rows if row.doctor_id == doctor_id])


def move(
    session: ClinicSession,
    appointment_id: int,
    scope: str,
    doctor_id: int,
    starts_at: datetime,
    ends_at: datetime,
    version: int,
    leave: Collection[int] = (),
) -> int:
    """Move them all but `leave`, or none: SlotTaken names the first that cannot go. Gives how many were moved."""
    _hold(session, appointment_id, scope)
    wanted = [one for one in plan_move(session, appointment_id, scope, doctor_id, starts_at, ends_at) if one.appointment_id not in leave]
    forward = any(one.was is not None and one.starts_at > one.was for one in wanted)
    with session.attempt(), undoing.one_action(session, "series" if len(wanted) > 1 else "move"):
        for one in reversed(wanted) if forward else wanted:  # so that none has to pass through the next one's place
            row = session.get_one(Appointment, one.appointment_id)
            known = version if one.appointment_id == appointment_id else row.version
            try:
                appointments.move(session, row.id, doctor_id, one.starts_at, one.ends_at, known)
            except SlotTaken as taken:
                raise SlotTaken(f"{_when(session, one.starts_at)}: {taken.sentence}", taken.holder, taken.nearest) from taken
    return len(wanted)


def cancel(session: ClinicSession, appointment_id: int, scope: str, reason: str, version: int) -> int:
    """Cancel them with one reason; how many were cancelled. The others of the series stay as they are."""
    _hold(session, appointment_id, scope)
    rows = members(session, appointment_id, scope)
    with session.attempt(), undoing.one_action(session, "series" if len(rows) > 1 else "step"):
        for row in rows:
            appointments.step(session, row.id, "cancelled", version if row.id == appointment_id else row.version, reason)
    return len(rows)


def _when(session: ClinicSession, moment: datetime) -> str:
    local = moment.astimezone(session.zone)
    return f"{clinical_date(local.date())} {clinical_time(local)}"
