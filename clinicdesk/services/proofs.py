"""Proving who one is. A secret is written down as a try in one committed transaction and compared in the next: schema `auth`,
migrations/sql/0015_second_factor.sql, decision 0014. Nothing here decides anything."""

from __future__ import annotations

import hashlib
import math
import os
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from argon2.low_level import Type, hash_secret_raw
from sqlalchemy import text

from clinicdesk.errors import SignInRefused
from clinicdesk.rules.passwords import prepare_password
from clinicdesk.storage.database import ClinicSession

#: OWASP password storage: Argon2id with m = 19,456 KiB, t = 2, p = 1 at least (security-reliability § 3.1). Stored with each account and
#: raised at the next sign-in when these are stronger.
MEMORY_KIB, ITERATIONS, LANES = 19_456, 2, 1
WRONG = "Name or password is wrong."


@dataclass(frozen=True, slots=True)
class Challenge:
    """How the key of a name is derived, known or not."""

    salt: bytes
    memory_kib: int
    iterations: int
    lanes: int

    @property
    def weak(self) -> bool:
        """Whether this program would store a stronger proof today."""
        return self.memory_kib * self.iterations < MEMORY_KIB * ITERATIONS


@dataclass(frozen=True, slots=True)
class Proof:
    """What is stored of a password: salt, parameters and SHA-256 of the derived key."""

    salt: bytes
    memory_kib: int
    iterations: int
    lanes: int
    verifier: bytes

    @property
    def values(self) -> dict[str, Any]:
        """As parameters of the functions that store it."""
        return {"salt": self.salt, "memory": self.memory_kib, "iterations": self.iterations, "lanes": self.lanes, "verifier": self.verifier}


@dataclass(frozen=True, slots=True)
class Answer:
    """A token, or none and the seconds to wait. `needs`: "" for a session that may be used, "code" or "enrol" for a second factor."""

    token: str | None
    wait: float
    needs: str


def plain_name(username: str) -> str:
    """A user name as it is sent: nothing in it that the database could not hold."""
    return username.encode("utf-8", "ignore").decode().strip().replace("\x00", "")[:200]


def derive(password: str, how: Challenge) -> bytes:
    """The 32-byte Argon2id key of a password (prepared by the rules). Takes tens of milliseconds: never on the GUI thread."""
    secret = prepare_password(password).encode("utf-8", "surrogatepass")
    return hash_secret_raw(secret, how.salt, time_cost=how.iterations, memory_cost=how.memory_kib, parallelism=how.lanes, hash_len=32,
                           type=Type.ID)


def proof_of(password: str) -> Proof:
    """A fresh proof for a password, with this program's parameters."""
    how = Challenge(os.urandom(16), MEMORY_KIB, ITERATIONS, LANES)
    return Proof(how.salt, how.memory_kib, how.iterations, how.lanes, hashlib.sha256(derive(password, how)).digest())


def challenge(session: ClinicSession, username: str) -> Challenge:
    """Salt and parameters for a name, known or not."""
    row = session.execute(text("select salt, memory_kib, iterations, lanes from auth.challenge(:name)"),
                          {"name": plain_name(username)}).one()
    return Challenge(bytes(row.salt), row.memory_kib, row.iterations, row.lanes)


def try_secret(session: ClinicSession, username: str, secret: bytes, workstation: str) -> UUID:
    """Write a try down; commit before it is compared. SignInRefused when too many were wrong."""
    row = session.execute(text("select try_id, wait from auth.try_secret(:name, :secret, :desk)"),
                          {"name": plain_name(username), "secret": secret, "desk": workstation[:120] or "unknown"}).one()
    if row.try_id is None:
        raise refused(row.wait)
    return UUID(str(row.try_id))


def sign_in(session: ClinicSession, try_id: UUID) -> Answer:
    """Have a try compared with the password or the kiosk code of its name. Must be committed either way."""
    row = session.execute(text("select token, wait, needs from auth.sign_in(:try)"), {"try": try_id}).one()
    return Answer(row.token, row.wait or 0.0, row.needs or "")


def give_code(session: ClinicSession, try_id: UUID) -> float | None:
    """Have a try compared with the second factor of the session that waits for it; None when it fits, else the seconds to wait."""
    row = session.execute(text("select done, wait from auth.give_code(:try)"), {"try": try_id}).one()
    return None if row.done else row.wait


def strengthen(session: ClinicSession, try_id: UUID, password: str) -> bool:
    """Store a proof with today's parameters right after the sign-in that this try made."""
    return bool(session.scalar(text("select auth.strengthen(:try, :salt, :memory, :iterations, :lanes, :verifier)"),
                               {"try": try_id, **proof_of(password).values}))


def change_password(session: ClinicSession, try_id: UUID, new: Proof) -> bool:
    """Change one's own password; False (committed, counted) when the try is wrong. Other sessions of the person end."""
    return bool(session.scalar(text("select auth.change_password(:try, :salt, :memory, :iterations, :lanes, :verifier)"),
                               {"try": try_id, **new.values}))


def reset_password(session: ClinicSession, try_id: UUID, new: Proof) -> float | None:
    """Set a password by the code an administrator gave; None when it is done, else the seconds to wait."""
    row = session.execute(text("select done, wait from auth.reset_password(:try, :salt, :memory, :iterations, :lanes, :verifier)"),
                          {"try": try_id, **new.values}).one()
    return None if row.done else row.wait


def refused(wait: float, sentence: str = WRONG) -> SignInRefused:
    """The sentence of a refusal, and how long to wait."""
    if wait <= 0:
        return SignInRefused(sentence)
    seconds = math.ceil(wait)
    return SignInRefused(f"{sentence} Wait {seconds} second{'' if seconds == 1 else 's'}, then try again.", wait)
