"""The real disaster: the keyring is gone, or the folder stands on a new computer. The recovery kit opens everything again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clinicdesk import clinic_key
from clinicdesk.clinic import open_clinic
from clinicdesk.credentials import SECRETS_FILE, Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.jobs.worker import deliver_all, deliver_files
from clinicdesk.pdf.reading import page_pictures
from clinicdesk.rules.key_code import key_code
from clinicdesk.services import attachments, patients, visits
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.vault import new_key
from tests.clinics import Practice, fill_template, test_settings
from tests.reliability.test_clinic_key import command
from tests.visiting import CANARY, completed


def wrote(folder: Path, settings: object) -> tuple[str, str]:
    """A clinic with a sealed field, a delivered visit and a delivered file; the patient and the key's code."""
    clinic = open_clinic(settings, worker=False)  # type: ignore[arg-type]
    practice = Practice(clinic, fill_template(clinic))
    patient = practice.patient(ssn="078-05-1120")
    completed(practice, patient)
    with practice.write("dora") as session:
        attachments.add(session, NewAttachment(patient, "Letter", b"Words of a letter.\n" * 5, "letter.txt"))
    deliver_all(clinic.worker_database)
    deliver_files(clinic.worker_database)
    clinic.close()
    return patient, clinic_key.show(settings)  # type: ignore[arg-type]


def everything_is_readable(settings: object, patient: str) -> None:
    clinic = open_clinic(settings, worker=False)  # type: ignore[arg-type]
    try:
        practice = Practice(clinic, {}, numbers=50)
        with practice.read("rita") as session:
            assert patients.card(session, patient).ssn == "078-05-1120"
        with practice.read("dora") as session:
            (text,) = visits.read(session, visits.of_patient(session, patient))
            assert CANARY in str(text.notes) and text.source == "documents"
            (row,) = attachments.of_patient(session, patient)
            assert row.delivered and attachments.content(session, row.id).startswith(b"Words of a letter.")
        assert practice.patient().startswith("p_"), "and written"
    finally:
        clinic.close()


@pytest.mark.parametrize("still_running", [False, True], ids=["stopped", "left running"])
def test_secrets_lost_and_recovered(clinic_folder: Path, *, still_running: bool) -> None:
    settings = test_settings(clinic_folder)
    patient, code = wrote(clinic_folder, settings)
    if still_running:
        servers = EmbeddedServers(clinic_folder, Credentials(clinic_folder))
        servers.start()
        servers.keep_running()
        servers.stop()
    (clinic_folder / SECRETS_FILE).unlink()
    with pytest.raises(CannotStart) as refused:
        open_clinic(settings, worker=False)
    assert refused.value.code == "password_lost" and "recover" in refused.value.advice
    with pytest.raises(CannotStart) as refused:
        clinic_key.enter(settings, key_code(new_key()), recover=True)
    assert refused.value.code == "clinic_key", "the passwords are new, and the sealed records stay closed"
    with pytest.raises(CannotStart) as refused:
        open_clinic(settings, worker=False)
    assert refused.value.code == "clinic_key"
    assert clinic_key.enter(settings, code.lower(), recover=True)
    everything_is_readable(settings, patient)
    assert not clinic_key.enter(settings, code, recover=True), "again changes nothing"


def test_a_folder_moved_to_a_new_computer_and_the_kit_scanned(clinic_folder: Path, tmp_path: Path) -> None:
    settings = test_settings(clinic_folder)
    patient, _code = wrote(clinic_folder, settings)
    kit, scan = tmp_path / "kit.pdf", tmp_path / "scan.png"
    returned, said, _ = command(clinic_folder, "key", "kit", str(kit))
    assert returned == 0 and str(kit) in said and kit.stat().st_mode & 0o077 == 0, "it holds the key: nobody else reads it"
    returned, _, said = command(clinic_folder, "key", "kit", str(tmp_path / "no folder" / "kit.pdf"))
    assert returned == 2 and "cannot be written" in said
    page_pictures(kit.read_bytes(), 150)[0].rotate(2, expand=True, fillcolor=255).save(scan)
    moved = clinic_folder.with_name("new computer")
    shutil.move(clinic_folder, moved)
    try:
        for name in ("clinic.json", SECRETS_FILE):
            (moved / name).unlink()
        returned, _, said = command(moved, "recover", "--kit", str(tmp_path / "nothing.png"))
        assert returned == 2 and "cannot be read" in said
        returned, said, trouble = command(moved, "recover", "--kit", str(scan))
        assert returned == 0, trouble
        assert "now holds the key" in said and "Fingerprint" in said
        everything_is_readable(settings.model_copy(update={"data_dir": moved}), patient)
    finally:
        EmbeddedServers(moved, Credentials(moved)).stop_now()
        shutil.move(moved, clinic_folder)


def test_nobody_recovers_a_clinic_that_somebody_is_using(clinic_folder: Path) -> None:
    settings = test_settings(clinic_folder)
    clinic = open_clinic(settings, worker=False)
    try:
        code = clinic_key.show(settings)
        (clinic_folder / SECRETS_FILE).rename(clinic_folder / "kept")
        with pytest.raises(CannotStart) as refused:
            clinic_key.enter(settings, code, recover=True)
        assert refused.value.code == "busy"
    finally:
        (clinic_folder / "kept").replace(clinic_folder / SECRETS_FILE)
        clinic.close()
