"""The rail at the left: a role's panels as icon and word, Alt+1 to Alt+9."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QButtonGroup, QFrame, QPushButton, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.widgets.text import label


class Rail(QFrame):
    """Signal `chosen(number)` from 0."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, panels: Sequence[tuple[str, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setFixedWidth(172)
        self.setAccessibleName(self.tr("Panels"))
        self._theme, self._icons = theme, [icon for _, icon in panels]
        self._group = QButtonGroup(self)
        self._group.setExclusive(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 14, 8, 12)
        layout.setSpacing(2)
        brand = label("ClinicDesk", "heading")
        brand.setContentsMargins(10, 0, 0, 10)
        layout.addWidget(brand)
        for number, (title, icon) in enumerate(panels):
            entry = QPushButton(title)
            entry.setProperty("variant", "rail")
            entry.setCheckable(True)
            entry.setAutoDefault(False)
            entry.setIcon(theme.icon(icon))
            entry.setIconSize(QSize(26, 20))
            entry.setToolTip(f"{title}  (Alt+{number + 1})" if number < 9 else title)
            self._group.addButton(entry, number)
            layout.addWidget(entry)
        layout.addStretch(1)
        self._group.idClicked.connect(self.chosen)

    def mark(self, number: int) -> None:
        """Show which panel is open."""
        for entry in self._group.buttons():
            place = self._group.id(entry)
            entry.setChecked(place == number)
            entry.setIcon(self._theme.icon(self._icons[place], "accent" if place == number else "text_soft"))

    def current(self) -> QWidget:
        """The entry that is marked, for the focus."""
        return self._group.checkedButton() or self
