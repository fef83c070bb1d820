"""Reads a typed direction from left to right into pieces: amounts, frequencies, routes, days, advice. What no rule knows is a piece too.

Nothing is decided here that depends on another piece; `shorthand.py` does that. Digits become numbers in `numerals.py`; before it `½`,
`1/2` and words up to twelve become decimals.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from clinicdesk.rules import shorthand_words as w
from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.doses import fmt_dose
from clinicdesk.rules.texts import latin_digits, tidy

MOST_CHARACTERS: Final = 400
_END: Final = r"(?![^\W_])"
_NUMBER: Final = r"\d+(?:[.,]\d+)*"
_MIXED: Final = r"\d\s+0\.(?:5|25|75)"
_AFTER_NUMBER: Final = r"(?![^\W_])(?![.,]\d)"
_PARTS: Final = MappingProxyType({"half": "5", "quarter": "25", "0.5": "5", "0.25": "25", "0.75": "75"})
_PART: Final = r"(half|quarter|0\.25|0\.5|0\.75)(?![\w/]|[.,]\d)"
_PIECES: Final = r"(?:tab|tabs|tablets?|caps?|capsules?|sachets?)"


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that was read: its kind, its value (its type depends on the kind) and the words it came from."""

    kind: str
    value: Any
    text: str


def simplified(text: str) -> str:
    """Lower case, one kind of dash and quote, fractions and number words as decimals, abbreviations without their full stops."""
    s = latin_digits(tidy(text)).casefold()
    s = unicodedata.normalize("NFC", s)
    s = re.sub(r"[‐‑‒–—―−]", "-", s).replace("×", "x").replace("’", "'")
    s = re.sub(r"(?<=\d)[·٫](?=\d)", ".", re.sub(r"(?<=\d)٬(?=\d)", ",", s))
    for sign, part in (("½", "5"), ("¼", "25"), ("¾", "75")):  # 1½ is one number; 500 ½ is two
        s = re.sub(rf"(?<![\w.,/])(\d{{1,2}}){sign}", rf"\1.{part}", s).replace(sign, f" 0.{part}")
    s = re.sub(r"(?<![\w.,/-])one[ -]half(?!\w)", "0.5", s)
    s = re.sub(rf"(?<![\w.,/-])({'|'.join(sorted(w.NUMBERS, key=len, reverse=True))})(?![\w])", lambda m: w.NUMBERS[m.group()], s)
    s = re.sub(r"(?<![\w.,/-])(\d)-(?=[13]/[24](?![\w/-]))", r"\1 ", s)  # 1-1/2, as written in America
    s = re.sub(r"(?<![\w.,/-])1/2(?![\d/])", "0.5", s)
    s = re.sub(r"(?<![\w.,/-])([13])/4(?![\d/])", lambda m: f"0.{25 * int(m[1])}", s)
    s = re.sub(rf"(?<![\w.,/])(\d+)(?:\s+and|\s*[&+])\s+(?:an?\s+)?{_PART}", lambda m: f"{m[1]}.{_PARTS[m[2]]}", s)
    s = re.sub(rf"(?<![\w.,/])(\d{{1,2}})\s*({_PIECES})(?:\s+and|\s*[&+])\s+(?:an?\s+)?{_PART}(?!\s*(?:an?\s+|of\s+)*{_PIECES})",
               lambda m: f"{m[1]}.{_PARTS[m[3]]} {m[2]}", s)
    s = re.sub(r"(?<!\w)(?<!(?<![\d.,])\d )half (?:an? )?(?=[a-z])", "0.5 ", s)
    return re.sub(r"(?<![\w.])(?:[a-z]\.){1,3}(?:[a-z](?!\w)\.?)?", lambda m: m.group().replace(".", "") + " ", s).strip()


def _any(words: Any) -> str:
    return "(?:" + "|".join(re.escape(word).replace(r"\ ", r"\s+") for word in sorted(words, key=len, reverse=True)) + ")"


_N: Final = rf"({_NUMBER})"
_N_OR_RANGE: Final = rf"({_NUMBER}(?:\s*(?:-|to|or)\s*{_NUMBER})?)"
_UNIT: Final = f"({_any(w.UNITS)})"
_MASS: Final = _any([word for word, unit in w.UNITS.items() if unit in {"g", "mg", "microgram", "nanogram", "unit", "international unit",
                                                                         "mmol"}])
_DAY: Final = r"(?:24\s*(?:h|hrs?|hours?)|d|days?)"
_WEEK: Final = r"(?:w|wk|wks|weeks?)"
_PER: Final = r"(?:an?|per|each|every|/|(?:in|of|out\s+of)\s+(?:an?|the|each|every))"
_DAYWORD: Final = _any(w.WEEKDAY_WORDS)
_MAX: Final = r"(?:max(?:imum)?(?:\s+(?:dose|of))?|no\s+more\s+than|not\s+more\s+than|at\s+most)"
_COUNTS: Final = MappingProxyType({"2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "twice": "two", "thrice": "three"})
_HOURS: Final = r"(?:h|hr|hrs|hour|hours|hourly|hrly)"

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], Piece]]


def _piece(kind: str, value: Callable[[re.Match[str]], Any]) -> Callable[[re.Match[str]], Piece]:
    return lambda m: Piece(kind, value(m), m.group().strip())


def _refuse(sentence: str, *choices: str) -> Callable[[re.Match[str]], Piece]:
    return lambda m: Piece("refuse", (sentence.replace("{}", m.group().strip()), choices), m.group().strip())


def _unit(m: re.Match[str], group: int) -> str:
    word = m.group(group)
    return w.UNITS[" ".join(word.split())] if word else ""


def _months(m: re.Match[str]) -> Piece:
    n = int(m.group(1) or 1)
    months = "a month" if n == 1 else f"{n} months"
    sentence = f"A month has no fixed number of days: is {months} {28 * n} or {30 * n} days?"
    return Piece("refuse", (sentence, (f"{28 * n} days", f"{30 * n} days")), m.group().strip())


def _weekdays(m: re.Match[str]) -> Piece:
    words = re.findall(r"[a-z]+", m.group(1))
    days: list[int] = [w.WEEKDAY_WORDS[word] for word in words if word in w.WEEKDAY_WORDS]
    return Piece("weekdays", tuple(sorted(set(days))), m.group().strip())


def _span(m: re.Match[str]) -> Piece:
    first, last = w.WEEKDAY_WORDS[m.group(1)], w.WEEKDAY_WORDS[m.group(2)]
    days = range(first, last + 1) if first <= last else (*range(first, 7), *range(last + 1))
    return Piece("weekdays", tuple(sorted(days)), m.group().strip())


def _dose_range(m: re.Match[str]) -> Piece:
    """Both ends with their units; a unit typed once holds for both."""
    low, high = _unit(m, 2), _unit(m, 4)
    first, last = (str(sum(map(Decimal, text.split()))) if " " in text else text for text in (m.group(1), m.group(3)))
    return Piece("dose_range", ((first, low or high), (last, high or low)), m.group().strip())


def _and_half(m: re.Match[str]) -> Piece:
    unit, count, half = w.UNITS[m.group(2)], m.group(1), Decimal("0.5")
    sentence = f"“{m.group().strip()}”: is it {count} and a half, or {count} times a half?"
    return Piece("refuse", (sentence, (fmt_dose(int(count) + half, unit), fmt_dose(int(count) * half, unit))), m.group().strip())


def _spaced(m: re.Match[str]) -> Piece:
    """`5 000 units`, as thousands are written in some countries."""
    text = m.group().strip()
    meant = re.sub(r"[ ']", ",", m.group(1)) + (m.group(2) or "")
    return Piece("refuse", (f"“{text}”: thousands are written with a comma.", (meant,)), text)


def _which_days(text: str, count: str) -> Piece:
    words = _COUNTS.get(count, "")
    return Piece("refuse", (f"Which {words + ' ' if words else ''}days of the week?", ()), text)


def _days_a_week(m: re.Match[str]) -> Piece:
    """“5 days a week” is no duration and not once a week; seven days are every day."""
    text = m.group().strip()
    return Piece("times", "1", text) if m.group(2) == "7" and m.group(3) and not m.group(1) else _which_days(text, m.group(2))


def _times_a_week(m: re.Match[str]) -> Piece:
    text = m.group().strip()
    return Piece("every", ("1", 168), text) if m.group(1) == "1" else _which_days(text, m.group(1) or m.group(2))


def _strength(m: re.Match[str]) -> Piece:
    return Piece("strength", " ".join(m.group().split()), m.group().strip())


def _rules() -> Iterator[Rule]:
    def rule(pattern: str, make: Callable[[re.Match[str]], Piece], end: str = _END) -> Rule:
        return re.compile(f"(?:{pattern}){end}"), make

    yield rule(rf"{_MAX}\s*:?\s*{_N}\s*{_UNIT}?\s*(?:(?:/|per|in\s+a|in|a|each|every)\s*{_DAY}|daily|in\s+total\s+per\s+day)",
               _piece("max", lambda m: (m.group(1), _unit(m, 2))))
    yield rule(rf"{_MAX}\s*:?\s*{_N}\s*{_UNIT}?", _refuse("“{}” in which time? Write it per day.", "max … per day"))
    yield rule(rf"(?:wait\s+)?(?:at\s+least|min(?:imum)?)\s+{_N}\s*{_HOURS}\s+(?:between(?:\s+doses)?|apart)",
               _piece("wait", lambda m: m.group(1)))
    yield rule(rf"(?:min(?:imum)?\s+interval|not\s+more\s+often\s+than\s+every)\s+{_N}\s*{_HOURS}", _piece("wait", lambda m: m.group(1)))
    yield rule(rf"(?:q|every|each)\s*{_N}\s*(?:-|to|or)\s*{_N}\s*{_HOURS}|{_N}\s*(?:-|to)\s*{_N}[\s-]*(?:hourly|hrly)",
               _piece("every_range", lambda m: (m.group(1) or m.group(3), m.group(2) or m.group(4))))
    yield rule(rf"(?:q|every|each)\s*{_N}\s*{_HOURS}|{_N}[\s-]*(?:hourly|hrly)|{_N}/24", _piece("every",
               lambda m: (m.group(1) or m.group(2) or m.group(3), 1)))
    yield rule(rf"(?:q|every|each)\s*{_N}\s*(?:d|days?)", _piece("every", lambda m: (m.group(1), 24)))
    yield rule(rf"(?:q|every|each)\s*{_N}\s*(?:w|wk|wks|weeks?)", _piece("every", lambda m: (m.group(1), 168)))
    yield rule(rf"(?:q|every|each)\s*{_N}", _refuse("“{}”: every how many of what? Write the unit.", "hours", "days", "weeks"))
    yield rule(r"(?:\d+\s*(?:x|times)\s*)?(?:once\s+|twice\s+)?(?:a|per|each|every)\s+month",
               _refuse("A month has no fixed number of days: “{}” needs a number of days or weeks.", "every 4 weeks", "every 30 days"))
    yield rule(rf"up\s+to\s+(?={_N}|once|twice|thrice|bid|bd|tid|tds|qid|qds)", _piece("up_to", lambda _m: True), "")
    yield rule(rf"{_N}\s*(?:x|times)\s*(?:a|per|each|every|in\s+a|/)?\s*(?:d|day|daily)", _piece("times", lambda m: m.group(1)))
    yield rule(rf"x\s*{_N}\s*(?:/|a|per|each|every)\s*(?:d|day)", _piece("times", lambda m: m.group(1)))
    yield rule(rf"(?:once\s+a\s+week|once\s+weekly|weekly),?\s+(?:on\s+)?({_DAYWORD})", _piece("weekly_on",
               lambda m: w.WEEKDAY_WORDS[m.group(1)]))
    yield rule(rf"(?:on\s+|every\s+|each\s+)?({_DAYWORD})\s*(?:-|to)\s*({_DAYWORD})", _span)
    yield rule(rf"(?:on\s+|every\s+|each\s+)?({_DAYWORD}(?:(?:\s*[,/&+]\s*|\s+and\s+|\s*,\s*and\s+|\s+){_DAYWORD})*)", _weekdays)
    yield rule(r"(?:single\s+dose(?:\s+only)?|once\s+only|1\s+dose\s+only|one-off|1\s+single\s+dose|as\s+a\s+single\s+dose)",
               _piece("once", lambda _m: ""))
    yield rule(r"(?:stat|immediately|at\s+once)", _piece("once", lambda _m: "immediately"))
    yield rule(rf"(?:(?:for|x|over)\s*)?{_N}\s*(?:d|days?|/7)", _piece("days", lambda m: (m.group(1), 1)))
    yield rule(rf"(?:(?:for|x|over)\s*)?{_N}\s*(?:w|wk|wks|weeks?|/52)", _piece("days", lambda m: (m.group(1), 7)))
    nights = r"nights?|evenings?|mornings?"
    yield rule(rf"((?:for|x|on|over|only)\s+)?{_N_OR_RANGE}\s*(?:(d|days?)|{nights})\s*{_PER}\s*{_WEEK}", _days_a_week)
    yield rule(rf"((?:for|x|on|over|only)\s+)?{_N_OR_RANGE}\s*(?:d|days?|{nights})\s*(?:weekly|(?:out\s+of|of|in)\s+7)()", _days_a_week)
    yield rule(rf"((?:for|x|on|over|only)\s+)?{_N_OR_RANGE}\s*(?:d|days?|{nights})?\s*(?:out\s+of|of|in)\s+7\s*days()", _days_a_week)
    yield rule(rf"{_N_OR_RANGE}\s*(?:x|times?)\s*(?:{_PER}\s*)?(?:{_WEEK}|weekly)", _times_a_week)
    yield rule(rf"([2-7])\s*doses\s*(?:{_PER}\s*{_WEEK}|weekly)", _times_a_week)
    yield rule(rf"(twice|thrice)\s+(?:{_PER}\s*{_WEEK}|weekly)|([2-7])\s*(?:a|per|/|in\s+a)\s*{_WEEK}", _times_a_week)
    yield rule(r"(?:for|x|over)\s+a\s+week", _piece("days", lambda _m: ("1", 7)))
    yield rule(r"(?:(?:for|x|over)\s+)?(?:a\s+|1\s+)?fortnight|(?:for|x)\s+a\s+fortnight", _piece("days", lambda _m: ("2", 7)))
    yield rule(r"(?:(?:for|x|over)\s*)?(\d{1,2})?\s*(?:/12|months?|mths?|mo)", _months)
    yield rule(r"(?:for|x)\s+a()\s+month", _months)
    yield rule(rf"for\s*{_N}\s*(?:h|hr|hrs|hours?)", _piece("hours", lambda m: m.group(1)))
    yield rule(rf"(?:for|x)\s*{_N}", _refuse("“{}”: how many of what? Write days or weeks.", "days", "weeks"), _AFTER_NUMBER)
    yield rule(rf"at\s+{_N}\s*(ml|units?|mg|drops?)\s*(?:per|/)\s*(h|hr|hour|min|minute)",
               _piece("rate", lambda m: f"{m.group(1)} {'mL' if m.group(2) == 'ml' else m.group(2)} per "
                                        f"{'hour' if m.group(3).startswith('h') else 'minute'}"))
    yield rule(rf"{_N}\s*{_MASS}\s*(?:/|per)\s*kg", _refuse("“{}” needs the weight: open the line and choose “by weight”."))
    yield rule(rf"{_N}\s*{_MASS}(?:\s*\+\s*{_NUMBER}\s*{_MASS})*\s*(?:/|per|in)\s*(?:{_NUMBER})?\s*"
               r"(?:ml|puff|dose|actuation|spray|drop|h|hr|hour|24\s*h|24\s*hours)", _strength)
    yield rule(rf"{_N}\s*{_MASS}(?:\s*[+/]\s*{_NUMBER}\s*{_MASS})+", _strength)
    yield rule(rf"{_NUMBER}\s*%", _strength, "")
    yield rule(r"(\d+(?:\.5)?(?:-\d+(?:\.5)?){2,3})", _piece("schedule", lambda m: tuple(Decimal(n) for n in m.group(1).split("-"))),
               r"(?![^\W_]|-\d|\.\d)")
    yield rule(rf"({_MIXED}|{_NUMBER})\s*{_UNIT}?\s*(?:-|to|or)\s*({_MIXED}|{_NUMBER})\s*{_UNIT}?", _dose_range)
    yield rule(rf"([1-9]\d{{0,2}}(?:[ ']\d{{3}})*[ ']000)(?!\d)(\s*{_any(w.UNITS)})?", _spaced)
    yield rule(rf"({_MIXED})\s*{_UNIT}?",
               _piece("mixed", lambda m: (*m.group(1).split(), _unit(m, 2))))
    yield rule(rf"([1-9])\s+half\s+(?:an?\s+)?({_any(w.UNITS)})", _and_half)
    yield rule(rf"({_NUMBER}/{_NUMBER})", _strength, _AFTER_NUMBER)
    yield rule(r"\d*\.?\d+\s*(?:tsp|teaspoons?|teaspoonfuls?|tbsp|tablespoons?)", _refuse("A spoon is no measure: write “{}” in mL.",
                                                                                          "5 mL", "15 mL"))
    yield rule(rf"{_N}\s*{_UNIT}", _piece("amount", lambda m: (m.group(1), _unit(m, 2))))
    yield rule(_N, _piece("amount", lambda m: (m.group(1), "")), _AFTER_NUMBER)
    yield rule(rf"\.({_NUMBER})", lambda m: Piece("refuse", (f"Write a zero before the point: 0.{m.group(1)}.", (f"0.{m.group(1)}",)),
                                                  m.group()), "")
    yield re.compile(_any(_PHRASES) + _END), lambda m: Piece(*_PHRASES[" ".join(m.group().split())], m.group())


def _phrases() -> dict[str, tuple[str, Any]]:
    table: dict[str, tuple[str, Any]] = dict.fromkeys(w.FILLERS, ("filler", None))
    table |= {word: ("form", name) for word, name in w.FORM_WORDS.items()}
    table |= {word: ("route", name) for word, name in w.ROUTE_WORDS.items()}
    table |= {word: ("sideless", choices) for word, choices in w.SIDELESS.items()}
    table |= {word: ("times", str(n)) for word, n in w.TIMES.items()}
    table |= {word: ("every", (str(n), 1)) for word, n in w.EVERY.items()}
    table |= {word: ("refuse", (sentence, ())) for word, sentence in w.OPEN_FREQUENCIES.items()}
    table |= {word: ("moment", name) for word, name in w.MOMENTS.items()}
    table |= {word: ("advice", name) for word, name in w.ADVICE.items()}
    table |= dict.fromkeys(w.LONG_TERM, ("long_term", None))
    table |= dict.fromkeys(w.AS_NEEDED, ("prn", ""))
    table |= {word: ("two", word) for word in ("od", "os", "as", "ad")} | {"inhale": ("verb", "inhaled")}
    table |= {"once": ("refuse", ("“once” may mean once only or once a day.", ("once only", "once a day"))),
              "on": ("refuse", ("“on” may be a word or “every night”.", ("at night",))),
              "weekdays": ("weekdays", (0, 1, 2, 3, 4)), "at weekends": ("weekdays", (5, 6)), "on weekends": ("weekdays", (5, 6))}
    return {" ".join(word.casefold().split()): entry for word, entry in table.items()}


_PHRASES: Final = _phrases()
_RULES: Final = tuple(_rules())
_SKIP: Final = re.compile(r"(?:[\s,;:()\[\]\"']|\.(?!\d))+")
_WORD: Final = re.compile(r"[^\W\d_][\w'-]*|\S")


def piece_at(s: str, at: int) -> tuple[Piece, int] | None:
    """The piece that begins at `at` of a simplified text and where it ends; None when no rule knows it."""
    best: tuple[Piece, int] | None = None
    for pattern, make in _RULES:
        match = pattern.match(s, at)
        if match is not None and match.end() > at and (best is None or match.end() > best[1]):
            best = make(match), match.end()
    return best


def next_start(s: str, at: int) -> int:
    """`at` after spaces and signs that only separate."""
    match = _SKIP.match(s, at)
    return match.end() if match else at


def word_at(s: str, at: int) -> str:
    """The word, or the sign, that stands at `at`."""
    match = _WORD.match(s, at)
    return match.group() if match else ""


def is_known(word: str) -> bool:
    """Whether a word begins a piece other than a small word, so that it cannot be part of a reason."""
    found = piece_at(word, 0)
    return found is not None and found[0].kind != "filler"


def reason_after(s: str, at: int) -> tuple[str, int]:
    """The words after “as needed”: `for …` up to the next piece, or one of the usual reasons; with where they end."""
    start = next_start(s, at) if s[at:at + 1].isspace() else at
    said = re.match(r"for\s+(?!\d)", s[start:])
    usual = re.match(_any(w.REASONS) + _END, s[start:])
    if said is None:
        return (usual.group(), start + usual.end()) if usual else ("", at)
    begin = here = end = start + said.end()
    while here < len(s):
        if re.match(r"for\s+\d|wait\s+at\s+least", s[here:]) or not re.match(r"[^\W\d_]", s[here:here + 1]):
            break
        if is_known(s[here:]) :
            break
        word = re.match(r"[^\W\d_][\w'-]*", s[here:])
        if word is None or forbidden(word.group()):
            break
        end = here + word.end()
        gap = re.match(r"\s+", s[end:])
        if gap is None:
            break
        here = end + gap.end()
    return (s[begin:end].strip(), end) if end > begin else ("", at)
