"""Papers at the desk: a sick note from the sheet, the list, cancelling, prescribing again, and the window that checks a paper."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from clinicdesk.pdf.copies import is_cancelled
from clinicdesk.services import papers
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_accessible_names import nameless
from tests.screens.test_two_desks import consulting
from tests.visiting import completed
from ui.dialogs.checking import CheckWindow
from ui.dialogs.paper import PaperWindow
from ui.dialogs.papers import CancelPaperSheet, PaperSheet

LOOK = os.environ.get("LOOK")


def look(widget: Any, name: str) -> None:
    if LOOK:
        Path(LOOK).mkdir(parents=True, exist_ok=True)
        widget.grab().save(f"{LOOK}/{name}.png")


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient(first_name="Ana", last_name="Adler")


@pytest.fixture
def room(office: Office, practice: Practice, patient: str) -> Any:
    """A patient with one signed visit of last hour, in a new consultation."""
    completed(practice, patient, hour=8)
    made = practice.book(patient, practice.at(10), reason="Cough")
    practice.step(made, "arrived")
    found = consulting(office, office.open("dora"), made)
    office.click(found.start_button)
    office.until(lambda: found.editor is not None, "the editor opens")
    found.chart.tabs.setCurrentWidget(found.chart.papers)
    office.until(lambda: len(found.chart.papers.table.rows) == 1, "the prescription is listed")
    office.settle()
    return found


def trust_of(practice: Practice) -> Path:
    return practice.clinic.settings.data_dir / "trust.json"


def test_a_sick_note_from_the_sheet_is_previewed_signed_listed_and_checked(office: Office, practice: Practice, room: Any) -> None:
    view = room.chart.papers
    view.new("SN")
    sheet = office.sheet(PaperSheet)
    office.until(sheet.verb_button.isEnabled, "what the record says is read")
    sheet.form.set_value("with_diagnosis", True)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("diagnosis") != "", "a ticked diagnosis is needed")
    office.fill(sheet.form.editor("diagnosis"), "Acute bronchitis.")
    office.fill(sheet.form.editor("remarks"), "rest qd")
    office.click(sheet.verb_button)
    office.until(lambda: "misread" in sheet.form.error("remarks"), "a forbidden abbreviation is refused at its field")
    office.fill(sheet.form.editor("remarks"), "Light duties afterwards.")
    office.click(sheet.preview_button)
    office.until(lambda: sheet.preview_window is not None, "the preview opens")
    office.settle()
    look(sheet, "sick-note-sheet")
    look(sheet.preview_window, "preview")
    sheet.preview_window.close()
    with practice.read("dora") as session:
        assert len(papers.of_patient(session, view.patient_id)) == 1, "a preview issues nothing"
    office.click(sheet.verb_button)
    window = office.sheet(PaperWindow)
    office.until(lambda: window.stored is not None, "the paper is shown")
    office.settle()
    look(window, "sick-note")
    assert window.stored.number == sheet.number and window.stored.number.startswith("SN-")
    place = trust_of(practice).with_name("paper.pdf")
    place.write_bytes(window.stored.content)
    window.close()
    office.until(lambda: len(view.table.rows) == 2, "it is listed")
    office.until(lambda: trust_of(practice).exists(), "the trust list is written")
    room.window().account.check_paper()
    check = office.sheet(CheckWindow)
    check.check_file(place)
    office.until(lambda: check.verdict is not None and check.verdict.status == "valid", "valid")
    assert check.word.text() == "Valid: paper.pdf" and sheet.number in check.verdict.number
    office.settle()
    look(check, "check-valid")
    assert not nameless(check)
    place.write_bytes(place.read_bytes().replace(b"/Producer", b"/Producez"))
    check.check_file(place)
    office.until(lambda: check.verdict.status == "altered", "altered")
    office.settle()
    look(check, "check-altered")
    check.text.setPlainText("CD1:nothing of a code")
    office.click(check.text_button)
    office.until(lambda: "pasted" in check.word.text(), "the text is checked")
    assert check.verdict.status == "altered"
    check.close()


def test_a_cancelled_prescription_shows_it_prints_it_and_its_lines_can_be_prescribed_again(
    office: Office, practice: Practice, patient: str, room: Any
) -> None:
    view = room.chart.papers
    (row,) = view.table.rows
    view.table.select(row.number)
    assert view.cancel_button.isEnabled()
    office.click(view.cancel_button)
    sheet = office.sheet(CancelPaperSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("reason") != "", "a reason is needed")
    office.fill(sheet.form.editor("reason"), "Wrong strength.")
    sheet.form.set_value("again", True)
    look(sheet, "cancel")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: view.table.rows[0].voided_at is not None, "the list shows it")
    office.until(lambda: len(room.editor.prescription.items()) == 2, "the lines are in the editor")
    view.table.select(row.number)
    assert not view.cancel_button.isEnabled()
    look(room.window(), "list")
    view.show_paper(row.number)
    window = office.sheet(PaperWindow)
    office.until(lambda: window.stored is not None)
    office.settle()
    assert "cancelled" in window.state.text() and is_cancelled(window.stored.content)
    look(window, "cancelled")
    place = trust_of(practice).with_name("paper.pdf")
    place.write_bytes(window.stored.content)
    window.close()
    office.until(lambda: trust_of(practice).exists() and row.number in trust_of(practice).read_text(), "the list of cancelled papers knows")
    front = office.open("rita")
    assert any(action.title == "Check a paper" for action in front.all_commands())
    front.account.check_paper()
    check = office.sheet(CheckWindow)
    check.check_file(place)
    office.until(lambda: check.verdict is not None and check.verdict.status == "cancelled", "reception learns it too")
    office.settle()
    look(check, "check-cancelled")
    check.close()


@pytest.mark.parametrize("kind", ["RL", "VS"])
def test_letters_are_filled_from_the_record(office: Office, room: Any, kind: str) -> None:
    room.chart.papers.new(kind)
    sheet = office.sheet(PaperSheet)
    office.until(sheet.verb_button.isEnabled)
    if kind == "RL":
        office.fill(sheet.form.editor("whom"), "Dr Eva Braun-Lund, cardiology")
        office.fill(sheet.form.editor("why"), "Chest pain on effort since two weeks.")
    else:
        assert sheet.form.value("plan") == "Rest and fluids." and "amlodipine" in sheet.form.value("medicines")
    look(sheet, f"sheet-{kind}")
    office.click(sheet.verb_button)
    window = office.sheet(PaperWindow)
    office.until(lambda: window.stored is not None)
    office.settle()
    look(window, f"letter-{kind}")
    if LOOK:
        Path(f"{LOOK}/{kind}.pdf").write_bytes(window.stored.content)
    window.close()
