"""The closures that touch a doctor: a list, one to add, one to take away again."""

from __future__ import annotations

from datetime import time, timedelta
from functools import partial

from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import availability
from clinicdesk.services.availability import ClosureRow
from ui.desk import Desk
from ui.dialogs.closure import ClosureSheet
from ui.live import RefreshWhenShown
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.section import Section
from ui.widgets.text import button


class ClosureList(QWidget):
    """Closures that are not over yet."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.doctor_id: int | None = None
        self.doctor = ""
        self.sheet: ClosureSheet | None = None
        self.table: RowTable[ClosureRow] = RowTable(
            desk.theme,
            (Column("From", self._from, sort=lambda r: r.starts_at, width=200),
             Column("Until", self._until, sort=lambda r: r.ends_at, width=200),
             Column("Closed for", lambda r: r.doctor_name or "The whole clinic", width=220),
             Column("Reason", lambda r: r.reason, kind="soft", tip=lambda r: r.reason)),
            lambda r: r.id, name="Closures", sort_by=0,
            empty=EmptyState(desk.theme, "Nothing is closed.", icon="calendar", advice="Leave and holidays stand here."))
        self.add_button = button("Add closure", self.add, variant="primary", icon="add", theme=desk.theme)
        self.remove_button = button("Remove", self.remove, icon="remove", theme=desk.theme)
        self.remove_button.setEnabled(False)
        self.table.selected.connect(lambda row: self.remove_button.setEnabled(self._mine(row)))
        self.table.menu_requested.connect(self._menu)
        section = Section("Closures")
        section.tools.addWidget(self.remove_button)
        section.tools.addWidget(self.add_button)
        section.body.addWidget(self.table)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 12, 0, 0)
        outer.addWidget(section)
        self._live = RefreshWhenShown(self, desk.live, ("availability",), self.refresh)

    def show_doctor(self, doctor_id: int, name: str) -> None:
        """Whose closures (those of the whole clinic among them)."""
        self.doctor = name
        if doctor_id != self.doctor_id:
            self.doctor_id = doctor_id
            self.table.show_rows(())
            self.refresh()

    def refresh(self) -> None:
        """Read again."""
        if self.doctor_id is not None:
            self.desk.ask(self, availability.closures, self.doctor_id, done=self.table.show_rows, replaces="closures")

    def add(self) -> None:
        """Ask for a new one."""
        if self.doctor_id is None:
            return
        sheet = ClosureSheet(self.desk, self.doctor_id, self.doctor, whole_clinic=self.desk.me.role != "doctor", parent=self.window())
        sheet.accepted.connect(partial(self._added, sheet))
        self.sheet = sheet
        sheet.open()

    def _added(self, sheet: ClosureSheet) -> None:
        count = sheet.booked
        words = "1 appointment is" if count == 1 else f"{count} appointments are"
        self.desk.tell(f"Closed. {words} booked in that time." if count else "Closed.")
        self.refresh()

    def remove(self) -> None:
        """Open again what is selected; the toast takes it back."""
        row = self.table.record()
        if row is None or not self._mine(row):
            return

        def put_back() -> None:
            self.desk.do(self, availability.add_closure, row.doctor_id, row.starts_at, row.ends_at, row.reason,
                         done=lambda _none: self.refresh())

        def done(_none: None) -> None:
            self.desk.tell("The closure is removed.", put_back)
            self.refresh()

        self.desk.do(self, availability.remove_closure, row.id, done=done)

    def _mine(self, row: ClosureRow | None) -> bool:
        return row is not None and (self.desk.me.role != "doctor" or row.doctor_id == self.desk.me.doctor_id)

    def _menu(self, row: ClosureRow, menu: QMenu) -> None:
        if self._mine(row):
            menu.addAction(self.desk.theme.icon("remove"), "Remove", self.remove)

    def _from(self, row: ClosureRow) -> str:
        start = row.starts_at.astimezone(self.desk.zone)
        at = "" if start.time() == time(0) else f", {clinical_time(start)}"
        return f"{clinical_date(start.date(), weekday=True)}{at}"

    def _until(self, row: ClosureRow) -> str:
        end = row.ends_at.astimezone(self.desk.zone)
        if end.time() == time(0):
            return f"{clinical_date(end.date() - timedelta(days=1), weekday=True)}, end of day"
        return f"{clinical_date(end.date(), weekday=True)}, {clinical_time(end)}"
