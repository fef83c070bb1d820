"""What there is in both databases, in numbers: rows and a checksum of every table, documents and files, the end of the audit chain.

Taken when a backup is made and again when it was restored; the two must be equal. A checksum does not depend on the order of the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from clinicdesk.storage.visit_documents import VisitDocument

Progress = Callable[[str, int, int], None]

PIECE = 1 << 20  #: bytes of a file read at a time
_SCHEMAS = ["auth", "clinic", "audit", "jobs", "public"]
#: A row as text is the same everywhere only when these are.
_ALIKE = ("datestyle = 'ISO, YMD'", "intervalstyle = 'postgres'", "timezone = 'UTC'", "extra_float_digits = 1", "bytea_output = 'hex'",
          "statement_timeout = 0", "idle_in_transaction_session_timeout = 0")
#: Two sums of 60 bits each of the rows' SHA-256: adding does not care about order, and no row can hide another.
_MEASURE = """
select count(*), coalesce(sum(('x' || left(h, 15))::bit(60)::bigint), 0), coalesce(sum(('x' || substr(h, 16, 15))::bit(60)::bigint), 0)
  from (select encode(sha256(convert_to(t::text, 'UTF8')), 'hex') from only {} t) as rows (h)"""


@dataclass(slots=True)
class Heap:
    """A number of things and their checksum, whatever their order."""

    count: int = 0
    octets: int = 0
    total: int = 0

    def add(self, digest: bytes, octets: int) -> None:
        """One thing more, by its SHA-256."""
        self.count += 1
        self.octets += octets
        self.total = (self.total + int.from_bytes(digest, "big")) % (1 << 256)

    def summary(self) -> list[Any]:
        """As it stands in a manifest: count, bytes, checksum."""
        return [self.count, self.octets, f"{self.total:064x}"]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What the document server must hold by the word of PostgreSQL. Visits: (id, person); files: (id, SHA-256, size)."""

    visits: list[tuple[str, str]]
    files: list[tuple[str, bytes, int]]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The inventory of one moment. `tables`: rows and checksum by name; `visits`, `files`: see `Heap.summary`; `audit`: number and hash of
    the last event; `missing`: delivered documents the document server did not give back as they were."""

    tables: dict[str, list[Any]]
    visits: list[Any]
    files: list[Any]
    audit: list[Any]
    schema: str
    erasures: int = 0
    missing: list[str] = field(default_factory=list)

    def rows(self) -> int:
        """All rows of all tables."""
        return sum(int(rows) for rows, _ in self.tables.values())

    def stored(self) -> dict[str, Any]:
        """As it stands in the backup file."""
        return asdict(self)


def settle(connection: psycopg.Connection[Any]) -> None:
    """Make a connection write rows the way every other one does, and let it take its time."""
    for setting in _ALIKE:
        connection.execute(f"set {setting}")


def tables(connection: psycopg.Connection[Any], progress: Progress = lambda *_: None) -> dict[str, list[Any]]:
    """Rows and checksum of every table, in the transaction of the connection (see `settle`)."""
    names = connection.execute("select n.nspname, c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                               " where c.relkind = 'r' and n.nspname = any(%s) order by 1, 2", [_SCHEMAS]).fetchall()
    found: dict[str, list[Any]] = {}
    for number, (schema, name) in enumerate(names):
        progress("Checksums", number, len(names))
        count, low, high = connection.execute(sql.SQL(_MEASURE).format(sql.Identifier(schema, name))).fetchone() or (0, 0, 0)
        found[f"{schema}.{name}"] = [int(count), f"{int(low):x}-{int(high):x}"]
    return found


def audit_head(connection: psycopg.Connection[Any]) -> list[Any]:
    """Number and hash of the last event; [0, ""] before there was a chain."""
    if connection.execute("select to_regclass('audit.head')").fetchone() == (None,):
        return [0, ""]
    row = connection.execute("select seq, encode(hash, 'hex') from audit.head").fetchone()
    return [int(row[0]), str(row[1])] if row else [0, ""]


def delivered(connection: psycopg.Connection[Any]) -> Delivered:
    """Which visit documents and attachments the document server holds, at the moment of the connection's snapshot."""
    visits = connection.execute(
        "select v.id::text || ':' || v.revision, coalesce(a.person_id, v.patient_id) from clinic.visit_outbox o"
        " join clinic.visits v on v.id = o.visit_id and v.revision = o.revision left join clinic.aliases a on a.patient_id = v.patient_id"
        " where o.delivered_at is not null order by v.visit_date, 1").fetchall()
    files = connection.execute("select id::text, sealed_sha256, sealed_size from clinic.attachments where delivered_at is not null"
                               " order by added_at, 1").fetchall()
    return Delivered([(str(i), str(person)) for i, person in visits], [(str(i), bytes(digest), int(size)) for i, digest, size in files])


def visit_digest(document: VisitDocument) -> tuple[bytes, int]:
    """SHA-256 and bytes of a visit document."""
    parts = (document.id.encode(), str(document.appointment_id).encode(), document.patient_id.encode(), document.person_id.encode(),
             str(document.doctor_id).encode(), document.visit_date.isoformat().encode(), document.created_at.isoformat().encode(),
             document.notes, document.prescription, document.visit)
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(4, "big") + part)
    return digest.digest(), len(document.notes) + len(document.prescription) + len(document.visit)


def file_digest(name: str, digest: bytes) -> bytes:
    """What a file adds to a checksum: its name and the SHA-256 of its bytes."""
    return hashlib.sha256(name.encode() + digest).digest()


def differences(wanted: Manifest, found: Manifest) -> list[str]:
    """What is not equal, a sentence each; empty when everything is."""
    said = []
    for name in sorted(wanted.tables.keys() | found.tables.keys()):
        before, after = wanted.tables.get(name), found.tables.get(name)
        if before != after:
            if before is None or after is None:
                said.append(f"The table {name} is {'not in the backup' if before is None else 'missing'}.")
            elif before[0] != after[0]:
                said.append(f"The table {name} has {after[0]} rows instead of {before[0]}.")
            else:
                said.append(f"The {before[0]} rows of the table {name} are not those that were saved.")
    for what, first, second in (("visit documents", wanted.visits, found.visits), ("attachments", wanted.files, found.files)):
        if first != second:
            said.append(f"The {second[0]} {what} are not the {first[0]} that were saved.")
    if wanted.audit != found.audit:
        said.append(f"The audit log ends at event {found.audit[0]}, not as saved at event {wanted.audit[0]}.")
    return said


def batches(ids: Iterable[tuple[str, str]], size: int = 50) -> Iterable[list[tuple[str, str]]]:
    """Visit documents as they are read, some at a time."""
    batch: list[tuple[str, str]] = []
    for one in ids:
        batch.append(one)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
