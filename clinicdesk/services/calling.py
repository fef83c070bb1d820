"""The waiting room: who is there, who was called where, and the numbers for the call screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select

from clinicdesk.errors import Invalid
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment
from clinicdesk.models.waiting import Ticket
from clinicdesk.services.availability import day_bounds
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody in the waiting room or already in a room. `number` is today's; `called_at` and `room` once called; `since` the status."""

    appointment_id: int
    number: int
    patient_id: str
    patient_name: str
    doctor_id: int
    doctor_name: str
    starts_at: datetime
    status: str
    since: datetime
    called_at: datetime | None
    room: str
    version: int


@dataclass(frozen=True, slots=True)
class Call:
    """A number for the call screen: never a name. `waits` while she has not reached the room."""

    number: int
    room: str
    called_at: datetime
    waits: bool


def waiting_room(session: ClinicSession) -> list[Waiting]:
    """Who arrived today and is not done, who waits longest first, then who is in a room."""
    today = session.now().astimezone(session.zone).date()
    start, end = day_bounds(session, today)
    a, t = Appointment, Ticket
    rows = session.rows(
        select(
            a.id,
            func.coalesce(t.number, 0),
            a.patient_id,
            Patient.last_name + ", " + Patient.first_name,
            a.doctor_id,
            User.name,
            a.starts_at,
            a.status,
            a.status_since,
            t.called_at,
            func.coalesce(t.room, ""),
            a.version,
        )
        .join(Patient, Patient.id == a.patient_id)
        .join(Doctor, Doctor.id == a.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .outerjoin(t, t.appointment_id == a.id)
        .where(
            a.status.in_(("arrived", "in_progress")),
            or_(t.day == today, and_(t.day.is_(None), a.starts_at >= start, a.starts_at < end)),
        )
        .order_by(a.status, a.status_since, a.id)
    )
    return [Waiting(*row) for row in rows]


def calls(session: ClinicSession, limit: int = 6) -> list[Call]:
    """Today's calls, the newest first: of people who are still on their way or in the room."""
    a, t = Appointment, Ticket
    rows = session.rows(
        select(t.number, t.room, t.called_at, a.status == "arrived")
        .join(a, a.id == t.appointment_id)
        .where(t.day == session.now().astimezone(session.zone).date(), t.called_at.is_not(None), a.status.in_(("arrived", "in_progress")))
        .order_by(t.called_at.desc())
        .limit(limit)
    )
    return [Call(*row) for row in rows]


def call_in(session: ClinicSession, appointment_id: int, room: str = "") -> int:
    """Call a patient who has arrived to a room (the doctor's last one when none is said); gives the number on the screen.

    Calling again calls again. Invalid("room") without any room; ClinicError when she has not arrived.
    """
    room = room.strip() or last_room(session, appointment_id)
    if not 1 <= len(room) <= 40:
        raise Invalid("room", "Say which room: 1 to 40 characters.")
    with session.attempt():
        return int(session.execute(select(func.clinic.call_in(appointment_id, room))).scalar_one() or 0)


def last_room(session: ClinicSession, appointment_id: int) -> str:
    """The room the doctor of this appointment called somebody to last; "" when she never did."""
    doctor = select(Appointment.doctor_id).where(Appointment.id == appointment_id).scalar_subquery()
    found = session.scalar(
        select(Ticket.room).where(Ticket.doctor_id == doctor, Ticket.called_at.is_not(None)).order_by(Ticket.called_at.desc()).limit(1)
    )
    return found or ""
