"""PDF pages as grey pictures and as text, for checking papers. Holds the lock of PDFium, which no two threads may enter.

The other user is `ui/printing.py`, which draws pages for the screen under the same lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import pypdfium2
from PIL import Image

#: Around every use of PDFium.
PDFIUM: Final = threading.Lock()
T = TypeVar("T")


class NoPdf(ValueError):
    """Bytes that PDFium cannot open."""


@dataclass(frozen=True, slots=True)
class PageText:
    """What stands on a page: its words in drawing order, and whether a picture covers most of it (a scan)."""

    text: str
    scanned: bool


def page_texts(pdf: bytes) -> list[PageText]:
    """The text of every page. Any thread. NoPdf when it is none."""
    return _each_page(pdf, _text_of)


def page_pictures(pdf: bytes, dpi: float = 200) -> list[Image.Image]:
    """Every page in grey, as a scanner of that resolution sees it. Any thread. NoPdf when it is none."""
    return _each_page(pdf, lambda page: page.render(scale=dpi / 72, grayscale=True).to_pil().convert("L"))


def author_of(pdf: bytes) -> str:
    """Whose program says it wrote the file."""
    with PDFIUM:
        document = _opened(pdf)
        try:
            return str(document.get_metadata_value("Author"))
        finally:
            document.close()


def _each_page(pdf: bytes, work: Callable[[Any], T]) -> list[T]:
    with PDFIUM:
        document = _opened(pdf)
        try:
            return [work(document[n]) for n in range(len(document))]
        except pypdfium2.PdfiumError as error:
            raise NoPdf("a page cannot be read") from error
        finally:
            document.close()


def _opened(pdf: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError as error:
        raise NoPdf("no PDF") from error


def _text_of(page: Any) -> PageText:
    words = page.get_textpage().get_text_range().replace("\ufffe", "-").replace("\x02", "-")
    width, height = page.get_size()
    area = 0.0
    for item in page.get_objects(max_depth=2):
        if item.type == pypdfium2.raw.FPDF_PAGEOBJ_IMAGE:
            left, bottom, right, top = item.get_bounds()
            area += (right - left) * (top - bottom)
    return PageText(words, area > 0.5 * width * height)
