"""The administrator prints the recovery kit and erases a patient, after being told what that means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinicdesk.services import patients
from clinicdesk.services.people import PatientForm
from ui.dialogs.erasing import EraseSheet
from ui.dialogs.keys import ChangeKeySheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "administrator"


def walk(w: Walk) -> None:
    """All steps in order."""
    w.guide.step(ROLE, "prints the recovery kit, which the window reminded of", lambda: _kit(w))
    w.guide.step(ROLE, "reads what a change of the clinic key means", lambda: _change(w))
    w.guide.step(ROLE, "erases a patient for ever", lambda: _erase(w))


def _kit(w: Walk) -> None:
    panel = w.panel("ada", "keys")
    w.guide.until(panel.reminder.isVisible, "the reminder stands")
    w.guide.picture(w.windows["ada"], "keys")
    w.guide.click(panel.kit_button)
    w.guide.until(lambda: panel.kit is not None and panel.kit.content, "the kit is made")
    w.guide.picture(panel.kit, "recovery-kit")
    panel.kit.close()
    w.guide.until(lambda: not panel.reminder.isVisible(), "the reminder is gone")


def _change(w: Walk) -> None:
    panel = w.panel("ada", "keys")
    w.guide.click(panel.change_button)
    sheet = w.guide.dialog(ChangeKeySheet)
    w.guide.picture(w.windows["ada"], "change-key")
    sheet.reject()


def _erase(w: Walk) -> None:
    ada = w.windows["ada"]
    with w.clinic.write(ada.desk.token) as session:
        patient = patients.register(session, PatientForm("Gonda", "Vergangen", "1950-02-01", "F", "+491709990001"))
    panel = w.panel("ada", "patients")
    panel.show_topic("patient", patient)
    w.guide.until(lambda: panel.card is not None and panel.card.id == patient, "the patient is shown")
    panel.erase(panel.card)
    sheet = w.guide.dialog(EraseSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("number"), "nothing is erased without the record number")
    w.guide.picture(ada, "erase-refused")
    w.guide.fill(form.editor("number"), patient)
    form.set_value("reason", "request")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: panel.card is not None and panel.card.last_name == "Erased", "the name is gone")
    w.guide.picture(ada, "erased")
