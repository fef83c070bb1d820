"""A status as icon and word on its tint: never colour alone."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from clinicdesk.rules.steps import STATUSES
from ui.theme import Theme


def status_word(status: str) -> str:
    """The word a person reads for an appointment status."""
    return QCoreApplication.translate("status", STATUSES.get(status, status.replace("_", " ").capitalize()))


def paint_chip(painter: QPainter, rect: QRect, theme: Theme, status: str, word: str = "") -> None:
    """Draw a chip at the left of `rect`, vertically centred (for tables)."""
    font = theme.font("small", bold=True)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setFont(font)
    word = word or status_word(status)
    width = min(rect.width(), painter.fontMetrics().horizontalAdvance(word) + 34)
    box = QRect(rect.x(), rect.center().y() - 10, width, 21)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.tint(status))
    painter.drawRoundedRect(QRectF(box), 10, 10)
    theme.icons.paint(painter, QRect(box.x() + 8, box.y() + 3, 15, 15), status, theme.ink(status))
    painter.setPen(theme.ink(status))
    painter.drawText(box.adjusted(27, 0, -6, 0), int(Qt.AlignmentFlag.AlignVCenter), word)
    painter.restore()


class StatusChip(QWidget):
    """One appointment status. `status` is a status name of the schedule."""

    def __init__(self, theme: Theme, status: str = "scheduled", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.status = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)
        self.set_status(status)

    def set_status(self, status: str) -> None:
        """Show another status."""
        self.status = status
        self.setAccessibleName(status_word(status))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        font = self._theme.font("small", bold=True)
        return QSize(QFontMetrics(font).horizontalAdvance(status_word(self.status)) + 36, 24)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_chip(painter, self.rect(), self._theme, self.status)
        painter.end()
