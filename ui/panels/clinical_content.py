"""Clinical content: which tables the checks use and who approved them, how loud each rule is, what was overridden and why."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from pathlib import Path

from PySide6.QtCore import QDate, QSize, Qt
from PySide6.QtWidgets import QDateEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.services import content, doctors
from clinicdesk.services.content import RULE_NAMES, OverrideRow, TableState
from clinicdesk.services.people import DoctorRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.table_files import ask_where, write_table
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.empty import EmptyState
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label, row

_LEVELS = ((0, "As the tables say"), (2, "Warning under the line"), (3, "Information only"))
_TIERS = {1: "Stop", 2: "Warning", 3: "Information"}
_DAYS = 90


class ContentPanel(Panel):
    """Three parts below each other."""

    key = "content"
    title = "Clinical content"
    icon = "medicine"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.states: list[TableState] = []
        self.rows: list[OverrideRow] = []
        self.tables = Section("Tables of the checks", card="surface")
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        body = QVBoxLayout()
        for part in (self.tables, self._levels(), self._report()):
            body.addWidget(part)
        outer.addWidget(scrolled(body, margins=(16, 12, 16, 16), spacing=12))
        self._live = RefreshWhenShown(self, desk.live, ("content", "settings"), self.refresh)

    def _levels(self) -> QWidget:
        section = Section("How loud each rule is", card="surface")
        section.body.addWidget(label("What interrupts stays as it is, and so does “not checked”: neither can be made quieter.", "soft",
                                     wrap=True))
        self.levels = Form(columns=3)
        for rule, name in RULE_NAMES.items():
            self.levels.choice(rule, name, _LEVELS)
        self.save_button = button("Save", self.save, variant="primary")
        self.problem = label("", "error", wrap=True)
        section.body.addWidget(self.levels)
        section.body.addWidget(self.problem)
        section.body.addWidget(self.save_button)
        section.body.setAlignment(self.save_button, Qt.AlignmentFlag.AlignRight)
        return section

    def _report(self) -> QWidget:
        section = Section("Alerts at signing, and what was overridden", card="surface")
        today = self.desk.now().date()
        self.first, self.last = QDateEdit(), QDateEdit()
        for field, day, name in ((self.first, today - timedelta(days=_DAYS), "From"), (self.last, today, "To")):
            field.setDisplayFormat("dd-MMM-yyyy")
            field.setCalendarPopup(True)
            field.setDate(QDate(day.year, day.month, day.day))
            field.setAccessibleName(name)
            field.dateChanged.connect(lambda _day: self._read_report())
        self.export_button = button("Export", self.export, icon="export", theme=self.desk.theme)
        section.body.addLayout(row(label("From", "label"), self.first, label("To", "label"), self.last, None, self.export_button))
        self.summary = label("", "soft", wrap=True)
        section.body.addWidget(self.summary)
        self.table: RowTable[OverrideRow] = RowTable(
            self.desk.theme,
            (
                Column("Rule", lambda r: RULE_NAMES.get(r.rule, "Not checked"), kind="strong"),
                Column("Severity", lambda r: _TIERS[r.tier], sort=lambda r: r.tier, width=100),
                Column("Medicine", lambda r: tall_man(r.medicine), sort=lambda r: r.medicine),
                Column("Fired", lambda r: f"{r.fired:,}", sort=lambda r: r.fired, align="right", width=70),
                Column("Overridden", lambda r: f"{r.overridden:,}", sort=lambda r: r.overridden, align="right", width=100),
                Column("Per cent", lambda r: f"{r.percent} %", sort=lambda r: r.percent, align="right", width=80),
                Column("Reasons", lambda r: r.reason_words, kind="soft", tip=lambda r: r.reason_words),
            ),
            lambda r: (r.rule, r.tier, r.medicine, r.key), name="Overridden alerts",
            empty=EmptyState(self.desk.theme, "No alert fired at a signature in this time.", icon="none_known"))
        self.table.setMinimumHeight(240)
        section.body.addWidget(self.table)
        return section

    @property
    def unsaved(self) -> str:
        """What leaving would lose."""
        return "How loud the rules are is not saved yet." if self.levels.dirty else ""

    def refresh(self) -> None:
        """Read everything again, except what is being typed."""
        self.desk.ask(self, content.states, done=self._show_states, failed=self._no_states, replaces="states")
        if not self.levels.dirty:
            self.desk.ask(self, content.tiers, done=self._show_levels, replaces="tiers")
        self._read_report()

    def _read_report(self) -> None:
        self.desk.ask(self, content.override_report, self.first.date().toPython(), self.last.date().toPython(), done=self._show_report,
                      failed=self._no_report, replaces="report")

    def _no_states(self, error: Exception) -> None:
        emptied(self.tables.body)
        self.tables.body.addWidget(label(f"The tables could not be read. {explain(error).sentence}", "error", wrap=True))

    def _show_states(self, states: list[TableState]) -> None:
        self.states = states
        emptied(self.tables.body)
        for state in states:
            self.tables.body.addWidget(self._state(state))

    def _state(self, state: TableState) -> QWidget:
        t = state.table
        section = Section(t.title, card="sunken")
        facts = (f"Version {_day(t.version)}", f"{t.rows:,} rows", f"{t.sources_read} of {t.sources} sources read",
                 f"fingerprint {t.sha256[:12]}")
        section.body.addWidget(label("  ·  ".join(facts), "soft", wrap=True, selectable=True))
        if state.approved_by:
            words = (f"Approved by {state.approved_by} on {clinical_date(state.approved_on)}; recorded by {state.recorded_by}, "
                     f"{clinical_date(state.recorded_at, self.desk.zone)}.")
            section.body.addWidget(label(words, "body", wrap=True, selectable=True))
        else:
            section.body.addWidget(label("Not yet approved: every alert of this table says so.", "warning", wrap=True))
        record = button("Record approval", partial(self._approve, state), icon="check", theme=self.desk.theme)
        record.setAccessibleName(f"Record approval of {t.title}")
        section.tools.addWidget(record)
        return section

    def _approve(self, state: TableState) -> None:
        ApprovalSheet(self.desk, state, parent=self.window()).open()

    def _show_levels(self, stored: dict[str, int]) -> None:
        self.levels.set_values({rule: stored.get(rule, 0) for rule in RULE_NAMES})
        self.levels.mark_clean()

    def save(self) -> None:
        """Store how loud the rules are; open consultations are checked again."""
        self.problem.setText("")
        wanted = {rule: tier for rule, tier in self.levels.values().items() if tier}

        def done(_none: None) -> None:
            self.levels.mark_clean()
            self.desk.tell("Saved.")

        self.desk.do(self, content.set_tiers, wanted, done=done, failed=lambda error: self.problem.setText(explain(error).text))

    def _show_report(self, rows: list[OverrideRow]) -> None:
        self.rows = rows
        self.table.show_rows(rows)
        fired, overridden = sum(r.fired for r in rows), sum(r.overridden for r in rows)
        worst = sum(r.fired for r in rows if r.tier == 1)
        self.summary.setText(f"{fired:,} alerts, {worst:,} of them interrupting; {overridden:,} overridden." if rows else "")
        self.export_button.setEnabled(bool(rows))

    def _no_report(self, error: Exception) -> None:
        self.rows = []
        self.table.show_rows(())
        self.summary.setText(explain(error).sentence)
        self.export_button.setEnabled(False)

    def export(self) -> None:
        """Write the report as a table for a spreadsheet."""
        ask_where(self, "Export the report", "overridden-alerts.csv", self.write_to)

    def write_to(self, path: Path) -> None:
        """Write the report to a file; what went wrong is said."""
        write_table(self.desk, self, path, content.report_csv(self.rows), category="alerts", subject=f"{len(self.rows)} rows",
                    done="The report is written.")


class ApprovalSheet(Sheet):
    """Which clinician approved this version of a table, and when."""

    def __init__(self, desk: Desk, state: TableState, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Record an approval", "Record", parent=parent, key="approval", size=QSize(520, 320),
                         explanation=f"{state.table.title}, version {_day(state.table.version)}. Record it only when the clinician has"
                                     " compared the table with its sources and signed for it. Another version must be approved again.")
        self._state = state
        self._form = self.set_form(Form(columns=2))
        self._day = QDateEdit()
        self._day.setDisplayFormat("dd-MMM-yyyy")
        self._day.setCalendarPopup(True)
        today = desk.now().date()
        self._day.setDate(QDate(today.year, today.month, today.day))
        self.verb_button.setEnabled(False)
        desk.ask(self, doctors.doctors, done=self._show, failed=self.show_problem, replaces="doctors")

    def _show(self, rows: list[DoctorRow]) -> None:
        self._form.choice("doctor_id", "Approved by", [(r.id, r.name) for r in rows], blank="Choose the clinician")
        self._form.add("approved_on", "On", self._day)
        self._form.mark_clean()
        self.verb_button.setEnabled(bool(rows))
        self._form.editor("doctor_id").setFocus()

    def submit(self) -> None:
        """Record it."""
        doctor = self._form.value("doctor_id")
        if not doctor:
            self.show_problem(Invalid("doctor_id", "Choose the clinician from the list."))
            return
        t = self._state.table
        self.desk.do(self, content.approve, t.name, t.sha256, doctor, self._day.date().toPython(), done=lambda _none: self.accept(),
                     failed=self.show_problem)


def _day(iso: str) -> str:
    """A version that is a day, as a day."""
    try:
        return clinical_date(date.fromisoformat(iso))
    except ValueError:
        return iso
