"""Schema `clinic`: the consultation, its notes and vitals, and the structured history a chart shows."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Sealed, Words

NOTE_KINDS = "('subjective', 'objective', 'assessment', 'plan', 'follow_up', 'general')"


class Consultation(Base):
    """What happened in the room for one appointment. Completed means signed: its notes, vitals and prescription never change again."""

    __tablename__ = "consultations"
    __table_args__ = (
        UniqueConstraint("appointment_id"),
        CheckConstraint("status in ('in_progress', 'completed')", name="status"),
        CheckConstraint(
            "(status = 'completed') = (completed_at is not null and signed_by is not null and content_sha256 is not null)", name="signature"
        ),
        CheckConstraint("content_sha256 is null or octet_length(content_sha256) = 32", name="content_sha256"),
        Index("ix_consultations_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    appointment_id: Mapped[int] = mapped_column(ForeignKey("clinic.appointments.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    status: Mapped[str] = mapped_column(server_default=text("'in_progress'"))
    started_at: Mapped[Created]
    completed_at: Mapped[datetime | None]
    signed_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    content_sha256: Mapped[bytes | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Draft(Base):
    """Everything typed so far in a consultation, sealed, visible to its author only; gone when the visit is completed."""

    __tablename__ = "drafts"
    __table_args__ = (CheckConstraint("octet_length(body) <= 1000000", name="body"), {"schema": "clinic"})
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"), primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    body: Mapped[Sealed]
    saved_at: Mapped[Created]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Note(Base):
    """One sealed note of a completed consultation."""

    __tablename__ = "notes"
    __table_args__ = (
        UniqueConstraint("consultation_id", "kind"),
        CheckConstraint(f"kind in {NOTE_KINDS}", name="kind"),
        CheckConstraint("octet_length(body) <= 200029", name="body"),
        Index("ix_notes_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    kind: Mapped[str]
    body: Mapped[Sealed]
    author_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]


class Vitals(Base):
    """One set of measurements. Hard limits of clinical-safety § 1.10.2 are constraints here as well as refusals at the field.

    Units: mmHg, /min, degrees Celsius, %, L/min, cm, kg, mmol/L. `confirmed` names the values outside the soft limits that a person
    confirmed. `source_key` identifies an imported set.
    """

    __tablename__ = "vitals"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_key"),
        CheckConstraint("systolic between 30 and 350", name="systolic"),
        CheckConstraint("diastolic between 10 and 250", name="diastolic"),
        CheckConstraint("(systolic is null) = (diastolic is null) and (systolic is null or systolic > diastolic)", name="blood_pressure"),
        CheckConstraint("pulse between 10 and 300", name="pulse"),
        CheckConstraint("temperature between 25.0 and 45.0", name="temperature"),
        CheckConstraint("respiration between 2 and 70", name="respiration"),
        CheckConstraint("spo2 between 20 and 100", name="spo2"),
        CheckConstraint("oxygen_flow between 0.1 and 60", name="oxygen_flow"),
        CheckConstraint("spo2_scale in (1, 2)", name="spo2_scale"),
        CheckConstraint("consciousness in ('alert', 'confusion', 'voice', 'pain', 'unresponsive')", name="consciousness"),
        CheckConstraint("height between 20 and 300", name="height"),
        CheckConstraint("weight between 0.15 and 500", name="weight"),
        CheckConstraint("pain between 0 and 10", name="pain"),
        CheckConstraint("glucose between 0.3 and 80", name="glucose"),
        CheckConstraint("head_circumference between 5 and 100", name="head_circumference"),
        CheckConstraint("gcs between 3 and 15", name="gcs"),
        Index("ix_vitals_patient_id_taken_at", "patient_id", "taken_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    consultation_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.consultations.id"))
    taken_at: Mapped[Moment]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    systolic: Mapped[int | None]
    diastolic: Mapped[int | None]
    pulse: Mapped[int | None]
    temperature: Mapped[Decimal | None] = mapped_column(Numeric(3, 1))
    respiration: Mapped[int | None]
    spo2: Mapped[int | None]
    oxygen: Mapped[bool | None]
    oxygen_flow: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    spo2_scale: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    consciousness: Mapped[str | None]
    height: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    weight: Mapped[Decimal | None] = mapped_column(Numeric(6, 3))
    pain: Mapped[int | None]
    glucose: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    confirmed: Mapped[Words]
    source_key: Mapped[str | None]
    head_circumference: Mapped[Decimal | None] = mapped_column(Numeric(4, 1))
    gcs: Mapped[int | None]


class Diagnosis(Base):
    """A diagnosis of a signed visit, coded after ICD-10-CM or, with an empty code, in the doctor's own words."""

    __tablename__ = "diagnoses"
    __table_args__ = (
        UniqueConstraint("consultation_id", "position"),
        CheckConstraint("position between 1 and 50", name="position"),
        CheckConstraint("system in ('', 'ICD-10-CM')", name="system"),
        CheckConstraint("(system = '') = (code = '') and char_length(code) <= 10", name="code"),
        CheckConstraint("char_length(description) between 1 and 300", name="description"),
        Index("ix_diagnoses_patient_id", "patient_id"),
        Index("ix_diagnoses_recorded_by_code", "recorded_by", "code"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    position: Mapped[int]
    system: Mapped[Words]
    code: Mapped[Words]
    description: Mapped[str]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    recorded_at: Mapped[Created]


class Addendum(Base):
    """What was added to a visit after it was signed, sealed. Never changed; `position` counts from 1 and is given by the database."""

    __tablename__ = "addenda"
    __table_args__ = (
        UniqueConstraint("consultation_id", "position"),
        CheckConstraint("position between 1 and 500", name="position"),
        CheckConstraint("octet_length(body) <= 40029", name="body"),
        Index("ix_addenda_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    position: Mapped[int]
    body: Mapped[Sealed]
    author_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    created_at: Mapped[Created]


class Problem(Base):
    """A condition on the problem list; ended when `ended_on` is set."""

    __tablename__ = "problems"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_key"),
        CheckConstraint("char_length(description) between 1 and 300", name="description"),
        CheckConstraint("ended_on is null or started_on is null or ended_on >= started_on", name="dates"),
        CheckConstraint("octet_length(ended_reason) <= 1229", name="ended_reason"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    system: Mapped[Words]
    code: Mapped[Words]
    description: Mapped[str]
    started_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    recorded_at: Mapped[Created]
    source_key: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    ended_reason: Mapped[bytes | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    __mapper_args__ = {"version_id_col": version}


class Allergy(Base):
    """An allergy or intolerance (clinical-safety R37)."""

    __tablename__ = "allergies"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_key"),
        CheckConstraint("char_length(substance) between 1 and 200", name="substance"),
        CheckConstraint("category in ('allergy', 'intolerance')", name="category"),
        CheckConstraint("severity in ('', 'mild', 'moderate', 'severe')", name="severity"),
        CheckConstraint("char_length(reaction) <= 300", name="reaction"),
        CheckConstraint("source in ('', 'patient', 'relative', 'observed', 'documents')", name="source"),
        CheckConstraint("verification in ('unconfirmed', 'confirmed', 'refuted') and (verification <> 'refuted' or ended_on is not null)",
                        name="verification"),
        CheckConstraint("octet_length(ended_reason) <= 1229", name="ended_reason"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    substance: Mapped[str]
    system: Mapped[Words]
    code: Mapped[Words]
    category: Mapped[str] = mapped_column(server_default=text("'allergy'"))
    reaction: Mapped[Words]
    severity: Mapped[Words]
    noted_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    recorded_at: Mapped[Created]
    source_key: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    source: Mapped[Words]
    verification: Mapped[str] = mapped_column(server_default=text("'unconfirmed'"))
    ended_reason: Mapped[bytes | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    __mapper_args__ = {"version_id_col": version}


class AllergyStatement(Base):
    """A clinician's explicit statement that no allergies are known; the newest one counts unless an allergy was recorded after it."""

    __tablename__ = "allergy_statements"
    __table_args__ = (Index("ix_allergy_statements_patient_id", "patient_id"), {"schema": "clinic"})
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    stated_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    stated_at: Mapped[Created]


class Medicine(Base):
    """A medicine the patient takes or took: the current medication list of the chart."""

    __tablename__ = "medicines"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_key"),
        CheckConstraint("char_length(description) between 1 and 300", name="description"),
        CheckConstraint("ended_on is null or started_on is null or ended_on >= started_on", name="dates"),
        CheckConstraint("char_length(dosage) <= 500 and char_length(reason) <= 300", name="texts"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    system: Mapped[Words]
    code: Mapped[Words]
    description: Mapped[str]
    dosage: Mapped[Words]
    reason: Mapped[Words]
    started_on: Mapped[date | None]
    ended_on: Mapped[date | None]
    prescription_item_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.prescription_items.id"))
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    recorded_at: Mapped[Created]
    source_key: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}
