"""The recovery kit: one page with the clinic key, for the safe. What stands on it opens every sealed record of the clinic."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime

import segno

from clinicdesk.pdf.page import ACCENT, ALERT, INK, LEADING, SOFT, TINT, Paper, PaperName, Piece, draw_letterhead, draw_rows, text_rows
from clinicdesk.pdf.shaping import check_coverage
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.key_code import key_code, key_fingerprint, kit_text
from clinicdesk.rules.moments import clinical_date, clinical_moment

_ONE_AT_A_TIME = threading.Lock()
_QR_SIDE = 150.0  # points: two inches, read by any telephone at arm's length

_WHAT = ("This page holds the key of the clinic. Notes, documents and identifiers are stored sealed, in the database and in every backup;"
         " only this key opens them. A computer that works at the clinic keeps it; when the computers are lost, this page is all there is."
         " Nobody else has a copy, not even those who made ClinicDesk.")
_KEEP = (
    "Put it where the clinic keeps what must not burn or be stolen: a safe, a bank, a notary. Not beside a computer, not with a backup.",
    "Print two and keep them in two buildings. Do not photograph it, do not send it, do not keep the file.",
    "Whoever has this page and a backup can read every record. If it is lost or was seen, change the key: Keys, “Change the clinic key”.",
    "A kit whose fingerprint is not the one shown under Keys is out of date, but opens the backups of its time: keep it, too.",
)
_USE = (
    "Install ClinicDesk on the new computer and copy the clinic's data folder (or a backup) to it, or name its database server.",
    "Run “clinicdesk recover” and type the code above; or “clinicdesk recover --kit FILE” with a scan or photograph of this page.",
    "ClinicDesk compares the key with the clinic's own fingerprint before it is kept. Then it starts as usual.",
)


@dataclass(frozen=True, slots=True)
class KitSheet:
    """What the kit says; `made` is in the clinic's zone."""

    letterhead: Letterhead
    key: bytes
    made: datetime
    made_by: str = ""


def render_kit(sheet: KitSheet, page: PaperName = "A4") -> bytes:
    """The kit as a PDF of one page, never stored by the program. Any thread; ClinicError for a script the fonts do not cover."""
    check_coverage([("clinic name", sheet.letterhead.name), ("clinic address", sheet.letterhead.address), ("name", sheet.made_by)])
    with _ONE_AT_A_TIME:
        return _drawn(sheet, page)


def _drawn(sheet: KitSheet, page: PaperName) -> bytes:
    paper = Paper(page, "Recovery kit")
    width = paper.right - paper.left
    facts = (clinical_moment(sheet.made), f"by {sheet.made_by}") if sheet.made_by else (clinical_moment(sheet.made),)
    top = draw_letterhead(paper, sheet.letterhead, "Recovery kit", facts, 40) + 14
    paper.warning_sign(paper.left, top + 1, 13)
    paper.line(paper.left + 21, top, [Piece("Keep this page under lock. It opens every record.", "bold", ALERT)], 13)
    top = draw_rows(paper, text_rows([Piece(_WHAT)], width, 10), paper.left, top + 25) + 12
    top = _key_box(paper, sheet.key, top) + 14
    top = _steps(paper, "Keeping it", _KEEP, top, numbered=False) + 8
    top = _steps(paper, "When the computers are lost", _USE, top, numbered=True) + 12
    end = paper.height - 62
    if top < end - 34:
        third = width / 3
        for number, words in enumerate(("Sealed in an envelope on", "Where it is kept", "Signature")):
            left = paper.left + number * third
            paper.rule(end, left, left + third - 14, INK, 0.7)
            paper.line(left, end + 2, [Piece(words, "regular", SOFT)], 8)
    paper.line(paper.left, paper.height - 34, [Piece(f"Recovery kit of {clinical_date(sheet.made.date())}", "regular", SOFT)], 8)
    paper.line(paper.right, paper.height - 34, [Piece(f"Fingerprint {key_fingerprint(sheet.key)}", "regular", SOFT)], 8, "right")
    paper.next_page()
    return paper.finished()


def _key_box(paper: Paper, key: bytes, top: float) -> float:
    """Square code on the left; on the right the fourteen groups, numbered by row so that nobody loses the place."""
    pad = 18.0
    bottom = top + _QR_SIDE + 2 * pad
    paper.box(paper.left, top, paper.right, bottom, fill=TINT)
    matrix = [[int(dark) for dark in row] for row in segno.make(kit_text(key), mode="alphanumeric", error="m", micro=False).matrix]
    paper.symbol(paper.left + pad, top + pad, _QR_SIDE, matrix)
    left = paper.left + pad + _QR_SIDE + 30
    line = top + pad - 4
    paper.line(left, line, [Piece("Clinic key", "bold", ACCENT)], 10)
    line += 10 * LEADING + 5
    groups = key_code(key).split("-")
    for row in range(0, len(groups), 4):
        paper.line(left, line, [Piece(f"{row // 4 + 1}", "regular", SOFT)], 9)
        for column, group in enumerate(groups[row : row + 4]):
            paper.line(left + 20 + column * 66, line - 3, [Piece(group, "bold", INK)], 16)
        line += 16 * LEADING + 3
    paper.line(left, line + 3, [Piece("Letters A to Z and digits 2 to 7 only: no zero, no one, no eight.", "regular", SOFT)], 8)
    paper.line(left, bottom - pad - 12, [Piece("Fingerprint  ", "regular", SOFT), Piece(key_fingerprint(key), "bold", INK)], 11)
    return bottom


def _steps(paper: Paper, heading: str, lines: tuple[str, ...], top: float, *, numbered: bool) -> float:
    paper.line(paper.left, top, [Piece(heading, "bold", ACCENT)], 11)
    top += 11 * LEADING + 3
    for number, words in enumerate(lines, 1):
        paper.line(paper.left, top, [Piece(f"{number}." if numbered else "•", "bold", SOFT)], 10)
        top = draw_rows(paper, text_rows([Piece(words)], paper.right - paper.left - 16, 10), paper.left + 16, top) + 3
    return top
