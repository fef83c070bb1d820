"""Backups in the windows: the panel of an administrator, the red banner, and the wizard that restores."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clinicdesk import backups, restoring
from clinicdesk.rules.key_code import key_code
from clinicdesk.services import backup_proofs
from tests.clinics import KEY, Practice
from tests.conftest import open_folder
from tests.screens.office import Office
from tests.visiting import as_owner
from ui.dialogs.pdf_window import PdfWindow
from ui.dialogs.restoring import RestoreWizard
from ui.first_run import FirstRunWindow
from ui.starting import StartWindow
from ui.tasks import Pool
from ui.theme import Theme

LONG = 60.0


@pytest.fixture
def place() -> Iterator[Path]:
    folder = open_folder("clinicdesk-wizard-")
    yield folder
    for path in sorted(folder.rglob("run")):
        restoring.remove_servers(path.parent)
    shutil.rmtree(folder)


def give_key(practice: Practice) -> None:
    fingerprint = base64.b64encode(practice.clinic.vault.fingerprint()).decode()
    as_owner(practice, "update clinic.settings set value = to_jsonb(%s::text), version = version + 1 where key = 'clinic_key'", fingerprint)


def test_an_administrator_backs_up_rehearses_and_opens_the_certificate(office: Office, practice: Practice) -> None:
    panel = office.panel(office.open("ada"), "backups")
    assert panel.table.rows == [] and panel.banner.isHidden()
    office.click(panel.back_up_button)
    office.until(lambda: len(panel.table.rows) == 1, "the backup is listed", patience=LONG)
    assert panel.task.isHidden() and panel.back_up_button.isEnabled()
    assert not panel.certificate_button.isEnabled(), "nothing is proven yet"
    office.click(panel.rehearse_button)
    office.until(lambda: panel.table.rows[0].proof is not None, "it is proven", patience=LONG)
    assert panel.table.rows[0].proof.ok and panel.table.rows[0].proof.by == "Ada Admin"
    panel.table.select(panel.table.rows[0].path)
    office.settle()
    office.click(panel.certificate_button)
    window = office.sheet(PdfWindow)
    office.until(lambda: window.content.startswith(b"%PDF"))
    window.close()


def test_stopping_a_backup_leaves_none(office: Office, practice: Practice) -> None:
    panel = office.panel(office.open("ada"), "backups")
    panel.back_up()
    panel.task.cancel()
    office.until(panel.back_up_button.isEnabled, "it stopped", patience=LONG)
    office.settle()
    assert panel.table.rows == [] and panel.problem.isHidden()


def test_a_backup_that_fails_its_rehearsal_is_said_in_red(office: Office, practice: Practice) -> None:
    path = backups.back_up(practice.clinic).path
    path.write_bytes(path.read_bytes()[:-5])
    panel = office.panel(office.open("ada"), "backups")
    office.click(panel.rehearse_button)
    office.until(panel.problem.isVisible, "the failure is said", patience=LONG)
    assert "damaged" in panel.problem.text()
    office.until(lambda: panel.table.rows[0].proof is not None)
    assert not panel.table.rows[0].proof.ok


def test_the_red_banner_leads_to_the_panel_and_goes_with_a_proof(office: Office, practice: Practice) -> None:
    as_owner(practice, "update auth.users set created_at = created_at - interval '9 days', version = version + 1")
    ada = office.open("ada", backup_alarm=backup_proofs.overdue)
    office.until(ada.alarm.banner.isVisible, "the banner is there")
    assert "9 days old" in ada.alarm.banner.words.text()
    office.click(ada.alarm.banner.action)
    office.settle()
    panel: Any = ada.panel
    assert panel.key == "backups" and panel.banner.isVisible() and not ada.alarm.isVisible(), "said once"
    office.click(panel.banner.action)
    office.until(panel.banner.isHidden, "a proof ends the alarm", patience=LONG)
    ada.show_panel(0)
    office.until(ada.alarm.banner.isHidden, "in the window too")
    assert office.open("rita").alarm.isHidden()


def test_the_folder_is_kept(practice: Practice, office: Office, place: Path) -> None:
    token = practice.token("ada")
    backups.choose_folder(practice.clinic, place / "there", token=token)
    assert backups.folder(practice.clinic.settings) == place / "there"
    assert "there" in (practice.clinic.settings.data_dir / "clinicdesk.toml").read_text(encoding="utf-8")
    panel = office.panel(office.open("ada"), "backups")
    assert str(place / "there") in panel.place.accessibleName()
    with pytest.raises(Exception, match="cannot"):
        backups.choose_folder(practice.clinic, place, token=practice.token("rita"))


def test_the_wizard_of_a_new_computer(practice: Practice, theme: Theme, qtbot: Any, place: Path, tmp_path: Path) -> None:
    give_key(practice)
    path = backups.back_up(practice.clinic, place / "a.cdbackup").path
    settings = practice.clinic.settings.model_copy(update={"data_dir": tmp_path / "new"})
    settings.data_dir.mkdir()
    pool = Pool()
    wizard = RestoreWizard(theme, pool, settings)
    qtbot.addWidget(wizard)
    wizard.show()
    try:
        wizard.next_button.click()
        assert "Choose the backup file" in wizard.problem.text()
        wizard.file.setText(str(place / "nothing.cdbackup"))
        wizard.next_button.click()
        qtbot.waitUntil(lambda: "cannot be read" in wizard.problem.text(), timeout=5_000)
        wizard.file.setText(str(path))
        wizard.next_button.click()
        qtbot.waitUntil(lambda: wizard.pages.currentIndex() == 1, timeout=5_000)
        wizard.key.setText("ABCD")
        wizard.next_button.click()
        assert "not a clinic key" in wizard.problem.text()
        wizard.key.setText(key_code(bytes(32)))
        wizard.next_button.click()
        wizard.folder.setText(str(place / "back"))
        wizard.next_button.click()
        qtbot.waitUntil(lambda: "another clinic key" in wizard.problem.text(), timeout=20_000)
        wizard.back_button.click()
        wizard.next_button.click()
        qtbot.waitUntil(lambda: wizard.pages.currentIndex() == 1, timeout=5_000)
        wizard.key.setText(key_code(KEY).lower())
        wizard.next_button.click()
        wizard.next_button.click()
        qtbot.waitUntil(lambda: wizard.restored is not None, timeout=60_000)
        assert wizard.heading.text() == "The clinic is back" and str(place / "back") in wizard.outcome.text()
        assert (place / "back" / "postgresql").is_dir()
    finally:
        pool.close()


def test_it_can_be_reached_before_there_is_a_clinic(theme: Theme, qtbot: Any) -> None:
    pool = Pool(inline=True)
    first = FirstRunWindow(theme, pool, lambda *_: None)
    begun = StartWindow(pool, lambda _progress: (_ for _ in ()).throw(restoring.Cancelled()))
    for window in (first, begun):
        qtbot.addWidget(window)
        window.show()
        if isinstance(window, StartWindow):
            window.start()
        assert window.restore_button.isVisible()
        with qtbot.waitSignal(window.restore_requested):
            window.restore_button.click()
