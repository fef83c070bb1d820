"""Schema `clinic`: when doctors work, and the appointments. Ranges are half-open; an overlap is impossible except in a higher lane."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Computed, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Words

DOCTOR_RANGE = text("int8range(doctor_id, doctor_id, '[]')")
RANGE = "tstzrange(starts_at, ends_at, '[)')"


class WorkingHours(Base):
    """Hours of one weekday (0 is Monday), in minutes after local midnight, half-open."""

    __tablename__ = "working_hours"
    __table_args__ = (
        CheckConstraint("weekday between 0 and 6", name="weekday"),
        CheckConstraint("starts_minute >= 0 and ends_minute <= 1440 and starts_minute < ends_minute", name="minutes"),
        ExcludeConstraint(
            (DOCTOR_RANGE, "&&"),
            (text("int4range(weekday, weekday, '[]')"), "&&"),
            (text("int4range(starts_minute, ends_minute)"), "&&"),
            name="ex_working_hours_overlap",
        ),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    weekday: Mapped[int]
    starts_minute: Mapped[int]
    ends_minute: Mapped[int]


class Closure(Base):
    """Leave of a doctor, or a holiday of the whole clinic when `doctor_id` is None."""

    __tablename__ = "closures"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="times"),
        CheckConstraint("char_length(reason) between 1 and 120", name="reason"),
        Index("ix_closures_starts_at", "starts_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    doctor_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.doctors.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    reason: Mapped[str]


class TimeSlot(Base):
    """A place a doctor offers. On a day with slots these are the bookable places, otherwise the working hours are."""

    __tablename__ = "time_slots"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at and ends_at <= starts_at + interval '12 hours'", name="times"),
        ExcludeConstraint((DOCTOR_RANGE, "&&"), ("during", "&&"), name="ex_time_slots_overlap"),
        Index("ix_time_slots_doctor_id_starts_at", "doctor_id", "starts_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    during: Mapped[Any] = mapped_column(TSTZRANGE, Computed(RANGE, persisted=True))
    made_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))


class Series(Base):
    """Appointments that belong together; `rule` says in words how they repeat. The appointments are the truth, the row only binds them."""

    __tablename__ = "series"
    __table_args__ = (CheckConstraint("char_length(rule) between 1 and 200", name="rule"), {"schema": "clinic"})
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    rule: Mapped[str]
    made_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]


class Appointment(Base):
    """A booking. Steps between statuses are guarded by a trigger, which also writes the history.

    Lane 0 is the ordinary one; a higher lane is an overbook and needs a reason. `request_key` makes a repeated request harmless.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        UniqueConstraint("request_key"),
        CheckConstraint(
            "status in ('scheduled', 'confirmed', 'arrived', 'in_progress', 'completed', 'cancelled', 'no_show')", name="status"
        ),
        CheckConstraint("starts_at < ends_at and ends_at <= starts_at + interval '12 hours'", name="times"),
        CheckConstraint("lane between 0 and 9", name="lane"),
        CheckConstraint("(lane > 0) = (char_length(btrim(overbook_reason)) >= 3)", name="overbook_reason"),
        CheckConstraint("status <> 'cancelled' or char_length(btrim(cancel_reason)) >= 3", name="cancel_reason"),
        CheckConstraint("char_length(reason) <= 300", name="reason"),
        CheckConstraint("char_length(overbook_reason) <= 300 and char_length(cancel_reason) <= 300", name="texts"),
        ExcludeConstraint(
            (DOCTOR_RANGE, "&&"),
            (text("int4range(lane, lane, '[]')"), "&&"),
            ("during", "&&"),
            name="ex_appointments_overlap",
            where=text("status not in ('cancelled', 'no_show')"),
        ),
        Index("ix_appointments_starts_at", "starts_at"),
        Index("ix_appointments_doctor_id_starts_at", "doctor_id", "starts_at"),
        Index("ix_appointments_patient_id_starts_at", "patient_id", "starts_at"),
        Index("ix_appointments_series_id", "series_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    starts_at: Mapped[Moment]
    ends_at: Mapped[Moment]
    during: Mapped[Any] = mapped_column(TSTZRANGE, Computed(RANGE, persisted=True))
    status: Mapped[str] = mapped_column(server_default=text("'scheduled'"))
    lane: Mapped[int] = mapped_column(server_default=text("0"))
    reason: Mapped[Words]
    overbook_reason: Mapped[Words]
    cancel_reason: Mapped[Words]
    request_key: Mapped[str | None]
    booked_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]
    status_since: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    series_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.series.id"))
    __mapper_args__ = {"version_id_col": version}


class AppointmentEvent(Base):
    """One line of an appointment's history, written by the database alone. It outlives a booking that was taken back."""

    __tablename__ = "appointment_events"
    __table_args__ = (
        Index("ix_appointment_events_appointment_id", "appointment_id"),
        Index("ix_appointment_events_freed", "at", postgresql_where=text("what in ('cancelled', 'no_show', 'moved', 'taken back')")),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    appointment_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[Created]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    what: Mapped[str]
    status: Mapped[str]
    doctor_id: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    lane: Mapped[int] = mapped_column(SmallInteger)
    detail: Mapped[Words]
