"""Put a problem on a patient's list, correct it, or end it."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import diagnosing, risks
from clinicdesk.services.chart import ProblemRow
from clinicdesk.services.risks import ProblemForm
from clinicdesk.storage.diagnosis_codes import DiagnosisCode
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.hits import Hit
from ui.widgets.search_box import SearchBox
from ui.widgets.sheet import Sheet


class ProblemSheet(Sheet):
    """One problem: found in ICD-10-CM, or in the doctor's own words."""

    def __init__(self, desk: Desk, patient_id: str, row: ProblemRow | None = None, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Correct this problem" if row else "Add a problem", "Save" if row else "Add", parent=parent, key="problem",
                         size=QSize(500, 360))
        self._patient_id, self._row, self._code = patient_id, row, ""
        form = self.set_form(Form())
        self.box = SearchBox(desk, diagnosing.search, lambda one: Hit(one, one.title, one.code, icon="chart"),
                             placeholder="Find a diagnosis: words or a code", minimum=2)
        self.box.chosen.connect(self._take)
        form.add("find", "ICD-10-CM", self.box, optional=True)
        form.text("description", "Problem", limit=300, placeholder="For example: essential hypertension")
        form.text("started", "Since", optional=True)
        if row is not None:
            form.set_values({"description": row.description, "started": clinical_date(row.started_on) if row.started_on else ""})
            self._keep(row.code)
        form.mark_clean()
        (form.editor("description") if row else self.box).setFocus()

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        form = ProblemForm(self.form.value("description"), self._code, self.form.value("started"))
        if self._row is None:
            self.desk.do(self, risks.add_problem, self._patient_id, form, done=lambda _id: self.accept(), failed=self.show_problem)
        else:
            self.desk.do(self, risks.change_problem, self._row.id, self._row.version, form, done=lambda _none: self.accept(),
                         failed=self.show_problem)

    def _take(self, code: DiagnosisCode) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        self.form.set_value("description", code.title)
        self._keep(code.code)
        self.form.editor("description").setFocus()

    def _keep(self, code: str) -> None:
        """The code stands under the words; numbers alone are codes of an imported system and are not ours to keep."""
        assert self.form is not None  # noqa: S101  built in __init__
        self._code = "" if code.isdigit() else code
        self.form.set_hint("description", f"Code {code}" if code else "")


class EndProblemSheet(Sheet):
    """A problem is over."""

    def __init__(self, desk: Desk, row: ProblemRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, f"End “{row.description}”", "End this problem", parent=parent, key="end-problem", size=QSize(480, 240),
                         explanation="It stays on the list as ended today, with your reason.")
        self._row = row
        form = self.set_form(Form())
        form.text("reason", "Reason", limit=300, placeholder="For example: healed")
        form.mark_clean()
        form.editor("reason").setFocus()

    def submit(self) -> None:
        """End it."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(self, risks.end_problem, self._row.id, self._row.version, self.form.value("reason"),
                     done=lambda _none: self.accept(), failed=self.show_problem)
