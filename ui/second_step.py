"""What may come after the password: the code of an authenticator, or setting one up; for the sign-in window, the lock and the profile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPixmap
from PySide6.QtWidgets import QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from clinicdesk.errors import SecondFactorNeeded, SignedOut, SignInRefused
from clinicdesk.rules.one_time_codes import is_authenticator_code
from clinicdesk.services.second_factor import Enrolment
from ui.problems import explain
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.text import button, label, row

#: Ask on a worker: `ask(done, failed)` calls one of the two on the GUI thread.
Ask = Callable[[Callable[[Any], object], Callable[[Exception], object]], object]
#: The same with what was typed.
AskCode = Callable[[str, Callable[[Any], object], Callable[[Exception], object]], object]


class Doors(Protocol):
    """The part of the clinic that lets people in besides by a password alone; `half` comes with SecondFactorNeeded."""

    def give_code(self, half: Any, code: str) -> Any:
        """The second factor; a signed-in person, or SignInRefused."""

    def enrol(self, half: Any) -> Enrolment:
        """A second factor for somebody who needs one before she can work."""

    def confirm(self, half: Any, code: str) -> Any:
        """Confirm it: (signed in, recovery codes), or Invalid."""

    def reset_password(self, username: str, code: str, new: str) -> None:
        """Set a new password by a code; SignInRefused, or Invalid for the password."""

    def sign_in_with_code(self, username: str, code: str) -> Any:
        """A patient's way into the kiosk."""


class CodeField(QLineEdit):
    """Six digits, typed or pasted with or without gaps. Signal `complete()` when the sixth is there."""

    complete = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.setMaxLength(40)
        self.textEdited.connect(self._edited)
        font = self.font()
        font.setPixelSize(round(font.pixelSize() * 1.5) if font.pixelSize() > 0 else 20)
        self.setFont(font)

    @Slot()
    def _edited(self) -> None:
        if is_authenticator_code(self.text()):
            self.complete.emit()


class CodeStep(QWidget):
    """Asks for the code. Signals: `accepted(answer)` with what `give` answered, `back_requested()`, `over()` when it came too late: the
    password must be given again."""

    accepted = Signal(object)
    over = Signal()
    back_requested = Signal()

    def __init__(self, theme: Theme, give: AskCode, *, back: str = "") -> None:
        super().__init__()
        self._give, self._busy, self._recovery = give, False, False
        picture = label()
        picture.setPixmap(theme.icons.pixmap("key", 32, "accent", self.devicePixelRatioF()))
        self.heading = label("", "title", wrap=True)
        self.words = label("", "soft", wrap=True)
        self.code = CodeField(self.tr("Code"))
        self.code.complete.connect(self._complete)
        self.code.returnPressed.connect(self.submit)
        self.error = label("", "error", wrap=True)
        self.code.textEdited.connect(lambda _text: self.error.setText(""))
        self.error.setMinimumHeight(theme.px("small") * 3)
        self.error.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.enter_button = button(self.tr("Continue"), self.submit, variant="primary")
        self.enter_button.setMinimumHeight(40)
        self.other_button = button("", self.switch, variant="link")
        self.back_button = button(back or self.tr("Back"), self.back_requested.emit, variant="quiet")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        for widget in (picture, self.heading, self.words, self.code, self.error, self.enter_button):
            layout.addWidget(widget)
        layout.addLayout(row(self.other_button, None, self.back_button))
        self._say_what()
        self.setFocusProxy(self.code)

    def switch(self) -> None:
        """From the authenticator to a recovery code, or back."""
        self._recovery = not self._recovery
        self.code.clear()
        self.error.setText("")
        self._say_what()
        self.code.setFocus()

    def submit(self) -> None:
        """Give the code in the field."""
        if self._busy or not self.enter_button.isEnabled():
            return
        if not self.code.text().strip():
            self.error.setText(self.tr("Type the code."))
            return
        self._busy = True
        self.enter_button.setEnabled(False)
        self.error.setText("")
        self._give(self.code.text(), self._accepted, self._refused)

    def _complete(self) -> None:
        if not self._recovery:
            self.submit()

    def _say_what(self) -> None:
        self.heading.setText(self.tr("Recovery code") if self._recovery else self.tr("Code of your authenticator"))
        self.words.setText(self.tr("One of the ten codes you kept when you set up the second factor. Each works once.") if self._recovery
                           else self.tr("Six digits, shown by the application on your phone."))
        self.other_button.setText(self.tr("Use the authenticator") if self._recovery else self.tr("Use a recovery code"))
        self.code.setPlaceholderText("xxxx-xxxx-xxxx-xxxx" if self._recovery else "123 456")

    def _accepted(self, answer: object) -> None:
        self._busy = False
        self.code.clear()
        self.enter_button.setEnabled(True)
        self.accepted.emit(answer)

    def _refused(self, error: Exception) -> None:
        self._busy = False
        if isinstance(error, SignedOut):
            self.over.emit()
        self.error.setText(explain(error).text)
        announce(self.code, self.error.text(), assertive=True)
        self.code.selectAll()
        self.code.setFocus()
        wait = error.wait if isinstance(error, SignInRefused) else 0.0
        QTimer.singleShot(round(wait * 1_000), self, self._enable)

    @Slot()
    def _enable(self) -> None:
        self.enter_button.setEnabled(True)


class EnrolStep(QWidget):
    """Scan, type one code, keep the recovery codes. `confirm` answers (anything, codes).

    Signals: `finished(anything)`, `back_requested()`, `over()` as in CodeStep.
    """

    finished = Signal(object)
    over = Signal()
    back_requested = Signal()

    def __init__(self, theme: Theme, begin: Ask, confirm: AskCode, *, explanation: str = "") -> None:
        super().__init__()
        self._confirm, self._busy = confirm, False
        self._answer: object = None
        self.codes: tuple[str, ...] = ()
        self.enrolment: Enrolment | None = None
        self.picture = label()
        self.picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.picture.setMinimumHeight(200)
        self.picture.setAccessibleName(self.tr("QR code for your authenticator"))
        self.secret = label("", "faint", wrap=True, selectable=True)
        self.secret.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.code = CodeField(self.tr("Code of your authenticator"))
        self.code.setPlaceholderText("123 456")
        self.code.complete.connect(self.submit)
        self.code.returnPressed.connect(self.submit)
        self.error = label("", "error", wrap=True)
        self.error.setMinimumHeight(theme.px("small") * 3)
        self.error.setAlignment(Qt.AlignmentFlag.AlignTop)
        scan = QWidget()
        scan.setProperty("plain", "true")
        first = QVBoxLayout(scan)
        first.setContentsMargins(0, 0, 0, 0)
        first.setSpacing(10)
        first.addWidget(label(self.tr("Set up a second factor"), "heading", wrap=True))
        first.addWidget(label(explanation or self.tr("Scan this with an authenticator on your phone, then type the six digits it shows."),
                              "soft", wrap=True))
        caption = label(self.tr("Code it shows now"), "label")
        caption.setBuddy(self.code)
        for widget in (self.picture, self.secret, caption, self.code, self.error):
            first.addWidget(widget)
        self.back_button = button(self.tr("Not now"), self.back_requested.emit, variant="quiet")
        first.addLayout(row(None, self.back_button))
        self.lists = [label("", "body", selectable=True) for _ in range(2)]
        for one in self.lists:
            one.setAccessibleName(self.tr("Recovery codes"))
        self.copy_button = button(self.tr("Copy"), self._copy, icon="copy", theme=theme)
        self.kept_button = button(self.tr("I have kept them"), lambda: self.finished.emit(self._answer), variant="primary")
        keep = QWidget()
        keep.setProperty("plain", "true")
        second = QVBoxLayout(keep)
        second.setContentsMargins(0, 0, 0, 0)
        second.setSpacing(12)
        second.addWidget(label(self.tr("Keep your recovery codes"), "heading", wrap=True))
        second.addWidget(label(self.tr("Each opens your account once when your phone is lost. They are shown only now: print them or write "
                                       "them down, and keep them away from this computer."), "soft", wrap=True))
        second.addLayout(row(None, self.lists[0], 24, self.lists[1], None))
        second.addStretch(1)
        second.addLayout(row(self.copy_button, None, self.kept_button))
        self.pages = QStackedWidget()
        self.pages.addWidget(scan)
        self.pages.addWidget(keep)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.pages)
        self.setFocusProxy(self.code)
        begin(self._begun, self._refused)

    def submit(self) -> None:
        """Confirm by the code in the field."""
        if not self._busy and self.code.text().strip():
            self._busy = True
            self.error.setText("")
            self._confirm(self.code.text(), self._confirmed, self._refused)

    def _begun(self, enrolment: Enrolment) -> None:
        self.enrolment = enrolment
        picture = QPixmap()
        picture.loadFromData(enrolment.picture)
        self.picture.setPixmap(picture.scaledToHeight(200) if picture.height() > 240 else picture)
        groups = " ".join(enrolment.secret[n:n + 4] for n in range(0, len(enrolment.secret), 4))
        self.secret.setText(self.tr("Or type this key: {0}").format(groups))
        self.code.setFocus()

    def _confirmed(self, answer: tuple[object, Sequence[str]]) -> None:
        self._busy = False
        self._answer, self.codes = answer[0], tuple(answer[1])
        for one, part in zip(self.lists, (self.codes[:5], self.codes[5:]), strict=True):
            one.setText("\n".join(part))
        self.pages.setCurrentIndex(1)
        self.kept_button.setFocus()

    def _refused(self, error: Exception) -> None:
        self._busy = False
        if isinstance(error, SignedOut):
            self.over.emit()
        self.error.setText(explain(error).text)
        announce(self.code, self.error.text(), assertive=True)
        self.code.selectAll()
        self.code.setFocus()

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText("\n".join(self.codes))


def next_step(theme: Theme, pool: Any, doors: Doors, needed: SecondFactorNeeded, *, back: str = "") -> CodeStep | EnrolStep:
    """The widget that asks for what the password did not give; its `accepted` or `finished` carries the signed-in person."""
    half = needed.half
    step: CodeStep | EnrolStep
    if needed.needs == "code":
        step = CodeStep(theme, lambda code, done, failed: pool.run(step, lambda: doors.give_code(half, code), done, failed, keep=True),
                        back=back)
    else:
        holder = QWidget()  # who asks before the step itself exists
        step = EnrolStep(
            theme, lambda done, failed: pool.run(holder, lambda: doors.enrol(half), done, failed),
            lambda code, done, failed: pool.run(step, lambda: doors.confirm(half, code), done, failed, keep=True),
            explanation="Your clinic asks for one. Scan this with an authenticator on your phone, then type the six digits it shows.")
        holder.setParent(step)
        step.back_button.setText(back or "Back")
    return step
