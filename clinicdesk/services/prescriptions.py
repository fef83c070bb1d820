"""Prescriptions: typed lines become structured items, items a sheet, the sheet the stored PDF. Nothing changes afterwards."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Consultation, Vitals
from clinicdesk.models.people import Doctor
from clinicdesk.models.prescribing import Prescription, PrescriptionItem
from clinicdesk.pdf.claims import claim_of
from clinicdesk.pdf.copies import mark_copy
from clinicdesk.pdf.prescription import draw
from clinicdesk.pdf.sheets import PrescriptionSheet, item_from, missing
from clinicdesk.rules.ages import years
from clinicdesk.rules.codes import NUMBER_LETTERS
from clinicdesk.services import signing
from clinicdesk.services.letterheads import parties
from clinicdesk.services.measuring import VitalsSet
from clinicdesk.services.people import Banner
from clinicdesk.services.person import of_person
from clinicdesk.services.prescribing import CheckedItem
from clinicdesk.services.sealing import CLINICAL, key_of
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, seal, unseal


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued prescription."""

    id: int
    number: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PrescriptionRow:
    """A prescription in the chart."""

    id: int
    number: str
    issued_at: datetime
    doctor_name: str
    items: tuple[str, ...]
    page: str
    printed: int


@dataclass(frozen=True, slots=True)
class StoredPdf:
    """The bytes as they were issued, and how often they were printed before."""

    number: str
    content: bytes
    sha256: str
    page: str
    printed: int


def issue(
    session: ClinicSession, consultation: Consultation, head: Banner, lines: Sequence[CheckedItem], measured: VitalsSet | None
) -> Issued:
    """Store the items, the sealed sheet and the sealed PDF of a prescription, as part of completing the visit."""
    number = new_number("RX")
    now = session.now()
    by = signing.signer(session)
    if session.me is None or session.me.doctor_id != consultation.doctor_id:
        raise NotAllowed("Only the doctor of this consultation signs its prescription.")
    page = clinic_settings(session).page
    sheet = _sheet(session, consultation, head, lines, measured, number, now)
    lacks = missing(sheet, years(head.born, now.astimezone(session.zone).date()))
    if lacks:
        raise Invalid("items", f"The prescription cannot be issued yet. It lacks: {', '.join(lacks)}.")
    drawn = draw(sheet, page, by.stamp)  # type: ignore[arg-type]
    content = signing.signed_pdf(by, drawn, "RX", number)
    row = Prescription(
        number=number,
        consultation_id=consultation.id,
        patient_id=consultation.patient_id,
        doctor_id=consultation.doctor_id,
        issued_at=now,
        page=page,
        pdf=seal(key_of(session, consultation.patient_id, CLINICAL), content, _place(consultation.patient_id, number, "pdf")),
        pdf_sha256=hashlib.sha256(content).digest(),
    )
    with session.attempt():
        session.add(row)
        session.flush()
    with session.attempt():
        session.execute(insert(PrescriptionItem), [_item(row, position, line) for position, line in enumerate(lines, 1)])
    signing.keep_signature(session, by, claim_of(sheet), consultation.patient_id, prescription_id=row.id)
    return Issued(row.id, number, tuple(line.line for line in lines))


def _item(row: Prescription, position: int, line: CheckedItem) -> dict[str, Any]:
    d, t = line.direction, line.typed
    return {
        "prescription_id": row.id,
        "patient_id": row.patient_id,
        "position": position,
        "medicine": t.medicine.strip(),
        "brand": t.brand.strip(),
        "strength": t.strength.strip(),
        "form": t.form.strip(),
        "route": d.route,
        "dose_value": d.dose_value,
        "dose_unit": d.dose_unit,
        "times_per_day": d.times_per_day,
        "every_hours": d.every_hours,
        "weekdays": " ".join(str(w) for w in d.weekdays),
        "once": d.once,
        "as_needed": d.as_needed,
        "as_needed_for": d.as_needed_for,
        "min_interval_hours": d.min_interval_hours,
        "max_per_day": d.max_per_day,
        "duration_days": d.duration_days,
        "rate": d.rate,
        "directions": line.directions,
        "quantity": line.quantity,
        "quantity_unit": line.quantity_unit,
        "instructions": t.instructions.strip(),
        "indication": t.indication.strip(),
        "free_text": t.free_text,
    }


def new_number(kind: str) -> str:
    """A number nobody can guess, for example `RX-7K3M-9Q2D`."""
    letters = "".join(secrets.choice(NUMBER_LETTERS) for _ in range(8))
    return f"{kind}-{letters[:4]}-{letters[4:]}"


def _place(patient_id: str, number: str, part: str) -> Place:
    return Place(patient_id, f"prescription:{number}", part)


def _sheet(
    session: ClinicSession,
    consultation: Consultation,
    head: Banner,
    lines: Sequence[CheckedItem],
    measured: VitalsSet | None,
    number: str,
    at: datetime,
) -> PrescriptionSheet:
    weight = measured.values.get("weight") if measured else None
    if weight is None:
        weight = session.scalar(
            select(Vitals.weight)
            .where(of_person(Vitals.patient_id, consultation.patient_id), Vitals.weight.is_not(None))
            .order_by(Vitals.taken_at.desc())
            .limit(1)
        )
    local = at.astimezone(session.zone)
    who = parties(session, consultation.doctor_id, head, consultation.patient_id, local, weight)
    return PrescriptionSheet(
        letterhead=who.letterhead,
        prescriber=who.prescriber,
        patient=who.patient,
        issue_id=number,
        issued=local,
        allergy_title=head.allergy_title,
        allergies=head.allergies,
        items=tuple(
            item_from(
                line.direction,
                medicine=line.typed.medicine.strip(),
                strength=line.typed.strength.strip(),
                form=line.typed.form.strip(),
                quantity=line.quantity_text,
                brand=line.typed.brand.strip(),
                instructions=line.typed.instructions.strip(),
                indication=line.typed.indication.strip(),
                free_text=line.typed.free_text,
                dose_basis=line.typed.dose_basis,
            )
            for line in lines
        ),
        signer_line=signing.signer_words(session.me.name, local) if session.me else "",
    )


def of_patient(session: ClinicSession, patient_id: str, limit: int = 100) -> list[PrescriptionRow]:
    """Prescriptions of a patient, newest first; two queries."""
    rows = session.execute(
        select(Prescription.id, Prescription.number, Prescription.issued_at, User.name, Prescription.page, Prescription.printed)
        .join(Doctor, Doctor.id == Prescription.doctor_id)
        .join(User, User.id == Doctor.user_id)
        .where(of_person(Prescription.patient_id, patient_id))
        .order_by(Prescription.issued_at.desc(), Prescription.id.desc())
        .limit(limit)
    ).all()
    items: dict[int, list[str]] = {row.id: [] for row in rows}
    for prescription_id, medicine, strength, directions in session.execute(
        select(PrescriptionItem.prescription_id, PrescriptionItem.medicine, PrescriptionItem.strength, PrescriptionItem.directions)
        .where(PrescriptionItem.prescription_id.in_(list(items)))
        .order_by(PrescriptionItem.prescription_id, PrescriptionItem.position)
    ):
        items[prescription_id].append(" ".join(part for part in (medicine, strength, "—", directions) if part))
    return [PrescriptionRow(r.id, r.number, r.issued_at, r.name, tuple(items[r.id]), r.page, r.printed) for r in rows]


def stored_pdf(session: ClinicSession, prescription_id: int) -> StoredPdf:
    """The prescription exactly as it was issued. A ClinicError says so when the stored bytes no longer match their hash."""
    row = session.get(Prescription, prescription_id)
    if row is None:
        raise NotAllowed
    content = unseal(key_of(session, row.patient_id, CLINICAL), row.pdf, _place(row.patient_id, row.number, "pdf"))
    if hashlib.sha256(content).digest() != row.pdf_sha256:
        raise ClinicError("The stored prescription does not match its checksum.", "Do not use it. Tell the administrator.")
    return StoredPdf(row.number, content, row.pdf_sha256.hex(), row.page, row.printed)


def copy_pdf(session: ClinicSession, prescription_id: int) -> StoredPdf:
    """The stored bytes with the mark COPY appended to them: for every print after the first."""
    stored = stored_pdf(session, prescription_id)
    return replace(stored, content=mark_copy(stored.content))


def printed(session: ClinicSession, prescription_id: int) -> int:
    """Note that it was printed; gives how often by now."""
    done = session.execute(
        update(Prescription)
        .where(Prescription.id == prescription_id)
        .values(printed=Prescription.printed + 1, last_printed_at=session.now())
        .returning(Prescription.printed)
        .execution_options(synchronize_session=False)
    ).scalar_one_or_none()
    if done is None:
        raise NotAllowed
    return int(done)
