"""The consultation editor: notes, vitals, prescription; saves itself, completes once. Nothing here is lost by a refused save."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from clinicdesk.errors import ChangedElsewhere, Invalid, VisitSigned
from clinicdesk.rules.ages import age_text, years
from clinicdesk.rules.formats import SEXES
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import consultations, drafts
from clinicdesk.services.consultations import Completed, ConsultationSheet
from clinicdesk.services.drafts import ConsultationDraft, SavedDraft
from ui.consultation.notes import NotesForm
from ui.consultation.prescribing import PrescriptionList
from ui.consultation.vitals_form import VitalsForm
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.arranging import scrolled
from ui.widgets.section import Section
from ui.widgets.text import button, label, restyle

#: A draft is on the server this long after a key at the latest, plus the way there.
SAVE_MS = 1_500
RETRY_MS = 3_000


class ConsultationEditor(QWidget):
    """Edits one consultation.

    Signals: `completed(Completed)`; `saved()` after each draft that reached the server; `refused(Exception)` when it waits for a
    decision of the doctor; `closed()` when she is done with a consultation that was signed in another window.
    """

    completed = Signal(object)
    saved = Signal()
    refused = Signal(object)
    closed = Signal()

    def __init__(self, desk: Desk, formulary: Formulary, sheet: ConsultationSheet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.sheet = desk, sheet
        self._version = sheet.saved.version
        self._stored = sheet.saved.draft
        self._saving = self._completing = self._conflict = self._signed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.save)
        self.notes, self.vitals = NotesForm(desk, _fields(desk, sheet)), VitalsForm()
        self.prescription = PrescriptionList(desk, formulary)
        self.vitals.age_years = years(sheet.banner.born, datetime.now(self.desk.zone).date())
        body = QVBoxLayout()
        for title, widget in (("Notes", self.notes), ("Vital signs", self.vitals), ("Prescription", self.prescription)):
            section = Section(title, card="surface")
            section.body.addWidget(widget)
            body.addWidget(section)
        body.addStretch(1)
        self._area = scrolled(body, margins=(16, 12, 16, 16), spacing=16)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._area, 1)
        outer.addWidget(self._foot())
        self._fill(sheet.saved.draft)
        for part in (self.notes, self.vitals, self.prescription):
            part.changed.connect(self._edited)
        self._say_state("Draft saved" if sheet.saved.saved_at else "Nothing written yet", sheet.saved.saved_at)

    def _foot(self) -> QWidget:
        foot = QFrame()
        foot.setProperty("card", "surface")
        self.state = label("", "soft", wrap=True)
        self.state.setAccessibleName("Draft")
        self.take_theirs = button("Show the other version", self._take_theirs)
        self.keep_mine = button("Keep what is here", self._keep_mine)
        self.close_button = button("Close", self.closed.emit)
        self.complete_button = button(
            "Complete visit",
            self.complete,
            variant="primary",
            icon="finish",
            theme=self.desk.theme,
            tip="Sign and complete the visit  (F9)",
        )
        line = QHBoxLayout(foot)
        line.setContentsMargins(16, 8, 16, 8)
        line.addWidget(self.state, 1)
        for choice in (self.take_theirs, self.keep_mine, self.close_button):
            choice.hide()
            line.addWidget(choice)
        line.addWidget(self.complete_button)
        return foot

    def draft(self) -> ConsultationDraft:
        """Everything as it stands in the fields."""
        return self.vitals.into(ConsultationDraft(notes=self.notes.notes(), items=self.prescription.items()))

    @property
    def unsaved(self) -> bool:
        """Whether something typed has not reached the server and still can."""
        return not self._signed and self.draft() != self._stored

    @property
    def at_rest(self) -> bool:
        """Nothing to save and nothing on its way: it may go."""
        return not (self._saving or self._completing or self.unsaved)

    def _fill(self, draft: ConsultationDraft) -> None:
        self.notes.fill(draft.notes)
        self.vitals.fill(draft)
        self.prescription.fill(draft.items)

    def _edited(self) -> None:
        if not self._timer.isActive() and not self._conflict and not self._signed:
            self._timer.start(SAVE_MS)

    def save(self) -> None:
        """Send the draft unless one is on its way or nothing changed."""
        if self._saving or self._conflict or self._completing or not self.unsaved:
            return
        draft = self.draft()
        self._saving = True

        def done(version: int) -> None:
            self._saving, self._version, self._stored = False, version, draft
            self._say_state("Draft saved", datetime.now(self.desk.zone))
            self.saved.emit()
            if self.unsaved:
                self._edited()

        def failed(error: Exception) -> None:
            self._saving = False
            if self._settled(error, draft):
                return
            self._say_state(f"Not saved yet. {explain(error).text}", None, problem=True)
            self._timer.start(RETRY_MS)

        self.desk.do(self, drafts.save, self.sheet.id, draft, self._version, done=done, failed=failed)

    def complete(self) -> None:
        """Sign and complete with exactly what stands here; a refusal marks its field and nothing is lost."""
        if self._completing or self._conflict or self._signed:
            return
        if self._saving:
            QTimer.singleShot(50, self, self.complete)
            return
        draft, focus = self.draft(), self.focusWidget()
        self._completing = True
        self._timer.stop()
        self._hold(still=True)

        def done(result: Completed) -> None:
            self._completing, self._stored = False, draft
            self.completed.emit(result)

        def failed(error: Exception) -> None:
            self._completing = False
            self._hold(still=False)
            if focus is not None and isValid(focus) and self.isVisible():
                focus.setFocus()
            if self._settled(error, draft):
                return
            self._point_at(error)
            self._edited()
            self.refused.emit(error)

        self.desk.do(self, consultations.complete, self.sheet.id, draft, self._version, done=done, failed=failed)

    def _hold(self, *, still: bool) -> None:
        """Nothing can be typed while it is being signed: it would be in nobody's record."""
        self._area.setEnabled(not still)
        self.complete_button.setEnabled(not still)

    def _point_at(self, error: Exception) -> None:
        if isinstance(error, Invalid):
            shown = (
                self.notes.show_problem(error.field, error.sentence)
                or self.vitals.show_problem(error)
                or self.prescription.show_problem(error)
            )
            if shown and (focus := self.focusWidget()) is not None:
                self._area.ensureWidgetVisible(focus, 40, 120)
        self._say_state(f"Not completed. {explain(error).text}", None, problem=True)

    def _settled(self, error: Exception, sent: ConsultationDraft) -> bool:
        """Whether a refusal of `sent` was about another window, and the doctor is being asked."""
        if isinstance(error, VisitSigned):
            self._is_signed(error)
        elif isinstance(error, ChangedElsewhere):
            self._conflict = True
            self._timer.stop()
            self.desk.ask(
                self,
                drafts.load,
                self.sheet.id,
                done=lambda saved: self._settle(saved, theirs=False) if saved.draft == sent else self._ask_which(error),
                failed=lambda _e: self._ask_which(error),
                replaces="draft",
            )
        else:
            return False
        return True

    def _is_signed(self, error: Exception) -> None:
        """Signed in another window, or here with the answer lost on its way: what is typed stays to be read and copied."""
        self._signed = True
        self._timer.stop()
        self.notes.set_read_only()
        self.vitals.setEnabled(False)
        self.prescription.setEnabled(False)
        self.complete_button.hide()
        self.close_button.show()
        words = "This visit is signed already. Compare it with “Visits”: what stands only here is in no record."
        self._say_state(words, None, problem=True)
        self.refused.emit(error)

    def _ask_which(self, error: Exception) -> None:
        """Another window saved this consultation: never overwrite silently, never lose what is here."""
        self.take_theirs.show()
        self.keep_mine.show()
        self._say_state("This consultation was changed in another window. Which text is right?", None, problem=True)
        self.refused.emit(error)

    def _settle(self, saved: SavedDraft, *, theirs: bool) -> None:
        self._conflict = False
        self._version, self._stored = saved.version, saved.draft
        self.take_theirs.hide()
        self.keep_mine.hide()
        if theirs:
            self._fill(saved.draft)
            self._say_state("Draft saved", saved.saved_at)
        else:
            self._edited()
            self._say_state("Saving what is here …", None)

    def _take_theirs(self) -> None:
        self.desk.ask(self, drafts.load, self.sheet.id, done=lambda saved: self._settle(saved, theirs=True), replaces="draft")

    def _keep_mine(self) -> None:
        self.desk.ask(self, drafts.load, self.sheet.id, done=lambda saved: self._settle(saved, theirs=False), replaces="draft")

    def _say_state(self, words: str, at: datetime | None, *, problem: bool = False) -> None:
        self.state.setText(f"{words}, {clinical_time(at, self.desk.zone)}" if at else words)
        restyle(self.state, "role", "error" if problem else "soft")


def _fields(desk: Desk, sheet: ConsultationSheet) -> dict[str, str]:
    """What a template may fill in."""
    banner = sheet.banner
    return {
        "patient": f"{banner.given_name} {banner.family_name}",
        "age": age_text(banner.born, desk.now()),
        "sex": SEXES[banner.sex],
        "born": clinical_date(banner.born),
        "date": clinical_date(desk.now().date()),
        "doctor": desk.me.name,
    }
