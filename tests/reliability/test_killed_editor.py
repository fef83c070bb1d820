"""`kill -9` at random moments while keys are typed into the real editor: at most a second of them is lost, and nothing older ever.

Every round goes on with what the round before left behind, so that one lost or overwritten text would be missed in all that follow. The
moments are random anew in each run; the seed is printed with a failure.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from clinicdesk.clinic import Clinic, open_clinic
from clinicdesk.services import consultations
from clinicdesk.storage.processes import wait_until
from tests.clinics import KEY, Practice, fill_template, test_settings
from tests.reliability.editor_process import WORDS
from tests.visiting import started

ROOT = Path(__file__).parent.parent.parent
ROUNDS, ROUNDS_WITHOUT = 100, 10
#: The most that may be lost, in seconds of typing.
LOST_SECONDS = 1.0


class Typist:
    """One process that forks an editor for each round."""

    def __init__(self, practice: Practice, appointment: int, consultation: int, folder: Path) -> None:
        self.practice, self.appointment, self.consultation, self.folder = practice, appointment, consultation, folder
        self.kept = ""  # what is known to be safe after the rounds so far
        self.seconds_lost: list[float] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.reliability.editor_process"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
        assert self._said() == ["ready"]

    def _said(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.stdout is not None
        self._process.wait(30)
        self._process.stdout.close()

    def round(self, number: int, seconds: float, meanwhile: Callable[[], object] = lambda: None,
              afterwards: Callable[[], object] = lambda: None) -> None:
        """Open, type for so long, `meanwhile`, kill; then `afterwards` and look what is there."""
        log = self.folder / f"typed-{number}.log"
        addresses = self.practice.clinic.addresses
        job = {"folder": str(self.folder), "addresses": asdict(addresses), "appointment": self.appointment, "log": str(log)}
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        word, pid = self._said()
        assert word == "child"
        assert wait_until(lambda: log.exists() and log.stat().st_size > 0, 30), "the editor opens"
        first = time.monotonic()
        meanwhile()
        wait_until(lambda: time.monotonic() >= first + seconds, seconds + 1)
        killed = time.monotonic()
        os.kill(int(pid), signal.SIGKILL)
        assert self._said() == ["gone", str(int(signal.SIGKILL))]
        afterwards()
        self._look(log, killed)

    def _look(self, log: Path, killed: float) -> None:
        typed = [line.split() for line in log.read_text().splitlines()]
        states = [(int(letters), int(weight), float(at)) for letters, weight, at in typed]
        assert states[0][0] == len(self.kept), "the editor opened with everything that was safe"
        with self.practice.read("dora") as session:
            sheet = consultations.open_sheet(session, self.consultation)
        versions = [one.draft for one in sheet.undecided] or [sheet.saved.draft]
        assert len(versions) == 1, "one text is asked about, not two"
        note, weight = versions[0].notes.get("subjective", ""), versions[0].vitals.get("weight")
        whole = (WORDS * (len(note) // len(WORDS) + 1))[: len(note)]
        assert note == whole, "what is there is what was typed, in order"
        assert note.startswith(self.kept), "nothing that was safe is gone"
        owed = max((letters for letters, _, at in states if at <= killed - LOST_SECONDS), default=len(self.kept))
        assert len(note) >= owed, f"{len(note)} letters are left, {owed} were typed more than {LOST_SECONDS} s before the end"
        after = [at for letters, _, at in states if letters > len(note)]
        self.seconds_lost.append(killed - after[0] if after else 0.0)
        weights = [w for letters, w, _ in states if w and letters <= len(note)]
        if weights:
            assert weight in {str(w) for w in weights[-2:]} | {str(40 + (len(note) // 10 * 10 + 10) % 100)}, "the vital sign goes with it"
        self.kept = note


@pytest.fixture
def clinic(clinic_folder: Path) -> Iterator[Clinic]:
    """Servers of this test alone, because they are going to be stopped."""
    from clinicdesk.clinic import store_key
    from clinicdesk.config import prepare_data_dir
    from clinicdesk.credentials import Credentials

    prepare_data_dir(clinic_folder)
    store_key(Credentials(clinic_folder), KEY)
    made = open_clinic(test_settings(clinic_folder), worker=False)
    yield made
    made.close()


@pytest.fixture
def typist(clinic: Clinic, clinic_folder: Path) -> Iterator[Typist]:
    practice = Practice(clinic, fill_template(clinic))
    patient = practice.patient(first_name="Ana", last_name="Adler")
    consultation = started(practice, patient)
    with practice.read("dora") as session:
        appointment = consultations.open_sheet(session, consultation).appointment.id
    made = Typist(practice, appointment, consultation, clinic_folder)
    yield made
    made.close()


def moments(count: int, long: float) -> list[float]:
    """How long is typed in each round: `long` is the share that lasts longer than what may be lost, so that a late journal shows."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    return [dice.uniform(1.1, 2.2) if dice.random() < long else dice.uniform(0.0, 0.6) for _ in range(count)]


def report(what: str, typist: Typist) -> None:
    lost = sorted(typist.seconds_lost)
    middle = lost[len(lost) // 2]
    print(f"{what}: {len(lost)} kills, {len(typist.kept)} letters, lost at most {lost[-1]:.2f} s, in the middle {middle:.2f} s")


@pytest.mark.timeout(600)
def test_a_killed_editor_loses_at_most_a_second(typist: Typist) -> None:
    for number, seconds in enumerate(moments(ROUNDS, 0.2)):
        typist.round(number, seconds)
    report("both servers up", typist)
    assert len(typist.kept) > ROUNDS * 5, "the rounds did type"


@pytest.mark.parametrize("server", ["database", "documents"])
def test_so_does_one_whose_server_has_been_stopped(typist: Typist, clinic: Clinic, server: str) -> None:
    embedded: Any = clinic.servers and clinic.servers.embedded
    stop = embedded._postgres.stop if server == "database" else embedded.stop_documents

    def again() -> None:
        embedded.start()
        assert all(embedded.running().values())
        clinic.database.engine.dispose()  # this process's own connections ended with the server

    for number, seconds in enumerate(moments(ROUNDS_WITHOUT, 0.8)):
        typist.round(number, seconds, stop, again)
    report(f"{server} stopped", typist)
    assert len(typist.kept) > ROUNDS_WITHOUT * 5
