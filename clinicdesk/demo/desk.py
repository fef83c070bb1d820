"""The demo clinic's desk: who waits for a place, places that became free, a weekly series, overbooked visits, and today's waiting room."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import func, select, update

from clinicdesk.clinic import Clinic
from clinicdesk.demo import people
from clinicdesk.demo.days import Progress, mark_arrivals, patients_all
from clinicdesk.models.people import Doctor
from clinicdesk.models.scheduling import Appointment
from clinicdesk.models.waiting import Ticket
from clinicdesk.models.waiting import Wish as WishTable
from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import accounts, undoing
from clinicdesk.services.availability import day_bounds
from clinicdesk.storage.database import ClinicSession

MON_TO_FRI, TUE_THU, ALL_WEEK = 0b0011111, 0b0001010, 127
MORNING, AFTERNOON, LATE = (0, 720), (720, 1440), (960, 1440)


@dataclass(frozen=True, slots=True)
class _Wish:
    """One line of the waiting list: `doctor` by user name, or any of a `field`; `waited` in days."""

    waited: int
    doctor: str = ""
    field: str = ""
    urgency: int = 1
    minutes: int = 20
    weekdays: int = ALL_WEEK
    hours: tuple[int, int] = (0, 1440)
    notice: int = 0
    within: int = 0
    note: str = ""


WISHES = (
    _Wish(4, "hugo", urgency=3, note="Blood results to be discussed"),
    _Wish(11, field="Internal medicine", note="Can be here in half an hour"),
    _Wish(6, "priya", urgency=2, note="Wants to be seen before the school trip"),
    _Wish(2, field="Paediatrics", note="Comes with two children"),
    _Wish(9, note="Any doctor will do"),
    _Wish(1, "samuel", urgency=2, minutes=40, weekdays=MON_TO_FRI, hours=MORNING, notice=180, within=14, note="Somebody must drive her"),
    _Wish(15, "elena", weekdays=TUE_THU, hours=LATE, notice=60, note="Works until four"),
    _Wish(3, "lars", weekdays=MON_TO_FRI, hours=AFTERNOON, note="Walks with crutches: ground floor, please"),
    _Wish(8, field="Dermatology", minutes=30, within=28),
    _Wish(5, "dora", hours=MORNING, notice=1440, note="Fasting blood test"),
    _Wish(13, "dora", weekdays=0b0100000, note="Saturdays only"),
    _Wish(0, field="Cardiology", urgency=3, within=7, note="Referred, letter is in the records"),
)
#: (days from today, doctor, earliest hour) of a visit that was called off, so that its place can be offered.
FREED = ((1, "hugo", 10), (2, "priya", 9))
#: (days from today, doctor, why) of a visit booked on top of another one.
OVERBOOKED = (
    (1, "samuel", "Short blood pressure check, agreed with the doctor"),
    (2, "hugo", "Came from abroad for one day"),
    (3, "samuel", "Second opinion, the doctor asked for it"),
)
SERIES = Repeats("week", 6)
ROOMS = ("Room 1", "Room 3")


def desk(clinic: Clinic, source: random.Random, progress: Progress) -> None:
    """Fill the desk around the days that are there, unless that was done; the waiting list only once."""
    today = datetime.now(clinic.zone).date()
    with clinic.as_owner() as session:
        a = Appointment
        if session.scalar(select(func.count()).where(a.lane > 0, a.starts_at >= day_bounds(session, today)[0])):
            return
        progress("The desk", 0, 1)
        ids = dict(zip((row[0] for row in people.DOCTORS), session.scalars(select(Doctor.id).order_by(Doctor.id)), strict=True))
        patients = patients_all(session)
        rita = accounts.by_username(session, "rita").user_id
        _wishes(session, ids, patients[50:98:4], rita)
        for offset, username, hour in FREED:
            _call_off(session, ids[username], datetime.combine(today + timedelta(days=offset), time(hour), tzinfo=clinic.zone))
        for (offset, username, why), patient_id in zip(OVERBOOKED, patients[101::9], strict=False):
            at = datetime.combine(today + timedelta(days=offset), time(9), tzinfo=clinic.zone)
            _overbook(session, ids[username], patient_id, at, why, rita)
        _series(session, ids["lars"], patients[131], datetime.combine(today + timedelta(days=1), time(9), tzinfo=clinic.zone), rita)
        _waiting_room(session, source)


def _wishes(session: ClinicSession, doctors: dict[str, int], patients: list[str], by: int) -> None:
    if session.scalar(select(func.count()).select_from(WishTable)):
        return
    now = session.now()
    for number, (wish, patient_id) in enumerate(zip(WISHES, patients, strict=True)):
        session.add(
            WishTable(
                patient_id=patient_id,
                doctor_id=doctors.get(wish.doctor),
                specialization=wish.field,
                minutes=wish.minutes,
                weekdays=wish.weekdays,
                from_minute=wish.hours[0],
                to_minute=wish.hours[1],
                last_day=(now + timedelta(days=wish.within)).astimezone(session.zone).date() if wish.within else None,
                notice_minutes=wish.notice,
                urgency=wish.urgency,
                note=wish.note,
                made_by=by,
                created_at=now - timedelta(days=wish.waited, minutes=7 * number),
            )
        )
    session.flush()


def _visits(session: ClinicSession, doctor_id: int, after: datetime) -> list[Appointment]:
    """What is booked with a doctor within a day, from a moment on."""
    a = Appointment
    query = select(a).where(a.doctor_id == doctor_id, a.lane == 0, a.status.in_(("scheduled", "confirmed")), a.series_id.is_(None))
    return list(session.scalars(query.where(a.starts_at >= after, a.starts_at < after + timedelta(hours=12)).order_by(a.starts_at)))


def _call_off(session: ClinicSession, doctor_id: int, after: datetime) -> None:
    for row in _visits(session, doctor_id, after)[:1]:
        session.execute(
            update(Appointment)
            .where(Appointment.id == row.id)
            .values(status="cancelled", cancel_reason="Called to cancel", version=Appointment.version + 1)
            .execution_options(synchronize_session=False)
        )


def _overbook(session: ClinicSession, doctor_id: int, patient_id: str, after: datetime, why: str, by: int) -> None:
    for row in _visits(session, doctor_id, after)[:1]:
        until = row.starts_at + timedelta(minutes=20)
        on_top = Appointment(doctor_id=doctor_id, patient_id=patient_id, starts_at=row.starts_at, ends_at=until)
        on_top.reason, on_top.lane, on_top.overbook_reason, on_top.booked_by = "Follow-up", 1, why, by
        session.add(on_top)
        session.flush()


def _series(session: ClinicSession, doctor_id: int, patient_id: str, after: datetime, by: int) -> None:
    """Physiotherapy once a week, at the first time of tomorrow nobody has with this doctor."""
    taken = [(row.starts_at, row.ends_at) for row in _visits(session, doctor_id, after - timedelta(hours=3))]
    starts = [after + timedelta(minutes=20 * n) for n in range(20)]
    free = [at for at in starts if at.hour != 13 and not any(a < at + timedelta(minutes=20) and at < b for a, b in taken)]
    if not free:
        return
    series_id = undoing.new_series(session, patient_id, SERIES.words())
    for week in range(SERIES.count):
        start = free[0] + timedelta(weeks=week)
        row = Appointment(doctor_id=doctor_id, patient_id=patient_id, starts_at=start, ends_at=start + timedelta(minutes=20))
        row.reason, row.series_id, row.booked_by = "Knee exercises after the operation", series_id, by
        session.add(row)
    session.flush()


def _waiting_room(session: ClinicSession, source: random.Random) -> None:
    """Some of those who have an appointment about now have come, and two of them were called."""
    now, a = session.now(), Appointment
    about_now = a.starts_at.between(now - timedelta(hours=1), now + timedelta(minutes=25))
    here = list(session.scalars(select(a.id).where(a.status.in_(("scheduled", "confirmed")), about_now).order_by(a.starts_at, a.id)))
    here = sorted(source.sample(here, min(4, len(here))))
    mark_arrivals(session, here)
    for ago, (number, room) in enumerate(zip(here, ROOMS, strict=False)):
        called_at = now - timedelta(minutes=1 + 4 * ago)
        session.execute(update(Ticket).where(Ticket.appointment_id == number).values(room=room, called_at=called_at))
