"""What can be done with everybody selected in the Patients panel: tag, assign, archive, export, merge two."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from clinicdesk.rules.formats import SEXES
from clinicdesk.services import merging, patients
from clinicdesk.services.people import PatientRow
from ui.desk import Desk
from ui.dialogs.assigning import AssignSheet
from ui.dialogs.duplicates import DuplicatesSheet
from ui.dialogs.merging import MergeSheet
from ui.dialogs.tagging import TagSheet
from ui.table_files import ask_where, write_table
from ui.widgets.sheet import Sheet

HEADINGS = ("Record no.", "Last name", "First name", "Date of birth", "Sex", "Phone", "Tags", "Last visit")


class SelectionActions:
    """Acts on rows; `opened(sheet)` keeps the dialog that is open, `refresh()` reads the panel again, `show(id)` shows a patient."""

    def __init__(self, desk: Desk, owner: QWidget, opened: Callable[[Sheet], object], refresh: Callable[[], object],
                 show: Callable[[str], object]) -> None:
        self.desk, self._owner, self._opened, self._refresh, self._show = desk, owner, opened, refresh, show

    def fill(self, menu: QMenu, rows: Sequence[PatientRow]) -> None:
        """Put the actions for these rows into a menu."""
        theme, ids = self.desk.theme, [row.id for row in rows]
        who = "this patient" if len(rows) == 1 else f"these {len(rows)} patients"
        menu.addAction(theme.icon("tag"), f"Tag {who} …", partial(self.tag, ids))
        menu.addAction(theme.icon("add"), f"Assign a doctor to {who} …", partial(self.assign, ids))
        if len(rows) == 2:
            menu.addAction(theme.icon("merge"), "Merge these two records …", partial(self.merge, ids[0], ids[1]))
        menu.addAction(theme.icon("export"), f"Export {who} as CSV …", partial(self.export, list(rows)))
        menu.addAction(theme.icon("archive"), f"Archive {who}", partial(self.archive, ids))

    def tag(self, ids: list[str]) -> None:
        """Put one tag on everybody, or take it off; the toast takes it back from those it changed."""
        sheet = TagSheet(self.desk, ids, parent=self._owner.window())

        def done() -> None:
            tag, on = sheet.tag, sheet.put_on
            words = f"{len(sheet.changed)} tagged “{tag}”." if on else f"“{tag}” taken off {len(sheet.changed)}."
            undo = partial(self._tag_back, sheet.changed, tag, put_on=not on)
            self.desk.tell(words, undo if sheet.changed else None)
            self._refresh()

        sheet.accepted.connect(done)
        self._opened(sheet)
        sheet.open()

    def _tag_back(self, ids: list[str], tag: str, *, put_on: bool) -> None:
        self.desk.do(self._owner, patients.tag_many, ids, tag, put_on=put_on, done=lambda _ids: self._refresh())

    def assign(self, ids: list[str]) -> None:
        """One doctor for everybody."""
        sheet = AssignSheet(self.desk, *ids, parent=self._owner.window())
        sheet.accepted.connect(lambda: self.desk.tell(f"{len(ids)} assigned." if len(ids) > 1 else "Assigned."))
        sheet.accepted.connect(self._refresh)
        self._opened(sheet)
        sheet.open()

    def archive(self, ids: list[str]) -> None:
        """Take everybody out of sight; the toast brings them back."""

        def done(count: int) -> None:
            self.desk.tell(f"{count} archived.", partial(self._restore, ids))
            self._refresh()

        self.desk.do(self._owner, patients.archive_many, ids, done=done)

    def _restore(self, ids: list[str]) -> None:
        self.desk.do(self._owner, patients.archive_many, ids, restore=True, done=lambda _count: self._refresh())

    def merge(self, kept_id: str, lost_id: str) -> None:
        """Preview, choose, confirm; the toast separates them again."""
        sheet = MergeSheet(self.desk, kept_id, lost_id, parent=self._owner.window())

        def done(patient_id: str) -> None:
            self.desk.tell("The records are merged.", partial(self._separate, sheet))
            self._show(patient_id)
            self._refresh()

        sheet.merged.connect(done)
        self._opened(sheet)
        sheet.open()

    def _separate(self, sheet: MergeSheet) -> None:
        if sheet.merge_id is not None:
            self.desk.do(self._owner, merging.separate, sheet.merge_id, done=lambda _notes: self._refresh())

    def duplicates(self) -> None:
        """The list of pairs that look alike."""
        sheet = DuplicatesSheet(self.desk, parent=self._owner.window())
        sheet.merge_requested.connect(self.merge)
        self._opened(sheet)
        sheet.open()

    def export(self, rows: list[PatientRow]) -> None:
        """Ask where, then write a CSV file."""
        ask_where(self._owner.window(), "Export patients", "patients.csv", lambda path: self.write(path, rows))

    def write(self, path: Path, rows: Sequence[PatientRow]) -> None:
        """Write these rows to a file."""
        write_table(self.desk, self._owner, path, csv_of(rows).encode("utf-8-sig"), category="identity", subject=f"{len(rows)} patients",
                    done=f"{len(rows)} patients written to {path.name}.", patient=rows[0].id if len(rows) == 1 else None)


def csv_of(rows: Sequence[PatientRow]) -> str:
    """Rows as CSV (RFC 4180). A cell a spreadsheet would take for a formula begins with an apostrophe, telephone numbers too."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADINGS)
    for r in rows:
        cells = (r.id, r.last_name, r.first_name, f"{r.born:%Y-%m-%d}", SEXES[r.sex], r.phone, ", ".join(r.tags),
                 f"{r.last_visit:%Y-%m-%d}" if r.last_visit else "")
        writer.writerow([f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell for cell in cells])
    return out.getvalue()
