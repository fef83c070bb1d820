"""The waiting list: who would like to come, or to come earlier; the places held now; and the freed places that fit somebody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from PySide6.QtWidgets import QHBoxLayout, QWidget

from clinicdesk.rules.formats import phone_text
from clinicdesk.rules.matching import URGENCY
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import doctors, waiting
from clinicdesk.services.people import DoctorRow, PatientRow
from clinicdesk.services.waiting import OfferRow, WishRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.panels.front_side import side_column
from ui.row_table import Column, RowTable
from ui.waiting.freed import FreedPlaces
from ui.waiting.wish import WishSheet
from ui.widgets.empty import EmptyState
from ui.widgets.section import Section
from ui.widgets.text import button


class WaitingListPanel(Panel):
    """A list, who is called now, and what became free."""

    key = "waiting-list"
    title = "Waiting list"
    icon = "waiting"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.sheet: WishSheet | None = None
        self._people: list[DoctorRow] = []
        zone = desk.zone
        self.table: RowTable[WishRow] = RowTable(
            desk.theme,
            (
                Column("Patient", lambda r: r.patient_name, kind="strong", width=168),
                Column("Phone", lambda r: phone_text(r.phone) if r.phone else "", width=132, kind="soft"),
                Column("Wants", lambda r: r.wants, tip=lambda r: f"{r.wants}\n{r.note}".strip()),
                Column("Urgency", lambda r: URGENCY[r.urgency], sort=lambda r: -r.urgency, width=76),
                Column("Waits", lambda r: _days(r.since, desk), sort=lambda r: r.since, width=72,
                       tip=lambda r: f"since {clinical_date(r.since, zone)}"),
                Column("Now", lambda r: _held(r.held, desk, short=True), width=124, tip=lambda r: _held(r.held, desk)),
            ),
            lambda r: r.id,
            name="Waiting list",
            empty=EmptyState(desk.theme, "Nobody is on the waiting list.", icon="waiting",
                             advice="Put somebody on it who would come earlier: F3, or from a patient's record."),
        )
        self.table.opened.connect(self.edit)
        self.table.selected.connect(self._selected)
        self.add_button = button("Add", self.add, variant="primary", icon="add", theme=desk.theme, tip="Put somebody on the list  (F3)")
        self.edit_button = button("Change", lambda: self.edit(self.table.record()), icon="edit", theme=desk.theme, tip="Change  (Enter)")
        self.remove_button = button("Take off the list", self.remove, icon="remove", theme=desk.theme, tip="Take off the list  (Del)")
        section = Section("Waiting list")
        for made in (self.edit_button, self.remove_button, self.add_button):
            section.tools.addWidget(made)
        section.body.addWidget(self.table)
        self.freed = FreedPlaces(desk)
        self.freed.watch(self)
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 12, 16, 12)
        line.setSpacing(12)
        line.addWidget(section, 1)
        side = side_column(self.freed)
        line.addWidget(side)
        self._selected(None)
        self._live = RefreshWhenShown(self, desk.live, ("waiting_list", "doctors", "patients"), self.refresh)

    def commands(self) -> Sequence[Action]:
        """Keys of this panel."""
        return (
            Action("Put somebody on the waiting list", self.add, "add", "F3"),
            Action("Take off the waiting list", self.remove, "remove"),
            Action("Offer the first freed place", self.freed.offer_first, "waiting"),
        )

    def first_focus(self) -> QWidget:
        """The list."""
        return self.table

    def show_topic(self, topic: str, subject: Any) -> bool:
        """Put a patient on the list who was just found (`wish`, PatientRow)."""
        if topic == "wish":
            self.add(patient=subject)
            return True
        return False

    def refresh(self) -> None:
        """Read everything again."""
        self.desk.ask(self, doctors.doctors, done=self._know, replaces="doctors")
        self.desk.ask(self, waiting.wishes, done=self.table.show_rows, replaces="wishes")
        self.freed.refresh()

    def _know(self, people: list[DoctorRow]) -> None:
        self._people = people

    def _selected(self, row: WishRow | None) -> None:
        for made in (self.edit_button, self.remove_button):
            made.setEnabled(row is not None)

    def add(self, *, patient: PatientRow | None = None) -> None:
        """Somebody new."""
        if not self._people:  # asked for before the panel was ever shown
            self.desk.ask(self, doctors.doctors, done=partial(self._add_after, patient), replaces="doctors")
            return
        self._open(WishSheet(self.desk, self._people, patient=patient, parent=self.window()), "is on the waiting list")

    def _add_after(self, patient: PatientRow | None, people: list[DoctorRow]) -> None:
        self._people = people
        if people:
            self.add(patient=patient)

    def edit(self, row: WishRow | None) -> None:
        """Change what she waits for."""
        if row is not None:
            self._open(WishSheet(self.desk, self._people, wish=row, parent=self.window()), "is changed")

    def _open(self, sheet: WishSheet, words: str) -> None:
        self.sheet = sheet
        sheet.accepted.connect(lambda: self._kept(sheet, words))
        sheet.open()

    def _kept(self, sheet: WishSheet, words: str) -> None:
        self.desk.tell(f"{sheet.chosen.text().split('  ·  ')[0]} {words}.")
        self.refresh()

    def remove(self) -> None:
        """Take the chosen one off; can be taken back."""
        row = self.table.record()
        if row is None:
            return

        def done(_none: None) -> None:
            self.desk.tell(f"{row.patient_name} is off the waiting list.", put_back)
            self.refresh()

        def put_back() -> None:
            self.desk.do(self, waiting.put_back, row.id, row.version + 1, done=lambda _n: self.refresh())

        self.desk.do(self, waiting.withdraw, row.id, row.version, done=done)


def _days(since: datetime, desk: Desk) -> str:
    days = (desk.now().date() - since.astimezone(desk.zone).date()).days
    return "today" if days < 1 else f"{days} day{'s' if days > 1 else ''}"


def _held(held: OfferRow | None, desk: Desk, *, short: bool = False) -> str:
    if held is None:
        return ""
    if short:
        return f"Held until {clinical_time(held.expires_at, desk.zone)}"
    when = f"{clinical_date(held.starts_at, desk.zone)[:6]} {clinical_time(held.starts_at, desk.zone)}"
    return f"Held {when} until {clinical_time(held.expires_at, desk.zone)}"
