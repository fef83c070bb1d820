"""The find box of the top bar (Ctrl+K, F2): patients first, then panels and actions, all by typing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from ui.desk import Desk
from ui.panel import Action
from ui.widgets.hits import Hit, folded
from ui.widgets.patient_hit import patient_hit
from ui.widgets.search_box import SearchBox


def matches(title: str, query: str) -> bool:
    """Whether every word of the query begins a word of the title."""
    words = folded(title).split()
    return all(any(word.startswith(part) for word in words) for part in folded(query).split())


class CommandBar(SearchBox):
    """`find_patients(session, text)` gives `PatientRow`s (None: only commands). Signal `patient_chosen(PatientRow)`."""

    patient_chosen = Signal(object)

    def __init__(self, desk: Desk, find_patients: Callable[..., Sequence[Any]] | None, actions: Callable[[], Sequence[Action]],
                 parent: QWidget | None = None) -> None:
        super().__init__(desk, find_patients, lambda row: patient_hit(row, desk.zone), parent=parent)
        words = self.tr("Find patient or command") if find_patients else self.tr("Find command")
        self.setPlaceholderText(f"{words}   Ctrl+K")
        self.setAccessibleName(words)
        self.setToolTip(f"{words}  (Ctrl+K, F2)")
        self._actions = actions
        self.also = self._commands
        self.chosen.connect(self._chosen)

    def open_commands(self) -> None:
        """Take the focus and list every command."""
        self.setFocus()
        self.selectAll()
        if not self.text():
            self.search_now()

    def _commands(self, text: str) -> list[Hit]:
        return [Hit(action, action.title, "", icon=action.icon, right=action.shortcut)
                for action in self._actions() if matches(action.title, text)]

    def _chosen(self, record: object) -> None:
        if isinstance(record, Action):
            record.run()
        else:
            self.patient_chosen.emit(record)
