"""What must be true after an older backup is put in place: who was erased since stays erased, and the log explains itself."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from clinicdesk import backups, erasures_known, key_change, restoring
from clinicdesk.clinic import open_clinic, store_key
from clinicdesk.config import load_settings
from clinicdesk.credentials import Credentials
from clinicdesk.errors import ClinicError
from clinicdesk.services import auditing, erasing, patients
from clinicdesk.storage.backup_file import WrongKey
from tests.clinics import KEY, PASSWORD
from tests.reliability.test_backup import Saved, read_all, saved
from tests.security.test_key_change import run
from tests.visiting import as_owner, completed

__all__ = ["saved"]


def test_who_was_erased_after_the_backup_stays_erased_and_the_log_says_that_it_was_restored(saved: Saved) -> None:
    practice, gone = saved.practice, saved.practice.patient(last_name="Verweht", ssn="123-45-6789")
    with practice.clinic.worker_database.write() as session:
        assert auditing.anchor(session)
    path = saved.back_up()
    with practice.write("ada") as session:
        erasing.erase(session, gone, gone, "request")
    with practice.clinic.worker_database.write() as session:
        assert auditing.anchor(session), "an anchor that knows more than the backup"
    store_key(Credentials(saved.clinic.settings.data_dir), KEY)
    (saved.clinic.settings.data_dir / "postgresql").mkdir()  # a folder with a database of its own has seen every erasure
    back = restoring.restore(path, saved.folder / "back", KEY, saved.clinic.settings)
    assert back.erased == 1 and not back.caution
    with closing(open_clinic(load_settings(data_dir=back.data_dir), worker=False)) as clinic:
        with clinic.read(clinic.sign_in("ada", PASSWORD).token) as session:
            assert patients.card(session, gone).last_name == "Erased"
            assert [line.patient_id for line in erasing.ledger(session)] == [gone]
        with clinic.worker_database.read() as session:
            proof = auditing.prove(session, [back.data_dir / auditing.ANCHORS])
        assert proof.verdict.intact, proof.verdict.findings
        assert len(proof.restored) == 1 and proof.verdict.anchors >= 3


def test_a_restore_on_a_new_computer_says_that_erasures_are_not_known_there_and_signs_everybody_out(saved: Saved) -> None:
    path, begun = saved.back_up(), saved.practice.signed_in
    back = restoring.restore(path, saved.folder / "back", KEY, load_settings(data_dir=saved.folder / "new computer"))
    assert "no ledger of erasures" in back.caution and begun
    with closing(open_clinic(load_settings(data_dir=back.data_dir), worker=False)) as clinic, clinic.as_owner() as session:
        assert session.scalar(text("select count(*) from auth.sessions where ended_at is null")) == 0
        assert session.scalar(text("select count(*) > 0 from auth.sessions"))


def test_a_workstation_asks_the_servers_for_the_ledger_and_says_when_they_do_not_answer(saved: Saved) -> None:
    practice, gone = saved.practice, saved.practice.patient()
    path = saved.back_up()
    with practice.write("ada") as session:
        erasing.erase(session, gone, gone, "request")
    with practice.clinic.worker_database.write() as session:
        erasing.drop_documents(session, [gone], [])
    desk = saved.folder / "workstation"
    desk.mkdir()
    store_key(Credentials(desk), KEY)
    own, there = saved.clinic.settings, saved.clinic.addresses
    away = load_settings(data_dir=desk, database_url="postgresql://nobody:x@127.0.0.1:1/clinic", mongodb_uri="mongodb://127.0.0.1:1/")
    back = restoring.restore(path, saved.folder / "without", KEY, away)
    assert back.erased == 0 and "no ledger" in back.caution
    beside = load_settings(data_dir=desk, mongodb_uri=there.documents, mongodb_db_name=own.mongodb_db_name,
                           mongodb_collection_name=own.mongodb_collection_name)
    assert erasures_known.gather(beside, own=True).whole
    within = load_settings(data_dir=desk, database_url=there.worker, mongodb_uri="mongodb://127.0.0.1:1/")
    back = restoring.restore(path, saved.folder / "with", KEY, within)
    assert back.erased == 1 and not back.caution


def test_a_backup_opens_whatever_became_of_the_key(saved: Saved) -> None:
    """Before and after a change: with what this computer holds, with the kit of the time, and followed by an erasure under the new key."""
    clinic, practice, gone = saved.clinic, saved.practice, saved.practice.patient()
    completed(practice, saved.patient, hour=9, day=3)
    before = backups.back_up(clinic).path
    run(practice)
    new = clinic.vault.clinic_key
    with practice.write("ada") as session:
        erasing.erase(session, gone, gone, "request")
    after = backups.back_up(clinic).path
    assert {path for path, _ in backups.in_folder(clinic)} == {before, after}
    assert restoring.own_key(before, clinic.settings) == KEY and restoring.own_key(after, clinic.settings) == new != KEY
    assert backups.rehearse(clinic, before).ok and backups.rehearse(clinic, after).ok
    elsewhere = load_settings(data_dir=saved.folder / "new computer")
    for number, (path, key, settings, generation, erased) in enumerate((
            (after, new, elsewhere, 2, 0), (before, KEY, elsewhere, 1, 0), (before, KEY, clinic.settings, 2, 1))):
        back = restoring.restore(path, saved.folder / f"back {number}", key, settings)
        with closing(open_clinic(load_settings(data_dir=back.data_dir), worker=False)) as again:
            assert (again.vault.generation, back.erased) == (generation, erased)
            texts, files = read_all(again, saved.patient)
            assert all(text.intact for text in texts) and len(files) == 2
            with again.as_owner() as session:
                assert len(erasing.everywhere(session)) == (0 if generation == 1 else 1)
                assert key_change.unfinished(session) is None
    for path, key in ((after, KEY), (before, new)):
        with pytest.raises(WrongKey):
            restoring.restore(path, saved.folder / "wrong", key, elsewhere)
    assert not (saved.folder / "wrong").exists()


def test_a_ledger_that_was_tampered_with_stops_the_restore(saved: Saved) -> None:
    practice, gone = saved.practice, saved.practice.patient()
    path = saved.back_up()
    with practice.write("ada") as session:
        erasing.erase(session, gone, gone, "request")
    ledger = practice.clinic.settings.data_dir / erasing.LEDGER
    ledger.write_text(ledger.read_text(encoding="utf-8").replace(gone, saved.patient), encoding="utf-8")
    as_owner(practice, "select 1")
    with pytest.raises(ClinicError):
        restoring.restore(path, saved.folder / "back", KEY, saved.clinic.settings)
    assert not (saved.folder / "back").exists()
