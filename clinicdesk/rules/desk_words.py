"""What was done at a desk, in words: for the undo list, the toast and the bell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final

from clinicdesk.rules.moments import clinical_date, clinical_time

_STEP_WORDS: Final = {"confirmed": "Confirmed", "arrived": "Checked in", "cancelled": "Cancelled", "no_show": "Marked as not attended:",
                      "scheduled": "Set back to scheduled:"}
#: What an appointment's history calls a step, in the past.
PAST_WORDS: Final = {"arrived": "checked in", "in_progress": "started", "no_show": "did not attend", "scheduled": "restored"}


@dataclass(frozen=True, slots=True)
class Names:
    """Who the numbers in a change are: patients by id, doctors by id; and the zone for times."""

    patients: Mapping[str, str]
    doctors: Mapping[int, str]
    zone: tzinfo


def action_words(changes: Sequence[Mapping[str, Any]], names: Names) -> str:
    """One sentence without a full stop: `Moved Meyer, Anna from 24-Nov-2026 10:00 to 24-Nov-2026 11:00`."""
    first = changes[0]
    before, after = first["before"], first["after"]
    state = after or before
    who = names.patients.get(state["patient_id"], "a patient")
    if len(changes) > 1:
        verb = "Booked" if before is None else "Cancelled" if after and after["status"] == "cancelled" else "Moved"
        return f"{verb} {len(changes)} appointments of {who}"
    doctor = names.doctors.get(state["doctor_id"], "")
    if before is None:
        return f"Booked {who}, {_when(state, names)}" + (f" with {doctor}" if doctor else "")
    if before["status"] != after["status"]:
        return f"{_STEP_WORDS.get(after['status'], 'Changed')} {who}, {_when(state, names)}"
    if (before["starts_at"], before["doctor_id"]) == (after["starts_at"], after["doctor_id"]):
        if before["lane"] != after["lane"]:
            return f"Overbooked {who}, {_when(state, names)}"
        return f"Changed the length of {who}’s appointment to {_minutes(after)} minutes"
    if before["doctor_id"] != after["doctor_id"]:
        return f"Moved {who} to {doctor or 'another doctor'}, {_when(after, names)}"
    return f"Moved {who} from {_when(before, names)} to {_when(after, names)}"


def _when(state: Mapping[str, Any], names: Names) -> str:
    moment = datetime.fromisoformat(state["starts_at"]).astimezone(names.zone)
    return f"{clinical_date(moment.date())} {clinical_time(moment)}"


def _minutes(state: Mapping[str, Any]) -> int:
    return int((datetime.fromisoformat(state["ends_at"]) - datetime.fromisoformat(state["starts_at"])).total_seconds() // 60)
