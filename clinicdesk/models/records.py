"""Schema `clinic`: health records with annotations, and which visits exist (their text lives in MongoDB, sealed)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Sealed, Words


class Record(Base):
    """A health record: made by booking (`visit`), imported (`encounter`), or written by a doctor."""

    __tablename__ = "records"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_key"),
        UniqueConstraint("appointment_id"),
        CheckConstraint("kind in ('visit', 'encounter', 'diagnosis', 'result', 'procedure', 'letter', 'general')", name="kind"),
        CheckConstraint("char_length(title) between 1 and 200", name="title"),
        CheckConstraint("octet_length(description) <= 40029", name="description"),
        Index("ix_records_patient_id_happened_at", "patient_id", "happened_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.appointments.id"))
    kind: Mapped[str]
    title: Mapped[str]
    description: Mapped[bytes | None]
    happened_at: Mapped[Moment]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]
    source_key: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Annotation(Base):
    """A doctor's remark on a record; the record itself stays as it was."""

    __tablename__ = "annotations"
    __table_args__ = (
        CheckConstraint("octet_length(body) <= 8029", name="body"),
        Index("ix_annotations_record_id", "record_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    record_id: Mapped[int] = mapped_column(ForeignKey("clinic.records.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    body: Mapped[Sealed]
    seal_number: Mapped[int] = mapped_column(server_default=text("1"))
    created_at: Mapped[Created]


class Visit(Base):
    """A completed visit: PostgreSQL knows which exist and in what order, MongoDB holds the text under `id:revision`."""

    __tablename__ = "visits"
    __table_args__ = (
        UniqueConstraint("appointment_id", "revision"),
        Index("ix_visits_patient_id_visit_date", "patient_id", text("visit_date desc")),
        {"schema": "clinic"},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    appointment_id: Mapped[int] = mapped_column(ForeignKey("clinic.appointments.id"))
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    visit_date: Mapped[Moment]


class OutboxVisit(Base):
    """The sealed document of a visit on its way to MongoDB. Kept after delivery: from here every document can be rebuilt."""

    __tablename__ = "visit_outbox"
    __table_args__ = (
        ForeignKeyConstraint(["visit_id", "revision"], ["clinic.visits.id", "clinic.visits.revision"]),
        CheckConstraint("octet_length(visit) <= 4000000", name="visit"),
        Index("ix_visit_outbox_undelivered", "created_at", postgresql_where=text("delivered_at is null")),
        {"schema": "clinic"},
    )
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True)
    notes: Mapped[Sealed]
    prescription: Mapped[Sealed]
    visit: Mapped[Sealed]
    created_at: Mapped[Created]
    delivered_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    last_problem: Mapped[Words]


class TherapySession(Base):
    """A line of the session log: a therapy session, its note sealed for `key`. Never changed."""

    __tablename__ = "session_log"
    __table_args__ = (
        UniqueConstraint("key"),
        CheckConstraint("kind in ('physiotherapy', 'occupational', 'speech', 'psychotherapy', 'counselling', 'other')", name="kind"),
        CheckConstraint("char_length(title) between 1 and 200", name="title"),
        CheckConstraint("minutes between 1 and 600", name="minutes"),
        CheckConstraint("octet_length(note) <= 40029", name="note"),
        Index("ix_session_log_patient_id", "patient_id", "happened_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    key: Mapped[str]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    happened_at: Mapped[Moment]
    kind: Mapped[str]
    title: Mapped[str]
    minutes: Mapped[int]
    therapist_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    note: Mapped[Sealed]
    created_at: Mapped[Created]
