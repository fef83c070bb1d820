"""Which of the typed amounts is the dose and which the strength, and the unit of a bare number where the formulary settles it.

Where nothing is typed about the way, forms that are swallowed are meant where the medicine has some, the plain form before the modified
one; tablet and capsule of one strength are the same dose. `ASK_ROUTE` names medicines whose injected dose is another one: there the way
must be typed. (Conventions of this house, not from a source.) Whether the dose can be meant at all, `shorthand_fits.py` says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from clinicdesk.rules.directions import FORMS
from clinicdesk.rules.doses import DOSE_UNITS, fmt_number
from clinicdesk.rules.formulary import Presentation, Product
from clinicdesk.rules.numerals import number
from clinicdesk.rules.shorthand_fits import (
    INJECTED,
    MOST_AT_ONCE,
    MOST_PIECES,
    TOO_MANY,
    Amount,
    Asked,
    amount_words,
    implausible,
    odd_count,
)
from clinicdesk.rules.shorthand_words import COUNTED
from clinicdesk.rules.strengths import Content, content, converted, pieces

#: Forms whose usual route says nothing certain: the side, or the way of injecting, is the prescriber's.
_OPEN_FORMS: Final = frozenset(f for f in FORMS if "injection" in f or "infusion" in f or f.startswith(("prefilled", "eye", "ear"))
                               or f in {"device", "dressing"})

_BARE_PAIR: Final = re.compile(r"[\d.,]+/[\d.,]+")
_SWALLOWED: Final = frozenset({"oral"})
_SPECIAL: Final = ("modified-release", "gastro-resistant", "dispersible", "chewable", "sublingual", "soluble", "effervescent")
#: Not what is meant where nothing is said: a dose of miconazole is not swallowed because its gel for the mouth may be.
_KEPT_IN_THE_MOUTH: Final = "oral gel"
ASK_ROUTE: Final = frozenset({"morphine", "hydromorphone", "oxycodone", "pethidine", "fentanyl", "buprenorphine", "methadone", "ketamine",
                              "diazepam", "lorazepam", "midazolam", "haloperidol", "methotrexate", "phenobarbital", "ketorolac"})


@dataclass(frozen=True, slots=True)
class Reading:
    """The dose with what the formulary adds, and what is still unclear (field, sentence, choices)."""

    value: Decimal | None = None
    unit: str = ""
    medicine: str = ""
    strength: str = ""
    form: str = ""
    route: str = ""
    sides: tuple[str, ...] = ()
    for_eyes: bool = False
    for_ears: bool = False
    questions: tuple[Asked, ...] = field(default=())

    def converted(self, value: Decimal, unit: str) -> Decimal | None:
        """An amount in the unit of the dose: by mass, or through the strength; None where neither says."""
        if not self.unit:
            return None
        direct = converted(value, unit, self.unit)
        if direct is not None or not self.strength:
            return direct
        known = content(self.strength)
        if known is not None and (known.per_unit or FORMS[self.form].unit if self.form else known.per_unit) == self.unit:
            return pieces(value, unit, self.strength)
        return None


def settle(amounts: Sequence[Amount], strengths: Sequence[str], forms: Sequence[str], count: Decimal | None,
           product: Product | None, routes: Sequence[str] = ()) -> Reading:
    """Put amounts, typed strengths, typed forms, typed routes and the count of a schedule (1-0-1) together."""
    asked: list[Asked] = []
    amounts = list(dict.fromkeys(amounts))
    form = forms[0] if len(forms) == 1 else ""
    if len(forms) > 1:
        asked.append(("form", f"Two forms: {' and '.join(forms)}.", tuple(forms)))
    offered = _offered(product, form, routes, {a.unit for a in amounts} & COUNTED)
    strength_amount: Amount | None = None
    dose: Amount | None = None
    if count is not None:
        dose, strength_amount = _scheduled(amounts, count, form, offered, asked)
    elif len(amounts) == 1:
        dose = amounts[0]
        if form and not dose.unit and strengths:
            dose = Amount(dose.value, FORMS[form].unit, dose.text)
    elif len(amounts) == 2:
        dose, strength_amount = _pair(amounts, form, asked)
        if dose is not None and strength_amount is not None:
            asked += _all_of_it(dose, strength_amount, offered, first=amounts[0].unit in COUNTED)
    elif amounts:
        asked.append(("dose", f"Which is the dose: {', '.join(a.text for a in amounts)}?", tuple(a.text for a in amounts)))
    if dose is not None and not dose.unit:
        dose = _with_unit(dose, offered, _chosen(offered, strengths, None, None) or offered, form, asked)
    chosen = _chosen(offered, strengths, strength_amount, dose)
    pair = next((s for s in strengths if _BARE_PAIR.fullmatch(s)), "")
    if pair and not chosen:
        asked.append(("strength", f"“{pair}” is no strength of {product.name if product else 'a known medicine'} in the formulary.",
                      tuple(dict.fromkeys(f"{r.strength} {r.form}" for r in offered))))
    if strength_amount is not None and not strength_amount.unit and not chosen:
        what = f"{product.name if product else 'a known medicine'}{f' as {dose.unit}' if dose and dose.unit else ''}"
        asked.append(("strength", f"“{strength_amount.text}” is no strength of {what} in the formulary.",
                      tuple(dict.fromkeys(f"{r.strength} {r.form}" for r in offered))))
    if dose is not None and dose.unit:
        odd = odd_count(dose, product) if not strengths and strength_amount is None else []
        asked += odd or implausible(dose, offered, product)
    return _reading(product, offered, chosen, dose, strengths, strength_amount, form, asked, routes)


def _route_of(product: Product, row: Presentation) -> str:
    own = FORMS[row.form].route
    return product.route if product.route and own not in _SWALLOWED else own


def _offered(product: Product | None, form: str, routes: Sequence[str], counted: set[str]) -> list[Presentation]:
    """The presentations that are meant by what was typed about form and route."""
    rows = list(product.presentations) if product else []
    if product is None:
        return rows
    if form:
        alike = [r for r in rows if r.form == form]
        return alike or [r for r in rows if form in {"tablet", "capsule", "inhaler"} and r.form.endswith(form)] or rows
    rows = [r for r in rows if FORMS[r.form].unit in counted] or rows
    if routes:
        said = set(routes)
        fits = [r for r in rows if _route_of(product, r) in said or (said <= INJECTED and _route_of(product, r) in INJECTED)
                or any(route.split()[-1].rstrip("s") == r.form.split()[0] for route in said)]
        return fits or rows
    if counted - {"tablet", "capsule", "mL"}:
        return rows
    swallowed = [r for r in rows if _route_of(product, r) in _SWALLOWED and r.form != _KEPT_IN_THE_MOUTH]
    return swallowed if swallowed and product.name not in ASK_ROUTE else rows


def _plainest(rows: list[Presentation]) -> list[Presentation]:
    """Without the modified forms, where a plain one is left; tablet and capsule of one strength are one."""
    plain = [r for r in rows if not r.form.startswith(_SPECIAL)] or rows
    if len({r.strength for r in plain}) == 1 and {r.form for r in plain} <= {"tablet", "capsule"}:
        return plain[:1]
    return plain


def _scheduled(amounts: list[Amount], count: Decimal, form: str, offered: list[Presentation],
               asked: list[Asked]) -> tuple[Amount | None, Amount | None]:
    """1-0-1 counts pieces: an amount beside it is the strength of one piece."""
    if len(amounts) > 1:
        asked.append(("dose", f"Which is the strength: {' or '.join(a.text for a in amounts)}?", tuple(a.text for a in amounts)))
        return None, None
    given = amounts[0] if amounts else None
    if given is not None and given.unit in COUNTED:
        if count in (given.value, 1):
            return Amount(given.value, given.unit, given.text), None
        asked.append(("dose", f"“{given.text}” and {fmt_number(count)} at a time do not agree.", ()))
        return None, None
    fitting = _plainest([r for r in offered if _fits_strength(r, given)])
    units = {FORMS[form].unit} if form else {FORMS[r.form].unit for r in fitting}
    units &= {"tablet", "capsule", "sachet", "suppository", "pessary", "patch", "lozenge"}
    if len(units) == 1:
        unit = units.pop()
        return Amount(count, unit, f"{fmt_number(count)} {unit}"), given
    if given is not None and given.unit and count == 1:
        return given, None
    asked.append(("dose", f"{fmt_number(count)} of what at a time?", tuple(f"{fmt_number(count)} {u}" for u in ("tablet", "capsule"))))
    return None, None


def _fits_strength(row: Presentation, given: Amount | None) -> bool:
    if given is None:
        return True
    known = content(row.strength)
    if known is None or known.per_unit:
        return False
    return known.value == given.value if not given.unit else converted(given.value, given.unit, known.unit) == known.value


def _fits_puff(row: Presentation, given: Amount, unit: str) -> bool:
    """`100 micrograms` beside puffs is the strength `100 micrograms per puff`."""
    known = content(row.strength)
    if known is None or known.per_unit != unit or known.per_value != 1:
        return False
    return converted(given.value, given.unit or known.unit, known.unit) == known.value


def _pair(amounts: list[Amount], form: str, asked: list[Asked]) -> tuple[Amount | None, Amount | None]:
    """Of two amounts the counted one is the dose and the other the strength; two of a kind are a question."""
    counted = [a for a in amounts if a.unit in COUNTED]
    others = [a for a in amounts if a.unit not in COUNTED]
    if len(counted) == 1 and len(others) == 1 and (others[0].unit or amounts[0] is others[0]):
        return counted[0], others[0]  # a bare strength stands before the count: “1 tab, half” is none
    bare = [a for a in others if not a.unit]
    if form and len(bare) == 1 and len(others) == 2 and FORMS[form].unit in COUNTED:
        n = bare[0]
        return Amount(n.value, FORMS[form].unit, n.text), next(a for a in others if a is not n)
    asked.append(("dose", f"Two amounts: {' and '.join(a.text for a in amounts)}. Which is one dose?", tuple(a.text for a in amounts)))
    return None, None


def _all_of_it(dose: Amount, given: Amount, offered: Sequence[Presentation], *, first: bool) -> list[Asked]:
    """`6 tabs (30 mg)`: 30 mg may be all that 6 tablets of 5 mg hold. Asked where it is no strength, or stands after the count."""
    rows = [r for r in offered if FORMS[r.form].unit == dose.unit]
    whole = Amount(given.value / dose.value, given.unit, "")
    parts = [r.strength for r in rows if given.unit and dose.value != 1 and _fits_strength(r, whole)]
    own = [r.strength for r in rows if _fits_strength(r, given)]
    if not parts or (own and not first):
        return []
    count = amount_words(dose.value, dose.unit)
    return [("dose", f"“{given.text}”: the strength, or all of the dose?", tuple(dict.fromkeys(f"{s}, {count}" for s in (*parts, *own))))]


def _with_unit(dose: Amount, offered: Sequence[Presentation], likely_rows: Sequence[Presentation], form: str, asked: list[Asked]) -> Amount:
    """The unit of a bare number, where all strengths of the medicine share one and the number is near them; a liquid's may be mL.

    The choices are those of the likely rows, which have the typed strength.
    """
    known = [c for c in (content(r.strength) for r in offered) if c is not None]
    fitting = {c.unit for c in known if _near(dose.value, [k for k in known if k.unit == c.unit])}
    liquid = bool(offered) and dose.value <= MOST_AT_ONCE["mL"] and all(FORMS[r.form].unit == "mL" for r in offered)
    if len(fitting) == 1 and dose.value > MOST_PIECES and not liquid:
        return Amount(dose.value, fitting.pop(), dose.text)
    known = [c for c in (content(r.strength) for r in likely_rows) if c is not None]
    pieces_of = {FORMS[form].unit} if form else {FORMS[r.form].unit for r in likely_rows}
    counts = [u for u in sorted(pieces_of & COUNTED) if dose.value <= MOST_AT_ONCE[u] and (u == "mL" or dose.value * 4 % 1 == 0)]
    likely = [*counts, *_measures(dose.value, known)] if offered else ["mg", "tablet", "mL"]
    choices = tuple(dict.fromkeys(_as_typed(dose, u) for u in likely))
    asked.append(("dose_unit", f"“{dose.text}”: {fmt_number(dose.value)} of what?", choices))
    return dose


def _as_typed(dose: Amount, unit: str) -> str:
    """The number with a unit, and in the words of the house where these have another number: `0.125 mg (125 micrograms)`."""
    words, typed = amount_words(dose.value, unit), fmt_number(dose.value)
    return words if words.startswith(f"{typed} ") else f"{typed} {unit} ({words})"


def _measures(value: Decimal, known: Sequence[Content]) -> list[str]:
    """The units in which a number is near the strengths, of mass all that convert; else the units of the strengths."""
    found = []
    for unit in ("g", "mg", "microgram", *sorted({c.unit for c in known if DOSE_UNITS[c.unit].micrograms is None})):
        same = [(amount, c) for c in known if (amount := converted(value, unit, c.unit)) is not None]
        if any(_near(amount, [c]) for amount, c in same):
            found.append(unit)
    return found or sorted({c.unit for c in known})


def _near(value: Decimal, strengths: Sequence[Content]) -> bool:
    """Whether a number is a likely dose in the unit of these strengths."""
    values = [c.value for c in strengths]
    solid = [c.value for c in strengths if not c.per_unit] or values
    return value in values or min(solid) / 2 <= value < max(values) * TOO_MANY


def _chosen(offered: Sequence[Presentation], strengths: Sequence[str], strength: Amount | None, dose: Amount | None) -> list[Presentation]:
    """The presentations that agree with everything typed."""
    rows = list(offered)
    if strengths:
        wanted = {_plain(s) for s in strengths}
        pairs = {_numbers(s) for s in strengths if "/" in s}  # 500/125 of a combination, 250/5 of a liquid
        rows = [r for r in rows if _plain(r.strength) in wanted or _numbers(r.strength) in pairs or _in_volume(r.strength) in pairs]
    if strength is not None:
        rows = [r for r in rows if _fits_strength(r, strength) or (dose is not None and _fits_puff(r, strength, dose.unit))]
    if dose is not None and dose.unit in COUNTED:
        rows = [r for r in rows if FORMS[r.form].unit == dose.unit]
    elif dose is not None and dose.unit and not strengths and strength is None:
        rows = [r for r in rows if _fits_strength(r, dose)]
    return _plainest(rows)


def _in_volume(strength: str) -> tuple[Decimal, ...]:
    known = content(strength)
    return (known.value, known.per_value) if known is not None and known.per_unit == "mL" else (Decimal(-1),)


def _plain(strength: str) -> tuple[object, ...]:
    known = content(strength.replace("mcg", "microgram"))
    if known is None:
        return tuple(strength.casefold().replace(" ", "").split("+"))
    mass = DOSE_UNITS[known.unit].micrograms
    amount = known.value * (mass or 1) / known.per_value
    return (amount.normalize(), "mass" if mass else known.unit, known.per_unit)


def _numbers(strength: str) -> tuple[Decimal, ...]:
    """`500/125` and `500 mg + 125 mg` → (500, 125)."""
    found = []
    for part in strength.replace("+", "/").split("/"):
        digits = part.strip().split(" ")[0]
        if not digits.replace(",", "").replace(".", "").isdigit():
            return ()
        try:
            found.append(number(digits))
        except ArithmeticError:
            return ()
    return tuple(found)


def _reading(product: Product | None, offered: list[Presentation], chosen: list[Presentation], dose: Amount | None,
             strengths: Sequence[str], strength: Amount | None, form: str, asked: list[Asked], said: Sequence[str]) -> Reading:
    rows = chosen or offered
    forms = {r.form for r in rows}
    found_form = form or (chosen[0].form if len({r.form for r in chosen}) == 1 else "")
    found_strength = chosen[0].strength if len({r.strength for r in chosen}) == 1 and found_form else ""
    if not found_strength:
        typed = strengths[0] if len(strengths) == 1 else ""
        found_strength = typed or (amount_words(strength.value, strength.unit) if strength is not None and strength.unit else "")
    routes = {_route_of(product, r) for r in rows} if product else {FORMS[r].route for r in forms}
    certain = bool(forms) and not forms & _OPEN_FORMS and len(routes) == 1
    if not product and form and form not in _OPEN_FORMS:
        certain, routes = True, {FORMS[form].route}
    if product and product.name in ASK_ROUTE and not said and not form and (dose is None or dose.unit not in COUNTED) and len(
            {_route_of(product, r) for r in offered}) > 1:
        asked.append(("route", f"{product.name}: by which way? Write it, for example by mouth.", ()))
        certain = False
    own = {form} if form else forms
    eyes, ears = bool(own) and all(f.startswith("eye") for f in own), bool(own) and all(f.startswith("ear") for f in own)
    sides = ("right eye", "left eye", "both eyes") if eyes else ("right ear", "left ear", "both ears") if ears else ()
    return Reading(dose.value if dose and dose.unit else None, dose.unit if dose else "", product.name if product else "", found_strength,
                   found_form, routes.pop() if certain else "", sides, eyes, ears, tuple(asked))
