"""The lines of one Synthea patient, checked by the clinic's own rules and put together; every line not taken gives a reason.

Known traps of these files: names with digits at the end, unrounded values, pressure without a unit, no dosage, no telephone, events
before birth and after death, the same line twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from types import MappingProxyType
from typing import Final, TypeVar

from clinicdesk.errors import Invalid
from clinicdesk.interchange.delimited import Refusal, TableRow
from clinicdesk.interchange.imported import (
    ImportedAllergy,
    ImportedCondition,
    ImportedEncounter,
    ImportedImmunization,
    ImportedMedication,
    ImportedPatient,
    ImportedVitals,
)
from clinicdesk.rules.formats import PATIENT_LIMITS, check_name, check_phone, check_sex, check_ssn
from clinicdesk.rules.moments import EARLIEST_BIRTH, clinical_date
from clinicdesk.rules.texts import tidy
from clinicdesk.rules.vitals import GLUCOSE_MG_PER_DL, VITALS, check_pressure, check_vital

#: LOINC → vital. Body mass index (39156-5) is left out: it is always computed.
VITAL_CODES: Final = MappingProxyType({
    "8302-2": "height", "29463-7": "weight", "8480-6": "systolic", "8462-4": "diastolic", "8310-5": "temperature",
    "8331-1": "temperature",
    "8867-4": "pulse", "9279-1": "respiration", "59408-5": "spo2", "2708-6": "spo2", "72514-3": "pain", "9843-4": "head_circumference",
    "2339-0": "glucose", "15074-8": "glucose", "9269-2": "gcs"})
#: (vital, UCUM unit of the source) → factor and offset to our unit. An empty unit means ours: old exports leave it out for pressure.
_UNITS: Final[Mapping[tuple[str, str], tuple[Decimal, Decimal]]] = MappingProxyType({
    ("temperature", "[degf]"): (Decimal(5) / 9, Decimal(-160) / 9), ("height", "[in_i]"): (Decimal("2.54"), Decimal(0)),
    ("height", "m"): (Decimal(100), Decimal(0)), ("weight", "[lb_av]"): (Decimal("0.45359237"), Decimal(0)),
    ("weight", "g"): (Decimal("0.001"), Decimal(0)), ("glucose", "mg/dl"): (1 / GLUCOSE_MG_PER_DL, Decimal(0)),
    ("head_circumference", "[in_i]"): (Decimal("2.54"), Decimal(0))})

_Record = TypeVar("_Record")
_HOUR_WORDS: Final = MappingProxyType({"h": "hour", "d": "day", "wk": "week", "mo": "month"})
_TIMES: Final = MappingProxyType({1: "once", 2: "twice", 3: "three times", 4: "four times", 5: "five times", 6: "six times"})


#: Longest texts of the chart, in characters; the database has the same numbers.
_LONGEST: Final = MappingProxyType({"allergies": 200, "conditions": 300, "medications": 300, "dosage": 500, "reason": 300,
                                            "reactions": 300, "immunizations": 200})


class _BadLineError(Exception):
    """A line that breaks a rule; its text is the reason."""


def plain_name(text: str) -> str:
    """A name without the digits Synthea puts after each word: `María46 del Carmen12` → `María del Carmen`."""
    return " ".join(re.sub(r"(?<=\D)\d+$", "", word) for word in tidy(text).split())


class PatientLines:
    """One patient being put together with `read`; what was refused on the way stands in `refusals`."""

    def __init__(self, row: TableRow, tables: Mapping[str, list[TableRow]], providers: Mapping[str, str], today: date) -> None:
        """`row` is the line of patients.csv, `tables` the patient's lines of the other files by name."""
        self.refusals: list[Refusal] = []
        self._row, self._tables, self._providers, self._today = row, tables, providers, today
        self._born, self._died = today, today
        self._encounters: frozenset[str] = frozenset()

    def read(self) -> ImportedPatient | None:
        """The whole patient, or None when her own line breaks a rule; then all her lines are refused."""
        try:
            return self._read()
        except (_BadLineError, Invalid) as problem:
            self.refusals = [self._row.refused(str(problem))]
            self.refusals += [row.refused("Its patient was refused.") for table in self._tables.values() for row in table]
            return None

    def _read(self) -> ImportedPatient:
        row = self._row
        born = self._born = _day(row["BIRTHDATE"], "birth date")
        died = _day(row["DEATHDATE"], "date of death") if row["DEATHDATE"] else None
        self._died = died or self._today
        if not EARLIEST_BIRTH <= born <= self._today:
            raise _BadLineError(f"The birth date {clinical_date(born)} is in the future or before {EARLIEST_BIRTH.year}.")
        if died is not None and not born <= died <= self._today:
            raise _BadLineError(f"The date of death {clinical_date(died)} is before the birth or in the future.")
        place = " ".join(part for part in (row["STATE"], row["ZIP"]) if part)
        address = ", ".join(tidy(part) for part in (row["ADDRESS"], row["CITY"], place) if part)
        if len(address) > PATIENT_LIMITS["address"]:
            raise _BadLineError(f"The address has more than {PATIENT_LIMITS['address']} characters.")
        first, last = check_name(plain_name(row["FIRST"]), "first_name"), check_name(plain_name(row["LAST"]), "last_name")
        sex = check_sex(row["GENDER"])
        ssn, phone = check_ssn(row["SSN"]) if row["SSN"] else "", check_phone(row["PHONE"]) if row["PHONE"] else ""
        encounters = self._each("encounters.csv", self._encounter, ("ID",))
        self._encounters = frozenset(encounter.source_id for encounter in encounters)
        return ImportedPatient(
            source_id=row["ID"], line=row.line, first_name=first, last_name=last, title=tidy(row["PREFIX"]).rstrip("."), born=born,
            died=died,
            sex=sex, ssn=ssn, phone=phone, address=address, encounters=encounters, vitals=self._vitals(),
            allergies=self._each("allergies.csv", self._allergy, ("CODE", "DESCRIPTION", "START")),
            conditions=self._each("conditions.csv", self._condition, ("CODE", "START", "ENCOUNTER")),
            medications=self._each("medications.csv", self._medication, ("CODE", "START", "ENCOUNTER")),
            immunizations=self._each("immunizations.csv", self._immunization, ("CODE", "DATE", "ENCOUNTER")))

    def _each(self, name: str, make: Callable[[TableRow], _Record], key: tuple[str, ...]) -> tuple[_Record, ...]:
        made: list[_Record] = []
        seen: dict[tuple[str, ...], int] = {}
        for row in self._tables.get(name, ()):
            identity = tuple(row[column] for column in key)
            if identity in seen:
                self.refusals.append(row.refused(f"Line {seen[identity]} says the same."))
                continue
            try:
                made.append(make(row))
                seen[identity] = row.line
            except (_BadLineError, Invalid) as problem:
                self.refusals.append(row.refused(str(problem)))
        return tuple(made)

    def _in_life(self, day: date) -> None:
        if day < self._born:
            raise _BadLineError(f"It is dated {clinical_date(day)}, before the birth on {clinical_date(self._born)}.")
        if day > self._died:
            what = "the death" if self._row["DEATHDATE"] else "today"
            raise _BadLineError(f"It is dated {clinical_date(day)}, after {what}, {clinical_date(self._died)}.")

    def _period(self, row: TableRow) -> tuple[date, date | None]:
        start = _day(row["START"], "start")
        self._in_life(start)
        stop = _day(row["STOP"], "end") if row["STOP"] else None
        if stop is not None and stop < start:
            raise _BadLineError("It ends before it starts.")
        return start, stop

    def _known_encounter(self, row: TableRow) -> str:
        return row["ENCOUNTER"] if row["ENCOUNTER"] in self._encounters else ""

    def _encounter(self, row: TableRow) -> ImportedEncounter:
        if not row["ID"]:
            raise _BadLineError("The Id is missing.")
        start = _moment(row["START"], "start")
        self._in_life(start.date())
        stop = _moment(row["STOP"], "end") if row["STOP"] else None
        if stop is not None and stop < start:
            raise _BadLineError("It ends before it starts.")
        return ImportedEncounter(row["ID"], start, stop, row["ENCOUNTERCLASS"], row["CODE"], tidy(row["DESCRIPTION"]), row["REASONCODE"],
                                 tidy(row["REASONDESCRIPTION"]), self._providers.get(row["PROVIDER"], ""))

    def _allergy(self, row: TableRow) -> ImportedAllergy:
        start, stop = self._period(row)
        description = _described(row, _LONGEST["allergies"])
        reactions = tuple((tidy(re.sub(r"\s*\((?:finding|disorder)\)$", "", row[f"DESCRIPTION{n}"])), row[f"SEVERITY{n}"].lower())
                          for n in (1, 2) if row[f"DESCRIPTION{n}"])
        if sum(len(words) + 2 for words, _ in reactions) > _LONGEST["reactions"]:
            raise _BadLineError(f"The reactions have more than {_LONGEST['reactions']} characters.")
        substance = re.sub(r"\s*\((?:substance|organism|edible|finding|disorder)\)", "", description)
        substance = re.sub(r"^Allergy to\s+|\s+allergy$", "", substance, flags=re.IGNORECASE)
        return ImportedAllergy(row["CODE"], row["SYSTEM"], substance, description, row["TYPE"].lower() or "allergy",
                               row["CATEGORY"].lower(),
                               row["CRITICALITY"].lower(), reactions, start, stop, self._known_encounter(row))

    def _condition(self, row: TableRow) -> ImportedCondition:
        start, stop = self._period(row)
        return ImportedCondition(row["CODE"], _described(row, _LONGEST["conditions"]), start, stop, self._known_encounter(row))

    def _immunization(self, row: TableRow) -> ImportedImmunization:
        given = _moment(row["DATE"], "date").date()
        self._in_life(given)
        if not re.fullmatch(r"\d{0,4}", row["CODE"]):
            raise _BadLineError(f"“{row['CODE'][:20]}” is no CVX code.")
        return ImportedImmunization(row["CODE"], _described(row, _LONGEST["immunizations"]), given, self._known_encounter(row))

    def _medication(self, row: TableRow) -> ImportedMedication:
        start = _moment(row["START"], "start")
        self._in_life(start.date())
        stop = _moment(row["STOP"], "end") if row["STOP"] else None
        if stop is not None and stop < start:
            raise _BadLineError("It ends before it starts.")
        directions, reason = dosage_words(row["DOSAGE"]), tidy(row["REASONDESCRIPTION"])
        if len(directions) > _LONGEST["dosage"] or len(reason) > _LONGEST["reason"]:
            raise _BadLineError(f"The dosage has more than {_LONGEST['dosage']} characters or the reason more than {_LONGEST['reason']}.")
        active = row["STATUS"].lower() == "active" if row["STATUS"] else stop is None
        active = active and not self._row["DEATHDATE"]
        return ImportedMedication(row["CODE"], _described(row, _LONGEST["medications"]), start, stop, active, row["DOSAGE"], directions,
                                  row["REASONCODE"], reason, self._known_encounter(row))

    def _vitals(self) -> tuple[ImportedVitals, ...]:
        sets: dict[tuple[str, datetime], dict[str, tuple[Decimal, TableRow]]] = {}
        for row in self._tables.get("observations.csv", ()):
            try:
                at = _moment(row["DATE"], "date")
                self._in_life(at.date())
                kind = VITAL_CODES[row["CODE"]]
                value = _measured(kind, row)
            except _BadLineError as problem:
                self.refusals.append(row.refused(str(problem)))
                continue
            values = sets.setdefault((self._known_encounter(row), at), {})
            if kind in values:
                self.refusals.append(row.refused(f"Line {values[kind][1].line} gives the same measurement."))
            else:
                values[kind] = (value, row)
        for values in sets.values():
            if {"systolic", "diastolic"} <= values.keys():
                verdict = check_pressure(values["systolic"][0], values["diastolic"][0])
                if verdict.level == "hard":
                    self.refusals += [values.pop(kind)[1].refused(verdict.sentence) for kind in ("systolic", "diastolic")]
            for kind in {"systolic", "diastolic"} & values.keys() if len({"systolic", "diastolic"} & values.keys()) == 1 else ():
                self.refusals.append(values.pop(kind)[1].refused("Blood pressure needs both values of one moment."))
        return tuple(ImportedVitals(encounter, at, MappingProxyType({kind: value for kind, (value, _) in values.items()}))
                     for (encounter, at), values in sorted(sets.items(), key=lambda item: (item[0][1], item[0][0])) if values)


def dosage_words(dosage: str) -> str:
    """Synthea's `1 2x per 1 d Take at …` in full words, `Take 1 dose twice a day. Take at ….`; empty when there is none.

    What follows another pattern gives its own text, unchanged.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) (\d+)x per (\d+) (h|d|wk|mo)(?: (.*))?", dosage)
    if not match:
        return dosage[:1].upper() + dosage[1:] + ("." if dosage and dosage[-1].isalnum() else "")
    amount, times, period, unit, rest = match.groups()
    unit_word = _HOUR_WORDS[unit]
    doses = f"{amount} dose" if amount == "1" else f"{amount} doses"
    often = _TIMES.get(int(times), f"{times} times")
    if period == "1":
        when = f"{often} a day" if unit == "d" else f"{often} every {unit_word}"
    else:
        when = f"every {period} {unit_word}s" if times == "1" else f"{often} every {period} {unit_word}s"
    return f"Take {doses} {when}." + (f" {rest}" if rest else "")


def _described(row: TableRow, longest: int) -> str:
    description = tidy(row["DESCRIPTION"])
    if not description:
        raise _BadLineError("The description is missing.")
    if len(description) > longest:
        raise _BadLineError(f"The description has {len(description)} characters; {longest} are allowed.")
    return description


def _measured(kind: str, row: TableRow) -> Decimal:
    """The value in our unit at our precision; a missing unit is taken as ours (old exports leave it out for blood pressure)."""
    vital = VITALS[kind]
    try:
        value = Decimal(row["VALUE"])
    except InvalidOperation:
        raise _BadLineError(f"{vital.label} “{row['VALUE'][:40]}” is not a number.") from None
    if not value.is_finite():
        raise _BadLineError(f"{vital.label} “{row['VALUE'][:40]}” is not a number.")
    unit = row["UNITS"]
    if unit and unit.lower() != vital.ucum.lower():
        if (kind, unit.lower()) not in _UNITS:
            raise _BadLineError(f"{vital.label} is in “{unit[:20]}”, expected {vital.unit}.")
        factor, offset = _UNITS[kind, unit.lower()]
        value = value * factor + offset
    value = value.quantize(vital.step, ROUND_HALF_UP) if abs(value) < 1_000_000 else value
    if check_vital(kind, value, None).level == "hard":
        raise _BadLineError(f"{vital.label} of {value} {vital.unit} is not possible.")
    return value


def _day(text: str, what: str) -> date:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise _BadLineError(f"The {what} “{text[:40]}” is not a date (YYYY-MM-DD).") from None


def _moment(text: str, what: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _BadLineError(f"The {what} “{text[:40]}” is not a time (YYYY-MM-DDTHH:MM:SSZ).") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
