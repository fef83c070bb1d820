"""A visit document as the document server holds it: its parts, its name, and what the collection accepts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

_WHOLE = {"bsonType": ["int", "long"]}
_SEALED = {"bsonType": "binData", "description": "sealed by the application; plain text is refused"}

#: What the collection accepts. Narrative is binary because it is ciphertext; anything else is refused by the server.
VALIDATOR: dict[str, Any] = {"$jsonSchema": {
    "bsonType": "object",
    "title": "visit document",
    "required": ["_id", "visit_id", "revision", "appointment_id", "patient_id", "doctor_id", "visit_date", "notes", "prescription",
                 "visit", "created_at"],
    "additionalProperties": False,
    "properties": {
        "_id": {"bsonType": "string", "pattern": "^[0-9a-f-]{36}:[0-9]+$"},
        "visit_id": {"bsonType": "string", "pattern": "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"},
        "revision": {**_WHOLE, "minimum": 1},
        "appointment_id": {**_WHOLE, "minimum": 1},
        "patient_id": {"bsonType": "string", "pattern": "^p_[a-z0-9]{6}$"},
        "person_id": {"bsonType": "string", "pattern": "^p_[a-z0-9]{6}$", "description": "the record a merged patient is kept under"},
        "doctor_id": {**_WHOLE, "minimum": 1},
        "visit_date": {"bsonType": "date"},
        "notes": _SEALED,
        "prescription": _SEALED,
        "visit": _SEALED,
        "created_at": {"bsonType": "date"},
    },
}}


@dataclass(frozen=True, slots=True)
class VisitDocument:
    """One revision of one completed visit. `notes`, `prescription` and `visit` are sealed bytes; times are aware.

    `patient_id` is the record it was written for and sealed with; `person_id` the one that patient is kept under now, if another.
    """

    visit_id: UUID
    revision: int
    appointment_id: int
    patient_id: str
    doctor_id: int
    visit_date: datetime
    notes: bytes
    prescription: bytes
    visit: bytes
    created_at: datetime
    person_id: str = ""

    @property
    def id(self) -> str:
        """The document's own name: delivering it twice changes nothing."""
        return document_id(self.visit_id, self.revision)


def document_id(visit_id: UUID, revision: int) -> str:
    """`_id` of a visit document."""
    return f"{visit_id}:{revision}"
