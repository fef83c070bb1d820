"""The chart beside the consultation: summary, visits, papers, records, sessions. The banner above it belongs to the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QTabWidget, QVBoxLayout, QWidget

from clinicdesk.errors import NotAllowed
from clinicdesk.rules.ages import years
from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.rules.vitals import VITALS, bp_range, check_vital, number_text
from clinicdesk.services import chart as charts
from clinicdesk.services import papers, records, session_log
from clinicdesk.services.chart import Chart
from clinicdesk.services.measuring import VitalsSet
from clinicdesk.services.papers import PaperRow
from ui.consultation.attachments_view import AttachmentsView
from ui.consultation.immunizations_section import ImmunizationsSection
from ui.consultation.medicines_view import FactsSection, MedicinesSection
from ui.consultation.papers_view import PapersView
from ui.consultation.records_view import RecordsView
from ui.consultation.risks_section import AllergiesSection, ProblemsSection
from ui.consultation.sessions_view import SessionsView
from ui.consultation.visits_view import VisitsView
from ui.desk import Desk
from ui.problems import explain
from ui.timeline.growth import GrowthView, is_child
from ui.timeline.view import TimelineView
from ui.widgets.arranging import emptied, measured_anew, scrolled
from ui.widgets.empty import EmptyState
from ui.widgets.section import Section
from ui.widgets.text import label
from ui.widgets.vitals_strip import Vital, VitalsStrip

PAGE = 20
#: So many columns of earlier measurements: more are wider than the chart, and what is wider is cut off.
TREND = 3
MARGINS = (12, 12, 12, 12)


class ChartView(QWidget):
    """Shows one patient's chart. Signals: `read(Chart)` after each reading; `unreadable(Exception)`; `glass_requested()` where it is shut.
    """

    read = Signal(object)
    unreadable = Signal(object)
    renew_requested = Signal(object)
    glass_requested = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.patient_id = ""
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self._summary = QVBoxLayout()
        self._summary_page = scrolled(self._summary, margins=MARGINS)
        self.visits, self.timeline, self.growth = VisitsView(desk), TimelineView(desk), GrowthView(desk, self)
        self.growth.hide()
        self.timeline.opened.connect(self._open_mark)
        self.papers = PapersView(desk)
        self.papers.issued.connect(lambda _number: self.refresh())
        self.records, self.sessions = RecordsView(desk), SessionsView(desk)
        self.attachments = AttachmentsView(desk)
        self.attachments.take_drops_of(self)
        for title, widget in (
            ("Summary", self._summary_page),
            ("Time", self.timeline),
            ("Visits", self.visits),
            ("Papers", self.papers),
            ("Records", self.records),
            ("Documents", self.attachments),
            ("Sessions", self.sessions),
        ):
            self.tabs.addTab(widget, title)
        desk.theme.changed.connect(self._measure_soon)
        self.tabs.currentChanged.connect(lambda _number: self._read_shown())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.tabs)

    def show_patient(self, patient_id: str) -> None:
        """Read and show this patient's chart; nothing of the one before stays."""
        if patient_id != self.patient_id:
            emptied(self._summary)
            self.papers.clear()
            self._name_papers(0)
            self.records.clear()
            self.sessions.clear()
        self.patient_id = self.records.patient_id = self.sessions.patient_id = self.papers.patient_id = patient_id
        self.refresh()

    def refresh(self) -> None:
        """Read everything again."""
        if not self.patient_id:
            return
        self.desk.ask(self, charts.chart, self.patient_id, done=self._show_summary, failed=self._refused, replaces="chart")
        self.visits.show_patient(self.patient_id)
        self.attachments.show_patient(self.patient_id)
        self._read_shown()
        self.desk.ask(
            self, papers.of_patient, self.patient_id, done=self._show_papers, failed=self._no_papers, replaces="papers"
        )
        self.desk.ask(
            self, records.of_patient, self.patient_id, done=self.records.show_rows, failed=self.records.say_unreadable, replaces="records"
        )
        self.desk.ask(
            self, session_log.of_patient, self.patient_id, done=self.sessions.show_rows, failed=self.sessions.say_unreadable,
            replaces="sessions",
        )

    def _read_shown(self) -> None:
        """The time axis and the growth charts read when somebody looks at them."""
        shown = self.tabs.currentWidget()
        for view in (self.timeline, self.growth):
            if view is shown and self.patient_id:
                view.show_patient(self.patient_id)
            elif view.patient_id != self.patient_id:
                view.clear()

    def show_tab(self, tab: QWidget) -> None:
        """Bring a part of the chart to the front and give it the keys."""
        self.tabs.setCurrentWidget(tab)
        tab.setFocus()

    def _open_mark(self, kind: str, ref: object) -> None:
        """A mark of the time axis leads to its source."""
        if kind == "visit":
            self.tabs.setCurrentWidget(self.visits)
            self.visits.show_visit(ref)
        elif kind == "document" and isinstance(ref, UUID):
            self.tabs.setCurrentWidget(self.attachments)
            self.attachments.choose(ref)
        elif kind == "document":
            self.tabs.setCurrentWidget(self.records)
            self.records.choose(ref)
        elif kind == "paper":
            self.papers.show_paper(str(ref))
        else:
            self.tabs.setCurrentIndex(0)

    def _measure_soon(self) -> None:
        QTimer.singleShot(0, self, lambda: measured_anew(self._summary_page))

    def _refused(self, error: Exception) -> None:
        emptied(self._summary)
        shut = isinstance(error, NotAllowed) and self.desk.me.role == "doctor"
        self._summary.addWidget(EmptyState(
            self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice,
            action=self.tr("Open as an emergency …") if shut else "", clicked=self.glass_requested.emit if shut else None))
        if shut:
            self.tabs.setCurrentIndex(0)  # the other tabs have nothing to say about a record that is shut
            self._offer_growth(child=False)  # of the patient before
        self.unreadable.emit(error)

    def _show_summary(self, chart: Chart) -> None:
        emptied(self._summary)
        self.attachments.patient_name = f"{chart.banner.family_name}, {chart.banner.given_name}"
        age = years(chart.banner.born, datetime.now(self.desk.zone).date())
        self._summary.addWidget(self._latest(chart.vitals, age))
        self._summary.addWidget(AllergiesSection(self.desk, chart))
        self._summary.addWidget(ProblemsSection(self.desk, chart))
        medicines = MedicinesSection(self.desk, self.patient_id, chart.said.get("medication", ""))
        medicines.renew.connect(self.renew_requested)
        self._summary.addWidget(medicines)
        self._summary.addWidget(FactsSection(self.desk, self.patient_id, may_be_pregnant=chart.banner.sex != "M"))
        self._summary.addWidget(ImmunizationsSection(self.desk, self.patient_id, chart.immunizations))
        if len(chart.vitals) > 1:
            self._summary.addWidget(self._trend(chart.vitals))
        self._summary.addStretch(1)
        self._measure_soon()
        self._offer_growth(child=is_child(chart.banner.born, datetime.now(self.desk.zone).date()))
        self.read.emit(chart)

    def _offer_growth(self, *, child: bool) -> None:
        """Growth charts are for children."""
        place = self.tabs.indexOf(self.growth)
        if child and place < 0:
            self.tabs.insertTab(2, self.growth, "Growth")
            self._read_shown()
        elif not child and place >= 0:
            self.tabs.removeTab(place)

    def _latest(self, sets: Sequence[VitalsSet], age: int) -> QWidget:
        section = Section("Vital signs", card="surface")
        if sets:
            section.set_title(f"Vital signs, {clinical_moment(sets[0].taken_at, self.desk.zone)}")
        found = _strip_of(sets[0], age) if sets else []
        for start in range(0, max(1, len(found)), 3):
            section.body.addWidget(VitalsStrip(self.desk.theme, found[start : start + 3], compact=True))
        return section

    def _trend(self, sets: Sequence[VitalsSet]) -> QWidget:
        """The newest earlier measurements, one column a set; older ones are on the time axis. Three columns fit beside a consultation."""
        section = Section("Earlier measurements", card="surface")
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        shown = sets[:TREND]
        for column, one in enumerate(shown, 1):
            grid.addWidget(label(clinical_date(one.taken_at, self.desk.zone), "label"), 0, column, Qt.AlignmentFlag.AlignRight)
        line = 1
        for name in ("pressure", "pulse", "temperature", "respiration", "spo2", "weight", "height", "glucose"):
            words = [_shown(name, one) for one in shown]
            if any(words):
                grid.addWidget(label("Blood pressure" if name == "pressure" else VITALS[name].label, "soft"), line, 0)
                for column, word in enumerate(words, 1):
                    grid.addWidget(label(word or "–"), line, column, Qt.AlignmentFlag.AlignRight)
                line += 1
        grid.setColumnStretch(len(shown) + 1, 1)
        section.body.addLayout(grid)
        return section

    def _no_papers(self, error: Exception) -> None:
        self.papers.say_unreadable(error)
        self._name_papers(0)

    def _show_papers(self, rows: list[PaperRow]) -> None:
        self.papers.show_rows(rows)
        self._name_papers(len(rows))

    def _name_papers(self, count: int) -> None:
        self.tabs.setTabText(self.tabs.indexOf(self.papers), f"Papers ({count})" if count else "Papers")


def _shown(name: str, one: VitalsSet) -> str:
    if name == "pressure":
        return f"{one.values['systolic']:.0f} / {one.values['diastolic']:.0f}" if "systolic" in one.values else ""
    return number_text(one.values[name], VITALS[name].decimals) if name in one.values else ""


def _strip_of(one: VitalsSet, age: int) -> list[Vital]:
    found = []
    if "systolic" in one.values:
        both = f"{one.values['systolic']:.0f} / {one.values['diastolic']:.0f}"
        detail = bp_range(one.values["systolic"], one.values["diastolic"]) if age >= 18 else ""
        soft = check_vital("systolic", one.values["systolic"], age).level == "soft"
        found.append(Vital("Blood pressure", both, "mmHg", "high" if soft else "", "Check" if soft else "", detail))
    for name, short in (
        ("pulse", "Pulse"),
        ("temperature", "Temperature"),
        ("respiration", "Respiration"),
        ("spo2", "Saturation"),
        ("weight", "Weight"),
        ("height", "Height"),
    ):
        if name in one.values:
            reading = check_vital(name, one.values[name], age)
            vital = VITALS[name]
            found.append(
                Vital(
                    short,
                    number_text(one.values[name], vital.decimals),
                    vital.unit,
                    "high" if reading.level == "soft" else "",
                    "Check" if reading.level == "soft" else "",
                    reading.sentence,
                )
            )
    score = one.news2(age)
    if score.total is not None:
        found.append(
            Vital(
                "NEWS2",
                str(score.total),
                "",
                "alarm" if score.total >= 5 else "",
                score.response if score.total >= 5 else "",
                score.response,
            )
        )
    return found[:6]
