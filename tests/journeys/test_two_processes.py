"""Two desks, two real processes with real windows, acting on the same day at once: nothing is lost, both calendars equal the database."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.clinics import Practice
from tests.journeys.two_desks_process import ACTIONS
from tests.visiting import as_owner

ROOT = Path(__file__).parent.parent.parent
NOW = "select id, doctor_id, starts_at, ends_at, status, version from clinic.appointments order by id"


@contextmanager
def desk_of(practice: Practice, username: str, seed: int, folder: Path, patients: list[str]) -> Iterator[subprocess.Popen[str]]:
    addresses = asdict(practice.clinic.addresses)
    task = {"addresses": {**addresses, "owner": None, "worker": None}, "folder": str(folder), "username": username, "patients": patients,
            "doctors": list(practice.doctors.values()), "day": practice.at(9).date().isoformat()}
    with subprocess.Popen([sys.executable, "-X", "faulthandler", "-m", "tests.journeys.two_desks_process", json.dumps(task), str(seed)],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, cwd=ROOT,
                          env={**os.environ, "QT_QPA_PLATFORM": "offscreen"}) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGABRT)  # says where every thread stands


def hears(process: subprocess.Popen[str], word: str, patience: float = 90.0) -> str:
    """The next line, which must begin with this word."""
    assert process.stdout is not None
    assert select.select([process.stdout], [], [], patience)[0], f"it does not say “{word}”"
    line = process.stdout.readline()
    assert line.startswith(word), line
    return line.removeprefix(word).strip()


def say(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(word + "\n")
    process.stdin.flush()


@pytest.mark.parametrize("seed", [11])
def test_two_desks_at_once_lose_nothing_and_both_show_what_is_stored(practice: Practice, tmp_path: Path, seed: int) -> None:
    patients = [practice.patient() for _ in range(10)]
    with ExitStack() as open_desks:
        desks = [open_desks.enter_context(desk_of(practice, name, seed + n, tmp_path, patients)) for n, name in enumerate(("rita", "sam"))]
        for desk in desks:
            hears(desk, "ready")
        for desk in desks:
            say(desk, "go")
        made = [json.loads(hears(desk, "done")) for desk in desks]
        stored: list[list[Any]] = [[*row[:2], row[2].astimezone(UTC), row[3].astimezone(UTC), *row[4:]] for row in as_owner(practice, NOW)]
        shown: list[Any] = []
        for desk in desks:
            deadline = time.monotonic() + 30
            while True:  # the last notices may still be on their way
                say(desk, "show")
                found = json.loads(hears(desk, "shows"))
                shown = [[b[0], b[1], datetime.fromisoformat(b[2]).astimezone(UTC), datetime.fromisoformat(b[3]).astimezone(UTC), *b[4:]]
                         for b in found]
                if shown == stored or time.monotonic() > deadline:
                    break
            assert shown == stored
        for desk in desks:
            say(desk, "end")
            assert desk.wait(60) == 0
    assert all(len(changes) > ACTIONS // 4 for changes in made)
    versions = [tuple(change) for changes in made for change in changes if change]
    assert len(versions) == len(set(versions)), "two desks made the same version: one wrote over what it had not seen"
    # Every line of the history raised its appointment's version by one, and the last line is how it stands.
    broken = as_owner(practice, """
        select a.id, a.version, count(e.id) from clinic.appointments a join clinic.appointment_events e on e.appointment_id = a.id
         group by a.id having count(e.id) <> a.version""")
    assert broken == []
    last = as_owner(practice, """
        select distinct on (e.appointment_id) e.appointment_id, (e.status, e.doctor_id, e.starts_at, e.ends_at, e.lane)
               = (a.status, a.doctor_id, a.starts_at, a.ends_at, a.lane) from clinic.appointment_events e
          join clinic.appointments a on a.id = e.appointment_id order by e.appointment_id, e.id desc""")
    assert all(same for _, same in last)
    assert as_owner(practice, """
        select count(*) from clinic.appointments x join clinic.appointments y
            on x.id < y.id and x.doctor_id = y.doctor_id and x.lane = y.lane
         and x.during && y.during and x.status not in ('cancelled', 'no_show') and y.status not in ('cancelled', 'no_show')""") == [(0,)]
