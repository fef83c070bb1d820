"""Typed prescription lines become structured directions, or the questions that stand in the way. It never guesses.

`amox 500 tid 7d` → amoxicillin, 500 mg three times a day for 7 days. What it decides by itself: a bare number takes the unit of the
medicine's own strengths, unless it is a liquid; `od` beside a drop or an eye form and another frequency is the right eye, beside anything
swallowed once a day; a substance alone before its combinations. All else that has two readings is a question with its choices, and so is
a unit, way or form that the formulary does not have, a number that may be another one, and a line that contradicts itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from clinicdesk.errors import Invalid
from clinicdesk.rules.directions import Frequency, in_words
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.shorthand_answers import Parsed, Question, Unclear
from clinicdesk.rules.shorthand_reader import LineReader
from clinicdesk.rules.shorthand_scan import MOST_CHARACTERS, simplified

__all__ = ["Parsed", "Question", "Unclear", "parse", "plain_frequency", "read_dose", "read_duration", "read_frequency", "read_route"]


def parse(text: str, formulary: Formulary | None = None) -> Parsed | Unclear:
    """What a typed line says. Never raises; a line that says nothing, twice or in two ways is `Unclear`."""
    if len(text) > MOST_CHARACTERS:
        return Unclear((Question("text", f"A line has at most {MOST_CHARACTERS} characters."),))
    reader = LineReader(formulary)
    reader.read(simplified(text))
    return reader.outcome()


def _part(text: str, kinds: Sequence[str], about: str, example: str) -> tuple[LineReader, Parsed]:
    reader = LineReader(None)
    reader.read(simplified(text)[:MOST_CHARACTERS])
    outcome = reader.outcome()
    asked = Unclear(tuple(reader.questions)).doubts
    strange = [p.text for p in reader.pieces if p.kind not in {*kinds, "filler", "verb"}]
    if asked or strange or not any(p.kind in kinds for p in reader.pieces):
        sentence = asked[0] if asked else f"“{text.strip()}” is not understood here."
        raise Invalid(about, f"{sentence} For example: {example}.")
    return reader, outcome.understood if isinstance(outcome, Unclear) else outcome


def read_dose(text: str, about: str = "dose") -> tuple[Decimal, str]:
    """The amount and stored unit of one dose: `500 mg`, `½ tab`, `1.5 tablets`, `2 puffs`, `10 units`. `Invalid(about)` otherwise."""
    d = _part(text, ("amount", "mixed"), about, "500 mg or 2 tablets")[1].direction
    if d.dose_value is None or not d.dose_unit:
        raise Invalid(about, f"“{text.strip()}” needs a unit, for example 500 mg or 2 tablets.")
    return d.dose_value, d.dose_unit


def plain_frequency(text: str) -> str:
    """The words of a frequency where nothing else is said: “od” names no eye there."""
    return " ".join("once daily" if word == "od" else word for word in simplified(text).split())


def read_frequency(text: str, about: str = "frequency") -> Frequency:
    """How often: `tid`, `three times a day`, `every 6 hours as needed`, `weekly on Monday`, `once only`; else `Invalid(about)`.

    “od” is once a day here. A range of hours as needed gives only `as_needed`.
    """
    plain = plain_frequency(text)
    kinds = ("times", "every", "every_range", "once", "weekdays", "weekly_on", "moment", "schedule", "prn", "up_to")
    d = _part(plain, kinds, about, "three times a day or every 6 hours")[1].direction
    label = in_words(replace(d, dose_value=None, dose_unit="", route="")).split(".")[0].casefold()
    return Frequency(label, d.times_per_day, d.every_hours, d.weekdays, d.once, d.as_needed)


def read_duration(text: str, about: str = "duration") -> int | None:
    """How many days: `7d`, `x7d`, `2/52`, `for two weeks`; None for long term or once. `Invalid(about)` for months and all else."""
    reader, parsed = _part(text, ("days", "hours", "long_term", "once"), about, "7 days or 2 weeks")
    return parsed.direction.duration_days if not reader.all("long_term") else None


def read_route(text: str, about: str = "route") -> str:
    """The stored name of a route: `po`, `by mouth`, `right eye`, `inhaled`. `Invalid(about)` otherwise; “od” names no eye for certain."""
    return _part(text, ("route", "verb"), about, "by mouth or into the right eye")[1].direction.route
