"""Name and letterhead of the clinic, usual length of an appointment, paper; when windows lock, who needs a second factor."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clinicdesk.services import settings
from clinicdesk.services.settings import LONGEST_LOCK, ClinicSettings
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.problems import explain
from ui.widgets.arranging import scrolled
from ui.widgets.fields import number_field
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.text import button, label


class SettingsPanel(Panel):
    """One form."""

    key = "settings"
    title = "Settings"
    icon = "settings"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.form = Form(columns=2)
        self.form.text("name", "Name of the clinic", limit=120, span=2)
        self.form.text("address", "Address", limit=300, span=2)
        self.form.text("phone", "Phone", limit=40)
        self.form.text("email", "E-mail", limit=190)
        self.form.add("minutes", "Usual appointment, minutes", number_field(20, 5, 240, 5))
        self.form.choice("page", "Paper of prescriptions and receipts", (("A5", "A5"), ("A4", "A4"), ("Letter", "Letter")))
        self.form.text("currency", "Currency", hint="Three letters, like EUR")
        self.form.heading("Signing in")
        for role, caption in (("receptionist", "Reception locks after, minutes"), ("doctor", "Doctors lock after, minutes"),
                              ("administrator", "Administrators lock after, minutes"), ("patient", "The kiosk is wiped after, minutes")):
            self.form.add(f"lock_{role}", caption, number_field(5, 1, LONGEST_LOCK[role]))
        self.form.choice("second_factor", "Second factor", (("optional", "everybody decides for herself"),
                                                            ("required", "doctors and administrators must have one")), span=2)
        self.problem = label("", "error", wrap=True)
        self.save_button = button("Save", self.save, variant="primary")
        section = Section("Clinic", card="surface")
        section.body.addWidget(self.form)
        section.body.addWidget(self.problem)
        section.body.addWidget(self.save_button)
        section.body.setAlignment(self.save_button, Qt.AlignmentFlag.AlignRight)
        section.setMaximumWidth(640)
        column = QVBoxLayout()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(column, margins=(16, 12, 16, 12)))
        column.addWidget(section)
        column.addStretch(1)
        self._stored = ClinicSettings()
        self._live = RefreshWhenShown(self, desk.live, ("settings",), self.refresh)

    @property
    def unsaved(self) -> str:
        """What leaving would lose."""
        return "The settings of the clinic are not saved yet." if self.form.dirty else ""

    def refresh(self) -> None:
        """Read again, unless something was typed."""
        if not self.form.dirty:
            self.desk.ask(self, settings.clinic_settings, done=self._show, replaces="settings")

    def _show(self, stored: ClinicSettings) -> None:
        self._stored = stored
        self.form.set_values({name: getattr(stored, name) for name in self.form.values()})

    def save(self) -> None:
        """Store the settings; printed paper follows from now on."""
        self.form.clear_errors()
        self.problem.setText("")
        v = self.form.values()
        wanted = replace(self._stored, **v)

        def done(_none: None) -> None:
            self.form.mark_clean()
            self.desk.tell("Saved.")

        def failed(error: Exception) -> None:
            if not self.form.show_problem(error):
                self.problem.setText(explain(error).text)

        self.desk.do(self, settings.change_settings, wanted, done=done, failed=failed)
