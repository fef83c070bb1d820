"""Schema `auth`: who may sign in, with what proof, and who is signed in now."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from clinicdesk.models.base import Base, Created, Id, Moment, Sealed


class User(Base):
    """An account. Patients have one only for the kiosk (`patient_id`). The name is what others see."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username"),
        UniqueConstraint("patient_id"),
        CheckConstraint("username ~ '^[a-z0-9][a-z0-9._-]{1,39}$'", name="username"),
        CheckConstraint("char_length(name) between 1 and 120", name="name"),
        CheckConstraint("role in ('receptionist', 'doctor', 'administrator', 'patient')", name="role"),
        CheckConstraint("(role = 'patient') = (patient_id is not null)", name="patient"),
        {"schema": "auth"},
    )
    id: Mapped[Id]
    username: Mapped[str]
    name: Mapped[str]
    role: Mapped[str]
    patient_id: Mapped[str | None] = mapped_column(ForeignKey("clinic.patients.id", use_alter=True))
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[Created]
    created_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
    version: Mapped[int] = mapped_column(server_default=text("1"))
    __mapper_args__ = {"version_id_col": version}


class Credential(Base):
    """Salt, Argon2id parameters and SHA-256 of the derived key. No application role can read this table."""

    __tablename__ = "credentials"
    __table_args__ = (
        CheckConstraint("octet_length(salt) = 16", name="salt"),
        CheckConstraint("octet_length(verifier) = 32", name="verifier"),
        CheckConstraint("memory_kib >= 19456 or (memory_kib >= 7168 and iterations >= 5)", name="strength"),
        {"schema": "auth"},
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"), primary_key=True)
    salt: Mapped[Sealed]
    memory_kib: Mapped[int]
    iterations: Mapped[int]
    lanes: Mapped[int]
    verifier: Mapped[Sealed]
    changed_at: Mapped[Created]


class Attempt(Base):
    """Failed sign-ins of one subject: `user:` + hash of a name (known or not) or `desk:` + hash of a workstation's name."""

    __tablename__ = "attempts"
    __table_args__ = ({"schema": "auth"},)
    subject: Mapped[str] = mapped_column(primary_key=True)
    failed: Mapped[int] = mapped_column(server_default=text("0"))
    last_failed_at: Mapped[Moment]


class Secret(Base):
    """One random value, from which the stable false salts of unknown names are made."""

    __tablename__ = "secrets"
    __table_args__ = (CheckConstraint("one", name="one_row"), {"schema": "auth"})
    one: Mapped[bool] = mapped_column(primary_key=True, server_default=text("true"))
    value: Mapped[Sealed]


class SignedIn(Base):
    """A session: only the hash of its token is stored. It ends by idling, by age, or because somebody ended it."""

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_sessions_user_id", "user_id"),
        CheckConstraint("char_length(workstation) between 1 and 120", name="workstation"),
        {"schema": "auth"},
    )
    id: Mapped[Id]
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    token_hash: Mapped[Sealed]
    workstation: Mapped[str]
    idle_minutes: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[Created]
    last_used_at: Mapped[Created]
    expires_at: Mapped[Moment]
    absolute_expires_at: Mapped[Moment]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("auth.users.id"))
