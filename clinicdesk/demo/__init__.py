"""The demo clinic: invented staff, doctors, patients, a full week around today, and past visits. The same people every time.

It is filled through the same services as a real clinic, by the owner of the tables, because it writes a past. Its passwords are made
at random for each demo folder and shown on its sign-in window.
"""

from __future__ import annotations

import json
import random
import secrets
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import insert, select

from clinicdesk.clinic import Clinic
from clinicdesk.credentials import Credentials
from clinicdesk.demo import days, desk, lives, people, till
from clinicdesk.demo.days import Progress
from clinicdesk.errors import ClinicError
from clinicdesk.jobs.worker import deliver_all
from clinicdesk.models.clinical import Allergy, AllergyStatement, Medicine, Problem
from clinicdesk.models.people import Doctor
from clinicdesk.rules.slots import WorkingHours
from clinicdesk.services import accounts, availability, doctors, patients, settings
from clinicdesk.services.people import DoctorForm, Me, PatientForm
from clinicdesk.storage.database import ClinicSession

DEMO_ACCOUNTS = "demo-accounts"
PATIENTS = 400
PAST_VISITS = 240


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """One line of the demo's sign-in window."""

    role: str
    username: str
    name: str
    password: str


def demo_accounts(clinic: Clinic) -> tuple[DemoAccount, ...]:
    """The accounts of a demo clinic; empty when this is a real one."""
    text = Credentials(clinic.settings.data_dir).get(DEMO_ACCOUNTS)
    return tuple(DemoAccount(**row) for row in json.loads(text)) if text else ()


def prepare(clinic: Clinic, progress: Progress = lambda _w, _d, _t: None) -> tuple[DemoAccount, ...]:
    """Fill an empty clinic, or give a known demo this week's appointments again; its accounts.

    Raises ClinicError in a clinic that is somebody's real one.
    """
    known = demo_accounts(clinic)
    with clinic.read(None) as session:
        new = accounts.is_new(session)
    if not new and not known:
        raise ClinicError("This folder holds a real clinic.", "Start the demo with another --data-dir.")
    source = random.Random(20261121)
    if new:
        known = _staff(clinic, progress)
        _patients(clinic, source, progress)
        _past(clinic, source, progress)
        lives.lives(clinic, progress)
        deliver_all(clinic.worker_database)
        till.money(clinic, random.Random(20261121), progress)
    days.week(clinic, random.Random(datetime.now(clinic.zone).toordinal()), progress)
    desk.desk(clinic, random.Random(20261121), progress)
    return known


def _password() -> str:
    return "-".join(secrets.choice(people.PASSWORD_WORDS) for _ in range(3)) + f"-{secrets.randbelow(90) + 10}"


def _staff(clinic: Clinic, progress: Progress) -> tuple[DemoAccount, ...]:
    wanted = [("administrator", "ada", "Ada Lindqvist"), ("receptionist", "rita", "Rita Moreno"), ("receptionist", "sam", "Sam Walker")]
    wanted += [("doctor", row[0], row[1]) for row in people.DOCTORS]
    made = tuple(DemoAccount(role, username, name, _password()) for role, username, name in wanted)
    Credentials(clinic.settings.data_dir).set(
        DEMO_ACCOUNTS, json.dumps([{"role": a.role, "username": a.username, "name": a.name, "password": a.password} for a in made])
    )
    with clinic.as_owner() as session:
        ids = {}
        for number, account in enumerate(made):
            progress("Accounts", number, len(made))
            ids[account.username] = accounts.insert_account(session, account.username, account.name, account.role, account.password)
        settings.change_settings(
            session,
            settings.ClinicSettings(
                name="Northbridge Family Clinic",
                address="4 Station Road, Northbridge",
                phone="+44 1632 960100",
                email="desk@northbridge.example",
                page="A5",
                currency="GBP",
            ),
        )
        for number, (username, _name, specialization, qualifications, years, fee, available) in enumerate(people.DOCTORS):
            doctor_id = doctors.add(
                session,
                ids[username],
                DoctorForm(
                    licence_number=f"NB-{4100 + 37 * number}",
                    specialization=specialization,
                    qualifications=qualifications,
                    experience_years=str(years),
                    fee=fee,
                    phone=f"+44 1632 96011{number}",
                    available=available,
                ),
            )
            lunch = 12 + number % 2
            availability.set_working_hours(
                session,
                doctor_id,
                [
                    WorkingHours(day, *hours)
                    for day in range(7)
                    for hours in ((time(8), time(lunch)), (time(lunch + 1), time(17 if day < 5 else 15)))
                ],
            )
    return made


def _patients(clinic: Clinic, source: random.Random, progress: Progress) -> None:
    rita = _me(clinic, "rita")
    with clinic.as_owner() as session:
        doctor_ids = [row.id for row in doctors.doctors(session)]
    for start in range(0, PATIENTS, 50):
        with clinic.as_owner(rita) as session:
            for number in range(start, min(start + 50, PATIENTS)):
                progress("Patients", number, PATIENTS)
                patient_id = patients.register(session, _form(source, number))
                if number % 3 == 0:
                    doctors.assign(session, doctor_ids[number // 3 % len(doctor_ids)], patient_id, "Usual doctor" if number % 2 else "")
                _history(session, source, patient_id)


def _form(source: random.Random, number: int) -> PatientForm:
    sex = source.choice("FM") if number % 40 else source.choice("OP")
    first = source.choice(people.FIRST_NAMES.get(sex, people.FIRST_NAMES["F"]).split())
    last = source.choice(people.LAST_NAMES.split(" "))
    if number in {11, 12}:  # two namesakes, so that the find box has to tell them apart
        first, last, sex = "María", "García", "F"
    born = date(2026, 11, 1) - timedelta(days=source.randrange(20, 92 * 365))
    if sex in "OP" and source.random() < 0.5:
        sex = "O"
    said = number % 5 == 0
    return PatientForm(
        first_name=first,
        last_name=last,
        born=f"{born:%Y-%m-%d}",
        sex=sex,
        phone=f"+44 7700 9{number:05d}",
        email=f"patient{number}@mail.example" if number % 3 else "",
        ssn=f"9{number % 100:02d}-{10 + number % 80}-{1000 + number}" if number % 2 else "",
        address=f"{source.randrange(1, 180)} {source.choice(people.STREETS.split('|'))}, {source.choice(people.TOWNS.split('|'))}",
        emergency_name=f"{source.choice(people.FIRST_NAMES['M'].split())} {last}" if number % 4 == 0 else "",
        emergency_relation="family" if number % 4 == 0 else "",
        emergency_phone=f"+44 7700 8{number:05d}" if number % 4 == 0 else "",
        added_note="Hard of hearing: speak slowly." if number % 37 == 0 else "",
        tags=(source.choice(people.TAGS),) if number % 9 == 0 else (),
        medical_history="Says: appendix removed as a child." if said else None,
    )


def _history(session: ClinicSession, source: random.Random, patient_id: str) -> None:
    kind = source.random()
    if kind < 0.3:
        for substance, category, reaction, severity in source.sample(people.ALLERGIES, source.choice((1, 1, 2))):
            session.execute(
                insert(Allergy).values(
                    patient_id=patient_id,
                    substance=substance,
                    category=category,
                    reaction=reaction,
                    severity=severity,
                    noted_on=date(2019 + source.randrange(6), 1 + source.randrange(12), 3),
                )
            )
    elif kind < 0.65:
        author = session.scalar(select(Doctor.user_id).order_by(Doctor.id).limit(1))
        session.execute(insert(AllergyStatement).values(patient_id=patient_id, stated_by=author))
    if source.random() < 0.4:
        code, words = source.choice(people.PROBLEMS)
        session.execute(
            insert(Problem).values(
                patient_id=patient_id,
                system="ICD-10-CM",
                code=code,
                description=words,
                started_on=date(2012 + source.randrange(13), 1 + source.randrange(12), 12),
            )
        )
    if source.random() < 0.35:
        name, strength, form, dosage, reason = source.choice(people.MEDICINES)
        session.execute(
            insert(Medicine).values(
                patient_id=patient_id,
                description=f"{name} {strength} {form}",
                dosage=dosage,
                reason=reason,
                started_on=date(2020 + source.randrange(6), 1 + source.randrange(12), 5),
            )
        )


def _me(clinic: Clinic, username: str) -> Me:
    with clinic.as_owner() as session:
        return accounts.by_username(session, username)


def _past(clinic: Clinic, source: random.Random, progress: Progress) -> None:
    """Completed visits of the past two years, written by the doctors themselves through the consultation's own service."""
    doctors_me = [_me(clinic, row[0]) for row in people.DOCTORS]
    with clinic.as_owner() as session:
        ids = days.patients_all(session)
    for number in range(PAST_VISITS):
        progress("Past visits", number, PAST_VISITS)
        me = doctors_me[number % len(doctors_me)]
        day = datetime.now(clinic.zone).date() - timedelta(days=9 + (number * 3) % 700)
        start = datetime.combine(day, time(8 + number % 8, 20 * (number % 3)), tzinfo=clinic.zone)
        with clinic.as_owner(me) as session:
            days.past_visit(session, source, me, source.choice(ids[:160]), start)
