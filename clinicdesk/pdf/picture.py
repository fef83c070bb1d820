"""The shapes of `rules.pictures` on paper: what the screen shows, drawn with lines instead of pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from reportlab.lib.colors import HexColor

from clinicdesk.pdf.page import ACCENT, ALERT, FAINT, INK, LEADING, LINE, SOFT, TINT, Paper, Piece
from clinicdesk.pdf.shaping import Style, printable, text_width
from clinicdesk.rules.pictures import Box, Dot, Line, Picture, Words

#: The theme's inks on white paper.
_INKS: Final = {"text": INK, "text_soft": SOFT, "text_faint": FAINT, "line": LINE, "outline": FAINT, "accent": ACCENT, "danger": ALERT,
                "accent_soft": "#DCF0ED", "sunken": TINT, "surface": "#FFFFFF", "warning": "#8A4B08", "success": "#1B6B3A"}


def draw(paper: Paper, picture: Picture, left: float, top: float, scale: float) -> float:
    """Draw a picture with its top left corner there, `scale` points to a px; gives the new top."""
    to = _Place(paper, left, top, scale)
    draw_one: dict[type, Callable[[Any], None]] = {Line: to.line, Box: to.box, Dot: to.dot, Words: to.words}
    for shape in picture.shapes:
        draw_one[type(shape)](shape)
    return top + picture.height * scale


class _Place:
    def __init__(self, paper: Paper, left: float, top: float, scale: float) -> None:
        self._paper, self._left, self._top, self._scale = paper, left, top, scale
        self._c = paper.canvas

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return self._left + x * self._scale, self._paper.height - self._top - y * self._scale

    def line(self, shape: Line) -> None:
        if len(shape.points) < 2:
            return
        self._c.setStrokeColor(HexColor(_INKS[shape.ink]))
        self._c.setLineWidth(max(0.4, shape.width * self._scale * 0.8))
        self._c.setDash(*((2, 2),) if shape.dashed else ())
        path = self._c.beginPath()
        path.moveTo(*self._at(*shape.points[0]))
        for point in shape.points[1:]:
            path.lineTo(*self._at(*point))
        self._c.drawPath(path, stroke=1, fill=0)
        self._c.setDash()

    def box(self, shape: Box) -> None:
        x, y = self._left + shape.x * self._scale, self._top + shape.y * self._scale
        self._paper.box(x, y, x + shape.width * self._scale, y + shape.height * self._scale, fill=_INKS[shape.fill],
                        stroke=_INKS[shape.border] if shape.border else "",
                        radius=min(shape.radius, shape.width / 2, shape.height / 2) * self._scale)

    def dot(self, shape: Dot) -> None:
        x, y = self._at(shape.x, shape.y)
        r = shape.radius * self._scale
        self._c.setFillColor(HexColor(_INKS[shape.ink]))
        self._c.setStrokeColor(HexColor(_INKS[shape.ink]))
        self._c.setLineWidth(1.0)
        if shape.form in {"round", "ring"}:
            self._c.circle(x, y, r, stroke=int(shape.form == "ring"), fill=int(shape.form == "round"))
        elif shape.form == "square":
            self._c.rect(x - r, y - r, 2 * r, 2 * r, stroke=0, fill=1)
        else:
            corners = [(0, 1.2), (1.2, -1), (-1.2, -1)] if shape.form == "triangle" else [(0, 1.2), (1.2, 0), (0, -1.2), (-1.2, 0)]
            path = self._c.beginPath()
            path.moveTo(x + corners[0][0] * r, y + corners[0][1] * r)
            for dx, dy in corners[1:]:
                path.lineTo(x + dx * r, y + dy * r)
            path.close()
            self._c.drawPath(path, stroke=0, fill=1)

    def words(self, shape: Words) -> None:
        size = (11.0 if shape.small else 13.0) * self._scale
        style: Style = "bold" if shape.bold else "regular"
        text = printable(shape.text)
        most = shape.most * self._scale
        while most and len(text) > 1 and text_width(text, style, size) > most:
            text = text[:-2].rstrip() + "…"
        x, _ = self._at(shape.x, shape.y)
        top = self._top + shape.y * self._scale - size * LEADING / 2
        align = {"left": "left", "center": "centre", "right": "right"}[shape.align]
        self._paper.line(x, top, [Piece(text, style, _INKS[shape.ink])], size, align)  # type: ignore[arg-type]
