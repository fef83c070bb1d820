"""The calendar beyond one day: a week in columns, a month as loads, what stands against a place.

As many queries for one doctor as for fifty.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Date, cast, func, select

from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.moments import clinical_time
from clinicdesk.rules.slots import Range
from clinicdesk.rules.steps import ACTIVE
from clinicdesk.services import availability
from clinicdesk.services.appointments import PATIENT_NAME, blocks
from clinicdesk.services.availability import Calendar, calendars, day_bounds, open_on
from clinicdesk.services.schedule import AppointmentBlock, DayLoad, DoctorColumn, MonthSchedule, WeekSchedule
from clinicdesk.storage.database import ClinicSession


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week(session: ClinicSession, first_day: date, doctor_ids: Sequence[int] | None = None) -> WeekSchedule:
    """Seven days from `first_day` of all available doctors or of those asked for: columns day by day, doctors by name. Five queries."""
    everybody = _doctors(session, first_day)
    shown = [d for d in everybody if doctor_ids is None or d.doctor_id in doctor_ids]
    days = [first_day + timedelta(days=n) for n in range(7)]
    start, end = day_bounds(session, days[0])[0], day_bounds(session, days[-1])[1]
    ids = [d.doctor_id for d in shown]
    open_times = calendars(session, ids, start, end, busy_times=False)
    columns = []
    for day in days:
        begins, ends = day_bounds(session, day)
        for d in shown:
            calendar = open_times[d.doctor_id]
            reason = _closed(calendar, begins, ends)
            columns.append(DoctorColumn(d.doctor_id, d.name, d.specialization, day, open_on(calendar, day, session), reason))
    return WeekSchedule(first_day, tuple(columns), tuple(blocks(session, start, end, ids)), tuple(everybody))


def month(session: ClinicSession, year: int, month_number: int, doctor_ids: Sequence[int] | None = None) -> MonthSchedule:
    """The load of every day of the weeks that touch a month, of all available doctors or of those asked for. Six queries."""
    first = date(year, month_number, 1)
    next_first = date(year + month_number // 12, month_number % 12 + 1, 1)
    begin = monday_of(first)
    days = [begin + timedelta(days=n) for n in range(-(-(next_first - begin).days // 7) * 7)]
    everybody = _doctors(session, first)
    shown = [d for d in everybody if doctor_ids is None or d.doctor_id in doctor_ids]
    ids = [d.doctor_id for d in shown]
    start, end = day_bounds(session, days[0])[0], day_bounds(session, days[-1])[1]
    open_times = calendars(session, ids, start, end, busy_times=False)
    booked = _booked(session, ids, start, end)
    closed = [c for c in availability.closures(session, after=start) if c.starts_at < end and (c.doctor_id is None or c.doctor_id in ids)]
    loads = []
    for day in days:
        begins, ends = day_bounds(session, day)
        minutes = sum(r.minutes for i in ids for r in open_on(open_times[i], day, session))
        names = [f"{c.doctor_name}: {c.reason}" if c.doctor_id is not None else c.reason
                 for c in closed if c.starts_at < ends and c.ends_at > begins]
        taken, count = booked.get(day, (0, 0))
        loads.append(DayLoad(day, minutes, taken, count, tuple(dict.fromkeys(names))))
    return MonthSchedule(first, tuple(loads), tuple(everybody))


def placed_again(session: ClinicSession, appointment_ids: Sequence[int]) -> list[AppointmentBlock]:
    """Some appointments as they are now, whichever day they are on; what may not be read is left out. One query."""
    joined: dict[str, Any] = {"patient_name": PATIENT_NAME, "patient_born": Patient.born}
    columns = [joined[f.name] if f.name in joined else getattr(Appointment, f.name) for f in fields(AppointmentBlock)]
    query = select(*columns).join(Patient, Patient.id == Appointment.patient_id).where(Appointment.id.in_(appointment_ids))
    return [AppointmentBlock(*row) for row in session.rows(query.order_by(Appointment.id))]


def against(session: ClinicSession, doctor_id: int, starts_at: datetime, ends_at: datetime, but: int = 0) -> tuple[bool, str]:
    """Whether a place is taken (looking away from one appointment), and in words what stands against it; "" when nothing does."""
    a = Appointment
    holder = session.execute(
        select(PATIENT_NAME.label("name"), a.starts_at, a.ends_at)
        .join(Patient, Patient.id == a.patient_id)
        .where(a.doctor_id == doctor_id, a.starts_at < ends_at, a.ends_at > starts_at, a.starts_at > starts_at - timedelta(hours=12),
               a.status.in_(ACTIVE), a.id != but)
        .order_by(a.starts_at)
        .limit(1)
    ).one_or_none()
    if holder is not None:
        return True, (f"Taken: {holder.name} {clinical_time(holder.starts_at, session.zone)}"
                      f"–{clinical_time(holder.ends_at, session.zone)}")
    day = starts_at.astimezone(session.zone).date()
    begins, ends = day_bounds(session, day)
    calendar = calendars(session, [doctor_id], begins, ends, busy_times=False)[doctor_id]
    wish = Range(starts_at, ends_at)
    if any(r.contains(wish) for r in open_on(calendar, day, session)):
        return False, ""
    reason = next((words for r, words in calendar.closed_reasons if r.overlaps(wish)), "")
    return False, f"Closed: {reason}" if reason else "Outside the doctor's hours"


def _doctors(session: ClinicSession, day: date) -> list[DoctorColumn]:
    query = select(Doctor.id, User.name, Doctor.specialization).join(User, User.id == Doctor.user_id).where(User.active, Doctor.available)
    rows = session.rows(query.order_by(func.lower(User.name), Doctor.id))
    return [DoctorColumn(number, name, words, day, ()) for number, name, words in rows]


def _closed(calendar: Calendar, begins: datetime, ends: datetime) -> str:
    return next((reason for r, reason in calendar.closed_reasons if r.starts_at < ends and r.ends_at > begins), "")


def _booked(session: ClinicSession, ids: Sequence[int], start: datetime, end: datetime) -> dict[date, tuple[int, int]]:
    a = Appointment
    day = cast(func.timezone(session.zone.key, a.starts_at), Date).label("on_day")
    minutes = func.sum(func.extract("epoch", a.ends_at - a.starts_at) / 60)
    found: dict[date, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for on, taken, count in session.rows(
        select(day, minutes, func.count())
        .where(a.doctor_id.in_(ids), a.starts_at >= start, a.starts_at < end, a.status.in_(ACTIVE))
        .group_by("on_day")
    ):
        found[on] = (int(taken), int(count))
    return dict(found)
