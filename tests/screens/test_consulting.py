"""The consulting room on a real clinic: arrival, vital signs with their limits, notes, medicines, completion, the paper."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from clinicdesk.services import visits
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting
from ui.consultation.medicines_view import MedicinesSection
from ui.consultation.risks_section import AllergiesSection, ProblemsSection
from ui.dialogs.allergy import AllergySheet
from ui.dialogs.medicine import MedicineSheet
from ui.dialogs.paper import PrescriptionWindow
from ui.widgets.section import Section


@pytest.fixture
def room(office: Office, practice: Practice) -> Any:
    """A consultation just started by the doctor, by the button."""
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9), reason="Cough")
    practice.step(made, "arrived")
    found = consulting(office, office.open("dora"), made)
    office.click(found.start_button)
    office.until(lambda: found.editor is not None, "the editor opens")
    office.settle()
    return found


def test_before_the_arrival_there_is_nothing_to_start_and_then_by_itself_there_is(office: Office, practice: Practice) -> None:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    room = consulting(office, office.open("dora"), made)
    assert not hasattr(room, "start_button")
    practice.step(made, "arrived")
    office.until(lambda: hasattr(room, "start_button") and room.start_button.isVisible(), "the arrival shows by itself")
    assert room.banner.banner.family_name == "Adler"


def test_vital_signs_outside_the_hard_limits_are_refused_at_their_field(office: Office, room: Any) -> None:
    form = room.editor.vitals
    office.fill(form.editor("pulse"), "400")
    cell = form._cells["pulse"]
    assert form.editor("pulse").property("invalid") == "true" and cell.words.isVisible()
    office.click(room.editor.complete_button)
    office.until(lambda: "Not completed" in room.editor.state.text())
    assert room.editor is not None and form.editor("pulse").text() == "400"


def test_an_unusual_value_is_confirmed_with_one_press(office: Office, room: Any) -> None:
    form = room.editor.vitals
    for name, typed in (("systolic", "232"), ("diastolic", "96")):
        office.fill(form.editor(name), typed)
    cell = form._cells["systolic"]
    assert cell.words.isVisible() and form.editor("systolic").property("invalid") == "false"
    room.editor._area.ensureWidgetVisible(cell.action)
    office.click(cell.action)
    assert cell.words.text() == "Confirmed."
    office.fill(form.editor("systolic"), "233")
    assert cell.words.text() != "Confirmed.", "another value asks again"


def test_fahrenheit_is_offered_as_celsius(office: Office, room: Any) -> None:
    form = room.editor.vitals
    office.fill(form.editor("temperature"), "98.6")
    cell = form._cells["temperature"]
    assert "37.0" in cell.action.text()
    room.editor._area.ensureWidgetVisible(cell.action)
    office.click(cell.action)
    assert form.editor("temperature").text() == "37.0"


def test_body_mass_index_and_news2_show_their_inputs(office: Office, room: Any) -> None:
    form = room.editor.vitals
    assert "appear here" in form.scores.text()
    for name, typed in (("height", "172"), ("weight", "68.5"), ("respiration", "21"), ("spo2", "95"), ("temperature", "37.0"),
                        ("systolic", "128"), ("diastolic", "82"), ("pulse", "96")):
        office.fill(form.editor(name), typed)
    assert "23.2 kg/m²" in form.scores.text() and "68.50 kg and 172.0 cm" in form.scores.text()
    form.oxygen.setCurrentIndex(1)
    assert "NEWS2 incomplete: still needs" in form.scores.text()
    form.consciousness.setCurrentIndex(1)
    assert "NEWS2 4" in form.scores.text(), "respiration 2, saturation 1, pulse 1 (RCP 2017)"
    assert "points: " in form.scores.text()


def test_what_was_told_at_registration_stands_beside_what_is_recorded_of_it(office: Office, practice: Practice) -> None:
    patient = practice.patient(first_name="Ana", last_name="Adler", allergies="Penicillin, rash", medical_history="asthma",
                               medication="aspirin")
    made = practice.book(patient, practice.at(9))
    practice.step(made, "arrived")
    chart = consulting(office, office.open("dora"), made).chart

    def said(kind: type[Section]) -> list[str]:
        return [one.text() for one in chart.findChildren(kind)[-1].findChildren(QLabel)] if chart.findChildren(kind) else []

    office.until(lambda: "Told at registration: aspirin" in said(MedicinesSection), "the medicines are read")
    assert "Told at registration: asthma" in said(ProblemsSection)
    section = chart.findChildren(AllergiesSection)[-1]
    words = next(one for one in section.findChildren(QLabel) if one.text() == "Told at registration: Penicillin, rash")
    assert words.property("role") == "warning", "it was told and nobody recorded it"
    next(one for one in section.findChildren(QPushButton) if one.text() == "Add allergy").click()
    sheet = office.sheet(AllergySheet)
    assert any(one.text() == "Told at registration: Penicillin, rash" for one in sheet.findChildren(QLabel))
    office.fill(sheet.form.editor("substance"), "penicillin")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: "penicillin" in said(AllergiesSection), "the entry stands in the chart")
    words = next(one for one in chart.findChildren(AllergiesSection)[-1].findChildren(QLabel) if "told" in one.text().lower())
    assert words.property("role") == "soft"


def prescribe(office: Office, room: Any) -> MedicineSheet:
    room.editor.prescription.add_button.click()
    sheet = office.sheet(MedicineSheet)
    office.fill(sheet.form.editor("medicine"), "paracetamol")
    sheet._chosen("paracetamol")
    return sheet


def test_a_medicine_is_shown_in_full_words_and_says_what_is_missing(office: Office, room: Any) -> None:
    sheet = prescribe(office, room)
    office.click(sheet.verb_button)
    assert sheet.isVisible(), "an incomplete line is not taken"
    assert "Still needed" in sheet.missing.text()
    office.fill(sheet.form.editor("dose_value"), "1")
    box = sheet.form.editor("frequency")
    box.setCurrentIndex(box.findText("three times a day"))
    office.fill(sheet.form.editor("duration_days"), "5")
    office.fill(sheet.form.editor("indication"), "pain")
    assert "three times a day" in sheet.sentence.text() and "5 days" in sheet.sentence.text()
    assert not sheet.unchecked.isVisible()
    office.click(sheet.verb_button)
    office.gone(sheet)
    assert len(room.editor.prescription.items()) == 1


def test_free_text_is_marked_as_unchecked(office: Office, room: Any) -> None:
    room.editor.prescription.add_button.click()
    sheet = office.sheet(MedicineSheet)
    office.fill(sheet.form.editor("medicine"), "home-made syrup")
    assert sheet.unchecked.isVisible()
    sheet._discard()


def test_completing_signs_and_the_prescription_opens(office: Office, practice: Practice, room: Any) -> None:
    room.editor.notes.editor("plan").setPlainText("Fluids, rest.")
    sheet = prescribe(office, room)
    office.fill(sheet.form.editor("dose_value"), "1")
    box = sheet.form.editor("frequency")
    box.setCurrentIndex(box.findText("three times a day"))
    office.fill(sheet.form.editor("duration_days"), "5")
    office.fill(sheet.form.editor("indication"), "pain")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.click(room.editor.complete_button)
    office.until(lambda: room.editor is None, "the visit is completed")
    office.until(room.paper_button.hasFocus, "the paper is one key away")
    office.until(lambda: len(room.chart.visits.texts) == 1, "the visit stands in the chart at once")
    with practice.read("dora") as session:
        assert visits.undelivered(session) == 1, "no worker runs here: it waits for the document server"
    office.click(room.paper_button)
    paper = office.sheet(PrescriptionWindow)
    office.until(lambda: paper.stored is not None)
    assert "original" in paper.state.text() and paper.stored.content.startswith(b"%PDF")
    paper.preview.printed.emit("a printer")
    office.until(lambda: paper.stored.printed == 1)
    office.until(lambda: "copy" in paper.state.text())
    paper.close()
    office.settle()


def test_a_refused_draft_keeps_the_words_and_signing_out_asks(office: Office, room: Any) -> None:
    room.editor.notes.editor("plan").setPlainText("Not yet on the server.")
    assert room.unsaved
    room.editor.save()
    office.until(lambda: not room.editor.unsaved)
    assert room.unsaved == ""
    assert "Draft saved" in room.editor.state.text()
