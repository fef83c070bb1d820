"""Record an allergy or intolerance, or state that none is known."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import chart
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class AllergySheet(Sheet):
    """One entry: substance, what happened, how bad."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add an allergy or intolerance", "Add", parent=parent, key="allergy", size=QSize(480, 360))
        self._patient_id = patient_id
        form = self.set_form(Form(columns=2))
        form.text("substance", "Drug or substance", limit=200, span=2)
        form.choice("category", "Type", (("allergy", "Allergy"), ("intolerance", "Intolerance")))
        form.choice("severity", "Severity", (("mild", "Mild"), ("moderate", "Moderate"), ("severe", "Severe")), blank="Not known")
        form.text("reaction", "What happened", limit=300, optional=True, span=2)
        form.mark_clean()
        form.editor("substance").setFocus()

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        self.desk.do(
            self,
            chart.add_allergy,
            self._patient_id,
            v["substance"],
            category=v["category"],
            reaction=v["reaction"],
            severity=v["severity"],
            done=lambda _id: self.accept(),
            failed=self.show_problem,
        )


class NoAllergiesSheet(Sheet):
    """The clinician's explicit statement; signed with her name and the time."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(
            desk,
            "No known allergies",
            "State none known",
            parent=parent,
            key="no-allergies",
            size=QSize(460, 200),
            explanation="You asked the patient and no allergy or intolerance is known. "
            "Your name and the time are recorded with this statement.",
        )
        self._patient_id = patient_id

    def submit(self) -> None:
        """Record the statement."""
        self.desk.do(self, chart.state_no_allergies, self._patient_id, done=lambda _none: self.accept(), failed=self.show_problem)
