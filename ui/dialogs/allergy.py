"""Record or correct an allergy or intolerance, end an entry, or state that none is known."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QCompleter, QLineEdit, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import chart, risks
from clinicdesk.services.chart import AllergyRow
from clinicdesk.services.risks import SOURCES, VERIFIED, AllergyForm
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet

CHECKED = "Prescriptions are checked against it"
FREE_TEXT = "Free text: prescriptions are not checked against it"


class AllergySheet(Sheet):
    """One entry: substance, what happened, how bad, since when, from whom, how sure. `told`: what the patient said, read beside it."""

    def __init__(self, desk: Desk, patient_id: str, row: AllergyRow | None = None, *, told: str = "",
                 parent: QWidget | None = None) -> None:
        super().__init__(desk, "Correct this entry" if row else "Add an allergy or intolerance", "Save" if row else "Add", parent=parent,
                         key="allergy", size=QSize(520, 480), explanation=f"Told at registration: {told}" if told else "")
        self._patient_id, self._row = patient_id, row
        form = self.set_form(Form(columns=2))
        substance = form.text("substance", "Drug or substance", limit=200, span=2, hint="Choose a name of the list where there is one")
        form.text("reaction", "Past reactions", limit=300, optional=True, span=2,
                  hint="Together: rash + fever. At different times: rash, vomiting")
        form.choice("category", "Type", (("allergy", "Allergy"), ("intolerance", "Intolerance")))
        form.choice("severity", "Severity", (("mild", "Mild"), ("moderate", "Moderate"), ("severe", "Severe")), blank="Not known")
        form.text("noted", "Noted on", optional=True)
        form.choice("source", "Known from", [(key, words.capitalize()) for key, words in SOURCES.items()], blank="Not recorded")
        form.choice("verification", "How sure", [(key, words.capitalize()) for key, words in VERIFIED.items() if key != "refuted"])
        if row is not None:
            form.set_values({"substance": row.substance, "reaction": row.reaction, "category": row.category, "severity": row.severity,
                             "noted": clinical_date(row.noted_on) if row.noted_on else "", "source": row.source,
                             "verification": row.verification})
        form.mark_clean()
        substance.textChanged.connect(self._ask_whether_checked)
        substance.setFocus()
        desk.ask(self, risks.substances, done=self._offer, failed=lambda _error: None, replaces="substances")
        self._ask_whether_checked(substance.text())

    def submit(self) -> None:
        """Record it."""
        assert self.form is not None  # noqa: S101  built in __init__
        form = AllergyForm(**{name: str(value or "") for name, value in self.form.values().items()})
        if self._row is None:
            self.desk.do(self, risks.add_allergy, self._patient_id, form, done=lambda _id: self.accept(), failed=self.show_problem)
        else:
            self.desk.do(self, risks.change_allergy, self._row.id, self._row.version, form, done=lambda _none: self.accept(),
                         failed=self.show_problem)

    def _offer(self, names: list[str]) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        editor = self.form.editor("substance")
        if isinstance(editor, QLineEdit):
            completer = QCompleter(names, self)
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
            completer.setFilterMode(Qt.MatchFlag.MatchStartsWith)
            editor.setCompleter(completer)

    def _ask_whether_checked(self, text: str) -> None:
        if text.strip():
            self.desk.ask(self, risks.is_checked, text, done=self._say_whether_checked, failed=lambda _error: None, replaces="checked")

    def _say_whether_checked(self, checked: bool) -> None:  # noqa: FBT001  an answer
        assert self.form is not None  # noqa: S101  built in __init__
        self.form.set_hint("substance", CHECKED if checked else FREE_TEXT)


class EndAllergySheet(Sheet):
    """An entry no longer holds, or never did."""

    def __init__(self, desk: Desk, row: AllergyRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, f"End the entry “{row.substance}”", "End this entry", parent=parent, key="end-allergy", variant="danger",
                         size=QSize(480, 300), explanation="The entry stays as history with your reason. The checks no longer use it.")
        self._row = row
        form = self.set_form(Form())
        form.choice("how", "Why does it end?", (("ended", "It no longer holds"), ("refuted", "It was never one: refuted")))
        form.text("reason", "Reason", limit=300, placeholder="For example: tolerated amoxicillin under observation")
        form.mark_clean()
        form.editor("reason").setFocus()

    def submit(self) -> None:
        """End it."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(self, risks.end_allergy, self._row.id, self._row.version, self.form.value("reason"),
                     refuted=self.form.value("how") == "refuted", done=lambda _none: self.accept(), failed=self.show_problem)


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
