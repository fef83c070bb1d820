"""The administrator's first look: the numbers of the day and what needs attention."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.credentials import Credentials
from clinicdesk.rules.steps import STATUSES
from clinicdesk.services import recovery_kit, reports
from clinicdesk.services.reports import DayNumbers
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.schedule.day_bar import DayBar
from ui.widgets.arranging import emptied
from ui.widgets.section import Section
from ui.widgets.status_chip import StatusChip
from ui.widgets.text import button, label, row


class OverviewPanel(Panel):
    """Numbers with words; nothing to press but the day."""

    key = "overview"
    title = "Today"
    icon = "numbers"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.day = desk.now().date()
        self.bar = DayBar(desk.theme, self.day, today=lambda: desk.now().date(), calendar=False)
        self.bar.day_changed.connect(self._show_day)
        self.attention = Section("What needs attention", card="surface")
        self.figures = Section("Clinic", card="surface")
        self.statuses = Section("Appointments", card="surface")
        self.doctors = Section("By doctor", card="surface")
        grid = QGridLayout()
        grid.setSpacing(12)
        for number, section in enumerate((self.attention, self.figures, self.statuses, self.doctors)):
            grid.addWidget(section, number // 2, number % 2, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(number % 2, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(12)
        outer.addWidget(self.bar)
        outer.addLayout(grid)
        outer.addStretch(1)
        self._live = RefreshWhenShown(self, desk.live, ("appointments", "patients", "outbox", "sessions", "availability"), self.refresh)

    def refresh(self) -> None:
        """Count again."""
        self.desk.ask(self, _everything, self.day, self.desk.settings.data_dir, done=self._show, replaces="numbers")

    def _show_day(self, day: date) -> None:
        self.day = day
        self.refresh()

    def _show(self, found: tuple[DayNumbers, tuple[str, ...]]) -> None:
        numbers, standing = found
        for section in (self.attention, self.figures, self.statuses, self.doctors):
            emptied(section.body)
        for words in (*standing, *numbers.attention):
            self.attention.body.addWidget(label(words, "warning", wrap=True))
        if standing:
            self.attention.body.addLayout(row(None, button("Show keys", lambda: self.desk.show("keys"), variant="quiet")))
        elif not numbers.attention:
            self.attention.body.addWidget(label("Nothing. All is well.", "soft"))
        for words, figure in (
            ("Patients", numbers.patients),
            ("Registered in the last 7 days", numbers.registered_this_week),
            ("People signed in", numbers.signed_in),
            ("Visits waiting for the document server", numbers.undelivered),
        ):
            self.figures.body.addWidget(_figure(label(words), figure))
        for status in STATUSES:
            self.statuses.body.addWidget(_figure(StatusChip(self.desk.theme, status), numbers.by_status[status]))
        for name, count in numbers.by_doctor:
            self.doctors.body.addWidget(_figure(label(name), count))
        if not numbers.by_doctor:
            self.doctors.body.addWidget(label("No appointments on this day.", "faint"))


def _everything(session: Any, day: date, data_dir: Path) -> tuple[DayNumbers, tuple[str, ...]]:
    """The numbers, and what stands here until it is done: no recovery kit, secrets without a keyring. Runs on a worker."""
    standing = (recovery_kit.state(session).reminder, Credentials(data_dir).standing_warning or "")
    return reports.day_numbers(session, day), tuple(words for words in standing if words)


def _figure(words: QWidget, figure: int) -> QWidget:
    line = QWidget()
    inner = QHBoxLayout(line)
    inner.setContentsMargins(0, 0, 0, 0)
    inner.addWidget(words)
    inner.addStretch(1)
    inner.addWidget(label(f"{figure:,}", "heading"))
    return line

