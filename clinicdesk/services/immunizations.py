"""Vaccinations of a patient: given here, reported, or not done with the reason; never changed, at most marked as entered wrongly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.files import Immunization
from clinicdesk.models.people import Patient
from clinicdesk.rules.partial_dates import parse_partial, partial_text
from clinicdesk.rules.texts import tidy
from clinicdesk.services.person import of_person
from clinicdesk.services.sealing import open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, SealBroken

SOURCES: Final = {"given_here": "Given here", "reported": "Reported"}
REASONS: Final = {
    "refused": "refused", "medical": "a medical reason against it", "immune": "already immune", "no_stock": "no vaccine in stock",
    "other": "another reason",
}
SITES: Final = ("left upper arm", "right upper arm", "left thigh", "right thigh", "mouth", "nose")
ROUTES: Final = ("into the muscle", "under the skin", "into the skin", "by mouth", "into the nose")


@dataclass(frozen=True, slots=True)
class NewImmunization:
    """A vaccination as typed. `given` may be a day, a month or a year; `reason` is a key of REASONS when it was not done."""

    vaccine: str
    given: str = ""
    cvx: str = ""
    dose_number: str = ""
    lot: str = ""
    site: str = ""
    route: str = ""
    given_by: str = ""
    source: str = "given_here"
    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ImmunizationRow:
    """A vaccination in the chart."""

    id: UUID
    vaccine: str
    cvx: str
    given_on: date | None
    precision: str
    dose_number: int | None
    lot: str
    site: str
    route: str
    given_by: str
    source: str
    status: str
    reason: str
    note: str
    recorded_by: str
    recorded_at: datetime
    wrong: bool
    version: int

    @property
    def line(self) -> str:
        """What there is to say about it after the name of the vaccine, in words."""
        when = partial_text(self.given_on, self.precision)
        if self.status == "not_done":
            parts = [f"NOT GIVEN, {when}: {REASONS.get(self.reason, self.reason)}", self.note]
        else:
            place = ", ".join(x for x in (self.site, self.route) if x)
            parts = [when, f"dose {self.dose_number}" if self.dose_number else "", f"lot {self.lot}" if self.lot else "", place,
                     SOURCES[self.source].lower() + (f" by {self.given_by}" if self.given_by else ""), self.note]
        if self.wrong:
            parts.insert(0, "ENTERED IN ERROR")
        return " · ".join(part for part in parts if part)


def add(session: ClinicSession, patient_id: str, new: NewImmunization) -> UUID:
    """Record a vaccination, or that it was not done. Raises Invalid at the field that is wrong."""
    vaccine, note = tidy(new.vaccine), new.note.strip()
    if not 1 <= len(vaccine) <= 200:
        raise Invalid("vaccine", "Vaccine: 1 to 200 characters.")
    today = session.now().astimezone(session.zone).date()
    given, precision = parse_partial(new.given, today, "given") if new.given.strip() else (None, "day")
    if given is None and (new.source == "given_here" or new.reason):
        raise Invalid("given", "Say when: a day, or a month or year such as Nov 2019 or 2019.")
    born = session.scalar(select(Patient.born).where(Patient.id == func.clinic.person_of(patient_id)))
    if given is not None and born is not None and _ends(given, precision) < born:
        raise Invalid("given", "This date lies before the patient's birth.")
    dose = new.dose_number.strip()
    if dose and not (dose.isdecimal() and 1 <= int(dose) <= 20):
        raise Invalid("dose_number", "Dose number: 1 to 20.")
    if not re.fullmatch(r"[0-9]{0,4}", new.cvx.strip()):
        raise Invalid("cvx", "A CVX code has at most 4 digits.")
    if new.reason and new.reason not in REASONS:
        raise Invalid("reason", "Choose a reason of the list.")
    if new.reason == "other" and not note:
        raise Invalid("note", "Say which reason.")
    if len(note) > 500:
        raise Invalid("note", "Note: at most 500 characters.")
    number = uuid4()
    with session.attempt():
        session.execute(insert(Immunization).values(
            id=number, patient_id=patient_id, vaccine=vaccine, cvx=new.cvx.strip(), given_on=given, precision=precision,
            dose_number=int(dose) if dose else None, lot=tidy(new.lot), site=tidy(new.site), route=tidy(new.route),
            given_by=tidy(new.given_by), source=new.source, status="not_done" if new.reason else "completed", reason=new.reason,
            note=seal_text(session, _place(patient_id, number), note) if note else None, recorded_by=session.my_id))
    return number


def of_patient(session: ClinicSession, patient_id: str) -> list[ImmunizationRow]:
    """Vaccinations of a person, newest first; what was entered in error stands last."""
    t = Immunization
    rows = session.execute(
        select(t, func.coalesce(User.name, ""))
        .outerjoin(User, User.id == t.recorded_by)
        .where(of_person(t.patient_id, patient_id))
        .order_by(t.wrong, t.given_on.desc().nulls_last(), t.recorded_at.desc())
    )
    return [ImmunizationRow(
        one.id, one.vaccine, one.cvx, one.given_on, one.precision, one.dose_number, one.lot, one.site, one.route, one.given_by, one.source,
        one.status, one.reason, _note(session, one), name, one.recorded_at, one.wrong, one.version) for one, name in rows]


def mark_wrong(session: ClinicSession, immunization_id: UUID, version: int) -> None:
    """It was entered in error: it stays, and says so."""
    row = session.get(Immunization, immunization_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere
    row.wrong = True
    session.flush()


def _ends(given: date, precision: str) -> date:
    """The last day it can have been."""
    if precision == "day":
        return given
    return date(given.year, 12 if precision == "year" else given.month, 28)


def _place(patient_id: str, number: UUID) -> Place:
    return Place(patient_id, f"immunization:{number}", "note")


def _note(session: ClinicSession, row: Immunization) -> str:
    if row.note is None:
        return ""
    try:
        return open_text(session, _place(row.patient_id, row.id), row.note)
    except SealBroken:
        return "(this note cannot be read: its seal is broken)"
