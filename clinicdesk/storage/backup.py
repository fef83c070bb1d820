"""Taking a backup: both databases as they were at one moment, sealed into one file. Nothing plain touches a disk.

PostgreSQL says in one exported snapshot what it holds and which documents were delivered; `pg_dump` writes from that snapshot into a pipe.
Documents are written once per visit and revision and attachments once, so reading afterwards what that snapshot calls delivered is
consistent with it; what was not delivered yet lies in PostgreSQL and so in the dump.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from clinicdesk import __version__
from clinicdesk.errors import CannotStart, ClinicError
from clinicdesk.storage import inventory
from clinicdesk.storage.addresses import libpq_address
from clinicdesk.storage.backup_file import PIECE, BackupWriter, new_file
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.embedded_postgres import programs
from clinicdesk.storage.inventory import Delivered, Heap, Manifest, Progress
from clinicdesk.storage.vault import Vault
from clinicdesk.storage.visit_documents import VisitDocument


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up. `url` signs in as clinicdesk_backup, or as the owner; `now` is aware; `erasures` how many the ledger holds."""

    url: str
    documents: Documents
    vault: Vault
    now: datetime
    embedded: bool = True
    erasures: int = 0


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that lies on the disk."""

    path: Path
    size: int
    sha256: str
    manifest: Manifest


def take(target: Path, source: Source, progress: Progress = lambda *_: None) -> Taken:
    """Write the backup. `progress(what, done, total)` may raise to stop it: nothing is left then, as after any failure.

    ClinicError when the disk is full or a server refuses, Unavailable when the document server is away. Memory stays flat.
    """
    with new_file(target) as file, _snapshot(source.url) as (connection, snapshot, above):
        listed = inventory.delivered(connection)
        schema = _schema(connection)
        writer = BackupWriter(file, source.vault, taken_at=source.now, clinic_id=_clinic_id(connection), app_version=__version__,
                              schema_version=schema)
        meter = _Meter(progress, _expected(connection), sum(size for _, _, size in listed.files))
        with dumping(source, snapshot, above=above) as pipe:
            while piece := pipe.read(PIECE):
                writer.add("dump", None, piece)
                meter.dumped(len(piece))
        visits, files, missing = _add_documents(writer, source.documents, listed, meter)
        manifest = Manifest(inventory.tables(connection, progress), visits, files, inventory.audit_head(connection), schema,
                            source.erasures, missing)
        writer.add("manifest", manifest.stored())
        sha256 = writer.finish()
    return Taken(target, writer.size, sha256, manifest)


class _Meter:
    """Bytes done of bytes expected; how small the dump gets is only known at its end."""

    def __init__(self, progress: Progress, dump: int, files: int) -> None:
        self._progress, self._total, self._done = progress, dump + files, 0

    def dumped(self, octets: int) -> None:
        self._done += octets
        self._total = max(self._total, self._done)
        self._progress("Database", self._done, self._total)

    def documents(self, octets: int) -> None:
        self._done += octets
        self._total = max(self._total, self._done)
        self._progress("Documents", self._done, self._total)


@contextmanager
def _snapshot(url: str) -> Iterator[tuple[psycopg.Connection[Any], str, bool]]:
    """A transaction that sees one moment, the name by which others see the same, and whether its role stands above row security."""
    try:
        with psycopg.connect(libpq_address(url)) as connection:
            connection.isolation_level, connection.read_only = psycopg.IsolationLevel.REPEATABLE_READ, True
            inventory.settle(connection)
            connection.commit()
            above = connection.execute("select rolsuper or rolbypassrls from pg_roles where rolname = current_user").fetchone()
            name = connection.execute("select pg_export_snapshot()").fetchone()
            yield connection, str(name[0]) if name else "", bool(above and above[0])
    except psycopg.Error as error:
        raise ClinicError(f"The database could not be read for the backup ({error.sqlstate or type(error).__name__}).",
                          "Nothing was kept of this backup. Run “clinicdesk check”.") from error


def _schema(connection: psycopg.Connection[Any]) -> str:
    row = connection.execute("select version_num from public.alembic_version").fetchone()
    return str(row[0]) if row else ""


def _clinic_id(connection: psycopg.Connection[Any]) -> str:
    """Tells clinics apart without naming one: made from the fingerprint of its key, which its database keeps."""
    row = connection.execute("select value::text from clinic.settings where key = 'clinic_key'").fetchone()
    return hashlib.sha256(str(row[0] if row else "").encode()).hexdigest()[:32]


def _expected(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute("select coalesce(sum(pg_table_size(c.oid)), 0) from pg_class c join pg_namespace n on n.oid = c.relnamespace"
                             " where c.relkind = 'r' and n.nspname in ('auth', 'clinic', 'audit', 'jobs')").fetchone()
    return int(row[0]) if row else 0


def program(name: str, *, embedded: bool) -> str:
    """`pg_dump` or `pg_restore`. Ours for our own server; beside a shared one the installed one, which speaks TLS, before ours."""
    found = None if embedded else shutil.which(name)
    if found:
        return found
    try:
        return str(programs() / "bin" / (f"{name}.exe" if sys.platform == "win32" else name))
    except CannotStart:
        raise CannotStart("programs", f"The program {name} is not on this computer.",
                          "Install PostgreSQL's client programs, at least as new as the server.") from None


@contextmanager
def running(command: list[str], url: str, *, feed: bool = False, stopped: str) -> Iterator[subprocess.Popen[bytes]]:
    """A PostgreSQL program signed in at `url`, its input or output in our hands. ClinicError that begins with `stopped` when it fails.

    The password goes by the environment: other accounts can read a command line.
    """
    parts = conninfo_to_dict(libpq_address(url))
    password = str(parts.pop("password", "") or "")
    parts.pop("require_auth", None)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")} | {"PGPASSWORD": password, "PGTZ": "UTC"}
    ours, nobodys = subprocess.PIPE, subprocess.DEVNULL
    process = subprocess.Popen([*command, "--no-password", "--dbname", make_conninfo("", **parts)], env=environment, stderr=ours,
                               stdin=ours if feed else nobodys, stdout=nobodys if feed else ours)
    said: list[str] = []

    def listen(stream: IO[bytes]) -> None:
        for line in stream:
            said[:] = [*said, line.decode("utf-8", "replace").strip()][-20:]

    ear = threading.Thread(target=listen, args=(process.stderr,), name="backup-messages", daemon=True)
    ear.start()
    failed = False
    try:
        try:
            yield process
        except BrokenPipeError:
            failed = True
        if feed and process.stdin:
            try:
                process.stdin.close()
            except BrokenPipeError:
                failed = True
        failed = process.wait() != 0 or failed
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        ear.join(5)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream and not stream.closed:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
    if failed:
        errors = [line for line in said if "error" in line.lower()] or said or ["it ended without a word"]
        raise ClinicError(f"{stopped} ({errors[0]}).", "Nothing was kept. Run “clinicdesk check”.")


@contextmanager
def dumping(source: Source, snapshot: str, *, above: bool) -> Iterator[IO[bytes]]:
    """The dump as a stream. Row security would leave rows out, which pg_dump refuses; the owner's policies show every row."""
    command = [program("pg_dump", embedded=source.embedded), "--format=custom", "--compress=1", f"--snapshot={snapshot}", "--encoding=UTF8",
               *([] if above else ["--enable-row-security"])]
    with running(command, source.url, stopped="The database could not be copied into the backup") as process:
        if process.stdout is None:
            raise RuntimeError("no output")
        yield process.stdout


def _add_documents(writer: BackupWriter, documents: Documents, listed: Delivered, meter: _Meter) -> tuple[list[Any], list[Any], list[str]]:
    """Visit documents, then files; the checksums of both and the ids of what the document server did not give back as it was."""
    visits, files, missing = Heap(), Heap(), []
    for batch in inventory.batches(listed.visits):
        found = documents.get_visits([name for name, _ in batch])
        for name, person in batch:
            if name not in found:
                missing.append(name)
                continue
            document = belonging(found[name], person)
            digest, octets = inventory.visit_digest(document)
            visits.add(digest, octets)
            writer.add("visit", *packed(document))
            meter.documents(octets)
    for name, wanted, size in listed.files:
        hashed, octets = hashlib.sha256(), 0
        for part in documents.get_file(name, PIECE):
            hashed.update(part)
            octets += len(part)
            writer.add("file", {"name": name}, part)
            meter.documents(len(part))
        if hashed.digest() != wanted or octets != size:
            missing.append(name)
        if octets:
            files.add(inventory.file_digest(name, hashed.digest()), octets)
    return visits.summary(), files.summary(), missing


def belonging(document: VisitDocument, person: str) -> VisitDocument:
    """The document under the person the snapshot knows: a merge may have moved it since."""
    return replace(document, person_id="" if person == document.patient_id else person)


def packed(document: VisitDocument) -> tuple[dict[str, Any], bytes]:
    """A visit document as head and body of a frame."""
    parts = (document.notes, document.prescription, document.visit)
    head = {k: v if isinstance(v, int) else str(v) for k, v in asdict(document).items() if not isinstance(v, bytes)}
    return {**head, "lengths": [len(part) for part in parts]}, b"".join(parts)


def count_lines(path: Path) -> int:
    """How many entries a ledger has; 0 when there is none."""
    try:
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except FileNotFoundError:
        return 0


