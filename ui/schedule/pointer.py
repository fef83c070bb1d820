"""The mouse in the calendar: hover, select, drag to create, move and resize, and scrolling when a drag reaches the edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QPoint, QRect, Qt, QTimer, Slot
from PySide6.QtGui import QCursor, QMouseEvent
from PySide6.QtWidgets import QApplication

from clinicdesk.services.schedule import AppointmentBlock
from ui.schedule.drag import Drag, Mode
from ui.schedule.model import MOVABLE, DayLayout, Placed, carried
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
        self._away = False  # held over the pinboard
        self._carried = False  # began outside the grid
        self._timer = QTimer(self)
        self._timer.setInterval(30)
        self._timer.timeout.connect(self._scroll)

    @property
    def ghost(self) -> Ghost | None:
        """What the drag proposes now."""
        drag = self.drag
        if drag is None or not drag.began or self._away:
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
            calendar.set_cell(grid.free_cell_at(at.x(), at.y()), free=True)
        if event.button() == Qt.MouseButton.LeftButton and at.x() < grid.width:
            if placed is not None:
                self.hold(grid, placed, event.position().toPoint())
            else:
                self.drag = Drag(grid, at.x(), at.y())

    def hold(self, grid: DayLayout, placed: Placed, position: QPoint) -> None:
        """Take a block at a viewport position, as the button does when it goes down on it."""
        at = self._calendar.content(position)
        drag = Drag(grid, at.x(), at.y(), block=placed, resize=grid.on_edge(placed, at.y()))
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
                first, before = not drag.began, (self.ghost, self._away)
                drag.to(grid, at.x(), at.y())
                parking = calendar.parking
                self._away = (parking is not None and drag.mode is Mode.MOVE and not self._carried
                              and parking.hover(calendar.viewport().mapToGlobal(position)))
                self._timer.start()
                if first:
                    calendar.viewport().setCursor(
                        Qt.CursorShape.SizeVerCursor if drag.mode is not Mode.MOVE else Qt.CursorShape.ClosedHandCursor)
                    calendar.viewport().update()  # the block itself fades
                elif before != (self.ghost, self._away):
                    calendar.update_ghost()
            return
        placed = grid.block_at(at.x(), at.y())
        self._hover(placed, at)

    def released(self, event: QMouseEvent) -> None:
        """Ask for what the drag proposed."""
        drag, self.drag = self.drag, None
        self._timer.stop()
        calendar = self._calendar
        calendar.viewport().unsetCursor()
        away, self._away = self._away, False
        if calendar.parking is not None:
            calendar.parking.hover(None)
        if drag is None or not drag.began or event.button() != Qt.MouseButton.LeftButton:
            return
        if away and calendar.parking is not None and drag.block is not None:
            calendar.parking.park(drag.block.block)
        elif drag.block is None:
            calendar.ask_to_book(drag.span)
        elif drag.changed:
            calendar.ask_to_move(drag.block, drag.span, drag.verdict)
        calendar.viewport().update()

    def carry(self, block: AppointmentBlock, position: QPoint) -> bool:
        """Hold a block from outside over the grid (viewport position); False, and nothing shown, beside it."""
        calendar, grid = self._calendar, self._calendar.grid
        inside = grid is not None and bool(grid.columns) and calendar.viewport().rect().contains(position)
        if not inside or grid is None:
            if self._carried:
                self.abort()
            return False
        at = calendar.content(position)
        if self.drag is None or not self._carried:
            calendar.ghost = None
            self.drag, self._carried = Drag(grid, at.x(), at.y(), block=carried(block), carry=True), True
        self.drag.to(grid, at.x(), at.y())
        self._timer.start()
        calendar.update_ghost()
        return True

    def carry_end(self, *, drop: bool) -> bool:
        """The block from outside was let go; whether it was over the grid."""
        drag, over = self.drag, self._carried
        self.abort()
        if over and drop and drag is not None and drag.block is not None:
            self._calendar.ask_to_move(drag.block, drag.span, drag.verdict)
        return over

    def abort(self) -> None:
        """Forget the drag; nothing is asked."""
        if self.drag is not None and self._calendar.parking is not None:
            self._calendar.parking.hover(None)
        self.drag = None
        self._away = self._carried = False
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
            before, self.hovered = self.hovered, hovered
            blocks = [grid.by_id[n] for n in (before, hovered) if n is not None and n in grid.by_id] if grid is not None else []
            calendar.update_areas(*(QRect(*grid.rect(p)).adjusted(-1, -1, 1, 1) for p in blocks if grid is not None))

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
