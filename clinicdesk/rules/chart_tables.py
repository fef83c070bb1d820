"""Which part of a chart a statement touches: table → category, the words the audit log uses (FEATURES 9.2: reads at category level)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: The same words as the triggers of migrations/sql/0018_audit_trail.sql; a test compares them.
CATEGORIES: Final = {
    "patients": "identity", "emergency_contacts": "identity", "photos": "identity", "patient_tags": "identity",
    "sealed_fields": "background",
    "consultations": "visits", "visits": "visits", "visit_outbox": "visits", "notes": "notes", "addenda": "notes", "drafts": "notes",
    "diagnoses": "diagnoses", "vitals": "vitals", "problems": "problems", "allergies": "allergies", "allergy_statements": "allergies",
    "medicines": "medicines", "medicine_stops": "medicines", "patient_facts": "facts", "alert_overrides": "alerts",
    "alert_firings": "alerts", "prescriptions": "prescriptions", "prescription_items": "prescriptions", "papers": "papers",
    "signatures": "papers", "voids": "papers", "records": "records", "annotations": "records", "attachments": "documents",
    "attachment_chunks": "documents", "immunizations": "immunizations", "session_log": "therapy",
}
_TABLE: Final = re.compile(r"(?:from|join)\s+clinic\.(\w+)", re.IGNORECASE)
_LISTED: Final = re.compile(r",\s*clinic\.(\w+)\s", re.IGNORECASE)
_PATIENT: Final = re.compile(r"p_[a-z0-9]{6}")


@lru_cache(maxsize=4096)
def categories_of(statement: str) -> frozenset[str]:
    """The categories of the chart that an SQL statement reads; empty when it reads none."""
    if not statement.lstrip()[:6].lower().startswith(("select", "with")):
        return frozenset()
    tables = {*_TABLE.findall(statement), *_LISTED.findall(statement)}
    return frozenset(CATEGORIES[name.lower()] for name in tables if name.lower() in CATEGORIES)


def is_patient(value: object) -> bool:
    """Whether a value is the number of a patient."""
    return isinstance(value, str) and _PATIENT.fullmatch(value) is not None
