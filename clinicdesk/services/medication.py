"""The list of current medicines: filled by signed prescriptions, renewed, repeated, stopped; favourites; facts for the checks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.alerts import Favourite, MedicineStop, PatientFact
from clinicdesk.models.clinical import Consultation, Medicine
from clinicdesk.models.prescribing import PrescriptionItem
from clinicdesk.rules.doses import fmt_number
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.person import of_person
from clinicdesk.services.prescribing import CheckedItem
from clinicdesk.services.sealing import open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place

#: Why a medicine is stopped: stored code → words.
STOP_REASONS: Final = {
    "finished": "Treatment finished", "side_effect": "Side effect", "no_effect": "No effect", "replaced": "Replaced by another medicine",
    "interaction": "Interaction or other risk", "wish": "Patient’s wish", "error": "Listed by mistake", "other": "Other",
}
EGFR_UNIT: Final = "mL/min/1.73 m²"
_WORDS: Final = 1_000


@dataclass(frozen=True, slots=True)
class CurrentMedicine:
    """A medicine of the list with the line that renews it; `long_term` without an end."""

    id: int
    description: str
    dosage: str
    reason: str
    started_on: date | None
    ended_on: date | None
    long_term: bool
    version: int
    item: ItemDraft


@dataclass(frozen=True, slots=True)
class Stopped:
    """A stopped medicine, with why."""

    description: str
    reason: str
    words: str
    stopped_by: str
    stopped_at: datetime


@dataclass(frozen=True, slots=True)
class FavouriteRow:
    """A favourite line of the doctor who asks."""

    id: int
    title: str
    item: ItemDraft


@dataclass(frozen=True, slots=True)
class FactRow:
    """A stated fact with who and when."""

    kind: str
    pregnant: bool | None
    expected_on: date | None
    egfr: Decimal | None
    measured_on: date | None
    stated_by: str
    stated_at: datetime


def take_up(session: ClinicSession, consultation: Consultation, prescription_id: int, lines: Sequence[CheckedItem]) -> None:
    """Put a signed prescription's lines on the list; a line that renews a medicine ends the older entry."""
    today = session.now().astimezone(session.zone).date()
    ids = session.scalars(
        select(PrescriptionItem.id).where(PrescriptionItem.prescription_id == prescription_id).order_by(PrescriptionItem.position)
    ).all()
    for item_id, line in zip(ids, lines, strict=True):
        typed = line.typed
        if typed.renews.isdigit():
            _end_renewed(session, consultation.patient_id, int(typed.renews), today)
        name = " ".join(p for p in (typed.medicine.strip(), typed.brand.strip(), typed.strength.strip(), typed.form.strip()) if p)
        session.add(Medicine(patient_id=consultation.patient_id, description=name[:300], dosage=line.directions[:500],
                             reason=typed.indication.strip(), started_on=today, ended_on=_last_day(line, today),
                             prescription_item_id=item_id, recorded_by=session.my_id))
    with session.attempt():
        session.flush()


def _last_day(line: CheckedItem, today: date) -> date | None:
    if line.typed.long_term:
        return None
    if line.direction.once:
        return today
    return today + timedelta(days=line.direction.duration_days - 1) if line.direction.duration_days else None


def _end_renewed(session: ClinicSession, patient_id: str, medicine_id: int, today: date) -> None:
    row = session.scalar(select(Medicine).where(Medicine.id == medicine_id, of_person(Medicine.patient_id, patient_id)))
    if row is None:
        raise NotAllowed
    if row.ended_on is None or row.ended_on >= today:
        row.ended_on = max(today - timedelta(days=1), row.started_on or today - timedelta(days=1))


def current(session: ClinicSession, patient_id: str) -> list[CurrentMedicine]:
    """What the patient takes now, by name, each with the line that renews it."""
    today = session.now().astimezone(session.zone).date()
    rows = session.execute(
        select(Medicine, PrescriptionItem)
        .outerjoin(PrescriptionItem, PrescriptionItem.id == Medicine.prescription_item_id)
        .where(of_person(Medicine.patient_id, patient_id), or_(Medicine.ended_on.is_(None), Medicine.ended_on >= today),
               ~exists().where(MedicineStop.medicine_id == Medicine.id))
        .order_by(Medicine.description, Medicine.id)
    ).all()
    return [
        CurrentMedicine(m.id, m.description, m.dosage, m.reason, m.started_on, m.ended_on, m.ended_on is None, m.version,
                        replace(item_of(p) if p is not None else ItemDraft(medicine=m.description[:200], indication=m.reason[:200]),
                                renews=str(m.id), long_term=m.ended_on is None))
        for m, p in rows
    ]


def items_of(session: ClinicSession, prescription_id: int) -> tuple[ItemDraft, ...]:
    """The lines of an old prescription, to be prescribed and checked again."""
    rows = session.scalars(
        select(PrescriptionItem).where(PrescriptionItem.prescription_id == prescription_id).order_by(PrescriptionItem.position)
    ).all()
    if not rows:
        raise NotAllowed
    return tuple(item_of(row) for row in rows)


def item_of(row: PrescriptionItem) -> ItemDraft:
    """A stored item as a line to be typed over. Its quantity is computed again."""
    def words(value: Decimal | int | None) -> str:
        return "" if value is None else fmt_number(Decimal(value)).replace(",", "")

    return ItemDraft(
        medicine=row.medicine, brand=row.brand, strength=row.strength, form=row.form, route=row.route, dose_value=words(row.dose_value),
        dose_unit=row.dose_unit, times_per_day=words(row.times_per_day), every_hours=words(row.every_hours),
        weekdays=tuple(int(d) for d in row.weekdays.split()), once=row.once, as_needed=row.as_needed, as_needed_for=row.as_needed_for,
        min_interval_hours=words(row.min_interval_hours), max_per_day=words(row.max_per_day), duration_days=words(row.duration_days),
        rate=row.rate, instructions=row.instructions, indication=row.indication, free_text=row.free_text)


def stop(session: ClinicSession, medicine_id: int, version: int, reason: str, words: str = "") -> None:
    """Take a medicine off the list with a reason; it stays as history."""
    row = session.get(Medicine, medicine_id)
    if row is None:
        raise NotAllowed
    if row.version != version:
        raise ChangedElsewhere
    if reason not in STOP_REASONS:
        raise Invalid("reason", "Say why it is stopped.")
    if reason == "other" and not words.strip():
        raise Invalid("words", "Say in a word or two why it is stopped.")
    if len(words.strip()) > _WORDS:
        raise Invalid("words", f"At most {_WORDS:,} characters.")
    today = session.now().astimezone(session.zone).date()
    sealed = seal_text(session, Place(row.patient_id, f"medicine:{row.id}", "stop"), words.strip()) if words.strip() else None
    with session.attempt():
        session.add(MedicineStop(medicine_id=row.id, patient_id=row.patient_id, reason=reason, words=sealed, stopped_by=session.my_id))
        row.ended_on = max(today, row.started_on or today) if row.ended_on is None or row.ended_on > today else row.ended_on
        session.flush()


def stopped(session: ClinicSession, patient_id: str, limit: int = 50) -> list[Stopped]:
    """Stopped medicines, the newest first."""
    rows = session.execute(
        select(Medicine.id, Medicine.description, MedicineStop.patient_id, MedicineStop.reason, MedicineStop.words, User.name,
               MedicineStop.stopped_at)
        .join(Medicine, Medicine.id == MedicineStop.medicine_id).join(User, User.id == MedicineStop.stopped_by)
        .where(of_person(MedicineStop.patient_id, patient_id)).order_by(MedicineStop.id.desc()).limit(limit)
    ).all()
    return [Stopped(r.description, STOP_REASONS[r.reason],
                    open_text(session, Place(r.patient_id, f"medicine:{r.id}", "stop"), r.words) if r.words else "", r.name, r.stopped_at)
            for r in rows]


# -- favourites --------------------------------------------------------------------------------------------------------

_NOT_KEPT: Final = {"renews", "dose_basis"}


def favourites(session: ClinicSession) -> list[FavouriteRow]:
    """The lines this doctor starred, by title."""
    rows = session.execute(select(Favourite.id, Favourite.title, Favourite.item).order_by(Favourite.title, Favourite.id)).all()
    return [FavouriteRow(row.id, row.title, _item(row.item)) for row in rows]


def add_favourite(session: ClinicSession, title: str, item: ItemDraft) -> int:
    """Star a line under the words it is shown with."""
    if session.me is None or session.me.doctor_id is None:
        raise NotAllowed("Favourites belong to doctors.")
    kept = {name: value for name, value in asdict(item).items() if name not in _NOT_KEPT}
    row = Favourite(doctor_id=session.me.doctor_id, title=title.strip()[:400], item=kept)
    with session.attempt():
        session.add(row)
        session.flush()
    return row.id


def remove_favourite(session: ClinicSession, favourite_id: int) -> None:
    """Take a line off the favourites."""
    session.execute(delete(Favourite).where(Favourite.id == favourite_id))


def _item(raw: dict[str, Any]) -> ItemDraft:
    known = {f.name for f in fields(ItemDraft)}
    return ItemDraft(**{**{k: v for k, v in raw.items() if k in known}, "weekdays": tuple(raw.get("weekdays", ()))})


# -- facts for the checks ----------------------------------------------------------------------------------------------

def state_pregnancy(session: ClinicSession, patient_id: str, *, pregnant: bool, expected_on: date | None = None) -> None:
    """The clinician states that the patient is, or is not, pregnant."""
    today = session.now().astimezone(session.zone).date()
    if expected_on is not None and not today - timedelta(days=14) <= expected_on <= today + timedelta(days=294):
        raise Invalid("expected_on", "The expected date lies within the next 42 weeks.")
    with session.attempt():
        session.add(PatientFact(patient_id=patient_id, kind="pregnant", pregnant=pregnant, expected_on=expected_on if pregnant else None,
                                stated_by=session.my_id))
        session.flush()


def state_egfr(session: ClinicSession, patient_id: str, value: Decimal, measured_on: date) -> None:
    """Record an eGFR in mL/min/1.73 m² with the day it was measured."""
    if not value.is_finite() or not 1 <= value <= 200:
        raise Invalid("egfr", f"eGFR: 1 to 200 {EGFR_UNIT}.")
    if measured_on > session.now().astimezone(session.zone).date():
        raise Invalid("measured_on", "The day of the measurement lies in the future.")
    with session.attempt():
        session.add(PatientFact(patient_id=patient_id, kind="egfr", egfr=value.quantize(Decimal("0.1")), unit=EGFR_UNIT,
                                measured_on=measured_on, stated_by=session.my_id))
        session.flush()


def facts(session: ClinicSession, patient_id: str) -> list[FactRow]:
    """The newest statement of each kind."""
    rows = session.execute(
        select(PatientFact.kind, PatientFact.pregnant, PatientFact.expected_on, PatientFact.egfr, PatientFact.measured_on, User.name,
               PatientFact.stated_at)
        .join(User, User.id == PatientFact.stated_by).where(of_person(PatientFact.patient_id, patient_id))
        .ext(distinct_on(PatientFact.kind)).order_by(PatientFact.kind, PatientFact.id.desc())
    )
    return [FactRow(*row) for row in rows]
