"""Earlier visits in the chart: what was signed, by whom, and what was added afterwards."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.services import visits
from clinicdesk.services.addendum_texts import AddendumText
from clinicdesk.services.drafts import NOTE_KINDS
from clinicdesk.services.visits import VisitText
from clinicdesk.storage.database import ClinicSession
from ui.desk import Desk
from ui.dialogs.addendum import AddendumSheet
from ui.problems import explain
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.empty import EmptyState
from ui.widgets.section import Section
from ui.widgets.text import button, label

PAGE = 20
MARGINS = (12, 12, 12, 12)


class VisitsView(QWidget):
    """A page of visits at a time, newest first. `texts` is what is shown."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.patient_id = desk, ""
        self.texts: list[VisitText] = []
        self._cards: dict[object, QWidget] = {}
        self.more_button: QPushButton | None = None
        self._column = QVBoxLayout()
        self._wanted: object = None
        self._area = scrolled(self._column, margins=MARGINS)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)

    def show_patient(self, patient_id: str) -> None:
        """Read this patient's visits; nothing of another one stays."""
        if patient_id != self.patient_id:
            emptied(self._column)
            self.texts = []
        self.patient_id = patient_id
        self.desk.ask(self, _page, patient_id, None, done=lambda texts: self._show(texts, fresh=True), failed=self._unreadable,
                      replaces="visits")

    def _show(self, texts: list[VisitText], *, fresh: bool) -> None:
        if fresh:
            emptied(self._column)
            self.texts, self._cards = [], {}
        elif (last := self._column.takeAt(self._column.count() - 1)) is not None and (widget := last.widget()) is not None:
            widget.deleteLater()
        self.more_button = None
        self.texts += texts
        for text in texts:
            self._cards[text.id] = card = self._card(text)
            self._column.addWidget(card)
        if not self.texts:
            self._column.addWidget(EmptyState(self.desk.theme, "No earlier visits.", icon="visits"))
        elif len(texts) == PAGE:
            oldest = (texts[-1].visit_date, texts[-1].id)
            self.more_button = button("Show earlier visits", partial(self._more, oldest))
            self._column.addWidget(self.more_button)
        else:
            self._column.addStretch(1)
        if self._wanted is not None:
            self.show_visit(self._wanted)

    def show_visit(self, visit_id: object) -> None:
        """Scroll to a visit, reading earlier pages until it is there."""
        self._wanted = visit_id
        card = self._cards.get(visit_id)
        if card is not None:
            self._wanted = None
            QTimer.singleShot(0, card, lambda: self._area.verticalScrollBar().setValue(card.y() - 8))
        elif self.texts and self.more_button is not None:
            self.more_button.click()

    def _more(self, before: tuple[datetime, UUID]) -> None:
        self.desk.ask(self, _page, self.patient_id, before, done=lambda texts: self._show(texts, fresh=False), replaces="visits")

    def _unreadable(self, error: Exception) -> None:
        emptied(self._column)
        self._column.addWidget(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))

    def _card(self, text: VisitText) -> QWidget:
        section = Section(f"{clinical_date(text.visit_date, self.desk.zone)}  ·  {text.doctor_name}", card="surface")
        if text.source == "broken":
            section.body.addWidget(
                label("The text of this visit cannot be opened: its seal is broken. Tell the administrator.", "error", wrap=True)
            )
            return section
        if text.source == "database":
            section.tools.addWidget(label("not yet in the archive", "faint"))
        if not text.intact:
            words = "These words are not those that were signed. Do not rely on them. Tell the administrator."
            section.body.addWidget(label(words, "error", wrap=True))
        if text.reason:
            section.body.addWidget(label(text.reason, "soft", wrap=True))
        for kind, title in NOTE_KINDS.items():
            if note := text.notes.get(kind):
                section.body.addWidget(_titled(title, note))
        if text.diagnoses:
            section.body.addWidget(_titled("Diagnoses", "\n".join(text.diagnoses)))
        if text.vitals:
            section.body.addWidget(_titled("Vital signs", "  ·  ".join(f"{name} {value}" for name, value in text.vitals.items())))
        if text.prescription:
            section.body.addWidget(_titled("Prescription", "\n".join(text.prescription)))
        for number, addendum in enumerate(text.addenda, 1):
            section.body.addWidget(self._addendum(number, addendum))
        section.body.addLayout(self._foot(text))
        return section

    def _addendum(self, number: int, addendum: AddendumText) -> QWidget:
        title = f"Addendum {number}  ·  {clinical_moment(addendum.at, self.desk.zone)}  ·  {addendum.author}"
        card = Section(title, card="accent", role="label")
        card.body.addWidget(label(addendum.text, "body", wrap=True, selectable=True))
        return card

    def _foot(self, text: VisitText) -> QVBoxLayout:
        foot = QVBoxLayout()
        if text.signed_at is not None:
            foot.addWidget(label(f"Signed by {text.signed_by} on {clinical_moment(text.signed_at, self.desk.zone)}", "faint", wrap=True))
        if self.desk.me.doctor_id is not None and text.consultation_id:
            add = button("Add an addendum", partial(self._add, text), variant="link")
            add.setAccessibleName(f"Add an addendum to the visit of {clinical_date(text.visit_date, self.desk.zone)}")
            foot.addWidget(add)
        return foot

    def _add(self, text: VisitText) -> None:
        sheet = AddendumSheet(self.desk, text.consultation_id, clinical_date(text.visit_date, self.desk.zone), parent=self.window())
        patient = self.patient_id  # the notice waits while she types in the consultation; her own addendum is shown at once
        sheet.accepted.connect(lambda: self.show_patient(patient) if patient == self.patient_id else None)
        sheet.open()


def _page(session: ClinicSession, patient_id: str, before: tuple[datetime, UUID] | None) -> list[VisitText]:
    """A page of visits with their texts; runs on a worker."""
    return visits.read(session, visits.of_patient(session, patient_id, PAGE, before))


def _titled(title: str, words: str) -> QWidget:
    line = QWidget()
    line.setAccessibleName(f"{title}: {words}")
    inner = QVBoxLayout(line)
    inner.setContentsMargins(0, 0, 0, 0)
    inner.setSpacing(1)
    inner.addWidget(label(title, "label"))
    inner.addWidget(label(words, "body", wrap=True, selectable=True))
    return line
