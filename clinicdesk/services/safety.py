"""The checks of a prescription on one patient's facts, and the gate at the signature.

Facts come from the database in the transaction that asks, tiers from the administrator's settings, words of approval from
`content_approvals`. What cannot be read raises and the screen turns red; what cannot be checked is an alert.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Final

from sqlalchemy import exists, func, insert, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from clinicdesk.errors import Invalid, NotAllowed, ReasonNeeded
from clinicdesk.models.alerts import AlertFiring, AlertOverride, MedicineStop, PatientFact
from clinicdesk.models.clinical import Allergy, AllergyStatement, Consultation, Medicine, Problem, Vitals
from clinicdesk.models.people import Patient, PatientKey
from clinicdesk.rules.alert_reasons import lacks, reason_of
from clinicdesk.rules.checks import check, line_of
from clinicdesk.rules.imported_medicines import clinic_knowledge
from clinicdesk.rules.safety import Alert, KnownAllergy, PatientFacts, Prescribed
from clinicdesk.rules.weight_doses import Weight
from clinicdesk.services.content import approvals, tiers
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft
from clinicdesk.services.person import of_person
from clinicdesk.services.prescribing import direction_of
from clinicdesk.services.sealing import CLINICAL, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place

log = logging.getLogger(__name__)

#: How long “not pregnant” holds after it was stated, in days (house rule, to be approved by a clinician; not from a source).
NOT_PREGNANT_DAYS: Final = 28
#: How long “pregnant” holds without an expected date, and after an expected one, in days (house rule as above).
PREGNANT_DAYS: Final = 294
AFTER_EXPECTED_DAYS: Final = 14
_SEX: Final = {"F": "F", "M": "M", "O": "I"}


@dataclass(frozen=True, slots=True)
class LineAlert:
    """An alert and the line it stands under; `line` counts from 0 in the draft's items."""

    line: int
    alert: Alert


@dataclass(frozen=True, slots=True)
class Checkup:
    """What the checks found, the worst first, and the facts they used."""

    found: tuple[LineAlert, ...]
    facts: PatientFacts


def checkup(session: ClinicSession, patient_id: str, draft: ConsultationDraft) -> Checkup:
    """Run all checks over the lines of a draft. Raises when the facts cannot be read; a check that fails is an alert of tier 1."""
    return _checked(session, facts_of(session, patient_id, draft), draft)


def checkup_of_typed(session: ClinicSession, patient_id: str, draft: ConsultationDraft, item: ItemDraft) -> tuple[Alert, ...]:
    """What the checks would say besides if `item`, typed and not taken yet, were the last line; the worst first. Raises like `checkup`."""
    facts = facts_of(session, patient_id, draft)
    known = {(one.line, one.alert.key, one.alert.other) for one in _checked(session, facts, draft).found}
    after = _checked(session, facts, replace(draft, items=(*draft.items, item))).found
    return tuple(one.alert for one in after if one.line == len(draft.items) or (one.line, one.alert.key, one.alert.other) not in known)


def _checked(session: ClinicSession, facts: PatientFacts, draft: ConsultationDraft) -> Checkup:
    numbers = [n for n, item in enumerate(draft.items) if item.medicine.strip()]
    lines = [prescribed(draft.items[n]) for n in numbers]
    if not lines:
        return Checkup((), facts)
    lowered, approved = tiers(session), approvals(session)
    try:
        alerts = check(facts, lines, replace(clinic_knowledge(session.folder), approved=approved))
    except Exception as fault:  # tables that cannot be read, or a fault of ours: never silence
        log.exception("the medicines could not be checked")
        alerts = tuple(_failed(number, line, fault) for number, line in enumerate(lines))
    found = [LineAlert(numbers[alert.line], _with_tier(alert, lowered)) for alert in alerts]
    return Checkup(tuple(sorted(found, key=lambda one: (one.alert.tier, one.line))), facts)


def _failed(number: int, line: Prescribed, fault: Exception) -> Alert:
    return Alert("not-checked", 1, f"not-checked/failed/{type(fault).__name__}", line.medicine,
                 "The checks could not run: nothing was checked for this medicine.",
                 "Check it yourself, and tell the administrator.", source="a rule of this programme", line=number)


def _with_tier(alert: Alert, wanted: dict[str, int]) -> Alert:
    """Tier 1 and what was not checked stay as they are, whatever the settings say."""
    if alert.tier == 1 or alert.rule == "not-checked" or wanted.get(alert.rule) not in {2, 3}:
        return alert
    return replace(alert, tier=2 if wanted[alert.rule] == 2 else 3)


def prescribed(item: ItemDraft) -> Prescribed:
    """A line as the checks want it; of a direction that cannot be read they say so, and check the medicine all the same."""
    medicine, strength, text = item.medicine.strip(), item.strength.strip(), item.instructions.strip()
    try:
        return line_of(medicine, direction_of(item), strength=strength, text=text)
    except Invalid as fault:
        return Prescribed(medicine, strength=strength, route=item.route.strip(), text=text, unclear=(fault.sentence,))


# -- facts -------------------------------------------------------------------------------------------------------------

def facts_of(session: ClinicSession, patient_id: str, draft: ConsultationDraft | None = None) -> PatientFacts:
    """What the clinic knows of a patient that the checks use; a weight typed in this consultation counts before a stored one.

    NotAllowed without a care relation: rows that may not be read would look like facts that were never recorded.
    """
    known = select(exists(PatientKey.purpose).where(of_person(PatientKey.patient_id, patient_id), PatientKey.purpose == CLINICAL))
    if not session.scalar(known):
        raise NotAllowed("This patient is not in your care.")
    today = session.now().astimezone(session.zone).date()
    person = session.execute(select(Patient.born, Patient.sex).where(Patient.id == func.clinic.person_of(patient_id))).one()
    pregnant, egfr = _stated(session, patient_id)
    weighed = last_weight(session, patient_id)
    renewed = {int(item.renews) for item in (draft.items if draft else ()) if item.renews.isdigit()}
    medicines = session.execute(
        select(Medicine.id, Medicine.description)
        .where(of_person(Medicine.patient_id, patient_id), or_(Medicine.ended_on.is_(None), Medicine.ended_on >= today),
               ~exists().where(MedicineStop.medicine_id == Medicine.id))
        .order_by(Medicine.id)
    ).all()
    problems = session.scalars(
        select(Problem.description).where(of_person(Problem.patient_id, patient_id), Problem.ended_on.is_(None)).order_by(Problem.id)
    )
    return PatientFacts(
        today=today, birth_date=person.born, sex=_SEX.get(person.sex, ""),
        weight_kg=typed_weight(draft) or (weighed.kg if weighed else None), pregnant=pregnant if person.sex != "M" else False, egfr=egfr,
        allergies=_allergies(session, patient_id),
        medicines=tuple(dict.fromkeys(m.description for m in medicines if m.id not in renewed)), problems=tuple(problems))


def last_weight(session: ClinicSession, patient_id: str) -> Weight | None:
    """The last weight with its day; None when nobody was weighed."""
    found = session.execute(
        select(Vitals.weight, Vitals.taken_at).where(of_person(Vitals.patient_id, patient_id), Vitals.weight.is_not(None))
        .order_by(Vitals.taken_at.desc()).limit(1)).one_or_none()
    return Weight(found.weight, found.taken_at.astimezone(session.zone).date()) if found else None


def typed_weight(draft: ConsultationDraft | None) -> Decimal | None:
    """The weight typed in this consultation, in kg; None where it is none."""
    typed = draft.vitals.get("weight", "").strip().replace(",", ".") if draft else ""
    try:
        value = Decimal(typed) if typed else None
    except InvalidOperation:
        return None  # the field itself says that this is no number
    return value if value is not None and value.is_finite() and Decimal("0.15") <= value <= 500 else None


def _allergies(session: ClinicSession, patient_id: str) -> tuple[KnownAllergy, ...] | None:
    rows = session.execute(
        select(Allergy.substance, Allergy.reaction, Allergy.severity, Allergy.noted_on)
        .where(of_person(Allergy.patient_id, patient_id), Allergy.ended_on.is_(None)).order_by(Allergy.id)
    ).all()
    if not rows:
        stated = session.scalar(select(exists().where(of_person(AllergyStatement.patient_id, patient_id))))
        return () if stated else None
    taken = session.execute(
        select(Medicine.description, Medicine.started_on)
        .where(of_person(Medicine.patient_id, patient_id), Medicine.started_on.is_not(None),
               ~exists().where(MedicineStop.medicine_id == Medicine.id, MedicineStop.reason.in_(("side_effect", "error"))))
    ).all()
    return tuple(
        KnownAllergy(r.substance, r.reaction, r.severity, r.noted_on,
                     tuple(sorted({m.description for m in taken if r.noted_on is not None and m.started_on > r.noted_on})))
        for r in rows)


def _stated(session: ClinicSession, patient_id: str) -> tuple[bool | None, Decimal | None]:
    """Pregnant and eGFR as stated last; a statement that is too old to rely on counts as not recorded."""
    rows = session.execute(
        select(PatientFact.kind, PatientFact.pregnant, PatientFact.expected_on, PatientFact.egfr, PatientFact.stated_at)
        .where(of_person(PatientFact.patient_id, patient_id))
        .ext(distinct_on(PatientFact.kind)).order_by(PatientFact.kind, PatientFact.id.desc())
    ).all()
    newest = {row.kind: row for row in rows}
    today = session.now().astimezone(session.zone).date()
    pregnant = None
    if (row := newest.get("pregnant")) is not None:
        stated = row.stated_at.astimezone(session.zone).date()
        last = row.expected_on + timedelta(days=AFTER_EXPECTED_DAYS) if row.expected_on else stated + timedelta(
            days=PREGNANT_DAYS if row.pregnant else NOT_PREGNANT_DAYS)
        pregnant = row.pregnant if today <= last else None
    return pregnant, newest["egfr"].egfr if "egfr" in newest else None


# -- the gate ----------------------------------------------------------------------------------------------------------

def gate(session: ClinicSession, consultation: Consultation, draft: ConsultationDraft) -> Checkup:
    """Check again, on what the server knows now: ReasonNeeded at `items.N` while an alert of tier 1 has no confirmed reason."""
    found = checkup(session, consultation.patient_id, draft)
    for one in found.found:
        missing = lacks(one.alert, reason_of(one.alert, draft.reasons))
        if missing:
            raise ReasonNeeded(f"items.{one.line}", f"{one.alert.sentence} Signing needs {missing}.")
    return found


def record(session: ClinicSession, consultation: Consultation, found: Checkup, draft: ConsultationDraft) -> None:
    """Store what fired and which reasons were given, before the visit is signed."""
    if not found.found:
        return
    patient_id, alerts = consultation.patient_id, [one.alert for one in found.found]
    common = [{"consultation_id": consultation.id, "patient_id": patient_id, "alert_key": a.key[:400], "rule": a.rule, "tier": a.tier,
               "medicine": a.medicine[:300], "data_date": a.data_date} for a in alerts]
    with session.attempt():
        session.execute(insert(AlertFiring), common)
    reasons = []
    for row, alert in zip(common, alerts, strict=True):
        given = reason_of(alert, draft.reasons)
        if given is not None and alert.tier < 3:
            words = given.words.strip()
            place = Place(patient_id, f"override:{consultation.id}", f"{row['alert_key']}|{row['medicine']}")
            reasons.append({**row, "reason": given.reason, "given_by": session.my_id,
                            "words": seal_text(session, place, words) if words else None})
    if reasons:
        with session.attempt():
            session.execute(insert(AlertOverride), reasons)
