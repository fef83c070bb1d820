"""Close a doctor's calendar, or the whole clinic's: leave, holidays, a morning off."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.slots import wall
from clinicdesk.rules.steps import ACTIVE
from clinicdesk.services import appointments, availability, doctors
from ui.desk import Desk
from ui.widgets.fields import day_field, time_field
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class ClosureSheet(Sheet):
    """Accepts once closed; `booked` then says how many appointments lie in that time (they stay)."""

    def __init__(self, desk: Desk, doctor_id: int, doctor: str, *, whole_clinic: bool, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add a closure", "Close", parent=parent, key="closure", size=QSize(500, 420),
                         explanation="Nothing can be proposed or opened in this time. Appointments that are booked stay.")
        self._doctor_id = doctor_id
        self.booked = 0
        form = self.set_form(Form(columns=2))
        whose: list[tuple[Any, str]] = [(doctor_id, doctor)]
        if whole_clinic:
            whose.append((0, "The whole clinic"))
        form.choice("whose", "Closed for", whose, span=2)
        today = desk.now().date()
        form.add("first", "First day", day_field(today))
        form.add("ends_at", "Last day", day_field(today))
        self.whole_days = form.check("whole_days", "Whole days", span=2)
        form.add("from", "From (first day)", time_field(time(8)))
        form.add("until", "Until (last day)", time_field(time(12)))
        form.text("reason", "Reason", placeholder="Leave, public holiday, training …", limit=120, span=2)
        form.set_value("whole_days", True)  # noqa: FBT003  a value, not a switch
        form.mark_clean()
        self.whole_days.toggled.connect(self._fit)
        form.changed.connect(self._follow)
        self.body.addStretch(1)
        self._fit()
        form.editor("reason").setFocus()

    def _fit(self) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        for name in ("from", "until"):
            holder = self.form.editor(name).parentWidget()
            if holder is not None:
                holder.setVisible(not self.whole_days.isChecked())

    def _follow(self) -> None:
        """The last day is never before the first."""
        assert self.form is not None  # noqa: S101  built in __init__
        if self.form.value("ends_at") < self.form.value("first"):
            self.form.set_value("ends_at", self.form.value("first"))

    def moments(self) -> tuple[datetime, datetime]:
        """When it begins and ends, aware."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        if v["whole_days"]:
            return wall(v["first"], time(0), self.desk.zone), wall(v["ends_at"] + timedelta(days=1), time(0), self.desk.zone)
        return wall(v["first"], v["from"], self.desk.zone), wall(v["ends_at"], v["until"], self.desk.zone)

    def submit(self) -> None:
        """Close, and count who is booked there."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        starts_at, ends_at = self.moments()
        if not v["whole_days"] and ends_at <= starts_at:
            self.show_problem(Invalid("until", "A closure ends after it starts."))
            return
        self.desk.do(self, close, v["whose"] or None, starts_at, ends_at, v["reason"], done=self._done, failed=self.show_problem)

    def _done(self, booked: int) -> None:
        self.booked = booked
        self.accept()


def close(session: Any, doctor_id: int | None, starts_at: datetime, ends_at: datetime, reason: str) -> int:
    """Close, and give back how many active appointments begin in that time; runs on a worker."""
    availability.add_closure(session, doctor_id, starts_at, ends_at, reason)
    whose = [doctor_id] if doctor_id is not None else [row.id for row in doctors.doctors(session)]
    return sum(block.status in ACTIVE for block in appointments.blocks(session, starts_at, ends_at, whose))
