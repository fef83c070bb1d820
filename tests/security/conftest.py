"""A clinic with rows in every table: one patient in dora's care, one in hugo's, and a kiosk account of the first."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import text

from clinicdesk.services import (
    accounts,
    addenda,
    appointments,
    attachments,
    availability,
    chart,
    day_close,
    doctors,
    drafts,
    duplicates,
    merging,
    money,
    patients,
    photos,
    proofs,
    records,
    session_log,
)
from clinicdesk.services.drafts import ConsultationDraft, DiagnosisDraft
from clinicdesk.storage.vault import new_key
from tests.clinics import PASSWORD, Practice
from tests.visiting import FULL, as_owner, completed, started


@dataclass(frozen=True)
class Side:
    """Ids of one patient and her doctor. `open` is a consultation with a draft, `blank` one without, `free` an appointment without any."""

    patient: str
    doctor: int
    done: int
    open: int
    blank: int
    free: int
    visit: str
    record: int
    prescription: int


@dataclass(frozen=True)
class Ward:
    """The clinic, its two sides, a patient with nothing yet, and a doctor's account without a profile."""

    practice: Practice
    mine: Side
    other: Side
    bare: str
    without_profile: int
    users: dict[str, int]
    wishes: dict[str, int]
    medicines: dict[str, int]
    spare_keys: dict[str, int]

    def role(self, role: str) -> str | None:
        return {"receptionist": "rita", "doctor": "dora", "administrator": "ada", "patient": "kim", "nobody": None}[role]


#: What was checked in this run, printed at its end: what → (cells, failed).
CELLS: dict[str, tuple[int, int]] = {}


def count_cells(what: str, cells: int, failed: int) -> None:
    """Remember for the summary of `make security` (which runs in one process)."""
    CELLS[what] = (cells, failed)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many cells were checked, and how many failed."""
    for what, (cells, failed) in sorted(CELLS.items()):
        terminalreporter.write_line(f"{what}: {cells} cells checked, {failed} failed")
    if CELLS:
        cells, failed = (sum(one[place] for one in CELLS.values()) for place in (0, 1))
        terminalreporter.write_line(f"together: {cells} cells checked, {failed} failed")


def small_picture() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (40, 40), "teal").save(written, "PNG")
    return written.getvalue()


def fill_side(practice: Practice, doctor: str, hour: int) -> Side:
    patient = practice.patient(ssn="123-45-6789", tags=("interpreter",), email="m@example.org", added_note="deaf", medical_history="asthma",
                               emergency_name="Ann Other", emergency_phone="0301234567", allergies="cats")
    diagnosed = replace(FULL, diagnoses=(DiagnosisDraft("J20.9", "Acute bronchitis, unspecified"),))
    visit = completed(practice, patient, diagnosed, hour=hour, doctor=doctor)
    begun = started(practice, patient, hour=hour, minute=20, doctor=doctor)
    blank = started(practice, patient, hour=hour, minute=40, doctor=doctor)
    free = practice.book(patient, practice.at(hour + 1), doctor)
    practice.step(free, "arrived")
    with practice.write("rita") as session:
        doctors.assign(session, practice.doctors[doctor], patient, "since long")
    with practice.write(doctor) as session:
        drafts.save(session, begun, ConsultationDraft(notes={"plan": "rest"}), 0)
        chart.state_no_allergies(session, patient)
        chart.add_allergy(session, patient, "latex")
        chart.add_problem(session, patient, "asthma")
        record = records.add(session, patient, "letter", "Letter", "text")
        row = next(r for r in records.of_patient(session, patient) if r.id == record)
        records.annotate(session, row, "seen")
        attachments.add(session, attachments.NewAttachment(patient, "Letter", b"a letter " * 150_000, "letter.txt"))
        session.execute(text("insert into clinic.immunizations (id, patient_id, vaccine, recorded_by)"
                             " values (gen_random_uuid(), :p, 'Tetanus', auth.me())"), {"p": patient})
        session_log.add(session, patient, "speech", "First session", 45, session.now(), "read aloud", f"session {doctor}")
        session.execute(text("insert into clinic.medicines (patient_id, description, recorded_by) values (:p, 'aspirin', auth.me())"),
                        {"p": patient})
        day = date.today() + timedelta(days=40)  # noqa: DTZ011  any day far enough ahead
        availability.make_slots(session, availability.SlotTemplate(practice.doctors[doctor], day, day, frozenset(range(7)),
                                                                   practice.at(19).time(), practice.at(20).time(), 20))
        availability.add_closure(session, practice.doctors[doctor], practice.at(8, day=50), practice.at(9, day=50), "leave")
    with practice.write("rita") as session:
        money.top_up(session, patient, "cash", Decimal(20), f"top up {doctor}")
        charge = money.account(session, patient).open[0].id
        money.pay(session, patient, [money.Part(charge, "wallet", Decimal(5))], f"pay {doctor}")
    as_owner(practice, "update clinic.appointments set status = 'in_progress', version = version + 1 where id = %s", free)
    gone, other = practice.patient(), practice.patient()
    with practice.write("rita") as session:
        photos.put(session, patient, small_picture())
        duplicates.say_different(session, patient, (other,))
        merging.merge(session, patient, gone, (patients.card(session, patient).version, 1))
    as_owner(practice, "delete from clinic.patient_keys where patient_id = %s", gone)  # the side is told by one record
    as_owner(practice, "insert into clinic.import_keys values ('synthea', %s, %s)", f"x-{doctor}", patient)
    with practice.read(doctor) as session:
        done = session.scalar(text("select id from clinic.consultations where patient_id = :p and status = 'completed'"), {"p": patient})
        assert appointments.one(session, free).status == "in_progress"
    with practice.write(doctor) as session:
        addenda.add(session, done or 0, "an afterthought")
    as_owner(practice, "insert into clinic.visits select id, 7, patient_id, appointment_id, consultation_id, doctor_id, visit_date"
                       " from clinic.visits where id = %s and revision = 1", visit.visit_id)  # a revision that has no outbox row yet
    as_owner(practice, "insert into clinic.access_grants (patient_id, doctor_id, reason, words, expires_at)"
                       " values (%s, %s, 'other', %s, now() + interval '1 minute')", patient, practice.doctors["hugo"], b"x" * 40)
    return Side(patient, practice.doctors[doctor], done, begun, blank, free, str(visit.visit_id), record, visit.prescription_id or 0)


@pytest.fixture
def ward(practice: Practice) -> Ward:
    mine, other = fill_side(practice, "dora", 9), fill_side(practice, "hugo", 9)
    with practice.write("rita") as session:
        day_close.close(session, practice.at(9, day=0).date(), Decimal(0), Decimal(40), Decimal(0))
    as_owner(practice, "insert into audit.anchors (seq, hash, mark) select seq, hash, hash from audit.head")
    bare = f"p_{new_key().hex()[:6]}"
    as_owner(practice, "insert into clinic.patients (id, first_name, last_name, born, sex)"
                       " values (%s, 'Bo', 'Bare', '1990-01-01', 'O')", bare)
    with practice.clinic.as_owner() as session:
        spare = accounts.insert_account(session, "nora", "Dr Nora New", "doctor", PASSWORD)
        proof = proofs.proof_of(PASSWORD)  # no desk can give a patient a password; it stands for a code of the kiosk here
        session.execute(text("select auth.insert_user('kim', 'Kim Kiosk', 'patient', :p, :salt, :m, :i, :l, :v)"),
                        {"p": mine.patient, "salt": proof.salt, "m": proof.memory_kib, "i": proof.iterations, "l": proof.lanes,
                         "v": proof.verifier})
        availability.add_closure(session, None, practice.at(8, day=60), practice.at(9, day=60), "holiday")
    for name in ("rita", "dora", "hugo", "ada", "kim"):
        practice.token(name)
    users = {str(row[0]): int(row[1]) for row in as_owner(practice, "select username, id from auth.users")}
    for name in ("rita", "dora", "ada", "sam", "kim"):
        as_owner(practice, "insert into clinic.notifications (user_id, kind, patient_id) values (%s, 'assigned', %s)", users[name], bare)
    for name in ("rita", "dora", "hugo", "ada", "sam"):
        as_owner(practice, "insert into clinic.desk_actions (user_id, kind, changes) values (%s, 'book', '[1]')", users[name])
    for side in (mine, other):
        as_owner(practice, "insert into clinic.series (patient_id, rule) values (%s, 'every week')", side.patient)
        as_owner(practice, "insert into clinic.waiting_list (patient_id, doctor_id) values (%s, %s)", side.patient, side.doctor)
        as_owner(practice, "insert into clinic.offers (wish_id, patient_id, doctor_id, starts_at, ends_at, expires_at)"
                           " select id, patient_id, doctor_id, now() + interval '24 hours', now() + interval '25 hours',"
                           " now() + interval '1 hour' from clinic.waiting_list where patient_id = %s", side.patient)
        as_owner(practice, "insert into clinic.messages (patient_id, appointment_id, kind, doctor_id, starts_at, hold_until)"
                           " values (%s, %s, 'booked', %s, now(), now())", side.patient, side.free, side.doctor)
    for side, who in ((mine, "dora"), (other, "hugo")):  # a medicine that is not stopped yet and one that is, and what stands around them
        for statement in (
            "insert into clinic.favourites (doctor_id, title, item) select %s, 'x' || %s, '{}' where %s > 0",
            "insert into clinic.medicines (patient_id, description, recorded_by) select %s, 'stopped', %s where %s > 0",
            ("insert into clinic.medicine_stops (medicine_id, patient_id, reason, stopped_by) select id, patient_id, 'finished',"
            " recorded_by from clinic.medicines where patient_id = %s and description = 'stopped' and recorded_by = %s and %s > 0"),
            "insert into clinic.patient_facts (patient_id, kind, pregnant, stated_by) select %s, 'pregnant', false, %s where %s > 0",
            ("insert into clinic.alert_firings (patient_id, consultation_id, alert_key, rule, tier, medicine)"
            " select %s, c.id, 'x', 'age', 2, 'x' from clinic.consultations c where %s > 0 and c.id = %s"),
            ("insert into clinic.alert_overrides (patient_id, consultation_id, alert_key, rule, tier, medicine, reason, given_by)"
            " select %s, c.id, 'x', 'age', 2, 'x', 'monitor', %s from clinic.consultations c where c.id = %s"),
        ):
            first: object = side.doctor if "favourites" in statement else side.patient
            as_owner(practice, statement, first, str(users[who]) if "favourites" in statement else users[who], side.open)
    as_owner(practice, "insert into clinic.backup_proofs (file_name, file_size, sha256, taken_at, ok, numbers)"
                       " values ('a.cdbackup', 1, repeat('0', 64), now(), true, '{}')")
    as_owner(practice, "insert into clinic.content_approvals (content, version, sha256, doctor_id, approved_on, recorded_by)"
                       " values ('medicines', '1', repeat('0', 64), %s, '2026-01-01', %s)", mine.doctor, users["ada"])
    medicines = {str(row[0]): int(row[1]) for row in as_owner(
        practice, "select patient_id, id from clinic.medicines where description = 'aspirin'")}
    wishes = {str(row[0]): int(row[1]) for row in as_owner(practice, "select patient_id, id from clinic.waiting_list")}
    as_owner(practice, "update clinic.signing_keys set retired_at = now()")
    keys = {name: int(as_owner(practice, "insert into clinic.signing_keys (user_id, public_key, certificate, retired_at)"
                                         " values (%s, %s, %s, now()) returning id", users[name], new_key(), b"x" * 200)[0][0])
            for name in ("dora", "hugo")}
    for side in (mine, other):
        number = f"VS-{side.patient[2:6].upper().translate(str.maketrans('ILOU', '1101'))}-0000"
        as_owner(practice, "insert into clinic.papers (kind, number, consultation_id, patient_id, doctor_id, page, pdf, pdf_sha256)"
                           " values ('VS', %s, %s, %s, %s, 'A4', 'x', decode(repeat('00', 32), 'hex'))",
                 number, side.done, side.patient, side.doctor)
        as_owner(practice, "insert into clinic.voids (number, patient_id, voided_by, reason) values (%s, %s, %s, %s)",
                 number, side.patient, users["dora"], b"x" * 40)
    as_owner(practice, "insert into clinic.clinic_keys (generation, fingerprint, former) values (2, %s, %s)", b"x" * 39, b"x" * 61)
    as_owner(practice, "insert into auth.enrolments (workstation, public_key) values ('new desk', %s)", b"x" * 32)
    as_owner(practice, "insert into clinic.erasures values (1, 'p_000000', now(), 'ada', 'request', 1, %s)", b"x" * 32)
    return Ward(practice, mine, other, bare, spare, users, wishes, medicines, keys)
