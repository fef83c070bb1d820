"""Reading a backup: prove every byte, put both databases back into empty servers, and compare what is there with what was saved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from clinicdesk.errors import ClinicError
from clinicdesk.storage import inventory, schema
from clinicdesk.storage.addresses import DATABASE, Addresses, libpq_address
from clinicdesk.storage.backup import program, running
from clinicdesk.storage.backup_file import BackupDamaged, Frame, Header, frames, read_header
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.inventory import Heap, Manifest, Progress
from clinicdesk.storage.vault import Vault
from clinicdesk.storage.visit_documents import VisitDocument

_AT_ONCE = 100  #: visit documents sent in one round trip, of at most 4 MB of sealed text together
_BYTES_AT_ONCE = 4 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup file whose every byte was proven. `parts` are its frames."""

    header: Header
    manifest: Manifest
    size: int
    sha256: str
    parts: int


def check(path: Path, vault: Vault, progress: Progress = lambda *_: None) -> Checked:
    """Open every frame. BackupDamaged says what is wrong with the file, WrongKey that it belongs to another clinic."""
    header, parts, done, manifest = read_header(path), 0, 0, None
    size = path.stat().st_size
    for frame in frames(path, vault):
        parts += 1
        done += len(frame.body)
        manifest = Manifest(**frame.head) if frame.section == "manifest" else None
        progress("Checking the file", min(done, size), size)
    if manifest is None:
        raise BackupDamaged("The backup file does not end with its list of contents.")
    return Checked(header, manifest, size, _sha256(path), parts)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fits_here(header: Header) -> None:
    """ClinicError when the backup is of a newer ClinicDesk than this one: its tables are unknown here."""
    if schema.state_of(header.schema_version or None) == "too_new":
        raise ClinicError(f"This backup was made by a newer ClinicDesk ({header.app_version}).", "Install that version, then restore.")


def fill(path: Path, vault: Vault, addresses: Addresses, documents: Documents, progress: Progress = lambda *_: None) -> None:
    """Put everything into empty servers of our own. After an error what is there is worth nothing."""
    size, done = path.stat().st_size, 0

    def read() -> Iterator[Frame]:
        nonlocal done
        for frame in frames(path, vault):
            done += len(frame.body)
            progress("Restoring", min(done, size), size)
            yield frame

    documents.ensure()
    stream = read()
    command = [program("pg_restore", embedded=True), "--exit-on-error", "--single-transaction"]
    with running(command, _restoring_url(addresses), feed=True, stopped="The database could not be restored") as process:
        after = None
        for frame in stream:
            if frame.section != "dump":
                after = frame
                break
            if process.stdin:
                process.stdin.write(frame.body)
    _fill_documents(after, stream, documents)


def _restoring_url(addresses: Addresses) -> str:
    if addresses.admin is None:
        raise ClinicError("A backup is restored into servers of its own.", "Run “clinicdesk restore FILE --into FOLDER”.")
    return schema.in_database(addresses.admin, DATABASE)


def resume_jobs(addresses: Addresses) -> None:
    """Let jobs that were being done when the backup was taken be done again: their worker did not come along."""
    with psycopg.connect(libpq_address(_restoring_url(addresses))) as connection:
        connection.execute("set search_path = jobs")  # the queue's own triggers name its tables without a schema
        connection.execute("update procrastinate_jobs set status = 'todo', worker_id = null, queueing_lock = null where status = 'doing'")


def _fill_documents(frame: Frame | None, stream: Iterator[Frame], documents: Documents) -> None:
    waiting: list[VisitDocument] = []
    octets = 0

    def send() -> None:
        nonlocal octets
        if waiting:
            documents.add_visits(waiting)
        waiting.clear()
        octets = 0

    while frame is not None and frame.section != "manifest":
        if frame.section == "visit":
            waiting.append(unpacked(frame))
            octets += len(frame.body)
            if len(waiting) >= _AT_ONCE or octets >= _BYTES_AT_ONCE:
                send()
            frame = next(stream, None)
        else:
            whole = _OneFile(frame, stream)
            documents.put_file(str(frame.head["name"]), whole.parts())
            frame = whole.after
    send()
    for _ in stream:
        raise BackupDamaged("The backup file goes on after its list of contents.")


class _OneFile:
    """The frames of one attachment, read as they are wanted; `after` is the frame that follows them."""

    def __init__(self, first: Frame, stream: Iterator[Frame]) -> None:
        self._first, self._stream = first, stream
        self.after: Frame | None = None

    def parts(self) -> Iterator[bytes]:
        yield self._first.body
        for frame in self._stream:
            if frame.section != "file" or frame.head != self._first.head:
                self.after = frame
                return
            yield frame.body


def unpacked(frame: Frame) -> VisitDocument:
    """The visit document of a frame (see `backup.packed`)."""
    head, body = frame.head, frame.body
    first, second = head["lengths"][0], sum(head["lengths"][:2])
    return VisitDocument(UUID(head["visit_id"]), head["revision"], head["appointment_id"], head["patient_id"], head["doctor_id"],
                         datetime.fromisoformat(head["visit_date"]), body[:first], body[first:second], body[second:],
                         datetime.fromisoformat(head["created_at"]), head["person_id"])


def measure(addresses: Addresses, documents: Documents, progress: Progress = lambda *_: None) -> Manifest:
    """The inventory of restored databases, every row and every byte of every document read back."""
    with psycopg.connect(libpq_address(_restoring_url(addresses))) as connection:
        inventory.settle(connection)
        listed = inventory.delivered(connection)
        found = inventory.tables(connection, progress)
        head = inventory.audit_head(connection)
        revision: Any = connection.execute("select version_num from public.alembic_version").fetchone()
    visits, files = Heap(), Heap()
    for batch in inventory.batches(listed.visits):
        for document in documents.get_visits([name for name, _ in batch]).values():
            visits.add(*inventory.visit_digest(document))
        progress("Reading the documents", visits.count, len(listed.visits))
    missing: list[str] = []
    for name, wanted, _ in listed.files:
        digest, octets = hashlib.sha256(), 0
        for part in documents.get_file(name, inventory.PIECE):
            digest.update(part)
            octets += len(part)
        if octets:
            files.add(inventory.file_digest(name, digest.digest()), octets)
        if digest.digest() != wanted:
            missing.append(name)
        progress("Reading the attachments", files.count, len(listed.files))
    return Manifest(found, visits.summary(), files.summary(), head, str(revision[0]), missing=missing)
