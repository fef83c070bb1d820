"""Between two saves, a signature and the next patient: what the doctor typed is on the server or on her screen, never nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from clinicdesk.errors import Unavailable
from clinicdesk.services import appointments, chart, consultations, drafts, papers, records
from clinicdesk.services.drafts import ConsultationDraft
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_front_desk import choose, place, tomorrow
from tests.screens.test_two_desks import consulting
from tests.visiting import started
from ui.dialogs.booking import BookingSheet
from ui.dialogs.two_versions import TwoVersionsSheet


class Held:
    """A service that waits, on its worker, until it is let go."""

    def __init__(self, service: Callable[..., Any]) -> None:
        self.service, self.go, self.reached = service, threading.Event(), threading.Event()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.reached.set()
        assert self.go.wait(20)
        return self.service(*args, **kwargs)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any, str], Held]]:
    made: list[Held] = []

    def hold(module: Any, name: str) -> Held:
        made.append(Held(getattr(module, name)))
        monkeypatch.setattr(module, name, made[-1])
        return made[-1]

    yield hold
    for one in made:
        one.go.set()


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient(first_name="Ana", last_name="Adler")


@pytest.fixture
def consultation(practice: Practice, patient: str) -> int:
    return started(practice, patient)


@pytest.fixture
def room(office: Office, practice: Practice, patient: str, consultation: int) -> Any:
    """Dora's consulting room with the consultation open."""
    found = consulting(office, office.open("dora"), appointment_of(practice, patient))
    office.until(lambda: found.editor is not None, "the editor opens")
    office.settle()
    return found


def appointment_of(practice: Practice, patient: str) -> int:
    with practice.read("dora") as session:
        return next(row.id for row in consultations.in_progress(session) if row.patient_id == patient)


def row_of(practice: Practice, appointment_id: int) -> Any:
    with practice.read("dora") as session:
        return appointments.one(session, appointment_id)


def on_server(practice: Practice, consultation: int) -> dict[str, str]:
    with practice.read("dora") as session:
        return drafts.load(session, consultation).draft.notes


def plan(room: Any, text: str) -> None:
    room.editor.notes.editor("plan").setPlainText(text)


def test_what_is_typed_while_a_save_is_on_its_way_is_saved_although_another_patient_is_opened(
    office: Office, practice: Practice, room: Any, consultation: int, held: Any
) -> None:
    other = practice.book(practice.patient(), practice.at(11))
    save = held(drafts, "save")
    plan(room, "first words")
    room.editor.save()
    office.until(save.reached.is_set)
    plan(room, "first words and the last ones")
    room.open(row_of(practice, other))
    assert room.editor is None and room.unsaved
    save.go.set()
    office.until(lambda: on_server(practice, consultation) == {"plan": "first words and the last ones"}, "the last words arrive")
    office.until(lambda: not room._leaving, "the editor that was left is gone")
    assert room.unsaved == ""


def test_opened_again_before_it_was_saved_it_is_as_it_was_left(
    office: Office, practice: Practice, room: Any, patient: str, held: Any
) -> None:
    other = practice.book(practice.patient(), practice.at(11))
    save = held(drafts, "save")
    plan(room, "not on the server")
    before = room.editor
    room.open(row_of(practice, other))
    office.until(save.reached.is_set)
    room.open(row_of(practice, appointment_of(practice, patient)))
    office.until(lambda: room.editor is not None, "it opens")
    assert room.editor is before and before.notes.notes() == {"plan": "not on the server"}
    save.go.set()
    office.until(lambda: not before.unsaved)
    assert room.right.currentWidget() is before


def test_the_same_patients_other_appointment_does_not_throw_the_draft_away(
    office: Office, practice: Practice, room: Any, patient: str, consultation: int
) -> None:
    later = practice.book(patient, practice.at(15))
    plan(room, "morning")
    room.open(row_of(practice, later))
    office.until(lambda: on_server(practice, consultation) == {"plan": "morning"})
    office.settle()
    assert room.editor is None and room.unsaved == ""


def test_looking_the_patient_up_keeps_her_consultation_open(office: Office, room: Any, patient: str) -> None:
    plan(room, "being written")
    editor = room.editor
    assert room.show_topic("patient", patient)
    office.settle()
    assert room.editor is editor and room.right.currentWidget() is editor and editor.isVisible()
    assert editor.notes.notes() == {"plan": "being written"}


def test_a_second_answer_to_opening_does_not_replace_what_is_typed(practice: Practice, room: Any, consultation: int) -> None:
    plan(room, "being written")
    with practice.read("dora") as session:
        room._show_editor(consultations.open_sheet(session, consultation))
    assert room.editor.notes.notes() == {"plan": "being written"}


def test_nothing_can_be_typed_between_signing_and_the_answer(office: Office, room: Any, held: Any) -> None:
    sign = held(consultations, "complete")
    plan(room, "signed text")
    office.click(room.editor.complete_button)
    office.until(sign.reached.is_set)
    note = room.editor.notes.editor("plan")
    assert not note.isEnabled() and not room.editor.complete_button.isEnabled()
    sign.go.set()
    office.until(lambda: room.editor is None, "completed")


def test_a_refused_signature_gives_the_fields_back_and_saves_what_stands_there(
    office: Office, practice: Practice, room: Any, consultation: int
) -> None:
    plan(room, "kept")
    office.fill(room.editor.vitals.editor("pulse"), "400")
    office.click(room.editor.complete_button)
    office.until(lambda: "Not completed" in room.editor.state.text())
    assert room.editor.notes.editor("plan").isEnabled() and room.editor.vitals.editor("pulse").hasFocus()
    office.until(lambda: on_server(practice, consultation) == {"plan": "kept"}, "the draft goes on saving itself")


def test_leaving_while_it_is_being_signed_says_how_it_ended(office: Office, practice: Practice, room: Any, held: Any) -> None:
    told: list[str] = []
    room.desk.told.connect(lambda words, _undo: told.append(words))
    other = row_of(practice, practice.book(practice.patient(), practice.at(11)))
    sign = held(consultations, "complete")
    plan(room, "signed text")
    office.click(room.editor.complete_button)
    office.until(sign.reached.is_set)
    room.open(other)
    sign.go.set()
    office.until(lambda: told == ["Visit of Adler, Ana completed and signed."])
    assert room.patient_id == other.patient_id, "the page of the next patient stays"


def test_signed_in_another_window_the_text_stays_readable_and_there_is_a_way_on(
    office: Office, practice: Practice, room: Any, consultation: int
) -> None:
    with practice.write("dora") as session:
        consultations.complete(session, consultation, ConsultationDraft(notes={"plan": "signed there"}), 0)
    plan(room, "typed here")
    room.editor.save()
    editor = room.editor
    office.until(lambda: "signed already" in editor.state.text())
    assert editor.notes.notes() == {"plan": "typed here"} and editor.notes.editor("plan").isReadOnly()
    assert not editor.complete_button.isVisible() and not editor._timer.isActive() and room.unsaved == ""
    office.click(editor.close_button)
    office.until(lambda: room.row is not None and room.row.status == "completed", "the signed visit shows")
    assert room.editor is None


def test_a_signature_whose_answer_was_lost_is_not_asked_for_again_and_again(
    office: Office, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(room, "signed, but nobody heard")
    lost = lose_the_answer(monkeypatch, room.desk)
    office.click(room.editor.complete_button)
    office.until(lambda: "Not completed" in room.editor.state.text() and lost)
    office.click(room.editor.complete_button)
    office.until(lambda: "signed already" in room.editor.state.text())
    office.click(room.editor.close_button)
    office.until(lambda: room.editor is None and room.row.status == "completed")


def lose_the_answer(monkeypatch: pytest.MonkeyPatch, desk: Any) -> list[bool]:
    """Once: the transaction is committed, and the connection is lost before the answer comes."""
    lost: list[bool] = []
    perform = desk._clinic.perform

    def losing(token: str, work: Any) -> Any:
        result = perform(token, work)
        if not lost:
            lost.append(True)
            raise Unavailable("documents", "The connection was lost.")
        return result

    monkeypatch.setattr(desk._clinic, "perform", losing)
    return lost


def test_a_save_whose_answer_was_lost_is_no_conflict(
    office: Office, practice: Practice, room: Any, consultation: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = lose_the_answer(monkeypatch, room.desk)
    plan(room, "saved, but nobody heard")
    room.editor.save()
    office.until(lambda: lost and "Not saved yet" in room.editor.state.text())
    room.editor.save()
    office.until(lambda: not room.editor.unsaved, "found to be saved already")
    assert not room.editor.compare_button.isVisible()
    plan(room, "and more")
    room.editor.save()
    office.until(lambda: on_server(practice, consultation) == {"plan": "and more"})


@pytest.mark.parametrize(("choice", "result"), [("mine", "mine"), ("theirs", "theirs"), ("both", "theirs\nmine")])
def test_another_windows_text_is_asked_about_and_neither_is_lost_unasked(
    office: Office, practice: Practice, room: Any, consultation: int, choice: str, result: str
) -> None:
    with practice.write("dora") as session:
        drafts.save(session, consultation, ConsultationDraft(notes={"plan": "theirs"}), 0)
    plan(room, "mine")
    room.editor.save()
    office.until(room.editor.compare_button.isVisible, "she is asked")
    assert on_server(practice, consultation) == {"plan": "theirs"} and room.editor.notes.notes() == {"plan": "mine"}
    office.click(room.editor.compare_button)
    sheet = office.sheet(TwoVersionsSheet)
    sheet.choose_all(choice)
    office.click(sheet.verb_button)
    office.until(lambda: not room.editor.unsaved)
    assert on_server(practice, consultation) == room.editor.notes.notes() == {"plan": result}


def test_an_unconfirmed_unusual_value_can_still_be_confirmed_after_a_refused_signature(office: Office, room: Any) -> None:
    form = room.editor.vitals
    plan(room, "x")
    for name, typed in (("systolic", "232"), ("diastolic", "96")):
        office.fill(form.editor(name), typed)
    office.click(room.editor.complete_button)
    office.until(lambda: "Not completed" in room.editor.state.text())
    for name in ("systolic", "diastolic"):  # the value itself, then the distance between the two
        action = form._cells[name].action
        assert action.isVisible(), "the way on stands at the field"
        room.editor._area.ensureWidgetVisible(action)
        office.click(action)
        office.click(room.editor.complete_button)
        office.settle()
    office.until(lambda: room.editor is None, "completed")


def test_another_time_after_a_lost_answer_is_another_booking_never_the_old_one(
    office: Office, practice: Practice, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = tomorrow(office, office.open("rita"))
    office.click(desk.calendar.viewport(), place(desk, practice.doctors["dora"], practice.at(9)), double=True)
    sheet = office.sheet(BookingSheet)
    choose(office, sheet, "adler")
    lost = lose_the_answer(monkeypatch, desk.desk)
    office.click(sheet.verb_button)
    office.until(lambda: lost and sheet.verb_button.isEnabled(), "refused, the sheet stays")
    sheet._set_start(practice.at(10))
    sheet._changed()
    office.settle()
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: practice.at(10) in {b.starts_at for b in desk.schedule.blocks}, "what was asked for last is booked")


def test_a_clash_that_could_not_be_looked_for_is_said(
    office: Office, practice: Practice, patient: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = tomorrow(office, office.open("rita"))

    def broken(*_: Any) -> None:
        raise Unavailable("documents", "This cannot be read now.")

    monkeypatch.setattr(appointments, "clashes_of_patient", broken)
    office.click(desk.calendar.viewport(), place(desk, practice.doctors["dora"], practice.at(9)), double=True)
    sheet = office.sheet(BookingSheet)
    choose(office, sheet, "adler")
    office.until(lambda: "cannot be checked" in sheet.warning.text())
    sheet._discard()


def words_of(table: Any) -> str:
    return str(table._empty._sentence.text())


@pytest.mark.parametrize("module", [papers, records], ids=["papers", "records"])
def test_a_list_that_cannot_be_read_never_says_that_there_is_nothing(
    office: Office, room: Any, monkeypatch: pytest.MonkeyPatch, module: Any
) -> None:
    table = room.chart.papers.table if module is papers else room.chart.records.table
    assert words_of(table) in {"No papers yet.", "No records yet."} or table.rows

    def broken(*_: Any) -> None:
        raise Unavailable("documents", "This cannot be read now.")

    monkeypatch.setattr(module, "of_patient", broken)
    room.chart.refresh()
    office.until(lambda: words_of(table) == "This cannot be read now.")
    monkeypatch.undo()
    room.chart.refresh()
    office.until(lambda: words_of(table) != "This cannot be read now.")


def test_a_record_on_its_way_never_appears_under_the_next_patient(office: Office, practice: Practice, room: Any, held: Any) -> None:
    other = practice.book(practice.patient(), practice.at(11))
    reading = held(records, "read")
    view = room.chart.records
    view.table.select(view.table.rows[0].id)
    office.until(reading.reached.is_set)
    room.open(row_of(practice, other))
    reading.go.set()
    office.settle()
    assert view._words.text() == "Choose a record to read it."


def test_a_remark_stays_with_the_record_it_was_typed_for(office: Office, practice: Practice, patient: str, room: Any) -> None:
    with practice.write("dora") as session:
        ids = [records.add(session, patient, "letter", f"Letter {n}", "text") for n in range(2)]
    view = room.chart.records
    room.chart.refresh()
    room.chart.tabs.setCurrentWidget(view)
    office.until(lambda: view.table.select(ids[1]) and view.table.select(ids[0]), "both are listed")
    office.settle()
    view._remark.setPlainText("seen by me")
    view.table.select(ids[1])
    office.settle()
    assert view._remark.toPlainText() == ""
    view.table.select(ids[0])
    office.settle()
    assert view._remark.toPlainText() == "seen by me"
    office.click(view._add)
    office.until(lambda: "seen by me" in view._words.text())
    assert view._remark.toPlainText() == ""


def test_a_chart_opened_alone_is_as_live_as_one_of_an_appointment(office: Office, practice: Practice, patient: str) -> None:
    practice.book(patient, practice.at(9))
    window = office.open("dora")
    room = office.panel(window, "consulting")
    room.show_topic("patient", patient)
    office.until(lambda: room.banner.banner is not None)
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "Penicillin")
    office.until(lambda: room.banner.banner.allergies == ("Penicillin",), "the banner follows by itself")


def test_a_start_that_comes_too_late_shows_what_has_become_of_the_appointment(office: Office, practice: Practice, patient: str) -> None:
    made = practice.book(patient, practice.at(9))
    practice.step(made, "arrived")
    room = consulting(office, office.open("dora"), made)
    room._live.watch("nothing")
    with practice.write("rita") as session:
        row = appointments.one(session, made)
        later = (row.starts_at + timedelta(minutes=30), row.ends_at + timedelta(minutes=30))
        appointments.move(session, made, row.doctor_id, *later, row.version)
    office.click(room.start_button)
    office.until(lambda: room.row.version > row.version, "the newer appointment is read")
    office.settle()
    office.click(room.start_button)
    office.until(lambda: room.editor is not None, "and can be started")
