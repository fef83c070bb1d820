"""PDF on the screen and on paper (with clinicdesk/pdf the only user of pypdfium2).

What is printed is the bytes themselves, sent to the spooler as they are, so that paper and stored record stay the same thing; drawing
the pages at 300 dpi is the fall-back where there is no `lp`. PDFium is not thread-safe: one lock around every use of it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass

import pypdfium2
from PySide6.QtCore import QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter
from PySide6.QtPrintSupport import QPrinter, QPrinterInfo

from clinicdesk.errors import ClinicError
from clinicdesk.pdf.reading import PDFIUM

_pdfium = PDFIUM
SPOOL_TITLE = "ClinicDesk"  #: spool queues are read by everybody at the printer: no names in them
PRINT_DPI = 300


class CannotPrint(ClinicError):
    """Paper did not come out; the document itself is safe."""


@dataclass(frozen=True, slots=True)
class PageSize:
    """Of one page, in points (1/72 inch)."""

    width: float
    height: float


def page_sizes(pdf: bytes) -> list[PageSize]:
    """The size of every page. Raises CannotPrint when the bytes are no PDF. Any thread."""
    with _pdfium:
        document = _opened(pdf)
        try:
            return [PageSize(*document.get_page_size(n)) for n in range(len(document))]
        finally:
            document.close()


def render_pages(pdf: bytes, dpi: float, pages: range | None = None) -> list[QImage]:
    """The pages (all by default) as pictures of `dpi` dots per inch, white behind. Any thread; about 30 ms a page at 110 dpi."""
    with _pdfium:
        document = _opened(pdf)
        try:
            return [_picture(document[n], dpi) for n in (range(len(document)) if pages is None else pages)]
        finally:
            document.close()


def _opened(pdf: bytes) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        raise CannotPrint("This document cannot be shown: it is not a readable PDF.") from None


def _picture(page: pypdfium2.PdfPage, dpi: float) -> QImage:
    bitmap = page.render(scale=dpi / 72, prefer_bgrx=True, rev_byteorder=False)
    shape = QImage.Format.Format_RGB32 if bitmap.n_channels == 4 else QImage.Format.Format_BGR888
    picture = QImage(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, shape).copy()
    picture.setDotsPerMeterX(round(dpi / 0.0254))
    picture.setDotsPerMeterY(round(dpi / 0.0254))
    bitmap.close()
    page.close()
    return picture


def printers() -> list[str]:
    """Names of the printers of this computer, the default first; empty when there is none. (QPrinter.isValid() says True even then.)"""
    names = list(QPrinterInfo.availablePrinterNames())
    default = QPrinterInfo.defaultPrinterName()
    return sorted(names, key=lambda name: name != default)


def spooler() -> str | None:
    """The program that takes PDF bytes as they are, if this computer has it."""
    return None if sys.platform == "win32" else shutil.which("lp")


def send_to_spooler(pdf: bytes, printer: str, copies: int = 1) -> None:
    """Hand the bytes to `lp` unchanged. Raises CannotPrint with what the spooler said. Call it on a worker."""
    command = spooler()
    if command is None:
        raise CannotPrint("This computer has no print spooler.", "Save the document and print it elsewhere.")
    try:
        done = subprocess.run([command, "-d", printer, "-n", str(copies), "-t", SPOOL_TITLE], input=pdf, capture_output=True, timeout=30,
                              check=False)
    except (OSError, subprocess.TimeoutExpired):
        raise CannotPrint(f"The printer “{printer}” does not answer.", "Check it, or choose another one.") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().removeprefix("lp:").strip()
        raise CannotPrint(f"The printer “{printer}” refused the document: {said or 'no reason given'}.", "Check it, or choose another one.")


def draw_on_printer(pictures: list[QImage], sizes: list[PageSize], printer: str, copies: int = 1) -> None:
    """The fall-back: draw rendered pages on a printer. GUI thread. Raises CannotPrint when the printer cannot be opened."""
    target = QPrinter(QPrinterInfo.printerInfo(printer), QPrinter.PrinterMode.HighResolution)
    draw(target, pictures, sizes, copies)


def draw(target: QPrinter, pictures: list[QImage], sizes: list[PageSize], copies: int = 1) -> None:
    """Draw pages on an open printer (or a PDF file, in tests) at their true size."""
    target.setResolution(PRINT_DPI)
    target.setDocName(SPOOL_TITLE)
    target.setCopyCount(copies)
    target.setFullPage(True)
    painter = QPainter()
    for number, (picture, size) in enumerate(zip(pictures, sizes, strict=True)):
        page = QPageSize(QSizeF(size.width, size.height), QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.FuzzyMatch)
        target.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
        ready = painter.begin(target) if number == 0 else target.newPage()
        if not ready:
            raise CannotPrint("The printer cannot be opened.", "Check it, or choose another one.")
        points = target.resolution() / 72
        painter.drawImage(QRectF(0, 0, size.width * points, size.height * points), picture)
    painter.end()
