"""An allergy entry is wrong: it is ended, and stays as history."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import chart, risks
from clinicdesk.services.chart import AllergyRow, Chart
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class WrongAllergySheet(Sheet):
    """Choose the entry that is wrong."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "An allergy entry is wrong", "End this entry", parent=parent, key="wrong-allergy", variant="danger",
                         size=QSize(480, 330), explanation="The entry is ended today and stays as history. The checks no longer use it.")
        self._rows: dict[int, AllergyRow] = {}
        self.entries = self.set_form(Form())
        self.verb_button.setEnabled(False)
        desk.ask(self, chart.chart, patient_id, done=self._show, failed=self.show_problem, replaces="allergies")

    def _show(self, found: Chart) -> None:
        self._rows = {row.id: row for row in found.allergies}
        self.entries.choice("allergy", "Entry", [(row.id, ", ".join(p for p in (row.substance, row.reaction, row.severity) if p))
                                                 for row in found.allergies], blank="Choose the entry")
        self.entries.text("reason", "Why is it wrong?", limit=300)
        self.entries.mark_clean()
        self.verb_button.setEnabled(bool(self._rows))

    def submit(self) -> None:
        """End it."""
        row = self._rows.get(self.entries.value("allergy") or 0)
        if row is None:
            self.entries.show_error("allergy", "Choose the entry that is wrong.")
            self.set_busy(False)
            return
        self.desk.do(self, risks.end_allergy, row.id, row.version, self.entries.value("reason"), refuted=True,
                     done=lambda _none: self.accept(), failed=self.show_problem)
