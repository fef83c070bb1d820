"""Ctrl+Z, Ctrl+Y and the list of what was done, through the real window."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton

from clinicdesk.services import appointments
from tests.clinics import Practice
from tests.screens.office import Office
from ui.main_window import MainWindow
from ui.undo_history import UndoList

CTRL = Qt.KeyboardModifier.ControlModifier


def press(window: MainWindow, key: Qt.Key) -> None:
    QTest.keyClick(window.panel, key, CTRL)


def status(practice: Practice, number: int) -> str:
    with practice.read("rita") as session:
        return appointments.one(session, number).status


def test_keys_take_back_several_things_and_do_them_again(office: Office, practice: Practice) -> None:
    number = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    practice.step(number, "confirmed")
    practice.step(number, "arrived")
    window = office.open("rita")
    for wanted in ("confirmed", "scheduled"):
        press(window, Qt.Key.Key_Z)
        office.until(lambda wanted=wanted: status(practice, number) == wanted, f"Ctrl+Z gives {wanted}")
        office.until(lambda: window.toasts.sentence.startswith("Undone: "))
    for wanted in ("confirmed", "arrived"):
        press(window, Qt.Key.Key_Y)
        office.until(lambda wanted=wanted: status(practice, number) == wanted, f"Ctrl+Y gives {wanted}")
    office.until(lambda: "Checked in Adler, Ana" in window.toasts.sentence)


def test_the_list_says_what_was_done_and_why_something_cannot_be_undone(office: Office, practice: Practice) -> None:
    number = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    practice.step(number, "confirmed")
    practice.step(number, "arrived", who="sam")
    window = office.open("rita")
    window.undo_button.click()
    sheet = office.sheet(UndoList)
    office.until(lambda: len(sheet.lines) == 2)
    office.click(next(b for b in sheet.findChildren(QPushButton) if b.text() == "Undo"))
    office.until(lambda: sheet.lines[0].state == "refused", "the list refreshes by itself")
    assert "Sam Second changed this appointment since (checked in at " in sheet.lines[0].note
    office.settle()
    assert {b.text() for b in sheet.findChildren(QPushButton)} >= {"Undo", "Try again", "Close"}
    sheet.accept()
    office.gone(sheet)


def test_nothing_to_undo_is_said(office: Office) -> None:
    window = office.open("rita")
    press(window, Qt.Key.Key_Z)
    office.until(lambda: "nothing to undo" in window.toasts.sentence)
