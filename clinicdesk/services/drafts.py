"""What a doctor has typed so far: notes, raw vitals, prescription lines. Sealed as one document, saved whole, never half."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed, VisitSigned
from clinicdesk.models.clinical import Consultation, Draft
from clinicdesk.rules.alert_reasons import GivenReason
from clinicdesk.services.sealing import open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place

#: Largest sealed draft in bytes (`ck_drafts_body`): several times what six notes at their limits take.
DRAFT_LIMIT = 1_000_000
NOTE_KINDS = {
    "subjective": "Subjective",
    "objective": "Objective",
    "assessment": "Assessment",
    "plan": "Plan",
    "follow_up": "Follow-up",
    "general": "General",
}


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """One prescription line as typed; numbers are text until the visit is completed. `weekdays` are 0 (Monday) to 6.

    `long_term` keeps it on the list of current medicines until it is stopped, `dose_basis` says by which weight it was computed, `renews`
    is the id of the current medicine it goes on with.
    """

    medicine: str = ""
    brand: str = ""
    strength: str = ""
    form: str = ""
    route: str = ""
    dose_value: str = ""
    dose_unit: str = ""
    times_per_day: str = ""
    every_hours: str = ""
    weekdays: tuple[int, ...] = ()
    once: bool = False
    as_needed: bool = False
    as_needed_for: str = ""
    min_interval_hours: str = ""
    max_per_day: str = ""
    duration_days: str = ""
    rate: str = ""
    quantity: str = ""
    quantity_unit: str = ""
    instructions: str = ""
    indication: str = ""
    free_text: bool = True
    long_term: bool = False
    dose_basis: str = ""
    renews: str = ""


@dataclass(frozen=True, slots=True)
class DiagnosisDraft:
    """A diagnosis as chosen: a code of ICD-10-CM with its title, or no code and the doctor's words. `problem` puts it on the list."""

    code: str = ""
    description: str = ""
    problem: bool = False

    @property
    def line(self) -> str:
        """In one line, as a visit keeps it."""
        return f"{self.description} ({self.code})" if self.code else self.description


@dataclass(frozen=True, slots=True)
class ConsultationDraft:
    """Everything in the editor. `vitals` maps the names of `rules.vitals.VITALS` to typed text; `confirmed` names soft limits confirmed."""

    notes: dict[str, str] = field(default_factory=dict)
    vitals: dict[str, str] = field(default_factory=dict)
    oxygen: bool | None = None
    spo2_scale: int = 1
    consciousness: str = ""
    confirmed: tuple[str, ...] = ()
    items: tuple[ItemDraft, ...] = ()
    diagnoses: tuple[DiagnosisDraft, ...] = ()
    reasons: tuple[GivenReason, ...] = ()


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """A draft as the server has it; version 0 and no time when none was saved."""

    draft: ConsultationDraft
    version: int
    saved_at: datetime | None


def to_json(draft: ConsultationDraft) -> str:
    """A draft as text."""
    return json.dumps(asdict(draft), ensure_ascii=False, sort_keys=True)


def from_json(text: str) -> ConsultationDraft:
    """A draft from text; fields of other versions of the program are left out."""
    raw: dict[str, Any] = json.loads(text)
    known, named, given = ({f.name for f in fields(kind)} for kind in (ItemDraft, DiagnosisDraft, GivenReason))
    typed: list[dict[str, Any]] = [{k: v for k, v in item.items() if k in known} for item in raw.get("items", ())]
    items = tuple(ItemDraft(**{**item, "weekdays": tuple(item.get("weekdays", ()))}) for item in typed)
    return ConsultationDraft(
        notes=dict(raw.get("notes", {})),
        vitals=dict(raw.get("vitals", {})),
        oxygen=raw.get("oxygen"),
        spo2_scale=int(raw.get("spo2_scale", 1)),
        consciousness=raw.get("consciousness", ""),
        confirmed=tuple(raw.get("confirmed", ())),
        items=items,
        diagnoses=tuple(DiagnosisDraft(**{k: v for k, v in one.items() if k in named}) for one in raw.get("diagnoses", ())),
        reasons=tuple(GivenReason(**{k: v for k, v in one.items() if k in given}) for one in raw.get("reasons", ())),
    )


def _place(patient_id: str, consultation_id: int, version: int) -> Place:
    return Place(patient_id, "drafts", str(consultation_id), version)


def load(session: ClinicSession, consultation_id: int) -> SavedDraft:
    """The author's own draft; an empty one when none was saved."""
    row = session.execute(
        select(Draft.body, Draft.version, Draft.saved_at, Consultation.patient_id)
        .join(Consultation, Consultation.id == Draft.consultation_id)
        .where(Draft.consultation_id == consultation_id)
    ).one_or_none()
    if row is None:
        return SavedDraft(ConsultationDraft(), 0, None)
    return SavedDraft(
        from_json(open_text(session, _place(row.patient_id, consultation_id, row.version), row.body)), row.version, row.saved_at
    )


def save(session: ClinicSession, consultation_id: int, draft: ConsultationDraft, version: int) -> int:
    """Store the whole draft; gives its new version. ChangedElsewhere when another window saved after `version`.

    VisitSigned when another window completed the visit. Limits of single fields hold at completion, so that one field too long never
    keeps the others from being saved; Invalid names the longest note when all of it is more than a draft can hold.
    """
    found = session.execute(select(Consultation.patient_id, Consultation.status).where(Consultation.id == consultation_id)).one_or_none()
    if found is None or session.my_id is None:
        raise NotAllowed
    if found.status == "completed":
        raise VisitSigned
    patient_id = found.patient_id
    row = session.get(Draft, consultation_id)
    if (row.version if row else 0) != version:
        raise ChangedElsewhere("This consultation was changed in another window.")
    body = seal_text(session, _place(patient_id, consultation_id, version + 1), to_json(draft))
    if len(body) > DRAFT_LIMIT:
        longest = max(draft.notes, key=lambda kind: len(draft.notes[kind]), default="general")
        raise Invalid(longest, "This is more text than a consultation can hold. Shorten the longest note.")
    if row is None:
        session.add(Draft(consultation_id=consultation_id, author_id=session.my_id, body=body))
    else:
        row.body = body
    with session.attempt():
        session.flush()
    return version + 1


def discard(session: ClinicSession, consultation_id: int) -> None:
    """The visit is completed: the draft has become the record."""
    session.execute(delete(Draft).where(Draft.consultation_id == consultation_id))
