"""The chain of the audit log: what is hashed of an event, and which row is the first that does not fit.

A link's hash is SHA-256 over the hash before it and the canonical text of its event (audit.canonical in migrations/sql/0014_audit.sql
writes the same). Pure; reads rows once, in order, so a million of them need no memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

GENESIS: Final = hashlib.sha256(b"ClinicDesk audit").digest()
_BETWEEN: Final = "\x1f"
#: More findings than this are counted, not listed.
MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Anchor:
    """A copy of the chain's end that left the database. `place` says where it was found, `genuine` whether its mark is ours."""

    seq: int
    hash: bytes
    at: datetime
    place: str
    genuine: bool = True


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore of a backup that the clinic's own program wrote down: where that backup's chain ended, and when it was put in place."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written: `kind` is edited, deleted, inserted, reordered, rewritten, truncated, replayed
    or anchor-forged."""

    kind: str
    seq: int | None
    event_id: int | None
    sentence: str


@dataclass(slots=True)
class Verdict:
    """What a verification saw; the first finding is the first place of the chain that is not as it was written."""

    events: int = 0
    anchors: int = 0
    head: int = 0
    head_hash: bytes = GENESIS
    found: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        """Whether everything is as it was written."""
        return not self.found

    def add(self, kind: str, seq: int | None, event_id: int | None, sentence: str) -> None:
        """Count a finding and list the first ones."""
        self.found += 1
        if len(self.findings) < MOST_LISTED:
            self.findings.append(Finding(kind, seq, event_id, sentence))


#: The parts of an event in the order they are hashed; `micros` is the moment in microseconds since 1970, `detail` PostgreSQL's own text.
PARTS: Final = ("id", "micros", "user_id", "actor", "role", "session_id", "workstation", "action", "category", "patient_id", "subject",
                "detail", "outcome")


def canonical(seq: int, parts: Iterable[Any]) -> bytes:
    """The text of an event at its place in the chain; an absent part is a hyphen."""
    return _BETWEEN.join([str(seq), *("-" if part is None else str(part) for part in parts)]).encode()


def following(before: bytes, seq: int, parts: Iterable[Any]) -> bytes:
    """The hash of a link."""
    return hashlib.sha256(before + canonical(seq, parts)).digest()


def verify(links: Iterable[tuple[Any, ...]], head: tuple[int, bytes], anchors: Iterable[Anchor],
           restored: Iterable[Restored] = ()) -> Verdict:
    """Read the chain from its beginning. `links` are (seq, event id of the link, hash, then PARTS of the event), by seq; a link whose
    event is gone has None for its id, an event without a link has None for seq and comes last. `head` is the end by the database's word.
    """
    verdict = Verdict()
    wanted = _by_seq(verdict, anchors, list(restored))
    before, last = GENESIS, 0
    misfits: list[tuple[bytes, int, bytes, list[Any]]] = []
    for seq, linked, stored, *parts in links:
        event_id = parts[0]
        if seq is None:
            verdict.add("inserted", None, event_id, f"Event {event_id} was written beside the chain.")
            continue
        follows, link = seq == last + 1, bytes(stored)
        if not follows:
            verdict.add("deleted", last + 1, None, f"Number {last + 1} of the chain is gone" +
                        (f", and all up to {seq - 1}." if seq > last + 2 else "."))
        if event_id is None:
            verdict.add("deleted", seq, linked, f"Event {linked}, number {seq} of the chain, was deleted.")
        else:
            verdict.events += 1
            if follows and following(before, seq, parts) != link:
                misfits.append((before, seq, link, parts))
        before, last = link, seq
        for anchor in wanted.pop(seq, ()):
            if anchor.hash != before:
                verdict.add("rewritten", seq, event_id, f"The chain up to number {seq} was written anew: it does not lead to the anchor of "
                            f"{anchor.at:%Y-%m-%d %H:%M} UTC ({anchor.place}).")
    _changes(verdict, misfits)
    verdict.head, verdict.head_hash = last, before
    if (last, before) != (head[0], bytes(head[1])):
        verdict.add("truncated", last + 1, None, f"The chain ends at number {last}; the database says that it ended at {head[0]}.")
    if wanted:
        newest = wanted[max(wanted)][0]
        verdict.add("replayed", last + 1, None,
                    f"The log ends at number {last}, but the anchor of {newest.at:%Y-%m-%d %H:%M} UTC ({newest.place}) knows number "
                    f"{newest.seq}: its end was cut off, or an older copy of the database was put in its place.")
    verdict.findings.sort(key=lambda one: (one.seq is None, one.seq or 0))
    return verdict


def _by_seq(verdict: Verdict, anchors: Iterable[Anchor], restored: list[Restored]) -> dict[int, list[Anchor]]:
    """The anchors the chain must lead to: all genuine ones but those of a time that a restore put aside."""
    wanted: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        verdict.anchors += 1
        if not anchor.genuine:
            verdict.add("anchor-forged", anchor.seq, None,
                        f"The anchor of number {anchor.seq} ({anchor.place}) was not made by this clinic.")
        elif not any(anchor.seq > one.seq and anchor.at < one.at for one in restored):
            wanted.setdefault(anchor.seq, []).append(anchor)
    return wanted


def _changes(verdict: Verdict, misfits: list[tuple[bytes, int, bytes, list[Any]]]) -> None:
    """Whether an event that does not fit its place fits another such place (reordered) or none (edited)."""
    for place, (_, seq, _, parts) in enumerate(misfits):
        others = misfits[:MOST_LISTED] if place < MOST_LISTED else []
        if any(following(before, other, parts) == link for before, other, link, _ in others):
            verdict.add("reordered", seq, parts[0], f"Event {parts[0]}, number {seq} of the chain, was written at another place of it.")
        else:
            verdict.add("edited", seq, parts[0], f"Event {parts[0]}, number {seq} of the chain, was changed after it was written.")
