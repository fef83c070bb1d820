"""What one desk does, another sees by itself: arrivals, ended sessions, two windows on one draft."""

from __future__ import annotations

from typing import Any

from clinicdesk.services import consultations, drafts
from tests.clinics import PASSWORD, Practice
from tests.screens.office import Office
from tests.screens.test_front_desk import block, tomorrow
from ui.dialogs.two_versions import TwoVersionsSheet
from ui.main_window import MainWindow


def consulting(office: Office, window: MainWindow, appointment_id: int) -> Any:
    """The consulting room with this appointment opened from the doctor's day."""
    day = office.panel(window, "my-day")
    day.bar.set_day(office.practice.at(9).date())
    office.until(lambda: any(r.id == appointment_id for r in day.table.rows))
    day.table.select(appointment_id)
    day.open_selected()
    office.settle()
    return next(p for p in window.panels if p.key == "consulting")


def test_a_booking_and_an_arrival_show_at_the_other_desks_without_a_refresh(office: Office, practice: Practice) -> None:
    rita, dora = office.open("rita"), office.open("dora")
    desk = tomorrow(office, rita)
    day = office.panel(dora, "my-day")
    day.bar.set_day(practice.at(9).date())
    office.settle()
    assert not day.table.rows and not desk.schedule.blocks
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    office.until(lambda: block(desk, made) is not None, "reception sees the booking of another desk")
    office.until(lambda: [r.id for r in day.table.rows] == [made], "the doctor sees it too")
    desk.calendar.select(made)
    desk._check_in()
    office.until(lambda: day.table.rows[0].status == "arrived", "the doctor sees the arrival")


def test_what_is_typed_and_selected_survives_a_refresh(office: Office, practice: Practice) -> None:
    rita = office.open("rita")
    patients = office.panel(rita, "patients")
    ana = practice.patient(first_name="Ana", last_name="Adler")
    office.until(lambda: any(r.id == ana for r in patients.table.rows), "the new patient is listed by itself")
    patients.table.select(ana)
    office.settle()
    patients.find_box.setFocus()
    office.keys("ad")
    practice.patient(first_name="Bo", last_name="Adams")
    office.settle()
    assert patients.find_box.text() == "ad" and patients.find_box.hasFocus()
    assert patients.patient_id == ana


def test_ending_a_session_locks_that_window_and_unlocking_keeps_the_work(office: Office, practice: Practice) -> None:
    rita, ada = office.open("rita"), office.open("ada")
    patients = office.panel(rita, "patients")
    patients.find_box.setText("half a name")
    sessions = office.panel(ada, "sessions")
    row = next(r for r in sessions.table.rows if r.username == "rita")
    sessions.table.select(row.id)
    office.click(sessions.end_button)
    office.until(lambda: rita.locked is not None, "her window asks to sign in again at once")
    assert ada.locked is None
    office.until(lambda: all(r.id != row.id for r in sessions.table.rows), "the session leaves the list")
    lock = rita.locked
    lock.password.setText("wrong password")
    office.click(lock.unlock_button)
    office.until(lock.error.text, "a wrong password keeps it locked")
    assert rita.locked is lock
    lock.password.setText(PASSWORD)
    office.until(lock.unlock_button.isEnabled)
    office.click(lock.unlock_button)
    office.until(lambda: rita.locked is None)
    office.settle()
    assert patients.find_box.text() == "half a name"


def test_one_cannot_end_the_session_of_ones_own_window(office: Office) -> None:
    ada = office.open("ada")
    sessions = office.panel(ada, "sessions")
    mine = next(r for r in sessions.table.rows if r.mine)
    sessions.table.select(mine.id)
    assert not sessions.end_button.isEnabled()


def test_two_windows_on_one_draft_never_overwrite_silently(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(), practice.at(9))
    practice.step(made, "arrived")
    with practice.write("dora") as session:
        consultations.start(session, made, 2)
    one = consulting(office, office.open("dora"), made)
    other = consulting(office, office.open("dora"), made)
    office.until(lambda: one.editor is not None and other.editor is not None)
    one.editor.notes.editor("plan").setPlainText("Rest and fluids.")
    one.editor.save()
    office.until(lambda: not one.editor.unsaved)
    other.editor.notes.editor("plan").setPlainText("Antibiotics.")
    other.editor.save()
    office.until(other.editor.compare_button.isVisible, "the second window is asked which text is right")
    assert "changed in another window" in other.editor.state.text()
    assert other.editor.notes.editor("plan").toPlainText() == "Antibiotics.", "what was typed is still there"
    other.editor.complete()
    office.settle()
    assert other.editor is not None, "nothing is completed while that is open"
    office.click(other.editor.compare_button)
    sheet = office.sheet(TwoVersionsSheet)
    sheet.choose_all("theirs")
    office.click(sheet.verb_button)
    office.until(lambda: other.editor.notes.editor("plan").toPlainText() == "Rest and fluids.")
    other.editor.notes.editor("plan").setPlainText("Rest, fluids, return if worse.")
    other.editor.save()
    office.until(lambda: not other.editor.unsaved)
    one.editor.notes.editor("assessment").setPlainText("Common cold.")
    one.editor.save()
    office.until(lambda: not one.editor.unsaved, "different notes are put together without a question")
    assert one.editor.notes.notes() == {"plan": "Rest, fluids, return if worse.", "assessment": "Common cold."}
    with practice.read("dora") as session:
        assert drafts.load(session, one.editor.sheet.id).draft.notes == one.editor.notes.notes()
