"""Check a paper: choose a file, drop it, or paste the text of a code; the answer in one word with its shape and colour, details beside."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QObject, QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from clinicdesk.errors import ClinicError
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services import signing
from clinicdesk.verifying import trust as trusting
from clinicdesk.verifying.papers import check, check_text
from clinicdesk.verifying.trust import TRUST_FILE, Trust
from clinicdesk.verifying.verdict import Status, Verdict
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.form import announce
from ui.widgets.text import button, label, row

#: Answer → word, icon, colour token.
SHOWN: Final[dict[Status, tuple[str, str, str]]] = {
    "valid": ("Valid", "success", "success"),
    "altered": ("Altered", "danger", "danger"),
    "cancelled": ("Cancelled", "cancelled", "danger"),
    "unknown key": ("Unknown key", "not_recorded", "warning"),
    "not checked": ("Not checked", "info", "text_soft"),
}
_FILES: Final = "Papers (*.pdf *.png *.jpg *.jpeg *.tif *.tiff)"


def trust_file(desk: Desk) -> Path | None:
    """Where this computer keeps the trust list; None without a data folder."""
    return Path(desk.settings.data_dir) / TRUST_FILE if desk.settings is not None else None


def keep_trust(desk: Desk, owner: QObject) -> None:
    """Write the doctor's signed trust list beside the clinic's data; harmless to repeat."""
    place = trust_file(desk)
    if place is not None and desk.me.doctor_id is not None:
        desk.do(owner, signing.trust_list, done=lambda text: _store(desk, place, text))


def _store(desk: Desk, place: Path, text: str) -> None:
    try:
        trusting.store(place, text, own=True)
    except ClinicError as problem:
        desk.report(problem)
    except OSError as problem:
        desk.report(ClinicError(f"The trust list could not be written: {problem.strerror}."))


class CheckWindow(QDialog):
    """`verdict` is the last answer. Nothing is asked of the databases except a fresh trust list by a doctor."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.verdict: Verdict | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Check a paper")
        self.setAcceptDrops(True)
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText("Paste or scan the text of a code here, or drop a PDF or a scan on this window")
        self.text.setAccessibleName("Text of a code")
        self.text.setTabChangesFocus(True)
        self.text.setMaximumHeight(96)
        self.file_button = button("Choose a file", self.choose, variant="primary", icon="pdf", theme=desk.theme, shortcut="Ctrl+O")
        self.text_button = button("Check the text", self.check_pasted, icon="check", theme=desk.theme,
                                  tip="Check the pasted text  (Ctrl+Enter)")
        self.text_button.setShortcut("Ctrl+Return")
        self.export_button = button("Export trust list", self.export, icon="export", theme=desk.theme)
        self.import_button = button("Import trust list", self.import_list, icon="import", theme=desk.theme)
        self.sign, self.word = QLabel(), label("No paper yet", "display")
        self.sentence = label("Choose the PDF, or scan a code on the paper.", "soft", wrap=True)
        self.source = label("", "faint", wrap=True)
        self._details, self._differences = QVBoxLayout(), QVBoxLayout()
        head = QHBoxLayout()
        head.setSpacing(16)
        head.addWidget(self.sign)
        words = QVBoxLayout()
        words.addWidget(self.word)
        words.addWidget(self.sentence)
        head.addLayout(words, 1)
        left, right = QVBoxLayout(), QVBoxLayout()
        left.addWidget(label("What differs, and notes", "heading"))
        left.addWidget(scrolled(self._differences), 1)
        right.addWidget(label("What was signed", "heading"))
        right.addWidget(scrolled(self._details), 1)
        body = QHBoxLayout()
        body.setSpacing(24)
        body.addLayout(left, 1)
        body.addLayout(right, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.setSpacing(12)
        outer.addWidget(self.text)
        outer.addLayout(row(self.file_button, self.text_button, None, self.import_button, self.export_button))
        outer.addLayout(head)
        outer.addLayout(body, 1)
        outer.addWidget(self.source)
        self.resize(desk.recall("check-paper", QSize(860, 640)))
        self._show_source()
        if desk.me.doctor_id is not None:
            keep_trust(desk, self)
        self.text.setFocus()

    def choose(self) -> None:
        """Ask for a file and check it."""
        dialog = QFileDialog(self, "Check a paper", "", _FILES)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda path: self.check_file(Path(path)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def check_file(self, path: Path) -> None:
        """Check a PDF or a picture; on a worker, some tenths of a second a page."""
        self._run(lambda: check(str(path), self._trust()), path.name)

    def check_pasted(self) -> None:
        """Check what is in the field."""
        typed = self.text.toPlainText()
        if typed.strip():
            self._run(lambda: check_text(typed, self._trust()), "pasted text")

    def _trust(self) -> Trust:
        place = trust_file(self.desk)
        return trusting.load(place) if place is not None and place.exists() else Trust()

    def _run(self, work: Any, name: str) -> None:
        self.sentence.setText(f"Checking {name} …")
        self.desk.pool.run(self, work, lambda verdict: self._show(verdict, name), self._failed, replaces="check")

    def _failed(self, error: Exception) -> None:
        self._show(Verdict("not checked", notes=(explain(error).text,)), "")

    def _show(self, verdict: Verdict, name: str) -> None:
        self.verdict = verdict
        word, icon, colour = SHOWN[verdict.status]
        if verdict.by_eye and verdict.status == "valid":
            word = "Valid code"  # what is printed around it nobody has looked at yet
        self.sign.setPixmap(self.desk.theme.icon(icon, colour).pixmap(QSize(56, 56)))
        self.sign.setAccessibleName(word)
        self.word.setText(f"{word}: {name}" if name else word)
        self.sentence.setText(verdict.sentence)
        for layout in (self._differences, self._details):
            emptied(layout)
        for one in verdict.differences:
            self._differences.addWidget(label(one.sentence(), "error", wrap=True, selectable=True))
        for note in verdict.notes:
            self._differences.addWidget(label(note, "soft", wrap=True, selectable=True))
        known = (("Signed by", verdict.signed_by), ("Key", verdict.key), ("Cancelled on", verdict.cancelled_at),
                 *(verdict.details or (("Number", verdict.number),)))
        for what, value in known:
            if value:
                named = label(what, "soft", wrap=True)
                named.setFixedWidth(150)
                named.setAlignment(Qt.AlignmentFlag.AlignTop)
                line = row(named, label(value, "body", wrap=True, selectable=True), spacing=12)
                line.setStretch(1, 1)
                self._details.addLayout(line)
        for layout in (self._differences, self._details):
            layout.addStretch(1)
        self._show_source()
        announce(self, f"{word}. {verdict.sentence}", assertive=True)

    def _show_source(self) -> None:
        try:
            known = self._trust()
        except ClinicError as problem:
            self.source.setText(problem.sentence)
            return
        keys, cancelled = len(known.keys), len(known.cancelled)
        self.source.setText(f"Trust list of {known.clinic or 'this computer'}: {keys} {'key' if keys == 1 else 'keys'}, "
                            f"{cancelled} cancelled {'paper' if cancelled == 1 else 'papers'}, "
                            f"as of {clinical_moment(datetime.fromisoformat(known.made), self.desk.zone)}."
                            if known.keys else "This computer has no trust list yet: no key is known here.")

    def export(self) -> None:
        """Write the trust list somewhere, for a pharmacy."""
        dialog = QFileDialog(self, "Export the trust list", "clinicdesk-trust.json", "Trust lists (*.json)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.fileSelected.connect(lambda path: self.export_to(Path(path)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def export_to(self, path: Path) -> None:
        """Copy the list as it is."""
        place = trust_file(self.desk)
        try:
            if place is None:
                return
            trusting.load(place)
            path.write_text(place.read_text(encoding="utf-8"), encoding="utf-8")
        except ClinicError as problem:
            self.source.setText(problem.sentence)
        except OSError as problem:
            self.source.setText(f"The trust list could not be written there: {problem.strerror}.")
        else:
            self.source.setText(f"Written to {path.name}. Tell the receiver the key of the signer, by telephone or in person.")

    def import_list(self) -> None:
        """Take the trust list of a clinic."""
        dialog = QFileDialog(self, "Import a trust list", "", "Trust lists (*.json)")
        dialog.fileSelected.connect(lambda path: self.import_from(Path(path)))
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def import_from(self, path: Path) -> None:
        """Keep it when it is signed by somebody known here, or when it is the first one."""
        place = trust_file(self.desk)
        try:
            if place is not None:
                trusting.store(place, path.read_text(encoding="utf-8"))
            self._show_source()
        except ClinicError as problem:
            self.source.setText(problem.sentence)
        except (OSError, UnicodeDecodeError):
            self.source.setText("This file cannot be read.")

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        for url in event.mimeData().urls()[:1]:
            self.check_file(Path(url.toLocalFile()))

    def done(self, result: int) -> None:
        self.desk.remember("check-paper", self.size())
        super().done(result)
