"""Allergies: the same substance, its class, and cross-reactions after reference clinical-safety § 1.9.

The same substance is tier 1 when the reaction was severe, looks like an immediate reaction, or nothing is known of it (what is not known
could have been anaphylaxis); tier 2 when it was mild or moderate, or an intolerance such as nausea. A medicine that was taken after the
allergy was noted is tier 3 (R35). Contrast media, latex, egg and shellfish are linked to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from clinicdesk.rules.checking.case import Case, Line, alert, allergy_words, listed, name, not_checked, slug
from clinicdesk.rules.knowledge import AllergyClass, CrossReaction
from clinicdesk.rules.medicine_names import key_of
from clinicdesk.rules.safety import Alert, KnownAllergy

Weight = Literal["severe", "mild", "other", "unknown"]
SEVERE: Final = re.compile(
    r"anaphyla|angio-?o?edema|stevens|johnson|sjs|toxic epidermal|necroly|\bten\b|dress|bronchospasm|shock|collapse|swelling of (the )?"
    r"(throat|tongue|face|lip|airway)|(throat|tongue|airway|laryngeal|lip|face|facial) (swelling|closing|o?edema|tightness)|stridor|"
    r"respiratory|breath|wheez|dyspno?ea|asthma|blister|exfoliat|agranulocytosis|life.threat|hospital|intensive|hypotension|arrest|"
    r"hives|urticaria|h(a)?emolytic|serum sickness|hepat", re.IGNORECASE)
_AIRWAY: Final = re.compile(r"asthma|bronchospasm|wheez|breath|respiratory|dyspno?ea|urticaria|hives|angio", re.IGNORECASE)
_INTOLERANCE: Final = re.compile(
    r"nausea|vomit|diarrh|constipat|headache|dizz|drows|sleep|stomach|abdom|gastr|indigest|dyspeps|heartburn|cough|fatigue|cramp|insomnia|"
    r"dry mouth|flatulen|sedat|malaise", re.IGNORECASE)
_ITCH: Final = re.compile(r"itch|prurit", re.IGNORECASE)
#: “No known allergies” written as if it were a substance.
NONE_KNOWN: Final = re.compile(r"(no|nil|none)( known)?( drug)?( allerg\w+)?$|nkda$|nka$")
_SKIN: Final = re.compile(r"\brash|swelling|swollen|redness|erythema", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_REACTION_WORDS: Final = frozenset({"severe", "mild", "moderate", "skin", "widespread", "reaction"})
_SHORT: Final = 3  # letters: “on”, “all”, “the”
#: Between several things named in one entry.
_AND: Final = re.compile(r"[,;/&+\n]|\b(?:and|or|plus)\b", re.IGNORECASE)
_HIGH_PARACETAMOL_MG: Final = 1000
_AROUND: Final = re.compile(
    r"^(known )?(drug )?(allergy|allergic|hypersensitivity|intolerance|intolerant|adverse reaction)( reaction)?( to| -|:)?\s+"
    r"|\s+(allergy|hypersensitivity|intolerance)$|\s*\((finding|disorder|situation|substance)\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Read:
    """An allergy and what it means: single ingredients, classes, and how heavy the reaction was."""

    allergy: KnownAllergy
    ingredients: tuple[str, ...]
    classes: tuple[AllergyClass, ...]
    weight: Weight

    @property
    def covered(self) -> frozenset[str]:
        members: frozenset[str] = frozenset(self.ingredients)
        return members.union(*(c.members for c in self.classes))


def weight_of(allergy: KnownAllergy) -> Weight:
    """How heavy a recorded reaction was, read from its words and its severity."""
    severity = allergy.severity.casefold().strip()
    if severity in {"severe", "fatal", "life threatening", "life-threatening", "high"} or SEVERE.search(allergy.reaction):
        return "severe"
    if severity in {"mild", "low"} or _INTOLERANCE.search(allergy.reaction):
        return "mild"
    return "other" if allergy.reaction.strip() or severity else "unknown"


def check_allergies(case: Case) -> Iterator[Alert]:
    """All lines against all allergies; says so when nobody asked or when an allergy is not understood."""
    allergies = case.facts.allergies
    if allergies is None:
        if case.lines:
            yield not_checked(case, "allergies", 2, "allergies/not-recorded", case.lines[0].prescribed.medicine,
                              "Allergies are not recorded, so no allergy check was made.",
                              advice="Ask about allergies and record them, or record that none are known.",
                              other="allergies", facts=("allergies not recorded",))
        return
    read = [found for a in allergies if (found := _read(case, a)) is not None]
    if case.lines:
        yield from _not_understood(case, allergies, read)
    for line in case.lines:
        for one in read:
            yield from _line(case, line, one, read)


def _read(case: Case, allergy: KnownAllergy) -> _Read | None:
    known = case.knowledge
    if key_of(allergy.substance) in known.not_medicines or NONE_KNOWN.match(key_of(allergy.substance)):
        return None
    classes = tuple(c for c in known.allergy_classes if c.name in known.allergy_names.read(allergy.substance).found)
    ingredients = () if classes and _only_class(case, allergy) else name(allergy.substance, known).ingredients
    return _Read(allergy, ingredients, classes, weight_of(allergy)) if ingredients or classes else None


def _only_class(case: Case, allergy: KnownAllergy) -> bool:
    return not name(allergy.substance, case.knowledge).ingredients


def _not_understood(case: Case, allergies: tuple[KnownAllergy, ...], read: list[_Read]) -> Iterator[Alert]:
    """Entries, or parts of entries that name several things, that are in no table: “Amoxil, eggs” says more than eggs."""
    whole = {id(r.allergy) for r in read if not name(r.allergy.substance, case.knowledge).unknown}
    for allergy in allergies:
        if id(allergy) in whole or _harmless(case, key_of(allergy.substance)):
            continue
        parts = [part for part in (p.strip(" -–:") for p in _AND.split(_BRACKETED.sub(" ", allergy.substance))) if part]
        missing = [part for part in parts if not _understood(case, part)]
        if not parts or len(missing) == len(parts):
            missing, what = [allergy.substance], f"The allergy “{allergy.substance}” is"
        else:
            missing = [part for part in missing if not _only_reaction(part)]
            are = "is" if len(missing) == 1 else "are"
            what = f"Of the allergy “{allergy.substance}”, {listed(f'“{part}”' for part in missing)} {are}"
        if missing:
            yield not_checked(case, "allergies", 2, slug("allergy", *missing), case.lines[0].prescribed.medicine,
                              f"{what} in no table, so nothing was checked against it.",
                              advice="Write the generic name of the substance, or check it yourself.", other=allergy.substance,
                              facts=(allergy_words(allergy),))


def _harmless(case: Case, key: str) -> bool:
    return key in case.knowledge.not_medicines or NONE_KNOWN.match(key) is not None


def _understood(case: Case, part: str) -> bool:
    """Whether one thing is a medicine or a class of the tables, or something that is no medicine."""
    words = set(key_of(part).replace("-", " ").split())
    return (bool(name(part, case.knowledge).ingredients or case.knowledge.allergy_names.read(part).found)
            or _harmless(case, key_of(part)) or any(set(known.split()) <= words for known in case.knowledge.not_medicines))


def _only_reaction(part: str) -> bool:
    """Whether a part says what happened (“rash”, “severe hives”) and names no substance."""
    for about in (SEVERE, _INTOLERANCE, _ITCH, _SKIN):
        part = re.sub(rf"(?:{about.pattern})\w*", " ", part, flags=re.IGNORECASE)
    return all(word in _REACTION_WORDS for word in part.casefold().split() if len(word) > _SHORT)




def _line(case: Case, line: Line, one: _Read, every: list[_Read]) -> Iterator[Alert]:
    said: set[str] = set()
    for ingredient in line.named.ingredients:
        if ingredient in one.ingredients:
            said.add(ingredient)
            yield _same(case, line, one, ingredient)
    for ingredient in line.named.ingredients:
        family = next((c for c in _classes(case, one) if ingredient in c.members), None)
        if family is not None and ingredient not in said:
            said.add(ingredient)
            yield _of_class(case, line, one, ingredient, family)
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
        if known not in one.classes and any(i in known.members for i in one.ingredients) and known.name != "NSAIDs":
            yield known


def _same(case: Case, line: Line, one: _Read, ingredient: str) -> Alert:
    opioid = ingredient in case.knowledge.group("opioid")
    tier = {"severe": 1, "unknown": 2 if opioid else 1, "mild": 2, "other": 2}[one.weight]
    advice = "Choose another medicine, or correct the allergy if it is wrong."
    if opioid and (_ITCH.search(one.allergy.reaction) or one.weight == "mild"):
        tier, advice = 2, "Most such entries are intolerance (nausea, itch). Decide whether it was an allergy."
    return alert(case, "allergies", "allergy", _tolerated(case, one, ingredient, tier), slug("allergy", ingredient),
                 line.prescribed.medicine, f"This patient is recorded as allergic to {ingredient}: {_reaction(one)}.",
                 advice=advice, other=one.allergy.substance, facts=_facts(case, one, ingredient), source="clinical-safety-1.9")


def _of_class(case: Case, line: Line, one: _Read, ingredient: str, family: AllergyClass) -> Alert:
    tier = family.mild_tier if one.weight == "mild" else family.tier
    if family.name == "NSAIDs" and _AIRWAY.search(one.allergy.reaction):
        tier = 1  # the whole class with asthma or urticaria is the cross-intolerant type
    return alert(case, "allergies", "allergy-class", _tolerated(case, one, ingredient, tier),
                 slug("allergy-class", family.name, ingredient), line.prescribed.medicine,
                 f"{ingredient} belongs to the {family.name}; this patient is recorded as allergic to {_substance(one)}:"
                 f" {_reaction(one)}.", advice="Choose a medicine outside this class, or correct the allergy if it is wrong.",
                 other=one.allergy.substance, facts=_facts(case, one, ingredient), source=family.source)


def _cross_tier(case: Case, line: Line, rule: CrossReaction, one: _Read, every: list[_Read]) -> int:
    if rule.key.startswith("nsaid"):
        return _nsaid_tier(case, line, rule, one, every)
    return rule.severe_tier if one.weight == "severe" else rule.tier


def _nsaid_tier(case: Case, line: Line, rule: CrossReaction, one: _Read, every: list[_Read]) -> int:
    """Cross-intolerance needs asthma or urticaria and two chemical groups (or the class as such); a single medicine is only tier 3."""
    if not _AIRWAY.search(one.allergy.reaction):
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
                 slug("allergy-cross-reaction", rule.key, ingredient), line.prescribed.medicine,
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
