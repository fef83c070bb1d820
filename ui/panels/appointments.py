"""Appointments as a list: today, upcoming or past, by doctor, status and patient; Enter shows the day."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QMenu, QVBoxLayout, QWidget

from clinicdesk.rules.formats import SEXES
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.rules.steps import STATUSES
from clinicdesk.services import appointments, doctors
from clinicdesk.services.people import DoctorRow
from clinicdesk.services.schedule import AppointmentRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, label

LIMIT = 300


class AppointmentsPanel(Panel):
    """One list with four filters."""

    key = "appointments"
    title = "Appointments"
    icon = "calendar"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        zone = desk.zone
        self.when, self.doctor, self.status = QComboBox(), QComboBox(), QComboBox()
        for box, name in ((self.when, "Time"), (self.doctor, "Doctor"), (self.status, "Status")):
            box.setAccessibleName(name)
        for value, words in (("today", "Today"), ("upcoming", "Upcoming"), ("past", "Past")):
            self.when.addItem(words, value)
        self.doctor.addItem("All doctors", None)
        self.doctor.setMinimumWidth(180)
        self.status.addItem("Any status", "")
        for value, words in STATUSES.items():
            self.status.addItem(words, value)
        self.find_box = QLineEdit()
        self.find_box.setProperty("find", "true")
        self.find_box.setPlaceholderText("Patient: name, phone, date of birth …")
        self.find_box.setAccessibleName("Find appointments of a patient")
        self.find_box.setClearButtonEnabled(True)
        self.find_box.addAction(desk.theme.icon("find"), QLineEdit.ActionPosition.LeadingPosition)
        self.count = label("", "soft")
        self.show_button = button("Show the day", self._show_selected, icon="day", theme=desk.theme, tip="Show the day  (Enter)")
        self.show_button.setEnabled(False)
        self.table: RowTable[AppointmentRow] = RowTable(
            desk.theme,
            (Column("Day", lambda r: clinical_date(r.starts_at, zone, weekday=True), sort=lambda r: r.starts_at, width=140),
             Column("Time", lambda r: clinical_time(r.starts_at, zone), sort=lambda r: r.starts_at.astimezone(zone).time(), width=72),
             Column("Patient", lambda r: r.patient_name, kind="strong"),
             Column("Born", lambda r: clinical_date(r.patient_born), sort=lambda r: r.patient_born, width=108, kind="soft"),
             Column("Sex", lambda r: SEXES[r.patient_sex], width=84, kind="soft"),
             Column("Doctor", lambda r: r.doctor_name, width=160),
             Column("Status", lambda r: r.status, width=140, kind="chip"),
             Column("Reason", _reason, kind="soft", tip=_reason)),
            lambda r: r.id, name="Appointments", empty=EmptyState(desk.theme, "No appointment fits.", icon="calendar",
                                                                  advice="Choose another time, doctor or status."))
        self.table.opened.connect(self._open)
        self.table.selected.connect(lambda row: self.show_button.setEnabled(row is not None))
        self.table.menu_requested.connect(self._menu)
        head = QHBoxLayout()
        head.setSpacing(8)
        for widget in (self.when, self.doctor, self.status):
            head.addWidget(widget)
        head.addWidget(self.find_box, 1)
        head.addWidget(self.count)
        head.addWidget(self.show_button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(12)
        outer.addLayout(head)
        outer.addWidget(self.table, 1)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(150)
        self._wait.timeout.connect(self._read)
        self.find_box.textEdited.connect(lambda _text: self._wait.start())
        self.find_box.textChanged.connect(lambda text: None if text else self._wait.start())  # the cross in the field
        for box in (self.when, self.doctor, self.status):
            box.currentIndexChanged.connect(self._read)
        self._live = RefreshWhenShown(self, desk.live, ("appointments", "doctors"), self.refresh)

    def first_focus(self) -> QWidget:
        """The find field."""
        return self.find_box

    def refresh(self) -> None:
        """Doctors and list again; selection and scroll stay."""
        self.desk.ask(self, doctors.doctors, done=self._fill, replaces="doctors")
        self._read()

    def _fill(self, people: list[DoctorRow]) -> None:
        wanted = [(p.id, p.name) for p in people]
        if wanted != [(self.doctor.itemData(n), self.doctor.itemText(n)) for n in range(1, self.doctor.count())]:
            chosen = self.doctor.currentData()
            blocked = self.doctor.blockSignals(True)  # noqa: FBT003  Qt's signature
            while self.doctor.count() > 1:
                self.doctor.removeItem(1)
            for number, name in wanted:
                self.doctor.addItem(name, number)
            self.doctor.setCurrentIndex(max(0, self.doctor.findData(chosen)))
            self.doctor.blockSignals(blocked)

    def _read(self) -> None:
        self.desk.ask(self, appointments.listed, self.when.currentData(), doctor_id=self.doctor.currentData(),
                      status=self.status.currentData(), typed=self.find_box.text(), limit=LIMIT, done=self._show, replaces="list")

    def _show(self, rows: list[AppointmentRow]) -> None:
        self.table.show_rows(rows)
        words = "1 appointment" if len(rows) == 1 else f"{len(rows)} appointments"
        self.count.setText(f"the first {LIMIT}" if len(rows) == LIMIT else words if rows else "")

    def _open(self, row: AppointmentRow) -> None:
        self.desk.show("appointment", row)

    def _show_selected(self) -> None:
        if (row := self.table.record()) is not None:
            self._open(row)

    def _menu(self, row: AppointmentRow, menu: QMenu) -> None:
        icon = self.desk.theme.icon
        menu.addAction(icon("day"), "Show the day", self._show_selected)
        menu.addAction(icon("patient"), "Show the patient", lambda: self.desk.show("patient", row.patient_id))


def _reason(row: AppointmentRow) -> str:
    return f"{row.reason} (cancelled: {row.cancel_reason})".strip() if row.cancel_reason else row.reason
