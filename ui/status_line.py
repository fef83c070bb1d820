"""The line at the bottom (connection, undelivered visits, running work) and the banner that says a server is away."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from clinicdesk.errors import Unavailable
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.problems import explain
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.text import button, label

SLOW_MS = 1_000  #: work shorter than this is not worth a word (reference desk-comfort 2.1)


class StatusLine(QFrame):
    """`count_undelivered(session)` is asked again whenever the topic `outbox` changes."""

    def __init__(self, desk: Desk, count_undelivered: Callable[..., int] | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("status")
        self._desk, self._count = desk, count_undelivered
        self._connected = True
        self._state_icon, self.state = QLabel(), label("")
        self._outbox_icon, self.outbox = QLabel(), label("")
        self.work = label("")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 3, 16, 3)
        layout.setSpacing(6)
        layout.addWidget(self._state_icon)
        layout.addWidget(self.state)
        layout.addSpacing(18)
        layout.addWidget(self._outbox_icon)
        layout.addWidget(self.outbox)
        layout.addStretch(1)
        layout.addWidget(self.work)
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(SLOW_MS)
        self._slow.timeout.connect(self._say_work)
        desk.busy.connect(self._busy)
        desk.theme.changed.connect(self._draw)
        self.set_undelivered(0)
        self.set_connected(True)
        if count_undelivered is not None:
            self._watch = RefreshWhenShown(self, desk.live, ["outbox"], self._ask)

    def set_connected(self, connected: bool) -> None:  # noqa: FBT001  a state
        """Say whether the database answers."""
        self._connected = connected
        self.state.setText(self.tr("Connected") if connected else self.tr("Not connected"))
        self._draw()

    def set_undelivered(self, count: int) -> None:
        """Say how many visits wait to be delivered to the visit history."""
        self.outbox.setText(self.tr("%n visits waiting for the visit history", "", count) if count != 1
                            else self.tr("1 visit waiting for the visit history"))
        self.outbox.setToolTip(self.tr("They are safe in the database and are delivered by themselves."))
        for widget in (self.outbox, self._outbox_icon):
            widget.setVisible(count > 0)

    def _ask(self) -> None:
        if self._count is not None:
            self._desk.ask(self, self._count, done=self.set_undelivered, failed=lambda _error: None, replaces="outbox")

    @Slot(int)
    def _busy(self, count: int) -> None:
        if not count:
            self._slow.stop()
            self.work.setText("")
        elif not self._slow.isActive() and not self.work.text():
            self._slow.start()

    @Slot()
    def _say_work(self) -> None:
        self.work.setText(self.tr("Working…"))

    @Slot()
    def _draw(self) -> None:
        ratio, icons = self.devicePixelRatioF(), self._desk.theme.icons
        name, ink = ("connected", "success") if self._connected else ("disconnected", "danger")
        self._state_icon.setPixmap(icons.pixmap(name, 15, ink, ratio))
        self._outbox_icon.setPixmap(icons.pixmap("outbox", 15, "warning", ratio))


class ConnectionBanner(QFrame):
    """One line below the top bar while a server is away; never a box per panel. Signal `retry_requested()`."""

    retry_requested = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("connection")
        self._theme = theme
        self._picture, self.words = QLabel(), label("", wrap=True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 6, 12, 6)
        layout.setSpacing(8)
        layout.addWidget(self._picture)
        layout.addWidget(self.words, 1)
        layout.addWidget(button(self.tr("Try now"), self.retry_requested.emit, tip="F5"))
        self.hide()

    def say(self, error: Unavailable | None) -> None:
        """Show what is away, or None when it answers again."""
        if error is None:
            self.hide()
            return
        self._picture.setPixmap(self._theme.icons.pixmap("disconnected", 18, "danger", self.devicePixelRatioF()))
        self.words.setText(explain(error).text)
        if self.isHidden():
            announce(self, self.words.text(), assertive=True)
        self.show()
