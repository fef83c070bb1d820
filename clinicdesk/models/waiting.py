"""Schema `clinic`: the waiting list with its offers, and the numbers of the waiting room."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Words
from clinicdesk.models.scheduling import DOCTOR_RANGE, RANGE


class Wish(Base):
    """Somebody who would like to come, or to come earlier: `gives_up` is the appointment she would give up for it.

    `weekdays` has bit 0 for Monday; minutes are local, after midnight; `urgency` 1 routine, 2 soon, 3 urgent; `notice_minutes` how long
    before she must know. Neither appointment is referred to by key: a booking that is taken back must not be held by a wish.
    """

    __tablename__ = "waiting_list"
    __table_args__ = (
        CheckConstraint("minutes between 5 and 480", name="minutes"),
        CheckConstraint("weekdays between 1 and 127", name="weekdays"),
        CheckConstraint("from_minute >= 0 and to_minute <= 1440 and from_minute < to_minute", name="hours"),
        CheckConstraint("first_day <= last_day", name="days"),
        CheckConstraint("notice_minutes between 0 and 20160", name="notice_minutes"),
        CheckConstraint("urgency between 1 and 3", name="urgency"),
        CheckConstraint("char_length(note) <= 200", name="note"),
        CheckConstraint("status in ('waiting', 'booked', 'withdrawn')", name="status"),
        Index("ix_waiting_list_status", "status"),
        Index("ix_waiting_list_patient_id", "patient_id"),
        Index("ix_waiting_list_booked_id", "booked_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.doctors.id"))
    specialization: Mapped[Words]
    minutes: Mapped[int] = mapped_column(server_default=text("20"))
    weekdays: Mapped[int] = mapped_column(server_default=text("127"))
    from_minute: Mapped[int] = mapped_column(server_default=text("0"))
    to_minute: Mapped[int] = mapped_column(server_default=text("1440"))
    first_day: Mapped[date | None]
    last_day: Mapped[date | None]
    notice_minutes: Mapped[int] = mapped_column(server_default=text("0"))
    urgency: Mapped[int] = mapped_column(server_default=text("1"))
    note: Mapped[Words]
    gives_up: Mapped[int | None] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(server_default=text("'waiting'"))
    booked_id: Mapped[int | None] = mapped_column(BigInteger)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Offer(Base):
    """A place held for somebody of the waiting list until `expires_at`. No place is held twice, nobody holds two."""

    __tablename__ = "offers"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint("expires_at > offered_at and expires_at <= offered_at + interval '3 days'", name="expires_at"),
        CheckConstraint("status in ('held', 'accepted', 'refused', 'expired', 'withdrawn')", name="status"),
        ExcludeConstraint((DOCTOR_RANGE, "&&"), ("during", "&&"), name="ex_offers_place", where=text("status = 'held'")),
        Index("uq_offers_patient", "patient_id", unique=True, postgresql_where=text("status = 'held'")),
        Index("ix_offers_wish_id", "wish_id"),
        Index("ix_offers_doctor_id_starts_at", "doctor_id", "starts_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    wish_id: Mapped[int] = mapped_column(ForeignKey("clinic.waiting_list.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    during: Mapped[Any] = mapped_column(TSTZRANGE, Computed(RANGE, persisted=True))
    status: Mapped[str] = mapped_column(server_default=text("'held'"))
    offered_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    offered_at: Mapped[Created]
    expires_at: Mapped[Moment]
    settled_at: Mapped[datetime | None]


class Ticket(Base):
    """The number of one arrival in the waiting room, per day, and where it was called to. Written by the database."""

    __tablename__ = "tickets"
    __table_args__ = (
        UniqueConstraint("day", "number"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("char_length(room) <= 40", name="room"),
        Index("ix_tickets_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    appointment_id: Mapped[int] = mapped_column(ForeignKey("clinic.appointments.id", ondelete="CASCADE"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    day: Mapped[date]
    number: Mapped[int]
    room: Mapped[Words]
    called_at: Mapped[datetime | None]
    called_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
