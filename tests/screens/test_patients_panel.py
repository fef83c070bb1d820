"""Patients on a real clinic: type and choose, register with every refusal at its field, who it might be, edit, archive, assign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from clinicdesk.services import duplicates, patients
from tests.clinics import Practice
from tests.screens.office import Office
from ui.dialogs.assigning import AssignSheet
from ui.dialogs.patient import PatientSheet

GOOD = {"first_name": "Mara", "last_name": "Novak", "born": "3 May 1984", "phone": "+44 7700 900123"}
BAD = (
    ("first_name", ""), ("last_name", "N" * 101), ("born", "31.2.1984"), ("born", "2184-05-03"), ("phone", "12"), ("phone", "call me"),
    ("email", "not an address"), ("ssn", "12-34"), ("added_note", "n" * 501), ("about_note", "a" * 251), ("emergency_phone", "1"),
)


def type_patient(office: Office, sheet: PatientSheet, **changes: str) -> None:
    for field, text in (GOOD | changes).items():
        office.fill(sheet.form.editor(field), text)
    sheet.form.set_value("sex", "F")


def test_typing_narrows_and_the_one_that_fits_is_shown(office: Office, practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="García")
    practice.patient(first_name="Bo", last_name="Berg")
    panel = office.panel(office.open("rita"), "patients")
    assert len(panel.table.rows) == 2
    assert panel.find_box.hasFocus()
    office.keys("garcia")
    office.until(lambda: [r.id for r in panel.table.rows] == [ana], "accents do not matter")
    office.until(lambda: panel.card is not None and panel.card.id == ana, "the only hit is shown")
    office.fill(panel.find_box, "zzz")
    office.until(lambda: not panel.table.rows)
    assert panel.table._empty.isVisible()


@pytest.mark.parametrize(("field", "text"), BAD, ids=lambda value: str(value)[:14])
def test_registering_refuses_at_the_field_and_keeps_everything(office: Office, field: str, text: str) -> None:
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    more = {"emergency_name": "Jo Novak"} if field == "emergency_phone" else {}
    type_patient(office, sheet, **more)
    sheet.form.set_value(field, text)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error(field), f"{field} says what is wrong")
    assert sheet.form.editor(field).hasFocus()
    typed = sheet.form.values()
    assert typed[field] == text and typed["sex"] == "F"
    assert all(typed[name] == value for name, value in GOOD.items() if name != field), "nothing typed is lost"
    assert sheet.verb_button.isEnabled()
    sheet._discard()


def test_registering_then_found_by_everything(office: Office, practice: Practice) -> None:
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    type_patient(office, sheet, tags="diabetes, walks far", email="mara@mail.example")
    assert sheet.form.hint_label("born").text() == "03 May 1984", "how the date was understood is said before saving"
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.card is not None and panel.card.last_name == "Novak")
    for typed in ("nov mar", "03.05.1984", "900123", "mara@mail", "#diabetes", panel.card.id):
        office.fill(panel.find_box, typed)
        office.until(lambda: [r.last_name for r in panel.table.rows] == ["Novak"], typed)


def test_a_phone_that_is_taken_is_said_at_the_phone(office: Office, practice: Practice) -> None:
    practice.patient(phone="+447700900123")
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    type_patient(office, sheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("phone"))
    sheet._discard()


def test_who_it_might_be_is_shown_while_typing_and_can_be_opened_instead(office: Office, practice: Practice) -> None:
    known = practice.patient(first_name="Mara", last_name="Novák", born="1984-05-03", phone="+447700900123")
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    office.fill(sheet.form.editor("first_name"), "Mara")
    office.fill(sheet.form.editor("last_name"), "Nowak")
    office.until(sheet.likely.isVisible, "the near name is shown before a date of birth is typed")
    office.fill(sheet.form.editor("born"), "5 March 1984")
    office.until(lambda: sheet.likely.candidates and sheet.likely.candidates[0].score >= 60, "day and month swapped")
    shown = "\n".join(one.text() for one in sheet.likely.findChildren(type(panel.heading)))
    assert "03-May-1984  ·  Female  ·  no visit yet" in shown
    assert "Day and month of birth are swapped" in shown and "Last name differs by one letter: Nowak / Novák" in shown
    assert sheet.form.editor("born").hasFocus(), "the card takes no keys"
    office.settle()  # the card is drawn anew for what was typed last
    office.click(likely_button(sheet, "Open this record"))
    office.gone(sheet)
    office.until(lambda: panel.card is not None and panel.card.id == known)


def test_somebody_else_is_kept_and_not_asked_again(office: Office, practice: Practice) -> None:
    other = practice.patient(first_name="Mara", last_name="Novák", born="1984-05-03")
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    type_patient(office, sheet)
    office.until(sheet.likely.isVisible)
    office.click(likely_button(sheet, "It is somebody else"))
    office.until(lambda: not sheet.likely.isVisible())
    office.fill(sheet.form.editor("address"), "1 Test Street")
    office.settle()
    assert not sheet.likely.isVisible()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.card is not None)
    with practice.read("sam") as session:
        assert duplicates.candidates(session, patients.form_of(panel.card), panel.card.id) == []
        assert duplicates.possible(session) == []
        assert [c.row.id for c in duplicates.candidates(session, patients.form_of(panel.card))] == [panel.card.id, other]


def test_tags_in_use_are_offered(office: Office, practice: Practice) -> None:
    practice.patient(tags=("interpreter",))
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    office.settle()
    field = sheet.form.editor("tags")
    field.setFocus()
    office.keys("walks far, inter")
    assert [field.completer().completionModel().index(0, 0).data()] == ["interpreter"]
    assert field.completer().pathFromIndex(field.completer().completionModel().index(0, 0)) == "walks far, interpreter"
    field.completer().popup().hide()
    sheet._discard()


def likely_button(sheet: PatientSheet, words: str) -> Any:
    return next(b for b in sheet.likely.findChildren(QPushButton) if b.text() == words and b.isVisible())


def test_esc_asks_before_typed_words_are_lost(office: Office) -> None:
    panel = office.panel(office.open("rita"), "patients")
    office.click(panel.register_button)
    sheet = office.sheet(PatientSheet)
    office.fill(sheet.form.editor("first_name"), "Mara")
    office.keys(Qt.Key.Key_Escape)
    assert sheet.isVisible() and "not saved" in sheet.problem.words.text()
    office.click(sheet.problem._action)
    office.gone(sheet)


def opened(office: Office, panel: Any, patient_id: str) -> None:
    panel.show_topic("patient", patient_id)
    office.until(lambda: panel.card is not None and panel.card.id == patient_id)
    office.settle()


def test_changing_a_patient(office: Office, practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    panel = office.panel(office.open("rita"), "patients")
    opened(office, panel, ana)
    office.click(panel.edit_button)
    sheet = office.sheet(PatientSheet)
    office.fill(sheet.form.editor("address"), "12 Orchard Close")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.card.address == "12 Orchard Close")


def test_a_patient_changed_elsewhere_is_not_overwritten(office: Office, practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    panel = office.panel(office.open("rita"), "patients")
    opened(office, panel, ana)
    office.click(panel.edit_button)
    sheet = office.sheet(PatientSheet)
    office.fill(sheet.form.editor("address"), "Mine")
    with practice.write("sam") as session:
        card = patients.card(session, ana)
        patients.edit(session, ana, replace(patients.form_of(card), address="Theirs"), card.version)
    office.click(sheet.verb_button)
    office.until(sheet.problem.isVisible)
    assert "Somebody else changed" in sheet.problem.words.text()
    assert sheet.isVisible() and sheet.form.value("address") == "Mine"
    with practice.read("sam") as session:
        assert patients.card(session, ana).address == "Theirs"
    sheet._discard()


def test_archiving_is_taken_back_by_undo(office: Office, practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    window = office.open("rita")
    panel = office.panel(window, "patients")
    opened(office, panel, ana)
    panel._archive(panel.card, restore=False)
    office.until(lambda: panel.card.archived_at is not None)
    office.until(lambda: not panel.table.rows, "archived patients are out of sight")
    assert window.undo()
    office.until(lambda: panel.card.archived_at is None)


def test_assigning_a_doctor_and_ending_it(office: Office, practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    panel = office.panel(office.open("rita"), "patients")
    opened(office, panel, ana)
    panel._assign()
    sheet = office.sheet(AssignSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("doctor_id"))
    sheet.form.set_value("doctor_id", practice.doctors["hugo"])
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: "Dr Hugo Blanc, since" in words(panel))
    end = next(b for b in panel.findChildren(type(panel.edit_button)) if b.text() == "End" and b.isVisible())
    office.click(end)
    office.until(lambda: " until " in words(panel), "an ended assignment stays as history")


def words(panel: Any) -> str:
    """Every visible line of the detail."""
    return "\n".join(one.text() for one in panel.findChildren(type(panel.heading)) if one.isVisible())
