"""One patient: banner across the window, chart at the left, consultation at the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget
from shiboken6 import isValid

from clinicdesk.errors import ChangedElsewhere, ClinicError
from clinicdesk.rules.imported_medicines import clinic_knowledge
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import appointments, chart, consultations, papers
from clinicdesk.services.chart import Chart
from clinicdesk.services.consultations import Completed, ConsultationSheet
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.journaling import Unsigned
from clinicdesk.services.measuring import VitalsSet
from clinicdesk.services.people import Banner
from clinicdesk.services.schedule import AppointmentRow
from ui.consultation.chart_view import ChartView
from ui.consultation.editor import ConsultationEditor
from ui.consultation.room_commands import editor_commands
from ui.consultation.unsigned import UnsignedPage
from ui.desk import Desk
from ui.dialogs.glass import GlassBar, GlassSheet
from ui.dialogs.paper import PrescriptionWindow
from ui.live import RefreshWhenShown
from ui.panel import Action, Panel
from ui.problems import explain
from ui.widgets.banner import BannerRow, PatientBanner
from ui.widgets.empty import EmptyState
from ui.widgets.photo import PhotoBox
from ui.widgets.text import button, column, label


class ConsultingPanel(Panel):
    """Signal `next_requested()`: the visit is done, on to the next patient."""

    key = "consulting"
    title = "Consultation"
    icon = "consultation"
    next_requested = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.row: AppointmentRow | None = None
        self.patient_id = ""
        self.editor: ConsultationEditor | None = None
        self._earlier: tuple[VitalsSet, ...] = ()  # of the patient shown
        self._leaving: dict[int, ConsultationEditor] = {}  # left for another patient with something still on its way, by consultation
        self._formulary = clinic_knowledge(getattr(desk.settings, "data_dir", None)).formulary
        self.banner = PatientBanner(desk.theme)
        self.glass = GlassBar(desk)
        self.glass.ended.connect(self._glass_ended)
        self.photo = PhotoBox(desk, self, side=48)
        self.chart = ChartView(desk)
        self.chart.read.connect(self._chart_read)
        self.chart.unreadable.connect(self._chart_unreadable)
        self.chart.glass_requested.connect(self._break_glass)
        self.chart.renew_requested.connect(self._renew)
        self.chart.papers.again.connect(self._prescribe_again)
        self.right = QStackedWidget()
        self._empty = EmptyState(
            desk.theme, "Nobody is in the room.", icon="consultation", advice="Choose a patient in “My day” and press Enter."
        )
        self.right.addWidget(self._empty)
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.addWidget(self.chart)
        self.split.addWidget(self.right)
        self.split.setStretchFactor(0, 4)
        self.split.setStretchFactor(1, 5)
        self.split.setSizes([480, 600])
        self.split.setChildrenCollapsible(False)
        self.chart.setMinimumWidth(360)
        self.right.setMinimumWidth(460)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        self.head = BannerRow(desk.theme, self.banner, self.photo)
        self.head.hide()
        outer.addWidget(self.head)
        outer.addWidget(self.glass)
        outer.addWidget(self.split, 1)
        self.chart.setVisible(False)
        self._live = RefreshWhenShown(self.chart, desk.live, ["nothing"], self.refresh)  # writing a note does not keep the chart old
        self._live.stale = False

    def commands(self) -> Sequence[Action]:
        """The keys of the consulting room."""
        return (
            *editor_commands(lambda: self.editor),
            Action("Chart: summary", lambda: self.chart.tabs.setCurrentIndex(0), "chart", "Alt+S"),
            Action("Chart: earlier visits", lambda: self.chart.show_tab(self.chart.visits), "visits", "Alt+V"),
            Action("Chart: time axis", lambda: self.chart.show_tab(self.chart.timeline), "history", "Alt+A"),
            *self.chart.papers.commands(),
        )

    @property
    def unsaved(self) -> str:
        """What leaving would lose."""
        open_here = [e for e in (self.editor, *self._leaving.values()) if e is not None and e.unsaved]
        for editor in open_here:
            editor.save()
        if open_here:
            return "The consultation has changes that are not on the server yet."
        return ""

    def show_topic(self, topic: str, subject: Any) -> bool:
        """A patient's chart without an appointment."""
        if topic != "patient":
            return False
        if self.editor is not None and subject == self.patient_id:
            self.chart.refresh()  # she is in the middle of this patient's consultation: it stays
            return True
        self.row = None
        self._drop_editor()
        self._show_patient(subject)
        self._live.watch(*_topics(subject))
        self._show_right(EmptyState(self.desk.theme, "No consultation here.", icon="chart",
                                    advice="This is the chart alone. Consultations start from “My day”."))
        return True

    def open(self, row: AppointmentRow) -> None:
        """Show the patient of an appointment, and the consultation as far as it has come."""
        if self.editor is not None and self.row is not None and self.row.id == row.id:
            return
        self.row = row
        self._drop_editor()
        self._show_patient(row.patient_id)
        day = row.starts_at.astimezone(self.desk.zone).date()
        self._live.watch(f"appointments {day}", *_topics(row.patient_id))
        self._show_step()
        if row.status == "arrived":
            self.start_button.setFocus()  # Enter starts

    def refresh(self) -> None:
        """Read the chart and the appointment again; what is typed stays."""
        self.chart.refresh()
        if self.row is not None and self.editor is None:
            self.desk.ask(self, appointments.one, self.row.id, done=self._again, failed=lambda _e: None, replaces="appointment")

    def _again(self, row: AppointmentRow) -> None:
        if (
            self.row is not None
            and row.id == self.row.id
            and (row.version, row.consultation_id) != (self.row.version, self.row.consultation_id)
        ):
            self.row = row
            self._show_step()

    def _show_patient(self, patient_id: str) -> None:
        if patient_id != self.patient_id:
            self.banner.set_banner(None)
            self._earlier = ()
        self.patient_id = patient_id
        self.head.show()
        self.photo.show_patient(patient_id)
        self.chart.setVisible(True)
        self.desk.ask(self, chart.banner, patient_id, done=self._show_banner, failed=lambda _e: None, replaces="banner")
        self.chart.show_patient(patient_id)
        self.glass.show_patient(patient_id)

    def _break_glass(self) -> None:
        shown = self.banner.banner
        if shown is not None:
            sheet = GlassSheet(self.desk, self.patient_id, f"{shown.given_name} {shown.family_name}", parent=self.window())
            sheet.opened.connect(lambda _grant: self._show_patient(self.patient_id))
            sheet.open()

    def _glass_ended(self) -> None:
        """The record is shut again: nothing of it stays on the screen."""
        patient_id, self.patient_id = self.patient_id, ""
        self.chart.show_patient("")
        self._show_patient(patient_id)

    def _chart_read(self, found: Chart) -> None:
        self._show_banner(found.banner)
        self._earlier = found.vitals
        if self.editor is not None and self.editor.sheet.banner.patient_id == found.banner.patient_id:
            self.editor.vitals.know(found.vitals, self.desk.zone)

    def _show_banner(self, banner: Banner) -> None:
        if banner.patient_id == self.patient_id:
            self.banner.set_banner(banner)

    def _chart_unreadable(self, _error: Exception) -> None:
        """A failed read is never shown as "no known allergies" (R9)."""
        shown = self.banner.banner
        if shown is not None:
            self.banner.set_banner(replace(shown, allergy_title=chart.UNAVAILABLE, allergies=()))

    def _show_step(self) -> None:
        row = self.row
        if row is None:
            return
        when = f"{clinical_date(row.starts_at, self.desk.zone)}, {clinical_time(row.starts_at, self.desk.zone)}"
        if row.status == "in_progress" and row.consultation_id is not None:
            self.desk.ask(self, consultations.open_sheet, row.consultation_id, done=self._show_editor, failed=self._say, replaces="sheet")
        elif row.status == "arrived":
            self._show_right(self._start_page(row, when))
        elif row.status == "completed":
            self._show_right(EmptyState(self.desk.theme, "This visit is completed and signed.", icon="completed",
                                        advice=f"Appointment of {when}. What was written is under Visits."))
            if row.consultation_id is not None:
                self.desk.ask(self, consultations.left_unsigned, row.consultation_id, done=lambda found: self._show_unsigned(row, found),
                              failed=lambda _e: None, replaces="unsigned")
        else:
            self._show_right(EmptyState(self.desk.theme, "The patient has not been checked in yet.", icon="waiting",
                                        advice=f"Appointment {when}. As soon as reception checks her in, the consultation can start."))

    def _show_unsigned(self, row: AppointmentRow, found: tuple[Unsigned, ...]) -> None:
        if found and self.row is not None and self.row.id == row.id and self.editor is None:
            page = UnsignedPage(self.desk, row, found)
            page.settled.connect(self._show_step)
            self._show_right(page)

    def _start_page(self, row: AppointmentRow, when: str) -> QWidget:
        page = QWidget()
        self.start_button = button(
            "Start consultation", self.start, variant="primary", icon="start", theme=self.desk.theme, tip="Start  (Enter)"
        )
        self.start_button.setDefault(True)
        self.start_button.setAutoDefault(True)
        self.start_button.setMinimumHeight(44)
        self.start_problem = label("", "error", wrap=True)
        lines = column(
            None,
            label("The patient has arrived.", "title"),
            label(f"Appointment {when}", "soft"),
            label(row.reason, "body", wrap=True),
            8,
            self.start_button,
            self.start_problem,
            None,
            None,
        )
        lines.setContentsMargins(48, 24, 48, 24)
        page.setLayout(lines)
        return page

    def start(self) -> None:
        """Begin: the appointment becomes in progress and the editor opens."""
        row = self.row
        if row is None:
            return
        start, problem = self.start_button, self.start_problem
        start.setEnabled(False)

        def failed(error: Exception) -> None:
            if isValid(start):  # a notice may have replaced the page meanwhile
                start.setEnabled(True)
                problem.setText(explain(error).text)
            if isinstance(error, ChangedElsewhere):
                self.refresh()

        self.desk.do(self, _start_and_open, row.id, row.version, done=self._show_editor, failed=failed)

    def _show_editor(self, sheet: ConsultationSheet) -> None:
        if self.row is None or sheet.appointment.id != self.row.id:
            return
        if self.editor is not None and self.editor.sheet.id == sheet.id:
            return  # a second answer to the same question: what is being typed stays
        self._drop_editor()
        self.row = sheet.appointment
        known = self._leaving.pop(sheet.id, None)
        self.editor = known or self._new_editor(sheet)
        self._show_right(self.editor)
        self.editor.notes.editor("subjective").setFocus()

    def _new_editor(self, sheet: ConsultationSheet) -> ConsultationEditor:
        editor = ConsultationEditor(self.desk, self._formulary, sheet)
        editor.completed.connect(lambda result: self._completed(editor, result))
        editor.saved.connect(lambda: self._let_go(editor))
        editor.refused.connect(lambda error: self._refused(editor, error))
        editor.closed.connect(lambda: self._closed(editor))
        editor.vitals.know(self._earlier, self.desk.zone)
        return editor

    def _let_go(self, editor: ConsultationEditor) -> None:
        """An editor that was left goes once all of it is on the server."""
        if self._leaving.get(editor.sheet.id) is editor and editor.at_rest:
            del self._leaving[editor.sheet.id]
            editor.deleteLater()

    def _refused(self, editor: ConsultationEditor, error: Exception) -> None:
        """An editor on the screen says it itself; one that was left cannot."""
        if editor is not self.editor:
            head = editor.sheet.banner
            self.desk.report(ClinicError(f"{head.family_name}, {head.given_name}: {explain(error).sentence}",
                                         "Open this consultation again: what you typed is still there."))

    def _closed(self, editor: ConsultationEditor) -> None:
        self._leaving.pop(editor.sheet.id, None)
        if editor is self.editor:
            self.editor = None
            self._show_right(self._empty)
            self.refresh()

    def _completed(self, editor: ConsultationEditor, result: Completed) -> None:
        if editor is not self.editor:
            head = editor.sheet.banner
            self.desk.tell(f"Visit of {head.family_name}, {head.given_name} completed and signed.")
            self._let_go(editor)
            return
        row, self.editor = self.row, None
        page = QWidget()
        lines = column(
            None,
            label("Visit completed and signed.", "title"),
            label(f"{row.patient_name if row else ''}, {clinical_time(datetime.now(self.desk.zone), self.desk.zone)}", "soft"),
            8,
        )
        if result.prescription_id is not None:
            number, prescription_id = result.prescription_number, result.prescription_id
            self.paper_button = button(
                "Show and print the prescription",
                lambda: self.show_prescription(prescription_id),
                variant="primary",
                icon="print",
                theme=self.desk.theme,
                tip="Show and print it  (Enter)",
            )
            self.paper_button.setAutoDefault(True)
            lines.addWidget(label(f"Prescription {number}"))
            lines.addWidget(self.paper_button)
        self.next_button = button("Next patient", self.next_requested.emit, icon="right", theme=self.desk.theme, tip="Next  (Enter)")
        self.next_button.setAutoDefault(True)
        lines.addWidget(self.next_button)
        lines.addStretch(2)
        lines.setContentsMargins(48, 24, 48, 24)
        page.setLayout(lines)
        self._show_right(page)
        (self.paper_button if result.prescription_id is not None else self.next_button).setFocus()
        self.row = None
        self.chart.refresh()

    def show_prescription(self, prescription_id: int) -> None:
        """Open the stored paper: look, print, save."""
        self.paper = PrescriptionWindow(self.desk, prescription_id, parent=self.window())
        self.paper.show()

    def _renew(self, items: tuple[ItemDraft, ...]) -> None:
        """A medicine of the chart is prescribed again, in the consultation that is open."""
        if self.editor is None:
            self.desk.tell("Medicines are renewed within a consultation: start it first.")
        else:
            self.editor.prescription.take(items)

    def _prescribe_again(self, number: str) -> None:
        """The lines of a cancelled prescription into the open consultation; without one, how to do it."""
        editor = self.editor
        if editor is None or editor.sheet.banner.patient_id != self.patient_id:
            self.desk.tell("Start the next consultation of this patient to prescribe again: cancelled lines are in the list of papers.")
            return
        self.desk.ask(editor, papers.lines_again, number, done=editor.prescription.take, replaces="again")


    def _say(self, error: Exception) -> None:
        self._show_right(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))

    def _drop_editor(self) -> None:
        """Leave a consultation. It goes when all of it is on the server, not before; opened again earlier, it is as it was left."""
        if self.editor is not None:
            editor, self.editor = self.editor, None
            editor.save()
            self._leaving[editor.sheet.id] = editor
            self._show_right(self._empty)
            self._let_go(editor)

    def _show_right(self, page: QWidget) -> None:
        old = self.right.currentWidget()
        if page is old:
            return
        if self.right.indexOf(page) < 0:
            self.right.addWidget(page)
        self.right.setCurrentWidget(page)
        if old is not None and old is not self._empty:
            self.right.removeWidget(old)
            if old not in self._leaving.values():
                old.deleteLater()


def _topics(patient_id: str) -> tuple[str, ...]:
    """What concerns one patient's chart and banner."""
    return (f"chart {patient_id}", f"visits {patient_id}", f"patients {patient_id}")


def _start_and_open(session: Any, appointment_id: int, version: int) -> ConsultationSheet:
    """Start and read back in one transaction; runs on a worker."""
    return consultations.open_sheet(session, consultations.start(session, appointment_id, version))
