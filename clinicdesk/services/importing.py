"""Storing what an import found: patients with their structured history, each whole or not at all, never twice.

A patient is known again by `import_keys`, each of her rows by `source_key`; what is there already is left as it is. Nothing is read
back that an administrator may not read: rows of the clinical record are inserted without RETURNING.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import Table, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from clinicdesk.errors import ClinicError, SignedOut, Unavailable
from clinicdesk.interchange.delimited import Refusal
from clinicdesk.interchange.imported import ImportedAllergy, ImportedEncounter, ImportedMedication, ImportedPatient
from clinicdesk.models.base import Base
from clinicdesk.models.clinical import Allergy, Medicine, Problem, Vitals
from clinicdesk.models.files import Immunization
from clinicdesk.models.people import ImportKey
from clinicdesk.models.records import Record
from clinicdesk.rules.moments import clinical_moment
from clinicdesk.services.measuring import MEASURED
from clinicdesk.services.patients import store_new
from clinicdesk.services.records import description_place
from clinicdesk.services.sealing import CLINICAL, key_of
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import seal

log = logging.getLogger(__name__)

SYSTEM = "synthea"
#: What belongs to a patient, in the order it is stored and told.
KINDS: dict[str, type[Base]] = {"allergies": Allergy, "problems": Problem, "medicines": Medicine, "vitals": Vitals, "encounters": Record,
                                "immunizations": Immunization}
_PATIENTS_FILE = "patients.csv"
_LONGEST_TITLE = 200
_NO_END = "Stopped; the source does not say when."

Transaction = Callable[[], AbstractContextManager[ClinicSession]]
Progress = Callable[[int], None]
Values = dict[str, Any]


@dataclass(slots=True)
class Tally:
    """How many were read, and what became of them: read = added + known + refused."""

    read: int = 0
    added: int = 0
    known: int = 0
    refused: int = 0


@dataclass(slots=True)
class ImportReport:
    """What an import did, or would do. `rows` counts what was readable of each kind (a vitals set is one); `refused` is every line
    not taken, with the reason."""

    dry_run: bool
    patients: Tally = field(default_factory=Tally)
    rows: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in KINDS})
    refused: list[Refusal] = field(default_factory=list)


class _TakenBackError(Exception):
    """Ends the one transaction of a dry run without keeping anything."""


def import_patients(opened: Transaction, found: Iterable[ImportedPatient | Refusal], *, dry_run: bool = False,
                    progress: Progress = lambda _done: None) -> ImportReport:
    """Store everything found, one transaction a patient, so that a bad one never stops the others and none is half-written.

    `opened` gives a writing transaction, as the owner of the tables or as an administrator. A dry run does the same in one transaction
    and takes all of it back. Raises Unavailable or SignedOut when the database goes away: what was stored until then stays, and the
    same import adds the rest later. `progress` is told after each patient how many are done.
    """
    report = ImportReport(dry_run)
    if not dry_run:
        _import(opened, found, report, progress)
        return report
    try:
        with opened() as session:

            @contextmanager
            def savepoint() -> Iterator[ClinicSession]:
                with session.attempt():
                    yield session
                session.expunge_all()

            _import(savepoint, found, report, progress)
            raise _TakenBackError
    except _TakenBackError:
        return report


def _import(transaction: Transaction, found: Iterable[ImportedPatient | Refusal], report: ImportReport, progress: Progress) -> None:
    for one in found:
        if isinstance(one, Refusal):
            report.refused.append(one)
            if one.file.startswith(_PATIENTS_FILE) and one.line > 1:
                report.patients.read += 1
                report.patients.refused += 1
            continue
        report.patients.read += 1
        try:
            with transaction() as session:
                added = _store(session, one)
        except (Unavailable, SignedOut):
            raise
        except ClinicError as refusal:
            _refuse(report, one, refusal.sentence)
        except DBAPIError as error:
            log.exception("the database refused an imported patient")
            _refuse(report, one, f"The database refused this patient ({type(error.orig).__name__}).")
        else:
            _count(report, one, *added)
        progress(report.patients.read)


def _rows_read(patient: ImportedPatient) -> dict[str, int]:
    return {"allergies": len(patient.allergies), "problems": len(patient.conditions), "medicines": len(patient.medications),
            "vitals": len(patient.vitals), "encounters": len(patient.encounters), "immunizations": len(patient.immunizations)}


def _refuse(report: ImportReport, patient: ImportedPatient, reason: str) -> None:
    report.patients.refused += 1
    for kind, number in _rows_read(patient).items():
        report.rows[kind].read += number
        report.rows[kind].refused += number
    lost = sum(_rows_read(patient).values())
    report.refused.append(Refusal(_PATIENTS_FILE, patient.line, reason + (f" Nor were her {lost} rows taken." if lost else "")))


def _count(report: ImportReport, patient: ImportedPatient, added: dict[str, int], is_new: bool) -> None:  # noqa: FBT001
    report.patients.added += is_new
    report.patients.known += not is_new
    for kind, number in _rows_read(patient).items():
        tally = report.rows[kind]
        tally.read += number
        tally.added += added[kind]
        tally.known += number - added[kind]


def _store(session: ClinicSession, patient: ImportedPatient) -> tuple[dict[str, int], bool]:
    """How many rows of each kind were added, and whether the patient was."""
    known = session.scalar(select(ImportKey.patient_id).where(ImportKey.system == SYSTEM, ImportKey.external_id == patient.source_id))
    patient_id = known or _new_patient(session, patient)
    rows = {
        "allergies": [_allergy(one) for one in patient.allergies],
        "problems": [
            {"system": "SNOMED-CT", "code": one.code, "description": one.description, "started_on": one.started_on,
             "ended_on": one.ended_on, "source_key": _key(one.code, f"{one.started_on}", one.encounter_id or one.description)}
            for one in patient.conditions
        ],
        "medicines": [_medicine(one, patient) for one in patient.medications],
        "vitals": [
            {**{name: one.values.get(name) for name in MEASURED}, "taken_at": one.measured_at,
             "source_key": _key(one.encounter_id, one.measured_at.isoformat())}
            for one in patient.vitals
        ],
        "encounters": _encounters(session, patient_id, patient.encounters),
        "immunizations": [
            {"id": uuid4(), "vaccine": one.description, "cvx": one.code, "given_on": one.given_on, "source": "reported",
             "source_key": _key(one.code, f"{one.given_on}", one.encounter_id or one.description)}
            for one in patient.immunizations
        ],
    }
    return {kind: _add(session, kind, patient_id, values) for kind, values in rows.items()}, known is None


def _new_patient(session: ClinicSession, patient: ImportedPatient) -> str:
    patient_id = store_new(session, {
        "first_name": patient.first_name, "last_name": patient.last_name, "title": patient.title, "born": patient.born,
        "died": patient.died, "sex": patient.sex, "phone": patient.phone or None, "email": "", "address": patient.address,
        "contact": None, "tags": (), "sealed": {"ssn": patient.ssn},
    })
    with session.attempt():
        session.execute(insert(ImportKey).values(system=SYSTEM, external_id=patient.source_id, patient_id=patient_id))
    return patient_id


def _add(session: ClinicSession, kind: str, patient_id: str, values: list[Values]) -> int:
    """Insert what is not there yet. No target of the conflict is named: naming one would need the right to read the rows."""
    if not values:
        return 0
    statement = insert(_table(KINDS[kind])).on_conflict_do_nothing().inline()
    rows = [{"patient_id": patient_id, **row, **_recorder(kind, session)} for row in values]
    return session.connection().execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount


def _table(model: type[Base]) -> Table:
    # The table itself, because an insert into the model would ask for the new ids.
    assert isinstance(model.__table__, Table)  # noqa: S101  every model here is one table
    return model.__table__


def _recorder(kind: str, session: ClinicSession) -> Values:
    # Nobody here measured or diagnosed what another clinic wrote; only the record says who brought it in.
    return {"created_by": session.my_id} if kind == "encounters" else {}


def _key(*parts: str) -> str:
    return ":".join((SYSTEM, *parts))


def _allergy(one: ImportedAllergy) -> Values:
    worst = next((severity for severity in ("severe", "moderate", "mild") if any(s == severity for _, s in one.reactions)), "")
    return {
        "substance": one.substance, "system": one.system, "code": one.code,
        "category": "intolerance" if one.kind == "intolerance" else "allergy",
        "reaction": ", ".join(dict.fromkeys(words for words, _ in one.reactions)), "severity": worst, "noted_on": one.recorded_on,
        "ended_on": one.ended_on, "source_key": _key(one.code, f"{one.recorded_on}", one.description),
    }


def _medicine(one: ImportedMedication, patient: ImportedPatient) -> Values:
    started = one.started_at.date()
    ended, dosage = one.stopped_at.date() if one.stopped_at else None, one.directions
    if ended is None and not one.active:  # never shown as taken now: at the latest she stopped when she died
        ended = patient.died or started
        dosage = dosage if patient.died else f"{dosage} {_NO_END}".strip()[:500]
    return {"system": "RxNorm", "code": one.code, "description": one.description, "dosage": dosage, "reason": one.reason,
            "started_on": started, "ended_on": ended,
            "source_key": _key(one.code, one.started_at.isoformat(), one.encounter_id or one.description)}


def _encounters(session: ClinicSession, patient_id: str, found: Iterable[ImportedEncounter]) -> list[Values]:
    rows: list[Values] = []
    for one in found:
        title = one.description or one.kind.capitalize() or "Encounter"
        key = _key(one.source_id)
        text = _encounter_words(session, one, title)
        rows.append({
            "kind": "encounter", "title": title if len(title) <= _LONGEST_TITLE else title[: _LONGEST_TITLE - 1] + "…",
            "happened_at": one.started_at, "source_key": key,
            "description": seal(key_of(session, patient_id, CLINICAL), text, description_place(patient_id, key)),
        })
    return rows


def _encounter_words(session: ClinicSession, one: ImportedEncounter, title: str) -> str:
    lines = {"What": title, "Kind": one.kind, "Provider": one.provider, "Reason": one.reason,
             "From": clinical_moment(one.started_at, session.zone),
             "Until": clinical_moment(one.ended_at, session.zone) if one.ended_at else ""}
    return "\n".join(f"{name}: {words}" for name, words in lines.items() if words)
