"""The day sheet on the screen: look, print, save."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtWidgets import QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import day_sheets
from ui.desk import Desk
from ui.dialogs.pdf_window import PdfWindow


class DaySheetWindow(PdfWindow):
    """A window of its own, so that the desk goes on while it prints."""

    def __init__(self, desk: Desk, day: date, doctors: Sequence[int] | None, parent: QWidget | None = None) -> None:
        super().__init__(desk, f"Day sheet {clinical_date(day, weekday=True)}", f"day-sheet-{day:%Y-%m-%d}.pdf",
                         category="schedule", words="Patients' names and phone numbers: keep the paper out of sight.", parent=parent)
        self.ask(day_sheets.pdf, day, doctors)
