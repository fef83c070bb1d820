"""The doctor's day: her appointments with the next patient selected; Enter opens chart and consultation."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.rules.ages import age_text
from clinicdesk.rules.formats import SEXES
from clinicdesk.rules.moments import clinical_time, minutes_text
from clinicdesk.services import appointments
from clinicdesk.services.schedule import AppointmentRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.row_table import Column, RowTable
from ui.schedule.day_bar import DayBar
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, label


def waiting_words(row: AppointmentRow, now: datetime) -> str:
    """How long an arrived patient has waited: `12min`."""
    if row.status != "arrived":
        return ""
    return minutes_text(max(0, int((now - row.status_since).total_seconds() // 60)))


class MyDayPanel(Panel):
    """Signal `open_requested(AppointmentRow)`: the doctor wants this patient's chart and consultation."""

    key = "my-day"
    title = "My day"
    icon = "day"
    open_requested = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.day = datetime.now(desk.zone).date()
        self.table: RowTable[AppointmentRow] = RowTable(
            desk.theme,
            (
                Column("Time", lambda r: clinical_time(r.starts_at, desk.zone), sort=lambda r: r.starts_at, width=72),
                Column("Patient", lambda r: r.patient_name, kind="strong"),
                Column("Age", lambda r: age_text(r.patient_born, r.starts_at.astimezone(desk.zone)), width=80),
                Column("Sex", lambda r: SEXES[r.patient_sex], width=88, kind="soft"),
                Column("Status", lambda r: r.status, width=140, kind="chip"),
                Column("Waiting", lambda r: waiting_words(r, datetime.now(desk.zone)), align="right", width=80),
                Column("Reason", lambda r: r.reason, kind="soft", tip=lambda r: r.reason),
            ),
            lambda r: r.id,
            name="Appointments of the day",
            empty=EmptyState(desk.theme, "No appointments on this day.", icon="day", advice="Bookings appear here by themselves."),
            sort_by=0,
        )
        self.table.opened.connect(self.open_requested)
        self.table.selected.connect(self._selected)
        self.bar = DayBar(desk.theme, self.day, calendar=False)
        self.bar.day_changed.connect(self.show_day)
        self.summary = label("", "soft")
        self.open_button = button("Open", self.open_selected, variant="primary", icon="consultation", theme=desk.theme, tip="Open  (Enter)")
        head = QHBoxLayout()
        head.addWidget(self.bar, 1)
        head.addWidget(self.summary)
        head.addSpacing(12)
        head.addWidget(self.open_button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(12)
        outer.addLayout(head)
        outer.addWidget(self.table, 1)
        self._chosen = False
        self._live = RefreshWhenShown(self, desk.live, [f"appointments {self.day}"], self.refresh)

    def first_focus(self) -> QWidget:
        """The list."""
        return self.table

    def commands(self) -> Sequence[Action]:
        """Enter on the list does the same."""
        return (Action("Open the selected patient", self.open_selected, "consultation"),)

    def show_day(self, day: Any) -> None:
        """Another day."""
        self.day, self._chosen = day, False
        self._live.watch(f"appointments {day}")
        self.refresh()

    def refresh(self) -> None:
        """Read the day again; the selection stays."""
        self.desk.ask(self, appointments.list_day, self.day, self.desk.me.doctor_id, done=self._show, replaces="day")

    def _show(self, rows: list[AppointmentRow]) -> None:
        self.table.show_rows(rows)
        if rows and not self._chosen:
            self._chosen = True
            self.table.select(next_patient(rows).id)
        active = [r for r in rows if r.status not in {"cancelled", "no_show"}]
        arrived = sum(r.status == "arrived" for r in rows)
        done = sum(r.status == "completed" for r in rows)
        self.summary.setText(f"{len(active)} {'patient' if len(active) == 1 else 'patients'}, {arrived} waiting, {done} seen")
        self._selected(self.table.record())

    def _selected(self, row: AppointmentRow | None) -> None:
        self.open_button.setEnabled(row is not None)

    def open_selected(self) -> None:
        """Open the selected patient's chart and consultation."""
        row = self.table.record()
        if row is not None:
            self.open_requested.emit(row)


def next_patient(rows: Sequence[AppointmentRow]) -> AppointmentRow:
    """Whom to see next: in the room, then who waits longest, then the next booking, else the first of the day."""
    for status in ("in_progress", "arrived", "confirmed", "scheduled"):
        found = [r for r in rows if r.status == status]
        if found:
            return min(found, key=lambda r: r.status_since if status == "arrived" else r.starts_at)
    return rows[0]
