"""Papers: prescriptions for people whose names are Greek and Cyrillic, on A4; sick note, referral, visit summary; cancelled and checked."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from clinicdesk.services import appointments, doctors, finding, papers
from clinicdesk.services.schedule import NewAppointment
from ui.dialogs.checking import CheckWindow
from ui.dialogs.medicine import MedicineSheet
from ui.dialogs.paper import PaperWindow
from ui.dialogs.papers import CancelPaperSheet, PaperSheet
from ui.dialogs.patient import PatientSheet
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

PEOPLE = (
    ("Ελένη", "Παπαδοπούλου", "+30 21 0955 0101", "Αθηνάς 7, Πειραιάς"),
    ("Олена", "Шевченко", "+380 44 955 0102", "вул. Садова 3, Київ"),
)


def walk(w: Walk) -> None:
    """One step for each person, then the papers of the last of them."""
    for given, family, phone, address in PEOPLE:
        what = f"{family}: registered, seen, prescribed on A4 in the right letters"
        w.guide.step("everybody", what, partial(_one, w, given, family, phone, address))


    step = w.guide.step
    step("doctor", "issues a signed sick note, a referral letter and a visit summary, each seen before it is signed", lambda: _letters(w))
    step("doctor", "checks the signed prescription, then one with a single changed byte", lambda: _checked(w))
    step("doctor", "cancels the prescription; it says so in the list, on the paper and when it is checked", lambda: _cancelled(w))


def _view(w: Walk) -> Any:
    room = w.panel("dora", "consulting")
    room.chart.tabs.setCurrentWidget(room.chart.papers)
    w.guide.until(lambda: room.chart.papers.table.rows, "the papers are listed")
    return room.chart.papers


def _letters(w: Walk) -> None:
    view = _view(w)
    typed = {
        "SN": {"remarks": "Light duties in the first week afterwards."},
        "RL": {"whom": "Dr Eva Braun-Lund, cardiology, City Hospital", "why": "Raised blood pressure despite treatment. Please advise.",
               "history": "Headaches in the morning for two months. Walks five kilometres a day without complaint. No smoker. Father had a "
                          "stroke at the age of 61."},
        "VS": {"follow_up": "Come back in four weeks, earlier if you feel dizzy."},
    }
    for kind, texts in typed.items():
        view.new(kind)
        sheet = w.guide.dialog(PaperSheet)
        w.guide.until(sheet.verb_button.isEnabled, "what the record says is read")
        if sheet.form is None:
            raise TourFailed("the sheet has no form")
        for field, words in texts.items():
            w.guide.fill(sheet.form.editor(field), words)
        w.guide.click(sheet.preview_button)
        w.guide.until(lambda s=sheet: s.preview_window is not None, "the preview opens")  # type: ignore[misc]
        w.guide.settle()
        if sheet.preview_window is not None:
            sheet.preview_window.close()
        w.guide.picture(sheet, f"sheet-{kind.lower()}")
        w.guide.click(sheet.verb_button)
        paper = w.guide.dialog(PaperWindow)
        w.guide.until(lambda p=paper: p.stored is not None, "the paper is read")  # type: ignore[misc]
        w.guide.settle()
        if paper.stored is None:
            raise TourFailed("no paper")
        w.guide.pdf(paper.stored.content, {"SN": "sick-note", "RL": "referral-letter", "VS": "visit-summary"}[kind])
        w.guide.picture(paper, f"paper-{kind.lower()}")
        paper.close()
    w.guide.until(lambda: {row.kind for row in view.table.rows} == {"RX", "SN", "RL", "VS"}, "all four kinds are listed")
    w.guide.picture(w.windows["dora"], "papers")


def _verdict(w: Walk, username: str, content: bytes, status: str, name: str) -> None:
    """Check these bytes in the window of somebody, and take its picture."""
    with TemporaryDirectory() as folder:
        place = Path(folder) / f"{name}.pdf"
        place.write_bytes(content)
        w.windows[username].account.check_paper()
        check = w.guide.dialog(CheckWindow)
        check.check_file(place)
        w.guide.until(lambda: check.verdict is not None, "there is an answer")
        w.guide.settle()
        if check.verdict is None or check.verdict.status != status:
            raise TourFailed(f"the paper is said to be {check.verdict}, not {status}")
        w.guide.picture(check, f"check-{name}")
        check.close()


def _prescription(w: Walk) -> tuple[str, bytes]:
    number = next(row.number for row in _view(w).table.rows if row.kind == "RX")
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        return number, papers.stored_pdf(session, number).content


def _checked(w: Walk) -> None:
    _number, content = _prescription(w)
    begun = time.monotonic()
    _verdict(w, "dora", content, "valid", "valid")
    w.guide.fact("checking a paper in its window, ms", round((time.monotonic() - begun) * 1000))
    place = content.index(b"/Author") + 9
    _verdict(w, "rita", content[:place] + bytes([content[place] ^ 1]) + content[place + 1:], "altered", "altered")


def _cancelled(w: Walk) -> None:
    number, before = _prescription(w)
    view = _view(w)
    view.table.select(number)
    w.guide.click(view.cancel_button)
    sheet = w.guide.dialog(CancelPaperSheet)
    if sheet.form is None:
        raise TourFailed("the sheet has no form")
    w.guide.fill(sheet.form.editor("reason"), "The patient takes it already.")
    w.guide.picture(sheet, "cancel-paper")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: any(row.number == number and row.voided_at for row in view.table.rows), "the list shows it")
    w.guide.settle()
    w.guide.picture(w.windows["dora"], "papers-cancelled")
    _same, content = _prescription(w)
    if not content.startswith(before):
        raise TourFailed("the cancelled paper does not begin with the signed bytes")
    w.guide.pdf(content, "prescription-cancelled")
    _verdict(w, "rita", before, "cancelled", "cancelled")


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
    row = arrived(w, patients.card.id)
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


def arrived(w: Walk, patient_id: str, reason: str = "Blood pressure") -> int:
    """Booked as a walk-in and checked in at reception."""
    desk = w.windows["rita"].desk
    start = desk.now().replace(second=0, microsecond=0)
    with w.clinic.write(desk.token) as session:
        if not finding.search(session, patient_id):
            raise TourFailed("the new patient cannot be found")
        dora = next(d for d in doctors.doctors(session) if d.name == "Dr Dora Kim")
        lane = appointments.free_lane(session, dora.id, start, start + timedelta(minutes=10))
        wish = NewAppointment(
            dora.id, patient_id, start, start + timedelta(minutes=10), reason, lane, "Walk-in, agreed with the doctor"
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
