"""Fills a scratch clinic by COPY: everything streams, so that a million patients need no more memory than a thousand.

Rows go in as the administrator of the embedded server with triggers off (`session_replication_role`), because a trigger per row is what
a bulk load cannot afford; what the triggers would have written (care relations, records, histories) is then written by SQL.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any

import psycopg
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from benchmarks.people import patient_id, person
from benchmarks.visits import write_long_history
from clinicdesk.clinic import Clinic
from clinicdesk.demo.people import REASONS
from clinicdesk.jobs.worker import deliver_all
from clinicdesk.rules.names import patient_terms
from clinicdesk.services import accounts, settings
from clinicdesk.services.doctors import add as add_doctor
from clinicdesk.services.people import DoctorForm
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import DATABASE, libpq_address
from clinicdesk.storage.vault import new_key

PASSWORD = "measured mornings 26"
DOCTORS = 50          #: who work now; more are made as former doctors when the history does not fit into their days
WEEK_DOCTORS = 20
SLOTS = 27            #: of twenty minutes from 8:00 to 17:00
APPOINTMENTS_EACH = 10
READ = 300            #: patients with real keys: those the measurements open
VISITS = 500
_CHUNK = 20_000


@dataclass(slots=True)
class Filled:
    """What the measurements need to know of the clinic."""

    patients: int
    today: date
    doctors: list[int]
    doctor_users: dict[int, str]
    long_patient: str
    readable: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)


def administrator(clinic: Clinic, *, triggers: bool = True) -> psycopg.Connection[Any]:
    """A bare connection that row security does not concern; without `triggers` also without foreign keys and our own functions."""
    if clinic.addresses.admin is None:
        raise RuntimeError("only for a clinic of its own")
    connection = psycopg.connect(libpq_address(schema.in_database(clinic.addresses.admin, DATABASE)), autocommit=True)
    connection.execute("set timezone = 'UTC'")
    if not triggers:
        connection.execute("set session_replication_role = replica")
    return connection


def fill(clinic: Clinic, patients: int) -> Filled:
    """Fill an empty clinic with so many patients; shows a progress bar."""
    bar = Progress(TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with bar, administrator(clinic, triggers=False) as admin:
        admin.execute("set synchronous_commit = off; set maintenance_work_mem = '256MB'; set work_mem = '64MB'")
        today = datetime.now(clinic.zone).date()
        wanted = max(patients * APPOINTMENTS_EACH, DOCTORS * SLOTS * 7)
        filled = _staff(clinic, admin, bar, patients, today, _former_doctors(wanted))
        _patients(clinic, admin, bar, patients, filled)
        with _without_exclusion(admin, bar):
            _appointments(clinic, admin, bar, filled, wanted)
        for words, statement in _CONSEQUENCES.items():
            with _one(bar, words):
                admin.execute(statement)
        count = VISITS if patients >= 1_000 else patients // 5  # a document is on disk before the next one is sent: the slowest part
        with _one(bar, f"One patient with {count} visits"):
            write_long_history(clinic, admin, filled.long_patient, filled.doctors[0], filled.doctor_users[filled.doctors[0]], count)
            deliver_all(clinic.worker_database)
        with _one(bar, "Statistics"):
            admin.execute("vacuum analyze")
            admin.execute("checkpoint")
        for table in ("patients", "patient_terms", "patient_keys", "appointments", "records", "appointment_events", "care", "visits"):
            found = admin.execute(f"select count(*) from clinic.{table}").fetchone()
            filled.rows[table] = int(found[0]) if found else 0
    return filled


def _former_doctors(appointments: int) -> int:
    """How many more doctors than those of today two years of working days need."""
    return max(0, -(-appointments // (SLOTS * 480)) - DOCTORS)


@contextmanager
def _one(bar: Progress, words: str) -> Iterator[None]:
    task = bar.add_task(words, total=1)
    yield
    bar.update(task, completed=1)


def _staff(clinic: Clinic, admin: psycopg.Connection[Any], bar: Progress, patients: int, today: date, former: int) -> Filled:
    """A receptionist and doctors with hours on every day. All doctors share one password and one proof: deriving takes long on purpose."""
    filled = Filled(patients, today, [], {}, patient_id(0), [patient_id(n) for n in _read_numbers(patients)])
    task = bar.add_task("Staff", total=DOCTORS + former + 2)
    with clinic.as_owner() as session:
        settings.change_settings(session, settings.ClinicSettings(
            name="Scratch Clinic", address="1 Measure Street, Northbridge", phone="+441632960100", email="desk@scratch.example"))
        for username, role in (("ada", "administrator"), ("rita", "receptionist")):
            accounts.insert_account(session, username, username.capitalize(), role, PASSWORD)
            bar.advance(task)
        first = accounts.insert_account(session, "d0000", "Dr 0000 Measure", "doctor", PASSWORD)
    with clinic.as_owner() as session:
        filled.doctors.append(add_doctor(session, first, DoctorForm(licence_number="LIC-0000", specialization="Family medicine",
                                                                    fee="50", phone="+441632960101", address="1 Measure Street")))
    filled.doctor_users[filled.doctors[0]] = "d0000"
    bar.advance(task)
    for number in range(1, DOCTORS + former):
        name = f"d{number:04d}"
        row = admin.execute(
            "with u as (insert into auth.users (username, name, role) values (%s, %s, 'doctor') returning id), c as ("
            " insert into auth.credentials (user_id, salt, memory_kib, iterations, lanes, verifier)"
            " select u.id, salt, memory_kib, iterations, lanes, verifier from u, auth.credentials where user_id = %s)"
            " insert into clinic.doctors (user_id, licence_number, specialization, available)"
            " select u.id, %s, 'Family medicine', %s from u returning id",
            [name, f"Dr {number:04d} Measure", first, f"LIC-{number:04d}", number < DOCTORS]).fetchone()
        filled.doctors.append(int(row[0]) if row else 0)
        filled.doctor_users[filled.doctors[-1]] = name
        bar.advance(task)
    admin.execute("insert into clinic.working_hours (doctor_id, weekday, starts_minute, ends_minute)"
                  " select d.id, w, 480, 1020 from clinic.doctors d, generate_series(0, 6) w")
    return filled


def _read_numbers(patients: int) -> list[int]:
    step = max(1, patients // READ)
    return list(islice(range(0, patients, step), READ))


def _patients(clinic: Clinic, admin: psycopg.Connection[Any], bar: Progress, patients: int, filled: Filled) -> None:
    task = bar.add_task("Patients, terms and keys", total=patients)
    real = set(filled.readable)
    created = datetime.combine(filled.today, time(12), tzinfo=UTC)
    with admin.cursor() as cursor:
        for begin in range(0, patients, _CHUNK):
            numbers = range(begin, min(begin + _CHUNK, patients))
            with cursor.copy("copy clinic.patients (id, first_name, last_name, born, sex, phone, email, address, created_at, updated_at)"
                             " from stdin") as copy:
                for number in numbers:
                    p = person(number)
                    at = created - timedelta(minutes=number % 1_000_000)
                    copy.write_row((p.id, p.first_name, p.last_name, p.born, p.sex, p.phone, p.email, p.address, at, at))
            with cursor.copy("copy clinic.patient_terms (term, kind, patient_id) from stdin") as copy:
                for number in numbers:
                    p = person(number)
                    for term, kind in patient_terms(patient_id=p.id, first_name=p.first_name, last_name=p.last_name, phone=p.phone,
                                                    email=p.email, born=p.born):
                        copy.write_row((term, kind, p.id))
            with cursor.copy("copy clinic.patient_keys (patient_id, purpose, wrapped) from stdin") as copy:
                for number in numbers:
                    name = patient_id(number)
                    for purpose in ("identity", "clinical"):
                        copy.write_row((name, purpose, clinic.vault.wrap(new_key(), name, purpose) if name in real else os.urandom(61)))
            bar.update(task, completed=numbers.stop)


@contextmanager
def _without_exclusion(admin: psycopg.Connection[Any], bar: Progress) -> Iterator[None]:
    """The constraint against double booking is taken away and put back: built at once it costs a tenth, and it proves the rows."""
    name = "ex_appointments_overlap"
    found = admin.execute("select pg_get_constraintdef(oid) from pg_constraint where conname = %s", [name]).fetchone()
    admin.execute(f"alter table clinic.appointments drop constraint {name}")
    yield
    with _one(bar, "Nobody is booked twice"):
        admin.execute(f"alter table clinic.appointments add constraint {name} {found[0] if found else ''}")


def _appointments(clinic: Clinic, admin: psycopg.Connection[Any], bar: Progress, filled: Filled, wanted: int) -> None:
    task = bar.add_task("Appointments", total=wanted)
    now = datetime.now(UTC)
    count = 0
    columns = "doctor_id, patient_id, starts_at, ends_at, status, reason, cancel_reason, created_at, status_since"
    with admin.cursor() as cursor, cursor.copy(f"copy clinic.appointments ({columns}) from stdin") as copy:
        for doctor, day, slot in islice(_places(filled, wanted), wanted):
            start = datetime.combine(day, time(8), tzinfo=clinic.zone) + timedelta(minutes=20 * slot)
            status = _status(count, start, now)
            who = patient_id(count * 7_919 % filled.patients)
            copy.write_row((doctor, who, start, start + timedelta(minutes=20), status, REASONS[count % len(REASONS)],
                            "Called to cancel" if status == "cancelled" else "", start - timedelta(days=20), min(start, now)))
            count += 1
            if count % 5_000 == 0:
                bar.update(task, completed=count)
    bar.update(task, completed=count, total=count)


def _status(number: int, start: datetime, now: datetime) -> str:
    if number % 19 == 0:
        return "cancelled"
    if start > now:
        return "confirmed" if number % 3 else "scheduled"
    return "no_show" if number % 23 == 0 else "completed"


def _places(filled: Filled, wanted: int) -> Iterator[tuple[int, date, int]]:
    """Doctor, day and slot: first the full week around today, then the working days of two years, filled evenly."""
    monday = filled.today - timedelta(days=filled.today.weekday())
    week = [monday + timedelta(days=n) for n in range(7)]
    for day in week:
        for doctor in filled.doctors[:DOCTORS]:
            for slot in range(SLOTS):
                yield doctor, day, slot
    days = [d for n in range(-690, 40) if (d := filled.today + timedelta(days=n)).weekday() < 5 and d not in week]
    each = -(-(wanted - DOCTORS * SLOTS * 7) // len(days))
    for day in days:
        for place in range(each):
            yield filled.doctors[place % len(filled.doctors)], day, place // len(filled.doctors)


#: What the triggers of each row would have written.
_CONSEQUENCES = {
    "Care relations": """
        insert into clinic.care (doctor_id, patient_id)
        select distinct doctor_id, patient_id from clinic.appointments where status not in ('cancelled', 'no_show')""",
    "Histories": """
        insert into clinic.appointment_events (appointment_id, at, what, status, doctor_id, starts_at, ends_at, lane)
        select id, created_at, 'booked', 'scheduled', doctor_id, starts_at, ends_at, lane from clinic.appointments""",
    "Spellings of names": """
        insert into clinic.name_spellings (key, word)
        select k.key, n.term from (select distinct term from clinic.patient_terms where kind = 'name') n,
               clinic.spellings_of(n.term) k(key)
        on conflict do nothing""",
    "Records": """
        insert into clinic.records (patient_id, appointment_id, kind, title, happened_at)
        select patient_id, id, 'visit', 'Visit', starts_at from clinic.appointments""",
}
