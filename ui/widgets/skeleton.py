"""Grey bars where text will be, for answers that take more than an instant and less than a second."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ui.theme import Theme


class Skeleton(QWidget):
    """`rows` pairs of bars; still, because motion that explains nothing only tires."""

    def __init__(self, theme: Theme, rows: int = 6, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._rows = theme, rows
        self.setAccessibleName(self.tr("Loading"))
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(240, self._rows * 44)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("line", 0.6))
        for n in range(self._rows):
            y = 12 + n * 44
            if y + 32 > self.height():
                break
            painter.drawRoundedRect(QRectF(12, y, (self.width() - 24) * (0.42, 0.55, 0.36)[n % 3], 11), 4, 4)
            painter.drawRoundedRect(QRectF(12, y + 17, (self.width() - 24) * (0.68, 0.48, 0.74)[n % 3], 9), 4, 4)
        painter.end()
