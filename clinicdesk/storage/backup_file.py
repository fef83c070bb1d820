"""The form of a backup file: a readable header, then sealed frames. Written in one pass and read in one pass, a frame in memory at a time.

    magic (8) · length of the header (4) · header (JSON) · SHA-256 of all that (32) · frames: length (4) · AES-256-GCM text
    a frame, opened: section (1) · length of the head (4) · head (JSON) · body

The header carries the file's own random key wrapped by the clinic key. Every frame is bound to the header, to its number and to whether it
is the last (`vault.FrameSeal`). The SHA-256 only tells a damaged header from a wrong key: what protects it are the frames bound to it.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

from clinicdesk.errors import ClinicError
from clinicdesk.storage.processes import is_alive
from clinicdesk.storage.vault import FrameSeal, SealBroken, Vault, new_key
from clinicdesk.whole_files import sync_folder

MAGIC = b"CDBACKUP"
FORMAT = 1
PIECE = 1 << 20  #: bytes of the dump in one frame
_TAG = 16
#: A visit document is one frame and at most MongoDB's 16 MB.
_LARGEST = (17 << 20) + _TAG
_LONGEST_HEADER = 1 << 16
_PARTIAL = ".partial"

Section = Literal["dump", "visit", "file", "manifest"]
_SECTIONS: dict[Section, bytes] = {"dump": b"D", "visit": b"V", "file": b"F", "manifest": b"M"}
_NAMES = {letter[0]: name for name, letter in _SECTIONS.items()}


class BackupDamaged(ClinicError):
    """A backup file is not as it was written; the sentence says where."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "Nothing was restored. Use another backup, or another copy of this one.")


class WrongKey(ClinicError):
    """The file was sealed for another clinic key."""

    def __init__(self) -> None:
        super().__init__("This backup was made with another clinic key.", "Enter the key of the clinic the backup was taken from;"
                         " if it was changed since, the one from the recovery kit of that time.")


@dataclass(frozen=True, slots=True)
class Header:
    """What anybody may read of a backup: nothing about a patient. `taken_at` is UTC; `fingerprint` and `wrapped_key` are base64."""

    taken_at: str
    clinic_id: str
    app_version: str
    schema_version: str
    fingerprint: str
    wrapped_key: str
    format: int = FORMAT

    @property
    def at(self) -> datetime:
        """When the backup was taken."""
        return datetime.fromisoformat(self.taken_at)


@dataclass(frozen=True, slots=True)
class Frame:
    """One opened frame."""

    section: Section
    head: dict[str, Any]
    body: bytes


class BackupWriter:
    """Seals frames into a file. The last frame is held back until `finish`, because it is sealed as the last."""

    def __init__(self, file: IO[bytes], vault: Vault, *, taken_at: datetime, clinic_id: str, app_version: str, schema_version: str) -> None:
        key = new_key()
        header = Header(taken_at.isoformat(), clinic_id, app_version, schema_version, base64.b64encode(vault.fingerprint()).decode(),
                        base64.b64encode(vault.wrap_stream_key(key)).decode())
        text = json.dumps(asdict(header)).encode()
        start = MAGIC + len(text).to_bytes(4, "big") + text
        digest = hashlib.sha256(start).digest()
        self._file, self._seal, self._number = file, FrameSeal(key, digest), 0
        self._held: bytes | None = None
        self._sha256 = hashlib.sha256()
        self.size = 0
        self._write(start + digest)

    def add(self, section: Section, head: dict[str, Any] | None = None, body: bytes = b"") -> None:
        """One frame more."""
        if self._held is not None:
            self._put(self._held, last=False)
        text = json.dumps(head).encode() if head else b""
        self._held = _SECTIONS[section] + len(text).to_bytes(4, "big") + text + body

    def finish(self) -> str:
        """Seal the last frame as the last; the SHA-256 of the whole file."""
        self._put(self._held or b"", last=True)
        return self._sha256.hexdigest()

    def _put(self, plain: bytes, *, last: bool) -> None:
        sealed = self._seal.close(plain, self._number, last=last)
        self._write(len(sealed).to_bytes(4, "big") + sealed)
        self._number += 1

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._sha256.update(data)
        self.size += len(data)


@contextmanager
def new_file(target: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when the block ended well; else nothing is left. ClinicError when it cannot be written.

    Only its owner can read it, from the first byte on.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}{_PARTIAL}")
    if target.exists():
        raise ClinicError(f"There is already a file {target.name} in {target.parent}.", "Choose another name.")
    with _sayable(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(fd, "wb", buffering=0) as file:
            yield _Whole(file, target.parent)  # type: ignore[misc]
            with _sayable(target.parent):
                os.fsync(file.fileno())
        with _sayable(target.parent):
            draft.rename(target)
            sync_folder(target.parent)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


class _Whole:
    """Writes everything it is given: an unbuffered file may take less than it was offered."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file, self._folder = file, folder

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        with _sayable(self._folder):
            while left:
                left = left[self._file.write(left):]
        return len(data)


@contextmanager
def _sayable(folder: Path) -> Iterator[None]:
    """What the disk refuses, as a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise ClinicError(f"There is no room left for the backup in {folder}.",
                              "Nothing was kept of it, and older backups are as they were. Make room, or choose another folder.") from error
        raise ClinicError(f"The backup cannot be written to {folder}: {error.strerror}.",
                          "Choose a folder that can be written to.") from error


def read_header(path: Path) -> Header:
    """What the file says of itself, without a key. BackupDamaged when it is no backup or its beginning is damaged."""
    try:
        with path.open("rb") as file:
            return _header(file)[0]
    except OSError as error:
        raise _unreadable(path, error) from error


def frames(path: Path, vault: Vault) -> Iterator[Frame]:
    """Every frame in order, each proven to be what was written at this place; the caller may stop early.

    Raises WrongKey, or BackupDamaged which says where. Reaching the end proves that nothing is missing.
    """
    try:
        with path.open("rb") as file:
            header, digest = _header(file)
            if not vault.fits(base64.b64decode(header.fingerprint)):
                raise WrongKey
            try:
                seal = FrameSeal(vault.unwrap_stream_key(base64.b64decode(header.wrapped_key)), digest)
            except SealBroken:
                raise BackupDamaged("The beginning of the backup file is damaged: its key does not open.") from None
            yield from _opened(file, seal)
    except OSError as error:
        raise _unreadable(path, error) from error


def _opened(file: IO[bytes], seal: FrameSeal) -> Iterator[Frame]:
    number, ahead = 0, file.read(4)
    while ahead:
        at = file.tell() - len(ahead)
        length = int.from_bytes(ahead, "big")
        sealed = file.read(length) if len(ahead) == 4 and _TAG <= length <= _LARGEST else b""
        ahead = file.read(4)
        if not sealed or len(sealed) != length:
            raise _broken(number, at)
        try:
            plain = seal.open(sealed, number, last=not ahead)
        except SealBroken:
            raise _broken(number, at) from None
        end = 5 + int.from_bytes(plain[1:5], "big")
        yield Frame(_NAMES[plain[0]], json.loads(plain[5:end]) if end > 5 else {}, plain[end:])
        number += 1
    if not number:
        raise BackupDamaged("The backup file ends after its beginning: everything else is missing.")


def _broken(number: int, at: int) -> BackupDamaged:
    return BackupDamaged(f"The backup file is damaged or incomplete: part {number + 1}, from byte {at} on, is not as it was written.")


def _header(file: IO[bytes]) -> tuple[Header, bytes]:
    start = file.read(12)
    if start[:8] != MAGIC:
        raise BackupDamaged("This is not a backup of ClinicDesk, or its first bytes are damaged.")
    length = int.from_bytes(start[8:], "big")
    text = file.read(length) if length <= _LONGEST_HEADER else b""
    digest = file.read(32)
    if hashlib.sha256(start + text).digest() != digest:
        raise BackupDamaged("The beginning of the backup file is damaged.")
    found = json.loads(text)
    if found.get("format") != FORMAT:
        raise BackupDamaged("This backup was made by a newer ClinicDesk, which wrote it in another form.")
    return Header(**found), digest


def _unreadable(path: Path, error: OSError) -> ClinicError:
    return ClinicError(f"The backup {path} cannot be read: {error.strerror}.", "Check the name and the disk it lies on.")


def sweep_partials(folder: Path) -> None:
    """Remove what an interrupted backup of a process that no longer exists left in a folder."""
    for path in folder.glob(f".*{_PARTIAL}"):
        pid = path.name.removesuffix(_PARTIAL).rpartition(".")[2]
        if pid.isdigit() and int(pid) != os.getpid() and not is_alive(int(pid)):
            with suppress(OSError):
                path.unlink()
