"""A paper a doctor signs: head, units that are not torn apart, closed space, codes, prescriber and signature line on each page.

A code is 25 mm wide with a quiet zone of four modules, so that a grey copy of 200 dpi still holds 3.4 dots a module at the largest (57
modules); as many stand in a row as the paper is wide, and a page holds no more text than its codes do.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import segno

from clinicdesk.errors import ClinicError
from clinicdesk.pdf.page import (
    ACCENT,
    FAINT,
    INK,
    LEADING,
    SOFT,
    TINT,
    Paper,
    PaperName,
    Piece,
    Row,
    draw_rows,
    heights,
    keep_numbers,
    text_rows,
)
from clinicdesk.pdf.sheets import Letterhead, Prescriber, PrescriptionPatient
from clinicdesk.rules.canonical import Paper as Claim
from clinicdesk.rules.codes import Stamp, payloads, pieces
from clinicdesk.rules.names import capitals

CODE: Final = 25 / 25.4 * 72  #: side of a code in points
_QUIET: Final = 4  # modules, ISO/IEC 18004
_GAP: Final = 11.0  # two quiet zones of the largest symbol
_MOST_ROWS: Final = 3
# ReportLab keeps the glyph subset of each font per document, but its font objects are shared by threads.
ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class Drawn:
    """A finished document: where its signature line is (points from the lower left, on page `page` from 0) and its codes by page."""

    pdf: bytes
    box: tuple[float, float, float, float]
    page: int
    codes: tuple[tuple[str, ...], ...]


class SignedLayout(ABC):
    """Draws such a paper; a kind of paper says what stands in the head and in its units."""

    who = "Prescriber"

    def __init__(self, page: PaperName, kind: str, letterhead: Letterhead, prescriber: Prescriber, number: str, record_id: str,
                 signer_line: str, claim: Claim, stamp: Stamp | None) -> None:
        self.paper = Paper(page, f"{kind} {number}")
        self.s = self.paper.scale
        self.width = self.paper.right - self.paper.left
        self.closing = 26 * self.s  # height always kept for the closed space
        self.letterhead, self.prescriber, self.number, self.record_id = letterhead, prescriber, number, record_id
        self.signer_line, self.claim, self.stamp = signer_line, claim, stamp
        self.in_a_row = int((self.width + _GAP) // (CODE + _GAP))
        self.code_rows = 1

    @abstractmethod
    def rows_of_units(self) -> list[list[Row]]:
        """The rows of each unit of the claim, in order."""

    @abstractmethod
    def closing_words(self) -> str:
        """What stands in the closed space of the last page."""

    @abstractmethod
    def head(self, paper: Paper) -> float:
        """Draw the head; gives where it ends."""

    def drawn(self) -> Drawn:
        """The whole document. `ClinicError` when the head leaves no room or the text does not fit the codes."""
        units = self.rows_of_units()
        top = self.head(Measured(self.paper))
        bottom, pages = 0.0, []
        for self.code_rows in range(1, _MOST_ROWS + 1):
            bottom = self.paper.height - self._foot_height() - self._band_height()
            room = bottom - top - self.closing - 6 * self.s
            if room < 60:
                raise ClinicError("The addresses and allergies leave no space for medicines on this paper.", "Choose a larger paper.")
            pages = self._paginate(units, room)
            if all(self._codes_needed(begun) <= self.code_rows * self.in_a_row for _rows, begun in pages):
                break
        else:
            raise ClinicError("There is more text than the codes on the paper can hold.", "Make it two papers.")
        codes = payloads(self.stamp, self.claim, [begun for _rows, begun in pages]) if self.stamp else [[] for _page in pages]
        box = (0.0, 0.0, 0.0, 0.0)
        for number, ((rows, _begun), own) in enumerate(zip(pages, codes, strict=True), 1):
            self.head(self.paper)
            end = draw_rows(self.paper, rows, self.paper.left, top)
            words = self.closing_words() if number == len(pages) else f"Continued on page {number + 1}"
            self.paper.closed(end + 4 * self.s, bottom - 2 * self.s, words, 8.5 * self.s)
            self._band(bottom, own, sum(len(c) for c in codes[:number - 1]), sum(len(c) for c in codes))
            box = self._foot(bottom + self._band_height(), number, len(pages))
            self.paper.next_page()
        return Drawn(self.paper.finished(), box, len(pages) - 1, tuple(tuple(own) for own in codes))

    def _codes_needed(self, units: Sequence[int]) -> int:
        if self.stamp is None or not units:
            return 0
        return len(pieces(self.claim.head, [f for unit in units for f in self.claim.units[unit]]))

    def _paginate(self, units: Sequence[list[Row]], room: float) -> list[tuple[list[Row], list[int]]]:
        """Rows of each page, and the numbers of the units that begin on it."""
        pages: list[tuple[list[Row], list[int]]] = [([], [])]
        left = room
        most = self.code_rows * self.in_a_row
        for number, rows in enumerate(units):
            tall = heights(rows)
            if pages[-1][0] and (tall > left or self._codes_needed([*pages[-1][1], number]) > most):
                pages.append(([], []))
                left = room
            pages[-1][1].append(number)
            if tall <= left:
                pages[-1][0].extend(rows)
                left -= tall
                continue
            for row in rows:  # one unit longer than a page: split between its lines
                if row.height > left:
                    pages.append(([], []))
                    left = room
                pages[-1][0].append(row)
                left -= row.height
        return pages

    def _band_height(self) -> float:
        return self.code_rows * (CODE + _GAP) + 9 * self.s if self.stamp else 0.0

    def _band(self, top: float, codes: Sequence[str], before: int, total: int) -> None:
        """The codes of a page from the right edge, with their places; what they are for, where there is room."""
        paper, s = self.paper, self.s
        if self.stamp is None:
            return
        start = top + 8 * s
        for index, code in enumerate(codes):
            row, column = divmod(index, self.in_a_row)
            in_row = min(self.in_a_row, len(codes) - row * self.in_a_row)
            x = paper.right - in_row * CODE - (in_row - 1) * _GAP + column * (CODE + _GAP)
            y = start + row * (CODE + _GAP)
            paper.symbol(x, y, CODE, matrix_of(code))
            paper.line(x + CODE / 2, y + CODE + 0.5, [Piece(f"Code {before + index + 1} of {total}", "regular", FAINT)], 6, "centre")
        free = self.width - min(len(codes), self.in_a_row) * (CODE + _GAP)
        if free < 120 * s:
            return
        kind = "code" if total == 1 else "codes"
        title = f"Signed paper, {total} {kind}" if codes else f"Signed paper, {total} {kind} on other pages"
        rows = text_rows([Piece(title, "bold", ACCENT)], free - 10, 8.5 * s)
        words = ("Each code holds what is printed here and the signature of the doctor. “Check a paper” in ClinicDesk says, without a "
                 f"network, whether anything was changed or the paper was cancelled. Key {' '.join(self._key_words())}.")
        rows += text_rows([Piece(words, "regular", SOFT)], min(free - 10, 260 * s), 7.5 * s)
        draw_rows(paper, rows, paper.left, start - 2 * s)

    def _key_words(self) -> list[str]:
        text = self.stamp.key_id.hex().upper() if self.stamp else ""
        return [text[n:n + 4] for n in range(0, len(text), 4)]

    def _foot_height(self) -> float:
        return heights(self._prescriber_rows()) + 48 * self.s

    def _prescriber_rows(self) -> list[Row]:
        who, head, s = self.prescriber, self.letterhead, self.s
        width = self.width * 0.5
        rows = text_rows([Piece(self.who, "bold", FAINT)], width, 7.5 * s)
        rows += text_rows([Piece(who.name, "bold")], width, 11 * s)
        rows += text_rows([Piece(who.role), Piece(f"  ·  Registration {who.registration}" if who.registration else "")], width, 9 * s)
        for text in (who.address or head.address, who.phone or head.phone):
            if text:
                rows += text_rows([Piece(keep_numbers(text), "regular", SOFT)], width, 9 * s)
        return rows

    def _foot(self, top: float, number: int, total: int) -> tuple[float, float, float, float]:
        """The prescriber, the signature line and the page number; gives the place of the signature."""
        paper, s = self.paper, self.s
        rows = self._prescriber_rows()
        start = top + 9 * s
        draw_rows(paper, rows, paper.left, start)
        line_left, line_top = paper.left + self.width * 0.56, start + max(34 * s, heights(rows) - 26 * s)
        paper.rule(line_top, line_left, paper.right, INK, 0.8)
        paper.line(line_left, line_top + 1 * s, [Piece("Signature", "bold", FAINT)], 7.5 * s)
        if self.signer_line:
            draw_rows(paper, text_rows([Piece(self.signer_line, "regular", SOFT)], paper.right - line_left, 7.5 * s), line_left,
                      line_top + 11 * s)
        end = paper.height - 27 * s
        paper.rule(end - 2 * s, paper.left, paper.right)
        paper.line(paper.left, end, [Piece(f"{self.number}  ·  {self.record_id}", "regular", FAINT)], 8 * s)
        paper.line(paper.right, end, [Piece(f"Page {number} of {total}", "bold", SOFT)], 8 * s, "right")
        return (line_left, paper.height - end + 4 * s, paper.right, paper.height - start)


def matrix_of(code: str) -> Sequence[Sequence[int]]:
    """The modules of a code: the lowest correction that its version needs, raised where the version has room for more."""
    return [[int(dark) for dark in row] for row in segno.make(code, mode="alphanumeric", error="l", micro=False, boost_error=True).matrix]


class Measured(Paper):
    """Paper on which nothing is drawn, to know how tall something will be."""

    def __init__(self, paper: Paper) -> None:
        self.width, self.height, self.scale, self.left, self.right = paper.width, paper.height, paper.scale, paper.left, paper.right

    def line(self, *_args: object, **_options: object) -> float:
        return 0.0

    def rule(self, *_args: object, **_options: object) -> None:
        return

    def box(self, *_args: object, **_options: object) -> None:
        return

    def warning_sign(self, *_args: object, **_options: object) -> None:
        return


def draw_patient(paper: Paper, who: PrescriptionPatient, facts: Sequence[tuple[str, str]], top: float) -> float:
    """The patient in a tinted box, facts beside the name; gives where it ends."""
    s, width = paper.scale, paper.right - paper.left
    pad, right_width = 9 * s, 158 * s
    left_width = width - right_width - 3 * pad
    title = f" ({who.title})" if who.title else ""
    left = text_rows([Piece("Patient", "bold", FAINT)], left_width, 7.5 * s)
    left += text_rows([Piece(f"{capitals(who.family_name)}, {who.given_name}", "bold"), Piece(title, "regular", SOFT)], left_width, 13 * s)
    left += text_rows([Piece(keep_numbers(who.address), "regular", SOFT)], left_width, 9 * s)
    bottom = top + max(heights(left), len(facts) * 9.5 * s * LEADING) + 2 * pad - 3 * s
    paper.box(paper.left, top, paper.right, bottom, fill=TINT)
    draw_rows(paper, left, paper.left + pad, top + pad - 3 * s)
    fact_left, fact_top = paper.right - right_width - pad, top + pad - 1 * s
    for label, value in facts:
        paper.line(fact_left, fact_top, [Piece(label, "regular", FAINT)], 9.5 * s)
        paper.line(fact_left + 40 * s, fact_top, [Piece(value, "bold")], 9.5 * s)
        fact_top += 9.5 * s * LEADING
    return bottom


def shifted(row: Row, by: float) -> Row:
    """A row drawn further right."""
    return Row(row.height, lambda paper, left, top: row.draw(paper, left + by, top))


def labelled(label: str, value: Piece, width: float, size: float) -> list[Row]:
    """A faint label and, in its own column, the value over as many lines as it needs."""
    column = size * 6.6
    rows = text_rows([value], width - column, size)
    first = rows[0]

    def draw(paper: Paper, left: float, top: float) -> None:
        paper.line(left, top, [Piece(label, "regular", FAINT)], size)
        first.draw(paper, left + column, top)
    return [Row(first.height, draw), *(shifted(row, column) for row in rows[1:])]
