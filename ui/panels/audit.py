"""The audit log for administrators: who did what to whose record, emergency access to be reviewed, and whether the log is as written."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QDate, QObject, QSize, Signal
from PySide6.QtWidgets import QComboBox, QDateEdit, QLineEdit, QProgressBar, QTabWidget, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services import auditing, glass
from clinicdesk.services.auditing import EventRow, Proof, Wanted
from clinicdesk.services.glass import GlassRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.table_files import ask_where, write_table
from ui.widgets.empty import EmptyState
from ui.widgets.form import Form
from ui.widgets.section import Section
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label, row

_DAYS = 7


class AuditPanel(Panel):
    """Three tabs: the log, emergency access, proof."""

    key = "audit"
    title = "Audit"
    icon = "audit"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.log, self.reviews, self.proof = LogView(desk), ReviewsView(desk), ProofView(desk)
        for title, view in (("Log", self.log), ("Emergency access", self.reviews), ("Proof", self.proof)):
            self.tabs.addTab(view, title)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(16, 12, 16, 12)
        outer.addWidget(self.tabs)
        self._live = RefreshWhenShown(self, desk.live, ("glass",), self.refresh)

    def refresh(self) -> None:
        """Read the log and the list of reviews again."""
        self.log.refresh()
        self.reviews.refresh()

    def show_topic(self, topic: str, subject: Any) -> bool:
        """Who opened the record of a patient; emergency access."""
        if topic == "audit":
            self.log.patient.setText(str(subject))
            self.tabs.setCurrentWidget(self.log)
            self.log.refresh()
            return True
        if topic == "glass":
            self.tabs.setCurrentWidget(self.reviews)
            return True
        return False


class LogView(QWidget):
    """The report: a period, what must be equal, every column sorts, export."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.rows = desk, list[EventRow]()
        today = desk.now().date()
        self.first, self.last = QDateEdit(), QDateEdit()
        for field, day, name in ((self.first, today - timedelta(days=_DAYS), "From"), (self.last, today, "To")):
            field.setDisplayFormat("dd-MMM-yyyy")
            field.setCalendarPopup(True)
            field.setDate(QDate(day.year, day.month, day.day))
            field.setAccessibleName(name)
            field.dateChanged.connect(lambda _day: self.refresh())
        self.actor, self.action, self.category = QComboBox(), QComboBox(), QComboBox()
        for box, words in ((self.actor, "Everybody"), (self.action, "Every action"), (self.category, "Every part")):
            box.addItem(words, "")
            box.setAccessibleName(words)
            box.setMinimumWidth(130)
            box.activated.connect(lambda _place: self.refresh())
        self.patient = QLineEdit()
        self.patient.setPlaceholderText("Patient number")
        self.patient.setAccessibleName("Patient number")
        self.patient.setClearButtonEnabled(True)
        self.patient.setMaximumWidth(150)
        self.patient.editingFinished.connect(self.refresh)
        self.export_button = button("Export", self.export, icon="export", theme=desk.theme)
        self.summary = label("", "soft", wrap=True)
        zone = desk.zone
        self.table: RowTable[EventRow] = RowTable(
            desk.theme,
            (
                Column("When", lambda r: f"{clinical_moment(r.at, zone)}:{r.at.second:02d}", sort=lambda r: (r.at, r.event_id), width=158),
                Column("Who", lambda r: r.actor, kind="strong", width=84),
                Column("Role", lambda r: r.role, kind="soft", width=104),
                Column("Action", lambda r: r.action if r.outcome == "done" else f"{r.action} (refused)", width=128,
                       tip=lambda r: f"{r.action} ({r.outcome})"),
                Column("Part", lambda r: r.category, width=112),
                Column("Patient", lambda r: r.patient or r.patient_id, tip=lambda r: r.patient_id, width=130),
                Column("What", lambda r: r.subject, kind="soft", tip=lambda r: r.subject, width=120),
                Column("Changed", lambda r: r.columns, kind="soft", tip=lambda r: r.columns),
                Column("Where", lambda r: r.workstation, kind="soft", width=84),
            ),
            lambda r: r.event_id, name="Audit log",
            empty=EmptyState(desk.theme, "Nothing was written down that fits.", icon="audit",
                             advice="Choose a longer period or fewer conditions."))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(8)
        for field in (self.first, self.last):
            field.setMinimumWidth(140)
        # Two lines: on one they would be wider than a window of 1000 pixels.
        layout.addLayout(row(label("From", "label"), self.first, label("To", "label"), self.last, None, self.export_button))
        layout.addLayout(row(self.actor, self.action, self.category, self.patient, None))
        layout.addWidget(self.summary)
        layout.addWidget(self.table, 1)

    def refresh(self) -> None:
        """Read what the conditions ask for."""
        wanted = Wanted(_day(self.first), _day(self.last), self.actor.currentData() or "",
                        self.action.currentData() or "", self.category.currentData() or "", self.patient.text().strip())
        self.desk.ask(self, auditing.report, wanted, done=self._show, failed=self._say, replaces="report")
        self.desk.ask(self, auditing.choices, done=self._offer, failed=lambda _error: None, replaces="choices")

    def _offer(self, choices: dict[str, list[str]]) -> None:
        for box, name in ((self.actor, "actor"), (self.action, "action"), (self.category, "category")):
            known = {box.itemData(place) for place in range(box.count())}
            for word in choices[name]:
                if word not in known:
                    box.addItem(word, word)

    def _show(self, rows: list[EventRow]) -> None:
        self.rows = rows
        self.table.show_rows(rows)
        cut = f" Only the newest {auditing.MOST_ROWS:,} are shown: choose a shorter period." if len(rows) == auditing.MOST_ROWS else ""
        self.summary.setText(f"{len(rows):,} events.{cut}" if rows else "")
        self.export_button.setEnabled(bool(rows))

    def _say(self, error: Exception) -> None:
        self.summary.setText(explain(error).text)

    def export(self) -> None:
        """Write the report as a table for a spreadsheet."""
        ask_where(self, "Export the log", "audit-log.csv", self.write_to)

    def write_to(self, path: Path) -> None:
        """Write what is shown to a file, and that into the log."""
        write_table(self.desk, self, path, auditing.report_csv(self.rows), category="audit", subject=f"{len(self.rows)} events",
                    done="The log is exported.")


class ReviewsView(QWidget):
    """Emergency access, newest first, and the verdict on it."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        zone = desk.zone
        self.table: RowTable[GlassRow] = RowTable(
            desk.theme,
            (
                Column("When", lambda r: clinical_moment(r.given_at, zone), sort=lambda r: r.given_at, width=150),
                Column("Doctor", lambda r: r.doctor, kind="strong", width=130),
                Column("Patient", lambda r: r.patient, width=130),
                Column("Reason", lambda r: r.reason, width=120, tip=lambda r: r.reason),
                Column("In words", lambda r: r.words or "(not readable)", kind="soft", tip=lambda r: r.words),
                Column("Until", lambda r: "now open" if r.in_force else clinical_moment(r.ended_at, zone), sort=lambda r: r.ended_at,
                       width=150),
                Column("Review", _verdict, sort=lambda r: r.verdict, width=160),
            ),
            lambda r: r.id, name="Emergency access",
            empty=EmptyState(desk.theme, "Nobody opened a record as an emergency.", icon="none_known"))
        self.review_button = button("Review …", self.review, variant="primary")
        self.end_button = button("End access", self.end, variant="danger")
        self.log_button = button("What was opened", self.show_log)
        self.table.selected.connect(self._chosen)
        self._chosen(None)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.addLayout(row(label("Each time a doctor opened the record of a patient who was not hers.", "soft"), None, self.log_button,
                             self.end_button, self.review_button))
        layout.addWidget(self.table, 1)

    def refresh(self) -> None:
        """Read again."""
        self.desk.ask(self, glass.reviews, done=self.table.show_rows, replaces="reviews")

    def _chosen(self, chosen: GlassRow | None) -> None:
        self.review_button.setEnabled(chosen is not None and not chosen.verdict)
        self.end_button.setEnabled(chosen is not None and chosen.in_force)
        self.log_button.setEnabled(chosen is not None)

    def review(self) -> None:
        """Ask for the verdict."""
        chosen = self.table.record()
        if chosen is not None:
            sheet = ReviewSheet(self.desk, chosen, parent=self.window())
            sheet.accepted.connect(self.refresh)
            sheet.open()

    def end(self) -> None:
        """Take the access away now."""
        chosen = self.table.record()
        if chosen is not None:
            self.desk.do(self, glass.end, chosen.id, done=lambda _none: self.refresh())

    def show_log(self) -> None:
        """The log of this patient."""
        chosen = self.table.record()
        if chosen is not None:
            self.desk.show("audit", chosen.patient_id)


class ReviewSheet(Sheet):
    """Whether it was needed."""

    def __init__(self, desk: Desk, about: GlassRow, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Review emergency access", "Save", parent=parent, key="review", size=QSize(520, 330),
                         explanation=f"{about.doctor} opened the record of {about.patient}: {about.reason.lower()}. {about.words}")
        self._about = about
        form = self.set_form(Form())
        form.choice("verdict", "It was", [(key, words) for key, words in glass.VERDICTS.items() if key], blank="Choose")
        form.mark_clean()

    def submit(self) -> None:
        """Write it down; it cannot be changed afterwards."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(self, glass.review, self._about.id, self.form.value("verdict") or "", done=lambda _none: self.accept(),
                     failed=self.show_problem)


class _Steps(QObject):
    """Progress on its way from the worker to the window."""

    made = Signal(int, int)


class ProofView(QWidget):
    """Reads the whole log and compares it with its anchors."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self._steps = _Steps(self)
        self._steps.made.connect(self._progress)
        self.bar = QProgressBar()
        self.bar.hide()
        self.verify_button = button("Verify the log", self.verify, variant="primary")
        self.verdict = label("", "title", wrap=True)
        self.details = label("", "body", wrap=True, selectable=True)
        section = Section("Is the log as it was written?", card="surface")
        section.body.addWidget(label(
            "Every event is chained to the one before it by its fingerprint, and copies of the chain's end are kept outside the database."
            " An event that was changed, deleted, inserted or moved, an end that was cut off and an older copy put in its place are found"
            " and named.",
            "soft", wrap=True))
        section.body.addLayout(row(self.verify_button, self.bar, None))
        section.body.addWidget(self.verdict)
        section.body.addWidget(self.details)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.addWidget(section)
        layout.addStretch(1)

    def verify(self) -> None:
        """Begin; the window stays usable."""
        self.verify_button.setEnabled(False)
        self.verdict.setText("")
        self.details.setText("")
        self.bar.setRange(0, 0)
        self.bar.show()
        self.desk.ask(self, _prove, partial(_emit, self._steps), done=self._show, failed=self._say, replaces="proof")

    def _progress(self, done: int, total: int) -> None:
        self.bar.setRange(0, max(1, total))
        self.bar.setValue(done)

    def _finished(self) -> None:
        self.bar.hide()
        self.verify_button.setEnabled(True)

    def _show(self, proof: Proof) -> None:
        self._finished()
        found = proof.verdict
        self.verdict.setText("The log is as it was written." if found.intact else
                             f"The log was tampered with: {found.found:,} findings.")
        self.verdict.setProperty("role", "title" if found.intact else "error")
        self.verdict.style().polish(self.verdict)
        lines = [f"{found.events:,} events and {found.anchors:,} anchors, read in {proof.seconds:.1f} s."]
        lines += [one.sentence for one in found.findings[:20]]
        if proof.away:
            lines.append(f"No anchors were found in: {', '.join(proof.away)}.")
        lines += [f"A backup was put in place on {clinical_moment(one.at, self.desk.zone)}." for one in proof.restored]
        self.details.setText("\n".join(lines))

    def _say(self, error: Exception) -> None:
        self._finished()
        self.verdict.setText(explain(error).text)


def _day(field: QDateEdit) -> date:
    day = field.date()
    return date(day.year(), day.month(), day.day())


def _emit(steps: _Steps, done: int, total: int) -> None:
    steps.made.emit(done, total)


def _prove(session: Any, progress: Any) -> Proof:
    """Runs on a worker."""
    return auditing.prove(session, [session.folder / auditing.ANCHORS], progress)


def _verdict(one: GlassRow) -> str:
    return f"{glass.VERDICTS[one.verdict]}, {one.reviewed_by}" if one.reviewed_by else glass.VERDICTS[one.verdict]
