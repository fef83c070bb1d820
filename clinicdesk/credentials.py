"""Secrets of one data folder: in the system's keyring where it works, else in a file only its owner can read.

The only user of `keyring`. The first use decides where they are kept and writes that down beside them, so that a locked or missing
keyring later is an error with a sentence and never a second set of passwords. CLINICDESK_SECRETS=file forces the file.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
import sys
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from clinicdesk.errors import CannotStart
from clinicdesk.locks import FileLock
from clinicdesk.whole_files import write_whole

log = logging.getLogger(__name__)

SECRETS_FILE = "secrets.json"
_PLACE_FILE = "clinic.json"
_KEYRING_SECONDS = 30.0  # a person may have to unlock it

T = TypeVar("T")


class _KeyringFailedError(Exception):
    """The keyring refused, or did not answer in time."""


def _patiently(seconds: float, call: Callable[[], T]) -> T:
    """Run `call` in a thread of its own, because a keyring that waits for a prompt nobody sees would hang for ever."""
    answer: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            answer.append(call())
        except BaseException as error:  # noqa: BLE001 - back ends raise whatever their platform raises
            failure.append(error)

    thread = threading.Thread(target=run, name="keyring", daemon=True)
    thread.start()
    thread.join(seconds)
    if answer:
        return answer[0]
    raise _KeyringFailedError(type(failure[0]).__name__ if failure else "no answer")


def _session_bus() -> bool:
    if os.environ.get("DBUS_SESSION_BUS_ADDRESS"):
        return True
    return hasattr(os, "getuid") and Path(f"/run/user/{os.getuid()}/bus").exists()


def _keyring_works() -> bool:
    """Whether a keyring can be used without asking anybody anything: a back end exists and is not locked."""
    if os.environ.get("CLINICDESK_SECRETS", "").lower() == "file":
        return False
    if sys.platform not in {"win32", "darwin"} and not _session_bus():
        return False

    def probe() -> bool:
        import keyring
        from keyring.backends import SecretService

        backend = keyring.get_keyring()
        if backend.priority < 1:
            return False
        if isinstance(backend, SecretService.Keyring) or any(
                isinstance(one, SecretService.Keyring) for one in getattr(backend, "backends", ())):
            import secretstorage

            with secretstorage.dbus_init() as bus:
                return not secretstorage.get_default_collection(bus).is_locked()
        return True

    try:
        return _patiently(5.0, probe)
    except _KeyringFailedError:
        return False


def start_over(data_dir: Path) -> None:
    """Forget where the secrets of this folder were kept, so that the next `Credentials` decides anew; what was there is put aside.

    For a folder whose keyring is gone with its computer or account.
    """
    for name in (_PLACE_FILE, SECRETS_FILE):
        path = data_dir / name
        if path.exists():
            path.replace(path.with_name(f"{name}.lost"))


class Credentials:
    """Get, set and delete secrets by name for the clinic in `data_dir`, which must exist. Safe from threads and several processes.

    Raises CannotStart with code `secrets_file` (unreadable, or readable by others) or `keyring` (it held the secrets before and
    cannot be reached now).
    """

    def __init__(self, data_dir: Path) -> None:
        self._file = data_dir / SECRETS_FILE
        self._place = data_dir / _PLACE_FILE
        self._lock_path = data_dir / "secrets.lock"
        self._thread_lock = threading.Lock()
        with self._alone():
            self.clinic_id, self.kept_in = self._decide()
        self._service = f"ClinicDesk {self.clinic_id}"

    @property
    def standing_warning(self) -> str | None:
        """What the person should know for as long as it is so; None when the keyring is used."""
        if self.kept_in == "keyring":
            return None
        return f"This computer has no usable keyring: passwords and keys are kept in {self._file}, which only your account can read."

    def get(self, name: str) -> str | None:
        """The secret, or None when there is none of that name."""
        return self._read_file().get(name) if self.kept_in == "file" else self._keyring("get_password", name)

    def set(self, name: str, value: str) -> None:
        """Keep it, replacing what was there; on return it is stored."""
        with self._alone():
            self._set(name, value)

    def delete(self, name: str) -> None:
        """Forget it; harmless when there is none."""
        with self._alone():
            if self.kept_in == "file":
                values = self._read_file()
                if values.pop(name, None) is not None:
                    _write_privately(self._file, values)
            elif self._keyring("get_password", name) is not None:
                self._keyring("delete_password", name)

    def get_or_create(self, name: str, *, octets: int = 24) -> str:
        """The secret, made at random (URL-safe text of `octets` random bytes) the first time; two processes get the same one."""
        with self._alone():
            value = self.get(name)
            if value is None:
                value = secrets.token_urlsafe(octets)
                self._set(name, value)
            return value

    def _set(self, name: str, value: str) -> None:
        if self.kept_in == "file":
            _write_privately(self._file, self._read_file() | {name: value})
        else:
            self._keyring("set_password", name, value)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """This thread of this process and nobody else."""
        lock = FileLock(self._lock_path)
        with self._thread_lock:
            try:
                held = lock.acquire(timeout=60.0)
            except OSError as error:
                raise CannotStart("data_dir", f"The folder {self._lock_path.parent} cannot be used: {error.strerror}.",
                                  "Choose another folder with --data-dir, or make this one writable.") from None
            if not held:
                raise CannotStart("secrets_file", "Another ClinicDesk is holding the passwords of this folder.", "Close it, then retry.")
            try:
                yield
            finally:
                lock.release()

    def _decide(self) -> tuple[str, str]:
        try:
            known = json.loads(self._place.read_text(encoding="utf-8"))
            return str(known["clinic_id"]), str(known["secrets_in"])
        except FileNotFoundError:
            kept_in = "file" if self._file.exists() or not _keyring_works() else "keyring"
            clinic_id = uuid.uuid4().hex
            _write_privately(self._place, {"clinic_id": clinic_id, "secrets_in": kept_in})
            log.info("secrets of %s are kept in the %s", self._place.parent, kept_in)
            return clinic_id, kept_in
        except (OSError, ValueError, KeyError, TypeError):
            raise CannotStart("secrets_file", f"{self._place} cannot be read.", "Restore it from a backup of this folder.") from None

    def _read_file(self) -> dict[str, str]:
        try:
            with self._file.open(encoding="utf-8") as file:
                mode = os.fstat(file.fileno()).st_mode
                if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
                    raise CannotStart("secrets_file", f"{self._file} can be read by other people.",
                                      f'Run: chmod 600 "{self._file}"; then change the passwords it holds.')
                values = json.load(file)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError):
            raise CannotStart("secrets_file", f"{self._file} cannot be read.", "Restore it from a backup of this folder.") from None
        return dict(values)

    def _keyring(self, verb: str, *args: str) -> str | None:
        import keyring

        try:
            result: str | None = _patiently(_KEYRING_SECONDS, lambda: getattr(keyring, verb)(self._service, *args))
        except _KeyringFailedError as error:
            log.warning("keyring %s failed: %s", verb, error)
            raise CannotStart("keyring", "The passwords of this clinic are in the system's keyring, which cannot be reached.",
                              "Unlock the keyring (sign in to the desktop), then start again.") from None
        return result


def _write_privately(path: Path, values: dict[str, str]) -> None:
    write_whole(path, json.dumps(values, indent=1).encode())
