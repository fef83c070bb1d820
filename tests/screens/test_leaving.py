"""Leaving and locking while something is still going on: nothing is lost on the way, and nothing shows over the lock."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from sqlalchemy import text

from clinicdesk.errors import Invalid, SignedOut
from clinicdesk.services import patients
from clinicdesk.services.people import PatientForm
from tests.clinics import PASSWORD, Practice
from tests.screens.office import Office
from tests.screens.test_recovery import room_of
from tests.screens.test_signing_in import code, with_second_factor
from tests.services.test_addenda import DIAGNOSED
from tests.visiting import FULL, as_owner, completed, started
from ui.dialogs.profile import LeaveSheet
from ui.main_window import MainWindow
from ui.second_step import CodeStep
from ui.widgets.sheet import Sheet

FORM = PatientForm(first_name="Maria", last_name="Late", born="1980-05-03", sex="F", phone="+4917100000", address="4 Test Road, Berlin")


def ended_by(office: Office, window: MainWindow, left: list[str]) -> None:
    """What the application does when somebody signs out."""
    desk, clinic = window.desk, office.practice.clinic

    def go() -> None:
        left.append("signed out")
        token = desk.token
        desk.pool.run(window, lambda: clinic.sign_out(token), None, lambda _error: None, keep=True)

    window.sign_out_requested.connect(go)


def test_a_write_under_way_is_waited_for(office: Office, practice: Practice) -> None:
    window, held, left = office.open("rita"), threading.Event(), list[str]()
    ended_by(office, window, left)

    def slowly(session: Any) -> str:
        assert held.wait(20)
        return patients.register(session, FORM)

    window.desk.do(window, slowly)
    window.sign_out()
    assert left == [] and "Saving" in window.toasts.sentence
    assert not window.close() and window.isVisible(), "asked for again it asks back"
    said = " ".join(label.text() for label in window.leaving.asking.findChildren(QLabel))
    assert "on its way to the server" in said
    window.leaving.asking.reject()
    held.set()
    office.until(lambda: left)
    office.until(lambda: not window.desk.pool.busy)
    assert as_owner(practice, "select count(*) from clinic.patients where last_name = 'Late'") == [(1,)]


def test_after_a_write_that_failed_the_person_stays(office: Office, practice: Practice) -> None:
    window, held, left = office.open("rita"), threading.Event(), list[str]()
    ended_by(office, window, left)

    def fails(_session: Any) -> None:
        assert held.wait(20)
        raise Invalid("", "Somebody else was faster.")

    window.desk.do(window, fails, failed=lambda _error: None)
    window.sign_out()
    held.set()
    office.until(lambda: not window.desk.pool.busy)
    office.settle()
    assert left == [] and window.isVisible()
    window.sign_out()
    assert left == ["signed out"]


def test_a_visit_is_completed_although_the_window_is_closed_at_once(office: Office, practice: Practice) -> None:
    patient = practice.patient(first_name="Ana", last_name="Adler")
    completed(practice, patient, replace(DIAGNOSED, vitals={**FULL.vitals, "weight": "70"}), hour=8)
    started(practice, patient, hour=14)
    editor = room_of(office, practice, patient).editor
    window = office.windows[-1]
    editor.notes.editor("plan").setPlainText("Rest.")
    office.until(lambda: not editor.unsaved, "the draft is saved")
    office.settle()
    editor.complete()
    assert not window.close(), "it waits"
    office.until(lambda: not window.isVisible())
    assert as_owner(practice, "select status from clinic.appointments where patient_id = %s order by starts_at", patient) == [
        ("completed",), ("completed",)]


def test_nothing_shows_over_the_lock(office: Office, practice: Practice) -> None:
    window = office.open("rita")
    window.lock()
    office.settle()
    plain = window.grab().toImage()
    window.desk.tell("Visit of Example, Maria completed and signed.")
    late = Sheet(window.desk, "Example, Maria", "Save", parent=window)
    late.open()
    QApplication.processEvents()
    assert window.grab().toImage() == plain and not late.isVisible()
    assert QApplication.activeModalWidget() is window.locked
    window.locked.password.setText(PASSWORD)
    window.locked.unlock_button.click()
    office.until(lambda: window.locked is None)
    assert late.isVisible() and "Maria" in window.toasts.sentence
    late.reject()


def test_the_call_screen_stays_for_the_waiting_room(office: Office, practice: Practice) -> None:
    window = office.open("rita")
    front = office.panel(window, "front-desk")
    front.open_call_screen()
    window.lock()
    assert all(cover.parentWidget() is not front.call_screen for cover in window.locked._covers)
    front.call_screen.close()


def test_ctrl_l_locks_under_a_sheet_too(office: Office, practice: Practice) -> None:
    window = office.open("rita")
    sheet = Sheet(window.desk, "Book", "Save", parent=window)
    sheet.open()
    office.front(sheet)
    QTest.keyClick(sheet.windowHandle(), Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert window.locked is not None and any(cover.parentWidget() is sheet for cover in window.locked._covers)
    sheet.reject()


def test_signing_out_of_the_lock_says_first_what_is_lost(office: Office, practice: Practice) -> None:
    window, left = office.open("rita"), list[str]()
    ended_by(office, window, left)
    sheet = Sheet(window.desk, "Book", "Save", parent=window)
    sheet.form = SimpleNamespace(dirty=True)  # type: ignore[assignment]
    sheet.open()
    window.lock()
    window.locked.out_button.click()
    assert left == [] and "form is open" in window.locked.error.text()
    window.locked.out_button.click()
    office.until(lambda: left)
    sheet.form = None


def test_a_code_that_comes_too_late_leads_back_to_the_password(office: Office, practice: Practice) -> None:
    window = office.open("dora")
    secret, _ = with_second_factor(practice, "dora")
    as_owner(practice, "update auth.sessions set ended_at = now()")
    window.lock()
    lock = window.locked
    lock.password.setText(PASSWORD)
    lock.unlock_button.click()
    office.until(lambda: isinstance(lock.step, CodeStep))
    as_owner(practice, "update auth.sessions set expires_at = now() - interval '1 second' where pending = 'code'")
    lock.step.code.setText(code(secret))
    lock.step.submit()
    office.until(lambda: lock.step is None)
    assert lock.password.isVisible() and lock.unlock_button.isEnabled() and lock.out_button.isEnabled()


def test_the_second_factor_is_switched_off_after_an_unlock_too(office: Office, practice: Practice) -> None:
    window = office.open("dora")
    secret, _ = with_second_factor(practice, "dora")
    leave = LeaveSheet(window.desk, practice.clinic, parent=window)
    leave.open()
    window.lock()
    window.locked.password.setText(PASSWORD)
    window.locked.unlock_button.click()
    office.until(lambda: window.locked is None)
    leave.step.code.setText(code(secret))
    leave.step.submit()
    office.gone(leave)


def test_a_reading_that_its_session_did_not_outlive_is_no_answer(practice: Practice) -> None:
    patient, token = practice.patient(), practice.token("rita")
    with pytest.raises(SignedOut), practice.clinic.read(token) as session:
        count = text("select count(*) from clinic.patients where id = :p")
        assert session.execute(count, {"p": patient}).scalar_one() == 1
        as_owner(practice, "update auth.sessions set ended_at = now()")
        assert session.execute(count, {"p": patient}).scalar_one() == 0


def test_a_toast_lies_on_nothing_that_must_be_read(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    started(practice, patient)
    editor = room_of(office, practice, patient).editor
    window = office.windows[-1]
    foot = editor.complete_button.parentWidget()
    window.toasts.show("Amoxicillin was taken off the prescription, and this sentence is long enough to reach across it.")
    toast = window.toasts._frame
    there = QRect(foot.mapTo(window, QPoint()), foot.size())
    assert foot.isVisible() and toast.geometry().bottom() < there.top() and window.rect().contains(toast.geometry())
