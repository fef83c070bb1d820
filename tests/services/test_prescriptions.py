"""Prescriptions are issued complete or not at all, stored as they were issued, and never change."""

from __future__ import annotations

import hashlib
import io
from dataclasses import replace
from decimal import Decimal

import psycopg
import pytest
from pypdf import PdfReader

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.services import prescribing, prescriptions, settings
from clinicdesk.services.drafts import ItemDraft
from tests.clinics import Practice
from tests.visiting import AS_NEEDED, FULL, TABLET, as_owner, completed, counted, raw


def words(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def test_the_stored_bytes_are_the_issued_bytes_and_a_copy_differs_by_its_mark(practice: Practice) -> None:
    patient = practice.patient()
    done = completed(practice, patient)
    assert done.prescription_id is not None
    with practice.read("dora") as session, counted(session) as queries:
        stored = prescriptions.stored_pdf(session, done.prescription_id)
    assert len(queries) <= 2
    with practice.read("dora") as session:
        copy = prescriptions.copy_pdf(session, done.prescription_id)
        assert prescriptions.stored_pdf(session, done.prescription_id) == stored
    (kept,) = as_owner(practice, "select pdf_sha256, pdf, page from clinic.prescriptions")
    assert hashlib.sha256(stored.content).digest() == bytes(kept[0])
    assert b"%PDF" not in bytes(kept[1]), "sealed in the database"
    assert kept[2] == stored.page == "A5"
    assert copy.content.startswith(stored.content), "a copy is the original with its mark appended"
    text = words(stored.content)
    for said in (done.prescription_number, "EXAMPLE1", "Maria", "Dr Dora Kim", "LIC-dora", "amlodipine", "5 mg", "paracetamol",
                 "Test Clinic"):
        assert said in text, said
    assert "COPY" not in text
    assert "COPY" in words(copy.content)


def test_prints_are_counted(practice: Practice) -> None:
    done = completed(practice, practice.patient())
    assert done.prescription_id is not None
    with practice.write("dora") as session:
        assert [prescriptions.printed(session, done.prescription_id) for _ in range(2)] == [1, 2]
        assert prescriptions.stored_pdf(session, done.prescription_id).printed == 2
    for who in ("hugo", "rita"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            prescriptions.printed(session, done.prescription_id)
        with pytest.raises(NotAllowed), practice.read(who) as session:
            prescriptions.stored_pdf(session, done.prescription_id)


@pytest.mark.parametrize(("change", "field", "says"), [
    ({"medicine": ""}, "items.0", "medicine"), ({"strength": ""}, "items.0", "strength"), ({"form": ""}, "items.0", "form"),
    ({"dose_value": ""}, "items.0", "dose"), ({"route": ""}, "items.0", "route"), ({"times_per_day": ""}, "items.0", "often"),
    ({"dose_value": "0"}, "items.0.dose_value", ""), ({"dose_value": "1e999999"}, "items.0.dose_value", ""),
    ({"times_per_day": "25"}, "items.0.times_per_day", ""), ({"duration_days": "NaN"}, "items.0.duration_days", ""),
    ({"quantity": "-3", "quantity_unit": "tablet"}, "items.0.quantity", "more than zero"),
    ({"dose_unit": "lumps"}, "items.0.dose_unit", ""), ({"dose_value": "1e-9999"}, "items.0.dose_value", ""),
    ({"medicine": "MSO4"}, "items.0.medicine", "instead of"),
    ({"dose_value": "5.0"}, "items.0.dose_value", "Dose: “5.0”: no zero at the end of decimals"),
    ({"dose_value": "5.000"}, "items.0.dose_value", "is it 5 or 5,000?"),
    ({"dose_value": "1,125", "dose_unit": "mg"}, "items.0.dose_value", "is it 1.125 or 1,125?"),
    ({"dose_value": "1.125", "dose_unit": "unit"}, "items.0.dose_value", "is it 1.125 or 1,125?"),
    ({"max_per_day": "4.0"}, "items.0.max_per_day", "write 4."), ({"quantity": "10.0"}, "items.0.quantity", "write 10."),
    ({"duration_days": "7.0"}, "items.0.duration_days", "write 7."),
])
def test_what_is_missing_or_dangerous_is_named(change: dict[str, str], field: str, says: str) -> None:
    assert len(prescribing.checked_items([TABLET, AS_NEEDED, ItemDraft()])) == 2
    with pytest.raises(Invalid) as refused:
        prescribing.checked_items([replace(TABLET, **change)])
    assert refused.value.field == field
    assert says in refused.value.sentence


@pytest.mark.parametrize(("value", "unit", "meant"), [
    ("1,5", "mg", "1.5"), ("1.5", "tablet", "1.5"), ("1,000", "unit", "1000"), ("1000", "mg", "1000"), ("0.125", "mg", "0.125"),
    ("1,125", "unit", "1125"), ("3.125", "mg", "3.125"), ("٥", "mg", "5")])
def test_an_amount_is_read_as_in_shorthand(value: str, unit: str, meant: str) -> None:
    read = prescribing.direction_of(ItemDraft(medicine="amlodipine", dose_value=value, dose_unit=unit, route="oral", times_per_day="1"))
    assert read.dose_value == Decimal(meant)


def test_nothing_of_an_issued_prescription_changes(practice: Practice) -> None:
    completed(practice, practice.patient())
    with raw(practice, "dora") as connection:
        for column in ("pdf", "pdf_sha256", "number", "page", "issued_at", "doctor_id", "patient_id"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(f"update clinic.prescriptions set {column} = {column}")
        for statement in ("update clinic.prescription_items set directions = 'Take ten.'", "delete from clinic.prescription_items",
                          "delete from clinic.prescriptions"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_bytes_that_no_longer_match_are_never_shown(practice: Practice) -> None:
    done = completed(practice, practice.patient())
    as_owner(practice, "update clinic.prescriptions set pdf_sha256 = decode(repeat('00', 32), 'hex')")
    with practice.read("dora") as session, pytest.raises(ClinicError, match="checksum"):
        prescriptions.stored_pdf(session, done.prescription_id or 0)


def test_no_medicine_no_paper_and_the_list_costs_two_queries(practice: Practice) -> None:
    patient = practice.patient()
    assert completed(practice, patient, replace(FULL, items=())).prescription_id is None
    for hour in (10, 12):
        completed(practice, patient, hour=hour)
    with practice.read("dora") as session, counted(session) as queries:
        rows = prescriptions.of_patient(session, patient)
    assert len(queries) == 2
    assert [len(row.items) for row in rows] == [2, 2]
    assert rows[0].issued_at > rows[1].issued_at
    assert rows[0].items[0].startswith("amlodipine 5 mg — ")


def test_the_clinics_paper_size_is_kept_with_each_prescription(practice: Practice) -> None:
    patient = practice.patient()
    first = completed(practice, patient)
    with practice.write("ada") as session:
        settings.change_settings(session, replace(settings.clinic_settings(session), page="A4"))
    second = completed(practice, patient, hour=11)
    with practice.read("dora") as session:
        assert [prescriptions.stored_pdf(session, d.prescription_id or 0).page for d in (first, second)] == ["A5", "A4"]


def test_a_patient_without_an_address_gets_none_until_it_is_known(practice: Practice) -> None:
    with pytest.raises(Invalid, match="patient address"):
        completed(practice, practice.patient(address=""))
