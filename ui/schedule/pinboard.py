"""Appointments put aside while looking for another place: drag one here (or Ctrl+X), change day, week or doctor, put it down again.

Their places are kept in the database until the drop is committed. In memory only: signing out loses nothing but the pins.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QScrollArea, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services.schedule import AppointmentBlock
from ui.schedule.mark import Mark
from ui.schedule.model import MOVABLE
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.status_chip import status_word
from ui.widgets.text import Elided, icon_button, restyle

_NARROW, _WIDE, _HEIGHT = 128, 196, 44
_FEW = 2  # with more pins the words give way


class Pinboard(QFrame):
    """A strip that shows itself while something is pinned or held over it. `chosen` is the pin that is placed next.

    Signals: `changed(frozenset of ids)`; `carried(block, global position)` while a pin is dragged, `dropped(block, global position)`,
    `carry_ended()` when the drag was given up; `place_requested(block)` (Enter on a pin).
    """

    changed = Signal(object)
    carried = Signal(object, QPoint)
    dropped = Signal(object, QPoint)
    carry_ended = Signal()
    place_requested = Signal(object)

    def __init__(self, theme: Theme, zone: tzinfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._zone = theme, zone
        self.pins: list[Pin] = []
        self.chosen_id: int | None = None
        self.setProperty("card", "sunken")
        self.setAccessibleName(self.tr("Pinboard"))
        self._words = Elided("", "faint")
        self._line = QHBoxLayout()
        self._line.setContentsMargins(0, 0, 0, 0)
        self._line.setSpacing(8)
        inner = QWidget()
        inner.setProperty("plain", "true")
        inner.setLayout(self._line)
        self._area = QScrollArea()  # more pins than fit: it follows the focus
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setFixedHeight(_HEIGHT)
        for policy in (self._area.setHorizontalScrollBarPolicy, self._area.setVerticalScrollBarPolicy):
            policy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inner)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(12, 6, 12, 6)
        outer.setSpacing(8)
        outer.addWidget(Mark(theme, "pin"))
        outer.addWidget(self._area, 1)
        outer.addWidget(self._words, 1)
        self._say()

    @property
    def chosen(self) -> AppointmentBlock | None:
        """What Ctrl+V places: the pin chosen last."""
        return next((pin.block for pin in self.pins if pin.block.id == self.chosen_id), self.pins[-1].block if self.pins else None)

    @property
    def ids(self) -> frozenset[int]:
        """What is pinned."""
        return frozenset(pin.block.id for pin in self.pins)

    def park(self, block: AppointmentBlock) -> None:
        """Pin an appointment that may still be moved; one that is pinned already becomes the chosen one."""
        if block.status not in MOVABLE:
            return
        if block.id not in self.ids:
            pin = Pin(self, block, self._theme, self._zone)
            self.pins.append(pin)
            self._line.addWidget(pin)
        self.choose(block.id)
        self._say()
        self.changed.emit(self.ids)
        announce(self, self.tr("{0} is pinned. Its time is kept until it is placed.").format(block.patient_name))

    def unpin(self, block_id: int) -> None:
        """Take a pin away; the appointment is where it always was."""
        gone = [pin for pin in self.pins if pin.block.id == block_id]
        self.pins = [pin for pin in self.pins if pin.block.id != block_id]
        for pin in gone:
            pin.hide()
            pin.deleteLater()
        self._say()
        if gone:
            self.changed.emit(self.ids)

    def choose(self, block_id: int) -> None:
        """This pin is placed next."""
        self.chosen_id = block_id
        for pin in self.pins:
            pin.update()
            if pin.block.id == block_id:
                self._area.ensureWidgetVisible(pin, 0, 0)

    def renew(self, blocks: Sequence[AppointmentBlock]) -> list[AppointmentBlock]:
        """The pinned appointments as the database has them: what was moved or is over leaves the board; gives what was over."""
        now = {block.id: block for block in blocks}
        over = []
        for pin in list(self.pins):
            block = now.get(pin.block.id)
            if block is None or block.status not in MOVABLE:
                over.append(pin.block)
                self.unpin(pin.block.id)
            elif (block.doctor_id, block.starts_at, block.lane) != (pin.block.doctor_id, pin.block.starts_at, pin.block.lane):
                self.unpin(block.id)
            else:
                pin.show_block(block)
        return over

    def hover(self, at: QPoint | None) -> bool:
        """A block of the calendar is held over this global position (None: no more). The strip shows itself to be aimed at."""
        over = at is not None and self.isVisible() and self.rect().contains(self.mapFromGlobal(at))
        restyle(self, "card", "accent" if over else "sunken")
        return over

    def _say(self) -> None:
        self.setProperty("pane", "true" if self.pins else "")  # F6 stops here only when there is something to stop at
        self._area.setVisible(bool(self.pins))
        self._area.setMaximumWidth(len(self.pins) * (_WIDE + self._line.spacing()))
        self._words.setVisible(len(self.pins) <= _FEW)
        self._words.set_whole(self.tr("Drag to a free time, or Ctrl+V there. Esc takes a pin back.") if self.pins else
                              self.tr("Drag an appointment here, or Ctrl+X, to move it to another day or doctor."))


class Pin(QFrame):
    """One pinned appointment: patient, length, from where. Drag it, or Enter places it at the calendar's cursor; Esc takes it back."""

    def __init__(self, board: Pinboard, block: AppointmentBlock, theme: Theme, zone: tzinfo) -> None:
        super().__init__(board)
        self._board, self._theme, self._zone = board, theme, zone
        self._press: QPoint | None = None
        self._carrying = False
        self.block = block
        self.setFixedHeight(_HEIGHT)
        self.setMinimumWidth(_NARROW)
        self.setMaximumWidth(_WIDE)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self.close_button = icon_button(theme, "close", self.tr("Take back"), self._take_back)
        self.close_button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.close_button.setParent(self)
        self.close_button.resize(24, 24)
        self.show_block(block)
        theme.changed.connect(self._repaint)

    def show_block(self, block: AppointmentBlock) -> None:
        """Its newest version."""
        self.block = block
        name = f"{block.patient_name}, {self._facts()}"
        self.setAccessibleName(name)
        self.setToolTip(f"{name}\n{status_word(block.status)}\n{block.reason}".rstrip())
        self.update()

    def _facts(self, *, weekday: bool = True) -> str:
        minutes = round((self.block.ends_at - self.block.starts_at).total_seconds() / 60)
        day = clinical_date(self.block.starts_at, self._zone, weekday=weekday)[:10 if weekday else 6]
        return f"{minutes} min · {day} {clinical_time(self.block.starts_at, self._zone)}"

    @Slot()
    def _repaint(self) -> None:
        self.update()

    def _take_back(self) -> None:
        self._board.unpin(self.block.id)

    def _end(self) -> None:
        self._press, self._carrying = None, False
        self.setCursor(Qt.CursorShape.OpenHandCursor)
        self._board.carry_ended.emit()

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        chosen = self._board.chosen is not None and self._board.chosen.id == self.block.id
        ring = "focus" if self.hasFocus() else "accent" if chosen else "outline"
        painter.setPen(QPen(theme.color(ring), 2 if ring != "outline" else 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(self.rect().adjusted(1, 1, -2, -2), 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.ink(self.block.status))
        painter.drawRoundedRect(5, 7, 4, _HEIGHT - 14, 2, 2)
        room = self.width() - 46
        facts = self._facts(weekday=self.width() >= _WIDE)
        for bold, ink, top, words in ((True, "text", 4, self.block.patient_name), (False, "text_soft", 22, facts)):
            painter.setFont(theme.font("small", bold=bold, tabular=not bold))
            painter.setPen(theme.color(ink))
            short = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(16, top, room + 4, 18, int(Qt.AlignmentFlag.AlignVCenter), short)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.close_button.move(self.width() - 28, (_HEIGHT - 24) // 2)

    def sizeHint(self) -> QSize:
        return QSize(_WIDE, _HEIGHT)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._press = event.position().toPoint()
            self._board.choose(self.block.id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._press is None:
            return
        if not self._carrying and (event.position().toPoint() - self._press).manhattanLength() < QApplication.startDragDistance():
            return
        self._carrying = True
        self.setCursor(Qt.CursorShape.ClosedHandCursor)
        self._board.carried.emit(self.block, event.globalPosition().toPoint())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        carrying = self._carrying
        if carrying:
            self._press, self._carrying = None, False
            self.setCursor(Qt.CursorShape.OpenHandCursor)
            self._board.dropped.emit(self.block, event.globalPosition().toPoint())
        else:
            self._press = None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._carrying:
            self._end()
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Delete):
            self._take_back()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._board.choose(self.block.id)
            self._board.place_requested.emit(self.block)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._board.choose(self.block.id)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def event(self, event: QEvent) -> bool:
        """Esc is this pin's while it has the focus."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)
