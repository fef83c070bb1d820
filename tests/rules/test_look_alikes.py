"""Names that are taken for one another, and the question after a mistyped one."""

from __future__ import annotations

from datetime import date

import pytest

from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.look_alikes import look_alikes, nearest
from clinicdesk.rules.safety import PatientFacts, Prescribed

NAMES = shipped().formulary.names


@pytest.mark.parametrize(("name", "other"), [
    ("bupropion", "buspirone"), ("hydralazine", "hydroxyzine"), ("prednisone", "prednisolone"), ("Prednisolone", "prednisone"),
    ("metformin", "metronidazole"), ("quinine", "quinidine"), ("chlorpropamide", "chlorpromazine"), ("cefixime", "cefepime"),
    ("amiloride", "amlodipine"), ("glipizide", "glibenclamide"),
])
def test_the_names_a_name_is_taken_for(name: str, other: str) -> None:
    found = look_alikes(name, NAMES)
    assert other in found and name.casefold() not in found and list(found) == sorted(found, key=str.casefold)


def test_a_name_of_its_own_is_taken_for_none() -> None:
    assert look_alikes("paracetamol", NAMES) == () and look_alikes("zinc", NAMES) == ()


@pytest.mark.parametrize(("typed", "meant"), [
    ("amoxicilin", "amoxicillin"), ("paracetmol", "paracetamol"), ("zzyrdin", ""), ("ab", ""), ("prednisolon", "prednisolone"),
])
def test_the_nearest_name_is_offered_and_never_taken(typed: str, meant: str) -> None:
    assert nearest(typed, NAMES) == meant
    alerts = check(PatientFacts(date(2026, 11, 21), allergies=()), [Prescribed(typed)], shipped())
    free = next(a for a in alerts if a.rule == "not-checked" and "free text" in a.sentence)
    assert (f"Did you mean {meant}?" in free.advice) == bool(meant) and free.tier == 2
