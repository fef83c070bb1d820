"""The day sheet: what a doctor takes into the room when the screens are dark, and reception pins to the wall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import select

from clinicdesk.models.people import Patient
from clinicdesk.pdf.day_sheet import DaySheet, DoctorSheet, SheetLine, render
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.formats import phone_text
from clinicdesk.rules.moments import clinical_time
from clinicdesk.rules.steps import ACTIVE, STATUSES
from clinicdesk.services import appointments
from clinicdesk.services.schedule import AppointmentBlock, DoctorColumn
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession


def sheet(session: ClinicSession, day: date, doctor_ids: Sequence[int] | None = None) -> DaySheet:
    """Every appointment of a day that holds time, by doctor (those asked for, else all), with the patients' phones. Seven queries."""
    schedule = appointments.day(session, day, doctor_ids)
    blocks = [b for b in schedule.blocks if b.status in ACTIVE]
    ids = {b.patient_id for b in blocks}
    phones = {number: phone or "" for number, phone in session.rows(select(Patient.id, Patient.phone).where(Patient.id.in_(ids)))}
    clinic = clinic_settings(session)
    return DaySheet(
        Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email),
        day,
        session.now().astimezone(session.zone),
        tuple(_of(session, column, [b for b in blocks if b.doctor_id == column.doctor_id], phones) for column in schedule.columns),
    )


def pdf(session: ClinicSession, day: date, doctor_ids: Sequence[int] | None = None) -> bytes:
    """The day sheet as it is printed."""
    return render(sheet(session, day, doctor_ids))


def _of(session: ClinicSession, column: DoctorColumn, blocks: Sequence[AppointmentBlock], phones: dict[str, str]) -> DoctorSheet:
    hours = ", ".join(f"{clinical_time(r.starts_at, session.zone)}–{clinical_time(r.ends_at, session.zone)}" for r in column.open)
    lines = tuple(
        SheetLine(
            f"{clinical_time(b.starts_at, session.zone)}–{clinical_time(b.ends_at, session.zone)}",
            b.patient_name,
            b.patient_born,
            phone_text(phones[b.patient_id]) if phones.get(b.patient_id) else "",
            b.reason,
            STATUSES[b.status],
            b.overbook_reason,
        )
        for b in blocks
    )
    return DoctorSheet(column.name, column.specialization, hours, column.closed_reason, lines)
