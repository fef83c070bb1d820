"""Health records of several types with doctors' annotations; booking makes the visit's record by itself (trigger)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor
from clinicdesk.models.records import Annotation, Record
from clinicdesk.services.person import of_person
from clinicdesk.services.sealing import open_text, seal_number, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place

KINDS = {
    "visit": "Visit",
    "encounter": "Earlier encounter",
    "diagnosis": "Diagnosis",
    "result": "Result",
    "procedure": "Procedure",
    "letter": "Letter",
    "general": "General",
}


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record in the list, with how many annotations it has."""

    id: int
    patient_id: str
    kind: str
    title: str
    happened_at: datetime
    created_by: str
    has_text: bool
    annotations: int


@dataclass(frozen=True, slots=True)
class AnnotationText:
    """A doctor's remark."""

    doctor_name: str
    created_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class RecordText:
    """A record opened: its description and annotations, oldest first."""

    row: RecordRow
    description: str
    annotations: tuple[AnnotationText, ...]


def of_patient(session: ClinicSession, patient_id: str, limit: int = 200) -> list[RecordRow]:
    """Records of a patient, newest first."""
    notes = (
        select(Annotation.record_id, func.count().label("n"))
        .where(of_person(Annotation.patient_id, patient_id))
        .group_by(Annotation.record_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Record.id,
            Record.patient_id,
            Record.kind,
            Record.title,
            Record.happened_at,
            func.coalesce(User.name, ""),
            Record.description.is_not(None),
            func.coalesce(notes.c.n, 0),
        )
        .outerjoin(User, User.id == Record.created_by)
        .outerjoin(notes, notes.c.record_id == Record.id)
        .where(of_person(Record.patient_id, patient_id))
        .order_by(Record.happened_at.desc(), Record.id.desc())
        .limit(limit)
    )
    return [RecordRow(*row) for row in rows]


def read(session: ClinicSession, row: RecordRow) -> RecordText:
    """Open a record."""
    stored = session.get(Record, row.id)
    if stored is None:
        raise NotAllowed
    described = ""
    if stored.description is not None:
        described = open_text(session, description_place(row.patient_id, stored.source_key or f"record:{stored.id}"), stored.description)
    remarks = session.execute(
        select(User.name, Annotation.created_at, Annotation.body, Annotation.seal_number)
        .join(Doctor, Doctor.id == Annotation.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(Annotation.record_id == row.id)
        .order_by(Annotation.id)
    )
    texts = tuple(
        AnnotationText(name, at, open_text(session, Place(row.patient_id, f"record:{row.id}", "annotation", number), body))
        for name, at, body, number in remarks
    )
    return RecordText(row, described, texts)


def description_place(patient_id: str, name: str) -> Place:
    """Where the description of a record is sealed for; `name` is its source key or `record:` and its id."""
    return Place(patient_id, name, "description")


def add(session: ClinicSession, patient_id: str, kind: str, title: str, description: str, happened_at: datetime | None = None) -> int:
    """Write a record about a patient in one's care."""
    if kind not in KINDS or kind in {"visit", "encounter"}:
        raise Invalid("kind", "Choose a kind of the list.")
    if not 1 <= len(title.strip()) <= 200:
        raise Invalid("title", "Title: 1 to 200 characters.")
    if len(description) > 10_000:
        raise Invalid("description", "Description: at most 10,000 characters.")
    row = Record(patient_id=patient_id, kind=kind, title=title.strip(), happened_at=happened_at or session.now(), created_by=session.my_id)
    session.add(row)
    session.flush()
    if description.strip():
        row.description = seal_text(session, description_place(patient_id, f"record:{row.id}"), description)
        session.flush()
    return row.id


def annotate(session: ClinicSession, row: RecordRow, text: str) -> None:
    """Add a remark to a record; the record itself stays as it was."""
    if session.me is None or session.me.doctor_id is None:
        raise NotAllowed
    if not 1 <= len(text.strip()) <= 2000:
        raise Invalid("text", "Remark: 1 to 2,000 characters.")
    number = seal_number()
    body = seal_text(session, Place(row.patient_id, f"record:{row.id}", "annotation", number), text.strip())
    session.add(Annotation(record_id=row.id, patient_id=row.patient_id, doctor_id=session.me.doctor_id, body=body, seal_number=number))
    session.flush()
