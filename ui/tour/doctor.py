"""The doctor's part: the arrival shows by itself, chart, vitals, notes, prescription; the document server away and back; the paper."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from clinicdesk.services import appointments, doctors, prescriptions, visits
from clinicdesk.services.schedule import AppointmentRow, NewAppointment
from ui.consultation.editor import ConsultationEditor
from ui.dialogs.allergy import AllergySheet
from ui.dialogs.medicine import MedicineSheet
from ui.tour.front import button_of
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "doctor"


def walk(w: Walk) -> None:
    """All steps in order."""
    step = w.guide.step
    step(ROLE, "signs in on another window and sees her day", lambda: _arrive(w))
    step("receptionist", "checks the patient in with F4; the doctor's list shows it without a refresh", lambda: _check_in(w))
    step(ROLE, "opens the chart: banner, allergies, earlier visits", lambda: _chart(w))
    step(ROLE, "starts the consultation and records an allergy", lambda: _start(w))
    step(ROLE, "enters vital signs: refusals, confirmation, body mass index and NEWS2 with their inputs", lambda: _vitals(w))
    step(ROLE, "writes notes; the draft saves itself", lambda: _notes(w))
    step(ROLE, "prescribes two medicines, each shown in full words", lambda: _prescribe(w))
    step("everybody", "the document server goes away; the visit is completed all the same", lambda: _complete_without_documents(w))
    step("everybody", "the document server returns; the visit is delivered exactly once", lambda: _documents_return(w))
    step(ROLE, "looks at the prescription, prints it, and gets a copy the second time", lambda: _paper(w))


def _arrive(w: Walk) -> None:
    """An appointment of today for the patient reception registered, so that the day of the tour does not matter."""
    rita = w.windows["rita"].desk
    start = rita.now().replace(second=0, microsecond=0)
    end = start + timedelta(minutes=20)
    with w.clinic.write(rita.token) as session:
        dora = next(d for d in doctors.doctors(session) if d.name == "Dr Dora Kim")
        lane = appointments.free_lane(session, dora.id, start, end)
        wish = NewAppointment(dora.id, w.found["patient"].id, start, end, "Cough for two weeks", lane, "Walk-in, agreed with the doctor")
        w.found["today"] = appointments.book(session, wish)
    w.sign_in("dora")
    day = w.panel("dora", "my-day")
    w.guide.until(lambda: any(r.id == w.found["today"] for r in day.table.rows), "her list shows the appointment")
    w.guide.picture(w.windows["dora"], "my-day")


def _row(w: Walk) -> AppointmentRow:
    day: Any = next(p for p in w.windows["dora"].panels if p.key == "my-day")
    found: AppointmentRow = next(r for r in day.table.rows if r.id == w.found["today"])
    return found


def _check_in(w: Walk) -> None:
    desk = w.panel("rita", "front-desk")
    today = w.windows["rita"].desk.now().date()
    desk.bar.set_day(today)
    w.guide.until(lambda: desk.schedule is not None and desk.schedule.day == today, "reception shows today")
    w.guide.until(lambda: desk.calendar.select(w.found["today"]), "the appointment is selected")
    w.panel("dora", "my-day")
    begun = time.monotonic()
    desk._check_in()  # noqa: SLF001  what F4 runs
    w.guide.until(lambda: _row(w).status == "arrived", "the doctor's list shows the arrival")
    milliseconds = round((time.monotonic() - begun) * 1000)
    w.guide.fact("key to other desk, ms", milliseconds)
    w.guide.picture(w.windows["dora"], "arrival")
    w.windows["rita"].activateWindow()
    w.guide.picture(w.windows["rita"], "waiting-room")


def _room(w: Walk) -> Any:
    return next(p for p in w.windows["dora"].panels if p.key == "consulting")


def _chart(w: Walk) -> None:
    """First a patient with a history, then the one who waits."""
    day = w.panel("dora", "my-day")
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        seen = [r for r in day.table.rows if visits.count(session, r.patient_id)]
    if seen:
        day.table.select(seen[0].id)
        day.open_selected()
        room = _room(w)
        w.guide.until(
            lambda: room.banner.banner is not None and room.banner.banner.patient_id == seen[0].patient_id, "the banner shows him"
        )
        room.chart.tabs.setCurrentWidget(room.chart.visits)
        w.guide.settle()
        w.guide.picture(w.windows["dora"], "chart-visits")
        room.chart.tabs.setCurrentIndex(0)
    day = w.panel("dora", "my-day")
    day.table.select(w.found["today"])
    day.open_selected()
    room = _room(w)
    w.guide.until(lambda: room.banner.banner is not None and room.banner.banner.family_name == "Testa", "the banner shows the patient")
    if room.banner.banner.allergy_title != "Allergies not recorded":
        raise TourFailed(f"the allergy slot says {room.banner.banner.allergy_title}")
    w.guide.picture(w.windows["dora"], "chart")


def _start(w: Walk) -> None:
    room = _room(w)
    w.guide.click(room.start_button)
    w.guide.until(lambda: isinstance(room.editor, ConsultationEditor), "the editor opens")
    w.guide.click(button_of(w, room.chart, "Add allergy"))
    sheet = w.guide.dialog(AllergySheet)
    if sheet.form is not None:
        w.guide.fill(sheet.form.editor("substance"), "penicillin")
        w.guide.fill(sheet.form.editor("reaction"), "rash")
        sheet.form.set_value("severity", "moderate")
    w.guide.picture(w.windows["dora"], "allergy")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: room.banner.banner.allergy_title == "Known allergies", "the banner shows the allergy")


def _editor(w: Walk) -> ConsultationEditor:
    editor = _room(w).editor
    if editor is None:
        raise TourFailed("no consultation is open")
    return editor  # type: ignore[no-any-return]


def _vitals(w: Walk) -> None:
    editor = _editor(w)
    form = editor.vitals
    for name, typed in (("temperature", "98.6"), ("systolic", "232"), ("diastolic", "96"), ("pulse", "400")):
        w.guide.fill(form.editor(name), typed)
    editor._area.ensureWidgetVisible(form.scores)  # noqa: SLF001
    w.guide.picture(w.windows["dora"], "vitals-refused")
    form._cells["temperature"].press()  # noqa: SLF001  "Use 37.0 °C"
    if form.editor("temperature").text() != "37.0":
        raise TourFailed("the offered temperature was not taken")
    for name, typed in (
        ("systolic", "128"),
        ("diastolic", "82"),
        ("pulse", "96"),
        ("respiration", "21"),
        ("spo2", "95"),
        ("height", "172"),
        ("weight", "68.5"),
    ):
        w.guide.fill(form.editor(name), typed)
    form.oxygen.setCurrentIndex(1)
    form.consciousness.setCurrentIndex(1)
    w.guide.settle()
    words = form.scores.text()
    if "23.2" not in words or "NEWS2 4" not in words:
        raise TourFailed(f"the scores say: {words}")
    editor._area.ensureWidgetVisible(form.scores)  # noqa: SLF001
    w.guide.picture(w.windows["dora"], "vitals")


def _notes(w: Walk) -> None:
    editor = _editor(w)
    w.guide.keys(editor.notes.editor("subjective"), "Dry cough for two weeks, worse at night. No fever, no weight loss.")
    w.guide.keys(editor.notes.editor("objective"), "Scattered wheeze on both sides. Throat clear.")
    w.guide.keys(editor.notes.editor("assessment"), "Acute bronchitis with bronchospasm.")
    w.guide.keys(editor.notes.editor("plan"), "Inhaler trial, fluids. Review in two weeks or earlier if short of breath.")
    w.guide.until(lambda: not editor.unsaved, "the draft is on the server")
    editor._area.ensureWidgetVisible(editor.notes.editor("subjective"), 0, 60)  # noqa: SLF001
    w.guide.picture(w.windows["dora"], "notes")


def _prescribe(w: Walk) -> None:
    editor = _editor(w)
    lines = (
        {
            "medicine": "salbutamol",
            "dose_value": "2",
            "duration_days": "14",
            "as_needed_for": "wheeze",
            "min_interval_hours": "4",
            "max_per_day": "8",
            "indication": "bronchospasm",
        },
        {"medicine": "paracetamol", "dose_value": "1", "duration_days": "5", "indication": "pain"},
    )
    for number, typed in enumerate(lines):
        editor.prescription.add_button.click()
        sheet = w.guide.dialog(MedicineSheet)
        form = sheet.form
        if form is None:
            raise TourFailed("the sheet has no form")
        w.guide.fill(form.editor("medicine"), str(typed["medicine"]))
        sheet._chosen(str(typed["medicine"]))  # noqa: SLF001  Enter in the list of names
        if number == 0:
            form.set_value("as_needed", True)  # noqa: FBT003
            _choose(form, "frequency", "as needed")
        else:
            w.guide.click(sheet.verb_button)
            w.guide.settle()
            w.guide.picture(w.windows["dora"], "medicine-incomplete")
            _choose(form, "frequency", "three times a day")
        for field, text in typed.items():
            if field != "medicine":
                w.guide.fill(form.editor(field), text)
        w.guide.settle()
        w.guide.picture(w.windows["dora"], f"medicine-{number + 1}")
        w.guide.click(sheet.verb_button)
        w.guide.until(lambda n=number: len(editor.prescription.items()) == n + 1, "the medicine is on the list")  # type: ignore[misc]
    editor._area.ensureWidgetVisible(editor.prescription)  # noqa: SLF001
    w.guide.picture(w.windows["dora"], "prescription")


def _choose(form: Any, field: str, words: str) -> None:
    box = form.editor(field)
    index = box.findText(words)
    if index < 0:
        raise TourFailed(f"{field} offers no “{words}”")
    box.setCurrentIndex(index)


def _complete_without_documents(w: Walk) -> None:
    room, editor = _room(w), _editor(w)
    w.clinic.servers.embedded.stop_documents()
    w.guide.click(editor.complete_button)
    w.guide.until(lambda: room.editor is None and hasattr(room, "paper_button"), "the visit is completed")
    w.guide.until(lambda: any("Testa" not in t.doctor_name and t.reason for t in room.chart.visits.texts), "the visit is in the chart")
    room.chart.tabs.setCurrentWidget(room.chart.visits)
    w.guide.until(lambda: _undelivered(w) == 1, "one visit waits")
    w.guide.settle()
    w.guide.picture(w.windows["dora"], "completed-documents-away")


def _undelivered(w: Walk) -> int:
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        return visits.undelivered(session)


def _documents_return(w: Walk) -> None:
    before = None
    w.clinic.servers.revive()
    w.guide.until(lambda: _undelivered(w) == 0, "the visit is delivered", patience=60)
    patient_id = w.found["patient"].id
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        rows = visits.of_patient(session, patient_id)
        before = w.clinic.documents.get_visits([f"{r.id}:{r.revision}" for r in rows])
    if len(rows) != 1 or len(before) != 1:
        raise TourFailed(f"{len(rows)} visits in the database, {len(before)} in the archive")
    w.guide.fact("documents of this patient", len(before))
    _room(w).chart.refresh()
    w.guide.settle()
    w.guide.picture(w.windows["dora"], "delivered")


def _paper(w: Walk) -> None:
    room = _room(w)
    w.guide.click(room.paper_button)
    w.guide.until(lambda: room.paper.stored is not None, "the paper is read")
    w.guide.settle()
    paper = room.paper
    original = paper.stored.content
    w.guide.pdf(original, "prescription")
    w.guide.picture(paper, "paper")
    paper.preview.printed.emit("the tour's printer")  # the printer is the one thing the tour does not have
    w.guide.until(lambda: paper.stored.printed == 1, "the print is noted")
    w.guide.settle()
    copy = paper.stored.content
    if not copy.startswith(original):
        raise TourFailed("the copy does not begin with the stored bytes")
    w.guide.pdf(copy, "prescription-copy")
    w.guide.picture(paper, "paper-copy")
    paper.close()
    with w.clinic.read(w.windows["dora"].desk.token) as session:
        listed = prescriptions.of_patient(session, w.found["patient"].id)
    if len(listed) != 1 or listed[0].printed != 1:
        raise TourFailed("the chart does not list the printed prescription")
