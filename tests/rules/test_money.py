"""Amounts as people type them, and as they are written."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules import money

GOOD = {
    "50": "50.00", "50.00": "50.00", "50,00": "50.00", "1 234,50": "1234.50", "1,234.50": "1234.50", "1.234,50": "1234.50",
    "1'234.5": "1234.50", " 7.5 ": "7.50", "0.05": "0.05", "1 234": "1234.00", "1,234,567.00": None, "1 000 000": "1000000.00",
    "٣٫٥": "3.50", "1\u00a0234,50": "1234.50", "007": "7.00", "1,000,000": "1000000.00",
}
BAD = ("", " ", "-5", "−5", "5.555", "1,234", "1.234", "abc", "5 EUR", "1e3", "NaN", "5.", ".", "1,23,4", "12 34", "1.234.56", "0", "0,00",
       "1000000.01", "9" * 40, "1 234 5", "1,234 567", "²")


@pytest.mark.parametrize(("typed", "wanted"), [(t, w) for t, w in GOOD.items() if w], ids=str)
def test_amounts_are_understood(typed: str, wanted: str) -> None:
    amount = money.parse_amount(typed)
    assert amount == Decimal(wanted) and amount.as_tuple().exponent == -2


@pytest.mark.parametrize("typed", BAD, ids=repr)
def test_what_is_no_amount_is_refused_at_its_field(typed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        money.parse_amount(typed, "counted_cash")
    assert refusal.value.field == "counted_cash" and refusal.value.sentence.endswith(".")


def test_an_amount_that_can_be_read_in_two_ways_says_both() -> None:
    with pytest.raises(Invalid, match=r"1234 or 1\.23"):
        money.parse_amount("1,234")


@given(st.decimals(min_value="0.01", max_value="1000000", places=2))
def test_what_is_written_is_understood_again(amount: Decimal) -> None:
    assert money.parse_amount(money.typed_text(amount)) == amount
    assert money.parse_amount(money.amount_text(amount)) == amount
    assert money.amount_text(-amount, "EUR").startswith("−")


@given(st.text(max_size=12))
def test_no_text_is_understood_as_something_negative_or_breaks(typed: str) -> None:
    with suppress(Invalid):
        assert 0 < money.parse_amount(typed) <= money.MOST


def test_currencies() -> None:
    assert money.check_currency(" gbp") == "GBP"
    assert money.amount_text(Decimal("1234.50"), "EUR") == "1,234.50\u00a0EUR"
    assert money.amount_text(Decimal("1234.00"), "JPY") == "1,234\u00a0JPY"
    for typed in ("EURO", "€", "KWD", ""):
        with pytest.raises(Invalid):
            money.check_currency(typed)
    with pytest.raises(Invalid, match="whole"):
        money.parse_amount("5.5", currency="JPY")


@given(st.lists(st.decimals(min_value="0.01", max_value="100", places=2), min_size=1, max_size=6), st.data())
def test_a_payment_fills_the_first_charge_first(owed: list[Decimal], data: st.DataObject) -> None:
    amount = data.draw(st.decimals(min_value="0.01", max_value=sum(owed), places=2))
    parts = money.spread(amount, list(enumerate(owed)))
    assert sum(part for _key, part in parts) == amount
    assert all(part == owed[key] for key, part in parts[:-1])
    with pytest.raises(Invalid):
        money.spread(sum(owed) + Decimal("0.01"), list(enumerate(owed)))
