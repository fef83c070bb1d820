"""Codes against a trust list: each part's checksum and signature, then the parts together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from clinicdesk.rules.canonical import HEAD, Field, NotCanonical, joined, labelled
from clinicdesk.rules.codes import Part, Unreadable, one_letter_away, signed_bytes, taken_apart
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.storage.signing import key_words, verified
from clinicdesk.verifying.trust import Trust, TrustedKey
from clinicdesk.verifying.verdict import Difference, Status, Verdict

#: A key may be retired in the minutes in which a paper is signed.
_SLACK = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Codes:
    """What the codes prove: the verdict, and the fields when all parts are there and genuine (else None)."""

    verdict: Verdict
    fields: tuple[Field, ...] | None


def check_codes(codes: Sequence[str], trust: Trust) -> Codes:
    """The codes of one paper. With a part missing the paper is not checked, although what was read is listed; a part that does not open,
    or of another paper, is an alteration."""
    if not codes:
        return Codes(Verdict("not checked", notes=("No code of a ClinicDesk paper was found.",)), None)
    parts: dict[int, Part] = {}
    differences: list[Difference] = []
    statuses: list[tuple[Status, str]] = []
    for code in codes:
        try:
            part = taken_apart(code)
            _ = part.fields
        except Unreadable as problem:
            differences.append(_located(code, trust, problem))
            continue
        except NotCanonical:
            differences.append(Difference("A code holds a text this version of ClinicDesk does not write"))
            continue
        difference = _judged(part, trust)
        if difference is not None:
            differences.append(difference)
        elif not 1 <= part.number <= part.total or (part.number in parts and parts[part.number] != part):
            differences.append(Difference(f"There are two different codes {part.number} of {part.total}"))
        else:
            parts[part.number] = part
    if parts:
        statuses = [_key_status(part, trust) for part in parts.values()]
    return _together(parts, differences, statuses, trust)


def _together(parts: dict[int, Part], differences: list[Difference], statuses: list[tuple[Status, str]], trust: Trust) -> Codes:
    ordered = [parts[n] for n in sorted(parts)]
    fields: tuple[Field, ...] = ()
    notes = [note for _status, note in statuses[:1] if note]
    complete = False
    if ordered:
        first = ordered[0]
        if any(p.fields[:len(HEAD)] != first.fields[:len(HEAD)] or (p.total, p.key_id) != (first.total, first.key_id) for p in ordered):
            differences.append(Difference("The codes belong to different papers"))
        else:
            complete = len(ordered) == first.total
            fields = joined([p.fields for p in ordered]) if complete else (
                *first.fields[:len(HEAD)], *(f for p in ordered for f in p.fields[len(HEAD):]))
            if not complete:
                missing = ", ".join(str(n) for n in range(1, first.total + 1) if n not in parts)
                notes.append(f"Code {missing} of {first.total} is missing: only what is listed here is proven.")
    status: Status = ("altered" if differences else "unknown key" if any(s == "unknown key" for s, _note in statuses)
                      else "valid" if complete else "not checked")
    verdict = Verdict(status, differences=tuple(differences), details=tuple(labelled(fields)), notes=tuple(notes))
    if ordered:
        known = {f.code: f.value for f in fields[:len(HEAD)]} or {f.code: f.value for f in ordered[0].fields[:len(HEAD)]}
        key = trust.key(ordered[0].key_id)
        verdict = replace(verdict, number=known["n"], at=known["t"], key=key_words(ordered[0].key_id), signed_by=owner_words(key))
        verdict = with_cancelled(verdict, trust)
    return Codes(verdict, fields if complete and verdict.status != "altered" else None)


def owner_words(key: TrustedKey | None) -> str:
    """Whose key it is, in words."""
    return "" if key is None else f"{key.owner}, registration {key.registration}" if key.registration else key.owner


def with_cancelled(verdict: Verdict, trust: Trust) -> Verdict:
    """The verdict with what the list of cancelled numbers says; an altered paper stays altered."""
    at = trust.cancelled_at(verdict.number)
    if at is None:
        return verdict
    status: Status = "cancelled" if verdict.status in {"valid", "not checked"} else verdict.status
    return replace(verdict, status=status, cancelled_at=clinical_moment(at, ZoneInfo(trust.zone)))


def _judged(part: Part, trust: Trust) -> Difference | None:
    key = trust.key(part.key_id)
    if key is not None:
        if verified(bytes.fromhex(key.public), part.signature, part.signed):
            return None
        return Difference(f"Code {part.number} of {part.total}: the signature is not that of {key.owner} over this text")
    for other in trust.keys:  # somebody may have put another key's name on a genuine code
        if verified(bytes.fromhex(other.public), part.signature, signed_bytes(other.key_id, part.number, part.total, part.text)):
            return Difference("The key named in the code", other.words, key_words(part.key_id))
    return None


def _key_status(part: Part, trust: Trust) -> tuple[Status, str]:
    key = trust.key(part.key_id)
    if key is None:
        return "unknown key", f"The key {key_words(part.key_id)} is not on the trust list of this computer."
    issued = datetime.fromisoformat(next(f.value for f in part.fields if f.code == "t")).replace(tzinfo=ZoneInfo(trust.zone))
    return key_in_time(key, issued)


def key_in_time(key: TrustedKey, at: datetime) -> tuple[Status, str]:
    """Whether a key was in use at a moment: a retired one vouches for what it signed before, not after."""
    if at < datetime.fromisoformat(key.valid_from) - _SLACK or (key.valid_to and at > datetime.fromisoformat(key.valid_to) + _SLACK):
        return "unknown key", f"The key {key.words} of {key.owner} was not in use on the date of the paper."
    return "valid", ""


def _located(code: str, trust: Trust, problem: Unreadable) -> Difference:
    """Where a single letter was changed, proven by the signature when its key is known; else what the reading says."""
    for place, letter in one_letter_away(code):
        mended = code[:place - 1] + letter + code[place:]
        try:
            part = taken_apart(mended)
            fields = part.fields
        except (Unreadable, NotCanonical):
            continue
        key = trust.key(part.key_id)
        if key is None or verified(bytes.fromhex(key.public), part.signature, part.signed):
            number = next(f.value for f in fields if f.code == "n")
            return Difference(f"Letter {place} of code {part.number} of {part.total} of {number}", letter, code[place - 1:place])
    if problem.at:
        return Difference(f"The code cannot be read at letter {problem.at}: {problem}")
    return Difference(str(problem))
