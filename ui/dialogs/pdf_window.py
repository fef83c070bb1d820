"""A paper made on demand, in a window of its own: look, print, save. The work goes on meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from ui.desk import Desk
from ui.problems import explain
from ui.widgets.pdf_preview import PdfPreview
from ui.widgets.text import label


class PdfWindow(QDialog):
    """`ask(service, *args)` reads the bytes and shows them; `content` is what is shown. Remembers its size under its title.

    Printing and saving are written down as `category` of the patient's record.
    """

    def __init__(self, desk: Desk, title: str, file_name: str, *, category: str, patient_id: str | None = None, words: str = "",
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._title, self._file_name, self._words = desk, title, file_name, words
        self.content = b""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.state = label("Making the page …", "soft", wrap=True)
        self.preview = PdfPreview(desk.theme, desk.pool)
        self.preview.printed.connect(lambda printer: self.state.setText(f"Sent to {printer}."))
        self.preview.printed.connect(lambda _printer: desk.write_down(self, "print", category, patient_id, file_name))
        self.preview.saved.connect(lambda _path: desk.write_down(self, "export", category, patient_id, file_name))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(8)
        outer.addWidget(self.state)
        outer.addWidget(self.preview, 1)
        self.resize(desk.recall(f"pdf/{title.split(' ', maxsplit=1)[0]}", QSize(820, 860)))

    def ask(self, service: Callable[..., bytes], *args: Any) -> None:
        """Read the paper; a refusal is said above the empty page."""
        self.desk.ask(self, service, *args, done=self._show, failed=lambda e: self.state.setText(explain(e).text), replaces="pdf")

    def _show(self, content: bytes) -> None:
        self.content = content
        self.state.setText(self._words)
        self.state.setVisible(bool(self._words))
        self.preview.show_pdf(content, self._file_name)

    def done(self, result: int) -> None:
        self.desk.remember(f"pdf/{self._title.split(' ', maxsplit=1)[0]}", self.size())
        super().done(result)
