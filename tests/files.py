"""Small files of every kind for tests: real PDFs, pictures and texts, with words that a search can find."""

from __future__ import annotations

import io
import random

from PIL import Image
from reportlab.pdfgen.canvas import Canvas


def pdf(words: str = "A letter", pages: int = 1, *, size: int = 0) -> bytes:
    """A PDF with these words on every page; padded with an incompressible stream to about `size` bytes."""
    written = io.BytesIO()
    canvas = Canvas(written, pageCompression=0)
    for number in range(pages):
        canvas.drawString(72, 700, f"{words} {number + 1}")
        canvas.showPage()
    canvas.save()
    made = written.getvalue()
    if size <= len(made):
        return made
    tail = made.rindex(b"%%EOF")
    lines = (size - len(made)) // 1003
    chance = random.Random(7)
    filling = b"".join(b"% " + chance.randbytes(500).hex().encode() + b"\n" for _ in range(lines))
    return made[:tail] + b"%%EOF\n" + filling + made[made.rindex(b"startxref"):]


def picture(shape: str = "PNG", size: tuple[int, int] = (320, 200)) -> bytes:
    """A picture with something on it."""
    written = io.BytesIO()
    image = Image.linear_gradient("L").resize(size).convert("RGB")
    image.save(written, shape)
    return written.getvalue()
