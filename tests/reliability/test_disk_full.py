"""The disk is full: writes are refused with a sentence, nothing acknowledged is lost, and with room again work goes on by itself.

Each store gets a small file system of its own (tmpfs), which only root may mount: elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from clinicdesk.clinic import open_clinic
from clinicdesk.errors import Unavailable
from clinicdesk.storage.addresses import libpq_address
from clinicdesk.storage.journal import Journal, JournalPlace
from clinicdesk.storage.processes import wait_until
from clinicdesk.storage.vault import Place
from tests.clinics import KEY, Practice, fill_template, test_settings
from tests.reliability.conftest import Row
from tests.reliability.ledger import Ledger, nothing_half_done, read, tally
from tests.reliability.test_killed_servers import LOAD, PATIENCE, delivered_once, hands_of
from tests.reliability.writing import beside, let_go, rounds
from tests.visiting import as_owner

FULL = "The disk of the database is full."


class SmallDisk:
    """A file system of so many megabytes; `fill` leaves no byte of it, `empty` takes the filling away."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._filling = place / "filling"

    def fill(self) -> None:
        with self._filling.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(65_536))
        with self._filling.open("ab", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x")

    def empty(self) -> None:
        self._filling.unlink(missing_ok=True)


@pytest.fixture
def small_disk(clinic_folder: Path) -> Iterator[Callable[[str, int], SmallDisk]]:
    """Mounts one as a folder of the data folder."""
    mounted: list[Path] = []

    def mount(name: str, megabytes: int) -> SmallDisk:
        place = clinic_folder / name
        place.mkdir(mode=0o711)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(place)], capture_output=True,
                              check=False)
        if made.returncode:
            pytest.skip("no file system may be mounted here: run as root")
        mounted.append(place)
        return SmallDisk(place)

    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root may mount a file system")
    yield mount
    for place in mounted:
        assert wait_until(lambda p=place: subprocess.run(["umount", str(p)], capture_output=True, check=False).returncode == 0, 20)  # type: ignore[misc]


@pytest.fixture
def opened(clinic_folder: Path, small_disk: object) -> Iterator[Callable[[], Practice]]:
    """Opens the clinic of the folder, after the disk was mounted there, and closes it before it goes."""
    made: list[Practice] = []

    def open_it() -> Practice:
        clinic = open_clinic(test_settings(clinic_folder).model_copy(update={"mongodb_collection_name": "visit_history"}))
        made.append(Practice(clinic, {}))
        made[0].doctors.update(fill_template(clinic))
        return made[0]

    yield open_it
    for practice in made:
        practice.clinic.close()


def switch_log(practice: Practice) -> None:
    """The log of changes wants a new file of its own, for which there is no room."""
    with suppress(psycopg.Error), psycopg.connect(libpq_address(str(practice.clinic.addresses.admin)), autocommit=True) as admin:
        admin.execute("select pg_switch_wal()")


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("what", "fault"), [("tables", "disk of PostgreSQL full"),
                                             ("log", "disk of PostgreSQL full for its log of changes")])
def test_no_room_for_the_database(opened: Callable[[], Practice], small_disk: Callable[[str, int], SmallDisk], clinic_folder: Path,
                                  row: Row, what: str, fault: str) -> None:
    disk, times = small_disk("postgresql", 220), rounds(1, 5)
    practice = opened()
    ledger = Ledger(clinic_folder / "ledger")
    hands = hands_of(practice, ledger)
    threads, rooms = beside(hands, LOAD), []
    try:
        for _ in range(times):
            enough = ledger.acknowledged + 20
            assert wait_until(lambda n=enough: ledger.acknowledged >= n or any(h.problem for h in hands), PATIENCE)  # type: ignore[misc]
            for hand in hands:
                hand.refused.clear()
            disk.fill()
            before = unknown(ledger)
            if what == "log":
                wait_until(lambda b=before: (switch_log(practice), unknown(ledger) > b + 9)[1], 30, pause=0.3)  # type: ignore[misc]
            assert wait_until(lambda b=before: unknown(ledger) > b + 9, PATIENCE), "writes are refused"  # type: ignore[misc]
            rooms.append(time.monotonic())
            disk.empty()
            enough = ledger.acknowledged + 10
            assert wait_until(lambda n=enough: ledger.acknowledged >= n, PATIENCE), "work goes on by itself"  # type: ignore[misc]
    finally:
        disk.empty()
        let_go(hands, threads)
        ledger.close()
    said = set[str]().union(*(hand.refused for hand in hands))
    assert said <= {FULL, "The database cannot be reached.", "Somebody else changed this in the meantime."}, said
    if what == "tables":
        assert FULL in said
    lines = read(ledger.path)
    found = tally(practice, lines)
    row(fault, times, found.acknowledged, len(found.lost), len(found.doubled), seconds=[
        next(line.at for line in lines if line.at > room and line.word == "done") - room for room in rooms])
    found.holds()
    nothing_half_done(practice)
    assert delivered_once(practice) == found.kinds["sign"]


def unknown(ledger: Ledger) -> int:
    return ledger.path.read_bytes().count(b'"unknown"')


@pytest.mark.timeout(600)
def test_no_room_for_documents(opened: Callable[[], Practice], small_disk: Callable[[str, int], SmallDisk], clinic_folder: Path,
                               row: Row) -> None:
    disk, times = small_disk("documents", 150), rounds(1, 5)
    practice = opened()
    ledger = Ledger(clinic_folder / "ledger")
    hands = hands_of(practice, ledger, 2)
    threads, rooms, waited = beside(hands, ("sign", "attach")), [], 0

    def waiting() -> int:
        return int(as_owner(practice, "select (select count(*) from clinic.visit_outbox where delivered_at is null)"
                                      " + (select count(*) from clinic.attachments where delivered_at is null)")[0][0])

    try:
        for _ in range(times):
            enough = ledger.acknowledged + 20
            assert wait_until(lambda n=enough: ledger.acknowledged >= n or any(h.problem for h in hands), PATIENCE)  # type: ignore[misc]
            disk.fill()
            assert wait_until(lambda: waiting() > 10, PATIENCE), "what cannot be delivered waits, and everybody goes on writing"
            waited = max(waited, waiting())
            rooms.append(time.monotonic())
            disk.empty()
    finally:
        disk.empty()
        let_go(hands, threads)
        ledger.close()
    lines = read(ledger.path)
    assert [line for line in lines if line.word == "unknown"] == [], "nobody at a desk notices"
    delivered = delivered_once(practice)
    seconds = time.monotonic() - rooms[-1]
    found = tally(practice, lines)
    row(f"disk of the document server full ({waited} waited; seconds until all was delivered)", times, found.acknowledged, len(found.lost),
        len(found.doubled), seconds=[seconds])
    found.holds()
    nothing_half_done(practice)
    assert delivered == found.kinds["sign"]


def test_no_room_for_drafts(small_disk: Callable[[str, int], SmallDisk]) -> None:
    """The journal says so, keeps the older text whole, and writes the newest as soon as there is room."""
    disk = small_disk("drafts", 1)
    place = JournalPlace(disk.place, "consultation-1", KEY, Place("p_abc123", "journal", "consultation-1"))
    troubles: list[OSError | None] = []
    journal = Journal(place, troubles.append)
    journal.put("first")
    assert journal.flush()
    disk.fill()
    journal.put("second " * 20_000)
    assert not journal.flush(), "nobody may believe that it is on the disk"
    assert wait_until(lambda: bool(troubles), 5)
    assert isinstance(troubles[0], OSError) and troubles[0].strerror == "No space left on device"
    disk.empty()
    assert wait_until(lambda: troubles[-1] is None, 10), "tried again by itself"
    assert journal.flush()
    journal.close(keep=True)
    assert [one.text for one in place.left_behind()] == ["second " * 20_000]


def test_the_sentence_for_a_full_disk() -> None:
    from clinicdesk.storage.translation import translated

    error = translated(psycopg.errors.DiskFull("could not extend file"))
    assert isinstance(error, Unavailable)
    assert (error.sentence, error.advice) == (FULL, "Your work is kept. Make room on that disk; trying again by itself.")
