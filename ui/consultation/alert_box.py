"""One alert under its line: how serious by word, shape and colour; what, to whom, how bad, what to do; and the reason against it.

Nothing is chosen beforehand. Enter never overrides the worst: its second action is a press of its own button, by mouse or space bar.
"""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from clinicdesk.rules.alert_reasons import LONGEST, REASONS, GivenReason, about, lacks, reasons_for
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.safety import Alert
from ui.live import HOLDS_REFRESH
from ui.theme import Theme
from ui.widgets.text import button, column, label

#: Tier → word, icon, ink.
LOOKS = {1: ("Stop", "danger", "danger"), 2: ("Warning", "warning", "warning"), 3: ("Information", "info", "text_soft")}
_COLUMNS = 2


def serious(alert: Alert) -> str:
    """How serious it is, in a word; a check that could not run says so itself."""
    return "Not checked" if alert.rule == "not-checked" else LOOKS[alert.tier][0]


def evidence(alert: Alert) -> str:
    """Which facts it used, where it comes from, of which date, and whether a clinician approved it."""
    used = f"Uses: {'; '.join(alert.facts)}." if alert.facts else ""
    dated = f"data of {_day(alert.data_date)}" if alert.data_date else ""
    named = alert.source.removesuffix(f", read {alert.data_date}")  # the same day is not said twice, nor in figures
    source = f"Source: {', '.join(p for p in (named, dated, alert.approved) if p)}."
    return " ".join(p for p in (used, source) if p)


def _without_addresses(words: str) -> str:
    """For reading; the whole of it stands in the tool tip."""
    return re.sub(r",? ?https?://\S+?(?=[,;]? |$)", "", words)


def _day(iso: str) -> str:
    try:
        return clinical_date(date.fromisoformat(iso))
    except ValueError:
        return iso


class AlertBox(QFrame):
    """Signals: `given(GivenReason)` and `taken_back(str)` (its `about`); `cancelled()`: rather not this medicine;
    `allergy_wrong()`: the entry is to be corrected."""

    given = Signal(object)
    taken_back = Signal(str)
    cancelled = Signal()
    allergy_wrong = Signal()

    def __init__(self, theme: Theme, alert: Alert, reason: GivenReason | None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.alert, self.about = alert, about(alert)
        word, icon, ink = LOOKS[alert.tier]
        word = serious(alert)
        self.setProperty("alert", str(alert.tier))
        self.setAccessibleName(f"{word}: {alert.sentence} {alert.advice} {evidence(alert)}")
        self.setObjectName(f"alert {self.about}")
        picture = QLabel()
        picture.setPixmap(theme.icons.pixmap(icon, 20 if alert.tier < 3 else 16, ink, self.devicePixelRatioF()))
        self.word = label(word, {1: "error", 2: "warning", 3: "faint"}[alert.tier])  # type: ignore[arg-type]
        outer = QHBoxLayout(self)
        outer.setContentsMargins(12, 8 if alert.tier < 3 else 2, 12, 8 if alert.tier < 3 else 2)
        outer.setSpacing(10)
        outer.addLayout(column(picture, None))
        inner = QVBoxLayout()
        inner.setSpacing(4)
        outer.addLayout(inner, 1)
        self.evidence = label(_without_addresses(evidence(alert)), "soft" if alert.tier < 3 else "faint", wrap=True, selectable=True)
        self.evidence.setToolTip(evidence(alert))
        if alert.tier < 3:
            inner.addWidget(self.word)
            inner.addWidget(label(alert.sentence, "heading" if alert.tier == 1 else "body", wrap=True, selectable=True))
            if alert.advice:
                inner.addWidget(label(alert.advice, "body", wrap=True, selectable=True))
            inner.addWidget(self.evidence)
        else:
            self._inform(inner)
        self._group = QButtonGroup(self)
        self.reasons: dict[str, QPushButton] = {}
        self.typed = QLineEdit()
        self.confirm = _NotByEnter("Prescribe all the same")
        if alert.tier < 3:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            if reason is not None and not (alert.tier == 1 and lacks(alert, reason)):
                inner.addLayout(self._settled(reason))
            else:
                inner.addLayout(self._asking(theme))

    def _inform(self, inner: QVBoxLayout) -> None:
        """Information takes one line; what it rests on opens below it."""
        words = " ".join(part for part in (f"{self.word.text()}: {self.alert.sentence}", self.alert.advice) if part)
        more = button("Details", variant="link", tip=evidence(self.alert))
        more.setCheckable(True)
        more.setAccessibleName(f"What this rests on: {self.alert.sentence}")
        more.toggled.connect(self.evidence.setVisible)
        line = QHBoxLayout()
        line.addWidget(label(words, "soft", wrap=True, selectable=True), 1)
        line.addWidget(more, 0, Qt.AlignmentFlag.AlignTop)
        inner.setSpacing(0)
        inner.addLayout(line)
        inner.addWidget(self.evidence)
        self.evidence.hide()

    def _settled(self, reason: GivenReason) -> QHBoxLayout:
        said = REASONS[reason.reason] + (f": {reason.words}" if reason.words else "")
        line = QHBoxLayout()
        line.addWidget(label(f"Prescribed all the same. {said}", "soft", wrap=True), 1)
        self.back = button("Take back", lambda: self.taken_back.emit(self.about), variant="link")
        line.addWidget(self.back, 0, Qt.AlignmentFlag.AlignTop)
        return line

    def _asking(self, theme: Theme) -> QVBoxLayout:
        grid = QGridLayout()
        grid.setSpacing(6)
        for number, code in enumerate(reasons_for(self.alert)):
            choice = button(f"{number + 1}  {REASONS[code]}", partial(self._press, code), tip=f"Key {number + 1}")
            choice.setCheckable(True)
            choice.setObjectName(f"reason {code} {self.about}")
            self._group.addButton(choice)
            self.reasons[code] = choice
            grid.addWidget(choice, number // _COLUMNS, number % _COLUMNS)
        whole = QVBoxLayout()
        whole.setSpacing(6)
        whole.addWidget(label("Why prescribe it all the same?" if self.alert.tier == 1 else "Reason, if you prescribe it:", "label"))
        whole.addLayout(grid)
        if self.alert.tier == 1:
            self.typed.setPlaceholderText("In words, at least one")
            self.typed.setAccessibleName("The reason in words")
            self.typed.setMaxLength(LONGEST)
            self.typed.setProperty(HOLDS_REFRESH, "true")
            self.typed.textChanged.connect(self._ready)
            self.confirm.setProperty("variant", "danger")
            self.confirm.setAutoDefault(False)
            self.confirm.setToolTip("Confirm the reason  (space bar)")
            self.confirm.clicked.connect(self._confirmed)
            self.drop = button("Rather not", self.cancelled.emit, icon="remove", theme=theme, tip="Take the medicine off  (Esc)")
            foot = QHBoxLayout()
            foot.addWidget(self.typed, 1)
            foot.addWidget(self.drop)
            foot.addWidget(self.confirm)
            whole.addLayout(foot)
            self._ready()
        return whole

    @property
    def chosen(self) -> str:
        """The code of the reason that is pressed; empty while none is."""
        return next((code for code, choice in self.reasons.items() if choice.isChecked()), "")

    def _press(self, code: str) -> None:
        if code == "allergy_wrong":
            self.allergy_wrong.emit()
        if self.alert.tier == 2:
            self.given.emit(GivenReason(self.about, code, confirmed=True))
        else:
            self._ready()
            self.typed.setFocus()

    def _ready(self) -> None:
        wanted = GivenReason(self.about, self.chosen, self.typed.text(), confirmed=True)
        self.confirm.setEnabled(not lacks(self.alert, wanted))

    def _confirmed(self) -> None:
        wanted = GivenReason(self.about, self.chosen, self.typed.text().strip(), confirmed=True)
        if not lacks(self.alert, wanted):
            self.given.emit(wanted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        codes = list(self.reasons)
        number = event.key() - Qt.Key.Key_1
        if event.key() == Qt.Key.Key_Escape and self.reasons:
            self._escape()
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.accept()  # never an answer
        elif 0 <= number < len(codes) and not self.typed.hasFocus():
            self.reasons[codes[number]].click()
        else:
            super().keyPressEvent(event)

    def _escape(self) -> None:
        """Esc takes back what was begun; when nothing was, it takes the medicine off."""
        if self.chosen or self.typed.text():
            self._group.setExclusive(False)
            for choice in self.reasons.values():
                choice.setChecked(False)
            self._group.setExclusive(True)
            self.typed.clear()
            self._ready()
            self.setFocus()
        elif self.alert.tier == 1:
            self.cancelled.emit()


class _NotByEnter(QPushButton):
    """A button that only the mouse and the space bar press."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            event.accept()
            return
        super().keyPressEvent(event)
