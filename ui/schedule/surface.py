"""The calendar as a surface: what is laid out, how close, how it scrolls, the frozen edges around it. Knows no cursor, asks nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, tzinfo

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QRegion, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from ui.schedule.frozen import Corner, Header, Ruler
from ui.schedule.ghosts import Ghosts
from ui.schedule.headings import Headings
from ui.schedule.model import ZOOMS, DayLayout, minute_of
from ui.schedule.painting import HEADER_HEIGHT, RULER_WIDTH, Painting
from ui.theme import Theme


class Surface(QAbstractScrollArea):
    """A `DayLayout` that scrolls. `now()` gives the aware present moment. Signal `zoom_changed(px per hour)`."""

    zoom_changed = Signal(int)

    def __init__(self, theme: Theme, zone: tzinfo, *, now: Callable[[], datetime] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme, self.zone = theme, zone
        self._now = now or (lambda: datetime.now(zone))
        self.painting = Painting(theme)
        self.headings, self.ghosts = Headings(theme, self.painting), Ghosts(theme, self.painting)
        self.grid: DayLayout | None = None
        self.counts: list[int] = []
        self._zoom = 96
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
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

    @property
    def hour_px(self) -> int:
        """How close: pixels per hour."""
        return self._zoom

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

    def now_minute(self) -> int | None:
        """The present minute when the day is shown."""
        now = self._now().astimezone(self.zone)
        return minute_of(now, now.date(), self.zone) if self.grid is not None and now.date() in self.grid.days else None

    def present_day(self) -> date:
        """Today by the clinic's clock."""
        return self._now().astimezone(self.zone).date()

    def today(self) -> range:
        """The columns of the present day."""
        return self.grid.on_day(self.present_day()) if self.grid is not None else range(0)

    def content(self, position: QPoint) -> QPoint:
        """A viewport position in content pixels."""
        return position + QPoint(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def visible(self) -> QRect:
        """The part of the content on the screen."""
        return QRect(self.content(QPoint(0, 0)), self.viewport().size())

    def repaint_all(self) -> None:
        """Grid, header and ruler."""
        for widget in (self.viewport(), self._header, self._ruler):
            widget.update()

    def update_areas(self, *areas: QRect) -> None:
        """Only these parts of the content (content pixels)."""
        offset = self.content(QPoint(0, 0))
        region = QRegion()
        for area in areas:
            region = region.united(area.translated(-offset))
        self.viewport().update(region)

    def _column_width(self, columns: int) -> int:
        least = self.grid.least if self.grid is not None else 0
        return max(least, self.viewport().width() // max(1, columns))

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

    @Slot()
    def _tick(self) -> None:
        if self.isVisible() and self.now_minute() is not None:
            self.repaint_all()

    @Slot()
    def _recolour(self) -> None:
        self.painting.forget()
        self.repaint_all()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self.repaint_all()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.setGeometry(RULER_WIDTH, 0, self.width() - RULER_WIDTH, HEADER_HEIGHT)
        self._ruler.setGeometry(0, HEADER_HEIGHT, RULER_WIDTH, self.viewport().height())
        self._corner.setGeometry(0, 0, RULER_WIDTH, HEADER_HEIGHT)
        self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom(1 if event.angleDelta().y() > 0 else -1)
            event.accept()
        else:
            super().wheelEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(900, 600)
