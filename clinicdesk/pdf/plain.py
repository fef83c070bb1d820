"""A picture or a text as it goes to paper: a PDF of its own, made for printing and never stored."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from PIL import Image, ImageOps
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from clinicdesk.pdf.page import LEADING, PAPER, Paper, PaperName, Piece, draw_rows, text_rows
from clinicdesk.pdf.shaping import check_coverage

_MARGIN: Final = 28.0


def picture_sheet(picture: bytes, page: PaperName = "A4") -> bytes:
    """The picture upright, as large as the page lets it, on a page turned the way the picture is. Any thread."""
    with Image.open(BytesIO(picture), formats=("PNG", "JPEG")) as opened:
        upright = ImageOps.exif_transpose(opened).convert("RGB")
    width, height = PAPER[page] if upright.height >= upright.width else reversed(PAPER[page])
    scale = min((width - 2 * _MARGIN) / upright.width, (height - 2 * _MARGIN) / upright.height)
    wide, high = upright.width * scale, upright.height * scale
    written = BytesIO()
    canvas: Any = Canvas(written, pagesize=(width, height), invariant=1)
    canvas.drawImage(ImageReader(upright), (width - wide) / 2, (height - high) / 2, wide, high)
    canvas.save()
    return written.getvalue()


def text_sheet(text: str, page: PaperName = "A4") -> bytes:
    """The text in lines that wrap, page after page. Any thread; ClinicError for a script the fonts do not cover."""
    check_coverage([("text", text)])
    paper, size = Paper(page, "Text"), 10.0
    rows = text_rows([Piece(text)], paper.right - paper.left, size)
    per_page = int((paper.height - 2 * 46) / (size * LEADING))
    for start in range(0, max(1, len(rows)), per_page):
        draw_rows(paper, rows[start : start + per_page], paper.left, 46)
        paper.next_page()
    return paper.finished()
