"""A titled part of a panel: title row with actions at its right, then the content; optionally on a card."""

from __future__ import annotations

from typing import Literal

from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from ui.widgets.text import Role, label


class Section(QFrame):
    """`body` is the layout to fill; `tools` the row beside the title. `card` draws a ground: surface, sunken, accent or none."""

    def __init__(self, title: str = "", *, card: Literal["", "surface", "sunken", "accent"] = "", role: Role = "heading",
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        if card:
            self.setProperty("card", card)
        outer = QVBoxLayout(self)
        margin = 16 if card else 0
        outer.setContentsMargins(margin, 12 if card else 0, margin, margin)
        outer.setSpacing(8)
        self.title = label(title, role)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(8)
        head = QHBoxLayout()
        head.addWidget(self.title)
        head.addStretch(1)
        head.addLayout(self.tools)
        outer.addLayout(head)
        self.title.setVisible(bool(title))
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(8)
        outer.addLayout(self.body, 1)
        self.setAccessibleName(title)

    def set_title(self, title: str) -> None:
        """Change the title."""
        self.title.setText(title)
        self.title.setVisible(bool(title))
        self.setAccessibleName(title)
