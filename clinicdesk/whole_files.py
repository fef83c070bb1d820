"""Files that are there whole or not at all: written beside, flushed to the disk, renamed; a crash leaves the old file or the new one."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

_DRAFT = ".draft"


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put `content` in the place of the file `path`; on return it is on the disk, name and all. OSError, and the old file, else.

    Only who `mode` says can read it at any moment. Drafts that a process which is gone left behind are taken away.
    """
    _sweep(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}{_DRAFT}")
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """A name made or changed in the folder is on the disk when this returns, where the system has such a call."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _sweep(path: Path) -> None:
    from clinicdesk.storage.processes import is_alive

    for left in path.parent.glob(f".{path.name}.*{_DRAFT}"):
        pid = left.name.removesuffix(_DRAFT).rpartition(".")[2].partition("-")[0]
        if pid.isdigit() and int(pid) != os.getpid() and not is_alive(int(pid)):
            with suppress(OSError):
                left.unlink()
