"""Break the glass: a doctor opens the record of a patient who is not hers, with a reason, for an hour; others hear of it and review it.

The database gives and ends the access (migrations/sql/0019_break_glass.sql): every policy that asks for care ends with the hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select, text
from sqlalchemy.orm import aliased

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.people import AccessGrant, Doctor, Patient
from clinicdesk.services.person import of_person
from clinicdesk.services.sealing import CLINICAL, open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, SealBroken

REASONS: Final = {
    "emergency": "Emergency", "covering": "Covering for a colleague", "asked": "A colleague asked me",
    "result": "A result must be acted on", "other": "Another reason",
}
VERDICTS: Final = {"": "Not looked at yet", "justified": "Justified", "questioned": "To be discussed"}
MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class Grant:
    """Broken glass that is in force."""

    id: int
    patient_id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class GlassRow:
    """One line of the review list; `words` is "" where the reader may not open them."""

    id: int
    patient_id: str
    patient: str
    doctor: str
    reason: str
    words: str
    given_at: datetime
    ended_at: datetime
    in_force: bool
    verdict: str
    reviewed_by: str


def _place(patient_id: str, grant: int) -> Place:
    return Place(patient_id, f"access_grant:{grant}", "words")


def break_glass(session: ClinicSession, patient_id: str, reason: str, words: str) -> Grant:
    """Open a record for 60 minutes. Invalid without a reason and a few words; ClinicError when the record is open already."""
    if reason not in REASONS:
        raise Invalid("reason", "Choose why you need this record.")
    said = words.strip()
    if not 5 <= len(said) <= 1_000:
        raise Invalid("words", "Say in 5 to 1,000 characters why you need this record.")
    number = session.scalar(select(func.clinic.break_glass(patient_id, reason)))
    person = str(session.scalar(select(AccessGrant.patient_id).where(AccessGrant.id == number)))
    session.execute(select(func.clinic.explain_glass(number, seal_text(session, _place(person, int(number or 0)), said, CLINICAL))))
    found = active(session, person)
    if found is None:
        raise NotAllowed
    return found


def active(session: ClinicSession, patient_id: str) -> Grant | None:
    """The grant by which I see this patient now; None when I need none, or have none."""
    if session.me is None or session.me.doctor_id is None:
        return None
    g = AccessGrant
    row = session.execute(
        select(g.id, g.patient_id, g.expires_at)
        .where(of_person(g.patient_id, patient_id), g.doctor_id == session.me.doctor_id, g.ended_at.is_(None),
               g.expires_at > func.now(), text("exists (select from clinic.care c where c.patient_id = access_grants.patient_id"
                                               " and c.doctor_id = access_grants.doctor_id and c.expires_at is not null)"))
        .order_by(g.expires_at.desc()).limit(1)
    ).one_or_none()
    return Grant(*row) if row else None


def end(session: ClinicSession, grant_id: int) -> None:
    """Close the record before the hour is over."""
    session.execute(select(func.clinic.end_glass(grant_id)))


def reviews(session: ClinicSession, *, only_open: bool = False, limit: int = 300) -> list[GlassRow]:
    """Broken glass, newest first: all of it for administrators, of her patients and her own for a doctor."""
    g, reviewer, by = AccessGrant, aliased(User), aliased(User)
    query = (
        select(g, Patient.last_name + ", " + Patient.first_name, by.name, reviewer.name)
        .join(Patient, Patient.id == g.patient_id).join(Doctor, Doctor.id == g.doctor_id).join(by, by.id == Doctor.user_id)
        .outerjoin(reviewer, reviewer.id == g.reviewed_by).order_by(g.id.desc()).limit(limit)
    )
    now = session.now()
    return [
        GlassRow(row.id, row.patient_id, patient, doctor, REASONS[row.reason], _words(session, row), row.given_at,
                 row.ended_at or row.expires_at, row.ended_at is None and row.expires_at > now, row.verdict, name or "")
        for row, patient, doctor, name in session.execute(query.where(g.reviewed_at.is_(None)) if only_open else query)
    ]


def review(session: ClinicSession, grant_id: int, verdict: str) -> None:
    """Say that it was justified, or that it is to be discussed; once, and never by the doctor who broke it (NotAllowed)."""
    if not verdict or verdict not in VERDICTS:
        raise Invalid("verdict", "Choose whether it was justified.")
    session.execute(select(func.clinic.review_glass(grant_id, verdict)))


def _words(session: ClinicSession, row: AccessGrant) -> str:
    """Why, in words; "" for who lost the access she had, and after the patient was erased."""
    try:
        return open_text(session, _place(row.patient_id, row.id), row.words or b"")
    except (NotAllowed, SealBroken):
        return ""
