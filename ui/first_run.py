"""The first start of a new clinic: its name and its administrator. No default password exists anywhere."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.services.settings import ClinicSettings
from ui.problems import explain
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.form import Form
from ui.widgets.password import PasswordField
from ui.widgets.text import button, label, row


class FirstRunWindow(QWidget):
    """`create(username, name, password, clinic)` runs on a worker and may raise `Invalid`. Signals: `created(username)`,
    `restore_requested()`, `closed()`."""

    created = Signal(str)
    restore_requested = Signal()
    closed = Signal()

    def __init__(self, theme: Theme, pool: Pool, create: Callable[[str, str, str, ClinicSettings], object]) -> None:
        super().__init__()
        self._pool, self._create, self._done = pool, create, False
        self.setWindowTitle("ClinicDesk")
        self.form = Form(columns=2)
        self.form.text("clinic", self.tr("Name of the clinic"), limit=120, span=2)
        self.form.text("address", self.tr("Address"), limit=300, optional=True, hint=self.tr("Stands on every prescription."))
        self.form.text("phone", self.tr("Phone"), limit=40, optional=True)
        self.form.heading(self.tr("Its administrator"))
        self.form.text("name", self.tr("Your name"), placeholder=self.tr("as colleagues see it"))
        self.form.text("username", self.tr("User name"), hint=self.tr("2 to 40 small letters, digits, dots, hyphens or underscores."))
        self.password, self.again = PasswordField(theme, self.tr("Password")), PasswordField(theme, self.tr("Password again"))
        for field in (self.password, self.again):
            field.setPlaceholderText("")
            field.returnPressed.connect(self.submit)
        self.form.add("password", self.tr("Password"), self.password, hint=self.tr("8 to 64 characters of any kind; a sentence is best."))
        self.form.add("again", self.tr("Password again"), self.again)
        self.form.submitted.connect(self.submit)
        self.problem = label("", "error", wrap=True)
        self.create_button = button(self.tr("Create clinic"), self.submit, variant="primary")
        self.create_button.setDefault(True)
        self.restore_button = button(self.tr("Restore from a backup …"), self.restore_requested.emit, variant="quiet", icon="restore",
                                     theme=theme, tip=self.tr("This computer takes over a clinic that was backed up elsewhere."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(40, 32, 40, 28)
        layout.setSpacing(12)
        layout.addWidget(label(self.tr("A new clinic"), "display"))
        layout.addWidget(label(self.tr("The clinic and its administrator, who adds doctors and staff afterwards."), "soft", wrap=True))
        layout.addSpacing(4)
        layout.addWidget(self.form)
        layout.addWidget(self.problem)
        layout.addStretch(1)
        layout.addLayout(row(self.restore_button, None, self.create_button))
        self.problem.hide()
        self.resize(QSize(640, 620))
        self.form.editor("clinic").setFocus()

    def submit(self) -> None:
        """Check that both passwords agree and create the account."""
        if not self.create_button.isEnabled():
            return
        self.form.clear_errors()
        self.problem.hide()
        values = self.form.values()
        if not values["clinic"].strip():
            self.form.show_error("clinic", self.tr("The clinic needs a name."))
            return
        if values["password"] != values["again"]:
            self.form.show_error("again", self.tr("The two passwords differ. Type the same one twice."))
            return
        name, username, password = values["name"].strip(), values["username"].strip().lower(), values["password"]
        self.create_button.setEnabled(False)
        clinic = ClinicSettings(name=values["clinic"].strip(), address=values["address"].strip(), phone=values["phone"].strip())
        self._pool.run(self, lambda: self._create(username, name, password, clinic), lambda _id: self._ready(username), self._refused)

    def _ready(self, username: str) -> None:
        self._done = True
        for field in (self.password, self.again):
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.clear()
        self.created.emit(username)

    def _refused(self, error: Exception) -> None:
        self.create_button.setEnabled(True)
        if not (isinstance(error, Invalid) and self.form.show_problem(error)):
            self.problem.setText(explain(error).text)
            self.problem.show()

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if not self._done:
            self.closed.emit()
