"""Reception's day on a real clinic: see, book by mouse and by keys, a clash, move, check in, cancel, undo."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from clinicdesk.errors import FreePlace
from clinicdesk.services import appointments
from tests.clinics import Practice
from tests.screens.office import LEFT, NONE, Office
from ui.dialogs.booking import BookingSheet
from ui.dialogs.cancelling import CancelSheet
from ui.main_window import MainWindow
from ui.schedule.model import Cell


def tomorrow(office: Office, window: MainWindow) -> Any:
    """The front desk showing tomorrow, where every open hour is free and to come."""
    desk = office.panel(window, "front-desk")
    desk.bar.set_day(office.practice.at(9).date())
    office.settle()
    assert desk.schedule.day == desk.day
    return desk


def place(desk: Any, doctor: int, at: datetime, dy: int = 6) -> QPoint:
    """Where a time of a doctor is in the calendar's viewport, scrolled into view."""
    calendar = desk.calendar
    column = next(n for n, c in enumerate(calendar.grid.columns) if c.doctor_id == doctor)
    local = at.astimezone(desk.desk.zone)
    y = calendar.grid.y(local.hour * 60 + local.minute) + dy
    calendar.verticalScrollBar().setValue(max(0, y - 160))
    return QPoint(column * calendar.grid.column_width + 40, y) - calendar.content(QPoint(0, 0))


def block(desk: Any, appointment_id: int) -> Any:
    return next((b for b in desk.schedule.blocks if b.id == appointment_id), None)


def choose(office: Office, sheet: BookingSheet, typed: str) -> None:
    """Find the patient in the sheet by typing, take the first hit with Enter."""
    sheet.find_box.setFocus()
    office.keys(typed)
    office.until(lambda: sheet.find_box.hits.isVisible() and sheet.find_box.hits.shown)
    office.keys(Qt.Key.Key_Down, Qt.Key.Key_Return)
    office.until(lambda: sheet.patient is not None)
    office.settle()


def test_the_day_has_a_column_for_each_doctor_and_every_booking(office: Office, practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    made = practice.book(ana, practice.at(9), "hugo", reason="Cough")
    desk = tomorrow(office, office.open("rita"))
    assert [c.name for c in desk.schedule.columns] == ["Dr Dora Kim", "Dr Hugo Blanc"]
    assert desk.calendar.counts == [0, 1]
    assert desk.calendar.select(made)
    office.settle()
    assert desk.detail.block.patient_name == "Adler, Ana"
    assert "booked" in desk.detail._history.text()


def test_booking_with_the_mouse(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    desk = tomorrow(office, office.open("rita"))
    office.click(desk.calendar.viewport(), place(desk, practice.doctors["hugo"], practice.at(10)), double=True)
    sheet = office.sheet(BookingSheet)
    assert sheet.doctor.currentData() == practice.doctors["hugo"] and sheet.starts_at == practice.at(10)
    choose(office, sheet, "adler")
    office.fill(sheet.form.editor("reason"), "Sore throat")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: desk.schedule.blocks)
    booked = desk.schedule.blocks[0]
    assert (booked.patient_name, booked.starts_at, booked.reason) == ("Adler, Ana", practice.at(10), "Sore throat")
    assert desk.calendar.block_id == booked.id, "the new booking is selected"
    assert "is booked" in desk.window().toasts.sentence
    assert desk.window().undo()
    office.until(lambda: booked.id not in desk.calendar.grid.by_id, "undo takes the booking back")


def test_booking_with_the_keyboard_alone(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    window = office.open("rita")
    desk = tomorrow(office, window)
    desk.calendar.setFocus()
    desk.calendar.set_cell(Cell(0, 11 * 60))
    office.keys(Qt.Key.Key_Right, Qt.Key.Key_Return)
    sheet = office.sheet(BookingSheet)
    office.until(sheet.find_box.hasFocus, "the find field has the focus")
    office.keys("adler")
    office.until(lambda: sheet.find_box.hits.isVisible() and sheet.find_box.hits.shown)
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.patient is not None)
    office.until(lambda: sheet.form.editor("reason").hasFocus(), "the focus moves on to the reason")
    office.keys("x", Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: len(desk.schedule.blocks) == 1)
    booked = desk.schedule.blocks[0]
    assert (booked.doctor_id, booked.starts_at) == (practice.doctors["hugo"], practice.at(11))


def test_a_clash_keeps_the_sheet_open_says_who_is_there_and_one_click_books_a_free_time(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    other = practice.patient(first_name="Bo", last_name="Berg")
    desk = tomorrow(office, office.open("rita"))
    office.click(desk.calendar.viewport(), place(desk, practice.doctors["dora"], practice.at(9)), double=True)
    sheet = office.sheet(BookingSheet)
    choose(office, sheet, "adler")
    office.fill(sheet.form.editor("reason"), "Back pain")
    practice.book(other, practice.at(9))  # another desk was quicker
    office.click(sheet.verb_button)
    office.until(sheet._clash.isVisible)
    assert sheet.isVisible() and "Berg, Bo" in sheet._clash.words.text() and "09:00–09:20" in sheet._clash.words.text()
    assert len(sheet._clash.offers) == 3
    assert sheet.form.value("reason") == "Back pain", "nothing typed is lost"
    offered = sheet._clash.offers[0].text()
    office.click(sheet._clash.offers[0])
    office.settle()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: len(desk.schedule.blocks) == 2)
    mine = next(b for b in desk.schedule.blocks if b.patient_name == "Adler, Ana")
    assert f"{mine.starts_at.astimezone(desk.desk.zone):%H:%M}" == offered


def test_an_overbook_needs_a_reason(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    practice.book(practice.patient(), practice.at(9))
    desk = tomorrow(office, office.open("rita"))
    desk.show_topic("book_at", FreePlace(practice.doctors["dora"], practice.at(9), practice.at(9, 20)))
    sheet = office.sheet(BookingSheet)
    choose(office, sheet, "adler")
    office.click(sheet.verb_button)
    office.until(sheet._clash.isVisible)
    sheet._clash.overbook.emit()
    office.settle()
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("overbook_reason"))
    office.fill(sheet.form.editor("overbook_reason"), "Emergency")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: {b.lane for b in desk.schedule.blocks} == {0, 1})


def test_dragging_moves_and_undo_moves_back(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    window = office.open("rita")
    desk = tomorrow(office, window)
    start = place(desk, practice.doctors["dora"], practice.at(9), dy=10)
    end = start + QPoint(desk.calendar.grid.column_width, desk.calendar.grid.y(10 * 60) - desk.calendar.grid.y(9 * 60))
    view = desk.calendar.viewport()
    QTest.mousePress(view, LEFT, NONE, start)
    QTest.mouseMove(view, start + QPoint(6, 6))
    desk.calendar.pointer.moved((start + end) / 2, LEFT)
    desk.calendar.pointer.moved(end, LEFT)
    QTest.mouseRelease(view, LEFT, NONE, end)
    office.until(lambda: block(desk, made).doctor_id == practice.doctors["hugo"], "the database has the move")
    assert block(desk, made).starts_at == practice.at(10)
    assert window.undo()
    office.until(lambda: block(desk, made).starts_at == practice.at(9) and block(desk, made).doctor_id == practice.doctors["dora"])
    with practice.read("rita") as session:
        assert [e.what for e in appointments.history(session, made)].count("moved") == 2, "the history keeps both"


def test_check_in_with_f4_and_undo(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    window = office.open("rita")
    desk = tomorrow(office, window)
    desk.calendar.select(made)
    desk.calendar.setFocus()
    office.settle()
    office.keys(Qt.Key.Key_F4)
    office.until(lambda: block(desk, made).status == "arrived")
    office.settle()
    assert desk.waiting.title.text() == "Waiting room (1)"
    assert window.undo()
    office.until(lambda: block(desk, made).status == "scheduled")


def test_cancelling_asks_why_and_can_be_taken_back(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    window = office.open("rita")
    desk = tomorrow(office, window)
    desk.calendar.select(made)
    office.settle()
    office.click(desk.detail.buttons["cancelled"])
    sheet = office.sheet(CancelSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("cancel_reason"), "without a reason it stays open")
    assert block(desk, made).status == "scheduled"
    office.fill(sheet.form.editor("cancel_reason"), "Called to cancel")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: block(desk, made).status == "cancelled")
    office.until(lambda: "Called to cancel" in desk.detail._history.text())
    assert window.undo()
    office.until(lambda: block(desk, made).status == "scheduled")


def test_booking_from_another_panel_before_the_day_was_ever_shown(office: Office, practice: Practice) -> None:
    """The administrator lands on the numbers: the front desk has read nothing when a booking is asked for."""
    practice.patient(first_name="Ana", last_name="Adler")
    window = office.open("ada")
    patients = office.panel(window, "patients")
    patients.table.select(patients.table.rows[0].id)
    office.until(lambda: patients.card is not None)
    office.settle()
    office.click(patients.book_button)
    sheet = office.sheet(BookingSheet)
    assert sheet.doctor.count() == 2 and sheet.patient.last_name == "Adler"
    sheet._discard()
