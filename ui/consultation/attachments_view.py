"""Documents of a patient: a list, the chosen one beside it; added from files, by dropping them on the chart, or from the clipboard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QBuffer, QEvent, QIODevice, QObject, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFileDialog, QSplitter, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import attachments
from clinicdesk.services.attachments import AttachmentRow
from clinicdesk.services.file_kinds import KINDS
from ui.consultation.attachment_preview import AttachmentPreview
from ui.desk import Desk
from ui.dialogs.files import FilesSheet, Source, size_text
from ui.problems import explain
from ui.row_table import Column, RowTable
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, row


def state_text(found: AttachmentRow) -> str:
    """Where a document is, in words."""
    if found.withdrawn_at is not None:
        return "Withdrawn"
    return "Stored" if found.delivered else "Waiting for the document server"


class AttachmentsView(QWidget):
    """Belongs to the chart, which calls `show_patient`, `refresh` and `clear`. `patient_name` stands in the sheet for new documents."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.patient_id = self.patient_name = ""
        self.dialog: QFileDialog | None = None
        self._select_next: object = None
        self.table: RowTable[AttachmentRow] = RowTable(
            desk.theme,
            (
                Column("Date", lambda r: clinical_date(r.added_at, desk.zone), sort=lambda r: r.added_at, width=98),
                Column("Title", lambda r: r.title, kind="strong", icon=lambda r: "archive" if r.withdrawn_at else "",
                       tip=lambda r: "\n".join(x for x in (r.title, f"Annotated copy of “{r.original}”" if r.copy_of else "", r.file_name)
                                               if x)),
                Column("Kind", lambda r: KINDS[r.kind].split(" (")[0], width=64, kind="soft", tip=lambda r: KINDS[r.kind]),
                Column("Size", lambda r: size_text(r.size), sort=lambda r: r.size, align="right", width=68),
                Column("State", lambda r: state_text(r).split(" for ")[0], width=92, kind="soft", tip=state_text,
                       icon=lambda r: "" if r.delivered or r.withdrawn_at else "outbox"),
            ),
            lambda r: r.id,
            name="Documents",
            empty=EmptyState(desk.theme, "Reading …", icon="attachment"),
        )
        self.preview = AttachmentPreview(desk)
        self.table.selected.connect(self.preview.show_row)
        self.table.opened.connect(lambda _row: self.preview.setFocus())
        self.add_button = button("Add documents", self.choose_files, variant="quiet", icon="add", theme=desk.theme,
                                 tip="From files; or drop them on the chart")
        self.paste_button = button("Paste", self.paste, variant="quiet", icon="copy", theme=desk.theme,
                                   tip="A picture or files from the clipboard  (Ctrl+V)")
        above = QWidget()
        lines = QVBoxLayout(above)
        lines.setContentsMargins(12, 8, 12, 0)
        lines.addLayout(row(None, self.paste_button, self.add_button, spacing=4))
        lines.addWidget(self.table, 1)
        split = QSplitter(Qt.Orientation.Vertical)
        split.addWidget(above)
        split.addWidget(self.preview)
        split.setStretchFactor(0, 2)
        split.setStretchFactor(1, 3)
        split.setChildrenCollapsible(False)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(split)

    def take_drops_of(self, widget: QWidget) -> None:
        """Files dropped anywhere on this widget are added here."""
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def show_patient(self, patient_id: str, name: str = "") -> None:
        """Whose documents these are; nothing of another patient stays."""
        if patient_id != self.patient_id:
            self.clear()
            self.patient_name = ""
        self.patient_id, self.patient_name = patient_id, name or self.patient_name
        self.refresh()

    def choose(self, attachment_id: object) -> None:
        """Show this document, now or as soon as the list knows it."""
        if not self.table.select(attachment_id):
            self._select_next = attachment_id

    def refresh(self) -> None:
        """Read the list again."""
        if self.patient_id:
            self.desk.ask(self, attachments.of_patient, self.patient_id, done=self.show_rows, failed=self.say_unreadable,
                          replaces="attachments")

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self.patient_id = ""
        self.table.show_rows(())
        self.table.set_empty(EmptyState(self.desk.theme, "Reading …", icon="attachment"))
        self.preview.show_row(None)

    def say_unreadable(self, error: Exception) -> None:
        """A list that could not be read never says that there are no documents."""
        self.table.show_rows(())
        self.preview.show_row(None)
        self.table.set_empty(EmptyState(self.desk.theme, explain(error).sentence, icon="unavailable", advice=explain(error).advice))

    def show_rows(self, rows: Sequence[AttachmentRow]) -> None:
        """Show these; the chosen one stays chosen, and is shown as it is now."""
        self.table.set_empty(EmptyState(self.desk.theme, "No documents yet.", icon="attachment",
                                        advice="Add a file, or drop PDF, PNG, JPEG or text files here."))
        self.table.show_rows(rows)
        if self._select_next is not None and self.table.select(self._select_next):
            self._select_next = None
        chosen = self.preview.row
        if chosen is not None:
            self.preview.show_row(next((one for one in rows if one.id == chosen.id), None))

    def choose_files(self) -> None:
        """From files; the dialog's filter is only a help, what counts is the content."""
        self.dialog = QFileDialog(self.window(), "Add documents", "", "Documents (*.pdf *.png *.jpg *.jpeg *.txt);;All files (*)")
        self.dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.filesSelected.connect(lambda paths: self.add([Source.of(Path(path)) for path in paths]))
        self.dialog.open()

    def paste(self) -> None:
        """A picture from the clipboard, or the files on it."""
        found = QGuiApplication.clipboard()
        urls = [url for url in found.mimeData().urls() if url.isLocalFile()]
        if urls:
            self.add([Source.of(Path(url.toLocalFile())) for url in urls])
            return
        image = found.image()
        if image.isNull():
            self.desk.report(Invalid("file", "There is no picture and no file on the clipboard."))
            return
        room = QBuffer()
        room.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(room, "PNG")  # type: ignore[call-overload]
        content = bytes(room.data().data())
        self.add([Source("Picture from the clipboard.png", len(content), None, content)])

    def add(self, sources: Sequence[Source]) -> FilesSheet | None:
        """Offer these files for the patient shown now."""
        if not self.patient_id or not sources:
            return None
        sheet = FilesSheet(self.desk, self.patient_id, sources, patient_name=self.patient_name, parent=self.window())
        sheet.stored.connect(self._stored)
        sheet.open()
        return sheet

    def _stored(self, number: object) -> None:
        self._select_next = number
        self.refresh()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QDropEvent) and event.type() in {QEvent.Type.DragEnter, QEvent.Type.DragMove, QEvent.Type.Drop}:
            paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
            if paths and self.patient_id:
                event.acceptProposedAction()
                if event.type() == QEvent.Type.Drop and not isinstance(event, QDragEnterEvent):
                    self.add([Source.of(path) for path in paths])
                return True
        return super().eventFilter(watched, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        else:
            super().keyPressEvent(event)
