"""Locks between processes that the operating system lets go of when a process dies, however it dies."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

if sys.platform == "win32":
    import msvcrt

    #: Windows locks byte ranges exclusively: one byte per holder stands for a shared lock.
    _SHARES = 64

    def _lock(fd: int, *, shared: bool) -> bool:
        def byte(place: int) -> bool:
            os.lseek(fd, place, os.SEEK_SET)
            try:
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
            except OSError:
                return False
            return True

        if shared:
            return any(byte(place) for place in range(_SHARES))
        held = []
        for place in range(_SHARES):
            if not byte(place):
                for mine in held:
                    os.lseek(fd, mine, os.SEEK_SET)
                    msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
                return False
            held.append(place)
        return True
else:
    import fcntl

    def _lock(fd: int, *, shared: bool) -> bool:
        try:
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError:
            return False
        return True


class FileLock:
    """One lock file: `acquire` it alone or shared; `release` it, or die. Not re-entrant; use each object from one thread.

    The file itself is never deleted, so that two processes can never hold locks on two files of the same name.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd: int | None = None

    def acquire(self, *, shared: bool = False, timeout: float = 0.0) -> bool:
        """True when held within `timeout` seconds. OSError when the file cannot be opened at all."""
        if self._fd is not None:
            raise RuntimeError("already held")
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        deadline = time.monotonic() + timeout
        while not _lock(fd, shared=shared):
            if time.monotonic() >= deadline:
                os.close(fd)
                return False
            time.sleep(0.02)
        self._fd = fd
        return True

    @property
    def held(self) -> bool:
        return self._fd is not None

    def release(self) -> None:
        """Give it back; harmless when not held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        if not self.held and not self.acquire(timeout=60.0):
            raise TimeoutError(self.path)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.release()
