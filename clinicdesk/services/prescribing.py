"""Typed prescription lines become complete items, or one sentence at the field that keeps them from it. Nothing is stored here."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from clinicdesk.errors import Invalid
from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.directions import FORMS, Direction, check_direction, in_words, missing_elements, quantity, quantity_words
from clinicdesk.rules.doses import DOSE_UNITS, fmt_number
from clinicdesk.rules.numerals import Unsure, number
from clinicdesk.rules.shorthand import Parsed
from clinicdesk.rules.strengths import content, pieces
from clinicdesk.rules.texts import latin_digits, tidy
from clinicdesk.services.drafts import ItemDraft

MOST_ITEMS = 20
_LONGEST_WAIT = 168
_PIECES = frozenset({"tablet", "capsule", "suppository", "pessary", "lozenge", "patch", "sachet"})
#: What the columns hold; a larger number is a typing error.
_LARGEST = 1_000_000
#: Longest texts of a line in characters, as on the paper and in `prescription_items`.
_LENGTHS = {
    "medicine": ("Medicine", 200),
    "brand": ("Brand", 100),
    "strength": ("Strength", 100),
    "form": ("Form", 60),
    "as_needed_for": ("Needed for", 100),
    "quantity_unit": ("Unit of the quantity", 60),
    "instructions": ("Instructions", 300),
    "indication": ("Indication", 200),
    "rate": ("Rate", 60),
    "dose_basis": ("Basis of the dose", 120),
}


@dataclass(frozen=True, slots=True)
class CheckedItem:
    """A line that may be issued: its typed fields, the direction, and both in words."""

    typed: ItemDraft
    direction: Direction
    directions: str
    quantity: Decimal | None
    quantity_unit: str
    quantity_text: str

    @property
    def line(self) -> str:
        """The item in one line, as a visit keeps it."""
        parts = (self.typed.medicine, self.typed.brand, self.typed.strength, self.typed.form, self.directions, self.quantity_text)
        return " — ".join(part for part in parts if part)


def _number(text: str, field: str, what: str, unit: str = "") -> Decimal | None:
    """A typed number; the stored `unit` beside it decides what is doubtful, as in shorthand."""
    typed = latin_digits(tidy(text))
    if not typed:
        return None
    if not re.fullmatch(r"[-+]?\d+(?:[.,]\d+)*", typed):
        raise Invalid(field, f"{what}: a number.")
    try:
        value = number(typed.lstrip("+-"), unit) * (-1 if typed.startswith("-") else 1)
    except Unsure as doubt:
        raise Invalid(field, f"{what}: {doubt.sentence}") from None
    exponent = value.as_tuple().exponent
    if not value.is_finite() or abs(value) >= _LARGEST or not isinstance(exponent, int) or exponent < -3:
        raise Invalid(field, f"{what}: a number below {_LARGEST:,} with at most three decimals.")
    return value


def _whole(text: str, field: str, what: str) -> int | None:
    value = _number(text, field, what)
    if value is not None and value != int(value):
        raise Invalid(field, f"{what}: a whole number.")
    return int(value) if value is not None else None


def direction_of(item: ItemDraft) -> Direction:
    """The structured direction of a typed line; Invalid names the field that is no number or out of range.

    “Every 6 hours as needed” is also the shortest time between doses.
    """
    found = check_direction(
        Direction(
            dose_value=_number(item.dose_value, "dose_value", "Dose", item.dose_unit.strip()),
            dose_unit=item.dose_unit.strip(),
            route=item.route.strip(),
            times_per_day=_whole(item.times_per_day, "times_per_day", "Times a day"),
            every_hours=_whole(item.every_hours, "every_hours", "Hours"),
            weekdays=tuple(item.weekdays),
            once=item.once,
            as_needed=item.as_needed,
            as_needed_for=item.as_needed_for.strip(),
            min_interval_hours=_whole(item.min_interval_hours, "min_interval_hours", "Hours between doses"),
            max_per_day=_number(item.max_per_day, "max_per_day", "Most in a day", item.dose_unit.strip()),
            duration_days=_whole(item.duration_days, "duration_days", "Days"),
            rate=item.rate.strip(),
            text="",
        )
    )
    if found.as_needed and found.min_interval_hours is None and found.every_hours is not None and found.every_hours <= _LONGEST_WAIT:
        return replace(found, min_interval_hours=found.every_hours)
    return found


def preview(item: ItemDraft) -> CheckedItem:
    """A typed line with its directions in words and its quantity, before it is complete; Invalid for impossible values."""
    direction = direction_of(item)
    amount = _number(item.quantity, "quantity", "Quantity")
    unit = item.quantity_unit.strip() or item.dose_unit.strip()
    if amount is None:
        amount, unit = _computed(item, direction, unit)
    if amount is not None and amount <= 0:
        raise Invalid("quantity", "A quantity is more than zero.")
    return CheckedItem(
        item, direction, in_words(direction), amount, unit, quantity_words(amount, unit) if amount is not None and unit else ""
    )


def _computed(item: ItemDraft, direction: Direction, unit: str) -> tuple[Decimal | None, str]:
    """The quantity of the whole course; a dose in milligrams of counted pieces (or of a liquid) is counted in those."""
    amount, form = quantity(direction), FORMS.get(item.form.strip())
    if amount is None or direction.dose_value is None or form is None or unit not in DOSE_UNITS or DOSE_UNITS[unit].micrograms is None:
        return amount, unit
    each, whole = pieces(direction.dose_value, unit, item.strength), pieces(amount, unit, item.strength)
    known = content(item.strength)
    if each is None or whole is None or known is None:
        return amount, unit
    if known.per_unit:
        return (whole, known.per_unit) if form.unit == known.per_unit and form.unit == "mL" else (amount, unit)
    if form.unit not in _PIECES or each % (Decimal("0.5") if form.unit == "tablet" else 1):
        return amount, unit  # no whole pieces: somebody must look
    return Decimal(math.ceil(whole)), form.unit


def item_from(parsed: Parsed) -> ItemDraft:
    """A line read from shorthand as it stands in the list; advice for the patient goes to the label."""
    d = parsed.direction

    def words(value: Decimal | int | None) -> str:
        return "" if value is None else fmt_number(Decimal(value)).replace(",", "")

    return ItemDraft(
        medicine=parsed.medicine, strength=parsed.strength, form=parsed.form, route=d.route, dose_value=words(d.dose_value),
        dose_unit=d.dose_unit, times_per_day=words(d.times_per_day), every_hours=words(d.every_hours), weekdays=d.weekdays, once=d.once,
        as_needed=d.as_needed, as_needed_for=d.as_needed_for, min_interval_hours=words(d.min_interval_hours),
        max_per_day=words(d.max_per_day), duration_days=words(d.duration_days), rate=d.rate,
        instructions=d.text[:1].upper() + d.text[1:], indication=parsed.indication, free_text=not parsed.medicine,
        long_term=parsed.long_term)


def checked_items(items: Sequence[ItemDraft]) -> list[CheckedItem]:
    """The lines of a prescription, each complete; empty lines are left out.

    Raises Invalid with field `items.N.field` (N from 0) or `items.N` with a list of what is missing.
    """
    found = []
    for place, item in enumerate(items):
        if item == ItemDraft(free_text=item.free_text):
            continue
        for name, (what, most) in _LENGTHS.items():
            if len(getattr(item, name).strip()) > most:
                raise Invalid(f"items.{place}.{name}", f"{what}: at most {most} characters.")
        try:
            line = preview(item)
        except Invalid as refusal:
            raise Invalid(f"items.{place}.{refusal.field}", refusal.sentence) from refusal
        missing = missing_elements(
            line.direction, medicine=item.medicine, strength=item.strength, form=item.form, quantity_text=line.quantity_text
        )
        if missing:
            raise Invalid(f"items.{place}", f"{item.medicine.strip() or 'This medicine'} still needs: {', '.join(missing)}.")
        for field in ("medicine", "strength", "as_needed_for", "instructions", "indication", "rate"):
            hits = forbidden(getattr(item, field), ingredients=field in {"medicine", "strength"})
            if hits:
                raise Invalid(f"items.{place}.{field}", f"Write “{hits[0].use}” instead of “{hits[0].text}”.")
        found.append(line)
    if len(found) > MOST_ITEMS:
        raise Invalid("items", f"A prescription has at most {MOST_ITEMS} medicines.")
    return found


def lacking(item: ItemDraft) -> str:
    """What keeps a line from being added, in words; empty when nothing does."""
    try:
        checked_items([item])
    except Invalid as refusal:
        return refusal.sentence
    return ""
