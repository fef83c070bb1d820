"""Allergies: the same substance, its class, and cross-reactions after reference clinical-safety § 1.9.

The same substance is tier 1 when the reaction was severe, looks like an immediate reaction, or nothing is known of it (what is not known
could have been anaphylaxis); tier 2 when it was mild or moderate, or an intolerance such as nausea. A medicine that was taken after the
allergy was noted is tier 3 (R35). Contrast media, latex, egg and shellfish are linked to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from clinicdesk.rules.checking.case import Case, Line, alert, allergy_words, listed, name, not_checked, slug
from clinicdesk.rules.checking.reactions import AIRWAY, ITCH, Weight, is_severe, weight_of, without_denials
from clinicdesk.rules.checking.substances import Substance, read_substance, shared_words
from clinicdesk.rules.knowledge import AllergyClass, CrossReaction
from clinicdesk.rules.look_alikes import nearest
from clinicdesk.rules.medicine_names import folded, key_of, name_words, runs, words_of
from clinicdesk.rules.safety import Alert, KnownAllergy

_HIGH_PARACETAMOL_MG: Final = 1000
_AROUND: Final = re.compile(
    r"^(known )?(drug )?(allergy|allergic|hypersensitivity|intolerance|intolerant|adverse reaction)( reaction)?( to| -|:)?\s+"
    r"|\s+(allergy|hypersensitivity|intolerance)$|\s*\((finding|disorder|situation|substance)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Read:
    """An allergy and what it means: what its text names, how heavy the reaction was, and all words about the reaction, folded."""

    allergy: KnownAllergy
    substance: Substance
    weight: Weight
    told: str

    @property
    def ingredients(self) -> tuple[str, ...]:
        return self.substance.ingredients

    @property
    def classes(self) -> tuple[AllergyClass, ...]:
        return self.substance.classes

    @property
    def covered(self) -> frozenset[str]:
        members: frozenset[str] = frozenset(self.ingredients)
        return members.union(*(c.members for c in self.classes))


def check_allergies(case: Case) -> Iterator[Alert]:
    """All lines against all allergies; says so when nobody asked or when an allergy is not understood."""
    allergies = case.facts.allergies
    if allergies is None:
        if case.lines:
            yield not_checked(case, "allergies", 2, "allergies/not-recorded", case.lines[0],
                              "Allergies are not recorded, so no allergy check was made.",
                              advice="Ask about allergies and record them, or record that none are known.",
                              other="allergies", facts=("allergies not recorded",))
        return
    read = [_read(case, allergy) for allergy in allergies]
    if case.lines:
        yield from _not_understood(case, read)
    for line in case.lines:
        for one in read:
            yield from _line(case, line, one, read)


def _read(case: Case, allergy: KnownAllergy) -> _Read:
    substance = read_substance(allergy.substance, case.knowledge)
    told = without_denials(f"{folded(allergy.reaction)}, {substance.beside}")
    return _Read(allergy, substance, weight_of(allergy, substance.beside), told)


def _not_understood(case: Case, read: list[_Read]) -> Iterator[Alert]:
    """Entries, or words of entries, that are in no table: “Amoxil, eggs” says more than eggs."""
    for one in read:
        text, left = one.allergy.substance, one.substance.left
        if one.substance.empty:
            left, what, it = (text,), f"The allergy “{text}” is", "it"
        else:
            are, it = ("is", "it") if len(left) == 1 else ("are", "them")
            what = f"Of the allergy “{text}”, {listed(f'“{part}”' for part in left)} {are}"
        if left:
            yield not_checked(case, "allergies", 2, slug("allergy", *left), case.lines[0],
                              f"{what} in no table, so nothing was checked against {it}.",
                              advice=_meant(case, one.substance.left) + "Write the generic name of the substance, or check it yourself.",
                              other=text, facts=(allergy_words(one.allergy),))


def _meant(case: Case, left: tuple[str, ...]) -> str:
    """What was likely meant, where it is one mistyped word."""
    known = (*case.knowledge.formulary.names, *(word for c in case.knowledge.allergy_classes for word in c.words))
    near = nearest(left[0], known) if len(left) == 1 else ""
    return f"Did you mean {near}? " if near else ""


def _line(case: Case, line: Line, one: _Read, every: list[_Read]) -> Iterator[Alert]:
    said: set[str] = set()
    for ingredient in line.named.ingredients:
        if ingredient in one.ingredients:
            said.add(ingredient)
            yield _same(case, line, one, ingredient)
    if not said:
        yield from _same_words(case, line, one)
    for ingredient in line.named.ingredients:
        families = [c for c in _classes(case, one) if ingredient in c.members]
        if families and ingredient not in said:
            said.add(ingredient)
            yield _of_class(case, line, one, ingredient, min(families, key=lambda family: _class_tier(one, family)))
    for ingredient in line.named.ingredients:
        if ingredient in said:
            continue
        crossed = [c for c in case.knowledge.cross_reactions if ingredient in c.medicines and not c.allergies.isdisjoint(one.covered)]
        ranked = sorted(((_cross_tier(case, line, c, one, every), c) for c in crossed), key=lambda pair: (pair[0], pair[1].key))
        if ranked:
            yield _crossed(case, line, one, ingredient, *ranked[0])


def _classes(case: Case, one: _Read) -> Iterator[AllergyClass]:
    """The classes written in the allergy, then the families of its single substances."""
    yield from one.classes
    for known in case.knowledge.allergy_classes:
        if known not in one.classes and any(i in known.members for i in one.ingredients) and not known.wide:
            yield known


def _same_words(case: Case, line: Line, one: _Read) -> Iterator[Alert]:
    """The same word in both, where no table knows it (“Keflex”), and a class in the line (“penicillin 500 mg”, “trimethoprim/sulfa”)."""
    whole = key_of(line.prescribed.medicine) == key_of(one.allergy.substance)
    if shared := shared_words(line.named, one.substance) or ([key_of(one.allergy.substance)] if whole and one.substance.empty else []):
        tier = {"severe": 1, "unknown": 1, "mild": 2, "other": 2}[one.weight]
        taken = any(set(shared) & set(words_of(text)) for text in one.allergy.tolerated)
        yield alert(case, "allergies", "allergy", 3 if taken else tier, slug("allergy", *shared), line,
                    f"This patient is recorded as allergic to {one.allergy.substance}: {_reaction(one)}.",
                    advice="Choose another medicine, or correct the allergy if it is wrong.", other=one.allergy.substance,
                    facts=(allergy_words(one.allergy),), source="clinical-safety-1.9")
    books = (case.knowledge.names, case.knowledge.allergy_names)
    written = {book.at(run, 0)[1] for run, book in runs(name_words(line.named.text), *books) if book is case.knowledge.allergy_names}
    for family in case.knowledge.allergy_classes:
        if family.name in written and (family in one.classes or not family.members.isdisjoint(one.ingredients)):
            opioid = family.name == "opioids"
            tier = min(_class_tier(one, family), {"severe": 1, "unknown": 2 if opioid else 1, "mild": 2, "other": 2}[one.weight])
            yield alert(case, "allergies", "allergy" if family in one.classes else "allergy-class", tier,
                        slug("allergy-class", family.name), line,
                        f"{line.prescribed.medicine} is one of the {family.name}; this patient is recorded as allergic to"
                        f" {_substance(one)}: {_reaction(one)}.",
                        advice="Write which medicine it is, or choose one outside this class.", other=one.allergy.substance,
                        facts=(allergy_words(one.allergy),), source=family.source)


def _same(case: Case, line: Line, one: _Read, ingredient: str) -> Alert:
    opioid = ingredient in case.knowledge.group("opioid")
    tier = {"severe": 1, "unknown": 2 if opioid else 1, "mild": 2, "other": 2}[one.weight]
    advice = "Choose another medicine, or correct the allergy if it is wrong."
    if opioid and (one.weight == "mild" or (ITCH.search(one.told) and not is_severe(one.told))):
        tier, advice = 2, "Most such entries are intolerance (nausea, itch). Decide whether it was an allergy."
    return alert(case, "allergies", "allergy", _tolerated(case, one, ingredient, tier), slug("allergy", ingredient),
                 line, f"This patient is recorded as allergic to {ingredient}: {_reaction(one)}.",
                 advice=advice, other=one.allergy.substance, facts=_facts(case, one, ingredient), source="clinical-safety-1.9")


def _class_tier(one: _Read, family: AllergyClass) -> int:
    """A severe reaction to the class as such is the worst; to one member it says less of the others (1.9)."""
    if family.name == "NSAIDs" and AIRWAY.search(one.told):
        return 1  # the whole class with asthma or urticaria is the cross-intolerant type
    if one.weight == "severe" and family in one.classes:
        return family.severe_tier
    return family.mild_tier if one.weight == "mild" else family.tier


def _of_class(case: Case, line: Line, one: _Read, ingredient: str, family: AllergyClass) -> Alert:
    return alert(case, "allergies", "allergy-class", _tolerated(case, one, ingredient, _class_tier(one, family)),
                 slug("allergy-class", family.name, ingredient), line,
                 f"{ingredient} belongs to the {family.name}; this patient is recorded as allergic to {_substance(one)}:"
                 f" {_reaction(one)}.", advice="Choose a medicine outside this class, or correct the allergy if it is wrong.",
                 other=one.allergy.substance, facts=_facts(case, one, ingredient), source=family.source)


def _cross_tier(case: Case, line: Line, rule: CrossReaction, one: _Read, every: list[_Read]) -> int:
    if rule.key.startswith("nsaid"):
        return _nsaid_tier(case, line, rule, one, every)
    return rule.severe_tier if one.weight == "severe" else rule.tier


def _nsaid_tier(case: Case, line: Line, rule: CrossReaction, one: _Read, every: list[_Read]) -> int:
    """Cross-intolerance needs asthma or urticaria and two chemical groups (or the class as such); a single medicine is only tier 3."""
    if not AIRWAY.search(one.told):
        return 3
    families = {group for r in every for i in r.ingredients for group in case.knowledge.medicines[i].groups if group.startswith("nsaid-")}
    wide = len(families) > 1 or any(c.name == "NSAIDs" for r in every for c in r.classes)
    if rule.key == "nsaid-weak" and "paracetamol" in line.named.ingredients and not _high_paracetamol(line):
        return 3
    return rule.tier if wide else 2 if rule.tier == 1 else 3


def _high_paracetamol(line: Line) -> bool:
    p = line.prescribed
    return p.dose_value is not None and ((p.dose_unit == "mg" and p.dose_value >= _HIGH_PARACETAMOL_MG)
                                         or (p.dose_unit == "g" and p.dose_value >= 1))


def _crossed(case: Case, line: Line, one: _Read, ingredient: str, tier: int, rule: CrossReaction) -> Alert:
    return alert(case, "allergies", "allergy-cross-reaction", _tolerated(case, one, ingredient, tier),
                 slug("allergy-cross-reaction", rule.key, ingredient), line,
                 f"{ingredient}, with an allergy to {_substance(one)}: {rule.what}", advice=rule.advice, other=one.allergy.substance,
                 facts=_facts(case, one, ingredient), source=rule.source)


def _tolerated(case: Case, one: _Read, ingredient: str, tier: int) -> int:
    return 3 if _taken_since(case, one, ingredient) else tier


def _taken_since(case: Case, one: _Read, ingredient: str) -> bool:
    return any(ingredient in name(text, case.knowledge).ingredients for text in one.allergy.tolerated)


def _substance(one: _Read) -> str:
    return _AROUND.sub("", _AROUND.sub("", one.allergy.substance)).strip() or one.allergy.substance


def _reaction(one: _Read) -> str:
    parts = [p for p in (one.allergy.reaction, one.allergy.severity) if p]
    return listed(parts, "–") if parts else "the reaction is not recorded"


def _facts(case: Case, one: _Read, ingredient: str) -> tuple[str, ...]:
    taken = (f"{ingredient} was taken since without a reaction",) if _taken_since(case, one, ingredient) else ()
    return (allergy_words(one.allergy), *taken)
