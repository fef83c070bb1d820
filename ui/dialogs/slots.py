"""Make time slots: one, or many at once from a template; what it will make is said before the button is pressed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time, timedelta

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from clinicdesk.rules.moments import WEEKDAYS, clinical_date, clinical_time
from clinicdesk.services import availability
from clinicdesk.services.availability import SlotPlan, SlotTemplate
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.fields import day_field, number_field, time_field
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import label


class Weekdays(QWidget):
    """Seven buttons to press in. Signal `changed()`."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        self.buttons = []
        for name in WEEKDAYS:
            made = QPushButton(name[:3])
            made.setCheckable(True)
            made.setAutoDefault(False)
            made.setProperty("chosen", "true")
            made.setAccessibleName(name)
            made.toggled.connect(self.changed)
            line.addWidget(made, 1)
            self.buttons.append(made)
        self.setFocusProxy(self.buttons[0])

    def value(self) -> frozenset[int]:
        """The chosen days, 0 is Monday."""
        return frozenset(n for n, made in enumerate(self.buttons) if made.isChecked())

    def set_value(self, days: Iterable[int]) -> None:
        """Choose these days."""
        wanted = frozenset(days)
        for n, made in enumerate(self.buttons):
            made.setChecked(n in wanted)


class SlotSheet(Sheet):
    """Accepts once the slots are made; `made` says how many."""

    def __init__(self, desk: Desk, doctor_id: int, doctor: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Make time slots", "Make slots", parent=parent, key="slots", size=QSize(560, 520),
                         explanation=f"For {doctor}.")
        self._doctor_id = doctor_id
        self.made = 0
        form = self.set_form(Form(columns=2))
        first = desk.now().date() + timedelta(days=1)
        form.add("first", "First day", day_field(first))
        form.add("last", "Last day", day_field(first + timedelta(days=27)), hint="The same day makes the slots of one day")
        self.weekdays = Weekdays()
        form.add("weekdays", "On these days", self.weekdays, span=2)
        form.add("start", "From", time_field(time(9)))
        form.add("end", "To", time_field(time(12)))
        for name, caption, value, low, high in (("minutes", "Minutes of a slot", 20, 5, 480), ("gap", "Minutes between slots", 0, 0, 240)):
            form.add(name, caption, number_field(value, low, high, 5))
        self.weekdays.set_value(range(5))
        form.mark_clean()
        plan = Section("What this makes", card="sunken")
        self.plan, self.overlap = label("", "body", wrap=True), label("", "error", wrap=True)
        plan.body.addWidget(self.plan)
        plan.body.addWidget(self.overlap)
        self.body.addWidget(plan)
        self.body.addStretch(1)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(120)
        self._wait.timeout.connect(self._ask_plan)
        form.changed.connect(self._wait.start)
        form.editor("first").setFocus()
        self._ask_plan()

    def template(self) -> SlotTemplate:
        """What stands in the fields."""
        assert self.form is not None  # noqa: S101  built in __init__
        return SlotTemplate(self._doctor_id, **self.form.values())

    def _ask_plan(self) -> None:
        self.desk.ask(self, availability.plan_slots, self.template(), done=self._show_plan, failed=self._no_plan, replaces="plan")

    def _show_plan(self, plan: SlotPlan) -> None:
        zone = self.desk.zone
        count = "1 slot" if plan.count == 1 else f"{plan.count:,} slots"
        self.plan.setText(f"Makes {count} of {self.template().minutes} minutes, "
                          f"from {clinical_date(plan.starts_at, zone, weekday=True)} {clinical_time(plan.starts_at, zone)} "
                          f"to {clinical_date(plan.ends_at, zone, weekday=True)} {clinical_time(plan.ends_at, zone)}.")
        words = availability.overlap_words(plan, zone)
        self.overlap.setText(f"{words} Choose other days or times, or remove those slots first." if words else "")
        self.overlap.setVisible(bool(words))

    def _no_plan(self, error: Exception) -> None:
        self.plan.setText(explain(error).text)
        self.overlap.hide()

    def submit(self) -> None:
        """Make them, all or none."""
        self.desk.do(self, availability.make_slots, self.template(), done=self._done, failed=self._refused)

    def _refused(self, error: Exception) -> None:
        self.overlap.hide()
        self.show_problem(error)

    def _done(self, count: int) -> None:
        self.made = count
        self.accept()
