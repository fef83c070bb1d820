"""Restoring a backup for good: a new data folder with servers of its own, in which the clinic is as the backup holds it.

Takes seconds to minutes: never on the GUI thread. `progress` (what, done, total) may raise `Cancelled`; nothing half-restored is left then.
"""

from __future__ import annotations

import base64
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from clinicdesk import erasures_known, key_change
from clinicdesk.clinic import CLINIC_KEY, Clinic, open_clinic, store_key, stored_key
from clinicdesk.config import Settings, load_settings, prepare_data_dir
from clinicdesk.credentials import Credentials
from clinicdesk.erasures_known import Known
from clinicdesk.errors import CannotStart, ClinicError
from clinicdesk.former_keys import keep_former, with_former
from clinicdesk.jobs.worker import deliver_all
from clinicdesk.rules.key_code import read_key_code
from clinicdesk.services import accounts, auditing, backup_proofs, erasing
from clinicdesk.storage import backup_reading, inventory
from clinicdesk.storage.backup_file import BackupDamaged, WrongKey, read_header
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.inventory import Progress
from clinicdesk.storage.vault import Vault


class Cancelled(ClinicError):
    """The person stopped it; nothing half-done is left."""

    def __init__(self) -> None:
        super().__init__("Stopped. Nothing was kept.")


@dataclass(frozen=True, slots=True)
class Restored:
    """A clinic that was restored. `rows`, `visits`, `files` were compared one by one; `erased` people were erased again.

    `caution` is a sentence where no ledger of erasures that is surely whole is at hand, as on a new computer; "" else.
    """

    data_dir: Path
    taken_at: datetime
    rows: int
    visits: int
    files: int
    erased: int
    seconds: float
    caution: str = ""


def nothing(_what: str, _done: int, _total: int) -> None:
    """Progress that nobody looks at."""


def verify(path: Path, vault: Vault, progress: Progress = nothing) -> backup_reading.Checked:
    """Prove every byte of a backup file. BackupDamaged or WrongKey says what is wrong."""
    return backup_reading.check(path, vault, progress)


def own_key(path: Path, settings: Settings) -> bytes | None:
    """The clinic key, of those this computer holds, that opens this backup: an earlier one where the key was changed since."""
    fingerprint = base64.b64decode(read_header(path).fingerprint)
    vault = _own_vault(settings, fingerprint)
    return vault.key_of(fingerprint) if vault else None


def vault_for(path: Path, key: bytes, settings: Settings) -> Vault:
    """What opens this backup: the key, with the clinic's other keys where this computer holds them. WrongKey when it does not fit."""
    fingerprint = base64.b64decode(read_header(path).fingerprint)
    vault = _own_vault(settings, fingerprint)
    if vault is None or vault.key_of(fingerprint) != key:
        vault = Vault.opened_by(key, fingerprint)
    if vault is None:
        raise WrongKey
    return vault


def _own_vault(settings: Settings, fingerprint: bytes) -> Vault | None:
    key = stored_key(Credentials(settings.data_dir)) if settings.data_dir.is_dir() else None
    if key is None:
        return None
    vault = with_former(settings.data_dir, key)
    return vault if vault is not None and vault.fits(fingerprint) else Vault.opened_by(key, fingerprint)


def typed_key(typed: str) -> bytes:
    """The key somebody typed from paper. CannotStart(`key_code`) when it has a mistake in it."""
    key = read_key_code(typed)
    if key is None:
        raise CannotStart("key_code", "This is not a clinic key: something was left out or mistyped.",
                          "It has 14 groups of four letters and digits. Compare them one by one.")
    return key


def restore(path: Path, into: Path, key: bytes, settings: Settings, progress: Progress = nothing) -> Restored:
    """Make `into` the data folder of the clinic as the backup holds it, with servers and passwords of its own; they are stopped at the end.

    `settings` are those of the folder this is started from: the ledgers of erasures they lead to are replayed. ClinicError says what is
    wrong with the file, the key or the folder; nothing half-restored is left then.
    """
    into = into.expanduser().absolute()
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise CannotStart("not_empty", f"{into} is not empty.", "Choose a new or an empty folder: a restore never writes over anything.")
    begun, vault, existed = time.monotonic(), vault_for(path, key, settings), into.exists()
    checked = backup_reading.check(path, vault, progress)
    backup_reading.fits_here(checked.header)
    own = own_settings(into, load_settings(data_dir=into))  # as it will be opened: the names of collections may be set outside
    credentials = None
    try:
        prepare_data_dir(into)
        credentials = Credentials(into)
        store_key(credentials, key)
        known = erasures_known.gather(settings, own=own_key(path, settings) is not None)
        erased = _restore_into(own, path, vault, checked, settings, known, progress)
        store_key(credentials, vault.clinic_key)
        keep_former(into, vault)
    except BaseException:
        _undo_restore(into, credentials, existed=existed)
        raise
    manifest = checked.manifest
    return Restored(into, checked.header.at, manifest.rows(), manifest.visits[0], manifest.files[0], erased,
                    round(time.monotonic() - begun, 1), known.caution(checked.header.at))


def _restore_into(own: Settings, path: Path, vault: Vault, checked: backup_reading.Checked, settings: Settings, known: Known,
                  progress: Progress) -> int:
    servers = servers_in(own)
    try:
        progress("Starting the databases", 0, 1)
        addresses = servers.start()
        if servers.documents_trouble is not None:
            raise servers.documents_trouble
        documents = Documents(addresses.documents, own.mongodb_db_name, own.mongodb_collection_name)
        try:
            backup_reading.fill(path, vault, addresses, documents, progress)
            different = inventory.differences(checked.manifest, backup_reading.measure(addresses, documents, progress))
        finally:
            documents.close()
        if different:
            raise BackupDamaged(f"What was restored is not what was saved. {different[0]}")
        backup_reading.resume_jobs(addresses)
        return _take_into_use(own, checked, settings, vault, known)
    finally:
        servers.stop()


def _take_into_use(own: Settings, checked: backup_reading.Checked, settings: Settings, vault: Vault, known: Known) -> int:
    """Bring the tables and the clinic key up to date, send documents the backup lacks from the outbox, erase again who was erased since."""
    clinic = open_clinic(own, worker=False)
    try:
        with clinic.as_owner() as session:
            key_change.follow(session, vault)
        if checked.manifest.missing:
            deliver_all(clinic.worker_database, again=True)
        erased = _replay_erasures(clinic, known)
        if (settings.data_dir / auditing.ANCHORS).exists():
            shutil.copyfile(settings.data_dir / auditing.ANCHORS, own.data_dir / auditing.ANCHORS)
        with clinic.as_owner() as session:
            accounts.begin_anew(session)
            backup_proofs.note_restore(session, checked.header.at)
            auditing.write_restore(session, session.now(), checked.manifest.audit[0])
    finally:
        clinic.close()
    return erased


def _replay_erasures(clinic: Clinic, known: Known) -> int:
    """Erase again in the restored clinic whom the ledgers that were found name; how many.

    A ledger that cannot be replayed fails the restore: who was erased must not come back.
    """
    with clinic.as_owner() as session:
        lines = erasing.everywhere(session, *known.ledgers)
        return erasing.replay(session, lines) if lines else 0


def _undo_restore(into: Path, credentials: Credentials | None, *, existed: bool) -> None:
    with suppress(ClinicError, OSError):
        EmbeddedServers(into, Credentials(into)).stop_now()
    if credentials is not None and credentials.kept_in == "keyring":
        for name in (CLINIC_KEY, *(f"postgresql.clinicdesk_{role}" for role in ("admin", "owner", "app", "worker", "backup")),
                     "documents.clinicdesk_admin", "documents.clinicdesk_app"):
            with suppress(ClinicError):
                credentials.delete(name)
    for one in into.iterdir() if into.exists() else ():
        shutil.rmtree(one, ignore_errors=True) if one.is_dir() and not one.is_symlink() else one.unlink(missing_ok=True)
    if not existed:
        with suppress(OSError):
            into.rmdir()


def own_settings(data_dir: Path, like: Settings) -> Settings:
    """The same settings for a folder with servers of its own."""
    return like.model_copy(update={"data_dir": data_dir, "database_url": None, "mongodb_uri": None, "backup_dir": None})


def servers_in(settings: Settings, postgres_settings: dict[str, str] | None = None) -> EmbeddedServers:
    """The servers of such a folder, not started."""
    return EmbeddedServers(settings.data_dir, Credentials(settings.data_dir), documents_db=settings.mongodb_db_name,
                           postgres_settings=postgres_settings)


def remove_servers(data_dir: Path) -> None:
    """Stop the servers of a folder and take the folder away."""
    with suppress(ClinicError, OSError):
        EmbeddedServers(data_dir, Credentials(data_dir)).stop_now()
    shutil.rmtree(data_dir, ignore_errors=True)
