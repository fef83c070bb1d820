"""The administrator's part: numbers, a doctor and a receptionist more, slots in bulk, and the end of somebody's session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ui.dialogs.slots import SlotSheet
from ui.dialogs.staff import StaffSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "administrator"


def walk(w: Walk) -> None:
    """All steps in order."""
    step = w.guide.step
    step(ROLE, "signs in and sees the numbers of the day", lambda: _arrive(w))
    step(ROLE, "adds a doctor", lambda: _add(w, "doctor", "Dr Nora Bright", "nora"))
    step(ROLE, "adds a receptionist", lambda: _add(w, "receptionist", "Tim Fields", "tim"))
    step(ROLE, "makes time slots in bulk for the new doctor", lambda: _slots(w))
    step(ROLE, "chooses A4 as the paper of prescriptions", lambda: _choose_paper(w))


def leave(w: Walk) -> None:
    """The last step, because it ends the receptionist's window."""
    w.guide.step(ROLE, "ends the session of somebody else, whose window locks at once", lambda: _end(w))


def _arrive(w: Walk) -> None:
    w.sign_in("ada")
    panel = w.panel("ada", "overview")
    w.guide.until(lambda: panel.figures.body.count() >= 4, "the numbers are counted")
    w.guide.picture(w.windows["ada"], "overview")


def _add(w: Walk, role: str, name: str, username: str) -> None:
    panel = w.panel("ada", "staff")
    w.guide.click(panel.add_button)
    sheet = w.guide.dialog(StaffSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    form.set_value("role", role)
    w.guide.fill(form.editor("name"), name)
    w.guide.fill(form.editor("username"), username)
    w.guide.fill(form.editor("password"), "password")
    if role == "doctor":
        for field, text in (
            ("licence_number", "NB-4999"),
            ("specialization", "Family medicine"),
            ("experience_years", "61"),
            ("fee", "55"),
        ):
            w.guide.fill(form.editor(field), text)
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("password"), "a common password is refused at its field")
    w.guide.picture(w.windows["ada"], f"add-{role}-refused")
    w.guide.click(sheet.propose)
    if role == "doctor":
        w.guide.click(sheet.verb_button)
        w.guide.until(lambda: form.error("experience_years"), "61 years of experience are refused at the field")
        w.guide.fill(form.editor("experience_years"), "12")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: any(r.username == username for r in panel.accounts.rows), "the account is on the list")
    w.guide.gone(sheet, "the sheet closes")
    w.guide.picture(w.windows["ada"], f"staff-with-{role}")


def _slots(w: Walk) -> None:
    panel = w.panel("ada", "availability")
    w.guide.until(lambda: panel.doctor.findText("Dr Nora Bright", Qt.MatchFlag.MatchStartsWith) >= 0, "the new doctor can be chosen")
    panel.doctor.setCurrentIndex(panel.doctor.findText("Dr Nora Bright", Qt.MatchFlag.MatchStartsWith))
    panel.tabs.setCurrentWidget(panel.slots)
    w.guide.settle()
    w.guide.click(panel.slots.make_button)
    sheet = w.guide.dialog(SlotSheet)
    w.guide.until(lambda: sheet.plan.text().startswith("Makes"), "the plan is shown before anything is made")
    w.guide.picture(w.windows["ada"], "slots-plan")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: sheet.made > 0, "the slots are made")
    w.guide.fact("slots made", sheet.made)
    w.guide.settle()
    w.guide.picture(w.windows["ada"], "slots")


def _choose_paper(w: Walk) -> None:
    panel = w.panel("ada", "settings")
    w.guide.until(lambda: panel.form.value("name"), "the settings are read")
    panel.form.set_value("page", "A4")
    w.guide.click(panel.save_button)
    w.guide.until(lambda: not panel.form.dirty, "the settings are saved")
    w.guide.picture(w.windows["ada"], "settings")


def _end(w: Walk) -> None:
    panel = w.panel("ada", "sessions")
    w.guide.until(lambda: any(r.username == "rita" for r in panel.table.rows), "the sessions are listed")
    row = next(r for r in panel.table.rows if r.username == "rita")
    panel.table.select(row.id)
    w.guide.settle()
    w.guide.picture(w.windows["ada"], "sessions")
    w.guide.click(panel.end_button)
    w.guide.until(lambda: not any(r.id == row.id for r in panel.table.rows), "the session is gone")
    rita = w.windows["rita"]
    w.guide.until(lambda: rita.locked is not None, "the receptionist's window asks to sign in again")
    w.guide.picture(rita, "session-ended")
