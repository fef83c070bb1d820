"""A row of vital signs: label, value with unit, and where it is out of range an icon with a word, never colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.widgets.arranging import emptied
from ui.widgets.text import label

Flag = Literal["", "low", "high", "alarm"]
_ICON = {"low": "low", "high": "high", "alarm": "danger"}


@dataclass(frozen=True, slots=True)
class Vital:
    """One value as shown; `flag` and its `word` ("High") come from the rules, `detail` (when, inputs) goes to the tool tip."""

    label: str
    value: str
    unit: str = ""
    flag: Flag = ""
    word: str = ""
    detail: str = ""


class VitalsStrip(QFrame):
    """Shows vitals side by side; `compact` leaves the card away."""

    def __init__(self, theme: Theme, vitals: Sequence[Vital] = (), *, compact: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._vitals: tuple[Vital, ...] = ()
        if not compact:
            self.setProperty("card", "surface")
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(*((0, 0, 0, 0) if compact else (16, 10, 16, 10)))
        self._layout.setSpacing(24)
        self.setAccessibleName(self.tr("Vital signs"))
        theme.changed.connect(self._recolour)
        self.set_vitals(vitals)

    def set_vitals(self, vitals: Sequence[Vital], nothing: str = "") -> None:
        """Show these values; with none, the sentence `nothing`."""
        self._vitals = tuple(vitals)
        emptied(self._layout)
        for vital in vitals:
            self._layout.addWidget(self._cell(vital), 0, Qt.AlignmentFlag.AlignTop)
        if not vitals:
            self._layout.addWidget(label(nothing or self.tr("No vital signs recorded yet."), "faint"))
        self._layout.addStretch(1)

    def _recolour(self) -> None:
        self.set_vitals(self._vitals)

    def _cell(self, vital: Vital) -> QWidget:
        ink = "danger" if vital.flag == "alarm" else "warning"
        cell = QWidget()
        cell.setAccessibleName(" ".join(filter(None, (vital.label, vital.value, vital.unit, vital.word))))
        cell.setToolTip(vital.detail)
        layout = QVBoxLayout(cell)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(1)
        layout.addWidget(label(vital.label, "label"))
        line = QHBoxLayout()
        line.setSpacing(4)
        value = label(vital.value, "title", selectable=True)
        if vital.flag:
            value.setStyleSheet(f"color: {self._theme.color(ink).name()};")
        line.addWidget(value)
        line.addWidget(label(vital.unit, "faint"), 0, Qt.AlignmentFlag.AlignBottom)
        line.addStretch(1)
        layout.addLayout(line)
        if vital.flag:
            mark = QHBoxLayout()
            mark.setSpacing(3)
            picture = QLabel()
            picture.setPixmap(self._theme.icons.pixmap(_ICON[vital.flag], 14, ink, self.devicePixelRatioF()))
            word = label(vital.word or vital.flag.capitalize(), "error" if vital.flag == "alarm" else "warning")
            mark.addWidget(picture)
            mark.addWidget(word)
            mark.addStretch(1)
            layout.addLayout(mark)
        return cell
