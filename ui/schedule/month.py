"""A month as a grid of weeks: how full each day is as a bar and in numbers, closures by name, today marked.

Arrows move by days · PgUp/PgDn by months · Home/End within the week · Enter or a click opens the day · D, W, M day, week, month.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QFontMetrics, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QToolTip, QWidget

from clinicdesk.rules.moments import WEEKDAYS, clinical_date
from clinicdesk.services.schedule import DayLoad, MonthSchedule
from ui.schedule.headings import short_name
from ui.theme import Theme
from ui.widgets.form import announce

_HEAD, _WEEK = 30, 40
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_Up: -7, Qt.Key.Key_Down: 7}
_UNITS = {Qt.Key.Key_D: "day", Qt.Key.Key_W: "week", Qt.Key.Key_M: "month"}


def month_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month."""
    number = day.year * 12 + day.month - 1 + months
    first = date(number // 12, number % 12 + 1, 1)
    following = date((number + 1) // 12, (number + 1) % 12 + 1, 1)
    return min(first + timedelta(days=day.day - 1), following - timedelta(days=1))


class MonthView(QWidget):
    """Shows a `MonthSchedule`. Signals: `opened(date)`; `day_changed(date)` when the cursor is on another day, of whichever month;
    `unit_requested(str)`."""

    opened = Signal(object)
    day_changed = Signal(object)
    unit_requested = Signal(str)

    def __init__(self, theme: Theme, day: date, *, today: Callable[[], date], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._today, self.day = theme, today, day
        self.month: MonthSchedule | None = None
        self._hovered: date | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setProperty("pane", "true")
        self.setAccessibleName(self.tr("Month calendar"))
        theme.changed.connect(self._repaint)

    def show_month(self, month: MonthSchedule) -> None:
        """Show a month as the database has it; the cursor stays."""
        self.month = month
        self.setAccessibleDescription(self.describe())
        self.update()

    def set_day(self, day: date) -> None:
        """Put the cursor on a day; says nothing."""
        self.day = day
        self.update()

    def describe(self) -> str:
        """The cursor's day in words."""
        load = self._load(self.day)
        return "" if load is None else ", ".join(_lines(load, self._today()))

    def day_at(self, at: QPoint) -> date | None:
        """The day under a point."""
        if self.month is None or at.y() < _HEAD or at.x() < _WEEK:
            return None
        return next((load.day for n, load in enumerate(self.month.days) if self._cell(n).contains(at)), None)

    def hover(self, day: date | None) -> None:
        """Mark a day as the one under the pointer (also while something is dragged over it)."""
        if day != self._hovered:
            self._hovered = day
            self.setCursor(Qt.CursorShape.ArrowCursor if day is None else Qt.CursorShape.PointingHandCursor)
            self.update()

    def _load(self, day: date) -> DayLoad | None:
        return next((load for load in self.month.days if load.day == day), None) if self.month is not None else None

    def _cell(self, number: int) -> QRect:
        weeks = len(self.month.days) // 7 if self.month is not None else 5
        line, column = divmod(number, 7)
        width, height = self.width() - _WEEK, self.height() - _HEAD
        x, y = _WEEK + column * width // 7, _HEAD + line * height // weeks
        return QRect(x, y, _WEEK + (column + 1) * width // 7 - x, _HEAD + (line + 1) * height // weeks - y)

    def _go(self, day: date) -> None:
        self.day = day
        self.update()
        self.day_changed.emit(day)
        self.setAccessibleDescription(self.describe())
        announce(self, self.describe() or clinical_date(day, weekday=True))

    @Slot()
    def _repaint(self) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, painter = self._theme, QPainter(self)
        painter.fillRect(event.rect(), theme.color("surface"))
        painter.setFont(theme.font("small", bold=True))
        painter.setPen(theme.color("text_soft"))
        for column, name in enumerate(WEEKDAYS):
            cell = self._cell(column)
            painter.drawText(QRect(cell.x() + 10, 0, cell.width() - 12, _HEAD), int(Qt.AlignmentFlag.AlignVCenter), name)
        for number, load in enumerate(self.month.days if self.month is not None else ()):
            cell = self._cell(number)
            if number % 7 == 0:
                painter.setFont(theme.font("small", tabular=True))
                painter.setPen(theme.color("text_faint"))
                words = str(load.day.isocalendar().week)
                painter.drawText(QRect(0, cell.y() + 8, _WEEK - 10, 18), int(Qt.AlignmentFlag.AlignRight), words)
            self._paint_day(painter, cell, load)
        painter.setPen(theme.color("line"))
        painter.drawLine(_WEEK - 1, _HEAD - 1, self.width(), _HEAD - 1)
        painter.end()

    def _paint_day(self, painter: QPainter, cell: QRect, load: DayLoad) -> None:
        theme = self._theme
        inside = self.month is not None and load.day.month == self.month.first.month
        today, here = load.day == self._today(), load.day == self.day
        ground = "surface" if inside and load.open_minutes else "sunken"
        painter.fillRect(cell, theme.color("accent_soft") if load.day == self._hovered else theme.color(ground))
        painter.setPen(theme.color("line"))
        painter.drawLine(cell.topLeft(), cell.topRight())
        painter.drawLine(cell.topLeft(), cell.bottomLeft())
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = QRect(cell.x() + 8, cell.y() + 6, 28, 22)
        painter.setFont(theme.font(bold=inside, tabular=True))
        if today:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(place), 11, 11)
        painter.setPen(theme.color("on_accent" if today else "text" if inside else "text_faint"))
        painter.drawText(place, int(Qt.AlignmentFlag.AlignCenter), str(load.day.day))
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.color("text_soft" if inside else "text_faint"))
        room = cell.width() - 50
        forms = (f"{load.appointments} booked", str(load.appointments)) if load.appointments else ("",)
        count = next((form for form in forms if painter.fontMetrics().horizontalAdvance(form) <= room), forms[-1])
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        painter.drawText(QRect(cell.x() + 40, cell.y() + 8, room, 18), right, count)
        self._paint_load(painter, cell, load, inside=inside)
        if here:
            painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "outline"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(cell).adjusted(2, 2, -1.5, -1.5), 4, 4)
        painter.restore()

    def _paint_load(self, painter: QPainter, cell: QRect, load: DayLoad, *, inside: bool) -> None:
        """The bar, its words below it, then the closures."""
        theme = self._theme
        y = cell.y() + 34
        if load.open_minutes:
            share = min(1.0, load.booked_minutes / load.open_minutes)
            bar = QRectF(cell.x() + 10, y, cell.width() - 20, 7)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line"))
            painter.drawRoundedRect(bar, 3.5, 3.5)
            if share:
                painter.setBrush(theme.color("warning" if load.booked_minutes > load.open_minutes else "accent", 1.0 if inside else 0.5))
                painter.drawRoundedRect(QRectF(bar.x(), bar.y(), max(7.0, bar.width() * share), 7), 3.5, 3.5)
            y += 10
        painter.setPen(theme.color("text_soft" if inside else "text_faint"))
        room = QFontMetrics(theme.font("small"))
        lines = [(_fullness(load), "text_soft" if inside else "text_faint")] + [(short_name(words), "warning") for words in load.closures]
        for text, ink in lines:
            if not text:
                continue
            if y + 18 > cell.bottom():
                break
            painter.setPen(theme.color(ink))
            words = room.elidedText(text, Qt.TextElideMode.ElideRight, cell.width() - 20)
            painter.drawText(QRect(cell.x() + 10, y, cell.width() - 18, 18), int(Qt.AlignmentFlag.AlignVCenter), words)
            y += 17

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, plain = Qt.Key(event.key()), not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if plain and key in _STEPS:
            self._go(self.day + timedelta(days=_STEPS[key]))
        elif plain and key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self._go(month_after(self.day, 1 if key == Qt.Key.Key_PageDown else -1))
        elif plain and key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go(self.day + timedelta(days=(0 if key == Qt.Key.Key_Home else 6) - self.day.weekday()))
        elif plain and key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.opened.emit(self.day)
        elif plain and key in _UNITS:
            self.unit_requested.emit(_UNITS[key])
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        day = self.day_at(event.position().toPoint())
        if day is not None and event.button() == Qt.MouseButton.LeftButton:
            self.opened.emit(day)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hover(self.day_at(event.position().toPoint()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hover(None)

    def event(self, event: QEvent) -> bool:
        """The tool tip says what does not fit into the cell."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            day = self.day_at(event.pos())
            load = self._load(day) if day is not None else None
            QToolTip.showText(event.globalPos(), "\n".join(_lines(load, self._today())) if load is not None else "", self)
            return True
        return super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.setAccessibleDescription(self.describe())
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(900, 600)


def _fullness(load: DayLoad) -> str:
    if not load.open_minutes:
        return "" if load.closures else "No hours"
    if not load.booked_minutes:
        return f"{_hours(load.open_minutes)} open"
    return f"{round(100 * load.booked_minutes / load.open_minutes)} % of {_hours(load.open_minutes)}"


def _hours(minutes: int) -> str:
    """Working time is counted in hours, never in days of twenty-four of them."""
    hours, rest = divmod(minutes, 60)
    return f"{hours}hr {rest}min" if hours and rest else f"{hours}hr" if hours else f"{rest}min"


def _lines(load: DayLoad, today: date) -> list[str]:
    near = {0: " (today)", 1: " (tomorrow)", -1: " (yesterday)"}.get((load.day - today).days, "")
    booked = f"{load.appointments} booked, {_hours(load.booked_minutes)} of {_hours(load.open_minutes)} open" \
        if load.open_minutes or load.appointments else "No hours"
    return [clinical_date(load.day, weekday=True) + near, booked, *load.closures]
