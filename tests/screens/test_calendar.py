"""The calendar as a person uses it: mouse and keys, what is asked for, what stays until the database agrees."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.screens.test_schedule_model import at, block, schedule
from ui.schedule.model import MIN_COLUMN, Cell, Span
from ui.schedule.view import DayCalendar
from ui.theme import Theme

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


class Asked:
    """What the calendar asked for."""

    def __init__(self, calendar: DayCalendar) -> None:
        self.books: list[tuple[Any, ...]] = []
        self.moves: list[tuple[Any, ...]] = []
        self.opened: list[Any] = []
        self.steps: list[tuple[Any, ...]] = []
        calendar.book_requested.connect(lambda *args: self.books.append(args))
        calendar.move_requested.connect(lambda b, *args: self.moves.append((b.id, *args)))
        calendar.opened.connect(self.opened.append)
        calendar.step_requested.connect(lambda b, status: self.steps.append((b.id, status)))


@pytest.fixture
def calendar(theme: Theme, qtbot: Any) -> DayCalendar:
    made = DayCalendar(theme, UTC, now=lambda: datetime(2026, 11, 20, 10, 12, tzinfo=UTC))
    qtbot.addWidget(made)
    made.resize(900, 700)
    made.show()
    made.activateWindow()
    made.show_schedule(schedule(block(1, 600, 630), block(2, 660, 690, doctor=2), block(3, 840, 870, status="completed")))
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


@pytest.fixture
def asked(calendar: DayCalendar) -> Asked:
    return Asked(calendar)


def point(calendar: DayCalendar, column: int, minute: int, dx: int = 30, dy: int = 3) -> QPoint:
    assert calendar.grid is not None
    return QPoint(column * calendar.grid.column_width + dx, calendar.grid.y(minute) + dy) - calendar.content(QPoint(0, 0))


def drag(calendar: DayCalendar, start: QPoint, end: QPoint, *, drop: bool = True) -> None:
    view = calendar.viewport()
    QTest.mousePress(view, LEFT, NONE, start)
    QTest.mouseMove(view, start + QPoint(4, 4))
    calendar.pointer.moved((start + end) / 2, LEFT)
    calendar.pointer.moved(end, LEFT)
    if drop:
        QTest.mouseRelease(view, LEFT, NONE, end)


def test_today_opens_at_now_and_shows_everything_asked_for(calendar: DayCalendar) -> None:
    assert calendar.now_minute() == 612
    top = calendar.grid.minute(calendar.verticalScrollBar().value())
    assert top <= 612 <= top + 7 * 60
    assert calendar.counts == [2, 1]
    assert calendar.grab().width() == 900


def test_dragging_in_free_space_asks_to_book(calendar: DayCalendar, asked: Asked) -> None:
    drag(calendar, point(calendar, 1, 720), point(calendar, 1, 765, dy=0))
    assert asked.books == [(2, at(720), at(765))]
    assert calendar.ghost is not None and calendar.ghost.waiting
    calendar.release()
    assert calendar.ghost is None


def test_dragging_a_block_asks_and_leaves_it_where_it_is(calendar: DayCalendar, asked: Asked) -> None:
    drag(calendar, point(calendar, 0, 605), point(calendar, 1, 725))
    assert asked.moves == [(1, 2, at(720), at(750))]
    assert calendar.grid.by_id[1].column == 0, "the block stays until the database agrees"
    calendar.show_schedule(schedule(block(1, 720, 750, doctor=2)))
    assert calendar.grid.by_id[1].column == 1
    assert calendar.ghost is None


def test_a_drag_shows_the_conflict_while_it_lasts(calendar: DayCalendar, asked: Asked) -> None:
    drag(calendar, point(calendar, 0, 605), point(calendar, 1, 667), drop=False)
    ghost = calendar.pointer.ghost
    assert ghost is not None and ghost.verdict.taken
    assert "Person 2 11:00–11:30" in ghost.verdict.reason
    QTest.keyClick(calendar, Qt.Key.Key_Escape)
    assert calendar.pointer.ghost is None
    QTest.mouseRelease(calendar.viewport(), LEFT, NONE, point(calendar, 1, 667))
    assert asked.moves == []


def test_dragging_the_lower_edge_resizes(calendar: DayCalendar, asked: Asked) -> None:
    rect = calendar.grid.rect(calendar.grid.by_id[1])
    edge = QPoint(rect.x + 40, rect.y + rect.height - 2) - calendar.content(QPoint(0, 0))
    drag(calendar, edge, point(calendar, 0, 660, dy=0))
    assert asked.moves == [(1, 1, at(600), at(660))]


def test_what_is_over_cannot_be_dragged(calendar: DayCalendar, asked: Asked) -> None:
    drag(calendar, point(calendar, 0, 850), point(calendar, 1, 900))
    assert asked.moves == []
    assert calendar.block is not None and calendar.block.id == 3


def test_double_click_books_or_opens(calendar: DayCalendar, asked: Asked) -> None:
    QTest.mouseDClick(calendar.viewport(), LEFT, NONE, point(calendar, 0, 605))
    assert [b.id for b in asked.opened] == [1]
    QTest.mouseDClick(calendar.viewport(), LEFT, NONE, point(calendar, 1, 735))
    assert asked.books == [(2, at(735), at(755))]


def test_a_gap_off_the_steps_is_booked_where_it_begins(calendar: DayCalendar, asked: Asked) -> None:
    calendar.show_schedule(schedule(block(1, 600, 620), block(2, 635, 660)))
    QTest.mouseDClick(calendar.viewport(), LEFT, NONE, point(calendar, 0, 621))
    assert (asked.opened, asked.books) == ([], [(1, at(620), at(635))]), "the neighbours are neither opened nor covered"


def test_arrows_walk_and_enter_books_up_to_the_next_appointment(calendar: DayCalendar, asked: Asked) -> None:
    calendar.set_cell(Cell(0, 585))
    QTest.keyClick(calendar, Qt.Key.Key_Return)
    assert asked.books == [(1, at(585), at(600))]
    QTest.keyClick(calendar, Qt.Key.Key_Escape)
    QTest.keyClick(calendar, Qt.Key.Key_Down)
    assert calendar.block is not None and calendar.block.id == 1
    assert "Person 1" in calendar.accessibleDescription()
    QTest.keyClick(calendar, Qt.Key.Key_Return)
    assert asked.opened[0].id == 1
    QTest.keyClick(calendar, Qt.Key.Key_Down)
    assert (calendar.cell, calendar.block) == (Cell(0, 630), None)
    assert calendar.accessibleDescription() == "Dr 1, 10:30, free"
    QTest.keyClick(calendar, Qt.Key.Key_Up)
    assert calendar.block is not None
    QTest.keyClick(calendar, Qt.Key.Key_Up)
    assert calendar.cell == Cell(0, 585)
    QTest.keyClick(calendar, Qt.Key.Key_Right)
    assert calendar.cell == Cell(1, 585)
    QTest.keyClick(calendar, Qt.Key.Key_Home)
    assert calendar.cell.minute == 480
    QTest.keyClick(calendar, Qt.Key.Key_End)
    assert calendar.cell.minute == 17 * 60 - 15


def test_ctrl_arrows_collect_and_ask_once_when_the_key_is_let_go(calendar: DayCalendar, asked: Asked) -> None:
    calendar.select(1)
    QTest.keyPress(calendar, Qt.Key.Key_Control)
    for _ in range(3):
        QTest.keyEvent(QTest.KeyAction.Press, calendar, Qt.Key.Key_Down, CTRL)
    assert asked.moves == []
    assert calendar._keys.ghost.span == Span(0, 645, 675)
    QTest.keyRelease(calendar, Qt.Key.Key_Control)
    assert asked.moves == [(1, 1, at(645), at(675))]


def test_shift_arrows_resize(calendar: DayCalendar, asked: Asked, qtbot: Any) -> None:
    calendar.select(1)
    QTest.keyClick(calendar, Qt.Key.Key_Down, SHIFT)
    qtbot.waitUntil(lambda: bool(asked.moves))
    assert asked.moves == [(1, 1, at(600), at(645))]


def test_esc_forgets_a_proposal(calendar: DayCalendar, asked: Asked) -> None:
    calendar.select(1)
    QTest.keyEvent(QTest.KeyAction.Press, calendar, Qt.Key.Key_Right, CTRL)
    assert calendar._keys.ghost is not None
    QTest.keyClick(calendar, Qt.Key.Key_Escape)
    QTest.keyRelease(calendar, Qt.Key.Key_Control)
    assert asked.moves == []


def test_del_and_f4_ask_for_steps(calendar: DayCalendar, asked: Asked) -> None:
    calendar.select(1)
    QTest.keyClick(calendar, Qt.Key.Key_Delete)
    QTest.keyClick(calendar, Qt.Key.Key_F4)
    assert asked.steps == [(1, "cancelled"), (1, "arrived")]


def test_tab_goes_through_appointments_and_leaves(calendar: DayCalendar) -> None:
    seen = []
    for _ in range(3):
        assert calendar.focusNextPrevChild(True)
        seen.append(calendar.block.id)
    assert seen == [1, 3, 2]
    assert not calendar.focusNextPrevChild(True) or calendar.block.id == 2


def test_a_refresh_keeps_scroll_cursor_and_selection(calendar: DayCalendar) -> None:
    calendar.select(1)
    calendar.verticalScrollBar().setValue(120)
    chosen = []
    calendar.selected.connect(chosen.append)
    calendar.show_schedule(schedule(block(1, 600, 630, status="arrived"), block(9, 700, 710)))
    assert calendar.verticalScrollBar().value() == 120
    assert calendar.block is not None and calendar.block.status == "arrived"
    assert chosen == []
    calendar.show_schedule(schedule(block(9, 700, 710)))
    assert chosen == [None]


def test_zoom_keeps_the_middle(calendar: DayCalendar) -> None:
    calendar.verticalScrollBar().setValue(300)
    middle = calendar.grid.minute(300 + calendar.viewport().height() / 2)
    calendar.zoom(1)
    assert calendar.grid.hour_px == 144
    assert abs(calendar.grid.minute(calendar.verticalScrollBar().value() + calendar.viewport().height() / 2) - middle) <= 2


def test_fifty_doctors_scroll_sideways_and_paint(theme: Theme, qtbot: Any) -> None:
    made = DayCalendar(theme, UTC)
    qtbot.addWidget(made)
    made.resize(1280, 800)
    blocks = [block(d * 100 + n, 480 + 7 * n, 487 + 7 * n, doctor=d + 1) for d in range(50) for n in range(80)]
    made.show_schedule(schedule(*blocks, doctors=50))
    made.show()
    assert made.grid.column_width == MIN_COLUMN
    assert made.horizontalScrollBar().maximum() == 50 * MIN_COLUMN - made.viewport().width()
    made.set_cell(Cell(49, 480))
    assert made.horizontalScrollBar().value() == made.horizontalScrollBar().maximum()
    assert not made.grab().isNull()


def test_no_doctors_is_no_trap(theme: Theme, qtbot: Any) -> None:
    made = DayCalendar(theme, UTC)
    qtbot.addWidget(made)
    made.show()
    made.show_schedule(schedule(doctors=0))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Home, Qt.Key.Key_Delete, Qt.Key.Key_PageDown):
        QTest.keyClick(made, key)
    QTest.mouseClick(made.viewport(), LEFT, NONE, QPoint(50, 50))


def test_an_earlier_appointment_coming_in_does_not_move_the_picture(calendar: DayCalendar) -> None:
    calendar.verticalScrollBar().setValue(240)
    top = calendar.grid.minute(240)
    calendar.show_schedule(schedule(block(1, 600, 630), block(7, 300, 330)))
    assert calendar.grid.first < 7 * 60
    assert calendar.grid.minute(calendar.verticalScrollBar().value()) == top
