"""Allergies and problems in the summary of the chart: read at a glance, corrected and ended where they stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.chart import AllergyRow, Chart, ProblemRow
from clinicdesk.services.risks import SOURCES, VERIFIED
from ui.desk import Desk
from ui.dialogs.allergy import AllergySheet, EndAllergySheet, NoAllergiesSheet
from ui.dialogs.problem import EndProblemSheet, ProblemSheet
from ui.widgets.section import Section
from ui.widgets.text import button, icon_button, label


def _tools(desk: Desk, what: str, change: Callable[[], object], end: Callable[[], object]) -> QHBoxLayout:
    tools = QHBoxLayout()
    tools.setSpacing(0)
    tools.addWidget(icon_button(desk.theme, "edit", f"Correct {what}", change))
    tools.addWidget(icon_button(desk.theme, "archive", f"End {what}", end))
    return tools


def told(words: str, *, unrecorded: bool = False) -> QLabel:
    """What the patient told at registration, beside what is recorded of the same; `unrecorded` when nothing is."""
    return label(f"Told at registration: {words}", "warning" if unrecorded else "soft", wrap=True, selectable=True)


class AllergiesSection(Section):
    """Drug or substance, then past reactions, alphabetical (clinical-safety R28); the title is one of the four of the banner."""

    def __init__(self, desk: Desk, chart: Chart) -> None:
        super().__init__(chart.banner.allergy_title, card="surface")
        self.desk, self._patient_id = desk, chart.banner.patient_id
        self._told = chart.said.get("allergies", "")
        mine = desk.me.role == "doctor"
        if chart.allergies:
            grid = QGridLayout()
            grid.setHorizontalSpacing(12)
            grid.setColumnStretch(0, 2)
            grid.setColumnStretch(1, 3)
            grid.addWidget(label("Drug / substance", "label"), 0, 0)
            grid.addWidget(label("Past reactions", "label"), 0, 1)
            for line, one in enumerate(chart.allergies, 1):
                grid.addWidget(label(one.substance, "heading", wrap=True, selectable=True), line, 0, Qt.AlignmentFlag.AlignTop)
                said = _reactions(one) + ("; free text, not checked" if one.id in chart.free_text else "")
                grid.addWidget(label(said, "body", wrap=True, selectable=True), line, 1, Qt.AlignmentFlag.AlignTop)
                if mine:
                    grid.addLayout(_tools(desk, one.substance, partial(self._change, one), partial(self._end, one)), line, 2)
            self.body.addLayout(grid)
        if chart.none_known_at is not None:
            words = f"Last confirmed {clinical_date(chart.none_known_at, desk.zone)} by {chart.none_known_by}"
            self.body.addWidget(label(words, "soft"))
            if chart.ask_again:
                self.body.addWidget(label("This is more than 12 months ago: ask again.", "warning", wrap=True))
        if self._told:
            self.body.addWidget(told(self._told, unrecorded=not chart.allergies and chart.none_known_at is None))
        for past in chart.past_allergies:
            how = "refuted" if past.refuted else "ended"
            who = f" by {past.ended_by}" if past.ended_by else ""
            why = f": {past.reason}" if past.reason else ""
            self.body.addWidget(label(f"{past.substance}, {how} {clinical_date(past.ended_on)}{who}{why}", "faint", wrap=True,
                                      selectable=True))
        if mine:
            self.tools.addWidget(button("Add allergy", self._add, variant="quiet", icon="add", theme=desk.theme))
            if not chart.allergies:
                words = "State none known" if chart.none_known_at is None else "Confirm again"
                self.tools.addWidget(button(words, self._state_none, variant="quiet"))

    def _add(self) -> None:
        AllergySheet(self.desk, self._patient_id, told=self._told, parent=self.window()).open()

    def _change(self, row: AllergyRow) -> None:
        AllergySheet(self.desk, self._patient_id, row, parent=self.window()).open()

    def _end(self, row: AllergyRow) -> None:
        EndAllergySheet(self.desk, row, parent=self.window()).open()

    def _state_none(self) -> None:
        NoAllergiesSheet(self.desk, self._patient_id, parent=self.window()).open()


class ProblemsSection(Section):
    """What lasts first, then what ended."""

    def __init__(self, desk: Desk, chart: Chart) -> None:
        super().__init__("Problems", card="surface")
        self.desk, self._patient_id = desk, chart.banner.patient_id
        mine = desk.me.role == "doctor"
        for one in chart.problems:
            line = QWidget()
            outer = QHBoxLayout(line)
            outer.setContentsMargins(0, 0, 0, 0)
            words = QVBoxLayout()
            words.setSpacing(0)
            words.addWidget(label(one.description, "body" if one.ended_on is None else "soft", wrap=True, selectable=True))
            said = [one.code, f"since {clinical_date(one.started_on)}" if one.started_on else "",
                    f"ended {clinical_date(one.ended_on)}" if one.ended_on else "", chart.problem_reasons.get(one.id, "")]
            if any(said):
                words.addWidget(label(" · ".join(part for part in said if part), "soft", wrap=True, selectable=True))
            outer.addLayout(words, 1)
            if mine and one.ended_on is None:
                outer.addLayout(_tools(desk, one.description, partial(self._change, one), partial(self._end, one)))
            self.body.addWidget(line)
        if not chart.problems:
            self.body.addWidget(label("No problems recorded.", "faint"))
        if words_told := chart.said.get("medical_history"):
            self.body.addWidget(told(words_told))
        if mine:
            self.tools.addWidget(button("Add problem", self._add, variant="quiet", icon="add", theme=desk.theme))

    def _add(self) -> None:
        ProblemSheet(self.desk, self._patient_id, parent=self.window()).open()

    def _change(self, row: ProblemRow) -> None:
        ProblemSheet(self.desk, self._patient_id, row, parent=self.window()).open()

    def _end(self, row: ProblemRow) -> None:
        EndProblemSheet(self.desk, row, parent=self.window()).open()


def _reactions(one: AllergyRow) -> str:
    """Everything known about an entry in words; an unknown reaction is said."""
    parts = [one.reaction or "Reaction not known", one.severity, "intolerance" if one.category == "intolerance" else "",
             f"noted {clinical_date(one.noted_on)}" if one.noted_on else "", f"from {SOURCES[one.source]}" if one.source else "",
             VERIFIED[one.verification]]
    return "; ".join(part for part in parts if part)
