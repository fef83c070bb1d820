"""A series at the desk: planned and booked in one sheet, moved and cancelled by scope."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from PySide6.QtCore import Qt

from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import appointments, series
from clinicdesk.services.schedule import NewAppointment
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_front_desk import block, tomorrow
from tests.visiting import as_owner
from ui.dialogs.booking import BookingSheet
from ui.dialogs.cancelling import CancelSheet
from ui.dialogs.repeating import MoveSeriesSheet


def starts(practice: Practice, status: str = "scheduled") -> list[Any]:
    rows = as_owner(practice, "select starts_at from clinic.appointments where status = %s order by starts_at", status)
    return [row[0] for row in rows]


def booked(practice: Practice) -> int:
    start = practice.at(9)
    places = [(start + timedelta(days=7 * n), start + timedelta(days=7 * n, minutes=20)) for n in range(3)]
    patient = practice.patient(first_name="Ana", last_name="Adler")
    wish = NewAppointment(practice.doctors["dora"], patient, start, start + timedelta(minutes=20))
    with practice.write("rita") as session:
        return series.book(session, wish, places, Repeats("week", 3))[0]


def test_a_series_is_planned_around_what_is_taken_and_booked(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    practice.book(practice.patient(), practice.at(10, day=8))
    window = office.open("rita")
    desk = tomorrow(office, window)
    desk._book_at(practice.doctors["dora"], practice.at(10), practice.at(10, 20))
    sheet = office.sheet(BookingSheet)
    office.fill(sheet.find_box, "adler")
    office.until(lambda: sheet.find_box.hits.shown)
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.patient)
    sheet.repeat.setCurrentIndex(sheet.repeat.findData("week"))
    sheet.times.setValue(4)
    office.until(lambda: sheet.verb_button.text() == "Book 3", "the taken one is not ticked")
    taken = sheet._plan._planned[1]
    assert taken.blocked and taken.nearest is not None
    sheet._plan._take(1)
    office.until(lambda: sheet.verb_button.text() == "Book 4")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: "booked 4 times" in window.toasts.sentence)
    wanted = [practice.at(10), taken.nearest.starts_at, practice.at(10, day=15), practice.at(10, day=22)]
    assert [s for s in starts(practice) if s != practice.at(10, day=8)] == wanted


def test_moving_asks_which_ones_are_meant(office: Office, practice: Practice) -> None:
    number = booked(practice)
    practice.book(practice.patient(), practice.at(11, day=8))
    desk = tomorrow(office, office.open("rita"))
    desk._move(block(desk, number), practice.doctors["dora"], practice.at(11), practice.at(11, 20))
    sheet = office.sheet(MoveSeriesSheet)
    assert sheet.verb_button.text() == "Move"
    sheet.choice.choose("all")
    office.until(lambda: sheet.verb_button.text() == "Move 2", "one of three is taken there")
    assert "will stay where they are" in sheet._against.text()
    office.click(sheet.verb_button)
    office.gone(sheet)
    assert starts(practice) == [practice.at(11), practice.at(9, day=8), practice.at(11, day=8), practice.at(11, day=15)]
    assert desk.window().undo()
    office.until(lambda: starts(practice).count(practice.at(9, day=15)) == 1, "all of them go back at once")


def test_esc_moves_nothing(office: Office, practice: Practice) -> None:
    number = booked(practice)
    before = starts(practice)
    desk = tomorrow(office, office.open("rita"))
    desk._move(block(desk, number), practice.doctors["dora"], practice.at(11), practice.at(11, 20))
    sheet = office.sheet(MoveSeriesSheet)
    office.keys(Qt.Key.Key_Escape)
    office.gone(sheet)
    assert starts(practice) == before
    assert desk.calendar.ghost is None


def test_cancelling_the_following_ones(office: Office, practice: Practice) -> None:
    number = booked(practice)
    desk = tomorrow(office, office.open("rita"))
    desk.step(block(desk, number), "cancelled")
    sheet = office.sheet(CancelSheet)
    assert sheet.choice is not None
    sheet.choice.choose("following")
    office.fill(sheet.form.editor("cancel_reason"), "Moved away")
    office.click(sheet.verb_button)
    office.gone(sheet)
    assert starts(practice) == []
    assert len(starts(practice, "cancelled")) == 3
    with practice.read("rita") as session:
        assert appointments.one(session, number).cancel_reason == "Moved away"
