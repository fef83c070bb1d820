"""How likely two records are one person: a score from 0 to 100 and the reasons in sentences.

Each field that both records have gives or takes points (the table below); the sum, kept within 0 and 100, is the score. The weights
follow the usual thinking of record linkage (Fellegi and Sunter): a field counts for as much as agreement on it is rare among strangers,
and against as much as disagreement is rare among typing errors. Thus: a date of birth is shared by one stranger in some 20,000, so it
weighs most, and two different ones (not a typing error of each other) mean two people, as with a father and son of one name. A first
name tells siblings and twins apart, who share everything else, so a different one takes more than any shared telephone gives. A family
name changes with marriage, so a different one takes less. A telephone and an address are shared by families and change with a move:
they confirm, and hardly speak against. `WARN` was set on a labelled set of pairs (tests/rules/test_likeness.py keeps the figure).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import jellyfish

from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.names import normalise, phone_term, sound

#: From this score on a person is asked whether the two are one.
WARN: Final = 60

SAME_LAST, NEAR_LAST, LIKE_LAST, OTHER_LAST = 22, 18, 14, -20
SAME_FIRST, NEAR_FIRST, LIKE_FIRST, INITIAL_FIRST, OTHER_FIRST = 24, 19, 16, 8, -40
SWAPPED_NAMES = 42
SAME_BORN, SWAPPED_BORN, DIGIT_BORN, YEAR_BORN, OTHER_BORN = 34, 27, 24, 8, -40
SAME_PHONE, NEAR_PHONE, OTHER_PHONE = 20, 12, -2
SAME_EMAIL, SAME_ADDRESS = 16, 6
SAME_SEX, OTHER_SEX = 4, -14

#: Short forms that neither letters nor sound bring together; each line is one name.
_SHORT_FORMS: Final = (
    "william bill will billy", "robert bob bobby rob", "richard dick rick", "margaret peggy meg maggie greta",
    "elizabeth betty liz beth lisa", "katherine catherine kate kathy katie", "edward ted ed eddie", "james jim jimmy",
    "john jack johnny", "francisco paco pancho", "jose pepe", "alexander alex sascha sasha", "johannes hans", "michael mike mick",
    "charles chuck charlie", "susan sue susanne", "dorothy dot dolly", "henry harry hank", "aleksandr sasha", "maria mia mitzi",
    "guadalupe lupe", "ignacio nacho", "anthony tony antonio", "josef sepp", "georg jorg", "friedrich fritz", "heinrich heinz",
)
_ONE_NAME: Final = {word: frozenset(n for n, line in enumerate(_SHORT_FORMS) if word in line.split())
                    for line in _SHORT_FORMS for word in line.split()}


@dataclass(frozen=True, slots=True)
class Identity:
    """What is compared; what is not known is empty or None."""

    first_name: str
    last_name: str
    born: date | None = None
    sex: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One field's part of a score, as a sentence without its full stop."""

    text: str
    points: int


@dataclass(frozen=True, slots=True)
class Likeness:
    """A score from 0 to 100 and why, what speaks for it first."""

    score: int
    reasons: tuple[Reason, ...]

    @property
    def warns(self) -> bool:
        """Whether a person should be asked."""
        return self.score >= WARN


def compare(one: Identity, other: Identity) -> Likeness:
    """How likely the two are one person; the same whichever comes first."""
    found = [*_names(one, other), _born(one.born, other.born), _phone(one.phone, other.phone), _email(one.email, other.email),
             _sex(one.sex, other.sex), _address(one.address, other.address)]
    reasons = sorted((reason for reason in found if reason is not None), key=lambda reason: -reason.points)
    return Likeness(max(0, min(100, sum(reason.points for reason in reasons))), tuple(reasons))


def edits(one: str, other: str) -> int:
    """Letters added, left out, replaced, or swapped with a neighbour (Damerau and Levenshtein)."""
    return jellyfish.damerau_levenshtein_distance(one, other)


def alike(one: str, other: str) -> int:
    """How near two names are: 3 the same, 2 a slip of the keyboard, 1 alike in sound or letters, 0 different."""
    return _alike(*sorted((normalise(one).replace(" ", ""), normalise(other).replace(" ", ""))))


@lru_cache(maxsize=8192)
def _alike(a: str, b: str) -> int:
    if a == b:
        return 3
    if not a or not b:
        return 0
    apart, shorter = edits(a, b), min(len(a), len(b))
    if apart == 1 and shorter >= 3:
        return 2
    if apart == 2 and shorter >= 5 and jellyfish.jaro_winkler_similarity(a, b) >= 0.85:
        return 2
    code = sound(a)
    if shorter >= 3 and code and code == sound(b) and apart <= max(2, shorter // 2):
        return 1
    return 1 if shorter >= 4 and jellyfish.jaro_winkler_similarity(a, b) >= 0.91 else 0


def _names(one: Identity, other: Identity) -> list[Reason | None]:
    straight = alike(one.first_name, other.first_name), alike(one.last_name, other.last_name)
    crossed = alike(one.first_name, other.last_name), alike(one.last_name, other.first_name)
    if min(crossed) >= 2 and min(straight) == 0:
        return [Reason("First and last name are swapped", SWAPPED_NAMES)]
    return [_last(one.last_name, other.last_name, straight[1]), _first(one.first_name, other.first_name, straight[0])]


def _last(one: str, other: str, near: int) -> Reason | None:
    if not one.strip() or not other.strip():
        return None
    if near == 3:
        return Reason("Same last name", SAME_LAST)
    if near == 2:
        return Reason(f"Last name differs by {_letters(one, other)}: {one} / {other}", NEAR_LAST)
    if near == 1 or _parts_shared(one, other):
        return Reason(f"Last names are alike: {one} / {other}", LIKE_LAST)
    return Reason(f"Different last name: {one} / {other}", OTHER_LAST)


def _first(one: str, other: str, near: int) -> Reason | None:
    if not one.strip() or not other.strip():
        return None
    if near == 3:
        return Reason("Same first name", SAME_FIRST)
    if near == 2:
        return Reason(f"First name differs by {_letters(one, other)}: {one} / {other}", NEAR_FIRST)
    if near == 1:
        return Reason(f"First names are alike: {one} / {other}", LIKE_FIRST)
    if _parts_shared(one, other):
        return Reason(f"One first name is part of the other: {one} / {other}", LIKE_FIRST)
    a, b = normalise(one), normalise(other)
    if _ONE_NAME.get(a, frozenset()) & _ONE_NAME.get(b, frozenset()):
        return Reason(f"Short form of one first name: {one} / {other}", LIKE_FIRST)
    if min(len(a), len(b)) == 1 and a[:1] == b[:1]:
        return Reason(f"First name fits the initial: {one} / {other}", INITIAL_FIRST)
    return Reason(f"Different first name: {one} / {other}", OTHER_FIRST)


def _parts_shared(one: str, other: str) -> bool:
    """Whether one name is made of whole parts of the other: `Anna` and `Anna Maria`, `Garcia` and `Garcia Lopez`."""
    a, b = set(normalise(one).split()), set(normalise(other).split())
    return len(a) != len(b) and (a <= b or b <= a)


def _letters(one: str, other: str) -> str:
    count = edits(normalise(one).replace(" ", ""), normalise(other).replace(" ", ""))
    return "one letter" if count == 1 else f"{count} letters"


def _born(one: date | None, other: date | None) -> Reason | None:
    if one is None or other is None:
        return None
    if one == other:
        return Reason("Same date of birth", SAME_BORN)
    both = f"{clinical_date(one)} / {clinical_date(other)}"
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return Reason(f"Day and month of birth are swapped: {both}", SWAPPED_BORN)
    if edits(f"{one:%Y%m%d}", f"{other:%Y%m%d}") == 1 and not _a_generation_apart(one, other):
        return Reason(f"Date of birth differs by one digit: {both}", DIGIT_BORN)
    if (one.month, one.day) == (other.month, other.day) and abs(one.year - other.year) <= 2:
        return Reason(f"Same birthday, another year: {both}", YEAR_BORN)
    return Reason(f"Different date of birth: {both}", OTHER_BORN)


def _a_generation_apart(one: date, other: date) -> bool:
    """Fifteen to forty-five years: rather parent and child than a slip in the decade."""
    return 15 <= abs(one.year - other.year) <= 45


def _phone(one: str, other: str) -> Reason | None:
    a, b = (phone_term(number).rstrip("0") for number in (one, other))  # reversed: the trunk zero is last
    if not a or not b:
        return None
    tail = min(len(a), len(b))
    if tail >= 7 and a[:tail] == b[:tail]:
        return Reason("Same telephone", SAME_PHONE)
    if a[:7] == b[:7] or (tail >= 9 and edits(a[:tail], b[:tail]) == 1):
        return Reason("Telephone is nearly the same", NEAR_PHONE)
    return Reason("Different telephone", OTHER_PHONE)


def _email(one: str, other: str) -> Reason | None:
    same = one.strip() and one.strip().casefold() == other.strip().casefold()
    return Reason("Same e-mail", SAME_EMAIL) if same else None


def _sex(one: str, other: str) -> Reason | None:
    if one not in {"M", "F"} or other not in {"M", "F"}:
        return None
    return Reason("Same sex", SAME_SEX) if one == other else Reason("Different sex", OTHER_SEX)


def _address(one: str, other: str) -> Reason | None:
    a, b = normalise(one), normalise(other)
    return Reason("Same address", SAME_ADDRESS) if a and b and jellyfish.jaro_winkler_similarity(a, b) >= 0.95 else None
