"""The one patient with a long history: real keys, real seals, and documents delivered by the real job."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import psycopg

from clinicdesk.clinic import Clinic
from clinicdesk.demo.people import STORIES
from clinicdesk.services import accounts, visits

_ALLERGIES = ("Penicillin", "Latex", "Peanut", "Ibuprofen")
_PROBLEMS = ("Essential hypertension", "Type 2 diabetes mellitus", "Osteoarthritis of knee", "Asthma", "Hypothyroidism", "Migraine",
             "Gout", "Anaemia", "Eczema", "Low back pain", "Hay fever", "Hyperlipidaemia")
_MEDICINES = ("amlodipine 5 mg tablet", "metformin 500 mg tablet", "levothyroxine 75 microgram tablet", "allopurinol 100 mg tablet",
              "atorvastatin 20 mg tablet", "salbutamol 100 microgram inhaler", "paracetamol 500 mg tablet", "cetirizine 10 mg tablet")


def write_long_history(clinic: Clinic, admin: psycopg.Connection[Any], patient_id: str, doctor_id: int, username: str, count: int) -> None:
    """Give a patient `count` completed visits, on evenings when nobody else is booked, and a chart with something in it."""
    with clinic.as_owner() as session:
        me = accounts.by_username(session, username)
    today = datetime.now(clinic.zone).date()
    begins = [datetime.combine(today - timedelta(days=2 + n), time(18), tzinfo=clinic.zone) for n in range(count)]
    with admin.cursor() as cursor:
        cursor.executemany(
            "with a as (insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, status, reason)"
            " values (%s, %s, %s, %s::timestamptz + interval '20 minutes', 'completed', 'Long-term care') returning id)"
            " insert into clinic.consultations (appointment_id, patient_id, doctor_id, status, started_at, completed_at, signed_by,"
            " content_sha256)"
            " select a.id, %s, %s, 'completed', %s, %s::timestamptz + interval '18 minutes', %s, sha256('x') from a",
            [(doctor_id, patient_id, at, at, patient_id, doctor_id, at, at, me.user_id) for at in begins])
        cursor.executemany(
            "insert into clinic.vitals (patient_id, taken_at, recorded_by, systolic, diastolic, pulse, temperature, respiration, spo2,"
            " oxygen, consciousness, height, weight) values (%s, %s, %s, %s, %s, %s, 36.8, 15, 97, false, 'alert', 172, %s)",
            [(patient_id, at, me.user_id, 118 + n % 30, 74 + n % 15, 62 + n % 30, 70 + n % 9) for n, at in enumerate(begins)])
        cursor.executemany("insert into clinic.allergies (patient_id, substance, recorded_by) values (%s, %s, %s)",
                           [(patient_id, name, me.user_id) for name in _ALLERGIES])
        cursor.executemany("insert into clinic.problems (patient_id, description, started_on, recorded_by) values (%s, %s, %s, %s)",
                           [(patient_id, name, today - timedelta(days=400 + 90 * n), me.user_id) for n, name in enumerate(_PROBLEMS)])
        cursor.executemany("insert into clinic.medicines (patient_id, description, dosage, started_on, recorded_by)"
                           " values (%s, %s, '1 tablet once a day', %s, %s)",
                           [(patient_id, name, today - timedelta(days=300 + n), me.user_id) for n, name in enumerate(_MEDICINES)])
    admin.execute("insert into clinic.care (doctor_id, patient_id) values (%s, %s) on conflict do nothing", [doctor_id, patient_id])
    rows = admin.execute("select id, appointment_id, started_at from clinic.consultations where patient_id = %s order by started_at",
                         [patient_id]).fetchall()
    for begin in range(0, len(rows), 100):
        with clinic.as_owner(me) as session:
            for consultation, appointment, started in rows[begin : begin + 100]:
                subjective, objective, assessment, plan = STORIES[consultation % len(STORIES)]
                visits.add(session, visits.NewVisit(
                    uuid4(), appointment, consultation, patient_id, doctor_id, me.name, started.astimezone(UTC), "Long-term care",
                    {"subjective": subjective, "objective": objective, "assessment": assessment, "plan": plan},
                    {"Blood pressure": "128/82 mmHg", "Pulse": "72 /min"},
                    {"number": "RX-0000-0000", "lines": ["amlodipine 5 mg tablet: take 1 tablet by mouth once a day for 28 days"]}))
