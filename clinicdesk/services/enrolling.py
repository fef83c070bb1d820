"""Letting a new computer have the clinic key: it asks and shows a code, an administrator types the code and seals the key for it."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from clinicdesk.errors import Invalid
from clinicdesk.models.erasing import Enrolment
from clinicdesk.rules.key_code import enrolment_code
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.enrolling import Newcomer, seal_for

#: A request is good for so long; the database keeps to it by its own clock.
MINUTES = 15


def ask(session: ClinicSession, newcomer: Newcomer, workstation: str) -> str:
    """Leave a request of this computer, before anybody signs in; the code a person reads to the administrator."""
    with session.attempt():
        session.execute(select(func.auth.ask_enrolment(workstation, newcomer.public)))
    return enrolment_code(newcomer.public)


def let_in(session: ClinicSession, typed: str) -> str:
    """Seal the clinic key for the computer with this code; its name. Administrators only. Invalid when no computer shows this code."""
    code = "".join(c for c in typed.upper() if c.isalnum())
    waiting = session.execute(select(Enrolment.id, Enrolment.workstation, Enrolment.public_key).where(
        Enrolment.sealed.is_(None), Enrolment.taken_at.is_(None), Enrolment.asked_at > session.now() - timedelta(minutes=MINUTES)))
    for number, workstation, public in waiting.all():
        if enrolment_code(public).replace("-", "") == code:
            with session.attempt():
                session.execute(select(func.auth.seal_enrolment(number, seal_for(public, session.vault.clinic_key))))
            return str(workstation)
    raise Invalid("code", "No computer shows this code, or its quarter of an hour is over. Compare the letters.")


def take(session: ClinicSession, newcomer: Newcomer) -> bytes | None:
    """The clinic key once an administrator has let this computer in; None until then."""
    sealed = session.scalar(select(func.auth.take_enrolment(newcomer.public)))
    return None if sealed is None else newcomer.open(bytes(sealed))
