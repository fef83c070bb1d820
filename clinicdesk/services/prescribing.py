"""Typed prescription lines become complete items, or one sentence at the field that keeps them from it. Nothing is stored here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

from clinicdesk.errors import Invalid
from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.directions import Direction, check_direction, in_words, missing_elements, quantity, quantity_words
from clinicdesk.services.drafts import ItemDraft

MOST_ITEMS = 20
_LONGEST_WAIT = 168
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


def _number(text: str, field: str, what: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise Invalid(field, f"{what}: a number.") from None
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
            dose_value=_number(item.dose_value, "dose_value", "Dose"),
            dose_unit=item.dose_unit.strip(),
            route=item.route.strip(),
            times_per_day=_whole(item.times_per_day, "times_per_day", "Times a day"),
            every_hours=_whole(item.every_hours, "every_hours", "Hours"),
            weekdays=tuple(item.weekdays),
            once=item.once,
            as_needed=item.as_needed,
            as_needed_for=item.as_needed_for.strip(),
            min_interval_hours=_whole(item.min_interval_hours, "min_interval_hours", "Hours between doses"),
            max_per_day=_number(item.max_per_day, "max_per_day", "Most in a day"),
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
    amount = _number(item.quantity, "quantity", "Quantity") or quantity(direction)
    unit = item.quantity_unit.strip() or item.dose_unit.strip()
    if amount is not None and amount <= 0:
        raise Invalid("quantity", "A quantity is more than zero.")
    return CheckedItem(
        item, direction, in_words(direction), amount, unit, quantity_words(amount, unit) if amount is not None and unit else ""
    )


def checked_items(items: Sequence[ItemDraft]) -> list[CheckedItem]:
    """The lines of a prescription, each complete; empty lines are left out.

    Raises Invalid with field `items.N.field` (N from 0) or `items.N` with a list of what is missing.
    """
    found = []
    for number, item in enumerate(items):
        if item == ItemDraft(free_text=item.free_text):
            continue
        for name, (what, most) in _LENGTHS.items():
            if len(getattr(item, name).strip()) > most:
                raise Invalid(f"items.{number}.{name}", f"{what}: at most {most} characters.")
        try:
            line = preview(item)
        except Invalid as refusal:
            raise Invalid(f"items.{number}.{refusal.field}", refusal.sentence) from refusal
        missing = missing_elements(
            line.direction, medicine=item.medicine, strength=item.strength, form=item.form, quantity_text=line.quantity_text
        )
        if missing:
            raise Invalid(f"items.{number}", f"{item.medicine.strip() or 'This medicine'} still needs: {', '.join(missing)}.")
        for field in ("medicine", "strength", "as_needed_for", "instructions", "indication", "rate"):
            hits = forbidden(getattr(item, field), ingredients=field in {"medicine", "strength"})
            if hits:
                raise Invalid(f"items.{number}.{field}", f"Write “{hits[0].use}” instead of “{hits[0].text}”.")
        found.append(line)
    if len(found) > MOST_ITEMS:
        raise Invalid("items", f"A prescription has at most {MOST_ITEMS} medicines.")
    return found
