"""Backup, rehearsal and restore on real servers: what goes in comes out, whatever happens meanwhile."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from typer.testing import CliRunner

from clinicdesk import backups, restoring
from clinicdesk.cli import app
from clinicdesk.clinic import Clinic, open_clinic
from clinicdesk.config import load_settings
from clinicdesk.errors import CannotStart, ClinicError, NotAllowed
from clinicdesk.jobs.worker import deliver_all, deliver_files
from clinicdesk.rules.key_code import key_code
from clinicdesk.services import attachments, backup_proofs, visits
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.storage import backup_reading
from clinicdesk.storage.addresses import libpq_address
from clinicdesk.storage.backup_file import BackupDamaged, BackupWriter, WrongKey, frames, new_file, read_header
from tests.clinics import KEY, PASSWORD, Practice
from tests.conftest import open_folder
from tests.security.test_canaries import found_in
from tests.visiting import CANARY, as_owner, completed

TEXT = b"Befund: unauffaellig. Zwielichtfile7745\n"


@dataclass
class Saved:
    """A practice with a delivered and an undelivered visit and attachment of one patient, and somewhere to restore to."""

    practice: Practice
    patient: str
    files: list[UUID]
    folder: Path

    @property
    def clinic(self) -> Clinic:
        return self.practice.clinic

    def back_up(self, name: str = "one.cdbackup") -> Path:
        return backups.back_up(self.clinic, self.folder / name).path

    def restore(self, path: Path, into: str = "back", key: bytes = KEY) -> Path:
        return restoring.restore(path, self.folder / into, key, self.clinic.settings).data_dir


@pytest.fixture
def saved(practice: Practice) -> Iterator[Saved]:
    clinic = practice.clinic
    fingerprint = base64.b64encode(clinic.vault.fingerprint()).decode()
    as_owner(practice, "update clinic.settings set value = to_jsonb(%s::text), version = version + 1 where key = 'clinic_key'", fingerprint)
    patient, files = practice.patient(), []
    completed(practice, patient)
    with practice.write("dora") as session:
        files.append(attachments.add(session, NewAttachment(patient, "Delivered", TEXT * 60_000, "a.txt")))
    deliver_all(clinic.worker_database)
    deliver_files(clinic.worker_database)
    completed(practice, patient, hour=11)
    with practice.write("dora") as session:
        files.append(attachments.add(session, NewAttachment(patient, "Waiting", TEXT, "b.txt")))
    folder = open_folder("clinicdesk-backup-")
    yield Saved(practice, patient, files, folder)
    for path in sorted(folder.rglob("run")):
        restoring.remove_servers(path.parent)
    shutil.rmtree(folder)


def read_all(clinic: Clinic, patient: str) -> tuple[list[visits.VisitText], list[bytes]]:
    """Every visit and every attachment of a patient as her doctor reads them."""
    token = clinic.sign_in("dora", PASSWORD).token
    with clinic.read(token) as session:
        texts = visits.read(session, visits.of_patient(session, patient))
        return texts, [attachments.content(session, row.id) for row in attachments.of_patient(session, patient)]


def test_everything_is_readable_after_a_restore(saved: Saved) -> None:
    with psycopg.connect(libpq_address(str(saved.clinic.addresses.owner), options="-c search_path=jobs")) as connection:
        connection.execute("update procrastinate_jobs set status = 'doing' where id = (select max(id) from procrastinate_jobs)")
    path = saved.back_up()
    data_dir = saved.restore(path)
    with closing(open_clinic(load_settings(data_dir=data_dir), worker=False)) as clinic:
        texts, files = read_all(clinic, saved.patient)
        before, files_before = read_all(saved.clinic, saved.patient)
        assert [text.source for text in texts] == [text.source for text in before]
        assert sorted(text.source for text in texts) == ["database", "documents"]
        assert texts == before and all(text.intact for text in texts)
        assert CANARY in texts[0].notes["subjective"]
        assert files == files_before and sorted(map(len, files)) == [len(TEXT), len(TEXT) * 60_000]
        deliver_all(clinic.worker_database)
        deliver_files(clinic.worker_database)
        assert {text.source for text in read_all(clinic, saved.patient)[0]} == {"documents"}
        with clinic.as_owner() as session:
            assert session.rows(backup_proofs.text("select count(*) from jobs.procrastinate_jobs where status = 'doing'")) == [(0,)]
            noted = session.rows(backup_proofs.text("select action from audit.events where category = 'backup'"))
            assert [row[0] for row in noted] == ["restore"]


def test_nothing_readable_is_in_the_file(saved: Saved) -> None:
    path = saved.back_up()
    for word in (CANARY, "Zwielichtfile7745", "Maria", "Example1", saved.patient, "p_", PASSWORD):
        if word != "p_":
            assert found_in(path.parent, word) == [], word
    assert sorted(p.name for p in path.parent.iterdir()) == [path.name]


def test_a_damaged_file_is_refused_and_nothing_is_left(saved: Saved) -> None:
    path = saved.back_up()
    content = path.read_bytes()
    for place in (3, 100, 700, 5_000, len(content) // 2, len(content) - 2_000, len(content) - 1):
        changed = saved.folder / "changed"
        changed.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(BackupDamaged):
            saved.restore(changed)
        assert not (saved.folder / "back").exists()
    short = saved.folder / "short"
    short.write_bytes(content[: len(content) // 2])
    with pytest.raises(BackupDamaged):
        saved.restore(short)
    with pytest.raises(WrongKey):
        saved.restore(path, key=bytes(32))
    assert not (saved.folder / "back").exists()


def test_a_folder_with_anything_in_it_is_refused(saved: Saved) -> None:
    path = saved.back_up()
    into = saved.folder / "back"
    into.mkdir()
    (into / "letter.txt").write_text("mine")
    with pytest.raises(CannotStart, match="not empty"):
        saved.restore(path)
    assert [one.name for one in into.iterdir()] == ["letter.txt"]


def retouched(saved: Saved, path: Path, table: str) -> Path:
    """The same backup, sealed again by somebody with the clinic key, after a row of a table changed: its checksum no longer fits."""
    target, header = saved.folder / f"retouched{backups.SUFFIX}", read_header(path)
    with new_file(target) as file:
        writer = BackupWriter(file, saved.clinic.vault, taken_at=header.at, clinic_id=header.clinic_id, app_version=header.app_version,
                              schema_version=header.schema_version)
        for frame in frames(path, saved.clinic.vault):
            if frame.section == "manifest":
                frame.head["tables"][table][1] = "1-2"
            writer.add(frame.section, frame.head, frame.body)
        writer.finish()
    return target


def test_a_restore_that_differs_from_its_list_of_contents_is_undone(saved: Saved) -> None:
    with pytest.raises(BackupDamaged, match=r"clinic\.patients"):
        saved.restore(retouched(saved, saved.back_up(), "clinic.patients"))
    assert not (saved.folder / "back").exists()


def test_a_rehearsal_proves_and_a_changed_row_fails_it_loudly(saved: Saved) -> None:
    path = saved.back_up()
    token = saved.practice.token("ada")
    good = backups.rehearse(saved.clinic, path, token=token)
    assert good.ok and good.by == "Ada Admin"
    assert good.numbers["visits"] == [1, 1] and good.numbers["files"] == [1, 1] and good.numbers["opened"] == [2, 2]
    assert good.numbers["rows"][0] == good.numbers["rows"][1] > 50
    bad = backups.rehearse(saved.clinic, retouched(saved, path, "clinic.vitals"), token=token)
    assert not bad.ok
    assert any("clinic.vitals" in problem for problem in bad.numbers["problems"])
    assert list(saved.clinic.settings.data_dir.glob("rehearsal-*")) == []
    with saved.practice.read("ada") as session:
        assert [proof.ok for proof in backup_proofs.proofs(session)] == [False, True]
        assert backup_proofs.last_proof(session) == good.at
        for proof in (good, bad):
            assert backup_proofs.certificate(session, proof).startswith(b"%PDF")


def test_a_damaged_backup_is_an_outcome_of_a_rehearsal(saved: Saved) -> None:
    path = saved.back_up()
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    proof = backups.rehearse(saved.clinic, path)
    assert not proof.ok and "damaged" in proof.numbers["problems"][0]
    with saved.practice.read("ada") as session:
        assert backup_proofs.certificate(session, proof)


def test_only_an_administrator_records_a_proof(saved: Saved) -> None:
    new = backup_proofs.NewProof("a", 1, "0" * 64, saved.clinic.database.now(), ok=True, numbers={})
    for who in ("rita", "dora"):
        with pytest.raises(NotAllowed), saved.practice.write(who) as session:
            backup_proofs.store(session, new)
        with pytest.raises(NotAllowed), saved.practice.write(who) as session:
            backup_proofs.note_backup(session, 5)


def test_desks_go_on_writing_while_a_backup_is_taken(saved: Saved) -> None:
    practice, stop, made = saved.practice, threading.Event(), []

    def write() -> None:
        day = 2
        while not stop.is_set():
            for hour in range(8, 16):
                made.append(completed(practice, saved.patient, hour=hour, day=day))
                with practice.write("dora") as session:
                    attachments.add(session, NewAttachment(saved.patient, "More", TEXT, "c.txt"))
                if stop.is_set():
                    return
            day += 1

    def deliver() -> None:
        while not stop.is_set():
            deliver_all(saved.clinic.worker_database)
            deliver_files(saved.clinic.worker_database)

    threads = [threading.Thread(target=write), threading.Thread(target=deliver)]
    for thread in threads:
        thread.start()
    taken = []
    try:
        for number in range(3):
            before = len(made)
            while len(made) < before + 3:
                threads[0].join(0.01)
            taken.append(backups.back_up(saved.clinic, saved.folder / f"{number}.cdbackup"))
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert [one.manifest.missing for one in taken] == [[], [], []]
    data_dir = saved.restore(taken[1].path)
    with closing(open_clinic(load_settings(data_dir=data_dir), worker=False)) as clinic:
        texts, files = read_all(clinic, saved.patient)
        assert len(texts) >= 5 and all(text.intact for text in texts)
        assert all(TEXT in content for content in files)
        with clinic.as_owner() as session:
            counted = session.rows(backup_proofs.text("select count(*) from clinic.visit_outbox where delivered_at is not null"))
        assert counted[0][0] == clinic.documents.count() == taken[1].manifest.visits[0]


def test_stopping_leaves_nothing(saved: Saved) -> None:
    for word in ("Database", "Documents", "Checksums"):
        def stop(what: str, _done: int, _total: int, word: str = word) -> None:
            if what == word:
                raise restoring.Cancelled
        with pytest.raises(restoring.Cancelled):
            backups.back_up(saved.clinic, saved.folder / "stopped.cdbackup", stop)
        assert list(saved.folder.iterdir()) == []
    path = saved.back_up()
    for word in ("Checking the file", "Starting the databases", "Restoring", "Checksums"):
        def halt(what: str, _done: int, _total: int, word: str = word) -> None:
            if what == word:
                raise restoring.Cancelled
        with pytest.raises(restoring.Cancelled):
            restoring.restore(path, saved.folder / "back", KEY, saved.clinic.settings, halt)
        assert [one.name for one in saved.folder.iterdir()] == [path.name]
    with pytest.raises(restoring.Cancelled):
        backups.rehearse(saved.clinic, path, halt)
    assert list(saved.clinic.settings.data_dir.glob("rehearsal-*")) == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    if not hasattr(os, "geteuid") or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", str(folder)], check=False,
                                                    capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_harms_no_older_backup(saved: Saved, small_disk: Path) -> None:
    first = backups.back_up(saved.clinic, small_disk / "first.cdbackup").path
    older = first.read_bytes()
    (small_disk / "filler").write_bytes(b"x" * (shutil.disk_usage(small_disk).free - 1_000_000))
    with pytest.raises(ClinicError, match="no room left"):
        backups.back_up(saved.clinic, small_disk / "second.cdbackup")
    assert sorted(one.name for one in small_disk.iterdir()) == ["filler", "first.cdbackup"]
    assert first.read_bytes() == older
    backup_reading.check(first, saved.clinic.vault)


def test_a_document_that_is_missing_is_said(saved: Saved) -> None:
    saved.clinic.documents.drop_file(str(saved.files[0]))
    taken = backups.back_up(saved.clinic, saved.folder / "one.cdbackup")
    assert taken.manifest.missing == [str(saved.files[0])]
    proof = backups.rehearse(saved.clinic, taken.path)
    assert not proof.ok and any("could not be read" in problem for problem in proof.numbers["problems"])


def test_nights_and_weeks(saved: Saved) -> None:
    clinic = saved.clinic
    real = clinic.database.now()
    start = backups.last_night(real.astimezone(clinic.zone)) + timedelta(days=1)
    as_owner(saved.practice, "update auth.users set created_at = %s, version = version + 1", start - timedelta(hours=8))
    rehearsed, taken = 0, 0
    for hour in (*range(0, 24 * 6, 8), 24 * 19):  # and between them the computer was off
        clinic.database.now = lambda hour=hour: start + timedelta(hours=hour, minutes=5)  # type: ignore[misc]
        made, proof = backups.nightly(clinic)
        taken += made is not None
        rehearsed += proof is not None
    assert taken == 6 + 1 and len(backups.in_folder(clinic)) == taken
    assert rehearsed == 1


def test_fourteen_nights_and_the_first_of_each_month_are_kept(saved: Saved) -> None:
    clinic, folder = saved.clinic, backups.folder(saved.clinic.settings)
    start = clinic.database.now().replace(day=20, month=1, hour=12)
    for day in range(60):
        clinic.database.now = lambda day=day: start + timedelta(days=day)  # type: ignore[misc]
        header_only(clinic, backups.new_name(clinic))
    for _ in range(20):  # by hand, on the last day
        header_only(clinic, backups.new_name(clinic))
    strange = [folder / "clinicdesk-20200101-000000.cdbackup", folder / "holiday.cdbackup"]
    for path in strange:
        path.write_bytes(b"not ours")
    gone = backups.tidy(clinic)
    kept = sorted(path.name[11:19] for path, _ in backups.in_folder(clinic))
    days = 14 + 3 - (1 if start.replace(month=3, day=1) > start + timedelta(days=46) else 0)
    assert len(set(kept)) == days and len(kept) == days + 20 and len(gone) == 80 - len(kept), "backups by hand take no night's place"
    assert {f"{start:%Y}0120", f"{start:%Y}0201", f"{start:%Y}0301"} <= set(kept)
    assert all(path.exists() for path in strange)


def header_only(clinic: Clinic, path: Path) -> None:
    with new_file(path) as file:
        writer = BackupWriter(file, clinic.vault, taken_at=clinic.database.now(), clinic_id="", app_version="", schema_version="")
        writer.add("manifest", {})
        writer.finish()


def test_an_old_proof_is_an_alarm(saved: Saved) -> None:
    clinic = saved.clinic
    with saved.practice.read("ada") as session:
        assert backup_proofs.overdue(session) == "", "the clinic is new"
    real = clinic.database.now()
    clinic.database.now = lambda: real + timedelta(days=8)
    with saved.practice.read("ada") as session:
        assert "ever been proven" in backup_proofs.overdue(session)
    clinic.database.now = lambda: real
    backups.rehearse(clinic, saved.back_up())
    late = real + timedelta(days=5)
    clinic.database.now = lambda: late
    with clinic.as_owner() as session:  # an old file proven again is still an old file
        backup_proofs.store(session, backup_proofs.NewProof("old.cdbackup", 1, "0" * 64, real - timedelta(days=90), ok=True, numbers={}))
    for days, words in ((6, ""), (9, "9 days old")):
        clinic.database.now = lambda days=days: real + timedelta(days=days)  # type: ignore[misc]
        with saved.practice.read("ada") as session:
            said = backup_proofs.overdue(session)
            assert words in said and bool(said) == bool(words)


def test_the_commands_of_a_new_computer(saved: Saved, tmp_path: Path) -> None:
    """`restore` with the key typed from paper; then `backup`, `backup rehearse`, `backup verify` in the restored clinic."""
    path, back = saved.back_up(), saved.folder / "back"
    run = CliRunner().invoke
    wrong = run(app, ["restore", str(path), "--into", str(back), "--data-dir", str(tmp_path / "new")], input="ABCD\n")
    assert wrong.exit_code != 0 and not back.exists()
    done = run(app, ["restore", str(path), "--into", str(back), "--data-dir", str(tmp_path / "new"), "--json"], input=key_code(KEY))
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["attachments"] == 1
    here = ["--data-dir", str(back)]
    taken = run(app, ["backup", str(saved.folder / "again"), *here, "--json"])
    assert taken.exit_code == 0 and json.loads(taken.stdout)["visits"] == 1
    assert run(app, ["backup", "verify", str(saved.folder / "again"), *here]).exit_code == 0
    proved = run(app, ["backup", "rehearse", "--json", *here, "--certificate", str(saved.folder / "c.pdf")])
    assert proved.exit_code == 0 and json.loads(proved.stdout)["ok"] is True
    assert (saved.folder / "c.pdf").read_bytes().startswith(b"%PDF")
    broken = saved.folder / "again"
    content = broken.read_bytes()
    broken.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused = run(app, ["backup", "verify", str(broken), *here, "--json"])
    assert refused.exit_code == 1 and json.loads(refused.stdout)["ok"] is False


def test_a_settings_folder_takes_the_backups(saved: Saved) -> None:
    moved = saved.clinic.settings.model_copy(update={"backup_dir": saved.folder / "there"})
    assert backups.folder(moved) == saved.folder / "there"
