"""Write down a therapy session."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import session_log
from clinicdesk.services.session_log import KINDS
from ui.desk import Desk
from ui.widgets.fields import day_field, number_field, time_field
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class SessionSheet(Sheet):
    """One session; it ends now unless another time is chosen."""

    def __init__(self, desk: Desk, patient_id: str, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add a session", "Add", parent=parent, key="therapy", size=QSize(560, 500))
        self._patient_id, self._key = patient_id, uuid.uuid4().hex
        began = desk.now() - timedelta(minutes=45)
        form = self.set_form(Form(columns=4))
        form.choice("kind", "Kind", list(KINDS.items()), span=4)
        form.text("title", "What was done", limit=200, span=4)
        form.add("date", "Day", day_field(began.date()), span=2)
        form.add("starts_at", "Began at", time_field(began.time()))
        form.add("minutes", "Minutes", number_field(45, 1, 600, 5))
        form.paragraph("note", "Note", limit=10_000, optional=True, lines=6)
        form.mark_clean()
        form.editor("title").setFocus()

    def submit(self) -> None:
        """Store it, sealed."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        at = datetime.combine(v["date"], v["starts_at"], tzinfo=self.desk.zone)
        self.desk.do(self, session_log.add, self._patient_id, v["kind"], v["title"], v["minutes"], at, v["note"], self._key,
                     done=lambda _id: self.accept(), failed=self.show_problem)
