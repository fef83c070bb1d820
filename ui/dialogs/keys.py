"""The recovery kit in a window of its own, and the sheet that explains what changing the clinic key means."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk import key_change
from clinicdesk.services import recovery_kit
from ui.desk import Desk
from ui.dialogs.pdf_window import PdfWindow
from ui.problems import explain
from ui.widgets.sheet import Sheet
from ui.widgets.text import label


class KitWindow(PdfWindow):
    """Makes a kit when opened. Signal `made()`: it is on the screen, and the clinic remembers when."""

    made = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Recovery kit", "recovery kit.pdf", category="clinic key", parent=parent,
                         words="Print this page and lock the paper away. It is stored nowhere; a file you save opens every record, too.")
        self.preview.secret = True
        desk.do(self, recovery_kit.make, done=self._made, failed=lambda e: self.state.setText(explain(e).text))

    def _made(self, content: bytes) -> None:
        self._show(content)
        self.made.emit()


class ChangeKeySheet(Sheet):
    """Begins the change when agreed to."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Change the clinic key", "Change the key", parent=parent, key="change-key", variant="danger",
                         size=QSize(520, 340))
        for words in (
            "A new key is made, and the keys of all patients are wrapped with it again. It can be stopped and taken up again.",
            ("Meanwhile everybody works on. Other computers hold the old key: step by step they can open fewer records, and at their next"
             " start they ask for the new key."),
            "Print a new recovery kit right afterwards. Until then this computer alone holds the new key.",
        ):
            self.body.addWidget(label(words, wrap=True))
        self.body.addStretch(1)

    def submit(self) -> None:
        """Make the key and tell the database."""
        self.desk.do(self, key_change.begin, self.desk.settings.data_dir, done=lambda _none: self.accept(), failed=self.show_problem)
