"""The time slots of a doctor over some days: which are taken, many to make, a selection to remove."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import availability
from clinicdesk.services.availability import SlotRow, SlotTemplate
from ui.desk import Desk
from ui.dialogs.slots import SlotSheet
from ui.live import RefreshWhenShown
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.fields import day_field, day_of
from ui.widgets.section import Section
from ui.widgets.text import button, label


class SlotList(QWidget):
    """Slots between two days, both included."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.doctor_id: int | None = None
        self.doctor = ""
        self.sheet: SlotSheet | None = None
        zone, today = desk.zone, desk.now().date()
        self.first, self.last = day_field(today, "Slots from"), day_field(today + timedelta(days=27), "Slots to")
        self.first.dateChanged.connect(self._first_changed)
        self.last.dateChanged.connect(self.refresh)
        self.table: RowTable[SlotRow] = RowTable(
            desk.theme,
            (Column("Day", lambda r: clinical_date(r.starts_at, zone, weekday=True), sort=lambda r: r.starts_at, width=170, kind="strong"),
             Column("From", lambda r: clinical_time(r.starts_at, zone), sort=lambda r: r.starts_at.astimezone(zone).time(), width=90),
             Column("To", lambda r: clinical_time(r.ends_at, zone), sort=lambda r: r.ends_at.astimezone(zone).time(), width=90),
             Column("Minutes", _minutes, sort=lambda r: r.ends_at - r.starts_at, align="right", width=90),
             Column("State", lambda r: "Taken" if r.taken else "Free", icon=lambda r: "patient" if r.taken else "", kind="soft")),
            lambda r: r.id, name="Time slots", sort_by=0, several=True,
            empty=EmptyState(desk.theme, "No time slots on these days.", icon="slots",
                             advice="On days without slots the weekly hours are open for booking."))
        self.make_button = button("Make slots", self.make, variant="primary", icon="add", theme=desk.theme)
        self.remove_button = button("Remove", self.remove, icon="remove", theme=desk.theme,
                                    tip="Remove the selected slots; appointments stay")
        self.remove_button.setEnabled(False)
        self.table.selectionModel().selectionChanged.connect(self._count)
        self.table.menu_requested.connect(self._menu)
        self.summary = label("", "soft")
        section = Section("Time slots")
        section.tools.addWidget(self.remove_button)
        section.tools.addWidget(self.make_button)
        section.body.addWidget(label("On a day that has slots only these are free to book; on other days the weekly hours are.", "faint",
                                     wrap=True))
        line = QHBoxLayout()
        line.setSpacing(8)
        for words, field in (("From", self.first), ("to", self.last)):
            line.addWidget(label(words, "soft"))
            field.setFixedWidth(150)
            line.addWidget(field)
        line.addSpacing(8)
        line.addWidget(self.summary)
        line.addStretch(1)
        section.body.addLayout(line)
        section.body.addWidget(self.table)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 12, 0, 0)
        outer.addWidget(section)
        self._live = RefreshWhenShown(self, desk.live, ("availability", "appointments"), self.refresh)

    def show_doctor(self, doctor_id: int, name: str) -> None:
        """Whose slots."""
        self.doctor = name
        if doctor_id != self.doctor_id:
            self.doctor_id = doctor_id
            self.table.show_rows(())
            self.refresh()

    def refresh(self) -> None:
        """Read again; the selection stays."""
        if self.doctor_id is not None:
            days = day_of(self.first), day_of(self.last)
            self.desk.ask(self, availability.slots, self.doctor_id, *days, done=self._show, replaces="slots")

    def _show(self, rows: list[SlotRow]) -> None:
        self.table.show_rows(rows)
        taken = sum(r.taken for r in rows)
        self.summary.setText(f"{len(rows):,} slots, {taken:,} taken" if rows else "")
        self._count()

    def _first_changed(self, day: QDate) -> None:
        if self.last.date() < day:
            self.last.setDate(day)
        self.refresh()

    def _count(self) -> None:
        count = len(self.table.selection())
        self.remove_button.setEnabled(count > 0)
        self.remove_button.setText(f"Remove {count:,} slots" if count > 1 else "Remove")

    def make(self) -> None:
        """Ask for a template."""
        if self.doctor_id is None:
            return
        sheet = SlotSheet(self.desk, self.doctor_id, self.doctor, parent=self.window())
        sheet.accepted.connect(partial(self._made, sheet))
        self.sheet = sheet
        sheet.open()

    def _made(self, sheet: SlotSheet) -> None:
        self.desk.tell("1 slot is made." if sheet.made == 1 else f"{sheet.made:,} slots are made.")
        self.refresh()

    def remove(self) -> None:
        """Take the selected slots away; the toast puts them back."""
        rows = self.table.selection()
        if not rows:
            return

        def put_back() -> None:
            self.desk.do(self, restore, rows, done=lambda _none: self.refresh())

        def done(count: int) -> None:
            self.desk.tell("The slot is removed." if count == 1 else f"{count:,} slots are removed.", put_back)
            self.refresh()

        self.desk.do(self, availability.remove_slots, [r.id for r in rows], done=done)

    def _menu(self, _row: SlotRow, menu: QMenu) -> None:
        menu.addAction(self.desk.theme.icon("remove"), self.remove_button.text(), self.remove)


def _minutes(row: SlotRow) -> str:
    return str(int((row.ends_at - row.starts_at).total_seconds() // 60))


def restore(session: Any, rows: Sequence[SlotRow]) -> None:
    """Make removed slots again, all or none; runs on a worker."""
    for row in rows:
        start, end = row.starts_at.astimezone(session.zone), row.ends_at.astimezone(session.zone)
        availability.make_slots(session, SlotTemplate(row.doctor_id, start.date(), start.date(), frozenset(range(7)),
                                                      start.time(), end.time(), int(_minutes(row))))
