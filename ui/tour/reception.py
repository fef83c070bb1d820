"""Reception's morning: find, register, book by mouse and by keys, a clash, confirm, check in, cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QPoint, Qt

from clinicdesk.services import finding
from clinicdesk.services.schedule import AppointmentBlock
from ui.dialogs.booking import BookingSheet
from ui.dialogs.cancelling import CancelSheet
from ui.dialogs.patient import PatientSheet
from ui.schedule.model import Cell, DayLayout
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "receptionist"
PATIENT = "Aurora Testa"


def walk(w: Walk) -> None:
    """All steps in order."""
    step = w.guide.step
    step(ROLE, "signs in and sees the day with a column for each doctor", lambda: _arrive(w))
    step(ROLE, "finds a patient while typing", lambda: _find(w))
    step(ROLE, "registers a patient; each rule is refused at its field", lambda: _register(w))
    step(ROLE, "books a free time with the mouse", lambda: _book_by_mouse(w))
    step(ROLE, "a clash is refused: who is there and three free times; one click books", lambda: _clash(w))
    step(ROLE, "books by keyboard alone", lambda: _book_by_keys(w))
    step(ROLE, "confirms", lambda: _confirm(w))
    step(ROLE, "cancels with a reason, and takes it back", lambda: _cancel(w))


def _arrive(w: Walk) -> None:
    w.sign_in("rita")
    desk = w.panel("rita", "front-desk")
    w.guide.until(lambda: desk.schedule is not None, "the day is read")
    if len(desk.schedule.columns) != 6:
        raise TourFailed(f"six doctors expected, {len(desk.schedule.columns)} shown")
    _move_to_a_working_day(w, desk)
    w.guide.picture(w.windows["rita"], "day")


def _move_to_a_working_day(w: Walk, desk: Any) -> None:
    """The day after today: free times there are never in the past, whatever the hour of the tour."""
    w.guide.click(desk.bar.forth)
    day = desk.day
    w.guide.until(lambda: desk.schedule is not None and desk.schedule.day == day, "the next day is shown")
    w.found["day"] = day


def _find(w: Walk) -> None:
    window = w.windows["rita"]
    window.find_box.setFocus()
    w.guide.keys(window.find_box, "garc ma")
    w.guide.until(lambda: len(window.find_box.hits.shown) >= 2, "two namesakes are found")
    w.guide.picture(window, "find")
    window.find_box.clear()
    window.find_box.hits.close_list()


def _register(w: Walk) -> None:
    panel = w.panel("rita", "patients")
    w.guide.click(panel.register_button)
    sheet = w.guide.dialog(PatientSheet)
    form = sheet.form
    if form is None:
        raise TourFailed("the registration has no form")
    first, last = PATIENT.split()
    w.guide.fill(form.editor("first_name"), first)
    w.guide.fill(form.editor("last_name"), last)
    w.guide.fill(form.editor("born"), "31.2.1984")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("born"), "an impossible date is refused at its field")
    w.guide.picture(w.windows["rita"], "register-refused")
    w.guide.fill(form.editor("born"), "3 May 1984")
    form.set_value("sex", "F")
    w.guide.fill(form.editor("phone"), "12")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("phone"), "a short phone number is refused at its field")
    w.guide.fill(form.editor("phone"), "+44 7700 955123")
    w.guide.fill(form.editor("email"), "aurora@mail.example")
    w.guide.fill(form.editor("ssn"), "123456789")
    w.guide.fill(form.editor("address"), "12 Orchard Close, Northbridge")
    w.guide.fill(form.editor("added_note"), "Prefers a call before the visit.")
    w.guide.fill(form.editor("allergies"), "Penicillin: rash as a child.")
    w.guide.picture(w.windows["rita"], "register-filled")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: panel.card is not None and panel.card.last_name == last, "the new patient is shown")
    w.guide.gone(sheet, "the sheet closes")
    w.found["patient"] = panel.card
    w.guide.picture(w.windows["rita"], "registered")


def _front_desk(w: Walk) -> Any:
    desk = w.panel("rita", "front-desk")
    if desk.day != w.found["day"]:
        desk.bar.set_day(w.found["day"])
    w.guide.until(lambda: desk.schedule is not None and desk.schedule.day == w.found["day"], "the day is shown")
    return desk


def _free_place(desk: Any, first: int) -> tuple[int, int]:
    """A column, from `first` on, and a minute the cursor can stand on where a usual visit fits: every day of the demo is another one."""
    for column in range(first, len(desk.calendar.grid.columns)):
        minute = _free_minute(desk, column)
        if minute is not None:
            return column, minute
    raise TourFailed("no doctor has a free time")


def _free_minute(desk: Any, column: int) -> int | None:
    """A minute of a column where nothing is booked for a usual visit and the doctor is open."""
    length, after = 20, 9 * 60
    grid: DayLayout = desk.calendar.grid
    zone = desk.desk.zone
    doctor = grid.columns[column]

    def minute(at: Any) -> int:
        local = at.astimezone(zone)
        return int(local.hour) * 60 + int(local.minute)

    starts: list[int] = [*range(after, 17 * 60, 60), *range(after, 17 * 60, grid.snap)]
    for start in starts:
        end = start + length
        is_open = any(minute(r.starts_at) <= start and end <= minute(r.ends_at) for r in doctor.open)
        busy = any(p.start < end and start < p.end for p in grid.placed[column] if not p.aside)
        if is_open and not busy:
            return start
    return None


def _cell_point(desk: Any, column: int, minute: int) -> QPoint:
    grid, calendar = desk.calendar.grid, desk.calendar
    y = grid.y(minute) + 6
    calendar.verticalScrollBar().setValue(max(0, y - 160))
    x = column * grid.column_width + grid.column_width // 4  # what was cancelled stands aside in the right half of its place
    return QPoint(x - calendar.horizontalScrollBar().value(), y - calendar.verticalScrollBar().value())


def _choose_patient(w: Walk, sheet: BookingSheet, typed: str, last_name: str) -> None:
    w.guide.keys(sheet.find_box, typed)
    w.guide.until(lambda: sheet.find_box.hits.isVisible() and sheet.find_box.hits.shown, "the patient is found")
    w.guide.settle()
    w.guide.keys(sheet.find_box, Qt.Key.Key_Down, Qt.Key.Key_Return)
    w.guide.until(lambda: sheet.patient is not None and sheet.patient.last_name == last_name, "the patient is chosen")


def _book_by_mouse(w: Walk) -> None:
    desk = _front_desk(w)
    column, minute = _free_place(desk, 0)
    w.guide.click(desk.calendar.viewport(), _cell_point(desk, column, minute), double=True)
    sheet = w.guide.dialog(BookingSheet)
    _choose_patient(w, sheet, "aurora t", "Testa")
    if sheet.form is not None:
        w.guide.fill(sheet.form.editor("reason"), "Cough for two weeks")
    w.guide.picture(w.windows["rita"], "booking")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: _block_of(desk, "Testa") is not None, "the booking stands in the calendar")
    w.found["appointment"] = _block_of(desk, "Testa")
    w.guide.picture(w.windows["rita"], "booked")


def _block_of(desk: Any, last_name: str) -> AppointmentBlock | None:
    blocks = desk.schedule.blocks if desk.schedule else ()
    return next((b for b in blocks if b.patient_name.startswith(last_name) and b.status not in {"cancelled", "no_show"}), None)


def _clash(w: Walk) -> None:
    """Another desk books first: the sheet was opened on a place that is taken by now."""
    desk = _front_desk(w)
    block = w.found["appointment"]
    desk._book_at(block.doctor_id, block.starts_at, block.ends_at)  # noqa: SLF001  what a double click on a stale picture does
    sheet = w.guide.dialog(BookingSheet)
    _choose_patient(w, sheet, "garcía maría", "García")
    w.guide.click(sheet.verb_button)
    w.guide.until(sheet._clash.isVisible, "the clash is explained")  # noqa: SLF001
    words = sheet._clash.words.text()  # noqa: SLF001
    if "Testa" not in words or len(sheet._clash.offers) != 3:  # noqa: SLF001
        raise TourFailed(f"the clash says: {words}")
    w.guide.picture(w.windows["rita"], "clash")
    w.guide.click(sheet._clash.offers[0])  # noqa: SLF001
    w.guide.settle()
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "the offered time is booked")


def _book_by_keys(w: Walk) -> None:
    desk = _front_desk(w)
    column, minute = _free_place(desk, 1)
    calendar = desk.calendar
    calendar.setFocus()
    calendar.set_cell(Cell(column - 1, minute))
    w.guide.keys(calendar, Qt.Key.Key_Right)
    w.guide.keys(calendar, Qt.Key.Key_Return)
    sheet = w.guide.dialog(BookingSheet)
    _choose_patient(w, sheet, *(("kim", "Kim") if _exists(w, "kim") else ("testa", "Testa")))
    w.guide.settle()
    focus = w.guide.app.focusWidget() or sheet
    w.guide.keys(focus, Qt.Key.Key_Return)
    w.guide.gone(sheet, "Enter books")
    w.guide.picture(w.windows["rita"], "booked-by-keys")


def _exists(w: Walk, typed: str) -> bool:
    with w.clinic.read(w.windows["rita"].desk.token) as session:
        rows = finding.search(session, typed)
    return bool(rows) and rows[0].last_name.casefold() == typed


def _confirm(w: Walk) -> None:
    desk = _front_desk(w)
    w.guide.until(lambda: desk.calendar.select(w.found["appointment"].id), "the appointment is selected")
    w.guide.settle()
    w.guide.click(desk.detail.buttons["confirmed"])
    w.guide.until(lambda: (_block_of(desk, "Testa") or w.found["appointment"]).status == "confirmed", "it is confirmed")
    w.guide.picture(w.windows["rita"], "confirmed")


def _cancel(w: Walk) -> None:
    desk = _front_desk(w)
    victim = next(b for b in desk.schedule.blocks if b.status == "scheduled" and not b.patient_name.startswith("Testa"))
    desk.calendar.select(victim.id)
    w.guide.settle()
    w.guide.click(desk.detail.buttons["cancelled"])
    sheet = w.guide.dialog(CancelSheet)
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: sheet.form is not None and sheet.form.error("cancel_reason"), "a reason is asked for")
    if sheet.form is not None:
        w.guide.fill(sheet.form.editor("cancel_reason"), "Called to cancel")
    w.guide.picture(w.windows["rita"], "cancel")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: any(b.id == victim.id and b.status == "cancelled" for b in desk.schedule.blocks), "it is cancelled")
    w.windows["rita"].undo()
    w.guide.until(
        lambda: any(b.id == victim.id and b.status == "scheduled" for b in desk.schedule.blocks), "the cancellation is taken back"
    )
