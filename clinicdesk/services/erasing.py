"""Erasing a person: her keys are destroyed, her identity is overwritten, her records go; what the law keeps stays without a name.

The ledger remembers who was erased, so that restoring an older backup does not bring anybody back: `replay` erases again. It is kept in
three places (the database, a file of the data folder, the document server), each line proven under the clinic key and chained to the
one before. See docs/decisions/0015-keys-and-erasure.md.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import event, func, insert, select, text

from clinicdesk.errors import ClinicError, Invalid, NotAllowed, Unavailable
from clinicdesk.models.erasing import Erasure
from clinicdesk.models.files import Attachment
from clinicdesk.services.person import ids_of
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Vault

#: The file of the ledger in a data folder.
LEDGER: Final = "erasures.jsonl"
_log = logging.getLogger(__name__)

REASONS: Final = {
    "request": "She asked for it",
    "retention": "The retention period is over",
    "mistake": "Registered by mistake",
    "court": "Ordered by a court or an authority",
}
#: What becomes of a table's rows about an erased person. tests/security/test_erasing.py compares this with the database's own catalogue.
DELETED, BLANKED, KEPT = "deleted", "blanked", "kept"
INVENTORY: Final[dict[str, tuple[str, str]]] = {
    "auth.users": (BLANKED, "The kiosk account: name and user name overwritten, password deleted, switched off."),
    "clinic.patients": (BLANKED, "Name, contact and address overwritten; of the date of birth the year stays, for statistics."),
    "clinic.access_grants": (KEPT, "Who opened the record as an emergency, and when; the words are sealed and cannot be read any more."),
    "clinic.appointments": (BLANKED, "Times stay for the numbers of the clinic; words go, coming ones are cancelled."),
    "clinic.charges": (BLANKED, "Books are kept by law: amounts and what was charged stay, typed reasons go."),
    "clinic.receipts": (BLANKED, "Books are kept by law: number, day and amounts stay, typed reasons go."),
    "clinic.payments": (KEPT, "Books are kept by law; holds amounts only."),
    "clinic.wallets": (KEPT, "A balance of nothing."),
    "clinic.wallet_entries": (BLANKED, "Books are kept by law: amounts stay, typed reasons go."),
    "clinic.voids": (KEPT, "A cancelled paper stays cancelled for whoever checks it; its reason is unreadable without the key."),
    "clinic.erasures": (KEPT, "The ledger itself."),
    **{f"clinic.{name}": (DELETED, "Key destroyed.") for name in ("patient_keys",)},
    **{f"clinic.{name}": (DELETED, "Identity.") for name in (
        "patient_terms", "patient_tags", "emergency_contacts", "sealed_fields", "photos", "import_keys", "different_people", "aliases")},
    **{f"clinic.{name}": (DELETED, "Clinical record.") for name in (
        "consultations", "notes", "vitals", "diagnoses", "addenda", "problems", "allergies", "allergy_statements", "medicines",
        "medicine_stops", "prescriptions", "prescription_items", "patient_facts", "alert_firings", "alert_overrides", "papers",
        "signatures", "records", "annotations", "attachments", "immunizations", "visits", "session_log")},
    **{f"clinic.{name}": (DELETED, "Of the day's work only.") for name in (
        "assignments", "care", "series", "waiting_list", "offers", "tickets", "messages", "notifications")},
}


class LedgerBroken(ClinicError):
    """A line of the erasure ledger was changed, left out or written without the clinic key."""

    def __init__(self, number: int) -> None:
        super().__init__(f"The erasure ledger is not whole: line {number} is missing or not genuine.",
                         "Use the ledger of another computer or of the document server.")


@dataclass(frozen=True, slots=True)
class Line:
    """One erased record. `erased_at` is aware; `proof` in hexadecimal covers the line and the proof of the line before."""

    number: int
    patient_id: str
    erased_at: str
    erased_by: str
    reason: str
    generation: int
    proof: str

    def proven(self, vault: Vault, before: str) -> bool:
        """Whether this line was written with the clinic key and follows the line with the proof `before`."""
        return self.proof == _proof(vault, before, self)


def _proof(vault: Vault, before: str, line: Line) -> str:
    parts = (str(line.number), line.patient_id, line.erased_at, line.erased_by, line.reason, str(line.generation), before)
    return vault.mark("erasure ledger", "\x1f".join(parts).encode(), line.generation).hex()


@dataclass(frozen=True, slots=True)
class Erased:
    """Which records are gone, and how many lines the ledger has now."""

    patient_ids: tuple[str, ...]
    lines: int


def erase(session: ClinicSession, patient_id: str, typed_number: str, reason: str) -> Erased:
    """Erase a person with all records merged with this one; administrators only. There is no way back.

    `typed_number` is the record number as a person typed it; Invalid when it is another one or no reason is chosen. Documents are taken
    away by the worker; without their keys they are unreadable at once.
    """
    if session.me is None or session.me.role != "administrator":
        raise NotAllowed("Only an administrator erases patients.")
    if typed_number.strip().lower() != patient_id:
        raise Invalid("number", "This is not the record number of this patient.")
    if reason not in REASONS:
        raise Invalid("reason", "Choose why.")
    session.execute(text("select pg_advisory_xact_lock(hashtext('clinic.erasures'))"))
    known = ledger(session)
    ids, now = ids_of(session, patient_id), session.now().astimezone(UTC)
    added: list[Line] = []
    before = known[-1].proof if known else ""
    for number, record in enumerate(ids, len(known) + 1):
        line = Line(number, record, now.isoformat(), session.me.username, reason, session.vault.generation, "")
        added.append(replace(line, proof=_proof(session.vault, before, line)))
        before = added[-1].proof
    with session.attempt():
        session.execute(select(func.clinic.erase(patient_id, reason, now, added[0].number, list(ids), session.vault.generation,
                                                 [bytes.fromhex(line.proof) for line in added])))
    session.expire_all()
    event.listen(session, "after_commit", lambda _session: _keep(session.folder / LEDGER, [*known, *added]), once=True)
    return Erased(tuple(ids), len(known) + len(added))


def ledger(session: ClinicSession) -> list[Line]:
    """The lines this database has, in order; for administrators, the worker and the owner."""
    return [Line(e.number, e.patient_id, e.erased_at.astimezone(UTC).isoformat(), e.erased_by, e.reason, e.generation, e.proof.hex())
            for e in session.scalars(select(Erasure).order_by(Erasure.number))]


def read_ledger(path: Path) -> list[Line]:
    """The lines of a ledger file; nothing when there is none. A last line cut off by a power failure does not count."""
    try:
        rows = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return []
    found = []
    for place, row in enumerate(rows):
        try:
            if row.strip():
                found.append(Line(**json.loads(row)))
        except (ValueError, TypeError):
            if place != len(rows) - 1:
                raise LedgerBroken(len(found) + 1) from None
    return found


def everywhere(session: ClinicSession, *more: Sequence[Line]) -> list[Line]:
    """The ledger put together from database, file, document server (where it answers) and `more`. LedgerBroken unless every line of it
    is genuine and none is missing before the last."""
    try:
        stored = [Line(**row) for row in session.documents.erasures()]
    except Unavailable:
        stored = []
    return proven(session.vault, ledger(session), read_ledger(session.folder / LEDGER), stored, *more)


def proven(vault: Vault, *sources: Iterable[Line]) -> list[Line]:
    """Several copies of the ledger as one; a line that is not genuine counts only if no copy has the genuine one. LedgerBroken else."""
    by_number: dict[int, list[Line]] = {}
    for source in sources:
        for line in source:
            by_number.setdefault(line.number, []).append(line)
    whole: list[Line] = []
    for number in range(1, max(by_number, default=0) + 1):
        before = whole[-1].proof if whole else ""
        genuine = next((line for line in by_number.get(number, ()) if line.proven(vault, before)), None)
        if genuine is None:
            raise LedgerBroken(number)
        whole.append(genuine)
    return whole


def behind(session: ClinicSession, lines: Sequence[Line]) -> int:
    """How many erasures of a ledger this database does not know: more than none means that it is older than they are, and that it must
    not be used before `replay`."""
    return len({line.number for line in lines} - set(session.scalars(select(Erasure.number))))


def replay(session: ClinicSession, lines: Sequence[Line]) -> int:
    """Erase again everybody a ledger names; as the owner, after a restore, before anybody works. How many lines were new here.

    Idempotent. LedgerBroken, and nothing done, when a line is not genuine.
    """
    lines = proven(session.vault, lines, ledger(session))
    known = set(session.scalars(select(Erasure.number)))
    missing = [line for line in lines if line.number not in known]
    if missing:
        session.execute(insert(Erasure), [
            {**asdict(line), "erased_at": datetime.fromisoformat(line.erased_at), "proof": bytes.fromhex(line.proof)} for line in missing])
    ids = [line.patient_id for line in lines]
    if ids:
        files = list(session.scalars(select(Attachment.id).where(Attachment.patient_id.in_(ids))))
        session.execute(text("select clinic.erase_rows(:ids)"), {"ids": ids})
        for line in missing:
            session.execute(text("select audit.note('erase again', 'patient', :p, 'restore')"), {"p": line.patient_id})
        session.expire_all()
        try:
            drop_documents(session, ids, files)
        except Unavailable as away:
            _log.warning("documents of erased records wait for the document server: %s", away.sentence)
    event.listen(session, "after_commit", lambda _session: _keep(session.folder / LEDGER, lines), once=True)
    return len(missing)


def drop_documents(session: ClinicSession, patient_ids: Sequence[str], files: Iterable[str | UUID]) -> None:
    """Take the documents of erased records away and keep the ledger beside them and on this computer. Again changes nothing.

    Raises Unavailable when the document server is away.
    """
    session.documents.drop_visits(patient_ids)
    for name in files:
        session.documents.drop_file(str(name))
    lines = ledger(session)
    _keep(session.folder / LEDGER, lines)
    session.documents.keep_erasures(asdict(line) for line in lines)


def _keep(path: Path, lines: Sequence[Line]) -> None:
    """Append to the ledger file what it does not have yet; on return it is on the disk. A disk that refuses is logged: the database and
    the document server have the lines, and the next erasure tries again."""
    try:
        have = {line.number for line in read_ledger(path)}
        rows = [json.dumps(asdict(line)) for line in lines if line.number not in have]
        if not rows:
            return
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(fd, "r+b") as file:
            file.truncate(file.read().rfind(b"\n") + 1)  # a line that a power failure cut off is written again
            file.seek(0, os.SEEK_END)
            file.write("".join(f"{row}\n" for row in rows).encode())
            file.flush()
            os.fsync(file.fileno())
    except (OSError, LedgerBroken) as error:
        _log.error("the erasure ledger %s could not be written: %s", path, type(error).__name__)
