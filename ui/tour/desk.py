"""The desk's finer work: a series, undo, overbooking, openings, bookings typed into the command bar, and the doctor's bell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from clinicdesk.services import appointments
from ui.bell import NoticeList
from ui.dialogs.booking import BookingSheet
from ui.dialogs.repeating import MoveSeriesSheet
from ui.tour import waiting
from ui.tour.front import (
    CTRL,
    ROLE,
    book_elsewhere,
    booking_at,
    button_of,
    choose,
    doctor_id_of,
    expect,
    first_free,
    press,
    row,
    second_desk,
    select,
    show_day,
    somebody,
    step_elsewhere,
)
from ui.tour.guide import TourFailed
from ui.undo_history import UndoList

if TYPE_CHECKING:
    from ui.tour.run import Walk


def walk(w: Walk) -> None:
    """All steps in order; reception and a doctor are signed in, another receptionist works at her own desk."""
    step = w.guide.step
    step(ROLE, "books a series: the taken date takes the nearest free time instead", lambda: _series(w))
    step(ROLE, "moves one of them and the following", lambda: _move_following(w))
    step(ROLE, "opens what she did: one line cannot be undone, because another desk changed it since", lambda: _undo_list(w))
    step(ROLE, "takes the move back with Ctrl+Z and does it again with Ctrl+Y", lambda: _keys(w))
    step(ROLE, "books on top of another appointment, with the reason", lambda: _overbook(w))
    step(ROLE, "calls the next two from the waiting room; the call screen shows numbers, never names", lambda: waiting.call(w))
    step(ROLE, "offers a freed place to the waiting list: refused by the first, taken by the next", lambda: waiting.offer(w))
    step(ROLE, "looks for openings: the first of each day, then a weekday and hours", lambda: _openings(w))
    step(ROLE, "types “book …” and sees what it would do; a taken time offers the nearest", lambda: _typed(w))
    step("doctor", "hears from the bell what reception moved", lambda: _bell(w))


def _series(w: Walk) -> None:
    dora = doctor_id_of(w, "Dr Dora Kim")
    start = first_free(w, dora)
    taken = book_elsewhere(w, dora, start + timedelta(weeks=1))
    patient = somebody(w)
    sheet = booking_at(w, dora, start)
    choose(w, sheet, patient)
    sheet.repeat.setCurrentIndex(sheet.repeat.findData("week"))
    sheet.times.setValue(4)
    w.guide.until(lambda: sheet.verb_button.text() == "Book 3", "the taken date is seen before anything is booked")
    w.guide.picture(w.windows["rita"], "series-plan")
    w.guide.click(button_of(w, sheet._plan, "Take "))  # noqa: SLF001
    w.guide.until(lambda: sheet.verb_button.text() == "Book 4", "the nearest free time is taken instead")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "the series is booked")
    w.guide.until(lambda: "booked 4 times" in w.windows["rita"].toasts.sentence, "it says so")
    with w.clinic.read(second_desk(w)) as session:
        made = sorted(appointments.of_patient(session, patient.id), key=lambda one: one.starts_at)
    made = [one for one in made if one.id > taken]  # what the demo booked for the same patient is older
    wanted = [start + timedelta(weeks=n) for n in range(4)]
    expect([r.starts_at for r in made if r.starts_at in wanted] == [wanted[0], *wanted[2:]] and len(made) == 4, "four are in the database")
    w.found["series"] = [one.id for one in made]
    w.guide.picture(w.windows["rita"], "series-booked")


def _starts(w: Walk) -> list[datetime]:
    return [row(w, number).starts_at for number in w.found["series"]]


def _move_following(w: Walk) -> None:
    before = _starts(w)
    desk = show_day(w, before[2])
    select(w, desk, w.found["series"][2])
    w.guide.keys(desk.calendar, (Qt.Key.Key_Down, CTRL))  # letting go of Ctrl asks for it
    sheet = w.guide.dialog(MoveSeriesSheet)
    w.guide.keys(w.guide.app.focusWidget() or sheet, Qt.Key.Key_Down)
    w.guide.until(lambda: sheet.verb_button.text() == "Move 2", "this and the following one")
    w.guide.picture(w.windows["rita"], "move-following")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "they are moved")
    moved = timedelta(minutes=desk.calendar.grid.snap)
    w.guide.until(lambda: _starts(w) == [*before[:2], before[2] + moved, before[3] + moved], "two are moved, two stay")
    w.found["moved"] = (before, _starts(w))


def _undo_list(w: Walk) -> None:
    first = w.found["series"][0]
    desk = show_day(w, row(w, first).starts_at)
    select(w, desk, first)
    w.guide.click(desk.detail.buttons["confirmed"])
    w.guide.until(lambda: row(w, first).status == "confirmed", "it is confirmed")
    step_elsewhere(w, first, "cancelled", "Called the other desk")
    press(w, Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.AltModifier)
    sheet = w.guide.dialog(UndoList)
    w.guide.until(lambda: sheet.lines and sheet.lines[0].words.startswith("Confirmed"), "the newest is in front")
    w.guide.settle()
    w.guide.click(button_of(w, sheet, "Undo"))
    w.guide.until(lambda: sheet.lines[0].state == "refused", "it is refused")
    w.guide.settle()
    expect("Sam Walker" in sheet.lines[0].note and row(w, first).status == "cancelled", f"the line says: {sheet.lines[0].note}")
    w.guide.picture(w.windows["rita"], "undo-list")
    w.guide.click(sheet.verb_button)


def _keys(w: Walk) -> None:
    before, after = w.found["moved"]
    desk = show_day(w, after[2])
    press(w, Qt.Key.Key_Z, CTRL)
    w.guide.until(lambda: _starts(w) == before, "both are where they were")
    w.guide.until(lambda: w.windows["rita"].toasts.sentence.startswith("Undone: "), "it says what")
    w.guide.picture(w.windows["rita"], "undone")
    press(w, Qt.Key.Key_Y, CTRL)
    w.guide.until(lambda: _starts(w) == after, "both are moved again")
    w.guide.until(lambda: w.windows["rita"].toasts.sentence.startswith("Done again: "), "it says what")
    select(w, desk, w.found["series"][2])
    w.guide.picture(w.windows["rita"], "done-again")


def _overbook(w: Walk) -> None:
    samuel, patient = doctor_id_of(w, "Dr Samuel Okafor"), somebody(w)
    start = first_free(w, samuel)
    book_elsewhere(w, samuel, start)
    desk = show_day(w, start)
    desk._book_at(samuel, start, start + timedelta(minutes=20))  # noqa: SLF001  a booking that was begun before the place was taken
    sheet = w.guide.dialog(BookingSheet)
    choose(w, sheet, patient)
    w.guide.click(sheet.verb_button)
    w.guide.until(sheet._clash.isVisible, "the clash is explained")  # noqa: SLF001
    w.guide.click(button_of(w, sheet, "Overbook"))
    form = sheet.form
    if form is None:
        raise TourFailed("the booking has no form")
    reason = form.editor("overbook_reason")
    w.guide.until(reason.isVisible, "a reason is asked for")
    w.guide.settle()
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: form.error("overbook_reason"), "without a reason it is refused")
    w.guide.fill(reason, "Short check, agreed with the doctor")
    w.guide.picture(w.windows["rita"], "overbook")
    w.guide.click(sheet.verb_button)
    w.guide.gone(sheet, "it is booked")
    w.guide.until(lambda: desk.calendar.block is not None and desk.calendar.block.patient_id == patient.id, "it is selected")
    block = desk.calendar.block
    expect((block.lane, block.starts_at, block.overbook_reason) == (1, start, "Short check, agreed with the doctor"), f"it is {block}")
    w.guide.picture(w.windows["rita"], "overbooked")


def _openings(w: Walk) -> None:
    panel = w.panel("rita", "availability")
    panel.tabs.setCurrentWidget(panel.free)
    free, zone = panel.free, w.clinic.zone
    w.guide.until(lambda: free.places.rows, "free places are listed")

    def local() -> list[datetime]:
        return [row.place.starts_at.astimezone(zone) for row in free.places.rows]

    w.guide.click(free.each_day)
    w.guide.until(lambda: len({at.date() for at in local()}) == len(local()) == 10, "ten days, each with its first free place")
    w.guide.settle()
    w.guide.picture(w.windows["rita"], "openings")
    free.weekday.setCurrentIndex(free.weekday.findText("Wednesday"))
    free.hours.setCurrentIndex(free.hours.findText("the afternoon"))
    w.guide.until(lambda: local() and all(at.weekday() == 2 and at.hour >= 12 for at in local()), "Wednesday afternoons only")
    w.guide.settle()
    w.guide.picture(w.windows["rita"], "openings-wednesday")
    for box in (free.weekday, free.hours):
        box.setCurrentIndex(0)
    free.each_day.setChecked(False)


def _typed(w: Walk) -> None:
    window, patient = w.windows["rita"], somebody(w)
    dora = doctor_id_of(w, "Dr Dora Kim")
    start = first_free(w, dora, days=3)
    shown = _type(w, f"book {patient.last_name} {patient.first_name} {start:%a %H:%M} dr k".lower())
    expect(shown[0].startswith(f"Book {patient.last_name}, {patient.first_name}") and f" {start:%H:%M}–" in shown[0], f"it shows {shown}")
    w.guide.picture(window, "typed-booking")
    w.guide.keys(window.find_box, Qt.Key.Key_Return)

    def booked(at: datetime) -> bool:
        with w.clinic.read(second_desk(w)) as session:
            return any((r.starts_at, r.doctor_id) == (at, dora) for r in appointments.of_patient(session, patient.id))

    w.guide.until(lambda: booked(start), "Enter books it")
    w.found["typed"] = (patient, start)
    w.guide.picture(window, "typed-booked")
    other = somebody(w)
    shown = _type(w, f"book {other.last_name} {other.first_name} {start:%a %H:%M} dr k".lower())
    expect(len(shown) >= 4 and all(line.startswith("Instead: ") for line in shown[1:4]), f"it shows {shown}")
    expect("Taken" in window.find_box.hits.shown[0].detail, "the taken time says so")
    w.guide.picture(window, "typed-taken")
    w.guide.keys(window.find_box, Qt.Key.Key_Escape, Qt.Key.Key_Escape)


def _type(w: Walk, text: str) -> list[str]:
    window = w.windows["rita"]
    window.activateWindow()
    w.guide.keys(window.find_box, (Qt.Key.Key_A, CTRL), text)
    w.guide.until(lambda: window.find_box._answered_for == text, "what is typed is answered")  # noqa: SLF001
    w.guide.settle()
    return [hit.title for hit in window.find_box.hits.shown]


def _bell(w: Walk) -> None:
    dora, (patient, start) = w.windows["dora"], w.found["typed"]
    desk = show_day(w, start)
    number = next(b.id for b in desk.schedule.blocks if b.patient_id == patient.id and b.starts_at == start)
    to = first_free(w, doctor_id_of(w, "Dr Dora Kim"), days=4)
    before = dora.bell.count
    _move(w, number, to)
    w.guide.until(lambda: row(w, number).starts_at == to, "reception moves it")
    w.guide.until(lambda: dora.bell.count >= max(1, before), "the bell counts it")
    press(w, Qt.Key.Key_B, CTRL, who="dora")
    sheet = w.guide.dialog(NoticeList)
    told: Callable[[], object] = lambda: any(f"{to:%H:%M}" in n.words and n.who == "Rita Moreno" and not n.read for n in sheet.lines)  # noqa: E731
    w.guide.until(told, "the list says who moved it and to when")
    w.guide.picture(dora, "bell")
    w.guide.click(sheet.verb_button)
    w.guide.until(lambda: dora.bell.count == 0, "everything is read")
    sheet.reject()


def _move(w: Walk, number: int, to: datetime) -> None:
    """As dragging it does, to another day."""
    desk = w.panel("rita", "front-desk")
    block = next(b for b in desk.schedule.blocks if b.id == number)
    desk._move(block, block.doctor_id, to, to + (block.ends_at - block.starts_at))  # noqa: SLF001  what letting go of a dragged block does
