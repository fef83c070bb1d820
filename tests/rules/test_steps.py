"""The appointment's life: exactly the legal steps, by exactly the roles that may."""

import itertools

import pytest

from clinicdesk.errors import Invalid, NotAllowed
from clinicdesk.rules.steps import ACTIVE, ENDED, ROLES, STATUSES, STEPS, check_step, steps_from, table

ORDINARY = {"scheduled confirmed", "scheduled arrived", "scheduled cancelled", "scheduled no_show", "confirmed arrived",
            "confirmed cancelled", "confirmed no_show", "arrived in_progress", "arrived cancelled", "arrived no_show",
            "in_progress completed"}
UNDO = {"arrived confirmed", "arrived scheduled", "cancelled scheduled", "cancelled confirmed", "no_show scheduled",
        "confirmed scheduled", "cancelled arrived", "no_show confirmed", "no_show arrived"}


@pytest.mark.parametrize(("old", "new"), list(itertools.product(STATUSES, STATUSES)))
def test_every_pair(old: str, new: str) -> None:
    pair = f"{old} {new}"
    if pair in ORDINARY | UNDO:
        assert check_step(old, new).undo == (pair in UNDO)
    else:
        with pytest.raises(Invalid, match="cannot become") as refusal:
            check_step(old, new)
        assert refusal.value.field == "status"


def test_refusal_says_what_is_possible() -> None:
    with pytest.raises(Invalid, match="Possible now: In progress, Cancelled"):
        check_step("arrived", "completed")
    with pytest.raises(Invalid, match="Nothing more"):
        check_step("completed", "scheduled")
    with pytest.raises(Invalid):
        check_step("nonsense", "scheduled")


def test_what_holds_time() -> None:
    assert frozenset({"scheduled", "confirmed", "arrived", "in_progress", "completed"}) == ACTIVE
    assert frozenset({"completed", "cancelled", "no_show"}) == ENDED


def test_roles() -> None:
    for role in set(ROLES) - {"doctor"}:
        for old, new in (("arrived", "in_progress"), ("in_progress", "completed")):
            with pytest.raises(NotAllowed):
                check_step(old, new, role)
    assert check_step("arrived", "in_progress", "doctor").verb == "Start consultation"
    assert {(s.old, s.new) for status in STATUSES for s in steps_from(status, "patient")} == {
        ("scheduled", "confirmed"), ("scheduled", "arrived"), ("confirmed", "arrived"), ("scheduled", "cancelled"),
        ("confirmed", "cancelled")}
    assert [s.new for s in steps_from("arrived", "receptionist")] == ["cancelled", "no_show", "confirmed", "scheduled"]
    assert steps_from("completed", "administrator") == ()
    assert set(table()) == set(STEPS)
