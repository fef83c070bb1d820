"""What was added to signed visits, read with author and time as the database saw them: a visit's document could name somebody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from clinicdesk.models.accounts import User
from clinicdesk.models.clinical import Addendum
from clinicdesk.services.sealing import open_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Place, SealBroken


@dataclass(frozen=True, slots=True)
class AddendumText:
    """What was added after signing, by whom and when."""

    text: str
    author: str
    at: datetime


def of_consultations(session: ClinicSession, consultations: Sequence[int]) -> dict[int, list[AddendumText]]:
    """The addenda of these consultations in their order; one query. A broken one says so in place of its words."""
    found: dict[int, list[AddendumText]] = {}
    for number, patient, position, body, author, at in session.execute(
        select(Addendum.consultation_id, Addendum.patient_id, Addendum.position, Addendum.body, User.name, Addendum.created_at)
        .join(User, User.id == Addendum.author_id)
        .where(Addendum.consultation_id.in_(consultations))
        .order_by(Addendum.consultation_id, Addendum.position)
    ):
        try:
            words = open_text(session, Place(patient, f"consultation:{number}", f"addendum {position}"), body)
        except SealBroken:
            words = "This addendum cannot be opened: its seal is broken."
        found.setdefault(number, []).append(AddendumText(words, author, at))
    return found
