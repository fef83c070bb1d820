"""The bell: what others do with me is counted at once, listed in words, and gone when it was taken back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from clinicdesk.services import appointments, doctors, notifying, undoing
from tests.clinics import Practice
from tests.screens.office import Office
from ui.bell import NoticeList


def test_live_count_list_and_reading(office: Office, practice: Practice) -> None:
    patient = practice.patient(first_name="Ana", last_name="Adler")
    window = office.open("dora")
    assert window.bell.count == 0
    number = practice.book(patient, practice.at(9))
    office.until(lambda: window.bell.count == 1, "counted without a refresh")
    practice.step(number, "confirmed")
    with practice.write("rita") as session:
        appointments.move(session, number, practice.doctors["dora"], practice.at(10), practice.at(10, 20), 2)
        doctors.assign(session, practice.doctors["dora"], patient, "")
    office.until(lambda: window.bell.count == 2, "one line for an appointment, one for the assignment")
    QTest.keyClick(window.panel, Qt.Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    sheet = office.sheet(NoticeList)
    office.until(lambda: len(sheet.lines) == 2)
    assert [line.words.split(" 2")[0] for line in sheet.lines] == ["Adler, Ana is now your patient", sheet.lines[1].words.split(" 2")[0]]
    assert sheet.lines[1].words.startswith("Adler, Ana is moved to ") and sheet.lines[1].words.endswith(" 10:00")
    assert sheet.lines[1].who == "Rita Reception"
    office.click(sheet.verb_button)
    office.until(lambda: window.bell.count == 0 and not sheet.verb_button.isEnabled())
    sheet.reject()
    office.gone(sheet)


def test_a_line_opens_what_it_is_about(office: Office, practice: Practice) -> None:
    practice.token("dora")
    number = practice.book(practice.patient(), practice.at(9))
    with practice.write("dora") as session:
        appointments.step(session, number, "cancelled", 1, "congress")
    window = office.open("rita")
    office.until(lambda: window.bell.count == 1, "the desk hears of what a doctor changes")
    window.bell.click()
    sheet = office.sheet(NoticeList)
    office.until(lambda: sheet.lines)
    office.click(next(b for b in sheet.findChildren(QPushButton) if "is cancelled" in b.text()))
    office.gone(sheet)
    front = next(panel for panel in window.panels if panel.key == "front-desk")
    office.until(lambda: window.panel is front and front.day == practice.at(9).date())
    office.until(lambda: window.bell.count == 0)


def test_what_was_taken_back_rings_no_more_and_nobody_hears_of_herself(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    with practice.read("dora") as session:
        assert notifying.unread(session) == 1
    with practice.read("rita") as session:
        assert notifying.unread(session) == 0
    with practice.write("rita") as session:
        undoing.undo(session)
    with practice.read("dora") as session:
        assert notifying.notices(session) == []
    with practice.write("rita") as session:
        undoing.redo(session)
        appointments.move(session, number, practice.doctors["hugo"], practice.at(9), practice.at(9, 20), 1)
    for name, kinds in (("dora", ["moved_away"]), ("hugo", ["booked"])):
        with practice.read(name) as session:
            assert [notice.kind for notice in notifying.notices(session)] == kinds
