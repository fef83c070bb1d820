"""The visit history collection on a real document server."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pymongo
import pytest

from clinicdesk.errors import CannotStart, ClinicError, Unavailable
from clinicdesk.storage import documents as module
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.documents import Documents
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.processes import free_port
from clinicdesk.storage.visit_documents import VisitDocument, document_id

VISIT = VisitDocument(UUID(int=7), 1, 12, "p_ab12cd", 3, datetime(2026, 11, 21, 9, 30, tzinfo=UTC), b"\x01notes", b"\x01rx", b"\x01all",
                      datetime(2026, 11, 21, 9, 55, tzinfo=UTC))
DATABASE = "clinic_appointment"
Raw = pymongo.collection.Collection


@pytest.fixture
def visits(servers: Addresses) -> Iterator[Documents]:
    made = Documents(servers.documents, DATABASE, f"visits_{uuid.uuid4().hex[:12]}")
    made.ensure()
    yield made
    made._visits.drop()
    made.close()


@pytest.fixture
def raw(visits: Documents) -> Raw:
    return visits._visits


def test_a_visit_comes_back_as_it_went(visits: Documents) -> None:
    away = replace(VISIT, visit_date=datetime(2026, 11, 21, 11, 30, tzinfo=timezone(timedelta(hours=2))))
    visits.put_visit(away)
    assert visits.get_visits([VISIT.id, document_id(UUID(int=8), 1)]) == {VISIT.id: VISIT}
    assert visits.get_visits([]) == {}


def test_delivering_twice_changes_nothing(visits: Documents) -> None:
    for _ in range(3):
        visits.put_visit(VISIT)
    visits.put_visit(replace(VISIT, revision=2, notes=b"\x01later"))
    assert visits.count() == 2
    assert visits.get_visits([document_id(VISIT.visit_id, 2)]).popitem()[1].notes == b"\x01later"


@pytest.mark.parametrize("change", [
    {"notes": "plain text"}, {"prescription": "plain text"}, {"visit": {"plain": "text"}}, {"visit_id": 7}, {"revision": "1"},
    {"revision": 0}, {"appointment_id": None}, {"patient_id": "Smith"}, {"doctor_id": "3"}, {"visit_date": "2026-11-21"},
    {"created_at": 5}, {"comment": "more"}, {"_id": "mine"},
])
def test_the_server_itself_refuses_what_is_not_sealed_or_not_typed(raw: Raw, visits: Documents, change: dict[str, object]) -> None:
    visits.put_visit(VISIT)
    good = raw.find_one()
    assert good is not None
    raw.delete_many({})
    with pytest.raises(pymongo.errors.WriteError):
        raw.insert_one({**good, **change})
    assert raw.count_documents({}) == 0
    raw.insert_one(good)


def test_a_stored_visit_cannot_be_turned_into_plain_text(raw: Raw, visits: Documents) -> None:
    visits.put_visit(VISIT)
    with pytest.raises(pymongo.errors.WriteError):
        raw.update_one({}, {"$set": {"notes": "plain text"}})
    with pytest.raises(pymongo.errors.WriteError):
        raw.update_one({}, {"$unset": {"visit": 1}})


def test_ensure_repairs_a_collection_somebody_made_without_the_rules(servers: Addresses, raw: Raw, visits: Documents) -> None:
    raw.drop()
    raw.database.create_collection(raw.name)
    visits.ensure()
    visits.ensure()
    with pytest.raises(pymongo.errors.WriteError):
        raw.insert_one({"_id": "x"})
    indexes = {name: (tuple(index["key"]), index.get("unique", False)) for name, index in raw.index_information().items()}
    assert indexes["visit_revision"] == ((("visit_id", 1), ("revision", 1)), True)
    assert indexes["patient_visit_date"] == ((("patient_id", 1), ("visit_date", -1)), False)


def test_refusals_are_sentences_of_ours(visits: Documents) -> None:
    with pytest.raises(ClinicError) as caught:
        visits.put_visit(replace(VISIT, patient_id="Mary Smith"))
    assert not isinstance(caught.value, Unavailable)
    assert "Smith" not in caught.value.sentence + caught.value.advice
    with pytest.raises(ClinicError):
        visits.put_visit(replace(VISIT, visit=b"x" * 17_000_000))


@pytest.mark.parametrize("act", [
    lambda d: d.ensure(), lambda d: d.put_visit(VISIT), lambda d: d.get_visits(["a"]), lambda d: d.count(), lambda d: d.ping(),
])
def test_an_absent_server_is_unavailable(act: Callable[[Documents], object]) -> None:
    absent = Documents(f"mongodb://127.0.0.1:{free_port()}", DATABASE, "visit_history", timeout=0.2)
    with pytest.raises(Unavailable) as caught:
        act(absent)
    assert caught.value.what == "documents"
    absent.close()


def test_a_wrong_password_is_unavailable_and_nonsense_cannot_start(servers: Addresses) -> None:
    port = int(servers.documents.rpartition(":")[2].partition("/")[0])
    wrong = Documents(module.users_uri(port, "clinicdesk_app", "wrong"), DATABASE, "x")
    with pytest.raises(Unavailable, match="does not let ClinicDesk in"):
        wrong.ping()
    wrong.close()
    with pytest.raises(CannotStart) as caught:
        Documents("mongodb://u:p@ss@host/", DATABASE, "x")
    assert caught.value.code == "documents_uri"


def test_the_application_signs_in_to_its_own_database_only(servers: Addresses) -> None:
    with pymongo.MongoClient(servers.documents) as client:
        with pytest.raises(pymongo.errors.OperationFailure):
            client["other"]["x"].insert_one({})
        with pytest.raises(pymongo.errors.OperationFailure):
            client.admin.command("createUser", "me", pwd="x", roles=["root"])


def test_a_stopped_server_comes_back_with_everything(clinic_folder, servers: Addresses) -> None:
    from clinicdesk.credentials import Credentials

    embedded = EmbeddedServers(clinic_folder, Credentials(clinic_folder), want_database=False)
    visits = Documents(embedded.start().documents, DATABASE, "visit_history", timeout=0.5)
    visits.ensure()
    visits.put_visit(VISIT)
    embedded.stop_documents()
    with pytest.raises(Unavailable):
        visits.count()
    embedded.start()
    assert visits.get_visits([VISIT.id]) == {VISIT.id: VISIT}
    visits.close()
    embedded.stop()
