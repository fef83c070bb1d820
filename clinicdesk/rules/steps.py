"""The life of an appointment: its statuses, the legal steps between them, who may take each, and the words for both.

The database guards the same table (status trigger); `table()` gives it as rows so that a test can hold the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from clinicdesk.errors import Invalid, NotAllowed

RECEPTIONIST: Final = "receptionist"
DOCTOR: Final = "doctor"
ADMINISTRATOR: Final = "administrator"
PATIENT: Final = "patient"
ROLES: Final = (RECEPTIONIST, DOCTOR, ADMINISTRATOR, PATIENT)

#: Status → the words shown for it, in the order of a good day.
STATUSES: Final[Mapping[str, str]] = MappingProxyType({
    "scheduled": "Scheduled",
    "confirmed": "Confirmed",
    "arrived": "Arrived",
    "in_progress": "In progress",
    "completed": "Completed",
    "cancelled": "Cancelled",
    "no_show": "Did not attend",
})
#: Statuses that hold the doctor's time; only these clash.
ACTIVE: Final = frozenset(STATUSES) - {"cancelled", "no_show"}
#: Statuses after which nothing more happens by itself.
ENDED: Final = frozenset({"completed", "cancelled", "no_show"})


@dataclass(frozen=True, slots=True)
class Step:
    """A legal change of status: the verb on its button, the past word in the history, the roles that may, and whether it takes back.

    A patient (kiosk) may act on her own appointments only and a doctor on her own only: the database decides whose it is.
    """

    old: str
    new: str
    verb: str
    done: str
    roles: frozenset[str]
    undo: bool = False


_DESK = frozenset({RECEPTIONIST, ADMINISTRATOR})
_STAFF = _DESK | {DOCTOR}
_ANYONE = _STAFF | {PATIENT}

_STEPS: Final = (
    Step("scheduled", "confirmed", "Confirm", "confirmed", _ANYONE),
    Step("scheduled", "arrived", "Check in", "checked in", _ANYONE),
    Step("confirmed", "arrived", "Check in", "checked in", _ANYONE),
    Step("arrived", "in_progress", "Start consultation", "started", frozenset({DOCTOR})),
    Step("in_progress", "completed", "Complete visit", "completed", frozenset({DOCTOR})),
    Step("scheduled", "cancelled", "Cancel appointment", "cancelled", _ANYONE),
    Step("confirmed", "cancelled", "Cancel appointment", "cancelled", _ANYONE),
    Step("arrived", "cancelled", "Cancel appointment", "cancelled", _STAFF),
    Step("scheduled", "no_show", "Did not attend", "marked as not attended", _STAFF),
    Step("confirmed", "no_show", "Did not attend", "marked as not attended", _STAFF),
    Step("arrived", "no_show", "Left before being seen", "marked as not attended", _STAFF),
    Step("arrived", "confirmed", "Undo check-in", "check-in undone", _STAFF, undo=True),
    Step("arrived", "scheduled", "Undo check-in", "check-in undone", _STAFF, undo=True),
    Step("cancelled", "scheduled", "Restore appointment", "restored", _DESK, undo=True),
    Step("cancelled", "confirmed", "Restore appointment", "restored", _DESK, undo=True),
    Step("no_show", "scheduled", "Restore appointment", "restored", _DESK, undo=True),
    Step("confirmed", "scheduled", "Undo confirmation", "confirmation undone", _STAFF, undo=True),
    Step("cancelled", "arrived", "Restore appointment", "restored", _DESK, undo=True),
    Step("no_show", "confirmed", "Restore appointment", "restored", _DESK, undo=True),
    Step("no_show", "arrived", "Restore appointment", "restored", _DESK, undo=True),
)
STEPS: Final[Mapping[tuple[str, str], Step]] = MappingProxyType({(step.old, step.new): step for step in _STEPS})


def table() -> tuple[tuple[str, str], ...]:
    """Every legal (old, new) pair in a stable order, for a test against the database guard and for the migration that writes it."""
    return tuple(STEPS)


def check_step(old: str, new: str, role: str | None = None) -> Step:
    """The step from `old` to `new`; `Invalid("status")` when it is not legal, `NotAllowed` when `role` may not take it."""
    step = STEPS.get((old, new))
    if step is None:
        now = STATUSES.get(old, old)
        choices = [STATUSES[s.new] for s in _STEPS if s.old == old and not s.undo]
        allowed = f"Possible now: {', '.join(choices)}." if choices else "Nothing more can be done with it."
        raise Invalid("status", f"An appointment that is “{now}” cannot become “{STATUSES.get(new, new)}”. {allowed}")
    if role is not None and role not in step.roles:
        raise NotAllowed
    return step


def steps_from(status: str, role: str) -> tuple[Step, ...]:
    """What a role may do with an appointment in a status, ordinary steps first: the entries of its menu."""
    return tuple(sorted((s for s in _STEPS if s.old == status and role in s.roles), key=lambda s: s.undo))
