"""“I have a code”: a new password by the code an administrator gave, or a patient's way into the kiosk by the one of reception."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid, SignInRefused
from ui.problems import explain
from ui.second_step import Doors
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.form import Form
from ui.widgets.password import PasswordField
from ui.widgets.text import button, label, row


class CodeEntry(QWidget):
    """Signals: `signed_in(answer)` (a patient), `changed(name, password)` (a new password is set), `back_requested()`."""

    signed_in = Signal(object)
    changed = Signal(str, str)
    back_requested = Signal()

    def __init__(self, theme: Theme, pool: Pool, doors: Doors) -> None:
        super().__init__()
        self._pool, self._doors = pool, doors
        self.form = Form()
        self.form.text("name", self.tr("Name, or number of a patient"), placeholder="dora, or p_k3m9x2")
        self.form.text("code", self.tr("Code"), placeholder="xxxx-xxxx-xxxx-xxxx")
        self._passwords = []
        for name, caption, hint in (("new_password", self.tr("New password"), self.tr("8 to 64 characters, any character")),
                                    ("again", self.tr("New password again"), "")):
            field = PasswordField(theme, caption)
            field.setPlaceholderText("")
            field.returnPressed.connect(self.submit)
            self.form.add(name, caption, field, hint=hint)
            self._passwords.append(field)
        self.form.submitted.connect(self.submit)
        self.form.changed.connect(self._fit)
        self.problem = label("", "error", wrap=True)
        self.enter_button = button(self.tr("Set password"), self.submit, variant="primary")
        self.enter_button.setMinimumHeight(40)
        self.back_button = button(self.tr("Back"), self.back_requested.emit, variant="quiet")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(label(self.tr("I have a code"), "title"))
        layout.addWidget(self.form)
        layout.addWidget(self.problem)
        layout.addWidget(self.enter_button)
        layout.addLayout(row(None, self.back_button))
        self.setFocusProxy(self.form.editor("name"))

    @property
    def of_patient(self) -> bool:
        """Whether the name is the number of a patient's record."""
        return bool(re.fullmatch("p_[a-z0-9]{6}", str(self.form.value("name")).strip().lower()))

    def submit(self) -> None:
        """Use the code."""
        if not self.enter_button.isEnabled():
            return
        self.form.clear_errors()
        self.problem.setText("")
        v = self.form.values()
        name, code, new = v["name"].strip(), v["code"], v["new_password"]
        for field, words in (("name", self.tr("Type your name.")), ("code", self.tr("Type the code you were given."))):
            if not v[field].strip():
                self.form.show_error(field, words)
                return
        if not self.of_patient and new != v["again"]:
            self.form.show_error("again", self.tr("The two new passwords differ."))
            return
        self.enter_button.setEnabled(False)
        doors = self._doors
        if self.of_patient:
            self._pool.run(self, lambda: doors.sign_in_with_code(name, code), self._entered, self._refused, keep=True)
        else:
            self._pool.run(self, lambda: doors.reset_password(name, code, new), lambda _none: self._set(name, new), self._refused,
                           keep=True)

    @Slot()
    def _fit(self) -> None:
        patient = self.of_patient
        for field in self._passwords:
            holder = field.parentWidget()
            if holder is not None:
                holder.setVisible(not patient)
        self.enter_button.setText(self.tr("Sign in") if patient else self.tr("Set password"))

    def _entered(self, answer: Any) -> None:
        self._clear()
        self.signed_in.emit(answer)

    def _set(self, name: str, new: str) -> None:
        self._clear()
        self.changed.emit(name, new)

    def _clear(self) -> None:
        for field in self._passwords:
            field.setEchoMode(QLineEdit.EchoMode.Password)
            field.clear()
        self.form.set_value("code", "")
        self.enter_button.setEnabled(True)

    def _refused(self, error: Exception) -> None:
        if isinstance(error, SignInRefused):
            self.form.show_error("code", error.sentence)
        elif not (isinstance(error, Invalid) and self.form.show_problem(error)):
            self.problem.setText(explain(error).text)
        wait = error.wait if isinstance(error, SignInRefused) else 0.0
        QTimer.singleShot(round(wait * 1_000), self, self._enable)

    @Slot()
    def _enable(self) -> None:
        self.enter_button.setEnabled(True)
