"""Where typed digits become a number, or a question: one contract for shorthand, the fields of the prescription sheet and strengths."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final


class Unsure(ArithmeticError):
    """Digits that are not taken for a number: `sentence` says why, `choices` what could be meant."""

    def __init__(self, sentence: str, *choices: str) -> None:
        super().__init__(sentence)
        self.sentence, self.choices = sentence, choices


_GROUPS: Final = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d{1,6})?")
_POINTS: Final = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+")
_DECIMAL: Final = re.compile(r"\d{1,9}(?:[.,]\d{1,6})?")
_MASSES: Final = frozenset({"g", "mg", "microgram", "nanogram"})


def number(text: str, unit: str = "") -> Decimal:
    """A number as typed: `1,000` is a thousand, `1,5` one and a half, `0,125` and `0.125` an eighth, `3.125` a decimal.

    Refuses with `Unsure`, which is an ArithmeticError and names what may be meant:
    what is no number (`1.2.3`, `1,2,3`, more than nine digits or six decimals);
    a zero after decimals, `5.0` (reference clinical-safety R29, R30), with `5.000` also five thousand;
    a group of three that the stored `unit` makes doubtful: `1.125` of anything but mass, which is not written with three decimals, and
    `1,125` of mass, which is not written in thousands. A `unit` that is not known yet (empty) makes nothing doubtful.
    """
    groups, points = _GROUPS.fullmatch(text), _POINTS.fullmatch(text)
    if points and text.count(".") > 1:
        raise Unsure(f"“{text}”: thousands are written with a comma.", text.replace(".", ","))
    if not groups and (not _DECIMAL.fullmatch(text) or re.fullmatch(r"[1-9]\d*,\d{4,}", text)):
        raise Unsure(f"“{text}” is not a number. Use one point or comma for decimals.")
    value = Decimal(text.replace(",", "")) if groups else Decimal(text.replace(",", "."))
    sure(text, value, unit)
    return value


def sure(text: str, value: Decimal, unit: str = "") -> None:
    """`Unsure` where the digits of a number, though well formed, may mean another one; the doubts of `number`."""
    groups, points = _GROUPS.fullmatch(text), _POINTS.fullmatch(text)
    short = f"{value.normalize():,f}"
    decimals = re.search(r"[.,](\d+)$", text)
    whole = text.replace(".", ",")
    if decimals and decimals[1].endswith("0") and not (groups and "." not in text):
        if points:
            raise Unsure(f"“{text}”: is it {short} or {whole}?", short, whole)
        raise Unsure(f"“{text}”: no zero at the end of decimals, it is misread as ten times as much: write {short}.", short)
    if points and unit and unit not in _MASSES:
        raise Unsure(f"“{text}”: is it {short} or {whole}?", short, whole)
    if groups and unit in _MASSES and text.count(",") == 1 and "." not in text and not text.endswith("0"):
        raise Unsure(f"“{text}”: is it {text.replace(',', '.')} or {text}?", text.replace(",", "."), whole)
