"""The prescription of a visit: its lines in full words, each to be changed or removed; F7 adds one."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.prescribing import preview
from ui.desk import Desk
from ui.dialogs.medicine import MedicineSheet
from ui.widgets.arranging import emptied
from ui.widgets.text import button, icon_button, label


class PrescriptionList(QWidget):
    """Signal `changed()` after each edit."""

    changed = Signal()

    def __init__(self, desk: Desk, formulary: Formulary, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._formulary = desk, formulary
        self._items: list[ItemDraft] = []
        self.sheet: MedicineSheet | None = None
        self._lines = QVBoxLayout()
        self._lines.setSpacing(8)
        self.empty = label("No medicine prescribed.", "faint")
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        self.add_button = button("Prescribe", self.add, icon="prescription", theme=desk.theme, tip="Prescribe a medicine  (F7)")
        foot = QHBoxLayout()
        foot.addWidget(self.add_button)
        foot.addWidget(self.empty)
        foot.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addLayout(self._lines)
        outer.addWidget(self.problem)
        outer.addLayout(foot)

    def items(self) -> tuple[ItemDraft, ...]:
        """The lines."""
        return tuple(self._items)

    def fill(self, items: tuple[ItemDraft, ...]) -> None:
        """Show these lines."""
        self._items = list(items)
        self._draw()

    def add(self) -> None:
        """Open the sheet for a new line."""
        self._open(None)

    def change(self, number: int) -> None:
        """Open the sheet for an existing line."""
        self._open(number)

    def _open(self, number: int | None) -> None:
        sheet = MedicineSheet(self.desk, self._formulary, None if number is None else self._items[number], parent=self.window())
        sheet.accepted.connect(partial(self._take, sheet, number))
        self.sheet = sheet
        sheet.open()

    def _take(self, sheet: MedicineSheet, number: int | None) -> None:
        if number is None:
            self._items.append(sheet.item())
        else:
            self._items[number] = sheet.item()
        self._edited()

    def remove(self, number: int) -> None:
        """Take a line away."""
        del self._items[number]
        self._edited()

    def show_problem(self, error: Invalid) -> bool:
        """Say under the list what a refused line lacks; False when the refusal is about something else."""
        if not error.field.startswith("items"):
            return False
        self.problem.setText(error.sentence)
        self.problem.show()
        self.add_button.setFocus()
        return True

    def _edited(self) -> None:
        self.problem.hide()
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        emptied(self._lines)
        for number, item in enumerate(self._items):
            self._lines.addWidget(self._line(number, item))
        self.empty.setVisible(not self._items)

    def _line(self, number: int, item: ItemDraft) -> QWidget:
        frame = QFrame()
        frame.setProperty("card", "sunken")
        inner = QHBoxLayout(frame)
        inner.setContentsMargins(12, 8, 8, 8)
        words = QVBoxLayout()
        words.setSpacing(2)
        name = label(
            " — ".join(part for part in (tall_man(item.medicine), item.strength, item.form) if part), "heading", wrap=True, selectable=True
        )
        words.addWidget(name)
        try:
            line = preview(item)
            words.addWidget(
                label(
                    " ".join(p for p in (line.directions, f"Quantity: {line.quantity_text}." if line.quantity_text else "") if p),
                    "body",
                    wrap=True,
                    selectable=True,
                )
            )
        except Invalid as refusal:
            words.addWidget(label(refusal.sentence, "error", wrap=True))
        more = "  ·  ".join(p for p in (f"For {item.indication}" if item.indication else "", item.instructions) if p)
        if more:
            words.addWidget(label(more, "soft", wrap=True))
        if item.free_text:
            words.addWidget(label("Free text: not checked.", "warning"))
        inner.addLayout(words, 1)
        for icon, what, run in (("edit", "Change", self.change), ("remove", "Remove", self.remove)):
            tool = icon_button(self.desk.theme, icon, f"{what} {item.medicine}", partial(run, number))
            inner.addWidget(tool, 0, Qt.AlignmentFlag.AlignTop)
        frame.setAccessibleName(f"{number + 1}: {name.text()}")
        return frame
