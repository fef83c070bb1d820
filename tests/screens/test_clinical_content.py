"""The administrator's clinical content: approving a version, making rules quieter, the report of what was overridden and its file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from clinicdesk.rules.alert_reasons import GivenReason, about
from clinicdesk.services import chart, consultations, content, safety
from tests.clinics import Practice
from tests.screens.office import Office
from tests.services.test_safety import DRAFT
from tests.visiting import started
from ui.panels.clinical_content import ApprovalSheet, ContentPanel


def test_an_approval_is_recorded_for_the_version_that_is_shown(office: Office, practice: Practice) -> None:
    panel: ContentPanel = office.panel(office.open("ada"), "content")
    office.until(lambda: len(panel.states) == 4, "the tables are listed")
    assert all(not state.approved_by for state in panel.states)
    panel._approve(panel.states[0])
    sheet = office.sheet(ApprovalSheet)
    office.until(sheet.verb_button.isEnabled)
    office.click(sheet.verb_button)
    assert "clinician" in sheet._form.error("doctor_id"), "nobody is chosen beforehand"
    sheet._form.set_value("doctor_id", practice.doctors["hugo"])
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.states[0].approved_by == "Dr Hugo Blanc", "it shows by itself")
    assert panel.states[0].recorded_by == "Ada Admin"


def test_rules_are_made_quieter_and_say_so_when_they_are_not_saved(office: Office, practice: Practice) -> None:
    panel: ContentPanel = office.panel(office.open("ada"), "content")
    office.settle()
    assert panel.unsaved == "" and "not-checked" not in panel.levels.values()
    panel.levels.set_value("duplicate", 3)
    assert panel.unsaved
    office.click(panel.save_button)
    office.until(lambda: panel.unsaved == "", "saved")
    with practice.read("ada") as session:
        assert content.tiers(session) == {"duplicate": 3}


def test_the_report_and_its_file(office: Office, practice: Practice, tmp_path: Path) -> None:
    patient = practice.patient()
    visit = started(practice, patient)
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "amoxicillin", severity="severe")
        alert = safety.checkup(session, patient, DRAFT).found[0].alert
        given = GivenReason(about(alert), "monitor", "stays here for an hour", confirmed=True)
        consultations.complete(session, visit, replace(DRAFT, reasons=(given,)), 0)
    panel: ContentPanel = office.panel(office.open("ada"), "content")
    office.until(lambda: bool(panel.rows), "the report is there")
    first = panel.rows[0]
    assert (first.medicine, first.fired, first.overridden) == ("amoxicillin", 1, 1)
    assert "1 overridden" in panel.summary.text()
    panel.write_to(tmp_path / "report.csv")
    text = (tmp_path / "report.csv").read_text(encoding="utf-8-sig")
    assert "amoxicillin" in text and "Will monitor (1)" in text and patient not in text
    panel.write_to(tmp_path / "nowhere" / "report.csv")
    panel.first.setDate(panel.last.date().addDays(1))
    office.until(lambda: panel.rows == [] and "before the first" in panel.summary.text(), "an impossible time is said")
