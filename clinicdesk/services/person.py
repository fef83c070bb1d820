"""One person may have several records (docs/decisions/0005-merge.md): whoever reads by patient asks for all of them.

`select(Visit).where(of_person(Visit.patient_id, patient_id))` instead of `Visit.patient_id == patient_id`; tests/test_of_person.py
finds the services that forget.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, Text, any_, func, or_, select

from clinicdesk.models.register import Alias
from clinicdesk.storage.database import ClinicSession


def of_person(column: Any, patient_id: Any) -> ColumnElement[bool]:
    """Whether a row belongs to the person of this record, whichever of her records it was made under."""
    return column == any_(func.clinic.person_ids(patient_id, type_=ARRAY(Text)))  # type: ignore[no-any-return]


def records_of(column: Any, person_ids: Sequence[str]) -> ColumnElement[bool]:
    """Whether a row belongs to one of several people, each named by the record she is kept under."""
    merged = select(Alias.patient_id).where(Alias.person_id.in_(person_ids))
    return or_(column.in_(person_ids), column.in_(merged))


def ids_of(session: ClinicSession, patient_id: str) -> list[str]:
    """All records of the person, the kept one first."""
    return list(session.scalar(select(func.clinic.person_ids(patient_id, type_=ARRAY(Text)))) or [patient_id])


def kept(session: ClinicSession, patient_id: str) -> str:
    """The record the person is kept under."""
    return str(session.scalar(select(func.clinic.person_of(patient_id))) or patient_id)
