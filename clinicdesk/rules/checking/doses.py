"""Maximum doses: single, daily, weekly, by weight for children, and over all lines together.

Going over a limit is tier 2; tier 1 where the row of the table is marked hard, or above twice the limit (a slip of unit or of a factor of
ten), after reference R33. A child never gets more than the adult limit; limits by weight leave 10 % for doses that can be measured.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clinicdesk.rules.checking.amounts import Amount, Given, given
from clinicdesk.rules.checking.case import Case, Line, alert, not_checked, slug
from clinicdesk.rules.doses import LARGEST, fmt_dose, fmt_number
from clinicdesk.rules.knowledge import Limit
from clinicdesk.rules.safety import Alert

#: Above this multiple of a limit it is a slip, not a choice (our proposal).
SLIP: Final = 2
#: A dose by weight is rounded to what a spoon or a tablet gives (our proposal).
ROUNDING: Final = Decimal("1.1")
CHILD_BELOW: Final = 12
ADULT_FROM: Final = 18
#: A patient below 18 who weighs less than this is no adult to a dose (our proposal).
LIGHT_KG: Final = 40
_BASE: Final = {"g": ("microgram", Decimal(1_000_000)), "mg": ("microgram", Decimal(1_000)), "microgram": ("microgram", Decimal(1)),
                "unit": ("unit", Decimal(1)), "mmol": ("mmol", Decimal(1))}
_GRAM: Final = _BASE["g"][1]
#: A little above one dose in seven days: what is oftener is not weekly.
WEEKLY: Final = Decimal("0.143")


@dataclass(frozen=True, slots=True)
class _Bound:
    limit: Limit
    amount: Decimal
    unit: str
    words: str


def check_doses(case: Case) -> Iterator[Alert]:
    """Every line alone, then what all lines give together."""
    totals: dict[str, list[tuple[Line, Amount]]] = {}
    alone: set[str] = set()
    for line in case.lines:
        if not line.named.known or line.named.local:
            continue
        for ingredient, amounts in given(case, line).items():
            whole = amounts.dose if _is_weekly(case, ingredient) else amounts.day
            if whole is not None:
                totals.setdefault(ingredient, []).append((line, whole))
            for one in _line(case, line, ingredient, amounts):
                if one.rule == "max-dose":
                    alone.add(ingredient)
                yield one
    for ingredient, days in totals.items():
        if len(days) > 1 and ingredient not in alone and len({day.unit for _, day in days}) == 1:
            least, most = sum((d.least for _, d in days), Decimal(0)), sum((d.most for _, d in days), Decimal(0))
            yield from _over(case, days[-1][0], ingredient, Amount(least, most, days[0][1].unit),
                             "weekly-max" if _is_weekly(case, ingredient) else "daily-max", together=len(days))


def _line(case: Case, line: Line, ingredient: str, amounts: Given) -> Iterator[Alert]:
    rows = case.knowledge.limits.get(ingredient, ())
    limits = [row for row in rows if row.fact.endswith(("-max", "-max-per-kg")) and row.holds_for(case.age, line.route)]
    weekly = next((row for row in rows if row.fact == "weekly-max"), None)
    stop = _too_often(case, line, ingredient, weekly) if weekly else None
    if stop is not None:
        yield stop
        return
    if not limits:
        yield not_checked(case, "limits", 3, slug("max-dose", ingredient), line, f"No maximum dose is on file for {ingredient}"
                          f"{_group_words(case)}{' on this route' if line.route and any('-max' in row.fact for row in rows) else ''}.",
                          advice="Check the dose against your own source.", facts=_dose_facts(line))
        return
    yield from _gap(case, line, ingredient, amounts)
    if amounts.dose is not None:
        yield from _over(case, line, ingredient, amounts.dose, "single-max")
    if amounts.day is not None:
        yield from _over(case, line, ingredient, amounts.day, "daily-max")
    if weekly and amounts.dose is not None:  # one dose is what a week gets
        yield from _over(case, line, ingredient, amounts.dose, "weekly-max")
    yield from _weight(case, line, ingredient, limits, amounts)


def _weight(case: Case, line: Line, ingredient: str, limits: list[Limit], amounts: Given) -> Iterator[Alert]:
    age = case.age
    if age is None:
        yield not_checked(case, "limits", 3, slug("age-unknown", ingredient), line,
                          f"The date of birth is not recorded; {ingredient} was checked against the adult limits alone.",
                          advice="Ask for the date of birth.", facts=("date of birth not recorded",))
        return
    if age >= CHILD_BELOW:
        if age < ADULT_FROM and case.facts.weight_kg is not None and case.facts.weight_kg < LIGHT_KG:
            yield _light(case, line, ingredient, amounts)
        return
    by_weight = [row for row in limits if row.fact.endswith("-per-kg")]
    if by_weight and case.facts.weight_kg is None:
        yield not_checked(case, "limits", 2, slug("weight", ingredient), line,
                          f"The dose of {ingredient} for this child was not checked: no weight is recorded.",
                          advice="Weigh the child and enter the weight.", facts=(case.age_words, "weight not recorded"))
    if not by_weight and not any(row.below_age is not None for row in limits):
        yield not_checked(case, "limits", 3, slug("child-dose", ingredient), line,
                          f"No dose by weight is on file for {ingredient}; only the adult limit was checked.",
                          advice="Check the child’s dose against your own source.", facts=(case.age_words,))


def _light(case: Case, line: Line, ingredient: str, amounts: Given) -> Alert:
    """Too old for the limits by weight, too light for those of adults: said, and asked where a younger child would get less."""
    weight = case.facts.weight_kg or Decimal(0)
    over = False
    for row in case.knowledge.limits.get(ingredient, ()):
        given_of = {"single-max-per-kg": amounts.dose, "daily-max-per-kg": amounts.day}.get(row.fact)
        if given_of is not None and row.value is not None:
            unit, factor = _BASE[row.unit]
            over = over or (unit == given_of.unit and given_of.least > row.value * factor * weight * ROUNDING)
    more = ", and by weight a younger child would get less" if over else ""
    return not_checked(case, "limits", 2 if over else 3, slug("light", ingredient), line,
                       f"No dose of {ingredient} by weight was checked for this patient of {fmt_number(weight)} kg; only the adult limit"
                       f" was{more}.", advice="Check the dose by weight against your own source.",
                       facts=(case.age_words, f"weight {fmt_number(weight)} kg"))


def _is_weekly(case: Case, ingredient: str) -> bool:
    return any(row.fact == "weekly-max" for row in case.knowledge.limits.get(ingredient, ()))


def _too_often(case: Case, line: Line, ingredient: str, limit: Limit) -> Alert | None:
    """Medicines taken once a week, whatever the route: more than one dose in seven days is a hard stop. A single dose in all is none."""
    p = line.prescribed
    if p.times_per_day is None and p.max_per_day is None:
        return not_checked(case, "limits", 2, slug("weekly", ingredient), line,
                           f"{ingredient} is taken once a week; how often it is to be taken here could not be read.",
                           advice="State the day of the week.", facts=_dose_facts(line))
    often = Decimal(1) if p.times_per_day is None else p.times_per_day
    if often <= WEEKLY or (p.duration_days == 1 and often <= 1):
        return None
    return alert(case, "limits", "max-dose", 1, slug("max-dose", ingredient, "weekly"), line,
                 f"{ingredient} is prescribed more often than once a week. Daily {ingredient} has killed patients.",
                 advice="Prescribe one dose on one named day of the week.", other="once a week", facts=_dose_facts(line),
                 source=limit.source)


def _gap(case: Case, line: Line, ingredient: str, amounts: Given) -> Iterator[Alert]:
    if amounts.gap and not line.prescribed.unclear:
        yield not_checked(case, "limits", 2 if amounts.plain else 3, slug("max-dose", ingredient, "amount"), line,
                          f"The dose of {ingredient} was not checked: {amounts.gap}.", facts=_dose_facts(line),
                          advice="Complete the direction, or check the dose yourself.")


def _over(case: Case, line: Line, ingredient: str, amount: Amount, fact: str, together: int = 0) -> Iterator[Alert]:
    for bound in sorted(_bounds(case, ingredient, fact, line.route), key=lambda b: b.amount):
        if bound.unit != amount.unit:
            yield not_checked(case, "limits", 3, slug("max-dose", ingredient, "unit"), line,
                              f"The dose of {ingredient} was not checked: its limit is in another unit ({bound.words}).")
            return
        if amount.most <= bound.amount:
            continue
        span = {"single-max": "in one dose", "daily-max": "in a day", "weekly-max": "in a week"}[fact]
        if amount.least <= bound.amount:
            yield not_checked(case, "limits", 2, slug("max-dose", ingredient, "strength"), line,
                              f"Whether {ingredient} stays below {bound.words} {span} depends on the strength, which is not given.",
                              advice="Choose the strength.", facts=_dose_facts(line))
            return
        tier = 1 if bound.limit.hard or amount.least > SLIP * bound.amount else 2
        together_words = f"The {together} lines together give" if together else f"{line.medicine} gives"
        words = _words(amount.least, amount.unit)
        yield alert(case, "limits", "max-dose", tier, slug("max-dose", ingredient, bound.limit.fact), line,
                    f"{together_words} {words} of {ingredient} {span}; the most is {bound.words}.",
                    advice=bound.limit.note or "Lower the dose or the number of doses.", other=bound.words,
                    facts=(*_dose_facts(line), *_person(case, bound.limit)), source=bound.limit.source)
        return


def _bounds(case: Case, ingredient: str, fact: str, route: str) -> Iterator[_Bound]:
    weight = case.facts.weight_kg
    for row in case.knowledge.limits.get(ingredient, ()):
        if row.value is None or row.fact not in {fact, f"{fact}-per-kg"}:
            continue
        if not row.holds_for(case.age, route) and not _ceiling(case, row, route):
            continue
        unit, factor = _BASE[row.unit]
        if row.fact == fact:
            yield _Bound(row, row.value * factor, unit, _words(row.value * factor, unit))
        elif weight is not None and case.age is not None and case.age < ADULT_FROM:
            amount = row.value * factor * weight
            each = f"{fmt_number(row.value)} {row.unit} for each kg"
            yield _Bound(row, amount * ROUNDING, unit, f"{_words(amount, unit)} ({each}, {fmt_number(weight)} kg)")


def _ceiling(case: Case, row: Limit, route: str) -> bool:
    """The adult limit holds for a child as well: never more than an adult."""
    return case.age is not None and case.age < ADULT_FROM and row.below_age is None and not row.fact.endswith("-per-kg") and (
        row.holds_for(Decimal(30), route))


def _words(amount: Decimal, unit: str) -> str:
    if unit == "microgram" and amount >= _GRAM:
        return f"{fmt_number((amount / _GRAM).quantize(Decimal('0.000001')))} g"
    rounded = amount.quantize(Decimal("0.01")) if amount != amount.quantize(Decimal("0.01")) else amount
    return fmt_dose(rounded, unit) if 0 < rounded < LARGEST else f"{fmt_number(amount)} {unit}"


def _dose_facts(line: Line) -> tuple[str, ...]:
    p = line.prescribed
    parts = []
    if p.dose_value is not None:
        parts.append(f"dose {fmt_number(p.dose_value)} {p.dose_unit}")
    if p.strength:
        parts.append(f"strength {p.strength}")
    if p.times_per_day is not None:
        parts.append(f"{fmt_number(p.times_per_day.normalize().quantize(Decimal('0.01')))} times a day")
    if p.max_per_day is not None:
        parts.append(f"at most {fmt_number(p.max_per_day)} {p.dose_unit} a day")
    return (", ".join(parts),) if parts else (("written: " + p.text,) if p.text else ())


def _person(case: Case, limit: Limit) -> tuple[str, ...]:
    weight = case.facts.weight_kg
    if limit.fact.endswith("-per-kg") and weight is not None:
        return (case.age_words, f"weight {fmt_number(weight)} kg")
    return (case.age_words,) if limit.from_age is not None or limit.below_age is not None else ()


def _group_words(case: Case) -> str:
    age = case.age
    return " at this age" if age is not None and age < CHILD_BELOW else ""
