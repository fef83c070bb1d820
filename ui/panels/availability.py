"""When doctors work and when they are free: weekly hours, closures, time slots, and who is free now."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QTabWidget, QVBoxLayout, QWidget

from clinicdesk.services import doctors
from clinicdesk.services.people import DoctorRow
from ui.availability.closures import ClosureList
from ui.availability.free import WhoIsFree
from ui.availability.hours import WeekEditor
from ui.availability.slots import SlotList
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel


class AvailabilityPanel(Panel):
    """Reception and administrators choose a doctor; a doctor sees herself and no choice."""

    key = "availability"
    title = "Availability"
    icon = "slots"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.hours, self.closures, self.slots = WeekEditor(desk), ClosureList(desk), SlotList(desk)
        self.free = WhoIsFree(desk) if desk.me.role != "doctor" else None
        self.doctor = QComboBox()
        self.doctor.setAccessibleName("Doctor")
        self.doctor.setMinimumWidth(300)
        self.doctor.currentIndexChanged.connect(self._doctor_chosen)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setAccessibleName("Parts of availability")
        if self.free is not None:
            self.tabs.addTab(self.free, "Who is free")
            corner = QWidget()  # a corner takes the size hint, which knows no minimum width
            line = QHBoxLayout(corner)
            line.setContentsMargins(0, 0, 0, 4)
            line.addWidget(self.doctor)
            self.tabs.setCornerWidget(corner)
        for page, title in ((self.hours, "Weekly hours"), (self.closures, "Closures"), (self.slots, "Time slots")):
            self.tabs.addTab(page, title)
        self.tabs.currentChanged.connect(self._tab_chosen)
        self.hours.dirty_changed.connect(self._hold)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.addWidget(self.tabs)
        self._tab_chosen()
        self._live = RefreshWhenShown(self, desk.live, ("doctors",), self._read)

    def commands(self) -> Sequence[Action]:
        """What can be done here."""
        return (Action("Make time slots", self._make_slots, "slots"), Action("Add a closure", self._add_closure, "calendar"))

    def first_focus(self) -> QWidget:
        """The free places; the tabs for a doctor."""
        return self.free.places if self.free is not None else self.tabs.tabBar()

    @property
    def unsaved(self) -> str:
        """What leaving would lose."""
        return "The weekly hours are not saved yet." if self.hours.dirty else ""

    @property
    def doctor_id(self) -> int | None:
        """Whose calendar is shown."""
        chosen = self.doctor.currentData()
        return chosen if isinstance(chosen, int) else None

    def refresh(self) -> None:
        """The doctors, and the part being shown."""
        self._read()
        page = self.tabs.currentWidget()
        if isinstance(page, (WeekEditor, ClosureList, SlotList, WhoIsFree)):
            page.refresh()

    def _read(self) -> None:
        self.desk.ask(self, doctors.doctors, done=self._fill, replaces="doctors")

    def _fill(self, people: list[DoctorRow]) -> None:
        if self.free is not None:
            self.free.set_people(people)
        mine = [p for p in people if self.desk.me.role != "doctor" or p.id == self.desk.me.doctor_id]
        wanted = [(p.id, f"{p.name}, {p.specialization}") for p in mine]
        if wanted != [(self.doctor.itemData(n), self.doctor.itemText(n)) for n in range(self.doctor.count())]:
            chosen = self.doctor_id
            blocked = self.doctor.blockSignals(True)  # noqa: FBT003  Qt's signature
            self.doctor.clear()
            for number, words in wanted:
                self.doctor.addItem(words, number)
            self.doctor.setCurrentIndex(max(0, self.doctor.findData(chosen)) if wanted else -1)
            self.doctor.blockSignals(blocked)
        self._doctor_chosen()

    def _doctor_chosen(self) -> None:
        chosen = self.doctor_id
        if chosen is not None:
            name = self.doctor.currentText().split(", ")[0]
            self.hours.show_doctor(chosen)
            self.closures.show_doctor(chosen, name)
            self.slots.show_doctor(chosen, name)

    def _tab_chosen(self) -> None:
        self.doctor.setVisible(self.free is not None and self.tabs.currentWidget() is not self.free)

    def _hold(self, dirty: bool) -> None:  # noqa: FBT001  a slot's argument has no keyword
        self.doctor.setEnabled(not dirty)
        self.doctor.setToolTip("Save or discard the changed hours first." if dirty else "")

    def _make_slots(self) -> None:
        self._bring(self.slots)
        self.slots.make()

    def _add_closure(self) -> None:
        self._bring(self.closures)
        self.closures.add()

    def _bring(self, page: QWidget) -> None:
        self.tabs.setCurrentWidget(page)
        self.desk.show("availability")

    def show_topic(self, topic: str, subject: object) -> bool:  # noqa: ARG002  nothing to look at
        """This panel itself."""
        return topic == "availability"


class MyHoursPanel(AvailabilityPanel):
    """The same for a doctor, about herself."""

    key = "my-hours"
    title = "My hours"
