"""The waiting room beside the calendar: who has arrived, for how long, who was called where; one key calls the next."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_time, minutes_text
from clinicdesk.services import calling
from clinicdesk.services.calling import Waiting
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.widgets.arranging import emptied, focus_kept
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import Role, button, label

#: Minutes after which a wait is marked, and marked as too long. Our own proposal, to be signed off by the clinic.
LONG, TOO_LONG = 15, 30


class WaitingRoom(Section):
    """Who has arrived today, longest first, then who is in a room. Signal `chosen(appointment id)`."""

    chosen = Signal(int)

    def __init__(self, desk: Desk) -> None:
        super().__init__("Waiting room", card="surface")
        self._desk = desk
        self.people: list[Waiting] = []
        self._lines = QVBoxLayout()
        self._lines.setSpacing(4)
        self.body.addLayout(self._lines)
        self._sheet: RoomSheet | None = None
        self._minute = QTimer(self)
        self._minute.setInterval(20_000)
        self._minute.timeout.connect(self._draw)
        self._minute.start()
        self._draw()
        self._live = RefreshWhenShown(self, desk.live, ("appointments", "calls"), self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Read who is there."""
        self._desk.ask(self, calling.waiting_room, done=self._show, failed=lambda _e: None, replaces="waiting")

    def call_next(self) -> None:
        """Call who has waited longest and was not called yet."""
        person = next((p for p in self.people if p.status == "arrived" and p.called_at is None), None)
        if person is None:
            self._desk.tell("Nobody is waiting to be called.")
        else:
            self.call(person)

    def call(self, person: Waiting) -> None:
        """Call to the doctor's last room; asks for the room when she has none yet today."""
        self._desk.ask(self, calling.last_room, person.appointment_id, done=partial(self._call_to, person), replaces="room")

    def _call_to(self, person: Waiting, room: str) -> None:
        if room:
            self._desk.do(self, calling.call_in, person.appointment_id, room, done=lambda _n: self._called(person, room))
            return
        self._sheet = RoomSheet(self._desk, person, parent=self.window())
        self._sheet.open()

    def _called(self, person: Waiting, room: str) -> None:
        self._desk.tell(f"Number {person.number} is called to {room}.")
        self.refresh()

    def _show(self, people: list[Waiting]) -> None:
        self.people = people
        self._draw()

    @Slot()
    def _draw(self) -> None:
        with focus_kept(self):
            emptied(self._lines)
            for person in self.people:
                self._lines.addWidget(self._line(person))
        if not self.people:
            self._lines.addWidget(label("Nobody is waiting.", "faint"))
        count = sum(p.status == "arrived" for p in self.people)
        self.set_title(f"Waiting room ({count})" if count else "Waiting room")

    def _line(self, person: Waiting) -> QWidget:
        now = self._desk.now()
        minutes = max(0, int((now - person.since).total_seconds() // 60))
        waits = person.status == "arrived"
        role: Role = "soft"
        if not waits:
            words = f"in {person.room}" if person.room else "in the room"
        elif person.called_at is not None:
            called = max(0, int((now - person.called_at).total_seconds() // 60))
            words = f"called to {person.room}, " + (f"{called}\u00a0min\u00a0ago" if called else "just\u00a0now")
        else:
            words = f"waits {minutes_text(minutes)}" if minutes else "just arrived"
            if minutes >= TOO_LONG:
                role, words = "error", f"⚠ {words}, too long"
            elif minutes >= LONG:
                role, words = "warning", f"⚠ {words}"
        line = QWidget()
        inner = QHBoxLayout(line)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(8)
        number = label(str(person.number) if person.number else "–", "heading")
        number.setMinimumWidth(22)
        number.setContentsMargins(0, 3, 0, 0)  # on a line with the name, whose button has a frame
        number.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        inner.addWidget(number)
        text = QVBoxLayout()
        text.setSpacing(0)
        name = button(person.patient_name, partial(self.chosen.emit, person.appointment_id), variant="link")
        name.setObjectName(f"name {person.appointment_id}")
        name.setMinimumWidth(40)  # a long name must not make the column wider than its place
        text.addWidget(name, 0, Qt.AlignmentFlag.AlignLeft)
        text.addWidget(label(words, role, wrap=True))
        inner.addLayout(text, 1)
        if waits:
            verb = "Again" if person.called_at is not None else "Call"
            tip = "Call to a room; the number shows on the call screen  (Shift+F4 calls the next)"
            call = button(verb, partial(self.call, person), tip=tip)
            call.setObjectName(f"call {person.appointment_id}")
            inner.addWidget(call, 0, Qt.AlignmentFlag.AlignTop)
        line.setToolTip(f"{person.doctor_name}, {clinical_time(person.starts_at, self._desk.zone)}")
        line.setAccessibleName(f"Number {person.number}, {person.patient_name}, {words}")
        return line


class RoomSheet(Sheet):
    """To which room? Remembered for the doctor."""

    def __init__(self, desk: Desk, person: Waiting, parent: QWidget | None = None) -> None:
        super().__init__(
            desk,
            f"Call number {person.number}",
            "Call",
            parent=parent,
            key="room",
            size=QSize(420, 240),
            explanation=f"{person.patient_name} to {person.doctor_name}.",
        )
        self._person = person
        form = self.set_form(Form())
        form.text("room", "Room", limit=40, placeholder="Room 1", hint="Kept for the next patients of this doctor")
        form.mark_clean()
        self.body.addStretch(1)
        form.editor("room").setFocus()

    def submit(self) -> None:
        """Call."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(
            self,
            calling.call_in,
            self._person.appointment_id,
            self.form.value("room"),
            done=lambda _n: self.accept(),
            failed=self.show_problem,
        )
