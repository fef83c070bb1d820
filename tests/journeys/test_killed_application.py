"""`kill -9` of the application in the middle of a consultation: the next process finds what was typed and completes the visit."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from clinicdesk.clinic import open_clinic
from clinicdesk.services import visits
from tests.clinics import ZONE, Practice, fill_template, test_settings
from tests.journeys.desk_process import WORDS

ROOT = Path(__file__).parent.parent.parent
#: The draft is in this computer's journal a quarter of a second after a key, and on the disk some milliseconds later.
LOST_SECONDS = 1.0


@contextmanager
def person_at(folder: Path, job: str, day: date) -> Iterator[subprocess.Popen[str]]:
    """The application with somebody at it; ended at the end whatever happened, because leaving a Popen waits for it without end."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "CLINICDESK_ZONE": ZONE}
    with subprocess.Popen([sys.executable, "-X", "faulthandler", "-m", "tests.journeys.desk_process", str(folder), job, day.isoformat()],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGABRT)  # says where every thread stands


def test_the_draft_outlives_the_application(clinic_folder: Path) -> None:
    settings = test_settings(clinic_folder).model_copy(update={"mongodb_collection_name": "visit_history"})
    clinic = open_clinic(settings, worker=False)
    practice = Practice(clinic, fill_template(clinic))
    patient_id = practice.patient(first_name="Ana", last_name="Adler")
    day = practice.at(9).date()  # said to the other process, which may begin after midnight
    practice.step(practice.book(patient_id, practice.at(9)), "arrived")
    clinic.close()

    typed: list[float] = []
    saved = 0
    with person_at(clinic_folder, "write", day) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            words = line.split()
            if words and words[0] == "typed":
                typed.append(float(words[2]))
                assert int(words[1]) == len(typed)
            saved += words[:1] == ["saved"]
            span = typed[-1] - typed[0] if typed else 0.0
            if (saved >= 2 and span > LOST_SECONDS + 2) or span > 30:
                break
        killed = time.monotonic()
        os.kill(writer.pid, signal.SIGKILL)
        rest = [line.split() for line in writer.stdout if line.startswith("typed")]
        typed.extend(float(words[2]) for words in rest if len(words) == 3)
    assert writer.returncode == -signal.SIGKILL

    with person_at(clinic_folder, "finish", day) as finisher:
        said, _ = finisher.communicate(timeout=120)
    assert finisher.returncode == 0, said
    lines = said.splitlines()
    assert lines[-1] == "completed"
    note = json.loads(next(line for line in lines if line.startswith("found")).removeprefix("found "))
    whole = (WORDS * (len(typed) // len(WORDS) + 1))[: len(typed)]
    assert whole.startswith(note), "the draft is what was typed, in order"
    owed = sum(1 for moment in typed if moment < killed - LOST_SECONDS)
    assert len(note) >= owed > 0, f"{len(note)} letters were kept, at least {owed} should be"

    clinic = open_clinic(settings, worker=False)
    try:
        practice = Practice(clinic, {})
        with practice.read("dora") as session:
            texts = visits.read(session, visits.of_patient(session, patient_id))
        assert [text.notes["subjective"] for text in texts] == [note.strip()]
    finally:
        clinic.close()
