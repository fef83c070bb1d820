"""Processes, accounts and ports on this machine: what both embedded servers need to be started and found again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from clinicdesk.errors import CannotStart

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
_LOG_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Account:
    """The unprivileged account that runs the servers when the application runs as root."""

    uid: int
    gid: int
    name: str

    def reaches(self, path: Path) -> bool:
        """Whether every folder above `path` lets this account through (permission bits only; access lists are not trusted)."""
        above = {*path.absolute().parents, *path.resolve().parents}
        return all(self._has(parent, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH) for parent in above)

    def runs(self, program: Path) -> bool:
        """Whether this account can execute the program and read the files beside it."""
        return self.reaches(program) and self._has(program.resolve(), stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)

    def _has(self, path: Path, user: int, group: int, other: int) -> bool:
        found = path.stat()
        wanted = user if found.st_uid == self.uid else group if found.st_gid == self.gid else other
        return bool(found.st_mode & wanted)


def is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def server_account(data: Path) -> Account | None:
    """Who must run a server whose files are (or will be) in `data`: None is this process's own account.

    Only root runs servers as somebody else: as the owner of existing files, else as CLINICDESK_SERVER_ACCOUNT, else `nobody`.
    CannotStart(`account`) when the files belong to somebody this process cannot become, or the account does not exist.
    """
    if sys.platform == "win32":
        return None
    import pwd

    owner = data.stat().st_uid if data.exists() else None
    if not is_root():
        if owner not in {None, os.geteuid()}:
            raise CannotStart("account", f"The files in {data} belong to another account.",
                              "Start ClinicDesk as the account that created this folder, or choose another folder with --data-dir.")
        return None
    if owner:
        try:
            found = pwd.getpwuid(owner)
        except KeyError:
            return Account(owner, data.stat().st_gid, str(owner))
    else:
        name = os.environ.get("CLINICDESK_SERVER_ACCOUNT", "nobody")
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            raise CannotStart("account", f"There is no account named {name} to run the database servers.",
                              "Set CLINICDESK_SERVER_ACCOUNT to an unprivileged account.") from None
    if found.pw_uid == 0:
        raise CannotStart("account", "The database servers cannot run as root.",
                          "Set CLINICDESK_SERVER_ACCOUNT to an unprivileged account.")
    return Account(found.pw_uid, found.pw_gid, found.pw_name)


@dataclass(frozen=True, slots=True)
class Home:
    """A server's own folder as the server will see it. `data` below it belongs to the account that runs the server.

    Under root the folder may lie below one that the account may not enter (/root, a 0700 temporary folder). Its parents are never
    loosened: the server inherits an open handle of the folder and addresses it through /proc/self/fd, which needs no way through.
    """

    path: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.path / "data"

    def make(self) -> None:
        """Create the folder; others may look into it only where another account has to."""
        self.path.mkdir(exist_ok=True)
        self.path.chmod(0o711 if self.account else 0o700)

    def give(self, path: Path) -> None:
        """Hand a file or a whole folder to the account (nothing to do without one)."""
        if self.account is None:
            return
        for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(one, self.account.uid, self.account.gid, follow_symlinks=False)

    def run(self, arguments: Callable[[str], Sequence[str | Path]], *, start: bool = False, wait: float | None = None,
            output: IO[bytes] | int = subprocess.DEVNULL, typed: bytes = b"") -> subprocess.Popen[bytes]:
        """Start a program as the account, in a session of its own so that Ctrl+C at a terminal does not reach it.

        `arguments` gets the name of this folder as the program must say it. Waits `wait` seconds unless `start`. `typed` (a few
        kilobytes) is what the program reads: for what must not stand in a list of processes.
        """
        handle: int | None = None
        seen = str(self.path)
        extra: dict[str, Any] = {"start_new_session": True}
        if self.account:
            extra |= {"user": self.account.uid, "group": self.account.gid, "extra_groups": [], "umask": 0o077}
            if not self.account.reaches(self.path / "x"):
                handle = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
                seen = f"/proc/self/fd/{handle}"
                extra["pass_fds"] = (handle,)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LD_PRELOAD", "PYTHONPATH", "PYTHONSTARTUP"))}
        try:
            process = subprocess.Popen([str(a) for a in arguments(seen)], stdout=output, stderr=subprocess.STDOUT,
                                       stdin=subprocess.PIPE if typed else subprocess.DEVNULL, cwd=Path(self.path.anchor),
                                       env=environment, **extra)
        finally:
            if handle is not None:
                os.close(handle)
        if typed and process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(typed)
        if not start:
            try:
                process.wait(wait)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise
        return process


def programs_for(account: Account | None, source: Path, program: str, libraries: Path) -> Path:
    """The folder of a server's programs, in a place the account can reach: a copy is made once where it cannot (root only).

    `libraries` is found by the programs relative to themselves, two folders up, and is copied with them.
    """
    if account is None or account.runs(source / program):
        return source
    found = (source / program).stat()
    stamp = hashlib.sha256(f"{source} {found.st_mtime_ns} {found.st_size}".encode()).hexdigest()[:16]
    for base in (Path("/var/lib"), Path(tempfile.gettempdir())):
        home = base / f"clinicdesk-programs-{stamp}"
        target = home / source.parent.name / source.name
        if not account.reaches(home):
            continue
        try:
            if not home.exists():
                draft = Path(tempfile.mkdtemp(prefix=".clinicdesk-programs-", dir=base))
                shutil.copytree(source, draft / source.parent.name / source.name, symlinks=True,
                                ignore=shutil.ignore_patterns("include", "*.a", "pkgconfig"))
                if libraries.is_dir():
                    shutil.copytree(libraries, draft / libraries.name)
                for folder in (draft, draft / source.parent.name):
                    folder.chmod(0o755)
                draft.rename(home)
        except OSError as error:
            log.info("cannot copy the database programs to %s: %s", base, error.strerror)
            continue
        if home.stat().st_uid == 0 and not home.stat().st_mode & stat.S_IWOTH and account.runs(target / program):
            log.info("the database programs are not readable for %s where they are installed; using a copy in %s", account.name, home)
            return target
    raise CannotStart("programs", f"The account {account.name} cannot run the database programs in {source}.",
                      "Install ClinicDesk in a folder that other accounts may read, such as /opt.")


def open_log(path: Path) -> IO[bytes]:
    """A log file to append to; one that has grown past 5 MB is put aside as `.1` first."""
    if path.exists() and path.stat().st_size > _LOG_BYTES:
        path.replace(path.with_suffix(path.suffix + ".1"))
    return path.open("ab")


def log_tail(path: Path, lines: int = 40) -> list[str]:
    """The last lines of a log, oldest first; empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16_384))
            return file.read().decode("utf-8", "replace").splitlines()[-lines:]
    except OSError:
        return []


def free_port(wanted: int | None = None) -> int:
    """`wanted` when nobody listens there, else any free port of the loopback address."""
    for port in (wanted, 0) if wanted else (0,):
        with socket.socket() as probe:
            if os.name == "posix":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise CannotStart("port", "No free network port is left on this computer.", "Close other programs, then start again.")


def answers(port: int, timeout: float = 0.3) -> bool:
    """Whether anything accepts connections on the loopback port."""
    try:
        socket.create_connection((HOST, port), timeout).close()
    except OSError:
        return False
    return True


def is_alive(pid: int) -> bool:
    """Whether a process of that number runs (a zombie does not)."""
    if sys.platform == "win32":
        import ctypes

        handle = ctypes.windll.kernel32.OpenProcess(0x1000, False, pid)  # noqa: FBT003 - PROCESS_QUERY_LIMITED_INFORMATION
        if not handle:
            return False
        code = ctypes.c_ulong()
        ctypes.windll.kernel32.GetExitCodeProcess(handle, ctypes.byref(code))
        ctypes.windll.kernel32.CloseHandle(handle)
        return code.value == 259  # STILL_ACTIVE
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux" or Path(f"/proc/{pid}").exists()


def started_at(pid: int) -> str:
    """A mark that tells this process from a later one of the same number; empty where the system does not say."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text(encoding='utf-8').strip()}:{ticks}"
    except (OSError, IndexError):
        return ""


@dataclass(frozen=True, slots=True)
class ServerState:
    """Where a server was last started: enough to find it again and to tell it from a stranger of the same number."""

    pid: int
    port: int
    mark: str = ""
    phase: str = "ready"

    def lives(self) -> bool:
        return self.pid > 0 and is_alive(self.pid) and started_at(self.pid) == self.mark

    def write(self, path: Path) -> None:
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps({"pid": self.pid, "port": self.port, "mark": self.mark, "phase": self.phase}), encoding="utf-8")
        draft.replace(path)

    @staticmethod
    def read(path: Path) -> ServerState | None:
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return ServerState(int(found["pid"]), int(found["port"]), str(found["mark"]), str(found["phase"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None


def wait_until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> bool:
    """Ask `condition` again and again; False when it did not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
