"""The day calendar: one column per doctor, frozen header and ruler, mouse and keyboard.

It asks by signals and never moves a block itself: a proposal stays as a dashed ghost until `show_schedule` brings what the database holds,
or `release` says it was refused.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from clinicdesk.services.schedule import AppointmentBlock, DaySchedule
from ui.schedule.frozen import Corner, Header, Ruler
from ui.schedule.keys import Keys
from ui.schedule.model import MIN_COLUMN, ZOOMS, Cell, DayLayout, Placed, Span, Verdict, clock, minute_of, moment_of
from ui.schedule.painting import HEADER_HEIGHT, RULER_WIDTH, Ghost, Painting, Shown, tool_tip
from ui.schedule.pointer import Pointer
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.status_chip import status_word


class DayCalendar(QAbstractScrollArea):
    """Shows a `DaySchedule` in the clinic's `zone`; `now()` gives the aware present moment.

    Signals: `book_requested(doctor_id, starts_at, ends_at)`, `move_requested(block, doctor_id, starts_at, ends_at)` (also resize),
    `opened(block)`, `selected(block | None)`, `step_requested(block, status)` (Del: cancelled, F4: arrived),
    `menu_requested(block | None, global position)`, `zoom_changed(px per hour)`. Times are aware, in `zone`.
    """

    book_requested = Signal(int, object, object)
    move_requested = Signal(object, int, object, object)
    opened = Signal(object)
    selected = Signal(object)
    step_requested = Signal(object, str)
    menu_requested = Signal(object, QPoint)
    zoom_changed = Signal(int)

    def __init__(self, theme: Theme, zone: tzinfo, *, now: Callable[[], datetime] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.zone = theme, zone
        self._now = now or (lambda: datetime.now(zone))
        self.painting = Painting(theme)
        self.grid: DayLayout | None = None
        self.visit_minutes = 20  #: length of a booking asked for by Enter or double click
        self.cell = Cell(0, 9 * 60)
        self.block_id: int | None = None
        self.ghost: Ghost | None = None
        self.counts: list[int] = []
        self._zoom = 96
        self._pointer, self._keys = Pointer(self), Keys(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Day calendar"))
        self.setProperty("pane", "true")
        self.viewport().setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.verticalScrollBar().setStyleSheet(f"QScrollBar:vertical {{ margin-top: {HEADER_HEIGHT}px; }}")
        self.horizontalScrollBar().setStyleSheet(f"QScrollBar:horizontal {{ margin-left: {RULER_WIDTH}px; }}")
        self.setViewportMargins(RULER_WIDTH, HEADER_HEIGHT, 0, 0)
        self._header, self._ruler, self._corner = Header(self), Ruler(self), Corner(self)
        self._minute = QTimer(self)
        self._minute.setInterval(20_000)
        self._minute.timeout.connect(self._tick)
        self._minute.start()
        theme.changed.connect(self._recolour)

    # What the panel does with it

    def show_schedule(self, schedule: DaySchedule) -> None:
        """Show this day as the database has it. The same day keeps scroll, cursor and selection; another begins at now or opening."""
        before = self.grid
        same_day = before is not None and before.schedule.day == schedule.day
        doctor = before.columns[self.cell.column].doctor_id if before is not None and self.cell.column < len(before.columns) else None
        top = before.minute(self.verticalScrollBar().value()) if before is not None else 0
        self.grid = DayLayout(schedule, self.zone, self._zoom, self._column_width(len(schedule.columns)))
        self.counts = [sum(1 for p in column if not p.aside) for column in self.grid.placed]
        numbers = {column.doctor_id: n for n, column in enumerate(schedule.columns)}
        self.cell = Cell(numbers.get(doctor, 0) if doctor is not None else 0, self.cell.minute)
        if self.block_id not in self.grid.by_id:
            self._select(None)
        if self.ghost is not None and self.ghost.waiting:
            self.ghost = None
        self._fit()
        if same_day:
            self.verticalScrollBar().setValue(self.grid.y(top))
        else:
            self._begin()
        self.repaint_all()

    def release(self) -> None:
        """The database answered a request (either way): take the ghost away."""
        self.ghost = None
        self.viewport().update()

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

    def set_zoom(self, hour_px: int) -> None:
        """Show this many pixels per hour (one of `ZOOMS`), keeping the middle of the picture where it is."""
        if hour_px == self._zoom or hour_px not in ZOOMS:
            return
        self._zoom = hour_px
        if self.grid is not None:
            middle = self.grid.minute(self.verticalScrollBar().value() + self.viewport().height() / 2)
            self.grid = DayLayout(self.grid.schedule, self.zone, hour_px, self._column_width(len(self.grid.columns)))
            self._fit()
            self.verticalScrollBar().setValue(self.grid.y(middle) - self.viewport().height() // 2)
        self.repaint_all()
        self.zoom_changed.emit(hour_px)

    def zoom(self, steps: int) -> None:
        """Closer (+1) or further (-1)."""
        self.set_zoom(ZOOMS[max(0, min(len(ZOOMS) - 1, ZOOMS.index(self._zoom) + steps))])

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

    def set_cell(self, cell: Cell) -> None:
        """Move the cursor; a block under it becomes the selection."""
        if self.grid is None or not self.grid.columns:
            return
        self.cell = cell
        under = self.grid.at(cell)
        self._select(under.block.id if under is not None else None)
        self._reveal()
        self.setAccessibleDescription(self.describe())
        announce(self, self.describe())

    def describe(self) -> str:
        """The cursor in words: doctor, time, and who is there."""
        if self.grid is None or not self.grid.columns:
            return ""
        doctor, placed = self.grid.columns[self.cell.column].name, self.placed
        if placed is not None:
            words = self.tr("{0}, {1} to {2}, {3}, {4}")
            return words.format(doctor, clock(placed.start), clock(placed.end), placed.block.patient_name, status_word(placed.block.status))
        verdict = self.grid.verdict(Span(self.cell.column, self.cell.minute, self.cell.minute + self.grid.snap))
        return f"{doctor}, {clock(self.cell.minute)}, {verdict.reason or self.tr('free')}"

    def ask_to_book(self, span: Span) -> None:
        """Emit `book_requested` and keep the place marked."""
        if self.grid is None:
            return
        self.ghost = Ghost(span, "", self.grid.verdict(span), waiting=True)
        self.viewport().update()
        day, column = self.grid.schedule.day, self.grid.columns[span.column]
        self.book_requested.emit(column.doctor_id, moment_of(span.start, day, self.zone), moment_of(span.end, day, self.zone))

    def ask_to_move(self, placed: Placed, span: Span, verdict: Verdict) -> None:
        """Emit `move_requested` and keep the ghost, dashed, until the answer."""
        if self.grid is None:
            return
        self.ghost = Ghost(span, placed.block.patient_name, verdict, waiting=True)
        self.viewport().update()
        day, length = self.grid.schedule.day, timedelta(minutes=span.end - span.start)
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
        rect = self.grid.rect(placed) if placed is not None else self.grid.span_rect(
            Span(self.cell.column, self.cell.minute, self.cell.minute + self.grid.snap))
        for bar, near, far, page in ((self.verticalScrollBar(), rect.y - 24, rect.y + rect.height + 24, self.viewport().height()),
                                     (self.horizontalScrollBar(), self.cell.column * self.grid.column_width,
                                      (self.cell.column + 1) * self.grid.column_width, self.viewport().width())):
            if near < bar.value():
                bar.setValue(near)
            elif far > bar.value() + page:
                bar.setValue(min(near, far - page))

    def _column_width(self, columns: int) -> int:
        return max(MIN_COLUMN, self.viewport().width() // max(1, columns))

    def _fit(self) -> None:
        if self.grid is None:
            return
        self.grid.column_width = self._column_width(len(self.grid.columns))
        room = self.viewport().size()
        for bar, content, page, step in ((self.verticalScrollBar(), self.grid.height, room.height(), self.grid.hour_px // 4),
                                         (self.horizontalScrollBar(), self.grid.width, room.width(), self.grid.column_width // 4)):
            bar.setPageStep(page)
            bar.setSingleStep(step)
            bar.setRange(0, max(0, content - page))

    def _begin(self) -> None:
        """Where a day opens: at now when it is today, else at the first open hour; the cursor there."""
        if self.grid is None or not self.grid.columns:
            return
        now = self.now_minute()
        start = min((self.grid.first_open(n) for n in range(len(self.grid.columns)) if self.grid.open[n]), default=self.grid.first)
        self.cell = Cell(0, (now if now is not None else self.grid.first_open(0)) // self.grid.snap * self.grid.snap)
        above = self.viewport().height() // 3 if now is not None else 8
        self.verticalScrollBar().setValue(self.grid.y(start if now is None else max(start, now)) - above)
        self.horizontalScrollBar().setValue(0)

    def now_minute(self) -> int | None:
        """The present minute when the day shown is today."""
        if self.grid is None:
            return None
        now = self._now().astimezone(self.zone)
        return minute_of(now, now.date(), self.zone) if now.date() == self.grid.schedule.day else None

    def content(self, position: QPoint) -> QPoint:
        """A viewport position in content pixels."""
        return position + QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def repaint_all(self) -> None:
        """Grid, header and ruler."""
        for widget in (self.viewport(), self._header, self._ruler):
            widget.update()

    @Slot()
    def _tick(self) -> None:
        if self.isVisible() and self.now_minute() is not None:
            self.repaint_all()

    @Slot()
    def _recolour(self) -> None:
        self.painting.forget()
        self.repaint_all()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        if self.grid is None:
            painter.fillRect(event.rect(), self.theme.color("sunken"))
        else:
            offset = self.content(QPoint(0, 0))
            painter.translate(-offset)
            drag = self._pointer.drag
            ghost = self._keys.ghost or self._pointer.ghost or self.ghost
            moving = self.block_id if ghost is not None and ghost.title and (self._keys.ghost or drag or ghost.waiting) else None
            self.painting.paint(painter, self.grid, event.rect().translated(offset), Shown(
                self.block_id, self._pointer.hovered, self.cell if self.block_id is None else None, self.hasFocus(), self.now_minute(),
                ghost, moving))
        painter.end()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.repaint_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.setGeometry(RULER_WIDTH, 0, self.width() - RULER_WIDTH, HEADER_HEIGHT)
        self._ruler.setGeometry(0, HEADER_HEIGHT, RULER_WIDTH, self.viewport().height())
        self._corner.setGeometry(0, 0, RULER_WIDTH, HEADER_HEIGHT)
        self._fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pointer.pressed(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._pointer.moved(event.position().toPoint(), event.buttons())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._pointer.released(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._pointer.pressed(event)
            self._pointer.abort()
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

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent) and self.grid is not None:
            at = self.content(event.pos())
            placed = self.grid.block_at(at.x(), at.y())
            if placed is None:
                QToolTip.hideText()
            else:
                QToolTip.showText(event.globalPos(), tool_tip(placed.block, f"{clock(placed.start)}–{clock(placed.end)}"), self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._pointer.left()
        return super().viewportEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._pointer.drag is not None and event.key() == Qt.Key.Key_Escape:
            self._pointer.abort()
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

    def sizeHint(self) -> QSize:
        return QSize(900, 600)
