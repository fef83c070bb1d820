"""Diagnoses, trends and addenda in the consulting room, as a doctor meets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from shiboken6 import isValid

from clinicdesk.services import addenda, visits
from clinicdesk.storage.journal import Journal
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_recovery import room_of
from tests.services.test_addenda import DIAGNOSED, consultation_of
from tests.visiting import FULL, as_owner, completed, started
from ui.dialogs.addendum import AddendumSheet


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient(first_name="Ana", last_name="Adler")


@pytest.fixture
def room(office: Office, practice: Practice, patient: str) -> Any:
    completed(practice, patient, replace(DIAGNOSED, vitals={**FULL.vitals, "weight": "70"}), hour=8)
    started(practice, patient, hour=14)
    return room_of(office, practice, patient)


def test_a_diagnosis_takes_a_few_keys_and_is_signed(office: Office, practice: Practice, patient: str, room: Any) -> None:
    window, editor = office.windows[-1], room.editor
    next(a for a in room.commands() if a.shortcut == "Alt+D").run()
    assert window.focusWidget() is editor.diagnoses.box
    office.keys("acute bronch")
    office.until(editor.diagnoses.box.hits.isVisible)
    assert editor.diagnoses.box.hits.shown[0].detail == "J20.9"
    office.keys(Qt.Key.Key_Return)
    office.keys("feels tired")
    office.until(editor.diagnoses.box.hits.isVisible)
    office.keys(Qt.Key.Key_Up, Qt.Key.Key_Return)  # the last one: her own words
    assert [d.line for d in editor.draft().diagnoses] == ["Acute bronchitis, unspecified (J20.9)", "feels tired"]
    office.click(editor.complete_button)
    office.until(lambda: room.editor is None, "signed")
    with practice.read("dora") as session:
        newest = visits.read(session, visits.of_patient(session, patient))[0]
    assert newest.diagnoses == ("Acute bronchitis, unspecified (J20.9)", "feels tired")


def test_earlier_values_stand_at_their_fields_and_a_jump_is_asked_about(office: Office, room: Any) -> None:
    form = room.editor.vitals
    office.until(lambda: form._cells["weight"].before.text().startswith("70.00 on "))
    office.fill(form.editor("weight"), "90")
    assert "more than 10 % different" in form._cells["weight"].words.text()
    office.fill(form.editor("height"), "160")
    assert "10 cm different" in form._cells["height"].words.text()
    room.editor.notes.editor("plan").setPlainText("x")
    office.click(room.editor.complete_button)
    office.until(lambda: "Not completed" in room.editor.state.text(), "the server asks too")


def test_an_addendum_stands_below_the_signed_words(office: Office, practice: Practice, patient: str, room: Any) -> None:
    office.until(lambda: room.chart.visits.texts)
    room.chart.visits._add(room.chart.visits.texts[0])
    sheet = office.sheet(AddendumSheet)
    office.click(sheet.verb_button)
    office.settle()
    assert sheet.form is not None and sheet.form.error("text") == "Write what should be added."
    office.fill(sheet.editor, "X-ray clear.")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: [a.text for a in room.chart.visits.texts[0].addenda] == ["X-ray clear."])
    assert not list((practice.clinic.settings.data_dir / "drafts").glob("addendum-*.draft"))


def test_an_addendum_that_was_being_typed_is_there_again(office: Office, practice: Practice, patient: str, room: Any) -> None:
    office.until(lambda: room.chart.visits.texts)
    number = consultation_of(practice, room.chart.visits.texts[0].id)
    with practice.read("dora") as session:
        journal = Journal(addenda.begin(session, number).place, lambda _error: None)
    journal.put("typed before the crash")
    assert journal.flush()
    journal.close(keep=True)
    room.chart.visits._add(room.chart.visits.texts[0])
    sheet = office.sheet(AddendumSheet)
    assert sheet.editor.toPlainText() == "typed before the crash" and sheet.found.isVisible()
    office.click(sheet.verb_button)
    office.gone(sheet)
    assert not journal.path.exists()


def left_of(practice: Practice, number: int, text: str) -> Journal:
    """An addendum whose window was killed."""
    with practice.read("dora") as session:
        journal = Journal(addenda.begin(session, number).place, lambda _error: None)
    journal.put(text)
    assert journal.flush()
    journal.close(keep=True)
    return journal


def test_every_addendum_left_behind_is_shown_before_its_file_goes(office: Office, practice: Practice, patient: str, room: Any) -> None:
    office.until(lambda: room.chart.visits.texts)
    number = consultation_of(practice, room.chart.visits.texts[0].id)
    journals = [left_of(practice, number, text) for text in ("typed first", "typed later")]
    sheet = AddendumSheet(room.desk, number, "today", text="words that were not signed", parent=office.windows[-1])
    sheet.open()
    office.until(sheet.found.isVisible)
    shown = sheet.editor.toPlainText()
    assert shown.startswith("words that were not signed\n\n") and "typed first" in shown and "typed later" in shown
    office.click(sheet.verb_button)
    assert sheet.editor.isReadOnly(), "a word typed now would be in no record"
    office.gone(sheet)
    assert not any(journal.path.exists() for journal in journals)
    office.until(lambda: [a.text for a in room.chart.visits.texts[0].addenda] == [shown])


def test_an_addendum_whose_window_went_is_offered_without_a_restart(office: Office, practice: Practice, patient: str, room: Any) -> None:
    office.until(lambda: room.chart.visits.texts)
    room.chart.visits._add(room.chart.visits.texts[0])
    sheet = office.sheet(AddendumSheet)
    office.fill(sheet.editor, "half an addendum")
    folder = practice.clinic.settings.data_dir / "drafts"
    office.until(lambda: list(folder.glob("addendum-*.draft")))
    sheet.deleteLater()  # signed out by the clock, the window goes and takes its sheets with it
    office.until(lambda: not isValid(sheet))
    room.chart.visits._add(room.chart.visits.texts[0])
    again = office.sheet(AddendumSheet)
    office.until(lambda: again.editor.toPlainText() == "half an addendum")


def test_a_diagnosis_typed_and_not_taken_is_said_before_the_signature(office: Office, room: Any) -> None:
    editor = room.editor
    editor.notes.editor("plan").setPlainText("Rest.")
    office.fill(editor.diagnoses.box, "asthma")
    office.click(editor.complete_button)
    assert "“asthma” is not chosen yet" in editor.diagnoses.problem.text() and not editor._completing
    editor.diagnoses.box.clear()
    office.click(editor.complete_button)
    office.until(lambda: room.editor is None, "signed")


def test_words_that_were_not_signed_are_said_to_be_so(office: Office, practice: Practice, patient: str, room: Any) -> None:
    office.until(lambda: room.chart.visits.texts)
    assert "not those that were signed" not in words_of(room)
    as_owner(practice, "alter table clinic.consultations disable trigger user")
    as_owner(practice, "update clinic.consultations set content_sha256 = %s where completed_at is not null", b"x" * 32)
    room.chart.refresh()
    office.settle()
    office.until(lambda: "not those that were signed" in words_of(room))


def words_of(room: Any) -> str:
    from PySide6.QtWidgets import QLabel

    return "\n".join(one.text() for one in room.chart.visits.findChildren(QLabel) if not one.isHidden())
