"""Allergies and problems kept right: corrected, confirmed, ended with a reason; which substances the checks know (R27, R28, R37)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from sqlalchemy import select

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Allergy, Problem
from clinicdesk.rules.checking.substances import read_substance
from clinicdesk.rules.imported_medicines import clinic_knowledge
from clinicdesk.rules.moments import parse_birth_date
from clinicdesk.rules.texts import tidy
from clinicdesk.services.diagnosing import codes
from clinicdesk.services.person import of_person
from clinicdesk.services.sealing import open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.diagnosis_codes import SYSTEM
from clinicdesk.storage.vault import Place, SealBroken

T = TypeVar("T", Allergy, Problem)
SOURCES: Final = {"patient": "the patient", "relative": "a relative", "observed": "seen here", "documents": "earlier documents"}
VERIFIED: Final = {"unconfirmed": "not confirmed", "confirmed": "confirmed", "refuted": "refuted"}


@dataclass(frozen=True, slots=True)
class AllergyForm:
    """An entry as typed. `reaction`: together with + or “and”, at different times with a comma; `noted` a day or empty."""

    substance: str
    category: str = "allergy"
    reaction: str = ""
    severity: str = ""
    noted: str = ""
    source: str = ""
    verification: str = "unconfirmed"


@dataclass(frozen=True, slots=True)
class ProblemForm:
    """A problem as typed; `code` of ICD-10-CM or empty; `started` a day or empty."""

    description: str
    code: str = ""
    started: str = ""


@dataclass(frozen=True, slots=True)
class PastEntry:
    """An allergy that was ended: what, when, by whom, why. `refuted` when it was never one."""

    id: int
    substance: str
    ended_on: date
    ended_by: str
    reason: str
    refuted: bool


def substances(session: ClinicSession) -> list[str]:
    """Names the checks understand: classes first, then generic medicines."""
    known = clinic_knowledge(session.folder)
    return [one.name for one in known.allergy_classes] + sorted(known.medicines)


def is_checked(session: ClinicSession, substance: str) -> bool:
    """Whether prescriptions are checked against an allergy to this; free text that no table knows, or part of it, is not (R27)."""
    return read_substance(substance, clinic_knowledge(session.folder)).understood


def reactions(text: str) -> str:
    """Reactions in one spelling (R28): those that came together joined by +, separate ones by a comma."""
    apart = [[tidy(part) for part in re.split(r"\s*\+\s*|\s+and\s+|\s*&\s*", one) if tidy(part)] for one in re.split(r"[,;\n]", text)]
    return ", ".join(" + ".join(dict.fromkeys(together)) for together in apart if together)


def add_allergy(session: ClinicSession, patient_id: str, form: AllergyForm) -> int:
    """Record an allergy or intolerance. Invalid at the field that is wrong; a second entry for one substance is refused (R28)."""
    values = _checked(session, form)
    listed = session.scalars(select(Allergy.substance).where(of_person(Allergy.patient_id, patient_id), Allergy.ended_on.is_(None)))
    if str(values["substance"]).casefold() in {one.casefold() for one in listed}:
        raise Invalid("substance", "This substance is listed already. Correct that entry instead.")
    row = Allergy(patient_id=patient_id, recorded_by=session.my_id, **values)
    with session.attempt():
        session.add(row)
        session.flush()
    return row.id


def change_allergy(session: ClinicSession, allergy_id: int, version: int, form: AllergyForm) -> None:
    """Correct or confirm an entry."""
    row = _current(session, Allergy, allergy_id, version)
    for field, value in _checked(session, form).items():
        setattr(row, field, value)
    with session.attempt():
        session.flush()


def end_allergy(session: ClinicSession, allergy_id: int, version: int, reason: str, *, refuted: bool = False) -> None:
    """An entry no longer holds, or never did (`refuted`): it stays as history with the reason, and the checks no longer use it."""
    row = _current(session, Allergy, allergy_id, version)
    row.ended_reason = seal_text(session, _place(row.patient_id, "allergy", row.id), _reason(reason))
    row.ended_on, row.ended_by = session.now().astimezone(session.zone).date(), session.my_id
    if refuted:
        row.verification = "refuted"
    with session.attempt():
        session.flush()


def past_allergies(session: ClinicSession, patient_id: str) -> list[PastEntry]:
    """Entries that were ended, newest first."""
    rows = session.execute(
        select(Allergy, User.name).outerjoin(User, User.id == Allergy.ended_by)
        .where(of_person(Allergy.patient_id, patient_id), Allergy.ended_on.is_not(None))
        .order_by(Allergy.ended_on.desc(), Allergy.id.desc())
    )
    return [PastEntry(row.id, row.substance, row.ended_on, ended_by or "", _opened(session, "allergy", row), row.verification == "refuted")
            for row, ended_by in rows if row.ended_on is not None]


def problem_reasons(session: ClinicSession, patient_id: str) -> dict[int, str]:
    """Why problems were ended, by problem."""
    rows = session.scalars(select(Problem).where(of_person(Problem.patient_id, patient_id), Problem.ended_reason.is_not(None)))
    return {row.id: _opened(session, "problem", row) for row in rows}


def add_problem(session: ClinicSession, patient_id: str, form: ProblemForm) -> int:
    """Put a problem on the list."""
    row = Problem(patient_id=patient_id, recorded_by=session.my_id, **_checked_problem(session, form))
    with session.attempt():
        session.add(row)
        session.flush()
    return row.id


def change_problem(session: ClinicSession, problem_id: int, version: int, form: ProblemForm) -> None:
    """Correct a problem."""
    row = _current(session, Problem, problem_id, version)
    values = _checked_problem(session, form)
    if row.code and row.system not in {"", SYSTEM} and not form.code:
        values = {**values, "system": row.system, "code": row.code}  # an imported code of another system stays
    for field, value in values.items():
        setattr(row, field, value)
    with session.attempt():
        session.flush()


def end_problem(session: ClinicSession, problem_id: int, version: int, reason: str) -> None:
    """A problem is over; it stays on the list as ended."""
    row = _current(session, Problem, problem_id, version)
    row.ended_reason = seal_text(session, _place(row.patient_id, "problem", row.id), _reason(reason))
    row.ended_on, row.ended_by = session.now().astimezone(session.zone).date(), session.my_id
    with session.attempt():
        session.flush()


def _checked(session: ClinicSession, form: AllergyForm) -> dict[str, object]:
    substance, reaction = tidy(form.substance), reactions(form.reaction)
    if not 1 <= len(substance) <= 200:
        raise Invalid("substance", "Say which substance: 1 to 200 characters.")
    if len(reaction) > 300:
        raise Invalid("reaction", "Reaction: at most 300 characters.")
    return {"substance": substance, "category": form.category, "reaction": reaction, "severity": form.severity, "source": form.source,
            "noted_on": _day(session, form.noted, "noted"), "verification": form.verification}


def _checked_problem(session: ClinicSession, form: ProblemForm) -> dict[str, object]:
    description = tidy(form.description)
    if not 1 <= len(description) <= 300:
        raise Invalid("description", "Describe the problem: 1 to 300 characters.")
    if form.code and codes().title(form.code) is None:
        raise Invalid("description", f"{form.code} is no code of {codes().release}. Choose it from the list again.")
    return {"description": description, "system": SYSTEM if form.code else "", "code": form.code,
            "started_on": _day(session, form.started, "started")}


def _day(session: ClinicSession, text: str, field: str) -> date | None:
    if not text.strip():
        return None
    try:
        return parse_birth_date(text, session.now().astimezone(session.zone).date(), field=field)
    except Invalid as refusal:
        raise Invalid(field, refusal.sentence.replace("A date of birth", "This date")) from None


def _reason(text: str) -> str:
    words = tidy(text)
    if not 3 <= len(words) <= 300:
        raise Invalid("reason", "Say why: 3 to 300 characters.")
    return words


def _current(session: ClinicSession, model: type[T], number: int, version: int) -> T:
    row = session.get(model, number)
    if row is None:
        raise NotAllowed
    if row.version != version or row.ended_on is not None:
        raise ChangedElsewhere
    return row


def _place(patient_id: str, what: str, number: int) -> Place:
    return Place(patient_id, f"{what}:{number}", "ended_reason")


def _opened(session: ClinicSession, what: str, row: Allergy | Problem) -> str:
    if row.ended_reason is None:
        return ""
    try:
        return open_text(session, _place(row.patient_id, what, row.id), row.ended_reason)
    except SealBroken:
        return "(the reason cannot be read: its seal is broken)"
