"""Undo and redo for the desk: Ctrl+Z, Ctrl+Y, the toast's button, and the list of what can be taken back. What it means is in
`services.undoing`; here it is asked for and said."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import undoing
from clinicdesk.services.schedule import DeskAction, Settled
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.widgets.arranging import emptied, focus_kept, scrolled
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


def take_back(desk: Desk, action_id: int | None = None) -> None:
    """Undo one thing, or the newest; says what was taken back, or why not."""
    desk.do(desk, undoing.undo, action_id, done=lambda settled: _said(desk, settled, "Undone"))


def do_again(desk: Desk, action_id: int | None = None) -> None:
    """Redo one thing, or what was undone last."""
    desk.do(desk, undoing.redo, action_id, done=lambda settled: _said(desk, settled, "Done again"))


def _said(desk: Desk, settled: Settled, word: str) -> None:
    if settled.refused:
        what = "be undone" if word == "Undone" else "be done again"
        desk.problem.emit(Invalid("", f"{settled.words}: this cannot {what}. {settled.refused}"))
    else:
        desk.tell(f"{word}: {settled.words}.")


class UndoList(Sheet):
    """What I did in the last week, newest first, each line with what can be done about it."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, "What you did", "Close", parent=parent, key="undo-list", size=QSize(640, 520), variant="",
                         explanation="Ctrl+Z takes back the newest thing, Ctrl+Y does it again. Patients are told of a change three minutes"
                                     " after it, unless it was taken back.")
        self.cancel_button.hide()
        self.lines: list[DeskAction] = []
        self._list = QVBoxLayout()
        self.body.addWidget(scrolled(self._list, margins=(0, 0, 8, 0), spacing=0), 1)
        self._live = RefreshWhenShown(self, desk.live, ("actions",), self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Read the list again."""
        self.desk.ask(self, undoing.actions, done=self._show, replaces="actions")

    def _show(self, found: list[DeskAction]) -> None:
        self.lines = found
        with focus_kept(self):
            self._fill(found)

    def _fill(self, found: list[DeskAction]) -> None:
        emptied(self._list)
        if not found:
            words = "Nothing yet. Bookings, moves, check-ins and cancellations you make are listed here."
            self._list.addWidget(label(words, "faint", wrap=True))
        for number, action in enumerate(found):
            self._list.addWidget(self._line(action, first=number == 0))
        self._list.addStretch(1)

    def _line(self, action: DeskAction, *, first: bool) -> QWidget:
        frame = QFrame()
        frame.setProperty("row", "true")
        frame.setAccessibleName(action.words)
        at = action.at.astimezone(self.desk.zone)
        today = at.date() == self.desk.now().date()
        words = label(action.words, "body" if action.state == "done" else "faint", wrap=True)
        moment: QLabel = label(clinical_time(at) if today else f"{clinical_date(at.date())[:6]} {clinical_time(at)}", "soft")
        moment.setFixedWidth(92)
        moment.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        text = QVBoxLayout()
        text.setSpacing(2)
        text.addWidget(words)
        if action.note:
            text.addWidget(label(action.note, "warning", wrap=True))
        elif action.state == "undone" and not action.again:
            text.addWidget(label("Undone", "faint"))
        text.addStretch(1)
        text.setContentsMargins(0, 6, 0, 0)
        moment.setContentsMargins(0, 6, 0, 0)
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 8, 0, 8)
        row.setSpacing(12)
        row.addWidget(moment)
        row.addLayout(text, 1)
        if action.state in {"done", "refused"}:
            tip = "Take this back  (Ctrl+Z takes back the newest)" if first else "Take this back"
            verb = "Undo" if action.state == "done" else "Try again"
            row.addWidget(self._named(button(verb, lambda: take_back(self.desk, action.id), tip=tip), action), 0, Qt.AlignmentFlag.AlignTop)
        elif action.again:
            again = button("Redo", lambda: do_again(self.desk, action.id), tip="Do this again")
            row.addWidget(self._named(again, action), 0, Qt.AlignmentFlag.AlignTop)
        return frame

    @staticmethod
    def _named(made: QPushButton, action: DeskAction) -> QPushButton:
        """Known by its line, so that Undo that became Redo keeps the keys."""
        made.setObjectName(f"action {action.id}")
        return made
