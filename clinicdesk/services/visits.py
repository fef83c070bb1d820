"""Visit histories: what a completed visit leaves behind, its way to MongoDB, and how a chart reads it again.

PostgreSQL knows which visits exist and in what order. Their sealed text is read from MongoDB by id, a page at a time; what is not
delivered yet, or cannot be fetched now, comes from the outbox, which keeps every document so that MongoDB can be rebuilt.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, func, or_, select, text, tuple_, update

from clinicdesk.errors import NotAllowed, Unavailable
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Consultation
from clinicdesk.models.people import Doctor
from clinicdesk.models.records import OutboxVisit, Visit
from clinicdesk.services import addendum_texts
from clinicdesk.services.addendum_texts import AddendumText
from clinicdesk.services.person import ids_of, kept, of_person
from clinicdesk.services.sealing import key_of, open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, SealBroken, unseal
from clinicdesk.storage.visit_documents import VisitDocument


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A visit in the chart's list."""

    id: UUID
    revision: int
    patient_id: str
    doctor_name: str
    visit_date: datetime
    delivered: bool


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed which consultation when: what the content hash covers besides the words."""

    consultation_id: int
    patient_id: str
    doctor_id: int
    signer_id: int
    at: datetime


@dataclass(frozen=True, slots=True)
class VisitText:
    """What was written at a visit. `source` is "documents", "database" (not delivered, or the document server is away) or "broken".

    `intact` is False when the words are not those that were signed: it is said, and nothing is hidden.
    """

    id: UUID
    revision: int
    doctor_name: str
    visit_date: datetime
    reason: str
    notes: dict[str, str]
    vitals: dict[str, str]
    diagnoses: tuple[str, ...]
    prescription: tuple[str, ...]
    source: str
    addenda: tuple[AddendumText, ...] = ()
    consultation_id: int = 0
    signed_by: str = ""
    signed_at: datetime | None = None
    intact: bool = True


@dataclass(frozen=True, slots=True)
class NewVisit:
    """Everything a visit document holds, in plain, before sealing."""

    id: UUID
    appointment_id: int
    consultation_id: int
    patient_id: str
    doctor_id: int
    doctor_name: str
    visit_date: datetime
    reason: str
    notes: dict[str, str]
    vitals: dict[str, str]
    prescription: dict[str, Any]
    diagnoses: list[str] = field(default_factory=list)


def content_hash(
    signature: Signature,
    notes: Mapping[str, str],
    vitals: Mapping[str, str],
    diagnoses: Sequence[str],
    prescription: Mapping[str, Any],
) -> bytes:
    """SHA-256 over what was signed, by whom and when, in canonical JSON. Diagnoses take part where there are any."""
    content = {
        "consultation": signature.consultation_id,
        "patient": signature.patient_id,
        "doctor": signature.doctor_id,
        "signer": signature.signer_id,
        "notes": dict(notes),
        "vitals": dict(vitals),
        "prescription": dict(prescription),
        "at": signature.at.isoformat(),
        **({"diagnoses": list(diagnoses)} if diagnoses else {}),
    }
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()).digest()


def place(patient_id: str, visit_id: UUID, part: str, revision: int) -> Place:
    """Where a part of a visit document is sealed for."""
    return Place(patient_id, f"visit:{visit_id}", part, revision)


def add(session: ClinicSession, new: NewVisit, revision: int = 1) -> None:
    """Write the visit and its sealed document; the outbox's trigger queues the delivery in the same transaction."""
    whole = {
        "visit_id": str(new.id),
        "revision": revision,
        "appointment_id": new.appointment_id,
        "patient_id": new.patient_id,
        "doctor_id": new.doctor_id,
        "doctor_name": new.doctor_name,
        "visit_date": new.visit_date.isoformat(),
        "reason": new.reason,
        "notes": new.notes,
        "vitals": new.vitals,
        "prescription": new.prescription,
        "diagnoses": new.diagnoses,
        "addenda": [],
    }
    _store(session, new, revision, whole)


def add_revision(session: ClinicSession, visit: Visit, whole: dict[str, Any], addendum: dict[str, str]) -> None:
    """Write a visit's document once more with one addendum (text, author, at) more; nothing else of it changes."""
    revision = visit.revision + 1
    whole = {**whole, "revision": revision, "addenda": [*whole.get("addenda", ()), addendum]}
    _store(session, visit, revision, whole)


def _store(session: ClinicSession, new: NewVisit | Visit, revision: int, whole: dict[str, Any]) -> None:
    sealed = {
        part: seal_text(session, place(new.patient_id, new.id, part, revision), json.dumps(value, ensure_ascii=False))
        for part, value in {"notes": whole["notes"], "prescription": whole["prescription"], "visit": whole}.items()
    }
    session.add(
        Visit(
            id=new.id,
            revision=revision,
            patient_id=new.patient_id,
            appointment_id=new.appointment_id,
            consultation_id=new.consultation_id,
            doctor_id=new.doctor_id,
            visit_date=new.visit_date,
        )
    )
    session.flush()
    session.add(OutboxVisit(visit_id=new.id, revision=revision, **sealed))
    session.flush()


def of_patient(session: ClinicSession, patient_id: str, limit: int = 50, before: tuple[datetime, UUID] | None = None) -> list[VisitRow]:
    """A page of a patient's visits, newest first, each in its newest revision.

    `before` (date and id of the last one shown) asks for the next page.
    """
    newest = (
        select(Visit.id, func.max(Visit.revision).label("revision")).where(of_person(Visit.patient_id, patient_id)).group_by(Visit.id)
    ).subquery()
    query = (
        select(Visit.id, Visit.revision, Visit.patient_id, User.name, Visit.visit_date, OutboxVisit.delivered_at.is_not(None))
        .join(newest, (newest.c.id == Visit.id) & (newest.c.revision == Visit.revision))
        .join(Doctor, Doctor.id == Visit.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .join(OutboxVisit, (OutboxVisit.visit_id == Visit.id) & (OutboxVisit.revision == Visit.revision))
        .where(of_person(Visit.patient_id, patient_id))
        .order_by(Visit.visit_date.desc(), Visit.id)
        .limit(limit)
    )
    if before is not None:
        at, visit_id = before
        query = query.where(or_(Visit.visit_date < at, and_(Visit.visit_date == at, Visit.id > visit_id)))
    return [VisitRow(*row) for row in session.execute(query)]


def count(session: ClinicSession, patient_id: str) -> int:
    """How many visits a patient has had."""
    return session.scalar(select(func.count(func.distinct(Visit.id))).where(of_person(Visit.patient_id, patient_id))) or 0


def read(session: ClinicSession, rows: Sequence[VisitRow]) -> list[VisitText]:
    """The texts of some visits of one patient, in the order given: one round trip to MongoDB, the rest from the outbox."""
    if not rows:
        return []
    found: dict[tuple[UUID, int], tuple[bytes, str]] = {}
    wanted = [f"{row.id}:{row.revision}" for row in rows if row.delivered]
    if wanted:
        try:
            for document in session.documents.get_visits(wanted).values():
                found[document.visit_id, document.revision] = document.visit, "documents"
        except Unavailable:
            pass  # the outbox below has every one of them; the status line says that the document server is away
    missing = [(row.id, row.revision) for row in rows if (row.id, row.revision) not in found]
    if missing:
        stored = session.execute(
            select(OutboxVisit.visit_id, OutboxVisit.revision, OutboxVisit.visit).where(
                tuple_(OutboxVisit.visit_id, OutboxVisit.revision).in_(missing)
            )
        )
        for visit_id, revision, sealed in stored:
            found[visit_id, revision] = sealed, "database"
    signed = _signatures(session, [row.id for row in rows])
    added = addendum_texts.of_consultations(session, [one[0].consultation_id for one in signed.values()])
    return [_opened(session, row, *found.get((row.id, row.revision), (b"", "broken")), signed.get(row.id), added) for row in rows]


def _signatures(session: ClinicSession, ids: Sequence[UUID]) -> dict[UUID, tuple[Signature, bytes, str]]:
    """Of each visit its signature, the stored hash and the signer's name."""
    rows = session.execute(
        select(
            Visit.id,
            Consultation.id,
            Consultation.patient_id,
            Consultation.doctor_id,
            Consultation.signed_by,
            Consultation.completed_at,
            Consultation.content_sha256,
            User.name,
        )
        .join(Consultation, Consultation.id == Visit.consultation_id)
        .join(User, User.id == Consultation.signed_by)
        .where(Visit.id.in_(ids), Visit.revision == 1)
    )
    return {visit: (Signature(number, patient, doctor, signer, at), stored, name)
            for visit, number, patient, doctor, signer, at, stored, name in rows
            if signer is not None and at is not None and stored is not None}


def newest(session: ClinicSession, consultation_id: int) -> tuple[Visit, dict[str, Any]]:
    """The visit of a signed consultation in its newest revision, and all its words, out of PostgreSQL. NotAllowed when there is none."""
    visit = session.scalars(
        select(Visit).where(Visit.consultation_id == consultation_id).order_by(Visit.revision.desc()).limit(1)
    ).one_or_none()
    if visit is None:
        raise NotAllowed
    sealed = session.scalars(
        select(OutboxVisit.visit).where(OutboxVisit.visit_id == visit.id, OutboxVisit.revision == visit.revision)
    ).one()
    return visit, json.loads(open_text(session, place(visit.patient_id, visit.id, "visit", visit.revision), sealed))


def _opened(session: ClinicSession, row: VisitRow, sealed: bytes, source: str, signed: tuple[Signature, bytes, str] | None,
            added: Mapping[int, Sequence[AddendumText]]) -> VisitText:
    try:
        key = key_of(session, row.patient_id, "clinical")
        whole = json.loads(unseal(key, sealed, place(row.patient_id, row.id, "visit", row.revision)))
    except SealBroken:
        return VisitText(row.id, row.revision, row.doctor_name, row.visit_date, "", {}, {}, (), (), "broken")
    diagnoses = whole.get("diagnoses", ())
    addenda = tuple(added.get(signed[0].consultation_id, ())) if signed else ()
    same = [one.text for one in addenda] == [one["text"] for one in whole.get("addenda", ())]
    found = signed and content_hash(signed[0], whole["notes"], whole["vitals"], diagnoses, whole["prescription"])
    return VisitText(
        row.id,
        row.revision,
        row.doctor_name,
        row.visit_date,
        whole.get("reason", ""),
        whole["notes"],
        whole["vitals"],
        tuple(diagnoses),
        tuple(whole["prescription"].get("lines", ())),
        source,
        addenda,
        signed[0].consultation_id if signed else 0,
        signed[2] if signed else "",
        signed[0].at if signed else None,
        signed is not None and found == signed[1] and same,
    )


def undelivered(session: ClinicSession) -> int:
    """How many visits still wait for the document server."""
    return int(session.scalar(text("select clinic.undelivered()")) or 0)


def waiting(session: ClinicSession, limit: int = 500) -> list[tuple[UUID, int]]:
    """Visits not delivered yet, oldest first; for the worker."""
    return [
        (r[0], r[1])
        for r in session.execute(
            select(OutboxVisit.visit_id, OutboxVisit.revision)
            .where(OutboxVisit.delivered_at.is_(None))
            .order_by(OutboxVisit.created_at)
            .limit(limit)
        )
    ]


def total(session: ClinicSession) -> int:
    """How many visit documents there should be, revisions counted; for the worker."""
    return session.scalar(select(func.count()).select_from(OutboxVisit)) or 0


def waiting_count(session: ClinicSession) -> int:
    """How many of them wait to be delivered; for the worker."""
    return session.scalar(select(func.count()).select_from(OutboxVisit).where(OutboxVisit.delivered_at.is_(None))) or 0


def deliver(session: ClinicSession, visit_id: UUID, revision: int, *, again: bool = False) -> bool:
    """Carry one document to MongoDB under its own id and mark it delivered; True when it went. For the worker.

    The row is locked, so two workers never carry one visit at once, and putting it twice changes nothing. Raises Unavailable when the
    document server is away; the caller's transaction then changes nothing. `again` sends it even when delivered (rebuild).
    """
    row = session.execute(
        select(OutboxVisit.notes, OutboxVisit.prescription, OutboxVisit.visit, OutboxVisit.created_at, OutboxVisit.delivered_at)
        .where(OutboxVisit.visit_id == visit_id, OutboxVisit.revision == revision)
        .with_for_update()
    ).one_or_none()
    if row is None or (row.delivered_at is not None and not again):
        return False
    visit = session.execute(
        select(Visit.appointment_id, Visit.patient_id, Visit.doctor_id, Visit.visit_date).where(
            Visit.id == visit_id, Visit.revision == revision
        )
    ).one()
    _hold_documents(session, shared=True)
    session.documents.put_visit(
        VisitDocument(
            visit_id=visit_id,
            revision=revision,
            appointment_id=visit.appointment_id,
            patient_id=visit.patient_id,
            doctor_id=visit.doctor_id,
            visit_date=visit.visit_date,
            notes=row.notes,
            prescription=row.prescription,
            visit=row.visit,
            created_at=row.created_at,
            person_id=kept(session, visit.patient_id),
        )
    )
    session.execute(
        update(OutboxVisit)
        .where(OutboxVisit.visit_id == visit_id, OutboxVisit.revision == revision)
        .values(delivered_at=func.coalesce(OutboxVisit.delivered_at, func.now()), attempts=OutboxVisit.attempts + 1, last_problem="")
    )
    return True


def follow_person(session: ClinicSession, patient_id: str) -> int:
    """Put the visit documents of a person under the record she is kept under now; how many changed. For the worker.

    Again changes nothing. A delivery under way is waited for, so that no document stays under a person it was read before the merge.
    """
    _hold_documents(session, shared=False)
    return session.documents.set_person(ids_of(session, patient_id), kept(session, patient_id))


def _hold_documents(session: ClinicSession, *, shared: bool) -> None:
    """Until the end of the transaction deliveries (shared) and moves to another person wait for each other."""
    way = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    session.execute(text(f"select {way}(hashtext('clinic.documents'))"))


def every(session: ClinicSession) -> list[tuple[UUID, int]]:
    """All visits there are; for rebuilding MongoDB."""
    return [(r[0], r[1]) for r in session.execute(select(OutboxVisit.visit_id, OutboxVisit.revision).order_by(OutboxVisit.created_at))]
