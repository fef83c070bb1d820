"""Clinical content: the administrator records which clinician approved a table, and reads what was overridden and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QScrollArea

from ui.panels.clinical_content import ApprovalSheet
from ui.tour.consulting_room import expect, in_light
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "administrator"


def walk(w: Walk) -> None:
    """All steps in order; the administrator is signed in, and a doctor gave a reason against a warning today."""
    step = partial(in_light, w)
    step(ROLE, "records which clinician approved a table of the checks", lambda: _approve(w))
    step(ROLE, "reads which alerts fired at signatures, what was overridden, and why", lambda: _report(w))


def _approve(w: Walk) -> None:
    panel = w.panel("ada", "content")
    w.guide.until(lambda: panel.states, "the tables are listed")
    state = next((s for s in panel.states if not s.approved_by), None)
    if state is None:
        raise TourFailed("every table is approved already")
    w.guide.picture(w.windows["ada"], "clinical-content", dark=False)
    panel._approve(state)  # noqa: SLF001  its button "Record approval"
    sheet = w.guide.dialog(ApprovalSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    w.guide.until(sheet.verb_button.isEnabled, "the doctors are listed")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("doctor_id"), "without a clinician it is refused")
    box = form.editor("doctor_id")
    box.setCurrentIndex(box.findText("Dr Hugo Lambert"))  # type: ignore[attr-defined]
    w.guide.picture(w.windows["ada"], "approval", dark=False)
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "it is recorded")
    w.guide.until(lambda: any(s.table.name == state.table.name and s.approved_by == "Dr Hugo Lambert" for s in panel.states), "it is shown")
    w.guide.picture(w.windows["ada"], "approved", dark=False)


def _report(w: Walk) -> None:
    panel = w.panel("ada", "content")
    w.guide.until(lambda: panel.rows, "the report is read")
    expect(any(r.medicine == "clarithromycin" and r.overridden for r in panel.rows), "the warning of today is in it, with its reason")
    area = panel.findChild(QScrollArea)
    area.ensureWidgetVisible(panel.table, 0, 20)
    w.guide.picture(w.windows["ada"], "override-report")
