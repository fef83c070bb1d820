"""The checks of medicines: one prescribed medicine for a patient with twenty current ones and three allergies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from benchmarks.measuring import Result, summary, timed
from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.safety import KnownAllergy, PatientFacts, Prescribed

_ALLERGIES = (KnownAllergy("penicillin", "hives"), KnownAllergy("NSAIDs", "asthma"), KnownAllergy("shellfish"))


def measure(_clinic: object, _filled: object, _floors: object, rounds: int) -> Iterator[Result]:
    """The aim is the one of reference clinical-safety R36: 50 ms for 19 in 20."""
    known = shipped()
    names = [name for name in known.medicines if known.limits.get(name)]

    def one(turn: int) -> float:
        current = tuple(f"{names[(turn + n) % len(names)]} 10 MG Oral Tablet" for n in range(20))
        facts = PatientFacts(date(2026, 11, 21), date(1950, 1, 1), "F", Decimal(70), None, Decimal(40), _ALLERGIES, current)
        line = Prescribed(names[-turn % len(names)], Decimal(1), "tablet", times_per_day=Decimal(2))
        return timed(lambda: check(facts, [line], known))

    yield summary("Check a medicine against 20 current ones", [one(turn) for turn in range(rounds)], limit=50)
