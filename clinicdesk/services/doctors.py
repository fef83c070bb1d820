"""Doctors: profiles, lists with patient counts, and who looks after whom."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlalchemy import func, or_, select

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Assignment as AssignmentTable
from clinicdesk.models.people import Doctor, Patient
from clinicdesk.rules.formats import check_email, check_phone
from clinicdesk.services.people import Assignment, DoctorCard, DoctorForm, DoctorRow
from clinicdesk.services.person import of_person
from clinicdesk.storage.database import ClinicSession


def doctors(session: ClinicSession, specialization: str = "", *, available_only: bool = False) -> list[DoctorRow]:
    """Doctors by name, with how many patients each looks after now (as far as the reader may see assignments)."""
    count = (
        select(AssignmentTable.doctor_id, func.count().label("n"))
        .where(or_(AssignmentTable.ends_on.is_(None), AssignmentTable.ends_on >= func.current_date()))
        .group_by(AssignmentTable.doctor_id)
        .subquery()
    )
    query = (
        select(Doctor.id, User.name, Doctor.specialization, Doctor.available, Doctor.fee, func.coalesce(count.c.n, 0))
        .join(User, User.id == Doctor.user_id)
        .outerjoin(count, count.c.doctor_id == Doctor.id)
        .where(User.active)
        .order_by(func.lower(User.name), Doctor.id)
    )
    if specialization:
        query = query.where(func.lower(Doctor.specialization) == specialization.lower())
    if available_only:
        query = query.where(Doctor.available)
    return [DoctorRow(*row) for row in session.execute(query)]


def specializations(session: ClinicSession) -> list[str]:
    """Each specialization once, in order."""
    return list(session.scalars(select(Doctor.specialization).distinct().order_by(Doctor.specialization)))


def card(session: ClinicSession, doctor_id: int) -> DoctorCard:
    """One profile."""
    row = session.execute(
        select(
            Doctor.id,
            Doctor.user_id,
            User.name,
            Doctor.licence_number,
            Doctor.specialization,
            Doctor.qualifications,
            Doctor.experience_years,
            Doctor.fee,
            Doctor.phone,
            Doctor.email,
            Doctor.address,
            Doctor.available,
            Doctor.version,
        )
        .join(User, User.id == Doctor.user_id)
        .where(Doctor.id == doctor_id)
    ).one_or_none()
    if row is None:
        raise NotAllowed
    return DoctorCard(*tuple(row))


def add(session: ClinicSession, user_id: int, form: DoctorForm) -> int:
    """Give a doctor's account its profile; administrators only."""
    doctor = Doctor(user_id=user_id, **_checked(form))
    with session.attempt():
        session.add(doctor)
        session.flush()
    return doctor.id


def edit(session: ClinicSession, doctor_id: int, form: DoctorForm, version: int) -> None:
    """Change a profile: her own, or anybody's as administrator. ChangedElsewhere when it is no longer the version that was read."""
    doctor = session.get(Doctor, doctor_id)
    if doctor is None:
        raise NotAllowed
    if doctor.version != version:
        raise ChangedElsewhere
    for name, value in _checked(form).items():
        setattr(doctor, name, value)
    with session.attempt():
        session.flush()


def _checked(form: DoctorForm) -> dict[str, object]:
    try:
        years = int(form.experience_years.strip() or "0")
    except ValueError:
        raise Invalid("experience_years", "Experience: whole years, 0 to 60.") from None
    if not 0 <= years <= 60:
        raise Invalid("experience_years", "Experience: 0 to 60 years.")
    try:
        fee = Decimal(form.fee.strip().replace(",", ".") or "0")
    except InvalidOperation:
        raise Invalid("fee", "Fee: an amount like 45 or 45.50.") from None
    if not fee.is_finite() or not 0 <= fee <= 100_000 or fee != fee.quantize(Decimal("0.01")):
        raise Invalid("fee", "Fee: 0 to 100,000 with at most two decimals.")
    return {
        "licence_number": form.licence_number.strip(),
        "specialization": form.specialization.strip(),
        "qualifications": form.qualifications.strip(),
        "experience_years": years,
        "fee": fee,
        "phone": check_phone(form.phone) if form.phone.strip() else "",
        "email": check_email(form.email) if form.email.strip() else "",
        "address": form.address.strip(),
        "available": form.available,
    }


def assign(
    session: ClinicSession, doctor_id: int, patient_id: str, note: str = "", starts_on: date | None = None, ends_on: date | None = None
) -> int:
    """A doctor begins to look after a patient; Duplicate when she already does."""
    row = AssignmentTable(
        doctor_id=doctor_id,
        patient_id=patient_id,
        note=note.strip(),
        starts_on=starts_on or session.now().astimezone(session.zone).date(),
        ends_on=ends_on,
        assigned_by=session.my_id,
    )
    with session.attempt():
        session.add(row)
        session.flush()
    return row.id


def end_assignment(session: ClinicSession, assignment_id: int, version: int, ends_on: date | None = None) -> None:
    """End an assignment; it stays as history."""
    row = session.get(AssignmentTable, assignment_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere
    row.ends_on = ends_on or session.now().astimezone(session.zone).date()
    with session.attempt():
        session.flush()


def assign_many(session: ClinicSession, doctor_id: int, patient_ids: Sequence[str], note: str = "", starts_on: date | None = None) -> int:
    """One doctor for several patients, all or none; who has her already is left alone unless there is only one. How many were assigned."""
    table = AssignmentTable
    known = select(table.patient_id).where(table.doctor_id == doctor_id, table.ends_on.is_(None), table.patient_id.in_(patient_ids))
    already = set(session.scalars(known)) if len(patient_ids) > 1 else set()
    wanted = [patient_id for patient_id in patient_ids if patient_id not in already]
    for patient_id in wanted:
        assign(session, doctor_id, patient_id, note, starts_on)
    return len(wanted)


def assignments(
    session: ClinicSession, *, patient_id: str | None = None, doctor_id: int | None = None, current_only: bool = False
) -> list[Assignment]:
    """Assignments of a patient or a doctor, current ones first, then by start."""
    table = AssignmentTable
    query = (
        select(
            table.id,
            table.doctor_id,
            User.name,
            table.patient_id,
            Patient.last_name + ", " + Patient.first_name,
            table.note,
            table.starts_on,
            table.ends_on,
            table.version,
        )
        .join(Doctor, Doctor.id == table.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .join(Patient, Patient.id == table.patient_id)
        .order_by(table.ends_on.desc().nulls_first(), table.starts_on.desc(), table.id)
    )
    if patient_id is not None:
        query = query.where(of_person(table.patient_id, patient_id))
    if doctor_id is not None:
        query = query.where(table.doctor_id == doctor_id)
    if current_only:
        query = query.where(or_(table.ends_on.is_(None), table.ends_on >= func.current_date()))
    return [Assignment(*row) for row in session.execute(query)]
