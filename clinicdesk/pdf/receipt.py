"""The printed receipt, and the sheet of a closed day. The same facts give the same bytes; a reprint is marked COPY by `pdf.copies`."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from clinicdesk.pdf.page import (
    ALERT,
    FAINT,
    INK,
    LEADING,
    SOFT,
    TINT,
    Paper,
    PaperName,
    Piece,
    draw_letterhead,
    draw_rows,
    heights,
    keep_numbers,
    text_rows,
)
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.rules.money import METHODS, amount_text
from clinicdesk.rules.names import capitals

#: What stands at the top of the paper, and the word before the sum.
HEADINGS: Final = {
    "payment": ("Receipt", "Paid"),
    "refund": ("Refund", "Refunded"),
    "top_up": ("Receipt", "Paid into the wallet"),
    "payout": ("Payout", "Paid out of the wallet"),
}
# ReportLab keeps the glyph subset of each font per document, but its font objects are shared by threads.
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class ReceiptSheet:
    """The facts of a receipt. `at` is in the clinic's zone; `lines` are what for and how much; `wallet_after` only when it was touched."""

    letterhead: Letterhead
    number: str
    kind: str
    at: datetime
    family_name: str
    given_name: str
    record_id: str
    address: str
    lines: tuple[tuple[str, Decimal], ...]
    methods: tuple[tuple[str, Decimal], ...]
    currency: str
    taken_by: str
    reason: str = ""
    of_number: str = ""
    wallet_after: Decimal | None = None

    @property
    def total(self) -> Decimal:
        """The sum of all lines."""
        return sum((amount for _what, amount in self.lines), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class DaySheet:
    """The facts of a closed day. `rows` are method, came, went, receipts; `people` who took how much."""

    letterhead: Letterhead
    day: date
    currency: str
    rows: tuple[tuple[str, Decimal, Decimal, int], ...]
    opening: Decimal
    expected_cash: Decimal
    counted_cash: Decimal
    expected_card: Decimal
    card_total: Decimal
    explanation: str
    closed_by: str
    closed_at: datetime


def render_receipt(sheet: ReceiptSheet, page: PaperName) -> bytes:
    """The receipt as PDF."""
    with _ONE_AT_A_TIME:
        return _drawn_receipt(sheet, page)


def render_day(sheet: DaySheet, page: PaperName) -> bytes:
    """The sheet of a closed day as PDF, with room for a signature."""
    with _ONE_AT_A_TIME:
        return _drawn_day(sheet, page)


def _drawn_receipt(sheet: ReceiptSheet, page: PaperName) -> bytes:
    heading, total_word = HEADINGS[sheet.kind]
    paper = Paper(page, f"{heading} {sheet.number}")
    s, width = paper.scale, paper.right - paper.left
    bottom = paper.height - 40 * s
    top = _head(paper, sheet)

    def room(height: float) -> None:
        """Another page when this one has no room left."""
        nonlocal top
        if top + height > bottom:
            paper.line(paper.left, bottom - 10 * s, [Piece("Continued on the next page", "italic", FAINT)], 8 * s)
            _foot(paper, _foot_words(sheet))
            paper.next_page()
            top = _head(paper, sheet)

    for what, amount in sheet.lines:
        rows = text_rows([Piece(keep_numbers(what))], width - 96 * s, 10.5 * s)
        room(heights(rows) + 14 * s)
        paper.line(paper.right, top, [Piece(_amount(amount, sheet.currency))], 10.5 * s, "right")
        top = draw_rows(paper, rows, paper.left, top) + 3 * s
    below = [(METHODS[method], amount_text(amount, sheet.currency)) for method, amount in sheet.methods]
    if sheet.wallet_after is not None:
        below.append(("Wallet now holds", amount_text(sheet.wallet_after, sheet.currency)))
    reason = [Piece("Reason: ", "bold", SOFT), Piece(sheet.reason, "regular", SOFT)] if sheet.reason else []
    why = text_rows(reason, width, 9.5 * s) if reason else []
    room((30 + 14 * len(below)) * s + heights(why) + 20 * s)
    paper.rule(top + 2 * s, paper.left, paper.right, INK, 0.8)
    top += 7 * s
    colour = ALERT if sheet.kind in {"refund", "payout"} else INK
    paper.line(paper.left, top, [Piece(total_word, "bold", colour)], 13 * s)
    paper.line(paper.right, top, [Piece(amount_text(sheet.total, sheet.currency), "bold", colour)], 13 * s, "right")
    top += 13 * s * LEADING + 8 * s
    for label, value in below:
        paper.line(paper.left, top, [Piece(label, "regular", SOFT)], 9.5 * s)
        paper.line(paper.right, top, [Piece(value, "regular", SOFT)], 9.5 * s, "right")
        top += 9.5 * s * LEADING + 1 * s
    draw_rows(paper, why, paper.left, top + 6 * s)
    _foot(paper, _foot_words(sheet))
    paper.next_page()
    return paper.finished()


def _head(paper: Paper, sheet: ReceiptSheet) -> float:
    """Letterhead, patient and the words over the lines, on every page."""
    s, (heading, _word) = paper.scale, HEADINGS[sheet.kind]
    facts = [sheet.number, clinical_moment(sheet.at)]
    if sheet.of_number:
        facts.append(f"of receipt {sheet.of_number}")
    top = draw_letterhead(paper, sheet.letterhead, heading, facts, 34 * s) + 10 * s
    top = _patient(paper, sheet, top) + 14 * s
    return _heads(paper, ("For", f"Amount, {sheet.currency}"), top)


def _foot_words(sheet: ReceiptSheet) -> tuple[str, str]:
    return f"Taken by {sheet.taken_by}" if sheet.taken_by else "", f"{sheet.number}  ·  {sheet.record_id}"


def _patient(paper: Paper, sheet: ReceiptSheet, top: float) -> float:
    s, pad = paper.scale, 9 * paper.scale
    width = paper.right - paper.left - 2 * pad
    rows = text_rows([Piece("Patient", "bold", FAINT)], width, 7.5 * s)
    rows += text_rows([Piece(f"{capitals(sheet.family_name)}, {sheet.given_name}", "bold")], width, 12 * s)
    under = "  ·  ".join(part for part in (sheet.address, f"Record {sheet.record_id}") if part)
    rows += text_rows([Piece(keep_numbers(under), "regular", SOFT)], width, 9 * s)
    bottom = top + heights(rows) + 2 * pad - 3 * s
    paper.box(paper.left, top, paper.right, bottom, fill=TINT)
    draw_rows(paper, rows, paper.left + pad, top + pad - 3 * s)
    return bottom


def _heads(paper: Paper, words: tuple[str, str], top: float) -> float:
    s = paper.scale
    paper.line(paper.left, top, [Piece(words[0], "bold", FAINT)], 8 * s)
    paper.line(paper.right, top, [Piece(words[1], "bold", FAINT)], 8 * s, "right")
    top += 8 * s * LEADING + 2 * s
    paper.rule(top, paper.left, paper.right)
    return top + 5 * s


def _foot(paper: Paper, words: Sequence[str]) -> None:
    s = paper.scale
    end = paper.height - 27 * s
    paper.rule(end - 2 * s, paper.left, paper.right)
    paper.line(paper.left, end, [Piece(words[0], "regular", FAINT)], 8 * s)
    paper.line(paper.right, end, [Piece(words[1], "regular", FAINT)], 8 * s, "right")


def _amount(amount: Decimal, currency: str) -> str:
    """The figures alone; the fonts of the paper have no minus sign but the hyphen."""
    return amount_text(amount, currency).split("\u00a0")[0].replace("−", "-")


def _drawn_day(sheet: DaySheet, page: PaperName) -> bytes:
    paper = Paper(page, f"Day close {sheet.day.isoformat()}")
    s, width = paper.scale, paper.right - paper.left
    facts = (clinical_date(sheet.day, weekday=True), f"Closed {clinical_moment(sheet.closed_at)}")
    top = draw_letterhead(paper, sheet.letterhead, "Day close", facts, 34 * s) + 12 * s
    places = (paper.left, paper.left + width * 0.46, paper.left + width * 0.64, paper.left + width * 0.82, paper.right)
    top = _table(paper, places, ("Method", "Receipts", "Came in", "Went out", f"Sum, {sheet.currency}"), [
        (METHODS[method], str(count), _amount(came, sheet.currency), _amount(went, sheet.currency), _amount(came - went, sheet.currency))
        for method, came, went, count in sheet.rows
    ], top) + 14 * s
    differences = (sheet.counted_cash - sheet.expected_cash, sheet.card_total - sheet.expected_card)
    top = _table(paper, places, ("", "", "Expected", "Counted", "Difference"), [
        ("Cash at the start", "", _amount(sheet.opening, sheet.currency), "", ""),
        ("Cash in the drawer", "", _amount(sheet.expected_cash, sheet.currency), _amount(sheet.counted_cash, sheet.currency),
         _amount(differences[0], sheet.currency)),
        ("Card terminal", "", _amount(sheet.expected_card, sheet.currency), _amount(sheet.card_total, sheet.currency),
         _amount(differences[1], sheet.currency)),
    ], top) + 12 * s
    matches = not any(differences)
    paper.line(paper.left, top, [Piece("The day matches." if matches else "The day does not match.", "bold", INK if matches else ALERT)],
               11 * s)
    top += 11 * s * LEADING + 4 * s
    if sheet.explanation:
        top = draw_rows(paper, text_rows([Piece("Explanation: ", "bold", SOFT), Piece(sheet.explanation, "regular", SOFT)], width, 9.5 * s),
                        paper.left, top)
    line = top + 52 * s
    paper.rule(line, paper.left, paper.left + width * 0.5, INK, 0.8)
    paper.line(paper.left, line + 1 * s, [Piece(f"Signature, {sheet.closed_by}", "bold", FAINT)], 7.5 * s)
    _foot(paper, (f"Closed by {sheet.closed_by}", clinical_date(sheet.day)))
    paper.next_page()
    return paper.finished()


def _table(paper: Paper, places: Sequence[float], heads: Sequence[str], rows: Sequence[Sequence[str]], top: float) -> float:
    """Words at the left edge, figures right-aligned at their places."""
    s = paper.scale
    for place, word in zip(places, heads, strict=True):
        paper.line(place, top, [Piece(word, "bold", FAINT)], 8 * s, "left" if place == places[0] else "right")
    top += 8 * s * LEADING + 2 * s
    paper.rule(top, paper.left, paper.right)
    top += 4 * s
    for row in rows:
        for place, word in zip(places, row, strict=True):
            paper.line(place, top, [Piece(word)], 10 * s, "left" if place == places[0] else "right")
        top += 10 * s * LEADING + 2 * s
    paper.rule(top, paper.left, paper.right)
    return top + 2 * s
