"""The front desk's week, month, pinboard and offers on a real clinic."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, QSettings, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from clinicdesk.services import calendar as calendars
from tests.clinics import Practice
from tests.screens.office import LEFT, NONE, Office
from tests.screens.test_front_desk import block, place, tomorrow
from ui.dialogs.moving import MoveSheet
from ui.panels.front_menu import calendar_menu
from ui.schedule.view_menu import NameSheet

CTRL = Qt.KeyboardModifier.ControlModifier
CTRL_SHIFT = CTRL | Qt.KeyboardModifier.ShiftModifier


def placed_now(practice: Practice, appointment_id: int) -> Any:
    with practice.read("rita") as session:
        return calendars.placed_again(session, [appointment_id])[0]


def drop(desk: Any, appointment_id: int, column: int, minute: int) -> None:
    """Drag a block to a column and a minute."""
    calendar = desk.calendar
    calendar.go_to(calendar.grid.by_id[appointment_id])
    rect, offset = calendar.grid.rect(calendar.grid.by_id[appointment_id]), calendar.content(QPoint(0, 0))
    start = QPoint(rect.x + 20, rect.y + 2) - offset
    end = QPoint(column * calendar.grid.column_width + 20, calendar.grid.y(minute) + 3) - offset
    view = calendar.viewport()
    QTest.mousePress(view, LEFT, NONE, start)
    QTest.mouseMove(view, start + QPoint(6, 6))
    calendar.pointer.moved((start + end) / 2, LEFT)
    calendar.pointer.moved(end, LEFT)
    QTest.mouseRelease(view, LEFT, NONE, end)


def test_w_shows_the_week_and_a_drag_to_another_day_moves_there(office: Office, practice: Practice) -> None:
    desk = tomorrow(office, office.open("rita"))
    desk.bar.set_day(calendars.monday_of(practice.at(9, day=7).date()))
    office.settle()
    week = practice.book(practice.patient(), practice.at(10, day=(desk.day - practice.at(9, day=0).date()).days))
    desk.calendar.setFocus()
    office.keys("w")
    office.until(lambda: week in desk.calendar.grid.by_id and len(desk.calendar.grid.days) == 7)
    office.settle()
    assert desk.calendar.hasFocus(), "the focus stays in the calendar"
    assert len(desk.area.doctors) == 2 and len(desk.schedule.columns) == 14
    drop(desk, week, 3, 11 * 60)
    office.until(lambda: placed_now(practice, week).doctor_id == practice.doctors["hugo"])
    office.settle()
    moved = placed_now(practice, week).starts_at.astimezone(practice.clinic.zone)
    assert (moved.date() - desk.day, moved.hour) == (timedelta(days=1), 11)
    assert desk.window().undo()
    office.until(lambda: placed_now(practice, week).doctor_id == practice.doctors["dora"])
    later = practice.book(practice.patient(), practice.at(13, day=(desk.day - practice.at(9, day=0).date()).days + 3))
    office.until(lambda: later in desk.calendar.grid.by_id, "another desk's booking on another day of the week shows by itself")
    friday = desk.day + timedelta(days=4)
    desk.bar.set_day(friday)
    assert desk.calendar.grid.columns[desk.calendar.cell.column].day == friday, "within the week only the cursor goes there"
    office.keys("d")
    office.until(lambda: desk.calendar.grid.days == (friday,))


def test_the_month_opens_a_day_with_the_pins_as_they_were(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    desk = tomorrow(office, office.open("rita"))
    desk.calendar.select(made)
    desk.calendar.setFocus()
    QTest.keyClick(desk.calendar, Qt.Key.Key_X, CTRL)
    QTest.keyClick(desk.calendar, Qt.Key.Key_M)
    office.until(lambda: desk.area.month.month is not None)
    office.settle()
    month, start = desk.area.month, desk.day
    assert desk.area.load_of(start).appointments == 1
    QTest.keyClick(month, Qt.Key.Key_PageDown)
    office.until(lambda: month.month.first.month != start.month)
    aimed = next(n for n, load in enumerate(month.month.days) if load.day == desk.day)
    target = month.mapToGlobal(month._cell(aimed + 1).center())
    desk.area.pinboard.carried.emit(desk.area.pinboard.pins[0].block, target)
    assert month._hovered == month.month.days[aimed + 1].day
    desk.area.pinboard.dropped.emit(desk.area.pinboard.pins[0].block, target)
    office.settle()
    assert desk.bar.unit == "day" and desk.day == month.month.days[aimed + 1].day
    office.until(lambda: desk.schedule.day == desk.day)
    assert desk.area.pinboard.ids == {made}
    column = desk.calendar.grid.number(practice.doctors["hugo"], desk.day)
    desk.calendar.set_cell(type(desk.calendar.cell)(column, 600))
    QTest.keyClick(desk.calendar, Qt.Key.Key_V, CTRL)
    office.until(lambda: placed_now(practice, made).starts_at.astimezone(practice.clinic.zone).date() == desk.day)
    office.until(lambda: not desk.area.pinboard.pins, "once the database has it the pin is gone")


def mouse(widget: QWidget, kind: QEvent.Type, at: QPoint) -> None:
    """What the window system sends while the left button is held; `at` in global pixels."""
    held = LEFT if kind != QEvent.Type.MouseButtonRelease else Qt.MouseButton.NoButton
    button = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseMove else LEFT
    QApplication.sendEvent(widget, QMouseEvent(kind, QPointF(widget.mapFromGlobal(at)), QPointF(at), button, held, NONE))


def test_dragged_onto_the_board_and_back_into_another_doctors_day(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    desk = tomorrow(office, office.open("rita"))
    calendar, board, view = desk.calendar, desk.area.pinboard, desk.calendar.viewport()
    calendar.go_to(calendar.grid.by_id[made])
    start = view.mapToGlobal(place(desk, practice.doctors["dora"], practice.at(9)))
    mouse(view, QEvent.Type.MouseButtonPress, start)
    for at in (start + QPoint(9, 9), board.mapToGlobal(board.rect().center())):
        mouse(view, QEvent.Type.MouseMove, at)
    assert board.property("card") == "accent", "the board says that it takes it"
    mouse(view, QEvent.Type.MouseButtonRelease, board.mapToGlobal(board.rect().center()))
    office.settle()
    assert board.ids == {made} and block(desk, made).starts_at == practice.at(9)
    pin = board.pins[0]
    begin = pin.mapToGlobal(QPoint(30, 20))
    mouse(pin, QEvent.Type.MouseButtonPress, begin)
    target = view.mapToGlobal(place(desk, practice.doctors["hugo"], practice.at(11), dy=1))
    for at in (begin + QPoint(0, -12), target):
        mouse(pin, QEvent.Type.MouseMove, at)
    assert calendar.proposed is not None and calendar.proposed.span.column == 1
    QTest.keyClick(pin, Qt.Key.Key_Escape)
    assert calendar.proposed is None and board.ids == {made}, "Esc gives up the drag, not the pin"
    mouse(pin, QEvent.Type.MouseButtonRelease, target)
    mouse(pin, QEvent.Type.MouseButtonPress, begin)
    for at in (begin + QPoint(0, -12), target + QPoint(0, 10)):
        mouse(pin, QEvent.Type.MouseMove, at)
    mouse(pin, QEvent.Type.MouseButtonRelease, target + QPoint(0, 10))
    office.until(lambda: block(desk, made).doctor_id == practice.doctors["hugo"])
    office.until(lambda: not board.pins)
    assert block(desk, made).starts_at.astimezone(practice.clinic.zone).hour in {10, 11}


def test_the_pin_stays_when_the_place_is_refused_and_when_the_panel_changes(office: Office, practice: Practice) -> None:
    held, made = practice.book(practice.patient(), practice.at(10)), practice.book(practice.patient(), practice.at(9))
    window = office.open("rita")
    desk = tomorrow(office, window)
    desk.area.pinboard.park(block(desk, made))
    office.panel(window, "patients")
    desk = office.panel(window, "front-desk")
    assert desk.area.pinboard.ids == {made}
    desk.calendar.go_to(desk.calendar.grid.by_id[held])
    desk.area.place()
    office.until(desk.area.offers.isVisible)
    office.settle()
    assert desk.area.pinboard.ids == {made} and placed_now(practice, made).starts_at == practice.at(9)
    practice.step(made, "cancelled", reason="Called off")
    office.until(lambda: not desk.area.pinboard.pins, "what another desk cancelled leaves the board")


def test_a_refused_drop_offers_times_and_one_key_takes_one(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    practice.book(practice.patient(last_name="Held"), practice.at(10))
    desk = tomorrow(office, office.open("rita"))
    column = desk.calendar.grid.number(practice.doctors["dora"], desk.day)
    drop(desk, made, column, 600)
    offers = desk.area.offers
    office.until(offers.isVisible)
    office.settle()
    assert "Held" in offers.words.text() and len(offers.places) == 3
    assert desk.calendar.proposed is None and block(desk, made).starts_at == practice.at(9), "it snapped back"
    desk.calendar.setFocus()
    place = offers.places[1]
    office.keys("2")
    office.until(lambda: block(desk, made).starts_at == place.starts_at)
    assert not offers.isVisible()
    office.until(lambda: desk.calendar.block_id == made, "the moved one is selected")


def test_overbooking_right_there_asks_for_the_reason(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    practice.book(practice.patient(), practice.at(10))
    desk = tomorrow(office, office.open("rita"))
    drop(desk, made, desk.calendar.grid.number(practice.doctors["dora"], desk.day), 600)
    offers = desk.area.offers
    office.until(offers.isVisible)
    office.settle()
    office.click(offers.overbook_button)
    office.click(offers.overbook_now)
    assert offers.error.text() and offers.isVisible()
    office.fill(offers.reason, "In pain")
    office.click(offers.overbook_now)
    office.until(lambda: block(desk, made).starts_at == practice.at(10))
    assert (block(desk, made).lane, block(desk, made).overbook_reason) == (1, "In pain")
    assert desk.window().undo()
    office.until(lambda: block(desk, made).starts_at == practice.at(9))


def test_an_undo_that_is_refused_never_offers_to_move(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    desk = tomorrow(office, office.open("rita"))
    column = desk.calendar.grid.number(practice.doctors["dora"], desk.day)
    drop(desk, made, column, 660)
    office.until(lambda: block(desk, made).starts_at == practice.at(11))
    office.settle()
    practice.book(practice.patient(last_name="Held"), practice.at(9))
    assert desk.window().undo()
    office.until(lambda: "Held" in desk.window().toasts.sentence, "it is said who is there")
    office.settle()
    assert not desk.area.offers.isVisible() and block(desk, made).starts_at == practice.at(11)


def test_the_move_sheet_says_what_stands_against_it(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    practice.book(practice.patient(last_name="Held"), practice.at(10), "hugo")
    desk = tomorrow(office, office.open("rita"))
    desk.calendar.select(made)
    desk.move_selected()
    sheet = office.sheet(MoveSheet)
    assert sheet.verdict.text() == "This time is free."
    sheet.form.set_value("doctor_id", practice.doctors["hugo"])
    sheet.form.set_value("starts_at", practice.at(10).time())
    office.until(lambda: "Held" in sheet.verdict.text())
    sheet.form.set_value("starts_at", practice.at(10, 20).time())
    sheet.form.set_value("minutes", 40)
    office.until(lambda: sheet.verdict.text() == "This time is free.")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: block(desk, made).starts_at == practice.at(10, 20) and block(desk, made).ends_at == practice.at(11))


def texts(menu: QMenu) -> list[str]:
    return [action.text().split("\t")[0] for action in menu.actions() if action.text()]


def test_every_drag_has_a_word_in_the_menu(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    desk = tomorrow(office, office.open("rita"))
    desk.calendar.select(made)
    menu = calendar_menu(desk, desk.calendar.block)
    assert {"Move …", "Longer", "Shorter", "Pin", "Show the patient"} <= set(texts(menu))
    next(a for a in menu.actions() if a.text().startswith("Longer")).trigger()
    office.until(lambda: block(desk, made).ends_at == practice.at(9, 35), "one step of the zoom")
    office.settle()
    next(a for a in calendar_menu(desk, desk.calendar.block).actions() if a.text().startswith("Pin")).trigger()
    assert texts(calendar_menu(desk, None))[0] == "New appointment here"
    assert texts(calendar_menu(desk, None))[1].startswith("Place Example1")


def test_a_view_is_saved_and_chosen_by_its_key_and_the_last_comes_back(office: Office, practice: Practice, tmp_path: Any) -> None:
    window = office.open("rita")
    desk = tomorrow(office, window)
    window.desk._memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    desk.bar.filter.choose((practice.doctors["hugo"],))
    desk.bar.set_unit("week")
    office.until(lambda: [c.name for c in desk.calendar.grid.columns] == ["Dr Hugo Blanc"] * 7)
    desk.area.views.save()
    sheet = office.sheet(NameSheet)
    office.click(sheet.verb_button)
    assert sheet.form.error("name"), "a view needs a name"
    office.fill(sheet.form.editor("name"), "Hugo's week")
    office.click(sheet.verb_button)
    office.gone(sheet)
    QTest.keyClick(window, Qt.Key.Key_1, CTRL)
    office.until(lambda: desk.bar.unit == "day" and len(desk.calendar.grid.columns) == 2)
    QTest.keyClick(window, Qt.Key.Key_2, CTRL)
    office.until(lambda: [c.name for c in desk.calendar.grid.columns] == ["Dr Hugo Blanc"] * 7)
    QTest.keyClick(window, Qt.Key.Key_M, CTRL_SHIFT)
    office.until(desk.area.month.isVisible)
    office.settle()
    last = desk.area.views.kept.last()
    assert last is not None and (last.unit, last.doctors) == ("month", (practice.doctors["hugo"],))


def test_ctrl_p_shows_the_day_sheet(office: Office, practice: Practice) -> None:
    practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    window = office.open("rita")
    desk = tomorrow(office, window)
    QTest.keyClick(window, Qt.Key.Key_P, CTRL)
    office.until(lambda: desk.paper is not None and desk.paper.content.startswith(b"%PDF"))
    office.settle()
    desk.paper.close()
