"""What is proposed, drawn over the calendar: the ghost where it would stand, and in words when, who, and what stands against it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from ui.schedule.model import DayLayout, clock
from ui.schedule.painting import Ghost, Painting
from ui.theme import Theme

_PAD, _LINE, _WIDEST = 7, 16, 300

Words = list[tuple[str, str, bool]]  #: text, token of its ink, bold


class Ghosts:
    """Draws with the fonts and measures of a `Painting`. `visible` is the part of the content on the screen."""

    def __init__(self, theme: Theme, painting: Painting) -> None:
        self._theme, self._painting = theme, painting

    def area(self, layout: DayLayout, ghost: Ghost, visible: QRect) -> QRect:
        """Everything the ghost and its words cover, in content pixels."""
        rect = QRectF(*layout.span_rect(ghost.span))
        label = self._label(layout, ghost, rect, visible)
        return (rect if label is None else rect.united(label)).toAlignedRect().adjusted(-3, -3, 3, 3)

    def paint(self, painter: QPainter, layout: DayLayout, ghost: Ghost, visible: QRect) -> None:
        """Draw it: accent when free, warning outside the hours, danger where it is taken; always with the reason in words."""
        theme, rect = self._theme, QRectF(*layout.span_rect(ghost.span))
        name = _ink(ghost)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(name), 2, Qt.PenStyle.DashLine if ghost.waiting else Qt.PenStyle.SolidLine))
        painter.setBrush(theme.color("surface", 0.86))
        painter.drawRoundedRect(rect, 4, 4)
        painter.setBrush(theme.color(name, 0.18))
        painter.drawRoundedRect(rect, 4, 4)
        words = self._words(layout, ghost)
        label = self._label(layout, ghost, rect, visible)
        if label is not None:
            painter.setPen(QPen(theme.color(name), 1))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(label, 4, 4)
        place = label or rect
        for n, (text, ink, bold) in enumerate(words):
            painter.setFont(self._painting.bold if bold else self._painting.plain)
            painter.setPen(theme.color(ink))
            shown = self._painting.shortened(text, int(place.width()) - 2 * _PAD, bold=bold)
            painter.drawText(QPointF(place.x() + _PAD, place.y() + 14 + n * _LINE), shown)
        painter.restore()

    def _words(self, layout: DayLayout, ghost: Ghost) -> Words:
        words: Words = [(f"{clock(ghost.span.start)}–{clock(ghost.span.end)}  {ghost.title}".strip(), "text", True)]
        if len(layout.days) > 1:
            words.append((layout.name(ghost.span.column), "text_soft", False))
        if ghost.verdict.reason:
            words.append((ghost.verdict.reason, _ink(ghost), True))
        elif not ghost.waiting:
            words.append((f"{ghost.span.end - ghost.span.start} min", "text_soft", False))
        return words

    def _label(self, layout: DayLayout, ghost: Ghost, rect: QRectF, visible: QRect) -> QRectF | None:
        """A label of its own when the words do not fit into the ghost: below it, else above, always wholly on the screen."""
        words = self._words(layout, ghost)
        width = max(self._painting.advance(text, bold=bold) for text, _ink_, bold in words) + 2 * _PAD + 2
        height = len(words) * _LINE + 6
        if rect.height() >= height - 4 and rect.width() >= width:
            return None
        width, view = min(width, _WIDEST), QRectF(visible).adjusted(4, 4, -4, -4)
        x = max(view.left(), min(rect.x(), view.right() - width))
        y = rect.bottom() + 4 if rect.bottom() + 4 + height <= view.bottom() else max(view.top(), rect.y() - height - 4)
        return QRectF(x, y, width, height)


def _ink(ghost: Ghost) -> str:
    return "danger" if ghost.verdict.taken else "warning" if ghost.verdict.unusual else "accent"
