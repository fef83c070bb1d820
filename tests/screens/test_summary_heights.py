"""The summary of the chart never squeezes its lines, however often it is read again."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from clinicdesk.services import chart
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_recovery import room_of
from tests.visiting import completed, started


@pytest.fixture
def room(office: Office, practice: Practice) -> Any:
    patient = practice.patient(first_name="Ana", last_name="Adler")
    for hour in (8, 9):
        completed(practice, patient, hour=hour)
    with practice.write("dora") as session:
        for name in ("Unilateral primary osteoarthritis, right knee, with effusion", "Hyperlipidemia, unspecified"):
            chart.add_problem(session, patient, name)
        chart.add_allergy(session, patient, "latex", reaction="hives and swelling of the face and hands after an examination")
    started(practice, patient, hour=14)
    return room_of(office, practice, patient)


def squeezed(room: Any) -> list[str]:
    """Labels that are lower than their words need."""
    return [one.text() for one in room.chart.tabs.widget(0).findChildren(QLabel)
            if one.isVisible() and one.wordWrap() and one.text() and one.height() < one.heightForWidth(one.width()) - 1]


def test_no_line_is_cut(office: Office, room: Any) -> None:
    office.until(lambda: not squeezed(room), "as it was opened")
    for turn in range(4):
        room.chart.refresh()
        office.settle()
        assert not squeezed(room), f"read again {turn}"
        room.editor.notes.editor("plan").setPlainText(f"x {turn}")
        with office.practice.write("dora") as session:
            chart.add_problem(session, room.patient_id, f"Another problem with a long name that needs two lines, number {turn}")
        office.settle()
        office.until(lambda: not squeezed(room), f"after a notice {turn}", patience=2)
