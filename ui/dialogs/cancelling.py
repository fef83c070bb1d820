"""Cancel an appointment: the reason is asked, nothing else."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from clinicdesk.services import series
from ui.desk import Desk
from ui.dialogs.repeating import ScopeChoice
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.text import button

USUAL = ("Called to cancel", "Feeling better", "Doctor not available", "Booked by mistake")


class CancelSheet(Sheet):
    """Accepts once the appointment (or more of its series) is cancelled; `reason` is what was given, `count` how many."""

    def __init__(self, desk: Desk, appointment_id: int, version: int, who: str, parent: QWidget | None = None, *,
                 series_id: int | None = None) -> None:
        super().__init__(
            desk,
            "Cancel this appointment",
            "Cancel appointment",
            parent=parent,
            key="cancel",
            size=QSize(660, 260 if series_id is None else 400),
            explanation=who,
            variant="danger",
        )
        self.cancel_button.setText("Keep it")
        self._id, self._version = appointment_id, version
        self.reason = ""
        self.count = 0
        form = self.set_form(Form())
        form.text("cancel_reason", "Reason", limit=300, placeholder="Why is it cancelled?")
        usual = QHBoxLayout()
        for words in USUAL:
            usual.addWidget(button(words, partial(self._take, words)))
        usual.addStretch(1)
        self.body.addLayout(usual)
        self.choice = ScopeChoice() if series_id is not None else None
        if self.choice is not None:
            self.body.addWidget(self.choice)
        self.body.addStretch(1)
        form.mark_clean()
        form.editor("cancel_reason").setFocus()

    def _take(self, words: str) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        self.form.set_value("cancel_reason", words)
        editor = self.form.editor("cancel_reason")
        assert isinstance(editor, QLineEdit)  # noqa: S101  made by form.text
        editor.setFocus()

    def submit(self) -> None:
        """Cancel it."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.reason = self.form.value("cancel_reason")
        scope = self.choice.scope if self.choice is not None else series.THIS
        self.desk.do(self, series.cancel, self._id, scope, self.reason, self._version, done=self._cancelled, failed=self.show_problem)

    def _cancelled(self, count: int) -> None:
        self.count = count
        self.accept()
