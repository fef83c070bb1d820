"""Broken glass on a real server: who may, for how long, who hears of it, and that it ends by itself for every table and guard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import errors

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.services import addenda, auditing, chart, glass, notifying, papers, patients, visits
from tests.clinics import Practice
from tests.security.matrix import READS
from tests.visiting import FULL, as_owner, completed, raw

WHY = "Brought in unconscious by ambulance"
#: Tables of the clinical record: what care opens and its end closes.
CLINICAL = sorted(table for table, reads in READS.items() if reads[1] == "care" and table not in {"clinic.access_grants", "clinic.photos"})


@pytest.fixture
def patient(practice: Practice) -> str:
    """Dora's patient with a signed visit; Hugo has nothing to do with her."""
    number = practice.patient(medical_history="Asthma as a child.", ssn="123-45-6789")
    completed(practice, number, FULL, hour=9)
    return number


def opened(practice: Practice, patient: str, who: str = "hugo") -> glass.Grant:
    with practice.write(who) as session:
        return glass.break_glass(session, patient, "emergency", WHY)


def rows_seen(practice: Practice, patient: str, who: str) -> dict[str, int]:
    found = {}
    with raw(practice, who) as connection:
        for table in CLINICAL:
            column = {"clinic.visit_outbox": "visit_id in (select id from clinic.visits where patient_id = %s)",
                      "clinic.attachment_chunks": "attachment_id in (select id from clinic.attachments where patient_id = %s)"}
            row = connection.execute(f"select count(*) from {table} where {column.get(table, 'patient_id = %s')}", [patient]).fetchone()
            found[table] = row[0] if row else 0
    return found


def test_it_opens_the_whole_record_for_an_hour_and_then_closes_it_by_itself(practice: Practice, patient: str) -> None:
    with practice.read("hugo") as session, pytest.raises(NotAllowed):
        chart.chart(session, patient)
    assert not any(rows_seen(practice, patient, "hugo").values())
    grant = opened(practice, patient)
    assert timedelta(minutes=59) < grant.expires_at - datetime.now(UTC) <= timedelta(minutes=60)
    theirs = rows_seen(practice, patient, "dora")
    assert rows_seen(practice, patient, "hugo") == theirs and sum(theirs.values()) > 8
    with practice.read("hugo") as session:
        assert chart.chart(session, patient).said["medical_history"] == "Asthma as a child."
        assert visits.read(session, visits.of_patient(session, patient))[0].notes
        assert glass.active(session, patient) == grant
    practice.clinic.database._released.clear()
    hour = "interval '1 hour'"
    as_owner(practice, f"update clinic.access_grants set given_at = given_at - {hour}, expires_at = expires_at - {hour}")
    as_owner(practice, "update clinic.care set expires_at = expires_at - interval '1 hour' where expires_at is not null")
    assert not any(rows_seen(practice, patient, "hugo").values()), "nothing had to run for this"
    with practice.read("hugo") as session, pytest.raises(NotAllowed):
        chart.chart(session, patient)
    with practice.read("hugo") as session:
        assert glass.active(session, patient) is None


def test_the_guards_end_with_the_hour_too(practice: Practice, patient: str) -> None:
    """They look at care as the owner, whom no policy hides an ended grant from."""
    opened(practice, patient)
    number = as_owner(practice, "select id from clinic.consultations where patient_id = %s", patient)[0][0]
    paper = as_owner(practice, "select number from clinic.prescriptions where patient_id = %s", patient)[0][0]
    as_owner(practice, "update clinic.care set expires_at = now() - interval '1 second' where expires_at is not null")
    for work in (lambda s: addenda.add(s, number, "too late"), lambda s: papers.cancel(s, paper, "wrong patient")):
        with pytest.raises(ClinicError), practice.write("hugo") as session:
            work(session)
    with raw(practice, "hugo") as connection:
        with pytest.raises(psycopg.Error):
            connection.execute("insert into clinic.addenda (consultation_id, patient_id, position, body, author_id)"
                               " values (%s, %s, 1, %s, auth.me())", [number, patient, b"x" * 40])
        connection.rollback()
    with raw(practice, "hugo") as connection:
        assert connection.execute("select wrapped from clinic.release_key(%s, 'clinical')", [patient]).fetchone() == (None,)


def test_ending_it_early_closes_it_at_once(practice: Practice, patient: str) -> None:
    grant = opened(practice, patient)
    with practice.write("hugo") as session:
        glass.end(session, grant.id)
    assert not any(rows_seen(practice, patient, "hugo").values())
    with pytest.raises(NotAllowed), practice.write("hugo") as session:
        glass.end(session, grant.id)


def test_a_booking_meanwhile_makes_it_ordinary_care_and_its_end_takes_nothing_away(practice: Practice, patient: str) -> None:
    grant = opened(practice, patient)
    practice.book(patient, practice.at(15), doctor="hugo")
    assert as_owner(practice, "select expires_at from clinic.care where doctor_id = %s", practice.doctors["hugo"]) == [(None,)]
    with practice.write("hugo") as session:
        assert glass.active(session, patient) is None
        glass.end(session, grant.id)
    assert sum(rows_seen(practice, patient, "hugo").values()) > 8


def test_the_responsible_doctor_and_the_administrators_hear_of_it_at_once(practice: Practice, patient: str) -> None:
    opened(practice, patient)
    for who in ("dora", "ada"):
        with practice.read(who) as session:
            newest = notifying.notices(session)[0]
            assert newest.kind == "glass" and newest.who == "Dr Hugo Blanc" and newest.patient_id == patient, who
    with practice.read("rita") as session:
        assert not [one for one in notifying.notices(session) if one.kind == "glass"]


def test_it_is_reviewed_by_another_and_once(practice: Practice, patient: str) -> None:
    grant = opened(practice, patient)
    with practice.read("ada") as session:
        (row,) = glass.reviews(session, only_open=True)
        assert (row.doctor, row.reason, row.words, row.in_force, row.verdict) == ("Dr Hugo Blanc", "Emergency", WHY, True, "")
    for who in ("hugo", "rita"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            glass.review(session, grant.id, "justified")
    with practice.write("dora") as session:
        glass.review(session, grant.id, "questioned")
    with pytest.raises(NotAllowed), practice.write("ada") as session:
        glass.review(session, grant.id, "justified")
    with practice.read("ada") as session:
        assert glass.reviews(session, only_open=True) == []
        assert glass.reviews(session)[0].reviewed_by == "Dr Dora Kim"


def test_reason_and_words_are_asked_for(practice: Practice, patient: str) -> None:
    for reason, words, field in (("", WHY, "reason"), ("fun", WHY, "reason"), ("other", " x ", "words"), ("other", "x" * 1001, "words")):
        with pytest.raises(Invalid) as refused, practice.write("hugo") as session:
            glass.break_glass(session, patient, reason, words)
        assert refused.value.field == field
    assert as_owner(practice, "select count(*) from clinic.access_grants") == [(0,)]


def test_only_doctors_may_and_a_record_that_is_not_there_tells_nothing(practice: Practice, patient: str) -> None:
    for who in ("rita", "ada"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            glass.break_glass(session, patient, "emergency", WHY)
    sentences = set()
    for number, who in (("p_zzzzzz", "hugo"), (patient, "dora")):
        with pytest.raises(ClinicError) as refused, practice.write(who) as session:
            glass.break_glass(session, number, "emergency", WHY)
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1


def test_with_psql_there_is_no_longer_hour_and_no_grant_without_words(practice: Practice, patient: str) -> None:
    with raw(practice, "hugo") as connection:
        longer = ("insert into clinic.access_grants (patient_id, doctor_id, reason, words, expires_at) values"
                  " (%(p)s, %(d)s, 'other', 'x', now() + interval '1 year')")
        for statement in (longer, "insert into clinic.care (doctor_id, patient_id) values (%(d)s, %(p)s)",
                          "update clinic.care set expires_at = null", "delete from clinic.access_grants",
                          "update clinic.access_grants set expires_at = now() + interval '1 year'"):
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement, {"p": patient, "d": practice.doctors["hugo"]})
        connection.execute("select clinic.break_glass(%s, 'emergency')", [patient])
        with pytest.raises(psycopg.Error) as refused:
            connection.execute("set constraints all immediate")
        assert refused.value.diag.constraint_name == "glass_words"
        connection.rollback()
    assert not any(rows_seen(practice, patient, "hugo").values())


def test_everything_of_it_is_in_the_log_and_the_words_are_nowhere_in_plain(practice: Practice, patient: str) -> None:
    grant = opened(practice, patient)
    with practice.read("hugo") as session:
        chart.chart(session, patient)
        patients.sealed_texts(session, patient, ["medical_history"])
    with practice.write("hugo") as session:
        glass.end(session, grant.id)
    today = datetime.now(practice.clinic.zone).date()
    with practice.read("ada") as session:
        rows = auditing.report(session, auditing.Wanted(today, today, actor="hugo", patient_id=patient))
    assert [row.action for row in reversed(rows) if row.action.startswith("glass")] == ["glass", "glass end"]
    assert {"read", "key"} <= {row.action for row in rows}
    dump = str(as_owner(practice, "select to_jsonb(g)::text from clinic.access_grants g")) + str(
        as_owner(practice, "select to_jsonb(e)::text from audit.events e"))
    assert "ambulance" not in dump and WHY.encode().hex() not in dump
