"""The second factor: an authenticator's six digits (RFC 6238), and the ten recovery codes for the day it is lost.

The database makes the secret, compares the codes and hands out the recovery codes; here they become what a person can scan.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from uuid import UUID

import pyotp
import segno
from sqlalchemy import text

from clinicdesk.errors import Invalid
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator needs: the secret in base 32 (to be typed) and as a QR code (a PNG of an otpauth address)."""

    secret: str
    uri: str
    picture: bytes


@dataclass(frozen=True, slots=True)
class MySecondFactor:
    """Whether it is on, whether the clinic asks for it, and how many recovery codes are left."""

    is_on: bool
    required: bool
    codes_left: int


def code_of(secret: str, at: datetime) -> str:
    """What an authenticator with this secret shows at a moment (the tour and the tests have no phone)."""
    return pyotp.TOTP(secret).at(at)


def begin(session: ClinicSession, username: str) -> Enrolment:
    """A new secret for whoever holds this session; not asked for before `confirm`. NotAllowed when one is on already."""
    secret = base64.b32encode(bytes(session.execute(text("select auth.begin_second_factor()")).scalar_one())).decode()
    uri = pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name=clinic_settings(session).name)
    written = BytesIO()
    segno.make(uri, error="m", micro=False).save(written, kind="png", scale=5, border=4)
    return Enrolment(secret, uri, written.getvalue())


def confirm(session: ClinicSession, code: str) -> tuple[str, ...]:
    """Switch it on by one of its codes: the recovery codes, which nobody can read again. Invalid for a wrong code."""
    codes = session.execute(text("select auth.confirm_second_factor(:code)"), {"code": code}).scalar_one()
    if codes is None:
        raise Invalid("code", "This code does not fit. Is the clock of your phone right? Type the code it shows now.")
    return tuple(codes)


def mine(session: ClinicSession) -> MySecondFactor:
    """One's own."""
    row = session.execute(text("select is_on, required, codes_left from auth.my_second_factor()")).one()
    return MySecondFactor(row.is_on, row.required, row.codes_left)


def leave(session: ClinicSession, try_id: UUID) -> bool:
    """Switch one's own off; the try holds a code. False (counted) when it does not fit, NotAllowed where the clinic asks for one."""
    return bool(session.scalar(text("select auth.leave_second_factor(:try)"), {"try": try_id}))


def remove(session: ClinicSession, user_id: int) -> None:
    """Take away somebody's who lost it; administrators only, never their own."""
    session.execute(text("select auth.remove_second_factor(:user)"), {"user": user_id})
