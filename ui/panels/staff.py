"""Accounts and doctors: who works here, in which role, with which profile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services import accounts, doctors, second_factor
from clinicdesk.services.accounts import ROLE_WORDS
from clinicdesk.services.people import DoctorCard, DoctorRow, StaffRow
from ui.desk import Desk
from ui.dialogs.codes import reset_sheet
from ui.dialogs.staff import DoctorSheet, StaffSheet
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


class StaffPanel(Panel):
    """Two lists: accounts, and doctors with filters."""

    key = "staff"
    title = "Staff"
    icon = "staff"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.sheet: Sheet | None = None
        self.accounts: RowTable[StaffRow] = RowTable(
            desk.theme,
            (
                Column("Name", lambda r: r.name, kind="strong"),
                Column("User name", lambda r: r.username, width=120, kind="soft"),
                Column("Role", lambda r: ROLE_WORDS[r.role], width=130),
                Column("Second factor", lambda r: "on" if r.second_factor else "off", width=120, kind="soft"),
                Column("State", lambda r: "active" if r.active else "switched off", width=110, kind="soft"),
                Column(
                    "Last sign-in",
                    lambda r: clinical_moment(r.last_sign_in, desk.zone) if r.last_sign_in else "never",
                    width=150,
                    sort=lambda r: r.last_sign_in,
                    kind="soft",
                ),
            ),
            lambda r: r.user_id,
            name="Accounts",
            empty=EmptyState(desk.theme, "No accounts yet.", icon="staff"),
        )
        self.accounts.menu_requested.connect(self._menu)
        self.doctors: RowTable[DoctorRow] = RowTable(
            desk.theme,
            (
                Column("Doctor", lambda r: r.name, kind="strong"),
                Column("Specialization", lambda r: r.specialization, width=160),
                Column("Takes appointments", lambda r: "yes" if r.available else "no", width=150, kind="soft"),
                Column("Patients", lambda r: str(r.patient_count), sort=lambda r: r.patient_count, align="right", width=90),
                Column("Fee", lambda r: f"{r.fee:,.2f}", sort=lambda r: r.fee, align="right", width=90),
            ),
            lambda r: r.id,
            name="Doctors",
            empty=EmptyState(desk.theme, "No doctor fits.", icon="doctors", advice="Change the filter, or add a doctor."),
        )
        self.doctors.opened.connect(self._edit_doctor)
        self.specialization = QComboBox()
        self.specialization.setAccessibleName("Specialization")
        self.specialization.addItem("All specializations", "")
        self.available = QComboBox()
        self.available.setAccessibleName("Availability")
        for words, only in (("Available or not", False), ("Only available", True)):
            self.available.addItem(words, only)
        for box in (self.specialization, self.available):
            box.currentIndexChanged.connect(self._read_doctors)
        self.add_button = button("Add to the staff", self.add, variant="primary", icon="add", theme=desk.theme, tip="Add  (Ctrl+N)")
        self.off_button = button("Switch off", self._switch, theme=desk.theme)
        self.off_button.setEnabled(False)
        self.reset_button = button("Reset password", self._reset, icon="key", theme=desk.theme)
        self.reset_button.setEnabled(False)
        self.accounts.selected.connect(self._selected)
        upper = Section("Accounts")
        upper.tools.addWidget(self.reset_button)
        upper.tools.addWidget(self.off_button)
        upper.tools.addWidget(self.add_button)
        upper.body.addWidget(self.accounts)
        lower = Section("Doctors")
        filters = QHBoxLayout()
        filters.addWidget(self.specialization)
        filters.addWidget(self.available)
        filters.addWidget(label("Enter opens a profile.", "faint"))
        filters.addStretch(1)
        lower.body.addLayout(filters)
        lower.body.addWidget(self.doctors)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(16)
        outer.addWidget(upper, 1)
        outer.addWidget(lower, 1)
        self._live = RefreshWhenShown(self, desk.live, ("users", "doctors", "patients"), self.refresh)

    def commands(self) -> Sequence[Action]:
        """Keys of this panel."""
        return (Action("Add to the staff", self.add, "add", "Ctrl+N"),)

    def refresh(self) -> None:
        """Both lists again."""
        self.desk.ask(self, accounts.staff, done=self.accounts.show_rows, replaces="staff")
        self.desk.ask(self, doctors.specializations, done=self._fill, replaces="specializations")
        self._read_doctors()

    def _fill(self, names: list[str]) -> None:
        known = [self.specialization.itemData(n) for n in range(1, self.specialization.count())]
        if known != names:
            chosen = self.specialization.currentData()
            blocked = self.specialization.blockSignals(True)  # noqa: FBT003  Qt's signature
            for _ in known:
                self.specialization.removeItem(1)
            for name in names:
                self.specialization.addItem(name, name)
            self.specialization.setCurrentIndex(max(0, self.specialization.findData(chosen)))
            self.specialization.blockSignals(blocked)

    def _read_doctors(self) -> None:
        self.desk.ask(
            self,
            doctors.doctors,
            self.specialization.currentData() or "",
            available_only=bool(self.available.currentData()),
            done=self.doctors.show_rows,
            replaces="doctors",
        )

    def _selected(self, row: StaffRow | None) -> None:
        self.off_button.setEnabled(row is not None and row.user_id != self.desk.me.user_id)
        self.reset_button.setEnabled(row is not None and row.active and row.user_id != self.desk.me.user_id)
        self.off_button.setText("Switch on" if row is not None and not row.active else "Switch off")

    def add(self) -> None:
        """Add somebody."""
        sheet = StaffSheet(self.desk, parent=self.window())
        sheet.accepted.connect(lambda: self.desk.tell("The account is added."))
        sheet.accepted.connect(self.refresh)
        self.sheet = sheet
        sheet.open()

    def _switch(self) -> None:
        row = self.accounts.record()
        if row is None:
            return

        def done(_none: Any) -> None:
            self.desk.tell(f"{row.name} is switched {'off, and her sessions ended' if row.active else 'on'}.")
            self.refresh()

        self.desk.do(self, accounts.set_active, row.user_id, active=not row.active, done=done)

    def _reset(self) -> None:
        row = self.accounts.record()
        if row is not None:
            self.sheet = reset_sheet(self.desk, row.user_id, row.username, row.name, parent=self.window())
            self.sheet.open()

    def _remove_factor(self) -> None:
        row = self.accounts.record()
        if row is None:
            return
        sheet = Sheet(self.desk, f"Remove the second factor of {row.name}?", "Remove it", parent=self.window(), key="factor",
                      variant="danger", size=QSize(460, 220),
                      explanation="Do this only when you know it is she who asks: her password alone will open her account.")

        def removed() -> None:
            self.desk.do(self, second_factor.remove, row.user_id,
                         done=lambda _none: self.desk.tell(f"The second factor of {row.name} is removed."))

        sheet.accepted.connect(removed)
        self.sheet = sheet
        sheet.open()

    def _menu(self, row: StaffRow, menu: QMenu) -> None:
        if row.user_id != self.desk.me.user_id:
            menu.addAction("Switch off" if row.active else "Switch on", self._switch)
            if row.active:
                menu.addAction("Reset password", self._reset)
            if row.second_factor:
                menu.addAction("Remove second factor", self._remove_factor)

    def _edit_doctor(self, row: DoctorRow) -> None:
        self.desk.ask(self, doctors.card, row.id, done=self._open_doctor, replaces="card")

    def _open_doctor(self, card: DoctorCard) -> None:
        sheet = DoctorSheet(self.desk, card, parent=self.window())
        sheet.accepted.connect(self.refresh)
        self.sheet = sheet
        sheet.open()
