"""Words typed into a consultation that was signed without them: shown, to become an addendum or to be thrown away on purpose."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget
from shiboken6 import isValid

from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.services.drafts import NOTE_KINDS
from clinicdesk.services.journaling import Unsigned
from clinicdesk.services.schedule import AppointmentRow
from ui.desk import Desk
from ui.dialogs.addendum import AddendumSheet
from ui.widgets.arranging import scrolled
from ui.widgets.section import Section
from ui.widgets.text import button, label, row


class UnsignedPage(QWidget):
    """Signal `settled()` when one of the texts was dealt with."""

    settled = Signal()

    def __init__(self, desk: Desk, appointment: AppointmentRow, found: tuple[Unsigned, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._appointment, self.found = desk, appointment, found
        column = QVBoxLayout()
        column.addWidget(label("This visit was signed without these words.", "title", wrap=True))
        column.addWidget(label("They were typed on this computer and stand in no record. Add them below the visit, or throw them away.",
                               "soft", wrap=True))
        for one in found:
            column.addWidget(self._card(one))
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scrolled(column, margins=(24, 24, 24, 24), spacing=12))

    def _card(self, one: Unsigned) -> QWidget:
        section = Section(f"Typed until {clinical_moment(one.at, self.desk.zone)}", card="surface")
        for title, words in _parts(one):
            section.body.addWidget(label(title, "label"))
            section.body.addWidget(label(words, "body", wrap=True, selectable=True))
        self.add_button = button("Write it as an addendum", partial(self._add, one), variant="primary")
        self.discard_button = button("Throw it away", partial(self._throw_away, one))
        section.body.addLayout(row(self.add_button, self.discard_button, None))
        return section

    def _add(self, one: Unsigned) -> None:
        if self._appointment.consultation_id is None:
            return
        words = "\n\n".join(f"{title}: {text}" for title, text in _parts(one))
        day = clinical_date(self._appointment.starts_at, self.desk.zone)
        sheet = AddendumSheet(self.desk, self._appointment.consultation_id, day, text=words, parent=self.window())
        sheet.accepted.connect(partial(self._discard, one))
        sheet.open()

    def _throw_away(self, one: Unsigned) -> None:
        """At once, and for ten seconds to be taken back: these words exist nowhere else."""
        try:
            put_back = one.leftover.take_away()
        except OSError:  # another window dealt with it
            self.settled.emit()
            return
        settled = self.settled

        def undo() -> None:
            put_back()
            if isValid(self):
                settled.emit()

        self.desk.tell("The words were thrown away.", undo)
        self.settled.emit()

    def _discard(self, one: Unsigned) -> None:
        one.leftover.discard()
        self.settled.emit()


def _parts(one: Unsigned) -> list[tuple[str, str]]:
    """Titles and words, in the order of the editor."""
    kinds = [*NOTE_KINDS, *(kind for kind in one.notes if kind not in NOTE_KINDS)]
    return [*((NOTE_KINDS.get(kind, kind), one.notes[kind]) for kind in kinds if kind in one.notes), *one.others]
