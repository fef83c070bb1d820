"""Marking a reprint: the stored bytes stay as they are, and the word COPY is appended as a PDF revision beneath every page.

So a copy begins with exactly the bytes that were signed and hashed, and differs only by the mark (P12).
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from clinicdesk.errors import ClinicError

_MARK: Final = b"% ClinicDesk reprint\n"
_PAGE: Final = re.compile(rb"(?<![0-9])(\d+) 0 obj\s*(<<(?:(?!endobj).)*?/Type /Page\b(?!s)(?:(?!endobj).)*?>>)\s*endobj", re.DOTALL)


def is_copy(pdf: bytes) -> bool:
    """Whether the document carries the mark already."""
    return _MARK in pdf


def mark_copy(pdf: bytes) -> bytes:
    """The document with COPY in its top margin and in outline beneath the text of every page; marking a copy again changes nothing.

    `ClinicError` when the bytes are not a document this program made.
    """
    if is_copy(pdf):
        return pdf
    trailers = re.findall(rb"trailer\s*<<(.*?)>>\s*startxref\s*(\d+)\s*%%EOF", pdf, re.DOTALL)
    pages = list(_PAGE.finditer(pdf))
    if not trailers or not pages:
        raise ClinicError("This document cannot be marked as a copy: it was not made by ClinicDesk or is damaged.")
    trailer, start = trailers[-1]
    size = int(_one(rb"/Size (\d+)", trailer))
    kept = b" ".join(m.group() for m in re.finditer(rb"/(?:Root|Info) \d+ 0 R|/ID\s*\[.*?\]", trailer, re.DOTALL))
    out = bytearray(pdf)
    if not out.endswith(b"\n"):
        out += b"\n"
    out += _MARK
    places: dict[int, int] = {}
    for number, page in enumerate(pages):
        stream_id = size + number
        body = page.group(2)
        width, height = (float(v) for v in _one(rb"/MediaBox \[ 0 0 ([\d.]+ [\d.]+) \]", body).split())
        stream = zlib.compress(_drawing(width, height))
        places[stream_id] = len(out)
        out += b"%d 0 obj\n<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (stream_id, len(stream), stream)
        places[int(page.group(1))] = len(out)
        marked = re.sub(rb"/Contents (\d+ 0 R)", rb"/Contents [ %d 0 R \1 ]" % stream_id, body, count=1)
        out += b"%s 0 obj\n%s\nendobj\n" % (page.group(1), marked)
    table = len(out)
    out += b"xref\n"
    for object_id in sorted(places):
        out += b"%d 1\n%010d 00000 n \n" % (object_id, places[object_id])
    out += b"trailer\n<< /Size %d /Prev %s %s >>\nstartxref\n%d\n%%%%EOF\n" % (size + len(pages), start, kept, table)
    return bytes(out)


def _one(pattern: bytes, text: bytes) -> bytes:
    match = re.search(pattern, text)
    if match is None:
        raise ClinicError("This document cannot be marked as a copy: it was not made by ClinicDesk or is damaged.")
    return match.group(1)


def _drawing(width: float, height: float) -> bytes:
    """The mark as page operators; F1 is the standard Helvetica that every document of ReportLab declares."""
    tag_size = 11.0
    tag_width = 31.5
    big = width * 0.24
    reach = big * 2.89 / 2  # half of the word's width: C 0.722 + O 0.778 + P 0.667 + Y 0.667, with its outline
    cos, sin = 0.7431, 0.6691  # 42 degrees
    x = width / 2 - reach * cos + big * 0.34 * sin
    y = height / 2 - reach * sin - big * 0.34 * cos
    left, base = (width - tag_width) / 2, height - 23
    return (
        f"q 0.70 0.15 0.12 RG 0.70 0.15 0.12 rg 1 w {left - 7:.2f} {base - 5:.2f} {tag_width + 14:.2f} {tag_size + 7:.2f} re S "
        f"BT 2 Tr 0.35 w /F1 {tag_size:.2f} Tf 1 0 0 1 {left:.2f} {base:.2f} Tm (COPY) Tj ET Q\n"
        f"q 0.80 0.82 0.84 RG 0.8 w BT 1 Tr /F1 {big:.2f} Tf {cos:.4f} {sin:.4f} {-sin:.4f} {cos:.4f} {x:.2f} {y:.2f} Tm (COPY) Tj ET Q\n"
    ).encode()
