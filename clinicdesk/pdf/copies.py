"""Marking a reprint or a cancelled paper: the stored bytes stay as they are; COPY or CANCELLED is appended as a PDF revision.

So a copy begins with exactly the bytes that were signed and hashed, and differs only by the mark (P12), which is the same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from clinicdesk.errors import ClinicError

Mark = Literal["COPY", "CANCELLED"]
_MARKS: Final[dict[Mark, bytes]] = {"COPY": b"% ClinicDesk reprint\n", "CANCELLED": b"% ClinicDesk cancelled\n"}
_CONTENTS: Final = re.compile(rb"/Contents (?:\[ ?)?(\d+ 0 R(?: \d+ 0 R)*)(?: ?\])?")
_OBJECT: Final = re.compile(rb"(?<![0-9])(\d+) 0 obj\s*<<")
_LARGEST_PAGE: Final = 4096  # bytes of a page dictionary


def is_copy(pdf: bytes) -> bool:
    """Whether the document carries the mark of a reprint already."""
    return _MARKS["COPY"] in pdf


def is_cancelled(pdf: bytes) -> bool:
    """Whether the document carries the mark of a cancelled paper already."""
    return _MARKS["CANCELLED"] in pdf


def mark_copy(pdf: bytes) -> bytes:
    """The document with COPY in its top margin and in outline beneath the text of every page; marking a copy again changes nothing.

    `ClinicError` when the bytes are not a document this program made.
    """
    return _marked(pdf, "COPY")


def mark_cancelled(pdf: bytes) -> bytes:
    """The document with CANCELLED in its top margin and across the text of every page; once is enough. Errors as `mark_copy`."""
    return _marked(pdf, "CANCELLED")


def marks_after(pdf: bytes, end: int) -> tuple[Mark, ...] | None:
    """Which marks follow the first `end` bytes; None when anything else was appended."""
    original = pdf[:end]
    if pdf == original:
        return ()
    marks = tuple(mark for mark in _MARKS if _MARKS[mark] in pdf[end:])
    made = original
    try:
        for mark in marks:
            made = _marked(made, mark)
    except ClinicError:
        return None
    return marks if pdf == made else None


def _marked(pdf: bytes, mark: Mark) -> bytes:
    if _MARKS[mark] in pdf:
        return pdf
    trailers = re.findall(rb"trailer\s*<<(.*?)>>\s*startxref\s*(\d+)\s*%%EOF", pdf, re.DOTALL)
    pages = dict(_pages(pdf))  # the last revision of each page
    if not trailers or not pages:
        raise ClinicError("This document cannot be marked as a copy: it was not made by ClinicDesk or is damaged.")
    trailer, start = trailers[-1]
    size = int(_one(rb"/Size (\d+)", trailer))
    kept = b" ".join(m.group() for m in re.finditer(rb"/(?:Root|Info) \d+ 0 R|/ID\s*\[.*?\]", trailer, re.DOTALL))
    out = bytearray(pdf)
    if not out.endswith(b"\n"):
        out += b"\n"
    out += _MARKS[mark]
    places: dict[int, int] = {}
    for number, (page, body) in enumerate(pages.items()):
        stream_id = size + number
        width, height = (float(v) for v in _one(rb"/MediaBox \[\s*0 0 ([\d.]+ [\d.]+)\s*\]", body).split())
        stream = _drawing(mark, width, height)
        places[stream_id] = len(out)
        out += b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (stream_id, len(stream), stream)
        places[page] = len(out)
        order = rb"%d 0 R \1" if mark == "COPY" else rb"\1 %d 0 R"  # beneath the text, or across it
        marked, done = _CONTENTS.subn(b"/Contents [ " + order % stream_id + b" ]", body, count=1)
        if not done:
            raise ClinicError("This document cannot be marked as a copy: it was not made by ClinicDesk or is damaged.")
        out += b"%d 0 obj\n%s\nendobj\n" % (page, marked)
    table = len(out)
    out += b"xref\n"
    for object_id in sorted(places):
        out += b"%d 1\n%010d 00000 n \n" % (object_id, places[object_id])
    out += b"trailer\n<< /Size %d /Prev %s %s >>\nstartxref\n%d\n%%%%EOF\n" % (size + len(pages), start, kept, table)
    return bytes(out)


def _pages(pdf: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and dictionary of every page object, in the order in which they were written."""
    for start in _OBJECT.finditer(pdf):
        body = pdf[start.end() - 2:pdf.find(b"endobj", start.end())]
        if len(body) < _LARGEST_PAGE and re.search(rb"/Type /Page\b(?!s)", body):
            yield int(start.group(1)), body.rstrip()


def _one(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text)
    if match is None:
        raise ClinicError("This document cannot be marked as a copy: it was not made by ClinicDesk or is damaged.")
    return match.group(1)


def _drawing(mark: Mark, width: float, height: float) -> bytes:
    """The mark as page operators; F1 is the standard Helvetica that every document of ReportLab declares."""
    tag_size = 11.0
    ems = 2.89 if mark == "COPY" else 6.06  # the word's width: the advance widths of Helvetica, with its outline
    tag_width = 31.5 if mark == "COPY" else 66.0
    big = width * (0.24 if mark == "COPY" else 0.155)
    reach = big * ems / 2
    cos, sin = (0.7431, 0.6691) if mark == "COPY" else (0.6428, 0.7660)  # 42 and 50 degrees
    x = width / 2 - reach * cos + big * 0.34 * sin
    y = height / 2 - reach * sin - big * 0.34 * cos
    left, base = (width - tag_width) / 2, height - 23
    line = "0.80 0.82 0.84 RG 0.8 w" if mark == "COPY" else "0.86 0.42 0.38 RG 1.3 w"
    return (
        f"q 0.70 0.15 0.12 RG 0.70 0.15 0.12 rg 1 w {left - 7:.2f} {base - 5:.2f} {tag_width + 14:.2f} {tag_size + 7:.2f} re S "
        f"BT 2 Tr 0.35 w /F1 {tag_size:.2f} Tf 1 0 0 1 {left:.2f} {base:.2f} Tm ({mark}) Tj ET Q\n"
        f"q {line} BT 1 Tr /F1 {big:.2f} Tf {cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f} {x:.2f} {y:.2f} Tm ({mark}) Tj ET Q\n"
    ).encode()
