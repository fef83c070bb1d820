"""Erasing a person: nothing of her is found again, not even in a restored older backup once the ledger is replayed; the rest stays."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from clinicdesk.clinic import Clinic
from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.services import appointments, consultations, erasing, finding, merging, patients
from clinicdesk.services.erasing import BLANKED, DELETED, INVENTORY, KEPT, LedgerBroken
from clinicdesk.services.people import PatientForm
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses, libpq_address
from clinicdesk.storage.embedded_postgres import programs
from clinicdesk.storage.vault import Vault, new_key
from tests.clinics import KEY, ZONE, Practice, in_other_database
from tests.security.test_canaries import SECRETS, fill, found_in
from tests.visiting import FULL, as_owner, raw

FIRST, LAST, TAG, STREET, CONTACT, REASON = ("Wahlfriede", "Zwielichtnachname", "zwielichttag", "Zwielichtstrasse", "Zwielichtkontakt",
                                             "Zwielichtgrund")
PHONE, MAIL = "+491709998887", "zwielichtmail@example.org"
CANARIES = (FIRST, LAST, LAST.lower(), FIRST.lower(), TAG, STREET, CONTACT, REASON, PHONE, MAIL, *SECRETS)


def register(practice: Practice) -> str:
    with practice.write("rita") as session:
        patient = patients.register(session, PatientForm(
            first_name=FIRST, last_name=LAST, born="1980-05-03", sex="F", phone=PHONE, email=MAIL, address=STREET, tags=(TAG,),
            emergency_name=CONTACT, emergency_relation="sister", emergency_phone="+491701112223", added_note=REASON, about_note=REASON))
    booked = practice.book(patient, practice.at(15, day=3), reason=REASON)
    practice.step(booked, "cancelled", reason=REASON)
    practice.book(patient, practice.at(16, day=3), reason=REASON)
    return patient


def settle(practice: Practice) -> None:
    """What the worker does after an erasure."""
    database = practice.clinic.worker_database
    with database.read() as session:
        jobs = as_owner(practice, "select args from jobs.procrastinate_jobs where task_name = 'erase_documents'")
        for (arguments,) in jobs:
            erasing.drop_documents(session, arguments["patient_ids"], arguments["files"] or ())


def dump(clinic: Clinic, into: Path, servers: Addresses) -> None:
    """Every schema as a restorable file, and as text to search in."""
    name = str(clinic.addresses.app).split("?", maxsplit=1)[0].rsplit("/", 1)[1]
    url = libpq_address(schema.in_database(str(servers.admin), name))
    run = programs() / "bin" / "pg_dump"
    subprocess.run([str(run), "-Fc", "-f", str(into / "backup.dump"), url], check=True, timeout=60)
    subprocess.run([str(run), "--inserts", "-f", str(into / "text.sql"), url], check=True, timeout=60)


@contextmanager
def restored(practice: Practice, servers: Addresses, backup: Path) -> Iterator[Clinic]:
    """The dump in a database of its own, opened as a clinic."""
    name = f"restored_{uuid.uuid4().hex[:12]}"
    schema.create_database(str(servers.admin), name)
    address = schema.in_database(str(servers.admin), name)
    subprocess.run([str(programs() / "bin" / "pg_restore"), "-d", libpq_address(address), str(backup)], check=False, timeout=120,
                   capture_output=True)
    clinic = Clinic(practice.clinic.settings, in_other_database(servers, name), vault=Vault(KEY), zone=ZONE)
    try:
        yield clinic
    finally:
        clinic.close()
        schema.drop_database(str(servers.admin), name)


def erase(practice: Practice, patient: str, reason: str = "request") -> None:
    with practice.write("ada") as session:
        erasing.erase(session, patient, patient, reason)


def test_every_table_about_a_patient_stands_in_the_inventory(practice: Practice) -> None:
    tables = {name for (name,) in as_owner(practice, "select c.oid::regclass::text from pg_class c join pg_attribute a"
              " on a.attrelid = c.oid and a.attname in ('patient_id') and not a.attisdropped where c.relkind in ('r', 'p')"
              " and c.relnamespace in ('auth'::regnamespace, 'clinic'::regnamespace)")}
    assert tables | {"clinic.patients"} == set(INVENTORY), "say in services/erasing.py and in clinic.erase_rows what happens to its rows"
    assert {rule for rule, _why in INVENTORY.values()} == {DELETED, BLANKED, KEPT}


def test_nothing_of_an_erased_person_is_found_again_nor_after_a_restore(practice: Practice, servers: Addresses, tmp_path: Path) -> None:
    patient, files = register(practice), practice.clinic.documents.count_files()
    fill(practice, patient).close(keep=True)
    other = practice.patient(last_name="Bleibt")
    practice.book(other, practice.at(17, day=3))
    old, new, again = (tmp_path / name for name in ("old", "new", "again"))
    for folder in (old, new, again):
        folder.mkdir()
    dump(practice.clinic, old, servers)
    assert found_in(old, LAST) and found_in(old, REASON), "the search finds what is there"
    about = {name for name in INVENTORY if name != "clinic.patients"
             and as_owner(practice, f"select 1 from {name} where patient_id = %s", patient)}
    assert len(about) > 25, about

    with practice.write("ada") as session, pytest.raises(ClinicError, match="in progress"):
        erasing.erase(session, patient, patient, "request")
    ((begun,),) = as_owner(practice, "select id from clinic.consultations where status = 'in_progress'")
    with practice.write("dora") as session:
        consultations.complete(session, begun, FULL, 1)
    erase(practice, patient)
    settle(practice)
    dump(practice.clinic, new, servers)
    assert {c: hits for c in CANARIES if (hits := found_in(new, c))} == {}
    for name, (rule, _why) in INVENTORY.items():
        rows = as_owner(practice, f"select count(*) from {name} where {'id' if name == 'clinic.patients' else 'patient_id'} = %s", patient)
        assert (rows[0][0] == 0) == (rule == DELETED) or name not in about | {"clinic.patients"}, name
    assert practice.clinic.documents.count_of([patient]) == 0 and practice.clinic.documents.count_files() == files
    assert as_owner(practice, "select count(*) from audit.events where action = 'erase' and patient_id = %s", patient) == [(1,)]
    with practice.read("rita") as session:
        assert [row.id for row in finding.search(session, LAST, 9)] == []
        assert patients.card(session, patient).last_name == "Erased"
        assert patients.card(session, other).last_name == "Bleibt"
        assert len(appointments.of_patient(session, patient)) == 4, "times stay"

    lines = erasing.read_ledger(practice.clinic.settings.data_dir / "erasures.jsonl")
    assert [line.patient_id for line in lines] == [patient]
    assert [row["patient_id"] for row in practice.clinic.documents.erasures() if row["proof"] == lines[0].proof] == [patient]
    with restored(practice, servers, old / "backup.dump") as clinic:
        with clinic.as_owner() as session:
            assert patients.card(session, patient).last_name == LAST, "the older backup has her"
            assert erasing.behind(session, lines) == 1, "and says that it must not be used yet"
            assert erasing.replay(session, lines) == 1
        with clinic.as_owner() as session:
            assert erasing.behind(session, lines) == 0
            assert erasing.replay(session, lines) == 0, "again changes nothing"
        dump(clinic, again, servers)
        assert {c: hits for c in CANARIES if (hits := found_in(again, c))} == {}
        with psycopg.connect(libpq_address(str(clinic.addresses.owner))) as owner:
            assert owner.execute("select count(*) from audit.events where action = 'erase again'").fetchone() == (1,)
            assert owner.execute("select count(*) from clinic.patient_keys where patient_id = %s", [other]).fetchone() == (2,)


def test_a_ledger_that_was_tampered_with_is_refused(practice: Practice) -> None:
    for _ in range(3):
        erase(practice, practice.patient())
    with practice.read("ada") as session:
        lines = erasing.ledger(session)
        assert erasing.proven(session.vault, lines) == lines
        forged = replace(lines[1], patient_id="p_aaaaaa")
        bad = ([lines[0], forged, lines[2]], [lines[0], lines[2]], [lines[1], lines[2]], [lines[0], lines[2], replace(lines[1], number=3)],
               [replace(lines[0], reason="court"), *lines[1:]])
        for wrong in bad:
            with pytest.raises(LedgerBroken):
                erasing.proven(session.vault, wrong)
        assert erasing.proven(session.vault, [lines[0], forged, lines[2]], lines) == lines, "another copy has the genuine line"
        with pytest.raises(LedgerBroken):
            erasing.proven(Vault(new_key()), lines)
    path = practice.clinic.settings.data_dir / "erasures.jsonl"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole[:-20], encoding="utf-8")
    assert erasing.read_ledger(path) == lines[:2], "the line cut off by a power failure does not count"
    erase(practice, practice.patient())
    assert [json.loads(row)["number"] for row in path.read_text(encoding="utf-8").splitlines()] == [1, 2, 3, 4]


def test_all_records_of_a_merged_person_go(practice: Practice) -> None:
    kept, lost, parted = practice.patient(), practice.patient(last_name=LAST), practice.patient(last_name=LAST)
    with practice.write("rita") as session:
        merging.merge(session, kept, lost, (1, 1), ("last_name",))
    with practice.write("rita") as session:
        undone = merging.merge(session, practice_id := kept, parted, (patients.card(session, practice_id).version, 1))
    with practice.write("rita") as session:
        merging.separate(session, undone)
    erase(practice, lost)
    for one in (kept, lost):
        assert as_owner(practice, "select last_name from clinic.patients where id = %s", one) == [("Erased",)]
        assert as_owner(practice, "select count(*) from clinic.patient_keys where patient_id = %s", one) == [(0,)]
    assert as_owner(practice, "select last_name from clinic.patients where id = %s", parted) == [(LAST,)]
    assert as_owner(practice, "select count(*) from clinic.merges") == [(0,)], "they seal what the others said, too"


def test_who_may_erase_and_what_stops_it(practice: Practice) -> None:
    patient = practice.patient()
    for who in ("rita", "dora"):
        with practice.write(who) as session, pytest.raises(NotAllowed):
            erasing.erase(session, patient, patient, "request")
        with raw(practice, who) as connection, pytest.raises(psycopg.Error):
            connection.execute("select clinic.erase(%s, 'request', now(), 1, array[%s], 1, array[decode(repeat('00', 32), 'hex')])",
                               [patient, patient])
    for role in ("ada", "dora"):
        with raw(practice, role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select clinic.erase_rows(array[%s])", [patient])
    with practice.write("ada") as session:
        with pytest.raises(Invalid):
            erasing.erase(session, patient, "p_aaaaaa", "request")
        with pytest.raises(Invalid):
            erasing.erase(session, patient, patient, "because")
    as_owner(practice, "insert into clinic.wallets (patient_id, balance) values (%s, 5)", patient)
    with practice.write("ada") as session, pytest.raises(ClinicError, match="wallet"):
        erasing.erase(session, patient, patient, "request")
    as_owner(practice, "update clinic.wallets set balance = 0 where patient_id = %s", patient)
    erase(practice, patient)
    for statement in ("update clinic.erasures set reason = 'court'", "delete from clinic.erasures", "truncate clinic.erasures"):
        with pytest.raises(psycopg.Error, match="refused"):
            as_owner(practice, statement)
    with pytest.raises(ClinicError, match="erased"), practice.write("ada") as session:
        patients.archive(session, patient, patients.card(session, patient).version, restore=True)
    with pytest.raises(ClinicError), practice.write("rita") as session:
        appointments.book(session, appointments.NewAppointment(practice.doctors["dora"], patient, practice.at(9), practice.at(10)))
