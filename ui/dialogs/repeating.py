"""Series at the desk: the plan below a booking, and which appointments of a series a change means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QCheckBox, QFrame, QHBoxLayout, QRadioButton, QScrollArea, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import series
from clinicdesk.services.schedule import AppointmentBlock, Planned
from ui.desk import Desk
from ui.widgets.arranging import emptied
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


def when(moment: datetime, desk: Desk) -> str:
    """`Tue 24-Nov-2026 09:00` in the clinic's zone."""
    local = moment.astimezone(desk.zone)
    return f"{clinical_date(local.date(), weekday=True)} {clinical_time(local)}"


class SeriesPlan(QFrame):
    """Every appointment of a planned series: ticked ones are booked. Signal `changed()` when a tick or a place changed."""

    changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._planned: list[Planned] = []
        self._ticks: list[QCheckBox] = []
        self.setProperty("card", "sunken")
        inside = QWidget()
        inside.setProperty("plain", "true")
        self._lines = QVBoxLayout(inside)
        self._lines.setContentsMargins(12, 6, 12, 6)
        self._lines.setSpacing(2)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setMinimumHeight(150)
        self._area.setWidget(inside)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)

    def show_plan(self, planned: Sequence[Planned]) -> None:
        """Show these; the ones the database would refuse are not ticked and offer the nearest free place instead."""
        self._planned = list(planned)
        self._draw([not one.blocked for one in planned])

    @property
    def places(self) -> list[tuple[datetime, datetime]]:
        """The ticked places, in order."""
        chosen = [one for one, tick in zip(self._planned, self._ticks, strict=True) if tick.isChecked()]
        return sorted((one.starts_at, one.ends_at) for one in chosen)

    def _draw(self, ticked: Sequence[bool]) -> None:
        emptied(self._lines)
        self._ticks = []
        for number, (one, on) in enumerate(zip(self._planned, ticked, strict=True)):
            tick = QCheckBox(when(one.starts_at, self._desk))
            tick.setChecked(on)
            tick.setEnabled(not one.blocked)
            tick.toggled.connect(self._told)
            self._ticks.append(tick)
            line = QHBoxLayout()
            line.setSpacing(8)
            line.addWidget(tick)
            line.addWidget(label(one.problem, "error" if one.blocked else "warning", wrap=True), 1)
            if one.nearest is not None:
                near, here = one.nearest.starts_at.astimezone(self._desk.zone), one.starts_at.astimezone(self._desk.zone)
                words = clinical_time(near) if near.date() == here.date() else f"{clinical_date(near.date())[:6]} {clinical_time(near)}"
                line.addWidget(button(f"Take {words}", partial(self._take, number)))
            self._lines.addLayout(line)
        self._lines.addStretch(1)
        self.changed.emit()

    def _take(self, number: int) -> None:
        one = self._planned[number]
        assert one.nearest is not None  # noqa: S101  the button is only there with one
        ticked = [tick.isChecked() for tick in self._ticks]
        self._planned[number] = Planned(0, one.nearest.starts_at, one.nearest.ends_at)
        ticked[number] = True
        self._draw(ticked)

    def _told(self, _on: bool) -> None:  # noqa: FBT001  a slot's argument
        self.changed.emit()


class ScopeChoice(Section):
    """Which appointments of a series are meant. Signal `scope_changed()`."""

    scope_changed = Signal()

    def __init__(self, title: str = "It is part of a series") -> None:
        super().__init__(title, card="sunken")
        self._group = QButtonGroup(self)
        self._names = list(series.SCOPES)
        for number, (name, words) in enumerate(series.SCOPES.items()):
            choice = QRadioButton(words)
            choice.setChecked(name == series.THIS)
            self._group.addButton(choice, number)
            self.body.addWidget(choice)
        self._group.idToggled.connect(self._toggled)

    @property
    def scope(self) -> str:
        """this, following or all."""
        return self._names[self._group.checkedId()]

    def choose(self, scope: str) -> None:
        """Mark one."""
        self._group.button(self._names.index(scope)).setChecked(True)

    def focus(self) -> None:
        """Give the marked choice the focus."""
        marked = self._group.checkedButton()
        if marked is not None:
            marked.setFocus(Qt.FocusReason.OtherFocusReason)

    def _toggled(self, _number: int, on: bool) -> None:  # noqa: FBT001  a slot's argument
        if on:
            self.scope_changed.emit()


class MoveSeriesSheet(Sheet):
    """Move one appointment of a series, the following ones too, or all, with what stands against each. Accepts when moved; `count` says how
    many."""

    def __init__(self, desk: Desk, block: AppointmentBlock, doctor_id: int, starts_at: datetime, ends_at: datetime,
                 parent: QWidget | None = None) -> None:
        super().__init__(desk, f"Move {block.patient_name}", "Move", parent=parent, key="move-series", size=QSize(560, 480),
                         explanation=f"From {when(block.starts_at, desk)} to {when(starts_at, desk)}.")
        self._block, self._to = block, (doctor_id, starts_at, ends_at)
        self._planned: list[Planned] = []
        self.count = 0
        self.choice = ScopeChoice()
        self.choice.scope_changed.connect(self._look)
        self.body.addWidget(self.choice)
        self._against = label("", "warning", wrap=True)
        self.body.addWidget(self._against)
        self.body.addStretch(1)
        self.choice.focus()
        self._look()

    def _look(self) -> None:
        self.desk.ask(self, series.plan_move, self._block.id, self.choice.scope, *self._to, done=self._show, failed=self.show_problem,
                      replaces="plan")

    def _show(self, planned: list[Planned]) -> None:
        self._planned = planned
        blocked = [one for one in planned if one.blocked]
        odd = [one for one in planned if one.problem and not one.blocked]
        lines = [f"{when(one.starts_at, self.desk)}: {one.problem}" for one in (*blocked, *odd)]
        if blocked and len(planned) > 1:
            some = f"{len(blocked)} of {len(planned)} cannot be moved there and will stay where they are."
            lines.append(some if len(blocked) < len(planned) else "None of them can be moved there.")
        self._against.setText("\n".join(lines))
        self.verb_button.setText("Move" if len(planned) == 1 else f"Move {len(planned) - len(blocked)}")
        self.verb_button.setEnabled(len(blocked) < len(planned))

    def submit(self) -> None:
        """Move them; what cannot go stays where it is, as was shown."""
        leave = {one.appointment_id for one in self._planned if one.blocked}
        if self._block.id in leave and self.choice.scope != series.THIS:
            leave.discard(self._block.id)  # the one that was dragged must go, or nothing: the refusal then says who is there
        self.desk.do(self, series.move, self._block.id, self.choice.scope, *self._to, self._block.version, leave, done=self._moved,
                     failed=self.show_problem)

    def _moved(self, count: int) -> None:
        self.count = count
        self.accept()
