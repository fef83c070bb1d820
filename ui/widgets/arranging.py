"""Columns that scroll, and layouts that are emptied before they are filled again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFrame, QLabel, QLayout, QScrollArea, QVBoxLayout, QWidget


def scrolled(column: QVBoxLayout, *, margins: tuple[int, int, int, int] = (0, 0, 0, 0), spacing: int = 12) -> QScrollArea:
    """A column that scrolls up and down and is as wide as its place."""
    column.setContentsMargins(*margins)
    column.setSpacing(spacing)
    inner = QWidget()
    inner.setProperty("plain", "true")
    inner.setLayout(column)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inner)
    return area


def measured_anew(widget: QWidget) -> None:
    """Lines that wrap are asked again how tall they are: what was asked before the style sheet reached them (or before the scheme changed)
    would be kept, and cut letters."""
    for one in widget.findChildren(QLabel):
        if one.wordWrap():
            one.updateGeometry()


@contextmanager
def focus_kept(widget: QWidget) -> Iterator[None]:
    """Widgets inside are made anew: the one with the object name of the focused one gets the keys back."""
    focus = QApplication.focusWidget()
    name = focus.objectName() if focus is not None and widget.isAncestorOf(focus) else ""
    yield
    for found in widget.findChildren(QWidget, name) if name else ():
        if not (found.isHidden() and found.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)):
            found.setFocus()  # the old one was hidden until the event loop takes it away; the new one only was not shown yet


def emptied(layout: QLayout) -> None:
    """Take everything out of a layout, layouts within it too; widgets go when the event loop turns."""
    while (item := layout.takeAt(0)) is not None:
        if (widget := item.widget()) is not None:
            widget.hide()
            widget.deleteLater()
        elif (inner := item.layout()) is not None:
            emptied(inner)
