"""Put a tag on several patients, or take it off."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.services import patients
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.tag_completer import TagCompleter


class TagSheet(Sheet):
    """One word for everybody selected."""

    def __init__(self, desk: Desk, ids: Sequence[str], parent: QWidget | None = None) -> None:
        count = len(ids)
        super().__init__(
            desk, f"Tag {count} patients" if count != 1 else "Tag this patient", "Apply", parent=parent, key="tag", size=QSize(420, 260)
        )
        self._ids = list(ids)
        self.changed: list[str] = []  # whom it changed, once accepted
        self.tag, self.put_on = "", True
        form = self.set_form(Form())
        self._tags = TagCompleter(form.text("tags", "Tag", limit=40, hint="Tags in use are offered while you type"))
        form.choice("verb", "What to do", ((True, "Put it on"), (False, "Take it off")))
        form.mark_clean()
        form.editor("tags").setFocus()
        desk.ask(self, patients.tags_in_use, done=self._tags.offer, failed=lambda _e: None)

    def submit(self) -> None:
        """All in one transaction."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        self.tag, self.put_on = v["tags"].strip(), bool(v["verb"])
        self.desk.do(self, patients.tag_many, self._ids, self.tag, put_on=self.put_on, done=self._done, failed=self.show_problem)

    def _done(self, changed: list[str]) -> None:
        self.changed = changed
        self.accept()
