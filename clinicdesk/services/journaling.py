"""What an editor keeps on this computer while somebody types, and what of it is still to be decided when it is opened again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from clinicdesk.errors import NotAllowed
from clinicdesk.services.drafts import ConsultationDraft, SavedDraft, from_json, to_json
from clinicdesk.services.sealing import CLINICAL, key_of
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.journal import JournalPlace, Leftover
from clinicdesk.storage.vault import Place


@dataclass(frozen=True, slots=True)
class Unsaved:
    """What was typed in a process that is gone and is not what the server has: `draft`, typed on top of `base` (the server's `version`)."""

    draft: ConsultationDraft
    base: ConsultationDraft
    version: int
    at: datetime
    leftover: Leftover


def journal_place(session: ClinicSession, patient_id: str, name: str) -> JournalPlace:
    """Where a text of this person about a patient keeps its journal: sealed with the patient's clinical key, for this author alone.

    `name` says which text, without any word about the patient: it becomes part of a file's name.
    """
    if session.my_id is None:
        raise NotAllowed
    own = f"{name}-{session.my_id}"
    return JournalPlace(session.journals, own, key_of(session, patient_id, CLINICAL), Place(patient_id, "journal", own))


def snapshot(draft: ConsultationDraft, base: ConsultationDraft, version: int, at: datetime) -> str:
    """What the journal writes: the draft as it stands, and what the server had when it was last heard of."""
    return json.dumps({"draft": to_json(draft), "base": to_json(base), "version": version, "at": at.isoformat()}, ensure_ascii=False)


def _read(leftover: Leftover) -> Unsaved:
    raw = json.loads(leftover.text)
    return Unsaved(from_json(raw["draft"]), from_json(raw["base"]), int(raw["version"]),
                   datetime.fromisoformat(raw["at"]).astimezone(UTC), leftover)


def undecided(place: JournalPlace, saved: SavedDraft) -> tuple[Unsaved, ...]:
    """Texts left behind that the saved draft does not hold, newest first. Those it holds are taken off the disk.

    A text counts as held when it is the saved one, or when all of it had reached the server at `version` and the server is not older than
    that. A server that was put back to an older state is older: then the text is offered.
    """
    found = []
    for leftover in place.left_behind():
        one = _read(leftover)
        if one.draft == saved.draft or (one.draft == one.base and 0 < one.version <= saved.version):
            leftover.discard()
        else:
            found.append(one)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """Words typed into a consultation that was signed without them (in another window, on another computer), by kind of note."""

    notes: dict[str, str]
    at: datetime
    leftover: Leftover


def unsigned(place: JournalPlace, signed: Mapping[str, str]) -> tuple[Unsigned, ...]:
    """What is left of a signed consultation and stands in none of its notes. The rest is taken off the disk."""
    found = []
    for leftover in place.left_behind():
        one = _read(leftover)
        notes = {kind: text for kind, text in one.draft.notes.items() if text.strip() not in signed.get(kind, "")}
        if notes:
            found.append(Unsigned(notes, one.at, leftover))
        else:
            leftover.discard()
    return tuple(found)


def forget(place: JournalPlace) -> None:
    """The consultation is signed: nothing of these texts is needed on this computer any more."""
    for leftover in place.left_behind():
        leftover.discard()
