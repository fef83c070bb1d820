"""Remarks over a document: kept as a new document beside it, linked to it; the original and its checksum stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.models.files import Attachment
from clinicdesk.pdf.marking import annotated_pdf, annotated_picture
from clinicdesk.rules.marks import LONGEST, MOST, Mark
from clinicdesk.services import attachments
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.services.file_kinds import MOST_BYTES
from clinicdesk.storage.database import ClinicSession


@dataclass(frozen=True, slots=True)
class NewCopy:
    """Marks over a document and the title of the copy. The same `id` twice is one copy."""

    original: UUID
    title: str
    marks: tuple[Mark, ...]
    id: UUID = field(default_factory=uuid4)


def checked(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The marks that draw something. Invalid `marks` when there is none, or too many, or a remark too long."""
    found = tuple(mark for mark in marks if mark.whole)
    if not found:
        raise Invalid("marks", "Put at least one mark on the document first.")
    if len(found) > MOST:
        raise Invalid("marks", f"A copy has at most {MOST} marks.")
    if any(len(mark.words) > LONGEST for mark in found):
        raise Invalid("marks", f"A remark has at most {LONGEST} characters.")
    return found


def keep_copy(session: ClinicSession, new: NewCopy) -> UUID:
    """Keep an annotated copy. Raises Invalid for marks that cannot be kept, ClinicError for a script the fonts do not cover."""
    row, marks = session.get(Attachment, new.original), checked(new.marks)
    if row is None or session.me is None:
        raise NotAllowed
    if row.kind == "text":
        raise Invalid("marks", "A text cannot be marked. Add a remark to a record instead.")
    content = attachments.content(session, row.id)
    make = annotated_pdf if row.kind == "pdf" else annotated_picture
    copy = make(content, marks, session.me.name, session.now(), session.zone)
    if len(copy) > MOST_BYTES:
        raise Invalid("marks", "The annotated copy would be larger than 25 MB. The original is too large to be annotated.")
    return attachments.add(session, NewAttachment(row.patient_id, new.title, copy, "annotated.pdf", row.record_id, row.consultation_id,
                                                  row.id, new.id))
