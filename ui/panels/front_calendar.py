"""The calendar of the front desk: day, week or month of some doctors, below it the pinboard and what is offered when a time is taken.

It reads by itself; what is asked for goes to the panel.
"""

from __future__ import annotations

from datetime import date, timedelta

from PySide6.QtCore import QPoint, Signal
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from clinicdesk.services import appointments
from clinicdesk.services import calendar as calendars
from clinicdesk.services.schedule import AppointmentBlock, DayLoad, DaySchedule, DoctorColumn, MonthSchedule, WeekSchedule
from ui.desk import Desk
from ui.schedule.day_bar import DayBar
from ui.schedule.drag import nudged
from ui.schedule.model import Cell
from ui.schedule.month import MonthView
from ui.schedule.named_views import NamedView
from ui.schedule.offers import Offers
from ui.schedule.pinboard import Pinboard
from ui.schedule.view import DayCalendar
from ui.schedule.view_menu import ViewButton


class CalendarArea(QWidget):
    """Signals: `day_changed(date)` (another day or unit: watch `topics`); `read(DaySchedule)` after a day or a week was read."""

    day_changed = Signal(object)
    read = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.day: date = desk.now().date()
        self.doctors: tuple[DoctorColumn, ...] = ()  #: all one may choose among, once each
        self._schedule: DaySchedule | None = None
        self.bar = DayBar(desk.theme, self.day, today=lambda: desk.now().date())
        self.calendar = DayCalendar(desk.theme, desk.zone)
        self.month = MonthView(desk.theme, self.day, today=lambda: desk.now().date())
        self.pinboard = Pinboard(desk.theme, desk.zone)
        self.offers = Offers(desk, self.calendar)
        self.views = ViewButton(desk, self.present)
        self.bar.choices.addWidget(self.views)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.calendar)
        self._stack.addWidget(self.month)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addWidget(self._stack, 1)
        outer.addWidget(self.offers)  # below: what comes and goes must not move the picture under the pointer
        outer.addWidget(self.pinboard)
        self._begin()
        self._connect()

    def _begin(self) -> None:
        last = self.views.kept.last()
        if last is not None:
            self.bar.filter.choose(last.doctors)
            self.bar.set_unit(last.unit)
            self.calendar.set_zoom(last.hour_px)
            self._stack.setCurrentWidget(self.month if last.unit == "month" else self.calendar)

    def _connect(self) -> None:
        bar, calendar, month, pinboard = self.bar, self.calendar, self.month, self.pinboard
        bar.day_changed.connect(self._show_day)
        bar.unit_changed.connect(self._show_unit)
        bar.doctors_changed.connect(self._filtered)
        bar.zoomed.connect(calendar.zoom)
        calendar.zoom_changed.connect(self._remember)
        calendar.unit_requested.connect(bar.set_unit)
        calendar.pin_requested.connect(pinboard.park)
        calendar.place_requested.connect(self.place)
        calendar.parking = pinboard
        month.unit_requested.connect(bar.set_unit)
        month.day_changed.connect(bar.set_day)
        month.opened.connect(self.open_day)
        pinboard.changed.connect(calendar.set_pinned)
        pinboard.place_requested.connect(self.place)
        pinboard.carried.connect(self._carried)
        pinboard.dropped.connect(self._dropped)
        pinboard.carry_ended.connect(self._carry_ended)
        self.views.chosen.connect(self.show_view)

    # What is shown

    def topics(self) -> tuple[str, ...]:
        """The notices that concern what is shown."""
        days = self.days()
        booked = ("appointments",) if self.bar.unit == "month" else tuple(f"appointments {day}" for day in days)
        return (*booked, "availability", "doctors")

    def refresh(self) -> None:
        """Read what is shown; scroll, cursor and selection stay."""
        ask, unit = self._desk.ask, self.bar.unit
        if unit == "day":
            ask(self, appointments.day, self.day, done=self.show_schedule, replaces="calendar")
        elif unit == "week":
            ask(self, calendars.week, self.days()[0], self.bar.doctors, done=self.show_schedule, replaces="calendar")
        else:
            ask(self, calendars.month, self.day.year, self.day.month, self.bar.doctors, done=self._show_month, replaces="calendar")
        if self.pinboard.pins:
            ask(self, calendars.placed_again, sorted(self.pinboard.ids), done=self._renew_pins, replaces="pins")

    def show_schedule(self, schedule: DaySchedule) -> None:
        """Show a day or a week that was read."""
        self.doctors = schedule.doctors if isinstance(schedule, WeekSchedule) else schedule.columns
        self.bar.set_doctors(self.doctors)
        self._schedule = schedule
        self._draw()
        self.read.emit(schedule)

    def open_day(self, day: date) -> None:
        """Show one day, with the pinboard as it is."""
        self.bar.set_day(day)
        self.bar.set_unit("day")

    def present(self, name: str) -> NamedView:
        """What is shown now, under a name."""
        return NamedView(name, self.bar.doctors, self.bar.unit, self.calendar.hour_px)

    def show_view(self, view: NamedView) -> None:
        """Doctors, unit and zoom of a named view."""
        self.bar.filter.choose(view.doctors)
        self.calendar.set_zoom(view.hour_px)
        self.bar.set_unit(view.unit)

    def days(self) -> list[date]:
        """The days of the day or week shown."""
        if self.bar.unit == "day":
            return [self.day]
        return [calendars.monday_of(self.day) + timedelta(days=n) for n in range(7)]

    def _show_day(self, day: date) -> None:
        before, self.day = self.day, day
        self.month.set_day(day)
        self._to_day(day)
        self.day_changed.emit(day)
        if self.bar.unit != "month" or (before.year, before.month) != (day.year, day.month):
            self.refresh()

    def _to_day(self, day: date) -> None:
        """Within the week shown only the cursor goes to the day."""
        grid = self.calendar.grid
        if self.bar.unit == "week" and grid is not None and grid.on_day(day):
            self.calendar.set_cell(Cell(grid.on_day(day).start, self.calendar.cell.minute))

    def _show_unit(self, unit: str) -> None:
        focused = self.calendar.hasFocus() or self.month.hasFocus()
        shown = self.month if unit == "month" else self.calendar
        self.offers.close_it()
        self._stack.setCurrentWidget(shown)
        if focused:
            shown.setFocus()
        self._remember()
        self.day_changed.emit(self.day)
        self.refresh()

    def _filtered(self) -> None:
        self._remember()
        if self.bar.unit == "day":
            self._draw()
        else:
            self.refresh()

    def _remember(self) -> None:
        self.views.kept.remember(self.present("last"))

    def _draw(self) -> None:
        schedule = self._schedule
        if schedule is None or self.bar.unit == "month":
            return
        wanted = self.bar.doctors
        if wanted is not None and not isinstance(schedule, WeekSchedule):
            columns = tuple(c for c in schedule.columns if c.doctor_id in wanted)
            schedule = DaySchedule(schedule.day, columns, tuple(b for b in schedule.blocks if b.doctor_id in wanted))
        self.calendar.show_schedule(schedule)

    def _show_month(self, month: MonthSchedule) -> None:
        self.doctors = month.doctors
        self.bar.set_doctors(self.doctors)
        self.month.show_month(month)

    def load_of(self, day: date) -> DayLoad | None:
        """How full a day of the month shown is."""
        month = self.month.month
        return next((load for load in month.days if load.day == day), None) if month is not None else None

    # The pinboard

    def place(self, block: AppointmentBlock | None = None) -> None:
        """Ask to put a pinned appointment (the chosen one) where the cursor is; in a month, open its day."""
        block = block or self.pinboard.chosen
        if block is None:
            self._desk.tell("Nothing is pinned. Ctrl+X pins the selected appointment.")
        elif self.bar.unit == "month":
            self.open_day(self.month.day)
        else:
            self.calendar.place(block)

    def resize_block(self, steps: int) -> None:
        """Make the selected appointment longer (+1) or shorter by one step of the zoom."""
        calendar, placed = self.calendar, self.calendar.placed
        if calendar.grid is None or placed is None:
            return
        before = (placed.start, placed.end)
        span = nudged(calendar.grid, placed, calendar.grid.span_of(placed), 0, steps, resize=True)
        if (span.start, span.end) != before:
            calendar.ask_to_move(placed, span, calendar.grid.verdict(span, ignoring=placed.block.id))

    def _renew_pins(self, blocks: list[AppointmentBlock]) -> None:
        for block in self.pinboard.renew(blocks):
            self._desk.tell(f"{block.patient_name} is no longer on the pinboard: the appointment cannot be moved any more.")

    def _carried(self, block: AppointmentBlock, at: QPoint) -> None:
        if self.bar.unit == "month":
            self.month.hover(self.month.day_at(self.month.mapFromGlobal(at)))
        else:
            self.calendar.carry(block, at)

    def _dropped(self, block: AppointmentBlock, at: QPoint) -> None:
        if self.bar.unit == "month":
            day = self.month.day_at(self.month.mapFromGlobal(at))
            self.month.hover(None)
            if day is not None:
                self.open_day(day)
        else:
            self.calendar.carry(block, at)
            self.calendar.carry_end(drop=True)

    def _carry_ended(self) -> None:
        self.month.hover(None)
        self.calendar.carry_end(drop=False)
