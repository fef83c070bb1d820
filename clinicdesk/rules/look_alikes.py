"""Names that are taken for one another: the confused pairs behind the tall-man letters (R31), and names that differ by two letters.

For the list beside a chosen name (R32), and for the question after a name that no table knows. Display only: nothing is ever replaced.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import jellyfish

from clinicdesk.rules.medicine_names import key_of

_CONFUSED: Final = """
acetazolamide acetohexamide / bupropion buspirone / carboplatin cisplatin / chlorpromazine chlorpropamide / clomifene clomipramine
/ cycloserine ciclosporin / daunorubicin doxorubicin / dimenhydrinate diphenhydramine / dobutamine dopamine / glipizide glibenclamide
/ hydralazine hydroxyzine / medroxyprogesterone methylprednisolone methyltestosterone / nicardipine nifedipine / prednisone prednisolone
/ sulfadiazine sulfisoxazole / tolazamide tolbutamide / vinblastine vincristine / alprazolam lorazepam clonazepam / amlodipine amiloride
/ azathioprine azacitidine / cefazolin ceftriaxone / ephedrine epinephrine / fentanyl sufentanil / fluoxetine duloxetine paroxetine
/ guaifenesin guanfacine / hydromorphone morphine / metformin metronidazole / oxcarbazepine carbamazepine / pentobarbital phenobarbital
/ quetiapine olanzapine / quinine quinidine / rituximab infliximab
"""
_GROUPS: Final = tuple(frozenset(group.split()) for group in _CONFUSED.split("/"))
_SHORTEST: Final = 6
_FURTHEST: Final = 2


def look_alikes(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """The other names this one is taken for, alphabetically: confused pairs, and names with the same first letter two letters away."""
    key = key_of(name)
    paired = {other for group in _GROUPS if key in group for other in group}
    keyed = _by_letter(names)
    near = {n for k, n in keyed.get(key[:1], ()) if _distance(key, k) <= _FURTHEST}
    near |= {n for other in paired for k, n in keyed.get(other[:1], ()) if k == other}
    return tuple(sorted((n for n in near if key_of(n) != key), key=str.casefold))


def nearest(word: str, names: tuple[str, ...]) -> str:
    """The one name with the same first letter a mistyped word is nearest to; empty when none is near or two are equally near."""
    key = key_of(word)
    found = sorted((d, n) for k, n in _by_letter(names).get(key[:1], ()) if (d := _distance(key, k)) <= _FURTHEST)
    return found[0][1] if found and (len(found) == 1 or found[0][0] < found[1][0]) else ""


@lru_cache(maxsize=4)
def _by_letter(names: tuple[str, ...]) -> dict[str, list[tuple[str, str]]]:
    keyed: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        keyed.setdefault(key_of(name)[:1], []).append((key_of(name), name))
    return keyed


def _distance(one: str, other: str) -> int:
    if min(len(one), len(other)) < _SHORTEST or abs(len(one) - len(other)) > _FURTHEST:
        return _FURTHEST + 1
    return jellyfish.damerau_levenshtein_distance(one, other)
