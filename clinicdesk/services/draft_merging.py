"""Two versions of one consultation put together, part by part: each note, each measurement, the list of diagnoses, of medicines.

Nothing is ever dropped silently: a part that only one side changed is that side's; a part both changed is asked about, and both can be
kept where two can stand together.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import SequenceMatcher
from typing import Any, Literal

from diff_match_patch import diff_match_patch

from clinicdesk.errors import Invalid
from clinicdesk.rules.news2 import CONSCIOUSNESS
from clinicdesk.rules.vitals import VITALS
from clinicdesk.services.drafts import NOTE_KINDS, ConsultationDraft, DiagnosisDraft, ItemDraft
from clinicdesk.services.prescribing import preview

Choice = Literal["mine", "theirs", "both"]
#: Fields of a draft whose parts are settled one by one, by key; every other tuple is a list, every other value a single one.
_TITLES = {
    "items": "Prescription", "diagnoses": "Diagnoses", "oxygen": "Breathing", "spo2_scale": "Saturation scale",
    "consciousness": "Consciousness",
}
#: Parts of one measurement: taken together, they are chosen by a person when each side changed another of them.
_READINGS = (("vitals.systolic", "vitals.diastolic"), ("vitals.spo2", "oxygen", "vitals.oxygen_flow"))
#: Follow the values they belong to.
_CONFIRMED = frozenset({"confirmed", "reasons"})


@dataclass(frozen=True, slots=True)
class Part:
    """A part in which the two versions differ, in words. `changed` says who changed it since they were the same.

    `can_join`: both can stand together (texts and lists; never two values of one measurement).
    """

    field: str
    key: str
    title: str
    mine: str
    theirs: str
    changed: Choice
    can_join: bool

    @property
    def name(self) -> str:
        """What identifies the part within the draft."""
        return f"{self.field}.{self.key}" if self.key else self.field

    @property
    def suggested(self) -> Choice | None:
        """The side that changed it; both where both did and can stand together; None where somebody has to choose."""
        return self.changed if self.changed != "both" or self.can_join else None


def parts(base: ConsultationDraft, mine: ConsultationDraft, theirs: ConsultationDraft) -> tuple[Part, ...]:
    """Where `mine` and `theirs` differ, in the order of the editor."""
    found = []
    for field in fields(ConsultationDraft):
        b, m, t = (getattr(one, field.name) for one in (base, mine, theirs))
        if field.name in _CONFIRMED:
            continue
        if isinstance(m, dict):
            keys = [*_order(field.name), *sorted({*m, *t} - set(_order(field.name)))]
            found += [_part(field.name, key, b.get(key, ""), m.get(key, ""), t.get(key, ""), join=field.name == "notes")
                      for key in keys if m.get(key, "") != t.get(key, "")]
        elif m != t:
            found.append(_part(field.name, "", b, m, t, join=isinstance(m, tuple)))
    return tuple(found)


def _order(field: str) -> list[str]:
    return {"notes": list(NOTE_KINDS), "vitals": list(VITALS)}.get(field, [])


def _part(field: str, key: str, base: Any, mine: Any, theirs: Any, *, join: bool) -> Part:
    changed: Choice = "theirs" if mine == base else "mine" if theirs == base else "both"
    title = NOTE_KINDS.get(key) or (VITALS[key].label if key in VITALS else "") or _TITLES.get(field, field.replace("_", " ").capitalize())
    return Part(field, key, title, _words(field, mine), _words(field, theirs), changed, join)


def _words(field: str, value: Any) -> str:
    if isinstance(value, tuple):
        return "\n".join(line_of(one) for one in value)
    if field == "oxygen":
        return {None: "", False: "room air", True: "oxygen"}[value]
    if field == "consciousness":
        return CONSCIOUSNESS.get(value, "")
    return str(value)


def line_of(one: Any) -> str:
    """One entry of a list in a line: a medicine, a diagnosis."""
    if isinstance(one, ItemDraft):
        try:
            return preview(one).line or "An empty line"
        except Invalid:
            return " — ".join(part for part in (one.medicine, one.strength, one.form) if part) or "An empty line"
    if isinstance(one, DiagnosisDraft):
        return one.line
    return VITALS[one].label if isinstance(one, str) and one in VITALS else str(one)


def combined(base: ConsultationDraft, mine: ConsultationDraft, theirs: ConsultationDraft,
             choices: Mapping[str, Choice]) -> ConsultationDraft:
    """The draft with each differing part as chosen (`Part.name` → choice). KeyError when a part has no choice: nothing is guessed."""
    draft = theirs
    for part in parts(base, mine, theirs):
        choice = choices[part.name]
        b, m, t = (getattr(one, part.field) for one in (base, mine, theirs))
        if part.key:
            values = {**getattr(draft, part.field)}
            values[part.key] = _chosen(choice, b.get(part.key, ""), m.get(part.key, ""), t.get(part.key, ""))
            new: Any = {key: value for key, value in values.items() if value != ""}
        else:
            new = _chosen(choice, b, m, t)
        draft = replace(draft, **{part.field: new})
    # A reason names the very alert it was given for, so those of both sides may stand.
    return replace(draft, confirmed=_confirmed(draft, mine, theirs), reasons=tuple(dict.fromkeys((*theirs.reasons, *mine.reasons))))


def _confirmed(draft: ConsultationDraft, *sides: ConsultationDraft) -> tuple[str, ...]:
    """A confirmation counts for the very value it was given for."""
    def same(name: str, side: ConsultationDraft) -> bool:
        names = ("systolic", "diastolic") if name == "pressure" else (name,)
        return all(draft.vitals.get(n) == side.vitals.get(n) for n in names)

    return tuple(sorted({name for side in sides for name in side.confirmed if same(name, side)}))


def joined(versions: tuple[ConsultationDraft, ConsultationDraft, ConsultationDraft], part: Part) -> str:
    """What a part will say when both stand, in words (`versions`: base, mine, theirs)."""
    values = [getattr(one, part.field) for one in versions]
    return _words(part.field, _chosen("both", *((value.get(part.key, "") if part.key else value) for value in values)))


def together(base: ConsultationDraft, mine: ConsultationDraft, theirs: ConsultationDraft) -> ConsultationDraft | None:
    """The two versions in one when nobody has to choose: no part was changed by both. None else."""
    differing = parts(base, mine, theirs)
    if any(part.changed == "both" for part in differing):
        return None
    by = {part.name: part.changed for part in differing}
    if any(len({by[name] for name in reading if name in by}) > 1 for reading in _READINGS):
        return None  # a value of hers and one of his would be a measurement nobody took
    return combined(base, mine, theirs, {part.name: part.changed for part in differing})


def _chosen(choice: Choice, base: Any, mine: Any, theirs: Any) -> Any:
    if choice != "both":
        return mine if choice == "mine" else theirs
    if isinstance(mine, tuple):
        return _lists(base, mine, theirs)
    if isinstance(mine, str):
        return _texts(base, mine, theirs)
    raise ValueError("two single values cannot both stand")


def _lists(base: Sequence[Any], mine: Sequence[Any], theirs: Sequence[Any]) -> tuple[Any, ...]:
    """What either side added, without what either side took away."""
    kept = [one for one in theirs if one in mine or one not in base]
    return tuple(kept + [one for one in mine if one not in theirs and one not in base])


def _texts(base: str, mine: str, theirs: str) -> str:
    """Both sides' changes in one text; where they cannot be laid over each other, one below the other."""
    tool = diff_match_patch()
    text, applied = tool.patch_apply(tool.patch_make(base, mine), theirs)
    was, here, there, now = (Counter(one.split()) for one in (base, mine, theirs, str(text)))
    left = was - ((was - here) | (was - there))
    if all(applied) and now >= left + (here - was) + (there - was):  # every word either side wrote is in it, as often as they wrote it
        return str(text)
    if mine in theirs or theirs in mine:
        return max(mine, theirs, key=len)
    return f"{theirs}\n{mine}"


def differences(theirs: str, mine: str) -> list[tuple[Choice, str]]:
    """The two texts laid over each other, word by word: pieces with whose they are, in order; `both` where they agree."""
    left, right = (re.findall(r"\s+|\w+|[^\w\s]", text) for text in (theirs, mine))
    found: list[tuple[Choice, str]] = []
    for kind, i, j, k, m in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("both", "".join(left[i:j])))
            continue
        sides: tuple[tuple[Choice, str], ...] = (("theirs", "".join(left[i:j])), ("mine", "".join(right[k:m])))
        found += [side for side in sides if side[1]]
    return found
