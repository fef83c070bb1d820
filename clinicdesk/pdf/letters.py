"""Visit summary, sick note and referral letter: headed sections on the signed sheet of a prescription; long dates (R15)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from clinicdesk.errors import Invalid
from clinicdesk.pdf.claims import head_of
from clinicdesk.pdf.page import ACCENT, INK, Paper, PaperName, Piece, Row, draw_letterhead, keep_numbers, space, text_rows
from clinicdesk.pdf.shaping import check_coverage
from clinicdesk.pdf.sheets import Letterhead, Prescriber, PrescriptionPatient
from clinicdesk.pdf.signed_page import ONE_AT_A_TIME, Drawn, SignedLayout, draw_patient
from clinicdesk.rules.canonical import KINDS, fields, prose
from clinicdesk.rules.canonical import Paper as Claim
from clinicdesk.rules.codes import Stamp
from clinicdesk.rules.doses import forbidden
from clinicdesk.rules.moments import long_date


@dataclass(frozen=True, slots=True)
class Section:
    """A headed paragraph. `field` is where it was typed, for refusals; `safe` words were made by the program."""

    field: str
    heading: str
    text: str
    safe: bool = False


@dataclass(frozen=True, slots=True)
class LetterSheet:
    """A whole letter. `kind` is VS, SN or RL; `issued` is aware and in the clinic's zone."""

    kind: str
    letterhead: Letterhead
    prescriber: Prescriber
    patient: PrescriptionPatient
    number: str
    issued: datetime
    sections: tuple[Section, ...]
    signer_line: str = ""


def draw(sheet: LetterSheet, page: PaperName = "A4", stamp: Stamp | None = None) -> Drawn:
    """The letter; any thread. `Invalid` names the field with a forbidden abbreviation, `ClinicError` a character the fonts lack."""
    for section in sheet.sections:
        hits = [] if section.safe else forbidden(section.text)
        if hits:
            raise Invalid(section.field, f"{section.heading}: “{hits[0].text}” is misread too easily. Write {hits[0].use}.")
    head, who, patient = sheet.letterhead, sheet.prescriber, sheet.patient
    check_coverage([("clinic name", head.name), ("clinic address", head.address), ("doctor's name", who.name),
                    ("doctor's address", who.address),
                    ("patient's name", patient.family_name), ("patient's name", patient.given_name), ("patient's address", patient.address),
                    *((f"text under {s.heading}", s.text) for s in sheet.sections)])
    with ONE_AT_A_TIME:
        return _Layout(sheet, page, stamp).drawn()


def claim_of(sheet: LetterSheet) -> Claim:
    """Its canonical form; long prose stands there by its digest."""
    about = fields(p=sheet.prescriber.name, q=sheet.prescriber.registration)
    units = [prose(section.heading, section.text) for section in sheet.sections]
    return Claim(head_of(sheet.kind, sheet.number, f"{sheet.issued:%Y-%m-%d %H:%M}", sheet.patient), ((*about, *units[0]), *units[1:]))


class _Layout(SignedLayout):
    who = "Doctor"

    def __init__(self, sheet: LetterSheet, page: PaperName, stamp: Stamp | None) -> None:
        self.sheet = sheet
        super().__init__(page, KINDS[sheet.kind][0], sheet.letterhead, sheet.prescriber, sheet.number, sheet.patient.record_id,
                         sheet.signer_line, claim_of(sheet), stamp)

    def rows_of_units(self) -> list[list[Row]]:
        s = self.s
        found = []
        for section in self.sheet.sections:
            rows = text_rows([Piece(section.heading, "bold", ACCENT)], self.width, 9.5 * s)
            rows.append(space(1.5 * s))
            rows += text_rows([Piece(keep_numbers(section.text), "regular", INK)], self.width - 30 * s, 10.5 * s) if section.text else []
            found.append([*rows, space(9 * s)])
        return found

    def closing_words(self) -> str:
        return "End of this paper"

    def head(self, paper: Paper) -> float:
        sheet, s = self.sheet, self.s
        facts = (sheet.number, f"Issued {long_date(sheet.issued.date())}")
        top = draw_letterhead(paper, sheet.letterhead, KINDS[sheet.kind][0], facts, 34 * s) + 9 * s
        who = sheet.patient
        known = [("Born", long_date(who.born)), ("Sex", who.sex), ("Record", who.record_id)]
        return draw_patient(paper, who, known, top) + 14 * s
