"""The audit log, emergency access and proof on the screen: the administrator, the doctor who breaks the glass, and the patient."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel, QPushButton

from clinicdesk.services import auditing, glass
from tests.clinics import Practice
from tests.screens.office import Office
from tests.visiting import FULL, as_owner, completed
from ui.dialogs.glass import GlassSheet
from ui.panels.audit import AuditPanel, ReviewSheet
from ui.panels.consulting import ConsultingPanel


@pytest.fixture
def patient(practice: Practice) -> str:
    """Dora's patient."""
    number = practice.patient(allergies="Cats, as a child.")
    completed(practice, number, FULL, hour=9)
    return number


def shut(office: Office, patient: str) -> tuple[ConsultingPanel, QPushButton]:
    window = office.open("hugo")
    window.show_topic("patient", patient)
    room = office.panel(window, "consulting")
    found: list[QPushButton] = []

    def offered() -> bool:
        found[:] = [one for one in room.chart.findChildren(QPushButton) if "emergency" in one.text() and one.isVisible()]
        return bool(found)

    office.until(offered, "the shut record offers the way in")
    return room, found[0]


def test_a_doctor_opens_a_record_in_three_steps_and_sees_until_when(office: Office, practice: Practice, patient: str) -> None:
    room, way_in = shut(office, patient)
    office.click(way_in)
    sheet = office.sheet(GlassSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form and sheet.form.error("reason"), "nothing is chosen beforehand")
    sheet.form.set_value("reason", "covering")
    office.fill(sheet.form.editor("words"), "Hugo covers the ward tonight")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: room.glass.isVisible() and "60 minutes left" in room.glass._words.text(), "the line is there")
    office.until(lambda: any("Cats" in one.text() for one in room.chart.findChildren(QLabel)), "the chart is open")
    office.click(room.glass.close_button)
    office.until(lambda: not room.glass.isVisible(), "the line is gone")
    office.until(lambda: not any("Cats" in one.text() for one in room.chart.findChildren(QLabel) if one.isVisible()), "so is the chart")


def test_the_hour_ends_on_the_screen_by_the_clock(office: Office, practice: Practice, patient: str) -> None:
    room, _way_in = shut(office, patient)
    with practice.write("hugo") as session:
        grant = glass.break_glass(session, patient, "emergency", "Brought in unconscious")
    room._show_patient(patient)
    office.until(room.glass.isVisible, "the line is there")
    hour = "interval '1 hour'"
    as_owner(practice, f"update clinic.access_grants set given_at = given_at - {hour}, expires_at = expires_at - {hour}")
    as_owner(practice, "update clinic.care set expires_at = expires_at - interval '1 hour' where expires_at is not null")
    practice.clinic.database._released.clear()
    room.glass.set_grant(glass.Grant(grant.id, patient, datetime.now(UTC) - timedelta(seconds=1)))
    office.until(lambda: not room.glass.isVisible(), "the line is gone")
    office.until(lambda: any("emergency" in b.text() for b in room.chart.findChildren(QPushButton)), "the record is shut again")


def test_the_log_is_narrowed_sorted_and_exported(office: Office, practice: Practice, patient: str, tmp_path: Path) -> None:
    panel: AuditPanel = office.panel(office.open("ada"), "audit")
    log = panel.log
    office.until(lambda: len(log.rows) > 20, "the log is there")
    log.actor.setCurrentIndex(log.actor.findData("dora"))
    log.refresh()
    office.until(lambda: {row.actor for row in log.rows} == {"dora"}, "only hers")
    log.desk.show("audit", patient)
    office.until(lambda: {row.patient_id for row in log.rows} == {patient}, "only that record")
    log.write_to(tmp_path / "log.csv")
    office.settle()
    text = (tmp_path / "log.csv").read_text(encoding="utf-8-sig")
    assert patient in text and "Example" not in text, "the file names nobody"
    today = datetime.now(practice.clinic.zone).date()
    with practice.read("ada") as session:
        assert auditing.report(session, auditing.Wanted(today, today, action="export", actor="ada"))


def test_emergency_access_is_reviewed_and_the_proof_is_shown(office: Office, practice: Practice, patient: str) -> None:
    with practice.write("hugo") as session:
        glass.break_glass(session, patient, "emergency", "Brought in unconscious")
    panel: AuditPanel = office.panel(office.open("ada"), "audit")
    panel.tabs.setCurrentWidget(panel.reviews)
    office.until(lambda: panel.reviews.table.rows, "it is on the list")
    panel.reviews.table.select(panel.reviews.table.rows[0].id)
    office.click(panel.reviews.review_button)
    sheet = office.sheet(ReviewSheet)
    sheet.form.set_value("verdict", "justified")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.reviews.table.rows[0].verdict == "justified", "it is reviewed")
    panel.tabs.setCurrentWidget(panel.proof)
    office.click(panel.proof.verify_button)
    office.until(lambda: "as it was written" in panel.proof.verdict.text(), "the log is whole")
