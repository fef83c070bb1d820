"""The one shape of a dialog: title, body, a line for what went wrong, the verb and Cancel at the bottom.

A refused request keeps the sheet open with everything typed. Esc closes only what is not dirty; else the line asks, without another box.
Each sheet remembers its size under its `key`.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ui.desk import Desk
from ui.problems import explain
from ui.widgets.form import Form, announce
from ui.widgets.text import Variant, button, label


class Sheet(QDialog):
    """Subclasses fill `body` and override `submit`, which asks the desk and then calls `accept` or `show_problem`.

    `form`, when set, is used for field errors and for `dirty`. `verb` is the word on the button ("Book", "Save"). Signal `refused()`
    after a problem was shown. A sheet is opened once: closed, it is deleted.
    """

    refused = Signal()

    def __init__(self, desk: Desk, title: str, verb: str, *, parent: QWidget | None = None, key: str = "", variant: Variant = "primary",
                 size: QSize = QSize(520, 420), explanation: str = "", scroll: bool = False) -> None:  # noqa: B008  immutable use
        super().__init__(parent)
        self.desk, self._key = desk, key or type(self).__name__
        self.form: Form | None = None
        self._discard_asked = self._forced = False
        self.setWindowTitle(title)
        self.setModal(True)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.setSpacing(12)
        outer.addWidget(label(title, "title", wrap=True))
        if explanation:
            outer.addWidget(label(explanation, "soft", wrap=True))
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 4, 0, 0)
        self.body.setSpacing(12)
        if scroll:
            inner = QWidget()
            inner.setProperty("plain", "true")
            self.body.setContentsMargins(2, 4, 12, 4)
            inner.setLayout(self.body)
            area = QScrollArea()
            area.setWidgetResizable(True)
            area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            area.setWidget(inner)
            outer.addWidget(area, 1)
        else:
            outer.addLayout(self.body, 1)
        self.problem = _ProblemLine(desk)
        outer.addWidget(self.problem)
        self.left = QHBoxLayout()
        self.cancel_button = button(self.tr("Cancel"), self.reject, tip=self.tr("Close without saving  (Esc)"))
        self.verb_button = button(verb, self._pressed, variant=variant, tip=f"{verb}  (Ctrl+Enter)")
        self.verb_button.setDefault(True)
        self.verb_button.setShortcut("Ctrl+Return")
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addLayout(self.left)
        foot.addStretch(1)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.verb_button)
        outer.addLayout(foot)
        self.resize(desk.recall(f"sheet/{self._key}", size))
        self._growing = QTimer(self)
        self._growing.setSingleShot(True)
        self._growing.timeout.connect(self._grow)
        self.installEventFilter(self)

    def submit(self) -> None:
        """The verb was pressed: ask the desk. Called with earlier errors cleared and the sheet busy; end with accept or show_problem."""
        self.accept()

    @property
    def dirty(self) -> bool:
        """Whether closing would lose something typed."""
        return self.form is not None and self.form.dirty

    def set_form(self, form: Form) -> Form:
        """Use this form for errors and `dirty`, put it into the body, and let Enter in its fields press the verb."""
        self.form = form
        form.submitted.connect(self._pressed)
        form.changed.connect(self.problem.clear)
        self.body.addWidget(form)
        return form

    def put_below(self, widget: QWidget) -> None:
        """Show a widget between the body and the line for problems; it appears there without moving what is being typed."""
        layout = self.layout()
        if isinstance(layout, QVBoxLayout):
            layout.insertWidget(layout.indexOf(self.problem), widget)

    def set_busy(self, busy: bool) -> None:  # noqa: FBT001  reads as one word
        """While the answer is awaited the verb cannot be pressed twice."""
        self.verb_button.setEnabled(not busy)
        if busy:
            self.problem.clear()

    def show_problem(self, error: Exception) -> None:
        """Say what went wrong at its field or above the buttons; the sheet stays open with everything typed."""
        self.set_busy(False)
        if self.form is None or not self.form.show_problem(error):
            self.problem.say(explain(error).text)
        self.refused.emit()

    def _pressed(self) -> None:
        if self.verb_button.isEnabled():
            if self.form is not None:
                self.form.clear_errors()
            self.set_busy(True)
            self.submit()

    def _grow(self) -> None:
        """Words that appear (an error, a hint) make the sheet taller, never the fields smaller."""
        layout, parent = self.layout(), self.parentWidget()
        if layout is None:
            return
        needed = layout.totalHeightForWidth(self.width()) if layout.hasHeightForWidth() else layout.totalMinimumSize().height()
        room = parent.window().height() - 48 if parent is not None else self.screen().availableGeometry().height()
        if self.height() < needed:
            self.resize(self.width(), max(self.height(), min(needed, room)))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self and event.type() == QEvent.Type.LayoutRequest:
            self._growing.start()
        return super().eventFilter(watched, event)

    def _may_close(self) -> bool:
        if self._forced or not self.dirty:
            return True
        self.problem.say(self.tr("What you typed is not saved yet."), self.tr("Discard it"), self._discard)
        return False

    def _discard(self) -> None:
        self._forced = True
        self.reject()

    def done(self, result: int) -> None:
        self.desk.remember(f"sheet/{self._key}", self.size())
        super().done(result)
        self.desk.pool.busy_changed.connect(self._let_go)
        self._let_go()

    @Slot()
    def _let_go(self) -> None:
        """A closed sheet goes, and what it showed of a patient with it, once nothing it asked for is on its way."""
        if not self.isVisible() and not self.desk.pool.is_asked_by(self):
            self.deleteLater()

    def reject(self) -> None:
        if self._may_close():
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close():
            self._forced = True
            super().closeEvent(event)
        else:
            event.ignore()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        parent = self.parentWidget()
        if parent is not None:
            room = parent.window().size()
            self.resize(self.size().boundedTo(QSize(max(360, room.width() - 48), max(240, room.height() - 48))))


class _ProblemLine(QFrame):
    """One sentence in a red frame, with an optional button."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("problem")
        self._theme = desk.theme
        self._picture, self.words = QLabel(), label("", wrap=True, selectable=True)
        self._action = button("", self._press, variant="quiet")
        self._clicked: Callable[[], object] = self.clear
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self.words, 1)
        layout.addWidget(self._action)
        self.hide()

    def say(self, sentence: str, action: str = "", clicked: Callable[[], object] | None = None) -> None:
        """Show a sentence; with `action` a button that calls `clicked`."""
        self._picture.setPixmap(self._theme.icons.pixmap("danger", 18, "danger", self.devicePixelRatioF()))
        self.words.setText(sentence)
        self._action.setText(action)
        self._action.setVisible(bool(action))
        if clicked is not None:
            self._clicked = clicked
        self.show()
        announce(self, sentence, assertive=True)

    def _press(self) -> None:
        self._clicked()

    def clear(self) -> None:
        """Take the sentence away."""
        self.words.setText("")
        self.hide()
