"""What everybody can do about her own account: profile, password, second factor, and signing out elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Protocol

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.services import accounts, doctors
from clinicdesk.services.people import DoctorCard, StaffRow
from ui.desk import Desk
from ui.dialogs.about import AboutWindow
from ui.dialogs.checking import CheckWindow
from ui.dialogs.own import NameSheet, PasswordSheet
from ui.dialogs.profile import LeaveSheet, LeavesSecondFactor, ProfileSheet, SetUpSheet
from ui.dialogs.staff import DoctorSheet
from ui.panel import Action
from ui.widgets.sheet import Sheet


class OwnAccount(LeavesSecondFactor, Protocol):
    """The part of the clinic that proves the old password and stores the new one."""

    def change_password(self, token: str, old: str, new: str) -> Any:
        """SignInRefused when the old one is wrong; Invalid for a new one that breaks a rule."""
        ...


class Account(QObject):
    """The entries of the menu at the top right, also found in the command bar. Signal `renamed()` when `desk.me.name` is another."""

    renamed = Signal()

    def __init__(self, desk: Desk, clinic: OwnAccount, window: QWidget) -> None:
        super().__init__(window)
        self._desk, self._clinic, self._window = desk, clinic, window
        self.sheet: Sheet | None = None
        self._profile: ProfileSheet | None = None

    def commands(self) -> Sequence[Action]:
        """In the order of the menu."""
        return (
            Action("My account", self.show_profile, "person"),
            *((Action("Check a paper", self.check_paper, "pdf"),) if self._desk.me.role != "patient" else ()),  # it opens files
            Action("Change my password", self.change_password, "key"),
            Action("Sign out everywhere else", self.sign_out_elsewhere, "sessions"),
            Action("About ClinicDesk", self.show_about, "info"),
        )

    def check_paper(self) -> None:
        """Is a paper genuine? A window of its own."""
        self.check_window = CheckWindow(self._desk, parent=self._window)
        self.check_window.show()

    def show_about(self) -> None:
        """Version and licences."""
        self.about_window = AboutWindow(self._desk, parent=self._window)
        self.about_window.show()

    def show_profile(self) -> None:
        """Everything about one's own account in one place."""
        self._profile = ProfileSheet(self._desk, self, parent=self._window)
        self._profile.open()

    def second_factor(self) -> None:
        """Set it up, or switch it off."""
        on = self._profile is not None and self._profile.state is not None and self._profile.state.is_on
        if on:
            leave = LeaveSheet(self._desk, self._clinic, parent=self._window)
            leave.accepted.connect(lambda: self._desk.tell("The second factor is off."))
            self._open(leave)
        else:
            begin = SetUpSheet(self._desk, parent=self._window)
            begin.set_up.connect(lambda: self._desk.tell("The second factor is on. It is asked for at the next sign-in."))
            self._open(begin)

    def edit_profile(self) -> None:
        """A doctor's whole profile, the name of everybody else."""
        me = self._desk.me
        if me.doctor_id is not None:
            self._desk.ask(self, doctors.card, me.doctor_id, done=self._open_doctor, replaces="profile")
        else:
            self._desk.ask(self, accounts.account, me.user_id, done=self._open_name, replaces="profile")

    def _open_doctor(self, card: DoctorCard) -> None:
        sheet = DoctorSheet(self._desk, card, parent=self._window)
        sheet.accepted.connect(lambda: self._saved(sheet.name))
        self._open(sheet)

    def _open_name(self, row: StaffRow) -> None:
        sheet = NameSheet(self._desk, row, parent=self._window)
        sheet.accepted.connect(lambda: self._saved(sheet.name))
        self._open(sheet)

    def _saved(self, name: str) -> None:
        if name != self._desk.me.name:
            self._desk.me = replace(self._desk.me, name=name)
            self.renamed.emit()
        if self._profile is not None:
            self._profile.refresh()
        self._desk.tell("Your profile is saved.")

    def change_password(self) -> None:
        """Old one, new one, new one again."""
        sheet = PasswordSheet(self._desk, self._clinic.change_password, parent=self._window)
        sheet.accepted.connect(lambda: self._desk.tell("Your password is changed. Other windows of yours are signed out."))
        self._open(sheet)

    def sign_out_elsewhere(self) -> None:
        """End all other sessions of this person; this window stays."""
        def done(count: int) -> None:
            words = "1 other session is" if count == 1 else f"{count} other sessions are"
            self._desk.tell(f"{words} signed out." if count else "You are signed in nowhere else.")

        self._desk.do(self, accounts.sign_out_everywhere, done=done)

    def _open(self, sheet: Sheet) -> None:
        self.sheet = sheet
        sheet.open()
