"""Schema `auth`: who may sign in, with what proof, and who is signed in now."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, SmallInteger, UniqueConstraint, text
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
    second_factor: Mapped[bool] = mapped_column(server_default=text("false"))
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


class Try(Base):
    """A secret somebody gave, hashed, before it is compared: committed and counted first, so that no rollback makes a guess free."""

    __tablename__ = "tries"
    __table_args__ = (CheckConstraint("octet_length(given) = 32", name="given"), Index("ix_tries_at", "at"), {"schema": "auth"})
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    at: Mapped[Moment]
    xact: Mapped[int] = mapped_column(BigInteger)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    given: Mapped[Sealed]
    workstation: Mapped[str]
    name_subject: Mapped[str]
    name_before: Mapped[Moment]
    desk_subject: Mapped[str]
    desk_before: Mapped[Moment]
    spent_at: Mapped[datetime | None]
    session_id: Mapped[int | None] = mapped_column(BigInteger)


class SecondFactor(Base):
    """The secret of an authenticator, and the last step of 30 s whose code was used. No application role can read this table."""

    __tablename__ = "second_factors"
    __table_args__ = (CheckConstraint("octet_length(secret) = 20", name="secret"), {"schema": "auth"})
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"), primary_key=True)
    secret: Mapped[Sealed]
    made_at: Mapped[Created]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class OneTimeCode(Base):
    """The hash of a code that works once: a recovery code, a password reset (a day), a patient's way into the kiosk (ten minutes)."""

    __tablename__ = "one_time_codes"
    __table_args__ = (
        CheckConstraint("octet_length(hash) = 32", name="hash"),
        CheckConstraint("purpose in ('recovery', 'reset', 'kiosk')", name="purpose"),
        CheckConstraint("(expires_at is null) = (purpose = 'recovery')", name="expires_at"),
        Index("ix_one_time_codes_user_id", "user_id", "purpose"),
        {"schema": "auth"},
    )
    hash: Mapped[Sealed] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    purpose: Mapped[str]
    made_by: Mapped[int] = mapped_column(ForeignKey("auth.users.id"))
    made_at: Mapped[Created]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class SignedIn(Base):
    """A session: only the hash of its token is stored. It ends by idling, by age, or because somebody ended it.

    `pending` says what is missing before it is one: the second factor's code, or setting one up.
    """

    __tablename__ = "sessions"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        Index("ix_sessions_user_id", "user_id"),
        CheckConstraint("char_length(workstation) between 1 and 120", name="workstation"),
        CheckConstraint("pending in ('code', 'enrol')", name="pending"),
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
    pending: Mapped[str | None]
