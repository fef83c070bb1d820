"""A box for what must be read: a sentence, what to do, one button."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.problems import Explained
from ui.theme import Theme
from ui.widgets.text import button, column, label, row


class ProblemBox(QDialog):
    """Shows one explained problem; open it with `open()`, never `exec()`."""

    def __init__(self, theme: Theme, problem: Explained, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("ClinicDesk")
        self.setModal(True)
        picture = QLabel()
        picture.setPixmap(theme.icons.pixmap("danger", 32, "danger", self.devicePixelRatioF()))
        words = column(label(problem.sentence, "heading", wrap=True), label(problem.advice, "soft", wrap=True, selectable=True), spacing=6)
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addLayout(column(picture, None))
        top.addLayout(words, 1)
        close = button(self.tr("Close"), self.accept, variant="primary")
        close.setDefault(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(16)
        layout.addLayout(top)
        layout.addLayout(row(None, close))
        self.setMinimumWidth(460)
        close.setFocus()

    def sizeHint(self) -> QSize:
        return QSize(460, super().sizeHint().height())
