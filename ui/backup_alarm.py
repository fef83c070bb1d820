"""The red banner of administrators: no backup was proven for too long, and one button leads to where it is put right."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.text import button, label

_HOUR = 3_600_000  # a proof grows old while nothing happens


class AlarmBanner(QFrame):
    """One red line with a button; hidden while there is nothing to say."""

    def __init__(self, theme: Theme, verb: str, clicked: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("alarm")
        self._theme = theme
        self._picture, self.words = QLabel(), label("", wrap=True)
        self.action = button(verb, clicked)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 12, 6)
        layout.setSpacing(8)
        layout.addWidget(self._picture)
        layout.addWidget(self.words, 1)
        layout.addWidget(self.action)
        self.hide()

    def say(self, sentence: str) -> None:
        """Show the sentence, or nothing for ""."""
        self._picture.setPixmap(self._theme.icons.pixmap("danger", 18, "danger", self.devicePixelRatioF()))
        self.words.setText(sentence)
        if sentence and self.isHidden():
            announce(self, sentence, assertive=True)
        self.setVisible(bool(sentence))


class BackupAlarm(QWidget):
    """Asks `overdue(session)` at the start, after every proof and every hour; None: this role has no such banner."""

    def __init__(self, desk: Desk, overdue: Callable[..., str] | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._overdue = desk, overdue
        self.banner = AlarmBanner(desk.theme, self.tr("See backups"), lambda: desk.show("backups"), self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.banner)
        self.setVisible(overdue is not None)
        if overdue is not None:
            self._watch = RefreshWhenShown(self, desk.live, ["backups"], self._ask)
            self._timer = QTimer(self)
            self._timer.setInterval(_HOUR)
            self._timer.timeout.connect(self._ask)
            self._timer.start()

    def rest(self, *, resting: bool) -> None:
        """Hide, or come back with what there is to say."""
        self.setVisible(self._overdue is not None and not resting)

    def _ask(self) -> None:
        if self._overdue is not None:
            self._desk.ask(self, self._overdue, done=self.banner.say, failed=lambda _error: None, replaces="overdue")
