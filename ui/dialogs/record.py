"""Write a health record: a kind, a title, and what is to be known."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import records
from clinicdesk.services.records import KINDS
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class RecordSheet(Sheet):
    """One record; visits and imported encounters make theirs by themselves."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add a health record", "Add", parent=parent, key="record", size=QSize(560, 460))
        self._patient_id = patient_id
        form = self.set_form(Form())
        form.choice("kind", "Kind", [(kind, words) for kind, words in KINDS.items() if kind not in {"visit", "encounter"}])
        form.text("title", "Title", limit=200)
        form.paragraph("description", "Description", limit=10_000, optional=True, lines=8)
        form.mark_clean()
        form.editor("title").setFocus()

    def submit(self) -> None:
        """Store it, sealed."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        self.desk.do(self, records.add, self._patient_id, v["kind"], v["title"], v["description"], done=lambda _id: self.accept(),
                     failed=self.show_problem)
