"""How a patient looks in a list of hits: what tells two namesakes apart is always there."""

from __future__ import annotations

from datetime import tzinfo

from clinicdesk.rules.formats import SEXES, phone_text
from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.people import PatientRow
from ui.widgets.hits import Hit


def patient_line(row: PatientRow) -> str:
    """`García, María · 03-May-1980 · Female`."""
    return f"{row.last_name}, {row.first_name}  ·  {clinical_date(row.born)}  ·  {SEXES[row.sex]}"


def patient_hit(row: PatientRow, zone: tzinfo) -> Hit:
    """Name; birth, sex, phone, last visit; the record number at the right."""
    last = f"last visit {clinical_date(row.last_visit, zone)}" if row.last_visit else "no visit yet"
    detail = "  ·  ".join(
        part for part in (clinical_date(row.born), SEXES[row.sex], phone_text(row.phone) if row.phone else "", last) if part
    )
    name = f"{row.last_name}, {row.first_name}"
    detail = f"Spelled differently  ·  {detail}" if row.near else detail
    return Hit(row, name, detail, icon="archive" if row.archived else "patient", name=name, right=row.id, sure=not row.near)
