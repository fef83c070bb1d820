"""The walls: a record that is shut, broken glass with its hour, the review, the log and its proof."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QPushButton

from clinicdesk.services import chart, finding
from ui.dialogs.glass import GlassSheet
from ui.panels.audit import AuditPanel, ReviewSheet
from ui.tour.consulting_room import expect, in_light
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "administrator"


def walk(w: Walk) -> None:
    """All steps in order; a doctor and the administrator are signed in."""
    step = partial(in_light, w)
    step("doctor", "is refused the chart of somebody else's patient and opens it as an emergency, for an hour", lambda: _break(w))
    step("doctor", "closes the record again before the hour is over", lambda: _close(w))
    step(ROLE, "sees at once that a record was opened as an emergency, and reviews it", lambda: _review(w))
    step(ROLE, "reads who did what to a record", lambda: _log(w))
    step(ROLE, "has the whole log proved", lambda: _prove(w))


def _break(w: Walk) -> None:
    dora = w.windows["dora"]
    room: Any = w.panel("dora", "consulting")
    with w.clinic.read(dora.desk.token) as session:
        known = finding.recent(session, 200)
        patient = next((row for row in known if chart.banner(session, row.id).allergy_title == chart.UNAVAILABLE), None)
    if patient is None:
        raise TourFailed("every patient is in her care")
    w.found["stranger"] = patient
    dora.show_topic("patient", patient.id)

    def offered() -> list[QPushButton]:
        return [one for one in room.chart.findChildren(QPushButton) if "emergency" in one.text() and one.isVisible()]

    w.guide.until(offered, "the shut record offers the way in")
    w.guide.picture(dora, "record-shut", dark=False)
    w.guide.click(offered()[0])
    sheet = w.guide.dialog(GlassSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("reason"), "without a reason it stays shut")
    form.set_value("reason", "emergency")
    w.guide.fill(form.editor("words"), "Collapsed in the waiting room, medicines unknown")
    w.guide.picture(dora, "break-glass", dark=False)
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "it is opened")
    w.guide.until(room.glass.isVisible, "the record is open, and the line says until when")
    w.guide.settle()
    w.guide.picture(dora, "emergency-access")


def _close(w: Walk) -> None:
    room: Any = w.panel("dora", "consulting")
    w.guide.click(room.glass.close_button)
    w.guide.until(lambda: not room.glass.isVisible(), "the line is gone")


def _panel(w: Walk) -> AuditPanel:
    panel: AuditPanel = w.panel("ada", "audit")
    return panel


def _review(w: Walk) -> None:
    panel = _panel(w)
    panel.tabs.setCurrentWidget(panel.reviews)
    w.guide.until(lambda: panel.reviews.table.rows, "it is on the list")
    panel.reviews.table.select(panel.reviews.table.rows[0].id)
    w.guide.click(panel.reviews.review_button)
    sheet = w.guide.dialog(ReviewSheet)
    if sheet.form is None:
        raise TourFailed("the sheet has no form")
    sheet.form.set_value("verdict", "justified")
    w.guide.picture(w.windows["ada"], "review", dark=False)
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "the review is sent")
    w.guide.until(lambda: panel.reviews.table.rows[0].verdict == "justified", "it is reviewed")
    w.guide.picture(w.windows["ada"], "emergency-reviews", dark=False)


def _log(w: Walk) -> None:
    panel = _panel(w)
    w.windows["ada"].desk.show("audit", w.found["stranger"].id)
    w.guide.until(lambda: {row.patient_id for row in panel.log.rows} == {w.found["stranger"].id}, "nothing of anybody else is in it")
    expect(any(row.action == "glass" for row in panel.log.rows), "the emergency access is in it")
    w.guide.picture(w.windows["ada"], "audit-log")


def _prove(w: Walk) -> None:
    panel = _panel(w)
    panel.tabs.setCurrentWidget(panel.proof)
    w.guide.click(panel.proof.verify_button)
    w.guide.until(panel.proof.verdict.text, "the log is read")
    expect("as it was written" in panel.proof.verdict.text(), panel.proof.details.text())
    w.guide.picture(w.windows["ada"], "audit-proof", dark=False)
