"""Backups of a whole clinic: take one, prove one by restoring it, keep the right number of them. For good: clinicdesk/restoring.py.

Used by the commands, the window and the nightly job alike. Everything here takes seconds to minutes: never on the GUI thread. `progress`
(what, done, total) is told how far it is and may raise `Cancelled`; nothing half-done is left then.
"""

from __future__ import annotations

import base64
import logging
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from clinicdesk.clinic import Clinic
from clinicdesk.config import Settings, keep_setting, prepare_data_dir
from clinicdesk.credentials import SECRETS_FILE
from clinicdesk.errors import CannotStart, ClinicError, NotAllowed, SignedOut
from clinicdesk.jobs.worker import Nightly
from clinicdesk.locks import FileLock
from clinicdesk.restoring import Cancelled, nothing, own_settings, remove_servers, servers_in
from clinicdesk.services import backup_proofs, erasing
from clinicdesk.services.backup_proofs import NewProof, Proof
from clinicdesk.storage import backup_reading, inventory, schema
from clinicdesk.storage.backup import Source, Taken, count_lines, take
from clinicdesk.storage.backup_file import Header, WrongKey, read_header, sweep_partials
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.inventory import Manifest, Progress

if TYPE_CHECKING:
    from clinicdesk.storage.addresses import Addresses
    from clinicdesk.storage.database import ClinicSession

log = logging.getLogger(__name__)

SUFFIX = ".cdbackup"
_OURS = re.compile(r"clinicdesk-\d{8}-\d{6}\.cdbackup")
_KEEP = 14          # nights
_NIGHT = (2, 30)    # clinic time
_REHEARSE_AFTER = timedelta(days=6, hours=12)  # so that the weekly proof is there before the alarm of PROOF_DAYS
_SAMPLE = 50        #: visits and attachments opened with their keys in a rehearsal, at most so many of each
#: A rehearsal's servers live for a minute and hold a copy: they may take it easy.
_SCRATCH = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "max_wal_size": "1GB"}


@dataclass(frozen=True, slots=True)
class Overview:
    """What an administrator sees: backups newest first, where they lie, the alarm or "", whether this computer can take one."""

    rows: list[BackupRow]
    folder: Path
    overdue: str
    able: bool


@dataclass(frozen=True, slots=True)
class BackupRow:
    """A backup in the clinic's folder; `proof` is its newest rehearsal."""

    path: Path
    taken_at: datetime
    size: int
    proof: Proof | None


# Taking ----------------------------------------------------------------------------------------------------

def folder(settings: Settings) -> Path:
    """Where this clinic's backups go."""
    return settings.backup_dir or settings.data_dir / "backups"


def new_name(clinic: Clinic) -> Path:
    """A name in that folder for a backup taken now."""
    moment = clinic.database.now().astimezone(clinic.zone)
    while (path := folder(clinic.settings) / f"clinicdesk-{moment:%Y%m%d-%H%M%S}{SUFFIX}").exists():
        moment += timedelta(seconds=1)
    return path


def may_back_up(addresses: Addresses) -> bool:
    """Whether this computer holds a sign-in that can read everything."""
    return bool(addresses.backup or addresses.owner)


def back_up(clinic: Clinic, target: Path | None = None, progress: Progress = nothing, *, token: str | None = None) -> Taken:
    """Take a backup of both databases into one file, by default a new one in the clinic's folder. `token` says who asked.

    ClinicError with a sentence when it cannot be.
    """
    url = clinic.addresses.backup or clinic.addresses.owner
    if url is None:
        raise CannotStart("backup", "This computer may not read the whole shared database.", "Back up where the database is kept.")
    target = target or new_name(clinic)
    sweep_partials(target.parent)
    source = Source(url, clinic.documents, clinic.vault, clinic.database.now(), clinic.addresses.embedded_database,
                    count_lines(clinic.settings.data_dir / erasing.LEDGER))
    taken = take(target, source, progress)
    with book(clinic, token) as session:
        backup_proofs.note_backup(session, taken.size)
    return taken


@contextmanager
def book(clinic: Clinic, token: str | None = None) -> Iterator[ClinicSession]:
    """A transaction of whoever asked, or of the clinic's own tool when nobody did or her session ended meanwhile."""
    if token is not None:
        try:
            with clinic.read(token):
                pass
        except SignedOut:
            token = None
    if token is not None:
        with clinic.write(token) as session:
            yield session
    elif clinic.may_own:
        with clinic.as_owner() as session:
            yield session
    else:
        with clinic.worker_database.write() as session:
            yield session


def in_folder(clinic: Clinic) -> list[tuple[Path, Header]]:
    """This clinic's own backups, newest first; files of another clinic or another name are not ours to list or to delete."""
    found = []
    for path in folder(clinic.settings).glob(f"clinicdesk-*{SUFFIX}"):
        if _OURS.fullmatch(path.name):
            with suppress(ClinicError):
                header = read_header(path)
                if clinic.vault.fits(base64.b64decode(header.fingerprint)):
                    found.append((path, header))
    return sorted(found, key=lambda one: one[1].at, reverse=True)


def listed(clinic: Clinic, known: Sequence[Proof]) -> list[BackupRow]:
    """The backups in the folder with their newest proof (`known` are newest first)."""
    rows = []
    for path, header in in_folder(clinic):
        size = path.stat().st_size
        proof = next((p for p in known if (p.file_name, p.file_size, p.taken_at) == (path.name, size, header.at)), None)
        rows.append(BackupRow(path, header.at, size, proof))
    return rows


def overview(clinic: Clinic, *, token: str) -> Overview:
    """The clinic's backups with their proofs."""
    with clinic.read(token) as session:
        known, alarm = backup_proofs.proofs(session), backup_proofs.overdue(session)
    return Overview(listed(clinic, known), folder(clinic.settings), alarm, may_back_up(clinic.addresses))


def choose_folder(clinic: Clinic, path: Path, *, token: str) -> None:
    """From now on backups of this clinic go there, also the nightly ones; older ones stay where they are. Administrators only."""
    with clinic.read(token) as session:
        if session.me is None or session.me.role != "administrator":
            raise NotAllowed
    path.mkdir(parents=True, exist_ok=True)
    keep_setting(clinic.settings.data_dir, "backup_dir", str(path))
    clinic.settings = clinic.settings.model_copy(update={"backup_dir": path})


def tidy(clinic: Clinic) -> list[Path]:
    """Let go of old backups: the newest 14 stay, and the first of every month. What went."""
    found = in_folder(clinic)
    first: dict[str, Path] = {}
    for path, header in reversed(found):
        first.setdefault(f"{header.at.astimezone(clinic.zone):%Y-%m}", path)
    gone = [path for path, _ in found[_KEEP:] if path not in first.values()]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


# Proving ----------------------------------------------------------------------------------------------------

def rehearse(clinic: Clinic, path: Path | None = None, progress: Progress = nothing, *, token: str | None = None) -> Proof:
    """Restore a backup (the newest in the folder, or a fresh one) onto scratch servers, compare everything, remember the outcome.

    A backup that does not come back is an outcome (`ok` False, sentences in `numbers["problems"]`); ClinicError when there is none to try.
    The scratch folder is gone afterwards, whatever happens.
    """
    if path is None:
        found = in_folder(clinic)
        path = found[0][0] if found else back_up(clinic, None, progress, token=token).path
    header, begun = read_header(path), time.monotonic()
    numbers: dict[str, object] = {"problems": []}
    sha256 = ""
    try:
        checked = backup_reading.check(path, clinic.vault, progress)
        sha256 = checked.sha256
        backup_reading.fits_here(checked.header)
        with _scratch(clinic.settings) as (settings, addresses):
            _prove(clinic, settings, addresses, path, checked.manifest, numbers, progress)
    except ClinicError as error:
        if isinstance(error, (Cancelled, WrongKey)) or (isinstance(error, CannotStart) and error.code == "busy"):
            raise  # says nothing about this backup
        log.warning("the rehearsal of %s failed: %s", path.name, error.sentence)
        numbers["problems"] = [error.sentence]
    numbers["seconds"] = round(time.monotonic() - begun, 1)
    new = NewProof(path.name, path.stat().st_size, sha256, header.at, not numbers["problems"], numbers)
    with book(clinic, token) as session:
        number = backup_proofs.store(session, new)
        return next(one for one in backup_proofs.proofs(session) if one.id == number)


def _prove(clinic: Clinic, settings: Settings, addresses: Addresses, path: Path, wanted: Manifest, numbers: dict[str, object],
           progress: Progress) -> None:
    documents = Documents(addresses.documents, settings.mongodb_db_name, settings.mongodb_collection_name)
    try:
        backup_reading.fill(path, clinic.vault, addresses, documents, progress)
        found = backup_reading.measure(addresses, documents, progress)
    finally:
        documents.close()
    problems = inventory.differences(wanted, found)
    if wanted.missing:
        problems.append(f"{len(wanted.missing)} documents could not be read when the backup was taken. Run “clinicdesk documents check”.")
    numbers |= {"tables": [len(wanted.tables), len(found.tables)], "rows": [wanted.rows(), found.rows()],
                "visits": [wanted.visits[0], found.visits[0]], "files": [wanted.files[0], found.files[0]],
                "audit": [found.audit[0], wanted.audit == found.audit]}
    schema.upgrade(addresses.owner or "")  # a backup of an older ClinicDesk must come up to date as well
    scratch = Clinic(settings, addresses, vault=clinic.vault, zone=str(clinic.zone))
    try:
        progress("Opening documents", 0, 1)
        with scratch.as_owner() as session:
            visits, files, unopened = backup_proofs.open_some(session, _SAMPLE)
    finally:
        scratch.close()
    numbers |= {"opened": [visits, files], "problems": problems + unopened}


@contextmanager
def _scratch(settings: Settings) -> Iterator[tuple[Settings, Addresses]]:
    """Fresh servers in a folder beside the clinic's own, which goes with everything in it. One rehearsal at a time."""
    prepare_data_dir(settings.data_dir)
    lock = FileLock(settings.data_dir / "run" / "rehearsal.lock")
    if not lock.acquire():
        raise CannotStart("busy", "A rehearsal is running already.", "Wait until it is done.")
    try:
        for left in settings.data_dir.glob("rehearsal-*"):  # of a process that was killed
            remove_servers(left)
        own = own_settings(prepare_data_dir(settings.data_dir / f"rehearsal-{uuid.uuid4().hex[:8]}"), settings)
        try:
            with os.fdopen(os.open(own.data_dir / SECRETS_FILE, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
                file.write("{}")  # the passwords of these servers are nothing for the keyring
            yield own, servers_in(own, _SCRATCH).start()
        finally:
            remove_servers(own.data_dir)
    finally:
        lock.release()


# Every night ----------------------------------------------------------------------------------------------------

def nightly(clinic: Clinic, progress: Progress = nothing) -> tuple[Taken | None, Proof | None]:
    """What is due: a backup after 02:30 of the clinic's day (or as soon as the computer is on again), a rehearsal each week.

    Called every hour by the worker. `progress` raises Cancelled when the application closes.
    """
    with clinic.worker_database.read() as session:
        founded, proven, tried = backup_proofs.founded_at(session), backup_proofs.last_proof(session), backup_proofs.proofs(session, 1)
    now = clinic.database.now()
    if founded is None:
        return None, None
    found = in_folder(clinic)
    taken = None
    if max([founded, *(header.at for _, header in found[:1])]) < last_night(now.astimezone(clinic.zone)):
        taken = back_up(clinic, None, progress)
        tidy(clinic)
    overdue = now - (proven or founded) > _REHEARSE_AFTER
    again = not tried or tried[0].ok or now - tried[0].at > timedelta(days=1)  # one that failed is tried again the next day
    return taken, rehearse(clinic, None, progress) if overdue and again else None


def nightly_of(clinic: Clinic) -> Nightly | None:
    """`nightly` for the worker, which says by a call when it ends; None where this computer may not read everything."""
    if not may_back_up(clinic.addresses):
        return None

    def run(ended: Callable[[], bool]) -> None:
        def progress(_what: str, _done: int, _total: int) -> None:
            if ended():
                raise Cancelled

        try:
            taken, proof = nightly(clinic, progress)
        except Cancelled:
            return
        except ClinicError as error:  # the alarm of the administrators is the age of the last proof
            log.error("the nightly backup failed: %s", error.sentence)  # noqa: TRY400  a sentence, not a bug
            return
        if taken is not None:
            log.info("backed up into %s: %d bytes", taken.path.name, taken.size)
        if proof is not None:
            log.log(logging.INFO if proof.ok else logging.ERROR, "rehearsed %s: %s", proof.file_name, "equal" if proof.ok else "NOT equal")

    return run


def last_night(now: datetime) -> datetime:
    """The last half past two, by the clinic's clock, that has passed."""
    mark = now.replace(hour=_NIGHT[0], minute=_NIGHT[1], second=0, microsecond=0)
    return mark if mark <= now else mark - timedelta(days=1)
