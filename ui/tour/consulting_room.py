"""The consultation of a patient with a history: trends, diagnosis, the typed line, every kind of alert, and checks that could not run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QWidget

from clinicdesk.services import finding, medication
from ui.consultation.alert_box import AlertBox
from ui.consultation.editor import ConsultationEditor
from ui.consultation.medicines_view import MedicinesSection, StopSheet
from ui.dialogs.medicine import MedicineSheet
from ui.tour.guide import TourFailed
from ui.tour.papers import arrived

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "doctor"
ENTER, ESC, SPACE = Qt.Key.Key_Return, Qt.Key.Key_Escape, Qt.Key.Key_Space


def walk(w: Walk) -> None:
    """All steps in order; Margaret Ellery of the demo has five years behind her and a severe penicillin allergy."""
    step = partial(in_light, w)
    step(ROLE, "opens a patient of five years and renews all her long-term medicines with one key", lambda: _renew(w))
    step(ROLE, "stops a medicine of the list, with the reason", lambda: _stop(w))
    step(ROLE, "enters vital signs beside the earlier values and their trend; a jump of the weight is asked about", lambda: _vitals(w))
    step(ROLE, "finds a diagnosis by words, takes it with Enter and puts it on the problem list", lambda: _diagnose(w))
    step(ROLE, "types “amox 500 tid 7d” and reads it in full words before it counts", lambda: _typed(w))
    step(ROLE, "is stopped by the penicillin allergy: Enter and signing are refused, the second action counts", lambda: _stopped(w))
    step(ROLE, "sees a warning that does not interrupt, and a line in free text that says it is not checked", lambda: _warned(w))
    step("everybody", "loses the database: the checks say in red that they could not run, and run when it is back", lambda: _unchecked(w))


def in_light(w: Walk, role: str, what: str, do: Callable[[], object]) -> None:
    """A step that begins in light: what is drawn once (icons, marked words) fits the picture that most people look at."""

    def done() -> None:
        w.guide.theme.set_mode("light")
        do()

    w.guide.step(role, what, done)


def room_of(w: Walk, who: str = "dora") -> Any:
    """The consulting room in somebody's window."""
    return next(p for p in w.windows[who].panels if p.key == "consulting")


def editor_of(w: Walk, who: str = "dora") -> ConsultationEditor:
    """The consultation that is open there."""
    editor = room_of(w, who).editor
    if not isinstance(editor, ConsultationEditor):
        raise TourFailed("no consultation is open")
    return editor


def expect(holds: object, what: str) -> None:
    """The step fails when this does not hold."""
    if not holds:
        raise TourFailed(what)


def look_at(editor: ConsultationEditor, widget: QWidget, *, margin: int = 40) -> None:
    """Scroll the consultation to a part of it."""
    editor._area.ensureWidgetVisible(widget, 0, margin)  # noqa: SLF001


def patient_called(w: Walk, name: str) -> str:
    """The id of the one patient of this name."""
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        return finding.search(session, name)[0].id


def open_in(w: Walk, appointment: int, who: str = "dora") -> Any:
    """Choose an appointment of today in “My day” and press Enter."""
    day = w.panel(who, "my-day")
    w.guide.until(lambda: any(r.id == appointment for r in day.table.rows), "the day lists the appointment")
    day.table.select(appointment)
    day.open_selected()
    w.guide.settle()
    return w.panel(who, "consulting")


def write(w: Walk, line: str) -> None:
    """Type a prescription line and press Enter."""
    field = editor_of(w).prescription.quick.field
    w.guide.fill(field, line)
    w.guide.keys(field, ENTER)
    w.guide.settle()


def box_of(w: Walk, tier: int, medicine: str) -> AlertBox:
    """The alert of this tier about a medicine, once it is there."""
    boxes: list[AlertBox] = []

    def look() -> bool:
        boxes[:] = [b for b in editor_of(w).prescription.boxes if b.alert.tier == tier and b.alert.medicine.casefold() == medicine]
        return bool(boxes)

    w.guide.until(look, f"an alert of tier {tier} about {medicine}")
    return boxes[0]


def _renew(w: Walk) -> None:
    patient_id = patient_called(w, "Ellery")
    number = w.found["margaret"] = arrived(w, patient_id, "Fever and cough")
    w.found["margaret id"] = patient_id
    room = open_in(w, number)
    w.guide.until(lambda: room.banner.banner is not None and room.banner.banner.family_name == "Ellery", "the banner shows her")
    expect(room.banner.banner.allergy_title == "Known allergies", "the penicillin allergy is in the banner")
    w.guide.picture(w.windows["dora"], "long-history", dark=False)
    w.guide.click(room.start_button)
    w.guide.until(lambda: room.editor is not None, "the editor opens")
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        long_term = [m.description.split()[0] for m in medication.current(session, patient_id) if m.long_term]
    expect(len(long_term) >= 4, f"her long-term medicines are {long_term}")
    w.guide.keys(editor_of(w).notes.editor("subjective"), (Qt.Key.Key_R, Qt.KeyboardModifier.AltModifier))
    prescription = editor_of(w).prescription
    w.guide.until(lambda: [i.medicine for i in prescription.items()] == long_term, "all of them are on the prescription")
    w.guide.until(lambda: prescription.check.state in {"found", "clear"}, "they are checked")
    w.guide.settle()
    look_at(editor_of(w), prescription.quick, margin=300)
    w.guide.picture(w.windows["dora"], "renewed-all", dark=False)


def _stop(w: Walk) -> None:
    room = room_of(w)
    room.chart.tabs.setCurrentIndex(0)
    w.guide.until(lambda: room.chart.findChild(MedicinesSection) is not None and room.chart.findChild(MedicinesSection).rows, "the list")
    section = room.chart.findChild(MedicinesSection)
    row = next(r for r in section.rows if r.description.startswith("atorvastatin"))
    section._stop(row)  # noqa: SLF001  the button Stop beside it
    sheet = w.guide.dialog(StopSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("reason"), "without a reason it is refused at its field")
    form.set_value("reason", "side_effect")
    w.guide.fill(form.editor("words"), "Muscle pain in both legs.")
    w.guide.picture(w.windows["dora"], "stop-medicine", dark=False)
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "it is stopped")
    w.guide.settle()
    section = room.chart.findChild(MedicinesSection)
    w.guide.until(lambda: all(not r.description.startswith("atorvastatin") for r in section.rows), "it is off the list")
    prescription = editor_of(w).prescription
    prescription.remove(next(n for n, i in enumerate(prescription.items()) if i.medicine == "atorvastatin"))
    w.guide.settle()


def _vitals(w: Walk) -> None:
    editor = editor_of(w)
    form = editor.vitals
    typed = (("systolic", "124"), ("diastolic", "76"), ("pulse", "98"), ("temperature", "38.4"), ("respiration", "20"), ("spo2", "95"),
             ("weight", "67.5"))
    for name, value in typed:
        w.guide.fill(form.editor(name), value)
    cell = form._cells["weight"]  # noqa: SLF001
    expect("more than 10 % different" in cell.words.text(), f"the weight says: {cell.words.text()}")
    expect("76.8" in cell.before.text(), f"the earlier weight says: {cell.before.text()}")
    expect(form._sparks["weight"].isVisibleTo(form), "the trend of the weight is drawn")  # noqa: SLF001
    look_at(editor, form.editor("systolic"), margin=60)
    w.guide.picture(w.windows["dora"], "vitals-trend")
    cell.press()
    w.guide.settle()
    expect(cell.words.text() == "Confirmed.", "the jump is confirmed with one press")
    form.oxygen.setCurrentIndex(1)
    form.consciousness.setCurrentIndex(1)


def _diagnose(w: Walk) -> None:
    editor = editor_of(w)
    box = editor.diagnoses.box
    editor.find_diagnosis()
    w.guide.keys(box, "bacterial pneumonia")
    w.guide.until(lambda: any(h.detail.startswith("J15") or h.right.startswith("J15") for h in box.hits.shown), "words find the code")
    w.guide.settle()
    w.guide.picture(w.windows["dora"], "diagnosis-found", dark=False)
    w.guide.keys(box, ENTER)
    w.guide.until(lambda: len(editor.diagnoses.diagnoses()) == 1, "Enter takes the marked one")
    w.guide.keys(next(c for c in editor.diagnoses.findChildren(QCheckBox) if c.objectName() == "problem-0"), SPACE)
    expect(editor.diagnoses.diagnoses()[0].problem, "it goes on the problem list")
    look_at(editor, box, margin=120)
    w.guide.picture(w.windows["dora"], "diagnosis", dark=False)


def _typed(w: Walk) -> None:
    editor = editor_of(w)
    quick = editor.prescription.quick
    editor.prescription.focus_line()
    w.guide.keys(quick.field, "amox 500 tid 7d")
    expect("Take 500 mg by mouth three times a day for 7 days." in quick.words.text(), f"it reads {quick.words.text()}")
    expect("21 capsules (twenty-one)" in quick.words.text(), "the quantity is computed")
    typed = editor.prescription.typed
    w.guide.until(lambda: typed.state == "found", "it is checked while it is typed")
    expect(typed.texts[0].startswith("Stop: Amoxicillin belongs to the penicillins"), f"it says {typed.texts}")
    look_at(editor, quick, margin=160)
    w.guide.picture(w.windows["dora"], "typed-line", dark=False)


def _stopped(w: Walk) -> None:
    editor = editor_of(w)
    line = editor.prescription
    w.guide.keys(line.quick.field, ENTER)
    box = box_of(w, 1, "amoxicillin")
    w.guide.until(lambda: line.check.state == "found", "it is checked")
    w.guide.settle()
    w.guide.click(editor.complete_button)
    w.guide.until(lambda: "Signing needs a reason" in line.problem.text(), "signing is refused")
    w.guide.settle()
    box = box_of(w, 1, "amoxicillin")
    look_at(editor, box, margin=60)
    w.guide.picture(w.windows["dora"], "alert-stops-signing")
    w.guide.keys(box, ENTER)
    expect(not box.chosen and not line.reasons(), "Enter is never an answer")
    w.guide.keys(box, Qt.Key.Key_2)
    w.guide.keys(box.typed, "Took it in May without a rash", ENTER)
    expect(box.confirm.isEnabled() and not line.reasons(), "the reason alone does not count")
    w.guide.keys(box.confirm, SPACE)
    w.guide.until(line.reasons, "the second action counts")
    w.guide.settle()
    look_at(editor, box_of(w, 1, "amoxicillin"), margin=60)
    w.guide.picture(w.windows["dora"], "alert-answered", dark=False)
    number = next(n for n, i in enumerate(line.items()) if i.medicine == "amoxicillin")
    line.remove(number)  # she thinks again
    w.guide.settle()
    expect(all(b.alert.tier != 1 for b in line.boxes), "without it nothing stops her")


def _warned(w: Walk) -> None:
    editor = editor_of(w)
    line = editor.prescription
    write(w, "clarithromycin 500 bid 7d")
    box = box_of(w, 2, "clarithromycin")
    expect("amlodipine" in box.alert.sentence, f"it warns of {box.alert.sentence}")
    w.guide.settle()
    look_at(editor, box_of(w, 2, "clarithromycin"), margin=80)
    w.guide.picture(w.windows["dora"], "warning", dark=False)
    w.guide.keys(box_of(w, 2, "clarithromycin"), Qt.Key.Key_2)
    w.guide.until(line.reasons, "one key gives the reason")
    _free_text(w)
    w.guide.until(lambda: any(i.free_text for i in line.items()), "a line in free text")
    w.guide.until(lambda: line.check.state == "found", "the rest is checked")
    w.guide.settle()
    look_at(editor, line.add_button, margin=40)
    w.guide.picture(w.windows["dora"], "not-checked", dark=False)


def _free_text(w: Walk) -> None:
    """A medicine no table knows, through the form."""
    editor_of(w).prescription.add_button.click()
    sheet = w.guide.dialog(MedicineSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    w.guide.fill(form.editor("medicine"), "ivy leaf syrup of the house")
    for field, value in (("form", "syrup"), ("route", "oral"), ("dose_unit", "mL")):
        form.set_value(field, value)
    for field, text in (("strength", "7 mg in 1 mL"), ("dose_value", "5"), ("duration_days", "5"), ("indication", "cough")):
        editor = form.editor(field)
        w.guide.fill(editor.lineEdit() if hasattr(editor, "lineEdit") else editor, text)
    box: Any = form.editor("frequency")
    box.setCurrentIndex(box.findText("three times a day"))
    w.guide.settle()
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "the line is taken")


def _unchecked(w: Walk) -> None:
    editor = editor_of(w)
    line = editor.prescription
    servers = w.clinic.servers
    servers.embedded._postgres.stop()  # noqa: SLF001  as if its power were gone
    try:
        line.check.run()
        w.guide.until(lambda: line.check.state == "failed", "the check says that it could not run")
        expect(line.check.words.text().startswith("COULD NOT CHECK"), line.check.words.text())
        look_at(editor, line.check, margin=120)
        w.guide.settle()
        w.guide.picture(w.windows["dora"], "could-not-check")
    finally:
        servers.revive()
    line.check.again.click()
    w.guide.until(lambda: line.check.state == "found", "it is checked when the database is back", patience=40)
    w.guide.until(lambda: not editor.unsaved, "the draft is on the server", patience=40)
    w.guide.settle()
