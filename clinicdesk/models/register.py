"""Schema `clinic`: what the register knows besides the patients: spellings of names, pairs of two people, merged records, photos."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Sealed, Words


class NameSpelling(Base):
    """A word of somebody's name under a key it shares with words near it; kept by a trigger from the terms."""

    __tablename__ = "name_spellings"
    __table_args__ = (CheckConstraint("char_length(word) between 1 and 190", name="word"), {"schema": "clinic"})
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    word: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)


class DifferentPeople(Base):
    """Two records that look alike and are two people: nobody is asked again."""

    __tablename__ = "different_people"
    __table_args__ = (
        CheckConstraint("patient_id < other_id", name="order"),
        Index("ix_different_people_other_id", "other_id"),
        {"schema": "clinic"},
    )
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    said_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    said_at: Mapped[Created]


class Merge(Base):
    """Two records found to be one person. `identity` seals, with the kept record's key, what both said before and after."""

    __tablename__ = "merges"
    __table_args__ = (
        CheckConstraint("char_length(reason) <= 300", name="reason"),
        CheckConstraint("kept_id <> lost_id", name="two"),
        CheckConstraint("undone_at is not null or undone_by is null", name="undone"),
        Index("uq_merges_lost", "lost_id", unique=True, postgresql_where=text("undone_at is null")),
        Index("ix_merges_kept_id", "kept_id"),
        {"schema": "clinic"},
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    kept_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    lost_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))
    reason: Mapped[Words]
    identity: Mapped[Sealed]
    merged_at: Mapped[Created]
    merged_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))


class Alias(Base):
    """Which record a merged person is kept under; kept by a trigger from the merges. People never merged have no row."""

    __tablename__ = "aliases"
    __table_args__ = (Index("ix_aliases_person_id", "person_id"), {"schema": "clinic"})
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"))


class Photo(Base):
    """A patient's face as a small JPEG, sealed with the identity key."""

    __tablename__ = "photos"
    __table_args__ = (CheckConstraint("octet_length(body) between 30 and 400029", name="body"), {"schema": "clinic"})
    patient_id: Mapped[str] = mapped_column(ForeignKey("clinic.patients.id"), primary_key=True)
    body: Mapped[Sealed]
    seal_number: Mapped[int] = mapped_column(server_default=text("1"))
    added_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    added_at: Mapped[Created]
