"""A sheet of paper: sizes, colours, text that wraps and never truncates, the letterhead, closed blank space.

Coordinates of this module count down from the top edge, in points (1/72 inch).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Literal

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from clinicdesk.pdf.shaping import Run, Style, printable, register_fonts, runs, text_width
from clinicdesk.pdf.sheets import Letterhead

PaperName = Literal["A4", "A5", "Letter"]
#: Width and height in points.
PAPER: Final[dict[PaperName, tuple[float, float]]] = {"A4": (595.28, 841.89), "A5": (419.53, 595.28), "Letter": (612.0, 792.0)}

#: From the light scheme of the theme, so paper and screen are one house.
INK, SOFT, FAINT, LINE, ACCENT, TINT, ALERT = "#15202B", "#45525F", "#5F6C79", "#C9D1D9", "#0B7269", "#F1F5F7", "#B3261E"
LEADING: Final = 1.32


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one style and colour; a no-break space keeps words together, a line feed breaks."""

    text: str
    style: Style = "regular"
    colour: str = INK


Line = list[Piece]


@dataclass(frozen=True, slots=True)
class Row:
    """Something drawn at (left, top) that takes `height` points."""

    height: float
    draw: Callable[[Paper, float, float], None]


def keep_numbers(text: str) -> str:
    """The text with no line break between a number and the word after it, so `500` never parts from `mg`."""
    return re.sub(r"(?<=\d) (?=[^\s\d])", "\u00a0", text)


def wrap(pieces: Iterable[Piece], width: float, size: float) -> list[Line]:
    """Lines of at most `width` points; breaks between words, inside a word only when it alone is wider than a line."""
    lines: list[Line] = [[]]
    used = 0.0
    gap: Piece | None = None
    for word in _words(pieces):
        if word[0].text == "\n":
            lines.append([])
            used, gap = 0.0, None
            continue
        if word[0].text == " ":
            gap = word[0]
            continue
        space = text_width(" ", gap.style, size) if gap and lines[-1] else 0.0
        need = sum(text_width(p.text, p.style, size) for p in word)
        if lines[-1] and used + space + need > width:
            lines.append([])
            used, space = 0.0, 0.0
        if space and gap:
            lines[-1].append(gap)
        gap = None
        for part in word if need <= width else _letters(word):
            part_width = text_width(part.text, part.style, size)
            if need > width and used + space + part_width > width and lines[-1]:
                lines.append([])
                used, space = 0.0, 0.0
            lines[-1].append(part)
            used += space + part_width
            space = 0.0
    return [_joined(line) for line in lines]


def _words(pieces: Iterable[Piece]) -> Iterable[list[Piece]]:
    """Words (pieces without a break between them), single spaces and line feeds, in order."""
    word: list[Piece] = []
    for piece in pieces:
        for token in re.findall(r"\n| +|[^ \n]+", printable(piece.text)):
            if token[0] in " \n":
                if word:
                    yield word
                    word = []
                yield [Piece(token[0], piece.style, piece.colour)]
            else:
                word.append(Piece(token, piece.style, piece.colour))
    if word:
        yield word


def _letters(word: Sequence[Piece]) -> Iterable[Piece]:
    for piece in word:
        for letter in piece.text:
            yield Piece(letter, piece.style, piece.colour)


def _joined(line: Line) -> Line:
    joined: Line = []
    for piece in line:
        if joined and (joined[-1].style, joined[-1].colour) == (piece.style, piece.colour):
            joined[-1] = Piece(joined[-1].text + piece.text, piece.style, piece.colour)
        else:
            joined.append(piece)
    return joined


class Paper:
    """One document being drawn. `scale` shrinks type on A5; `left` and `right` are the margins' inner edges."""

    def __init__(self, name: PaperName, title: str, *, landscape: bool = False) -> None:
        """Begin a document; its bytes depend on nothing but what is drawn (no clock, no random numbers)."""
        register_fonts()
        self.width, self.height = PAPER[name][::-1] if landscape else PAPER[name]
        self.scale = 0.86 if name == "A5" else 1.0
        margin = 30.0 if name == "A5" else 46.0
        self.left, self.right = margin, self.width - margin
        self._bytes = BytesIO()
        self._canvas: Any = Canvas(self._bytes, pagesize=(self.width, self.height), invariant=1, pageCompression=1,
                                   initialFontName="Helvetica", lang="en")
        self._canvas.setTitle(title)
        self._canvas.setAuthor("ClinicDesk")
        self._canvas.setSubject("")

    def line(self, x: float, top: float, pieces: Sequence[Piece], size: float,
             align: Literal["left", "right", "centre"] = "left") -> float:
        """Draw one line whose box begins at `top`; `x` is its left end, right end or middle. Gives its width."""
        drawn = runs([(p.text.replace("\u00a0", " "), p.style) for p in pieces], size)
        width = sum(run.width for run in drawn)
        x -= {"left": 0.0, "right": width, "centre": width / 2}[align]
        text = self._canvas.beginText(x, self.height - top - size * (LEADING + 0.62) / 2 - size * 0.05)
        for run in drawn:
            self._place(text, run, size, pieces[run.style_index].colour)
        self._canvas.drawText(text)
        return width

    @staticmethod
    def _place(text: Any, run: Run, size: float, colour: str) -> None:
        text.setFont(run.font, size)
        text.setFillColor(HexColor(colour))
        text.textOut(run.text)

    def rule(self, top: float, left: float, right: float, colour: str = LINE, weight: float = 0.6) -> None:
        """A horizontal line."""
        self._canvas.setStrokeColor(HexColor(colour))
        self._canvas.setLineWidth(weight)
        self._canvas.line(left, self.height - top, right, self.height - top)

    def box(self, left: float, top: float, right: float, bottom: float, *, fill: str = "", stroke: str = "", radius: float = 5) -> None:
        """A rounded rectangle."""
        if fill:
            self._canvas.setFillColor(HexColor(fill))
        if stroke:
            self._canvas.setStrokeColor(HexColor(stroke))
            self._canvas.setLineWidth(0.7)
        self._canvas.roundRect(left, self.height - bottom, right - left, bottom - top, radius, stroke=int(bool(stroke)),
                               fill=int(bool(fill)))

    @property
    def canvas(self) -> Any:
        """ReportLab's canvas, for drawings; its y counts from the bottom edge."""
        return self._canvas

    def warning_sign(self, left: float, top: float, size: float) -> None:
        """A filled triangle with an exclamation mark: shape as well as colour."""
        c, base = self._canvas, self.height - top - size
        path = c.beginPath()
        path.moveTo(left, base)
        path.lineTo(left + size * 1.12, base)
        path.lineTo(left + size * 0.56, base + size)
        path.close()
        c.setFillColor(HexColor(ALERT))
        c.drawPath(path, stroke=0, fill=1)
        c.setFillColor(HexColor("#FFFFFF"))
        c.rect(left + size * 0.5, base + size * 0.3, size * 0.12, size * 0.36, stroke=0, fill=1)
        c.rect(left + size * 0.5, base + size * 0.12, size * 0.12, size * 0.12, stroke=0, fill=1)

    def closed(self, top: float, bottom: float, words: str, size: float) -> None:
        """Close unused space so that nothing can be added: hatched from edge to edge, with the words in the middle."""
        c = self._canvas
        low, high = self.height - bottom, self.height - top
        c.saveState()
        frame = c.beginPath()
        frame.rect(self.left, low, self.right - self.left, high - low)
        c.clipPath(frame, stroke=0, fill=0)
        c.setStrokeColor(HexColor(LINE))
        c.setLineWidth(0.6)
        tall = high - low
        x = self.left - tall
        while x < self.right:
            c.line(x, low, x + tall, high)
            x += 9
        c.restoreState()
        c.setStrokeColor(HexColor(LINE))
        c.setLineWidth(0.6)
        c.rect(self.left, low, self.right - self.left, tall, stroke=1, fill=0)
        middle, half = (self.left + self.right) / 2, text_width(words, "bold", size) / 2 + 10
        centre = (top + bottom) / 2
        tab = min(size * 0.95, tall / 2)
        self.box(middle - half, centre - tab, middle + half, centre + tab, fill="#FFFFFF", stroke=LINE, radius=min(4, tab))
        self.line(middle, centre - size * LEADING / 2, [Piece(words, "bold", SOFT)], size, "centre")

    def symbol(self, left: float, top: float, side: float, matrix: Sequence[Sequence[int]]) -> None:
        """A code of dark and light modules on white, dark ones of a row joined; black, because it is read by machines."""
        module = side / len(matrix)
        self.box(left - 4 * module, top - 4 * module, left + side + 4 * module, top + side + 4 * module, fill="#FFFFFF", radius=0)
        self._canvas.setFillColor(HexColor("#000000"))
        path = self._canvas.beginPath()
        for number, row in enumerate(matrix):
            start = None
            for column, dark in enumerate([*row, 0]):
                if dark and start is None:
                    start = column
                elif not dark and start is not None:
                    path.rect(round(left + start * module, 3), round(self.height - top - (number + 1) * module, 3),
                              round((column - start) * module, 3), round(module, 3))
                    start = None
        self._canvas.drawPath(path, stroke=0, fill=1)

    def next_page(self) -> None:
        """Finish this page."""
        self._canvas.showPage()

    def finished(self) -> bytes:
        """The whole document."""
        self._canvas.save()
        return self._bytes.getvalue()


def text_rows(pieces: Iterable[Piece], width: float, size: float) -> list[Row]:
    """A paragraph as rows."""
    def row(line: Line) -> Row:
        return Row(size * LEADING, lambda paper, left, top: (paper.line(left, top, line, size), None)[1])
    return [row(line) for line in wrap(pieces, width, size)]


def space(height: float) -> Row:
    """Empty height."""
    return Row(height, lambda _paper, _left, _top: None)


def draw_rows(paper: Paper, rows: Iterable[Row], left: float, top: float) -> float:
    """Draw rows below each other; gives the new top."""
    for row in rows:
        row.draw(paper, left, top)
        top += row.height
    return top


def heights(rows: Iterable[Row]) -> float:
    """What rows take together."""
    return sum(row.height for row in rows)


def draw_letterhead(paper: Paper, letterhead: Letterhead, heading: str, facts: Sequence[str], top: float) -> float:
    """The clinic on the left, what the paper is on the right, a rule in the accent colour below; gives the new top."""
    s = paper.scale
    facts_width = max([text_width(heading.upper(), "bold", 13 * s), *(text_width(f, "regular", 9 * s) for f in facts)]) + 14 * s
    width = paper.right - paper.left - facts_width
    contact = "  ·  ".join(part for part in (letterhead.phone, letterhead.email) if part)
    left_rows = text_rows([Piece(letterhead.name, "bold", ACCENT)], width, 17 * s)
    for text in (letterhead.address, contact, letterhead.registration):
        if text:
            left_rows += text_rows([Piece(text, "regular", SOFT)], width, 8.5 * s)
    draw_rows(paper, left_rows, paper.left, top)
    right_top = top + 3 * s
    paper.line(paper.right, right_top, [Piece(heading.upper(), "bold", INK)], 13 * s, "right")
    right_top += 13 * s * LEADING + 1.5 * s
    for i, fact in enumerate(facts):
        paper.line(paper.right, right_top, [Piece(fact, "regular" if i else "bold", SOFT if i else INK)], 9 * s, "right")
        right_top += 9 * s * LEADING
    bottom = max(top + heights(left_rows), right_top) + 5 * s
    paper.rule(bottom, paper.left, paper.right, ACCENT, 1.4)
    return bottom
