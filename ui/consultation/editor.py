"""The consultation editor: notes, vitals, prescription; saves itself, completes once. Nothing here is lost by a refused save."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import QPoint, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget
from shiboken6 import isValid

from clinicdesk.errors import ChangedElsewhere, Invalid, VisitSigned
from clinicdesk.rules.ages import age_text, years
from clinicdesk.rules.formats import SEXES
from clinicdesk.rules.formulary import Formulary
from clinicdesk.rules.moments import clinical_date, clinical_moment, clinical_time
from clinicdesk.services import consultations, draft_merging, drafts, journaling
from clinicdesk.services.consultations import Completed, ConsultationSheet
from clinicdesk.services.drafts import ConsultationDraft, SavedDraft
from clinicdesk.storage.journal import Leftover
from ui.consultation.diagnoses import DiagnosesForm
from ui.consultation.journaling import DraftJournal
from ui.consultation.notes import NotesForm
from ui.consultation.prescribing import PrescriptionList
from ui.consultation.vitals_form import VitalsForm
from ui.desk import Desk
from ui.dialogs.two_versions import TwoVersionsSheet
from ui.problems import explain
from ui.widgets.arranging import scrolled
from ui.widgets.section import Section
from ui.widgets.text import button, column, label, restyle
from ui.widgets.toast import KEEP_CLEAR

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
        self._undecided = list(sheet.undecided)
        self._decided: list[Leftover] = []  # decided about, but what was decided is neither on the disk nor on the server yet
        self._ask: Callable[[], object] = lambda: None
        self.versions: TwoVersionsSheet | None = None
        self._journal = DraftJournal(sheet.journal, lambda: (self.draft(), self._stored, self._version), self)
        self._journal.trouble.connect(self._journal_trouble)
        self._saving = self._completing = self._conflict = self._signed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.save)
        self.notes, self.vitals = NotesForm(desk, _fields(desk, sheet)), VitalsForm(desk.theme, years(sheet.banner.born, desk.now().date()))
        self.diagnoses = DiagnosesForm(desk)
        self.prescription = PrescriptionList(desk, formulary, sheet.banner.patient_id, self.draft, sheet.banner.born)
        body = QVBoxLayout()
        for title, widget in (("Notes", self.notes), ("Vital signs", self.vitals), ("Diagnoses", self.diagnoses),
                              ("Prescription", self.prescription)):
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
        for part in (self.notes, self.vitals, self.diagnoses, self.prescription):
            part.changed.connect(self._edited)
        self.vitals.changed.connect(self.prescription.check.weight_changed)
        self.prescription.typed.placed.connect(lambda: QTimer.singleShot(0, self, self._show_typed))
        self._say_state("Draft saved" if sheet.saved.saved_at else "Nothing written yet", sheet.saved.saved_at)
        if self._undecided:
            self._recover()

    def _foot(self) -> QWidget:
        foot = QFrame()
        foot.setProperty("card", "surface")
        foot.setProperty(KEEP_CLEAR, True)  # noqa: FBT003  what refuses to sign is said here
        self.state = label("", "soft", wrap=True)
        self.state.setAccessibleName("Draft")
        self.compare_button = button("Compare …", self.compare, icon="merge", theme=self.desk.theme)
        self.close_button = button("Close", self.closed.emit)
        self.complete_button = button(
            "Complete visit",
            self.complete,
            variant="primary",
            icon="finish",
            theme=self.desk.theme,
            tip="Sign and complete the visit  (F9)",
        )
        self.trouble = label("", "error", wrap=True)
        self.trouble.setAccessibleName("Copy on this computer")
        self.trouble.hide()
        line = QHBoxLayout(foot)
        line.setContentsMargins(16, 8, 16, 8)
        line.addLayout(column(self.state, self.trouble, spacing=2), 1)
        for choice in (self.compare_button, self.close_button):
            choice.hide()
            line.addWidget(choice)
        line.addWidget(self.complete_button)
        return foot

    def draft(self) -> ConsultationDraft:
        """Everything as it stands in the fields."""
        return self.vitals.into(
            ConsultationDraft(notes=self.notes.notes(), items=self.prescription.items(), diagnoses=self.diagnoses.diagnoses(),
                              reasons=self.prescription.reasons())
        )

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
        self.diagnoses.fill(draft.diagnoses)
        self.prescription.fill(draft.items, draft.reasons)  # last: it is checked against the rest

    def _edited(self) -> None:
        self._journal.edited()
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
            self._journal.keep()
            self._drop_decided()
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
        if (unchosen := self.diagnoses.unchosen()) is not None:
            self._point_at(unchosen)
            return
        draft, focus = self.draft(), self.focusWidget()
        self._completing = True
        self._timer.stop()
        self._hold(still=True)

        def done(result: Completed) -> None:
            self._completing, self._stored = False, draft
            self._journal.settled()
            self._drop_decided()
            if journaling.forget(self.sheet.journal, draft, self._version):
                self.desk.tell("Signed. Words of another window that ended are not in it: open this visit again to see them.")
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
                or self.diagnoses.show_problem(error)
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
                done=lambda saved: self._settle(saved, self.draft()) if saved.draft == sent else self._put_together(saved, error),
                failed=lambda _e: self._ask_again(error),
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
        self.diagnoses.setEnabled(False)
        self.complete_button.hide()
        self.close_button.show()
        words = "This visit is signed already. Compare it with “Visits”: what stands only here is in no record."
        self._say_state(words, None, problem=True)
        self.refused.emit(error)

    def _put_together(self, saved: SavedDraft, error: Exception) -> None:
        """Another window saved this consultation: parts only one side changed are put together, else the doctor is asked."""
        mine = self.draft()
        merged = draft_merging.together(self._stored, mine, saved.draft)
        if merged is not None:
            self._settle(saved, merged)
            self._say_state("Put together with what was written in another window", saved.saved_at)
            return
        base = self._stored
        self._ask = lambda: self._compare(base, self.draft(), saved, "What stands here",
                                          "Another window saved this consultation while you were writing here.")
        self._wait_for_choice("This consultation was changed in another window. Which text is right?")
        self.refused.emit(error)

    def _ask_again(self, error: Exception) -> None:
        """The other version could not be read: the next attempt to save finds out."""
        self._conflict = False
        self._say_state(f"Not saved yet. {explain(error).text}", None, problem=True)
        self._timer.start(RETRY_MS)

    def _recover(self) -> None:
        """A crash left a text behind that the server does not have: nothing can be typed until it is decided."""
        one = self._undecided[0]
        when = clinical_moment(one.at, self.desk.zone)
        self._conflict = True
        self._area.setEnabled(False)
        saved = SavedDraft(self._stored, self._version, self.sheet.saved.saved_at)
        stands = self.draft() if self.unsaved else None  # what was decided about the text before this one
        self._ask = lambda: self._compare(one.base, one.draft, saved, f"Typed until {when}",
                                          "ClinicDesk ended before this was saved. Choose part by part.", stands)
        self._wait_for_choice(f"Text you typed until {when} was not saved. It is still here.")
        QTimer.singleShot(0, self, self._ask)

    def find_diagnosis(self) -> None:
        """Put the keys into the find box of the diagnoses, with room for its list."""
        self._raise(self.diagnoses.box)
        self.diagnoses.box.setFocus()

    def enter_vitals(self) -> None:
        """Put the keys into the first vital sign, with the others in sight."""
        first = self.vitals.editor("systolic")
        self._raise(first)
        first.setFocus()

    def _raise(self, widget: QWidget) -> None:
        """Scroll so that a widget stands in the upper part, with room below it."""
        bar, here = self._area.verticalScrollBar(), self._area.viewport()
        bar.setValue(bar.value() + widget.mapTo(self._area, QPoint()).y() - here.height() // 5)

    def _show_typed(self) -> None:
        """What is said of a typed line must not stand below the fold."""
        if self.prescription.typed.isVisible() and self.prescription.quick.field.hasFocus():
            self._area.ensureWidgetVisible(self.prescription.typed, 0, 12)

    def compare(self) -> None:
        """Show the two versions that wait for a choice."""
        self._ask()

    def _wait_for_choice(self, words: str) -> None:
        self.compare_button.show()
        self.complete_button.setEnabled(False)
        self._say_state(words, None, problem=True)

    def _compare(self, base: ConsultationDraft, mine: ConsultationDraft, saved: SavedDraft, name: str, explanation: str,
                 stands: ConsultationDraft | None = None) -> None:
        theirs = saved.draft if stands is None else stands
        if not draft_merging.parts(base, mine, theirs):
            self._settle(saved, mine)
            return
        known = f"Saved, {clinical_moment(saved.saved_at, self.desk.zone)}" if saved.saved_at else "Saved: nothing"
        known = known if stands is None else "As just chosen"
        sheet = TwoVersionsSheet(self.desk, base, mine, theirs, names=(name, known), explanation=explanation, parent=self.window())
        sheet.accepted.connect(lambda: self._settle(saved, sheet.result_draft()))
        self.versions = sheet
        sheet.open()

    def _settle(self, saved: SavedDraft, draft: ConsultationDraft) -> None:
        """It was decided that `draft` stands, on top of what the server has."""
        self._conflict = False
        self._version, self._stored = saved.version, saved.draft
        self._fill(draft)
        self.compare_button.hide()
        self.complete_button.setEnabled(True)
        self._area.setEnabled(True)
        self._decided += [one.leftover for one in self._undecided[:1]]
        del self._undecided[:1]
        if self._journal.flush():  # the decision is on the disk before the file it came from goes; else the server has to have it
            self._drop_decided()
        if self._undecided:
            self._recover()
            return
        self._say_state("Saving what is here …" if self.unsaved else "Draft saved", None if self.unsaved else saved.saved_at)
        self._edited()

    def _drop_decided(self) -> None:
        for leftover in self._decided:
            leftover.discard()
        self._decided.clear()

    def _journal_trouble(self, sentence: str) -> None:
        self.trouble.setText(sentence)
        self.trouble.setVisible(bool(sentence))

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
