"""From the waiting room to the signature: what is written is written whole, by whoever is signed in, and never again."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from clinicdesk.errors import ChangedElsewhere, ClinicError, Invalid, NotAllowed
from clinicdesk.rules.vitals import VITALS, check_vital
from clinicdesk.services import appointments, chart, consultations, drafts, measuring, prescriptions, visits
from clinicdesk.services.drafts import ConsultationDraft
from tests.clinics import Practice
from tests.visiting import CANARY, FULL, TABLET, arrived, as_owner, completed, raw, started

TABLES = ("notes", "vitals", "prescriptions", "prescription_items", "visits", "visit_outbox")


def written(practice: Practice) -> dict[str, int]:
    return {table: as_owner(practice, f"select count(*) from clinic.{table}")[0][0] for table in TABLES}


def complete(practice: Practice, consultation: int, draft: ConsultationDraft, version: int = 0,
             who: str = "dora") -> consultations.Completed:
    with practice.write(who) as session:
        return consultations.complete(session, consultation, draft, version)


def test_a_consultation_starts_after_arrival_and_by_its_doctor(practice: Practice) -> None:
    booked = practice.book(practice.patient(), practice.at(9))

    def start(who: str, version: int) -> int:
        with practice.write(who) as session:
            return consultations.start(session, booked, version)

    with pytest.raises(Invalid, match="checked in"):
        start("dora", 1)
    practice.step(booked, "arrived")
    for who in ("rita", "ada"):
        with pytest.raises(NotAllowed, match="Only the doctor"):
            start(who, 2)
    with pytest.raises(NotAllowed):
        start("hugo", 2)
    with pytest.raises(ChangedElsewhere):
        start("dora", 1)
    consultation = start("dora", 2)
    assert start("dora", 3) == consultation, "a second window finds the one in progress"
    with practice.read("dora") as session:
        sheet = consultations.open_sheet(session, consultation)
        assert (sheet.status, sheet.appointment.status, sheet.saved.version) == ("in_progress", "in_progress", 0)
        assert [row.id for row in consultations.in_progress(session)] == [booked]


def test_drafts_are_saved_whole_and_never_overwritten_silently(practice: Practice) -> None:
    consultation = started(practice, practice.patient())

    def save(draft: ConsultationDraft, version: int, who: str = "dora") -> int:
        with practice.write(who) as session:
            return drafts.save(session, consultation, draft, version)

    assert save(FULL, 0) == 1
    assert save(replace(FULL, notes={"plan": "other"}), 1) == 2
    for stale in (0, 1, 3):
        with pytest.raises(ChangedElsewhere):
            save(FULL, stale)
    with pytest.raises(NotAllowed):
        save(FULL, 0, "hugo")
    with practice.read("dora") as session:
        assert drafts.load(session, consultation).draft == replace(FULL, notes={"plan": "other"})
    with practice.read("rita") as session:
        assert drafts.load(session, consultation).version == 0, "nobody else sees a draft"
    assert CANARY.encode() not in bytes(as_owner(practice, "select body from clinic.drafts")[0][0])
    with pytest.raises(ChangedElsewhere):
        complete(practice, consultation, FULL, 1)
    complete(practice, consultation, FULL, 2)
    assert as_owner(practice, "select count(*) from clinic.drafts") == [(0,)]
    with pytest.raises(ClinicError):
        save(FULL, 0)


def test_completing_writes_everything_in_one_transaction(practice: Practice) -> None:
    patient = practice.patient()
    done = completed(practice, patient)
    assert written(practice) == {"notes": 2, "vitals": 1, "prescriptions": 1, "prescription_items": 2, "visits": 1, "visit_outbox": 1}
    (row,) = as_owner(practice, "select c.status, u.username, a.status, octet_length(content_sha256) from clinic.consultations c"
                                " join auth.users u on u.id = c.signed_by join clinic.appointments a on a.id = c.appointment_id")
    assert row == ("completed", "dora", "completed", 32)
    with practice.read("dora") as session:
        (visit,) = visits.read(session, visits.of_patient(session, patient))
        assert (visit.id, visit.notes["subjective"], visit.doctor_name) == (done.visit_id, f"Dry cough. {CANARY}", "Dr Dora Kim")
        assert visit.vitals["Systolic blood pressure"] == "128 mmHg"
        assert visit.vitals["Body mass index"].startswith("24.7 kg/m²")
        assert visit.vitals["NEWS2"].startswith("0 ")
        assert [p.number for p in prescriptions.of_patient(session, patient)] == [done.prescription_number]


REFUSED = (
    ({"notes": {"poem": "x"}}, "poem"),
    ({"notes": {"plan": "x" * 50_001}}, "plan"),
    ({"notes": {}, "vitals": {}, "items": (), "consciousness": ""}, "subjective"),
    ({"items": (TABLET, replace(TABLET, dose_value="many"))}, "items.1.dose_value"),
    ({"items": (replace(TABLET, duration_days="1.5"),)}, "items.0.duration_days"),
    ({"items": (replace(TABLET, strength=""),)}, "items.0"),
    ({"items": (replace(TABLET, instructions="take 5 u"),)}, "items.0.instructions"),
    ({"items": (TABLET,) * 21}, "items"),
    ({"oxygen": None}, "oxygen"),
    ({"consciousness": "asleep"}, "consciousness"),
)


def test_a_refused_part_names_its_field_and_writes_nothing(practice: Practice) -> None:
    consultation = started(practice, practice.patient())
    for change, field in REFUSED:
        with pytest.raises(Invalid) as refused:
            complete(practice, consultation, replace(FULL, **change))  # type: ignore[arg-type]
        assert refused.value.field == field
        assert not any(written(practice).values())
    complete(practice, consultation, FULL)


def test_hard_limits_are_refused_and_soft_ones_confirmed(practice: Practice) -> None:
    consultation = started(practice, practice.patient())

    def refusal(**vitals: str) -> str:
        with pytest.raises(Invalid) as refused:
            complete(practice, consultation, replace(FULL, vitals=vitals))
        return refused.value.field

    for name, value in (("pulse", "301"), ("temperature", "98.6"), ("spo2", "101"), ("weight", "0.1"), ("respiration", "71"),
                        ("pain", "11"), ("pulse", "fast"), ("height", "170.55"), ("glucose", "81")):
        assert refusal(**{name: value}) == name
    assert refusal(systolic="120") == "diastolic"
    assert refusal(systolic="80", diastolic="80") == "systolic"
    assert refusal(pulse="30") == "pulse", "unusual, and nobody confirmed it"
    assert not any(written(practice).values())
    complete(practice, consultation, replace(FULL, vitals={"pulse": "30"}, confirmed=("pulse",)))
    assert as_owner(practice, "select pulse, confirmed from clinic.vitals") == [(30, "pulse")]


def test_field_service_and_database_have_the_same_hard_limits(practice: Practice) -> None:
    """Each limit, a step inside and a step outside: the rule of the field and the constraint of the table agree on all of them."""
    patient = practice.patient()
    practice.book(patient, practice.at(9))

    def stored(connection: psycopg.Connection[Any], name: str, value: Decimal) -> bool:
        columns = {name: value}
        if name == "systolic":
            columns["diastolic"] = min(Decimal(250), max(Decimal(10), value - 20))
        elif name == "diastolic":
            columns["systolic"] = value + 20
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(f"insert into clinic.vitals (patient_id, taken_at, recorded_by, {', '.join(columns)})"
                                   f" values (%s, now(), auth.me(), {', '.join(['%s'] * len(columns))})", [patient, *columns.values()])
        except (psycopg.errors.CheckViolation, psycopg.errors.NumericValueOutOfRange):
            return False
        return True

    with raw(practice, "dora") as connection:
        for name in measuring.MEASURED:
            vital = VITALS[name]
            values = [limit + step for limit in (vital.hard_low, vital.hard_high) for step in (-vital.step, Decimal(0), vital.step)]
            verdicts = [(stored(connection, name, value), check_vital(name, value, 40).level != "hard") for value in values]
            assert verdicts == [(ok, ok) for ok in (False, True, True, True, True, False)], (name, values)


def test_a_failing_last_part_undoes_the_whole_visit(practice: Practice) -> None:
    """The outbox refuses: neither note nor signature nor prescription is left behind."""
    consultation = started(practice, practice.patient())
    as_owner(practice, "alter table clinic.visit_outbox add constraint ck_broken check (false)")
    with pytest.raises(Exception, match="ck_broken"):
        complete(practice, consultation, FULL)
    assert not any(written(practice).values())
    as_owner(practice, "alter table clinic.visit_outbox drop constraint ck_broken")
    complete(practice, consultation, FULL)


def test_a_signed_visit_refuses_every_change(practice: Practice) -> None:
    patient = practice.patient()
    completed(practice, patient)
    (consultation,) = as_owner(practice, "select id from clinic.consultations")[0]
    with pytest.raises(ClinicError, match="signed"):
        complete(practice, consultation, FULL)
    attempts = {
        "update clinic.notes set body = ''": "42501", "delete from clinic.notes": "42501", "update clinic.vitals set pulse = 60": "42501",
        "update clinic.prescription_items set medicine = 'arsenic'": "42501", "update clinic.prescriptions set pdf = ''": "42501",
        "update clinic.visits set doctor_id = 2": "42501", "update clinic.visit_outbox set visit = ''": "42501",
        "update clinic.consultations set content_sha256 = content_sha256, version = version + 1": "CD010",
        "update clinic.consultations set status = 'in_progress', signed_by = null, completed_at = null, content_sha256 = null,"
        " version = version + 1": "CD010",
        "insert into clinic.notes (consultation_id, patient_id, kind, body, author_id) select id, patient_id, 'general', '', auth.me()"
        " from clinic.consultations": "CD010",
        "insert into clinic.vitals (consultation_id, patient_id, taken_at, recorded_by) select id, patient_id, now(), auth.me()"
        " from clinic.consultations": "CD010",
        "insert into clinic.prescription_items (prescription_id, patient_id, position, medicine, directions) select id, patient_id, 9,"
        " 'arsenic', 'Take it.' from clinic.prescriptions": "CD010",
        "update clinic.appointments set status = 'scheduled', version = version + 1": "CD010",
    }
    with raw(practice, "dora") as connection:
        for statement, state in attempts.items():
            with pytest.raises(psycopg.Error) as refused, connection.transaction():
                connection.execute(statement)
            assert refused.value.sqlstate == state, statement


def test_the_signature_names_who_is_signed_in(practice: Practice) -> None:
    patient = practice.patient()
    consultation = started(practice, patient)
    for who in ("hugo", "rita", "ada"):
        with pytest.raises((NotAllowed, ClinicError)):
            complete(practice, consultation, FULL, who=who)
    assert not any(written(practice).values())
    complete(practice, consultation, FULL)
    with practice.read("dora") as session:
        signer = session.scalar(text("select u.name from clinic.consultations c join auth.users u on u.id = c.signed_by"))
    assert signer == "Dr Dora Kim"


def test_the_chart_after_a_visit(practice: Practice) -> None:
    patient = practice.patient(medical_history="asthma as a child")
    completed(practice, patient)
    with practice.write("dora") as session:
        assert chart.banner(session, patient).allergy_title == chart.NOT_RECORDED
        chart.state_no_allergies(session, patient)
        seen = chart.chart(session, patient)
        assert (seen.banner.allergy_title, seen.none_known_by) == (chart.NONE_KNOWN, "Dr Dora Kim")
        assert seen.said == {"medical_history": "asthma as a child"}
        allergy = chart.add_allergy(session, patient, " latex ", severity="mild")
        assert chart.banner(session, patient).allergies == ("latex",)
        assert chart.chart(session, patient).none_known_by == ""
        with pytest.raises(Invalid):
            chart.state_no_allergies(session, patient)
        with pytest.raises(ChangedElsewhere):
            chart.end_allergy(session, allergy, 2)
        chart.end_allergy(session, allergy, 1)
        assert chart.banner(session, patient).allergy_title == chart.NONE_KNOWN
        for bad in ("", "x" * 301):
            with pytest.raises(Invalid):
                chart.add_problem(session, patient, bad)
            with pytest.raises(Invalid):
                chart.add_allergy(session, patient, bad)
        chart.add_problem(session, patient, "hypertension")
        assert [p.description for p in chart.chart(session, patient).problems] == ["hypertension"]
        assert len(measuring.history(session, patient)) == 1
    with practice.read("hugo") as session:
        assert chart.banner(session, patient).allergy_title == chart.UNAVAILABLE, "never “no known allergies”"
        with pytest.raises(NotAllowed):
            chart.chart(session, patient)
    with practice.read("rita") as session:
        assert chart.banner(session, patient).allergy_title == ""


def test_ending_care_ends_reading(practice: Practice) -> None:
    patient = practice.patient()
    booked = arrived(practice, patient)
    with practice.read("dora") as session:
        chart.chart(session, patient)
    practice.step(booked, "cancelled", reason="went home")
    with practice.read("dora") as session, pytest.raises(NotAllowed):
        chart.chart(session, patient)
    with practice.read("rita") as session:
        assert appointments.one(session, booked).status == "cancelled"
