"""How each kind of editor is read, filled and watched, in one table; a `Form` does not know them apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QDate, QTime, SignalInstance
from PySide6.QtWidgets import QCheckBox, QComboBox, QDateEdit, QDoubleSpinBox, QLineEdit, QPlainTextEdit, QSpinBox, QTimeEdit, QWidget


@dataclass(frozen=True, slots=True)
class Editing:
    """Read the value, fill it in, and the signal of an edit."""

    kind: type[QWidget]
    read: Callable[[Any], Any]
    fill: Callable[[Any, Any], object]
    edited: Callable[[Any], SignalInstance]


def _choose(editor: QComboBox, value: Any) -> None:
    if editor.isEditable():
        editor.setEditText(value or "")
    else:
        editor.setCurrentIndex(editor.findData(value))


KINDS = (
    Editing(QLineEdit, lambda e: e.text(), lambda e, v: e.setText(v or ""), lambda e: e.textChanged),
    Editing(QPlainTextEdit, lambda e: e.toPlainText(), lambda e, v: e.setPlainText(v or ""), lambda e: e.textChanged),
    Editing(QComboBox, lambda e: e.currentText() if e.isEditable() else e.currentData(), _choose, lambda e: e.currentTextChanged),
    Editing(QCheckBox, lambda e: e.isChecked(), lambda e, v: e.setChecked(bool(v)), lambda e: e.toggled),
    Editing(QTimeEdit, lambda e: e.time().toPython(), lambda e, v: e.setTime(QTime(v.hour, v.minute)), lambda e: e.timeChanged),
    Editing(QDateEdit, lambda e: e.date().toPython(), lambda e, v: e.setDate(QDate(v.year, v.month, v.day)), lambda e: e.dateChanged),
    Editing(QSpinBox, lambda e: e.value(), lambda e, v: e.setValue(v), lambda e: e.valueChanged),
    Editing(QDoubleSpinBox, lambda e: e.value(), lambda e, v: e.setValue(v), lambda e: e.valueChanged),
)
#: Our own editors have `value()`, `set_value(value)` and a signal `changed`.
_OWN = Editing(QWidget, lambda e: e.value(), lambda e, v: e.set_value(v), lambda e: e.changed)


def editing(editor: QWidget) -> Editing:
    """The row of the table for an editor."""
    return next((kind for kind in KINDS if isinstance(editor, kind.kind)), _OWN)
