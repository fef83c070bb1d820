"""The certificate of a rehearsal: one page that says which backup was restored and whether everything came back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from clinicdesk.pdf.page import ACCENT, ALERT, FAINT, INK, SOFT, TINT, Paper, Piece, draw_letterhead, draw_rows, text_rows
from clinicdesk.pdf.shaping import check_coverage
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.rules.texts import size_words

# ReportLab's font objects are shared by threads.
_ONE_AT_A_TIME: Final = threading.Lock()
#: More differences than this would not fit the page; how many more there are is said.
_MOST: Final = 12
_UNCOMPARED: Final = "not compared: it was not restored"
_EQUAL: Final = ("It was restored onto new, empty database servers. Every row, every document and the end of the audit log were compared"
                 " with what was counted when the backup was taken, and documents chosen at random were opened with their patients' keys."
                 " All of it was equal.")
_DIFFERENT: Final = ("It was restored onto new, empty database servers and compared with what was counted when it was taken. What differs"
                     " is listed below. Do not rely on this backup: take another one and rehearse it.")


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a rehearsal found. Times in the clinic's zone; `numbers` as `clinicdesk.backups.rehearse` counts them; `by` "" is the clinic's
    own job."""

    letterhead: Letterhead
    proved_at: datetime
    taken_at: datetime
    file_name: str
    file_size: int
    sha256: str
    ok: bool
    numbers: dict[str, Any]
    by: str


def render(certificate: Certificate) -> bytes:
    """The page as PDF bytes; any thread."""
    head = certificate.letterhead
    check_coverage([("clinic name", head.name), ("clinic address", head.address), ("name", certificate.by),
                    ("file name", certificate.file_name)])
    with _ONE_AT_A_TIME:
        return _drawn(certificate)


def _drawn(c: Certificate) -> bytes:
    paper = Paper("A4", f"Backup certificate {clinical_moment(c.proved_at)}")
    paper.left, paper.right = 46, paper.width - 46
    facts = (clinical_moment(c.proved_at), c.by or "by ClinicDesk itself")
    top = draw_letterhead(paper, c.letterhead, "Backup certificate", facts, 46) + 26
    top = _verdict(paper, c, top) + 24
    top = _table(paper, "The backup", _about_file(c), top) + 18
    top = _table(paper, "What came back", _found(c.numbers), top) + 18
    if problems := list(c.numbers.get("problems", ())):
        top = _problems(paper, problems, top)
    _foot(paper)
    return paper.finished()


def _verdict(paper: Paper, c: Certificate, top: float) -> float:
    title = "This backup can be restored." if c.ok else "This backup did NOT come back as it was saved."
    words = _EQUAL if c.ok else _DIFFERENT
    colour = ACCENT if c.ok else ALERT
    inner = paper.right - paper.left - 36
    rows = text_rows([Piece(title, "bold", colour)], inner, 17) + text_rows([Piece(words, "regular", INK)], inner, 10.5)
    height = sum(row.height for row in rows) + 28
    paper.box(paper.left, top, paper.right, top + height, fill=TINT)
    paper.box(paper.left, top, paper.left + 5, top + height, fill=colour, radius=2)
    draw_rows(paper, rows, paper.left + 20, top + 14)
    return top + height


def _about_file(c: Certificate) -> list[tuple[str, str]]:
    return [("File", c.file_name), ("Taken", clinical_moment(c.taken_at)), ("Size", size_words(c.file_size)),
            ("SHA-256", "\n".join((c.sha256[:32], c.sha256[32:])) if c.sha256 else "not read to the end")]


def _found(numbers: dict[str, Any]) -> list[tuple[str, str]]:
    def pair(name: str) -> str:
        if name not in numbers:
            return _UNCOMPARED
        wanted, found = numbers[name]
        return f"{found:,} of {wanted:,}" + ("" if wanted == found else "   different")

    opened, audit = numbers.get("opened"), numbers.get("audit")
    return [("Tables", pair("tables")), ("Rows", pair("rows")), ("Visit documents", pair("visits")), ("Attachments", pair("files")),
            ("Audit log", f"{audit[0]:,} events, its end is {'the same' if audit[1] else 'DIFFERENT'}" if audit else _UNCOMPARED),
            ("Opened with patients' keys", f"{opened[0]:,} visit documents, {opened[1]:,} attachments" if opened else "none"),
            ("Time taken", f"{numbers.get('seconds', 0):.0f} seconds")]


def _table(paper: Paper, title: str, lines: Sequence[tuple[str, str]], top: float) -> float:
    paper.line(paper.left, top, [Piece(title, "bold", FAINT)], 9)
    top += 16
    paper.rule(top, paper.left, paper.right, INK, 0.8)
    for name, value in lines:
        rows = text_rows([Piece(value, "bold", INK)], paper.right - paper.left - 170, 10.5)
        paper.line(paper.left, top + 5, [Piece(name, "regular", SOFT)], 10.5)
        draw_rows(paper, rows, paper.left + 170, top + 5)
        top += sum(row.height for row in rows) + 10
        paper.rule(top, paper.left, paper.right)
    return top


def _problems(paper: Paper, problems: Sequence[str], top: float) -> float:
    paper.line(paper.left, top, [Piece("What differs", "bold", ALERT)], 9)
    top += 18
    shown = [*problems[:_MOST], *([f"And {len(problems) - _MOST} more."] if len(problems) > _MOST else [])]
    for problem in shown:
        top = draw_rows(paper, text_rows([Piece(problem)], paper.right - paper.left, 10), paper.left, top) + 2
    return top


def _foot(paper: Paper) -> None:
    end = paper.height - 52
    paper.rule(end - 4, paper.left, paper.right)
    words = "Without the clinic key no backup opens: keep it on paper, apart from the backups. This page holds no data of a patient."
    draw_rows(paper, text_rows([Piece(words, "regular", FAINT)], paper.right - paper.left, 8), paper.left, end)
