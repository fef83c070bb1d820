"""The checks of medicines: pure, from the facts of one patient, the prescribed lines and the tables.

What cannot be checked is an alert too. Tier 1 interrupts: the 15 high-priority interaction classes, an allergy to the same ingredient
(or a class of the table) that was or may have been severe, and hard dose limits; nothing else (reference clinical-safety R33–R36).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from clinicdesk.rules.checking.allergies import check_allergies
from clinicdesk.rules.checking.case import Case, Named, listed, make_case, not_checked, slug
from clinicdesk.rules.checking.doses import check_doses
from clinicdesk.rules.checking.leftovers import doubtful
from clinicdesk.rules.checking.meetings import check_duplicates, check_interactions
from clinicdesk.rules.checking.person import check_age, check_kidney, check_pregnancy
from clinicdesk.rules.directions import Direction
from clinicdesk.rules.knowledge import Knowledge, shipped
from clinicdesk.rules.look_alikes import nearest
from clinicdesk.rules.safety import Alert, PatientFacts, Prescribed

__all__ = ["ROOMS", "check", "line_of", "shipped"]

log = logging.getLogger(__name__)

Room = Callable[[Case], Iterator[Alert]]
#: What is checked, in words, and the room that does it.
ROOMS: Final[tuple[tuple[str, Room], ...]] = (
    ("allergies", check_allergies), ("interactions", check_interactions), ("duplicate medicines", check_duplicates),
    ("maximum doses", check_doses), ("age limits", check_age), ("pregnancy", check_pregnancy), ("kidney function", check_kidney),
)


_GENERIC: Final = "If it is a medicine, write its generic name, or check it yourself."


def line_of(medicine: str, direction: Direction, *, strength: str = "", text: str = "", unclear: Sequence[str] = ()) -> Prescribed:
    """A line to be checked from a structured direction. “Every 4 to 6 hours” counts as every 4, weekdays as parts of a day."""
    d = direction
    times = Decimal(d.times_per_day) if d.times_per_day is not None else None
    hours = d.every_hours or (d.min_interval_hours if times is None else None)
    if times is None and hours:
        times = Decimal(24) / hours
    elif times is None and (d.once or d.weekdays):
        times = Decimal(1)
    if times is not None and d.weekdays:
        times = times * len(set(d.weekdays)) / 7
    return Prescribed(medicine, d.dose_value, d.dose_unit, strength, d.route, times, d.max_per_day, d.as_needed,
                      1 if d.once else d.duration_days, text, tuple(unclear))


def check(facts: PatientFacts, lines: Sequence[Prescribed], knowledge: Knowledge) -> tuple[Alert, ...]:
    """All findings, the most serious first, each once. Never raises: a check that fails becomes an alert that says what was not checked."""
    if not lines:
        return ()
    case = make_case(facts, lines, knowledge)
    found = list(_names(case))
    for what, room in ROOMS:
        found += _found(case, what, room)
    unique: dict[tuple[object, ...], Alert] = {}
    for one in sorted(found, key=lambda a: a.tier):  # what is found twice is said once, at its most serious
        unique.setdefault((one.line, one.key, one.medicine, one.other, one.facts), one)
    return tuple(unique.values())


def _found(case: Case, what: str, room: Room) -> list[Alert]:
    """What a room finds. A fault is seen, belongs to the lines it comes from, and silences neither the others nor another check."""
    found = _tried(case, what, room)
    if found is not None:
        return found
    alone = [(line, _tried(replace(case, lines=(line,)), what, room)) for line in case.lines]
    sound = tuple(line for line, alerts in alone if alerts is not None)
    together = _tried(replace(case, lines=sound), what, room) if len(sound) < len(case.lines) else None
    found = together if together is not None else [one for _, alerts in alone for one in alerts or ()]
    return found + [not_checked(case, "medicines", 2, slug("fault", what), line,
                                f"The check of {what} failed for {line.medicine}, so {what} were not checked for it.",
                                advice="Check it yourself, and tell the administrator.")
                    for line in case.lines if line not in sound or together is None]


def _tried(case: Case, what: str, room: Room) -> list[Alert] | None:
    try:
        return list(room(case))
    except Exception:
        log.exception("the check of %s failed", what)
        return None


def _names(case: Case) -> Iterator[Alert]:
    """Names the tables do not know: no check can be made of them (R27)."""
    for line in case.lines:
        named = line.named
        for sentence in line.prescribed.unclear:
            yield not_checked(case, "limits", 2, slug("direction", named.text, sentence), line,
                              f"The direction of {named.text} is not clear, so its dose was {_checked(line.prescribed)}: {sentence}",
                              advice="Write the dose and how often in plain words.",
                              facts=(f"written: {line.prescribed.text}",) if line.prescribed.text else ())
        if not named.known:
            yield not_checked(case, "medicines", 2, slug("medicine", named.text), line,
                              f"{named.text} is free text: it is in no table, so nothing but its name was checked.",
                              advice=_meant(named, case) + "Choose the generic name from the list, or check it yourself.")
        elif named.unknown:
            yield not_checked(case, "medicines", 2 if doubtful(named.text, named.unknown) else 3, slug("medicine", named.text), line,
                              f"In “{named.text}” {_left_over(named)}.", advice=_meant(named, case) + _GENERIC)
    for named in case.current:
        if named.known and named.unknown:
            yield not_checked(case, "medicines", 2 if doubtful(named.text, named.unknown) else 3, slug("current", named.text),
                              case.lines[0], f"In the current medicine “{named.text}” {_left_over(named)}.",
                              advice=_meant(named, case) + _GENERIC, other=named.text)
        elif not named.known:
            yield not_checked(case, "medicines", 2, slug("current", named.text), case.lines[0],
                              f"The current medicine {named.text} is in no table, so no interaction with it was checked.",
                              advice=_meant(named, case) + "Write its generic name, or check it yourself.", other=named.text,
                              facts=(f"{named.text} is a current medicine",))


def _checked(p: Prescribed) -> str:
    known = p.dose_value is not None and bool(p.dose_unit)
    return "checked only as far as it was understood" if known else "not checked"


def _left_over(named: Named) -> str:
    words = listed(f"“{word}”" for word in named.unknown)
    what = f"the words {words} were" if len(named.unknown) > 1 else f"the word {words} was"
    return f"{what} not understood; checked was {listed(named.ingredients)}"


def _meant(named: Named, case: Case) -> str:
    near = nearest(named.unknown[0], case.knowledge.formulary.names) if len(named.unknown) == 1 else ""
    return f"Did you mean {near}? " if near else ""
