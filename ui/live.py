"""What other desks changed: notices from the listening thread become `Live.changed(topic)` on the GUI thread, coalesced.

A topic is words such as `appointments 2026-11-21`; a watcher names prefixes (`appointments`). After a lost connection came back
everything may have changed, which is said as the topic `*`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QApplication, QWidget
from shiboken6 import isValid

EVERYTHING = "*"
HOLDS_REFRESH = "holdsRefresh"  #: dynamic property of an editor: while it has focus and was typed in, its panel does not refresh


class Live(QObject):
    """Turns notices into signals. `on_notice` and `on_state` may be called from any thread; signals come on the GUI thread.

    Signals: `changed(topic)`, at most once per topic and 50 ms; `connected(bool)`.
    """

    changed = Signal(str)
    connected = Signal(bool)
    _arrived = Signal()

    def __init__(self, parent: QObject | None = None, *, coalesce_ms: int = 50) -> None:
        super().__init__(parent)
        self._inbox: deque[str | bool] = deque()
        self._pending: dict[str, None] = {}
        self._up = True
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(coalesce_ms)
        self._timer.timeout.connect(self._flush)
        self._arrived.connect(self._take, Qt.ConnectionType.QueuedConnection)

    def on_notice(self, topic: str) -> None:
        """Some rows of `topic` changed. Any thread."""
        self._inbox.append(topic)
        self._arrived.emit()

    def on_state(self, up: bool) -> None:  # noqa: FBT001  the listener's callback has one obvious argument
        """The listening connection is up or down. Any thread."""
        self._inbox.append(bool(up))
        self._arrived.emit()

    @Slot()
    def _take(self) -> None:
        while self._inbox:
            item = self._inbox.popleft()
            if isinstance(item, str):
                self._pending[item] = None
            elif item != self._up:
                self._up = item
                self.connected.emit(item)
                if item:
                    self._pending[EVERYTHING] = None
        if self._pending and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        for topic in [EVERYTHING] if EVERYTHING in pending else pending:
            self.changed.emit(topic)


def concerns(topic: str, prefixes: Iterable[str]) -> bool:
    """Whether a notice of `topic` matters to somebody watching `prefixes` (whole words: `visit` does not match `visits`)."""
    return topic == EVERYTHING or any(topic == p or topic.startswith(p + " ") for p in prefixes)


class RefreshWhenShown(QObject):
    """Refreshes a widget when a watched topic changes: at once when it is visible, else when it is shown again.

    Never while a person is typing in one of its editors that carry the property `holdsRefresh` (every field of a `Form` does): the
    refresh then happens when the focus leaves. Keep no other reference; it lives and dies with its widget.
    """

    def __init__(self, widget: QWidget, live: Live, prefixes: Iterable[str], refresh: Callable[[], object]) -> None:
        super().__init__(widget)
        self._widget, self._refresh = widget, refresh
        self.prefixes = tuple(prefixes)
        self.stale = True
        self._fresh = True  # nothing was read yet, so nothing typed can be disturbed
        widget.installEventFilter(self)
        live.changed.connect(self._changed)
        if isinstance(app := QApplication.instance(), QApplication):
            app.focusChanged.connect(self._focus_changed)

    def watch(self, *prefixes: str) -> None:
        """Watch these topics from now on (another day was chosen, another patient opened)."""
        self.prefixes = prefixes

    def refresh_now(self) -> None:
        """Refresh if visible and nobody types, else remember to."""
        self.stale = True
        if self._widget.isVisible() and (self._fresh or not self._typing()):
            self.stale = self._fresh = False
            self._refresh()

    def _typing(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and self._widget.isAncestorOf(focus) and bool(focus.property(HOLDS_REFRESH))

    @Slot(str)
    def _changed(self, topic: str) -> None:
        if concerns(topic, self.prefixes):
            self.refresh_now()

    @Slot("QWidget*", "QWidget*")
    def _focus_changed(self, _old: QWidget | None, _new: QWidget | None) -> None:
        if self.stale and isValid(self._widget) and self._widget.isVisible() and not self._typing():  # a widget loses its focus dying
            self.refresh_now()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Show and watched is self._widget and self.stale:
            QTimer.singleShot(0, self, self._shown)
        return False

    @Slot()
    def _shown(self) -> None:
        if self.stale:
            self.refresh_now()
