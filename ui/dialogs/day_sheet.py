"""The day sheet on the screen: look, print, save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import day_sheets
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.pdf_preview import PdfPreview
from ui.widgets.text import label


class DaySheetWindow(QDialog):
    """A window of its own, so that the desk goes on while it prints."""

    def __init__(self, desk: Desk, day: date, doctors: Sequence[int] | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._day = desk, day
        self.content = b""
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Day sheet {clinical_date(day, weekday=True)}")
        self.state = label("Making the day sheet …", "soft", wrap=True)
        self.preview = PdfPreview(desk.theme, desk.pool)
        self.preview.printed.connect(lambda printer: self.state.setText(f"Sent to {printer}."))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.setSpacing(8)
        outer.addWidget(self.state)
        outer.addWidget(self.preview, 1)
        self.resize(desk.recall("day-sheet", QSize(820, 860)))
        desk.ask(self, day_sheets.pdf, day, doctors, done=self._show, failed=lambda e: self.state.setText(explain(e).text), replaces="pdf")

    def _show(self, content: bytes) -> None:
        self.content = content
        self.state.setText("Patients' names and phone numbers: keep the paper out of sight.")
        self.preview.show_pdf(content, f"day-sheet-{self._day:%Y-%m-%d}.pdf")

    def done(self, result: int) -> None:
        self.desk.remember("day-sheet", self.size())
        super().done(result)
