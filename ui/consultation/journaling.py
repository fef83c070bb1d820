"""The editor's side of the draft journal: within a quarter of a second of a key the draft is on its way to this computer's disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PySide6.QtCore import QObject, QTimer, Signal

from clinicdesk.services import journaling
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.storage.journal import Journal, JournalPlace

#: From a key to the journal's thread; sealing and writing come on top (some milliseconds). Together they stay well below a second.
KEEP_MS = 250


class DraftJournal(QObject):
    """Keeps what `current()` gives (draft, the server's draft it is based on, its version) whenever `edited` was called.

    Signal `trouble(sentence)` when this computer's disk refuses, with an empty sentence when it works again. When the editor goes the file
    goes with it if everything in it was on the server, else it stays and is offered again.
    """

    trouble = Signal(str)

    def __init__(self, place: JournalPlace, current: Callable[[], tuple[ConsultationDraft, ConsultationDraft, int]],
                 parent: QObject) -> None:
        super().__init__(parent)
        self._current = current
        self._journal = journal = Journal(place, self._tell)
        self._held = held = {"by server": True}
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_MS)
        self._timer.timeout.connect(self.keep)
        parent.destroyed.connect(lambda: journal.close(keep=not held["by server"]))

    def edited(self) -> None:
        """Something was typed. The first key starts the clock, so that fast typing delays nothing."""
        if not self._timer.isActive():
            self._timer.start()

    def keep(self) -> None:
        """Write what stands there now."""
        self._timer.stop()
        draft, base, version = self._current()
        self._held["by server"] = draft == base
        self._journal.put(journaling.snapshot(draft, base, version, datetime.now(UTC)))

    def flush(self) -> bool:
        """Write now and wait for the disk; False when it takes longer than it may."""
        self.keep()
        return self._journal.flush()

    def settled(self) -> None:
        """Signed: nothing of it is needed here any more."""
        self._timer.stop()
        self._held["by server"] = True
        self._journal.close(keep=False)

    def _tell(self, error: OSError | None) -> None:
        """Called on the journal's thread; the signal crosses to the GUI thread."""
        self.trouble.emit("" if error is None else f"This computer cannot keep a copy of what you type: {error.strerror}.")
