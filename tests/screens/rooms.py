"""The consulting room with a consultation begun, and hands that prescribe in it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt

from clinicdesk.services import chart, consultations
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting
from tests.visiting import started


def opened_room(office: Office, practice: Practice, patient: str) -> Any:
    """Dora's consulting room with a consultation of the patient begun."""
    started(practice, patient, hour=14)
    with practice.read("dora") as session:
        appointment = next(row.id for row in consultations.in_progress(session) if row.patient_id == patient)
    room = consulting(office, office.open("dora"), appointment)
    office.until(lambda: room.editor is not None, "the editor opens")
    office.settle()
    return room


def write(office: Office, room: Any, text: str) -> None:
    """Type a line and press Enter."""
    office.fill(room.editor.prescription.quick.field, text)
    office.keys(Qt.Key.Key_Return)
    office.settle()


def allergic(practice: Practice, patient: str) -> None:
    """The worst there is against a penicillin."""
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "penicillin", reaction="anaphylaxis", severity="severe")
