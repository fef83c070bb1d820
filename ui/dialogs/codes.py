"""A one-time code to hand over: a password reset of somebody of the staff, or a patient's way into the kiosk. Shown once."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from clinicdesk.services import accounts
from ui.desk import Desk
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


class CodeSheet(Sheet):
    """Asks first, then makes the code and shows it in large type; `code` is it. `facts` stand above the code."""

    def __init__(self, desk: Desk, title: str, explanation: str, make: Callable[..., str], *args: object, verb: str, facts: str,
                 advice: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, title, verb, parent=parent, key="code", size=QSize(460, 250), explanation=explanation)
        self._make, self._args, self._advice = make, args, advice
        self.code = ""
        self.facts = label(facts, "heading", wrap=True, selectable=True)
        self.facts.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.shown = label("", "display", selectable=True)
        self.shown.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.shown.setAccessibleName("One-time code")
        self.words = label("", "soft", wrap=True)
        self.copy_button = button("Copy", lambda: QGuiApplication.clipboard().setText(self.code), icon="copy", theme=desk.theme)
        self.left.addWidget(self.copy_button)
        for widget in (self.facts, self.shown, self.words):
            self.body.addWidget(widget)
        self.body.addStretch(1)
        self.facts.hide()
        self.copy_button.hide()

    def submit(self) -> None:
        """Make the code; pressed again, close."""
        if self.code:
            self.accept()
        else:
            self.desk.do(self, self._make, *self._args, done=self._show, failed=self.show_problem)

    def _show(self, code: str) -> None:
        self.code = code
        self.set_busy(False)
        self.shown.setText(code)
        self.words.setText(self._advice)
        self.facts.show()
        self.copy_button.show()
        self.cancel_button.hide()
        self.verb_button.setText("Done")


def reset_sheet(desk: Desk, user_id: int, username: str, name: str, parent: QWidget | None = None) -> CodeSheet:
    """Start a password reset of somebody of the staff."""
    return CodeSheet(desk, f"Reset the password of {name}", "You get a code for one new password. Until it is used the old password works.",
                     accounts.start_reset, user_id, verb="Make a code", facts=f"User name {username}",
                     advice=f"Tell {name} this code in person. In the sign-in window: “I have a code”. It works once, for 24 hours, "
                            "and is not shown again.", parent=parent)


def kiosk_sheet(desk: Desk, patient_id: str, name: str, parent: QWidget | None = None) -> CodeSheet:
    """Let a patient into the kiosk once."""
    return CodeSheet(desk, f"Kiosk code for {name}", "With it the patient sees her own appointments and visits at the kiosk, once.",
                     accounts.kiosk_code, patient_id, verb="Make a code", facts=f"Number {patient_id}",
                     advice="At the kiosk: “I have a code”, then the number and the code. It works once, for 10 minutes, and is not shown "
                            "again.", parent=parent)
