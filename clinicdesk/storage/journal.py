"""The draft journal: what is being typed, sealed, on this computer's disk within a second, whatever becomes of servers and processes.

One file for each editor that is open. Its owner holds a lock for as long as the process lives; a file whose lock is free was left behind
by a crash and is offered again. Each write replaces the whole file in one step (new file, fsync, rename), so that a power cut leaves the
old or the new text, never half of one.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

from clinicdesk.locks import FileLock
from clinicdesk.storage.vault import Place, SealBroken, seal, unseal
from clinicdesk.whole_files import sync_folder

_SUFFIX: Final = ".draft"
#: A thread with nothing to write ends after this long.
_IDLE_SECONDS: Final = 0.3
#: A reader lets a file go within this time; who writes it keeps it.
_READ_SECONDS: Final = 0.1
#: What the disk refused is tried again after this long.
_AGAIN_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class JournalPlace:
    """Where the journals of one text are written and how they are sealed: folder, name shared by all its files, key and place."""

    folder: Path
    name: str
    key: bytes
    place: Place

    def left_behind(self) -> list[Leftover]:
        """Texts whose writer is gone, newest first. A file that cannot be opened any more is left alone and not listed."""
        found = []
        for path in self.folder.glob(f"{self.name}-*{_SUFFIX}") if self.folder.is_dir() else ():
            lock = FileLock(_lock_path(path))
            try:
                if not lock.acquire(shared=True):  # others may be reading it too
                    continue  # somebody is writing it
                found.append((path.stat().st_mtime, Leftover(path, unseal(self.key, path.read_bytes(), self.place).decode())))
            except (OSError, SealBroken):
                continue
            finally:
                lock.release()
        return [leftover for _, leftover in sorted(found, key=lambda one: one[0], reverse=True)]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A text somebody typed in a process that is gone."""

    path: Path
    text: str

    def discard(self) -> None:
        """Take it away: it was settled. Harmless when it is gone, and left alone while somebody writes it again."""
        _remove(self.path)

    def take_away(self) -> Callable[[], None]:
        """Discard it; what is given back puts the same sealed bytes there again. OSError when the disk refuses."""
        body = self.path.read_bytes()
        self.discard()

        def put_back() -> None:
            new = self.path.with_suffix(".new")
            fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)

        return put_back


class Journal:
    """Writes the newest text of one editor. `put` returns at once; a thread of its own seals and writes within some milliseconds, and
    ends when there is nothing to write. What the disk refuses is tried again until it takes it or a newer text comes.

    `on_trouble(error or None)` is called from that thread when writing fails, and once with None when it works again.
    """

    def __init__(self, place: JournalPlace, on_trouble: Callable[[OSError | None], object]) -> None:
        self._place, self._on_trouble = place, on_trouble
        self.path = place.folder / f"{place.name}-{token_hex(4)}{_SUFFIX}"
        self._condition = threading.Condition()
        self._next: str | None = None
        self._busy = self._closed = self._in_trouble = self._refused = False
        self._lock: FileLock | None = None
        self._thread: threading.Thread | None = None

    def put(self, text: str) -> None:
        """Write this text instead of what was there."""
        with self._condition:
            if self._closed:
                return
            self._next, self._refused = text, False
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="draft journal", daemon=True)
                self._thread.start()
            self._condition.notify_all()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything put is on the disk; False when it is not within `timeout` seconds, or the disk refused it."""
        with self._condition:
            self._condition.wait_for(lambda: not self._busy and (self._next is None or self._refused), timeout)
            return self._next is None and not self._busy

    def close(self, *, keep: bool) -> None:
        """End the thread and let go; the file stays for the next start with `keep`, else it goes. Waits for a write under way."""
        with self._condition:
            self._closed = True
            if not keep:
                self._next = None
            self._condition.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(5.0)
        if self._lock is not None:
            self._lock.release()
            if not keep:
                _remove(self.path)

    def _work(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._next is not None or self._closed, _IDLE_SECONDS)
                text, self._next = self._next, None
                if text is None:  # closed, or nobody is typing: the next text starts a thread again
                    self._thread = None
                    return
                self._busy = True
            try:
                self._write(text)
                trouble: OSError | None = None
            except OSError as error:
                trouble = error
            with self._condition:
                was, self._in_trouble, self._busy = self._in_trouble, trouble is not None, False
                last = self._closed
                if trouble is not None and self._next is None and not last:
                    self._next, self._refused = text, True  # it is not on the disk: nobody may believe so
                self._condition.notify_all()
            if trouble is not None or was:
                self._on_trouble(trouble)
            if trouble is not None and not last:
                with self._condition:
                    self._condition.wait_for(lambda: self._closed or not self._refused, _AGAIN_SECONDS)

    def _write(self, text: str) -> None:
        folder = self._place.folder
        if self._lock is None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = FileLock(_lock_path(self.path))
            lock.acquire()
            self._lock = lock
        body = seal(self._place.key, text, self._place.place)
        new = self.path.with_suffix(".new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
        sync_folder(folder)


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _remove(path: Path) -> None:
    lock = FileLock(_lock_path(path))
    if not path.parent.is_dir() or not lock.acquire(timeout=_READ_SECONDS):
        return
    try:
        for one in (path, path.with_suffix(".new"), lock.path):  # the name is random: nobody makes a lock of this name again
            one.unlink(missing_ok=True)
    finally:
        lock.release()
