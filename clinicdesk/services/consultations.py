"""The consultation: started from an arrival, saved as a draft while it is written, completed once and for all.

Completing is one transaction: notes, vitals, prescription, signature, the visit and its sealed document. Printing is a second step.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from sqlalchemy import select

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed, VisitSigned
from clinicdesk.models.clinical import Consultation, Note
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.ages import years
from clinicdesk.rules.vitals import VITALS, number_text
from clinicdesk.services import (
    appointments,
    chart,
    diagnosing,
    drafts,
    journaling,
    measuring,
    medication,
    prescribing,
    prescriptions,
    safety,
    visits,
)
from clinicdesk.services.drafts import NOTE_KINDS, ConsultationDraft, SavedDraft
from clinicdesk.services.journaling import Unsaved, Unsigned
from clinicdesk.services.people import Banner
from clinicdesk.services.schedule import AppointmentRow
from clinicdesk.services.sealing import seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.journal import JournalPlace
from clinicdesk.storage.vault import Place

#: Longest note in characters.
NOTE_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class ConsultationSheet:
    """What the editor opens with: besides the saved draft, where its journal is written, and what a crash left undecided."""

    id: int
    appointment: AppointmentRow
    banner: Banner
    status: str
    saved: SavedDraft
    version: int
    journal: JournalPlace
    undecided: tuple[Unsaved, ...]


@dataclass(frozen=True, slots=True)
class Completed:
    """What a completed visit left behind; no prescription when nothing was prescribed."""

    visit_id: UUID
    prescription_id: int | None
    prescription_number: str


def start(session: ClinicSession, appointment_id: int, version: int) -> int:
    """Begin the consultation of a patient who has arrived, or find the one in progress; gives its id.

    Only the appointment's doctor; Invalid when the patient has not arrived.
    """
    row = session.get(Appointment, appointment_id)
    if row is None:
        raise NotAllowed
    known = session.scalar(select(Consultation.id).where(Consultation.appointment_id == appointment_id))
    if known is not None:
        return known
    if session.me is None or session.me.doctor_id != row.doctor_id:
        raise NotAllowed("Only the doctor of this appointment can start it.")
    if row.version != version:
        raise ChangedElsewhere("Somebody else changed this appointment in the meantime.")
    if row.status != "arrived":
        raise Invalid("status", "The patient has not been checked in yet.")
    row.status = "in_progress"
    with session.attempt():
        session.flush()
    consultation = Consultation(appointment_id=row.id, patient_id=row.patient_id, doctor_id=row.doctor_id)
    with session.attempt():
        session.add(consultation)
        session.flush()
    return consultation.id


def open_sheet(session: ClinicSession, consultation_id: int) -> ConsultationSheet:
    """Everything the editor needs, with the draft as it was saved last."""
    row = session.get(Consultation, consultation_id)
    if row is None:
        raise NotAllowed
    saved = drafts.load(session, row.id)
    journal = journaling.journal_place(session, row.patient_id, f"consultation-{row.id}")
    return ConsultationSheet(
        row.id,
        appointments.one(session, row.appointment_id),
        chart.banner(session, row.patient_id),
        row.status,
        saved,
        row.version,
        journal,
        journaling.undecided(journal, saved),
    )


def left_unsigned(session: ClinicSession, consultation_id: int) -> tuple[Unsigned, ...]:
    """Of a signed consultation: what this doctor typed on this computer and what did not become part of it."""
    row = session.get(Consultation, consultation_id)
    if row is None or session.me is None or session.me.doctor_id != row.doctor_id or row.status != "completed":
        return ()
    journal = journaling.journal_place(session, row.patient_id, f"consultation-{row.id}")
    return journaling.unsigned(journal, visits.newest(session, row.id)[1])


def in_progress(session: ClinicSession) -> list[AppointmentRow]:
    """Consultations this doctor began and did not complete: what is offered again after a crash."""
    if session.me is None or session.me.doctor_id is None:
        return []
    ids = session.scalars(
        select(Consultation.appointment_id)
        .where(Consultation.doctor_id == session.me.doctor_id, Consultation.status == "in_progress")
        .order_by(Consultation.started_at)
    )
    return [appointments.one(session, i) for i in ids]


def _checked_notes(draft: ConsultationDraft) -> dict[str, str]:
    found = {}
    for kind, text in draft.notes.items():
        if kind not in NOTE_KINDS:
            raise Invalid(kind, "This kind of note does not exist.")
        if len(text) > NOTE_LIMIT:
            raise Invalid(kind, f"A note has at most {NOTE_LIMIT:,} characters.")
        if text.strip():
            found[kind] = text.strip()
    return found


def complete(session: ClinicSession, consultation_id: int, draft: ConsultationDraft, version: int) -> Completed:
    """Sign and complete the visit with this content; `version` is the draft's version last saved or read.

    Raises Invalid naming the field (a note's kind, a vital, `items.N.field`), ChangedElsewhere when another window saved a newer draft,
    VisitSigned when it is signed already, and changes nothing then.
    """
    row = session.get(Consultation, consultation_id, with_for_update=True)  # two windows sign one after the other
    if row is None or session.me is None:
        raise NotAllowed
    if row.status == "completed":
        raise VisitSigned
    stored = drafts.load(session, consultation_id)
    if stored.version != version:
        raise ChangedElsewhere("This consultation was changed in another window.")
    appointment = session.get(Appointment, row.appointment_id)
    if appointment is None:
        raise NotAllowed
    head = chart.banner(session, row.patient_id)
    now = session.now()
    age = years(head.born, now.astimezone(session.zone).date())
    notes = _checked_notes(draft)
    measured = measuring.checked(draft, now, age, measuring.earlier(session, row.patient_id))
    found = diagnosing.checked(draft.diagnoses)
    lines = prescribing.checked_items(draft.items)
    alerts = safety.gate(session, row, draft)
    if not notes and measured is None and not lines and not found:
        raise Invalid("subjective", "Nothing has been written yet. Write at least one note.")

    for kind, text in notes.items():
        body = seal_text(session, Place(row.patient_id, f"consultation:{row.id}", kind), text)
        session.add(Note(consultation_id=row.id, patient_id=row.patient_id, kind=kind, body=body, author_id=session.me.user_id))
    with session.attempt():
        session.flush()
    if measured is not None:
        measuring.store(session, row.patient_id, row.id, measured, draft.confirmed)
    diagnosing.store(session, row, found)
    issued = prescriptions.issue(session, row, head, lines, measured) if lines else None
    safety.record(session, row, alerts, draft)
    if issued is not None:
        medication.take_up(session, row, issued.id, lines)

    vitals = _vitals_words(measured, age)
    prescription = {"number": issued.number, "lines": list(issued.lines)} if issued else {}
    diagnoses = [one.line for one in found]
    row.status, row.completed_at, row.signed_by = "completed", now, session.me.user_id
    row.content_sha256 = visits.content_hash(
        visits.Signature(row.id, row.patient_id, row.doctor_id, session.me.user_id, now), notes, vitals, diagnoses, prescription
    )
    appointment.status = "completed"
    with session.attempt():
        session.flush([row])
        session.flush()
    visit_id = uuid4()
    visits.add(
        session,
        visits.NewVisit(
            visit_id,
            appointment.id,
            row.id,
            row.patient_id,
            row.doctor_id,
            session.me.name,
            row.started_at,
            appointment.reason,
            notes,
            vitals,
            prescription,
            diagnoses,
        ),
    )
    drafts.discard(session, row.id)
    return Completed(visit_id, issued.id if issued else None, issued.number if issued else "")


def _vitals_words(measured: measuring.VitalsSet | None, age: int) -> dict[str, str]:
    """What was measured, in words with units, as a visit keeps it."""
    if measured is None:
        return {}
    words = {}
    for name, value in measured.values.items():
        vital = VITALS[name]
        words[vital.label] = f"{number_text(value, vital.decimals)} {vital.unit}"
    if measured.oxygen is not None and "spo2" in measured.values:
        words["Breathing"] = "on oxygen" if measured.oxygen else "on air"
    if measured.bmi is not None:
        kind = measured.bmi_class(age)
        words["Body mass index"] = f"{measured.bmi:.1f} kg/m²" + (f" ({kind})" if kind else "")
    score = measured.news2(age)
    if score.total is not None:
        words["NEWS2"] = f"{score.total} ({score.response})"
    return words
