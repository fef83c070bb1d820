"""The clinic's own two servers on this computer: started by the first ClinicDesk, shared by the next, stopped by the last.

Who uses them is known by a shared lock on `run/users.lock`, which the operating system releases however a process dies; starting and
stopping happen under `run/start.lock`. A killed application leaves the servers running and the next one finds them again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from clinicdesk.config import prepare_data_dir
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart, ClinicError
from clinicdesk.locks import FileLock
from clinicdesk.storage import documents
from clinicdesk.storage.addresses import APP, BACKUP, OWNER, WORKER, Addresses
from clinicdesk.storage.embedded_documents import EmbeddedDocuments
from clinicdesk.storage.embedded_postgres import ADMIN, EmbeddedPostgres

log = logging.getLogger(__name__)

_REBUILD = "Run “clinicdesk documents rebuild”: it puts the store aside and makes a new one from the database."
_STORE_LOST = {"documents_broken", "password_lost"}
_PATIENCE = 90.0  # another process may be creating or recovering the databases


T = TypeVar("T")


def _at_once(*calls: Callable[[], T] | None) -> list[T | None]:
    """Run the calls beside each other; their results in order, or the first one's error.

    A signal may raise in here (SIGTERM, Ctrl+C): what was begun then comes to its end first, so that it can be undone.
    """
    with ThreadPoolExecutor(len(calls), thread_name_prefix="servers") as pool:
        futures = [pool.submit(call) if call else None for call in calls]
        wait([future for future in futures if future])  # a signal that raises here still has leaving the pool wait for its threads
    return [future.result() if future else None for future in futures]


class EmbeddedServers:
    """The servers of one data folder. `want_database` or `want_documents` False leaves that server alone (a shared one is used).

    Threads take turns; every method may take seconds, so call it off the GUI thread. Raises CannotStart, but never because the document
    server cannot be started: that is kept in `documents_trouble`, and what is written meanwhile waits in the database.
    """

    def __init__(self, data_dir: Path, credentials: Credentials, *, documents_db: str = "clinic_appointment", want_database: bool = True,
                 want_documents: bool = True, postgres_settings: Mapping[str, str] | None = None) -> None:
        prepare_data_dir(data_dir)
        run, logs = data_dir / "run", data_dir / "log"
        self._start_lock = FileLock(run / "start.lock")
        self._use = FileLock(run / "users.lock")
        self._postgres = EmbeddedPostgres(data_dir / "postgresql", logs / "postgresql.log", run / "postgresql.json", credentials,
                                          postgres_settings or {}) if want_database else None
        self._documents = EmbeddedDocuments(data_dir / "documents", logs / "documents.log", run / "documents.json", credentials,
                                            documents_db) if want_documents else None
        self._keep, self._stopped = run / "keep-running", run / "stopped-on-purpose"
        self._data_dir = data_dir
        self._one_at_a_time = threading.RLock()
        self._resting = False
        self.documents_trouble: CannotStart | None = None  #: why the document server could not be started; the clinic works without it

    def start(self) -> Addresses:
        """Make sure the servers run (create, start, restart or find them) and count as a user of them until `stop`.

        May be called again to bring back a server that died. Addresses of a server that is not wanted are empty; that of a document
        server that cannot be started says where it would be.
        """
        with self._starting():
            self._resting = False
            self._stopped.unlink(missing_ok=True)
            newcomer = not self._use.held
            if newcomer and not self._use.acquire(shared=True, timeout=_PATIENCE):
                raise self._busy()
            try:
                ports = _at_once(self._postgres.start if self._postgres else None, self._start_documents if self._documents else None)
                return self._addresses(*ports)
            except BaseException:
                if newcomer:
                    self._leave()
                raise

    def stop(self) -> bool:
        """Stop using the servers; the last user stops them. True when they were stopped. Harmless when not started."""
        if not self._use.held:
            return False
        with self._starting():
            return self._leave()

    def stop_now(self) -> bool:
        """Stop the servers although others may be using them (`clinicdesk server stop`); False when none was running."""
        with self._starting():
            ran = any(self.running().values())
            self._stopped.touch()
            self._keep.unlink(missing_ok=True)
            self._use.release()
            self._halt()
            return ran

    def keep_running(self) -> None:
        """From now on the last user leaves them running, until `stop_now`."""
        self._keep.touch()

    def running(self) -> dict[str, bool]:
        """Which of the wanted servers is alive: keys `database` and `documents`."""
        return {name: server.running() for name, server in (("database", self._postgres), ("documents", self._documents)) if server}

    def stop_documents(self) -> None:
        """Stop only the document server (maintenance; what is written meanwhile is delivered later)."""
        with self._starting():
            self._resting = True
            if self._documents:
                self._documents.stop()

    def end_broken_documents(self) -> None:
        """End a document server that lives and does not do its work (its store failed, as after a full disk): it is started anew then."""
        with self._starting():
            if self._documents is not None:
                log.warning("the document server does not do its work any more and is started anew")
                self._documents.stop()

    def renew_documents(self) -> Path | None:
        """Put the document store aside (it is never deleted) and start an empty one on the same port; where the old one is now.

        What documents there were must be sent again from the database. CannotStart when even an empty one does not start,
        or when the trouble is not the store's.
        """
        with self._starting():
            if self._documents is None:
                return None
            if self.documents_trouble is not None and self.documents_trouble.code not in _STORE_LOST:
                raise self.documents_trouble  # in use by another program, not installed, no port: the store is as good as it was
            aside = self._documents.put_aside()
            self._start_documents()
            if self.documents_trouble is not None:
                raise self.documents_trouble
            return aside

    def renew_passwords(self) -> None:
        """Make the servers take the passwords that are kept now; for a folder whose secrets are lost. They are stopped afterwards.

        Whoever may write the folder can do this; the sealed records stay closed without the clinic key. CannotStart while another
        ClinicDesk uses them.
        """
        with self._starting():
            if self.in_use():
                raise self._busy()
            if self._postgres:
                self._postgres.renew_passwords()
            if self._documents:
                self._documents.renew_passwords()

    def needs_reviving(self) -> bool:
        """Whether a server that should run does not: it died, or could not be started. What was stopped on purpose may rest."""
        alive = self.running()
        if not self._use.held or self._stopped.exists():
            return False
        return not alive.get("database", True) or not (alive.get("documents", True) or self._resting)

    def in_use(self) -> bool:
        """Whether any ClinicDesk, this one included, counts as a user now."""
        if self._use.held:
            return True
        probe = FileLock(self._use.path)
        free = probe.acquire()
        probe.release()
        return not free

    def _start_documents(self) -> int:
        """The document server's port, or where it would be: the clinic opens without it."""
        if self._documents is None:
            return 0
        try:
            port = self._documents.start()
        except (ClinicError, OSError) as error:
            said = error.sentence if isinstance(error, ClinicError) else f"The document store cannot be used: {error.strerror}."
            known = error if isinstance(error, CannotStart) else CannotStart("documents_broken", said, _REBUILD)
            if self.documents_trouble is None or self.documents_trouble.code != known.code:
                log.warning("the document server is not available (%s): %s", known.code, known.sentence)
            self.documents_trouble = known
            return self._documents.expected_port()
        self.documents_trouble = None
        return port

    def _leave(self) -> bool:
        self._use.release()
        if self._keep.exists() or self.in_use():
            return False
        self._halt()
        return True

    def _halt(self) -> None:
        _at_once(self._postgres.stop if self._postgres else None, self._documents.stop if self._documents else None)

    @contextmanager
    def _starting(self) -> Iterator[None]:
        """One thread of one process at a time."""
        with self._one_at_a_time:
            if not self._start_lock.acquire(timeout=_PATIENCE):
                raise self._busy()
            with self._start_lock:
                yield

    def _busy(self) -> CannotStart:
        return CannotStart("busy", f"Another ClinicDesk is starting or stopping the databases in {self._data_dir}.",
                           "Wait until it is done, then start again.")

    def _addresses(self, database_port: int | None, documents_port: int | None) -> Addresses:
        postgres, store, port = self._postgres, self._documents, database_port or 0
        return Addresses(
            app=postgres.url(port, APP) if postgres else "",
            owner=postgres.url(port, OWNER) if postgres else None,
            worker=postgres.url(port, WORKER) if postgres else None,
            backup=postgres.url(port, BACKUP) if postgres else None,
            admin=postgres.url(port, ADMIN, "postgres") if postgres else None,
            documents=store.uri(documents_port or 0, documents.APP) if store else "",
            documents_admin=store.uri(documents_port or 0, documents.ADMIN) if store else None,
            embedded_database=postgres is not None, embedded_documents=store is not None,
        )
