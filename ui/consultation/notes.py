"""The notes of a visit: one growing field for each kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QEvent, QObject, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLabel, QMenu, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from clinicdesk.paths import resource
from clinicdesk.rules.snippets import Snippet, filled, prompts, read_snippets
from clinicdesk.services.drafts import NOTE_KINDS
from ui.desk import Desk
from ui.dialogs.prompts import PromptSheet
from ui.live import HOLDS_REFRESH
from ui.widgets.text import button, label, restyle, row

PROMPTS = {
    "subjective": "What the patient says",
    "objective": "What you find",
    "assessment": "What you think it is",
    "plan": "What will be done",
    "follow_up": "When to come back, and what for",
    "general": "Anything else",
}


class GrowingText(QPlainTextEdit):
    """As tall as its text, between `least` and `most` lines; Tab leaves it."""

    def __init__(self, least: int = 2, most: int = 24, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._least, self._most = least, most
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.document().documentLayout().documentSizeChanged.connect(lambda _size: self._fit())
        self._fit()

    def _fit(self) -> None:
        lines = min(max(int(self.document().size().height()), self._least), self._most)
        frame = int(self.document().documentMargin()) * 2 + self.frameWidth() * 2 + 8
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + frame)

    def sizeHint(self) -> QSize:
        return QSize(320, self.height())


class NotesForm(QWidget):
    """Signal `changed()` after each edit. `fields` fills the templates; Ctrl+Space in a note lists them."""

    changed = Signal()

    def __init__(self, desk: Desk, fields: Mapping[str, str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self._fields = desk, fields
        self._snippets = read_snippets(resource("note_templates.toml"))
        self.sheet: PromptSheet | None = None
        self._editors: dict[str, GrowingText] = {}
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(4)
        for kind, title in NOTE_KINDS.items():
            editor = GrowingText(least=3 if kind in {"subjective", "plan"} else 2)
            editor.setPlaceholderText(PROMPTS[kind])
            editor.setAccessibleName(title)
            editor.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
            editor.textChanged.connect(self._edited)
            caption = label(title, "label")
            caption.setBuddy(editor)
            error = label("", "error", wrap=True)
            error.setObjectName(f"error-{kind}")
            error.hide()
            editor.installEventFilter(self)
            templates = button("Templates", partial(self.offer, kind), variant="link", tip="Insert a template  (Ctrl+Space)")
            templates.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            templates.setAccessibleName(f"Templates for {title}")
            outer.addLayout(row(caption, None, templates))
            outer.addWidget(editor)
            outer.addWidget(error)
            outer.addSpacing(4)
            self._editors[kind] = editor

    def editor(self, kind: str) -> GrowingText:
        """The field of one kind."""
        return self._editors[kind]

    def offer(self, kind: str) -> None:
        """List the templates of a kind below its note."""
        menu = QMenu(self)
        for snippet in self._snippets:
            if snippet.kind in {kind, ""}:
                menu.addAction(snippet.name, partial(self.insert, kind, snippet))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self._editors[kind].mapToGlobal(QPoint(0, 0)))
        if menu.actions():
            menu.setActiveAction(menu.actions()[0])  # Enter takes it

    def insert(self, kind: str, snippet: Snippet) -> None:
        """Put a template at the cursor, after asking what it asks."""
        if not prompts(snippet.text):
            self._put(kind, filled(snippet.text, self._fields, {}))
            return
        sheet = PromptSheet(self.desk, snippet, parent=self.window())
        sheet.accepted.connect(lambda: self._put(kind, filled(snippet.text, self._fields, sheet.answers())))
        self.sheet = sheet
        sheet.open()

    def _put(self, kind: str, text: str) -> None:
        editor = self._editors[kind]
        editor.textCursor().insertText(text)
        editor.setFocus()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space:
            kind = next((k for k, editor in self._editors.items() if editor is watched), "")
            if kind and event.modifiers() == Qt.KeyboardModifier.ControlModifier:
                self.offer(kind)
                return True
        return False

    def fill(self, notes: dict[str, str]) -> None:
        """Show these notes."""
        for kind, editor in self._editors.items():
            if editor.toPlainText() != notes.get(kind, ""):
                blocked = editor.blockSignals(True)  # noqa: FBT003  Qt's signature
                editor.setPlainText(notes.get(kind, ""))
                editor.blockSignals(blocked)

    def notes(self) -> dict[str, str]:
        """What is written, without the empty kinds."""
        return {kind: editor.toPlainText() for kind, editor in self._editors.items() if editor.toPlainText().strip()}

    def set_read_only(self) -> None:
        """To be read and copied, not changed any more."""
        for editor in self._editors.values():
            editor.setReadOnly(True)

    def show_problem(self, field: str, sentence: str) -> bool:
        """Put a refusal at its note; False when it is none of these."""
        if field not in self._editors:
            return False
        error = self.findChild(QLabel, f"error-{field}")
        if error is not None:
            error.setText(sentence)
            error.show()
        restyle(self._editors[field], "invalid", "true")
        self._editors[field].setFocus()
        return True

    def _edited(self) -> None:
        for kind, editor in self._editors.items():
            error = self.findChild(QWidget, f"error-{kind}")
            if error is not None and not error.isHidden():
                error.hide()
                restyle(editor, "invalid", "false")
        self.changed.emit()
