"""What a doctor reads before and during a consultation: banner, allergies, problems, medicines, measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import exists, func, or_, select

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Allergy, AllergyStatement, Medicine, Problem
from clinicdesk.models.people import Patient, PatientKey
from clinicdesk.services import immunizations
from clinicdesk.services.immunizations import ImmunizationRow
from clinicdesk.services.measuring import VitalsSet
from clinicdesk.services.measuring import history as vitals_history
from clinicdesk.services.patients import sealed_texts
from clinicdesk.services.people import Banner
from clinicdesk.services.person import ids_of, of_person
from clinicdesk.services.risks import PastEntry, is_checked, past_allergies, problem_reasons
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import SealBroken

#: The four titles of the allergy slot (clinical-safety R9). "Unavailable" is what a window shows when the read itself failed.
KNOWN: Final = "Known allergies"
NONE_KNOWN: Final = "No known allergies"
NOT_RECORDED: Final = "Allergies not recorded"
UNAVAILABLE: Final = "Allergies unavailable"
#: "None known" is asked again after 12 months (clinical-safety R37, a proposal there).
ASK_AGAIN: Final = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class AllergyRow:
    """An allergy or intolerance in the chart."""

    id: int
    substance: str
    category: str
    reaction: str
    severity: str
    noted_on: date | None
    recorded_by: str
    version: int
    source: str = ""
    verification: str = "unconfirmed"


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """A problem; `ended_on` None while it lasts."""

    id: int
    description: str
    code: str
    started_on: date | None
    ended_on: date | None
    version: int


@dataclass(frozen=True, slots=True)
class MedicineRow:
    """A medicine the patient takes, or took until `ended_on`."""

    id: int
    description: str
    dosage: str
    reason: str
    started_on: date | None
    ended_on: date | None
    version: int


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything of the chart but the visits' texts, read in one transaction so that nothing disagrees with the banner."""

    banner: Banner
    allergies: tuple[AllergyRow, ...]
    none_known_by: str
    none_known_at: datetime | None
    problems: tuple[ProblemRow, ...]
    medicines: tuple[MedicineRow, ...]
    vitals: tuple[VitalsSet, ...]
    said: dict[str, str]
    immunizations: tuple[ImmunizationRow, ...] = ()
    past_allergies: tuple[PastEntry, ...] = ()
    problem_reasons: dict[int, str] = field(default_factory=dict)
    ask_again: bool = False
    free_text: frozenset[int] = frozenset()


def banner(session: ClinicSession, patient_id: str) -> Banner:
    """The banner of a patient. Roles without access to the clinical record get an empty allergy slot (R10).

    A doctor without a care relation gets "unavailable": what she cannot read is never shown as absent (R9).
    """
    patient = session.execute(
        select(Patient.last_name, Patient.first_name, Patient.title, Patient.born, Patient.died, Patient.sex).where(
            Patient.id == func.clinic.person_of(patient_id)
        )
    ).one_or_none()
    if patient is None:
        raise NotAllowed
    title, names = _allergy_slot(session, patient_id)
    return Banner(patient_id, patient.last_name, patient.first_name, patient.title, patient.born, patient.died, patient.sex, title, names)


def _allergy_slot(session: ClinicSession, patient_id: str) -> tuple[str, tuple[str, ...]]:
    if session.me is None or session.me.role not in {"doctor", "patient"}:
        return "", ()
    if not session.scalar(select(exists(PatientKey.purpose).where(PatientKey.patient_id == patient_id, PatientKey.purpose == "clinical"))):
        return UNAVAILABLE, ()
    names = tuple(
        session.scalars(
            select(Allergy.substance)
            .where(of_person(Allergy.patient_id, patient_id), Allergy.ended_on.is_(None))
            .order_by(func.lower(Allergy.substance))
        )
    )
    if names:
        return KNOWN, names
    stated = session.scalar(select(exists().where(of_person(AllergyStatement.patient_id, patient_id))))
    return (NONE_KNOWN if stated else NOT_RECORDED), ()


def chart(session: ClinicSession, patient_id: str) -> Chart:
    """The chart of a patient; NotAllowed without a care relation. A fixed number of queries whatever the history."""
    head = banner(session, patient_id)
    if head.allergy_title in {"", UNAVAILABLE}:
        raise NotAllowed("This patient is not in your care.")
    allergies = tuple(
        AllergyRow(*row)
        for row in session.rows(
            select(
                Allergy.id,
                Allergy.substance,
                Allergy.category,
                Allergy.reaction,
                Allergy.severity,
                Allergy.noted_on,
                func.coalesce(User.name, ""),
                Allergy.version,
                Allergy.source,
                Allergy.verification,
            )
            .outerjoin(User, User.id == Allergy.recorded_by)
            .where(of_person(Allergy.patient_id, patient_id), Allergy.ended_on.is_(None))
            .order_by(func.lower(Allergy.substance))
        )
    )
    stated = session.execute(
        select(User.name, AllergyStatement.stated_at)
        .join(User, User.id == AllergyStatement.stated_by)
        .where(of_person(AllergyStatement.patient_id, patient_id))
        .order_by(AllergyStatement.id.desc())
        .limit(1)
    ).one_or_none()
    problems = tuple(
        ProblemRow(*row)
        for row in session.execute(
            select(Problem.id, Problem.description, Problem.code, Problem.started_on, Problem.ended_on, Problem.version)
            .where(of_person(Problem.patient_id, patient_id))
            .order_by(Problem.ended_on.is_not(None), Problem.started_on.desc().nulls_last(), Problem.id)
        )
    )
    medicines = tuple(
        MedicineRow(*row)
        for row in session.execute(
            select(
                Medicine.id,
                Medicine.description,
                Medicine.dosage,
                Medicine.reason,
                Medicine.started_on,
                Medicine.ended_on,
                Medicine.version,
            )
            .where(of_person(Medicine.patient_id, patient_id), or_(Medicine.ended_on.is_(None), Medicine.ended_on >= func.current_date()))
            .order_by(func.lower(Medicine.description), Medicine.id)
        )
    )
    none_known = stated is not None and not allergies
    return Chart(
        head,
        allergies,
        stated.name if stated and none_known else "",
        stated.stated_at if stated and none_known else None,
        problems,
        medicines,
        tuple(vitals_history(session, patient_id, limit=30)),
        _said(session, patient_id),
        tuple(immunizations.of_patient(session, patient_id)),
        tuple(past_allergies(session, patient_id)),
        problem_reasons(session, patient_id),
        stated is not None and none_known and session.now() - stated.stated_at > ASK_AGAIN,
        frozenset(one.id for one in allergies if not is_checked(session, one.substance)),
    )


def _said(session: ClinicSession, patient_id: str) -> dict[str, str]:
    """What was told at registration; a broken seal is said, not raised: the rest of the chart must open."""
    found: dict[str, str] = {}
    for record in ids_of(session, patient_id):
        for name in ("medical_history", "allergies", "medication"):
            try:
                said = sealed_texts(session, record, (name,)).get(name, "")
            except SealBroken:
                said = "This text cannot be opened: its seal is broken. Tell the administrator."
            if said and said not in found.get(name, ""):
                found[name] = f"{found[name]}\n{said}" if name in found else said
    return found


def add_allergy(
    session: ClinicSession,
    patient_id: str,
    substance: str,
    *,
    category: str = "allergy",
    reaction: str = "",
    severity: str = "",
    noted_on: date | None = None,
) -> int:
    """Record an allergy or intolerance."""
    if not substance.strip():
        raise Invalid("substance", "Say which substance: 1 to 200 characters.")
    row = Allergy(
        patient_id=patient_id,
        substance=substance.strip(),
        category=category,
        reaction=reaction.strip(),
        severity=severity,
        noted_on=noted_on,
        recorded_by=session.my_id,
    )
    with session.attempt():
        session.add(row)
        session.flush()
    return row.id


def end_allergy(session: ClinicSession, allergy_id: int, version: int) -> None:
    """An entry was wrong or no longer holds; it stays as history."""
    row = session.get(Allergy, allergy_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere
    row.ended_on = session.now().astimezone(session.zone).date()
    session.flush()


def state_no_allergies(session: ClinicSession, patient_id: str) -> None:
    """The clinician states that no allergies are known: signed with her name and the time."""
    if session.scalar(select(exists().where(of_person(Allergy.patient_id, patient_id), Allergy.ended_on.is_(None)))):
        raise Invalid("substance", "An allergy is recorded. End it first if it is wrong.")
    session.add(AllergyStatement(patient_id=patient_id, stated_by=session.my_id))
    session.flush()


def add_problem(session: ClinicSession, patient_id: str, description: str, started_on: date | None = None) -> int:
    """Put a problem on the list."""
    if not 1 <= len(description.strip()) <= 300:
        raise Invalid("description", "Describe the problem: 1 to 300 characters.")
    row = Problem(patient_id=patient_id, description=description.strip(), started_on=started_on, recorded_by=session.my_id)
    session.add(row)
    session.flush()
    return row.id
