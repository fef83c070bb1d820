"""A stored paper: look, print, save. The first print is the original; every later one carries the mark COPY."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from clinicdesk.pdf.copies import is_cancelled
from clinicdesk.rules.canonical import KINDS
from clinicdesk.services import papers, prescriptions
from clinicdesk.services.prescriptions import StoredPdf
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.pdf_preview import PdfPreview
from ui.widgets.text import label


class PaperWindow(QDialog):
    """A window of its own, so that the next patient does not wait for the printer."""

    def __init__(self, desk: Desk, number: str, parent: QWidget | None = None, *, prescription_id: int | None = None) -> None:
        super().__init__(parent)
        self.desk, self._number, self._id = desk, number, prescription_id
        self.stored: StoredPdf | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Paper")
        self.state = label("Reading the paper …", "soft", wrap=True)
        self.preview = PdfPreview(desk.theme, desk.pool)
        self.preview.printed.connect(self._printed)
        self.preview.saved.connect(lambda _path: desk.write_down(self, "export", "papers", None, self._number))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(8)
        outer.addWidget(self.state)
        outer.addWidget(self.preview, 1)
        self.resize(desk.recall("paper", QSize(760, 820)))
        self._read()

    def _read(self) -> None:
        self.desk.ask(
            self, original_or_copy, self._number, self._id, done=self._show, replaces="pdf",
            failed=lambda e: self.state.setText(explain(e).text),
        )

    def _show(self, stored: StoredPdf) -> None:
        self.stored, self._number = stored, stored.number
        if is_cancelled(stored.content):
            self.state.setText(f"{stored.number} is cancelled: it prints with CANCELLED across and no longer counts.")
        elif stored.printed:
            self.state.setText(f"{stored.number} was printed before: this is a copy and says so.")
        else:
            self.state.setText(f"{stored.number}: the original, not printed yet.")
        self.setWindowTitle(f"{KINDS[stored.number[:2]][0]} {stored.number}")
        self.preview.show_pdf(stored.content, f"{stored.number}.pdf")

    def _printed(self, printer: str) -> None:
        self.state.setText(f"Sent to {printer}.")
        self.desk.do(
            self, papers.printed, self._number, done=lambda _count: self._read(), failed=lambda e: self.state.setText(explain(e).text)
        )

    def done(self, result: int) -> None:
        self.desk.remember("paper", self.size())
        super().done(result)


class PrescriptionWindow(PaperWindow):
    """The paper of a prescription known by its id."""

    def __init__(self, desk: Desk, prescription_id: int, parent: QWidget | None = None) -> None:
        super().__init__(desk, "", parent, prescription_id=prescription_id)


def original_or_copy(session: Any, number: str, prescription_id: int | None = None) -> StoredPdf:
    """The bytes as issued before the first print, a copy afterwards, CANCELLED across when it was; runs on a worker."""
    if prescription_id is not None and not number:
        number = prescriptions.stored_pdf(session, prescription_id).number
    return papers.stored_pdf(session, number)
