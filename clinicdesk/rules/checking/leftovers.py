"""Which words of a medicine’s text that no table knows could be a second medicine, and which only say how, when and what for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from clinicdesk.rules import shorthand_words as w
from clinicdesk.rules.medicine_names import key_of


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


#: Shorter words are abbreviations (GP, INR, CFC), seldom medicines.
_SHORTEST: Final = 4
_FOR: Final = re.compile(r"\b(?:for|against|because of|indication|indicated)\b[^,;+]*", re.IGNORECASE)
_DIRECTIONS: Final = frozenset(
    word for table in (w.NUMBERS, w.UNITS, w.FORM_WORDS, w.ROUTE_WORDS, w.TIMES, w.EVERY, w.OPEN_FREQUENCIES, w.MOMENTS, w.ADVICE,
                       w.LONG_TERM, w.AS_NEEDED, w.REASONS, w.WEEKDAY_WORDS, w.FILLERS)
    for phrase in table for word in key_of(phrase).split())
#: What else people write beside a medicine.
_SAID: Final = _set("""
abuse acute added additional affected after again alternate alternating always applied area areas autoinjector before between black blood
blue bottle breakfast brown cartridges changed chronic clinic continue continued continues course current currently cycle days decreased
deterrent diabetes dinner directed discontinued doctor dosage double during emergency ended episode evening every fasting finished first
forearm free fridge from frozen green half hard hospital hydrocholoride immediately inactive increased infection initially injections
interval known last later less lowest lunch maintenance maximum meals mealtime minimum missed month monthly months more morning needed
needles next nightly normal nurse once ongoing only orange other overnight past patient patients pharmacist pharmacy phase pink plus
prescribed prescriber preservative pressure previous previously products recently reduce reduced reducing refill regular regularly repeat
repeated required rescue restarted round same schedule second short since single sliding soft specialist started starting stopped strips
supper supply swallow swallowed taken taking taper tapering third titrate titrated today tomorrow total treatment until urgent used using
usual usually week weekend weekly weeks well when where while white whole with within without year years yellow yesterday
""")


def doubtful(text: str, unknown: Iterable[str]) -> tuple[str, ...]:
    """The unknown words that no direction, form, reason or usual remark explains."""
    medicine = set(key_of(_FOR.sub(" ", text)).split())
    return tuple(word for word in unknown if len(word) >= _SHORTEST and word.isalpha() and word in medicine
                 and word not in _DIRECTIONS and word not in _SAID)
