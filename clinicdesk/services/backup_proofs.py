"""What the clinic knows of its backups: that one was taken, which were proven by a rehearsal, and whether a proof is overdue."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, func, select, text

from clinicdesk.errors import ClinicError
from clinicdesk.models.files import Attachment
from clinicdesk.models.operations import BackupProof
from clinicdesk.models.people import PatientKey
from clinicdesk.models.records import OutboxVisit, Visit
from clinicdesk.pdf.certificate import Certificate, render
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.services import attachments, visits
from clinicdesk.services.sealing import CLINICAL, open_text
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import SealBroken
from clinicdesk.storage.visit_documents import document_id

#: A backup that was not proven for longer is a hope (security-reliability.md § 3.11 has 8 days as the alarm; one is left to act).
PROOF_DAYS = 7


@dataclass(frozen=True, slots=True)
class Proof:
    """One rehearsal. Times are aware; `numbers` are counts, seconds and, when it failed, sentences; `by` who asked, "" for the clinic's own
    jobs."""

    id: int
    at: datetime
    file_name: str
    file_size: int
    sha256: str
    taken_at: datetime
    ok: bool
    numbers: dict[str, Any]
    by: str


@dataclass(frozen=True, slots=True)
class NewProof:
    """A rehearsal to be remembered."""

    file_name: str
    file_size: int
    sha256: str
    taken_at: datetime
    ok: bool
    numbers: dict[str, Any]


def store(session: ClinicSession, new: NewProof) -> int:
    """Keep the outcome of a rehearsal; its number. As an administrator where somebody is signed in, else as the clinic's own tool."""
    verb = "record_proof" if session.me is not None else "store_proof"
    return int(session.execute(
        text(f"select clinic.{verb}(:file, :size, :sha256, :taken, :ok, cast(:numbers as jsonb))"),
        {"file": new.file_name, "size": new.file_size, "sha256": new.sha256, "taken": new.taken_at, "ok": new.ok,
         "numbers": json.dumps(new.numbers)}).scalar_one())


def note_backup(session: ClinicSession, octets: int) -> None:
    """Write into the audit log that a backup was taken."""
    if session.me is not None:
        session.execute(text("select clinic.record_backup(:bytes)"), {"bytes": octets})
    else:
        session.execute(text("select clinic.store_backup('back up', cast(:detail as jsonb))"), {"detail": json.dumps({"bytes": octets})})


def note_restore(session: ClinicSession, taken_at: datetime) -> None:
    """Write into the restored clinic's audit log that it was restored, and from when."""
    session.execute(text("select clinic.store_backup('restore', cast(:detail as jsonb))"),
                    {"detail": json.dumps({"taken at": taken_at.isoformat()})})


def proofs(session: ClinicSession, limit: int = 100) -> list[Proof]:
    """Rehearsals, newest first."""
    found = session.scalars(select(BackupProof).order_by(BackupProof.at.desc(), BackupProof.id.desc()).limit(limit))
    return [Proof(p.id, p.at, p.file_name, p.file_size, p.sha256, p.taken_at, p.ok, p.numbers, p.proved_by) for p in found]


def open_some(session: ClinicSession, most: int) -> tuple[int, int, list[str]]:
    """Open visit documents and attachments chosen at random with their patients' keys; how many of each, and what did not open.

    For the owner's tool on restored databases. A patient whose key was destroyed was erased: nothing of hers can or should open.
    """
    has_key = exists().where(PatientKey.purpose == CLINICAL, PatientKey.patient_id == Visit.patient_id)
    chosen = session.execute(
        select(Visit.id, Visit.revision, Visit.patient_id, OutboxVisit.visit, OutboxVisit.delivered_at)
        .join(OutboxVisit, (OutboxVisit.visit_id == Visit.id) & (OutboxVisit.revision == Visit.revision))
        .where(has_key).order_by(func.random()).limit(most)).all()
    stored = session.documents.get_visits([document_id(row.id, row.revision) for row in chosen if row.delivered_at is not None])
    problems: list[str] = []
    for row in chosen:
        found = stored.get(document_id(row.id, row.revision))
        sealed = found.visit if found else row.visit if row.delivered_at is None else b""
        try:
            open_text(session, visits.place(row.patient_id, row.id, "visit", row.revision), sealed)
        except SealBroken:
            problems.append(f"The visit document {row.id} does not open with its patient's key.")
    files = session.scalars(
        select(Attachment.id).where(exists().where(PatientKey.purpose == CLINICAL, PatientKey.patient_id == Attachment.patient_id))
        .order_by(func.random()).limit(most)).all()
    for attachment in files:
        try:
            attachments.content(session, attachment)
        except ClinicError:
            problems.append(f"The attachment {attachment} does not open with its patient's key.")
    return len(chosen), len(files), problems


def last_proof(session: ClinicSession) -> datetime | None:
    """When a backup was last proven."""
    return session.scalar(select(func.max(BackupProof.at)).where(BackupProof.ok))


def last_proven_backup(session: ClinicSession) -> datetime | None:
    """When the newest backup was taken that was proven: what could be brought back for certain is as old as that."""
    return session.scalar(select(func.max(BackupProof.taken_at)).where(BackupProof.ok))


def founded_at(session: ClinicSession) -> datetime | None:
    """When the clinic began; None before its first account."""
    found: datetime | None = session.scalar(text("select clinic.founded_at()"))
    return found


def overdue(session: ClinicSession) -> str:
    """The sentence of the red banner, or "" while the newest backup that was proven is young enough (or the clinic is). For
    administrators. Proving an old file again makes it no younger."""
    proven, founded = last_proven_backup(session), founded_at(session)
    since = proven or founded
    if since is None or session.now() - since <= timedelta(days=PROOF_DAYS):
        return ""
    days = (session.now() - since).days
    if proven is None:
        return f"No backup of this clinic has ever been proven, and it is {days} days old. A failing disk would lose everything."
    return f"The newest backup that was proven to be restorable is {days} days old."


def certificate(session: ClinicSession, proof: Proof) -> bytes:
    """The page that says what a rehearsal found, as PDF."""
    clinic = clinic_settings(session)
    return render(Certificate(
        Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email), proof.at.astimezone(session.zone),
        proof.taken_at.astimezone(session.zone), proof.file_name, proof.file_size, proof.sha256, proof.ok, proof.numbers, proof.by))


