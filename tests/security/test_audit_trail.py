"""What the log hears of: a rule for every table, and an event for every act of a working day."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from clinicdesk.rules.chart_tables import CATEGORIES
from clinicdesk.services import (
    appointments,
    attachments,
    auditing,
    chart,
    immunizations,
    medication,
    money,
    papers,
    patients,
    prescriptions,
    records,
    timeline,
    visits,
)
from clinicdesk.services.attachments import NewAttachment
from tests.clinics import Practice
from tests.visiting import FULL, as_owner, completed

#: Tables whose changes are not followed, and why not.
NOT_FOLLOWED = {
    "auth.attempts": "counts failures; the refusal itself is an event",
    "auth.credentials": "the functions of sign-in write the event",
    "auth.secrets": "one row, made with the database",
    "auth.sessions": "the functions of sign-in write the event",
    **{f"auth.{name}": "the functions of sign-in write the event" for name in ("one_time_codes", "second_factors", "tries")},
    **{f"audit.{name}": "the log itself" for name in ("anchors", "chain", "events", "head")},
    "auth.enrolments": "the functions of enrolment write the event",
    "clinic.backup_proofs": "the function that keeps a proof writes the event",
    "clinic.clinic_keys": "the functions that change the key write the event",
    "clinic.erasures": "the function that erases writes the event",
    "clinic.access_grants": "the functions of emergency access write the event",
    "clinic.alert_firings": "a history itself, with who and when",
    "clinic.appointment_events": "a history itself, with who and when",
    "clinic.appointment_steps": "a table of rules, made with the database",
    "clinic.attachment_chunks": "pieces of an attachment, which is followed",
    "clinic.care": "derived from bookings and assignments, which are followed",
    "clinic.desk_actions": "the undo list; what an action did is followed",
    "clinic.drafts": "a doctor's own unsaved words, saved each second; what is signed is followed",
    "clinic.name_spellings": "derived from names",
    "clinic.notifications": "derived from what others did, which is followed",
    "clinic.patient_terms": "derived from names",
    "clinic.receipt_counters": "counts receipts, which are followed",
    "clinic.signing_secrets": "made with a signing key, which is followed",
    "clinic.tickets": "numbers of the waiting room, derived from check-in",
    "clinic.visit_outbox": "the way of a visit to the document server",
    "clinic.wallets": "derived from wallet entries",
}


def test_every_table_is_followed_or_says_why_not(practice: Practice) -> None:
    followed: dict[str, str] = dict(as_owner(  # type: ignore[arg-type]  two columns
        practice, "select tgrelid::regclass::text, convert_from(substring(tgargs from 1 for position('\\x00'::bytea in tgargs) - 1),"
                  " 'UTF8') from pg_trigger where tgname = 'audit'"))
    tables = {name for (name,) in as_owner(practice, "select oid::regclass::text from pg_class where relkind in ('r', 'p')"
                                                     " and relnamespace::regnamespace::text in ('auth', 'clinic', 'audit')")}
    assert set(followed) & set(NOT_FOLLOWED) == set()
    assert set(followed) | set(NOT_FOLLOWED) == tables
    differing = {table: kind for table, kind in followed.items()
                 if CATEGORIES.get(table.removeprefix("clinic."), kind) != kind and table.startswith("clinic.")}
    assert differing == {}, "reading and changing a table are one category"


def test_every_act_of_a_working_day_is_in_the_log(practice: Practice) -> None:
    """Some thirty acts of three people: register, change, book, visit, prescribe, pay, print, look, export. Each is there, in order."""
    patient = practice.patient(medical_history="Asthma.", ssn="123-45-6789")
    with practice.write("rita") as session:
        card = patients.card(session, patient)
        patients.edit(session, patient, replace(patients.form_of(card), address="5 Other Road, Berlin"), card.version)
    visit = completed(practice, patient, FULL)
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "latex")
        chart.add_problem(session, patient, "asthma")
        records.add(session, patient, "letter", "Letter", "text")
        attachments.add(session, NewAttachment(patient, "Report", b"a report, in words", "report.txt"))
        immunizations.add(session, patient, immunizations.NewImmunization("Polio", "2020"))
        medicine = medication.current(session, patient)[0]
        medication.stop(session, medicine.id, medicine.version, "finished")
        prescriptions.printed(session, visit.prescription_id or 0)
        papers.issue(session, papers.source_for(session, patient, "VS"), papers.PaperDraft("VS", {"plan": "Rest."}))
    with practice.read("dora") as session:
        chart.chart(session, patient)
        timeline.history(session, patient)
        visits.read(session, visits.of_patient(session, patient))
    with practice.write("dora") as session:
        auditing.told(session, "export", "documents", patient, "attachment 1")
    with practice.write("rita") as session:
        charge = money.account(session, patient).open[0].id
        money.pay(session, patient, [money.Part(charge, "cash", Decimal(50))], "pay once")
        later = practice.book(patient, practice.at(11, day=3))
    practice.step(later, "cancelled", reason="asked to")
    with practice.read("rita") as session:
        appointments.of_patient(session, patient)
    today = datetime.now(practice.clinic.zone).date()
    with practice.read("ada") as session:
        rows = auditing.report(session, auditing.Wanted(today, today, patient_id=patient))
    found = {(row.actor, row.action, row.category) for row in rows}
    wanted = {
        ("rita", "add", "identity"), ("rita", "add", "key"), ("rita", "add", "background"), ("rita", "change", "identity"),
        ("rita", "add", "schedule"), ("rita", "change", "schedule"), ("dora", "change", "schedule"),
        ("dora", "add", "visits"), ("dora", "change", "visits"), ("dora", "add", "notes"), ("dora", "add", "vitals"),
        ("dora", "add", "prescriptions"), ("dora", "add", "medicines"), ("dora", "print", "prescriptions"), ("dora", "add", "papers"),
        ("dora", "add", "allergies"), ("dora", "add", "problems"), ("dora", "add", "records"), ("dora", "add", "documents"),
        ("dora", "add", "immunizations"), ("dora", "key", "clinical"), ("dora", "read", "allergies"), ("dora", "read", "problems"),
        ("dora", "read", "medicines"), ("dora", "read", "vitals"), ("dora", "read", "visits"), ("dora", "read", "documents"),
        ("dora", "read", "papers"), ("dora", "read", "prescriptions"), ("dora", "export", "documents"), ("rita", "add", "money"),
        ("rita", "read", "identity"),
    }
    assert wanted - found == set()


def test_a_patient_sees_who_opened_her_record_and_nothing_of_anybody_else(practice: Practice) -> None:
    patient, other = practice.patient(), practice.patient()
    for number, hour in ((patient, 9), (other, 10)):
        practice.book(number, practice.at(hour))
        with practice.read("dora") as session:
            chart.chart(session, number)
    with practice.clinic.as_owner() as session:
        from sqlalchemy import text

        from clinicdesk.services import proofs
        from tests.clinics import PASSWORD

        proof = proofs.proof_of(PASSWORD)
        session.execute(text("select auth.insert_user('kim', 'Kim Kiosk', 'patient', :p, :salt, :m, :i, :l, :v)"),
                        {"p": patient, "salt": proof.salt, "m": proof.memory_kib, "i": proof.iterations, "l": proof.lanes,
                         "v": proof.verifier})
    with practice.read("kim") as session:
        seen = auditing.my_readers(session)
        assert {(one.name, one.action) for one in seen} >= {("Dr Dora Kim", "read"), ("Rita Reception", "add")}
        assert len([one for one in seen if one.action == "read" and one.category == "allergies"]) == 1
        assert auditing.report(session, auditing.Wanted(*[datetime.now(practice.clinic.zone).date()] * 2)) == []
    with practice.read("rita") as session:
        assert auditing.my_readers(session) == []
