"""Break the glass: why this record is needed, and the line that stays above it for as long as it is open."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_time
from clinicdesk.services import glass
from clinicdesk.services.glass import Grant
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


class GlassSheet(Sheet):
    """Asks for the reason. Signal `opened(Grant)`."""

    opened = Signal(object)

    def __init__(self, desk: Desk, patient_id: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(
            desk, "Open this record as an emergency", "Open for 60 minutes", parent=parent, key="glass", variant="danger",
            size=QSize(540, 400),
            explanation=f"{name} is not in your care. The doctors who are responsible and the administrators are told at once,"
                        " everything you open is written down, and somebody will ask whether it was needed.")
        self._patient_id = patient_id
        form = self.set_form(Form())
        form.choice("reason", "Why", list(glass.REASONS.items()), blank="Choose the reason")
        form.text("words", "In your own words", limit=1_000, placeholder="For example: brought in unconscious, medicines unknown")
        form.mark_clean()
        form.editor("reason").setFocus()

    def submit(self) -> None:
        """Open it."""
        assert self.form is not None  # noqa: S101  built in __init__

        def done(grant: Grant) -> None:
            self.accept()
            self.opened.emit(grant)

        self.desk.do(self, glass.break_glass, self._patient_id, self.form.value("reason") or "", self.form.value("words"), done=done,
                     failed=self.show_problem)


class GlassBar(QFrame):
    """Says under the patient's banner that this is emergency access, until when, and closes it. Signal `ended()`: by button or clock."""

    ended = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.grant: Grant | None = None
        self.setProperty("alert", "1")
        self._words = label("", "heading", wrap=True)
        self.close_button = button("Close this record", self.end, tip="End the emergency access now")
        line = QHBoxLayout(self)
        line.setContentsMargins(16, 6, 8, 6)
        line.addWidget(self._words, 1)
        line.addWidget(self.close_button)
        self._clock = QTimer(self)
        self._clock.setInterval(1_000)
        self._clock.timeout.connect(self._tick)
        self.hide()

    def show_patient(self, patient_id: str) -> None:
        """Ask whether the record of this patient is open by emergency access."""
        self.set_grant(None)
        if patient_id:
            self.desk.ask(self, glass.active, patient_id, done=self.set_grant, failed=lambda _error: None, replaces="grant")

    def set_grant(self, grant: Grant | None) -> None:
        """Show this access; None hides the line."""
        self.grant = grant
        self.setVisible(grant is not None)
        if grant is None:
            self._clock.stop()
        else:
            self._clock.start()
            self._tick()

    def end(self) -> None:
        """Give the record back."""
        grant = self.grant
        if grant is not None:
            self.desk.do(self, glass.end, grant.id, done=lambda _none: self._over())

    def _over(self) -> None:
        self.set_grant(None)
        self.ended.emit()

    def _tick(self) -> None:
        grant = self.grant
        if grant is None:
            return
        left = (grant.expires_at - datetime.now(grant.expires_at.tzinfo)).total_seconds()
        if left <= 0:
            self._over()
            return
        minutes = max(1, round(left / 60))
        words = self.tr("Emergency access until {0}, {1} minutes left. What you open is written down; the responsible doctors were told.")
        words = words.format(clinical_time(grant.expires_at, self.desk.zone), minutes)
        if words != self._words.text():
            self._words.setText(words)
            self.setAccessibleName(words)
