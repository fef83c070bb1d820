"""After a crash: what was typed is offered, part by part, and nothing is taken without a choice."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from clinicdesk.services import consultations, drafts, journaling
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.storage.journal import Journal
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_editor_states import appointment_of, on_server
from tests.screens.test_two_desks import consulting
from tests.visiting import TABLET, started
from ui.consultation.unsigned import UnsignedPage
from ui.dialogs.addendum import AddendumSheet
from ui.dialogs.two_versions import TwoVersionsSheet

SAVED = ConsultationDraft(notes={"plan": "Rest.", "subjective": "Cough"}, vitals={"pulse": "72"})
OLD = ConsultationDraft(notes={"plan": "old"})
TYPED = replace(SAVED, notes={"plan": "Rest and fluids.", "subjective": "Cough"}, vitals={"pulse": "80"}, items=(TABLET,))


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient(first_name="Ana", last_name="Adler")


@pytest.fixture
def consultation(practice: Practice, patient: str) -> int:
    made = started(practice, patient)
    with practice.write("dora") as session:
        drafts.save(session, made, SAVED, 0)
    return made


def crashed(practice: Practice, consultation: int, typed: ConsultationDraft, base: ConsultationDraft, version: int) -> Journal:
    """What a process that was killed leaves behind."""
    with practice.read("dora") as session:
        place = consultations.open_sheet(session, consultation).journal
    journal = Journal(place, lambda _error: None)
    journal.put(journaling.snapshot(typed, base, version, datetime.now(UTC)))
    assert journal.flush()
    journal.close(keep=True)
    return journal


def room_of(office: Office, practice: Practice, patient: str) -> Any:
    room = consulting(office, office.open("dora"), appointment_of(practice, patient))
    office.until(lambda: room.editor is not None, "the editor opens")
    office.settle()
    return room


@pytest.mark.parametrize(("choice", "notes", "pulse", "medicines"), [
    ("mine", TYPED.notes, "80", 1), ("theirs", SAVED.notes, "72", 0), ("both", TYPED.notes, "80", 1)])
def test_after_a_crash_she_chooses(office: Office, practice: Practice, patient: str, consultation: int, choice: str,
                                   notes: dict[str, str], pulse: str, medicines: int) -> None:
    left = crashed(practice, consultation, TYPED, SAVED, 1)
    room = room_of(office, practice, patient)
    sheet = office.sheet(TwoVersionsSheet)
    assert [part.title for part in sheet.parts] == ["Plan", "Pulse", "Prescription"]
    assert not room.editor._area.isEnabled() and not room.editor.complete_button.isEnabled(), "nothing happens before it is decided"
    sheet.choose_all(choice)
    office.click(sheet.verb_button)
    office.until(lambda: not room.editor.unsaved and room.editor._area.isEnabled())
    draft = room.editor.draft()
    assert (draft.notes, draft.vitals, len(draft.items)) == (notes, {"pulse": pulse}, medicines)
    assert on_server(practice, consultation) == notes
    assert not left.path.exists(), "settled: nobody is asked again"


def test_decided_later_it_is_asked_again_and_the_file_stays(office: Office, practice: Practice, patient: str, consultation: int) -> None:
    left = crashed(practice, consultation, TYPED, SAVED, 1)
    room = room_of(office, practice, patient)
    office.click(office.sheet(TwoVersionsSheet).cancel_button)
    office.settle()
    assert left.path.exists() and room.editor.compare_button.isVisible() and "was not saved" in room.editor.state.text()
    room.editor.complete()
    office.settle()
    assert room.editor is not None and on_server(practice, consultation) == SAVED.notes
    office.click(room.editor.compare_button)
    sheet = office.sheet(TwoVersionsSheet)
    for by_choice in sheet.choices.values():
        by_choice["mine"].setChecked(True)
    sheet.choices["vitals.pulse"]["theirs"].setChecked(True)
    office.click(sheet.verb_button)
    office.until(lambda: not room.editor.unsaved)
    assert room.editor.draft() == replace(TYPED, vitals={"pulse": "72"})


@pytest.mark.parametrize(("typed", "base", "version"), [(SAVED, SAVED, 1), (SAVED, ConsultationDraft(), 0), (OLD, OLD, 1)],
                         ids=["what is saved", "saved with the answer lost", "an older one, all of it saved"])
def test_what_the_server_holds_is_no_question(office: Office, practice: Practice, patient: str, consultation: int,
                                              typed: ConsultationDraft, base: ConsultationDraft, version: int) -> None:
    left = crashed(practice, consultation, typed, base, version)
    room = room_of(office, practice, patient)
    assert not room.editor.compare_button.isVisible() and room.editor.draft().notes == SAVED.notes and not left.path.exists()


def test_a_server_put_back_to_an_older_state_is_noticed(office: Office, practice: Practice, patient: str, consultation: int) -> None:
    crashed(practice, consultation, TYPED, TYPED, 7)  # all of it had been saved, as version 7; the server has version 1
    room = room_of(office, practice, patient)
    assert room.editor.compare_button.isVisible()
    sheet = office.sheet(TwoVersionsSheet)
    sheet.choose_all("mine")
    office.click(sheet.verb_button)
    office.until(lambda: not room.editor.unsaved)
    assert on_server(practice, consultation) == TYPED.notes


def test_signed_without_these_words_they_become_an_addendum(office: Office, practice: Practice, patient: str, consultation: int) -> None:
    left = crashed(practice, consultation, TYPED, SAVED, 1)
    number = appointment_of(practice, patient)
    with practice.write("dora") as session:
        consultations.complete(session, consultation, SAVED, 1)
    room = consulting(office, office.open("dora"), number)
    office.until(lambda: isinstance(room.right.currentWidget(), UnsignedPage))
    page = room.right.currentWidget()
    assert [one.notes for one in page.found] == [{"plan": "Rest and fluids."}]
    office.click(page.add_button)
    sheet = office.sheet(AddendumSheet)
    words = sheet.editor.toPlainText()
    assert words.startswith("Plan: Rest and fluids.\n\nVital signs: Pulse: 80 /min\n\nPrescription: amlodipine — 5 mg — tablet"), words
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: not isinstance(room.right.currentWidget(), UnsignedPage))
    assert not left.path.exists()
    office.until(lambda: [a.text for a in room.chart.visits.texts[0].addenda] == [words])


def test_words_thrown_away_can_be_taken_back(office: Office, practice: Practice, patient: str, consultation: int) -> None:
    left = crashed(practice, consultation, TYPED, SAVED, 1)
    number = appointment_of(practice, patient)
    with practice.write("dora") as session:
        consultations.complete(session, consultation, SAVED, 1)
    room = consulting(office, office.open("dora"), number)
    office.until(lambda: isinstance(room.right.currentWidget(), UnsignedPage))
    told: list[Any] = []
    room.desk.told.connect(lambda sentence, undo: told.append((sentence, undo)))
    office.click(room.right.currentWidget().discard_button)
    office.until(lambda: not isinstance(room.right.currentWidget(), UnsignedPage))
    assert not left.path.exists() and told[0][0] == "The words were thrown away."
    told[0][1]()
    with practice.read("dora") as session:
        (one,) = consultations.left_unsigned(session, consultation)
    assert one.notes == {"plan": "Rest and fluids."} and left.path.stat().st_mode & 0o777 == 0o600


def test_signing_leaves_nothing_on_this_computer(office: Office, practice: Practice, patient: str, consultation: int) -> None:
    room = room_of(office, practice, patient)
    room.editor.notes.editor("plan").setPlainText("Signed plan.")
    assert room.editor._journal.flush()
    folder = practice.clinic.settings.data_dir / "drafts"
    assert list(folder.glob("*.draft"))
    office.click(room.editor.complete_button)
    office.until(lambda: room.editor is None, "signed")
    assert list(folder.iterdir()) == []


def test_a_disk_that_refuses_is_said_beside_the_text(office: Office, practice: Practice, patient: str, consultation: int) -> None:
    folder = practice.clinic.settings.data_dir / "drafts"
    folder.write_text("a file where the folder should be")
    room = room_of(office, practice, patient)
    room.editor.notes.editor("plan").setPlainText("typed")
    office.until(room.editor.trouble.isVisible)
    assert "cannot keep a copy" in room.editor.trouble.text()
    folder.unlink()
    room.editor.notes.editor("plan").setPlainText("typed again")
    office.until(lambda: not room.editor.trouble.isVisible(), "it works again")


def test_of_two_windows_killed_together_neither_text_replaces_the_other(office: Office, practice: Practice, patient: str,
                                                                        consultation: int) -> None:
    first = crashed(practice, consultation, replace(SAVED, notes={**SAVED.notes, "assessment": "Bronchitis"}), SAVED, 1)
    second = crashed(practice, consultation, replace(SAVED, notes={**SAVED.notes, "objective": "Wheeze"}), SAVED, 1)
    room = room_of(office, practice, patient)
    for _ in range(2):
        sheet = office.sheet(TwoVersionsSheet)
        for part in sheet.parts:
            assert part.suggested, "each part was changed in one window alone"
        office.click(sheet.verb_button)
        office.gone(sheet)
    office.until(lambda: not room.editor.unsaved and room.editor._area.isEnabled())
    assert on_server(practice, consultation) == {**SAVED.notes, "assessment": "Bronchitis", "objective": "Wheeze"}
    assert not first.path.exists() and not second.path.exists()


def test_on_a_full_disk_the_text_stays_until_the_server_has_the_choice(office: Office, practice: Practice, patient: str, consultation: int,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    left = crashed(practice, consultation, TYPED, SAVED, 1)
    room = room_of(office, practice, patient)

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "_write", full)
    monkeypatch.setattr(room.editor, "save", lambda: None)  # and the server is away
    office.sheet(TwoVersionsSheet).choose_all("mine")
    office.click(office.sheet(TwoVersionsSheet).verb_button)
    office.until(room.editor._area.isEnabled)
    assert left.path.exists(), "a power cut now would lose it"
    monkeypatch.undo()
    room.editor.save()
    office.until(lambda: not room.editor.unsaved)
    assert not left.path.exists() and on_server(practice, consultation) == TYPED.notes


def test_words_of_a_killed_window_outlive_the_signature_of_the_other(office: Office, practice: Practice, patient: str,
                                                                    consultation: int) -> None:
    room = room_of(office, practice, patient)
    left = crashed(practice, consultation, TYPED, SAVED, 1)  # the second window dies while the first is at work
    office.click(room.editor.complete_button)
    office.until(lambda: room.editor is None, "signed")
    assert left.path.exists()
    with practice.read("dora") as session:
        (one,) = consultations.left_unsigned(session, consultation)
    assert one.notes == {"plan": "Rest and fluids."}


def test_words_that_turn_round_inside_the_signed_ones_are_offered(practice: Practice, consultation: int) -> None:
    left = crashed(practice, consultation, ConsultationDraft(notes={"subjective": "chest pain"}), SAVED, 1)
    same = crashed(practice, consultation, ConsultationDraft(notes={"subjective": "Cough"}, vitals={"pulse": "72.0"}), SAVED, 1)
    with practice.write("dora") as session:
        consultations.complete(session, consultation, replace(SAVED, notes={"subjective": "Cough\nNo chest pain"}), 1)
    with practice.read("dora") as session:
        assert [one.notes for one in consultations.left_unsigned(session, consultation)] == [{"subjective": "chest pain"}]
    assert left.path.exists() and not same.path.exists()


@pytest.mark.parametrize("change", [
    lambda text: text.replace('\\"reasons\\": []', '\\"reasons\\": [{\\"about\\": \\"x\\", \\"reason\\": \\"monitor\\", \\"later\\": 1}]'),
    lambda text: text.replace('"version"', '"revision"')], ids=["a field more", "a field less"])
def test_a_draft_of_another_version_of_the_program_keeps_no_consultation_closed(practice: Practice, consultation: int, change: Any) -> None:
    with practice.read("dora") as session:
        place = consultations.open_sheet(session, consultation).journal
    journal = Journal(place, lambda _error: None)
    text = journaling.snapshot(TYPED, SAVED, 1, datetime.now(UTC))
    assert change(text) != text
    journal.put(change(text))
    assert journal.flush()
    journal.close(keep=True)
    with practice.read("dora") as session:
        found = consultations.open_sheet(session, consultation).undecided
    assert [one.draft.notes for one in found] == ([TYPED.notes] if "revision" not in change(text) else [])
    assert journal.path.exists()
