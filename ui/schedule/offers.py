"""What the calendar offers when a place is taken: who is there, the nearest free times to take by click or 1 to 3, overbooking."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from clinicdesk.errors import FreePlace
from clinicdesk.rules.moments import clinical_date, clinical_time
from ui.desk import Desk
from ui.schedule.mark import Mark
from ui.widgets.arranging import emptied
from ui.widgets.form import announce
from ui.widgets.text import button, icon_button, label

_SHORTEST = 3  # letters of an overbook reason, as the database wants it


class Offers(QFrame):
    """A banner above the calendar. Signals: `taken(FreePlace)`; `overbook_requested(reason)`; `closed()`.

    1, 2 and 3 take an offer while `keys` (the calendar) has the focus; Esc closes.
    """

    taken = Signal(object)
    overbook_requested = Signal(str)
    closed = Signal()

    def __init__(self, desk: Desk, keys: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk, self._keys = desk, keys
        self.places: tuple[FreePlace, ...] = ()
        self.buttons: list[QPushButton] = []
        self.setObjectName("problem")
        self.setAccessibleName(self.tr("This time is taken"))
        self.words = label("", "body", wrap=True)
        self._line = QHBoxLayout()
        self._line.setSpacing(8)
        self.overbook_button = button(self.tr("Overbook …"), self._ask_reason, variant="quiet", icon="overbook", theme=desk.theme)
        close = icon_button(desk.theme, "close", self.tr("Close  (Esc)"), self.close_it)
        self.reason = QLineEdit()
        self.reason.setPlaceholderText(self.tr("Why on top of the other appointment?"))
        self.reason.setAccessibleName(self.tr("Book on top of it because"))
        self.reason.setMaxLength(300)
        self.reason.returnPressed.connect(self._overbook)
        self.overbook_now = button(self.tr("Overbook"), self._overbook, variant="primary")
        self.error = label("", "error")
        top, self._below = QHBoxLayout(), QWidget()
        top.setSpacing(8)
        top.addWidget(Mark(desk.theme, "danger", "danger"))
        top.addWidget(self.words, 1)
        top.addLayout(self._line)
        top.addWidget(self.overbook_button)
        top.addWidget(close)
        below = QHBoxLayout(self._below)
        below.setContentsMargins(26, 0, 0, 0)
        below.setSpacing(8)
        below.addWidget(self.reason, 1)
        below.addWidget(self.overbook_now)
        below.addWidget(self.error, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 6, 6, 6)
        outer.setSpacing(6)
        outer.addLayout(top)
        outer.addWidget(self._below)
        self._shortcuts = []
        for number in range(3):
            key = QShortcut(QKeySequence(str(number + 1)), keys, partial(self.take, number))
            key.setContext(Qt.ShortcutContext.WidgetShortcut)  # a figure typed into a field stays a figure
            key.setEnabled(False)
            self._shortcuts.append(key)
        keys.installEventFilter(self)
        self.hide()

    def offer(self, sentence: str, places: Sequence[FreePlace], wished: date, *, overbook: bool) -> None:
        """Say what stands against it and what is free nearby; a place on another day than the wished one says so."""
        emptied(self._line)
        self.places, self.buttons = tuple(places[:3]), []
        near = self.tr(" Free nearby (keys 1 to {0}):").format(len(self.places)) if places else self.tr(" No free time nearby.")
        self.words.setText(sentence + near)
        for number, place in enumerate(self.places):
            at = place.starts_at.astimezone(self._desk.zone)
            when = clinical_time(at) if at.date() == wished else f"{clinical_date(at.date(), weekday=True)[:10]} {clinical_time(at)}"
            made = button(when, partial(self.take, number), tip=self.tr("Take this time  ({0})").format(number + 1))
            self.buttons.append(made)
            self._line.addWidget(made)
        for number, key in enumerate(self._shortcuts):
            key.setEnabled(number < len(self.places))
        self.overbook_button.setVisible(overbook)
        self._below.hide()
        self.error.setText("")
        self.reason.clear()
        self.show()
        announce(self, self.words.text() + " " + ", ".join(b.text() for b in self.buttons), assertive=True)

    def take(self, number: int) -> None:
        """Take an offer (from 0)."""
        if self.isVisible() and number < len(self.places):
            place = self.places[number]
            self.close_it()
            self.taken.emit(place)

    def close_it(self) -> None:
        """Nothing is taken."""
        for key in self._shortcuts:
            key.setEnabled(False)
        if self.isVisible():
            inside = self.isAncestorOf(QApplication.focusWidget() or self)
            self.hide()
            if inside:
                self._keys.setFocus()
            self.closed.emit()

    def _ask_reason(self) -> None:
        self._below.show()
        self.reason.setFocus()

    def _overbook(self) -> None:
        reason = self.reason.text().strip()
        if len(reason) < _SHORTEST:
            self.error.setText(self.tr("Say why it is booked on top of another appointment."))
            self.reason.setFocus()
            announce(self.reason, self.error.text(), assertive=True)
            return
        self.close_it()
        self.overbook_requested.emit(reason)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self.isVisible():
            self.close_it()
            return True
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_it()
        else:
            super().keyPressEvent(event)
