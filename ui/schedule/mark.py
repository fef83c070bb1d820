"""An icon that stands by itself and follows the theme."""

from __future__ import annotations

from PySide6.QtCore import QRect, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import Theme


class Mark(QWidget):
    """The icon of a meaning in an ink (a token), 18 px; says nothing to a screen reader, the words beside it do."""

    def __init__(self, theme: Theme, icon: str, ink: str = "text_soft", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._icon, self._ink = theme, icon, ink
        self.setFixedSize(18, 18)
        theme.changed.connect(self._repaint)

    @Slot()
    def _repaint(self) -> None:
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        self._theme.icons.paint(painter, QRect(0, 0, 18, 18), self._icon, self._theme.icons.ink(self._ink))
        painter.end()
