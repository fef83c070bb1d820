"""Diagnoses of a visit: found in ICD-10-CM or written in the doctor's own words, stored when the visit is signed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from clinicdesk.errors import Invalid
from clinicdesk.models.clinical import Consultation, Diagnosis, Problem
from clinicdesk.paths import resource
from clinicdesk.services.drafts import DiagnosisDraft
from clinicdesk.services.person import of_person
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.diagnosis_codes import SYSTEM, DiagnosisCode, DiagnosisCodes, read_codes

MOST = 20


def codes() -> DiagnosisCodes:
    """ICD-10-CM as shipped. Half a second the first time: never on the GUI thread."""
    return read_codes(resource("icd10cm.tsv.xz"))


def search(session: ClinicSession, typed: str, limit: int = 12) -> list[DiagnosisCode]:
    """Codes for what was typed: those this doctor has used before first, the most used at the top; then the plainest."""
    found = codes().search(typed, limit * 4)
    if not found:
        return []
    rows = session.execute(
        select(Diagnosis.code, func.count())
        .where(Diagnosis.recorded_by == session.my_id, Diagnosis.code.in_([one.code for one in found]))
        .group_by(Diagnosis.code)
    )
    used = {code: times for code, times in rows}  # noqa: C416  rows, not pairs, to a type checker
    return sorted(found, key=lambda one: -used.get(one.code, 0))[:limit]  # a stable sort: equals stay as they were


def checked(diagnoses: Sequence[DiagnosisDraft]) -> tuple[DiagnosisDraft, ...]:
    """The diagnoses of a visit as they may be stored. Invalid `diagnoses` says which one cannot."""
    if len(diagnoses) > MOST:
        raise Invalid("diagnoses", f"A visit has at most {MOST} diagnoses.")
    found: dict[tuple[str, str], DiagnosisDraft] = {}
    for one in diagnoses:
        words = " ".join(one.description.split())
        if not words:
            continue
        if len(words) > 300:
            raise Invalid("diagnoses", "A diagnosis has 1 to 300 characters.")
        if one.code and codes().title(one.code) is None:
            raise Invalid("diagnoses", f"{one.code} is no code of {codes().release}. Choose it from the list again.")
        found.setdefault((one.code, words.casefold()), DiagnosisDraft(one.code, words, one.problem))
    return tuple(found.values())


def store(session: ClinicSession, consultation: Consultation, diagnoses: Sequence[DiagnosisDraft]) -> None:
    """Write them with the visit; those marked go on the problem list unless it has them already."""
    if not diagnoses:
        return
    for position, one in enumerate(diagnoses, 1):
        session.add(
            Diagnosis(
                consultation_id=consultation.id,
                patient_id=consultation.patient_id,
                position=position,
                system=SYSTEM if one.code else "",
                code=one.code,
                description=one.description,
                recorded_by=session.my_id,
            )
        )
    with session.attempt():
        session.flush()
    wanted = [one for one in diagnoses if one.problem]
    if not wanted:
        return
    listed = {
        (code, description.casefold())
        for code, description in session.execute(
            select(Problem.code, Problem.description).where(
                of_person(Problem.patient_id, consultation.patient_id), Problem.ended_on.is_(None)
            )
        )
    }
    today = session.now().astimezone(session.zone).date()
    for one in wanted:
        if (one.code, one.description.casefold()) not in listed and not any(code == one.code != "" for code, _ in listed):
            session.add(
                Problem(
                    patient_id=consultation.patient_id,
                    system=SYSTEM if one.code else "",
                    code=one.code,
                    description=one.description,
                    started_on=today,
                    recorded_by=session.my_id,
                )
            )
    session.flush()
