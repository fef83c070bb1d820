"""Addenda and diagnoses: what a signed visit says, what is added to it afterwards, and that neither can be changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.models.clinical import Addendum
from clinicdesk.services import addenda, chart, diagnosing, doctors, visits
from clinicdesk.services.drafts import ConsultationDraft, DiagnosisDraft
from clinicdesk.services.sealing import seal_text
from clinicdesk.storage.vault import Place
from tests.clinics import Practice
from tests.visiting import CANARY, FULL, as_owner, completed, raw, started

BRONCHITIS = DiagnosisDraft("J20.9", "Acute bronchitis, unspecified")
DIAGNOSED = replace(FULL, diagnoses=(replace(BRONCHITIS, problem=True), DiagnosisDraft("", "tired of coughing")))


def texts(practice: Practice, patient: str, who: str = "dora") -> list[visits.VisitText]:
    with practice.read(who) as session:
        return visits.read(session, visits.of_patient(session, patient))


def consultation_of(practice: Practice, visit: object) -> int:
    return int(as_owner(practice, "select consultation_id from clinic.visits where id = %s", visit)[0][0])


def test_diagnoses_are_signed_with_the_visit_and_listed_once(practice: Practice) -> None:
    patient = practice.patient()
    completed(practice, patient, DIAGNOSED)
    completed(practice, patient, DIAGNOSED, hour=10)
    first = texts(practice, patient)[0]
    assert first.diagnoses == ("Acute bronchitis, unspecified (J20.9)", "tired of coughing")
    assert first.intact and first.signed_by == "Dr Dora Kim" and first.signed_at
    with practice.read("dora") as session:
        assert [(p.code, p.description) for p in chart.chart(session, patient).problems] == [("J20.9", "Acute bronchitis, unspecified")]


@pytest.mark.parametrize("wrong", [DiagnosisDraft("J20.99", "Acute bronchitis"), DiagnosisDraft("", "x" * 301)])
def test_a_diagnosis_that_does_not_exist_is_refused_where_it_was_chosen(practice: Practice, wrong: DiagnosisDraft) -> None:
    with pytest.raises(Invalid) as refusal:
        completed(practice, practice.patient(), replace(FULL, diagnoses=(wrong,)))
    assert refusal.value.field == "diagnoses"


def test_what_a_doctor_uses_comes_first(practice: Practice) -> None:
    with practice.read("dora") as session:
        assert diagnosing.search(session, "acute bronchitis")[0].code == "J20.9"
        plain = diagnosing.search(session, "cough")
        assert len(plain) > 5
        assert diagnosing.search(session, "zzzz") == []
        assert [c.code for c in diagnosing.search(session, "i10")] == ["I10"]
    completed(practice, practice.patient(), replace(FULL, diagnoses=(DiagnosisDraft(plain[-1].code, plain[-1].title),)))
    with practice.read("dora") as session:
        assert diagnosing.search(session, "cough")[0] == plain[-1]
    with practice.read("hugo") as session:
        assert diagnosing.search(session, "cough") == plain


def test_an_addendum_is_dated_named_and_leaves_the_signed_words(practice: Practice) -> None:
    patient = practice.patient()
    done = completed(practice, patient)
    number = consultation_of(practice, done.visit_id)
    with practice.write("dora") as session:
        assert addenda.add(session, number, f"  X-ray clear. {CANARY}  ") == 1
    with practice.write("rita") as session:
        doctors.assign(session, practice.doctors["hugo"], patient)
    with practice.write("hugo") as session:  # a colleague who looks after the patient
        assert addenda.add(session, number, "Seen by me, agreed.") == 2
    text = texts(practice, patient)[0]
    assert [(a.text, a.author) for a in text.addenda] == [(f"X-ray clear. {CANARY}", "Dr Dora Kim"),
                                                          ("Seen by me, agreed.", "Dr Hugo Blanc")]
    assert text.addenda[0].at <= text.addenda[1].at <= practice.clinic.database.now() + timedelta(seconds=1)
    assert text.notes["plan"] == "Rest and fluids." and text.intact and text.revision == 3
    assert texts(practice, patient, "hugo")[0].addenda == text.addenda


def test_addenda_are_for_signed_visits_and_for_those_who_care(practice: Practice) -> None:
    patient = practice.patient()
    done = consultation_of(practice, completed(practice, patient).visit_id)
    open_one = started(practice, patient, hour=11)
    for who, number, words in (("dora", open_one, "too early"), ("hugo", done, "not mine"), ("rita", done, "reception")):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            addenda.add(session, number, words)
    for words in ("   ", "x" * 10_001):
        with pytest.raises(Invalid), practice.write("dora") as session:
            addenda.add(session, done, words)
    assert as_owner(practice, "select count(*) from clinic.addenda") == [(0,)]


def test_raw_sql_neither_signs_an_addendum_as_somebody_else_nor_writes_a_visit_anew(practice: Practice) -> None:
    patient = practice.patient()
    visit = completed(practice, patient).visit_id
    number = consultation_of(practice, visit)
    insert = ("insert into clinic.addenda (consultation_id, patient_id, position, body, author_id)"
              " values (%s, %s, %s, '\\x00', (select id from auth.users where username = %s))")
    again = ("insert into clinic.visits select id, %s, patient_id, appointment_id, consultation_id, doctor_id, visit_date"
             " from clinic.visits where id = %s and revision = 1")
    attempts = [(insert, (number, patient, 1, "hugo")), (insert, (number, patient, 2, "dora")), (again, (2, visit)),
                ("update clinic.addenda set body = '\\x01'", ()), ("delete from clinic.addenda", ()),
                ("update clinic.diagnoses set description = 'x'", ()), ("delete from clinic.diagnoses", ())]
    for statement, values in attempts:
        refused = r"row-level security|refused|permission|changed elsewhere"
        with raw(practice, "dora") as connection, pytest.raises(psycopg.Error, match=refused):
            connection.execute(statement, values)
    with raw(practice, "dora") as connection:  # the attempts were well formed: the right one goes through
        connection.execute(insert, (number, patient, 1, "dora"))
        connection.execute(again, (2, visit))


def test_author_and_time_of_an_addendum_are_those_the_database_saw(practice: Practice) -> None:
    patient = practice.patient()
    number = consultation_of(practice, completed(practice, patient).visit_id)
    with practice.write("dora") as session:
        visit, whole = visits.newest(session, number)
        body = seal_text(session, Place(patient, f"consultation:{number}", "addendum 1"), "Agreed.")
        session.add(Addendum(consultation_id=number, patient_id=patient, position=1, body=body, author_id=session.my_id))
        session.flush()
        visits.add_revision(session, visit, whole, {"text": "Agreed.", "author": "Dr Hugo Blanc", "at": "2020-01-01T00:00:00+00:00"})
    text = texts(practice, patient)[0]
    (shown,) = text.addenda
    assert (shown.text, shown.author) == ("Agreed.", "Dr Dora Kim") and shown.at.year > 2020 and text.intact
    with practice.write("dora") as session:  # a document that leaves out what a colleague added
        visit, whole = visits.newest(session, number)
        body = seal_text(session, Place(patient, f"consultation:{number}", "addendum 2"), "Second.")
        session.add(Addendum(consultation_id=number, patient_id=patient, position=2, body=body, author_id=session.my_id))
        session.flush()
        last = {"text": "Second.", "author": "Dr Dora Kim", "at": "2026-01-01T00:00:00Z"}
        visits.add_revision(session, visit, {**whole, "addenda": []}, last)
    text = texts(practice, patient)[0]
    assert [one.text for one in text.addenda] == ["Agreed.", "Second."] and not text.intact


@pytest.mark.parametrize("who", ["hugo", "rita"])
def test_a_stranger_hears_the_same_of_a_visit_there_is_and_of_one_there_is_not(practice: Practice, who: str) -> None:
    patient, other = practice.patient(), practice.patient(last_name="Other")
    number = consultation_of(practice, completed(practice, patient).visit_id)
    paper = as_owner(practice, "select number from clinic.prescriptions")[0][0]
    addendum = "insert into clinic.addenda (consultation_id, patient_id, position, body, author_id) values (%s, %s, %s, '\\x00', auth.me())"
    note = ("insert into clinic.papers (kind, number, consultation_id, patient_id, doctor_id, page, pdf, pdf_sha256)"
            " values ('SN', 'SN-AAAA-AAAA', %s, %s, %s, 'A4', '\\x00', decode(repeat('00', 32), 'hex'))")
    void = "insert into clinic.voids (number, patient_id, voided_by, reason) values (%s, %s, auth.me(), decode(repeat('00', 40), 'hex'))"
    dora = practice.doctors["dora"]
    for statement, tries in ((addendum, ((number, patient, 1), (number, patient, 2), (number, other, 1), (999_999, patient, 1))),
                             (note, ((number, patient, dora), (number, other, dora), (999_999, patient, dora))),
                             (void, ((paper, patient), (paper, other), ("RX-ZZZZ-ZZZZ", patient)))):
        said = set()
        for values in tries:
            with raw(practice, who) as connection, pytest.raises(psycopg.Error) as refusal:
                connection.execute(statement, values)
            said.add((refusal.value.sqlstate, str(refusal.value).splitlines()[0], refusal.value.diag.constraint_name))
        assert len(said) == 1, said


def test_words_changed_in_the_database_are_not_those_that_were_signed(practice: Practice) -> None:
    patient = practice.patient()
    completed(practice, patient, ConsultationDraft(notes={"plan": "Rest."}))
    assert texts(practice, patient)[0].intact
    as_owner(practice, "alter table clinic.consultations disable trigger user")
    as_owner(practice, "update clinic.consultations set content_sha256 = %s where patient_id = %s", b"x" * 32, patient)
    assert not texts(practice, patient)[0].intact


def test_an_addendum_to_a_visit_of_an_unknown_number_says_nothing(practice: Practice) -> None:
    with pytest.raises(ClinicError), practice.write("dora") as session:
        addenda.add(session, 999_999, "words")
