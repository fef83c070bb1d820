"""Schema `clinic`: signing keys, papers other than prescriptions, the signature of every issued paper, and cancelled papers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Sealed, Words


class KeyPair(Base):
    """The public half of a doctor's key. Name and registration are set by the database; only `retired_at` ever changes."""

    __tablename__ = "signing_keys"
    __table_args__ = (
        UniqueConstraint("public_key"),
        CheckConstraint("octet_length(public_key) = 32", name="public_key"),
        CheckConstraint("octet_length(certificate) between 100 and 2000", name="certificate"),
        Index("uq_signing_keys_in_use", "user_id", unique=True, postgresql_where=text("retired_at is null")),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    owner_name: Mapped[Words]
    registration: Mapped[Words]
    public_key: Mapped[bytes]
    certificate: Mapped[bytes]
    made_at: Mapped[Created]
    retired_at: Mapped[Moment | None]


class SigningSecret(Base):
    """The private half, wrapped by the clinic key of a generation; row security shows it to its owner alone."""

    __tablename__ = "signing_secrets"
    __table_args__ = (
        CheckConstraint("octet_length(wrapped) = 61", name="wrapped"),
        CheckConstraint("generation >= 1", name="generation"),
        {"schema": "clinic"},
    )
    key_id: Mapped[int] = mapped_column(ForeignKey("clinic.signing_keys.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    wrapped: Mapped[Sealed]
    generation: Mapped[int] = mapped_column(server_default=text("1"))


class IssuedPaper(Base):
    """A visit summary, sick note or referral letter: the sealed PDF with the SHA-256 of its plain bytes, and how often it was printed."""

    __tablename__ = "papers"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("kind in ('VS', 'SN', 'RL')", name="kind"),
        CheckConstraint("number ~ '^[A-Z]{2}-[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$' and left(number, 2) = kind", name="number"),
        CheckConstraint("octet_length(pdf_sha256) = 32", name="pdf_sha256"),
        CheckConstraint("page in ('A4', 'A5', 'Letter')", name="page"),
        CheckConstraint("printed >= 0", name="printed"),
        Index("ix_papers_patient_id_issued_at", "patient_id", "issued_at"),
        Index("ix_papers_consultation_id", "consultation_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    kind: Mapped[str]
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


class Signature(Base):
    """Who signed what: the sealed canonical text of one issued paper and the Ed25519 signature over it."""

    __tablename__ = "signatures"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("(prescription_id is null) <> (paper_id is null)", name="of"),
        CheckConstraint("octet_length(signature) = 64", name="signature"),
        CheckConstraint("octet_length(canonical) between 30 and 100000", name="canonical"),
        Index("ix_signatures_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    number: Mapped[str]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    prescription_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.prescriptions.id"))
    paper_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.papers.id"))
    key_id: Mapped[int] = mapped_column(ForeignKey("clinic.signing_keys.id"))
    signed_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    signed_at: Mapped[Created]
    canonical: Mapped[Sealed]
    signature: Mapped[bytes]


class VoidedPaper(Base):
    """A cancelled paper: by whom, when, and the sealed reason. Nothing takes it back."""

    __tablename__ = "voids"
    __table_args__ = (
        UniqueConstraint("number"),
        CheckConstraint("octet_length(reason) between 30 and 4000", name="reason"),
        Index("ix_voids_patient_id", "patient_id"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    number: Mapped[str]
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    voided_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    voided_at: Mapped[Created]
    reason: Mapped[Sealed]
