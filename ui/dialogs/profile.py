"""My account: who I am here, password, second factor, and where I am signed in; the same for every role."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import SignInRefused
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.rules.one_time_codes import plain_code
from clinicdesk.rules.steps import PATIENT
from clinicdesk.services import accounts, second_factor
from clinicdesk.services.accounts import ROLE_WORDS
from clinicdesk.services.people import SessionRow
from clinicdesk.services.second_factor import MySecondFactor
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.second_step import CodeStep, EnrolStep
from ui.widgets.arranging import emptied
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label, row

if TYPE_CHECKING:
    from ui.account import Account


class LeavesSecondFactor(Protocol):
    """The part of the clinic that switches one's own second factor off."""

    def leave_second_factor(self, token: str, code: str) -> Any:
        """SignInRefused when the code does not fit."""


class ProfileSheet(Sheet):
    """Four short sections, each with its verb."""

    def __init__(self, desk: Desk, account: Account, parent: QWidget | None = None) -> None:
        super().__init__(desk, "My account", "Close", parent=parent, key="profile", size=QSize(580, 640), scroll=True)
        self.cancel_button.hide()
        self.state: MySecondFactor | None = None
        who = Section("Profile", card="surface")
        self.name = label("", "heading")
        self.edit_button = button("Change", account.edit_profile, icon="edit", theme=desk.theme)
        who.tools.addWidget(self.edit_button)
        who.body.addWidget(self.name)
        who.body.addWidget(label(f"User name {desk.me.username}, {ROLE_WORDS[desk.me.role]}", "soft"))
        secret = Section("Password", card="surface")
        self.password_button = button("Change", account.change_password, icon="key", theme=desk.theme)
        secret.tools.addWidget(self.password_button)
        secret.body.addWidget(label("Your other windows are signed out when it changes.", "soft"))
        self.factor = Section("Second factor", card="surface")
        self.factor_words = label("…", "soft", wrap=True)
        self.factor_button = button("Set up", account.second_factor, icon="lock", theme=desk.theme)
        self.factor_button.setEnabled(False)
        self.factor.tools.addWidget(self.factor_button)
        self.factor.body.addWidget(self.factor_words)
        where = Section("Where you are signed in", card="surface")
        self.elsewhere_button = button("Sign out everywhere else", account.sign_out_elsewhere, icon="sign_out", theme=desk.theme)
        where.tools.addWidget(self.elsewhere_button)
        self._sessions = Section()
        where.body.addWidget(self._sessions)
        for section in (who, secret, self.factor, where):
            self.body.addWidget(section)
        self.body.addStretch(1)
        if desk.me.role == PATIENT:  # at the kiosk, by a code: there is nothing else to change
            for section in (secret, self.factor, where):
                section.hide()
            self.edit_button.hide()
        self._live = RefreshWhenShown(self, desk.live, ("users", "sessions"), self.refresh)

    def refresh(self) -> None:
        """Read again."""
        self.name.setText(self.desk.me.name)
        if self.desk.me.role != PATIENT:
            self.desk.ask(self, _mine, done=self._show, failed=self.show_problem, replaces="mine")

    def _show(self, found: tuple[MySecondFactor, list[SessionRow]]) -> None:
        self.state, rows = found
        mine = self.state
        if mine.is_on:
            few = " Set it up anew before you run out." if mine.codes_left < 3 else ""
            self.factor_words.setText(f"On. {mine.codes_left} recovery codes left.{few}")
        else:
            self.factor_words.setText("Off. With it your password alone opens nothing: the code on your phone is asked for too.")
        self.factor_button.setText("Switch off" if mine.is_on else "Set up")
        self.factor_button.setEnabled(not (mine.is_on and mine.required))
        self.factor_button.setToolTip("Your clinic asks for it." if mine.is_on and mine.required else "")
        emptied(self._sessions.body)
        for one in rows:
            here = " (this window)" if one.mine else ""
            self._sessions.body.addLayout(row(label(f"{one.workstation}{here}"), None,
                                              label(f"since {clinical_moment(one.created_at, self.desk.zone)}", "soft")))
        self.elsewhere_button.setEnabled(len(rows) > 1)


def _mine(session: Any) -> tuple[MySecondFactor, list[SessionRow]]:
    """Her second factor and her sessions; runs on a worker."""
    me = accounts.who(session).username
    return second_factor.mine(session), [one for one in accounts.sessions(session) if one.username == me]


class SetUpSheet(Sheet):
    """Scan, confirm, keep the codes. Signal `set_up()` once it is on."""

    set_up = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Second factor", "Close", parent=parent, key="second-factor", size=QSize(460, 540))
        self.cancel_button.hide()
        self.verb_button.hide()

        def confirm(code: str, done: Callable[[Any], object], failed: Callable[[Exception], object]) -> None:
            desk.do(self, second_factor.confirm, plain_code(code), done=lambda codes: done((None, codes)), failed=failed)

        def begin(done: Callable[[Any], object], failed: Callable[[Exception], object]) -> None:
            desk.do(self, second_factor.begin, desk.me.username, done=done, failed=failed)

        self.step = EnrolStep(desk.theme, begin, confirm)
        self.step.back_requested.connect(self.reject)
        self.step.finished.connect(lambda _none: self.accept())
        self.accepted.connect(self.set_up)
        self.body.addWidget(self.step)
        self.step.setFocus()

    @property
    def dirty(self) -> bool:
        """The recovery codes are shown only once: closing asks."""
        return bool(self.step.codes)

    def accept(self) -> None:
        """Kept."""
        self._forced = True
        super().accept()


class LeaveSheet(Sheet):
    """Switch one's own second factor off, by one of its codes."""

    def __init__(self, desk: Desk, clinic: LeavesSecondFactor, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Switch the second factor off", "Close", parent=parent, key="second-factor-off", size=QSize(440, 400),
                         explanation="Your password alone will then open your account.")
        self.cancel_button.hide()
        self.verb_button.hide()
        self.step = CodeStep(desk.theme, lambda code, done, failed: desk.pool.run(
            self, partial(clinic.leave_second_factor, desk.token, code), done, lambda error: self._failed(error, failed), keep=True),
            back="Cancel")
        self.step.enter_button.setText("Switch off")
        self.step.accepted.connect(lambda _none: self.accept())
        self.step.back_requested.connect(self.reject)
        self.body.addWidget(self.step)
        self.step.setFocus()

    def _failed(self, error: Exception, failed: Callable[[Exception], object]) -> None:
        failed(error)
        if not isinstance(error, SignInRefused):
            self.desk.report(error)
