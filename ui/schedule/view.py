"""The calendar of a day or a week: a column for each doctor on each day, mouse and keyboard.

It asks by signals and never moves a block itself: a proposal stays as a dashed ghost until `show_schedule` brings what the database holds,
or `release` says it was refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from PySide6.QtCore import QEvent, QPoint, QRect, Qt, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from clinicdesk.services.schedule import AppointmentBlock, DaySchedule
from ui.schedule.keys import Keys
from ui.schedule.model import Cell, DayLayout, Placed, Span, Verdict, carried, clock, moment_of
from ui.schedule.painting import Ghost, Shown, tool_tip
from ui.schedule.pointer import Pointer
from ui.schedule.surface import Surface
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.status_chip import status_word

_MANY = 6  # more exposed rectangles than this are painted as one


class Parking(Protocol):
    """Where a block can be put down outside the grid (the pinboard)."""

    def hover(self, at: QPoint | None) -> bool:
        """A block is held over this global position (None: no more); whether it may be put down there."""
        ...

    def park(self, block: AppointmentBlock) -> None:
        """Keep the block."""
        ...


class DayCalendar(Surface):
    """Shows a `DaySchedule` (or a `WeekSchedule`) in the clinic's `zone`.

    Signals: `book_requested(doctor_id, starts_at, ends_at)`, `move_requested(block, doctor_id, starts_at, ends_at)` (also resize),
    `opened(block)`, `selected(block | None)`, `step_requested(block, status)` (Del: cancelled, F4: arrived),
    `menu_requested(block | None, global position)`, `unit_requested("day" | "week" | "month")` (D, W, M), `pin_requested(block)` (Ctrl+X),
    `place_requested()` (Ctrl+V). Times are aware, in `zone`.
    """

    book_requested = Signal(int, object, object)
    move_requested = Signal(object, int, object, object)
    opened = Signal(object)
    selected = Signal(object)
    step_requested = Signal(object, str)
    menu_requested = Signal(object, QPoint)
    unit_requested = Signal(str)
    pin_requested = Signal(object)
    place_requested = Signal()

    def __init__(self, theme: Theme, zone: tzinfo, *, now: Callable[[], datetime] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(theme, zone, now=now, parent=parent)
        self.visit_minutes = 20  #: length of a booking asked for by Enter or double click
        self.cell = Cell(0, 9 * 60)
        self.block_id: int | None = None
        self.ghost: Ghost | None = None
        self.pinned: frozenset[int] = frozenset()
        self.parking: Parking | None = None
        self._ghost_area = QRect()
        self.pointer, self._keys = Pointer(self), Keys(self)
        self.setAccessibleName(self.tr("Day calendar"))

    # What the panel does with it

    def show_schedule(self, schedule: DaySchedule) -> None:
        """Show this day or week as the database has it. The same keeps scroll, cursor and selection; another begins at now or opening."""
        before = self.grid
        at = before.columns[self.cell.column] if before is not None and self.cell.column < len(before.columns) else None
        top = before.minute(self.verticalScrollBar().value()) if before is not None else 0
        self.grid = grid = DayLayout(schedule, self.zone, self._zoom)
        same = before is not None and before.days == grid.days
        self.counts = [sum(1 for p in column if not p.aside) for column in grid.placed]
        column = grid.number(at.doctor_id, at.day) if at is not None else None
        self.cell = Cell(column or 0, self.cell.minute)
        if self.block_id not in grid.by_id:
            self._select(None)
        if self.ghost is not None and self.ghost.waiting:
            self.ghost = None
        if not (same and before is not None and len(before.columns) == len(grid.columns)):
            self.pointer.abort()
            self._keys.forget()
        self.setAccessibleName(self.tr("Day calendar") if len(grid.days) == 1 else self.tr("Week calendar"))
        self._fit()
        if same and before is not None:
            self.verticalScrollBar().setValue(grid.y(top))
            if len(before.columns) != len(grid.columns):  # other doctors of the same days
                self._across()
        else:
            self._begin(at.doctor_id if at is not None else None)
        self.repaint_all()

    def release(self) -> None:
        """The database answered a request (either way): take the ghost away."""
        self.ghost = None
        self.viewport().update()

    def set_pinned(self, ids: frozenset[int]) -> None:
        """These appointments wait on the pinboard; their places stay theirs."""
        self.pinned = ids
        self.viewport().update()

    def place(self, block: AppointmentBlock) -> None:
        """Ask to put a block from the pinboard where the cursor is, with its own length."""
        if self.grid is not None and self.grid.columns:
            placed = carried(block)
            start = min(self.cell.minute, 1440 - placed.end)
            span = Span(self.cell.column, start, start + placed.end)
            self.ask_to_move(placed, span, self.grid.verdict(span, ignoring=block.id))

    def carry(self, block: AppointmentBlock, at: QPoint) -> bool:
        """A block from outside is held over this global position; shows where it would go. False when that is beside the grid."""
        return self.pointer.carry(block, self.viewport().mapFromGlobal(at))

    def carry_end(self, *, drop: bool) -> bool:
        """The block from outside was let go: ask to put it there, or forget it. Whether it was over the grid."""
        return self.pointer.carry_end(drop=drop)

    def select(self, block_id: int) -> bool:
        """Select an appointment and scroll to it; False when it is not on this day."""
        placed = self.grid.by_id.get(block_id) if self.grid is not None else None
        if placed is not None:
            self.go_to(placed)
        return placed is not None

    @property
    def block(self) -> AppointmentBlock | None:
        """The selected appointment."""
        placed = self.placed
        return placed.block if placed is not None else None

    @property
    def placed(self) -> Placed | None:
        """The selected appointment in its place."""
        return self.grid.by_id.get(self.block_id) if self.grid is not None and self.block_id is not None else None

    # What keys and mouse share

    def activate(self) -> None:
        """Open the selected appointment, or ask to book where the cursor is."""
        if self.grid is None or not self.grid.columns:
            return
        if self.block is not None:
            self.opened.emit(self.block)
        else:
            self.ask_to_book(self.free_span())

    def go_to(self, placed: Placed) -> None:
        """Select a block and bring it into view."""
        self.cell = Cell(placed.column, placed.start)
        self._select(placed.block.id)
        self._reveal()

    def set_cell(self, cell: Cell, *, free: bool = False) -> None:
        """Move the cursor; a block under it becomes the selection, unless it was pointed at as `free` beside one."""
        if self.grid is None or not self.grid.columns:
            return
        self.cell = cell
        under = None if free else self.grid.at(cell)
        self._select(under.block.id if under is not None else None)
        self._reveal()
        self.setAccessibleDescription(self.describe())
        announce(self, self.describe())

    def describe(self) -> str:
        """The cursor in words: doctor, time, and who is there."""
        if self.grid is None or not self.grid.columns:
            return ""
        doctor, placed = self.grid.name(self.cell.column), self.placed
        if placed is not None:
            words = self.tr("{0}, {1} to {2}, {3}, {4}") + (self.tr(", on the pinboard") if placed.block.id in self.pinned else "")
            return words.format(doctor, clock(placed.start), clock(placed.end), placed.block.patient_name, status_word(placed.block.status))
        verdict = self.grid.verdict(Span(self.cell.column, self.cell.minute, self.cell.minute + self.grid.snap))
        return f"{doctor}, {clock(self.cell.minute)}, {verdict.reason or self.tr('free')}"

    def ask_to_book(self, span: Span) -> None:
        """Emit `book_requested` and keep the place marked."""
        if self.grid is None:
            return
        self.ghost = Ghost(span, "", self.grid.verdict(span), waiting=True)
        self.viewport().update()
        column = self.grid.columns[span.column]
        self.book_requested.emit(column.doctor_id, moment_of(span.start, column.day, self.zone), moment_of(span.end, column.day, self.zone))

    def ask_to_move(self, placed: Placed, span: Span, verdict: Verdict) -> None:
        """Emit `move_requested` and keep the ghost, dashed, until the answer."""
        if self.grid is None:
            return
        self.ghost = Ghost(span, placed.block.patient_name, verdict, waiting=True)
        self.viewport().update()
        day, length = self.grid.columns[span.column].day, timedelta(minutes=span.end - span.start)
        starts_at = moment_of(span.start, day, self.zone)
        resized = span.start == placed.start and span.column == placed.column
        ends_at = moment_of(span.end, day, self.zone) if resized else starts_at + length
        self.move_requested.emit(placed.block, self.grid.columns[span.column].doctor_id, starts_at, ends_at)

    def free_span(self) -> Span:
        """The stretch Enter would book: the usual length, cut where the next appointment begins."""
        grid, cell = self.grid, self.cell
        if grid is None:
            return Span(cell.column, cell.minute, cell.minute + self.visit_minutes)
        end = min(1440, cell.minute + self.visit_minutes)
        later = [p.start for p in grid.placed[cell.column] if not p.aside and cell.minute < p.start < end]
        return Span(cell.column, cell.minute, min([*later, end]))

    def _select(self, block_id: int | None) -> None:
        if block_id != self.block_id:
            self.block_id = block_id
            self.selected.emit(self.block)
        self.viewport().update()

    def _reveal(self) -> None:
        if self.grid is None:
            return
        placed = self.placed
        self.reveal_span(Span(placed.column, placed.start, placed.end) if placed is not None else
                         Span(self.cell.column, self.cell.minute, self.cell.minute + self.grid.snap))

    def reveal_span(self, span: Span) -> None:
        """Scroll as little as possible until a stretch is in view."""
        if self.grid is None:
            return
        rect = self.grid.span_rect(span)
        for bar, near, far, page in ((self.verticalScrollBar(), rect.y - 24, rect.y + rect.height + 24, self.viewport().height()),
                                     (self.horizontalScrollBar(), span.column * self.grid.column_width,
                                      (span.column + 1) * self.grid.column_width, self.viewport().width())):
            if near < bar.value():
                bar.setValue(near)
            elif far > bar.value() + page:
                bar.setValue(min(near, far - page))

    def _begin(self, doctor_id: int | None) -> None:
        """Where it opens: at now when today is shown, else at the first open hour; the cursor there, with the same doctor if possible."""
        grid = self.grid
        if grid is None or not grid.columns:
            return
        now, today = self.now_minute(), self.today()
        first = today.start if today else 0
        lane = next((n for n in range(first, first + grid.lanes) if grid.columns[n].doctor_id == doctor_id), first)
        start = min((grid.first_open(n) for n in range(len(grid.columns)) if grid.open[n]), default=grid.first)
        self.cell = Cell(lane, (now if now is not None else grid.first_open(lane)) // grid.snap * grid.snap)
        above = self.viewport().height() // 3 if now is not None else 8
        self.verticalScrollBar().setValue(grid.y(start if now is None else max(start, now)) - above)
        self._across()

    def _across(self) -> None:
        """Sideways: the cursor's day from its first doctor on, if the cursor stays in view."""
        grid = self.grid
        if grid is not None:
            first = self.cell.column // grid.lanes * grid.lanes
            at = (self.cell.column + 1) * grid.column_width - self.viewport().width()
            self.horizontalScrollBar().setValue(max(first * grid.column_width, at))

    # What is proposed

    @property
    def proposed(self) -> Ghost | None:
        """The ghost of keys, pointer, or of what the database was asked."""
        return self._keys.ghost or self.pointer.ghost or self.ghost

    def update_ghost(self) -> None:
        """The proposal changed: repaint where it was and where it is, nothing else."""
        before, ghost = self._ghost_area, self.proposed
        here = self.ghosts.area(self.grid, ghost, self.visible()) if self.grid is not None and ghost is not None else QRect()
        self.update_areas(before, here)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        grid = self.grid
        if grid is None or not grid.columns:
            painter.fillRect(event.rect(), self.theme.color("sunken"))
            painter.setPen(self.theme.color("text_soft"))
            words = "" if grid is None else self.tr("No doctor to show. Choose doctors in the list above.")
            painter.drawText(self.viewport().rect(), int(Qt.AlignmentFlag.AlignCenter), words)
            painter.end()
            return
        offset, ghost = self.content(QPoint(0, 0)), self.proposed
        painter.translate(-offset)
        held = ghost is not None and ghost.title and (self._keys.ghost or self.pointer.drag or ghost.waiting)
        shown = Shown(self.block_id, self.pointer.hovered, self.cell if self.block_id is None else None, self.hasFocus(),
                      self.now_minute(), self.today(), self.block_id if held else None, self.pinned)
        region = event.region()
        for part in [region.boundingRect()] if region.rectCount() > _MANY else list(region):  # type: ignore[call-overload]
            exposed = part.translated(offset)
            painter.setClipRect(exposed)
            self.painting.paint(painter, grid, exposed, shown)
        painter.setClipping(False)
        if ghost is not None:
            visible = self.visible()
            painter.setClipRegion(region.translated(offset))
            self.ghosts.paint(painter, grid, ghost, visible)
            self._ghost_area = self.ghosts.area(grid, ghost, visible)
        else:
            self._ghost_area = QRect()
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.pointer.pressed(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.pointer.moved(event.position().toPoint(), event.buttons())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.pointer.released(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.pointer.pressed(event)
            self.pointer.abort()
            self.activate()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.grid is None:
            return
        if event.reason() == QContextMenuEvent.Reason.Keyboard:
            placed = self.placed
            rect = self.grid.rect(placed) if placed is not None else self.grid.span_rect(self.free_span())
            at = QPoint(rect.x + 24, rect.y + min(rect.height, 28)) - self.content(QPoint(0, 0))
            self.menu_requested.emit(self.block, self.viewport().mapToGlobal(at))
        else:
            self.menu_requested.emit(self.block, event.globalPos())

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self.grid is not None:
            at = self.content(event.pos())
            placed = self.grid.block_at(at.x(), at.y())
            if placed is None:
                reason = self.grid.columns[self.grid.column_at(at.x())].closed_reason if self.grid.columns else ""
                QToolTip.showText(event.globalPos(), f"Closed: {reason}" if reason else "", self.viewport())
            else:
                words = tool_tip(placed.block, f"{clock(placed.start)}–{clock(placed.end)}")
                kept = self.tr("\nOn the pinboard. This time is kept.") if placed.block.id in self.pinned else ""
                QToolTip.showText(event.globalPos(), words + kept, self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self.pointer.left()
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.pointer.drag is not None and event.key() == Qt.Key.Key_Escape:
            self.pointer.abort()
        elif not self._keys.pressed(event):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        self._keys.released(event)
        super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        """Esc belongs to the calendar while something is proposed, so that a dialog's Esc does not take it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._keys.wants(event):
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: FBT001  Qt's signature
        following = self.grid.following(self.block_id, 1 if forward else -1) if self.grid is not None else None
        if following is None:
            return super().focusNextPrevChild(forward)
        self.go_to(following)
        announce(self, self.describe())
        return True

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.setAccessibleDescription(self.describe())
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._keys.commit()
        self.viewport().update()
