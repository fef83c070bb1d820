"""Immunizations in the chart: entered with keys, refused in words, marked when entered in error."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting
from ui.dialogs.immunization import ImmunizationSheet


def words_of(widget: QWidget) -> str:
    return "\n".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible())


def test_a_refused_vaccination_is_recorded_with_keys_and_said_in_words(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    room = consulting(office, office.open("dora"), made)
    office.until(lambda: room.chart.findChild(QPushButton, "add-immunization") is not None)
    assert "No immunizations recorded." in words_of(room.chart)
    room.chart.findChild(QPushButton, "add-immunization").click()
    sheet = office.sheet(ImmunizationSheet)
    assert sheet.form is not None
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.form is not None and sheet.form.error("vaccine"), "an empty sheet says what is missing")
    office.keys("Influenza")
    sheet.form.set_value("given", "Oct 2025")
    sheet.form.set_value("reason", "refused")
    office.keys(Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: "NOT GIVEN, Oct-2025: refused" in words_of(room.chart))
    wrong = next(b for b in room.chart.findChildren(QToolButton) if b.accessibleName() == "Influenza was entered in error")
    wrong.click()
    office.until(lambda: "ENTERED IN ERROR" in words_of(room.chart))
