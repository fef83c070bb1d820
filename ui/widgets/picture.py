"""Paints the shapes of `rules.pictures` with the theme's inks and fonts."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from clinicdesk.rules.pictures import Box, Dot, Line, Picture, Shape, Words
from ui.theme import Theme


class PicturePainter:
    """Paints pictures; keeps pens and brushes of the current scheme."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._colours: dict[str, QColor] = {}
        theme.changed.connect(self._colours.clear)

    def paint(self, painter: QPainter, picture: Picture) -> None:
        """Everything, in order."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for shape in picture.shapes:
            self._shape(painter, shape)

    def _colour(self, ink: str) -> QColor:
        if ink not in self._colours:
            self._colours[ink] = self._theme.color(ink)
        return self._colours[ink]

    def _shape(self, painter: QPainter, shape: Shape) -> None:
        if isinstance(shape, Line):
            pen = QPen(self._colour(shape.ink), shape.width, Qt.PenStyle.DashLine if shape.dashed else Qt.PenStyle.SolidLine)
            painter.setPen(pen)
            if len(shape.points) == 2:
                painter.drawLine(QPointF(*shape.points[0]), QPointF(*shape.points[1]))
            else:
                painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in shape.points]))
        elif isinstance(shape, Dot):
            self._dot(painter, shape)
        elif isinstance(shape, Box):
            painter.setPen(QPen(self._colour(shape.border), 1) if shape.border else Qt.PenStyle.NoPen)
            painter.setBrush(self._colour(shape.fill))
            painter.drawRoundedRect(QRectF(shape.x, shape.y, shape.width, shape.height), shape.radius, shape.radius)
        else:
            self._words(painter, shape)

    def _dot(self, painter: QPainter, dot: Dot) -> None:
        colour, r, at = self._colour(dot.ink), dot.radius, QPointF(dot.x, dot.y)
        painter.setPen(QPen(colour, 1.6) if dot.form == "ring" else Qt.PenStyle.NoPen)
        painter.setBrush(Qt.BrushStyle.NoBrush if dot.form == "ring" else QBrush(colour))
        if dot.form in {"round", "ring"}:
            painter.drawEllipse(at, r, r)
        elif dot.form == "square":
            painter.drawRect(QRectF(dot.x - r, dot.y - r, 2 * r, 2 * r))
        else:
            top = (QPointF(0, -r * 1.2), QPointF(r * 1.2, r if dot.form == "triangle" else 0))
            points = [*top, QPointF(-r * 1.2, r)] if dot.form == "triangle" else [*top, QPointF(0, r * 1.2), QPointF(-r * 1.2, 0)]
            painter.drawPolygon(QPolygonF([at + point for point in points]))

    def _words(self, painter: QPainter, words: Words) -> None:
        font = self._theme.font("small" if words.small else "body", bold=words.bold, tabular=True)
        painter.setFont(font)
        painter.setPen(self._colour(words.ink))
        metrics = QFontMetricsF(font)
        text = metrics.elidedText(words.text, Qt.TextElideMode.ElideRight, words.most) if words.most else words.text
        x = words.x
        if words.align != "left":
            wide = metrics.horizontalAdvance(text)
            x -= wide if words.align == "right" else wide / 2
        painter.drawText(QPointF(x, words.y + (metrics.ascent() - metrics.descent()) / 2), text)
