"""What must be true after an older backup is put in place: who was erased since stays erased, and the log explains itself."""

from __future__ import annotations

from contextlib import closing

import pytest
from sqlalchemy import text

from clinicdesk import restoring
from clinicdesk.clinic import open_clinic
from clinicdesk.config import load_settings
from clinicdesk.errors import ClinicError
from clinicdesk.services import auditing, erasing, patients
from tests.clinics import KEY, PASSWORD
from tests.reliability.test_backup import Saved, saved
from tests.visiting import as_owner

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
