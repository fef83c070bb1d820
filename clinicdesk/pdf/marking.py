"""An annotated copy: the pages of a PDF or a picture with marks laid over them, as a new PDF. What was marked is never changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from io import BytesIO
from typing import Any, Final

import pypdfium2
from PIL import Image, ImageOps
from reportlab.lib.colors import HexColor
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from clinicdesk.pdf.page import LEADING, Piece, wrap
from clinicdesk.pdf.reading import PDFIUM
from clinicdesk.pdf.shaping import check_coverage, register_fonts, runs
from clinicdesk.rules.marks import PEN, TYPE_SIZE, Mark, Point, head_of
from clinicdesk.rules.moments import clinical_moment

INK: Final = "#B3261E"
_PAPER: Final = "#FFFFFF"
#: The longer side of the page a picture is put on, in points (that of A4).
_PICTURE_SIDE: Final = 841.89
#: A remark is at most this part of the page wide.
_WIDTH: Final = 0.42


def annotated_pdf(pdf: bytes, marks: Sequence[Mark], author: str, at: datetime, zone: tzinfo) -> bytes:
    """The PDF with its own text and drawings, and the marks over them; each marked page says who marked it when. Any thread.

    Raises ClinicError for a remark in a script the fonts do not cover.
    """
    _check(marks)
    with PDFIUM:
        document = pypdfium2.PdfDocument(pdf)
        try:
            for number in sorted({mark.page for mark in marks if mark.page < len(document)}):
                page = document[number]
                overlay = pypdfium2.PdfDocument(
                    _overlay(page.get_size(), [m for m in marks if m.page == number], _line(author, at, zone)))
                form = None
                try:
                    form = overlay.page_as_xobject(0, document)
                    overlay_object = form.as_pageobject()
                    overlay_object.set_matrix(_turned(page))
                    page.insert_obj(overlay_object)
                    page.gen_content()
                finally:
                    page.close()
                    if form is not None:
                        form.close()
                    overlay.close()
            written = BytesIO()
            document.save(written)
            return written.getvalue()
        finally:
            document.close()


def annotated_picture(picture: bytes, marks: Sequence[Mark], author: str, at: datetime, zone: tzinfo) -> bytes:
    """A PDF of one page: the picture upright, and the marks over it. Any thread. Raises like annotated_pdf."""
    _check(marks)
    with Image.open(BytesIO(picture), formats=("PNG", "JPEG")) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    scale = _PICTURE_SIDE / max(upright.size)
    size = (upright.width * scale, upright.height * scale)
    return _overlay(size, marks, _line(author, at, zone), upright)


def _check(marks: Sequence[Mark]) -> None:
    register_fonts()
    check_coverage(("remark", mark.words) for mark in marks)


def _line(author: str, at: datetime, zone: tzinfo) -> str:
    return f"Annotated copy. {author}, {clinical_moment(at, zone)}"


def _turned(page: Any) -> pypdfium2.PdfMatrix:
    """From what is seen (turned, cut to the crop box) to the page's own coordinates."""
    left, bottom, right, top = page.get_cropbox()
    wide, high = right - left, top - bottom
    a, b, c, d, e, f = {
        0: (1, 0, 0, 1, 0, 0), 90: (0, 1, -1, 0, wide, 0), 180: (-1, 0, 0, -1, wide, high), 270: (0, -1, 1, 0, 0, high),
    }[page.get_rotation()]
    return pypdfium2.PdfMatrix(a, b, c, d, e + left, f + bottom)


def _overlay(size: tuple[float, float], marks: Sequence[Mark], line: str, behind: Image.Image | None = None) -> bytes:
    written = BytesIO()
    canvas: Any = Canvas(written, pagesize=size, invariant=1, pageCompression=1)
    canvas.setTitle("Annotated copy")
    canvas.setAuthor("ClinicDesk")
    if behind is not None:
        canvas.drawImage(ImageReader(behind), 0, 0, *size)
    for mark in marks:
        _draw(canvas, size, mark)
    check_coverage([("name", line)])
    _words(canvas, size, (8.0, size[1] - 8.0 - 9.0 * LEADING), line, 7.5, size[0] - 16)
    canvas.save()
    return written.getvalue()


def _draw(canvas: Any, size: tuple[float, float], mark: Mark) -> None:
    points = [(x * size[0], (1 - y) * size[1]) for x, y in mark.points]
    canvas.setStrokeColor(HexColor(INK))
    canvas.setLineWidth(PEN)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    if mark.kind == "text":
        left, top = mark.points[0][0] * size[0], mark.points[0][1] * size[1]
        _words(canvas, size, (left, top), mark.words, TYPE_SIZE, size[0] * _WIDTH)
    elif mark.kind == "box":
        (x, y), (right, top) = points[0], points[-1]
        canvas.rect(min(x, right), min(y, top), abs(right - x), abs(top - y), stroke=1, fill=0)
    else:
        _stroke(canvas, points)
        if mark.kind == "arrow":
            first, second = head_of(points[0], points[-1], 9 * PEN)
            _stroke(canvas, [first, points[-1], second])


def _stroke(canvas: Any, points: Sequence[Point]) -> None:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    canvas.drawPath(path, stroke=1, fill=0)


def _words(canvas: Any, size: tuple[float, float], at: Point, words: str, type_size: float, width: float) -> None:
    """Words on a white ground with a thin frame, wholly on the page; `at` counts down from the top left corner, in points."""
    lines = wrap([Piece(words, "regular", INK)], width, type_size)
    drawn = [runs([(piece.text.replace("\u00a0", " "), piece.style) for piece in line], type_size) for line in lines]
    wide = max((sum(run.width for run in line) for line in drawn), default=0.0) + 8
    high = len(drawn) * type_size * LEADING + 5
    left, top = max(2.0, min(at[0], size[0] - wide - 2)), max(2.0, min(at[1], size[1] - high - 2))
    canvas.setFillColor(HexColor(_PAPER, hasAlpha=False))
    canvas.setStrokeColor(HexColor(INK))
    canvas.setLineWidth(0.5)
    canvas.rect(left, size[1] - top - high, wide, high, stroke=1, fill=1)
    for number, line in enumerate(drawn):
        text = canvas.beginText(left + 4, size[1] - top - (number + 1) * type_size * LEADING + type_size * 0.18)
        text.setFillColor(HexColor(INK))
        for run in line:
            text.setFont(run.font, type_size)
            text.textOut(run.text)
        canvas.drawText(text)
