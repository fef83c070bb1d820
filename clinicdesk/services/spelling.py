"""Words of names near a typed one: one or two slips of the keyboard away, or alike in sound.

The clinic's names are kept under keys that neighbours share (`clinic.name_spellings`, filled by a trigger), so near words are found by
equality; which of them are near enough is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import jellyfish
from sqlalchemy import ARRAY, Text, any_, bindparam, func, literal, select, union_all

from clinicdesk.models.register import NameSpelling
from clinicdesk.rules.names import prefix_end
from clinicdesk.storage.database import ClinicSession

#: So many of the nearest words stand for one typed word.
MOST = 24
#: From this many letters on two slips are allowed, below that one.
LONG = 5

_KEYS = select(NameSpelling.word, NameSpelling.key).where(NameSpelling.key == any_(bindparam("keys", type_=ARRAY(Text))))
_SOUNDS = select(*(func.clinic.rough_sound(func.unnest(bindparam("words", type_=ARRAY(Text)))),))


@lru_cache(maxsize=16)
def _beginnings(count: int) -> Any:
    """The statement for so many typed beginnings: for each the first few words that start so."""
    own = NameSpelling.key == NameSpelling.word
    parts = [
        select(literal(n), NameSpelling.word).where(
            own, NameSpelling.key >= bindparam(f"from_{n}", type_=Text), NameSpelling.key < bindparam(f"to_{n}", type_=Text)
        ).limit(MOST)
        for n in range(count)
    ]
    return union_all(*(select(part.subquery()) for part in parts))


def near_words(session: ClinicSession, typed: Sequence[str]) -> dict[str, list[str]]:
    """For each typed word the words of names near it, the nearest first, then some that begin so. Three queries at most."""
    keys: dict[str, set[str]] = {word: {word, *_shorter(word), *_ends(word)} for word in typed if word}
    plain = [word for word in keys if len(word) >= 3 and word.isascii() and word.isalpha()]
    if plain:
        for word, code in zip(plain, session.scalars(_SOUNDS, {"words": plain}), strict=True):
            if len(code) > 1:
                keys[word].add("~" + code)
    wanted = sorted(set().union(*keys.values())) if keys else []
    shared: dict[str, set[str]] = {}
    for word, key in session.execute(_KEYS, {"keys": wanted}):
        shared.setdefault(key, set()).add(word)
    found = {}
    for word, own in keys.items():
        candidates = {c for key in own for c in shared.get(key, ())}
        near = sorted((distance, c) for c in candidates if (distance := nearness(word, c)) <= _allowed(word))
        found[word] = [c for _, c in near[:MOST]]
    begun = [word for word in found if len(word) >= 2]
    if begun:
        bounds = {f"from_{n}": word for n, word in enumerate(begun)} | {f"to_{n}": prefix_end(word) for n, word in enumerate(begun)}
        for n, word in session.execute(_beginnings(len(begun)), bounds):
            if word not in found[begun[n]]:
                found[begun[n]].append(word)
    return found


def nearness(typed: str, word: str) -> float:
    """How far two words are apart: slips of the keyboard, less for what sounds alike; 9 for strangers."""
    if typed == word:
        return 0.0
    slips = jellyfish.damerau_levenshtein_distance(typed, word)
    like = jellyfish.jaro_winkler_similarity(typed, word)
    if slips <= 2 and min(len(typed), len(word)) > slips + 1:
        return slips + 1 - like
    return 3.0 - like if like >= 0.7 and abs(len(typed) - len(word)) <= 3 and slips <= max(len(typed), len(word)) // 2 else 9.0


def alike_enough(typed: str, word: str) -> bool:
    """Whether a typed name could be meant for this one, beside another name that fits: more is forgiven then."""
    like = jellyfish.jaro_winkler_similarity(typed, word)
    slips = jellyfish.damerau_levenshtein_distance(typed, word)
    return word.startswith(typed) or like >= 0.75 or (slips <= 2 and like >= 0.5 and min(len(typed), len(word)) >= slips)


def _allowed(word: str) -> float:
    return 2.5 if len(word) >= LONG else 2.0


def _ends(word: str) -> set[str]:
    """Of two slips in a long word at least one end is spared."""
    return {"^" + word[:3], "$" + word[-3:]} if len(word) >= LONG else set()


def _shorter(word: str) -> set[str]:
    """The word with one letter left out, and with two when it is long."""
    if len(word) < 3 or len(word) > 40:
        return set()
    once = {word[:i] + word[i + 1 :] for i in range(len(word))}
    twice = {w[:i] + w[i + 1 :] for w in once for i in range(len(w))} if len(word) >= LONG else set()
    return once | twice
