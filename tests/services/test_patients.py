"""Registering and keeping patients: every limit at the field and once more in the database; identifiers never in plain."""

from __future__ import annotations

import re
from dataclasses import replace

import psycopg
import pytest

from clinicdesk.errors import ChangedElsewhere, Duplicate, Invalid, NotAllowed
from clinicdesk.services import patients
from clinicdesk.services.people import EmergencyContact, PatientForm
from clinicdesk.storage.vault import Place, SealBroken, unseal
from tests.clinics import Practice
from tests.visiting import as_owner, counted, raw

SSN = "731-46-9528"
FORM = PatientForm(
    first_name="Zoë", last_name="O’Brien-Łukasz", born="5.11.1980", sex="Female", phone="+49 (170) 999-0001", title="Dr",
    email="Zoe@Example.ORG", address="1 Street\nTown", ssn=SSN.replace("-", ""), emergency_name="Ann Other", emergency_relation="sister",
    emergency_phone="0301234567",
    added_note="canary-added-note", about_note="canary-about-note", tags=("#interpreter", "VIP"), medical_history="canary-history",
    allergies="canary-allergy", medication="canary-medication")

#: Field → texts that are refused there.
BAD = {
    "first_name": ("", "   ", "x" * 61, "123"), "last_name": ("", "x" * 61), "title": ("x" * 21,),
    "born": ("", "31.02.1980", "1879-12-31", "2999-01-01", "yesterday"), "sex": ("", "X", "female?"),
    "phone": ("", "12345678", "1" * 16, "+49 170 CALL ME", "++491701234567"), "email": ("x", "a@b@c", "a b@c.de", "x" * 250 + "@e.org"),
    "address": ("x" * 301,), "ssn": ("123-45-678", "123-45-67890", "abc-de-fghi"), "added_note": ("x" * 501,), "about_note": ("x" * 251,),
    "medical_history": ("x" * 4001,), "allergies": ("x" * 2001,), "medication": ("x" * 2001,), "emergency_phone": ("", "123"),
    "emergency_name": ("", "x" * 121), "emergency_relation": ("x" * 61,),
}


def register(practice: Practice, form: PatientForm = FORM, who: str = "rita") -> str:
    with practice.write(who) as session:
        return patients.register(session, form)


def test_everything_typed_is_stored_in_its_form(practice: Practice) -> None:
    patient = register(practice)
    assert re.fullmatch(r"p_[a-z0-9]{6}", patient)
    with practice.read("rita") as session, counted(session) as queries:
        card = patients.card(session, patient)
    assert len(queries) <= 4
    assert (card.first_name, card.last_name, card.title, f"{card.born}", card.sex) == ("Zoë", "O’Brien-Łukasz", "Dr", "1980-11-05", "F")
    assert (card.phone, card.email, card.address, card.ssn) == ("+491709990001", "Zoe@example.org", "1 Street\nTown", SSN)
    assert card.emergency_contact == EmergencyContact("Ann Other", "sister", "0301234567")
    assert (card.added_note, card.about_note, card.tags) == ("canary-added-note", "canary-about-note", ("VIP", "interpreter"))
    assert (card.created_by, card.version, card.archived_at) == ("Rita Reception", 1, None)


def test_each_limit_is_refused_at_its_field(practice: Practice) -> None:
    with practice.write("rita") as session:
        for field, texts in BAD.items():
            for bad in texts:
                with pytest.raises(Invalid) as refused:
                    patients.register(session, replace(FORM, **{field: bad}))
                assert refused.value.field == field, (field, bad)
        for tags in (("x" * 31,), ("ok", " ")):
            with pytest.raises(Invalid) as refused:
                patients.register(session, replace(FORM, tags=tags))
            assert refused.value.field == "tags"
    assert as_owner(practice, "select count(*) from clinic.patients") == [(0,)]


def test_each_limit_is_a_constraint_too(practice: Practice) -> None:
    patient = practice.patient()
    attacks = {
        "patients": [("id", "P_ABCDEF"), ("id", "p_abcde"), ("first_name", ""), ("first_name", " x"), ("last_name", "x" * 61),
                     ("title", "x" * 21), ("born", "1879-12-31"), ("born", "2999-01-01"), ("sex", "X"), ("phone", "12345678"),
                     ("phone", "abc"), ("email", "a@b@c"),
                     ("address", "x" * 301), ("died", "1900-01-01")],
        "emergency_contacts": [("name", ""), ("relation", "x" * 61), ("phone", "1")],
        "patient_tags": [("tag", ""), ("tag", " x"), ("tag", "x" * 41)],
        "sealed_fields": [("field", "diary"), ("field", "ssn")],
    }
    base = {
        "patients": {"id": "p_zzzzz1", "first_name": "A", "last_name": "B", "born": "1980-01-01", "sex": "F"},
        "emergency_contacts": {"patient_id": patient, "name": "A", "phone": "0301234567"},
        "patient_tags": {"patient_id": patient, "tag": "x"},
        "sealed_fields": {"patient_id": patient, "field": "added_note", "body": b"x" * 74},
    }
    for role, mine in (("app", {"patients": "created_by", "sealed_fields": "written_by"}), ("owner", {})):
        with raw(practice, "rita", role=role) as connection:
            me = connection.execute("select auth.me()").fetchone()
            for table, cases in attacks.items():
                for column, value in cases:
                    row = {**base[table], column: value, **({mine[table]: me[0]} if table in mine and me else {})}
                    with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
                        connection.execute(f"insert into clinic.{table} ({', '.join(row)}) values ({', '.join(['%s'] * len(row))})",
                                           list(row.values()))


def test_identifiers_and_stories_are_nowhere_in_plain(practice: Practice) -> None:
    patient = register(practice)
    tables = as_owner(practice, "select oid::regclass::text from pg_class where relkind = 'r' and relnamespace in"
                                " ('auth'::regnamespace, 'clinic'::regnamespace, 'jobs'::regnamespace)")
    for (table,) in tables:
        forms = [form for canary in (SSN, SSN.replace("-", ""), "canary-") for form in (canary, canary.encode().hex())]
        found = as_owner(practice, f"select count(*) from {table} as t, unnest(%s::text[]) x(canary)"
                                   " where position(x.canary in t::text) > 0", forms)
        assert found == [(0,)], table
    with practice.read("rita") as session:
        vault = session.vault
    (sealed, wrapped) = as_owner(practice, "select f.body, k.wrapped from clinic.sealed_fields f join clinic.patient_keys k"
                                           " using (patient_id) where field = 'ssn' and purpose = 'identity'")[0]
    key = vault.unwrap(bytes(wrapped), patient, "identity")
    place = Place(patient, "sealed_fields", "ssn", 1)
    assert unseal(key, bytes(sealed), place).decode() == SSN
    for moved in (replace(place, patient_id="p_zzzzzz"), replace(place, field="added_note"), replace(place, version=2)):
        with pytest.raises(SealBroken):
            unseal(key, bytes(sealed), moved)


def test_reception_writes_what_she_cannot_read_again(practice: Practice) -> None:
    patient = register(practice)
    with practice.read("rita") as session:
        assert patients.sealed_texts(session, patient, ("medical_history", "allergies", "medication")) == {}
    practice.book(patient, practice.at(9))
    with practice.read("dora") as session:
        assert patients.sealed_texts(session, patient, ("medical_history", "allergies")) == {
            "medical_history": "canary-history", "allergies": "canary-allergy"}
    with practice.read("hugo") as session:
        assert patients.card(session, patient).ssn is None


def test_edit_changes_what_is_typed_and_what_she_is_found_by(practice: Practice) -> None:
    patient = register(practice)
    with practice.read("rita") as session:
        form = patients.form_of(patients.card(session, patient))
    with practice.write("sam") as session:
        changed = replace(form, last_name="Nowak", ssn="", emergency_name="", emergency_phone="", tags=("VIP",), added_note="new")
        assert patients.edit(session, patient, changed, 1) == 2
    with practice.read("rita") as session:
        card = patients.card(session, patient)
        assert (card.last_name, card.ssn, card.emergency_contact, card.tags, card.added_note) == ("Nowak", "", None, ("VIP",), "new")
        assert (card.created_by, card.version) == ("Rita Reception", 2)
        assert card.updated_at > card.created_at
    terms = {term for (term,) in as_owner(practice, "select term from clinic.patient_terms where kind in ('name', 'tag')")}
    assert terms >= {"nowak", "zoe", "vip"}
    assert not terms & {"obrien", "interpreter"}
    with pytest.raises(ChangedElsewhere), practice.write("rita") as session:
        patients.edit(session, patient, form, 1)
    with pytest.raises(NotAllowed), practice.write("rita") as session:
        patients.edit(session, "p_zzzzzz", form, 1)
    for who in ("dora", "hugo"):
        with pytest.raises((NotAllowed, ChangedElsewhere)), practice.write(who) as session:
            patients.edit(session, patient, replace(form, last_name="X"), 2)


def test_one_phone_is_one_patient(practice: Practice) -> None:
    register(practice)
    for phone in (FORM.phone, "00491709990001"):
        with pytest.raises(Duplicate) as refused:
            register(practice, replace(FORM, phone=phone))
        assert refused.value.field == "phone"
    other = register(practice, replace(FORM, phone="0301112223"))
    with pytest.raises(Duplicate), practice.write("rita") as session:
        patients.edit(session, other, replace(FORM, medical_history=None), 1)
    assert as_owner(practice, "select count(*) from clinic.patient_keys") == [(4,)], "nothing half-written"


def test_archive_and_restore(practice: Practice) -> None:
    patient = register(practice)
    with practice.write("rita") as session:
        assert patients.archive(session, patient, 1) == 2
        with pytest.raises(ChangedElsewhere):
            patients.archive(session, patient, 1)
        assert patients.card(session, patient).archived_at is not None
        assert patients.archive(session, patient, 2, restore=True) == 3
        assert patients.card(session, patient).archived_at is None
    with raw(practice, "ada") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("delete from clinic.patients")


def test_tags(practice: Practice) -> None:
    patient = register(practice)
    with practice.write("rita") as session:
        patients.set_tags(session, patient, ("new", "New "))
        assert patients.card(session, patient).tags in {("New", "new"), ("new",), ("New",)}
        assert set(patients.tags_in_use(session)) >= {"new"}
    with pytest.raises(NotAllowed), practice.write("dora") as session:
        patients.register(session, FORM)
