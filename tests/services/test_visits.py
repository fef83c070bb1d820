"""The way of a visit to MongoDB: sealed, exactly once, and the chart never waits for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC

import pytest
from bson import BSON, Binary

from clinicdesk.errors import Unavailable
from clinicdesk.jobs.worker import deliver_all
from clinicdesk.services import visits
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.vault import Place, unseal
from tests.clinics import Practice
from tests.visiting import CANARY, FULL, as_owner, completed, counted, raw

FIELDS = {"_id", "visit_id", "revision", "appointment_id", "patient_id", "doctor_id", "visit_date", "notes", "prescription", "visit",
          "created_at"}


def stored(practice: Practice) -> list[dict[str, object]]:
    """The raw documents of this test's collection."""
    return list(practice.clinic.documents._visits.find({}))


def take_away(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Point everybody at a port where no document server listens; call the result to bring the real one back."""
    away = Documents("mongodb://127.0.0.1:9/", "x", "x", timeout=0.05)
    known = {id(d): d for d in (practice.clinic.database, practice.clinic.worker_database)}
    before = practice.clinic.documents
    for database in known.values():
        monkeypatch.setattr(database, "documents", away)

    def back() -> None:
        for database in known.values():
            monkeypatch.setattr(database, "documents", before)
        away.close()

    return back


def delivered(practice: Practice) -> list[tuple[bool, int]]:
    return [(at is not None, attempts) for at, attempts in as_owner(
        practice, "select delivered_at, attempts from clinic.visit_outbox order by created_at")]


def test_the_document_has_the_fields_of_the_specification_and_nothing_in_plain(practice: Practice) -> None:
    patient = practice.patient(last_name="Canaryname")
    done = completed(practice, patient)
    assert deliver_all(practice.clinic.worker_database) == 1
    (document,) = stored(practice)
    assert set(document) == FIELDS
    assert (document["visit_id"], document["revision"], document["patient_id"]) == (str(done.visit_id), 1, patient)
    (row,) = as_owner(practice, "select appointment_id, doctor_id, visit_date from clinic.visits")
    assert (document["appointment_id"], document["doctor_id"]) == row[:2]
    assert abs((document["visit_date"].replace(tzinfo=UTC) - row[2]).total_seconds()) < 0.001  # type: ignore[attr-defined]
    assert all(isinstance(document[name], (bytes, Binary)) for name in ("notes", "prescription", "visit"))
    encoded = BSON.encode(document)
    for canary in (CANARY, "amlodipine", "Canaryname", "cough", "128"):
        assert canary.encode() not in encoded
    with practice.read("dora") as session:
        vault = session.vault
    wrapped = as_owner(practice, "select wrapped from clinic.patient_keys where purpose = 'clinical'")[0][0]
    key = vault.unwrap(bytes(wrapped), patient, "clinical")

    def opened(part: str) -> dict[str, object]:
        return dict(json.loads(unseal(key, bytes(document[part]), Place(patient, f"visit:{done.visit_id}", part))))  # type: ignore[call-overload]

    assert opened("notes") == FULL.notes
    assert opened("prescription")["number"] == done.prescription_number
    assert opened("visit")["doctor_name"] == "Dr Dora Kim"


def test_the_worker_delivers_by_itself_after_the_commit(practice: Practice) -> None:
    told = threading.Event()
    listener = practice.clinic.listen(lambda payload: told.set() if payload == "outbox" and delivered(practice) == [(True, 1)] else None,
                                      lambda _up: None)
    try:
        practice.clinic.start_worker()
        completed(practice, practice.patient())
        assert told.wait(30), "not delivered"
    finally:
        listener.stop()
    assert len(stored(practice)) == 1
    with practice.read("dora") as session:
        assert visits.undelivered(session) == 0


def test_away_nothing_is_lost_and_nobody_waits_and_back_it_goes_exactly_once(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = practice.patient()
    completed(practice, patient)
    deliver_all(practice.clinic.worker_database)
    back = take_away(practice, monkeypatch)
    completed(practice, patient, hour=11)
    with pytest.raises(Unavailable):
        deliver_all(practice.clinic.worker_database)
    assert delivered(practice) == [(True, 1), (False, 0)]
    with practice.read("rita") as session:
        assert visits.undelivered(session) == 1
    with practice.read("dora") as session:
        texts = visits.read(session, visits.of_patient(session, patient))
        assert [t.source for t in texts] == ["database", "database"]
        assert all(t.notes == FULL.notes for t in texts)
    back()
    assert deliver_all(practice.clinic.worker_database) == 1
    assert deliver_all(practice.clinic.worker_database) == 0
    assert delivered(practice) == [(True, 1), (True, 1)]
    assert len(stored(practice)) == 2
    with practice.read("dora") as session:
        assert [t.source for t in visits.read(session, visits.of_patient(session, patient))] == ["documents", "documents"]


def test_a_worker_that_dies_after_sending_sends_the_same_document_again(practice: Practice) -> None:
    """Sent but not marked: the second delivery replaces the document by itself."""
    completed(practice, practice.patient())
    with practice.clinic.worker_database.read() as session:
        (one,) = visits.waiting(session)
    with pytest.raises(KeyboardInterrupt), practice.clinic.worker_database.write() as session:
        assert visits.deliver(session, *one)
        raise KeyboardInterrupt
    assert (len(stored(practice)), delivered(practice)) == (1, [(False, 0)])
    deliver_all(practice.clinic.worker_database)
    assert (len(stored(practice)), delivered(practice)) == (1, [(True, 1)])


def test_two_workers_never_carry_one_visit_at_once(practice: Practice) -> None:
    completed(practice, practice.patient())
    with practice.clinic.worker_database.read() as session:
        (one,) = visits.waiting(session)
    outcomes: list[bool] = []

    def carry() -> None:
        with practice.clinic.worker_database.write() as session:
            outcomes.append(visits.deliver(session, *one))

    threads = [threading.Thread(target=carry) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False, False, True]
    assert delivered(practice) == [(True, 1)]


def test_lost_documents_are_rebuilt_from_the_database(practice: Practice) -> None:
    patient = practice.patient()
    for hour in (9, 11):
        completed(practice, patient, hour=hour)
    deliver_all(practice.clinic.worker_database)
    before = {str(d["_id"]): d for d in stored(practice)}
    practice.clinic.documents._visits.delete_many({})
    with practice.read("dora") as session:
        rows = visits.of_patient(session, patient)
        assert [t.source for t in visits.read(session, rows)] == ["database", "database"], "a lost document is read from the outbox"
    told: list[tuple[int, int]] = []
    assert deliver_all(practice.clinic.worker_database, again=True, progress=lambda done, of: told.append((done, of))) == 2
    assert told == [(1, 2), (2, 2)]
    assert {str(d["_id"]): d for d in stored(practice)} == before


def test_a_document_somebody_changed_is_shown_as_broken(practice: Practice) -> None:
    patient = practice.patient()
    completed(practice, patient)
    deliver_all(practice.clinic.worker_database)
    (document,) = stored(practice)
    changed = bytes(document["visit"])[:-1] + bytes([bytes(document["visit"])[-1] ^ 1])  # type: ignore[call-overload]
    practice.clinic.documents._visits.update_one({"_id": document["_id"]}, {"$set": {"visit": Binary(changed)}})
    with practice.read("dora") as session:
        (text,) = visits.read(session, visits.of_patient(session, patient))
        assert (text.source, text.notes) == ("broken", {})


def test_who_sees_which_visits(practice: Practice) -> None:
    mine, his = practice.patient(), practice.patient()
    completed(practice, mine)
    completed(practice, his, doctor="hugo")
    for who, seen in (("dora", [1, 0]), ("hugo", [0, 1]), ("ada", [1, 1]), ("rita", [0, 0])):
        with practice.read(who) as session:
            assert [visits.count(session, patient) for patient in (mine, his)] == seen, who
    with practice.read("ada") as session:
        (text,) = visits.read(session, visits.of_patient(session, mine))
        assert text.notes == FULL.notes
    with raw(practice, "dora") as connection:
        assert connection.execute("select count(*) from clinic.visit_outbox").fetchone() == (1,)


def test_pages_are_newest_first_and_cost_the_same_whatever_the_history(practice: Practice) -> None:
    patient = practice.patient()
    for number in range(5):
        completed(practice, patient, hour=8 + number)
    deliver_all(practice.clinic.worker_database)
    with practice.read("dora") as session, counted(session) as queries:
        rows = visits.of_patient(session, patient)
        texts = visits.read(session, rows)
    assert [t.visit_date for t in texts] == sorted((t.visit_date for t in texts), reverse=True)
    assert len(texts) == 5
    assert len(queries) == 3, queries.statements  # the list, the signatures, the addenda; the key is known from the writing
    with practice.read("dora") as session:
        first = visits.of_patient(session, patient, limit=2)
        rest = visits.of_patient(session, patient, limit=9, before=(first[-1].visit_date, first[-1].id))
        assert [r.id for r in (*first, *rest)] == [r.id for r in rows]
        assert visits.read(session, []) == []
