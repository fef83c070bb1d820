"""What growth charts show of a child: measurements by measure, the tables the clinic uses, and the charts on paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from clinicdesk.errors import NotAllowed
from clinicdesk.models.clinical import Vitals
from clinicdesk.pdf.chart_page import WIDTH, render
from clinicdesk.rules.growth import MEASURES, Standard
from clinicdesk.rules.growth_chart import Child, Measured, chart, said
from clinicdesk.rules.vitals import bmi
from clinicdesk.services.chart import UNAVAILABLE, banner
from clinicdesk.services.person import of_person
from clinicdesk.services.settings import clinic_settings, stored_setting
from clinicdesk.services.timeline import chart_page
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class GrowthRecord:
    """A child and her measurements, oldest first, by measure (weight in kg, lengths in cm, body mass index in kg/m²)."""

    child: Child
    measured: dict[str, tuple[Measured, ...]]
    today: date
    standard: Standard


def record(session: ClinicSession, patient_id: str) -> GrowthRecord:
    """Everything growth charts need; NotAllowed without a care relation."""
    who = banner(session, patient_id)
    if who.allergy_title in {"", UNAVAILABLE}:
        raise NotAllowed("This patient is not in your care.")
    rows = session.execute(
        select(Vitals.taken_at, Vitals.weight, Vitals.height, Vitals.head_circumference)
        .where(of_person(Vitals.patient_id, patient_id))
        .order_by(Vitals.taken_at, Vitals.id)
    ).all()
    found: dict[str, list[Measured]] = {measure: [] for measure in MEASURES}
    for at, weight, height, head in rows:
        on = at.astimezone(session.zone).date()
        both = bmi(height, weight) if height is not None and weight is not None else None
        for measure, value in (("weight", weight), ("height", height), ("bmi", both), ("head_circumference", head)):
            if value is not None and on >= who.born:
                found[measure].append(Measured(on, float(value)))
    standard: Standard = "cdc" if stored_setting(session, "growth_tables") == "cdc" else "who"
    return GrowthRecord(Child(who.born, who.sex), {name: tuple(values) for name, values in found.items()},
                        session.now().astimezone(session.zone).date(), standard)


def pdf(session: ClinicSession, patient_id: str) -> bytes:
    """Every chart with at least one measurement, each with its newest one in words. NotAllowed when no table fits the child."""
    found = record(session, patient_id)
    measured = {measure: values for measure, values in found.measured.items() if values}
    if found.child.sex not in {"M", "F"} or not measured:
        raise NotAllowed("There is nothing to draw: growth charts need male or female sex and a measurement.")
    pictures = [chart(found.child, measure, values, found.today, (WIDTH, 560.0), found.standard) for measure, values in measured.items()]
    notes = [f"{MEASURES[measure][0]}: {said(found.child, measure, values[-1], found.standard)}" for measure, values in measured.items()]
    page = chart_page(session, patient_id, "Growth charts", notes, pictures)
    return render(page, clinic_settings(session).page)
