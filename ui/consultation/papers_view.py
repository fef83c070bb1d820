"""All papers of a patient: prescriptions, visit summaries, sick notes and referral letters; new ones, and cancelling."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import papers
from clinicdesk.services.papers import PaperRow
from ui.desk import Desk
from ui.dialogs.checking import keep_trust
from ui.dialogs.paper import PaperWindow
from ui.dialogs.papers import CancelPaperSheet, PaperSheet
from ui.panel import Action
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, row


class PapersView(QWidget):
    """Filled by the chart. Signals: `issued(number)`, `again(number)`: prescribe the lines of a cancelled prescription once more."""

    issued = Signal(str)
    again = Signal(str)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.patient_id = ""
        self.sheet: PaperSheet | CancelPaperSheet | None = None
        self.window_of_paper: PaperWindow | None = None
        self._asked = False
        self.table: RowTable[PaperRow] = RowTable(
            desk.theme,
            (
                Column("Issued", lambda r: clinical_date(r.issued_at, desk.zone), sort=lambda r: r.issued_at, width=104),
                Column("Paper", _words, kind="strong", tip=_tip),
                Column("State", _state, width=96, kind="soft", tip=_tip),
            ),
            lambda r: r.number,
            name="Papers",
            empty=EmptyState(desk.theme, "Reading …", icon="pdf"),
        )
        self.table.opened.connect(lambda one: self.show_paper(one.number))
        self.table.selected.connect(lambda _row: self._enable())
        self.new_button = button("New paper", icon="add", theme=desk.theme, tip="Sick note, referral letter or visit summary")
        menu = QMenu(self.new_button)
        for kind, words, icon in (("SN", "Sick note", "note"), ("RL", "Referral letter", "mail"), ("VS", "Visit summary", "visits")):
            menu.addAction(desk.theme.icon(icon), words, lambda kind=kind: self.new(kind))
        self.new_button.setMenu(menu)
        self.show_button = button("Show", self._show_selected, icon="pdf", theme=desk.theme)
        self.cancel_button = button("Cancel this paper", self.cancel, variant="danger", icon="cancelled", theme=desk.theme)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(12, 12, 12, 12)
        outer.setSpacing(8)
        outer.addLayout(row(self.new_button, None, self.show_button, self.cancel_button))
        outer.addWidget(self.table, 1)
        self._enable()

    def commands(self) -> Sequence[Action]:
        """For the keys and the command bar of the consulting room."""
        return (
            Action("New sick note", lambda: self.new("SN"), "note", "Ctrl+Shift+S"),
            Action("New referral letter", lambda: self.new("RL"), "mail", "Ctrl+Shift+R"),
            Action("New visit summary", lambda: self.new("VS"), "visits", "Ctrl+Shift+V"),
        )

    def clear(self) -> None:
        """Nothing of the patient before stays."""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, "Reading …", icon="pdf"))
        self._enable()

    def show_rows(self, rows: list[PaperRow]) -> None:
        """The papers as they were read."""
        self.table.set_empty(EmptyState(self.desk.theme, "No papers yet.", icon="pdf"))
        self.table.show_rows(rows)
        self._enable()

    def say_unreadable(self, error: Exception) -> None:
        """A list that could not be read never says that there is nothing."""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))
        self._enable()

    def new(self, kind: str) -> None:
        """Open the sheet of a new paper for the patient shown."""
        if not self.patient_id:
            return
        sheet = PaperSheet(self.desk, kind, self.patient_id, parent=self.window())
        sheet.accepted.connect(lambda: self._issued(sheet.number))
        self.sheet = sheet
        sheet.open()

    def _issued(self, number: str) -> None:
        self.issued.emit(number)
        keep_trust(self.desk, self)
        self.show_paper(number)

    def show_paper(self, number: str) -> None:
        """Look, print, save."""
        self.window_of_paper = PaperWindow(self.desk, number, parent=self.window())
        self.window_of_paper.show()

    def cancel(self) -> None:
        """Ask why, then cancel the chosen paper for good."""
        chosen = self.table.record()
        if chosen is None or chosen.voided_at is not None:
            return
        sheet = CancelPaperSheet(self.desk, chosen, parent=self.window())
        sheet.accepted.connect(lambda: self._cancelled(chosen, again=sheet.again))
        self.sheet = sheet
        sheet.open()

    def _cancelled(self, chosen: PaperRow, *, again: bool) -> None:
        self.desk.tell(f"{chosen.title} {chosen.number} is cancelled.")
        keep_trust(self.desk, self)
        self.desk.ask(self, papers.of_patient, self.patient_id, done=self.show_rows, failed=self.say_unreadable, replaces="papers")
        if again:
            self.again.emit(chosen.number)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._asked and self.desk.me.doctor_id is not None:
            self._asked = True
            keep_trust(self.desk, self)

    def _show_selected(self) -> None:
        chosen = self.table.record()
        if chosen is not None:
            self.show_paper(chosen.number)

    def _enable(self) -> None:
        chosen = self.table.record()
        self.show_button.setEnabled(chosen is not None)
        self.cancel_button.setEnabled(chosen is not None and chosen.voided_at is None)


def _words(one: PaperRow) -> str:
    return f"{one.title}: {one.what}" if one.what else one.title


def _state(one: PaperRow) -> str:
    return "✕ Cancelled" if one.voided_at is not None else "Printed" if one.printed else "Signed"


def _tip(one: PaperRow) -> str:
    lines = [f"{one.number}, {one.doctor_name}", *one.what.split("; ")]
    if one.voided_at is not None:
        lines.append(f"Cancelled by {one.voided_by} on {clinical_date(one.voided_at)}: {one.reason}")
    return "\n".join(line for line in lines if line)
