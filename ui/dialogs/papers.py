"""The sheets of papers: what to write on a sick note, referral letter or visit summary, and why a paper is cancelled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox, QDialog, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.canonical import KINDS
from clinicdesk.services import papers
from clinicdesk.services.papers import FIELDS, LIMIT, PaperDraft, PaperRow
from ui.desk import Desk
from ui.widgets.fields import day_field
from ui.widgets.form import Form
from ui.widgets.pdf_preview import PdfPreview
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label

_HINTS = {
    "SN": "The diagnosis stands on the note only when you tick it.",
    "RL": "Allergies are added from the chart, as they are there.",
    "VS": "Written for the patient: taken from the signed visit, change what she should read in other words.",
}
_HEIGHTS = {"SN": 600, "RL": 680, "VS": 800}
_PLACEHOLDERS = {"whom": "Name, speciality, hospital", "why": "What you ask of the colleague", "unfit": "work, school, sport"}


class PaperSheet(Sheet):
    """A new paper. `number` is set once it is issued."""

    def __init__(self, desk: Desk, kind: str, patient_id: str, parent: QWidget | None = None) -> None:
        title = KINDS[kind][0]
        super().__init__(desk, title, "Sign and issue", parent=parent, key=f"paper-{kind}", size=QSize(680, _HEIGHTS[kind]),
                         explanation=_HINTS[kind], scroll=True)
        self.kind, self.number = kind, ""
        self._patient_id, self._consultation = patient_id, 0
        self.preview_window: QDialog | None = None
        form = self.set_form(Form(columns=2))
        for name, caption, needed in FIELDS[kind]:
            if name == "days":
                today = desk.now().date()
                form.add("first", "From", day_field(today, "First day"))
                form.add("last", "To", day_field(today + timedelta(days=2), "Last day"))
            elif name in {"unfit", "whom", "reason"}:
                form.text(name, caption, limit=200, placeholder=_PLACEHOLDERS.get(name, ""), optional=not needed, span=2)
            elif name == "diagnosis":
                form.check("with_diagnosis", "Write the diagnosis on the note", span=2)
                form.paragraph(name, caption, limit=LIMIT, optional=True, lines=2)
            elif name != "allergies":
                form.paragraph(name, caption, limit=LIMIT, placeholder=_PLACEHOLDERS.get(name, ""), optional=not needed, lines=3)
        self.preview_button = button("Preview", self.preview, icon="show", theme=desk.theme)
        self.left.addWidget(self.preview_button)
        form.mark_clean()
        self.verb_button.setEnabled(False)
        self.preview_button.setEnabled(False)
        desk.ask(self, _begun, patient_id, kind, done=self._begin, failed=self.show_problem, replaces="begin")

    def _begin(self, found: tuple[int, dict[str, str]]) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        self._consultation, texts = found
        typed = self.form.values()
        self.form.set_values({name: text for name, text in texts.items() if name in typed and not typed[name]})
        self.form.mark_clean()
        self.verb_button.setEnabled(True)
        self.preview_button.setEnabled(True)
        self.form.editor(FIELDS[self.kind][0][0]).setFocus()

    def draft(self) -> PaperDraft:
        """What was typed."""
        assert self.form is not None  # noqa: S101
        values = self.form.values()
        texts = {name: str(values[name]) for name, _caption, _needed in FIELDS[self.kind] if name in values}
        return PaperDraft(self.kind, texts, values.get("first"), values.get("last"), with_diagnosis=bool(values.get("with_diagnosis")))

    def preview(self) -> None:
        """The paper as it would be, in a window of its own; a field that is wrong says so here."""
        self.clear_problem()
        self.desk.ask(self, papers.preview, self._consultation, self.draft(), done=self._show_preview, failed=self.show_problem,
                      replaces="preview")

    def clear_problem(self) -> None:
        """Forget what was refused before."""
        if self.form is not None:
            self.form.clear_errors()

    def _show_preview(self, pdf: bytes) -> None:
        window = QDialog(self)
        window.setWindowTitle(f"Preview: {KINDS[self.kind][0]}")
        shown = PdfPreview(self.desk.theme, self.desk.pool)
        shown.print_button.hide()
        shown.save_button.hide()
        lines = QVBoxLayout(window)
        lines.addWidget(label("Not signed and not issued yet.", "soft"))
        lines.addWidget(shown, 1)
        window.resize(QSize(700, 780))
        shown.show_pdf(pdf, "preview.pdf")
        self.preview_window = window
        window.open()

    def submit(self) -> None:
        """Sign and store it."""
        self.desk.do(self, papers.issue, self._consultation, self.draft(), done=self._done, failed=self.show_problem)

    def _done(self, number: str) -> None:
        self.number = number
        self.accept()


class CancelPaperSheet(Sheet):
    """Cancel a paper for good; `again` says whether its lines are to be prescribed once more."""

    def __init__(self, desk: Desk, paper: PaperRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, f"Cancel this {paper.title.lower()}?", "Cancel this paper", parent=parent, key="cancel-paper",
                         size=QSize(560, 330), variant="danger",
                         explanation=f"{paper.number}. This cannot be taken back. A paper already in somebody's hands stays there: "
                                     "tell the patient and the pharmacy, and give them a new trust list.")
        self.cancel_button.setText("Keep it")
        self._paper = paper
        form = self.set_form(Form())
        form.text("reason", "Reason", limit=papers.REASON_LIMIT, placeholder="Why does it no longer count?")
        self._tick: QCheckBox | None = None
        if paper.kind == "RX":
            self._tick = form.check("again", "Prescribe the same lines again, to be changed and signed")
        form.mark_clean()
        form.editor("reason").setFocus()

    @property
    def again(self) -> bool:
        """Whether to prescribe the same lines again."""
        return self._tick is not None and self._tick.isChecked()

    def submit(self) -> None:
        """Cancel it."""
        assert self.form is not None  # noqa: S101
        reason = str(self.form.value("reason"))
        if len(reason.strip()) < 3:
            self.show_problem(Invalid("reason", "Say why it no longer counts."))
            return
        self.desk.do(self, papers.cancel, self._paper.number, reason, done=lambda _none: self.accept(), failed=self.show_problem)


def _begun(session: Any, patient_id: str, kind: str) -> tuple[int, dict[str, str]]:
    """The consultation a new paper belongs to, and what the record already says; runs on a worker."""
    consultation = papers.source_for(session, patient_id, kind)
    return consultation, papers.suggested(session, consultation, kind)
