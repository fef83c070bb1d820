"""The find box of the top bar (Ctrl+K, F2): patients first, then panels and actions, all by typing.

“book meyer tue 15:00 dr k” lists what that would book; choosing a line books it.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import appointments
from clinicdesk.services.commanding import Proposal, proposals
from ui.desk import Desk
from ui.panel import Action
from ui.undo_history import take_back
from ui.widgets.hits import Hit, folded
from ui.widgets.patient_hit import patient_hit
from ui.widgets.search_box import SearchBox


def matches(title: str, query: str) -> bool:
    """Whether every word of the query begins a word of the title."""
    words = folded(title).split()
    return all(any(word.startswith(part) for word in words) for part in folded(query).split())


def booking_hit(one: Proposal, desk: Desk) -> Hit:
    """`Book Meyer, Anna, Tue 24-Nov-2026 15:00–15:20, Dr Kim`, with what tells her from a namesake and what stands against it."""
    start, end = one.wish.starts_at.astimezone(desk.zone), one.wish.ends_at.astimezone(desk.zone)
    name = f"{one.patient.last_name}, {one.patient.first_name}"
    verb = "Instead:" if one.alternative else "Book"
    times = f"{clinical_date(start.date(), weekday=True)} {clinical_time(start)}–{clinical_time(end)}"
    near = "spelled differently" if one.patient.near else ""
    about = [near, f"born {clinical_date(one.patient.born)}", one.doctor_name, one.problem or "free", one.wish.reason]
    # Two people of one name must never look like one; two times of one person must not look like two people.
    return Hit(one, f"{verb} {name}  {times}", "  ·  ".join(part for part in about if part), icon="warning" if one.problem else "book",
               name=name if not one.alternative else f"{name} {one.patient.id} {times}", right="" if one.problem or near else "Enter",
               sure=not near)


class CommandBar(SearchBox):
    """`find_patients(session, text)` gives `PatientRow`s (None: only commands). Signal `patient_chosen(PatientRow)`."""

    patient_chosen = Signal(object)

    def __init__(self, desk: Desk, find_patients: Callable[..., Sequence[Any]] | None, actions: Callable[[], Sequence[Action]],
                 parent: QWidget | None = None) -> None:
        self._find_patients = find_patients
        service = None if find_patients is None else self._answers
        super().__init__(desk, service, lambda row: booking_hit(row, desk) if isinstance(row, Proposal) else patient_hit(row, desk.zone),
                         parent=parent)
        words = self.tr("Find patient or command") if find_patients else self.tr("Find command")
        self.setPlaceholderText(f"{words}   Ctrl+K")
        self.setAccessibleName(words)
        self.setToolTip(f"{words}  (Ctrl+K, F2)")
        self._actions = actions
        self.also = self._commands
        self.chosen.connect(self._chosen)

    def open_commands(self) -> None:
        """Take the focus and list every command."""
        self.setFocus()
        self.selectAll()
        if not self.text():
            self.search_now()

    def _commands(self, text: str) -> list[Hit]:
        actions = self._actions()
        word, _, more = text.strip().partition(" ")
        typed = [action.typed(more.strip()) for action in actions if action.typed and action.word == word.casefold() and more.strip()]
        found = [made for made in typed if made is not None] or [action for action in actions if matches(action.title, text)]
        return [Hit(action, action.title, "", icon=action.icon, right=action.shortcut) for action in found]

    def _answers(self, session: Any, text: str) -> Sequence[Any]:
        """Runs on a worker: bookings when that is what was typed, else people."""
        assert self._find_patients is not None  # noqa: S101  asked only with it
        return proposals(session, text) or self._find_patients(session, text)

    def _book(self, one: Proposal) -> None:
        if one.problem:
            self._desk.problem.emit(Invalid("", f"{one.problem}. Choose one of the free times, or overbook in the calendar."))
            return
        name = f"{one.patient.last_name}, {one.patient.first_name}"
        when = one.wish.starts_at.astimezone(self._desk.zone)

        def booked(_number: int) -> None:
            self._desk.tell(f"{name} is booked, {clinical_date(when.date(), weekday=True)} {clinical_time(when)} with {one.doctor_name}.",
                            partial(take_back, self._desk))
            self._desk.show("day", when.date())

        wish = replace(one.wish, key=uuid.uuid4().hex)
        self._desk.do(self, appointments.book, wish, done=booked)

    def _chosen(self, record: object) -> None:
        if isinstance(record, Action):
            record.run()
        elif isinstance(record, Proposal):
            self._book(record)
        else:
            self.patient_chosen.emit(record)
