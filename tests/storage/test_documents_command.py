"""`clinicdesk documents` and `clinicdesk check` know the attachments: those that wait, those that are gone, those that were changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from clinicdesk.cli import app
from clinicdesk.clinic import open_clinic
from clinicdesk.config import Settings
from clinicdesk.jobs.worker import deliver_files
from clinicdesk.services.attachments import NewAttachment, add
from tests.clinics import Practice, fill_template, test_settings


def said(folder: Path, *words: str) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*words, "--data-dir", str(folder), "--json"])
    return done.exit_code, json.loads(done.stdout.strip().splitlines()[-1] if words[0] != "check" else done.stdout)


def in_settings(folder: Path) -> Settings:
    return test_settings(folder).model_copy(update={"mongodb_collection_name": "visit_history"})


def test_attachments_that_wait_are_gone_or_were_changed_are_told(clinic_folder: Path) -> None:
    clinic = open_clinic(in_settings(clinic_folder), worker=False)
    practice = Practice(clinic, fill_template(clinic))
    patient = practice.patient()
    practice.book(patient, practice.at(9))
    with practice.write("dora") as session:
        numbers = [add(session, NewAttachment(patient, "Letter", b"words")) for _ in range(3)]
    clinic.close()

    code, found = said(clinic_folder, "documents", "status")
    assert (code, found["attachments"], found["attachments_waiting"], found["attachments_stored"]) == (1, 3, 3, 0)
    code, found = said(clinic_folder, "check")
    assert found["undelivered_attachments"] == 3
    assert any(one["code"] == "undelivered_attachments" and one["level"] == "warning" for one in found["checks"])

    clinic = open_clinic(in_settings(clinic_folder), worker=False)
    assert deliver_files(clinic.worker_database) == 3
    clinic.close()
    code, found = said(clinic_folder, "documents", "status")
    assert (code, found["attachments_waiting"], found["attachments_stored"]) == (0, 0, 3)
    assert said(clinic_folder, "documents", "check") == (0, {"ok": True, "checked": 3, "broken": [], "problem": ""})

    clinic = open_clinic(in_settings(clinic_folder), worker=False)
    clinic.documents.drop_file(str(numbers[0]))
    clinic.documents.put_file(str(numbers[1]), [b"something else"])
    clinic.close()
    code, found = said(clinic_folder, "documents", "check")
    assert code == 1 and set(found["broken"]) == {str(numbers[0]), str(numbers[1])}
