"""Asks for the checks whenever lines or facts changed, and says how they stand: of the lines that are prescribed, and of the one that is
being typed. Silence is never an answer: what failed is red."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QMoveEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from clinicdesk.rules.safety import Alert
from clinicdesk.services import safety
from clinicdesk.services.drafts import ConsultationDraft, ItemDraft
from clinicdesk.services.safety import Checkup
from ui.consultation.alert_box import LOOKS, serious
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.problems import explain
from ui.widgets.arranging import emptied
from ui.widgets.form import announce
from ui.widgets.text import Role, button, label, restyle

#: Typing pauses this long before a typed line is checked, in ms.
PAUSE_MS = 250
#: So many findings of a typed line are said; the rest are counted.
MOST = 3
EVERYTHING = "allergies, interactions, duplicates, doses, age, pregnancy and kidney function"


class TypedCheck(QWidget):
    """What the checks say of a complete line that is typed and not taken yet, before Enter takes it. `state` is none, waiting, clear, found
    or failed. Signal `placed()` when it has found its place or its size."""

    placed = Signal()

    def __init__(self, desk: Desk, patient_id: str, draft: Callable[[], ConsultationDraft], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._patient_id, self._draft = desk, patient_id, draft
        self.state = "none"
        self.texts: list[str] = []  #: what it says, line by line
        self._item: ItemDraft | None = None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._run)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self.hide()
        desk.unavailable.connect(self._server)

    def show_line(self, item: ItemDraft | None) -> None:
        """Check this line when typing pauses; None while nothing complete is typed."""
        if item == self._item:
            return
        if item is None:
            self.stop()
        else:
            self._item = item
            self.again()

    @Slot()
    def stop(self) -> None:
        """Nothing complete is typed, or there is nothing left to add it to."""
        self._item, self.state, self.texts = None, "none", []
        self._pause.stop()
        self.hide()

    def again(self) -> None:
        """Something it rests on has changed: another line, a weight, a fact of the patient."""
        if self._item is not None:
            self._say("waiting", [("work", "text_soft", "faint", "This line: not checked yet …")])
            self._pause.start()

    def _run(self) -> None:
        item = self._item
        if item is not None:
            self.desk.ask(self, safety.checkup_of_typed, self._patient_id, self._draft(), item, done=partial(self._done, item),
                          failed=partial(self._failed, item), replaces="typed")

    def _done(self, item: ItemDraft, found: tuple[Alert, ...]) -> None:
        if item != self._item:
            return
        if not found:
            self._say("clear", [("success", "success", "faint", f"This line: checked for {EVERYTHING}, nothing found.")])
            return
        lines = [(LOOKS[one.tier][1], LOOKS[one.tier][2], _ROLES[one.tier], f"{serious(one)}: {one.sentence}") for one in found[:MOST]]
        if len(found) > MOST:
            lines.append(("info", "text_soft", "faint", f"and {len(found) - MOST} more, shown when the line is taken."))
        self._say("found", lines)
        if found[0].tier == 1:
            announce(self, f"{serious(found[0])}: {found[0].sentence}", assertive=True)

    def _failed(self, item: ItemDraft, error: Exception) -> None:
        if item == self._item:
            self._say("failed", [("danger", "danger", "error", f"COULD NOT CHECK this line. {explain(error).sentence}")])

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks: a sheet that was closed may outlive what it was opened from for a moment."""
        super().hideEvent(event)
        self._pause.stop()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self.state == "waiting":
            self._pause.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.placed.emit()

    def moveEvent(self, event: QMoveEvent) -> None:
        super().moveEvent(event)
        self.placed.emit()

    def _server(self, error: object) -> None:
        if error is None and self.state == "failed":
            self.again()

    def _say(self, state: str, lines: Sequence[tuple[str, str, Role, str]]) -> None:
        self.state, self.texts = state, [words for _icon, _ink, _role, words in lines]
        emptied(self._column)
        for icon, ink, role, words in lines:
            picture = QLabel()
            picture.setPixmap(self.desk.theme.icons.pixmap(icon, 16, ink, self.devicePixelRatioF()))
            line = QHBoxLayout()
            line.setSpacing(8)
            line.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(label(words, role, wrap=True), 1)
            self._column.addLayout(line)
        self.setAccessibleName(" ".join(self.texts))
        self.show()


_ROLES: dict[int, Role] = {1: "error", 2: "warning", 3: "soft"}


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
        count = sum(bool(item.medicine.strip()) for item in self._draft().items)
        below = "The line below" if count == 1 else f"The {count} lines below"  # what is only typed stands above this and has its own words
        if not tiers:
            self._say("clear", f"{below}: checked for {EVERYTHING}, nothing found.", "success", "success")
        else:
            counts = [f"{tiers.count(tier)} {word}" for tier, word in ((1, "to stop for"), (2, "to look at"), (3, "for information"))
                      if tier in tiers]
            icon, ink = ("danger", "danger") if 1 in tiers else ("info", "text_soft")
            self._say("found", f"{below}: checked, {', '.join(counts)}.", icon, ink)
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
