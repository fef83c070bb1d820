"""The demo clinic's days: visits of the past two years, and a full week around today."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import func, select, update

from clinicdesk.clinic import Clinic
from clinicdesk.demo import people
from clinicdesk.models.clinical import Allergy, Consultation
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.ages import years
from clinicdesk.services import accounts, availability, consultations, safety
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft
from clinicdesk.services.people import Me
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage.database import ClinicSession

Progress = Callable[[str, int, int], None]
#: What a doctor of the demo confirmed wherever it was asked.
CONFIRMED = ("systolic", "diastolic", "pressure", "pulse", "respiration", "weight", "height")

ITEMS = (
    ItemDraft(
        medicine="paracetamol",
        strength="500 mg",
        form="tablet",
        route="oral",
        dose_value="2",
        dose_unit="tablet",
        as_needed=True,
        as_needed_for="pain or fever",
        min_interval_hours="6",
        max_per_day="8",
        duration_days="5",
        indication="pain",
        free_text=False,
    ),
    ItemDraft(
        medicine="amlodipine",
        strength="5 mg",
        form="tablet",
        route="oral",
        dose_value="1",
        dose_unit="tablet",
        times_per_day="1",
        duration_days="28",
        indication="high blood pressure",
        free_text=False,
    ),
    ItemDraft(
        medicine="hydrocortisone",
        strength="1 %",
        form="cream",
        route="topical",
        dose_value="1",
        dose_unit="application",
        times_per_day="2",
        duration_days="7",
        indication="eczema",
        instructions="Thin layer, then wash your hands.",
        free_text=False,
    ),
    ItemDraft(
        medicine="phenoxymethylpenicillin",
        strength="250 mg",
        form="tablet",
        route="oral",
        dose_value="2",
        dose_unit="tablet",
        times_per_day="4",
        duration_days="7",
        indication="tonsillitis",
        free_text=False,
    ),
)


def patients_all(session: ClinicSession) -> list[str]:
    """Ids of all patients, oldest record first."""
    return list(session.scalars(select(Patient.id).order_by(Patient.created_at, Patient.phone)))


def past_visit(session: ClinicSession, source: random.Random, me: Me, patient_id: str, start: datetime) -> None:
    doctor_id = me.doctor_id or 0
    taken = session.scalar(select(func.count()).where(Appointment.doctor_id == doctor_id, Appointment.starts_at == start))
    born = session.get_one(Patient, patient_id).born
    if taken or born > start.date():
        return
    reason = source.choice(people.REASONS)
    story = source.randrange(len(people.STORIES))
    if session.scalar(select(func.count()).where(Allergy.patient_id == patient_id)):
        story = source.choice((0, 2, 5))  # nobody with an allergy gets the penicillin of the tonsillitis story
    age = years(born, start.date())
    subjective, objective, assessment, plan = people.STORIES[story]
    items = (ITEMS[(0, 1, 0, 2, 3)[story]],) if story < 5 else ()
    draft = ConsultationDraft(
        notes={"subjective": subjective, "objective": objective, "assessment": assessment, "plan": plan},
        vitals={
            "systolic": str(source.randrange(105, 150)),
            "diastolic": str(source.randrange(62, 92)),
            "pulse": str(source.randrange(58, 98)),
            "temperature": f"{source.randrange(361, 379) / 10:.1f}",
            "respiration": str(source.randrange(12, 19)),
            "spo2": str(source.randrange(95, 100)),
            "weight": str(source.randrange(52, 98) if age > 15 else 6 + 3 * age),
        },
        oxygen=False,
        consciousness="alert",
        confirmed=CONFIRMED,
        items=items,
    )
    visit(session, me, patient_id, start, reason, draft)


def visit(session: ClinicSession, me: Me, patient_id: str, start: datetime, reason: str, draft: ConsultationDraft) -> int:
    """A whole visit of the past, signed 18 minutes after it began through the consultation's own service; gives the consultation.

    A draft whose medicines would have stopped the signature is signed without them.
    """
    row = Appointment(
        doctor_id=me.doctor_id or 0,
        patient_id=patient_id,
        starts_at=start,
        ends_at=start + timedelta(minutes=20),
        status="in_progress",
        reason=reason,
    )
    session.add(row)
    session.flush()
    consultation = Consultation(appointment_id=row.id, patient_id=patient_id, doctor_id=row.doctor_id, started_at=start)
    session.add(consultation)
    session.flush()
    clock = session.now
    session.now = lambda: start + timedelta(minutes=18)
    try:
        if any(one.alert.tier == 1 for one in safety.checkup(session, patient_id, draft).found):
            draft = replace(draft, items=())  # what a doctor would not prescribe is not in the demo: a child has no adult dose
        consultations.complete(session, consultation.id, draft, 0)
    finally:
        session.now = clock
    return consultation.id


def week(clinic: Clinic, source: random.Random, progress: Progress) -> None:
    """Appointments from two days ago to five days ahead, unless today has some already."""
    today = datetime.now(clinic.zone).date()
    with clinic.as_owner() as session:
        start, end = availability.day_bounds(session, today)
        if session.scalar(select(func.count()).where(Appointment.starts_at >= start, Appointment.starts_at < end)):
            return
        ids = patients_all(session)
    with clinic.as_owner() as session:
        rita = accounts.by_username(session, "rita")
    days = [today + timedelta(days=offset) for offset in range(-2, 6)]
    for number, day in enumerate(days):
        progress("This week", number, len(days))
        with clinic.as_owner(rita) as session:
            _fill_day(session, source, day, ids, today)


def _fill_day(session: ClinicSession, source: random.Random, day: date, ids: list[str], today: date) -> None:
    now = session.now()
    seen: set[tuple[str, datetime]] = set()
    doctor_ids = list(session.scalars(select(Doctor.id).order_by(Doctor.id)))
    start, end = availability.day_bounds(session, day)
    calendars = availability.calendars(session, doctor_ids, start, end)
    a = Appointment
    holds = select(a.doctor_id, a.starts_at, a.ends_at).where(a.starts_at < end, a.ends_at > start, a.lane == 0, a.status != "cancelled")
    taken = session.rows(holds)  # of an earlier week of this demo, or of a series; the owner is not told by `calendars` who is busy
    for doctor_id in doctor_ids:
        for place in availability.open_on(calendars[doctor_id], day, session):
            at = place.starts_at
            while at + timedelta(minutes=20) <= place.ends_at:
                length = source.choice((20, 20, 20, 20, 40))
                busy = any(who == doctor_id and begun < at + timedelta(minutes=length) and at < over for who, begun, over in taken)
                if source.random() < 0.62 and not busy and at + timedelta(minutes=length) <= place.ends_at:
                    patient_id = source.choice(ids)
                    if (patient_id, at) not in seen:
                        seen.add((patient_id, at))
                        _appointment(
                            session,
                            source,
                            NewAppointment(doctor_id, patient_id, at, at + timedelta(minutes=length), source.choice(people.REASONS)),
                            day < today or at < now,
                        )
                    at += timedelta(minutes=length)
                else:
                    at += timedelta(minutes=20)


def _appointment(session: ClinicSession, source: random.Random, wish: NewAppointment, past: bool) -> None:  # noqa: FBT001
    status = source.choice(("confirmed", "scheduled", "confirmed"))
    reason = ""
    if past:
        status = source.choices(("no_show", "cancelled", "confirmed"), (2, 3, 1))[0]
    elif source.random() < 0.04:
        status = "cancelled"
    if status == "cancelled":
        reason = source.choice(("Feeling better", "Called to cancel", "Found another time"))
    row = Appointment(
        doctor_id=wish.doctor_id,
        patient_id=wish.patient_id,
        starts_at=wish.starts_at,
        ends_at=wish.ends_at,
        reason=wish.reason,
        status=status,
        cancel_reason=reason,
        booked_by=session.my_id,
    )
    session.add(row)
    session.flush()


def mark_arrivals(session: ClinicSession, appointment_ids: list[int]) -> None:
    """Check some of today's patients in, so that the waiting room is not empty."""
    for appointment_id in appointment_ids:
        session.execute(
            update(Appointment)
            .where(Appointment.id == appointment_id, Appointment.status.in_(("scheduled", "confirmed")))
            .values(status="arrived", version=Appointment.version + 1)
            .execution_options(synchronize_session=False)
        )
