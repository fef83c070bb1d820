"""A receipt, or the sheet of a closed day: look, print, save. The first print of a receipt is the original; later ones say COPY."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QLabel, QVBoxLayout, QWidget

from clinicdesk.services import day_close, receipts
from clinicdesk.services.receipts import ReceiptPaper
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.pdf_preview import PdfPreview
from ui.widgets.text import label


class ReceiptWindow(QDialog):
    """A window of its own, so that the next patient does not wait for the printer."""

    def __init__(self, desk: Desk, receipt_id: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._id = desk, receipt_id
        self.paper: ReceiptPaper | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Receipt")
        self.state, self.preview = _filled(self, "Reading the receipt …")
        self.preview.printed.connect(self._printed)
        self._read()

    def _read(self) -> None:
        self.desk.ask(self, receipts.paper, self._id, done=self._show, failed=lambda e: self.state.setText(explain(e).text), replaces="pdf")

    def _show(self, paper: ReceiptPaper) -> None:
        self.paper = paper
        words = "was printed before: this is a copy and says so." if paper.printed else "is the original, not printed yet."
        self.state.setText(f"{paper.number} {words}")
        self.setWindowTitle(f"Receipt {paper.number}")
        self.preview.show_pdf(paper.content, f"receipt-{paper.number}.pdf")

    def _printed(self, printer: str) -> None:
        self.state.setText(f"Sent to {printer}.")
        self.desk.do(
            self, receipts.printed, self._id, done=lambda _count: self._read(), failed=lambda e: self.state.setText(explain(e).text)
        )

    def done(self, result: int) -> None:
        self.desk.remember("receipt", self.size())
        super().done(result)


class DaySheetWindow(QDialog):
    """The sheet of a closed day."""

    def __init__(self, desk: Desk, close_id: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Day close")
        self.state, self.preview = _filled(self, "Reading the day …")
        self.preview.printed.connect(lambda _printer: desk.write_down(self, "print", "money", None, self.preview.file_name))
        desk.ask(self, day_close.paper, close_id, done=self._show, failed=lambda e: self.state.setText(explain(e).text), replaces="pdf")

    def _show(self, paper: tuple[str, bytes]) -> None:
        name, content = paper
        self.state.setText("Print it, sign it and keep it with the terminal's slip.")
        self.preview.show_pdf(content, name)

    def done(self, result: int) -> None:
        self.desk.remember("receipt", self.size())
        super().done(result)


def _filled(window: ReceiptWindow | DaySheetWindow, words: str) -> tuple[QLabel, PdfPreview]:
    state = label(words, "soft", wrap=True)
    preview = PdfPreview(window.desk.theme, window.desk.pool)
    preview.saved.connect(lambda _path: window.desk.write_down(window, "export", "money", None, preview.file_name))
    outer = QVBoxLayout(window)
    outer.setContentsMargins(16, 12, 16, 12)
    outer.setSpacing(8)
    outer.addWidget(state)
    outer.addWidget(preview, 1)
    window.resize(window.desk.recall("receipt", QSize(700, 760)))
    preview.setFocus()
    return state, preview
