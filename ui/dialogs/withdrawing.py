"""Withdraw a document, and save a copy of one outside the safe: the two steps that are asked about first."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.services import attachments
from clinicdesk.services.attachments import AttachmentRow
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.text import label


class WithdrawSheet(Sheet):
    """Says why a document should not be relied on."""

    def __init__(self, desk: Desk, row: AttachmentRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Withdraw this document", "Withdraw", parent=parent, key="withdraw", variant="danger", size=QSize(480, 300),
                         explanation=f"“{row.title}” stays in the chart, marked as withdrawn and closed. Nothing is deleted.")
        self._row = row
        form = self.set_form(Form())
        form.text("reason", "Why", limit=300, placeholder="For example: belongs to another patient")
        form.mark_clean()
        form.editor("reason").setFocus()

    def submit(self) -> None:
        """Mark it."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(self, attachments.withdraw, self._row.id, self.form.value("reason"), done=lambda _none: self.accept(),
                     failed=self.show_problem)


class LeavesTheSafeSheet(Sheet):
    """Signal `agreed()`: the person knows that the copy is in the clear."""

    agreed = Signal()

    def __init__(self, desk: Desk, title: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Save a copy", "Save a copy …", parent=parent, key="leaves-the-safe", size=QSize(460, 240))
        self.body.addWidget(label(
            f"A copy of “{title}” leaves the safe: in its folder it is not encrypted, and whoever opens that folder can read it."
            " ClinicDesk cannot call it back.", wrap=True))
        self.body.addStretch(1)

    def submit(self) -> None:
        """Go on to the file dialog."""
        self.accept()
        self.agreed.emit()
