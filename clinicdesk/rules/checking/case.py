"""One case as the checks see it: the patient, the prescribed lines and current medicines read against the tables, and how an alert is
written so that every one names its source, the date of its table and what was said of its approval."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clinicdesk.rules.ages import whole_months
from clinicdesk.rules.directions import ROUTES
from clinicdesk.rules.knowledge import Knowledge
from clinicdesk.rules.medicine_names import Naming, key_of
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.safety import Alert, KnownAllergy, PatientFacts, Prescribed, Rule, Tier

_SYSTEMIC_THOUGH_ON_THE_SKIN: Final = ("nitrate", "opioid", "sex-hormone", "maoi")
_LOCAL_ROUTE: Final = re.compile(
    r"(?:(?:on|onto|in|into|to)\b ?)?(?:\b(?:the|each|both|right|left|affected)\b ?)*"
    r"(?:eyes?|ears?|skin|scalp|nails?|area)(?: drops?| ointment)?"
    r"|topical(?:ly)?|cutaneous|dermal|external(?:ly| use)?|ophthalmic(?:ally)?|ocular|conjunctival|otic|aural|auricular|mouthwash\b.*")
_SWALLOWED: Final = frozenset({"oral", "by mouth", "po", "orally", "feeding tube"})


@dataclass(frozen=True, slots=True)
class Named:
    """A medicine as written, its ingredients in the order written, what nobody knows in it, and whether it only acts where it is put."""

    text: str
    medicines: tuple[str, ...]
    ingredients: tuple[str, ...]
    unknown: tuple[str, ...]
    local: bool

    @property
    def known(self) -> bool:
        """Whether any check can be made of it."""
        return bool(self.ingredients)


@dataclass(frozen=True, slots=True)
class Line:
    """A prescribed line and what it names; `number` counts from 0."""

    number: int
    prescribed: Prescribed
    named: Named

    @property
    def medicine(self) -> str:
        """The medicine as written."""
        return self.prescribed.medicine

    @property
    def route(self) -> str:
        """The stored name of the route; empty where it is not given or not understood, so that limits of every route hold."""
        route = self.prescribed.route.casefold().strip()
        return "oral" if route in _SWALLOWED else route if route in ROUTES else ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a room needs."""

    facts: PatientFacts
    lines: tuple[Line, ...]
    current: tuple[Named, ...]
    knowledge: Knowledge

    @property
    def age(self) -> Decimal | None:
        """Age in years of completed months, None where no birth date is recorded."""
        born = self.facts.birth_date
        return None if born is None else Decimal(whole_months(born, self.facts.today)) / 12

    @property
    def age_words(self) -> str:
        """The age as a fact for an alert."""
        if self.facts.birth_date is None:
            return "date of birth not recorded"
        months, born = whole_months(self.facts.birth_date, self.facts.today), clinical_date(self.facts.birth_date)
        if months < 24:
            return f"{months} {'month' if months == 1 else 'months'} old (born {born})"
        return f"{months // 12} years old (born {born})"


def make_case(facts: PatientFacts, lines: Sequence[Prescribed], knowledge: Knowledge) -> Case:
    """Read every name once."""
    return Case(facts, tuple(Line(n, line, name(line.medicine, knowledge, line.route)) for n, line in enumerate(lines)),
                tuple(name(text, knowledge) for text in facts.medicines), knowledge)


def name(text: str, knowledge: Knowledge, route: str = "") -> Named:
    """What a medicine's text names. Combinations become their ingredients."""
    naming: Naming = knowledge.names.read(text)
    ingredients = tuple(dict.fromkeys(i for m in naming.found for i in knowledge.medicines[m].ingredients))
    groups = {group for i in ingredients for group in knowledge.medicines[i].groups}
    put_on = _LOCAL_ROUTE.fullmatch(key_of(route)) is not None and not naming.in_the_body if route else naming.local
    local = put_on and groups.isdisjoint(_SYSTEMIC_THOUGH_ON_THE_SKIN)
    return Named(text, naming.found, ingredients, naming.unknown, local)


def listed(words: Iterable[str], joint: str = "and") -> str:
    """Words as a list in a sentence."""
    every = list(words)
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} {joint} {every[-1]}" if every else ""


def capital(sentence: str) -> str:
    """The sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]


def slug(*parts: str) -> str:
    """A key that stays the same in every version: words joined by hyphens, parts by strokes."""
    return "/".join(key_of(part).replace(" ", "-") for part in parts if part)


def alert(case: Case, table: str, rule: Rule, tier: int, key: str, about: Line | str, sentence: str, *, advice: str = "", other: str = "",
          facts: Sequence[str] = (), source: str = "") -> Alert:
    """An alert with the date and approval of its table; `source` is a key of the table of sources, empty for a rule of the house.

    `about` is the line it stands under, or its medicine where every line of that name is meant.
    """
    known = case.knowledge
    line = about if isinstance(about, Line) else next((one for one in case.lines if one.medicine == about), case.lines[0])
    level: Tier = 1 if tier == 1 else 2 if tier == 2 else 3
    return Alert(rule, level, key, line.medicine, capital(sentence), advice, other, tuple(facts),
                 known.source(source) if source else "a rule of this programme", known.dates.get(table, ""), known.approval(table),
                 line.number)


def not_checked(case: Case, table: str, tier: int, key: str, about: Line | str, sentence: str, *, advice: str = "", other: str = "",
                facts: Sequence[str] = ()) -> Alert:
    """Something that could not be checked: said in words, never silence."""
    return alert(case, table, "not-checked", tier, f"not-checked/{key}", about, sentence, advice=advice, other=other, facts=facts)


def allergy_words(allergy: KnownAllergy) -> str:
    """An allergy as a fact for an alert: substance, reaction, severity and date."""
    reaction = allergy.reaction or "reaction not recorded"
    severity = f", {allergy.severity}" if allergy.severity else ", severity not recorded"
    noted = f", noted {clinical_date(allergy.noted_on)}" if allergy.noted_on else ""
    return f"Allergy: {allergy.substance} ({reaction}{severity}{noted})"
