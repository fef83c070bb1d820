"""The printed day: for each doctor a table of appointments with room to write, on A4 upright, every page with clinic, day and number."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from clinicdesk.pdf.page import (
    ACCENT,
    FAINT,
    INK,
    SOFT,
    TINT,
    Paper,
    Piece,
    Row,
    draw_letterhead,
    heights,
    keep_numbers,
    text_rows,
)
from clinicdesk.pdf.shaping import Style, check_coverage, text_width
from clinicdesk.pdf.sheets import Letterhead
from clinicdesk.rules.moments import clinical_date, clinical_moment

#: Heading of each column, and its share of what is left when the columns that never wrap (share 0) have what they need.
COLUMNS: Final = (("Time", 0.0), ("Patient", 0.34), ("Born", 0.0), ("Phone", 0.0), ("Reason", 0.32), ("Status", 0.0), ("Remarks", 0.34))
_SIZE, _HEADING, _GAP, _PAD, _MARGIN = 8.5, 7.5, 8.0, 3.5, 36.0
# ReportLab's font objects are shared by threads.
_ONE_AT_A_TIME: Final = threading.Lock()


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One appointment; `times` and `phone` as they are printed, `overbooked` why it stands on top of another."""

    times: str
    patient: str
    born: date
    phone: str
    reason: str
    status: str
    overbooked: str = ""


@dataclass(frozen=True, slots=True)
class DoctorSheet:
    """One doctor's day; `hours` in words, `closed` why she is away."""

    name: str
    specialization: str
    hours: str
    closed: str
    lines: tuple[SheetLine, ...]


@dataclass(frozen=True, slots=True)
class DaySheet:
    """A day of some doctors; `made` is aware and in the clinic's zone."""

    letterhead: Letterhead
    day: date
    made: datetime
    doctors: tuple[DoctorSheet, ...]


def render(sheet: DaySheet) -> bytes:
    """The day sheet as PDF bytes; any thread. `ClinicError` names a character the fonts lack."""
    check_coverage(_texts(sheet))
    with _ONE_AT_A_TIME:
        return _Layout(sheet).drawn()


def _texts(sheet: DaySheet) -> Iterator[tuple[str, str]]:
    head = sheet.letterhead
    yield from (("clinic name", head.name), ("clinic address", head.address), ("clinic telephone", head.phone))
    yield "clinic e-mail", head.email
    for doctor in sheet.doctors:
        yield from (("doctor's name", doctor.name), ("specialization", doctor.specialization), ("reason of a closure", doctor.closed))
        for line in doctor.lines:
            yield from (("patient's name", line.patient), ("reason of an appointment", line.reason), ("overbook reason", line.overbooked))


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows that stay together; `keep` also with the part that follows."""

    rows: list[Row]
    keep: bool = False
    doctor: int = -1

    @property
    def height(self) -> float:
        return heights(self.rows)


class _Layout:
    def __init__(self, sheet: DaySheet) -> None:
        self.sheet = sheet
        self.paper = Paper("A4", f"Day sheet {clinical_date(sheet.day)}")
        self.paper.left, self.paper.right = _MARGIN, self.paper.width - _MARGIN
        lines = [line for doctor in sheet.doctors for line in doctor.lines]
        needs = [max((text_width(text, style, _SIZE) for line in lines for text, style in [_cells(line)[number]]), default=0.0)
                 for number in range(len(COLUMNS))]
        needs = [max(need, text_width(title, "bold", _HEADING)) for need, (title, _share) in zip(needs, COLUMNS, strict=True)]
        fixed = sum(need + _GAP for need, (_title, share) in zip(needs, COLUMNS, strict=True) if not share)
        rest = self.paper.right - self.paper.left - fixed
        self.places: list[tuple[float, float]] = []
        x = 0.0
        for need, (_title, share) in zip(needs, COLUMNS, strict=True):
            width = rest * share if share else need + _GAP
            self.places.append((x, width - _GAP + 0.01))
            x += width

    def drawn(self) -> bytes:
        """Pages first, because every page says how many there are."""
        begin = self._head()  # on the first page; how tall it is decides how much fits on all of them
        pages = self._pages(self.paper.height - 52 - begin)
        for number, parts in enumerate(pages, 1):
            top = begin if number == 1 else self._head()
            for part in parts:
                for row in part.rows:
                    row.draw(self.paper, self.paper.left, top)
                    top += row.height
            self._foot(number, len(pages))
            self.paper.next_page()
        return self.paper.finished()

    def _pages(self, room: float) -> list[list[_Part]]:
        pages: list[list[_Part]] = [[]]
        left = room
        for number, doctor in enumerate(self.sheet.doctors):
            parts = self._doctor(doctor, number)
            for index, part in enumerate(parts):
                need = part.height + (sum(p.height for p in parts[index + 1:index + 3]) if part.keep else 0.0)
                if need > left and pages[-1]:
                    pages.append([])
                    left = room
                    if not part.keep and part.doctor == number:
                        again = self._title(doctor, more=True) + self._headings()
                        pages[-1].append(_Part(again))
                        left -= heights(again)
                pages[-1].append(part)
                left -= part.height
        return pages

    def _doctor(self, doctor: DoctorSheet, number: int) -> list[_Part]:
        parts = [_Part(self._title(doctor, more=False), keep=True, doctor=number)]
        if not doctor.lines:
            words = f"Closed: {doctor.closed}" if doctor.closed else "No appointments."
            rows = text_rows([Piece(words, "regular", SOFT)], self.paper.right - self.paper.left, 9.5)
            return [*parts, _Part([*rows, Row(12, _nothing)], doctor=number)]
        parts.append(_Part(self._headings(), keep=True, doctor=number))
        parts += [_Part([self._line(line, shaded=n % 2 == 1)], doctor=number) for n, line in enumerate(doctor.lines)]
        return [*parts, _Part([Row(14, _nothing)], doctor=number)]

    def _title(self, doctor: DoctorSheet, *, more: bool) -> list[Row]:
        count = len(doctor.lines)
        facts = [doctor.specialization, doctor.hours or ("" if doctor.closed else "no hours"), "" if not count else f"{count} booked",
                 f"closed: {doctor.closed}" if doctor.closed and count else ""]
        pieces = [Piece(doctor.name, "bold", ACCENT), Piece("  ")]
        pieces.append(Piece("continued" if more else "  ·  ".join(f for f in facts if f), "regular", SOFT))
        return [Row(6, _nothing), *text_rows(pieces, self.paper.right - self.paper.left, 11), Row(3, _nothing)]

    def _headings(self) -> list[Row]:
        def draw(paper: Paper, left: float, top: float) -> None:
            for (title, _share), (x, _width) in zip(COLUMNS, self.places, strict=True):
                paper.line(left + x, top, [Piece(title, "bold", FAINT)], _HEADING)
            paper.rule(top + 12, left, paper.right, INK, 0.8)
        return [Row(14, draw)]

    def _line(self, line: SheetLine, *, shaded: bool) -> Row:
        colours = (INK, INK, INK, INK, INK, SOFT, SOFT)
        texts = [Piece(text, style, colour) for (text, style), colour in zip(_cells(line), colours, strict=True)]
        cells = [text_rows([text], width, _SIZE) if text.text else [] for text, (_x, width) in zip(texts, self.places, strict=True)]
        tall = max(heights(cell) for cell in cells) + 2 * _PAD

        def draw(paper: Paper, left: float, top: float) -> None:
            if shaded:
                paper.box(left - 4, top, paper.right + 4, top + tall, fill=TINT, radius=2)
            for cell, (x, _width) in zip(cells, self.places, strict=True):
                at = top + _PAD
                for row in cell:
                    row.draw(paper, left + x, at)
                    at += row.height
            paper.rule(top + tall, left, paper.right)
        return Row(tall, draw)

    def _head(self) -> float:
        sheet = self.sheet
        count = sum(len(d.lines) for d in sheet.doctors)
        facts = (clinical_date(sheet.day, weekday=True), "1 appointment" if count == 1 else f"{count} appointments")
        return draw_letterhead(self.paper, sheet.letterhead, "Day sheet", facts, 34) + 4

    def _foot(self, number: int, total: int) -> None:
        paper = self.paper
        end = paper.height - 40
        paper.rule(end - 3, paper.left, paper.right)
        words = f"{clinical_date(self.sheet.day, weekday=True)}  ·  as of {clinical_moment(self.sheet.made)}"
        paper.line(paper.left, end, [Piece(words, "regular", FAINT)], 8)
        paper.line(paper.right, end, [Piece(f"Page {number} of {total}", "bold", SOFT)], 8, "right")


def _cells(line: SheetLine) -> tuple[tuple[str, Style], ...]:
    """The texts of a line, column by column; what must not break has no breaking space."""
    return ((line.times, "bold"), (line.patient, "bold"), (clinical_date(line.born), "regular"),
            (line.phone.replace(" ", "\u00a0"), "regular"), (keep_numbers(line.reason), "regular"),
            (line.status.replace(" ", "\u00a0"), "regular"), (f"On top: {line.overbooked}" if line.overbooked else "", "italic"))


def _nothing(_paper: Paper, _left: float, _top: float) -> None:
    return
