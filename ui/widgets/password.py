"""A password field: shown or hidden by a button, paste allowed, and a word when Caps Lock seems to be on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from ui.theme import Theme
from ui.widgets.text import label


class PasswordField(QLineEdit):
    """`caps` is the hint label; put it under the field. Qt cannot ask the keyboard, so it goes by the letters typed."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setPlaceholderText(name)
        self.setAccessibleName(name)
        self.caps = label(self.tr("Caps Lock seems to be on."), "warning")
        self.caps.hide()
        self._toggle = QAction(theme.icon("show"), self.tr("Show password"), self)
        self._toggle.setToolTip(self._toggle.text())
        self._toggle.triggered.connect(self.toggle)
        self.addAction(self._toggle, QLineEdit.ActionPosition.TrailingPosition)

    def toggle(self) -> None:
        """Show what was typed, or hide it again."""
        hidden = self.echoMode() == QLineEdit.EchoMode.Password
        self.setEchoMode(QLineEdit.EchoMode.Normal if hidden else QLineEdit.EchoMode.Password)
        self._toggle.setIcon(self._theme.icon("hide" if hidden else "show"))
        self._toggle.setText(self.tr("Hide password") if hidden else self.tr("Show password"))
        self._toggle.setToolTip(self._toggle.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text = event.text()
        if text.isalpha():
            shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.caps.setVisible(text.isupper() != shift and text.lower() != text.upper())
        super().keyPressEvent(event)
