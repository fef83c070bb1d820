"""Numbers of the day: what an administrator sees first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select

from clinicdesk.models.accounts import SignedIn, User
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment, TimeSlot, WorkingHours
from clinicdesk.rules.steps import STATUSES
from clinicdesk.services.availability import day_bounds
from clinicdesk.services.visits import undelivered
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class DayNumbers:
    """One day in numbers. `by_status` has every status; `attention` are sentences about what should be looked at."""

    day: date
    by_status: dict[str, int]
    by_doctor: tuple[tuple[str, int], ...]
    patients: int
    registered_this_week: int
    signed_in: int
    undelivered: int
    attention: tuple[str, ...]


def day_numbers(session: ClinicSession, on: date) -> DayNumbers:
    """The numbers of a day; a fixed number of queries."""
    start, end = day_bounds(session, on)
    counted = dict(
        session.rows(
            select(Appointment.status, func.count())
            .where(Appointment.starts_at >= start, Appointment.starts_at < end)
            .group_by(Appointment.status)
        )
    )
    by_doctor = session.rows(
        select(User.name, func.count())
        .select_from(Appointment)
        .join(Doctor, Doctor.id == Appointment.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(Appointment.starts_at >= start, Appointment.starts_at < end, Appointment.status.not_in(("cancelled", "no_show")))
        .group_by(User.name)
        .order_by(func.count().desc(), User.name)
    )
    waiting = undelivered(session)
    idle = session.rows(
        select(User.name)
        .select_from(Doctor)
        .join(User, User.id == Doctor.user_id)
        .where(
            User.active,
            Doctor.available,
            ~select(WorkingHours.id).where(WorkingHours.doctor_id == Doctor.id).exists(),
            ~select(TimeSlot.id).where(TimeSlot.doctor_id == Doctor.id, TimeSlot.starts_at >= start).exists(),
        )
        .order_by(User.name)
    )
    late = session.scalar(
        select(func.count()).where(
            Appointment.starts_at < session.now() - timedelta(minutes=30),
            Appointment.starts_at >= start,
            Appointment.status.in_(("scheduled", "confirmed")),
        )
    )
    attention = []
    if waiting:
        attention.append(f"{waiting} visits wait for the document server.")
    attention += [f"{name} has neither working hours nor slots, so nobody can book." for (name,) in idle]
    if late and on == session.now().astimezone(session.zone).date():
        attention.append(f"{late} appointments of today began over 30 minutes ago and nobody was checked in.")
    return DayNumbers(
        on,
        {status: counted.get(status, 0) for status in STATUSES},
        tuple((name, count) for name, count in by_doctor),
        session.scalar(select(func.count()).select_from(Patient).where(Patient.archived_at.is_(None))) or 0,
        session.scalar(select(func.count()).where(Patient.created_at >= session.now() - timedelta(days=7))) or 0,
        session.scalar(select(func.count()).where(SignedIn.ended_at.is_(None), SignedIn.expires_at > func.now())) or 0,
        waiting,
        tuple(attention),
    )
