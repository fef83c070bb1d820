"""Who is free at a moment, and the first free places of a doctor or a specialization; one key or click books."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QDate, QTime, QTimer
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import FreePlace
from clinicdesk.rules.moments import WEEKDAYS, clinical_date, clinical_time
from clinicdesk.rules.slots import wall
from clinicdesk.services import availability, doctors
from clinicdesk.services.availability import ANY_TIME, When
from clinicdesk.services.people import DoctorRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.fields import day_field, day_of, time_field, time_of
from ui.widgets.section import Section
from ui.widgets.text import button, label

LENGTHS = (10, 15, 20, 30, 40, 60, 90)
PLACES = 40
OPENINGS = 10  #: the first place of each of the next so many days that have one
HOURS = (("any hour", (0, 1440)), ("before 10", (0, 600)), ("the morning", (0, 720)), ("the afternoon", (720, 1440)),
         ("after 16", (960, 1440)))


@dataclass(frozen=True, slots=True)
class Opening:
    """A free place with the doctor's name."""

    place: FreePlace
    name: str
    specialization: str


class WhoIsFree(QWidget):
    """Two lists over the same wish: how long, from when on, with whom. Booking is asked of the window (`book_at`, FreePlace)."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._people: list[DoctorRow] = []
        self.day, self.time = day_field(desk.now().date(), "Day"), time_field(desk.now().time(), "Time")
        self.length = QComboBox()
        self.length.setAccessibleName("Minutes")
        for minutes in LENGTHS:
            self.length.addItem(f"{minutes} minutes", minutes)
        self.length.setCurrentIndex(self.length.findData(20))
        self.whom = QComboBox()
        self.whom.setAccessibleName("Doctor or specialization")
        self.whom.addItem("Any doctor", None)
        self.whom.setMinimumWidth(220)
        self.now_button = button("Now", self.take_now)
        self.weekday, self.hours = QComboBox(), QComboBox()
        self.weekday.setAccessibleName("Weekday")
        for name, bits in (("Any weekday", 127), *((day, 1 << number) for number, day in enumerate(WEEKDAYS))):
            self.weekday.addItem(name, bits)
        self.hours.setAccessibleName("Hours")
        for words, span in HOURS:
            self.hours.addItem(words, span)
        self.each_day = QCheckBox("Only the first of each day")
        zone = desk.zone
        self.doctors: RowTable[DoctorRow] = RowTable(
            desk.theme,
            (Column("Doctor", lambda r: r.name, kind="strong"), Column("Specialization", lambda r: r.specialization, kind="soft")),
            lambda r: r.id, name="Free doctors", sort_by=0,
            empty=EmptyState(desk.theme, "Nobody is free then.", icon="doctors", advice="The next free places stand at the right."))
        self.places: RowTable[Opening] = RowTable(
            desk.theme,
            (Column("Day", lambda r: clinical_date(r.place.starts_at, zone, weekday=True), sort=lambda r: r.place.starts_at, width=140),
             Column("Time", lambda r: f"{clinical_time(r.place.starts_at, zone)}–{clinical_time(r.place.ends_at, zone)}",
                    sort=lambda r: r.place.starts_at, width=110, kind="strong"),
             Column("Doctor", lambda r: r.name),
             Column("Specialization", lambda r: r.specialization, width=150, kind="soft")),
            lambda r: (r.place.doctor_id, r.place.starts_at), name="Next free places", sort_by=0,
            empty=EmptyState(desk.theme, "No free place in the next weeks.", icon="slots",
                             advice="Choose another doctor or a shorter visit."))
        self.doctors.opened.connect(self._book_doctor)
        self.places.opened.connect(self._book_place)
        self.book_button = button("Book", self._book_selected, variant="primary", icon="book", theme=desk.theme, tip="Book  (Enter)")
        self.book_button.setEnabled(False)
        for table in (self.doctors, self.places):
            table.selected.connect(self._selected)
        self.left, right = Section("Free then"), Section("Next free places")
        self.left.body.addWidget(self.doctors)
        right.body.addWidget(self.places)
        wish = QHBoxLayout()
        wish.setSpacing(8)
        self.day.setFixedWidth(150)
        self.time.setFixedWidth(90)
        for widget in (label("For", "soft"), self.length, label("with", "soft"), self.whom, label("from", "soft"), self.day, self.time,
                       self.now_button):
            wish.addWidget(widget)
        wish.addStretch(1)
        narrower = QHBoxLayout()
        narrower.setSpacing(8)
        for part in (label("on", "soft"), self.weekday, label("at", "soft"), self.hours, self.each_day):
            narrower.addWidget(part)
        narrower.addStretch(1)
        narrower.addWidget(self.book_button)
        both = QHBoxLayout()
        both.setSpacing(16)
        both.addWidget(self.left, 2)
        both.addWidget(right, 3)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 12, 0, 0)
        outer.setSpacing(12)
        outer.addLayout(wish)
        outer.addLayout(narrower)
        outer.addLayout(both, 1)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(120)
        self._wait.timeout.connect(self.refresh)
        for changed in (self.day.dateChanged, self.time.timeChanged, self.length.currentIndexChanged, self.whom.currentIndexChanged,
                        self.weekday.currentIndexChanged, self.hours.currentIndexChanged, self.each_day.toggled):
            changed.connect(self._later)
        self._live = RefreshWhenShown(self, desk.live, ("availability", "appointments", "doctors"), self.refresh)

    @property
    def moment(self) -> datetime:
        """The wished start, aware."""
        return wall(day_of(self.day), time_of(self.time), self.desk.zone).astimezone(self.desk.zone)

    @property
    def when(self) -> When:
        """Which days and hours count."""
        begins, ends = self.hours.currentData()
        return When(self.weekday.currentData(), begins, ends, first=self.each_day.isChecked())

    def set_people(self, people: list[DoctorRow]) -> None:
        """Whom one can wish for."""
        if people == self._people:
            return
        self._people = people
        chosen = self.whom.currentData()
        blocked = self.whom.blockSignals(True)  # noqa: FBT003  Qt's signature
        while self.whom.count() > 1:
            self.whom.removeItem(1)
        for name in sorted({p.specialization for p in people}):
            self.whom.addItem(name, name)
        self.whom.insertSeparator(self.whom.count())
        for person in people:
            if person.available:
                self.whom.addItem(person.name, person.id)
        self.whom.setCurrentIndex(max(0, self.whom.findData(chosen)))
        self.whom.blockSignals(blocked)

    def take_now(self) -> None:
        """From this moment on."""
        now = self.desk.now()
        self.day.setDate(QDate(now.year, now.month, now.day))
        self.time.setTime(QTime(now.hour, now.minute))

    def _later(self) -> None:
        self._wait.start()

    def refresh(self) -> None:
        """Look again."""
        chosen = self.whom.currentData()
        self.desk.ask(self, look, self.moment, self.length.currentData(), chosen if isinstance(chosen, int) else None,
                      chosen if isinstance(chosen, str) else "", self.when, done=self._show, replaces="free")

    def _show(self, found: tuple[list[DoctorRow], list[Opening]]) -> None:
        free, openings = found
        self.doctors.show_rows(free)
        self.places.show_rows(openings)
        self.left.set_title(f"Free on {clinical_date(self.moment, weekday=True)} at {clinical_time(self.moment)}")

    def _selected(self, row: object) -> None:
        if row is not None:
            (self.places if isinstance(row, DoctorRow) else self.doctors).clearSelection()
        self.book_button.setEnabled(self.doctors.record() is not None or self.places.record() is not None)

    def _book_selected(self) -> None:
        if (opening := self.places.record()) is not None:
            self._book_place(opening)
        elif (doctor := self.doctors.record()) is not None:
            self._book_doctor(doctor)

    def _book_place(self, opening: Opening) -> None:
        self.desk.show("book_at", opening.place)

    def _book_doctor(self, row: DoctorRow) -> None:
        start = self.moment
        length = self.length.currentData()
        self.desk.show("book_at", FreePlace(row.id, start, later(start, length)))


def later(start: datetime, minutes: int) -> datetime:
    """So many real minutes later, also over a change of the clocks."""
    return datetime.fromtimestamp(start.timestamp() + minutes * 60, start.tzinfo)


def look(session: Any, at: datetime, minutes: int, doctor_id: int | None, specialization: str,
         when: When = ANY_TIME) -> tuple[list[DoctorRow], list[Opening]]:
    """Free doctors at a moment and the first places from then on; runs on a worker."""
    people = {row.id: row for row in doctors.doctors(session)}
    free = [people[i] for i in availability.free_doctors(session, at, minutes) if i in people]
    wanted = [p for p in free if (doctor_id is None or p.id == doctor_id) and (not specialization or p.specialization == specialization)]
    places = availability.next_free(session, doctor_id=doctor_id, specialization=specialization, minutes=minutes, after=at,
                                    count=OPENINGS if when.first else PLACES, when=when)
    return wanted, [Opening(p, people[p.doctor_id].name, people[p.doctor_id].specialization) for p in places if p.doctor_id in people]
