"""The administrator prints a recovery kit, changes the clinic key and erases a patient, in the real windows."""

from __future__ import annotations

from pathlib import Path

from clinicdesk.pdf.reading import page_pictures
from clinicdesk.rules.key_code import KIT_PREFIX, read_key_code
from clinicdesk.services import patients
from clinicdesk.verifying.pictures import codes_in
from tests.clinics import KEY, Practice
from tests.screens.office import Office
from tests.visiting import as_owner
from ui.dialogs.erasing import EraseSheet
from ui.dialogs.keys import ChangeKeySheet


def test_the_reminder_stands_until_a_kit_was_made(office: Office, practice: Practice, tmp_path: Path) -> None:
    window = office.open("ada")
    overview = office.panel(window, "overview")
    said = [overview.attention.body.itemAt(n).widget() for n in range(overview.attention.body.count())]
    words = " ".join(w.text() for w in said if w is not None)
    assert "No recovery kit was ever made" in words and "no usable keyring" in words
    panel = office.panel(window, "keys")
    assert panel.reminder.isVisible() and "secrets.json" in panel.secrets.text()
    office.click(panel.kit_button)
    office.until(lambda: panel.kit.content)
    office.settle()
    assert read_key_code(codes_in(page_pictures(panel.kit.content, 150), KIT_PREFIX)[0]) == KEY
    panel.kit.preview.save_to(tmp_path / "kit.pdf")
    assert (tmp_path / "kit.pdf").stat().st_mode & 0o077 == 0
    panel.kit.close()
    office.until(lambda: not panel.reminder.isVisible())
    assert "by Ada Admin" in panel.facts.text()


def test_the_key_is_changed_stopped_and_gone_on_with(office: Office, practice: Practice) -> None:
    for _ in range(3):
        practice.patient()
    panel = office.panel(office.open("ada"), "keys")
    office.click(panel.change_button)
    sheet = office.sheet(ChangeKeySheet)
    panel.stop = lambda: None
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: as_owner(practice, "select count(finished_at) from clinic.clinic_keys") == [(1,)])
    office.until(panel.change_button.isEnabled)
    assert {r[0] for r in as_owner(practice, "select generation from clinic.patient_keys")} == {2}
    with practice.write("ada") as session:  # somebody began one more and went home
        from clinicdesk import key_change

        key_change.begin(session, practice.clinic.settings.data_dir)
    panel.refresh()
    office.until(lambda: panel.change_button.text() == "Go on")
    office.click(panel.change_button)
    office.until(lambda: as_owner(practice, "select count(finished_at) from clinic.clinic_keys") == [(2,)])
    office.until(lambda: panel.change_button.isEnabled() and panel.change_button.text() != "Go on")


def test_a_patient_is_erased_in_two_steps(office: Office, practice: Practice) -> None:
    patient = practice.patient()
    panel = office.panel(office.open("ada"), "patients")
    panel.show_topic("patient", patient)
    office.until(lambda: panel.card is not None)
    panel.erase(panel.card)
    sheet = office.sheet(EraseSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("number"), "nothing happens without the number")
    office.fill(sheet.form.editor("number"), patient)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("reason"))
    sheet.form.set_value("reason", "request")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.card.last_name == "Erased")
    with practice.read("rita") as session:
        assert patients.card(session, patient).phone == ""
