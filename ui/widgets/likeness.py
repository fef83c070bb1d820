"""Who might be the person being typed: a card that appears below a form, with the score, why, and the two answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.duplicates import Candidate
from ui.widgets.arranging import emptied
from ui.widgets.form import announce
from ui.widgets.patient_hit import patient_line
from ui.widgets.text import Elided, button, label, row

#: More than these are never shown: a form is no place to read a list.
MOST = 2


class LikelyPeople(QFrame):
    """Signals: `open_requested(patient id)`, `different(patient id)`. Hidden while there is nobody to show."""

    open_requested = Signal(str)
    different = Signal(str)

    def __init__(self, zone: tzinfo, *, can_open: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("card", "accent")
        self.setAccessibleName("Might be the same person")
        self._zone, self._can_open = zone, can_open
        self.candidates: tuple[Candidate, ...] = ()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 8, 12, 8)
        outer.setSpacing(4)
        self.heading = label("Might be the same person", "heading")
        outer.addWidget(self.heading)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        outer.addLayout(self._lines)
        self.hide()

    def show_candidates(self, found: Sequence[Candidate]) -> None:
        """Replace who is shown; the same people in the same order change nothing, so that no button moves under the pointer."""
        shown = tuple(found[:MOST])
        if shown == self.candidates:
            return
        fresh = {c.row.id for c in shown} - {c.row.id for c in self.candidates}
        self.candidates = shown
        emptied(self._lines)
        for candidate in shown:
            self._lines.addWidget(self._line(candidate))
        more = len(found) - len(shown)
        self.heading.setText("Might be the same person" + (f" ({more} more below these)" if more > 0 else ""))
        self.setVisible(bool(shown))
        if fresh:
            announce(self, f"Might be the same person: {patient_line(shown[0].row)}")

    def _line(self, candidate: Candidate) -> QWidget:
        made = QWidget()
        lines = QVBoxLayout(made)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.setSpacing(2)
        patient = candidate.row
        last = f"last visit {clinical_date(patient.last_visit, self._zone)}" if patient.last_visit else "no visit yet"
        who = Elided(f"{patient_line(patient)}  ·  {last}{'  ·  archived' if patient.archived else ''}")
        who.setProperty("role", "heading")
        score = label(f"{candidate.score} of 100", "warning")
        score.setToolTip("How likely this is the same person: every reason below adds or takes points")
        why = label(". ".join(candidate.reasons) + ".", "soft", wrap=True)
        other = button("It is somebody else", partial(self.different.emit, patient.id), variant="quiet",
                       tip="Keep both records; nobody is asked about these two again")
        lines.addLayout(_stretched(who, score))
        lines.addWidget(why)
        answers: list[QWidget] = [other]
        if self._can_open:
            answers.insert(0, button("Open this record", partial(self.open_requested.emit, patient.id),
                                     tip="Leave this form and show the record that exists"))
        for one in answers:
            one.setAccessibleName(f"{one.text()}: {patient.last_name}, {patient.first_name}")  # type: ignore[attr-defined]
        line = row(*answers, None)
        line.setAlignment(Qt.AlignmentFlag.AlignLeft)
        lines.addLayout(line)
        return made


def _stretched(first: QWidget, *others: QWidget) -> QHBoxLayout:
    line = row(first, *others)
    line.setStretch(0, 1)
    return line
