"""The ledger and the invariants see what they are there to see: each kind of loss, doubling and half-done write is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses, libpq_address
from tests.clinics import Practice
from tests.reliability.ledger import Ledger, Tally, half_done, nothing_half_done, read, seconds_until_written, tally
from tests.reliability.writing import KINDS, Hand

#: Done to the tables behind everybody's back, one after the other → the kind that is lost then.
LOSSES = {
    "delete from clinic.appointment_events where status = 'cancelled'": "cancel",
    "delete from clinic.appointment_events where what = 'moved'": "move",
    "update clinic.appointments set request_key = null where id = (select min(id) from clinic.appointments)": "book",
    "update clinic.patients set phone = '+499999999999' where id = (select min(id) from clinic.patients)": "register",
    "update clinic.drafts set version = version - 1": "draft", "update clinic.receipts set request_key = 'x' || id": "pay",
    "delete from clinic.papers": "paper", "delete from clinic.visits": "sign", "delete from clinic.attachments": "attach"}
DOUBLES = {
    "update clinic.drafts set version = version + 1": "draft",
    ("insert into clinic.visits select gen_random_uuid(), 2, patient_id, appointment_id, consultation_id, doctor_id, visit_date"
     " from clinic.visits limit 1"): "sign",
    ("insert into clinic.appointment_events (appointment_id, what, status, doctor_id, starts_at, ends_at, lane)"
     " select appointment_id, what, status, doctor_id, starts_at, ends_at, lane from clinic.appointment_events"
     " where status = 'cancelled'"): "cancel"}
HALVES = {
    "delete from clinic.visit_outbox": "signed visit", "delete from clinic.signatures": "signature",
    "delete from clinic.attachment_chunks where position = 2": "file", "delete from clinic.payments": "receipt",
    "update clinic.receipts set number = left(number, 5) || '000099' where id = (select min(id) from clinic.receipts)": "gap",
    "update clinic.wallets set balance = balance + 1": "wallet", "delete from clinic.patient_terms": "found",
    "delete from clinic.appointment_events where status = 'arrived'": "last event", "delete from audit.chain where seq = 3": "link",
    "delete from clinic.prescription_items": "lines",
    "update clinic.appointments set status = 'in_progress' where status = 'scheduled'": "in progress",
    "update clinic.consultations set status = 'in_progress', completed_at = null, signed_by = null, content_sha256 = null": "the other way"}


class Vandal:
    """Writes every kind once, acknowledged, and then changes the tables past every guard."""

    def __init__(self, practice: Practice, admin: str, folder: Path) -> None:
        self.practice, self.ledger = practice, Ledger(folder / "ledger")
        hand = Hand(practice.clinic, practice.doctors["dora"], {who: practice.token(who) for who in ("rita", "dora")}, self.ledger, 1)
        for kind in KINDS:
            getattr(hand, kind)()
        database = psycopg.conninfo.conninfo_to_dict(libpq_address(str(practice.clinic.addresses.owner)))["dbname"]
        self._admin = libpq_address(schema.in_database(admin, str(database)))

    def does(self, statement: str) -> None:
        with psycopg.connect(self._admin) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(statement)

    def held(self) -> Tally:
        return tally(self.practice, read(self.ledger.path))


@pytest.fixture
def vandal(practice: Practice, servers: Addresses, tmp_path: Path) -> Iterator[Vandal]:
    made = Vandal(practice, str(servers.admin), tmp_path)
    yield made
    made.ledger.close()


def test_what_was_lost_is_named(vandal: Vandal) -> None:
    found = vandal.held()
    assert set(found.kinds) == set(KINDS)
    found.holds()
    lost: set[str] = set()
    for statement, kind in LOSSES.items():
        vandal.does(statement)
        lost.add(kind)
        assert {one.split()[0] for one in vandal.held().lost} == lost, statement


def test_what_was_done_twice_is_named(vandal: Vandal) -> None:
    doubled: list[str] = []
    for statement, kind in DOUBLES.items():
        vandal.does(statement)
        doubled.append(kind)
        found = vandal.held()
        assert (found.lost, sorted(one.split()[0] for one in found.doubled)) == ((), sorted(doubled)), statement


def test_what_is_half_done_is_named(vandal: Vandal) -> None:
    nothing_half_done(vandal.practice)
    for statement, words in HALVES.items():
        before = half_done(vandal.practice)
        vandal.does(statement)
        new = set(half_done(vandal.practice)) - set(before)
        assert any(words in what for what in new), (statement, new)


def test_the_time_until_the_next_write(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    for word in ("begin", "done", "begin", "unknown", "done"):
        ledger.note(word, "book", "x")
    ledger.close()
    lines = read(ledger.path)
    noticed, = seconds_until_written(lines, [lines[2].at])
    assert noticed == pytest.approx(lines[4].at - lines[2].at)
    assert seconds_until_written(lines[:4], [lines[2].at]) == [float("inf")]
    assert seconds_until_written(lines, [lines[4].at]) == [0.0]
