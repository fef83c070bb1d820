"""Asks for the checks whenever lines or facts changed, and says how they stand. Silence is never an answer: what failed is red."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QWidget

from clinicdesk.services import safety
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.services.safety import Checkup
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.problems import explain
from ui.widgets.text import button, label, restyle


class SafetyCheck(QFrame):
    """The line that says how the checks stand. Signal `checked(Checkup | None)`; None while nothing is known."""

    checked = Signal(object)

    def __init__(self, desk: Desk, patient_id: str, draft: Callable[[], ConsultationDraft], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._patient_id, self._draft = desk, patient_id, draft
        self.state = "none"
        self._picture = QLabel()
        self.words = label("", "faint", wrap=True)
        self.again = button("Check again", self.run, variant="quiet", icon="refresh", theme=desk.theme)
        line = QHBoxLayout(self)
        line.setContentsMargins(12, 6, 12, 6)
        line.addWidget(self._picture)
        line.addWidget(self.words, 1)
        line.addWidget(self.again)
        self.hide()
        self._asked: object = None
        self._live = RefreshWhenShown(self, desk.live, (f"chart {patient_id}", f"patients {patient_id}", "settings", "content"), self.run)
        self._live.stale = False  # nothing was asked yet: the first line asks
        desk.unavailable.connect(self._server)

    def run(self) -> None:
        """Check the lines as they stand now."""
        draft = self._draft()
        if not any(item.medicine.strip() for item in draft.items):
            self.state = "none"
            self.hide()
            self.checked.emit(None)
            return
        asked = self._asked = (draft.items, draft.vitals.get("weight", ""))
        self._say("waiting", "Checking …", "work", "text_soft")
        self.desk.ask(self, safety.checkup, self._patient_id, draft, done=lambda found: self._done(asked, found),
                      failed=lambda error: self._failed(asked, error), replaces="check")

    def weight_changed(self) -> None:
        """Something else was typed in the consultation: only another weight asks again."""
        draft = self._draft()
        if self._asked is not None and self._asked != (draft.items, draft.vitals.get("weight", "")):
            self.run()

    def _done(self, asked: object, found: Checkup) -> None:
        if asked != self._asked:
            return
        tiers = [one.alert.tier for one in found.found]
        if not tiers:
            self._say("clear", "Checked for allergies, interactions, duplicates, doses, age, pregnancy and kidney function: nothing found.",
                      "success", "success")
        else:
            counts = [f"{tiers.count(tier)} {word}" for tier, word in ((1, "to stop for"), (2, "to look at"), (3, "for information"))
                      if tier in tiers]
            icon, ink = ("danger", "danger") if 1 in tiers else ("info", "text_soft")
            self._say("found", f"Checked: {', '.join(counts)}.", icon, ink)
        self.checked.emit(found)

    def _failed(self, asked: object, error: Exception) -> None:
        if asked != self._asked:
            return
        words = f"COULD NOT CHECK. Nothing here was checked against this patient. {explain(error).sentence}"
        self._say("failed", words, "danger", "danger")
        self.checked.emit(None)

    def _say(self, state: str, words: str, icon: str, ink: str) -> None:
        self.state = state
        self.words.setText(words)
        self._picture.setPixmap(self.desk.theme.icons.pixmap(icon, 18, ink, self.devicePixelRatioF()))
        restyle(self, "alert", "1" if state == "failed" else "")
        restyle(self.words, "role", "error" if state == "failed" else "faint")
        self.again.setVisible(state == "failed")
        self.setAccessibleName(words)
        self.show()

    def _server(self, error: object) -> None:
        """It answers again: what could not be checked is checked now."""
        if error is None and self.state == "failed":
            self.run()
