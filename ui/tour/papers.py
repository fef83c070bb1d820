"""Prescriptions for people whose names are Greek and Cyrillic, on A4: the same windows, quickly."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from clinicdesk.services import appointments, doctors, finding
from clinicdesk.services.schedule import NewAppointment
from ui.dialogs.medicine import MedicineSheet
from ui.dialogs.patient import PatientSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

PEOPLE = (
    ("Ελένη", "Παπαδοπούλου", "+30 21 0955 0101", "Αθηνάς 7, Πειραιάς"),
    ("Олена", "Шевченко", "+380 44 955 0102", "вул. Садова 3, Київ"),
)


def walk(w: Walk) -> None:
    """One step for each."""
    for given, family, phone, address in PEOPLE:
        what = f"{family}: registered, seen, prescribed on A4 in the right letters"
        w.guide.step("everybody", what, partial(_one, w, given, family, phone, address))


def _one(w: Walk, given: str, family: str, phone: str, address: str) -> None:
    patients = w.panel("rita", "patients")
    w.guide.click(patients.register_button)
    sheet = w.guide.dialog(PatientSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the registration has no form")
    for field, text in (("first_name", given), ("last_name", family), ("born", "1971-02-14"), ("phone", phone), ("address", address)):
        w.guide.fill(form.editor(field), text)
    form.set_value("sex", "F")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: patients.card is not None and patients.card.last_name == family, "the patient is registered")
    row = _arrived(w, patients.card.id)
    day = w.panel("dora", "my-day")
    w.guide.until(lambda: any(r.id == row and r.status == "arrived" for r in day.table.rows), "the doctor sees the arrival")
    day.table.select(row)
    day.open_selected()
    room = w.panel("dora", "consulting")
    w.guide.until(lambda: room.patient_id == patients.card.id and hasattr(room, "start_button"), "the patient is shown")
    w.guide.settle()
    w.guide.click(room.start_button)
    w.guide.until(lambda: room.editor is not None, "the editor opens")
    w.guide.keys(room.editor.notes.editor("assessment"), "Raised blood pressure.")
    _prescribe(w, room)
    w.guide.click(room.editor.complete_button)
    w.guide.until(lambda: room.editor is None, "the visit is completed")
    w.guide.click(room.paper_button)
    w.guide.until(lambda: room.paper.stored is not None, "the paper is read")
    w.guide.settle()
    w.guide.pdf(room.paper.stored.content, "prescription-a4")
    w.guide.picture(room.paper, "paper-a4")
    room.paper.close()


def _arrived(w: Walk, patient_id: str) -> int:
    """Booked as a walk-in and checked in at reception."""
    desk = w.windows["rita"].desk
    start = desk.now().replace(second=0, microsecond=0)
    with w.clinic.write(desk.token) as session:
        if not finding.search(session, patient_id):
            raise TourFailed("the new patient cannot be found")
        dora = next(d for d in doctors.doctors(session) if d.name == "Dr Dora Kim")
        lane = appointments.free_lane(session, dora.id, start, start + timedelta(minutes=10))
        wish = NewAppointment(
            dora.id, patient_id, start, start + timedelta(minutes=10), "Blood pressure", lane, "Walk-in, agreed with the doctor"
        )
        booked = appointments.book(session, wish)
        appointments.step(session, booked, "arrived", 1)
    return booked


def _prescribe(w: Walk, room: Any) -> None:
    room.editor.prescription.add_button.click()
    sheet = w.guide.dialog(MedicineSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the sheet has no form")
    w.guide.fill(form.editor("medicine"), "amlodipine")
    sheet._chosen("amlodipine")  # noqa: SLF001  Enter in the list of names
    w.guide.fill(form.editor("dose_value"), "1")
    w.guide.fill(form.editor("duration_days"), "28")
    box = form.editor("frequency")
    box.setCurrentIndex(box.findText("once a day"))  # type: ignore[attr-defined]
    w.guide.settle()
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: len(room.editor.prescription.items()) == 1, "the medicine is on the list")
