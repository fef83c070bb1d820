"""The keyboard in the calendar. Everything the mouse does has a key.

Arrows move the cursor · Ctrl+arrows move the selected appointment, Ctrl+Shift+←→ by a whole day, Shift+↑↓ resize it (asked for when the
key is let go, or Enter; Esc forgets) · Enter opens or books · Del asks to cancel, F4 to check in · Ctrl+X pins, Ctrl+V places · D, W, M
day, week, month · Home/End first and last open time · PgUp/PgDn a page · + and - zoom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence

from ui.schedule.drag import nudged
from ui.schedule.model import MOVABLE, Cell, DayLayout, Placed, Span, clock
from ui.schedule.painting import Ghost
from ui.widgets.form import announce

if TYPE_CHECKING:
    from ui.schedule.view import DayCalendar

_SETTLES_MS = 900  #: without the key being let go (some remote desktops never say so) a proposal is asked for after this
_UNITS = {Qt.Key.Key_D: "day", Qt.Key.Key_W: "week", Qt.Key.Key_M: "month"}
_ARROWS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


_CTRL_SHIFT = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


class Keys(QObject):
    """Turns keys of one calendar into cursor moves and requests. `ghost` is what the keys propose and have not asked for yet."""

    def __init__(self, calendar: DayCalendar) -> None:
        super().__init__(calendar)
        self._calendar = calendar
        self._proposal: tuple[Placed, Span] | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_SETTLES_MS)
        self._timer.timeout.connect(self.commit)

    @property
    def ghost(self) -> Ghost | None:
        """Where the selected appointment would go."""
        grid = self._calendar.grid
        if self._proposal is None or grid is None:
            return None
        placed, span = self._proposal
        return Ghost(span, placed.block.patient_name, grid.verdict(span, ignoring=placed.block.id))

    def wants(self, event: QKeyEvent) -> bool:
        """Keys that must reach the calendar although they are shortcuts elsewhere."""
        return event.key() == Qt.Key.Key_Escape and (self._proposal is not None or self._calendar.ghost is not None)

    def pressed(self, event: QKeyEvent) -> bool:
        """Act on a key; False when it means nothing here."""
        calendar, grid = self._calendar, self._calendar.grid
        if self._other(event):
            return True
        if grid is None or not grid.columns:
            return False
        key, modifiers = event.key(), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        arrow = _ARROWS.get(Qt.Key(key))
        if arrow is not None and modifiers == Qt.KeyboardModifier.NoModifier:
            self._step(*arrow)
        elif arrow is not None and modifiers == Qt.KeyboardModifier.ControlModifier:
            self._propose(*arrow, resize=False)
        elif arrow is not None and modifiers == _CTRL_SHIFT and arrow[0]:
            self._propose(arrow[0] * grid.lanes if len(grid.days) > 1 else arrow[0], 0, resize=False)
        elif arrow is not None and modifiers == Qt.KeyboardModifier.ShiftModifier and arrow[1]:
            self._propose(0, arrow[1], resize=True)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self._proposal is not None:
                self.commit()
            else:
                calendar.activate()
        elif key == Qt.Key.Key_Escape:
            return self.forget()
        else:
            return self._jump(grid, Qt.Key(key))
        return True

    def _jump(self, grid: DayLayout, key: Qt.Key) -> bool:
        calendar = self._calendar
        if key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            minute = grid.first_open(calendar.cell.column) if key == Qt.Key.Key_Home else grid.last_open(calendar.cell.column)
            calendar.set_cell(Cell(calendar.cell.column, minute))
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            page = max(1, calendar.viewport().height() * 60 // grid.hour_px // grid.snap - 1)
            calendar.set_cell(grid.move(calendar.cell, 0, page if key == Qt.Key.Key_PageDown else -page))
        else:
            return False
        return True

    def released(self, event: QKeyEvent) -> None:
        """Ctrl or Shift was let go: ask for what was proposed."""
        if event.key() in (Qt.Key.Key_Control, Qt.Key.Key_Shift, Qt.Key.Key_Meta) and not event.isAutoRepeat():
            self.commit()

    @Slot()
    def commit(self) -> None:
        """Ask for what was proposed, if anything changed."""
        self._timer.stop()
        proposal, self._proposal = self._proposal, None
        grid = self._calendar.grid
        if proposal is None or grid is None:
            return
        placed, span = proposal
        if span != Span(placed.column, placed.start, placed.end) and placed.block.id in grid.by_id:
            self._calendar.ask_to_move(placed, span, grid.verdict(span, ignoring=placed.block.id))
        self._calendar.viewport().update()

    def _step(self, columns: int, steps: int) -> None:
        calendar, grid, cell = self._calendar, self._calendar.grid, self._calendar.cell
        if grid is None:
            return
        placed = calendar.placed
        if placed is not None and steps and placed.column == cell.column:  # out of a block in one press
            edge = -(-placed.end // grid.snap) * grid.snap if steps > 0 else (placed.start - 1) // grid.snap * grid.snap
            between = [p for p in grid.placed[cell.column] if not p.aside and placed.end <= p.start < edge]
            if between:
                calendar.go_to(between[0])
            else:
                calendar.set_cell(Cell(cell.column, max(grid.first, min(grid.last - grid.snap, edge))))
            return
        calendar.set_cell(grid.move(cell, columns, steps))

    def _propose(self, columns: int, steps: int, *, resize: bool) -> None:
        calendar, grid, placed = self._calendar, self._calendar.grid, self._calendar.placed
        if grid is None or placed is None:
            return
        if placed.block.status not in MOVABLE:
            announce(calendar, calendar.tr("This appointment cannot be moved any more."), assertive=True)
            return
        held = self._proposal
        if held is not None:
            span = held[1]
        elif calendar.ghost is not None and calendar.ghost.waiting and calendar.ghost.title:
            span = calendar.ghost.span  # the database has not answered yet: go on from what was asked
        else:
            span = Span(placed.column, placed.start, placed.end)
        span = nudged(grid, placed, span, columns, steps, resize=resize)
        self._proposal = (placed, span)
        self._timer.start()
        verdict = grid.verdict(span, ignoring=placed.block.id)
        announce(calendar, f"{grid.name(span.column)}, {clock(span.start)}–{clock(span.end)}. {verdict.reason}")
        calendar.reveal_span(span)
        calendar.viewport().update()

    def forget(self) -> bool:
        """Take back what was proposed or asked; whether there was anything."""
        held = self._proposal is not None or self._calendar.ghost is not None
        self._timer.stop()
        self._proposal = None
        self._calendar.release()
        return held

    def _other(self, event: QKeyEvent) -> bool:
        calendar, key, modifiers = self._calendar, Qt.Key(event.key()), event.modifiers()
        if key in (Qt.Key.Key_Delete, Qt.Key.Key_F4) and calendar.block is not None:
            calendar.step_requested.emit(calendar.block, "cancelled" if key == Qt.Key.Key_Delete else "arrived")
        elif event.matches(QKeySequence.StandardKey.Cut) and calendar.block is not None:
            calendar.pin_requested.emit(calendar.block)
        elif event.matches(QKeySequence.StandardKey.Paste):
            calendar.place_requested.emit()
        elif key in _UNITS and modifiers == Qt.KeyboardModifier.NoModifier:
            calendar.unit_requested.emit(_UNITS[key])
        elif event.text() in ("+", "-"):
            calendar.zoom(1 if event.text() == "+" else -1)
        else:
            return False
        return True
