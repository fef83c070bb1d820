"""Allergies and problems in the summary: columns, tools, free text said while typing, codes found as you type."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget

from clinicdesk.services import chart
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting
from tests.visiting import as_owner
from ui.dialogs.allergy import CHECKED, FREE_TEXT, AllergySheet, EndAllergySheet, NoAllergiesSheet
from ui.dialogs.problem import EndProblemSheet, ProblemSheet


def words(widget: QWidget) -> str:
    return "\n".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible())


def tool(room: Any, name: str) -> QToolButton:
    found: list[QToolButton] = [b for b in room.chart.findChildren(QToolButton) if b.accessibleName() == name and b.isVisible()]
    return found[-1]


def press(room: Any, words: str) -> None:
    found: list[QPushButton] = [b for b in room.chart.findChildren(QPushButton) if b.text() == words and b.isVisible()]
    found[-1].click()


@pytest.fixture
def room(office: Office, practice: Practice) -> Any:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    opened = consulting(office, office.open("dora"), made)
    office.until(lambda: "No problems recorded." in words(opened.chart))
    return opened


def test_an_allergy_from_entry_to_end(office: Office, room: Any) -> None:
    press(room, "Add allergy")
    sheet = office.sheet(AllergySheet)
    assert sheet.form is not None
    for typed, said in (("the blue pill", FREE_TEXT), ("penicillin", CHECKED)):
        office.fill(sheet.form.editor("substance"), typed)
        office.until(lambda said=said: sheet.form is not None and sheet.form.hint_label("substance").text() == said)
    office.fill(sheet.form.editor("reaction"), "rash and fever, vomiting")
    office.keys(Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: "rash + fever, vomiting; not confirmed" in words(room.chart))
    assert "Drug / substance" in words(room.chart) and "Past reactions" in words(room.chart)
    tool(room, "Correct penicillin").click()
    change = office.sheet(AllergySheet)
    assert change.form is not None
    change.form.set_value("verification", "confirmed")
    office.click(change.verb_button)
    office.gone(change)
    office.until(lambda: "vomiting; confirmed" in words(room.chart))
    tool(room, "End penicillin").click()
    end = office.sheet(EndAllergySheet)
    assert end.form is not None
    end.form.set_value("how", "refuted")
    office.fill(end.form.editor("reason"), "tolerated amoxicillin")
    office.click(end.verb_button)
    office.gone(end)
    office.until(lambda: "tolerated amoxicillin" in words(room.chart) and "refuted" in words(room.chart))
    office.until(lambda: room.banner.banner.allergy_title == chart.NOT_RECORDED, "the banner follows")


def test_none_known_is_confirmed_and_asked_again(office: Office, practice: Practice, room: Any) -> None:
    with practice.write("dora") as session:
        chart.state_no_allergies(session, room.chart.patient_id)
    office.until(lambda: "Last confirmed" in words(room.chart) and "by Dr Dora Kim" in words(room.chart))
    assert "ask again" not in words(room.chart)
    as_owner(practice, "update clinic.allergy_statements set stated_at = now() - %s", timedelta(days=400))
    room.chart.refresh()
    office.until(lambda: "more than 12 months ago: ask again" in words(room.chart))
    press(room, "Confirm again")
    office.click(office.sheet(NoAllergiesSheet).verb_button)
    office.until(lambda: "ask again" not in words(room.chart) and "Last confirmed" in words(room.chart))


def test_a_problem_is_found_by_its_code_and_ended(office: Office, room: Any) -> None:
    press(room, "Add problem")
    sheet = office.sheet(ProblemSheet)
    assert sheet.form is not None
    office.fill(sheet.box, "I10")
    office.until(sheet.box.hits.isVisible, "codes are offered", patience=20)
    office.keys(Qt.Key.Key_Return)
    assert "hypertension" in sheet.form.value("description").lower()
    assert sheet.form.hint_label("description").text() == "Code I10"
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: "I10" in words(room.chart))
    name = next(b.accessibleName() for b in room.chart.findChildren(QToolButton) if b.accessibleName().startswith("End "))
    tool(room, name).click()
    end = office.sheet(EndProblemSheet)
    assert end.form is not None
    office.fill(end.form.editor("reason"), "healed")
    office.click(end.verb_button)
    office.gone(end)
    office.until(lambda: "healed" in words(room.chart) and "ended" in words(room.chart))
