"""Put a problem on a patient's list."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import chart
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class ProblemSheet(Sheet):
    """One problem in words."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add a problem", "Add", parent=parent, key="problem", size=QSize(460, 240))
        self._patient_id = patient_id
        form = self.set_form(Form())
        form.text("description", "Problem", limit=300, placeholder="For example: essential hypertension")
        form.mark_clean()
        form.editor("description").setFocus()

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(
            self,
            chart.add_problem,
            self._patient_id,
            self.form.value("description"),
            done=lambda _id: self.accept(),
            failed=self.show_problem,
        )
