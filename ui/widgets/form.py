"""A form: caption above each field, hint and error sentence under it, what was typed always kept.

Errors come from the services as `Invalid(field, sentence)`; `show_problem` puts the sentence under the field of that name, marks it and
moves the focus there. Text over its limit is not cut: the counter says how much is too much and the service refuses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from clinicdesk.errors import Invalid
from ui.live import HOLDS_REFRESH
from ui.problems import explain
from ui.widgets.editors import editing
from ui.widgets.text import label, restyle, row


def announce(widget: QWidget, sentence: str, *, assertive: bool = False) -> None:
    """Have a screen reader say a sentence."""
    event = QAccessibleAnnouncementEvent(widget, sentence)
    polite = QAccessible.AnnouncementPoliteness
    event.setPoliteness(polite.Assertive if assertive else polite.Polite)
    QAccessible.updateAccessibility(event)


class _Field(QWidget):
    """Caption, editor, and the line below it: hint or error at the left, counter at the right."""

    def __init__(self, caption: str, editor: QWidget, hint: str, limit: int) -> None:
        super().__init__()
        self.caption_text, self.editor, self.hint_text, self.limit = caption, editor, hint, limit
        self.caption = label(caption, "label")
        self.caption.setBuddy(editor)
        self.below = label(hint, "hint", wrap=True)
        self.counter = label("", "hint")
        self.error = ""
        editor.setProperty(HOLDS_REFRESH, True)  # noqa: FBT003  Qt's signature
        if not editor.accessibleName():
            editor.setAccessibleName(caption)
        editor.setAccessibleDescription(hint)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        if not isinstance(editor, QCheckBox):
            layout.addWidget(self.caption)
        else:
            self.caption.hide()
        layout.addWidget(editor)
        line = row(self.below, self.counter)
        line.setStretch(0, 1)
        layout.addLayout(line)
        self.below.setVisible(bool(hint))
        self.counter.hide()
        if not isinstance(editor, QPlainTextEdit):
            layout.addStretch(1)

    def show_error(self, sentence: str) -> None:
        self.error = sentence
        self.below.setText(sentence or self.hint_text)
        self.below.setVisible(bool(sentence or self.hint_text))
        restyle(self.below, "role", "error" if sentence else "hint")
        restyle(self.editor, "invalid", "true" if sentence else "false")
        self.editor.setAccessibleDescription(sentence or self.hint_text)

    def count(self, text: str) -> None:
        """Show the counter from four fifths of the limit on."""
        if not self.limit:
            return
        left = self.limit - len(text)
        self.counter.setVisible(len(text) * 5 >= self.limit * 4)
        self.counter.setText(self.tr("%n left", "", left) if left >= 0 else self.tr("%n too many", "", -left))
        restyle(self.counter, "role", "hint" if left >= 0 else "error")


class Form(QWidget):
    """Fields in one or two columns. Signals: `changed()` when any field was edited; `submitted()` on Enter in a one-line field."""

    changed = Signal()
    submitted = Signal()

    def __init__(self, columns: int = 1, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns, self._place = columns, 0
        self._fields: dict[str, _Field] = {}
        self._clean: dict[str, Any] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(16)
        self._grid.setVerticalSpacing(12)
        for column in range(columns):
            self._grid.setColumnStretch(column, 1)

    def text(self, name: str, caption: str, *, hint: str = "", limit: int = 0, placeholder: str = "", optional: bool = False,
             span: int = 1) -> QLineEdit:
        """A one-line text field. `limit` in characters shows a counter; `optional` says so in the caption."""
        editor = QLineEdit()
        editor.setPlaceholderText(placeholder)
        editor.returnPressed.connect(self.submitted)
        self.add(name, caption, editor, hint=hint, limit=limit, optional=optional, span=span)
        return editor

    def paragraph(self, name: str, caption: str, *, hint: str = "", limit: int = 0, placeholder: str = "", optional: bool = False,
                  lines: int = 3, span: int = 0) -> QPlainTextEdit:
        """A field of several lines; Tab leaves it. Spans the whole width by default."""
        editor = QPlainTextEdit()
        editor.setPlaceholderText(placeholder)
        editor.setTabChangesFocus(True)
        editor.setMinimumHeight(editor.fontMetrics().lineSpacing() * lines + 20)
        self.add(name, caption, editor, hint=hint, limit=limit, optional=optional, span=span or self._columns)
        return editor

    def choice(self, name: str, caption: str, options: Sequence[tuple[Any, str]], *, blank: str = "", hint: str = "",
               optional: bool = False, span: int = 1) -> QComboBox:
        """A choice among (value, words); `blank` adds a first entry with the value "" that chooses nothing."""
        editor = QComboBox()
        if blank:
            editor.addItem(blank, "")
        for value, words in options:
            editor.addItem(words, value)
        self.add(name, caption, editor, hint=hint, optional=optional, span=span)
        return editor

    def check(self, name: str, caption: str, *, hint: str = "", span: int = 1) -> QCheckBox:
        """A tick box with its words beside it."""
        editor = QCheckBox(caption)
        self.add(name, caption, editor, hint=hint, span=span)
        return editor

    def add(self, name: str, caption: str, editor: QWidget, *, hint: str = "", limit: int = 0, optional: bool = False,
            span: int = 1) -> QWidget:
        """Any editor under a caption; `name` is the field name errors come with. Returns the editor."""
        field = _Field(self.tr("{0} (optional)").format(caption) if optional else caption, editor, hint, limit)
        self._fields[name] = field
        self._put(field, span)
        self._watch(name, editor)
        self._clean[name] = self.value(name)
        return editor

    def heading(self, text: str) -> None:
        """A sub-title over the fields that follow, on a row of its own."""
        self._put(label(text, "heading"), self._columns)

    def editor(self, name: str) -> QWidget:
        """The editor of a field."""
        return self._fields[name].editor

    def values(self) -> dict[str, Any]:
        """What stands in every field: text, the chosen value, or True and False."""
        return {name: self.value(name) for name in self._fields}

    def value(self, name: str) -> Any:
        """What stands in one field; numbers of spin boxes as numbers, dates and times as Python's."""
        editor = self._fields[name].editor
        return editing(editor).read(editor)

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill fields and call the result clean."""
        for name, value in values.items():
            self.set_value(name, value)
        self.mark_clean()

    def set_value(self, name: str, value: Any) -> None:
        """Fill one field."""
        editor = self._fields[name].editor
        editing(editor).fill(editor, value)

    @property
    def dirty(self) -> bool:
        """Whether anything differs from the last clean state."""
        return self.values() != self._clean

    def mark_clean(self) -> None:
        """Call what stands there now saved."""
        self._clean = self.values()
        self.changed.emit()

    def show_error(self, name: str, sentence: str) -> bool:
        """Put a sentence under a field, mark it and move the focus there; False when there is no such field."""
        field = self._fields.get(name)
        if field is None:
            return False
        field.show_error(sentence)
        field.editor.setFocus()
        announce(field.editor, f"{field.caption_text}: {sentence}", assertive=True)
        return True

    def show_problem(self, error: Exception) -> bool:
        """Put an `Invalid` at its field; False for everything this form cannot show (the sheet shows that)."""
        return isinstance(error, Invalid) and self.show_error(error.field, explain(error).text)

    def error(self, name: str) -> str:
        """The sentence under a field now, or ""."""
        return self._fields[name].error

    def clear_errors(self) -> None:
        """Take every mark away (before trying again)."""
        for field in self._fields.values():
            field.show_error("")

    def hint_label(self, name: str) -> QLabel:
        """The line under a field, for words that change while typing (what a date was understood as)."""
        return self._fields[name].below

    def set_hint(self, name: str, hint: str) -> None:
        """Change the hint under a field."""
        field = self._fields[name]
        field.hint_text = hint
        if not field.error:
            field.show_error("")

    def _put(self, widget: QWidget, span: int) -> None:
        line, column = divmod(self._place, self._columns)
        if column + span > self._columns:
            line, column = line + 1, 0
        self._grid.addWidget(widget, line, column, 1, span)
        self._place = line * self._columns + column + span

    def _watch(self, name: str, editor: QWidget) -> None:
        def edited(*_: object) -> None:
            field = self._fields[name]
            if field.error:
                field.show_error("")
            if isinstance(editor, (QLineEdit, QPlainTextEdit)):
                field.count(self.value(name))
            self.changed.emit()

        editing(editor).edited(editor).connect(edited)
