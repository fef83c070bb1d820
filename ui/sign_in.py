"""Sign-in: a name, a password, nothing else to think about. In the demo clinic the accounts stand beside it to be clicked."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from clinicdesk.errors import SecondFactorNeeded, SignInRefused
from ui.code_entry import CodeEntry
from ui.problems import explain
from ui.second_step import CodeStep, Doors, EnrolStep, next_step
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.password import PasswordField
from ui.widgets.text import button, column, label, row

ROLES = frozenset({"receptionist", "doctor", "administrator"})


class DemoAccount(Protocol):
    """One account of the demo clinic (`clinicdesk.demo.DemoAccount`)."""

    @property
    def role(self) -> str:
        """receptionist, doctor, administrator or patient."""

    @property
    def username(self) -> str:
        """What to type."""

    @property
    def name(self) -> str:
        """The made-up person."""

    @property
    def password(self) -> str:
        """Made when the demo was filled."""



class SignInWindow(QWidget):
    """`sign_in(username, password)` runs on a worker; its answer comes with `signed_in(answer)`. Signal `closed()` when given up.

    `doors`, the open clinic, is for what a password alone does not do: the second factor, and codes.
    """

    signed_in = Signal(object)
    closed = Signal()

    def __init__(self, theme: Theme, pool: Pool, sign_in: Callable[[str, str], object], *, demo_accounts: Sequence[DemoAccount] = (),
                 last_name: str = "", doors: Doors | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pool, self._sign_in, self._doors = theme, pool, sign_in, doors
        self.step: CodeStep | EnrolStep | CodeEntry | None = None  #: what is shown instead of name and password
        self._wait_left, self._busy, self._done, self._reason = 0, False, False, ""
        self.setWindowTitle("ClinicDesk")
        self.username = QLineEdit(last_name)
        self.username.setAccessibleName(self.tr("Name"))
        self.password = PasswordField(theme, self.tr("Password"))
        self.password.setPlaceholderText("")
        self.error = label("", "error", wrap=True)
        self.error.setMinimumHeight(theme.px("small") * 3)
        self.error.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.enter_button = button(self.tr("Sign in"), self.submit, variant="primary")
        self.enter_button.setMinimumHeight(40)
        self.enter_button.setDefault(True)
        self._timer = QTimer(self)
        self._timer.setInterval(1_000)
        self._timer.timeout.connect(self._count_down)
        self.username.returnPressed.connect(self._next)
        self.password.returnPressed.connect(self.submit)
        self.username.textEdited.connect(self._touched)
        self.password.textEdited.connect(self._touched)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(48, 40, 48, 40)
        layout.setSpacing(48)
        layout.addStretch(1)
        self._pages = QStackedWidget()
        self._pages.addWidget(self._card())
        layout.addWidget(self._pages)
        self._demo_box = self._demo(demo_accounts) if demo_accounts else None
        if self._demo_box is not None:
            layout.addWidget(self._demo_box)
        layout.addStretch(1)
        self.resize(QSize((1120 if len(demo_accounts) > 4 else 860) if demo_accounts else 720, 620))
        (self.password if last_name else self.username).setFocus()

    def submit(self) -> None:
        """Try the name and password in the fields."""
        if self._busy or self._wait_left:
            return
        name, password = self.username.text().strip(), self.password.text()
        if not name or not password:
            self._say(self.tr("Type your name and your password."))
            (self.username if not name else self.password).setFocus()
            return
        self._busy = True
        self.error.setText("")
        self.enter_button.setEnabled(False)
        self.enter_button.setText(self.tr("Signing in…"))
        self._pool.run(self, lambda: self._sign_in(name, password), self._accepted, self._refused, replaces="sign_in")

    def fill(self, username: str, password: str) -> None:
        """Put a demo account into the fields and sign in with it."""
        self.username.setText(username)
        self.password.setText(password)
        self.submit()

    def _card(self) -> QFrame:
        card = QFrame()
        card.setProperty("card", "surface")
        card.setFixedWidth(360)
        brand = label("ClinicDesk", "display")
        name, password = label(self.tr("Name"), "label"), label(self.tr("Password"), "label")
        name.setBuddy(self.username)
        password.setBuddy(self.password)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(32, 28, 32, 24)
        layout.setSpacing(16)
        layout.addWidget(brand)
        layout.addLayout(column(name, self.username, spacing=4))
        layout.addLayout(column(password, self.password, self.password.caps, spacing=4))
        layout.addWidget(self.error)
        layout.addWidget(self.enter_button)
        if self._doors is not None:
            self.code_button = button(self.tr("I have a code"), self.enter_code, variant="link")
            layout.addLayout(row(None, self.code_button, None))
        layout.addLayout(row(None, label(self.tr("Workstation {0}").format(platform.node() or "–"), "faint"), None))
        return _middle(card)

    def enter_code(self) -> None:
        """A new password, or the kiosk, by a one-time code."""
        if self._doors is not None:
            entry = CodeEntry(self._theme, self._pool, self._doors)
            entry.signed_in.connect(self._accepted)
            entry.changed.connect(self._changed)
            self._show_step(entry)

    def _show_step(self, step: CodeStep | EnrolStep | CodeEntry) -> None:
        self.step = step
        step.back_requested.connect(self.back)
        card = QFrame()
        card.setProperty("card", "surface")
        card.setFixedWidth(420)
        layout = QVBoxLayout(card)
        layout.setContentsMargins(32, 28, 32, 24)
        layout.addWidget(step)
        self._pages.addWidget(_middle(card))
        self._pages.setCurrentIndex(1)
        if self._demo_box is not None:
            self._demo_box.hide()
        step.setFocus()

    @Slot()
    def back(self) -> None:
        """Name and password again."""
        page = self._pages.widget(1)
        if page is not None:
            self._pages.removeWidget(page)
            page.deleteLater()
        self.step = None
        if self._demo_box is not None:
            self._demo_box.show()
        self.password.clear()
        (self.password if self.username.text() else self.username).setFocus()

    @Slot(str, str)
    def _changed(self, name: str, password: str) -> None:
        self.back()
        self.fill(name, password)

    def _demo(self, accounts: Sequence[DemoAccount]) -> QWidget:
        box = QWidget()
        columns = 1 if len(accounts) <= 4 else 2
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addStretch(1)
        layout.addWidget(label(self.tr("Demo clinic"), "title"))
        layout.addWidget(label(self.tr("Made-up people, real databases. Choose who you want to be."), "soft"))
        layout.addSpacing(4)
        grid = QGridLayout()
        grid.setSpacing(8)
        layout.addLayout(grid)
        self.demo_cards: list[QPushButton] = []
        for number, account in enumerate(accounts):
            card = QPushButton(f"{account.name} · {account.role.capitalize()}\n{account.username} · {account.password}")
            card.setProperty("variant", "card")
            card.setIcon(self._theme.icon(account.role if account.role in ROLES else "patient", "accent"))
            card.setIconSize(QSize(34, 22))
            card.setMinimumWidth(290)
            card.setAutoDefault(False)
            card.setAccessibleName(self.tr("Sign in as {0}, {1}").format(account.name, account.role))
            card.clicked.connect(lambda _checked=False, who=account: self.fill(who.username, who.password))
            self.demo_cards.append(card)
            grid.addWidget(card, number // columns, number % columns)
        layout.addStretch(1)
        return box

    @Slot()
    def _next(self) -> None:
        if self.password.text():
            self.submit()
        else:
            self.password.setFocus()

    @Slot()
    def _touched(self) -> None:
        if not self._wait_left:
            self.error.setText("")

    def _say(self, sentence: str) -> None:
        self.error.setText(sentence)
        announce(self.enter_button, sentence, assertive=True)

    def _accepted(self, answer: object) -> None:
        self._busy, self._done = False, True
        self.password.clear()
        self.signed_in.emit(answer)

    def _refused(self, error: Exception) -> None:
        self._busy = False
        if isinstance(error, SecondFactorNeeded) and self._doors is not None:
            self._reason = ""
            self.password.clear()
            self._show_wait()
            step = next_step(self._theme, self._pool, self._doors, error)
            (step.accepted if isinstance(step, CodeStep) else step.finished).connect(self._accepted)
            self._show_step(step)
            return
        self._wait_left = math.ceil(error.wait) if isinstance(error, SignInRefused) else 0
        self._reason = explain(SignInRefused() if self._wait_left else error).text  # the seconds are counted down here
        self.password.selectAll()
        self.password.setFocus()
        self._show_wait()
        announce(self.password, self._reason, assertive=True)
        if self._wait_left:
            self._timer.start()

    @Slot()
    def _count_down(self) -> None:
        self._wait_left = max(0, self._wait_left - 1)
        if not self._wait_left:
            self._timer.stop()
        self._show_wait()

    def _show_wait(self) -> None:
        left = self._wait_left
        self.error.setText(self._reason + (" " + self.tr("Try again in %n s.", "", left) if left else ""))
        self.enter_button.setEnabled(not left)
        self.enter_button.setText(self.tr("Wait %n s", "", left) if left else self.tr("Sign in"))

    def closeEvent(self, event: QCloseEvent) -> None:
        super().closeEvent(event)
        if not self._done:
            self.closed.emit()


def _middle(card: QFrame) -> QFrame:
    holder = QFrame()
    layout = column(None, card, None)
    layout.setAlignment(card, Qt.AlignmentFlag.AlignHCenter)  # a wider step beside it does not stretch it
    holder.setLayout(layout)
    return holder
