"""Fields for a day, a time of day and a number, written as everywhere in the application: `21-Nov-2026`, `14:05`."""

from __future__ import annotations

from datetime import date, time

from PySide6.QtCore import QDate, QTime
from PySide6.QtWidgets import QAbstractSpinBox, QDateEdit, QLineEdit, QSpinBox, QTimeEdit

INDENT = 7  #: px before the text: a style sheet's padding does not reach the line inside a spin box


def day_field(day: date, name: str = "") -> QDateEdit:
    """A day with a month to choose from. `name` is its accessible name where no form gives one."""
    made = QDateEdit(QDate(day.year, day.month, day.day))
    made.setCalendarPopup(True)
    made.setDisplayFormat("dd-MMM-yyyy")
    made.setAccessibleName(name)
    return made


def time_field(at: time, name: str = "") -> QTimeEdit:
    """A 24-hour time of day."""
    made = QTimeEdit(QTime(at.hour, at.minute))
    made.setDisplayFormat("HH:mm")
    made.setAccessibleName(name)
    _indent(made)
    return made


def number_field(value: int, low: int, high: int, step: int = 1, name: str = "") -> QSpinBox:
    """A whole number from `low` to `high`."""
    made = QSpinBox()
    made.setRange(low, high)
    made.setSingleStep(step)
    made.setValue(value)
    made.setAccessibleName(name)
    _indent(made)
    return made


def _indent(field: QAbstractSpinBox) -> None:
    inner = field.findChild(QLineEdit)
    if inner is not None:
        inner.setTextMargins(INDENT, 0, 0, 0)


def day_of(field: QDateEdit) -> date:
    """The day that stands in a field."""
    shown = field.date()
    return date(shown.year(), shown.month(), shown.day())


def time_of(field: QTimeEdit) -> time:
    """The time of day that stands in a field."""
    shown = field.time()
    return time(shown.hour(), shown.minute())
