"""Sheets about one's own account: the name others see, and the password."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid, SignedOut, SignInRefused
from clinicdesk.services import accounts
from clinicdesk.services.accounts import ROLE_WORDS
from clinicdesk.services.people import StaffRow
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.password import PasswordField
from ui.widgets.sheet import Sheet


class NameSheet(Sheet):
    """The name others see; `name` is it after the sheet was accepted."""

    def __init__(self, desk: Desk, row: StaffRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, "My profile", "Save", parent=parent, key="name", size=QSize(460, 240),
                         explanation=f"User name {row.username}, {ROLE_WORDS[row.role]}.")
        self._row, self.name = row, row.name
        form = self.set_form(Form())
        form.text("name", "Name as others see it", limit=120)
        form.set_values({"name": row.name})
        self.body.addStretch(1)
        form.editor("name").setFocus()

    def submit(self) -> None:
        """Save the name."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.name = self.form.value("name").strip()
        if not self.name:
            self.show_problem(Invalid("name", "Name: 1 to 120 characters."))
            return
        self.desk.do(self, accounts.rename, self._row.user_id, self.name, self._row.version, done=lambda _none: self.accept(),
                     failed=self.show_problem)


class PasswordSheet(Sheet):
    """Asks for the old password and twice for the new one; `change(token, old, new)` runs on a worker."""

    def __init__(self, desk: Desk, change: Callable[[str, str, str], object], parent: QWidget | None = None) -> None:
        super().__init__(desk, "Change my password", "Change password", parent=parent, key="password", size=QSize(460, 400),
                         explanation="Your other windows are signed out; this one stays.")
        self._change = change
        form = self.set_form(Form())
        for name, caption, hint in (("old_password", "Password now", ""),
                                    ("new_password", "New password", "8 to 64 characters, any character; a few words are best"),
                                    ("again", "New password again", "")):
            field = PasswordField(desk.theme, caption)
            field.setPlaceholderText("")
            field.returnPressed.connect(form.submitted)
            form.add(name, caption, field, hint=hint)
        form.mark_clean()
        self.body.addStretch(1)
        form.editor("old_password").setFocus()

    def submit(self) -> None:
        """Change it; derived keys take tens of milliseconds, so on a worker."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        if v["new_password"] != v["again"]:
            self.show_problem(Invalid("again", "The two new passwords differ."))
            return
        token = self.desk.token
        self.desk.pool.run(self, lambda: self._change(token, v["old_password"], v["new_password"]), lambda _none: self.accept(),
                           self._refused, keep=True)

    def _refused(self, error: Exception) -> None:
        if isinstance(error, SignedOut):
            self.set_busy(False)
            self.desk.report(error)
        else:
            self.show_problem(Invalid("old_password", error.sentence) if isinstance(error, SignInRefused) else error)
