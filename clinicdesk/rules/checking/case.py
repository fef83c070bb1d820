"""One case as the checks see it: the patient, the prescribed lines and current medicines read against the tables, and how an alert is
written so that every one names its source, the date of its table and what was said of its approval."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from clinicdesk.rules.knowledge import Knowledge
from clinicdesk.rules.medicine_names import Naming, key_of
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.safety import Alert, KnownAllergy, PatientFacts, Prescribed, Rule, Tier

_SYSTEMIC_THOUGH_ON_THE_SKIN: Final = ("nitrate", "opioid", "sex-hormone", "maoi")
_LOCAL_ROUTE: Final = re.compile(
    r"(?:(?:on|onto|in|into|to)\b ?)?(?:\b(?:the|each|both|right|left|affected)\b ?)*"
    r"(?:eyes?|ears?|skin|scalp|nails?|area)(?: drops?| ointment)?"
    r"|topical(?:ly)?|cutaneous|dermal|external(?:ly| use)?|ophthalmic(?:ally)?|ocular|conjunctival|otic|aural|auricular|mouthwash\b.*")


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


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a room needs."""

    facts: PatientFacts
    lines: tuple[Line, ...]
    current: tuple[Named, ...]
    knowledge: Knowledge

    @property
    def age(self) -> Decimal | None:
        """Age in years, None where no birth date is recorded."""
        born, today = self.facts.birth_date, self.facts.today
        if born is None:
            return None
        whole = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
        last = _birthday(born, born.year + whole)
        return Decimal(whole) + Decimal((today - last).days) / 366

    @property
    def age_words(self) -> str:
        """The age as a fact for an alert."""
        age = self.age
        if age is None or self.facts.birth_date is None:
            return "date of birth not recorded"
        born = clinical_date(self.facts.birth_date)
        if age < 2:
            months = int(age * 12)
            return f"{months} {'month' if months == 1 else 'months'} old (born {born})"
        return f"{int(age)} years old (born {born})"


def _birthday(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:  # 29 February
        return date(year, 3, 1)


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


def alert(case: Case, table: str, rule: Rule, tier: int, key: str, medicine: str, sentence: str, *, advice: str = "", other: str = "",
          facts: Sequence[str] = (), source: str = "") -> Alert:
    """An alert with the date and approval of its table; `source` is a key of the table of sources, empty for a rule of the house."""
    known = case.knowledge
    level: Tier = 1 if tier == 1 else 2 if tier == 2 else 3
    return Alert(rule, level, key, medicine, capital(sentence), advice, other, tuple(facts),
                 known.source(source) if source else "a rule of this programme", known.dates.get(table, ""), known.approval(table))


def not_checked(case: Case, table: str, tier: int, key: str, medicine: str, sentence: str, *, advice: str = "", other: str = "",
                facts: Sequence[str] = ()) -> Alert:
    """Something that could not be checked: said in words, never silence."""
    return alert(case, table, "not-checked", tier, f"not-checked/{key}", medicine, sentence, advice=advice, other=other, facts=facts)


def allergy_words(allergy: KnownAllergy) -> str:
    """An allergy as a fact for an alert: substance, reaction, severity and date."""
    reaction = allergy.reaction or "reaction not recorded"
    severity = f", {allergy.severity}" if allergy.severity else ", severity not recorded"
    noted = f", noted {clinical_date(allergy.noted_on)}" if allergy.noted_on else ""
    return f"Allergy: {allergy.substance} ({reaction}{severity}{noted})"
