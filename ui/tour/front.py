"""What several steps at the front desk do: the clinic behind the windows, the desk beside it, and reception's hands."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QPushButton, QWidget

from clinicdesk.services import appointments, availability, doctors, finding
from clinicdesk.services.people import PatientRow
from clinicdesk.services.schedule import AppointmentRow, NewAppointment
from ui.dialogs.booking import BookingSheet
from ui.schedule.model import Cell
from ui.tour.guide import TourFailed

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "receptionist"
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


def second_desk(w: Walk) -> str:
    """The session of the second receptionist, whose changes come from another desk."""
    if "sam" not in w.found:
        w.found["sam"] = w.clinic.sign_in("sam", w.accounts["sam"].password, "second desk").token
    return str(w.found["sam"])


def doctor_id_of(w: Walk, name: str) -> int:
    """A doctor by name."""
    with w.clinic.read(second_desk(w)) as session:
        return next(d.id for d in doctors.doctors(session) if d.name == name)


def somebody(w: Walk) -> PatientRow:
    """Somebody nobody shares a name with, whom the steps before did not meet."""
    met = w.found.setdefault("met", set())
    with w.clinic.read(second_desk(w)) as session:
        for person in finding.recent(session, 200):
            typed = f"{person.last_name} {person.first_name}"
            if person.id not in met and typed.isascii() and typed.replace(" ", "").isalpha() and len(finding.search(session, typed)) == 1:
                met.add(person.id)
                return person
    raise TourFailed("nobody has a name of her own")


def row(w: Walk, number: int) -> AppointmentRow:
    """An appointment as the database has it."""
    with w.clinic.read(second_desk(w)) as session:
        return appointments.one(session, number)


def first_free(w: Walk, doctor_id: int, *, days: int = 1, hour: int = 9) -> datetime:
    """The first free time of a doctor so many days from now, not before an hour."""
    zone = w.clinic.zone
    day = datetime.now(zone).date() + timedelta(days=days)
    with w.clinic.read(second_desk(w)) as session:
        after = availability.day_bounds(session, day)[0] + timedelta(hours=hour)
        return availability.next_free(session, doctor_id=doctor_id, after=after, count=1)[0].starts_at.astimezone(zone)


def book_elsewhere(w: Walk, doctor_id: int, start: datetime, patient: PatientRow | None = None, *, lane: int = 0, why: str = "") -> int:
    """Booked at the other desk."""
    who = (patient or somebody(w)).id
    with w.clinic.write(second_desk(w)) as session:
        wish = NewAppointment(doctor_id, who, start, start + timedelta(minutes=20), "Follow-up", lane, why)
        return appointments.book(session, wish)


def step_elsewhere(w: Walk, number: int, to: str, reason: str = "") -> None:
    """A step at the other desk."""
    with w.clinic.write(second_desk(w)) as session:
        appointments.step(session, number, to, appointments.one(session, number).version, reason)


def show_day(w: Walk, at: datetime) -> Any:
    """The front desk on the day of a moment."""
    desk = w.panel("rita", "front-desk")
    day = at.astimezone(w.clinic.zone).date()
    desk.bar.set_day(day)
    w.guide.until(lambda: desk.schedule is not None and desk.schedule.day == day, "the day is shown")
    w.guide.settle()
    return desk


def press(w: Walk, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier, *, who: str = "rita") -> None:
    """A key of somebody's window, wherever the focus is in it."""
    window = w.windows[who]
    window.activateWindow()
    w.guide.until(lambda: w.guide.app.activeWindow() is window, "her window has the keys")
    QTest.keyClick(window.panel or window, key, modifiers)
    w.guide.app.processEvents()


def booking_at(w: Walk, doctor_id: int, start: datetime) -> BookingSheet:
    """Enter on a free time opens the booking."""
    desk = show_day(w, start)
    grid, local = desk.calendar.grid, start.astimezone(w.clinic.zone)
    column = next(n for n, c in enumerate(grid.columns) if c.doctor_id == doctor_id)
    desk.calendar.setFocus()
    desk.calendar.set_cell(Cell(column, local.hour * 60 + local.minute))
    w.guide.keys(desk.calendar, Qt.Key.Key_Return)
    sheet = w.guide.dialog(BookingSheet)
    if sheet.starts_at != start:
        raise TourFailed(f"the booking opens at {sheet.starts_at}, not at {start}")
    return sheet


def choose(w: Walk, sheet: BookingSheet, patient: PatientRow) -> None:
    """Find the patient in a booking by typing her name."""
    w.guide.keys(sheet.find_box, f"{patient.last_name} {patient.first_name}")
    w.guide.until(lambda: sheet.find_box.hits.isVisible() and sheet.find_box.hits.shown, "the patient is found")
    w.guide.settle()
    w.guide.keys(sheet.find_box, Qt.Key.Key_Return)
    w.guide.until(lambda: sheet.patient is not None and sheet.patient.id == patient.id, "the patient is chosen")
    w.guide.settle()


def button_of(w: Walk, parent: QWidget, words: str, number: int = 0) -> QPushButton:
    """The button (or another one of several) of a part of a window whose words begin like this, once it is there."""

    def shown() -> list[QPushButton]:
        return [made for made in parent.findChildren(QPushButton) if made.text().startswith(words) and made.isVisible()]

    w.guide.until(lambda: len(shown()) > number, f"a button “{words}”")
    return shown()[number]


def expect(holds: object, what: str) -> None:
    """Fail loudly."""
    if not holds:
        raise TourFailed(what)


def select(w: Walk, desk: Any, number: int) -> None:
    """Select an appointment of the day shown."""
    w.guide.until(lambda: desk.calendar.select(number), "the appointment is selected")
    w.guide.settle()
