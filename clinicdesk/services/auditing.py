"""The audit log: who did what to whose record; its report, its proof, and the anchors that leave the database.

Events are written by the database (migrations/sql/0014_audit.sql, 0018_audit_trail.sql); here they are read, verified and anchored.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from sqlalchemy import text

from clinicdesk.errors import ClinicError
from clinicdesk.interchange.delimited import harmless
from clinicdesk.rules.audit_chain import Anchor, Restored, Verdict, verify
from clinicdesk.storage.database import ClinicSession

#: The file of anchors in a data folder: one JSON object a line, only ever appended to.
ANCHORS: Final = "anchors.jsonl"
_MARK, _RESTORE = "audit anchor", "audit restore"
Progress = Callable[[int, int], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the report; `columns` names what was changed, never a value."""

    event_id: int
    at: datetime
    actor: str
    role: str
    workstation: str
    action: str
    category: str
    patient_id: str
    patient: str
    subject: str
    columns: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report asks for: days of the clinic's zone, and parts that must be equal ("" for any)."""

    first: date
    last: date
    actor: str = ""
    action: str = ""
    category: str = ""
    patient_id: str = ""
    outcome: str = ""


#: A report longer than this is cut, and says so.
MOST_ROWS: Final = 50_000
_REPORT = """
select e.id, e.at, e.actor, e.role, e.workstation, e.action, e.category, coalesce(e.patient_id, '') as patient_id,
       coalesce(p.last_name || ', ' || p.first_name, '') as patient, e.subject,
       coalesce((select string_agg(c, ', ') from jsonb_array_elements_text(e.detail -> 'columns') c), '') as columns, e.outcome
  from audit.events e left join clinic.patients p on p.id = e.patient_id
 where e.at >= :first and e.at < :last and (:actor = '' or e.actor = :actor) and (:action = '' or e.action = :action)
   and (:category = '' or e.category = :category) and (:outcome = '' or e.outcome = :outcome)
   and (:patient = '' or e.patient_id = any(clinic.person_ids(:patient)))
 order by e.id desc limit :most"""


def report(session: ClinicSession, wanted: Wanted) -> list[EventRow]:
    """The events that fit, newest first, at most MOST_ROWS; administrators only (others see none)."""
    zone = session.zone
    found = session.execute(text(_REPORT), {
        "first": datetime.combine(wanted.first, time(), tzinfo=zone),
        "last": datetime.combine(wanted.last + timedelta(days=1), time(), tzinfo=zone), "actor": wanted.actor, "action": wanted.action,
        "category": wanted.category, "outcome": wanted.outcome, "patient": wanted.patient_id, "most": MOST_ROWS})
    return [EventRow(*row) for row in found]


def choices(session: ClinicSession) -> dict[str, list[str]]:
    """The values a report may be narrowed to: who, what, which part."""
    return {name: list(session.scalars(text(f"select distinct {name} from audit.events order by 1")))  # noqa: S608  three fixed names
            for name in ("actor", "action", "category")}


def report_csv(rows: list[EventRow]) -> bytes:
    """The report as a table for a spreadsheet: UTF-8 with its mark, moments in UTC."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["Number", "When (UTC)", "Who", "Role", "Where", "Action", "Part", "Patient number", "Subject", "Columns", "Outcome"])
    for row in rows:
        writer.writerow([row.event_id, row.at.astimezone(UTC).isoformat(timespec="milliseconds"), *map(harmless, (
            row.actor, row.role, row.workstation, row.action, row.category, row.patient_id, row.subject, row.columns, row.outcome))])
    return out.getvalue().encode("utf-8-sig")


def told(session: ClinicSession, action: str, category: str, patient_id: str | None, subject: str = "") -> None:
    """Write down what only the desk knows: an export, a preview, a lock. `action` is one the database accepts (audit.told)."""
    session.execute(text("select audit.told(:action, :category, :patient, :subject)"),
                    {"action": action, "category": category, "patient": patient_id, "subject": subject})


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who opened or changed the record of the patient who asks."""

    at: datetime
    name: str
    role: str
    action: str
    category: str


def my_readers(session: ClinicSession, limit: int = 500) -> list[Reader]:
    """Who opened or changed my record, newest first; for the patient who is signed in."""
    found = session.execute(text("select at, name, role, action, category from audit.my_readers(:limit)"), {"limit": limit})
    return [Reader(*row) for row in found]


# -- anchors ---------------------------------------------------------------------------------------------------------------------------

def anchor(session: ClinicSession) -> bool:
    """Copy the head of the chain out of the database, as the worker: into a table, the file of the data folder and the document server.

    False when nothing was added since the last one. A document server that is away gets the next one.
    """
    seq, head = session.execute(text("select seq, hash from audit.head")).one()
    if session.scalar(text("select exists (select from audit.anchors where seq = :seq and hash = :hash)"), {"seq": seq, "hash": head}):
        return False
    line = _line(session, seq, bytes(head), session.now())
    session.execute(text("insert into audit.anchors (seq, hash, at, mark) values (:seq, :hash, :at, :mark)"),
                    {"seq": seq, "hash": head, "at": datetime.fromisoformat(line["at"]), "mark": bytes.fromhex(line["mark"])})
    with (session.folder / ANCHORS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        session.documents.keep_anchor(line)
    except ClinicError as error:
        log.warning("the document server did not take the anchor of %s: %s", seq, error.sentence)
    return True


def _line(session: ClinicSession, seq: int, head: bytes, at: datetime) -> dict[str, Any]:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return {"seq": seq, "hash": head.hex(), "at": moment, "mark": session.vault.mark(_MARK, _marked(seq, head, moment)).hex()}


def _marked(seq: int, head: bytes, moment: str) -> bytes:
    return f"{seq} {head.hex()} {moment}".encode()


def _anchor(session: ClinicSession, line: dict[str, Any], place: str) -> Anchor:
    """A line as an anchor; one that cannot be read was not made by us."""
    try:
        seq, head, moment, mark = int(line["seq"]), bytes.fromhex(line["hash"]), str(line["at"]), bytes.fromhex(line["mark"])
        return Anchor(seq, head, datetime.fromisoformat(moment), place, session.vault.marked(_MARK, _marked(seq, head, moment), mark))
    except (KeyError, TypeError, ValueError):
        return Anchor(0, b"", datetime.fromtimestamp(0, UTC), place, genuine=False)


def anchors(session: ClinicSession, files: list[Path]) -> tuple[list[Anchor], list[str]]:
    """All anchors that can be found, and the places that could not be asked."""
    found, away = [], []
    for seq, head, at, mark in session.execute(text("select seq, hash, at, mark from audit.anchors")):
        moment = at.astimezone(UTC).isoformat(timespec="microseconds")
        found.append(_anchor(session, {"seq": seq, "hash": bytes(head).hex(), "at": moment, "mark": bytes(mark).hex()}, "database"))
    for path in files:
        if path.exists():
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            found += [_anchor(session, _parsed(line), path.name) for line in lines if line]
        else:
            away.append(path.name)
    try:
        found += [_anchor(session, line, "document server") for line in session.documents.anchors()]
    except ClinicError:
        away.append("document server")
    return found, away


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


# -- proof -----------------------------------------------------------------------------------------------------------------------------

_LINKS = """
select c.seq, c.event_id, c.hash, e.id, (extract(epoch from e.at) * 1000000)::bigint, e.user_id, e.actor, e.role, e.session_id,
       e.workstation, e.action, e.category, e.patient_id, e.subject, e.detail::text, e.outcome
  from audit.chain c full join audit.events e on e.id = c.event_id where c.seq <= {seq} or c.seq is null order by c.seq nulls last, e.id"""


@dataclass(frozen=True, slots=True)
class Proof:
    """A verification: what was seen, the restores that were written down, the places of anchors that could not be asked."""

    verdict: Verdict
    restored: tuple[Restored, ...]
    away: tuple[str, ...]
    seconds: float


def prove(session: ClinicSession, files: list[Path], progress: Progress = lambda _done, _total: None) -> Proof:
    """Read the whole log and compare it with every anchor, as the worker or an administrator. Some seconds for a million events."""
    begun = perf_counter()
    session.execute(text("set local statement_timeout = 0"))
    known, away = anchors(session, files)  # before the head, so that none can be newer than it
    restored = _restores(session)
    seq, head = session.execute(text("select seq, hash from audit.head")).one()

    def links() -> Iterator[tuple[Any, ...]]:
        found = session.connection().execution_options(yield_per=5_000).exec_driver_sql(_LINKS.format(seq=int(seq)))
        for number, row in enumerate(found, 1):
            if number % 5_000 == 0:
                progress(number, seq)
            yield tuple(row)

    verdict = verify(links(), (seq, bytes(head)), known, restored)
    progress(seq, seq)
    return Proof(verdict, restored, tuple(away), perf_counter() - begun)


def write_restore(session: ClinicSession, at: datetime, seq: int) -> None:
    """Write down, as the owner, that a backup whose log ended at number `seq` was put in place: anchors of the time it put aside are no
    longer expected."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    detail = {"head": seq, "at": moment, "mark": session.vault.mark(_RESTORE, f"{seq} {moment}".encode()).hex()}
    session.execute(text("select audit.note('restore', 'audit', null, '', cast(:detail as jsonb))"), {"detail": json.dumps(detail)})


def _restores(session: ClinicSession) -> tuple[Restored, ...]:
    """The restores that carry the clinic's own mark; anybody else's word explains nothing."""
    found = []
    for (detail,) in session.execute(text("select detail from audit.events where action = 'restore' and category = 'audit'")):
        seq, moment, mark = detail.get("head"), str(detail.get("at")), str(detail.get("mark"))
        if session.vault.marked(_RESTORE, f"{seq} {moment}".encode(), bytes.fromhex(mark) if mark.isalnum() else b""):
            found.append(Restored(int(seq), datetime.fromisoformat(moment)))
    return tuple(found)
