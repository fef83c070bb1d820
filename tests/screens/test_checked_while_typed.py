"""What the checks say of a line before it is taken: in the field where it is typed and in the form."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from shiboken6 import isValid

from clinicdesk.errors import Unavailable
from clinicdesk.services import safety
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.rooms import allergic, opened_room, write
from tests.visiting import TABLET
from ui.dialogs.medicine import MedicineSheet


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient(first_name="Ana", last_name="Adler")


@pytest.fixture
def room(office: Office, practice: Practice, patient: str) -> Any:
    return opened_room(office, practice, patient)


def test_a_typed_line_is_checked_before_it_is_taken(office: Office, practice: Practice, patient: str, room: Any) -> None:
    allergic(practice, patient)
    line = room.editor.prescription
    write(office, room, "paracetamol 500 mg tid 5d")
    office.until(lambda: line.check.state in {"clear", "found"})
    assert line.check.words.text().startswith("The line below: checked")
    office.fill(line.quick.field, "amox 500 tid")
    assert line.typed.state == "none" and not line.typed.isVisible(), "an incomplete line is asked about, not checked"
    office.fill(line.quick.field, "amox 500 tid 7d")
    assert line.typed.state == "waiting" and line.typed.texts == ["This line: not checked yet …"]
    office.until(lambda: line.typed.state == "found", "the alert stands there before Enter")
    assert line.typed.texts[0].startswith("Stop: Amoxicillin belongs to the penicillins") and len(line.items()) == 1
    office.until(lambda: line.typed.visibleRegion().boundingRect().height() == line.typed.height(), "all of it is in sight")
    office.fill(line.quick.field, "cetirizine 10 mg od 5d")
    assert line.typed.state == "waiting", "what was said of another line does not stay"
    office.until(lambda: line.typed.state in {"clear", "found"})
    assert not any("penicillin" in words for words in line.typed.texts)
    office.keys(Qt.Key.Key_Escape)
    assert line.typed.state == "none" and not line.typed.isVisible()


def test_the_form_says_what_the_checks_find_before_it_adds(
    office: Office, practice: Practice, patient: str, room: Any
) -> None:
    allergic(practice, patient)
    line = room.editor.prescription
    line.add()
    sheet = office.sheet(MedicineSheet)
    office.fill(sheet.form.editor("medicine"), "amoxicillin")
    sheet._chosen("amoxicillin")
    assert sheet.check.state == "none", "nothing complete stands there"
    box = sheet.form.editor("frequency")
    box.setCurrentIndex(box.findText("three times a day"))
    for name, typed in (("dose_value", "1"), ("duration_days", "7"), ("indication", "otitis")):
        office.fill(sheet.form.editor(name), typed)
    assert sheet.missing.text() == ""
    office.until(lambda: sheet.check.state == "found")
    assert sheet.check.texts[0].startswith("Stop: Amoxicillin belongs to the penicillins") and sheet.check.isVisible()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: line.boxes)
    line.change(0)
    again = office.sheet(MedicineSheet)
    office.until(lambda: again.check.state == "found")
    assert not any("twice" in words or "duplicate" in words.casefold() for words in again.check.texts), "it is not compared with itself"
    again._discard()


def test_a_typed_line_that_cannot_be_checked_says_so(office: Office, room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    line, real = room.editor.prescription, safety.checkup_of_typed

    def away(*_: object) -> None:
        raise Unavailable("database", "The database cannot be reached.")

    monkeypatch.setattr(safety, "checkup_of_typed", away)
    office.fill(line.quick.field, "amox 500 tid 7d")
    office.until(lambda: line.typed.state == "failed")
    assert line.typed.texts[0].startswith("COULD NOT CHECK this line.")
    monkeypatch.setattr(safety, "checkup_of_typed", real)
    room.desk._connected(up=True)
    office.until(lambda: line.typed.state in {"clear", "found"}, "checked again by itself")


def test_a_form_goes_with_the_visit_it_was_opened_from(office: Office, room: Any) -> None:
    line, editor = room.editor.prescription, room.editor
    line.add()
    sheet = office.sheet(MedicineSheet)
    check = sheet.check
    check.show_line(TABLET)
    assert check.state == "waiting"
    editor.deleteLater()
    office.until(lambda: not isValid(editor))
    office.until(lambda: not isValid(sheet), "there is nothing left to add it to")
    assert not isValid(check)
