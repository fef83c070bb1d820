"""The clinic's own document server (SecantusDB, a separate GPL program that is never imported). Called under the lock of `embedded.py`.

It always syncs on commit: without that it lost acknowledged writes at `kill -9`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.paths import bundled
from clinicdesk.storage import documents, processes
from clinicdesk.storage.processes import Account, Home, ServerState

log = logging.getLogger(__name__)

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0


def program() -> list[str]:
    """The command that starts the document server. CannotStart(`programs`) when it is not installed."""
    if bundled():
        name = "clinicdesk-documents.exe" if sys.platform == "win32" else "clinicdesk-documents"
        return [str(Path(sys.executable).with_name(name))]
    if importlib.util.find_spec("secantus") is None:
        raise CannotStart("programs", "The document server is not installed.", "Install ClinicDesk again (make venv), or set MONGODB_URI.")
    return [sys.executable, "-P", "-m", "secantus"]


def _runs_python(account: Account) -> bool:
    """Whether the account reaches the interpreter, its library and the packages installed for it."""
    found = None if bundled() else importlib.util.find_spec("secantus")
    places = [sys.prefix, sys.base_prefix, *(found.submodule_search_locations or () if found else ())]
    return account.runs(Path(sys.executable)) and all(account.reaches(Path(place) / "x") for place in places)


class EmbeddedDocuments:
    """One WiredTiger folder in `path` (a folder `documents` in the data folder)."""

    def __init__(self, path: Path, log_file: Path, state_file: Path, credentials: Credentials, db_name: str) -> None:
        account = processes.server_account(path / "data")
        # A Python below /root cannot be run by anybody else. This server does not mind being root, unlike PostgreSQL.
        self._home = Home(path, account if account and _runs_python(account) else None)
        self._log_file = log_file
        self._state_file = state_file
        self._credentials = credentials
        self._db_name = db_name
        self._marker = path / "users-created"

    def start(self) -> int:
        """Attach to the running server or start it, creating its users the first time; the port it listens on."""
        state = ServerState.read(self._state_file)
        if state and state.lives():
            if state.phase == "ready" and self._comes_up(state):
                log.info("attached to the document server on port %d", state.port)
                documents.grant_database(self.uri(state.port, documents.ADMIN), self._db_name)
                return state.port
            self._end(state)
        self._home.make()
        settings = self._home.path / "settings.toml"  # empty: keeps the server from looking for one in the working folder or at home
        settings.touch()
        settings.chmod(0o644 if self._home.account else 0o600)
        if not self._home.data.exists():
            self._home.data.mkdir(mode=0o700)
        if self._home.account and self._home.data.stat().st_uid != self._home.account.uid:
            self._home.give(self._home.data)
        wanted = state.port if state else None
        if not self._marker.exists():
            first = self._launch(wanted, phase="creating users")
            documents.create_users(first.port, self._db_name, self._password(documents.ADMIN), self._password(documents.APP))
            self._end(first)
            self._marker.touch(mode=0o600)
            wanted = first.port
        port = self._launch(wanted, phase="ready").port
        documents.grant_database(self.uri(port, documents.ADMIN), self._db_name)
        return port

    def expected_port(self) -> int:
        """Where the server would be, while it cannot be started: the port it had, or one kept for it from now on."""
        state = ServerState.read(self._state_file)
        if state is None:
            state = ServerState(0, processes.free_port(), phase="expected")
            state.write(self._state_file)
        return state.port

    def renew_passwords(self) -> None:
        """Have the next start give both users the passwords that are kept now: for a folder whose passwords are lost.

        That start runs the server for a moment without authentication, on 127.0.0.1 alone, as the very first one did.
        """
        self.stop()
        self._marker.unlink(missing_ok=True)

    def put_aside(self) -> Path | None:
        """Stop the server and move its store out of the way, deleting nothing; where it is now. The next start makes an empty one."""
        self.stop()
        self._marker.unlink(missing_ok=True)
        if not self._home.data.exists():
            return None
        aside = self._home.path / f"aside-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        while aside.exists():
            aside = aside.with_name(aside.name + "x")
        self._home.data.rename(aside)
        return aside

    def stop(self) -> None:
        """End the server in an orderly way. Harmless when it does not run."""
        state = ServerState.read(self._state_file)
        if state and state.lives():
            self._end(state)

    def running(self) -> bool:
        """Whether the server started for this folder is alive now."""
        state = ServerState.read(self._state_file)
        return state is not None and state.lives()

    def uri(self, port: int, user: str) -> str:
        """The address for one of the two users; carries her password."""
        return documents.users_uri(port, user, self._password(user), self._db_name)

    def _password(self, user: str) -> str:
        return self._credentials.get_or_create(f"documents.{user}")

    def _comes_up(self, state: ServerState) -> bool:
        uri = self.uri(state.port, documents.ADMIN)
        return processes.wait_until(lambda: not state.lives() or documents.answers_as(uri), _START_SECONDS) and state.lives()

    def _is_up(self, port: int, phase: str) -> bool:
        return processes.answers(port) and (phase != "ready" or documents.answers_as(self.uri(port, documents.ADMIN)))

    def _launch(self, wanted: int | None, *, phase: str) -> ServerState:
        """Start the process and wait until it answers; another port is tried when the wanted one was taken in between."""
        for _ in range(3):
            port = processes.free_port(wanted)
            wanted = None
            if processes.is_root():
                log.info("running as root: the document server runs as %s", self._home.account.name if self._home.account else
                         "root too, because no other account can run its Python")
            with processes.open_log(self._log_file) as output:
                begin = output.tell()
                process = self._home.run(lambda seen, port=port: [  # type: ignore[misc]
                    *program(), "--host", processes.HOST, "--port", str(port), "--storage-path", f"{seen}/data", "--sync-on-commit",
                    "--cache-size", "256M", "--log-level", "WARNING", "--config", f"{seen}/settings.toml",
                    *([] if phase == "creating users" else ["--auth"])], start=True, output=output)
            state = ServerState(process.pid, port, processes.started_at(process.pid), phase)
            state.write(self._state_file)
            up = partial(self._is_up, port, phase)
            try:
                processes.wait_until(partial(_ended_or, process, up), _START_SECONDS, pause=0.01)
                if process.poll() is None and up():
                    process.returncode = 0  # it outlives this object on purpose; nobody waits for it here any more
                    return state
            except CannotStart:  # it does not let us in: nobody would stop it later
                self._end(state)
                process.returncode = 0
                raise
            said = self._log_file.read_bytes()[begin:].decode("utf-8", "replace")
            if process.poll() is None:
                self._end(state)
                process.returncode = 0
                break
            if "already being managed by another process" in said:
                raise CannotStart("documents_in_use", f"Another program is using the documents in {self._home.data}.",
                                  "Close the other ClinicDesk that uses this folder, or restart the computer.")
            if "Address already in use" not in said:
                break
        raise CannotStart("documents_broken", "The document server did not start.",
                          f"Run “clinicdesk documents rebuild”: it puts the store aside and makes a new one from the database."
                          f" The whole story is in {self._log_file}.")

    def _end(self, state: ServerState) -> None:
        """SIGTERM and what this server needs besides: a knock on its port wakes its accept(), which sleeps on after the signal; and a
        signal that came just before it went to sleep is lost, so while it still accepts knocks it is told again."""
        told = 0.0

        def gone() -> bool:
            nonlocal told
            with contextlib.suppress(ChildProcessError, OSError, AttributeError):
                os.waitpid(state.pid, os.WNOHANG)  # our own child would stay behind as a zombie
            if not state.lives():
                return True
            if not told or (processes.answers(state.port) and time.monotonic() - told > 0.3):
                told = time.monotonic()
                with contextlib.suppress(ProcessLookupError):
                    os.kill(state.pid, signal.SIGTERM)
            return False

        if not processes.wait_until(gone, _STOP_SECONDS):
            log.warning("the document server (process %d) did not stop in time and is killed; what it acknowledged is on disk", state.pid)
            with contextlib.suppress(ProcessLookupError):
                os.kill(state.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
            processes.wait_until(gone, 5)


def _ended_or(process: subprocess.Popen[bytes], up: Callable[[], bool]) -> bool:
    return process.poll() is not None or up()
