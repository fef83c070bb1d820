"""Schema `clinic`: what the clinic knows about itself."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Words


class Setting(Base):
    """One setting of the clinic (name, address, letterhead, zone, appointment minutes …)."""

    __tablename__ = "settings"
    __table_args__ = (CheckConstraint("key ~ '^[a-z_]{2,40}$'", name="key"), {"schema": "clinic"})
    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class BackupProof(Base):
    """One rehearsal of a backup: whether everything that was saved came back, in `numbers`."""

    __tablename__ = "backup_proofs"
    __table_args__ = (
        CheckConstraint("char_length(file_name) between 1 and 255", name="file_name"),
        CheckConstraint("file_size >= 0", name="file_size"),
        CheckConstraint("sha256 ~ '^([0-9a-f]{64})?$'", name="sha256"),
        Index("ix_backup_proofs_at", "at"),
        {"schema": "clinic"},
    )
    id: Mapped[Id]
    at: Mapped[Created]
    file_name: Mapped[str]
    file_size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str]
    taken_at: Mapped[Moment]
    ok: Mapped[bool]
    numbers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    proved_by: Mapped[Words]
