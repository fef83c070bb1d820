"""A bad network between the windows and the database: cut at random moments, slow, or swallowing everything. The window never stands still,
says so within seconds and stops saying so by itself, and what a person does again is there once."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from PySide6.QtCore import QObject, Qt, QTimer

from clinicdesk.clinic import Clinic
from clinicdesk.errors import Unavailable
from clinicdesk.services import appointments
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage.addresses import Addresses, libpq_parameters
from clinicdesk.storage.processes import wait_until
from clinicdesk.storage.vault import Vault
from tests.clinics import KEY, ZONE, Practice
from tests.reliability.conftest import Row
from tests.reliability.ledger import Ledger, nothing_half_done, read, seconds_until_written, tally
from tests.reliability.proxy import Proxy
from tests.reliability.writing import Hand, beside, let_go, rounds
from tests.screens.office import Office
from tests.visiting import as_owner
from ui.dialogs.booking import BookingSheet
from ui.theme import Theme

#: Within this the banner says that nothing comes through, and after the return within the other it is gone (reference 3.12).
SAYS, GONE = 5.0, 10.0


class Pulse(QObject):
    """Beats in the event loop of the GUI thread: the longest time between two beats is how long the window stood still."""

    BEAT_MS = 5

    def __init__(self) -> None:
        super().__init__()
        self.longest, self.frozen = 0.0, 0
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(self.BEAT_MS)

    def _beat(self) -> None:
        now = time.perf_counter()
        gap, self._last = now - self._last, now
        self.longest = max(self.longest, gap)
        self.frozen += gap > 0.1

    def stop(self) -> float:
        """The longest gap in milliseconds."""
        self._timer.stop()
        return self.longest * 1000


def through(addresses: Addresses, port: int) -> Addresses:
    """The same databases by another port."""
    own = libpq_parameters(addresses.app)["port"]
    changed = {one.name: value.replace(f":{own}/", f":{port}/") for one in fields(addresses)
               if isinstance(value := getattr(addresses, one.name), str) and value.startswith("postgresql")}
    return replace(addresses, **changed)


@pytest.fixture
def proxy(practice: Practice) -> Iterator[Proxy]:
    made = Proxy(int(libpq_parameters(practice.clinic.addresses.app)["port"]))
    yield made
    made.close()


@pytest.fixture
def far(practice: Practice, proxy: Proxy, tmp_path: Path) -> Iterator[Practice]:
    """The same clinic over the bad network."""
    settings = practice.clinic.settings.model_copy(update={"data_dir": tmp_path})
    clinic = Clinic(settings, through(practice.clinic.addresses, proxy.port), vault=Vault(KEY), zone=ZONE)
    yield Practice(clinic, practice.doctors)
    proxy.restore()
    clinic.close()


@pytest.fixture
def far_office(far: Practice, proxy: Proxy, theme: Theme, qtbot: Any) -> Iterator[Office]:
    made = Office(far, theme, qtbot)
    yield made
    proxy.restore()
    made.close()


class Booker(QObject):
    """Books one place after the other through the window's desk, and the same again under the same key when nobody can say."""

    def __init__(self, office: Office, window: Any, patient: str, ledger: Ledger) -> None:
        super().__init__()
        self._practice, self._desk, self._patient, self._ledger = office.practice, window.desk, patient, ledger
        self._number, self.ended = 0, False
        self._next()

    def _next(self) -> None:
        self._number += 1
        start = self._practice.at(8, day=2 + self._number // 100) + timedelta(minutes=5 * (self._number % 100))
        self._wish = NewAppointment(self._practice.doctors["dora"], self._patient, start, start + timedelta(minutes=5), key=uuid4().hex)
        self._ledger.note("begin", "book", self._wish.key)
        self._send()

    def _send(self) -> None:
        if not self.ended:
            self._desk.do(self, appointments.book, self._wish, done=self._done, failed=self._failed)

    def _done(self, _number: int) -> None:
        self._ledger.note("done", "book", self._wish.key)
        if not self.ended:
            self._next()

    def _failed(self, error: Exception) -> None:
        assert isinstance(error, Unavailable), error
        self._ledger.note("unknown", "book", self._wish.key)
        QTimer.singleShot(100, self, self._send)


@pytest.mark.timeout(600)
def test_cut_at_random_moments_while_a_window_books(far_office: Office, practice: Practice, proxy: Proxy, tmp_path: Path, row: Row) -> None:
    office, times, dice = far_office, rounds(8, 100), random.Random()
    window = office.open("rita")
    ledger = Ledger(tmp_path / "ledger")
    booker, pulse = Booker(office, window, practice.patient(), ledger), Pulse()
    cuts, away = [], []
    for _ in range(times):
        enough = ledger.acknowledged + dice.randrange(1, 6)
        office.until(lambda n=enough: ledger.acknowledged >= n, "work goes on", patience=30)  # type: ignore[misc]
        cuts.append(time.monotonic())
        proxy.cut()
        office.until(window.connection.isVisible, "the banner says so", patience=SAYS)
        assert window.status.state.text() == "Not connected"
        assert window._problem is None, "a banner, not a box"
        until = time.monotonic() + dice.uniform(0, 0.5)
        office.until(lambda end=until: time.monotonic() > end)  # type: ignore[misc]
        proxy.restore()
        back = time.monotonic()
        office.until(lambda: not window.connection.isVisible(), "the banner goes by itself", patience=GONE)
        away.append(time.monotonic() - back)
    enough = ledger.acknowledged + 5
    office.until(lambda: ledger.acknowledged >= enough, patience=30)
    booker.ended = True
    gap = pulse.stop()
    office.settle()
    ledger.close()
    lines = read(ledger.path)
    found = tally(practice, lines)
    row("connection cut while a window books", times, found.acknowledged, len(found.lost), len(found.doubled), gap_ms=gap,
        seconds=seconds_until_written(lines, cuts))
    found.holds()
    nothing_half_done(practice)
    print(f"longest gap {gap:.0f} ms, {pulse.frozen} over 100 ms; banner gone after {max(away):.1f} s at most")
    assert gap < 2000, "no wait of the network's on the window's own thread"


def test_cut_at_random_moments_of_every_kind_of_write(far: Practice, practice: Practice, proxy: Proxy, tmp_path: Path, row: Row) -> None:
    times, dice, ledger = rounds(10, 150), random.Random(), Ledger(tmp_path / "ledger")
    tokens = {who: practice.token(who) for who in ("rita", "dora")}
    far.clinic._people.update(practice.clinic._people)
    hands = [Hand(far.clinic, practice.doctors["dora"], tokens, ledger, number) for number in range(2)]
    cuts, threads = [], beside(hands, ("book", "move", "cancel", "register", "draft", "sign", "pay", "attach"))
    try:
        for _ in range(times):
            enough = ledger.acknowledged + dice.randrange(1, 12)
            assert wait_until(lambda enough=enough: ledger.acknowledged >= enough or any(hand.problem for hand in hands),  # type: ignore[misc]
                              30, pause=dice.uniform(0.001, 0.01))
            cuts.append(time.monotonic())
            proxy.cut()
            proxy.restore()
    finally:
        let_go(hands, threads)
        ledger.close()
    lines = read(ledger.path)
    found = tally(practice, lines)
    row("connection cut in a write", times, found.acknowledged, len(found.lost), len(found.doubled),
        seconds=seconds_until_written(lines, cuts))
    found.holds()
    nothing_half_done(practice)


def sheet_for(office: Office, window: Any, patient: str) -> BookingSheet:
    """The booking sheet, filled in."""
    practice = office.practice
    with practice.read("rita") as session:
        from clinicdesk.services import finding

        found = next(one for one in finding.search(session, "Example", 10) if one.id == patient)
        doctors = appointments.day(session, practice.at(9).date()).columns
    start = practice.at(9)
    sheet = BookingSheet(window.desk, doctors, doctor_id=practice.doctors["dora"], starts_at=start, ends_at=start + timedelta(minutes=20),
                         patient=found, parent=window)
    sheet.open()
    office.settle()
    return sheet


def test_an_answer_lost_after_the_commit_books_once(far_office: Office, practice: Practice, proxy: Proxy) -> None:
    office, patient = far_office, practice.patient()
    window = office.open("rita")
    sheet = sheet_for(office, window, patient)
    proxy.lose_answer_to(b"COMMIT", after=b"INSERT INTO clinic.appointments")
    office.click(sheet.verb_button)
    office.until(sheet.verb_button.isEnabled, "the sheet says that it failed and stays")
    assert as_owner(practice, "select count(*) from clinic.appointments") == [(1,)], "it was booked, and nobody was told"
    proxy.restore()
    office.until(lambda: not window.connection.isVisible(), patience=GONE)
    office.click(sheet.verb_button)
    office.gone(sheet)
    assert as_owner(practice, "select count(*) from clinic.appointments") == [(1,)]


def test_a_slow_network_is_slow_and_nothing_else(far_office: Office, practice: Practice, proxy: Proxy, row: Row) -> None:
    office, patient = far_office, practice.patient()
    window = office.open("rita")
    sheet = sheet_for(office, window, patient)
    proxy.latency = 0.3
    pulse, said = Pulse(), []
    window.desk.unavailable.connect(said.append)
    begun = time.monotonic()
    office.click(sheet.verb_button)
    office.gone(sheet, patience=60)
    took = time.monotonic() - begun
    gap = pulse.stop()
    proxy.latency = 0.0
    office.settle()
    count = as_owner(practice, "select count(*) from clinic.appointments")[0][0]
    row("network slower by 300 ms each way, a booking", 1, 1, int(count < 1), max(0, count - 1), gap_ms=gap, seconds=[took])
    assert (count, said) == (1, []), "no banner: it is only slow"
    assert gap < 2000


@pytest.mark.timeout(300)
def test_a_network_that_swallows_everything(far_office: Office, practice: Practice, proxy: Proxy, row: Row) -> None:
    """Connections stay open and nothing comes through: nobody is told so by the system. The banner comes, work returns by itself."""
    office, patient = far_office, practice.patient()
    window = office.open("rita")
    sheet = sheet_for(office, window, patient)
    times, seconds, longest = rounds(1, 5), [], 0.0
    for number in range(times):
        pulse = Pulse()
        proxy.fall_silent()
        if number == 0:
            office.click(sheet.verb_button)  # its question goes into the silence
        else:
            window.refresh()
        office.until(window.connection.isVisible, "the banner says so", patience=SAYS)
        if number == 0:
            office.until(sheet.verb_button.isEnabled, "nobody waits for ever", patience=30)
        proxy.restore()
        back = time.monotonic()
        office.until(lambda: not window.connection.isVisible(), "the banner goes by itself", patience=GONE)
        seconds.append(time.monotonic() - back)
        longest = max(longest, pulse.stop())
    assert sheet.isVisible() and sheet.verb_button.isEnabled(), "the sheet stays, to be sent again"
    office.click(sheet.verb_button)
    office.gone(sheet)
    count = as_owner(practice, "select count(*) from clinic.appointments")[0][0]
    row("network swallows everything (half-open)", times, 1, int(count < 1), max(0, count - 1), gap_ms=longest, seconds=seconds)
    assert count == 1
    assert longest < 2000
