"""The checks of medicines: pure, from the facts of one patient, the prescribed lines and the tables.

What cannot be checked is an alert too. Tier 1 interrupts: the 15 high-priority interaction classes, an allergy to the same ingredient
(or a class of the table) that was or may have been severe, and hard dose limits; nothing else (reference clinical-safety R33–R36).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from clinicdesk.paths import resource
from clinicdesk.rules.checking.allergies import check_allergies
from clinicdesk.rules.checking.case import Case, listed, make_case, not_checked, slug
from clinicdesk.rules.checking.doses import check_doses
from clinicdesk.rules.checking.meetings import check_duplicates, check_interactions
from clinicdesk.rules.checking.person import check_age, check_kidney, check_pregnancy
from clinicdesk.rules.knowledge import Knowledge, read_knowledge
from clinicdesk.rules.safety import Alert, PatientFacts, Prescribed

__all__ = ["ROOMS", "check", "shipped"]

log = logging.getLogger(__name__)

#: What is checked, in words, and the room that does it.
ROOMS: Final[tuple[tuple[str, Callable[[Case], Iterator[Alert]]], ...]] = (
    ("allergies", check_allergies), ("interactions", check_interactions), ("duplicate medicines", check_duplicates),
    ("maximum doses", check_doses), ("age limits", check_age), ("pregnancy", check_pregnancy), ("kidney function", check_kidney),
)


def shipped() -> Knowledge:
    """The tables that came with the program, read once."""
    return read_knowledge(resource("medicines"))


def check(facts: PatientFacts, lines: Sequence[Prescribed], knowledge: Knowledge) -> tuple[Alert, ...]:
    """All findings, the most serious first, each once. Never raises: a check that fails becomes an alert that says what was not checked."""
    if not lines:
        return ()
    case = make_case(facts, lines, knowledge)
    found = list(_names(case))
    for what, room in ROOMS:
        try:
            found += room(case)
        except Exception:  # a fault in one check must be seen and must not silence the others
            log.exception("the check of %s failed", what)
            found.append(not_checked(case, "medicines", 2, slug("fault", what), lines[0].medicine,
                                     f"The check of {what} failed, so {what} were not checked.",
                                     advice="Check it yourself, and tell the administrator."))
    unique = {(a.key, a.medicine, a.other): a for a in found}
    return tuple(sorted(unique.values(), key=lambda a: a.tier))


def _names(case: Case) -> Iterator[Alert]:
    """Names the tables do not know: no check can be made of them (R27)."""
    for line in case.lines:
        named = line.named
        if not named.known:
            yield not_checked(case, "medicines", 2, slug("medicine", named.text), named.text,
                              f"{named.text} is free text: it is in no table, so nothing was checked for it.",
                              advice="Choose the generic name from the list, or check it yourself.")
        elif named.unknown:
            yield not_checked(case, "medicines", 3, slug("medicine", named.text), named.text,
                              f"In “{named.text}” the words {listed(f'“{w}”' for w in named.unknown)} were not understood; checked was"
                              f" {listed(named.ingredients)}.")
    for named in case.current:
        if not named.known:
            yield not_checked(case, "medicines", 2, slug("current", named.text), case.lines[0].prescribed.medicine,
                              f"The current medicine {named.text} is in no table, so no interaction with it was checked.",
                              advice="Write its generic name, or check it yourself.", other=named.text,
                              facts=(f"{named.text} is a current medicine",))
