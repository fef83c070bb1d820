"""Tags picked from those in use while typing: one completer for a line of tags separated by commas."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QCompleter, QLineEdit


class TagCompleter(QCompleter):
    """Completes the last word after a comma and leaves the words before it as they are."""

    def __init__(self, field: QLineEdit) -> None:
        super().__init__(field)
        self._model = QStringListModel(self)
        self.setModel(self._model)
        self.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.setFilterMode(Qt.MatchFlag.MatchContains)
        popup = self.popup()
        if popup is not None:
            popup.setAccessibleName("Tags in use")
        field.setCompleter(self)

    def offer(self, tags: Iterable[str]) -> None:
        """The tags in use, the most used first."""
        self._model.setStringList(list(tags))

    def splitPath(self, path: str) -> list[str]:
        return [path.rpartition(",")[2].strip()]

    def pathFromIndex(self, index: object) -> str:
        chosen = super().pathFromIndex(index)  # type: ignore[arg-type]
        field = self.widget()
        before = field.text().rpartition(",")[0].strip() if isinstance(field, QLineEdit) else ""
        return f"{before}, {chosen}" if before else chosen
