"""`kill -9` of the clinic's own servers under load, again and again: what was acknowledged is there once, and work goes on by itself."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from clinicdesk.clinic import open_clinic
from clinicdesk.errors import Unavailable
from clinicdesk.services import visits
from clinicdesk.storage.processes import ServerState, wait_until
from tests.clinics import Practice, fill_template, test_settings
from tests.reliability.conftest import Row
from tests.reliability.ledger import Ledger, nothing_half_done, read, seconds_until_written, tally
from tests.reliability.writing import Hand, beside, let_go, rounds
from tests.visiting import as_owner

LOAD = ("book", "move", "cancel", "register", "draft", "sign", "pay", "attach")
PATIENCE = 60.0
#: What a killed job left behind is found every minute (jobs/worker.py).
LEFT_BEHIND = 150.0


@pytest.fixture
def practice(clinic_folder: Path) -> Iterator[Practice]:
    """A clinic on servers of this test alone, with the settings of a real one (every commit is on the disk) and its worker."""
    settings = test_settings(clinic_folder).model_copy(update={"mongodb_collection_name": "visit_history"})
    clinic = open_clinic(settings)
    try:
        yield Practice(clinic, fill_template(clinic))
    finally:
        clinic.close()


def hands_of(practice: Practice, ledger: Ledger, count: int = 3) -> list[Hand]:
    tokens = {who: practice.token(who) for who in ("rita", "dora")}
    return [Hand(practice.clinic, practice.doctors["dora"], tokens, ledger, number) for number in range(count)]


def answers(practice: Practice) -> bool:
    try:
        practice.clinic.documents.ping()
    except Unavailable:
        return False
    return True


def delivered_once(practice: Practice) -> int:
    """Every visit and every file reaches the document server, once; how many visits."""
    def waiting() -> tuple[int, int]:
        return as_owner(practice, "select (select count(*) from clinic.visit_outbox where delivered_at is null),"
                                  " (select count(*) from clinic.attachments where delivered_at is null)")[0]

    assert wait_until(lambda: waiting() == (0, 0), LEFT_BEHIND), waiting()
    names = [f"{row[0]}:{row[1]}" for row in as_owner(practice, "select id, revision from clinic.visits")]
    documents = practice.clinic.documents
    assert set(documents.get_visits(names)) == set(names), "each visit is a document"
    assert documents.count() == len(names), "and no document is a visit's second one"
    assert documents.count_files() == as_owner(practice, "select count(*) from clinic.attachments")[0][0]
    with practice.read("ada") as session:
        assert visits.undelivered(session) == 0
    return len(names)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("server", "fault"), [("postgresql", "PostgreSQL killed with -9"),
                                               ("documents", "document server killed with -9")])
def test_a_server_killed_under_load(practice: Practice, clinic_folder: Path, row: Row, server: str, fault: str) -> None:
    ledger, times = Ledger(clinic_folder / "ledger"), rounds(2, 12)
    hands, dice = hands_of(practice, ledger), random.Random()
    threads, cuts = beside(hands, LOAD), []
    state = clinic_folder / "run" / f"{server}.json"
    try:
        for _ in range(times):
            enough = ledger.acknowledged + dice.randrange(10, 40)
            assert wait_until(lambda n=enough: ledger.acknowledged >= n or any(hand.problem for hand in hands), PATIENCE)  # type: ignore[misc]
            before = ServerState.read(state)
            assert before is not None
            cuts.append(time.monotonic())
            os.kill(before.pid, signal.SIGKILL)
            assert wait_until(lambda b=before: (now := ServerState.read(state)) is not None and now.pid != b.pid, PATIENCE)  # type: ignore[misc]
            assert wait_until(lambda: answers(practice), PATIENCE), "it works again before it is killed again"
        enough = ledger.acknowledged + 30
        assert wait_until(lambda: ledger.acknowledged >= enough, PATIENCE), "work goes on"
    finally:
        let_go(hands, threads)
        ledger.close()
    lines = read(ledger.path)
    found = tally(practice, lines)
    row(fault, times, found.acknowledged, len(found.lost), len(found.doubled), seconds=seconds_until_written(lines, cuts))
    found.holds()
    nothing_half_done(practice)
    assert delivered_once(practice) == found.kinds["sign"]
