"""Reading a folder of Synthea CSV (plain or gzip'd, old and new column layouts) into whole patients; nothing is stored here.

The files may be of any size: patients are handed out one by one, and when the folder is larger than memory should hold, its lines are
first dealt out by patient into temporary parts. Every line that is not taken is reported with file, line and reason.
"""

from __future__ import annotations

import csv
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Final

from clinicdesk.errors import ClinicError
from clinicdesk.interchange.delimited import Refusal, TableRow, approximate_size, find, read_table
from clinicdesk.interchange.imported import (
    ImportedAllergy,
    ImportedCondition,
    ImportedEncounter,
    ImportedImmunization,
    ImportedMedication,
    ImportedPatient,
    ImportedVitals,
)
from clinicdesk.interchange.synthea_lines import VITAL_CODES, PatientLines, plain_name

__all__ = ["ImportedAllergy", "ImportedCondition", "ImportedEncounter", "ImportedImmunization",
           "ImportedMedication", "ImportedPatient", "ImportedVitals",
           "Refusal",
           "count_patients", "read_synthea"]

#: Text of the files that is worked on at once, in bytes; larger folders are dealt into parts of about this size.
PART_BYTES: Final = 128 * 1024 * 1024


_PATIENT_COLUMNS: Final = ("ID", "BIRTHDATE", "DEATHDATE", "FIRST", "LAST", "GENDER")
#: Table → columns it must have. A table that is absent is no error.
_TABLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    "encounters.csv": ("ID", "START", "PATIENT", "ENCOUNTERCLASS", "DESCRIPTION"),
    "allergies.csv": ("START", "PATIENT", "CODE", "DESCRIPTION"),
    "conditions.csv": ("START", "PATIENT", "CODE", "DESCRIPTION"),
    "medications.csv": ("START", "PATIENT", "CODE", "DESCRIPTION"),
    "immunizations.csv": ("DATE", "PATIENT", "CODE", "DESCRIPTION"),
    "observations.csv": ("DATE", "PATIENT", "CODE", "VALUE", "UNITS"),
})
def count_patients(folder: Path) -> int:
    """Lines of patients.csv below the header, for a progress bar; `ClinicError` like `read_synthea`."""
    return sum(isinstance(row, TableRow) for row in read_table(_patients_file(folder), _PATIENT_COLUMNS))


def read_synthea(folder: Path, today: date) -> Iterator[ImportedPatient | Refusal]:
    """Every patient of the folder with all that belongs to her, and every refused line, as they are found.

    `ClinicError` when the folder has no usable patients.csv. Blocking; use a worker thread or a command.
    """
    path = _patients_file(folder)
    first = next(read_table(path, _PATIENT_COLUMNS), None)
    if isinstance(first, Refusal) and first.line <= 1:
        raise ClinicError(f"{path.name} cannot be imported. {first.reason}", "Choose a folder of Synthea CSV files.")
    files = {name: found for name in _TABLES if (found := find(folder, name))}
    providers = _providers(folder)
    parts = 1 + sum(approximate_size(p) for p in (path, *files.values())) // PART_BYTES
    if parts == 1:
        patients: dict[str, list[TableRow]] = {}
        children: dict[str, dict[str, list[TableRow]]] = {}
        yield from _gather(path, files, lambda row, key: patients.setdefault(key, []).append(row),
                           lambda name, row, key: children.setdefault(key, {}).setdefault(name, []).append(row))
        yield from _people(patients, children, providers, today)
        return
    with tempfile.TemporaryDirectory(prefix="clinicdesk-synthea-") as scratch:
        deal = _Dealer(Path(scratch), parts)
        yield from _gather(path, files, lambda row, key: deal.put("patients.csv", row, key), deal.put)
        deal.close()
        for part in range(parts):
            patients, children = deal.part(part)
            yield from _people(patients, children, providers, today)


def _patients_file(folder: Path) -> Path:
    path = find(folder, "patients.csv")
    if path is None:
        raise ClinicError(f"There is no patients.csv or patients.csv.gz in “{folder.name}”.", "Choose a folder of Synthea CSV files.")
    return path


def _providers(folder: Path) -> dict[str, str]:
    path = find(folder, "providers.csv")
    if path is None:
        return {}
    return {row["ID"]: plain_name(row["NAME"]) for row in read_table(path, ("ID", "NAME")) if isinstance(row, TableRow)}


def _gather(path: Path, files: Mapping[str, Path], patient: Callable[[TableRow, str], None],
            child: Callable[[str, TableRow, str], None]) -> Iterator[Refusal]:
    for row in read_table(path, _PATIENT_COLUMNS):
        if isinstance(row, Refusal):
            yield row
        elif not row["ID"]:
            yield row.refused("The Id is missing.")
        else:
            patient(row, row["ID"])
    for name, file in files.items():
        for row in read_table(file, _TABLES[name]):
            if isinstance(row, Refusal):
                yield row
            elif name != "observations.csv" or row["CODE"] in VITAL_CODES:
                child(name, row, row["PATIENT"])


class _Dealer:
    """Lines dealt by patient into part files, so that each part fits in memory and holds whole patients."""

    def __init__(self, folder: Path, parts: int) -> None:
        self._parts = parts
        self._paths = [folder / f"{n}.csv" for n in range(parts)]
        self._files = [p.open("w", encoding="utf-8", newline="") for p in self._paths]
        self._writers = [csv.writer(f) for f in self._files]

    def put(self, name: str, row: TableRow, key: str) -> None:
        cells = [part for pair in row.values.items() for part in pair]
        self._writers[zlib.crc32(key.encode()) % self._parts].writerow([name, row.file, row.line, key, *cells])

    def close(self) -> None:
        for file in self._files:
            file.close()

    def part(self, number: int) -> tuple[dict[str, list[TableRow]], dict[str, dict[str, list[TableRow]]]]:
        patients: dict[str, list[TableRow]] = {}
        children: dict[str, dict[str, list[TableRow]]] = {}
        with self._paths[number].open(encoding="utf-8", newline="") as file:
            for name, origin, line, key, *cells in csv.reader(file):
                row = TableRow(origin, int(line), dict(zip(cells[::2], cells[1::2], strict=True)))
                if name == "patients.csv":
                    patients.setdefault(key, []).append(row)
                else:
                    children.setdefault(key, {}).setdefault(name, []).append(row)
        return patients, children


def _people(patients: Mapping[str, list[TableRow]], children: Mapping[str, dict[str, list[TableRow]]], providers: Mapping[str, str],
            today: date) -> Iterator[ImportedPatient | Refusal]:
    for source_id, rows in patients.items():
        for again in rows[1:]:
            yield again.refused(f"The patient of line {rows[0].line} has the same Id.")
        lines = PatientLines(rows[0], children.get(source_id, {}), providers, today)
        if patient := lines.read():
            yield patient
        yield from lines.refusals
    for source_id, tables in children.items():
        if source_id not in patients:
            for table in tables.values():
                yield from (row.refused("Its patient is not in patients.csv.") for row in table)
