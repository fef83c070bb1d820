"""What the frozen edges of the calendar look like: who or which day above each column, the hours at the left."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from clinicdesk.rules.moments import clinical_date
from ui.schedule.model import DayLayout, clock
from ui.schedule.painting import HEADER_HEIGHT, RULER_WIDTH, Painting
from ui.theme import Theme

_LEFT = int(Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)


class Headings:
    """Draws with the fonts and measures of a `Painting`. `today` are the columns of the present day."""

    def __init__(self, theme: Theme, painting: Painting) -> None:
        self._theme, self._painting = theme, painting

    def header(self, painter: QPainter, layout: DayLayout, exposed: QRect, counts: list[int], today: range) -> None:
        """Draw the header: doctor or day, specialization or why closed, number booked; above lanes the day over all of them."""
        theme = self._theme
        painter.fillRect(exposed, theme.color("surface"))
        if layout.columns:
            shown = range(layout.column_at(exposed.left()), layout.column_at(exposed.right()) + 1)
            if layout.lanes > 1 and len(layout.days) > 1:
                self._lanes(painter, layout, exposed, counts, today, shown)
            else:
                for number in shown:
                    self._column(painter, layout, number, counts[number], today=len(layout.days) > 1 and number in today)
        painter.setPen(theme.color("line"))
        painter.drawLine(exposed.left(), HEADER_HEIGHT - 1, exposed.right(), HEADER_HEIGHT - 1)
        if len(layout.days) > 1 and today:
            painter.setPen(QPen(theme.color("accent"), 3))
            painter.drawLine(today.start * layout.column_width, HEADER_HEIGHT - 2, today.stop * layout.column_width - 2, HEADER_HEIGHT - 2)

    def _column(self, painter: QPainter, layout: DayLayout, number: int, count: int, *, today: bool) -> None:
        theme, painting = self._theme, self._painting
        column, x, width = layout.columns[number], number * layout.column_width, layout.column_width
        painter.setPen(theme.color("line"))
        painter.drawLine(x + width - 1, 10, x + width - 1, HEADER_HEIGHT - 1)
        painter.setFont(theme.font(bold=True))
        painter.setPen(theme.color("accent" if today else "text"))
        name = QFontMetrics(theme.font(bold=True)).elidedText(layout.name(number), Qt.TextElideMode.ElideRight, width - 20)
        painter.drawText(QRect(x + 10, 7, width - 18, 20), _LEFT, name)
        painter.setFont(painting.plain)
        painter.setPen(theme.color("text_faint"))
        booked = "" if not count else f"{count} booked" if width >= 170 else str(count)
        painter.drawText(QRect(x + 10, 27, width - 20, 18), _RIGHT, booked)
        room = width - 28 - painting.advance(booked)
        second = column.closed_reason or (column.specialization if len(layout.days) == 1 else "" if layout.open[number] else "no hours")
        painter.setPen(theme.color("warning" if column.closed_reason else "text_faint"))
        painter.drawText(QRect(x + 10, 27, room, 18), _LEFT, painting.shortened(second, room, bold=False))

    def _lanes(self, painter: QPainter, layout: DayLayout, exposed: QRect, counts: list[int], today: range, shown: range) -> None:
        theme, painting, width = self._theme, self._painting, layout.column_width
        for day in range(shown.start // layout.lanes, (shown.stop - 1) // layout.lanes + 1):
            first, last = day * layout.lanes, (day + 1) * layout.lanes
            booked = sum(counts[first:last])
            words = clinical_date(layout.days[day], weekday=True)[:10]
            words_width = QFontMetrics(theme.font(bold=True)).horizontalAdvance(words) + 14
            left = min(max(first * width, exposed.left()) + 8, last * width - words_width)  # the day stays in view while its lanes are
            painter.setFont(theme.font(bold=True))
            painter.setPen(theme.color("accent" if first in today else "text"))
            painter.drawText(QRect(left, 4, words_width, 22), _LEFT, words)
            if booked and left + words_width + 80 < last * width:
                painter.setFont(painting.plain)
                painter.setPen(theme.color("text_faint"))
                painter.drawText(QRect(left + words_width, 4, 90, 22), _LEFT, f"{booked} booked")
            painter.setPen(theme.color("outline"))
            painter.drawLine(last * width - 1, 4, last * width - 1, HEADER_HEIGHT - 1)
        painter.setFont(painting.plain)
        for number in shown:
            column, x = layout.columns[number], number * width
            painter.setPen(theme.color("warning" if column.closed_reason else "text_soft" if layout.open[number] else "text_faint"))
            painter.drawText(QRect(x + 6, 27, width - 10, 18), _LEFT, painting.shortened(short_name(column.name), width - 11, bold=False))
            if (number + 1) % layout.lanes:
                painter.setPen(theme.color("line"))
                painter.drawLine(x + width - 1, 30, x + width - 1, HEADER_HEIGHT - 1)

    def ruler(self, painter: QPainter, layout: DayLayout, exposed: QRect, now: int | None) -> None:
        """Draw the frozen time ruler; `now` in red where the now-line is."""
        theme = self._theme
        painter.fillRect(exposed, theme.color("surface"))
        painter.setFont(self._painting.plain)
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        for hour in range(layout.minute(exposed.top() - 20) // 60, layout.minute(exposed.bottom() + 20) // 60 + 1):
            y = layout.y(hour * 60)
            if hour * 60 <= layout.first:
                continue
            near = now is not None and abs(layout.y(now) - y) < 12
            if not near:
                painter.setPen(theme.color("text_soft"))
                painter.drawText(QRect(0, y - 9, RULER_WIDTH - 8, 18), right, clock(hour * 60))
        painter.setPen(theme.color("line"))
        painter.drawLine(RULER_WIDTH - 1, exposed.top(), RULER_WIDTH - 1, exposed.bottom())
        if now is not None and layout.first <= now <= layout.last:
            y = layout.y(now)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("danger"))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawRoundedRect(QRectF(4, y - 9, RULER_WIDTH - 8, 18), 4, 4)
            painter.setPen(theme.color("surface"))
            painter.setFont(self._painting.bold)
            painter.drawText(QRect(4, y - 9, RULER_WIDTH - 8, 18), int(Qt.AlignmentFlag.AlignCenter), clock(now))


def short_name(name: str) -> str:
    """A doctor's name without the title, for narrow places."""
    return name.removeprefix("Dr ").removeprefix("Dr. ").removeprefix("Prof ")
