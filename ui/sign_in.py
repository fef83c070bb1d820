"""Sign-in: a name, a password, nothing else to think about. In the demo clinic the accounts stand beside it to be clicked."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Sequence
from typing import Protocol

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from clinicdesk.errors import SignInRefused
from ui.problems import explain
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
    """`sign_in(username, password)` runs on a worker; its answer comes with `signed_in(answer)`. Signal `closed()` when given up."""

    signed_in = Signal(object)
    closed = Signal()

    def __init__(self, theme: Theme, pool: Pool, sign_in: Callable[[str, str], object], *, demo_accounts: Sequence[DemoAccount] = (),
                 last_name: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pool, self._sign_in = theme, pool, sign_in
        self._wait_left, self._busy, self._done = 0, False, False
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
        layout.addWidget(self._card())
        if demo_accounts:
            layout.addWidget(self._demo(demo_accounts))
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
        layout.addLayout(row(None, label(self.tr("Workstation {0}").format(platform.node() or "–"), "faint"), None))
        holder = QFrame()
        holder.setLayout(column(None, card, None))
        return holder

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
