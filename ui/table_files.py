"""A table that leaves the window as a file: where to is asked, a failure is said, and what left is written down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from clinicdesk.errors import Invalid
from ui.desk import Desk


def ask_where(owner: QWidget, title: str, name: str, chosen: Callable[[Path], object]) -> None:
    """Ask where a table goes; `chosen(path)` when somebody has said it."""
    dialog = QFileDialog(owner, title, name, "Table (*.csv)")
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix("csv")
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def write_table(desk: Desk, owner: QWidget, path: Path, content: bytes, *, category: str, subject: str, done: str,
                patient: str | None = None) -> None:
    """Write it, tell the audit log of which category (and whose, where it is one person's) it was, and say `done`; a file that cannot be
    written is said instead."""
    try:
        path.write_bytes(content)
    except OSError as error:
        desk.report(Invalid("", f"The file could not be written: {error.strerror}."))
        return
    desk.write_down(owner, "export", category, patient, subject)
    desk.tell(done)
