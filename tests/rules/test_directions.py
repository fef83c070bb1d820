"""Directions in words, quantities, and what is missing to be complete."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules.directions import (
    FORMS,
    FREQUENCIES,
    ROUTES,
    Direction,
    check_direction,
    dose_words,
    frequency_words,
    in_words,
    missing_elements,
    quantity,
    quantity_words,
    spelled,
)
from clinicdesk.rules.doses import DOSE_UNITS, forbidden

ONE = Decimal(1)
AMOX = Direction(Decimal(500), "mg", "oral", times_per_day=3, duration_days=7)


@pytest.mark.parametrize(("direction", "words"), [
    (Direction(ONE, "tablet", "oral", times_per_day=3, duration_days=7), "Take 1 tablet by mouth three times a day for 7 days."),
    (AMOX, "Take 500 mg by mouth three times a day for 7 days."),
    (Direction(Decimal("0.5"), "tablet", "oral", times_per_day=1), "Take half a tablet by mouth once a day."),
    (Direction(Decimal(2), "puff", "inhaled", as_needed=True, as_needed_for="wheeze", min_interval_hours=4, max_per_day=Decimal(8)),
     "Inhale 2 puffs as needed for wheeze. Wait at least 4 hours between doses. No more than 8 puffs in 24 hours."),
    (Direction(ONE, "g", "oral", times_per_day=4, as_needed=True, as_needed_for="pain", min_interval_hours=1, max_per_day=Decimal(4)),
     "Take 1 g by mouth up to four times a day as needed for pain. Wait at least 1 hour between doses. No more than 4 g in 24 hours."),
    (Direction(ONE, "drop", "both eyes", every_hours=2, duration_days=1), "Put 1 drop into each eye every 2 hours for 1 day."),
    (Direction(Decimal(10), "mg", "oral", times_per_day=1, weekdays=(0, 3, 5), text="take with water"),
     "Take 10 mg by mouth once a day on Monday, Thursday and Saturday. Take with water."),
    (Direction(Decimal(10), "mg", "oral", weekdays=(0,)), "Take 10 mg by mouth every Monday."),
    (Direction(ONE, "g", "infusion", every_hours=12, rate="100 mL per hour"),
     "Give 1 g by infusion into a vein at 100 mL per hour every 12 hours."),
    (Direction(Decimal(2), "g", "oral", once=True, duration_days=1), "Take 2 g by mouth once only."),
    (Direction(ONE, "patch", "transdermal", every_hours=72), "Apply 1 patch to the skin every 72 hours."),
    (Direction(ONE, "patch", "transdermal", every_hours=48), "Apply 1 patch to the skin every other day."),
    (Direction(route="topical", times_per_day=2), "Apply to the skin twice a day."),
    (Direction(text="as explained to you"), "As explained to you."),
    (Direction(), ""),
])
def test_words(direction: Direction, words: str) -> None:
    assert in_words(direction) == words
    assert forbidden(words) == []


def test_parts() -> None:
    assert dose_words(AMOX) == "500 mg"
    assert frequency_words(AMOX) == "three times a day"
    assert frequency_words(Direction(as_needed=True, every_hours=6)) == "every 6 hours as needed"
    assert dose_words(Direction()) == ""


@pytest.mark.parametrize(("direction", "amount"), [
    (AMOX, "10500"), (replace(AMOX, once=True, times_per_day=None), "500"), (replace(AMOX, duration_days=None), None),
    (replace(AMOX, dose_value=None), None), (replace(AMOX, times_per_day=None), None), (replace(AMOX, times_per_day=None, every_hours=5),
                                                                                        "17000"),
    (replace(AMOX, times_per_day=None, every_hours=48), "2000"), (replace(AMOX, times_per_day=1, weekdays=(0, 3), duration_days=14),
                                                                  "2000"),
    (replace(AMOX, times_per_day=None, weekdays=(0,), duration_days=28), "2000"),
    (replace(AMOX, as_needed=True, max_per_day=Decimal(2000)), "14000"), (replace(AMOX, as_needed=True), "10500"),
    (replace(AMOX, times_per_day=None, as_needed=True, min_interval_hours=8), "10500"),
])
def test_quantity(direction: Direction, amount: str | None) -> None:
    assert quantity(direction) == (None if amount is None else Decimal(amount))


def test_quantity_words() -> None:
    assert quantity_words(Decimal(21), "tablet") == "21 tablets (twenty-one)"
    assert quantity_words(Decimal(1), "bottle") == "1 bottle (one)"
    assert quantity_words(Decimal("2.5"), "mL") == "2.5 mL"
    assert quantity_words(Decimal(10_500), "mg") == "10.5 g"
    assert quantity_words(Decimal(3), "boxes of 10") == "3 boxes of 10 (three)"


def test_spelled() -> None:
    assert [spelled(n) for n in (0, 13, 20, 42, 100, 101, 342, 1_000, 1_005, 9_999)] == [
        "zero", "thirteen", "twenty", "forty-two", "one hundred", "one hundred and one", "three hundred and forty-two", "one thousand",
        "one thousand and five", "nine thousand nine hundred and ninety-nine"]
    assert len({spelled(n) for n in range(10_000)}) == 10_000


@pytest.mark.parametrize(("change", "field"), [
    ({"dose_unit": "spoon"}, "dose_unit"), ({"dose_value": Decimal(0)}, "dose_value"), ({"route": "PO"}, "route"),
    ({"times_per_day": 25}, "times_per_day"),
    ({"every_hours": 6}, "every_hours"), ({"once": True}, "every_hours"), ({"weekdays": (7,)}, "weekdays"), ({"min_interval_hours": 0},
                                                                                                             "min_interval_hours"),
    ({"max_per_day": Decimal(499)}, "max_per_day"), ({"duration_days": 0}, "duration_days"), ({"duration_days": 367}, "duration_days"),
])
def test_impossible_values(change: dict[str, object], field: str) -> None:
    assert check_direction(AMOX) is AMOX
    with pytest.raises(Invalid) as refusal:
        check_direction(replace(AMOX, **change))  # type: ignore[arg-type]
    assert refusal.value.field == field


def test_complete_item_lacks_nothing() -> None:
    assert missing_elements(AMOX, medicine="amoxicillin", strength="500 mg", form="capsule", quantity_text="") == ()


def test_everything_missing_is_named() -> None:
    assert missing_elements(Direction(), medicine=" ", strength="", form="", quantity_text="") == (
        "name of the medicine", "strength", "form", "dose", "route", "how often", "duration or quantity")


def test_as_needed_needs_its_limits() -> None:
    as_needed = Direction(ONE, "tablet", "oral", as_needed=True)
    lacks = missing_elements(as_needed, medicine="paracetamol", strength="500 mg", form="tablet", quantity_text="20 tablets")
    assert lacks == ("what it is needed for", "shortest time between doses", "most in a day")
    whole = replace(as_needed, as_needed_for="pain", min_interval_hours=4, max_per_day=Decimal(8))
    assert missing_elements(whole, medicine="paracetamol", strength="500 mg", form="tablet", quantity_text="20 tablets") == ()
    assert missing_elements(whole, medicine="paracetamol", strength="500 mg", form="tablet",
                            quantity_text="") == ("duration or quantity",)


def test_some_forms_have_no_strength() -> None:
    cream = Direction(ONE, "application", "topical", times_per_day=2, duration_days=7)
    assert missing_elements(cream, medicine="white soft paraffin", strength="", form="emollient", quantity_text="") == ()
    assert missing_elements(cream, medicine="hydrocortisone", strength="", form="cream", quantity_text="") == ("strength",)


def test_no_label_holds_an_abbreviation_and_tables_agree() -> None:
    labels = [r.label for r in ROUTES.values()] + [f"{r.verb} {r.where}" for r in ROUTES.values()]
    labels += [*FORMS, *(f.label for f in FREQUENCIES)]
    labels += [w for u in DOSE_UNITS.values() for w in (u.name, u.plural)]
    assert {label: hits for label in labels if (hits := forbidden(label))} == {}
    assert all(f.route in ROUTES and f.unit in DOSE_UNITS for f in FORMS.values())
    for frequency in FREQUENCIES:
        words = frequency_words(frequency.applied(Direction()))
        assert words == frequency.label.replace("once a week, on ", "once a week on ")


directions = st.builds(
    Direction, st.decimals("0.001", "5000", places=3).filter(lambda d: d > 0), st.sampled_from(list(DOSE_UNITS)),
    st.sampled_from(list(ROUTES)),
    times_per_day=st.none() | st.integers(1, 24), weekdays=st.lists(st.integers(0, 6), max_size=7).map(tuple), as_needed=st.booleans(),
    min_interval_hours=st.none() | st.integers(1, 168), duration_days=st.none() | st.integers(1, 366))


@given(directions)
def test_every_direction_reads_safely(direction: Direction) -> None:
    words = in_words(direction)
    assert words.endswith(".")
    assert "  " not in words
    assert forbidden(words) == []
    amount = quantity(direction)
    assert amount is None or (amount > 0 and direction.dose_value is not None and amount % direction.dose_value == 0)
