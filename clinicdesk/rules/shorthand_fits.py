"""Whether a dose can be meant: the unit, the way and the form are those of a presentation on file, and the number is a likely one.

What the formulary does not have is a question, never a refusal for good: the sheet takes everything. The limits find typing errors; they
are no dose limits and come from no medical source: five times the largest strength of the medicine or more (of a liquid the largest
container on file: `80 mg in 2 mL`; or less than a twentieth of the smallest), more pieces at once than a person would count out, more
insulin than one pen gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.directions import FORMS, ROUTES, Direction, dose_words
from clinicdesk.rules.doses import DOSE_UNITS, fmt_dose, fmt_number
from clinicdesk.rules.formulary import Presentation, Product
from clinicdesk.rules.shorthand_words import COUNTED
from clinicdesk.rules.strengths import Content, content, converted

TOO_MANY: Final = 5
TOO_LITTLE: Final = 20
#: A number of pieces up to this is an ordinary count.
MOST_PIECES: Final = 4
#: More than this at once is a typing error.
MOST_AT_ONCE: Final = MappingProxyType({
    "tablet": 20, "capsule": 20, "puff": 20, "drop": 60, "spray": 10, "patch": 6, "suppository": 4, "pessary": 4, "sachet": 10,
    "lozenge": 6, "application": 10, "mL": 3000, "L": 3, "g": 200, "mg": 50_000, "microgram": 200_000_000, "dose": 10, "ampoule": 20,
    "vial": 20, "inhaler": 4, "pen": 4, "tube": 10, "bottle": 10, "pack": 10, "unit": 10_000_000, "international unit": 10_000_000})
#: Insulin is written in units alone, and no pen gives more than this at once.
_INSULIN: Final = "insulin"
_MOST_INSULIN: Final = 160
_UNITS: Final = frozenset({"unit", "international unit"})
#: Pieces that are not divided.
_WHOLE: Final = frozenset({"patch", "puff", "spray", "drop", "capsule"})
#: Amounts of packages: every medicine has them.
_PACKAGES: Final = frozenset({"dose", "pen", "inhaler", "tube", "bottle", "pack"})
_SPLIT: Final = frozenset({Decimal("0.25"), Decimal("0.5"), Decimal("0.75")})
_ELECTROLYTES: Final = ("potassium", "sodium", "calcium", "magnesium")

INJECTED: Final = frozenset({"subcutaneous", "intramuscular", "intravenous", "infusion", "intradermal"})
_SIDES: Final = MappingProxyType({f"both {where}s": (f"right {where}", f"left {where}", f"both {where}s") for where in ("eye", "ear")})
#: Ways that one form is given: the usual route of the form → all of them. A cream goes where skin is and beside it.
_WAYS: Final = MappingProxyType({
    "oral": frozenset({"oral", "feeding tube"}), "sublingual": frozenset({"sublingual", "buccal"}),
    **dict.fromkeys(("inhaled", "nebulised"), frozenset({"inhaled", "nebulised"})), "nasal": frozenset({"nasal", "each nostril"}),
    **{both: frozenset(sides) for both, sides in _SIDES.items()},
    "topical": frozenset({"topical", "transdermal", "rectal", "vaginal", "nasal", "each nostril"}),
    "transdermal": frozenset({"transdermal", "topical"}), "rectal": frozenset({"rectal"}), "vaginal": frozenset({"vaginal"}),
    "mouthwash": frozenset({"mouthwash"}), **dict.fromkeys(INJECTED, INJECTED)})
#: In use, though no form of the formulary says so (general knowledge, from no source): ways and units that are not asked about.
_ALSO: Final = MappingProxyType({
    "glyceryl trinitrate": frozenset({"spray"}), "misoprostol": frozenset({"sublingual", "buccal", "vaginal", "rectal"}),
    "lorazepam": frozenset({"sublingual"}), "midazolam": frozenset({"buccal", "nasal", "each nostril"}),
    "epinephrine": frozenset({"nebulised"})})

Asked = tuple[str, str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Amount:
    """A typed amount above zero; `unit` is empty for a bare number."""

    value: Decimal
    unit: str
    text: str


def amount_words(value: Decimal, unit: str) -> str:
    """An amount in words for a question."""
    try:
        return fmt_dose(value, unit)
    except Invalid:
        return f"{fmt_number(value)} {unit}".strip()


def piece_words(value: Decimal, unit: str) -> str:
    """The same as in a direction: `half a tablet`."""
    return dose_words(Direction(dose_value=value, dose_unit=unit))


def strengths_of(product: Product | None, value: Decimal, unit: str) -> tuple[str, ...]:
    """The strengths on file of the pieces a unit counts, that are this number."""
    rows = product.presentations if product else ()
    return _once(r.strength for r in rows if _counts(r, unit) and _first_number(r.strength) == value)


def not_on_file(product: Product, unit: str, route: str, form: str) -> list[Asked]:
    """What is asked where no presentation has this form, way or unit; each may be empty. Nothing where all are had together."""
    rows, ways = product.presentations, ROUTES[route].label if route else ""
    if not rows:
        return []
    if form and not any(_alike(r.form, form) for r in rows):
        return [("form", f"{product.name} is not on file as {form}.", _once(f"{r.strength} {r.form}".strip() for r in rows))]
    if route and not any(_given(product, r, route) for r in rows):
        return [("route", f"{product.name} is not on file {ways}.", _labels(rows))]
    if unit and product.name.startswith(_INSULIN) and not _measured(product, rows[0], unit):
        return [("dose_unit", f"{product.name} is written in units.", ())]
    if unit and not any(_measured(product, r, unit) for r in rows):
        return [("dose_unit", f"{product.name} is not on file in {DOSE_UNITS[unit].plural}.", ())]
    together = [r for r in rows if (not route or _given(product, r, route)) and (not unit or _measured(product, r, unit))]
    if not together:
        return [("dose_unit", f"{product.name} is not on file in {DOSE_UNITS[unit].plural} {ways}.", _once(r.form for r in rows))]
    return []


def other_units(product: Product, value: Decimal, unit: str) -> tuple[str, ...]:
    """The same number in the units on file, where it is a likely dose in them."""
    insulin = product.name.startswith(_INSULIN)
    if insulin and unit in COUNTED:
        return ()
    known = [c for c in (content(r.strength) for r in product.presentations) if c is not None and (insulin or value * 2 >= c.value)]
    pieces = (own for r in product.presentations if (own := FORMS[r.form].unit) in COUNTED)
    units = _once(pieces if unit in COUNTED - {"mL"} else (c.unit for c in known))
    found = [Amount(value, u, "") for u in units if u != unit and any(_measured(product, r, u) for r in product.presentations)]
    return _once(amount_words(a.value, a.unit) for a in found if not implausible(a, product.presentations, product))


def odd_count(dose: Amount, product: Product | None) -> list[Asked]:
    """A number of pieces that is rather their strength (`5 patches` of 5 micrograms), or a part of what is not divided."""
    if dose.unit not in COUNTED - {"mL", "dose", "application"}:
        return []
    count = amount_words(dose.value, dose.unit)
    divided = dose.value != int(dose.value)
    odd = divided and dose.value % 1 not in _SPLIT
    unlikely = dose.value > MOST_PIECES or odd or (dose.unit == "patch" and dose.value > 1)
    strengths = strengths_of(product, dose.value, dose.unit)
    if strengths and (unlikely or (divided and dose.unit in _WHOLE)):
        possible = () if divided or dose.value > MOST_AT_ONCE[dose.unit] else (count,)
        return [("dose_value", f"{count}, or is {fmt_number(dose.value)} the strength?",
                 (*possible, *(f"{s}, {piece_words(Decimal(1), dose.unit)}" for s in strengths)))]
    if divided and dose.unit in _WHOLE:
        return [("dose_value", f"{count}: a {dose.unit} is not divided.", ())]
    return []


def implausible(dose: Amount, offered: Iterable[Presentation], product: Product | None = None) -> list[Asked]:
    """A number that is surely a typing error."""
    most = MOST_AT_ONCE.get(dose.unit)
    if product is not None and product.name.startswith(_INSULIN) and dose.unit in _UNITS:
        most = _MOST_INSULIN
    words = amount_words(dose.value, dose.unit)
    if most is not None and dose.value > most:
        return [("dose_value", f"{words} at once is surely a typing error.", ())]
    same: list[tuple[Decimal, Content]] = []
    for row in offered:
        known = content(row.strength)
        amount = converted(dose.value, dose.unit, known.unit) if known is not None else None
        if known is not None and amount is not None:
            same.append((amount, known))
    if same and all(amount >= known.value * TOO_MANY for amount, known in same):
        return [("dose_value", f"{words} is {TOO_MANY} times the largest strength or more: is the number or the unit wrong?", ())]
    if same and all(not known.per_unit and amount * TOO_LITTLE < known.value for amount, known in same):
        return [("dose_value", f"{words} is less than a {TOO_LITTLE}th of the smallest strength: is the number or the unit wrong?", ())]
    return []


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in words if word))


def _first_number(strength: str) -> Decimal | None:
    """The number of a strength on file, also of a rate; None for a combination."""
    match = re.match(r"\d[\d,]*(?:\.\d+)?", strength)
    return Decimal(match.group().replace(",", "")) if match and "+" not in strength else None


def _labels(rows: Sequence[Presentation]) -> tuple[str, ...]:
    """The ways on file; which way of injecting, is the prescriber's."""
    routes = (route for r in rows for route in _SIDES.get(FORMS[r.form].route, (FORMS[r.form].route,)))
    return _once(ROUTES[route].label for route in routes if route not in INJECTED)


def _alike(one: str, other: str) -> bool:
    """Whether two forms are given the same way and counted in the same pieces."""
    a, b = FORMS[one], FORMS[other]
    if not a.strength or not b.strength or {a.route, b.route} <= INJECTED:
        return True
    return _WAYS[a.route] == _WAYS[b.route] and (a.unit == b.unit or {a.unit, b.unit} == {"tablet", "capsule"})


def _given(product: Product, row: Presentation, route: str) -> bool:
    rinsed = route == "mouthwash" and FORMS[row.form].unit == "mL"
    return route in _WAYS[FORMS[row.form].route] or rinsed or route == product.route or route in _ALSO.get(product.name, ())


def _counts(row: Presentation, unit: str) -> bool:
    own = FORMS[row.form].unit
    return own == unit or {own, unit} <= {"tablet", "capsule"}


def _measured(product: Product, row: Presentation, unit: str) -> bool:
    """Whether a presentation may be given in this unit; where its strength names no measure, any amount may be meant."""
    if unit in _PACKAGES or unit in _ALSO.get(product.name, ()):
        return True
    if product.name.startswith(_INSULIN):
        return unit in _UNITS
    injected = FORMS[row.form].route in INJECTED
    if unit in {"ampoule", "vial"}:
        return injected or row.form == "nebuliser solution"
    if unit in {"mL", "L"}:
        return _counts(row, "mL") or "mL" in row.strength or "solution" in row.form or row.form == "powder"  # made up with water
    if unit in COUNTED or FORMS[row.form].route in _SIDES:
        return _counts(row, unit)
    if unit == "mmol" and product.name.startswith(_ELECTROLYTES):
        return True
    named = set(re.findall(r"unit|mmol|%|(?:micro|nano)?gram|\bm?g\b", row.strength))
    wanted = {"unit"} if unit in _UNITS else {"mmol"} if unit == "mmol" else {"%", "gram", "microgram", "nanogram", "g", "mg"}
    return not named or bool(named & wanted)
