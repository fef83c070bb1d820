"""Schema `clinic`: generations of the clinic key, enrolments of computers, and who was erased."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Sealed


class ClinicKey(Base):
    """A later generation of the clinic key (the first has its fingerprint among the settings). `former` is the one before, wrapped."""

    __tablename__ = "clinic_keys"
    __table_args__ = (
        CheckConstraint("generation >= 2", name="generation"),
        CheckConstraint("octet_length(fingerprint) = 39", name="fingerprint"),
        CheckConstraint("octet_length(former) = 61", name="former"),
        {"schema": "clinic"},
    )
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fingerprint: Mapped[Sealed]
    former: Mapped[Sealed]
    begun_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    begun_at: Mapped[Created]
    finished_at: Mapped[datetime | None]


class Enrolment(Base):
    """A computer that asks for the clinic key: its public key, and for a short while the clinic key sealed for it."""

    __tablename__ = "enrolments"
    __table_args__ = (
        UniqueConstraint("public_key"),
        CheckConstraint("char_length(workstation) between 1 and 120", name="workstation"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
        CheckConstraint("octet_length(sealed) between 60 and 200", name="sealed"),
        {"schema": "auth"},
    )
    id: Mapped[Id]
    workstation: Mapped[str]
    public_key: Mapped[Sealed]
    sealed: Mapped[bytes | None]
    asked_at: Mapped[Created]
    sealed_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    taken_at: Mapped[datetime | None]


class Erasure(Base):
    """A line of the erasure ledger: append-only, and without a foreign key, because after the restore of an older backup it may name a
    record that backup does not have. `proof` is under the clinic key of `generation` and covers the line and the proof before it."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint("patient_id ~ '^p_[a-z0-9]{6}$'", name="patient_id"),
        CheckConstraint("reason in ('request', 'retention', 'mistake', 'court')", name="reason"),
        CheckConstraint("octet_length(proof) = 32", name="proof"),
        CheckConstraint("generation >= 1", name="generation"),
        {"schema": "clinic"},
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    patient_id: Mapped[str]
    erased_at: Mapped[Moment]
    erased_by: Mapped[str] = mapped_column(server_default=text("''"))
    reason: Mapped[str]
    generation: Mapped[int]
    proof: Mapped[Sealed]
