"""What of a sheet is signed: its canonical form, in the words that are printed."""

from __future__ import annotations

from clinicdesk.pdf.sheets import PrescriptionPatient, PrescriptionSheet, SheetItem
from clinicdesk.rules.canonical import Field, Paper, fields
from clinicdesk.rules.doses import fmt_number


def claim_of(sheet: PrescriptionSheet) -> Paper:
    """The canonical form of a prescription: who, for whom, allergies, and each item with all its printed elements."""
    who = sheet.patient
    weight = f"{fmt_number(who.weight_kg)} kg" if who.weight_kg is not None else ""
    about = fields(p=sheet.prescriber.name, q=sheet.prescriber.registration, w=weight, a=sheet.allergy_title,
                   l="; ".join(sheet.allergies), c=str(len(sheet.items)))
    items = tuple((Field("I", str(n)), *_item(item)) for n, item in enumerate(sheet.items, 1))
    if not items:
        return Paper(head_of("RX", sheet.issue_id, f"{sheet.issued:%Y-%m-%d %H:%M}", who), (about,))
    return Paper(head_of("RX", sheet.issue_id, f"{sheet.issued:%Y-%m-%d %H:%M}", who), ((*about, *items[0]), *items[1:]))


def head_of(kind: str, number: str, issued: str, who: PrescriptionPatient) -> tuple[Field, ...]:
    """The fields every code carries; all of them, also where one is empty."""
    values = fields(f=who.family_name, g=who.given_name, s=who.sex, r=who.record_id)
    known = {f.code: f.value for f in values}
    return (Field("k", kind), Field("n", number), Field("t", issued), Field("f", known.get("f", "")), Field("g", known.get("g", "")),
            Field("b", who.born.isoformat()), Field("s", known.get("s", "")), Field("r", known.get("r", "")))


def _item(item: SheetItem) -> tuple[Field, ...]:
    return fields(m=item.medicine if item.free_text else lower_name(item.medicine), B=item.brand, S=item.strength, F=item.form, d=item.dose,
                  R=item.rate, o=item.route, y=item.frequency, D=item.directions, i=item.indication, x=item.instructions, u=item.dose_basis,
                  Q=item.quantity, e="yes" if item.free_text else "")


def lower_name(name: str) -> str:
    """Generic names stand in lower case (R22); tall-man letters and initials such as the D of vitamin D stay."""
    return " ".join(word.lower() if word.istitle() and len(word) > 2 else word for word in name.split(" "))
