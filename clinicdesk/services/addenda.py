"""Addenda: what is added to a visit after it was signed. The signed words stay as they are; the addition is dated and names its author."""

from __future__ import annotations

from dataclasses import dataclass

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed
from clinicdesk.models.clinical import Addendum, Consultation
from clinicdesk.services import visits
from clinicdesk.services.journaling import journal_place
from clinicdesk.services.sealing import seal_text
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.journal import JournalPlace, Leftover
from clinicdesk.storage.vault import Place

#: Longest addendum in characters (`ck_addenda_body` in bytes, sealed).
LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Begun:
    """Where an addendum being written keeps its journal, and what a crash left of earlier ones, newest first."""

    place: JournalPlace
    left: tuple[Leftover, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        """What was typed then."""
        return tuple(one.text for one in self.left)

    def forget(self) -> None:
        """It was signed or thrown away."""
        for one in self.left:
            one.discard()


def begin(session: ClinicSession, consultation_id: int) -> Begun:
    """Before somebody writes an addendum. NotAllowed for a visit of somebody else's patient."""
    row = session.get(Consultation, consultation_id)
    if row is None:
        raise NotAllowed
    place = journal_place(session, row.patient_id, f"addendum-{consultation_id}")
    return Begun(place, tuple(place.left_behind()))


def add(session: ClinicSession, consultation_id: int, text: str) -> int:
    """Add to a signed visit and write its document anew with all addenda; gives the number of the addendum, from 1.

    Any doctor who looks after the patient may. Invalid `text` when it is empty or too long; NotAllowed for an open consultation.
    """
    words = text.strip()
    if not words:
        raise Invalid("text", "Write what should be added.")
    if len(words) > LIMIT:
        raise Invalid("text", f"An addendum has at most {LIMIT:,} characters.")
    row = session.get(Consultation, consultation_id)
    if row is None or session.me is None or row.completed_at is None:
        raise NotAllowed("An addendum belongs to a signed visit. This one is still open.")
    for last in (False, True):  # somebody else may be adding to the same visit
        try:
            return _added(session, row, words)
        except ChangedElsewhere:
            if last:
                raise
    raise ChangedElsewhere


def _added(session: ClinicSession, row: Consultation, words: str) -> int:
    assert session.me is not None  # noqa: S101  asked by its only caller
    visit, whole = visits.newest(session, row.id)
    position = visit.revision
    body = seal_text(session, Place(row.patient_id, f"consultation:{row.id}", f"addendum {position}"), words)
    with session.attempt():
        session.add(Addendum(consultation_id=row.id, patient_id=row.patient_id, position=position, body=body, author_id=session.me.user_id))
        session.flush()
    visits.add_revision(session, visit, whole, {"text": words, "author": session.me.name, "at": session.now().isoformat()})
    return position
