"""How much of each ingredient a line gives: in one dose and in a day. What cannot be converted is None with the reason, never a guess."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from clinicdesk.rules.checking.case import Case, Line
from clinicdesk.rules.doses import DOSE_UNITS
from clinicdesk.rules.formulary import Presentation
from clinicdesk.rules.medicine_names import key_of
from clinicdesk.rules.numerals import number
from clinicdesk.rules.shorthand_words import UNITS
from clinicdesk.rules.texts import latin_digits, tidy

_COUNTED: Final = frozenset({"tablet", "capsule", "suppository", "sachet", "puff", "spray", "patch", "pessary", "lozenge", "vial",
                             "ampoule", "dose", "pen"})
_WEIGHED: Final = {word: DOSE_UNITS[name] for word, name in UNITS.items()
                   if DOSE_UNITS[name].micrograms is not None or name in {"unit", "international unit", "mmol"}}
_N: Final = r"(?<![\w.,])(\d+(?:[.,]\d+)*)"
_UNIT: Final = f"({'|'.join(sorted(map(re.escape, _WEIGHED), key=len, reverse=True))})"
_AMOUNT: Final = re.compile(
    rf"{_N}\s*{_UNIT}\b(?:\s*(?:/|in|per)\s*(\d+(?:[.,]\d+)*)?\s*"
    r"(ml|litre|l|actuation|actuat|puff|spray|dose|hr|hour|g|sachet|tablet|capsule)\b)?")
_SLASHED: Final = re.compile(rf"{_N}\s*/\s*(\d+(?:[.,]\d+)*)\s*{_UNIT}\b")
_TABLET_LIKE: Final = {"tablet": "tablet", "capsule": "capsule", "suppository": "suppository", "sachet": "powder", "mL": "",
                       "puff": "inhaler", "patch": "patch", "lozenge": "lozenge", "pessary": "pessary", "spray": "spray"}


@dataclass(frozen=True, slots=True)
class Strength:
    """So much of one ingredient, in micrograms or units, for one counted piece or for `per_ml` millilitres."""

    amount: Decimal
    unit: str
    per_ml: Decimal | None


@dataclass(frozen=True, slots=True)
class Amount:
    """So much of one ingredient; `unit` is microgram, unit or mmol. `least` and `most` differ where the strength is open."""

    least: Decimal
    most: Decimal
    unit: str

    def times(self, factor: Decimal) -> Amount:
        """The amount of several doses."""
        return Amount(self.least * factor, self.most * factor, self.unit)


@dataclass(frozen=True, slots=True)
class Given:
    """What a line gives of one ingredient: one dose, one day; None with the reason in `gap` where it cannot be told, `plain` where the
    direction itself lacks it."""

    dose: Amount | None
    day: Amount | None
    gap: str = ""
    plain: bool = False


@dataclass(frozen=True, slots=True)
class _Gap:
    """Why an amount cannot be told; `plain` where the direction itself lacks it."""

    words: str
    plain: bool = False


def strengths(text: str) -> tuple[Strength, ...]:
    """The strengths in a text, in order: `500 mg + 125 mg`, `250 mg in 5 mL`, `800/160 mg`, `0,25 mg`, `0.09 MG/ACTUAT`.

    None of them where one is typed so that it may mean two amounts (`1.000 mg`).
    """
    spread = _SLASHED.sub(r"\1 \3 + \2 \3", latin_digits(tidy(text)).casefold())
    found: list[Strength] = []
    for amount, word, per, per_unit in _AMOUNT.findall(spread):
        unit = _WEIGHED[word]
        value, volume = _number(amount, unit.name), _number(per or "1")
        if value is None or volume is None:
            return ()
        if per_unit in {"hr", "hour"}:
            continue  # a rate, not a strength
        per_ml = volume * (1 if per_unit == "ml" else 1000) if per_unit in {"ml", "l", "litre"} else None
        found.append(Strength(value * unit.micrograms, "microgram", per_ml) if unit.micrograms is not None
                     else Strength(value, "mmol" if unit.name == "mmol" else "unit", per_ml))
    if found and found[-1].per_ml is not None:
        found = [Strength(s.amount, s.unit, found[-1].per_ml if s.per_ml is None else s.per_ml) for s in found]
    return tuple(found)


def _number(text: str, unit: str = "") -> Decimal | None:
    try:
        return number(text, unit)
    except ArithmeticError:
        return None


def given(case: Case, line: Line) -> dict[str, Given]:
    """For every ingredient of the line what it gives."""
    return {ingredient: _given(case, line, place) for place, ingredient in enumerate(line.named.ingredients)}


def _given(case: Case, line: Line, place: int) -> Given:
    p = line.prescribed
    if p.dose_value is None or not p.dose_unit:
        return Given(None, None, "the dose is not given as an amount", plain=True)
    one = _amount(case, line, place, p.dose_value, p.dose_unit)
    if isinstance(one, _Gap):
        return Given(None, None, one.words, one.plain)
    most = _amount(case, line, place, p.max_per_day, p.dose_unit) if p.max_per_day is not None else None
    if isinstance(most, Amount):  # a greatest amount bounds what is taken as needed; a fixed schedule is what is given
        scheduled = None if p.as_needed or p.times_per_day is None else one.times(p.times_per_day)
        return Given(one, scheduled if scheduled is not None and scheduled.most > most.most else most)
    if p.times_per_day is None:
        gap = "how often it is taken is not given" if not p.as_needed else "no greatest amount in a day is given"
        return Given(one, None, gap, plain=True)
    return Given(one, one.times(p.times_per_day))


def _amount(case: Case, line: Line, place: int, value: Decimal, unit: str) -> Amount | _Gap:
    stored = DOSE_UNITS.get(unit)
    combined = len(line.named.ingredients) > 1
    if stored is not None and stored.micrograms is not None:
        if combined:
            return _Gap("it holds several medicines and the dose does not say of which")
        return Amount(value * stored.micrograms, value * stored.micrograms, "microgram")
    if unit in {"unit", "international unit", "mmol"}:
        return Amount(value, value, "unit" if unit != "mmol" else "mmol")
    if unit not in _COUNTED and unit != "mL":
        return _Gap(f"a dose in {DOSE_UNITS[unit].plural if unit in DOSE_UNITS else unit} cannot be converted")
    unread = _unread(line)
    if unread:
        return _Gap(f"of the strength “{unread}” no amount was read", plain=True)
    options = _options(case, line, place, unit)
    if not options:
        return _Gap("its strength is not given")
    amounts = sorted(s.amount * value / (s.per_ml or 1) if unit == "mL" else s.amount * value for s in options)
    return Amount(amounts[0], amounts[-1], options[0].unit)


def _unread(line: Line) -> str:
    """A strength that was typed and says no amount, in its own field or within the name."""
    for text in (line.prescribed.strength, line.medicine):
        if strengths(text):
            return ""
        if text and (text == line.prescribed.strength or _AMOUNT.search(latin_digits(tidy(text)).casefold())):
            return text
    return ""


def _options(case: Case, line: Line, place: int, unit: str) -> Sequence[Strength]:
    """The strength that is written, else every strength on file for a form counted in this unit."""
    count = len(line.named.ingredients)
    on_file = _on_file(case, line, unit)
    for text in (line.prescribed.strength, line.prescribed.medicine):
        written = strengths(text)
        if written:
            ordered = written if count == 1 or _spelled_out(line) else _in_order(written, on_file)
            fits = len(ordered) == count and (ordered[place].per_ml is not None) == (unit == "mL")
            return [ordered[place]] if fits else []
    fitting = [s[place] for s in on_file if len(s) == count and (s[place].per_ml is not None) == (unit == "mL")]
    return fitting if len({s.unit for s in fitting}) == 1 else []


def _on_file(case: Case, line: Line, unit: str) -> list[tuple[Strength, ...]]:
    if len(line.named.medicines) != 1:
        return []
    product = case.knowledge.formulary.find(line.named.medicines[0])
    return [strengths(p.strength) for p in (product.presentations if product else ()) if _fits(p, unit)]


def _spelled_out(line: Line) -> bool:
    """Whether the ingredients stand in the text in the order of the strengths, unlike “co-codamol 30/500”."""
    key = key_of(line.prescribed.medicine)
    return len(line.named.medicines) > 1 or any(i in key for i in line.named.ingredients)


def _in_order(written: tuple[Strength, ...], on_file: Sequence[tuple[Strength, ...]]) -> tuple[Strength, ...]:
    """The strengths in the order of the ingredients, found by the only presentation that holds these amounts; else none."""
    def amounts(found: tuple[Strength, ...]) -> list[tuple[Decimal, str]]:
        return sorted((s.amount, s.unit) for s in found)
    return next((known for known in on_file if amounts(known) == amounts(written)), ())


def _fits(presentation: Presentation, unit: str) -> bool:
    wanted = _TABLET_LIKE.get(unit)
    return wanted is not None and wanted in presentation.form
