"""The session log in the chart: therapy sessions, and the note of the chosen one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_moment, minutes_text
from clinicdesk.services.session_log import KINDS, SessionEntry
from ui.desk import Desk
from ui.dialogs.therapy import SessionSheet
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.arranging import scrolled
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, label


class SessionsView(QWidget):
    """Filled by the chart. `patient_id` is whose log it is."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.patient_id = ""
        self.table: RowTable[SessionEntry] = RowTable(
            desk.theme,
            (
                Column("Began", lambda r: clinical_moment(r.happened_at, desk.zone), sort=lambda r: r.happened_at, width=136),
                Column("Kind", lambda r: KINDS[r.kind], width=120, kind="soft"),
                Column("What was done", lambda r: r.title, kind="strong"),
                Column("Lasted", lambda r: minutes_text(r.minutes), sort=lambda r: r.minutes, align="right", width=80),
            ),
            lambda r: r.id,
            name="Session log",
            empty=EmptyState(desk.theme, "Reading …", icon="history"),
        )
        self.table.selected.connect(self._choose)
        self.new_button = button("Add session", self._new, variant="quiet", icon="add", theme=desk.theme)
        self.words = label("", "soft", wrap=True, selectable=True)
        self.words.setAlignment(Qt.AlignmentFlag.AlignTop)
        above = QWidget()
        lines = QVBoxLayout(above)
        lines.setContentsMargins(12, 8, 12, 0)
        lines.addWidget(self.new_button, 0, Qt.AlignmentFlag.AlignRight)
        lines.addWidget(self.table, 1)
        column = QVBoxLayout()
        below = scrolled(column, margins=(12, 8, 12, 8))
        column.addWidget(self.words, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(above)
        split.addWidget(below)
        split.setStretchFactor(0, 3)
        split.setStretchFactor(1, 2)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(split)
        self._choose(None)

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self.patient_id = ""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, "Reading …", icon="history"))
        self._choose(None)

    def say_unreadable(self, error: Exception) -> None:
        """A log that could not be read never says that there are no sessions."""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))

    def show_rows(self, rows: Sequence[SessionEntry]) -> None:
        """Show these sessions."""
        self.table.set_empty(EmptyState(self.desk.theme, "No sessions yet.", icon="history", advice="Add the first one above."))
        self.table.show_rows(rows)

    def _choose(self, row: SessionEntry | None) -> None:
        if row is None:
            self.words.setText("Choose a session to read its note.")
            return
        head = f"{KINDS[row.kind]}, {clinical_moment(row.happened_at, self.desk.zone)}, {minutes_text(row.minutes)}, {row.therapist}"
        self.words.setText(f"{head}\n\n{row.note or 'No note.'}")

    def _new(self) -> None:
        if self.patient_id:
            SessionSheet(self.desk, self.patient_id, parent=self.window()).open()
