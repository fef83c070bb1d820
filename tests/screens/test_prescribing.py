"""Prescribing by keys on a real clinic: the typed line, the alerts under it, the gate, renewing, stopping, and what fails loudly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinicdesk.errors import Unavailable
from clinicdesk.services import medication, safety
from clinicdesk.services.drafts import ConsultationDraft
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.rooms import allergic, opened_room, write
from tests.visiting import TABLET, as_owner, completed
from ui.consultation.medicines_view import MedicinesSection, StopSheet
from ui.dialogs.medicine import MedicineSheet
from ui.dialogs.wrong_allergy import WrongAllergySheet

ENTER, ESC, SPACE, DOWN = Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Space, Qt.Key.Key_Down


@pytest.fixture
def patient(practice: Practice) -> str:
    return practice.patient(first_name="Ana", last_name="Adler")


@pytest.fixture
def open_room(office: Office, practice: Practice, patient: str) -> Callable[[], Any]:
    """Opens Dora's consulting room with a consultation of the patient begun."""
    return partial(opened_room, office, practice, patient)


def test_f7_a_line_and_enter(office: Office, room: Any) -> None:
    window, line = room.window(), room.editor.prescription
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert line.quick.field.hasFocus()
    office.keys("amox 500 tid 7d")
    assert "Take 500 mg by mouth three times a day for 7 days." in line.quick.words.text()
    assert "21 capsules (twenty-one)" in line.quick.words.text()
    assert line.quick.unclear.text() == "" and line.items() == ()
    office.keys(ENTER)
    office.settle()
    (item,) = line.items()
    assert (item.medicine, item.strength, item.form, item.route, item.free_text) == ("amoxicillin", "500 mg", "capsule", "oral", False)
    assert line.quick.field.text() == "" and line.quick.field.hasFocus()


@pytest.fixture
def room(open_room: Callable[[], Any]) -> Any:
    return open_room()


def test_what_is_unclear_opens_the_form_with_what_was_understood(office: Office, room: Any) -> None:
    line = room.editor.prescription
    office.fill(line.quick.field, "pred 5 mg daily 5d")
    assert "prednisolone; prednisone" in line.quick.unclear.text()
    office.keys(ENTER)
    sheet = office.sheet(MedicineSheet)
    assert (sheet.item().medicine, sheet.item().dose_value, sheet.item().duration_days) == ("", "5", "5")
    sheet.form.set_value("medicine", "prednisolone")
    sheet._chosen("prednisolone")
    office.keys(ESC)
    sheet._discard()
    office.gone(sheet)
    assert line.items() == () and line.quick.field.text() == "pred 5 mg daily 5d", "what was typed stays"


def test_no_list_below_three_letters_and_nothing_chosen_beforehand(office: Office, room: Any) -> None:
    quick = room.editor.prescription.quick
    office.fill(quick.field, "me")
    popup = quick.completer.popup()
    assert not popup.isVisible()
    office.fill(quick.field, "metf")
    assert popup.isVisible() and not popup.currentIndex().isValid()
    shown = quick._names.stringList()
    assert shown[0] == "metFORMIN"
    QTest.keyClick(popup, DOWN)
    QTest.keyClick(popup, ENTER)
    office.until(lambda: quick.field.text() == "metformin ", "the stored name, not the shown letters")


def test_the_worst_is_overridden_by_a_reason_words_and_a_second_action_only(
    office: Office, practice: Practice, patient: str, open_room: Callable[[], Any]
) -> None:
    room = open_room()
    allergic(practice, patient)
    editor, line = room.editor, room.editor.prescription
    write(office, room, "amox 500 tid 7d")
    office.until(lambda: line.boxes and line.boxes[0].alert.tier == 1, "the alert shows")
    office.until(lambda: line.check.state == "found")
    office.click(editor.complete_button)
    office.until(lambda: "Signing needs a reason" in line.problem.text(), "signing is refused")
    assert as_owner(practice, "select count(*) from clinic.prescriptions") == [(0,)]
    office.settle()
    box = line.boxes[0]
    box.setFocus()
    office.keys(ENTER)
    assert box.chosen == "" and line.reasons() == ()
    assert not box.confirm.isEnabled(), "no reason is chosen beforehand"
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_2)
    assert box.chosen == "monitor" and box.typed.hasFocus() and not box.confirm.isEnabled()
    office.keys("took it in May", ENTER)
    assert line.reasons() == ()
    box.confirm.setFocus()
    office.keys(ENTER)
    assert line.reasons() == (), "Enter never overrides"
    QTest.keyClick(box.confirm, SPACE)
    office.settle()
    (given,) = line.reasons()
    assert (given.reason, given.words, given.confirmed) == ("monitor", "took it in May", True)
    office.until(lambda: editor.draft().reasons == (given,))
    editor.save()
    office.settle()
    office.click(editor.complete_button)
    office.until(lambda: room.editor is None, "it is signed")
    assert as_owner(practice, "select tier, reason from clinic.alert_overrides") == [(1, "monitor")]


def test_escape_takes_back_what_was_begun_and_then_the_medicine(
    office: Office, practice: Practice, patient: str, open_room: Callable[[], Any]
) -> None:
    room = open_room()
    allergic(practice, patient)
    line = room.editor.prescription
    write(office, room, "amox 500 tid 7d")
    office.until(lambda: bool(line.boxes))
    box = line.boxes[0]
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_1)
    office.keys("x", ESC)
    assert (box.chosen, box.typed.text(), len(line.items())) == ("", "", 1)
    QTest.keyClick(box, ESC)
    office.settle()
    assert line.items() == () and line.boxes == []


def test_a_wrong_entry_is_corrected_and_checked_again(
    office: Office, practice: Practice, patient: str, open_room: Callable[[], Any]
) -> None:
    room = open_room()
    allergic(practice, patient)
    line = room.editor.prescription
    write(office, room, "amox 500 tid 7d")
    office.until(lambda: bool(line.boxes))
    line.boxes[0].reasons["allergy_wrong"].click()
    sheet = office.sheet(WrongAllergySheet)
    office.until(sheet.verb_button.isEnabled)
    office.click(sheet.verb_button)
    assert sheet.isVisible(), "nothing is chosen beforehand"
    sheet.form.set_value("allergy", next(iter(sheet._rows)))
    office.fill(sheet.form.editor("reason"), "tolerated since")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: all(box.alert.tier > 1 for box in line.boxes), "it is checked again by itself")
    office.settle()


def test_what_cannot_be_checked_is_red_and_is_checked_when_the_server_answers(
    office: Office, room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line, real = room.editor.prescription, safety.checkup

    def away(*_: object) -> None:
        raise Unavailable("database", "The database cannot be reached.")

    monkeypatch.setattr(safety, "checkup", away)
    write(office, room, "amox 500 tid 7d")
    office.until(lambda: line.check.state == "failed", "it is said")
    assert line.check.isVisible() and "COULD NOT CHECK" in line.check.words.text() and line.check.property("alert") == "1"
    monkeypatch.setattr(safety, "checkup", real)
    room.desk._connected(up=True)
    office.until(lambda: line.check.state in {"clear", "found"}, "checked again by itself")


def test_a_changed_weight_asks_again(office: Office, room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    real = safety.checkup

    def watched(session: Any, patient_id: str, draft: ConsultationDraft) -> safety.Checkup:
        seen.append(draft.vitals.get("weight", ""))
        return real(session, patient_id, draft)

    monkeypatch.setattr(safety, "checkup", watched)
    office.fill(room.editor.vitals.editor("pulse"), "70")
    assert seen == []
    write(office, room, "amox 500 tid 7d")
    office.fill(room.editor.vitals.editor("weight"), "61")
    office.until(lambda: "61" in seen, "checked with the weight")
    office.settle()


def test_free_text_says_so(office: Office, room: Any) -> None:
    line = room.editor.prescription
    line._add(replace(TABLET, medicine="zzzzol", free_text=True))
    office.until(lambda: line.check.state == "found")
    assert any(box.alert.rule == "not-checked" for box in line.boxes)
    assert any(w.text() == "Free text: not checked." for w in line.findChildren(type(line.empty)))


class Keys:
    """Counts what a person presses; Alt and a letter are two keys."""

    def __init__(self, office: Office) -> None:
        self.office, self.pressed = office, 0

    def press(self, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        self.pressed += 1 + (modifier != Qt.KeyboardModifier.NoModifier)
        target = QApplication.focusWidget() or QApplication.activeWindow()
        QTest.keyClick(target, key, modifier)
        self.office.settle()


def test_repeating_all_long_term_medicines_takes_eight_keys_at_most(
    office: Office, practice: Practice, patient: str, open_room: Callable[[], Any]
) -> None:
    completed(practice, patient, ConsultationDraft(notes={"plan": "x"}, items=(replace(TABLET, long_term=True),)))
    room = open_room()
    keys = Keys(office)
    keys.press(Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    office.until(lambda: len(room.editor.prescription.items()) == 1, "the line stands there")
    assert room.editor.prescription.items()[0].renews
    office.until(lambda: room.editor.prescription.check.state in {"clear", "found"}, "it is checked like any other")
    keys.press(Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier)
    assert len(room.editor.prescription.items()) == 1, "each only once"
    keys.press(Qt.Key.Key_F9)
    office.until(lambda: room.editor is None, "it is signed")
    print(f"{keys.pressed - 2} keys")  # without the second Alt+R of this test
    assert keys.pressed - 2 <= 8
    assert as_owner(practice, "select count(*) from clinic.medicines where ended_on is null") == [(1,)]


def test_favourites_are_chosen_by_keys(office: Office, practice: Practice, room: Any) -> None:
    line = room.editor.prescription
    write(office, room, "amox 500 tid 7d for otitis media")
    line._star(0)
    office.until(lambda: bool(line.quick._favourites), "it is a favourite")
    keys = Keys(office)
    line.remove(0)
    keys.press(Qt.Key.Key_F7)
    keys.press(DOWN)
    popup = line.quick.completer.popup()
    office.until(popup.isVisible)
    QTest.keyClick(popup, DOWN)
    QTest.keyClick(popup, ENTER)
    office.until(lambda: len(line.items()) == 1, "it stands there")
    assert line.items()[0].indication == "otitis media"


def test_the_menu_repeats_an_old_prescription(office: Office, practice: Practice, patient: str, open_room: Callable[[], Any]) -> None:
    completed(practice, patient, ConsultationDraft(notes={"plan": "x"}, items=(TABLET,)))
    room = open_room()
    line = room.editor.prescription
    office.click(line.repeat.button)
    office.until(lambda: line.repeat.menu is not None and line.repeat.menu.isVisible(), "the menu opens")
    actions = [a for a in line.repeat.menu.actions() if not a.isSeparator()]
    assert not actions[0].isEnabled() and "(0)" in actions[0].text()
    actions[-1].trigger()
    line.repeat.menu.hide()
    office.until(lambda: line.items() == (TABLET,), "the old lines stand there")


def test_stopping_asks_why(office: Office, practice: Practice, patient: str, open_room: Callable[[], Any]) -> None:
    completed(practice, patient, ConsultationDraft(notes={"plan": "x"}, items=(replace(TABLET, long_term=True),)))
    room = open_room()
    section = room.chart.findChild(MedicinesSection)
    office.until(lambda: len(section.rows) == 1)
    section._stop(section.rows[0])
    sheet = office.sheet(StopSheet)
    office.click(sheet.verb_button)
    office.until(lambda: "why" in sheet.form.error("reason"), "a reason is asked for")
    sheet.form.set_value("reason", "side_effect")
    office.click(sheet.verb_button)
    office.gone(sheet)
    with practice.read("dora") as session:
        assert medication.current(session, patient) == []
        assert [s.reason for s in medication.stopped(session, patient)] == ["Side effect"]
    office.until(lambda: [s.rows for s in room.chart.findChildren(MedicinesSection) if s.isVisible()] == [[]], "the chart shows it")


def test_a_childs_dose_by_weight_is_shown_used_and_printed(office: Office, practice: Practice) -> None:
    child = practice.patient(first_name="Kit", born=str(practice.at(9, day=-1500).date()))
    room = opened_room(office, practice, child)
    line = room.editor.prescription
    line._finish(replace(TABLET, medicine="paracetamol", strength="120 mg in 5 mL", form="oral suspension", dose_value="", dose_unit="mL",
                         times_per_day="4", duration_days="3", indication="fever"))
    sheet = office.sheet(MedicineSheet)
    assert "weigh the child" in sheet.by_weight.words.text() and not sheet.by_weight.use_button.isEnabled()
    sheet.reject()
    office.fill(room.editor.vitals.editor("weight"), "12.4")
    line._finish(replace(TABLET, medicine="paracetamol", strength="120 mg in 5 mL", form="oral suspension", dose_value="", dose_unit="mL",
                         times_per_day="4", duration_days="3", indication="fever"))
    sheet = line.sheet
    office.until(sheet.isVisible)
    sheet.by_weight.per_kg.setText("15")
    assert sheet.by_weight.words.text().startswith("15 mg per kg × 12.4 kg = 186 mg; given as 8 mL.")
    sheet.by_weight.use_button.click()
    assert sheet.item().dose_value == "8" and sheet.item().dose_basis.startswith("15 mg per kg, 12.4 kg on ")
    sheet.by_weight.per_kg.setText("40")
    assert "More than the 15 mg per kg" in sheet.by_weight.warning.text()
    sheet.form.set_value("dose_value", "9")
    assert sheet.item().dose_basis == "", "another dose is not based on the weight"
    sheet.form.set_value("dose_value", "8")
    sheet.submit()
    office.gone(sheet)
    (item,) = line.items()
    assert item.dose_basis
    office.until(lambda: line.check.state in {"clear", "found"})
    office.settle()
    office.click(room.editor.complete_button)
    office.until(lambda: room.editor is None, line.problem.text() or "it is signed")


def test_an_adult_is_not_weighed(room: Any) -> None:
    room.editor.prescription.add()
    assert room.editor.prescription.sheet.by_weight is None


def test_rx_in_the_command_bar_prescribes_in_the_open_consultation(office: Office, room: Any) -> None:
    window = room.window()
    window.find_box.setFocus()
    office.fill(window.find_box, "rx amox 500 tid 7d")
    office.settle()
    hits = window.find_box._commands("rx amox 500 tid 7d")
    assert [hit.title.startswith("Prescribe amoxicillin — 500 mg — capsule, Take 500 mg by mouth") for hit in hits] == [True]
    window.find_box._chosen(hits[0].record)
    office.settle()
    assert [item.medicine for item in room.editor.prescription.items()] == ["amoxicillin"]
    assert window.find_box._commands("rx") != hits
