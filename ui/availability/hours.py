"""The weekly hours of a doctor: a line for each weekday with its stretches, mistakes said on the line they are on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from itertools import pairwise

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import WEEKDAYS
from clinicdesk.rules.slots import WorkingHours
from clinicdesk.services import availability
from ui.desk import Desk
from ui.live import HOLDS_REFRESH, RefreshWhenShown
from ui.problems import explain
from ui.theme import Theme
from ui.widgets.fields import time_field, time_of
from ui.widgets.form import announce
from ui.widgets.section import Section
from ui.widgets.text import button, icon_button, label

MOST = 4  #: stretches a day offers to have: early, late, and room to spare


class _Stretch(QWidget):
    """From, to, and the button that takes it away. Signals `changed()`, `removed()`."""

    changed = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, day: str, start: time, end: time) -> None:
        super().__init__()
        self.start, self.end = time_field(start, f"{day} from"), time_field(end, f"{day} to")
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 16, 0)
        line.setSpacing(4)
        line.addWidget(self.start)
        line.addWidget(label("–", "soft"))
        line.addWidget(self.end)
        for field in (self.start, self.end):
            field.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
            field.setFixedWidth(86)
            field.timeChanged.connect(self.changed)
        self.remove = icon_button(theme, "close", f"Remove these hours of {day}", self.removed.emit)
        self.remove.setIconSize(QSize(14, 14))
        line.addWidget(self.remove)


class DayHours(QWidget):
    """One weekday: any number of stretches, `add_button`, and `problem` below them. Signal `changed()`."""

    changed = Signal()

    def __init__(self, theme: Theme, weekday: int) -> None:
        super().__init__()
        self._theme, self.weekday, self.name = theme, weekday, WEEKDAYS[weekday]
        self.stretches: list[_Stretch] = []
        self._line = QHBoxLayout()
        self._line.setSpacing(0)
        self.closed = label("Closed", "faint")
        self.closed.setFixedWidth(64)
        self._line.addWidget(self.closed)
        self.add_button = icon_button(theme, "add", f"Add hours on {self.name}", self._add_usual)
        self._line.addWidget(self.add_button)
        self._line.addStretch(1)
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(self._line)
        outer.addWidget(self.problem)

    def fill(self, hours: Sequence[tuple[time, time]]) -> None:
        """Show these stretches."""
        for stretch in list(self.stretches):
            self._take_out(stretch)
        for start, end in hours:
            self._put_in(start, end)
        self.say("")

    def values(self) -> list[tuple[time, time]]:
        """What stands there, unchecked."""
        return [(time_of(s.start), time_of(s.end)) for s in self.stretches]

    def checked(self) -> list[WorkingHours] | None:
        """The hours of this day in order; None when something is wrong, which is then said here with the focus on it."""
        self.say("")
        found: list[tuple[WorkingHours, _Stretch]] = []
        for stretch in self.stretches:
            try:
                found.append((WorkingHours(self.weekday, time_of(stretch.start), time_of(stretch.end)), stretch))
            except Invalid as refusal:
                self.say(refusal.sentence, stretch)
                return None
        found.sort(key=lambda pair: pair[0].start)
        for (before, _), (after, stretch) in pairwise(found):
            if before.end == time(0) or after.start < before.end:
                self.say("These hours overlap others of the same day.", stretch)
                return None
        return [hours for hours, _ in found]

    def say(self, sentence: str, at: _Stretch | None = None) -> None:
        """Put a sentence under this day; "" takes it away."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        if at is not None:
            at.end.setFocus()
            announce(at.end, f"{self.name}: {sentence}", assertive=True)

    def _add_usual(self) -> None:
        latest = max((time_of(s.end) for s in self.stretches), default=None)
        start = time(9) if latest is None else latest
        end = time(17) if start < time(17) else time(min(start.hour + 1, 23), 59 if start.hour == 23 else 0)
        self._put_in(start, end).start.setFocus()
        self._edited()

    def _put_in(self, start: time, end: time) -> _Stretch:
        stretch = _Stretch(self._theme, self.name, start, end)
        stretch.changed.connect(self._edited)
        stretch.removed.connect(lambda: self._removed(stretch))
        self._line.insertWidget(len(self.stretches), stretch)
        self.stretches.append(stretch)
        self._fit()
        return stretch

    def _removed(self, stretch: _Stretch) -> None:
        self.add_button.setFocus()
        self._take_out(stretch)
        self._edited()

    def _take_out(self, stretch: _Stretch) -> None:
        self.stretches.remove(stretch)
        self._line.removeWidget(stretch)
        stretch.hide()
        stretch.deleteLater()
        self._fit()

    def _fit(self) -> None:
        self.closed.setVisible(not self.stretches)
        self.add_button.setVisible(len(self.stretches) < MOST)

    def _edited(self) -> None:
        self.say("")
        self.changed.emit()


class WeekEditor(QWidget):
    """The week of one doctor. Signals: `dirty_changed(bool)`; `saved()`."""

    dirty_changed = Signal(bool)
    saved = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.doctor_id: int | None = None
        self._stored: list[list[tuple[time, time]]] = [[] for _ in WEEKDAYS]
        self.days = [DayHours(desk.theme, n) for n in range(7)]
        self.copy_button = button("Copy Monday to the weekdays", self.copy_monday, variant="quiet", icon="copy", theme=desk.theme)
        self.save_button = button("Save hours", self.save, variant="primary")
        self.discard_button = button("Discard changes", self.discard, variant="quiet")
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        section = Section("Weekly hours", card="surface")
        section.tools.addWidget(self.copy_button)
        section.body.addWidget(label("Open for booking, except in closures and on days that have time slots.", "faint", wrap=True))
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(10)
        for n, day in enumerate(self.days):
            caption = label(day.name, "heading")
            caption.setMinimumWidth(104)
            caption.setMinimumHeight(30)
            grid.addWidget(caption, n, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(day, n, 1)
            day.changed.connect(self._edited)
        grid.setColumnStretch(1, 1)
        section.body.addLayout(grid)
        section.body.addWidget(self.problem)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.discard_button)
        foot.addWidget(self.save_button)
        section.body.addLayout(foot)
        inner = QWidget()
        inner.setProperty("plain", "true")
        body = QVBoxLayout(inner)
        body.setContentsMargins(0, 12, 8, 8)
        body.addWidget(section)
        body.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self._edited()
        self._live = RefreshWhenShown(self, desk.live, ("availability",), self.refresh)

    @property
    def dirty(self) -> bool:
        """Whether the hours differ from what is stored."""
        return [day.values() for day in self.days] != self._stored

    def show_doctor(self, doctor_id: int) -> None:
        """Whose hours."""
        if doctor_id != self.doctor_id:
            self.doctor_id = doctor_id
            self._show([])
            self.refresh(force=True)

    def refresh(self, *, force: bool = False) -> None:
        """Read again, unless something was changed here."""
        if self.doctor_id is not None and (force or not self.dirty):
            self.desk.ask(self, availability.working_hours, self.doctor_id, done=self._read, replaces="hours")

    def _read(self, hours: list[WorkingHours]) -> None:
        if not self.dirty:
            self._show(hours)

    def _show(self, hours: Sequence[WorkingHours]) -> None:
        stored = [[(h.start, h.end) for h in hours if h.weekday == n] for n in range(7)]
        if stored != [day.values() for day in self.days]:
            for day, wanted in zip(self.days, stored, strict=True):
                day.fill(wanted)
        self._stored = stored
        self._say("")
        self._edited()

    def _say(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))

    def _edited(self) -> None:
        dirty = self.dirty
        self.save_button.setEnabled(dirty)
        self.discard_button.setVisible(dirty)
        self.dirty_changed.emit(dirty)

    def copy_monday(self) -> None:
        """Tuesday to Friday get Monday's hours; nothing is saved yet."""
        for day in self.days[1:5]:
            day.fill(self.days[0].values())
        self._edited()

    def discard(self) -> None:
        """Back to what is stored."""
        for day, wanted in zip(self.days, self._stored, strict=True):
            day.fill(wanted)
        self._say("")
        self._edited()

    def save(self) -> None:
        """Store the whole week; what is wrong is said on its day."""
        self._say("")
        hours = [day.checked() for day in self.days]
        if self.doctor_id is None or any(one is None for one in hours):
            return
        week = [h for one in hours for h in one or ()]
        self.save_button.setEnabled(False)
        self.desk.do(self, availability.set_working_hours, self.doctor_id, week, done=lambda _none: self._saved(week), failed=self._refused)

    def _saved(self, week: list[WorkingHours]) -> None:
        self._show(week)
        self.desk.tell("The weekly hours are saved.")
        self.saved.emit()

    def _refused(self, error: Exception) -> None:
        self._say(explain(error).text)
        self._edited()
