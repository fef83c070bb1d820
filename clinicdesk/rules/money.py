"""Amounts of money: how they are typed, kept (`Decimal` with two decimals, never float) and written.

Currencies are named by their ISO 4217 letters. A few have no smaller unit; those with three decimals are refused by the settings, because
amounts are stored with two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.texts import latin_digits, tidy

DEFAULT_CURRENCY: Final = "EUR"
MOST: Final = Decimal(1_000_000)
ZERO: Final = Decimal("0.00")
#: Keys of the ways to pay, in the order of the keys on the screen, and their words.
METHODS: Final = {"cash": "Cash", "card": "Card", "wallet": "Wallet"}
#: What a receipt is, in words.
KINDS: Final = {"payment": "Payment", "refund": "Refund", "top_up": "Wallet top-up", "payout": "Wallet payout", "correction": "Correction"}

_NO_DECIMALS: Final = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_THREE_DECIMALS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
_GROUPED: Final = re.compile(r"\d{1,3}(?:([ '’.,])\d{3})(?:\1\d{3})*(?:([.,])(\d+))?")
_PLAIN: Final = re.compile(r"(\d+)(?:[.,](\d+))?")


def check_currency(typed: str) -> str:
    """The ISO letters of a currency; Invalid names the field `currency`."""
    code = tidy(typed).upper()
    if not re.fullmatch(r"[A-Z]{3}", code):
        raise Invalid("currency", "Currency: three letters, like EUR, GBP or USD.")
    if code in _THREE_DECIMALS:
        raise Invalid("currency", f"{code} has three decimals, which amounts here do not keep.")
    return code


def decimals(currency: str) -> int:
    """How many decimals amounts of a currency have: 2, or 0 where there is no smaller unit."""
    return 0 if currency in _NO_DECIMALS else 2


def parse_amount(typed: str, field: str = "amount", *, currency: str = DEFAULT_CURRENCY, zero: bool = False) -> Decimal:
    """What a person typed: `50`, `50.00`, `50,00`, `1 234,50`, `1,234.50`. Invalid names `field`.

    Refused: nothing, signs, letters, more decimals than the currency has, `1,234` (which could be either), zero unless `zero` is allowed,
    and more than a million.
    """
    text = latin_digits(tidy(typed)).replace("٫", ".").replace("٬", "'")
    if not text:
        raise Invalid(field, "Type an amount.")
    if text[0] in "-−–":
        raise Invalid(field, "An amount cannot be negative.")
    amount = _number(text, field, decimals(currency))
    if amount == 0 and not zero:
        raise Invalid(field, "The amount is zero.")
    if amount > MOST:
        raise Invalid(field, "At most 1,000,000.")
    return amount


def _number(text: str, field: str, places: int) -> Decimal:
    plain, grouped = _PLAIN.fullmatch(text), _GROUPED.fullmatch(text)
    if grouped and grouped[1] in {",", "."} and grouped[2] is None and text.count(grouped[1]) == 1:
        digits = re.sub(r"\D", "", text)
        raise Invalid(field, f"Write {digits} or {text.replace(',', '.')[:-1]}, so that it cannot be misread.")
    if plain:
        whole, part = plain[1], plain[2] or ""
    elif grouped and grouped[1] != grouped[2]:
        part = grouped[3] or ""
        whole = re.sub(r"\D", "", text[: len(text) - len(part) - 1] if part else text)
    else:
        raise Invalid(field, "Type an amount like 50 or 49.50.")
    if len(part) > places:
        raise Invalid(field, "At most two digits after the point." if places else "This currency has no smaller unit: type whole numbers.")
    if len(whole) > 12:
        raise Invalid(field, "At most 1,000,000.")
    return Decimal(f"{whole}.{part or '0'}").quantize(ZERO)


def amount_text(amount: Decimal, currency: str = "") -> str:
    """`1,234.50`, with ` EUR` behind it when a currency is given; a minus sign for what went out. Never broken over lines."""
    places = decimals(currency) if currency else 2
    words = f"{abs(amount):,.{places}f}"
    sign = "−" if amount < 0 else ""
    return f"{sign}{words}\u00a0{currency}" if currency else f"{sign}{words}"


def typed_text(amount: Decimal, currency: str = DEFAULT_CURRENCY) -> str:
    """An amount as it stands in a field to be changed: `1234.50`."""
    return f"{amount:.{decimals(currency)}f}"


def spread(amount: Decimal, owed: Iterable[tuple[int, Decimal]]) -> list[tuple[int, Decimal]]:
    """An amount over what is owed, in the order given, the first in full before the next; Invalid `amount` when it is more than all."""
    parts, left = [], amount
    for key, most in owed:
        part = min(left, most)
        if part > 0:
            parts.append((key, part))
            left -= part
    if left > 0:
        raise Invalid("amount", "This is more than is owed.")
    return parts
