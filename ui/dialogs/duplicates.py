"""Possible duplicates in the register: pairs that look alike, most likely first; merge them, or say that they are two people."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import duplicates
from clinicdesk.services.duplicates import Pair
from clinicdesk.services.people import PatientRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


class DuplicatesSheet(Sheet):
    """Signal `merge_requested(one id, other id)`."""

    merge_requested = Signal(str, str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Possible duplicates", "Merge …", parent=parent, key="duplicates", size=QSize(920, 560),
                         explanation="Among the 2,000 records changed last: who looks like somebody else in the register.")
        self.cancel_button.setText("Close")
        self.table: RowTable[Pair] = RowTable(
            desk.theme,
            (
                Column("Score", lambda p: str(p.score), sort=lambda p: p.score, align="right", width=64, kind="strong"),
                Column("Record", lambda p: _who(p.one), tip=lambda p: p.one.id),
                Column("And", lambda p: _who(p.other), tip=lambda p: p.other.id),
                Column("Last visit", _last, width=210, kind="soft"),
            ),
            lambda p: (p.one.id, p.other.id),
            name="Possible duplicates",
            empty=EmptyState(desk.theme, "Reading …", icon="patients"),
        )
        self.body.addWidget(self.table, 1)
        self.why = label("", "soft", wrap=True)
        self.body.addWidget(self.why)
        self.two_button = button("They are two people", self._two_people, variant="quiet")
        self.left.addWidget(self.two_button)
        self.table.selected.connect(self._chosen)
        self.table.opened.connect(lambda _pair: self._pressed())
        self._chosen(None)
        self._live = RefreshWhenShown(self, desk.live, ("patients",), self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """The list again."""
        self.desk.ask(self, duplicates.possible, done=self._show, failed=self.show_problem, replaces="pairs")

    def submit(self) -> None:
        """Merge the chosen pair."""
        pair = self.table.record()
        if pair is None:
            self.set_busy(False)
            return
        self.accept()
        self.merge_requested.emit(pair.one.id, pair.other.id)

    def _show(self, pairs: Sequence[Pair]) -> None:
        self.table.set_empty(EmptyState(self.desk.theme, "Nobody looks registered twice.", icon="success"))
        self.table.show_rows(pairs)
        if self.table.record() is None:
            self.table.select_first()
        self._chosen(self.table.record())

    def _chosen(self, pair: Pair | None) -> None:
        self.why.setText(". ".join(pair.reasons) + "." if pair else "")
        self.verb_button.setEnabled(pair is not None)
        self.two_button.setEnabled(pair is not None)

    def _two_people(self) -> None:
        pair = self.table.record()
        if pair is not None:
            self.desk.do(self, duplicates.say_different, pair.one.id, (pair.other.id,), done=lambda _none: self.refresh(),
                         failed=self.show_problem)


def _who(row: PatientRow) -> str:
    return f"{row.last_name}, {row.first_name}  ·  {clinical_date(row.born)}"


def _last(pair: Pair) -> str:
    return " / ".join(clinical_date(row.last_visit) if row.last_visit else "none" for row in (pair.one, pair.other))
