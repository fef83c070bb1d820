"""Beside the calendar: the selected appointment with its next steps and its history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from clinicdesk.rules.desk_words import PAST_WORDS
from clinicdesk.rules.formats import SEXES, phone_text
from clinicdesk.rules.moments import clinical_date, clinical_moment, clinical_time
from clinicdesk.rules.steps import Step, steps_from
from clinicdesk.services import appointments, patients
from clinicdesk.services.people import PatientCard
from clinicdesk.services.schedule import AppointmentBlock, AppointmentEvent
from ui.desk import Desk
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.section import Section
from ui.widgets.status_chip import StatusChip
from ui.widgets.text import button, label

#: The icon of each step's button, and its key where it has one.
ICONS = {"confirmed": "confirmed", "arrived": "arrived", "cancelled": "cancelled", "no_show": "no_show", "scheduled": "undo"}
KEYS = {"arrived": "F4", "cancelled": "Del"}
#: Whose visit can be paid: who has come.
PAYABLE = ("arrived", "in_progress", "completed")


class SelectedAppointment(Section):
    """The selected block: who, when, what is possible now, and what happened so far. Signal `step_requested(block, status)`,
    `patient_requested(patient id)`, `payment_requested(block)`."""

    step_requested = Signal(object, str)
    payment_requested = Signal(object)
    patient_requested = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__("Appointment", card="surface")
        self._desk = desk
        self.block: AppointmentBlock | None = None
        self.buttons: dict[str, QWidget] = {}
        self._inside = QVBoxLayout()
        self._inside.setSpacing(6)
        self.body.addLayout(self._inside)
        self._history = label("", "faint", wrap=True)
        self._more = label("", "soft", wrap=True, selectable=True)
        self.show_block(None, "")

    def show_block(self, block: AppointmentBlock | None, doctor: str) -> None:
        """Show this appointment; None says what to do."""
        same = self.block is not None and block is not None and (self.block.id, self.block.version) == (block.id, block.version)
        self.block = block
        if same:
            return
        emptied(self._inside)
        self.buttons = {}
        self._history, self._more = label("", "faint", wrap=True), label("", "soft", wrap=True, selectable=True)
        if block is None:
            self._inside.addWidget(label("Choose an appointment, or a free time to book.", "faint", wrap=True))
            return
        zone = self._desk.zone
        name = button(block.patient_name, lambda: self.patient_requested.emit(block.patient_id), variant="link")
        name.setMinimumWidth(40)
        self._inside.addWidget(name)
        chip = StatusChip(self._desk.theme, block.status)
        line = QHBoxLayout()
        line.addWidget(chip)
        line.addStretch(1)
        self._inside.addLayout(line)
        self._inside.addWidget(label(f"Born {clinical_date(block.patient_born)}", "soft"))
        self._inside.addWidget(self._more)
        self._inside.addWidget(
            label(f"{clinical_time(block.starts_at, zone)}–{clinical_time(block.ends_at, zone)}  ·  {doctor}", "body", wrap=True)
        )
        for words in (block.reason, f"Overbooked: {block.overbook_reason}" if block.overbook_reason else ""):
            if words:
                self._inside.addWidget(label(words, "soft", wrap=True))
        self._inside.addSpacing(4)
        for step in possible_steps(block.status, self._desk.me.role):
            self._inside.addWidget(self._button(step, block))
        if block.status in PAYABLE:
            self.buttons["payment"] = button(
                "Take payment",
                lambda: self.payment_requested.emit(block),
                icon="cash",
                theme=self._desk.theme,
                variant="primary" if block.status == "completed" else "",
                tip="Take payment  (F8)",
            )
            self._inside.addWidget(self.buttons["payment"])
        self._inside.addSpacing(4)
        self._inside.addWidget(self._history)
        self._desk.ask(
            self,
            appointments.history,
            block.id,
            done=lambda events: self._show_history(events, zone),
            failed=lambda _e: None,
            replaces="history",
        )
        self._desk.ask(self, patients.card, block.patient_id, done=self._show_patient, failed=lambda _e: None, replaces="card")

    def _button(self, step: Step, block: AppointmentBlock) -> QWidget:
        key = KEYS.get(step.new, "")
        made = button(
            step.verb,
            lambda: self.step_requested.emit(block, step.new),
            icon=ICONS.get(step.new, ""),
            theme=self._desk.theme,
            variant="primary" if step.new == "arrived" else "",
            tip=f"{step.verb}  ({key})" if key else step.verb,
        )
        self.buttons[step.new] = made
        return made

    def _show_patient(self, card: PatientCard) -> None:
        note = f"\n{card.added_note}" if card.added_note else ""
        note += "" if card.address else "\nNo address yet: a prescription needs one."
        self._more.setText(f"{SEXES[card.sex]}  ·  {phone_text(card.phone) if card.phone else 'no phone'}  ·  {card.id}{note}")

    def _show_history(self, events: Sequence[AppointmentEvent], zone: tzinfo) -> None:
        lines = [
            f"{clinical_moment(e.at, zone)}  {_past(e.what)}"
            + (f" to {e.detail}" if e.what == "moved" else "")
            + (f" by {e.who}" if e.who else "")
            + (f": {e.detail}" if e.detail and e.what != "moved" else "")
            for e in events
        ]
        self._history.setText("\n".join(lines))


def possible_steps(status: str, role: str) -> list[Step]:
    """The steps a role is offered: all ordinary ones, and one way back where there are several."""
    steps = steps_from(status, role)
    ways_back = [step for step in steps if step.undo]
    return [step for step in steps if not step.undo] + ways_back[:1]


def _past(what: str) -> str:
    return PAST_WORDS.get(what, what)


def side_column(*widgets: QWidget) -> QScrollArea:
    """The column at the right of the calendar; what does not fit is scrolled to, never squashed."""
    inner = QVBoxLayout()
    area = scrolled(inner, margins=(0, 0, 6, 0))
    area.setFixedWidth(270)
    for widget in widgets:
        inner.addWidget(widget)
    inner.addStretch(1)
    return area
