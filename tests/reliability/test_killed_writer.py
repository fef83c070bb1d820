"""The application killed with -9 at a random moment of every kind of write: what it acknowledged is there, and nothing is there by half."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from clinicdesk.storage.processes import wait_until
from tests.clinics import Practice
from tests.reliability.conftest import Row
from tests.reliability.ledger import nothing_half_done, read, tally
from tests.reliability.writing import KINDS, rounds

ROOT = Path(__file__).parent.parent.parent
#: The longest a child writes before it is killed: several writes of the slowest kind.
LONGEST = 0.25


class Killer:
    """One process that forks a writer for each round."""

    def __init__(self, practice: Practice, folder: Path) -> None:
        self.practice, self.folder, self.ledgers = practice, folder, list[Path]()
        self._process = subprocess.Popen([sys.executable, "-m", "tests.reliability.writer_process"], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert self._said() == ["ready"]

    def _said(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def round(self, kind: str, seconds: float) -> None:
        """Write from the first line of the ledger on for so long, then kill."""
        number, clinic = len(self.ledgers), self.practice.clinic
        ledger = self.folder / f"ledger-{number}"
        self.ledgers.append(ledger)
        job = {"folder": str(self.folder), "collection": clinic.settings.mongodb_collection_name, "addresses": asdict(clinic.addresses),
               "doctor": self.practice.doctors["dora"], "tokens": {who: self.practice.token(who) for who in ("rita", "dora")},
               "kind": kind, "number": number, "ledger": str(ledger)}
        assert self._process.stdin is not None
        print(json.dumps(job), file=self._process.stdin, flush=True)
        word, pid = self._said()
        assert word == "child"
        begun = wait_until(lambda: ledger.exists() and kind.encode() in ledger.read_bytes(), 30, pause=0.002)
        if begun:
            wait_until(lambda: False, seconds, pause=0.001)
        os.kill(int(pid), signal.SIGKILL)
        assert self._said() == ["gone", str(int(signal.SIGKILL))]
        assert begun, f"{kind} begins"


@pytest.mark.timeout(600)
def test_killed_during_every_kind_of_write(practice: Practice, tmp_path: Path, row: Row) -> None:
    each = rounds(5, 24)
    killer, seed = Killer(practice, tmp_path), random.randrange(1 << 32)
    dice = random.Random(seed)
    print("seed", seed)
    try:
        for _ in range(each):
            for kind in KINDS:
                killer.round(kind, dice.uniform(0, LONGEST))
    finally:
        killer.close()
    found = tally(practice, read(*killer.ledgers))
    row("application killed with -9 in a write", each * len(KINDS), found.acknowledged, len(found.lost), len(found.doubled))
    found.holds()
    nothing_half_done(practice)
    assert set(found.kinds) >= set(KINDS), "every kind was acknowledged at least once"
