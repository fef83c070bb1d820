"""Restore a backup, step by step: which file, which key, into which folder; then it runs, and at the end stands how to open it.

Needs no open clinic: a new computer begins with it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QProcess, QProcessEnvironment, QSize, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from clinicdesk import backups, restoring
from clinicdesk.paths import own_program
from clinicdesk.restoring import Cancelled, Restored
from clinicdesk.rules.key_code import read_key_code
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.rules.texts import size_words
from clinicdesk.storage.backup_file import Header, read_header
from ui.problems import explain
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.long_task import LongTask
from ui.widgets.text import button, column, label, row

_FILE, _KEY, _FOLDER, _RUN, _DONE = range(5)


class RestoreWizard(QDialog):
    """Signal `opened_elsewhere()` when the restored clinic was started in a window of its own."""

    opened_elsewhere = Signal()

    def __init__(self, theme: Theme, pool: Pool, settings: Any, parent: QWidget | None = None, *, start: Path | None = None) -> None:
        super().__init__(parent)
        self._theme, self._pool, self._settings = theme, pool, settings
        self._key: bytes | None = None
        self.restored: Restored | None = None
        self.setWindowTitle(self.tr("Restore from a backup"))
        self.setModal(True)
        self.heading, self.words = label("", "title", wrap=True), label("", "soft", wrap=True)
        self.file = QLineEdit(str(start) if start else "")
        self.about = label("", "soft", wrap=True)
        self.key = QLineEdit()
        self.folder = QLineEdit()
        self.task = LongTask()
        self.outcome = label("", wrap=True, selectable=True)
        self.problem = label("", "error", wrap=True)
        self.back_button = button(self.tr("Back"), self._back)
        self.cancel_button = button(self.tr("Cancel"), self.reject)
        self.next_button = button(self.tr("Next"), self._next, variant="primary")
        self.next_button.setDefault(True)
        self.pages = QStackedWidget()
        for page in self._make_pages():
            self.pages.addWidget(page)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(24, 20, 24, 16)
        outer.setSpacing(12)
        for widget in (self.heading, self.words, self.pages, self.problem):
            outer.addWidget(widget, 1 if widget is self.pages else 0)
        outer.addLayout(row(self.back_button, None, self.cancel_button, self.next_button))
        self.resize(QSize(600, 380))
        self._go(_FILE)

    def _make_pages(self) -> list[QWidget]:
        browse_file = button(self.tr("Choose …"), self._browse_file)
        browse_folder = button(self.tr("Choose …"), self._browse_folder)
        for editor, name in ((self.file, self.tr("Backup file")), (self.key, self.tr("Clinic key")), (self.folder, self.tr("Folder"))):
            editor.setAccessibleName(name)
            editor.textEdited.connect(lambda _text: self.problem.hide())
        self.file.setPlaceholderText(f"clinicdesk-20261121-023000{backups.SUFFIX}")
        self.key.setPlaceholderText("ABCD-EFGH-…")
        pages = []
        for made in (column(label(self.tr("Backup file"), "label"), _beside(self.file, browse_file), self.about, None),
                     column(label(self.tr("Clinic key"), "label"), self.key,
                            label(self.tr("14 groups of four letters and digits, from the recovery kit."), "hint", wrap=True), None),
                     column(label(self.tr("Folder"), "label"), _beside(self.folder, browse_folder),
                            label(self.tr("A new or an empty one. Nothing that exists is written over."), "hint", wrap=True), None),
                     column(self.task, None), column(self.outcome, None)):
            page = QWidget()
            made.setContentsMargins(0, 0, 0, 0)
            page.setLayout(made)
            pages.append(page)
        self.task.cancel_button.hide()  # the wizard's own Cancel does it
        return pages

    def _go(self, page: int) -> None:
        heading, words, verb = self._texts(page)
        self.pages.setCurrentIndex(page)
        self.heading.setText(heading)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.next_button.setText(verb)
        self.problem.hide()
        self.next_button.setEnabled(page != _RUN)
        self.next_button.setVisible(page != _RUN)
        self.back_button.setVisible(page in {_KEY, _FOLDER})
        self.cancel_button.setText(self.tr("Close") if page == _DONE else self.tr("Cancel"))
        self.cancel_button.setEnabled(True)
        editors: dict[int, QWidget] = {_FILE: self.file, _KEY: self.key, _FOLDER: self.folder}
        editors.get(page, self.next_button).setFocus()

    def _texts(self, page: int) -> tuple[str, str, str]:
        return (
            (self.tr("Which backup?"), self.tr("The clinic comes back as it was when this backup was taken, in a folder of its own. What is"
                                               " open now, and what was written since, is not touched."), self.tr("Next")),
            (self.tr("The key of that clinic"), self.tr("This computer does not hold the key that opens this backup."), self.tr("Next")),
            (self.tr("Where shall the clinic live?"), self.tr("It gets databases and passwords of its own there."), self.tr("Restore")),
            (self.tr("Restoring"), self.tr("Every byte of the file is checked first; at the end every row and document is compared."), ""),
            (self.tr("The clinic is back"), "", self.tr("Open it")),
        )[page]

    def _next(self) -> None:
        page = self.pages.currentIndex()
        if page == _FILE:
            self._look()
        elif page == _KEY:
            self._key = read_key_code(self.key.text())
            if self._key is None:
                self._say(self.tr("This is not a clinic key: something was left out or mistyped. Compare the groups one by one."))
                return
            self._go(_FOLDER)
        elif page == _FOLDER:
            self._restore()
        elif page == _DONE:
            self._open()

    def _back(self) -> None:
        self._go(_FILE)

    def _look(self) -> None:
        path = Path(self.file.text().strip()).expanduser()
        if not self.file.text().strip():
            self._say(self.tr("Choose the backup file first."))
            return
        self.next_button.setEnabled(False)
        self._pool.run(self, lambda: (read_header(path), path.stat().st_size, restoring.own_key(path, self._settings)), self._looked,
                       self._refused, replaces="look")

    def _looked(self, found: tuple[Header, int, bytes | None]) -> None:
        header, size, self._key = found
        self.about.setText(self.tr("Taken {0}, {1}, by ClinicDesk {2}.").format(clinical_moment(header.at.astimezone()), size_words(size),
                                                                             header.app_version))
        if not self.folder.text():
            self.folder.setText(str(Path(self._settings.data_dir).with_name(f"ClinicDesk restored {header.at:%Y-%m-%d}")))
        self._go(_KEY if self._key is None else _FOLDER)
        if self._key is not None:
            self.words.setText(f"{self.about.text()} {self.words.text()}")

    def _restore(self) -> None:
        key, typed = self._key, self.folder.text().strip()
        if not typed or key is None:
            self._say(self.tr("Choose a folder first."))
            return
        path, into = Path(self.file.text().strip()).expanduser(), Path(typed)
        self._go(_RUN)
        progress: Callable[[str, int, int], None] = self.task.begin(self.tr("Checking the file…"))
        self.task.show()
        self._pool.run(self, lambda: restoring.restore(path, into, key, self._settings, progress), self._restored, self._refused, keep=True)

    def _restored(self, done: Restored) -> None:
        self.restored = done
        self.task.end()
        counts = (f"{done.rows:,}", f"{done.visits:,}", f"{done.files:,}")
        back = self.tr(
            "All {0} rows, {1} visit documents and {2} attachments are back, each compared with the backup.\n\nThe clinic lives in"
            "\n{3}\n\nOpen it now, or later with\nclinicdesk --data-dir \"{3}\"").format(*counts, done.data_dir)
        self.outcome.setText("\n\n".join(filter(None, (back, done.caution))))
        self._go(_DONE)

    def _refused(self, error: Exception) -> None:
        self.task.end()
        if self.pages.currentIndex() == _RUN:
            self._go(_FOLDER)
        self.next_button.setEnabled(True)
        self._say(self.tr("Stopped. Nothing was kept.") if isinstance(error, Cancelled) else explain(error).text)

    def _open(self) -> None:
        if self.restored is not None:
            program, *arguments = own_program()
            begun = QProcess()
            environment = QProcessEnvironment.systemEnvironment()
            for name in restoring.LEAD_ELSEWHERE:
                environment.remove(name)
            begun.setProcessEnvironment(environment)
            begun.setWorkingDirectory(str(self.restored.data_dir))  # a .env where this one was started leads elsewhere, too
            begun.setProgram(program)
            begun.setArguments([*arguments, "--data-dir", str(self.restored.data_dir)])
            begun.startDetached()
            self.opened_elsewhere.emit()
            self.accept()

    def _say(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.show()

    def _browse_file(self) -> None:
        kinds = f"{self.tr('Backups')} (*{backups.SUFFIX});;* (*)"
        chosen, _ = QFileDialog.getOpenFileName(self, self.tr("Backup file"), self.file.text(), kinds)
        if chosen:
            self.file.setText(chosen)

    def _browse_folder(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Folder"), self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def reject(self) -> None:
        if self.pages.currentIndex() == _RUN:
            self.task.cancel()
            self.cancel_button.setEnabled(False)
        else:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.pages.currentIndex() == _RUN:
            self.task.cancel()
            event.ignore()
        else:
            super().closeEvent(event)


def _beside(editor: QLineEdit, browse: QWidget) -> QWidget:
    made = QWidget()
    layout = row(editor, browse)
    made.setLayout(layout)
    return made
