"""The week, the month, the pinboard and the offers as a person uses them, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinicdesk.errors import FreePlace, Invalid
from clinicdesk.services.schedule import AppointmentBlock, DayLoad, DoctorColumn, MonthSchedule, OpenRange, WeekSchedule
from tests.screens.test_calendar import CTRL, LEFT, NONE, SHIFT, Asked, drag, point
from tests.screens.test_schedule_model import block
from ui.desk import Desk
from ui.panels.front_calendar import CalendarArea
from ui.schedule.day_bar import DayBar, shown_words
from ui.schedule.model import MIN_DAY, MIN_LANE, Cell, DayLayout, Span
from ui.schedule.month import MonthView, month_after
from ui.schedule.named_views import NamedView, NamedViews
from ui.schedule.offers import Offers
from ui.schedule.pinboard import Pinboard
from ui.schedule.view import DayCalendar
from ui.theme import Theme

MONDAY = date(2026, 11, 16)
FRIDAY = date(2026, 11, 20)


def at(day: int, minute: int) -> datetime:
    return datetime(2026, 11, 16, tzinfo=UTC) + timedelta(days=day, minutes=minute)


def week(*blocks: AppointmentBlock, doctors: int = 2, closed: str = "") -> WeekSchedule:
    columns = []
    for d in range(7):
        hours = (OpenRange(at(d, 8 * 60), at(d, 17 * 60)),)
        columns += [DoctorColumn(n + 1, f"Dr {n + 1}", "GP", MONDAY + timedelta(days=d), () if d == 2 and closed else hours,
                                 closed if d == 2 else "") for n in range(doctors)]
    return WeekSchedule(MONDAY, tuple(columns), tuple(sorted(blocks, key=lambda b: b.starts_at)), tuple(columns[:doctors]))


def on(number: int, day: int, start: int, *, doctor: int = 1, status: str = "scheduled", minutes: int = 30) -> AppointmentBlock:
    return replace(block(number, 0, 30, doctor=doctor, status=status), starts_at=at(day, start), ends_at=at(day, start + minutes))


@pytest.fixture
def calendar(theme: Theme, qtbot: Any) -> DayCalendar:
    made = DayCalendar(theme, UTC, now=lambda: datetime(2026, 11, 20, 10, 12, tzinfo=UTC))
    qtbot.addWidget(made)
    made.resize(1300, 700)
    made.show()
    made.activateWindow()
    made.show_schedule(week(on(1, 0, 600), on(2, 1, 660, doctor=2), on(3, 4, 540)))
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


@pytest.fixture
def asked(calendar: DayCalendar) -> Asked:
    return Asked(calendar)


def test_columns_are_doctors_within_days_and_every_block_is_on_its_day() -> None:
    layout = DayLayout(week(on(1, 0, 600), on(2, 1, 660, doctor=2)), UTC)
    assert (layout.lanes, len(layout.days), layout.least) == (2, 7, MIN_LANE)
    assert (layout.by_id[1].column, layout.by_id[2].column) == (0, 3)
    assert layout.name(3) == "Dr 2, Tue 17-Nov"
    assert layout.on_day(FRIDAY) == range(8, 10)
    assert layout.number(2, FRIDAY) == 9 and layout.number(9, FRIDAY) is None
    alone = DayLayout(week(doctors=1), UTC)
    assert (alone.least, alone.name(4)) == (MIN_DAY, "Fri 20-Nov")


def test_what_is_closed_one_day_is_open_the_next() -> None:
    layout = DayLayout(week(closed="Town holiday"), UTC)
    assert layout.verdict(Span(4, 600, 630)).reason == "Closed: Town holiday"
    assert not layout.verdict(Span(6, 600, 630)).reason


def test_a_week_opens_at_today_and_now(calendar: DayCalendar) -> None:
    assert calendar.today() == range(8, 10) and calendar.now_minute() == 612
    assert calendar.cell.column == 8
    assert "Fri 20-Nov" in calendar.describe() and calendar.accessibleName() == "Week calendar"


def test_dragging_to_another_day_and_doctor_asks_for_that_day(calendar: DayCalendar, asked: Asked) -> None:
    drag(calendar, point(calendar, 0, 605), point(calendar, 3, 725))
    assert asked.moves == [(1, 2, at(1, 720), at(1, 750))]
    assert calendar.grid.by_id[1].column == 0


def test_keys_move_by_doctor_and_by_whole_days(calendar: DayCalendar, asked: Asked) -> None:
    calendar.select(1)
    QTest.keyEvent(QTest.KeyAction.Press, calendar, Qt.Key.Key_Right, CTRL | SHIFT)
    assert calendar._keys.ghost.span == Span(2, 600, 630)
    QTest.keyEvent(QTest.KeyAction.Press, calendar, Qt.Key.Key_Right, CTRL)
    QTest.keyRelease(calendar, Qt.Key.Key_Control)
    assert asked.moves == [(1, 2, at(1, 600), at(1, 630))]


def test_a_refresh_of_the_week_keeps_the_cursor_on_its_doctor_and_day(calendar: DayCalendar) -> None:
    calendar.set_cell(Cell(5, 840))
    calendar.show_schedule(week(doctors=2))
    assert calendar.cell == Cell(5, 840)
    calendar.show_schedule(replace(week(doctors=2), columns=tuple(c for c in week().columns if c.doctor_id == 2)))
    assert calendar.grid.columns[calendar.cell.column].day == MONDAY + timedelta(days=2)


def test_a_frame_of_a_drag_repaints_only_the_ghost(calendar: DayCalendar) -> None:
    painted: list[QRect] = []

    class Watch(type(calendar.painting)):  # type: ignore[misc]
        def paint(self, painter: Any, layout: Any, exposed: QRect, shown: Any) -> None:
            painted.append(exposed)
            super().paint(painter, layout, exposed, shown)

    calendar.painting.__class__ = Watch
    view = calendar.viewport()
    QTest.mousePress(view, LEFT, NONE, point(calendar, 0, 605))
    calendar.pointer.moved(point(calendar, 0, 665), LEFT)
    QApplication.processEvents()
    painted.clear()
    calendar.pointer.moved(point(calendar, 0, 725), LEFT)
    QApplication.processEvents()
    assert painted, "the ghost moved"
    assert sum(r.width() * r.height() for r in painted) < view.width() * view.height() / 6
    calendar.pointer.abort()


def test_conflict_words_are_never_cut_by_a_narrow_lane(calendar: DayCalendar) -> None:
    drag(calendar, point(calendar, 0, 605), point(calendar, 3, 667), drop=False)
    ghost = calendar.proposed
    assert ghost is not None and ghost.verdict.taken and "Person 2 11:00–11:30" in ghost.verdict.reason
    area = calendar.ghosts.area(calendar.grid, ghost, calendar.visible())
    assert area.width() > calendar.grid.column_width
    assert calendar.visible().contains(area)
    calendar.pointer.abort()


def test_d_w_m_ask_for_another_view_but_not_while_typing_a_modifier(calendar: DayCalendar) -> None:
    asked: list[str] = []
    calendar.unit_requested.connect(asked.append)
    for key in (Qt.Key.Key_D, Qt.Key.Key_W, Qt.Key.Key_M):
        QTest.keyClick(calendar, key)
    QTest.keyClick(calendar, Qt.Key.Key_W, CTRL)
    assert asked == ["day", "week", "month"]


# The pinboard


@pytest.fixture
def board(calendar: DayCalendar, theme: Theme, qtbot: Any) -> Pinboard:
    made = Pinboard(theme, UTC)
    qtbot.addWidget(made)
    made.resize(900, 60)
    made.show()
    calendar.parking = made
    made.changed.connect(calendar.set_pinned)
    calendar.pin_requested.connect(made.park)
    return made


def test_ctrl_x_pins_and_the_place_is_kept_and_marked(calendar: DayCalendar, asked: Asked, board: Pinboard) -> None:
    calendar.select(1)
    QTest.keyClick(calendar, Qt.Key.Key_X, CTRL)
    assert board.ids == calendar.pinned == {1}
    assert calendar.grid.verdict(Span(0, 600, 630)).taken, "its time is still its own"
    calendar.set_cell(Cell(5, 720))
    calendar.place(board.chosen)
    assert asked.moves == [(1, 2, at(2, 720), at(2, 750))], "with its own length"
    QTest.keyClick(board.pins[0], Qt.Key.Key_Escape)
    assert board.ids == calendar.pinned == frozenset()


def test_a_block_dropped_on_the_board_is_pinned_and_not_moved(calendar: DayCalendar, asked: Asked, board: Pinboard) -> None:
    board.hover = lambda at: at is not None and at.y() > 5000  # type: ignore[method-assign]
    view = calendar.viewport()
    QTest.mousePress(view, LEFT, NONE, point(calendar, 0, 605))
    calendar.pointer.moved(point(calendar, 0, 665), LEFT)
    below = QPoint(40, 9000)
    calendar.pointer.moved(below, LEFT)
    assert calendar.proposed is None, "over the board nothing is proposed"
    QTest.mouseRelease(view, LEFT, NONE, below)
    assert board.ids == {1} and asked.moves == []


def test_a_pin_is_dragged_back_onto_the_grid(calendar: DayCalendar, asked: Asked, board: Pinboard) -> None:
    board.park(on(7, -3, 500, minutes=45))
    board.carried.connect(calendar.carry)
    board.dropped.connect(lambda *_: calendar.carry_end(drop=True))
    target = calendar.viewport().mapToGlobal(point(calendar, 2, 720, dy=0))
    assert calendar.carry(board.pins[0].block, target)
    ghost = calendar.proposed
    assert ghost is not None and ghost.span.end - ghost.span.start == 45 and ghost.span.column == 2
    board.dropped.emit(board.pins[0].block, target)
    (move,) = asked.moves
    assert move[:2] == (7, 1) and move[3] - move[2] == timedelta(minutes=45) and move[2].date() == MONDAY + timedelta(days=1)
    assert not calendar.carry(board.pins[0].block, QPoint(-4000, -4000)), "beside the grid nothing is shown"


def test_the_board_lets_go_of_what_was_moved_or_is_over(board: Pinboard) -> None:
    first, second, third = on(1, 0, 600), on(2, 1, 600), on(3, 2, 600)
    for one in (first, second, third):
        board.park(one)
    board.park(on(4, 0, 700, status="completed"))
    assert board.ids == {1, 2, 3}, "what is over cannot be pinned"
    over = board.renew([replace(first, version=5), replace(second, starts_at=at(3, 600)), replace(third, status="cancelled")])
    assert board.ids == {1} and [b.id for b in over] == [3]
    assert board.chosen is not None and board.chosen.version == 5


# Offers


def test_offers_are_taken_by_figure_and_figures_stay_figures_in_a_field(desk: Desk, calendar: DayCalendar, qtbot: Any) -> None:
    offers = Offers(desk, calendar)
    qtbot.addWidget(offers)
    offers.show()
    taken, reasons = [], []
    offers.taken.connect(taken.append)
    offers.overbook_requested.connect(reasons.append)
    places = [FreePlace(1, at(d, 600), at(d, 620)) for d in (0, 0, 1)]
    offers.offer("Somebody is booked there.", places, MONDAY, overbook=True)
    assert [b.text() for b in offers.buttons] == ["10:00", "10:00", "Tue 17-Nov 10:00"]
    calendar.activateWindow()
    calendar.setFocus()
    qtbot.waitUntil(calendar.hasFocus)
    QTest.keyClick(calendar, "2")
    assert taken == [places[1]] and not offers.isVisible()
    QTest.keyClick(calendar, "1")
    assert len(taken) == 1, "the figures mean nothing once the offer is gone"
    offers.offer("Somebody is booked there.", [], MONDAY, overbook=True)
    offers.overbook_button.click()
    QTest.keyClicks(offers.reason, "1")
    QTest.keyClick(offers.reason, Qt.Key.Key_Return)
    assert reasons == [] and offers.error.text()
    QTest.keyClicks(offers.reason, "23 in pain")
    offers.overbook_now.click()
    assert reasons == ["123 in pain"]


# Month


@pytest.fixture
def month(theme: Theme, qtbot: Any) -> MonthView:
    made = MonthView(theme, FRIDAY, today=lambda: FRIDAY)
    qtbot.addWidget(made)
    made.resize(900, 620)
    first = date(2026, 10, 26)
    loads = tuple(DayLoad(first + timedelta(days=n), 480, 60 * (n % 9), n % 9, ("Town holiday",) if n == 21 else ()) for n in range(42))
    made.show_month(MonthSchedule(date(2026, 11, 1), loads))
    made.show()
    return made


def test_keys_walk_the_month_and_enter_opens_the_day(month: MonthView) -> None:
    opened, walked = [], []
    month.opened.connect(opened.append)
    month.day_changed.connect(walked.append)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
        QTest.keyClick(month, key)
    assert walked == [date(2026, 11, 21), date(2026, 11, 28), date(2026, 11, 23), date(2026, 10, 23), date(2026, 11, 23)]
    QTest.keyClick(month, Qt.Key.Key_Return)
    assert opened == [date(2026, 11, 23)]
    month.set_day(MONDAY)
    assert month.describe() == "Mon 16-Nov-2026, 3 booked, 3hr of 8hr open, Town holiday"
    assert month_after(date(2026, 1, 31), 1) == date(2026, 2, 28) and month_after(date(2026, 1, 15), -1) == date(2025, 12, 15)


def test_a_click_opens_the_day_under_it(month: MonthView) -> None:
    opened: list[date] = []
    month.opened.connect(opened.append)
    for number in (0, 21, 41):
        QTest.mouseClick(month, LEFT, NONE, month._cell(number).center())
    assert opened == [date(2026, 10, 26), MONDAY, date(2026, 12, 6)]
    QTest.mouseClick(month, LEFT, NONE, QPoint(5, 5))
    assert len(opened) == 3
    assert not month.grab().isNull()


# The bar and named views


def test_the_bar_steps_by_what_is_shown(theme: Theme, qtbot: Any) -> None:
    bar = DayBar(theme, FRIDAY, today=lambda: FRIDAY)
    qtbot.addWidget(bar)
    days, units = [], []
    bar.day_changed.connect(days.append)
    bar.unit_changed.connect(units.append)
    bar.units["week"].click()
    bar.forth.click()
    bar.units["month"].click()
    bar.forth.click()
    bar.units["day"].click()
    bar.back.click()
    assert units == ["week", "month", "day"]
    assert days == [date(2026, 11, 27), date(2026, 12, 27), date(2026, 12, 26)]
    assert shown_words("week", date(2026, 12, 30)) == "28-Dec-2026 to 03-Jan-2027"
    assert shown_words("week", FRIDAY) == "16-Nov to 22-Nov-2026"
    assert all("Ctrl+Shift+" in made.toolTip() for made in bar.units.values())


def test_named_views_are_kept_for_a_person_and_nonsense_is_ignored(desk: Desk, tmp_path: Any) -> None:
    desk._memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    views = NamedViews(desk)
    assert [v.name for v in views.views] == ["All doctors"]
    views.save(NamedView(" Two  rooms ", (1, 2), "week", 144))
    views.save(NamedView("two rooms", (3,), "day", 96))
    assert [(v.name, v.doctors) for v in NamedViews(desk).views] == [("All doctors", None), ("two rooms", (3,))]
    for wrong in ("", "x" * 41):
        with pytest.raises(Invalid):
            views.save(NamedView(wrong))
    with pytest.raises(Invalid):
        views.rename("two rooms", "ALL DOCTORS")
    views.rename("two rooms", "Room 3")
    views.delete("All doctors")
    assert [v.name for v in NamedViews(desk).views] == ["Room 3"]
    views.delete("Room 3")
    assert [v.name for v in NamedViews(desk).views] == ["All doctors"]
    desk.remember("calendar/views", '[{"name": 3}, {"name": "a", "unit": "year"}, {"name": "b", "unit": "week", "doctors": "x"}]')
    assert NamedViews(desk).views == [NamedView("b", None, "week", 96)]


def test_the_next_window_begins_with_what_was_shown_last(desk: Desk, tmp_path: Any, qtbot: Any) -> None:
    desk._memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    NamedViews(desk).remember(NamedView("last", (2,), "week", 144))
    area = CalendarArea(desk)
    qtbot.addWidget(area)
    assert (area.bar.unit, area.bar.doctors, area.calendar.hour_px) == ("week", (2,), 144)
    assert area.bar.units["week"].isChecked() and not area.bar.units["day"].isChecked()


def test_the_picture_of_a_narrow_lane_is_drawn(calendar: DayCalendar) -> None:
    calendar.show_schedule(week(on(1, 4, 600), on(2, 4, 600, status="cancelled"), replace(on(3, 4, 615), lane=1), closed="Town holiday"))
    calendar.set_pinned(frozenset({1}))
    assert not calendar.grab().isNull()
