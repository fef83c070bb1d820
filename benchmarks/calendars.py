"""The week of fifty doctors on the screen: painted anew, all of it at once, and one frame of a drag, beside as many plain rectangles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPaintDevice, QPainter
from PySide6.QtWidgets import QApplication

from benchmarks.filling import DOCTORS
from benchmarks.measuring import Result, beside
from benchmarks.people import person
from clinicdesk.demo.people import REASONS
from clinicdesk.services.schedule import AppointmentBlock, DoctorColumn, OpenRange, WeekSchedule
from ui.schedule.model import DayLayout, Placed
from ui.schedule.painting import Shown
from ui.schedule.view import DayCalendar
from ui.theme import Theme

_MONDAY = date(2026, 11, 16)
_EACH = 12  # appointments a doctor and day: 4,200 in the week
_STATUSES = ("scheduled", "confirmed", "completed")


def week() -> WeekSchedule:
    """Seven days of fifty doctors with the names of made-up people."""
    columns, blocks = [], []
    for n in range(7 * DOCTORS):
        day, doctor = _MONDAY + timedelta(days=n // DOCTORS), n % DOCTORS + 1
        midnight = datetime.combine(day, time(0), tzinfo=UTC)
        hours = (OpenRange(midnight + timedelta(hours=8), midnight + timedelta(hours=17)),)
        columns.append(DoctorColumn(doctor, f"Dr Number {doctor}", "Family medicine", day, hours))
        for k in range(_EACH):
            number, start = n * _EACH + k + 1, midnight + timedelta(minutes=480 + 40 * k + 20 * (n % 2))
            who = person(number)
            blocks.append(AppointmentBlock(number, doctor, who.id, f"{who.last_name}, {who.first_name}", who.born, start,
                                           start + timedelta(minutes=20), _STATUSES[number % 3], 0, REASONS[number % len(REASONS)], "",
                                           start, 1))
    return WeekSchedule(_MONDAY, tuple(columns), tuple(sorted(blocks, key=lambda b: b.starts_at)))


def measure(app: QApplication, theme: Theme, rounds: int) -> Iterator[Result]:
    """Three lines. The window is 1280 × 800, as on a small screen."""
    calendar = DayCalendar(theme, UTC, now=lambda: datetime(2026, 11, 18, 10, 12, tzinfo=UTC))
    calendar.resize(QSize(1280, 800))
    calendar.show()
    app.processEvents()
    schedule = week()
    calendar.show_schedule(schedule)
    app.processEvents()
    grid = calendar.grid
    if grid is None:
        raise RuntimeError("the calendar shows nothing")
    try:
        yield _anew(calendar, grid, rounds)
        yield _whole(calendar, grid, rounds)
        yield _drag(app, calendar, grid, rounds)
    finally:
        calendar.hide()
        calendar.deleteLater()


def _anew(calendar: DayCalendar, grid: DayLayout, rounds: int) -> Result:
    """Nothing kept from before, as after a change of scheme: every text on the screen is laid out."""
    floor = QImage(calendar.viewport().size(), QImage.Format.Format_RGB32)

    def ours(_n: int) -> None:
        calendar.painting.forget()
        calendar.viewport().repaint()

    rects = [QRect(*grid.rect(p)).translated(-calendar.content(QPoint(0, 0))) for p in _all(grid)]
    count = sum(calendar.viewport().rect().intersects(r) for r in rects)
    note = f"{len(rects)} appointments, {count} on the screen; floor: {len(rects)} plain rectangles"
    return beside("A week of 50 doctors painted anew", ours, lambda _n: _rectangles(floor, rects), rounds, limit=50, note=note)


def _whole(calendar: DayCalendar, grid: DayLayout, rounds: int) -> Result:
    """All appointments in one picture, wider than any screen, with the texts laid out before."""
    whole = QRect(0, 0, grid.width, grid.height)
    picture = QImage(whole.size(), QImage.Format.Format_RGB32)

    def ours(_n: int) -> None:
        painter = QPainter(picture)
        calendar.painting.paint(painter, grid, whole, Shown())
        painter.end()

    rects = [QRect(*grid.rect(p)) for p in _all(grid)]
    return beside("Every appointment of that week painted", ours, lambda _n: _rectangles(picture, rects), max(3, rounds // 4),
                  note=f"{len(rects)} appointments in {grid.width} × {grid.height} px; floor: as many plain rectangles")


def _drag(app: QApplication, calendar: DayCalendar, grid: DayLayout, rounds: int) -> Result:
    """The pointer moves by a cell; from the mouse event until what changed is painted."""
    held = grid.placed[calendar.today().start + 2][3]
    calendar.go_to(held)
    offset = calendar.content(QPoint(0, 0))
    rect = grid.rect(held)
    begin = QPoint(rect.x + 20, rect.y + 5) - offset
    calendar.pointer.hold(grid, held, begin)
    floor = QImage(QSize(rect.width, rect.height), QImage.Format.Format_RGB32)

    def ours(n: int) -> None:
        calendar.pointer.moved(begin + QPoint(grid.column_width * (n % 3), 24 + grid.y(grid.first + grid.snap) * (n % 5)),
                               Qt.MouseButton.LeftButton)
        app.processEvents()

    result = beside("One frame of a drag in that week", ours, lambda _n: _rectangles(floor, [floor.rect()]), rounds, limit=16,
                    note="floor: one plain rectangle")
    calendar.pointer.abort()
    return result


def _all(grid: DayLayout) -> list[Placed]:
    return [placed for column in grid.placed for placed in column]


def _rectangles(target: QPaintDevice, rects: list[QRect]) -> None:
    painter = QPainter(target)
    painter.setPen(QColor("#45525F"))
    painter.setBrush(QColor("#E7ECF1"))
    for rect in rects:
        painter.drawRect(rect)
    painter.end()
