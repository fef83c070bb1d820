"""A chip that narrows a list to one tag: pressed, it offers the tags in use; pressed while it narrows, it lets everybody in again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QMenu, QPushButton, QWidget

from clinicdesk.rules.names import normalise
from clinicdesk.services import patients
from ui.desk import Desk

MOST = 40


class TagFilter(QPushButton):
    """`query` is what the chosen tag adds to the words of a search, "" without one; `changed` is called when it changes."""

    def __init__(self, desk: Desk, changed: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._changed, self.tag = desk, changed, ""
        self.setAutoDefault(False)
        self.setCheckable(True)
        self.setProperty("variant", "quiet")
        self.setIcon(desk.theme.icon("tag"))
        self.setIconSize(QSize(24, 18))  # wider than the glyph: the gap to the word
        self.tags = QMenu(self)
        self.clicked.connect(lambda _checked: self._pressed())
        self.choose("", tell=False)

    @property
    def query(self) -> str:
        """`#tag`, with what a search takes for the end of a word left out."""
        return f"#{normalise(self.tag).replace(' ', '_')}" if self.tag else ""

    @property
    def words(self) -> str:
        """What is shown, in words; "" without a tag."""
        return f"Patients tagged “{self.tag}”" if self.tag else ""

    def choose(self, tag: str, *, tell: bool = True) -> None:
        """Narrow to a tag, or to nothing."""
        self.tag = tag
        self.setChecked(bool(tag))
        self.setText(f"Tag: {tag}  ✕" if tag else "Tag")
        self.setAccessibleName(f"Only patients with the tag {tag}; press to show all" if tag else "Narrow to a tag")
        self.setToolTip(self.accessibleName())
        if tell:
            self._changed()

    def _pressed(self) -> None:
        if self.tag:
            self.choose("")
            return
        self.setChecked(False)
        self.desk.ask(self, patients.tags_in_use, done=self._offer, replaces="tags")

    def _offer(self, tags: Sequence[str]) -> None:
        self.tags.clear()
        for tag in tags[:MOST]:
            self.tags.addAction(tag, partial(self.choose, tag))
        if not tags:
            self.tags.addAction("No tags are in use yet").setEnabled(False)
        self.tags.popup(self.mapToGlobal(self.rect().bottomLeft()))
