"""The calendar beyond a day: weeks, the month, a drag onto a taken time, the pinboard, a named view, the day sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from clinicdesk.services.schedule import AppointmentBlock
from ui.schedule.model import MOVABLE, Placed
from ui.schedule.view_menu import NameSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "receptionist"
_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def walk(w: Walk) -> None:
    """All steps in order."""
    step = w.guide.step
    step(ROLE, "sees the week of one doctor", lambda: _week_of_one(w))
    step(ROLE, "sees the week of all doctors, a lane each", lambda: _week_of_all(w))
    step(ROLE, "sees how full the month is and opens a day", lambda: _month(w))
    step(ROLE, "drags onto a taken time: the conflict shows while dragging, then three free times are offered", lambda: _conflict(w))
    step(ROLE, "pins an appointment, goes to another day, and puts it down there", lambda: _pinboard(w))
    step(ROLE, "keeps a view under a name and chooses it by Ctrl+2", lambda: _named_view(w))
    step(ROLE, "looks at the day sheet", lambda: _day_sheet(w))
    desk = _desk(w)
    desk.bar.filter.choose(None)
    desk.bar.set_unit("day")
    w.guide.settle()


def _desk(w: Walk) -> Any:
    return w.panel("rita", "front-desk")


def _press(w: Walk, desk: Any, key: Qt.Key) -> None:
    w.guide.keys(desk.calendar, key)
    w.guide.settle()


def _week_of_one(w: Walk) -> None:
    desk = _desk(w)
    desk.bar.filter.choose((desk.area.doctors[0].doctor_id,))
    _press(w, desk, Qt.Key.Key_W)
    w.guide.until(lambda: desk.calendar.grid is not None and len(desk.calendar.grid.days) == 7, "a week is shown")
    if desk.calendar.grid.lanes != 1:
        raise TourFailed("one doctor expected")
    w.guide.picture(w.windows["rita"], "week-one")


def _week_of_all(w: Walk) -> None:
    desk = _desk(w)
    desk.bar.filter.choose(None)
    w.guide.until(lambda: desk.calendar.grid.lanes == len(desk.area.doctors) > 1, "every doctor has a lane in each day")
    w.guide.picture(w.windows["rita"], "week-all")


def _month(w: Walk) -> None:
    desk = _desk(w)
    _press(w, desk, Qt.Key.Key_M)
    month = desk.area.month
    w.guide.until(lambda: month.month is not None and month.isVisible(), "the month is shown")
    w.guide.picture(w.windows["rita"], "month")
    w.guide.keys(month, Qt.Key.Key_Return)
    w.guide.until(lambda: desk.bar.unit == "day" and desk.schedule is not None and desk.schedule.day == desk.day, "Enter opens the day")


def _pair(desk: Any) -> tuple[Placed, Placed]:
    """Two movable appointments in one column."""
    for column in desk.calendar.grid.placed:
        found = [p for p in column if not p.aside and p.block.status in MOVABLE]
        if len(found) > 1:
            return found[0], found[min(2, len(found) - 1)]
    raise TourFailed("no doctor has two appointments to move")


def _conflict(w: Walk) -> None:
    desk = _desk(w)
    calendar = desk.calendar
    held, other = _pair(desk)
    calendar.go_to(held)
    calendar.verticalScrollBar().setValue(calendar.grid.y(held.start) - 120)
    view, start = calendar.viewport(), calendar.grid.rect(held)
    begin = QPoint(start.x + 30, start.y + 5) - calendar.content(QPoint(0, 0))
    aim = calendar.grid.rect(other)
    end = QPoint(aim.x + 40, aim.y + 9) - calendar.content(QPoint(0, 0))
    QTest.mousePress(view, _LEFT, _NONE, begin)
    QTest.mouseMove(view, begin + QPoint(8, 8))
    for at in (begin + QPoint(10, 12), end):
        calendar.pointer.moved(at, _LEFT)  # the offscreen pointer has no pressed button
    if not calendar.proposed or not calendar.proposed.verdict.taken:
        raise TourFailed("the conflict is not shown while dragging")
    w.guide.picture(w.windows["rita"], "drag-conflict")
    QTest.mouseRelease(view, _LEFT, _NONE, end)
    w.guide.until(desk.area.offers.isVisible, "free times are offered")
    if len(desk.area.offers.places) != 3:
        raise TourFailed(f"{len(desk.area.offers.places)} times offered")
    w.guide.picture(w.windows["rita"], "offers")
    before, day = held.block, desk.day
    w.guide.keys(calendar, "1")
    w.guide.until(lambda: _moved(desk, before), "the first offer is taken")
    _undo(w)
    desk.bar.set_day(day)  # the nearest free time may have been on another day, and the view followed it
    w.guide.until(lambda: not _moved(desk, before), "and taken back")
    w.guide.settle()


def _undo(w: Walk) -> None:
    w.guide.settle()  # another desk's notice may show the move before this desk has said it
    if not w.windows["rita"].undo():
        raise TourFailed("nothing can be taken back")


def _moved(desk: Any, before: AppointmentBlock) -> bool:
    now = desk.calendar.grid.by_id.get(before.id)
    return now is None or now.block.starts_at != before.starts_at


def _pinboard(w: Walk) -> None:
    desk = _desk(w)
    calendar, held = desk.calendar, _pair(desk)[0]
    calendar.go_to(held)
    w.guide.keys(calendar, (Qt.Key.Key_X, Qt.KeyboardModifier.ControlModifier))
    w.guide.until(lambda: held.block.id in desk.area.pinboard.ids, "it is pinned")
    w.guide.picture(w.windows["rita"], "pinned")
    day = desk.day
    w.guide.click(desk.bar.forth)
    while desk.day.weekday() > 4:
        w.guide.click(desk.bar.forth)
    w.guide.until(lambda: desk.schedule.day == desk.day != day, "another day is shown")
    w.guide.settle()
    column, minute = _free(desk, held)
    calendar.set_cell(type(calendar.cell)(column, minute))
    w.guide.keys(calendar, (Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier))
    w.guide.until(lambda: held.block.id in calendar.grid.by_id and not desk.area.pinboard.pins, "it is put down on the other day")
    w.guide.picture(w.windows["rita"], "placed")
    _undo(w)
    w.guide.until(lambda: held.block.id not in calendar.grid.by_id, "undo brings it back to its day")
    desk.bar.set_day(day)
    w.guide.settle()


def _free(desk: Any, held: Placed) -> tuple[int, int]:
    grid = desk.calendar.grid
    for column in range(len(grid.columns)):
        for minute in range(grid.first, grid.last - 60, grid.snap):
            verdict = grid.verdict(grid.span_of(held)._replace(column=column, start=minute, end=minute + held.end - held.start))
            if not verdict.reason:
                return column, minute
    raise TourFailed("nothing is free on that day")


def _named_view(w: Walk) -> None:
    desk = _desk(w)
    desk.bar.filter.choose(tuple(d.doctor_id for d in desk.area.doctors[:2]))
    desk.area.views.save()
    sheet = w.guide.dialog(NameSheet)
    if sheet.form is None:
        raise TourFailed("the sheet has no form")
    w.guide.fill(sheet.form.editor("name"), "Two rooms")
    w.guide.picture(w.windows["rita"], "save-view")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "the view is kept")
    desk.bar.filter.choose(None)
    desk.area.views.choose(1)
    w.guide.until(lambda: len(desk.calendar.grid.columns) == 2, "Ctrl+2 shows it again")
    w.guide.picture(w.windows["rita"], "named-view")


def _day_sheet(w: Walk) -> None:
    desk = _desk(w)
    desk.bar.filter.choose(None)
    desk.print_day()
    w.guide.until(lambda: desk.paper.content, "the day sheet is made")
    w.guide.settle()
    w.guide.pdf(desk.paper.content, "day-sheet")
    w.guide.picture(desk.paper, "day-sheet")
    desk.paper.close()
