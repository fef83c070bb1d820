"""Add documents to a patient: each with its title, its own progress and its own outcome; one that fails stops none of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QLineEdit, QProgressBar, QVBoxLayout, QWidget

from clinicdesk.errors import ClinicError, Invalid, Unavailable
from clinicdesk.services import attachments
from clinicdesk.services.attachments import NewAttachment
from clinicdesk.services.file_kinds import MOST_BYTES, check_size
from ui.desk import Desk
from ui.problems import explain
from ui.widgets.form import announce
from ui.widgets.sheet import Sheet
from ui.widgets.text import label, restyle, row, rule


@dataclass(frozen=True, slots=True)
class Source:
    """A file on this computer, or bytes that never were one (pasted)."""

    name: str
    size: int
    path: Path | None = None
    content: bytes = b""

    @classmethod
    def of(cls, path: Path) -> Source:
        """A file as it stands there; nothing of it is read. A folder or a file that is gone has no size."""
        try:
            return cls(path.name, path.stat().st_size if path.is_file() else -1, path)
        except OSError:
            return cls(path.name, -1, path)

    def read(self) -> bytes:
        """The bytes, at most one more than may be kept. Raises Invalid. Worker thread."""
        if self.path is None:
            return self.content
        try:
            with self.path.open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except OSError as error:
            raise Invalid("file", f"This file cannot be read: {error.strerror or type(error).__name__}.") from None


class Stopped(ClinicError):
    """The person pressed Stop."""


class Meter:
    """How far one file is; written by the worker, read by a timer of the GUI thread."""

    def __init__(self) -> None:
        self.done, self.total, self.stopped = 0, 1, False

    def __call__(self, done: int, total: int) -> None:
        self.done, self.total = done, max(1, total)
        if self.stopped:
            raise Stopped("Stopped; nothing of it was stored.")


def size_text(size: int) -> str:
    """A size as file managers say it."""
    if size < 0:
        return ""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"


class _Line(QWidget):
    """One file: title, name and size, and what became of it."""

    def __init__(self, source: Source, number: int) -> None:
        super().__init__()
        self.source, self.state, self.meter = source, "waiting", Meter()
        self.id, self.sent = uuid4(), False  # one name for one file, however often it is tried
        self.title = QLineEdit(Path(source.name).stem[:200])
        self.title.setAccessibleName(f"Title of document {number}")
        self.title.setMaxLength(200)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(6)
        self.bar.setRange(0, 1000)
        self.bar.setAccessibleName(f"Progress of document {number}")
        self.bar.hide()
        self.words = label("", "soft", wrap=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        names = row(label(source.name, "soft", wrap=True), label(size_text(source.size), "soft"))
        names.setStretch(0, 1)
        layout.addLayout(names)
        layout.addWidget(self.bar)
        layout.addWidget(self.words)
        layout.addWidget(rule())
        self.words.hide()
        try:
            if source.size < 0:
                raise Invalid("file", "This is no file that can be read.")
            check_size(source.size)
        except Invalid as refusal:
            self.say("refused", refusal.sentence)

    def say(self, state: str, sentence: str = "") -> None:
        """`waiting`, `reading`, `stored`, `refused`, `stopped` or `unknown`, and what there is to say about it."""
        self.state = state
        self.title.setReadOnly(state not in {"waiting", "refused"})
        self.bar.setVisible(state == "reading")
        self.words.setText(sentence)
        restyle(self.words, "role", {"stored": "soft", "waiting": "soft", "reading": "soft"}.get(state, "error"))
        self.words.setVisible(bool(sentence))
        if sentence:
            announce(self, f"{self.source.name}: {sentence}")


class FilesSheet(Sheet):
    """Signal `stored(UUID)` for each document that is kept. Closes by itself when all are."""

    stored = Signal(object)

    def __init__(self, desk: Desk, patient_id: str, sources: Sequence[Source], *, patient_name: str = "", record_id: int | None = None,
                 parent: QWidget | None = None) -> None:
        whom = f"For {patient_name}. " if patient_name else ""
        super().__init__(desk, "Add documents" if len(sources) != 1 else "Add a document", "Add", parent=parent,
                         key=f"files-{min(len(sources), 4)}", scroll=True, size=QSize(560, min(680, 270 + 100 * len(sources))),
                         explanation=f"{whom}PDF, PNG, JPEG or plain text, at most 25 MB each. A document is kept as it is: it can be"
                         " withdrawn later, not changed.")
        self._patient_id, self._record_id = patient_id, record_id
        self.lines = [_Line(source, number) for number, source in enumerate(sources, 1)]
        for line in self.lines:
            self.body.addWidget(line)
        self.body.addStretch(1)
        self._at: _Line | None = None
        self._tick = QTimer(self)
        self._tick.setInterval(100)
        self._tick.timeout.connect(self._measure)
        self.verb_button.setEnabled(any(line.state == "waiting" for line in self.lines))
        first = next((line for line in self.lines if line.state == "waiting"), None)
        if first is not None:
            first.title.setFocus()
            first.title.selectAll()

    def submit(self) -> None:
        """Store what waits, one after the other."""
        for line in self.lines:
            if line.state in {"refused", "stopped", "unknown"} and line.source.size > 0:
                line.say("waiting")  # once more, as the person asks
                line.meter = Meter()
        self.cancel_button.setText("Stop")
        self._tick.start()
        self._next()

    def reject(self) -> None:
        """While files are stored: stop. Else close."""
        if self._at is None:
            super().reject()
            return
        for line in self.lines:
            line.meter.stopped = True

    def _next(self) -> None:
        line = self._at = next((one for one in self.lines if one.state == "waiting"), None)
        if line is None:
            self._ended()
            return
        if line.meter.stopped:
            line.say("stopped", "Stopped; it was not stored.")
            self._next()
            return
        line.say("reading")
        self.desk.pool.run(self, line.source.read, lambda content: self._put(line, content), lambda error: self._failed(line, error))

    def _put(self, line: _Line, content: bytes) -> None:
        new = NewAttachment(self._patient_id, line.title.text(), content, line.source.name, self._record_id, id=line.id)
        line.sent = True
        self.desk.do(self, attachments.add, new, line.meter, done=lambda _id: self._kept(line),
                     failed=lambda error: self._failed(line, error))

    def _kept(self, line: _Line) -> None:
        line.say("stored", "Stored.")
        self.stored.emit(line.id)
        self._next()

    def _failed(self, line: _Line, error: Exception) -> None:
        """Told for what it is; when only the answer was lost, the database is asked before anything is said."""
        if isinstance(error, Unavailable) and line.sent:
            self.desk.ask(self, attachments.is_there, line.id, done=lambda there: self._answered(line, error, there=there),
                          failed=lambda _error: self._unknown(line))
            return
        line.say("stopped" if isinstance(error, Stopped) else "refused", explain(error).text)
        self._next()

    def _answered(self, line: _Line, error: Exception, *, there: bool) -> None:
        if there:
            self._kept(line)
        else:
            line.say("refused", explain(error).text)
            self._next()

    def _unknown(self, line: _Line) -> None:
        line.say("unknown", "The connection was lost: it is not known yet whether this was stored. Add it again: it is never kept twice.")
        self._next()

    def _ended(self) -> None:
        self._tick.stop()
        self.cancel_button.setText("Close")
        self.set_busy(False)
        if all(line.state == "stored" for line in self.lines):
            self.accept()
            return
        stored = sum(line.state == "stored" for line in self.lines)
        self.verb_button.setText("Try again")
        self.problem.say(f"{stored} of {len(self.lines)} documents were stored. Each says above what became of it.")

    def _measure(self) -> None:
        if self._at is not None:
            self._at.bar.setValue(round(1000 * self._at.meter.done / self._at.meter.total))
