"""The printed prescription: all legal elements on every page, safe wording, nothing truncated, no space left to add to.

Layout after reference clinical-safety § 1.4 (R21–R26: medication line) and § 1.6 (P1–P13). The same sheet gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.pdf.claims import claim_of, lower_name
from clinicdesk.pdf.copies import is_copy, mark_copy
from clinicdesk.pdf.page import (
    ACCENT,
    ALERT,
    FAINT,
    INK,
    LEADING,
    SOFT,
    Paper,
    PaperName,
    Piece,
    Row,
    draw_letterhead,
    draw_rows,
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
from clinicdesk.pdf.signed_page import ONE_AT_A_TIME, Drawn, SignedLayout, draw_patient, labelled, shifted
from clinicdesk.rules.codes import Stamp
from clinicdesk.rules.doses import fmt_number, forbidden
from clinicdesk.rules.moments import clinical_date, clinical_moment

__all__ = [
    "ALLERGY_TITLES",
    "Letterhead",
    "Prescriber",
    "PrescriptionPatient",
    "PrescriptionSheet",
    "SheetItem",
    "check_wording",
    "draw",
    "is_copy",
    "item_from",
    "mark_copy",
    "missing",
    "render",
]

#: What is said beside a medicine no check knows (reference R27).
FREE_TEXT_WORDS: Final = "Written as free text: not checked automatically."
_WORDED: Final = ("medicine", "brand", "strength", "form", "dose", "rate", "duration", "route", "frequency", "directions", "quantity",
                  "instructions", "indication", "dose_basis")
_SEPARATOR: Final = "\u00a0— "


def render(sheet: PrescriptionSheet, page: PaperName = "A4", copy: bool = False) -> bytes:  # noqa: FBT001, FBT002  the reprint flag
    """The prescription as PDF bytes; any thread. A `copy` is the original with the mark appended (`copies.mark_copy`).

    `Invalid("items")` names the item and the wording that would be misread; `ClinicError` names a character the fonts lack.
    Completeness is `missing(sheet, age_years)` and is asked before signing, not here.
    """
    original = draw(sheet, page).pdf
    return mark_copy(original) if copy else original


def draw(sheet: PrescriptionSheet, page: PaperName = "A4", stamp: Stamp | None = None) -> Drawn:
    """As `render`, with the signed codes of `stamp` on every page, and where the signature line is."""
    check_wording(sheet)
    check_coverage(_texts(sheet))
    with ONE_AT_A_TIME:
        return _Layout(sheet, page, stamp).drawn()


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


class _Layout(SignedLayout):
    def __init__(self, sheet: PrescriptionSheet, page: PaperName, stamp: Stamp | None) -> None:
        self.sheet = sheet
        super().__init__(page, "Prescription", sheet.letterhead, sheet.prescriber, sheet.issue_id, sheet.patient.record_id,
                         sheet.signer_line, claim_of(sheet), stamp)
        self.gutter = 46 * self.s

    def rows_of_units(self) -> list[list[Row]]:
        return [self._item_rows(i, item) for i, item in enumerate(self.sheet.items, 1)]

    def closing_words(self) -> str:
        return f"No more items: {len(self.sheet.items)} of {len(self.sheet.items)}"

    def head(self, paper: Paper) -> float:
        sheet, s = self.sheet, self.s
        facts = (sheet.issue_id, f"Issued {clinical_moment(sheet.issued)}")
        top = draw_letterhead(paper, sheet.letterhead, "Prescription", facts, 34 * s) + 9 * s
        who = sheet.patient
        facts_of = [("Born", f"{clinical_date(who.born)} ({who.age_text})"), ("Sex", who.sex), ("Record", who.record_id)]
        if who.weight_kg is not None:
            facts_of.append(("Weight", f"{fmt_number(who.weight_kg)} kg"))
        top = draw_patient(paper, who, facts_of, top) + 6 * s
        return self._allergies(paper, top) + 9 * s

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
                rows += labelled(label, Piece(keep_numbers(value)), width, 9 * s)
        if item.quantity:
            rows += labelled("Quantity", Piece(keep_numbers(item.quantity), "bold"), width, 9 * s)
        if item.free_text:
            rows += text_rows([Piece(FREE_TEXT_WORDS, "italic", ALERT)], width, 9 * s)
        first = rows[0]

        def with_number(paper: Paper, left: float, top: float) -> None:
            paper.line(left + 2, top + 0.9 * s, [Piece(f"{number} of {total}", "bold", ACCENT)], 9.5 * s)
            first.draw(paper, left + self.gutter, top)

        indented = [Row(first.height, with_number), *(shifted(row, self.gutter) for row in rows[1:])]
        line_height = 10.5 * s * LEADING
        if number < total:
            def divide(paper: Paper, left: float, top: float) -> None:
                paper.rule(top + line_height * 0.55, left + self.gutter, paper.right)
            return [*indented, Row(line_height * 1.1, divide)]
        return [*indented, space(line_height * 0.5)]


def _medication_line(item: SheetItem) -> Iterator[Piece]:
    """Name, brand, strength, form, dose, rate, route, frequency (R21), joined by spaced long dashes (R23)."""
    yield Piece(item.medicine if item.free_text else lower_name(item.medicine), "bold")
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
