"""Cases for `clinicdesk check-medicines`: a JSON file of one case or a list becomes facts and lines, or a sentence of what is wrong where.

Words are read as the consulting room reads them (`rules/shorthand.py`). A dose, frequency or duration that cannot be read is no error: the
line says so and the check reports it. A key that is not known is one: what it says would silently not be checked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.ages import years
from clinicdesk.rules.checks import line_of
from clinicdesk.rules.directions import Direction, Frequency
from clinicdesk.rules.doses import fmt_number
from clinicdesk.rules.safety import KnownAllergy, PatientFacts, Prescribed
from clinicdesk.rules.shorthand import Parsed, parse, plain_frequency, read_dose, read_duration, read_frequency, read_route
from clinicdesk.rules.vitals import VITALS

_SEX: Final = {"f": "F", "female": "F", "w": "F", "woman": "F", "m": "M", "male": "M", "man": "M", "i": "I", "indeterminate": "I",
               "other": "I", "": "", "unknown": "", "u": "", "not known": ""}
#: What a case, a patient, an allergy and a prescribed line may say.
_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "case": ("patient", "prescribe", "today"),
    "patient": ("birth_date", "sex", "weight_kg", "pregnant", "egfr", "allergies", "medicines", "problems"),
    "allergy": ("substance", "reaction", "severity", "noted_on", "tolerated"),
    "line": ("medicine", "strength", "dose", "route", "frequency", "duration"),
})
#: Words for a person who reads the file; nothing is checked of them.
_LABELS: Final = frozenset({"id", "name", "title", "note", "comment", "description"})
#: The hard limits of reference clinical-safety § 1.10.2 and of the consulting room.
_WEIGHT: Final = (VITALS["weight"].hard_low, VITALS["weight"].hard_high, "kg")
_EGFR: Final = (Decimal(1), Decimal(200), "mL/min/1.73 m²")
_OLDEST_YEARS: Final = 130


@dataclass(frozen=True, slots=True)
class Case:
    """One patient with the lines to be checked."""

    facts: PatientFacts
    lines: tuple[Prescribed, ...]


def read_cases(text: str, today: date) -> tuple[list[Case], bool]:
    """The cases of a JSON text and whether it was a list. `Invalid` names the place and the fault."""
    try:
        data = json.loads(text, parse_float=Decimal, object_pairs_hook=_once)
        json.dumps(data, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        raise Invalid("file", "This holds half of a character (a lone surrogate), which is no text.") from None
    except Invalid:
        raise
    except ValueError as error:
        raise Invalid("file", f"This is not JSON: {error}.") from None
    except RecursionError:
        raise Invalid("file", "This is not a case: it is nested far too deeply.") from None
    if isinstance(data, list):
        return [_case(one, f"case {number}", today) for number, one in enumerate(data, 1)], True
    return [_case(data, "the case", today)], False


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = next(key for number, (key, _) in enumerate(pairs) if key in {earlier for earlier, _ in pairs[:number]})
        raise Invalid("file", f"“{twice}” stands twice in one object; say it once.")
    return found


def _known(data: dict[str, Any], kind: str, where: str) -> None:
    for key in data:
        if key not in _KEYS[kind] and key not in _LABELS:
            raise Invalid("file", f"“{key}” of {where} is not understood. What can be said there: {', '.join(_KEYS[kind])}.")


def _case(data: Any, where: str, today: date) -> Case:
    if not isinstance(data, dict):
        raise _wrong(where, "an object with “patient” and “prescribe”")
    _known(data, "case", where)
    patient = data.get("patient")
    if not isinstance(patient, dict):
        raise _wrong(f"“patient” of {where}", "an object")
    lines = data.get("prescribe")
    if not isinstance(lines, list):
        raise _wrong(f"“prescribe” of {where}", "a list")
    when = _date(data.get("today"), f"“today” of {where}") or today
    return Case(_facts(patient, where, when), tuple(_line(one, f"prescribe {n} of {where}") for n, one in enumerate(lines, 1)))


def _facts(patient: dict[str, Any], where: str, today: date) -> PatientFacts:
    _known(patient, "patient", f"“patient” of {where}")
    sex = _SEX.get(_text(patient.get("sex"), f"“sex” of {where}").casefold())
    if sex is None:
        raise _wrong(f"“sex” of {where}", "F, M, I or empty")
    pregnant = patient.get("pregnant")
    if pregnant is not None and not isinstance(pregnant, bool):
        raise _wrong(f"“pregnant” of {where}", "true, false or null")
    born = _date(patient.get("birth_date"), f"“birth_date” of {where}")
    if born is not None and born > today:
        raise Invalid("birth_date", f"“birth_date” of {where} is in the future.")
    if born is not None and years(born, today) > _OLDEST_YEARS:
        raise Invalid("birth_date", f"“birth_date” of {where} is more than {_OLDEST_YEARS} years ago.")
    return PatientFacts(
        today=today, birth_date=born, sex=sex, pregnant=pregnant,
        weight_kg=_number(patient.get("weight_kg"), f"“weight_kg” of {where}", _WEIGHT),
        egfr=_number(patient.get("egfr"), f"“egfr” of {where}", _EGFR), allergies=_allergies(patient.get("allergies"), where),
        medicines=tuple(_texts(patient.get("medicines"), f"“medicines” of {where}")),
        problems=tuple(_texts(patient.get("problems"), f"“problems” of {where}")))


def _allergies(found: Any, where: str) -> tuple[KnownAllergy, ...] | None:
    if found is None:
        return None
    if not isinstance(found, list):
        raise _wrong(f"“allergies” of {where}", "a list, or null when not recorded")
    return tuple(_allergy(one, f"allergy {number} of {where}") for number, one in enumerate(found, 1))


def _allergy(one: Any, where: str) -> KnownAllergy:
    if isinstance(one, str) and one.strip():
        return KnownAllergy(one.strip())
    if not isinstance(one, dict) or not _text(one.get("substance"), f"“substance” of {where}"):
        raise _wrong(where, "an object with a “substance”")
    _known(one, "allergy", where)
    tolerated = tuple(_texts(one.get("tolerated"), f"“tolerated” of {where}"))
    return KnownAllergy(_text(one["substance"], where), _text(one.get("reaction"), f"“reaction” of {where}"),
                        _text(one.get("severity"), f"“severity” of {where}").casefold(),
                        _date(one.get("noted_on"), f"“noted_on” of {where}"), tolerated)


def _line(one: Any, where: str) -> Prescribed:
    if not isinstance(one, dict) or not _text(one.get("medicine"), f"“medicine” of {where}"):
        raise _wrong(where, "an object with a “medicine”")
    _known(one, "line", where)
    words = {name: _text(one.get(name), f"“{name}” of {where}") for name in ("dose", "route", "frequency", "duration")}
    direction, unclear = _direction(words)
    return line_of(_text(one["medicine"], where), direction, strength=_text(one.get("strength"), f"“strength” of {where}"),
                   text=" ".join(word for word in words.values() if word), unclear=unclear)


def _direction(words: dict[str, str]) -> tuple[Direction, list[str]]:
    """The whole line as one sentence, which says most; else its parts as far as they are clear, and what is not."""
    route = words["route"]
    if route:
        try:
            route = read_route(route)
        except Invalid:
            route = words["route"].casefold()
    frequency = plain_frequency(words["frequency"])
    whole = parse(" ".join(part for part in (words["dose"], frequency) if part))
    days: int | None = None
    if words["duration"]:
        try:
            days = read_duration(words["duration"])
        except Invalid:
            days = None  # how long it is taken changes no limit
    if isinstance(whole, Parsed):
        d = whole.direction
        return replace(d, route=route or d.route, as_needed_for="", duration_days=days or d.duration_days, rate="", text=""), []
    value, unit, unclear = None, "", []
    if words["dose"]:
        try:
            value, unit = read_dose(words["dose"])
        except Invalid as error:
            unclear.append(error.sentence)
    timed = Direction(value, unit, route, duration_days=days)
    if frequency:
        try:
            timed = read_frequency(frequency).applied(timed)
        except Invalid as error:
            unclear.append(error.sentence)
            timed = _scheduled(timed, frequency)
    return timed, list(whole.doubts) or unclear


def _scheduled(timed: Direction, frequency: str) -> Direction:
    """How often it is taken, where a frequency says more than that (`qid max 4 g per day`)."""
    read = parse(frequency)
    d = read.direction if isinstance(read, Parsed) else read.understood.direction
    return Frequency("", d.times_per_day, d.every_hours, d.weekdays, d.once, d.as_needed).applied(timed)


def _wrong(where: str, wanted: str) -> Invalid:
    return Invalid("file", f"{where[:1].upper() + where[1:]} must be {wanted}.")


def _text(value: Any, where: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(where, "text")
    return " ".join(value.split())


def _texts(value: Any, where: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(where, "a list of names")
    for one in value:
        if not isinstance(one, str):
            raise _wrong(where, "a list of names")
        if one.strip():
            yield " ".join(one.split())


def _number(value: Any, where: str, limits: tuple[Decimal, Decimal, str]) -> Decimal | None:
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number <= 0:
        raise _wrong(where, "a number above zero, or null")
    low, high, unit = limits
    if not low <= number <= high:
        raise Invalid("file", f"{where[:1].upper() + where[1:]} is {value}, but must be {fmt_number(low)} to {fmt_number(high)} {unit}."
                              " Check the unit.")
    return number


def _date(value: Any, where: str) -> date | None:
    if value is None or value == "":
        return None
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise _wrong(where, "a date such as 1980-02-29, or null") from None
