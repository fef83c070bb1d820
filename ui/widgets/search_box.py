"""Find as you type: a field with a list of two-line hits below it.

120 ms after the last key the service is asked; a newer question discards the older, so a late answer never replaces a newer one. Enter
takes the marked hit; when two or more hits carry the same name nothing is marked, so that Enter can never open the wrong namesake.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.desk import Desk
from ui.problems import explain
from ui.widgets.form import announce
from ui.widgets.hits import Hit, HitList, folded

DEBOUNCE_MS = 120


class SearchBox(QLineEdit):
    """`service(session, text)` gives records, `to_hit` says how each looks.

    Signals: `chosen(record)`; `create_requested(text)` when the row "register" below an unfruitful search is taken (only with
    `create`, its words); `emptied()` when the field became empty.
    """

    chosen = Signal(object)
    create_requested = Signal(str)
    emptied = Signal()

    def __init__(self, desk: Desk, service: Callable[..., Sequence[Any]] | None, to_hit: Callable[[Any], Hit], *, placeholder: str = "",
                 minimum: int = 1, create: str = "", clear_on_choice: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._service, self._to_hit = desk, service, to_hit
        self._minimum, self._create, self._clear = minimum, create, clear_on_choice
        self._answered_for: str | None = None
        self.also: Callable[[str], Sequence[Hit]] = lambda _text: ()  # hits of our own, listed below those of the service
        self._enter_waits = False
        self.setProperty("find", "true")
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder or self.tr("Find"))
        self.setClearButtonEnabled(True)
        clear = self.findChild(QAction, "_q_qlineeditclearaction")
        if isinstance(clear, QAction):
            clear.setIcon(desk.theme.icon("close", "text_faint"))
        self.addAction(desk.theme.icon("find"), QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self.search_now)
        self.textEdited.connect(self._edited)
        self.textChanged.connect(self._changed)
        self.hits = HitList(desk.theme, self)
        self.hits.taken.connect(self._take)

    def search_now(self) -> None:
        """Ask for what stands in the field without waiting for another key."""
        self._timer.stop()
        text = self.text().strip()
        if len(text) < self._minimum or self._service is None:
            self._list_own(text)
            return
        self._desk.ask(self, self._service, text, done=lambda records: self._answer(text, records),
                       failed=lambda error: self._refused(text, error), replaces="search")

    def _list_own(self, text: str) -> None:
        own = self.also(text)
        self._answered_for = text
        if own:
            self.hits.show_hits(own, text, mark_first=True)
        else:
            self.hits.close_list()

    def _edited(self, _text: str) -> None:
        self._enter_waits = False
        self._timer.start()

    def _changed(self, text: str) -> None:
        if not text.strip():
            self._timer.stop()
            self._answered_for = None
            self.hits.close_list()
            self.emptied.emit()

    def _answer(self, text: str, records: Sequence[Any]) -> None:
        if text != self.text().strip() or self.window().focusWidget() is not self:
            return
        self._answered_for = text
        found = [self._to_hit(record) for record in records]
        names = [folded(hit.name or hit.title) for hit in found]
        namesakes = any(names.count(name) > 1 for name in set(names))
        hits = [*found, *self.also(text)]
        if not found and self._create:
            hits.append(Hit(None, self._create.format(text), "", icon="add_patient"))
        sure = all(hit.sure for hit in found)
        mark_first = not namesakes and (sure or hits[0].sure)
        self.hits.show_hits(hits, text, mark_first=mark_first, nothing=self.tr("Nothing found for “{0}”.").format(text),
                            note=self.tr("Several people share a name. Choose with the arrow keys.") if namesakes else "")
        if self._enter_waits and sure and len(hits) == 1 and hits[0].record is not None:
            self._take(hits[0])
        elif namesakes:
            announce(self, self.tr("%n hits; several share a name", "", len(hits)))
        else:
            announce(self, self.tr("%n hits", "", len(hits)))
        self._enter_waits = False

    def _refused(self, text: str, error: Exception) -> None:
        if text == self.text().strip():
            self._answered_for = None
            self.hits.show_hits([], text, mark_first=False, nothing=explain(error).text)

    @Slot(object)
    def _take(self, hit: Hit) -> None:
        text = self.text().strip()
        self.hits.close_list()
        if self._clear:
            self.clear()
        if hit.record is None:
            self.create_requested.emit(text)
        else:
            self.chosen.emit(hit.record)

    def _enter(self) -> None:
        if self._answered_for == self.text().strip() and self.hits.isVisible():
            hit = self.hits.marked()
            if hit is not None:
                self._take(hit)
        elif self.text().strip():
            self._enter_waits = True
            self.search_now()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._enter()
        elif key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
            if self.hits.isVisible():
                self.hits.step({Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6, Qt.Key.Key_PageUp: -6}[Qt.Key(key)])
            else:
                self.search_now()
        elif key == Qt.Key.Key_Escape and (self.hits.isVisible() or self.text()):
            if self.hits.isVisible():
                self.hits.close_list()
            else:
                self.clear()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and (
                self.hits.isVisible() or self.text()):
            event.accept()
            return True
        return super().event(event)

    def focusOutEvent(self, event: Any) -> None:
        super().focusOutEvent(event)
        self.hits.close_list()

    def hideEvent(self, event: Any) -> None:
        super().hideEvent(event)
        self.hits.close_list()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.Move) and watched is self.window():
            self.hits.place_below(self, self.mapTo(self.window(), QPoint(0, self.height() + 4)))
        return super().eventFilter(watched, event)
