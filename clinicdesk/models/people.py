"""Schema `clinic`: patients and all that identifies them, doctors, and who looks after whom."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Sealed, Words

EMAIL = "~ '^[^@[:space:]]{1,64}@[^@[:space:]]{1,190}$'"


class Patient(Base):
    """Identity of a patient. Never deleted, only archived."""

    __tablename__ = "patients"
    __table_args__ = (
        UniqueConstraint("phone"),
        CheckConstraint("id ~ '^p_[a-z0-9]{6}$'", name="id"),
        CheckConstraint("char_length(first_name) between 1 and 60 and first_name = btrim(first_name)", name="first_name"),
        CheckConstraint("char_length(last_name) between 1 and 60 and last_name = btrim(last_name)", name="last_name"),
        CheckConstraint("char_length(title) <= 20", name="title"),
        CheckConstraint("phone ~ '^[+]?[0-9]{9,15}$'", name="phone"),
        CheckConstraint("born between date '1880-01-01' and current_date + 1", name="born"),
        CheckConstraint("died is null or died >= born", name="died"),
        CheckConstraint("sex in ('M', 'F', 'O', 'P')", name="sex"),
        CheckConstraint(f"email = '' or email {EMAIL}", name="email"),
        CheckConstraint("char_length(address) <= 300", name="address"),
        {"schema": "clinic"},
    )
    id: Mapped[str] = mapped_column(primary_key=True)
    first_name: Mapped[str]
    last_name: Mapped[str]
    title: Mapped[Words]
    born: Mapped[date]
    died: Mapped[date | None]
    sex: Mapped[str]
    phone: Mapped[str | None]
    email: Mapped[Words]
    address: Mapped[Words]
    archived_at: Mapped[datetime | None]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]
    updated_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class PatientTerm(Base):
    """One thing a patient can be found by; compared bytewise by prefix so that the index works under row security."""

    __tablename__ = "patient_terms"
    __table_args__ = (
        CheckConstraint("kind in ('name', 'sound', 'phone', 'born', 'email', 'id', 'tag')", name="kind"),
        CheckConstraint("char_length(term) between 1 and 190", name="term"),
        Index("ix_patient_terms_patient_id", "patient_id", "term"),
        {"schema": "clinic"},
    )
    term: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)


class PatientKey(Base):
    """The key of one patient for one purpose, wrapped by the clinic key of a generation. Who may read the row can read what it seals."""

    __tablename__ = "patient_keys"
    __table_args__ = (
        CheckConstraint("purpose in ('identity', 'clinical')", name="purpose"),
        CheckConstraint("octet_length(wrapped) = 61", name="wrapped"),
        CheckConstraint("generation >= 1", name="generation"),
        Index("ix_patient_keys_generation", "generation"),
        {"schema": "clinic"},
    )
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    wrapped: Mapped[Sealed]
    created_at: Mapped[Created]
    generation: Mapped[int] = mapped_column(server_default=text("1"))


class SealedField(Base):
    """One sealed text about a patient. Lengths are of the sealed bytes: at most four bytes a character and 29 of envelope."""

    __tablename__ = "sealed_fields"
    __table_args__ = (
        CheckConstraint("field in ('ssn', 'added_note', 'about_note', 'medical_history', 'allergies', 'medication')", name="field"),
        CheckConstraint(
            "octet_length(body) <= 29 + 4 * case field"
            " when 'ssn' then 11 when 'added_note' then 500 when 'about_note' then 250 else 5000 end",
            name="body",
        ),
        {"schema": "clinic"},
    )
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    field: Mapped[str] = mapped_column(primary_key=True)
    body: Mapped[Sealed]
    written_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    written_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class EmergencyContact(Base):
    """Whom to call about a patient."""

    __tablename__ = "emergency_contacts"
    __table_args__ = (
        CheckConstraint("char_length(name) between 1 and 120", name="name"),
        CheckConstraint("char_length(relation) <= 60", name="relation"),
        CheckConstraint("phone ~ '^[+]?[0-9]{9,15}$'", name="phone"),
        {"schema": "clinic"},
    )
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    name: Mapped[str]
    relation: Mapped[Words]
    phone: Mapped[str]


class PatientTag(Base):
    """A word reception puts on a patient."""

    __tablename__ = "patient_tags"
    __table_args__ = (CheckConstraint("char_length(tag) between 1 and 40 and tag = btrim(tag)", name="tag"), {"schema": "clinic"})
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)


class ImportKey(Base):
    """Which patient an outside record became, so that importing twice adds nothing."""

    __tablename__ = "import_keys"
    __table_args__ = (Index("ix_import_keys_patient_id", "patient_id"), {"schema": "clinic"})
    system: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    imported_at: Mapped[Created]


class Doctor(Base):
    """A doctor's profile; her name is her account's."""

    __tablename__ = "doctors"
    __table_args__ = (
        UniqueConstraint("user_id"),
        UniqueConstraint("licence_number"),
        CheckConstraint("char_length(licence_number) between 3 and 40", name="licence_number"),
        CheckConstraint("char_length(specialization) between 2 and 80", name="specialization"),
        CheckConstraint("char_length(qualifications) <= 300", name="qualifications"),
        CheckConstraint("experience_years between 0 and 60", name="experience_years"),
        CheckConstraint("fee between 0 and 100000", name="fee"),
        CheckConstraint("phone = '' or phone ~ '^[+]?[0-9]{9,15}$'", name="phone"),
        CheckConstraint(f"email = '' or email {EMAIL}", name="email"),
        CheckConstraint("char_length(address) <= 300", name="address"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    licence_number: Mapped[str]
    specialization: Mapped[str]
    qualifications: Mapped[Words]
    experience_years: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    fee: Mapped[Decimal] = mapped_column(Numeric(10, 2), server_default=text("0"))
    phone: Mapped[Words]
    email: Mapped[Words]
    address: Mapped[Words]
    available: Mapped[bool] = mapped_column(server_default=text("true"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Assignment(Base):
    """A doctor looks after a patient from a day on, until `ends_on` if set. Ended ones stay as history."""

    __tablename__ = "assignments"
    __table_args__ = (
        CheckConstraint("ends_on is null or ends_on >= starts_on", name="dates"),
        CheckConstraint("char_length(note) <= 300", name="note"),
        Index("uq_assignments_open", "doctor_id", "patient_id", unique=True, postgresql_where=text("ends_on is null")),
        Index("ix_assignments_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    note: Mapped[Words]
    starts_on: Mapped[date] = mapped_column(server_default=func.current_date())
    ends_on: Mapped[date | None]
    assigned_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Care(Base):
    """Which doctor may read which patient's clinical record: kept by triggers from assignments and appointments, read by policies.

    `until` is the last day of an assignment with an end; None means open (an open assignment, or a booking that took or may take place).
    `expires_at` is set where only broken glass gives it, and is the moment that ends.
    """

    __tablename__ = "care"
    __table_args__ = (Index("ix_care_patient_id", "patient_id"), {"schema": "clinic"})
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"), primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    until: Mapped[date | None]
    expires_at: Mapped[datetime | None]


class AccessGrant(Base):
    """Broken glass: a doctor has the record of a patient who is not hers for at most 60 minutes. `words` is why, sealed."""

    __tablename__ = "access_grants"
    __table_args__ = (
        CheckConstraint("reason in ('emergency', 'covering', 'asked', 'result', 'other')", name="reason"),
        CheckConstraint("expires_at > given_at and expires_at <= given_at + interval '60 minutes'", name="expires"),
        CheckConstraint("verdict in ('', 'justified', 'questioned')", name="verdict"),
        CheckConstraint("(reviewed_at is null) = (verdict = '') and (reviewed_at is null) = (reviewed_by is null)", name="reviewed"),
        Index("ix_access_grants_patient_id", "patient_id"),
        Index("ix_access_grants_unreviewed", "id", postgresql_where=text("reviewed_at is null")),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    reason: Mapped[str]
    words: Mapped[Sealed | None]
    given_at: Mapped[Created]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    reviewed_at: Mapped[datetime | None]
    reviewed_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    verdict: Mapped[str] = mapped_column(server_default="")
