"""The session log of a patient: therapy sessions with a sealed note each, written by doctors in care and never changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.records import TherapySession
from clinicdesk.rules.texts import tidy
from clinicdesk.services.person import of_person
from clinicdesk.services.sealing import open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, SealBroken

KINDS = {
    "physiotherapy": "Physiotherapy",
    "occupational": "Occupational therapy",
    "speech": "Speech therapy",
    "psychotherapy": "Psychotherapy",
    "counselling": "Counselling",
    "other": "Other",
}
UNREADABLE = "This note cannot be read: its seal is broken."


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session in the log, its note opened."""

    id: int
    happened_at: datetime
    kind: str
    title: str
    minutes: int
    therapist: str
    note: str


def _place(patient_id: str, key: str) -> Place:
    return Place(patient_id, f"session:{key}", "note")


def of_patient(session: ClinicSession, patient_id: str, limit: int = 200) -> list[SessionEntry]:
    """Sessions of a patient, newest first; nothing for who is not in care of her."""
    t = TherapySession
    rows = session.rows(
        select(t.patient_id, t.id, t.happened_at, t.kind, t.title, t.minutes, User.name, t.key, t.note)
        .join(User, User.id == t.therapist_id)
        .where(of_person(t.patient_id, patient_id))
        .order_by(t.happened_at.desc(), t.id.desc())
        .limit(limit)
    )
    return [
        SessionEntry(entry_id, at, kind, title, minutes, name, _opened(session, _place(record, key), note))
        for record, entry_id, at, kind, title, minutes, name, key, note in rows
    ]


def _opened(session: ClinicSession, place: Place, sealed: bytes) -> str:
    try:
        return open_text(session, place, sealed)
    except SealBroken:
        return UNREADABLE


def add(session: ClinicSession, patient_id: str, kind: str, title: str, minutes: int, happened_at: datetime, note: str, key: str) -> int:
    """Write a session of a patient in one's care; the same `key` again writes nothing more. The entry's id."""
    if kind not in KINDS:
        raise Invalid("kind", "Choose a kind of the list.")
    if not 1 <= len(tidy(title)) <= 200:
        raise Invalid("title", "Title: 1 to 200 characters.")
    if not 1 <= minutes <= 600:
        raise Invalid("minutes", "A session lasts 1 to 600 minutes.")
    if happened_at > session.now() + timedelta(minutes=5):
        raise Invalid("starts_at", "A session is written down after it began.")
    if len(note) > 10_000:
        raise Invalid("note", "Note: at most 10,000 characters.")
    if session.me is None or session.me.doctor_id is None:
        raise NotAllowed
    known = session.scalar(select(TherapySession.id).where(TherapySession.key == key, of_person(TherapySession.patient_id, patient_id)))
    if known is not None:
        return known
    values = {
        "key": key,
        "patient_id": patient_id,
        "happened_at": happened_at,
        "kind": kind,
        "title": tidy(title),
        "minutes": minutes,
        "therapist_id": session.my_id,
        "note": seal_text(session, _place(patient_id, key), note.strip()),
    }
    with session.attempt():
        return int(session.scalars(insert(TherapySession).returning(TherapySession.id), values).one())
