"""Record a vaccination, given here or reported, or one that was not done."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QComboBox, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import immunizations
from clinicdesk.services.immunizations import REASONS, ROUTES, SITES, SOURCES, NewImmunization
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


def _suggesting(words: tuple[str, ...]) -> QComboBox:
    box = QComboBox()
    box.setEditable(True)
    box.addItems(["", *words])
    return box


class ImmunizationSheet(Sheet):
    """One vaccination. A month or a year is enough for what lies long ago."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add an immunization", "Add", parent=parent, key="immunization", size=QSize(600, 660), scroll=True)
        self._patient_id = patient_id
        form = self.set_form(Form(columns=2))
        form.text("vaccine", "Vaccine", limit=200, span=2, placeholder="For example: tetanus and diphtheria, adult")
        form.text("given", "Date", hint="A day, or a month or year: Nov 2019, 2019")
        form.choice("reason", "Was it given?", [(key, f"Not given: {words}") for key, words in REASONS.items()], blank="Given")
        form.choice("source", "Known from", list(SOURCES.items()))
        form.text("dose_number", "Dose number", optional=True)
        form.text("lot", "Lot", limit=40, optional=True)
        form.add("site", "Site", _suggesting(SITES), optional=True)
        form.add("route", "Route", _suggesting(ROUTES), optional=True)
        form.text("given_by", "Given by", limit=120, optional=True)
        form.text("cvx", "CVX code", optional=True)
        form.text("note", "Note", limit=500, optional=True, span=2)
        form.set_values({"given": clinical_date(desk.now(), desk.zone), "given_by": desk.me.name})
        form.editor("vaccine").setFocus()

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        new = NewImmunization(**{name: str(value or "") for name, value in self.form.values().items()})
        self.desk.do(self, immunizations.add, self._patient_id, new, done=lambda _id: self.accept(), failed=self.show_problem)
