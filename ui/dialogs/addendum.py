"""Add to a signed visit. What is typed is in the draft journal of this computer, as in the consultation itself."""

from __future__ import annotations

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from clinicdesk.services import addenda
from clinicdesk.services.addenda import Begun
from clinicdesk.storage.journal import Journal
from ui.consultation.journaling import KEEP_MS
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.text import label


class AddendumSheet(Sheet):
    """One addendum to the visit of `day` (in words). `text` is put there to begin with."""

    def __init__(self, desk: Desk, consultation_id: int, day: str, *, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(
            desk, f"Addendum to the visit of {day}", "Sign addendum", parent=parent, key="addendum", size=QSize(600, 420),
            explanation="What was signed stays as it is. The addendum stands below it with your name and the time, and cannot be changed.",
        )
        self._consultation_id = consultation_id
        self._journal: Journal | None = None
        self._begun: Begun | None = None
        form = self.set_form(Form())
        self.editor: QPlainTextEdit = form.paragraph("text", "Addendum", limit=addenda.LIMIT, lines=9)
        self.found = label("This is what you typed before ClinicDesk ended.", "warning", wrap=True)
        self.found.hide()
        self.body.addWidget(self.found)
        form.set_value("text", text)
        if not text:
            form.mark_clean()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(KEEP_MS)
        self._timer.timeout.connect(self._keep)
        self.editor.textChanged.connect(self._edited)
        self.editor.setFocus()
        desk.ask(self, addenda.begin, consultation_id, done=self._begin, failed=self.show_problem)

    def _begin(self, begun: Begun) -> None:
        self._begun = begun
        # The sheet stays open until it is signed: the text is on the screen. When the window goes without it, the file stays.
        self._journal = journal = Journal(begun.place, lambda _error: None)
        self.destroyed.connect(lambda: journal.close(keep=True))
        stands = self.editor.toPlainText().strip()
        for text in begun.texts:  # newest first; what one shows already is not shown twice, and nothing is taken away unseen
            if text.strip() not in stands:
                stands = f"{stands}\n\n{text.strip()}".strip()
        if stands != self.editor.toPlainText().strip():
            self.editor.setPlainText(stands)
            self.found.show()
        self._edited()

    def _edited(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _keep(self) -> None:
        text = self.editor.toPlainText()
        if self._journal is not None and text.strip():
            self._journal.put(text)

    def set_busy(self, busy: bool) -> None:  # noqa: FBT001  as in Sheet
        """What is being signed stands still: a word typed now would be in no record."""
        super().set_busy(busy)
        self.editor.setReadOnly(busy)

    def submit(self) -> None:
        """Sign it; a refusal leaves every word."""
        self.desk.do(self, addenda.add, self._consultation_id, self.editor.toPlainText(), done=lambda _number: self.accept(),
                     failed=self.show_problem)

    def done(self, result: int) -> None:
        """Signed, or discarded on purpose: nothing of it stays on this computer."""
        self._timer.stop()
        if self._journal is not None:
            self._journal.close(keep=False)
        if self._begun is not None:
            self._begun.forget()
        super().done(result)
