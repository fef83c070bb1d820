"""Immunizations in the summary of the chart."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.services import immunizations
from clinicdesk.services.immunizations import ImmunizationRow
from ui.desk import Desk
from ui.dialogs.immunization import ImmunizationSheet
from ui.widgets.section import Section
from ui.widgets.text import button, icon_button, label


class ImmunizationsSection(Section):
    """What was given, and in words what was not."""

    def __init__(self, desk: Desk, patient_id: str, rows: Sequence[ImmunizationRow]) -> None:
        super().__init__("Immunizations", card="surface")
        self.desk, self._patient_id = desk, patient_id
        for one in rows:
            self.body.addWidget(self._line(one))
        if not rows:
            self.body.addWidget(label("No immunizations recorded.", "faint"))
        if desk.me.role == "doctor":
            self.add_button = button("Add immunization", self._add, variant="quiet", icon="add", theme=desk.theme)
            self.add_button.setObjectName("add-immunization")
            self.tools.addWidget(self.add_button)

    def _line(self, one: ImmunizationRow) -> QWidget:
        line = QWidget()
        outer = QHBoxLayout(line)
        outer.setContentsMargins(0, 0, 0, 0)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(label(one.vaccine, "faint" if one.wrong else "body", wrap=True, selectable=True))
        words.addWidget(label(one.line, "warning" if one.status == "not_done" and not one.wrong else "soft", wrap=True, selectable=True))
        outer.addLayout(words, 1)
        if not one.wrong and self.desk.me.role == "doctor":
            tool = icon_button(self.desk.theme, "remove", f"{one.vaccine} was entered in error", partial(self._mark_wrong, one))
            outer.addWidget(tool, 0, Qt.AlignmentFlag.AlignTop)
        return line

    def _mark_wrong(self, one: ImmunizationRow) -> None:
        """No question before it: the entry stays where it is, marked, and can be entered again."""
        self.desk.do(self, immunizations.mark_wrong, one.id, one.version,
                     done=lambda _none: self.desk.tell(f"{one.vaccine} is marked as entered in error."))

    def _add(self) -> None:
        ImmunizationSheet(self.desk, self._patient_id, parent=self.window()).open()
