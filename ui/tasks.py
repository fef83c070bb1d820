"""Work off the GUI thread: one pool of four threads, one way out (`Pool.run`), one way back (one queued signal, one slot).

`done` and `failed` always run on the GUI thread. Late answers are dropped in one place (`_deliver`): when the owner has been destroyed,
or when a newer question with the same owner and `replaces` key was asked. Worker threads never hold a reference to a widget, so none can
be finalised there; the cyclic collector runs on a GUI timer for the same reason (`CollectOnGuiThread`).
"""

from __future__ import annotations

import gc
import itertools
import queue
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from shiboken6 import isValid

Done = Callable[[Any], object]
Failed = Callable[[Exception], object]


class _Job:
    """What a worker sees: a number, the work, and whether it is still wanted."""

    __slots__ = ("cancelled", "keep", "number", "work")

    def __init__(self, number: int, work: Callable[[], Any], *, keep: bool) -> None:
        self.number, self.work, self.keep = number, work, keep
        self.cancelled = False


@dataclass(slots=True)
class _Waiting:
    """What stays on the GUI thread: who asked and whom to tell."""

    job: _Job
    owner: QObject
    done: Done | None
    failed: Failed | None
    key: tuple[int, str] | None
    keep: bool


class Pool(QObject):
    """Four worker threads. With `inline=True` work runs and answers arrive before `run` returns (tests).

    Signals: `busy_changed(count)` of questions under way; `lost(error)` when work that must not be forgotten (a write) failed and
    its owner is gone, so that nobody else would say so.
    """

    busy_changed = Signal(int)
    lost = Signal(object)
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None, *, workers: int = 4, inline: bool = False) -> None:
        super().__init__(parent)
        self._inline, self._closed = inline, False
        self.failed_writes = 0  #: so many writes were refused or lost so far
        self._numbers = itertools.count(1)
        self._todo: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._answers: deque[tuple[int, Any, Exception | None]] = deque()
        self._waiting: dict[int, _Waiting] = {}
        self._newest: dict[tuple[int, str], int] = {}
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        names = [f"clinicdesk-worker-{i}" for i in range(0 if inline else workers)]
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for name in names]
        for thread in self._threads:
            thread.start()

    @property
    def busy(self) -> int:
        """How many questions wait for an answer."""
        return len(self._waiting)

    @property
    def writing(self) -> int:
        """How many of them are writes."""
        return sum(waiting.keep for waiting in self._waiting.values())

    def is_asked_by(self, owner: QObject) -> bool:
        """Whether an answer for this owner is on its way."""
        return any(waiting.owner is owner for waiting in self._waiting.values())

    def run(self, owner: QObject, work: Callable[[], Any], done: Done | None = None, failed: Failed | None = None, *,
            replaces: str | None = None, keep: bool = False) -> None:
        """Run `work()` on a worker, then `done(result)` or `failed(error)` on the GUI thread.

        `replaces` names the question: an older one of the same owner under that name is cancelled when it has not begun, and its
        answer dropped in any case. `keep=True` is for writes: begun even while the pool drains, and a failure nobody can show any
        more is reported by `lost`. Call on the GUI thread. After `close` nothing is accepted.
        """
        if self._closed:
            return
        key = (id(owner), replaces) if replaces else None
        if key is not None and (older := self._waiting.get(self._newest.get(key, 0))):
            older.job.cancelled = True
            self._forget(older.job.number)
        job = _Job(next(self._numbers), work, keep=keep)
        self._waiting[job.number] = _Waiting(job, owner, done, failed, key, keep)
        if key is not None:
            self._newest[key] = job.number
        self.busy_changed.emit(self.busy)
        if self._inline:
            self._answers.append(self._attempt(job))
            self._deliver()
        else:
            self._todo.put(job)

    def close(self, seconds: float = 10.0) -> bool:
        """Drop what has not begun (writes excepted), wait up to `seconds` for the rest; True when every worker has ended."""
        self._closed = True
        for waiting in self._waiting.values():
            waiting.job.cancelled = not waiting.keep
        for _ in self._threads:
            self._todo.put(None)
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        ended = not any(thread.is_alive() for thread in self._threads)
        while self._answers:
            self._deliver()
        self._waiting.clear()
        self._newest.clear()
        return ended

    def _work(self) -> None:
        while (job := self._todo.get()) is not None:
            if not job.cancelled:
                answer = self._attempt(job)
                del job
                self._answers.append(answer)
                del answer
                self._arrived.emit()

    @staticmethod
    def _attempt(job: _Job) -> tuple[int, Any, Exception | None]:
        try:
            return job.number, job.work(), None
        except Exception as error:  # noqa: BLE001  every failure travels to the GUI thread, none ends a worker
            return job.number, None, error

    def _forget(self, number: int) -> _Waiting | None:
        waiting = self._waiting.pop(number, None)
        if waiting is not None:
            if waiting.key is not None and self._newest.get(waiting.key) == number:
                del self._newest[waiting.key]
            self.busy_changed.emit(self.busy)
        return waiting

    @Slot()
    def _deliver(self) -> None:
        """The one place where answers come back and late ones are dropped."""
        if not self._answers:
            return
        number, result, error = self._answers.popleft()
        if error is not None and number in self._waiting and self._waiting[number].keep:
            self.failed_writes += 1
        waiting = self._forget(number)
        if waiting is None:
            return
        alive = isValid(waiting.owner) and not self._closed
        if error is not None and (waiting.failed is None or not alive):
            if waiting.keep or alive:
                self.lost.emit(error)
            return
        if not alive:
            return
        try:
            if error is not None and waiting.failed is not None:
                waiting.failed(error)
            elif waiting.done is not None:
                waiting.done(result)
        except Exception:  # noqa: BLE001  a bug in one receiver must not keep the next answer from its own
            sys.excepthook(*sys.exc_info())


class CollectOnGuiThread(QObject):
    """Turns the automatic cyclic collector off and collects on a GUI timer instead, so that widgets caught in cycles are
    finalised on the thread they belong to. `close()` turns the automatic collector on again."""

    def __init__(self, parent: QObject | None = None, *, every_ms: int = 1_000) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.setInterval(every_ms)
        self._timer.timeout.connect(self._collect)
        self._timer.start()

    def close(self) -> None:
        """Stop the timer and give collecting back to the interpreter."""
        self._timer.stop()
        gc.enable()

    @Slot()
    def _collect(self) -> None:
        young, middle, old = gc.get_count()
        if old > self._thresholds[2]:
            gc.collect(2)
        elif middle > self._thresholds[1]:
            gc.collect(1)
        elif young > self._thresholds[0]:
            gc.collect(0)
