"""The printed prescription: all legal elements on every page, safe wording, nothing truncated, no space left to add to.

Layout after reference clinical-safety § 1.4 (R21–R26: medication line) and § 1.6 (P1–P13). The same sheet gives the same bytes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Final

from clinicdesk.errors import ClinicError, Invalid
from clinicdesk.pdf.copies import is_copy, mark_copy
from clinicdesk.pdf.page import (
    ACCENT,
    ALERT,
    FAINT,
    INK,
    LEADING,
    SOFT,
    TINT,
    Paper,
    PaperName,
    Piece,
    Row,
    draw_letterhead,
    draw_rows,
    heights,
    keep_numbers,
    space,
    text_rows,
)
from clinicdesk.pdf.shaping import check_coverage
from clinicdesk.pdf.sheets import (
    ALLERGY_TITLES,
    Letterhead,
    Prescriber,
    PrescriptionPatient,
    PrescriptionSheet,
    SheetItem,
    item_from,
    missing,
)
from clinicdesk.rules.doses import fmt_number, forbidden
from clinicdesk.rules.moments import clinical_date, clinical_moment
from clinicdesk.rules.names import capitals

__all__ = ["ALLERGY_TITLES", "Letterhead", "Prescriber", "PrescriptionPatient", "PrescriptionSheet", "SheetItem", "check_wording",
           "is_copy",
           "item_from", "mark_copy", "missing", "render"]

#: What is said beside a medicine no check knows (reference R27).
FREE_TEXT_WORDS: Final = "Written as free text: not checked automatically."
_WORDED: Final = ("medicine", "brand", "strength", "form", "dose", "rate", "duration", "route", "frequency", "directions", "quantity",
                  "instructions", "indication", "dose_basis")
_SEPARATOR: Final = "\u00a0— "
# ReportLab keeps the glyph subset of each font per document, but its font objects are shared by threads.
_ONE_AT_A_TIME: Final = threading.Lock()


def render(sheet: PrescriptionSheet, page: PaperName = "A4", copy: bool = False) -> bytes:  # noqa: FBT001, FBT002  the reprint flag
    """The prescription as PDF bytes; any thread. A `copy` is the original with the mark appended (`copies.mark_copy`).

    `Invalid("items")` names the item and the wording that would be misread; `ClinicError` names a character the fonts lack.
    Completeness is `missing(sheet, age_years)` and is asked before signing, not here.
    """
    check_wording(sheet)
    check_coverage(_texts(sheet))
    with _ONE_AT_A_TIME:
        original = _Layout(sheet, page).drawn()
    return mark_copy(original) if copy else original


def check_wording(sheet: PrescriptionSheet) -> None:
    """`Invalid("items")` for the first forbidden abbreviation or sign in any item, saying where it is and what to write."""
    if not sheet.items:
        raise Invalid("items", "A prescription needs at least one medicine.")
    if sheet.allergy_title not in ALLERGY_TITLES:
        raise Invalid("allergy_title", f"The allergy status is one of: {', '.join(ALLERGY_TITLES)}.")
    for number, item in enumerate(sheet.items, 1):
        for part in _WORDED:
            text = getattr(item, part)
            if hits := forbidden(text, ingredients=part in {"medicine", "brand", "strength"}):
                label = part.replace("_", " ")
                raise Invalid("items", f"Item {number}, {item.medicine}: “{hits[0].text}” in the {label} is misread too easily. "
                                       f"Write {hits[0].use}.")


def _texts(sheet: PrescriptionSheet) -> Iterator[tuple[str, str]]:
    head, who, patient = sheet.letterhead, sheet.prescriber, sheet.patient
    yield from (("clinic name", head.name), ("clinic address", head.address), ("clinic telephone", head.phone),
                ("clinic e-mail", head.email),
                ("clinic registration", head.registration), ("prescriber's name", who.name), ("prescriber's role", who.role),
                ("registration number", who.registration), ("prescriber's address", who.address), ("prescriber's telephone", who.phone),
                ("patient's name", patient.family_name), ("patient's name", patient.given_name), ("patient's title", patient.title),
                ("patient's address", patient.address), ("signature line", sheet.signer_line), ("issue number", sheet.issue_id))
    yield from (("allergies", allergy) for allergy in sheet.allergies)
    for number, item in enumerate(sheet.items, 1):
        yield from ((f"{part.replace('_', ' ')} of item {number}", getattr(item, part)) for part in _WORDED)


class _Layout:
    def __init__(self, sheet: PrescriptionSheet, page: PaperName) -> None:
        self.sheet = sheet
        self.paper = Paper(page, f"Prescription {sheet.issue_id}")
        self.s = self.paper.scale
        self.width = self.paper.right - self.paper.left
        self.gutter = 46 * self.s
        self.closing = 26 * self.s  # height always kept for the closed space
        self.page_tops: list[float] = []

    def drawn(self) -> bytes:
        items = [self._item_rows(i, item) for i, item in enumerate(self.sheet.items, 1)]
        top = self._head(draw=False)
        bottom = self.paper.height - self._foot_height()
        room = bottom - top - self.closing - 6 * self.s
        if room < 60:
            raise ClinicError("The addresses and allergies leave no space for medicines on this paper.", "Choose a larger paper.")
        pages = self._paginate(items, room)
        for number, rows in enumerate(pages, 1):
            self._head(draw=True)
            end = draw_rows(self.paper, rows, self.paper.left, top)
            count = len(self.sheet.items)
            last = number == len(pages)
            words = f"No more items: {count} of {count}" if last else f"Continued on page {number + 1}"
            self.paper.closed(end + 4 * self.s, bottom - 2 * self.s, words, 8.5 * self.s)
            self._foot(bottom, number, len(pages))
            self.paper.next_page()
        return self.paper.finished()

    def _paginate(self, items: Sequence[list[Row]], room: float) -> list[list[Row]]:
        pages: list[list[Row]] = [[]]
        left = room
        for rows in items:
            tall = heights(rows)
            if tall > left and pages[-1]:
                pages.append([])
                left = room
            if tall <= left:
                pages[-1] += rows
                left -= tall
                continue
            for row in rows:  # one item longer than a page: split between its lines
                if row.height > left:
                    pages.append([])
                    left = room
                pages[-1].append(row)
                left -= row.height
        return pages

    def _head(self, *, draw: bool) -> float:
        paper, sheet, s = self.paper, self.sheet, self.s
        if self.page_tops and not draw:
            return self.page_tops[0]
        facts = (sheet.issue_id, f"Issued {clinical_moment(sheet.issued)}")
        target = paper if draw else _Measured(paper)
        top = draw_letterhead(target, sheet.letterhead, "Prescription", facts, 34 * s) + 9 * s
        top = self._patient(target, top) + 6 * s
        top = self._allergies(target, top) + 9 * s
        self.page_tops = [top]
        return top

    def _patient(self, paper: Paper, top: float) -> float:
        who, s = self.sheet.patient, self.s
        pad, right_width = 9 * s, 158 * s
        left_width = self.width - right_width - 3 * pad
        title = f" ({who.title})" if who.title else ""
        left = text_rows([Piece("Patient", "bold", FAINT)], left_width, 7.5 * s)
        left += text_rows([Piece(f"{capitals(who.family_name)}, {who.given_name}", "bold"), Piece(title, "regular", SOFT)], left_width,
                          13 * s)
        left += text_rows([Piece(keep_numbers(who.address), "regular", SOFT)], left_width, 9 * s)
        facts = [("Born", f"{clinical_date(who.born)} ({who.age_text})"), ("Sex", who.sex), ("Record", who.record_id)]
        if who.weight_kg is not None:
            facts.append(("Weight", f"{fmt_number(who.weight_kg)} kg"))
        bottom = top + max(heights(left), len(facts) * 9.5 * s * LEADING) + 2 * pad - 3 * s
        paper.box(paper.left, top, paper.right, bottom, fill=TINT)
        draw_rows(paper, left, paper.left + pad, top + pad - 3 * s)
        fact_left, fact_top = paper.right - right_width - pad, top + pad - 1 * s
        for label, value in facts:
            paper.line(fact_left, fact_top, [Piece(label, "regular", FAINT)], 9.5 * s)
            paper.line(fact_left + 40 * s, fact_top, [Piece(value, "bold")], 9.5 * s)
            fact_top += 9.5 * s * LEADING
        return bottom

    def _allergies(self, paper: Paper, top: float) -> float:
        sheet, s = self.sheet, self.s
        known = sheet.allergy_title == "Known allergies"
        indent = 17 * s if known else 0.0
        pieces = [Piece(sheet.allergy_title, "bold", ALERT if known else INK)]
        if known:
            pieces += [Piece("  "), Piece("; ".join(keep_numbers(a) for a in sheet.allergies), "bold")]
        if known:
            paper.warning_sign(paper.left + 2, top + 2.2 * s, 9.5 * s)
        rows = text_rows(pieces, self.width - indent - 2, 10 * s)
        bottom = draw_rows(paper, rows, paper.left + 2 + indent, top)
        paper.rule(bottom + 4 * s, paper.left, paper.right)
        return bottom + 4 * s

    def _item_rows(self, number: int, item: SheetItem) -> list[Row]:
        s, total = self.s, len(self.sheet.items)
        width = self.width - self.gutter
        rows = text_rows(list(_medication_line(item)), width, 10.5 * s)
        rows.append(space(2 * s))
        rows += text_rows([Piece(keep_numbers(item.directions), "regular")], width, 10.5 * s)
        rows.append(space(1.5 * s))
        for label, value in (("For", item.indication), ("Instructions", item.instructions), ("Based on", item.dose_basis)):
            if value:
                rows += _labelled(label, Piece(keep_numbers(value)), width, 9 * s)
        if item.quantity:
            rows += _labelled("Quantity", Piece(keep_numbers(item.quantity), "bold"), width, 9 * s)
        if item.free_text:
            rows += text_rows([Piece(FREE_TEXT_WORDS, "italic", ALERT)], width, 9 * s)
        first = rows[0]

        def with_number(paper: Paper, left: float, top: float) -> None:
            paper.line(left + 2, top + 0.9 * s, [Piece(f"{number} of {total}", "bold", ACCENT)], 9.5 * s)
            first.draw(paper, left + self.gutter, top)

        shifted = [Row(first.height, with_number), *(_shifted(row, self.gutter) for row in rows[1:])]
        line_height = 10.5 * s * LEADING
        if number < total:
            def divide(paper: Paper, left: float, top: float) -> None:
                paper.rule(top + line_height * 0.55, left + self.gutter, paper.right)
            return [*shifted, Row(line_height * 1.1, divide)]
        return [*shifted, space(line_height * 0.5)]

    def _foot_height(self) -> float:
        return heights(self._prescriber_rows()) + 48 * self.s

    def _prescriber_rows(self) -> list[Row]:
        who, head, s = self.sheet.prescriber, self.sheet.letterhead, self.s
        width = self.width * 0.5
        rows = text_rows([Piece("Prescriber", "bold", FAINT)], width, 7.5 * s)
        rows += text_rows([Piece(who.name, "bold")], width, 11 * s)
        rows += text_rows([Piece(who.role), Piece(f"  ·  Registration {who.registration}" if who.registration else "")], width, 9 * s)
        for text in (who.address or head.address, who.phone or head.phone):
            if text:
                rows += text_rows([Piece(keep_numbers(text), "regular", SOFT)], width, 9 * s)
        return rows

    def _foot(self, top: float, number: int, total: int) -> None:
        paper, sheet, s = self.paper, self.sheet, self.s
        rows = self._prescriber_rows()
        start = top + 9 * s
        draw_rows(paper, rows, paper.left, start)
        line_left, line_top = paper.left + self.width * 0.56, start + max(34 * s, heights(rows) - 26 * s)
        paper.rule(line_top, line_left, paper.right, INK, 0.8)
        paper.line(line_left, line_top + 1 * s, [Piece("Signature", "bold", FAINT)], 7.5 * s)
        if sheet.signer_line:
            draw_rows(paper, text_rows([Piece(sheet.signer_line, "regular", SOFT)], paper.right - line_left, 7.5 * s), line_left,
                      line_top + 11 * s)
        end = paper.height - 27 * s
        paper.rule(end - 2 * s, paper.left, paper.right)
        paper.line(paper.left, end, [Piece(f"{sheet.issue_id}  ·  {sheet.patient.record_id}", "regular", FAINT)], 8 * s)
        paper.line(paper.right, end, [Piece(f"Page {number} of {total}", "bold", SOFT)], 8 * s, "right")


class _Measured(Paper):
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


def _shifted(row: Row, by: float) -> Row:
    return Row(row.height, lambda paper, left, top: row.draw(paper, left + by, top))


def _labelled(label: str, value: Piece, width: float, size: float) -> list[Row]:
    """A faint label and, in its own column, the value over as many lines as it needs."""
    column = size * 6.6
    rows = text_rows([value], width - column, size)
    first = rows[0]

    def draw(paper: Paper, left: float, top: float) -> None:
        paper.line(left, top, [Piece(label, "regular", FAINT)], size)
        first.draw(paper, left + column, top)
    return [Row(first.height, draw), *(_shifted(row, column) for row in rows[1:])]


def _medication_line(item: SheetItem) -> Iterator[Piece]:
    """Name, brand, strength, form, dose, rate, route, frequency (R21), joined by spaced long dashes (R23)."""
    yield Piece(item.medicine if item.free_text else _lower_name(item.medicine), "bold")
    for text in (item.brand, item.strength, item.form):
        if text:
            yield Piece(_SEPARATOR, "regular", FAINT)
            yield Piece(keep_numbers(text))
    if item.dose:
        yield Piece(_SEPARATOR, "regular", FAINT)
        yield Piece("DOSE\u00a0", "regular", SOFT)
        yield Piece(item.dose.replace(" ", "\u00a0"), "bold")
    for text in (item.rate, item.route, item.frequency):
        if text:
            yield Piece(_SEPARATOR, "regular", FAINT)
            yield Piece(keep_numbers(text))


def _lower_name(name: str) -> str:
    """Generic names stand in lower case (R22); tall-man letters and initials such as the D of vitamin D stay."""
    return " ".join(word.lower() if word.istitle() and len(word) > 2 else word for word in name.split(" "))
