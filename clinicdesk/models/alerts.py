"""Schema `clinic`: what stands around prescribing: favourites, stops, facts for the checks, fired and overridden alerts, approvals."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, SmallInteger, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Words

RULES = ("('allergy', 'allergy-class', 'allergy-cross-reaction', 'interaction', 'duplicate', 'max-dose', 'age', 'pregnancy', 'kidney',"
         " 'not-checked')")


class Favourite(Base):
    """A line a doctor prescribes often: an item without patient, under a title of her own."""

    __tablename__ = "favourites"
    __table_args__ = (
        UniqueConstraint("doctor_id", "title"),
        CheckConstraint("char_length(title) between 2 and 400", name="title"),
        CheckConstraint("octet_length(item::text) <= 8000", name="item"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    title: Mapped[str]
    item: Mapped[Any] = mapped_column(JSONB)
    created_at: Mapped[Created]


class MedicineStop(Base):
    """Why, by whom and when a medicine was stopped; `words` is sealed."""

    __tablename__ = "medicine_stops"
    __table_args__ = (
        UniqueConstraint("medicine_id"),
        CheckConstraint("reason in ('finished', 'side_effect', 'no_effect', 'replaced', 'interaction', 'wish', 'error', 'other')",
                        name="reason"),
        CheckConstraint("octet_length(words) <= 4000", name="words"),
        Index("ix_medicine_stops_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    medicine_id: Mapped[int] = mapped_column(ForeignKey("clinic.medicines.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    reason: Mapped[str]
    words: Mapped[bytes | None]
    stopped_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    stopped_at: Mapped[Created]


class PatientFact(Base):
    """Pregnant or not, or an eGFR in mL/min/1.73 m², as a clinician stated it; the newest of a kind counts."""

    __tablename__ = "patient_facts"
    __table_args__ = (
        CheckConstraint("kind in ('pregnant', 'egfr')", name="kind"),
        CheckConstraint("(kind = 'pregnant') = (pregnant is not null) and (expected_on is null or pregnant)", name="pregnant"),
        CheckConstraint("(kind = 'egfr') = (egfr is not null and measured_on is not null and unit = 'mL/min/1.73 m²')"
                        " and (kind = 'egfr' or (egfr is null and measured_on is null and unit = ''))"
                        " and (egfr is null or egfr between 1 and 200)", name="egfr"),
        Index("ix_patient_facts_patient_id", "patient_id", "kind", "id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    kind: Mapped[str]
    pregnant: Mapped[bool | None]
    expected_on: Mapped[date | None]
    egfr: Mapped[Decimal | None] = mapped_column(Numeric(5, 1))
    unit: Mapped[Words]
    measured_on: Mapped[date | None]
    stated_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    stated_at: Mapped[Created]


class AlertFiring(Base):
    """An alert that stood when a visit was signed."""

    __tablename__ = "alert_firings"
    __table_args__ = (
        CheckConstraint(f"rule in {RULES}", name="rule"),
        CheckConstraint("tier between 1 and 3", name="tier"),
        CheckConstraint("char_length(alert_key) between 1 and 400 and char_length(medicine) between 1 and 300", name="texts"),
        Index("ix_alert_firings_patient_id", "patient_id"),
        Index("ix_alert_firings_consultation_id", "consultation_id"),
        Index("ix_alert_firings_fired_at", "fired_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    alert_key: Mapped[str]
    rule: Mapped[str]
    tier: Mapped[int] = mapped_column(SmallInteger)
    medicine: Mapped[str]
    data_date: Mapped[Words]
    fired_at: Mapped[Created]


class AlertOverride(Base):
    """The reason a doctor gave for an alert of tier 1 or 2; `words` is sealed and required for tier 1."""

    __tablename__ = "alert_overrides"
    __table_args__ = (
        CheckConstraint(f"rule in {RULES}", name="rule"),
        CheckConstraint("tier between 1 and 2", name="tier"),
        CheckConstraint("reason in ('tolerated', 'monitor', 'no_alternative', 'allergy_wrong', 'specialist', 'dose_adjusted')",
                        name="reason"),
        CheckConstraint("tier <> 1 or words is not null", name="words"),
        CheckConstraint("char_length(alert_key) between 1 and 400 and char_length(medicine) between 1 and 300"
                        " and coalesce(octet_length(words), 0) <= 4000", name="texts"),
        Index("ix_alert_overrides_patient_id", "patient_id"),
        Index("ix_alert_overrides_consultation_id", "consultation_id"),
        Index("ix_alert_overrides_given_at", "given_at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    alert_key: Mapped[str]
    rule: Mapped[str]
    tier: Mapped[int] = mapped_column(SmallInteger)
    medicine: Mapped[str]
    reason: Mapped[str]
    words: Mapped[bytes | None]
    data_date: Mapped[Words]
    given_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    given_at: Mapped[Created]


class ContentApproval(Base):
    """A clinician approved one version of one table of clinical content; recorded by an administrator."""

    __tablename__ = "content_approvals"
    __table_args__ = (
        CheckConstraint("content ~ '^[a-z_]{2,40}$'", name="content"),
        CheckConstraint("sha256 ~ '^[0-9a-f]{64}$'", name="sha256"),
        CheckConstraint("char_length(version) between 1 and 40", name="version"),
        Index("ix_content_approvals_content", "content", "id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    content: Mapped[str]
    version: Mapped[str]
    sha256: Mapped[str]
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    approved_on: Mapped[date]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    recorded_at: Mapped[Created]
