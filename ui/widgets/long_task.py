"""Something that takes its time: what is being done, how far it is, and a button to stop it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QProgressBar, QVBoxLayout, QWidget

from clinicdesk.restoring import Cancelled
from ui.widgets.text import button, label, row

_EVERY = 0.05  #: seconds between two words on the screen


class LongTask(QFrame):
    """`begin()` shows the line and gives the progress to hand to the work, which may run on any thread; `end()` hides it.

    The work stops (`Cancelled` is raised in it) after `cancel()`, and when this widget goes or the application ends.
    """

    _said = Signal(str, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = label("", "soft")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.cancel_button = button(self.tr("Stop"), self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(row(self.words, None, self.cancel_button))
        layout.addWidget(self.bar)
        self._stop = threading.Event()
        self._said.connect(self._say, Qt.ConnectionType.QueuedConnection)
        self.hide()

    def begin(self, words: str) -> Callable[[str, int, int], None]:
        """Show the line; call what comes back as `progress(what, done, total)` from the work."""
        stop = self._stop = threading.Event()
        self.destroyed.connect(stop.set)
        if (app := QCoreApplication.instance()) is not None:
            app.aboutToQuit.connect(stop.set)
        self.words.setText(words)
        self.bar.setRange(0, 0)
        self.bar.setAccessibleName(words)
        self.cancel_button.setEnabled(True)
        self.show()
        said, last = self._said, {"at": 0.0}
        spoken = [""]

        def progress(what: str, done: int, total: int) -> None:
            if stop.is_set():
                raise Cancelled
            now = time.monotonic()
            if what != spoken[0] or now - last["at"] >= _EVERY:
                spoken[0], last["at"] = what, now
                said.emit(what, min(done / total, 1.0) if total else -1.0)

        return progress

    @property
    def running(self) -> bool:
        """Whether work that was begun has not come back: another may not begin, nobody could stop it."""
        return not self.isHidden()

    def end(self) -> None:
        """The work came back."""
        self.hide()

    def cancel(self) -> None:
        """Stop the work at its next word."""
        self._stop.set()
        self.cancel_button.setEnabled(False)
        self.words.setText(self.tr("Stopping…"))

    @Slot(str, float)
    def _say(self, what: str, share: float) -> None:
        if not self._stop.is_set():
            self.words.setText(f"{what}…")
            self.bar.setRange(0, 0 if share < 0 else 1000)
            self.bar.setValue(round(share * 1000))
