"""Health records of a patient with the doctors' annotations: a list, and what is in the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QSplitter, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.services import records
from clinicdesk.services.records import KINDS, RecordRow, RecordText
from ui.desk import Desk
from ui.dialogs.record import RecordSheet
from ui.live import HOLDS_REFRESH
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, label


class RecordsView(QWidget):
    """Filled by the chart; reads a record when it is chosen."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.patient_id = ""
        self._shown: RecordRow | None = None
        self._typed: dict[int, str] = {}  # record → a remark begun for it while another one is shown
        self.table: RowTable[RecordRow] = RowTable(
            desk.theme,
            (
                Column("Date", lambda r: clinical_date(r.happened_at, desk.zone), sort=lambda r: r.happened_at, width=104),
                Column("Kind", lambda r: KINDS.get(r.kind, r.kind), width=110, kind="soft"),
                Column("Title", lambda r: r.title, kind="strong"),
                Column("Remarks", lambda r: str(r.annotations or ""), align="right", width=80),
            ),
            lambda r: r.id,
            name="Records",
            empty=EmptyState(desk.theme, "Reading …", icon="chart"),
        )
        self.table.selected.connect(self._choose)
        self._detail = QVBoxLayout()
        self._detail.setContentsMargins(12, 8, 12, 8)
        below = QWidget()
        below.setLayout(self._detail)
        self._words = label("Choose a record to read it.", "soft", wrap=True, selectable=True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._remark = QPlainTextEdit()
        self._remark.setPlaceholderText("Add a remark; the record itself stays as it is")
        self._remark.setAccessibleName("Remark")
        self._remark.setTabChangesFocus(True)
        self._remark.setMaximumHeight(64)
        self._remark.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
        self._problem = label("", "error", wrap=True)
        self._problem.hide()
        self._add = button("Add remark", self._annotate)
        self.new_button = button("Add record", self._new, variant="quiet", icon="add", theme=desk.theme)
        for widget in (self._words, self._remark, self._problem, self._add):
            self._detail.addWidget(widget, 1 if widget is self._words else 0)
        self._detail.setAlignment(self._add, Qt.AlignmentFlag.AlignLeft)
        above = QWidget()
        lines = QVBoxLayout(above)
        lines.setContentsMargins(12, 8, 12, 0)
        lines.addWidget(self.new_button, 0, Qt.AlignmentFlag.AlignRight)
        lines.addWidget(self.table, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(above)
        split.addWidget(below)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(split)
        self._enable()

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self.patient_id = ""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, "Reading …", icon="chart"))
        self._shown = None
        self._typed.clear()
        self._problem.hide()
        self._words.setText("Choose a record to read it.")
        self._remark.clear()
        self._enable()

    def say_unreadable(self, error: Exception) -> None:
        """A list that could not be read never says that there are no records."""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))

    def show_rows(self, rows: Sequence[RecordRow]) -> None:
        """Show these records; the chosen one is read again."""
        self.table.set_empty(EmptyState(self.desk.theme, "No records yet.", icon="chart"))
        self.table.show_rows(rows)
        if self._shown is not None:
            self._choose(next((row for row in rows if row.id == self._shown.id), None))

    def choose(self, record_id: object) -> None:
        """Mark a record and show its text."""
        self.table.select(record_id)

    def _enable(self) -> None:
        for widget in (self._remark, self._add):
            widget.setEnabled(self._shown is not None)

    def _choose(self, row: RecordRow | None) -> None:
        if row is None or self._shown is None or row.id != self._shown.id:
            self._keep_remark(row)
            self._problem.hide()
            self._words.setText("Choose a record to read it." if row is None else "Reading …")
        self._shown = row
        self._enable()
        if row is not None:
            self.desk.ask(self, records.read, row, done=self._show, replaces="record")

    def _keep_remark(self, row: RecordRow | None) -> None:
        """A remark belongs to the record it was typed for: it waits there, and what waits for the next record is shown."""
        if self._shown is not None:
            self._typed[self._shown.id] = self._remark.toPlainText()
        self._remark.setPlainText(self._typed.pop(row.id, "") if row is not None else "")

    def _show(self, text: RecordText) -> None:
        if self._shown is None or text.row.id != self._shown.id:
            return  # the answer about a record, perhaps a patient, that is no longer the chosen one
        lines = [f"{KINDS.get(text.row.kind, text.row.kind)}, {clinical_moment(text.row.happened_at, self.desk.zone)}"]
        if text.row.created_by:
            lines.append(f"Written by {text.row.created_by}")
        lines += ["", text.description or "No further text."]
        for remark in text.annotations:
            lines += ["", f"{remark.doctor_name}, {clinical_moment(remark.created_at, self.desk.zone)}:", remark.text]
        self._words.setText("\n".join(lines))

    def _new(self) -> None:
        if self.patient_id:
            RecordSheet(self.desk, self.patient_id, parent=self.window()).open()

    def _annotate(self) -> None:
        if self._shown is None:
            return
        self._problem.hide()
        self._add.setEnabled(False)

        row, words = self._shown, self._remark.toPlainText()

        def done(_nothing: None) -> None:
            if self._shown is not None and self._shown.id == row.id:
                if self._remark.toPlainText() == words:
                    self._remark.clear()
            elif self._typed.get(row.id) == words:
                self._typed.pop(row.id)
            self._enable()
            if self._shown is not None and self._shown.id == row.id:
                self._choose(self._shown)

        def failed(error: Exception) -> None:
            self._enable()
            if self._shown is None or self._shown.id != row.id:
                self.desk.report(error)
                return
            self._problem.setText(explain(error).text)
            self._problem.show()

        self.desk.do(self, records.annotate, row, words, done=done, failed=failed)
