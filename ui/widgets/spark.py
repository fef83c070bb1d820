"""A trend in one line of text: earlier values as a small line, the last one as a dot."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ui.theme import Theme


class Spark(QWidget):
    """Draws values oldest first, evenly spaced; nothing with fewer than two."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: tuple[float, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFixedSize(QSize(56, 16))
        theme.changed.connect(self.update)

    def show_values(self, values: Sequence[float], words: str) -> None:
        """Draw these; `words` say the same to who cannot see it."""
        self._values = tuple(values)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.setVisible(len(self._values) > 1)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if len(self._values) < 2:
            return
        low, high = min(self._values), max(self._values)
        span, width, height = (high - low) or 1.0, self.width() - 8, self.height() - 6
        points = [QPointF(3 + width * i / (len(self._values) - 1), 3 + height * (0.5 if high == low else (high - v) / span))
                  for i, v in enumerate(self._values)]
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("outline"), 1.4))
        painter.drawPolyline(QPolygonF(points))
        painter.setPen(QPen(self._theme.color("accent"), 0))
        painter.setBrush(self._theme.color("accent"))
        painter.drawEllipse(points[-1], 2.6, 2.6)
        painter.end()
