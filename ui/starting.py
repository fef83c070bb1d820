"""The small window while the clinic starts: what is being done now, and what to do when it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QProgressBar, QVBoxLayout, QWidget

from ui.problems import explain
from ui.tasks import Pool
from ui.widgets.text import button, label, row


class _Progress(QObject):
    """Carries sentences from the opening thread to the window."""

    said = Signal(str)


class StartWindow(QWidget):
    """Runs `open_clinic(progress)` on a worker. Signals: `opened(clinic)`, `restore_requested()` after it failed, `closed()` when the
    person gave up.

    `progress(sentence)` may be called from the worker; the last sentence is shown.
    """

    opened = Signal(object)
    restore_requested = Signal()
    closed = Signal()

    def __init__(self, pool: Pool, open_clinic: Callable[[Callable[[str], None]], Any]) -> None:
        super().__init__()
        self._pool, self._open, self._done = pool, open_clinic, False
        self.setWindowTitle("ClinicDesk")
        self._progress = _Progress(self)
        self._progress.said.connect(self._say, Qt.ConnectionType.QueuedConnection)
        self.sentence = label(self.tr("Starting…"), "soft", wrap=True)
        self.advice = label("", "soft", wrap=True, selectable=True)
        self._bar = QProgressBar()
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Starting"))
        self.again_button = button(self.tr("Try again"), self.start, variant="primary")
        self.quit_button = button(self.tr("Quit"), self.close)
        self.restore_button = button(self.tr("Restore from a backup …"), self.restore_requested.emit, variant="quiet")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 28, 32, 24)
        layout.setSpacing(12)
        layout.addWidget(label("ClinicDesk", "display"))
        layout.addWidget(self.sentence)
        layout.addWidget(self.advice)
        layout.addWidget(self._bar)
        layout.addStretch(1)
        layout.addLayout(row(self.restore_button, None, self.quit_button, self.again_button))
        self.resize(QSize(440, 220))

    def start(self) -> None:
        """Open the clinic (again)."""
        self._bar.show()
        self.advice.hide()
        self.again_button.hide()
        self.restore_button.hide()
        self.quit_button.hide()
        self.sentence.setText(self.tr("Starting…"))
        said = self._progress.said

        def work() -> Any:
            return self._open(said.emit)

        self._pool.run(self, work, self._opened, self._failed, replaces="open")

    @Slot(str)
    def _say(self, sentence: str) -> None:
        self.sentence.setText(sentence)

    def _opened(self, clinic: Any) -> None:
        self._done = True
        self.opened.emit(clinic)

    def _failed(self, error: Exception) -> None:
        found = explain(error)
        self._bar.hide()
        self.sentence.setText(found.sentence)
        self.advice.setText(found.advice)
        self.advice.setVisible(bool(found.advice))
        self.again_button.show()
        self.restore_button.show()
        self.quit_button.show()
        self.again_button.setFocus()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if not self._done:
            self.closed.emit()
