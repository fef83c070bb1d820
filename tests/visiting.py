"""What many tests do on the way to what they test: a whole visit, somebody else's database connection, counted queries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
from sqlalchemy import event
from sqlalchemy.orm import Session

from clinicdesk.services import appointments, consultations
from clinicdesk.services.consultations import Completed
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft
from clinicdesk.storage.addresses import libpq_address
from tests.clinics import Practice

#: A narrative that no byte of either database may show in plain.
CANARY = "canary-Zwielicht-7731"
TABLET = ItemDraft(medicine="amlodipine", strength="5 mg", form="tablet", route="oral", dose_value="1", dose_unit="tablet",
                   times_per_day="1", duration_days="28", indication="high blood pressure", free_text=False)
AS_NEEDED = ItemDraft(medicine="paracetamol", strength="500 mg", form="tablet", route="oral", dose_value="2", dose_unit="tablet",
                      as_needed=True, as_needed_for="pain", min_interval_hours="6", max_per_day="8", duration_days="5", indication="pain",
                      free_text=False)
FULL = ConsultationDraft(
    notes={"subjective": f"Dry cough. {CANARY}", "plan": "Rest and fluids."},
    vitals={"systolic": "128", "diastolic": "82", "pulse": "72", "temperature": "36.8", "respiration": "14", "spo2": "97", "height": "170",
            "weight": "71.25"},
    oxygen=False, consciousness="alert", items=(TABLET, AS_NEEDED))


def arrived(practice: Practice, patient_id: str, hour: int = 9, minute: int = 0, doctor: str = "dora", day: int = 1) -> int:
    """An appointment of somebody who sits in the waiting room."""
    booked = practice.book(patient_id, practice.at(hour, minute, day), doctor)
    practice.step(booked, "arrived")
    return booked


def started(practice: Practice, patient_id: str, hour: int = 9, minute: int = 0, doctor: str = "dora", day: int = 1) -> int:
    """A consultation in progress."""
    booked = arrived(practice, patient_id, hour, minute, doctor, day)
    with practice.write(doctor) as session:
        return consultations.start(session, booked, appointments.one(session, booked).version)


def completed(practice: Practice, patient_id: str, draft: ConsultationDraft = FULL, hour: int = 9, minute: int = 0, doctor: str = "dora",
              day: int = 1) -> Completed:
    """A visit from booking to signature."""
    consultation = started(practice, patient_id, hour, minute, doctor, day)
    with practice.write(doctor) as session:
        return consultations.complete(session, consultation, draft, 0)


@contextmanager
def raw(practice: Practice, username: str | None = None, *, role: str = "app",
        token: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """psql at the desk: the workstation's own sign-in and, in one transaction, somebody's session token. Rolled back at the end."""
    address = getattr(practice.clinic.addresses, role)
    with psycopg.connect(libpq_address(address)) as connection:
        shown = practice.token(username) if username else token
        if shown is not None:
            connection.execute("select set_config('clinicdesk.session', %s, true)", [shown])
        yield connection
        connection.rollback()


def as_owner(practice: Practice, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement as the owner of the tables, committed: what no workstation can do (move a clock, look into sealed bytes)."""
    with psycopg.connect(libpq_address(str(practice.clinic.addresses.owner))) as connection:
        cursor = connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@dataclass
class Counted:
    """Statements sent to the database while counting."""

    statements: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.statements)


@contextmanager
def counted(session: Session) -> Iterator[Counted]:
    """Count the statements of a block: a hot path sends the same number whatever it finds."""
    found = Counted()
    engine = session.get_bind()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)
