"""Move an appointment without dragging: doctor, day, time and length, and while they are chosen what stands against them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.services import calendar
from clinicdesk.services.schedule import AppointmentBlock, DoctorColumn
from ui.desk import Desk
from ui.dialogs.booking import LENGTHS
from ui.widgets.fields import day_field, day_of, time_field, time_of
from ui.widgets.form import Form, announce
from ui.widgets.sheet import Sheet
from ui.widgets.text import label, restyle


class MoveSheet(Sheet):
    """Signal `chosen(doctor_id, starts_at, ends_at)`; the panel asks the database and offers other times when it refuses."""

    chosen = Signal(int, object, object)

    def __init__(self, desk: Desk, block: AppointmentBlock, doctors: Sequence[DoctorColumn], parent: QWidget | None = None) -> None:
        super().__init__(desk, "Move appointment", "Move", parent=parent, key="move", size=QSize(520, 360), explanation=block.patient_name)
        self._block = block
        form = self.set_form(Form(columns=3))
        start = block.starts_at.astimezone(desk.zone)
        minutes = round((block.ends_at - block.starts_at).total_seconds() / 60)
        form.choice("doctor_id", "Doctor", [(d.doctor_id, f"{d.name}, {d.specialization}") for d in doctors], span=3)
        self.date, self.time = day_field(start.date()), time_field(start.time())
        form.add("date", "Day", self.date)
        form.add("starts_at", "Time", self.time)
        form.choice("minutes", "Minutes", [(m, str(m)) for m in sorted({*LENGTHS, minutes})])
        form.set_value("doctor_id", block.doctor_id)
        form.set_value("minutes", minutes)
        self.verdict = label("", "soft", wrap=True)
        self.body.addWidget(self.verdict)
        self.body.addStretch(1)
        form.mark_clean()
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(120)
        self._wait.timeout.connect(self._look)
        form.changed.connect(self._wait.start)
        form.editor("starts_at").setFocus()
        self._look()

    @property
    def starts_at(self) -> datetime:
        """The chosen start, aware."""
        return datetime.combine(day_of(self.date), time_of(self.time), tzinfo=self.desk.zone)

    @property
    def ends_at(self) -> datetime:
        """The chosen end; minutes are real minutes even when the clock changes in between."""
        assert self.form is not None  # noqa: S101  built in __init__
        return (self.starts_at.astimezone(UTC) + timedelta(minutes=self.form.value("minutes"))).astimezone(self.desk.zone)

    def _look(self) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.ask(self, calendar.against, self.form.value("doctor_id"), self.starts_at, self.ends_at, self._block.id, done=self._say,
                      failed=lambda _e: self.verdict.setText("Whether this time is free cannot be checked now."), replaces="verdict")

    def _say(self, found: tuple[bool, str]) -> None:
        taken, reason = found
        self.verdict.setText(reason or "This time is free.")
        restyle(self.verdict, "role", "error" if taken else "warning" if reason else "soft")
        announce(self.verdict, self.verdict.text())

    def submit(self) -> None:
        """Hand the wish over."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.chosen.emit(self.form.value("doctor_id"), self.starts_at, self.ends_at)
        self.accept()
