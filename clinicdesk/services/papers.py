"""All papers of a patient: issue a visit summary, sick note or referral letter; list, show, print and cancel any of them.

Nothing changes after issue. What is wrong is cancelled with a reason and, where it is needed, issued again under a new number.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import func, insert, literal, select, union_all, update

from clinicdesk.errors import ClinicError, Invalid, NotAllowed
from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Consultation
from clinicdesk.models.papers import IssuedPaper, VoidedPaper
from clinicdesk.models.people import Doctor
from clinicdesk.models.prescribing import Prescription, PrescriptionItem
from clinicdesk.pdf.copies import mark_cancelled, mark_copy
from clinicdesk.pdf.letters import LetterSheet, Section, claim_of, draw
from clinicdesk.pdf.signed_page import Drawn
from clinicdesk.rules.canonical import KINDS
from clinicdesk.rules.codes import Stamp
from clinicdesk.rules.moments import long_date
from clinicdesk.services import chart, signing
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.letterheads import parties
from clinicdesk.services.person import of_person
from clinicdesk.services.prescriptions import StoredPdf, new_number
from clinicdesk.services.sealing import CLINICAL, key_of, open_text, seal_text
from clinicdesk.services.settings import clinic_settings
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, seal, unseal

#: Longest text of a section in characters.
LIMIT: Final = 4000
REASON_LIMIT: Final = 500
_LONGEST_NOTE_DAYS: Final = 366
#: Kind → fields of its sheet: name, heading on paper, needed.
FIELDS: Final[dict[str, tuple[tuple[str, str, bool], ...]]] = {
    "SN": (("unfit", "Unfit for", True), ("days", "Days", True), ("diagnosis", "Diagnosis", False), ("remarks", "Remarks", False)),
    "RL": (("whom", "To", True), ("why", "Reason for referral", True), ("history", "History", False),
           ("medicines", "Current medicines", False), ("allergies", "", False)),
    "VS": (("reason", "Reason for the visit", False), ("findings", "Measurements", False), ("assessment", "Assessment", False),
           ("plan", "Plan", False), ("medicines", "Medicines prescribed", False), ("follow_up", "Follow-up", False)),
}


@dataclass(frozen=True, slots=True)
class PaperDraft:
    """What was typed on the sheet of a paper. `first` and `last` are the days of a sick note."""

    kind: str
    texts: dict[str, str] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None
    with_diagnosis: bool = False


@dataclass(frozen=True, slots=True)
class PaperRow:
    """A paper in the list of a patient. `what` is what it says in a line; `voided_at` is set when it was cancelled."""

    number: str
    kind: str
    issued_at: datetime
    doctor_name: str
    what: str
    printed: int
    voided_at: datetime | None
    voided_by: str
    reason: str

    @property
    def title(self) -> str:
        """The kind in words."""
        return KINDS[self.kind][0]


def source_for(session: ClinicSession, patient_id: str, kind: str) -> int:
    """The doctor's own consultation a new paper belongs to: the open one, else the latest signed one. Invalid says what is missing."""
    if session.me is None or session.me.doctor_id is None:
        raise NotAllowed("Only a doctor issues papers.")
    wanted = [Consultation.status == "completed"] if kind == "VS" else []
    found = session.scalar(
        select(Consultation.id)
        .where(of_person(Consultation.patient_id, patient_id), Consultation.doctor_id == session.me.doctor_id, *wanted)
        .order_by(Consultation.status.desc(), Consultation.started_at.desc()).limit(1))
    if found is None:
        what = "a signed visit" if kind == "VS" else "a consultation"
        raise Invalid("", f"There is no {what.removeprefix('a ')} of yours with this patient yet. {KINDS[kind][0]}s are made from {what}.")
    return found


def suggested(session: ClinicSession, consultation_id: int, kind: str) -> dict[str, str]:
    """What the record already says for each field of a new paper."""
    row = _consultation(session, consultation_id)
    whole = chart.chart(session, row.patient_id)
    now = [" — ".join(x for x in (m.description, m.dosage) if x) for m in whole.medicines]
    if kind == "RL":
        return {"medicines": "\n".join(now) or "None recorded.",
                "history": "\n".join(p.description for p in whole.problems if p.ended_on is None)}
    notes, vitals, lines, reason = _visit_of(session, row)
    if kind == "SN":
        return {"unfit": "work", "diagnosis": notes.get("assessment", "")}
    return {"reason": reason, "findings": "\n".join(f"{name}: {_per(value)}" for name, value in vitals.items()),
            "assessment": notes.get("assessment", ""), "plan": notes.get("plan", ""), "follow_up": notes.get("follow_up", ""),
            "medicines": "\n".join(lines)}


def _per(words: str) -> str:
    """A measurement without the stroke that is misread as a one (R25)."""
    return re.sub(r"\s*/\s*(?=[^\W\d])", " per ", words).replace("/", " over ")


def _visit_of(session: ClinicSession, row: Consultation) -> tuple[dict[str, str], dict[str, str], tuple[str, ...], str]:
    """Notes, measurements, prescribed lines and reason of a signed visit; nothing of an open one."""
    from clinicdesk.models.records import Visit
    from clinicdesk.services import visits

    known = session.execute(select(Visit.id, Visit.revision).where(Visit.consultation_id == row.id).order_by(Visit.revision.desc())
                            .limit(1)).one_or_none()
    if known is None:
        return {}, {}, (), ""
    found = [v for v in visits.of_patient(session, row.patient_id, 500) if v.id == known.id]
    text = visits.read(session, found)[0]
    return text.notes, text.vitals, text.prescription, text.reason


def preview(session: ClinicSession, consultation_id: int, draft: PaperDraft) -> bytes:
    """The paper as it would be, without signature and codes; Invalid names the field that is wrong."""
    return _drawn(session, _consultation(session, consultation_id), draft, f"{KINDS[draft.kind][1]}-0000-0000", session.now(), None,
                  "Preview: not signed and not issued")[1].pdf


def issue(session: ClinicSession, consultation_id: int, draft: PaperDraft) -> str:
    """Sign and store a paper; gives its number. Invalid names the field; nothing is stored when anything fails."""
    row = _consultation(session, consultation_id)
    by = signing.signer(session)
    if session.me is None or session.me.doctor_id != row.doctor_id:
        raise NotAllowed("Only the doctor of this consultation signs papers about it.")
    number, now = new_number(KINDS[draft.kind][1]), session.now()
    words = signing.signer_words(session.me.name, now.astimezone(session.zone), long=True)
    sheet, drawn = _drawn(session, row, draft, number, now, by.stamp, words)
    content = signing.signed_pdf(by, drawn, draft.kind, number)
    with session.attempt():
        paper_id = session.execute(insert(IssuedPaper).values(
            kind=draft.kind, number=number, consultation_id=row.id, patient_id=row.patient_id, doctor_id=row.doctor_id,
            page=clinic_settings(session).page, pdf_sha256=hashlib.sha256(content).digest(),
            pdf=seal(key_of(session, row.patient_id, CLINICAL), content, _place(row.patient_id, number)),
        ).returning(IssuedPaper.id)).scalar_one()
    signing.keep_signature(session, by, claim_of(sheet), row.patient_id, paper_id=paper_id)
    return number


def _consultation(session: ClinicSession, consultation_id: int) -> Consultation:
    row = session.get(Consultation, consultation_id)
    if row is None:
        raise NotAllowed
    return row


def _place(patient_id: str, number: str) -> Place:
    kind = "prescription" if number.startswith("RX-") else "paper"
    return Place(patient_id, f"{kind}:{number}", "pdf")


def _drawn(session: ClinicSession, row: Consultation, draft: PaperDraft, number: str, at: datetime, stamp: Stamp | None,
           signer_line: str) -> tuple[LetterSheet, Drawn]:
    head = chart.banner(session, row.patient_id)
    local = at.astimezone(session.zone)
    who = parties(session, row.doctor_id, head, row.patient_id, local)
    sections = _sections(draft, head.allergy_title, head.allergies)
    sheet = LetterSheet(draft.kind, who.letterhead, who.prescriber, who.patient, number, local, sections, signer_line)
    return sheet, draw(sheet, clinic_settings(session).page, stamp)  # type: ignore[arg-type]


def _sections(draft: PaperDraft, allergy_title: str, allergies: tuple[str, ...]) -> tuple[Section, ...]:
    found = []
    for name, heading, needed in FIELDS[draft.kind]:
        text = draft.texts.get(name, "").strip()
        if len(text) > LIMIT:
            raise Invalid(name, f"{heading}: at most {LIMIT:,} characters.")
        if name == "days":
            found.append(Section(name, "From and to", _days_words(draft), safe=True))
        elif name == "allergies":
            found.append(Section(name, allergy_title, "; ".join(allergies), safe=True))
        elif name == "diagnosis" and not draft.with_diagnosis:
            continue
        elif text:
            found.append(Section(name, heading, text))
        elif needed or (name == "diagnosis" and draft.with_diagnosis):
            raise Invalid(name, f"{heading} is missing.")
    if not found:
        raise Invalid(FIELDS[draft.kind][0][0], "Write at least one section.")
    return tuple(found)


def _days_words(draft: PaperDraft) -> str:
    if draft.first is None or draft.last is None:
        raise Invalid("first" if draft.first is None else "last", "Both days are needed.")
    days = (draft.last - draft.first).days + 1
    if not 1 <= days <= _LONGEST_NOTE_DAYS:
        raise Invalid("last", "The last day lies before the first." if days < 1 else "A sick note covers at most one year.")
    return f"From {long_date(draft.first)} to {long_date(draft.last)}, {'1 day' if days == 1 else f'{days} days'}"


def of_patient(session: ClinicSession, patient_id: str, limit: int = 200) -> list[PaperRow]:
    """All papers of a patient, newest first, cancelled ones marked; three queries."""
    of = (Prescription.number, literal("RX").label("kind"), Prescription.issued_at, Prescription.doctor_id, Prescription.printed,
          Prescription.id.label("prescription_id"), Prescription.patient_id)
    others = (IssuedPaper.number, IssuedPaper.kind, IssuedPaper.issued_at, IssuedPaper.doctor_id, IssuedPaper.printed,
              literal(None).label("prescription_id"), IssuedPaper.patient_id)
    papers = union_all(select(*of).where(of_person(Prescription.patient_id, patient_id)),
                       select(*others).where(of_person(IssuedPaper.patient_id, patient_id))).subquery()
    author = User.__table__.alias("author")
    rows = session.execute(
        select(papers, author.c.name.label("doctor_name"), VoidedPaper.voided_at, User.name.label("voided_by"), VoidedPaper.reason,
               VoidedPaper.patient_id.label("void_patient"))
        .join(Doctor, Doctor.id == papers.c.doctor_id).join(author, author.c.id == Doctor.user_id)
        .outerjoin(VoidedPaper, VoidedPaper.number == papers.c.number).outerjoin(User, User.id == VoidedPaper.voided_by)
        .order_by(papers.c.issued_at.desc(), papers.c.number).limit(limit)).all()
    items: dict[int, list[str]] = {}
    for prescription_id, medicine, strength in session.execute(
            select(PrescriptionItem.prescription_id, PrescriptionItem.medicine, PrescriptionItem.strength)
            .where(PrescriptionItem.prescription_id.in_([r.prescription_id for r in rows if r.prescription_id is not None]))
            .order_by(PrescriptionItem.prescription_id, PrescriptionItem.position)):
        items.setdefault(prescription_id, []).append(" ".join(part for part in (medicine, strength) if part))
    return [PaperRow(r.number, r.kind, r.issued_at, r.doctor_name, "; ".join(items.get(r.prescription_id, [])), r.printed, r.voided_at,
                     r.voided_by or "",
                     open_text(session, _reason_place(r.void_patient, r.number), r.reason) if r.reason is not None else "") for r in rows]


def _found(session: ClinicSession, number: str) -> Prescription | IssuedPaper:
    row: Prescription | IssuedPaper | None
    if number.startswith("RX-"):
        row = session.scalar(select(Prescription).where(Prescription.number == number))
    else:
        row = session.scalar(select(IssuedPaper).where(IssuedPaper.number == number))
    if row is None:
        raise NotAllowed
    return row


def stored_pdf(session: ClinicSession, number: str) -> StoredPdf:
    """A paper to look at and print: as issued before its first print, a copy afterwards, with CANCELLED across when it was cancelled.

    ClinicError when the stored bytes no longer match their hash.
    """
    row = _found(session, number)
    content = unseal(key_of(session, row.patient_id, CLINICAL), row.pdf, _place(row.patient_id, number))
    if hashlib.sha256(content).digest() != row.pdf_sha256:
        raise ClinicError("The stored paper does not match its checksum.", "Do not use it. Tell the administrator.")
    sha = row.pdf_sha256.hex()
    if session.scalar(select(VoidedPaper.id).where(VoidedPaper.number == number)) is not None:
        content = mark_cancelled(content)
    elif row.printed:
        content = mark_copy(content)
    return StoredPdf(number, content, sha, row.page, row.printed)


def printed(session: ClinicSession, number: str) -> int:
    """Note that it was printed; gives how often by now."""
    table: type[Prescription | IssuedPaper] = Prescription if number.startswith("RX-") else IssuedPaper
    done = session.execute(
        update(table).where(table.number == number).values(printed=table.printed + 1, last_printed_at=session.now())
        .returning(table.printed).execution_options(synchronize_session=False)).scalar_one_or_none()
    if done is None:
        raise NotAllowed
    return int(done)


def cancel(session: ClinicSession, number: str, reason: str) -> None:
    """Cancel a paper, for good, by a doctor who looks after the patient; Invalid("reason") when none is given."""
    words = reason.strip()
    if not 3 <= len(words) <= REASON_LIMIT:
        raise Invalid("reason", f"Say why: 3 to {REASON_LIMIT} characters.")
    row = _found(session, number)
    if session.me is None or session.me.doctor_id is None:
        raise NotAllowed("Only a doctor cancels papers.")
    sealed = seal_text(session, _reason_place(row.patient_id, number), words)
    with session.attempt():
        session.execute(insert(VoidedPaper).values(number=number, patient_id=row.patient_id, voided_by=session.me.user_id, reason=sealed))


def _reason_place(patient_id: str, number: str) -> Place:
    return Place(patient_id, f"void:{number}", "reason")


def lines_again(session: ClinicSession, number: str) -> tuple[ItemDraft, ...]:
    """The lines of an issued prescription as they were typed, to be prescribed again."""
    rows = session.scalars(select(PrescriptionItem).join(Prescription, Prescription.id == PrescriptionItem.prescription_id)
                           .where(Prescription.number == number).order_by(PrescriptionItem.position))
    return tuple(ItemDraft(
        medicine=r.medicine, brand=r.brand, strength=r.strength, form=r.form, route=r.route, dose_value=_typed(r.dose_value),
        dose_unit=r.dose_unit, times_per_day=_typed(r.times_per_day), every_hours=_typed(r.every_hours),
        weekdays=tuple(int(day) for day in r.weekdays.split()), once=r.once, as_needed=r.as_needed, as_needed_for=r.as_needed_for,
        min_interval_hours=_typed(r.min_interval_hours), max_per_day=_typed(r.max_per_day), duration_days=_typed(r.duration_days),
        quantity=_typed(r.quantity), quantity_unit=r.quantity_unit, instructions=r.instructions, indication=r.indication, rate=r.rate,
        free_text=r.free_text) for r in rows)


def _typed(value: Decimal | int | None) -> str:
    return "" if value is None else f"{Decimal(value).normalize():f}"


def is_cancelled(session: ClinicSession, number: str) -> bool:
    """Whether it no longer counts; for those who may read it."""
    return bool(session.scalar(select(func.count()).select_from(VoidedPaper).where(VoidedPaper.number == number)))
