"""Everything of a patient that has a time, for one axis: read from PostgreSQL alone, a fixed number of queries whatever the history."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, time, tzinfo
from typing import Any

from sqlalchemy import select

from clinicdesk.errors import NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Allergy, Medicine, Problem, Vitals
from clinicdesk.models.papers import IssuedPaper
from clinicdesk.models.people import Doctor
from clinicdesk.models.prescribing import Prescription
from clinicdesk.models.records import Record, Visit
from clinicdesk.pdf.chart_page import WIDTH, ChartPage, render
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.ages import age_text
from clinicdesk.rules.canonical import KINDS as PAPERS
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.pictures import Picture
from clinicdesk.rules.time_axis import Event, History, Series, Span, Window, picture
from clinicdesk.rules.vitals import VITALS, bmi
from clinicdesk.services import attachments, file_kinds, immunizations
from clinicdesk.services.chart import UNAVAILABLE, banner
from clinicdesk.services.people import Banner
from clinicdesk.services.person import of_person
from clinicdesk.services.records import KINDS
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession

#: A renewal this much later, in seconds, still goes on with the same course: two weeks.
_RENEWAL_GAP = 14 * 86_400.0
#: Measurements in the order of their plots.
_PLOTS = ("pulse", "temperature", "respiration", "spo2", "weight", "height", "glucose", "head_circumference", "pain", "gcs")


def history(session: ClinicSession, patient_id: str) -> History:
    """A patient's whole history; NotAllowed without a care relation."""
    if banner(session, patient_id).allergy_title in {"", UNAVAILABLE}:
        raise NotAllowed("This patient is not in your care.")
    zone = session.zone
    events = (*_visits(session, patient_id), *_documents(session, patient_id), *_papers(session, patient_id),
              *_attachments(session, patient_id), *_immunizations(session, patient_id, zone))
    spans = (*_allergies(session, patient_id, zone), *_problems(session, patient_id, zone), *_medicines(session, patient_id, zone))
    return History(
        tuple(sorted(events, key=lambda event: event.at)),
        tuple(sorted(spans, key=lambda span: span.begins)),
        _series(session, patient_id),
        session.now().timestamp(),
    )


def head(session: ClinicSession, patient_id: str) -> Banner:
    """The banner of the window that shows it."""
    return banner(session, patient_id)


def pdf(session: ClinicSession, patient_id: str, begins: float, ends: float, kinds: Collection[str], series: Collection[str]) -> bytes:
    """A window of time (seconds since 1970) with the chosen lanes and plots as a landscape page."""
    found, zone = history(session, patient_id), session.zone
    drawn = picture(found, Window(begins, ends, WIDTH), zone, kinds=kinds, series=series)
    span = f"From {clinical_date(datetime.fromtimestamp(begins, zone))} to {clinical_date(datetime.fromtimestamp(ends, zone))}"
    return render(chart_page(session, patient_id, "Time axis", (span,), (drawn,)), clinic_settings(session).page)


def chart_page(session: ClinicSession, patient_id: str, heading: str, notes: Sequence[str], pictures: Sequence[Picture]) -> ChartPage:
    """A drawing of a patient's chart with letterhead and name."""
    clinic, who, now = clinic_settings(session), banner(session, patient_id), session.now().astimezone(session.zone)
    born = f"{clinical_date(who.born)} ({age_text(who.born, now)})"
    return ChartPage(Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email), heading,
                     (who.family_name, who.given_name, who.title, born, who.patient_id), now, notes, pictures)


def _visits(session: ClinicSession, patient_id: str) -> Iterable[Event]:
    rows = session.execute(
        select(Visit.id, Visit.visit_date, User.name)
        .join(Doctor, Doctor.id == Visit.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(of_person(Visit.patient_id, patient_id), Visit.revision == 1)
    )
    return [Event("visit", at.timestamp(), f"Visit with {name}", number) for number, at, name in rows]


def _documents(session: ClinicSession, patient_id: str) -> Iterable[Event]:
    """Records that people write; those that a visit makes by itself stand in its own lane."""
    rows = session.execute(
        select(Record.id, Record.happened_at, Record.kind, Record.title).where(
            of_person(Record.patient_id, patient_id), Record.kind != "visit"
        )
    )
    return [Event("document", at.timestamp(), f"{KINDS.get(kind, kind)}: {title}", number) for number, at, kind, title in rows]


def _attachments(session: ClinicSession, patient_id: str) -> Iterable[Event]:
    """Attached files that hold; a withdrawn one is no part of the history any more."""
    return [Event("document", row.added_at.timestamp(), f"{file_kinds.KINDS[row.kind]}: {row.title}", row.id)
            for row in attachments.of_patient(session, patient_id) if row.withdrawn_at is None]


def _immunizations(session: ClinicSession, patient_id: str, zone: tzinfo) -> Iterable[Event]:
    """Vaccinations with a date, and those that were not done; a month or year stands at its first day and is named as it is known."""
    return [Event("immunization", _moment(row.given_on, zone), f"{row.vaccine}, {row.line}", row.id)
            for row in immunizations.of_patient(session, patient_id) if row.given_on is not None and not row.wrong]


def _papers(session: ClinicSession, patient_id: str) -> Iterable[Event]:
    prescribed = session.execute(
        select(Prescription.issued_at, Prescription.number).where(of_person(Prescription.patient_id, patient_id))
    )
    others = session.execute(
        select(IssuedPaper.issued_at, IssuedPaper.number, IssuedPaper.kind).where(of_person(IssuedPaper.patient_id, patient_id))
    )
    return [*(Event("paper", at.timestamp(), f"Prescription {number}", number) for at, number in prescribed),
            *(Event("paper", at.timestamp(), f"{PAPERS[kind][0]} {number}", number) for at, number, kind in others)]


def _allergies(session: ClinicSession, patient_id: str, zone: tzinfo) -> list[Span]:
    return _spans(session, patient_id, zone, "allergy", (Allergy.substance, Allergy.noted_on))


def _problems(session: ClinicSession, patient_id: str, zone: tzinfo) -> list[Span]:
    return _spans(session, patient_id, zone, "problem", (Problem.description, Problem.started_on))


def _medicines(session: ClinicSession, patient_id: str, zone: tzinfo) -> list[Span]:
    return courses(_spans(session, patient_id, zone, "medicine", (Medicine.description, Medicine.started_on)))


def _spans(session: ClinicSession, patient_id: str, zone: tzinfo, kind: str, named_and_begun: tuple[Any, Any]) -> list[Span]:
    """Bars of one kind of clinical fact, from the columns of its title and first day; without a day it begins when recorded."""
    model = named_and_begun[0].class_
    rows = session.execute(
        select(model.id, *named_and_begun, model.ended_on, model.recorded_at).where(of_person(model.patient_id, patient_id))
    )
    return [Span(kind, _moment(begun, zone) if begun else recorded.timestamp(), _end(ended, zone), name, ref)
            for ref, name, begun, ended, recorded in rows]


def courses(spans: Iterable[Span]) -> list[Span]:
    """One bar for a medicine that is renewed: prescriptions of one description that follow each other within the gap go on as one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.title, one.begins)):
        last = found[-1] if found else None
        if last is not None and last.title == span.title and (last.ends is None or span.begins <= last.ends + _RENEWAL_GAP):
            ends = None if last.ends is None or span.ends is None else max(last.ends, span.ends)
            found[-1] = Span(last.kind, last.begins, ends, last.title, span.ref)
        else:
            found.append(span)
    return found


def _moment(day: date, zone: tzinfo) -> float:
    return datetime.combine(day, time(), tzinfo=zone).timestamp()


def _end(day: date | None, zone: tzinfo) -> float | None:
    return None if day is None else datetime.combine(day, time(23, 59), tzinfo=zone).timestamp()


def _series(session: ClinicSession, patient_id: str) -> tuple[Series, ...]:
    columns = [getattr(Vitals, name) for name in _PLOTS]
    rows = session.execute(
        select(Vitals.taken_at, Vitals.systolic, Vitals.diastolic, *columns)
        .where(of_person(Vitals.patient_id, patient_id))
        .order_by(Vitals.taken_at, Vitals.id)
    ).all()
    found = []
    pressure = [(row[0].timestamp(), float(row[1]), float(row[2])) for row in rows if row[1] is not None]
    if pressure:
        at, high, low = zip(*pressure, strict=True)
        found.append(Series("pressure", "Blood pressure", "mmHg", at, high, low))
    for number, name in enumerate(_PLOTS, 3):
        vital = VITALS[name]
        found += _one(name, vital.label, vital.unit, [(row[0], row[number]) for row in rows if row[number] is not None])
    height, weight = _PLOTS.index("height") + 3, _PLOTS.index("weight") + 3
    both = [(row[0], bmi(row[height], row[weight])) for row in rows if row[height] is not None and row[weight] is not None]
    return (*found, *_one("bmi", "Body mass index", "kg/m²", both))


def _one(name: str, label: str, unit: str, points: list[tuple[datetime, Any]]) -> list[Series]:
    if not points:
        return []
    return [Series(name, label, unit, tuple(at.timestamp() for at, _ in points), tuple(float(value) for _, value in points))]
