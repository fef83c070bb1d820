"""Erase a patient: what goes, what stays, why it may be forbidden, and the record number typed before the button does anything."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from clinicdesk.services import erasing
from clinicdesk.services.erasing import REASONS, Erased
from clinicdesk.services.people import PatientCard
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.text import label


class EraseSheet(Sheet):
    """Two steps: the explanation has to be left by typing the record number and choosing why. Signal `erased(patient_id)`."""

    erased = Signal(str)

    def __init__(self, desk: Desk, card: PatientCard, merged: bool = False, parent: QWidget | None = None) -> None:  # noqa: FBT001, FBT002
        super().__init__(desk, f"Erase {card.last_name}, {card.first_name}", "Erase for ever", parent=parent, key="erase", variant="danger",
                         size=QSize(600, 560))
        self._card = card
        self.body.addWidget(label("There is no way back, not even from a backup: who is erased is erased again after every restore.",
                                  "warning", wrap=True))
        merged_too = ", and every record merged with this one" if merged else ""
        for words in (
            ("First ask whether you may. The law usually asks to keep medical records for years after the last treatment, and a wish to be"
             " erased does not end that duty."),
            f"Goes: name, contact, notes, photo, the whole clinical record with documents and papers, coming appointments{merged_too}.",
            "Stays without a name: times of past appointments, money and receipts, and in the audit log who did this and why.",
            "Papers and files that were printed or saved elsewhere are not reached.",
        ):
            self.body.addWidget(label(words, wrap=True))
        form = self.set_form(Form())
        form.choice("reason", "Why", (("", "Choose …"), *REASONS.items()))
        form.text("number", f"Type the record number, {card.id}", limit=12)
        form.mark_clean()
        self.body.addStretch(1)

    def submit(self) -> None:
        """Erase, or say at the field what is missing."""
        assert self.form is not None  # noqa: S101  built in __init__
        self.desk.do(self, erasing.erase, self._card.id, self.form.value("number"), self.form.value("reason"), done=self._done,
                     failed=self.show_problem)

    def _done(self, found: Erased) -> None:
        self.accept()
        self.erased.emit(found.patient_ids[0])
