"""Schema `clinic`: issued prescriptions. They never change; what was printed is what is stored."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Sealed, Words


class Prescription(Base):
    """An issued prescription: the sealed PDF with the SHA-256 of its plain bytes, and how often it was printed."""

    __tablename__ = "prescriptions"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("number ~ '^RX-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$'", name="number"),
        CheckConstraint("octet_length(pdf_sha256) = 32", name="pdf_sha256"),
        CheckConstraint("page in ('A4', 'A5', 'Letter')", name="page"),
        CheckConstraint("printed >= 0", name="printed"),
        Index("ix_prescriptions_patient_id_issued_at", "patient_id", "issued_at"),
        Index("ix_prescriptions_consultation_id", "consultation_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    number: Mapped[str]
    consultation_id: Mapped[int] = mapped_column(ForeignKey("clinic.consultations.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    doctor_id: Mapped[int] = mapped_column(ForeignKey("clinic.doctors.id"))
    issued_at: Mapped[Created]
    page: Mapped[str]
    pdf: Mapped[Sealed]
    pdf_sha256: Mapped[bytes]
    printed: Mapped[int] = mapped_column(server_default=text("0"))
    last_printed_at: Mapped[datetime | None]


class PrescriptionItem(Base):
    """One medicine of a prescription, structured. `free_text` marks a medicine that no check knows."""

    __tablename__ = "prescription_items"
    __table_args__ = (
        UniqueConstraint("prescription_id", "position"),
        CheckConstraint("position between 1 and 50", name="position"),
        CheckConstraint("char_length(medicine) between 2 and 200", name="medicine"),
        CheckConstraint("times_per_day between 1 and 24", name="times_per_day"),
        CheckConstraint("every_hours between 1 and 744", name="every_hours"),
        CheckConstraint("duration_days between 1 and 366", name="duration_days"),
        CheckConstraint("dose_value > 0", name="dose_value"),
        CheckConstraint("not as_needed or (min_interval_hours is not null and max_per_day is not null)", name="as_needed"),
        CheckConstraint("char_length(directions) between 5 and 500", name="directions"),
        CheckConstraint("char_length(instructions) <= 300 and char_length(indication) <= 200 and char_length(rate) <= 60", name="texts"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index("ix_prescription_items_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    prescription_id: Mapped[int] = mapped_column(ForeignKey("clinic.prescriptions.id"))
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    position: Mapped[int]
    medicine: Mapped[str]
    brand: Mapped[Words]
    strength: Mapped[Words]
    form: Mapped[Words]
    route: Mapped[Words]
    dose_value: Mapped[Decimal | None] = mapped_column(Numeric(10, 3))
    dose_unit: Mapped[Words]
    times_per_day: Mapped[int | None]
    every_hours: Mapped[int | None]
    weekdays: Mapped[Words]
    once: Mapped[bool] = mapped_column(server_default=text("false"))
    as_needed: Mapped[bool] = mapped_column(server_default=text("false"))
    as_needed_for: Mapped[Words]
    min_interval_hours: Mapped[int | None]
    max_per_day: Mapped[Decimal | None] = mapped_column(Numeric(10, 3))
    duration_days: Mapped[int | None]
    rate: Mapped[Words]
    directions: Mapped[str]
    quantity: Mapped[Decimal | None] = mapped_column(Numeric(10, 3))
    quantity_unit: Mapped[Words]
    instructions: Mapped[Words]
    indication: Mapped[Words]
    free_text: Mapped[bool] = mapped_column(server_default=text("false"))
