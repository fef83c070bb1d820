"""The parts of the calendar that stay when it scrolls: the doctors' names above, the hours at the left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from clinicdesk.rules.moments import clinical_date

if TYPE_CHECKING:
    from ui.schedule.surface import Surface


class Header(QWidget):
    """Scrolls sideways with the grid."""

    def __init__(self, calendar: Surface) -> None:
        super().__init__(calendar)
        self._calendar = calendar

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, calendar = QPainter(self), self._calendar
        offset = calendar.horizontalScrollBar().value()
        painter.fillRect(event.rect(), calendar.theme.color("surface"))
        if calendar.grid is not None:
            painter.translate(-offset, 0)
            calendar.headings.header(painter, calendar.grid, event.rect().translated(offset, 0), calendar.counts, calendar.today())
        painter.end()

    def event(self, event: QEvent) -> bool:
        """The tool tip has what does not fit: who, when, what, and why closed."""
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return super().event(event)
        grid = self._calendar.grid
        words = ""
        if grid is not None and grid.columns:
            number = grid.column_at(event.x() + self._calendar.horizontalScrollBar().value())
            column, count = grid.columns[number], self._calendar.counts[number]
            facts = (column.name, column.specialization, clinical_date(column.day, weekday=True), f"{count} booked",
                     f"Closed: {column.closed_reason}" if column.closed_reason else "")
            words = "\n".join(filter(None, facts))
        QToolTip.showText(event.globalPos(), words, self)
        return True


class Ruler(QWidget):
    """Scrolls up and down with the grid."""

    def __init__(self, calendar: Surface) -> None:
        super().__init__(calendar)
        self._calendar = calendar

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, calendar = QPainter(self), self._calendar
        offset = calendar.content(QPoint(0, 0)).y()
        painter.fillRect(event.rect(), calendar.theme.color("surface"))
        if calendar.grid is not None:
            painter.translate(0, -offset)
            calendar.headings.ruler(painter, calendar.grid, event.rect().translated(0, offset), calendar.now_minute())
        painter.end()


class Corner(QWidget):
    """Where header and ruler meet."""

    def __init__(self, calendar: Surface) -> None:
        super().__init__(calendar)
        self._calendar = calendar

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter, theme = QPainter(self), self._calendar.theme
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.setPen(theme.color("line"))
        painter.drawLine(0, self.height() - 1, self.width(), self.height() - 1)
        painter.drawLine(self.width() - 1, 0, self.width() - 1, self.height())
        painter.end()
