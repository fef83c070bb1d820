"""Two records found to be one person: merge with a preview, separate again at any later time (docs/decisions/0005-merge.md).

No row moves. The lost record becomes another name of the kept one (`clinic.aliases`), every reader asks for all records of a person
(`services/person.py`), and the identity the kept record had before is kept, sealed, so that separating brings both back as they were.

A new table with a `patient_id`: add it to `RULES` (SHOWN unless it describes the identity itself) and read it with `of_person`; give
it the trigger `clinic.to_kept_record()` when its rows hold no sealed text. Until then its rows are safe: they stay where they are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

from sqlalchemy import func, or_, select, text, update

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed, Unavailable
from clinicdesk.models.accounts import User
from clinicdesk.models.people import Patient
from clinicdesk.models.register import Merge
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.likeness import Likeness, compare
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services import appointments, patients
from clinicdesk.services.duplicates import identity_of
from clinicdesk.services.merge_fields import FIELDS, before_merge, form_of_plain, part, plain, said, said_plain, taken, values_of
from clinicdesk.services.people import PatientCard, PatientForm
from clinicdesk.services.schedule import AppointmentRow, NewAppointment
from clinicdesk.services.sealing import IDENTITY, open_text, seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place

#: What becomes of a table's rows: shown with the kept record; describing the old record itself; kept by triggers.
SHOWN, ITS_OWN, DERIVED = "shown", "its own", "derived"
#: Table → (rule, what a person calls its rows). tests/services/test_merging.py compares this with the database.
RULES: Final[dict[str, tuple[str, str]]] = {
    "clinic.appointments": (SHOWN, "Appointments"),
    "clinic.assignments": (SHOWN, "Doctors assigned"),
    "clinic.consultations": (SHOWN, "Consultations"),
    "clinic.notes": (SHOWN, "Consultation notes"),
    "clinic.vitals": (SHOWN, "Measurements"),
    "clinic.diagnoses": (SHOWN, "Diagnoses"),
    "clinic.addenda": (SHOWN, "Addenda to signed visits"),
    "clinic.problems": (SHOWN, "Problems"),
    "clinic.allergies": (SHOWN, "Allergies"),
    "clinic.allergy_statements": (SHOWN, "Statements of no allergies"),
    "clinic.medicines": (SHOWN, "Medicines"),
    "clinic.prescriptions": (SHOWN, "Prescriptions"),
    "clinic.prescription_items": (SHOWN, "Prescribed medicines"),
    "clinic.medicine_stops": (SHOWN, "Stopped medicines"),
    "clinic.patient_facts": (SHOWN, "Facts for the checks"),
    "clinic.alert_firings": (SHOWN, "Alerts at signing"),
    "clinic.alert_overrides": (SHOWN, "Reasons given for alerts"),
    "clinic.papers": (SHOWN, "Papers"),
    "clinic.signatures": (SHOWN, "Signatures of papers"),
    "clinic.voids": (SHOWN, "Cancelled papers"),
    "clinic.records": (SHOWN, "Health records"),
    "clinic.annotations": (SHOWN, "Remarks on records"),
    "clinic.attachments": (SHOWN, "Attached documents"),
    "clinic.immunizations": (SHOWN, "Immunizations"),
    "clinic.visits": (SHOWN, "Signed visits"),
    "clinic.import_keys": (SHOWN, "Imported sources"),
    "clinic.session_log": (SHOWN, "Sessions"),
    "clinic.series": (SHOWN, "Series of appointments"),
    "clinic.waiting_list": (SHOWN, "Wishes on the waiting list"),
    "clinic.offers": (SHOWN, "Offered places"),
    "clinic.charges": (SHOWN, "Charges"),
    "clinic.receipts": (SHOWN, "Receipts"),
    "clinic.payments": (SHOWN, "Payments"),
    "clinic.wallet_entries": (SHOWN, "Wallet entries"),
    "clinic.wallets": (ITS_OWN, "Wallet (stays a wallet of its own)"),
    "clinic.patient_tags": (ITS_OWN, "Tags (added to those of the kept record)"),
    "clinic.emergency_contacts": (ITS_OWN, "Emergency contact"),
    "clinic.sealed_fields": (ITS_OWN, "Sealed notes"),
    "clinic.photos": (ITS_OWN, "Photo"),
    "auth.users": (ITS_OWN, "Kiosk access"),
    "clinic.tickets": (DERIVED, "Numbers in the waiting room"),
    "clinic.messages": (DERIVED, "Messages about appointments"),
    "clinic.notifications": (DERIVED, "Notices"),
    "clinic.patient_keys": (DERIVED, "Keys"),
    "clinic.patient_terms": (DERIVED, "Search terms"),
    "clinic.access_grants": (SHOWN, "Emergency access"),
    "clinic.care": (DERIVED, "Who may read the record"),
    "clinic.different_people": (DERIVED, "Pairs said to be two people"),
    "clinic.merges": (DERIVED, "Merges"),
    "clinic.aliases": (DERIVED, "Merged names"),
    "clinic.erasures": (DERIVED, "Erasures"),
}

_TITLES = 3
BOTH_ROLES: Final = frozenset({"receptionist", "administrator"})


@dataclass(frozen=True, slots=True)
class FieldChoice:
    """A field in which the two records differ."""

    name: str
    caption: str
    kept: str
    lost: str


@dataclass(frozen=True, slots=True)
class MovingRows:
    """Rows of one table that will be shown with the kept record: how many, the first few by title, in which database.

    `count` is None when the document server is away: its documents follow when it is back.
    """

    what: str
    rule: str
    count: int | None
    titles: tuple[str, ...]
    where: str = "database"


@dataclass(frozen=True, slots=True)
class Preview:
    """Everything a person sees before merging."""

    kept: PatientCard
    lost: PatientCard
    likeness: Likeness
    fields: tuple[FieldChoice, ...]
    moving: tuple[MovingRows, ...]


@dataclass(frozen=True, slots=True)
class MergeRow:
    """A merge in the history of a record."""

    id: UUID
    kept_id: str
    kept_name: str
    lost_id: str
    lost_name: str
    merged_at: datetime
    merged_by: str
    reason: str
    undone_at: datetime | None
    undone_by: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A field of the kept record that was changed after the merge: what stands there now, and what stood there before the merge."""

    name: str
    caption: str
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Separation:
    """What a person decides before two records are separated, and what stays with the kept record whatever she decides."""

    merge: MergeRow
    fields: tuple[Doubt, ...]
    appointments: tuple[AppointmentRow, ...]
    staying: tuple[MovingRows, ...]


def preview(session: ClinicSession, kept_id: str, lost_id: str) -> Preview:
    """Both records side by side and every row that will be shown with the kept one, in both databases. Changes nothing."""
    _require(session)
    kept, lost = patients.card(session, kept_id), patients.card(session, lost_id)
    today = session.now().astimezone(session.zone).date()
    one, other = patients.form_of(kept), patients.form_of(lost)
    fields = tuple(
        FieldChoice(name, caption, said(one, name), said(other, name))
        for name, caption in FIELDS.items()
        if said(one, name) != said(other, name)
    )
    moving = [MovingRows(what, rule, count, _titles(session, table, lost_id)) for table, rule, what, count in _held(session, lost_id)
              if count and rule != DERIVED]
    try:
        documents: int | None = session.documents.count_of([lost_id])
    except Unavailable:
        documents = None
    if documents != 0:
        moving.append(MovingRows("Visit documents", SHOWN, documents, (), "documents"))
    return Preview(kept, lost, compare(identity_of(one, today), identity_of(other, today)), fields, tuple(moving))


def merge(session: ClinicSession, kept_id: str, lost_id: str, versions: tuple[int, int], from_lost: Collection[str] = (),
          reason: str = "") -> UUID:
    """Make the lost record another name of the kept one, with the fields named in `from_lost` taken over; gives the merge's id.

    `versions` are those of the two records that were shown. Visit documents follow through the queue. Raises ChangedElsewhere, Invalid.
    """
    _require(session)
    kept, lost = session.get(Patient, kept_id), session.get(Patient, lost_id)
    if kept is None or lost is None:
        raise NotAllowed
    if (kept.version, lost.version) != versions:
        raise ChangedElsewhere("Somebody else changed one of these patients in the meantime.")
    if kept.archived_at is not None:
        raise Invalid("", "The record to keep is archived. Restore it first.")
    one, other = patients.form_of(patients.card(session, kept_id)), patients.form_of(patients.card(session, lost_id))
    after = replace(one, tags=tuple(sorted({*one.tags, *other.tags})), **taken(other, from_lost))
    held = {table: count for table, _, _, count in _held(session, kept_id)}
    if "phone" in from_lost and lost.phone:
        lost.phone = None  # a number is one record's; the record that comes back gets it back
        session.flush()
    patients.store_changed(session, kept, values_of(after))
    merge_id = uuid4()
    told = {"kept_before": plain(one), "kept_after": plain(after), "lost_before": plain(other), "held": held}
    sealed = seal_text(session, _place(kept_id, merge_id), json.dumps(told, ensure_ascii=False), IDENTITY)
    with session.attempt():
        session.add(Merge(id=merge_id, kept_id=kept_id, lost_id=lost_id, reason=reason.strip(), identity=sealed, merged_by=session.my_id))
        session.flush()
    return merge_id


def history(session: ClinicSession, patient_id: str) -> list[MergeRow]:
    """Every merge of a record, undone ones too, newest first."""
    return _merges(session, or_(Merge.kept_id == patient_id, Merge.lost_id == patient_id))


def separation(session: ClinicSession, merge_id: UUID) -> Separation:
    """What must be decided before these records are separated."""
    _require(session)
    (row,) = _merges(session, Merge.id == merge_id)
    told = _told(session, merge_id, row.kept_id)
    now = plain(patients.form_of(patients.card(session, row.kept_id)))
    doubts = tuple(
        Doubt(name, caption, said_plain(now, name), said_plain(told["kept_before"], name))
        for name, caption in FIELDS.items()
        if part(now, name) not in (part(told["kept_after"], name), part(told["kept_before"], name))
    )
    a = Appointment
    later = appointments.rows_where(session, a.patient_id == row.kept_id, a.created_at > row.merged_at, a.starts_at > session.now(),
                                    a.status.in_(("scheduled", "confirmed")))
    before: dict[str, int] = told["held"]
    staying = tuple(
        MovingRows(what, rule, count - before.get(table, 0), ())
        for table, rule, what, count in _held(session, row.kept_id)
        if rule == SHOWN and count > before.get(table, 0)
    )
    return Separation(row, doubts, tuple(later), staying)


def separate(session: ClinicSession, merge_id: UUID, *, take_back: Collection[str] = (), give: Collection[int] = ()) -> list[str]:
    """Undo a merge. Gives sentences about what could not come back exactly (usually none).

    What was made for a row of either record is that record's already. Of the kept record's fields those changed after the merge keep
    what stands there unless named in `take_back`; `give` are appointments booked since that belong to the other record: each is
    cancelled and booked again for her in the same place.
    """
    _require(session)
    (row,) = _merges(session, Merge.id == merge_id)
    kept, lost = session.get(Patient, row.kept_id), session.get(Patient, row.lost_id)
    if kept is None or lost is None:
        raise NotAllowed
    told = _told(session, merge_id, row.kept_id)
    with session.attempt():
        session.execute(update(Merge).where(Merge.id == merge_id).values(undone_at=func.now(), undone_by=session.my_id))
    notes: list[str] = []
    now = patients.form_of(patients.card(session, row.kept_id))
    wanted = form_of_plain(before_merge(plain(now), told, take_back))
    wanted = _free_phone(session, row.kept_id, now, wanted, {row.lost_id}, notes)
    if wanted != now:
        patients.store_changed(session, kept, values_of(wanted))
    back = form_of_plain(told["lost_before"])
    if (lost.phone or "") != back.phone:
        free = _free_phone(session, row.lost_id, replace(back, phone=""), back, set(), notes)
        lost.phone = free.phone or None
        session.flush()
    for appointment_id in give:
        _give(session, appointment_id, row.lost_id, row.lost_name)
    return notes


def _free_phone(session: ClinicSession, patient_id: str, now: PatientForm, wanted: PatientForm, but: set[str],
                notes: list[str]) -> PatientForm:
    """The form with its telephone, or with what stood there when somebody else has that number by now."""
    if not wanted.phone or wanted.phone == now.phone:
        return wanted
    other = session.execute(select(Patient.id, Patient.last_name, Patient.first_name).where(
        Patient.phone == wanted.phone, Patient.id.not_in({patient_id, *but}))).one_or_none()
    if other is None:
        return wanted
    notes.append(f"The phone {wanted.phone} is now that of {other.last_name}, {other.first_name}: it was not given back.")
    return replace(wanted, phone=now.phone)


def _give(session: ClinicSession, appointment_id: int, patient_id: str, name: str) -> None:
    """Cancel an appointment and book the same place for the record it belongs to."""
    stored = session.get(Appointment, appointment_id)
    if stored is None:
        raise NotAllowed
    status = stored.status
    appointments.step(session, appointment_id, "cancelled", stored.version, f"Belongs to {name} ({patient_id}): records separated")
    session.expire(stored)
    s = stored
    booked = appointments.book(
        session, NewAppointment(s.doctor_id, patient_id, s.starts_at, s.ends_at, s.reason, s.lane, s.overbook_reason))
    if status != "scheduled":
        appointments.step(session, booked, status, 1)


def _require(session: ClinicSession) -> None:
    """A clear answer before anything is read; the database refuses the writing itself."""
    if session.me is not None and session.me.role not in BOTH_ROLES:
        raise NotAllowed("Only reception and administrators merge records.")


def _merges(session: ClinicSession, condition: Any) -> list[MergeRow]:
    kept, lost, by, undone = (table.__table__.alias() for table in (Patient, Patient, User, User))

    def name(table: Any) -> Any:
        return table.c.last_name + ", " + table.c.first_name

    query = (
        select(Merge.id, Merge.kept_id, name(kept), Merge.lost_id, name(lost), Merge.merged_at, func.coalesce(by.c.name, ""), Merge.reason,
               Merge.undone_at, func.coalesce(undone.c.name, ""))
        .join(kept, kept.c.id == Merge.kept_id)
        .join(lost, lost.c.id == Merge.lost_id)
        .outerjoin(by, by.c.id == Merge.merged_by)
        .outerjoin(undone, undone.c.id == Merge.undone_by)
        .where(condition)
        .order_by(Merge.merged_at.desc())
    )
    return [MergeRow(*row) for row in session.execute(query)]


def _held(session: ClinicSession, patient_id: str) -> list[tuple[str, str, str, int]]:
    """Table, rule, what a person calls it, and how many rows stand under a record. A table without a rule is shown: nothing moves."""
    found = session.execute(text("select relation, held from clinic.rows_about(:p)"), {"p": patient_id})
    rows = [(name, *RULES.get(name, (SHOWN, name.removeprefix("clinic.").replace("_", " ").capitalize())), int(count))
            for name, count in found]
    order = {name: n for n, name in enumerate(RULES)}
    return sorted(rows, key=lambda row: order.get(row[0], len(order)))


def _titles(session: ClinicSession, table: str, patient_id: str) -> tuple[str, ...]:
    """The first few rows of a table by name, where the desk may read them; the clinical record stays unread."""
    if table == "clinic.appointments":
        rows = appointments.rows_where(session, Appointment.patient_id == patient_id, newest_first=True, limit=_TITLES)
        return tuple(f"{clinical_moment(r.starts_at, session.zone)} with {r.doctor_name}" for r in rows)
    if table == "clinic.patient_tags":
        return tuple(patients.card(session, patient_id).tags[:_TITLES])
    if table == "clinic.emergency_contacts":
        contact = patients.card(session, patient_id).emergency_contact
        return (contact.name,) if contact else ()
    return ()


def _place(kept_id: str, merge_id: UUID) -> Place:
    return Place(kept_id, f"merge:{merge_id}", "identity")


def _told(session: ClinicSession, merge_id: UUID, kept_id: str) -> dict[str, Any]:
    sealed = session.scalar(select(Merge.identity).where(Merge.id == merge_id))
    if sealed is None:
        raise NotAllowed
    told: dict[str, Any] = json.loads(open_text(session, _place(kept_id, merge_id), sealed, IDENTITY))
    return told


def active_merge(rows: Sequence[MergeRow], patient_id: str) -> MergeRow | None:
    """The merge by which this record is another's name now, if it is."""
    return next((row for row in rows if row.lost_id == patient_id and row.undone_at is None), None)
