"""Which medicine of the formulary a typed name means: its whole name, a country's other name, or first letters that begin only one
substance under all its names (`aceta` begins acetazolamide and acetaminophen, which is paracetamol: a question).

Names that merely look alike are offered, never chosen: letters that also begin a name of the tall-man list (R31) are a question even where
the formulary holds only one of the two. Short forms of medicine names (R30) are refused with the full name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.shorthand_scan import piece_at
from clinicdesk.rules.shorthand_words import SYNONYMS
from clinicdesk.rules.tall_man import TALL_MAN, tall_man

LEAST_LETTERS: Final = 3
_MOST_CHOICES: Final = 8
_WORD: Final = re.compile(r"[^\W\d_][\w'-]*")
_JOINT: Final = re.compile(r"\s*[+/&]\s*|\s+")


@dataclass(frozen=True, slots=True)
class MedicineFound:
    """The name in the formulary (empty with a `problem`), where the typed name ends, and what could be meant instead."""

    name: str
    end: int
    problem: str = ""
    choices: tuple[str, ...] = ()


def find_medicine(s: str, at: int, formulary: Formulary, *, first: bool) -> MedicineFound | None:
    """The medicine named at `at` of a simplified text; None when none is named there. Only the `first` word may be shortened."""
    for word, name in _whole_names(formulary):
        if s.startswith(word, at) and not re.match(r"[\w+]|\s*\+|-\w", s[at + len(word):]):
            return MedicineFound(name, at + len(word))
    if not first or piece_at(s, at) is not None:
        return None
    words, ends = _run(s, at)
    if not words:
        return None
    if hits := forbidden(words[0]):
        return MedicineFound("", ends[0], f"“{words[0]}” is misread too easily: write {hits[0].use}.")
    if len(words[0]) < LEAST_LETTERS:
        return MedicineFound("", ends[0], f"“{words[0]}”: type at least {LEAST_LETTERS} letters of the medicine.")
    for count in range(len(words), 0, -1):
        names = _beginning(tuple(words[:count]), formulary)
        if names:
            return _only(names, words[:count], ends[count - 1])
    return MedicineFound("", ends[0], f"No medicine of the formulary begins with “{words[0]}”.", lookalikes(words[0], formulary))


def matching(typed: str, formulary: Formulary) -> tuple[str, ...]:
    """The names that a typed beginning may mean, alphabetically; nothing below three letters (R32)."""
    words = re.findall(r"[^\W\d_]+", typed.casefold())
    if not words or len("".join(words)) < LEAST_LETTERS:
        return ()
    return tuple(_beginning(tuple(words), formulary))


def mixes_lookalikes(names: tuple[str, ...]) -> bool:
    """Whether a list holds two names whose tall-man letters tell them apart, so that none of them may be preselected (R32)."""
    return sum(1 for name in names if tall_man(name) != name) > 1


def lookalikes(word: str, formulary: Formulary) -> tuple[str, ...]:
    """Names, and other names, that begin with the same three letters, for the question only."""
    letters = word[:LEAST_LETTERS]
    found = _beginning((letters,), formulary)
    return _labels({name: other for name, other in found.items() if (other or name).casefold().startswith(letters)})


def _labels(found: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(f"{name} ({other})" if other else name for name, other in found.items())[:_MOST_CHOICES]


def _run(s: str, at: int) -> tuple[list[str], list[int]]:
    words: list[str] = []
    ends: list[int] = []
    while match := _WORD.match(s, at):
        if words and piece_at(s, at) is not None:
            break
        words.append(match.group())
        ends.append(match.end())
        joint = _JOINT.match(s, match.end())
        if joint is None:
            break
        at = joint.end()
    return words, ends


def _only(found: Mapping[str, str], words: list[str], end: int) -> MedicineFound:
    typed, names = " ".join(words), tuple(found)
    base = [n for n in names if all(o == n or n in o.split(" + ") or o.startswith(f"{n} ") for o in names)]
    chosen = names[0] if len(names) == 1 else base[0] if len(base) == 1 else ""
    if not chosen:
        return MedicineFound("", end, f"“{typed}” may be several medicines.", _labels(found))
    known = chosen.casefold().split()
    others = [n for n in TALL_MAN if len(words) == 1 and n.startswith(words[0]) and n not in known]
    if others and any(part.startswith(words[0]) and part in TALL_MAN for part in known):
        return MedicineFound("", end, f"“{typed}” may be several medicines.", (chosen, *others)[:_MOST_CHOICES])
    return MedicineFound(chosen, end)


@lru_cache(maxsize=8)
def _whole_names(formulary: Formulary) -> tuple[tuple[str, str], ...]:
    """Whole names and other names, the longest first."""
    names = {name.casefold(): name for name in formulary.names}
    names |= {word: name for word, name in SYNONYMS.items() if word not in names and formulary.find(name)}
    return tuple(sorted(names.items(), key=lambda entry: -len(entry[0])))


@lru_cache(maxsize=2048)
def _beginning(words: tuple[str, ...], formulary: Formulary) -> Mapping[str, str]:
    """Names whose words begin, in order, with the typed words: name → the other name that does, empty where it is its own."""
    own = {name: "" for name in formulary.names if _begins(words, name)}
    others: dict[str, str] = {}
    for other, name in _other_names(formulary).items():
        if name not in own and other.casefold().startswith(words[0]) and _begins(words, other):
            others.setdefault(name, other)
    return MappingProxyType(own | others)


def _begins(words: tuple[str, ...], name: str) -> bool:
    parts = iter(re.findall(r"[^\W\d_][\w-]*", name.casefold()))
    return all(any(part.startswith(word) for part in parts) for word in words)


@lru_cache(maxsize=8)
def _other_names(formulary: Formulary) -> Mapping[str, str]:
    """Other names of what the formulary has, without those in capitals alone: short forms are no names (R22)."""
    found = {word: name for word, name in SYNONYMS.items() if name in formulary.names}
    return MappingProxyType(found | {other: name for other, name in formulary.others.items() if not other.isupper()})
