"""Put a tag on several patients, or take it off."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import patients
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class TagSheet(Sheet):
    """One word for everybody selected."""

    def __init__(self, desk: Desk, ids: Sequence[str], parent: QWidget | None = None) -> None:
        count = len(ids)
        super().__init__(
            desk, f"Tag {count} patients" if count != 1 else "Tag this patient", "Apply", parent=parent, key="tag", size=QSize(420, 260)
        )
        self._ids = list(ids)
        form = self.set_form(Form())
        form.text("tags", "Tag", limit=40)
        form.choice("verb", "What to do", ((True, "Put it on"), (False, "Take it off")))
        form.mark_clean()
        form.editor("tags").setFocus()

    def submit(self) -> None:
        """All in one transaction."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        self.desk.do(
            self, patients.tag_many, self._ids, v["tags"], put_on=v["verb"], done=lambda _n: self.accept(), failed=self.show_problem
        )
