"""What a list shows when it has nothing: an icon, one sentence, and the action that helps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.widgets.text import button, label


class EmptyState(QWidget):
    """Centred icon, sentence and optional button."""

    def __init__(self, theme: Theme, sentence: str, *, icon: str = "empty", advice: str = "", action: str = "",
                 clicked: Callable[[], object] | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icon = theme, icon
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence = label(sentence, "heading", wrap=True)
        self._advice = label(advice, "faint", wrap=True)
        for text in (self._sentence, self._advice):
            text.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 24)
        layout.setSpacing(8)
        layout.addStretch(2)
        for widget in (self._picture, self._sentence, self._advice):
            layout.addWidget(widget)
        if action:
            self.action = button(action, clicked, theme=theme)
            layout.addSpacing(4)
            layout.addWidget(self.action, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(3)
        self._advice.setVisible(bool(advice))
        theme.changed.connect(self._draw)
        self._draw()

    def say(self, sentence: str, advice: str = "", icon: str = "") -> None:
        """Change the words (and the icon)."""
        self._sentence.setText(sentence)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        if icon:
            self._icon = icon
            self._draw()

    def _draw(self) -> None:
        self._picture.setPixmap(self._theme.icons.pixmap(self._icon, 36, "outline", self.devicePixelRatioF()))
