"""One document of a patient, looked at: PDF, picture or text; a withdrawn one stays closed until it is asked for."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QPlainTextEdit, QStackedWidget, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from clinicdesk.pdf.plain import picture_sheet, text_sheet
from clinicdesk.rules.moments import clinical_date
from clinicdesk.services import attachments
from clinicdesk.services.attachments import AttachmentRow
from clinicdesk.services.file_kinds import SUFFIXES, decoded
from ui.desk import Desk
from ui.dialogs.annotating import AnnotateSheet
from ui.dialogs.withdrawing import LeavesTheSafeSheet, WithdrawSheet
from ui.problems import explain
from ui.widgets.empty import EmptyState
from ui.widgets.pdf_preview import PdfPreview
from ui.widgets.picture_preview import PicturePreview, picture_of
from ui.widgets.text import button, label, row

#: Characters of a text that are shown at once: laying out more would make the window stand still.
LONGEST = 50_000


class AttachmentPreview(QWidget):
    """`show_row(AttachmentRow | None)` reads and shows. Signal `shown(AttachmentRow)` when its content is on the screen."""

    shown = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.content = b""
        self.dialog: QFileDialog | None = None
        self.row: AttachmentRow | None = None
        self.annotate_button = button("Annotate a copy", self.annotate, variant="quiet", icon="edit", theme=desk.theme)
        self.save_button = button("Save as…", self.save_as, variant="quiet", icon="save", theme=desk.theme)
        self.print_button = button("Print", self.print_it, variant="quiet", icon="print", theme=desk.theme)
        self.withdraw_button = button("Withdraw", self.withdraw, variant="quiet", icon="archive", theme=desk.theme)
        self.words = label("", "soft", wrap=True, selectable=True)
        self.pdf = PdfPreview(desk.theme, desk.pool)
        self.pdf.save_button.hide()
        self.pdf.print_button.hide()
        self.pdf.printed.connect(lambda _printer: self._printed())
        self.picture = PicturePreview(desk.theme)
        self.text = QPlainTextEdit()
        self.text.setReadOnly(True)
        self.text.setAccessibleName("Text of the document")
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.stack = QStackedWidget()
        self._note: EmptyState | None = None
        for widget in (self.pdf, self.picture, self.text):
            self.stack.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(6)
        self._tools = QWidget()
        tools = row(self.annotate_button, self.save_button, self.print_button, self.withdraw_button, None, spacing=4)
        tools.setContentsMargins(0, 0, 0, 0)
        self._tools.setLayout(tools)
        layout.addWidget(self._tools)
        layout.addWidget(self.words)
        layout.addWidget(self.stack, 1)
        self.show_row(None)

    def show_row(self, chosen: AttachmentRow | None) -> None:
        """Show this document; the same one, unchanged, stays as it is on the screen."""
        if chosen is not None and self.row is not None and chosen.id == self.row.id and chosen.withdrawn_at == self.row.withdrawn_at:
            self.row = chosen
            self._say()
            return
        self.row, self.content = chosen, b""
        self._say()
        self._enable()
        if chosen is None:
            self._say_instead("Choose a document to read it.", "attachment")
        elif chosen.withdrawn_at is not None:
            self._say_instead("This document was withdrawn.", "archive", f"{chosen.withdrawn_by}: {chosen.withdrawn_reason}",
                              "Show it all the same")
        else:
            self.open_it()

    def open_it(self) -> None:
        """Read the content of the chosen document."""
        if self.row is None:
            return
        chosen = self.row
        self._say_instead("Opening …", "attachment")
        self.desk.ask(self, attachments.content, chosen.id, done=lambda content: self._show(chosen, content),
                      failed=lambda error: self._refused(chosen, error), replaces="content")

    def annotate(self) -> None:
        """Put marks over a copy."""
        if self.row is not None and self.content:
            AnnotateSheet(self.desk, self.row, self.content, parent=self.window()).open()

    def withdraw(self) -> None:
        """Say that it should not be relied on."""
        if self.row is not None:
            WithdrawSheet(self.desk, self.row, parent=self.window()).open()

    def save_as(self) -> None:
        """Write a copy to a file, after saying what that means."""
        if self.row is None or not self.content:
            return
        chosen, content = self.row, self.content
        sheet = LeavesTheSafeSheet(self.desk, chosen.title, parent=self.window())
        sheet.agreed.connect(lambda: self._ask_where(chosen, content))
        sheet.open()

    def _ask_where(self, chosen: AttachmentRow, content: bytes) -> None:
        suffix = SUFFIXES[chosen.kind]
        name = "".join(c if c.isalnum() or c in " -_." else "_" for c in chosen.title).strip(". ")[:80] or "document"
        self.dialog = QFileDialog(self.window(), "Save a copy", f"{name}.{suffix}", f"{suffix.upper()} (*.{suffix})")
        self.dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        self.dialog.setDefaultSuffix(suffix)
        self.dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.dialog.fileSelected.connect(lambda path: self.save_to(Path(path), content, chosen))
        self.dialog.open()

    def save_to(self, path: Path, content: bytes, chosen: AttachmentRow) -> None:
        """Write the bytes as they were put in."""
        def written(_none: None) -> None:
            self.desk.write_down(self, "export", "documents", chosen.patient_id, f"attachment {chosen.id}")
            self.desk.tell(f"Saved as {path.name}, outside the safe.")

        self.desk.pool.run(self, lambda: _write(path, content), written, self.desk.report, keep=True)

    def _printed(self) -> None:
        if self.row is not None:
            self.desk.write_down(self, "print", "documents", self.row.patient_id, f"attachment {self.row.id}")

    def print_it(self) -> None:
        """Print; a picture and a text are shown first the way they go to paper."""
        if self.row is None or not self.content:
            return
        if self.row.kind == "pdf":
            self.pdf.print_it()
            return
        content, kind = self.content, self.row.kind

        def made(paper: bytes) -> None:
            self.pdf.show_pdf(paper, "document.pdf")
            self.stack.setCurrentWidget(self.pdf)
            self.pdf.print_it()

        self.desk.pool.run(self, lambda: text_sheet(decoded(content) or "") if kind == "text" else picture_sheet(content), made,
                           self.desk.report, replaces="paper")

    def _show(self, chosen: AttachmentRow, content: bytes) -> None:
        if self.row is None or self.row.id != chosen.id:
            return
        self.content = content
        if chosen.kind == "pdf":
            self.pdf.show_pdf(content)
            self._shown(self.pdf)
        elif chosen.kind == "text":
            self.desk.pool.run(self, lambda: decoded(content) or "", self._show_text, self.desk.report, replaces="picture")
        else:
            self.desk.pool.run(self, lambda: picture_of(content), self._show_picture, self.desk.report, replaces="picture")

    def _show_text(self, text: str) -> None:
        if self.row is not None and self.content and self.row.kind == "text":
            more = f"\n\n… {len(text) - LONGEST:,} more characters. Save a copy to read all of it." if len(text) > LONGEST else ""
            self.text.setPlainText(text[:LONGEST] + more)
            self._shown(self.text)

    def _show_picture(self, picture: QImage) -> None:
        if self.row is not None and self.content and self.row.kind in {"png", "jpeg"}:
            self.picture.show_picture(picture)
            self._shown(self.picture)

    def _shown(self, widget: QWidget) -> None:
        self.stack.setCurrentWidget(widget)
        self.setFocusProxy(widget)
        self._enable()
        self.shown.emit(self.row)

    def _refused(self, chosen: AttachmentRow, error: Exception) -> None:
        if self.row is not None and self.row.id == chosen.id:
            self._say_instead(explain(error).sentence, "unavailable", explain(error).advice, "Try again")

    def _say_instead(self, sentence: str, icon: str, advice: str = "", action: str = "") -> None:
        """A sentence in place of the content; nothing of an earlier document stays behind it."""
        before, self._note = self._note, EmptyState(self.desk.theme, sentence, icon=icon, advice=advice, action=action,
                                                    clicked=self.open_it if action else None)
        self.stack.addWidget(self._note)
        self.stack.setCurrentWidget(self._note)
        if before is not None:
            self.stack.removeWidget(before)
            before.deleteLater()
        self.text.clear()
        self.picture.show_picture(QImage())
        self._enable()

    def _enable(self) -> None:
        there = bool(self.content)
        self._tools.setVisible(self.row is not None)
        self.annotate_button.setEnabled(there and self.row is not None and self.row.kind != "text")
        self.annotate_button.setToolTip("Only pages and pictures can be marked" if self.row is not None and self.row.kind == "text" else
                                        "Put remarks, arrows and boxes over a copy; the original stays as it is")
        self.save_button.setEnabled(there)
        self.print_button.setEnabled(there)
        self.withdraw_button.setEnabled(self.row is not None and self.row.withdrawn_at is None)

    def _say(self) -> None:
        if self.row is None:
            self.words.setText("")
            self.words.hide()
            return
        zone = self.desk.zone
        parts = [f"Added {clinical_date(self.row.added_at, zone)} by {self.row.added_by}"]
        if self.row.copy_of is not None:
            parts.append(f"annotated copy of “{self.row.original}”")
        if self.row.record_title:
            parts.append(f"belongs to the record “{self.row.record_title}”")
        if self.row.withdrawn_at is not None:
            parts.append(f"withdrawn {clinical_date(self.row.withdrawn_at, zone)} by {self.row.withdrawn_by}: {self.row.withdrawn_reason}")
        self.words.setText("; ".join(parts))
        self.words.show()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise Invalid("file", f"The copy could not be saved there: {error.strerror or type(error).__name__}.") from None
