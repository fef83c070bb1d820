"""A drawing of a patient's chart on a page of its own: the time axis, a growth chart. Landscape, as wide as the paper."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from clinicdesk.pdf.page import FAINT, SOFT, Paper, Piece, draw_letterhead, draw_rows, text_rows
from clinicdesk.pdf.picture import draw
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.rules.names import capitals
from clinicdesk.rules.pictures import Picture

#: The picture is laid out so many px wide and shrunk to the paper.
WIDTH: Final = 1180.0
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class ChartPage:
    """What stands on the page. `patient` is family name, given name, title, date of birth in words, record number."""

    letterhead: Letterhead
    heading: str
    patient: tuple[str, str, str, str, str]
    printed: datetime
    notes: Sequence[str]
    pictures: Sequence[Picture]


def render(page: ChartPage, paper_name: str = "A4") -> bytes:
    """The page as PDF bytes; as many pages as the pictures need. Small paper would make it unreadable: A4 is used instead. Any thread."""
    with _ONE_AT_A_TIME:
        paper = Paper("Letter" if paper_name == "Letter" else "A4", page.heading, landscape=True)
        scale = (paper.right - paper.left) / WIDTH
        top = _head(paper, page)
        number = 1
        for place, picture in enumerate(page.pictures):
            if place and top + picture.height * scale > paper.height - 34:
                _foot(paper, page, number)
                paper.next_page()
                number += 1
                top = _head(paper, page)
            fit = min(scale, (paper.height - 34 - top) / picture.height)
            top = draw(paper, picture, paper.left, top, fit) + 10
        _foot(paper, page, number)
        paper.next_page()
        return paper.finished()


def _head(paper: Paper, page: ChartPage) -> float:
    top = draw_letterhead(paper, page.letterhead, page.heading, (clinical_moment(page.printed),), 26) + 6
    family, given, title, born, record = page.patient
    name = f"{capitals(family)}, {given}" + (f" ({title})" if title else "")
    rows = text_rows([Piece(name, "bold"), Piece(f"   Born {born}   Record {record}", "regular", SOFT)], paper.right - paper.left, 11)
    for note in page.notes:
        rows += text_rows([Piece(note, "regular", FAINT)], paper.right - paper.left, 8)
    return draw_rows(paper, rows, paper.left, top) + 6


def _foot(paper: Paper, page: ChartPage, number: int) -> None:
    end = paper.height - 26
    paper.rule(end - 2, paper.left, paper.right)
    words = f"{capitals(page.patient[0])}, {page.patient[1]}  ·  Born {page.patient[3]}  ·  {page.patient[4]}"
    paper.line(paper.left, end, [Piece(words, "regular", FAINT)], 8)
    paper.line(paper.right, end, [Piece(f"Page {number}  ·  {clinical_date(page.printed)}", "regular", FAINT)], 8, "right")
