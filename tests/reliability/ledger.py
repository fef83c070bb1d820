"""What was begun and what was acknowledged, kept outside the databases, and what the databases say about it afterwards.

One line for each event, on the disk before the next thing happens: `{"at", "word", "kind", "key"}`. `begin` stands before a write is sent,
`done` after the service came back, `unknown` when the connection ended and nobody could say. Times are of the monotonic clock, which all
processes of a machine share.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from clinicdesk.services import auditing
from tests.clinics import Practice
from tests.visiting import as_owner


class Ledger:
    """Appends to one file; threads and processes may share it (a line is one write)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lock = threading.Lock()
        self.acknowledged = 0

    def note(self, word: str, kind: str, key: str) -> None:
        line = json.dumps({"at": time.monotonic(), "word": word, "kind": kind, "key": key})
        with self._lock:
            os.write(self._file, line.encode() + b"\n")
            os.fsync(self._file)
            self.acknowledged += word == "done"

    def close(self) -> None:
        os.close(self._file)


@dataclass(frozen=True, slots=True)
class Line:
    at: float
    word: str
    kind: str
    key: str


def read(*paths: Path) -> list[Line]:
    """The lines of these ledgers in the order of time; one cut off by a kill was never finished and does not count."""
    found = []
    for path in paths:
        found += [Line(**json.loads(line)) for line in path.read_text().split("\n")[:-1]]
    return sorted(found, key=lambda line: line.at)


#: Kind of write → how often the database has what stands under each key.
COUNTS = {
    "book": "select request_key, count(*) from clinic.appointments where request_key is not null group by 1",
    "move": "select appointment_id || '@' || (extract(epoch from starts_at)::bigint), count(*) from clinic.appointment_events"
            " where what = 'moved' group by 1",
    "cancel": "select appointment_id::text, count(*) from clinic.appointment_events where status = 'cancelled' group by 1",
    "register": "select phone, count(*) from clinic.patients group by 1",
    "sign": "select consultation_id::text, count(*) from clinic.visits group by 1",
    "pay": "select request_key, count(*) from clinic.receipts group by 1",
    "attach": "select id::text, count(*) from clinic.attachments group by 1",
    "paper": "select consultation_id::text, count(*) from clinic.papers group by 1",
    # Each save of a draft is the next version: one lost is a version missing, one done twice is a version too many.
    "draft": "select d.consultation_id || ':' || v, 1 from clinic.drafts d, generate_series(1, d.version) v",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """Of one ledger, held against the databases: keys that are missing or stand there more than once."""

    acknowledged: int
    unknown: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    kinds: Counter[str]

    def holds(self) -> None:
        assert self.lost == (), "acknowledged, and not there"
        assert self.doubled == (), "done more than once"


def tally(practice: Practice, lines: Iterable[Line]) -> Tally:
    """Hold a ledger against the databases."""
    begun: dict[tuple[str, str], bool] = {}
    unknown = 0
    for line in lines:
        unknown += line.word == "unknown"
        if not line.kind:  # a step on the way to what is counted
            continue
        begun[line.kind, line.key] = begun.get((line.kind, line.key), False) or line.word == "done"
    there = {kind: {str(key): int(count) for key, count in as_owner(practice, query)} for kind, query in COUNTS.items()}
    signed = {str(row[0]) for row in as_owner(practice, "select id from clinic.consultations where status = 'completed'")}
    lost, doubled = [], []
    for (kind, key), done in begun.items():
        count = there[kind].get(key, 0)
        if kind == "draft" and key.split(":")[0] in signed:  # it became the visit
            continue
        if done and count == 0:
            lost.append(f"{kind} {key}")
        if count > 1:
            doubled.append(f"{kind} {key}")
    most = Counter({key.split(":")[0]: 0 for kind, key in begun if kind == "draft"})
    for kind, key in begun:
        if kind == "draft":
            consultation, version = key.split(":")
            most[consultation] = max(most[consultation], int(version))
    doubled += [f"draft {key}" for key in there["draft"] if 0 < most.get(key.split(":")[0], 0) < int(key.split(":")[1])]
    acknowledged = [kind for (kind, _), done in begun.items() if done]
    return Tally(len(acknowledged), unknown, tuple(lost), tuple(doubled), Counter(acknowledged))


def seconds_until_written(lines: list[Line], cuts: Iterable[float]) -> list[float]:
    """For each moment of a cut: seconds until a write was acknowledged again; 0 when nobody noticed the cut."""
    found = []
    for cut in cuts:
        noticed = next((line.at for line in lines if line.at >= cut and line.word == "unknown"), None)
        again = next((line.at for line in lines if noticed is not None and line.at > noticed and line.word == "done"), None)
        found.append(0.0 if noticed is None else (again or float("inf")) - cut)
    return found


#: What must hold whatever was interrupted: each question finds nothing.
INVARIANTS = {
    "a signed visit is on its way or delivered":
        "select v.id, v.revision from clinic.visits v left join clinic.visit_outbox o on (o.visit_id, o.revision) = (v.id, v.revision)"
        " where o.visit_id is null",
    "a completed consultation is a visit, and the other way round":
        "select c.id from clinic.consultations c full join clinic.visits v on v.consultation_id = c.id"
        " where (c.status = 'completed') is distinct from (v.id is not null)",
    "a completed consultation has no draft any more":
        "select d.consultation_id from clinic.drafts d join clinic.consultations c on c.id = d.consultation_id"
        " where c.status = 'completed'",
    "an appointment in progress has its consultation":
        "select a.id from clinic.appointments a left join clinic.consultations c on c.appointment_id = a.id"
        " where (a.status in ('in_progress', 'completed')) <> (c.id is not null)",
    "the state of an appointment is that of its last event":
        "select a.id from clinic.appointments a left join lateral"
        " (select e.status, e.starts_at, e.doctor_id from clinic.appointment_events e"
        " where e.appointment_id = a.id order by e.id desc limit 1) e on true"
        " where (e.status, e.starts_at, e.doctor_id::bigint) is distinct from (a.status, a.starts_at, a.doctor_id::bigint)",
    "no two active appointments of a doctor overlap in a lane":
        "select a.id from clinic.appointments a join clinic.appointments b on a.doctor_id = b.doctor_id and a.lane = b.lane and a.id < b.id"
        " and a.during && b.during and a.status not in ('cancelled', 'no_show') and b.status not in ('cancelled', 'no_show')",
    "a payment has its receipt, and a receipt its payment":
        "select r.id from clinic.receipts r full join clinic.payments p on p.receipt_id = r.id where p.id is null or r.id is null",
    "receipt numbers have no gap":
        "select number from (select number, row_number() over (order by number) as place from clinic.receipts) x"
        " where substr(number, 6)::int <> place",
    "a wallet holds the sum of its entries":
        "select w.patient_id from clinic.wallets w left join clinic.wallet_entries e using (patient_id) group by w.patient_id, w.balance"
        " having w.balance <> coalesce(sum(e.amount), 0)",
    "a prescription or paper has its signature":
        "select number from (select number from clinic.prescriptions union all select number from clinic.papers) p"
        " where not exists (select 1 from clinic.signatures s where s.number = p.number)",
    "a prescription has its lines":
        "select p.id from clinic.prescriptions p where not exists"
        " (select 1 from clinic.prescription_items i where i.prescription_id = p.id)",
    "a file is staged whole, or delivered and staged no more":
        "select a.id from clinic.attachments a left join clinic.attachment_chunks c on c.attachment_id = a.id"
        " group by a.id, a.chunks, a.delivered_at having count(c.position) <> case when a.delivered_at is null then a.chunks else 0 end",
    "a patient has both keys and can be found":
        "select p.id from clinic.patients p where (select count(*) from clinic.patient_keys k where k.patient_id = p.id) <> 2"
        " or not exists (select 1 from clinic.patient_terms t where t.patient_id = p.id)",
    "each event of the audit log is a link of the chain":
        "select e.id from audit.events e full join audit.chain c on c.event_id = e.id where e.id is null or c.seq is null",
}


def half_done(practice: Practice) -> dict[str, list[tuple[object, ...]]]:
    """The invariants that do not hold, with the first rows that break them; the audit log's own proof is one of them."""
    broken = {what: found[:5] for what, query in INVARIANTS.items() if (found := as_owner(practice, query))}
    with practice.clinic.worker_database.read() as session:
        proof = auditing.prove(session, [])
    if not proof.verdict.intact:
        broken["the audit log proves itself"] = [(finding,) for finding in proof.verdict.findings]
    return broken


def nothing_half_done(practice: Practice) -> None:
    assert half_done(practice) == {}
