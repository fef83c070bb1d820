"""Reception's desk: the calendar by day, week or month, who waits, and the selected appointment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import FreePlace, SlotTaken
from clinicdesk.services import appointments
from clinicdesk.services.people import PatientRow
from clinicdesk.services.schedule import AppointmentBlock, AppointmentRow, DaySchedule
from ui.desk import Desk
from ui.dialogs.booking import BookingSheet
from ui.dialogs.cancelling import CancelSheet
from ui.dialogs.day_sheet import DaySheetWindow
from ui.dialogs.moving import MoveSheet
from ui.dialogs.payment import payment_for
from ui.dialogs.repeating import MoveSeriesSheet
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.panels.front_calendar import CalendarArea
from ui.panels.front_menu import calendar_menu
from ui.panels.front_side import PAYABLE, SelectedAppointment, side_column
from ui.problems import explain
from ui.schedule.model import MOVABLE
from ui.undo_history import take_back
from ui.waiting.call_screen import CallScreen
from ui.waiting.freed import FreedPlaces
from ui.waiting.room import WaitingRoom
from ui.widgets.sheet import Sheet
from ui.widgets.text import button

TOLD = {
    "confirmed": "confirmed",
    "arrived": "checked in",
    "cancelled": "cancelled",
    "no_show": "marked as not attended",
    "scheduled": "restored",
}


#: Who may book on top of another appointment.
OVERBOOKING = frozenset({"receptionist", "administrator"})


@dataclass(frozen=True, slots=True)
class Wish:
    """Where somebody wants an appointment to go."""

    block: AppointmentBlock
    doctor_id: int
    starts_at: datetime
    ends_at: datetime

    def moved(self, block: AppointmentBlock) -> bool:
        """Whether this is the appointment in a later version: the wish was granted, or somebody else was quicker."""
        return block.id == self.block.id and block.version != self.block.version


class FrontDeskPanel(Panel):
    """Where reception works all day."""

    key = "front-desk"
    title = "Calendar"
    icon = "day"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.day = datetime.now(desk.zone).date()
        self.schedule: DaySchedule | None = None
        self._select_next: int | None = None
        self._wish: Wish | None = None  # asked of the database, not answered yet
        self._offered: Wish | None = None  # refused, other places are offered for it
        self.sheet: Sheet | None = None
        self.paper: DaySheetWindow | None = None
        self.area = CalendarArea(desk)
        self.bar, self.calendar = self.area.bar, self.area.calendar
        self.area.day_changed.connect(self.show_day)
        self.area.read.connect(self._show)
        self.area.offers.taken.connect(self._take_place)
        self.area.offers.overbook_requested.connect(self._move_on_top)
        self.new_button = button(
            "New appointment", self.new_appointment, variant="primary", icon="book", theme=desk.theme, tip="New appointment  (F3)"
        )
        self.bar.tools.addWidget(self.new_button)
        self.calendar.book_requested.connect(self._book_at)
        self.calendar.move_requested.connect(self._ask_to_move)
        self.calendar.step_requested.connect(self.step)
        self.calendar.selected.connect(self._selected)
        self.calendar.opened.connect(lambda block: self.desk.show("patient", block.patient_id))
        self.calendar.menu_requested.connect(self._menu)
        self.waiting = WaitingRoom(desk)
        self.waiting.chosen.connect(self._find_waiting)
        self.freed = FreedPlaces(desk)
        self.freed.watch(self)
        self.call_screen: CallScreen | None = None
        self.detail = SelectedAppointment(desk)
        self.detail.step_requested.connect(self.step)
        self.detail.payment_requested.connect(self.take_payment)
        self.detail.patient_requested.connect(lambda patient_id: self.desk.show("patient", patient_id))
        middle = QHBoxLayout()
        middle.setSpacing(12)
        middle.addWidget(self.area, 1)
        middle.addWidget(side_column(self.waiting, self.detail, self.freed))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(12)
        outer.addWidget(self.bar)
        outer.addLayout(middle, 1)
        self._live = RefreshWhenShown(self, desk.live, self._topics(), self.refresh)

    def _topics(self) -> tuple[str, ...]:
        return self.area.topics()

    def commands(self) -> Sequence[Action]:
        """Reception's keys."""
        return (
            Action("New appointment", self.new_appointment, "book", "F3"),
            Action("Check in the selected patient", self._check_in, "arrived", "F4"),
            Action("Call the next patient", self.waiting.call_next, "call", "Shift+F4"),
            Action("Offer the first freed place", self.freed.offer_first, "waiting", "Ctrl+Shift+O"),
            Action("Open the call screen", self.open_call_screen, "call"),
            Action("Take a payment for the selected appointment", self.take_payment, "cash", "F8"),
            Action("Print the day sheet", self.print_day, "print", "Ctrl+P"),
            Action("Move the selected appointment", self.move_selected, "move"),
            Action("Pin the selected appointment", self._pin, "pin"),
            Action("Go to today", lambda: self.bar.set_day(datetime.now(self.desk.zone).date()), "day"),
        )

    def first_focus(self) -> QWidget:
        """The calendar; the find box is one key away (F2)."""
        return self.calendar

    def show_topic(self, topic: str, subject: Any) -> bool:
        """A day, the booking of a patient who was just found, of a free place (`book_at`), or an appointment in its day."""
        if topic == "book":
            self.new_appointment(patient=subject)
            return True
        if topic == "book_at" and isinstance(subject, FreePlace):
            self.bar.set_day(subject.starts_at.astimezone(self.desk.zone).date())
            self._book_at(subject.doctor_id, subject.starts_at, subject.ends_at)
            return True
        if topic == "appointment" and isinstance(subject, AppointmentRow):
            self._select_next = subject.id
            day = subject.starts_at.astimezone(self.desk.zone).date()
            if self.bar.unit == "month":
                self.area.open_day(day)
            elif day == self.day:
                self.refresh()
            else:
                self.bar.set_day(day)
            return True
        if topic == "day" and isinstance(subject, date):
            self.bar.set_day(subject)
            return True
        return False

    def show_day(self, day: date) -> None:
        """Another day, week or month."""
        self.day = day
        self._live.watch(*self._topics())

    def refresh(self) -> None:
        """Read what is shown; scroll, cursor and selection stay."""
        self.area.refresh()

    def _find_waiting(self, appointment_id: int) -> None:
        """Select somebody of the waiting room in the calendar, which may show another day."""
        if not self.calendar.select(appointment_id):
            self._select_next = appointment_id
            self.bar.set_day(self.desk.now().date())

    def _show(self, schedule: DaySchedule) -> None:
        self.schedule = schedule
        if self._wish is not None and any(self._wish.moved(block) for block in schedule.blocks):
            self._wish = None
        if self._select_next is not None and self.calendar.select(self._select_next):
            self._select_next = None
        self._selected(self.calendar.block)

    def _doctor_name(self, doctor_id: int) -> str:
        columns = self.schedule.columns if self.schedule else ()
        return next((c.name for c in columns if c.doctor_id == doctor_id), "")

    def _selected(self, block: AppointmentBlock | None) -> None:
        self.detail.show_block(block, self._doctor_name(block.doctor_id) if block else "")

    def open_call_screen(self) -> None:
        """The window for the waiting room."""
        if self.call_screen is None:
            self.call_screen = CallScreen(self.desk)
            self.window().destroyed.connect(self.call_screen.deleteLater)
        self.call_screen.show_there()

    # Booking and moving

    def new_appointment(self, *, patient: PatientRow | None = None) -> None:
        """Book without a place in mind: the first free one is proposed."""
        self._open_booking(patient=patient)

    def _book_at(self, doctor_id: int, starts_at: datetime, ends_at: datetime) -> None:
        self._open_booking(doctor_id=doctor_id, starts_at=starts_at, ends_at=ends_at)

    def _open_booking(self, **where: Any) -> None:
        if not self.area.doctors:  # asked from elsewhere before this panel was ever shown: the doctors are not known yet
            self.desk.ask(self, appointments.day, self.day, done=partial(self._open_after, where), replaces="booking")
            return
        sheet = BookingSheet(self.desk, self.area.doctors, parent=self.window(), **where)
        self.sheet = sheet
        sheet.booked.connect(lambda appointment_id: self._booked(sheet, appointment_id))
        sheet.finished.connect(lambda _result: self.calendar.release())
        sheet.open()

    def _open_after(self, where: dict[str, Any], schedule: DaySchedule) -> None:
        self.area.show_schedule(schedule)
        self._open_booking(**where)

    def _booked(self, sheet: BookingSheet, appointment_id: int) -> None:
        self._select_next = appointment_id
        name = sheet.chosen.text().split("  ·  ")[0]
        self.desk.tell(f"{name} is booked{f' {sheet.count} times' if sheet.count > 1 else ''}.", partial(take_back, self.desk))
        day = sheet.starts_at.date()
        if day != self.day:
            self.bar.set_day(day)
        else:
            self.refresh()

    def _move(self, block: AppointmentBlock, doctor_id: int, starts_at: datetime, ends_at: datetime) -> None:
        def done(_version: int = 0) -> None:
            self.desk.tell(f"{block.patient_name} is moved.", partial(take_back, self.desk))
            self.refresh()

        if block.series_id is not None:
            sheet = MoveSeriesSheet(self.desk, block, doctor_id, starts_at, ends_at, parent=self.window())
            self.sheet = sheet
            sheet.accepted.connect(done)
            sheet.rejected.connect(self.calendar.release)
            sheet.open()
            return
        self.desk.do(self, appointments.move, block.id, doctor_id, starts_at, ends_at, block.version, done=done, failed=self._refused)

    def _refused(self, error: Exception) -> None:
        self.calendar.release()
        if isinstance(error, SlotTaken) and self._wish is not None:
            self._offer(error, self._wish)
            return
        words = explain(error).text
        if isinstance(error, SlotTaken) and error.nearest:
            times = ", ".join(f"{p.starts_at.astimezone(self.desk.zone):%H:%M}" for p in error.nearest)
            words = f"{error.sentence} Free nearby: {times}."
        self.desk.tell(words)
        self.refresh()

    # Steps

    def step(self, block: AppointmentBlock, status: str) -> None:
        """Confirm, check in, cancel (asks why), did not attend, or take one of these back."""
        if status == "cancelled":
            sheet = CancelSheet(
                self.desk,
                block.id,
                block.version,
                f"{block.patient_name}, {self._doctor_name(block.doctor_id)}, {block.starts_at.astimezone(self.desk.zone):%H:%M}",
                parent=self.window(),
                series_id=block.series_id,
            )
            self.sheet = sheet
            sheet.accepted.connect(lambda: self._stepped(block, status))
            sheet.open()
            return
        self.desk.do(
            self,
            appointments.step,
            block.id,
            status,
            block.version,
            done=lambda _version: self._stepped(block, status),
            failed=self._refused,
        )

    def _stepped(self, block: AppointmentBlock, status: str) -> None:
        self.desk.tell(f"{block.patient_name} is {TOLD[status]}.", partial(take_back, self.desk))
        self.refresh()

    def _check_in(self) -> None:
        block = self.calendar.block
        if block is None or block.status not in {"scheduled", "confirmed"}:
            self.desk.tell("Choose an appointment that is not checked in yet.")
            return
        self.step(block, "arrived")

    def take_payment(self, block: AppointmentBlock | None = None) -> None:
        """The payment sheet for an appointment, the selected one by default; only who has come pays."""
        block = block or self.calendar.block
        if block is None or block.status not in PAYABLE:
            self.desk.tell("Choose the appointment of a patient who has arrived.")
            return
        self.sheet = payment_for(self.desk, self.window(), block.patient_id, block.id)

    def _menu(self, block: AppointmentBlock | None, at: QPoint) -> None:
        calendar_menu(self, block).popup(at)

    # Another place for what is booked

    def _ask_to_move(self, block: AppointmentBlock, doctor_id: int, starts_at: datetime, ends_at: datetime) -> None:
        """A drop, a key or the sheet wants this: ask the database, and know what to offer when it refuses."""
        self.area.offers.close_it()
        if (doctor_id, starts_at, ends_at) == (block.doctor_id, block.starts_at, block.ends_at):
            self.area.pinboard.unpin(block.id)  # put down where it always was
            self.calendar.release()
            return
        self._wish = Wish(block, doctor_id, starts_at, ends_at)
        self._move(block, doctor_id, starts_at, ends_at)

    def _offer(self, error: SlotTaken, wish: Wish) -> None:
        self._wish, self._offered = None, wish
        day = wish.starts_at.astimezone(self.desk.zone).date()
        may_overbook = self.desk.me.role in OVERBOOKING
        self.area.offers.offer(explain(error).sentence, error.nearest, day, overbook=may_overbook)
        self.refresh()

    def _take_place(self, place: FreePlace) -> None:
        wish = self._offered
        if wish is None:
            return
        self._select_next = wish.block.id
        self._ask_to_move(wish.block, place.doctor_id, place.starts_at, place.ends_at)
        day = place.starts_at.astimezone(self.desk.zone).date()
        if day not in self.area.days():
            self.bar.set_day(day)

    def _move_on_top(self, reason: str) -> None:
        wish = self._offered
        if wish is None:
            return

        def done(_version: int) -> None:
            sentence = f"{wish.block.patient_name} is moved, on top of another appointment."
            self.desk.tell(sentence, partial(take_back, self.desk))
            self.refresh()

        self.desk.do(self, _on_top, wish, reason, done=done, failed=self._refused)

    def move_selected(self) -> None:
        """Ask for doctor, day, time and length of the selected appointment."""
        block = self.calendar.block
        if block is None or block.status not in MOVABLE:
            self.desk.tell("Choose an appointment that can still be moved.")
            return
        sheet = MoveSheet(self.desk, block, self.area.doctors, parent=self.window())
        self.sheet = sheet
        sheet.chosen.connect(partial(self._ask_to_move, block))
        sheet.open()

    def _pin(self) -> None:
        if self.calendar.block is not None:
            self.area.pinboard.park(self.calendar.block)

    def print_day(self) -> None:
        """The day sheet of the doctors shown, to look at and print."""
        self.paper = DaySheetWindow(self.desk, self.day, self.bar.doctors, self.window())
        self.paper.show()


def _on_top(session: Any, wish: Wish, reason: str) -> int:
    """Move into the first free lane above what is there; runs on a worker."""
    lane = appointments.free_lane(session, wish.doctor_id, wish.starts_at, wish.ends_at)
    return appointments.move(session, wish.block.id, wish.doctor_id, wish.starts_at, wish.ends_at, wish.block.version, lane=lane,
                             overbook_reason=reason)
