"""Schema `clinic`: attachments with their staged bytes, and immunizations."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Sealed, Words


class Attachment(Base):
    """A file of a patient: what is known of it, in plain what is counted, sealed what is read. Its bytes are elsewhere, sealed."""

    __tablename__ = "attachments"
    __table_args__ = (
        CheckConstraint("kind in ('pdf', 'png', 'jpeg', 'text')", name="kind"),
        CheckConstraint("octet_length(title) between 30 and 829", name="title"),
        CheckConstraint("octet_length(file_name) between 29 and 829", name="file_name"),
        CheckConstraint("size between 1 and 26214400", name="size"),
        CheckConstraint("chunks = (size + 1048575) / 1048576 and sealed_size = size + 29 * chunks", name="chunks"),
        CheckConstraint("octet_length(sealed_sha256) = 32", name="sealed_sha256"),
        CheckConstraint("copy_of is null or copy_of <> id", name="copy"),
        CheckConstraint("(withdrawn_at is null) = (withdrawn_by is null) and (withdrawn_at is null) = (withdrawn_reason is null)"
                        " and octet_length(withdrawn_reason) between 32 and 1229", name="withdrawn"),
        Index("ix_attachments_patient_id_added_at", "patient_id", "added_at"),
        Index("ix_attachments_undelivered", "added_at", postgresql_where=text("delivered_at is null")),
        {"schema": "clinic"},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    kind: Mapped[str]
    title: Mapped[Sealed]
    file_name: Mapped[Sealed]
    size: Mapped[int]
    chunks: Mapped[int]
    sealed_size: Mapped[int]
    sealed_sha256: Mapped[Sealed]
    record_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.records.id"))
    consultation_id: Mapped[int | None] = mapped_column(ForeignKey("clinic.consultations.id"))
    copy_of: Mapped[UUID | None] = mapped_column(ForeignKey("clinic.attachments.id"))
    added_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    added_at: Mapped[Created]
    delivered_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    withdrawn_reason: Mapped[bytes | None]


class AttachmentChunk(Base):
    """A sealed piece of an attachment on its way to the document server; gone when the server gave the whole back unchanged."""

    __tablename__ = "attachment_chunks"
    __table_args__ = (
        CheckConstraint("position between 1 and 25", name="position"),
        CheckConstraint("octet_length(body) between 30 and 1048605", name="body"),
        {"schema": "clinic"},
    )
    attachment_id: Mapped[UUID] = mapped_column(ForeignKey("clinic.attachments.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[Sealed]


class Immunization(Base):
    """A vaccination given here or reported, or one not done with its reason. `given_on` is exact to `precision`."""

    __tablename__ = "immunizations"
    __table_args__ = (
        UniqueConstraint("patient_id", "source_key"),
        CheckConstraint("char_length(vaccine) between 1 and 200", name="vaccine"),
        CheckConstraint("cvx ~ '^[0-9]{0,4}$'", name="cvx"),
        CheckConstraint("precision in ('day', 'month', 'year')", name="precision"),
        CheckConstraint("dose_number between 1 and 20", name="dose_number"),
        CheckConstraint("char_length(lot) <= 40 and char_length(site) <= 60 and char_length(route) <= 60"
                        " and char_length(given_by) <= 120", name="texts"),
        CheckConstraint("source in ('given_here', 'reported')", name="source"),
        CheckConstraint("status in ('completed', 'not_done')", name="status"),
        CheckConstraint("(status = 'not_done') = (reason <> '')"
                        " and reason in ('', 'refused', 'medical', 'immune', 'no_stock', 'other')", name="reason"),
        CheckConstraint("octet_length(note) <= 2029", name="note"),
        Index("ix_immunizations_patient_id", "patient_id", "given_on"),
        {"schema": "clinic"},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    vaccine: Mapped[str]
    cvx: Mapped[Words]
    given_on: Mapped[date | None]
    precision: Mapped[str] = mapped_column(server_default=text("'day'"))
    dose_number: Mapped[int | None]
    lot: Mapped[Words]
    site: Mapped[Words]
    route: Mapped[Words]
    given_by: Mapped[Words]
    source: Mapped[str] = mapped_column(server_default=text("'given_here'"))
    status: Mapped[str] = mapped_column(server_default=text("'completed'"))
    reason: Mapped[Words]
    note: Mapped[bytes | None]
    recorded_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    recorded_at: Mapped[Created]
    wrong: Mapped[bool] = mapped_column(server_default=text("false"))
    source_key: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}
