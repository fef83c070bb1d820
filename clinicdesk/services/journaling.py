"""What an editor keeps on this computer while somebody types, and what of it is still to be decided when it is opened again."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.rules.vitals import VITALS, number_text, parse_vital
from clinicdesk.services import draft_merging
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft, SavedDraft, from_json, to_json
from clinicdesk.services.sealing import CLINICAL, key_of
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.journal import JournalPlace, Leftover
from clinicdesk.storage.vault import Place

_log = logging.getLogger(__name__)


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
    return JournalPlace(session.folder / "drafts", own, key_of(session, patient_id, CLINICAL), Place(patient_id, "journal", own))


def snapshot(draft: ConsultationDraft, base: ConsultationDraft, version: int, at: datetime) -> str:
    """What the journal writes: the draft as it stands, and what the server had when it was last heard of."""
    return json.dumps({"draft": to_json(draft), "base": to_json(base), "version": version, "at": at.isoformat()}, ensure_ascii=False)


def _readable(place: JournalPlace) -> Iterator[Unsaved]:
    """The texts left behind, newest first. One of a program too different to be read is left alone: it keeps no consultation closed."""
    for leftover in place.left_behind():
        try:
            raw = json.loads(leftover.text)
            yield Unsaved(from_json(raw["draft"]), from_json(raw["base"]), int(raw["version"]),
                          datetime.fromisoformat(raw["at"]).astimezone(UTC), leftover)
        except (ValueError, KeyError, TypeError, AttributeError):
            _log.warning("a draft on this computer is not of this version of ClinicDesk: %s", leftover.path.name)


def undecided(place: JournalPlace, saved: SavedDraft) -> tuple[Unsaved, ...]:
    """Texts left behind that the saved draft does not hold, newest first. Those it holds are taken off the disk.

    A text counts as held when it is the saved one, or when all of it had reached the server at `version` and the server is not older than
    that. A server that was put back to an older state is older: then the text is offered.
    """
    found = []
    for one in _readable(place):
        if one.draft == saved.draft or (one.draft == one.base and one.version <= saved.version):
            one.leftover.discard()
        else:
            found.append(one)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What was typed into a consultation that was signed without it (in another window, on another computer).

    `notes` by kind of note; `others` are measurements, diagnoses and medicines as pairs of a title and words.
    """

    notes: dict[str, str]
    at: datetime
    leftover: Leftover
    others: tuple[tuple[str, str], ...] = ()


def unsigned(place: JournalPlace, signed: Mapping[str, Any]) -> tuple[Unsigned, ...]:
    """What is left of a signed consultation and does not stand in its document. The rest is taken off the disk."""
    found = []
    for one in _readable(place):
        notes = {kind: text for kind, text in one.draft.notes.items() if not _stands(text, signed["notes"].get(kind, ""))}
        others = _others(one.draft, signed)
        if notes or others:
            found.append(Unsigned(notes, one.at, one.leftover, others))
        else:
            one.leftover.discard()
    return tuple(found)


def _stands(text: str, signed: str) -> bool:
    """Whether every line of a text is a line of the signed one: "chest pain" does not stand in "no chest pain"."""
    lines = Counter(line.strip() for line in signed.splitlines())
    return all(not line.strip() or lines[line.strip()] for line in text.splitlines())


def _others(draft: ConsultationDraft, signed: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    vitals, diagnoses = signed.get("vitals", {}), signed.get("diagnoses", ())
    lines = signed.get("prescription", {}).get("lines", ())
    measured = [f"{VITALS[name].label}: {words}" for name, text in draft.vitals.items()
                if name in VITALS and (words := _value(name, text)) != vitals.get(VITALS[name].label)]
    written = [" ".join(one.line.split()) for one in draft.diagnoses if one.description.strip()]
    prescribed = [draft_merging.line_of(item) for item in draft.items if item != ItemDraft(free_text=item.free_text)]
    parts = (
        ("Vital signs", measured),
        ("Diagnoses", [line for line in written if line not in diagnoses]),
        ("Prescription", [line for line in prescribed if line not in lines]),
    )
    return tuple((title, "\n".join(words)) for title, words in parts if words)


def _value(name: str, text: str) -> str:
    """A measurement as a visit keeps it, or as it was typed when it is no number."""
    try:
        return f"{number_text(parse_vital(name, text), VITALS[name].decimals)} {VITALS[name].unit}"
    except Invalid:
        return text.strip()


def forget(place: JournalPlace, signed: ConsultationDraft, version: int) -> int:
    """This draft was signed on top of the server's `version`: what it holds is not needed on this computer any more.

    Gives how many texts stay because they say something else: another window was killed with words nobody has decided about.
    """
    left = 0
    for one in _readable(place):
        if one.draft == signed or (one.draft == one.base and one.version <= version):
            one.leftover.discard()
        else:
            left += 1
    return left
