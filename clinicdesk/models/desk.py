"""Schema `clinic`: what a person at a desk did and can take back, and the messages to patients that wait until then."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Words


class DeskAction(Base):
    """One thing a person did, whatever number of appointments it touched: `changes` holds each one's state before and after.

    `state`: done; undone (can be done again until something new is done); refused (taking it back was tried and `note` says why not).
    Kept for a week.
    """

    __tablename__ = "desk_actions"
    __table_args__ = (
        CheckConstraint("kind in ('book', 'move', 'step', 'series', 'offer')", name="kind"),
        CheckConstraint("jsonb_typeof(changes) = 'array' and jsonb_array_length(changes) between 1 and 400", name="changes"),
        CheckConstraint("state in ('done', 'undone', 'refused')", name="state"),
        CheckConstraint("char_length(note) <= 400", name="note"),
        Index("ix_desk_actions_user_id_id", "user_id", "id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    at: Mapped[Created]
    kind: Mapped[str]
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    state: Mapped[str] = mapped_column(server_default=text("'done'"))
    note: Mapped[Words]
    settled_at: Mapped[datetime | None]


class Message(Base):
    """What a patient will be told of an appointment. Written by the database: at most one waits for each (`released_at` null), and it
    compares how things stand with what she was told last; nothing changed in the end means no message."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("kind in ('booked', 'moved', 'cancelled')", name="kind"),
        Index("uq_messages_waiting", "appointment_id", unique=True, postgresql_where=text("released_at is null")),
        Index("ix_messages_patient_id", "patient_id"),
        Index("ix_messages_appointment_id", "appointment_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    appointment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("clinic.appointments.id"))
    kind: Mapped[str]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    starts_at: Mapped[Moment]
    created_at: Mapped[Created]
    hold_until: Mapped[Moment]
    released_at: Mapped[datetime | None]


class Notification(Base):
    """What somebody else did that concerns `user_id`: the bell. Written by the database; at most one unread line for each appointment."""

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint(
            "kind in ('booked', 'moved', 'moved_away', 'cancelled', 'no_show', 'arrived', 'assigned', 'unassigned', 'glass')", name="kind"
        ),
        Index("ix_notifications_user_id_id", "user_id", "id"),
        Index("ix_notifications_patient_id", "patient_id"),
        Index("uq_notifications_unread", "appointment_id", "user_id", unique=True, postgresql_where=text("read_at is null")),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    at: Mapped[Created]
    kind: Mapped[str]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    appointment_id: Mapped[int | None] = mapped_column(BigInteger)
    starts_at: Mapped[datetime | None]
    by_user: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    read_at: Mapped[datetime | None]
