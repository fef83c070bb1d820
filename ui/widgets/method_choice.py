"""How it is paid: a row of buttons, one pressed; C, K, W and the arrows up and down choose while the amount has the focus."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from clinicdesk.rules.money import METHODS
from ui.theme import Theme
from ui.widgets.text import button

KEYS = {"cash": Qt.Key.Key_C, "card": Qt.Key.Key_K, "wallet": Qt.Key.Key_W}


class MethodChoice(QWidget):
    """Signal `changed(method)` when another one is chosen, by whatever means."""

    changed = Signal(str)

    def __init__(self, theme: Theme, methods: Sequence[str] = tuple(METHODS), name: str = "How it is paid") -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self.buttons: dict[str, QPushButton] = {}
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        for method in methods:
            letter = chr(KEYS[method].value)
            made = button(METHODS[method], icon=method, theme=theme, tip=f"{METHODS[method]}  ({letter})")
            made.setProperty("method", "true")
            made.setCheckable(True)
            made.toggled.connect(self._toggled)
            self._group.addButton(made)
            self.buttons[method] = made
            line.addWidget(made)
        line.addStretch(1)
        self.buttons[methods[0]].setChecked(True)

    @property
    def method(self) -> str:
        """The chosen one."""
        return next(method for method, one in self.buttons.items() if one.isChecked())

    def choose(self, method: str) -> None:
        """Choose it, unless it is not offered."""
        if method in self.buttons and self.buttons[method].isEnabled():
            self.buttons[method].setChecked(True)

    def step(self, by: int) -> None:
        """The next or the one before, round the corner."""
        offered = [method for method, one in self.buttons.items() if one.isEnabled()]
        self.choose(offered[(offered.index(self.method) + by) % len(offered)])

    def take_key(self, key: int) -> bool:
        """Choose by C, K, W or the arrows up and down; True when the key was one of these."""
        for method, letter in KEYS.items():
            if key == letter and method in self.buttons:
                self.choose(method)
                return True
        if key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.step(1 if key == Qt.Key.Key_Down else -1)
            return True
        return False

    def listen_to(self, editor: QWidget) -> None:
        """Take these keys from an amount's field, where none of them means anything else."""
        editor.installEventFilter(self)

    def set_words(self, method: str, words: str, *, enabled: bool = True) -> None:
        """Other words on a button (the wallet's balance); a method that cannot be used is passed over."""
        one = self.buttons[method]
        one.setText(words)
        one.setEnabled(enabled)
        if not enabled and one.isChecked():
            self.step(1)

    def _toggled(self, on: bool) -> None:  # noqa: FBT001  a slot's argument has no keyword
        if on:
            self.changed.emit(self.method)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            held = event.modifiers() & ~Qt.KeyboardModifier.ShiftModifier & ~Qt.KeyboardModifier.KeypadModifier
            if not held and self.take_key(event.key()):
                return True
        return super().eventFilter(watched, event)
