"""The lock: after idle minutes, by hand, or when the session ended. It covers every window and keeps the work in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from PySide6.QtCore import QEvent, QKeyCombination, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QKeyEvent, QPainter, QPaintEvent, QWindow
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from clinicdesk.errors import SecondFactorNeeded, SignInRefused
from ui.desk import Desk
from ui.problems import explain
from ui.second_step import CodeStep, Doors, EnrolStep, next_step
from ui.widgets.form import announce
from ui.widgets.password import PasswordField
from ui.widgets.text import button, label, row

#: Idle minutes before the window locks, until the clinic's settings are read. The kiosk is shared, so it is the quickest.
IDLE_MINUTES = {"receptionist": 10, "doctor": 10, "administrator": 5, "patient": 2}


#: The property of a window that everybody may see: the call screen in the waiting room goes on while a desk is locked.
PUBLIC = "public"


class Sessions(Doors, Protocol):
    """The part of the clinic the window needs for the lock."""

    def sign_in(self, username: str, password: str, *, again: str | None = None) -> Any:
        """A fresh session, an object with `token` and `me`, in the place of the living one `again`."""
        ...

    def change_password(self, token: str, old: str, new: str) -> Any:
        """Change one's own password."""
        ...

    def renew(self, token: str) -> Any:
        """Prolong a session in use."""
        ...

    def leave_second_factor(self, token: str, code: str) -> Any:
        """Switch one's own second factor off."""
        ...

    def note_lock(self, token: str) -> Any:
        """Tell the audit log that the window was locked."""
        ...


class IdleWatch(QObject):
    """Notices keys, clicks, wheel and pointer in every window of the application. Signals: `idled()` after so many minutes without,
    `lock_pressed()` for Ctrl+L in any of them, under a dialog too."""

    idled = Signal()
    lock_pressed = Signal()
    used = Signal()

    def __init__(self, minutes: float, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(round(minutes * 60_000))
        self._timer.timeout.connect(self.idled)
        self._beat = QTimer(self)  # a person who is active is reported at most once a minute
        self._beat.setSingleShot(True)
        self._beat.setInterval(60_000)
        self._watched: set[int] = set()
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.focusWindowChanged.connect(self._watch)
        self._timer.start()

    @Slot(QWindow)
    def _watch(self, window: QWindow | None) -> None:
        if window is not None:
            window.removeEventFilter(self)
            window.installEventFilter(self)
            self.note()

    def set_minutes(self, minutes: float) -> None:
        """Lock after so many minutes from now on; the count begins anew."""
        if round(minutes * 60_000) != self._timer.interval():
            running = self._timer.isActive()
            self._timer.setInterval(round(minutes * 60_000))
            if running:
                self._timer.start()

    def note(self) -> None:
        """Somebody is there."""
        self._timer.start()
        if not self._beat.isActive():
            self._beat.start()
            self.used.emit()

    def stop(self) -> None:
        """Watch no more."""
        self._timer.stop()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        kinds = QEvent.Type
        if isinstance(event, QKeyEvent) and event.type() == kinds.KeyPress and event.keyCombination() == _LOCK:
            self.lock_pressed.emit()
            return True
        if event.type() in (kinds.KeyPress, kinds.MouseMove, kinds.MouseButtonPress, kinds.Wheel, kinds.TouchBegin):
            self.note()
        return False


_LOCK = QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_L)


class _Cover(QWidget):
    """An opaque sheet over one window."""

    def __init__(self, desk: Desk, window: QWidget) -> None:
        super().__init__(window)
        self._desk = desk
        window.installEventFilter(self)
        self.setGeometry(window.rect())
        self.setAccessibleName(self.tr("Locked"))
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded) and isinstance(watched, QWidget):
            self.setGeometry(watched.rect())
            self.raise_()
        return False

    def paintEvent(self, _event: QPaintEvent) -> None:
        theme = self._desk.theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.color("sunken"))
        painter.end()


class LockScreen(QDialog):
    """Covers all windows at once, then asks for the password. Signals: `unlocked(signed_in)`, `sign_out_requested()`.

    `sign_in(username, password)` runs on a worker and gives back what `Clinic.sign_in` gives; `doors` asks for the second factor.
    """

    unlocked = Signal(object)
    sign_out_requested = Signal()

    def __init__(self, desk: Desk, window: QWidget, sign_in: Callable[[str, str], object], *, sentence: str = "",
                 doors: Doors | None = None) -> None:
        super().__init__(window, Qt.WindowType.Dialog | Qt.WindowType.FramelessWindowHint)
        self._desk, self._sign_in, self._doors = desk, sign_in, doors
        self.step: CodeStep | EnrolStep | None = None  #: asks for a code when the session was over
        self.setWindowTitle(self.tr("Locked"))
        self.setWindowModality(Qt.WindowModality.ApplicationModal)
        self._covers: list[_Cover] = []
        self._later: list[QWidget] = []  # windows that opened while it was locked: an answer that came late, a sheet it leads to
        for top in QApplication.topLevelWidgets():
            if top.isVisible():
                self._hide_content(top)
        if (app := QApplication.instance()) is not None:
            app.installEventFilter(self)
        picture = label()
        picture.setPixmap(desk.theme.icons.pixmap("lock", 40, "accent", self.devicePixelRatioF()))
        picture.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        name = label(desk.me.name, "title")
        name.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        words = label(sentence or self.tr("Locked. Your work is still here."), "soft", wrap=True)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.password = PasswordField(desk.theme, self.tr("Password"))
        self.password.returnPressed.connect(self._unlock)
        self.error = label("", "error", wrap=True)
        self.unlock_button = button(self.tr("Unlock"), self._unlock, variant="primary", icon="unlock", theme=desk.theme)
        self.out_button = button(self.tr("Sign out"), self.sign_out_requested.emit, variant="quiet")
        self._warned = False
        layout = QVBoxLayout(self)
        layout.setContentsMargins(32, 28, 32, 20)
        layout.setSpacing(10)
        for widget in (picture, name, words):
            layout.addWidget(widget)
        layout.addSpacing(8)
        layout.addWidget(self.password)
        layout.addWidget(self.password.caps)
        layout.addWidget(self.error)
        layout.addWidget(self.unlock_button)
        layout.addLayout(row(None, self.out_button, None))
        self._words, self._parts = words, (words, self.password, self.unlock_button)
        self.error.hide()
        self.setFixedWidth(360)
        self.adjustSize()

    def sizeHint(self) -> QSize:
        return QSize(360, super().sizeHint().height())

    def open(self) -> None:
        """Show it in the middle of its window."""
        super().open()
        window = self.parentWidget()
        if window is not None:
            self.move(window.geometry().center() - self.rect().center())
        self.password.setFocus()

    def _hide_content(self, top: QWidget) -> None:
        if top is self or top.property(PUBLIC):
            return
        if top.windowType() in (Qt.WindowType.Popup, Qt.WindowType.ToolTip):
            top.close()
        else:
            self._covers.append(_Cover(self._desk, top))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Whatever opens while it is locked is covered at once and put off until the person is back: it would lie above the lock."""
        window = self.parentWidget()
        if (event.type() == QEvent.Type.Show and isinstance(watched, QWidget) and watched.isWindow() and watched is not self
                and window is not None and window.isVisible()  # one that was left locks nothing any more
                and not watched.property(PUBLIC) and watched not in self._later
                and all(cover.parentWidget() is not watched for cover in self._covers)):
            self._hide_content(watched)
            if watched.windowType() not in (Qt.WindowType.Popup, Qt.WindowType.ToolTip):
                self._later.append(watched)
                QTimer.singleShot(0, watched, watched.hide)
        return False

    def warn(self, unsaved: Sequence[str]) -> bool:
        """Say once what signing out would lose; False when there is nothing, or it was said."""
        if not unsaved or self._warned:
            return False
        self._warned = True
        self.error.setText(" ".join([*unsaved, self.tr("Signing out loses it.")]))
        self.out_button.setText(self.tr("Sign out and lose it"))
        self.error.show()
        self.adjustSize()
        announce(self.out_button, self.error.text(), assertive=True)
        return True

    def uncover(self, *, give_back: bool = True) -> None:
        """Give the windows back; without `give_back` those that opened meanwhile stay away, the person leaves."""
        if (app := QApplication.instance()) is not None:
            app.removeEventFilter(self)
        for cover in self._covers:
            cover.hide()
            cover.deleteLater()
        self._covers = []
        for window in self._later if give_back else ():
            if isValid(window):
                window.show()
        self._later = []
        self.done(QDialog.DialogCode.Accepted)
        self.deleteLater()

    def _unlock(self) -> None:
        if not self.unlock_button.isEnabled():
            return
        self.unlock_button.setEnabled(False)
        self.out_button.setEnabled(False)  # a session on its way would be left living
        self.error.hide()
        username, password = self._desk.me.username, self.password.text()
        self._desk.pool.run(self, lambda: self._sign_in(username, password), self.unlocked.emit, self._refused)

    def _ask_code(self, needed: SecondFactorNeeded, doors: Doors) -> None:
        for part in (*self._parts, self.password.caps, self.error):
            part.hide()
        self.password.clear()
        self.step = next_step(self._desk.theme, self._desk.pool, doors, needed)
        self.step.back_requested.connect(self._ask_password)
        self.step.over.connect(self._too_late)
        (self.step.accepted if isinstance(self.step, CodeStep) else self.step.finished).connect(self.unlocked)
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(layout.count() - 1, self.step)
        self.out_button.setEnabled(True)
        self.adjustSize()
        self.step.setFocus()

    @Slot()
    def _ask_password(self) -> None:
        """Back from the second factor."""
        if self.step is not None:
            self.step.hide()
            self.step.deleteLater()
            self.step = None
        for part in self._parts:
            part.show()
        self.unlock_button.setEnabled(True)
        self.adjustSize()
        self.password.setFocus()

    @Slot()
    def _too_late(self) -> None:
        self._ask_password()
        self._words.setText(self.tr("That took longer than five minutes. Type your password again."))

    def _refused(self, error: Exception) -> None:
        if isinstance(error, SecondFactorNeeded) and self._doors is not None:
            self._ask_code(error, self._doors)
            return
        self.out_button.setEnabled(True)
        self.error.setText(explain(error).text)
        self.error.show()
        self.adjustSize()
        announce(self.password, self.error.text(), assertive=True)
        self.password.selectAll()
        self.password.setFocus(Qt.FocusReason.OtherFocusReason)
        wait = error.wait if isinstance(error, SignInRefused) else 0.0
        QTimer.singleShot(round(wait * 1_000), self, self._enable)

    @Slot()
    def _enable(self) -> None:
        self.unlock_button.setEnabled(True)

    def reject(self) -> None:
        """Esc does not unlock."""
        self.password.clear()

    def echo(self) -> QLineEdit.EchoMode:
        """How the password is shown (tests)."""
        return self.password.echoMode()
