"""The clinic goes on while its own servers do not: a broken document store, a killed server, and the way back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from clinicdesk.clinic import Clinic, open_clinic
from clinicdesk.errors import ClinicError, Unavailable
from clinicdesk.jobs.worker import deliver_all
from clinicdesk.services import visits
from clinicdesk.storage.processes import ServerState, wait_until
from tests.clinics import Practice, fill_template, test_settings
from tests.visiting import completed

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60.0


def command(folder: Path, *arguments: str, collection: str) -> tuple[int, str]:
    done = subprocess.run([sys.executable, "-m", "clinicdesk", *arguments, "--data-dir", str(folder)], capture_output=True, text=True,
                          cwd=ROOT, timeout=120, check=False, env={**os.environ, "MONGODB_COLLECTION_NAME": collection})
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


@contextmanager
def opened(folder: Path, collection: str, *, worker: bool) -> Iterator[Clinic]:
    settings = test_settings(folder).model_copy(update={"mongodb_collection_name": collection})
    clinic = open_clinic(settings, worker=worker)
    try:
        yield clinic
    finally:
        clinic.close()


def sources(practice: Practice, patient_id: str) -> list[str]:
    with practice.read("dora") as session:
        return [text.source for text in visits.read(session, visits.of_patient(session, patient_id))]


def undelivered(practice: Practice) -> int:
    with practice.read("dora") as session:
        return visits.undelivered(session)


def test_a_broken_document_store_costs_nothing(clinic_folder: Path) -> None:
    collection = "visits"
    with opened(clinic_folder, collection, worker=False) as clinic:
        doctors = fill_template(clinic)
        practice = Practice(clinic, doctors)
        patient_id = practice.patient()
        completed(practice, patient_id)
        assert deliver_all(clinic.worker_database) == 1
        assert sources(practice, patient_id) == ["documents"]
    store = clinic_folder / "documents" / "data"
    for file in store.iterdir():
        if file.is_file() and file.stat().st_size:
            file.write_bytes(b"\0" * 4096)

    with opened(clinic_folder, collection, worker=True) as clinic:
        assert clinic.servers is not None
        assert clinic.servers.embedded is not None
        trouble = clinic.servers.embedded.documents_trouble
        assert trouble is not None
        assert trouble.code == "documents_broken"
        practice = Practice(clinic, doctors)
        completed(practice, patient_id, hour=10)
        assert sources(practice, patient_id) == ["database", "database"]
        assert undelivered(practice) == 1
        with pytest.raises(Unavailable):
            clinic.documents.ping()

    returned, said = command(clinic_folder, "check", "--json", collection=collection)
    assert returned == 1
    report = json.loads(said)
    found = [check for check in report["checks"] if check["name"] == "documents"]
    assert [check["code"] for check in found] == ["documents_broken"]
    assert "clinicdesk documents rebuild" in found[0]["advice"]
    assert any(check["name"] == "database" and check["ok"] for check in report["checks"])
    returned, said = command(clinic_folder, "documents", "status", collection=collection)
    assert returned == 1
    assert "2 visits in the database; 1 wait" in said

    returned, said = command(clinic_folder, "documents", "rebuild", collection=collection)
    assert returned == 0, said
    assert "2 visits were sent" in said
    aside = list((clinic_folder / "documents").glob("aside-*"))
    assert len(aside) == 1
    assert any(file.is_file() and file.read_bytes() == b"\0" * 4096 for file in aside[0].iterdir()), "the old store was touched"
    returned, said = command(clinic_folder, "documents", "status", "--json", collection=collection)
    assert (returned, json.loads(said)) == (0, {"ok": True, "visits": 2, "waiting": 0, "documents": 2, "problem": "", "attachments": 0,
                                                "attachments_waiting": 0, "attachments_stored": 0})
    with opened(clinic_folder, collection, worker=False) as clinic:
        assert sources(Practice(clinic, doctors), patient_id) == ["documents", "documents"]


@pytest.mark.parametrize("server", ["documents", "postgresql"])
def test_a_killed_server_is_started_again_by_itself(clinic_folder: Path, server: str) -> None:
    with opened(clinic_folder, "visits", worker=True) as clinic:
        practice = Practice(clinic, fill_template(clinic))
        patient_id = practice.patient()
        practice.token("dora")
        before = ServerState.read(clinic_folder / "run" / f"{server}.json")
        assert before is not None
        os.kill(before.pid, signal.SIGKILL)

        def back() -> bool:
            now = ServerState.read(clinic_folder / "run" / f"{server}.json")
            try:
                with practice.read("dora"):
                    clinic.documents.ping()
            except ClinicError:
                return False
            return now is not None and now.pid != before.pid and now.port == before.port

        assert wait_until(back, PATIENCE), "the server did not come back"
        completed(practice, patient_id)
        assert wait_until(lambda: undelivered(practice) == 0, PATIENCE)
        assert sources(practice, patient_id) == ["documents"]


def test_a_server_stopped_on_purpose_stays_stopped(clinic_folder: Path) -> None:
    with opened(clinic_folder, "visits", worker=False) as clinic:
        assert clinic.servers is not None
        assert clinic.servers.embedded is not None
        embedded = clinic.servers.embedded
        assert not clinic.servers.needs_reviving()
        embedded.stop_documents()
        assert embedded.running() == {"database": True, "documents": False}
        assert not clinic.servers.needs_reviving()
        clinic.servers.revive()
        assert embedded.running() == {"database": True, "documents": True}
        returned, said = command(clinic_folder, "server", "stop", "--force", collection="visits")
        assert returned == 0, said
        assert not clinic.servers.needs_reviving()
