"""Who stands on a paper: the clinic, the doctor, the patient, as they are on the day of issue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select

from clinicdesk.models.accounts import User
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.pdf.sheets import Letterhead, Prescriber, PrescriptionPatient
from clinicdesk.rules.ages import age_text
from clinicdesk.rules.formats import SEXES, phone_text
from clinicdesk.services.people import Banner
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class Parties:
    """The three of them."""

    letterhead: Letterhead
    prescriber: Prescriber
    patient: PrescriptionPatient


def parties(session: ClinicSession, doctor_id: int, head: Banner, patient_id: str, local: datetime,
            weight: Decimal | None = None) -> Parties:
    """Clinic, doctor and patient; `local` is the moment of issue in the clinic's zone."""
    clinic = clinic_settings(session)
    doctor = session.execute(
        select(User.name, Doctor.specialization, Doctor.licence_number, Doctor.phone, Doctor.address)
        .join(User, User.id == Doctor.user_id)
        .where(Doctor.id == doctor_id)
    ).one()
    address = session.scalar(select(Patient.address).where(Patient.id == func.clinic.person_of(patient_id))) or ""
    phone = phone_text(doctor.phone) if doctor.phone else clinic.phone
    return Parties(
        Letterhead(clinic.name, clinic.address, clinic.phone, clinic.email),
        Prescriber(doctor.name, doctor.specialization, doctor.licence_number, doctor.address or clinic.address, phone),
        PrescriptionPatient(head.family_name, head.given_name, head.title, address, head.born, age_text(head.born, local), SEXES[head.sex],
                            head.patient_id, weight),
    )
