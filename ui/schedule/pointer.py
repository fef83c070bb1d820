"""The mouse in the calendar: hover, select, drag to create, move and resize, and scrolling when a drag reaches the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtWidgets import QApplication

from ui.schedule.drag import Drag, Mode
from ui.schedule.model import MOVABLE, Placed
from ui.schedule.painting import Ghost

if TYPE_CHECKING:
    from ui.schedule.view import DayCalendar

_NEAR_EDGE = 28


class Pointer(QObject):
    """Follows the mouse over one calendar. `drag` is under way while a button is held, `ghost` what it proposes."""

    def __init__(self, calendar: DayCalendar) -> None:
        super().__init__(calendar)
        self._calendar = calendar
        self.hovered: int | None = None
        self.drag: Drag | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(30)
        self._timer.timeout.connect(self._scroll)

    @property
    def ghost(self) -> Ghost | None:
        """What the drag proposes now."""
        drag = self.drag
        if drag is None or not drag.began:
            return None
        return Ghost(drag.span, drag.block.block.patient_name if drag.block is not None else "", drag.verdict)

    def pressed(self, event: QMouseEvent) -> None:
        """Select what is there; the left button may begin a drag."""
        calendar, grid = self._calendar, self._calendar.grid
        if grid is None or not grid.columns:
            return
        at = calendar.content(event.position().toPoint())
        placed = grid.block_at(at.x(), at.y())
        calendar.ghost = None
        if placed is not None:
            calendar.go_to(placed)
        elif at.x() < grid.width:
            calendar.set_cell(grid.cell_at(at.x(), at.y()))
        if event.button() == Qt.MouseButton.LeftButton and at.x() < grid.width:
            drag = Drag(grid, at.x(), at.y(), block=placed, resize=placed is not None and grid.on_edge(placed, at.y()))
            self.drag = drag if drag.possible else None

    def moved(self, position: QPoint, buttons: Qt.MouseButton) -> None:
        """Drag, or show what would happen here."""
        calendar, grid = self._calendar, self._calendar.grid
        if grid is None or not grid.columns:
            return
        at = calendar.content(position)
        drag = self.drag
        if drag is not None and buttons & Qt.MouseButton.LeftButton:
            if drag.began or drag.far_enough(at.x(), at.y(), QApplication.startDragDistance()):
                drag.to(grid, at.x(), at.y())
                self._timer.start()
                calendar.viewport().setCursor(
                    Qt.CursorShape.SizeVerCursor if drag.mode is not Mode.MOVE else Qt.CursorShape.ClosedHandCursor)
                calendar.viewport().update()
            return
        placed = grid.block_at(at.x(), at.y())
        self._hover(placed, at)

    def released(self, event: QMouseEvent) -> None:
        """Ask for what the drag proposed."""
        drag, self.drag = self.drag, None
        self._timer.stop()
        calendar = self._calendar
        calendar.viewport().unsetCursor()
        if drag is None or not drag.began or event.button() != Qt.MouseButton.LeftButton:
            return
        if drag.block is None:
            calendar.ask_to_book(drag.span)
        elif drag.changed:
            calendar.ask_to_move(drag.block, drag.span, drag.verdict)
        calendar.viewport().update()

    def abort(self) -> None:
        """Forget the drag; nothing is asked."""
        self.drag = None
        self._timer.stop()
        self._calendar.viewport().unsetCursor()
        self._calendar.viewport().update()

    def left(self) -> None:
        """The pointer left the calendar."""
        if self.drag is None:
            self._hover(None, QPoint())

    def _hover(self, placed: Placed | None, at: QPoint) -> None:
        calendar, grid = self._calendar, self._calendar.grid
        edge = placed is not None and grid is not None and placed.block.status in MOVABLE and grid.on_edge(placed, at.y())
        calendar.viewport().setCursor(Qt.CursorShape.SizeVerCursor if edge else Qt.CursorShape.ArrowCursor)
        hovered = placed.block.id if placed is not None else None
        if hovered != self.hovered:
            self.hovered = hovered
            calendar.viewport().update()

    @Slot()
    def _scroll(self) -> None:
        """While a drag is near an edge, scroll; faster the nearer."""
        calendar = self._calendar
        if self.drag is None:
            self._timer.stop()
            return
        view = calendar.viewport()
        at = view.mapFromGlobal(QCursor.pos())
        down, across = calendar.verticalScrollBar(), calendar.horizontalScrollBar()
        for bar, place, room in ((down, at.y(), view.height()), (across, at.x(), view.width())):
            if 0 <= place < _NEAR_EDGE:
                bar.setValue(bar.value() - (_NEAR_EDGE - place) // 2)
            elif room - _NEAR_EDGE < place <= room:
                bar.setValue(bar.value() + (_NEAR_EDGE - room + place) // 2)
            else:
                continue
            self.moved(at, Qt.MouseButton.LeftButton)
