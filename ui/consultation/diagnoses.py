"""The diagnoses of a visit: typed words find ICD-10-CM codes, or stand as they are; each may also go on the problem list."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.services import diagnosing
from clinicdesk.services.drafts import DiagnosisDraft
from clinicdesk.storage.diagnosis_codes import DiagnosisCode
from ui.desk import Desk
from ui.live import HOLDS_REFRESH
from ui.widgets.arranging import emptied, focus_kept
from ui.widgets.hits import Hit
from ui.widgets.search_box import SearchBox
from ui.widgets.text import icon_button, label


class DiagnosesForm(QWidget):
    """Signal `changed()` after each edit."""

    changed = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._found: list[DiagnosisDraft] = []
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        self.box = SearchBox(desk, diagnosing.search, _hit, placeholder="Find a diagnosis: words or a code", minimum=2)
        self.box.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
        self.box.setToolTip("ICD-10-CM, without a network. Enter takes the marked one  (Alt+D)")
        self.box.chosen.connect(self._coded)
        self.box.create_requested.connect(self._plain)
        self.box.also = self._also
        self.problem = label("", "error", wrap=True)
        self.problem.hide()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(8)
        outer.addLayout(self._lines)
        outer.addWidget(self.box)
        outer.addWidget(self.problem)

    def diagnoses(self) -> tuple[DiagnosisDraft, ...]:
        """What is chosen, in order."""
        return tuple(self._found)

    def unchosen(self) -> Invalid | None:
        """Words that stand in the find box and were not taken: they look written and would be in no record."""
        words = " ".join(self.box.text().split())
        return Invalid("diagnoses", f"“{words}” is not chosen yet. Take it with Enter, or clear the field.") if words else None

    def fill(self, diagnoses: tuple[DiagnosisDraft, ...]) -> None:
        """Show these."""
        if list(diagnoses) != self._found:
            self._found = list(diagnoses)
            self._draw()

    def show_problem(self, error: Invalid) -> bool:
        """Say below the list what is wrong with one; False when the refusal is about something else."""
        if error.field != "diagnoses":
            return False
        self.problem.setText(error.sentence)
        self.problem.show()
        self.box.setFocus()
        return True

    def remove(self, number: int) -> None:
        """Take one away."""
        del self._found[number]
        self._edited()

    def _also(self, text: str) -> list[Hit]:
        """Own words are always offered below the codes, so that no list keeps a doctor from saying what she means."""
        own = Hit(None, f"Without a code: {text}", "Stands in the record in your words", icon="edit", sure=False)
        return [own] if len(text) > 1 else []

    def _coded(self, code: DiagnosisCode) -> None:
        self._add(DiagnosisDraft(code.code, code.title))

    def _plain(self, text: str) -> None:
        if text.strip():
            self._add(DiagnosisDraft("", " ".join(text.split())))

    def _add(self, one: DiagnosisDraft) -> None:
        if not any((d.code, d.description.casefold()) == (one.code, one.description.casefold()) for d in self._found):
            self._found.append(one)
            self._edited()

    def _listed(self, number: int, on: bool) -> None:  # noqa: FBT001  a slot's argument has no keyword
        self._found[number] = replace(self._found[number], problem=on)
        self.changed.emit()

    def _edited(self) -> None:
        self.problem.hide()
        self._draw()
        self.changed.emit()

    def _draw(self) -> None:
        with focus_kept(self):
            emptied(self._lines)
            for number, one in enumerate(self._found):
                self._lines.addWidget(self._line(number, one))

    def _line(self, number: int, one: DiagnosisDraft) -> QWidget:
        frame = QFrame()
        frame.setProperty("card", "sunken")
        inner = QHBoxLayout(frame)
        inner.setContentsMargins(12, 6, 8, 6)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(one.description, "body", wrap=True, selectable=True))
        words.addWidget(label(one.code or "in your own words", "soft"))
        inner.addLayout(words, 1)
        problem = QCheckBox("Problem list")
        problem.setToolTip("Put it on the patient's problem list when the visit is signed")
        problem.setAccessibleName(f"{one.description} on the problem list")
        problem.setObjectName(f"problem-{number}")
        problem.setChecked(one.problem)
        problem.toggled.connect(partial(self._listed, number))
        inner.addWidget(problem)
        tool = icon_button(self.desk.theme, "remove", f"Remove {one.description}", partial(self.remove, number))
        inner.addWidget(tool)
        frame.setAccessibleName(one.line)
        return frame


def _hit(code: DiagnosisCode) -> Hit:
    return Hit(code, code.title, code.code, icon="chart")
