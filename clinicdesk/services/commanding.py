"""What a typed command would do, shown before it is done: “book meyer tue 15:00 dr k”."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from clinicdesk.errors import FreePlace
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.booking_words import VERBS, BookingWords, booking_words
from clinicdesk.rules.moments import clinical_time, later
from clinicdesk.rules.names import name_words
from clinicdesk.rules.slots import Range
from clinicdesk.services.availability import calendars, day_bounds, nearest_places, next_free, open_on
from clinicdesk.services.finding import search
from clinicdesk.services.people import PatientRow
from clinicdesk.services.person import of_person
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage.database import ClinicSession

USUAL_MINUTES = 20
MOST_PEOPLE = 4


@dataclass(frozen=True, slots=True)
class Proposal:
    """One way to do what was typed: `problem` is "" when it can be done as it stands, `alternative` says it is not the time asked for."""

    patient: PatientRow
    doctor_id: int
    doctor_name: str
    wish: NewAppointment
    problem: str = ""
    alternative: bool = False


def proposals(session: ClinicSession, typed: str) -> list[Proposal]:
    """What could be meant, the likeliest first; empty when the text is no booking command or fits nobody.

    A doctor who is not named is the one the patient saw last, else whoever is free. Without a time the first free one of the day, without a
    day the first free one at all. A time that is taken comes with the nearest free ones.
    """
    if typed.strip().partition(" ")[0].casefold() not in VERBS:
        return []  # most of what is typed is a name
    words = booking_words(typed, session.now().astimezone(session.zone).date())
    if words is None:
        return []
    hits = search(session, words.name, MOST_PEOPLE)
    people = [person for person in hits if not person.near] or hits  # near spellings only when nobody is called so
    doctors = _doctors(session, words.doctor)
    if not people or not doctors:
        return []
    found: list[Proposal] = []
    for person in people:
        found += _for(session, person, doctors, words)
    return found


def _doctors(session: ClinicSession, said: str) -> dict[int, str]:
    """Available doctors whose name has words beginning like those said; all of them when none is said."""
    query = select(Doctor.id, User.name).join(User, User.id == Doctor.user_id).where(User.active, Doctor.available)
    if session.me is not None and session.me.doctor_id is not None:
        query = query.where(Doctor.id == session.me.doctor_id)
    wanted = [word for word in name_words(said) if word != "dr"]
    return {
        number: name
        for number, name in session.execute(query.order_by(func.lower(User.name)))
        if all(any(word.startswith(part) for word in name_words(name)) for part in wanted)
    }


def _for(session: ClinicSession, person: PatientRow, doctors: dict[int, str], words: BookingWords) -> list[Proposal]:
    minutes = words.minutes or USUAL_MINUTES
    usual = session.scalar(
        select(Appointment.doctor_id)
        .where(of_person(Appointment.patient_id, person.id), Appointment.doctor_id.in_(doctors))
        .order_by(Appointment.starts_at.desc())
        .limit(1)
    )
    doctor_id = usual if usual is not None else next(iter(doctors))

    def proposal(place: FreePlace, problem: str = "", *, alternative: bool = False) -> Proposal:
        wish = NewAppointment(place.doctor_id, person.id, place.starts_at, later(place.starts_at, timedelta(minutes=minutes)), words.reason)
        return Proposal(person, place.doctor_id, doctors[place.doctor_id], wish, problem, alternative)

    if words.at is None:
        after = session.now() if words.day is None else max(session.now(), day_bounds(session, words.day)[0])
        certain = usual if usual is not None else (doctor_id if len(doctors) == 1 else None)
        free_places = next_free(session, doctor_id=certain, minutes=minutes, after=after, count=8)
        places = [place for place in free_places if place.doctor_id in doctors]
        here = [place for place in places if words.day is None or place.starts_at.astimezone(session.zone).date() == words.day]
        return [proposal(place, alternative=place not in here) for place in (here or places)[:2]]
    day = words.day or session.now().astimezone(session.zone).date()
    start = datetime.combine(day, words.at, session.zone)
    if words.day is None and start < session.now():
        start = datetime.combine(day + timedelta(days=1), words.at, session.zone)
    if usual is None and len(doctors) > 1:  # nobody is preferred: whoever is free then
        free = [number for number in doctors if not _against(session, number, start, minutes)]
        doctor_id = free[0] if free else doctor_id
    problem = _against(session, doctor_id, start, minutes)
    found = [proposal(FreePlace(doctor_id, start, later(start, timedelta(minutes=minutes))), problem)]
    if problem:
        found += [proposal(place, alternative=True) for place in nearest_places(session, doctor_id, start, minutes)]
    return found


def _against(session: ClinicSession, doctor_id: int, start: datetime, minutes: int) -> str:
    wish = Range(start, later(start, timedelta(minutes=minutes)))
    if start < session.now():
        return "This time has already passed"
    day: date = start.astimezone(session.zone).date()
    calendar = calendars(session, [doctor_id], *day_bounds(session, day))[doctor_id]
    held = next((span for span in calendar.busy if span.overlaps(wish)), None)
    if held is not None:
        return f"Taken {clinical_time(held.starts_at, session.zone)}–{clinical_time(held.ends_at, session.zone)}"
    closed = next((reason for span, reason in calendar.closed_reasons if span.overlaps(wish)), None)
    if closed is not None:
        return f"Closed: {closed}"
    return "" if any(span.contains(wish) for span in open_on(calendar, day, session)) else "Outside the doctor’s hours"
