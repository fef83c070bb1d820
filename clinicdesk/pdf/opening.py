"""Is this a PDF that can be read to the end?"""

from __future__ import annotations

from typing import Final

import pypdfium2
import pypdfium2.raw

from clinicdesk.pdf.reading import PDFIUM

#: No paper is longer; a page of 200 inches is also the most the PDF reference allows. In points.
LONGEST_SIDE: Final = 14_400
MOST_PAGES: Final = 2_000
#: Where the end mark of a whole file stands: within this many last bytes.
_TAIL: Final = 2_048


class BadPdf(Exception):
    """The sentence says why this file cannot be kept."""


def page_count(content: bytes) -> int:
    """How many pages a PDF has. Raises BadPdf for one that is cut off, damaged, locked with a password, empty or absurd. Any thread."""
    if b"%%EOF" not in content[-_TAIL:]:
        raise BadPdf("This PDF is not complete: its end is missing.")
    with PDFIUM:
        try:
            document = pypdfium2.PdfDocument(content)
        except pypdfium2.PdfiumError as error:
            locked = getattr(error, "err_code", None) == pypdfium2.raw.FPDF_ERR_PASSWORD
            raise BadPdf("This PDF is locked with a password; save it without one first." if locked else
                         "This PDF is damaged and cannot be opened.") from error
        try:
            return _looked_through(document)
        finally:
            document.close()


def _looked_through(document: pypdfium2.PdfDocument) -> int:
    pages = len(document)
    if not pages:
        raise BadPdf("This PDF has no pages.")
    if pages > MOST_PAGES:
        raise BadPdf(f"This PDF has {pages} pages; at most {MOST_PAGES} can be attached.")
    for number in {0, pages // 2, pages - 1}:
        try:
            page = document[number]
        except pypdfium2.PdfiumError as error:
            raise BadPdf(f"Page {number + 1} of this PDF is damaged.") from error
        width, height = page.get_size()
        page.close()
        if not (0 < width <= LONGEST_SIDE and 0 < height <= LONGEST_SIDE):
            raise BadPdf("A page of this PDF is larger than any paper.")
    return pages
