"""What an import finds: frozen records of other people's patients, already in our units and words, not yet stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class ImportedAllergy:
    """An allergy or intolerance; `reactions` are (what happened, severity in lower case or empty)."""

    code: str
    system: str
    substance: str
    description: str
    kind: str
    category: str
    criticality: str
    reactions: tuple[tuple[str, str], ...]
    recorded_on: date
    ended_on: date | None
    encounter_id: str


@dataclass(frozen=True, slots=True)
class ImportedCondition:
    """A problem or diagnosis, SNOMED CT coded; `ended_on` None while active."""

    code: str
    description: str
    started_on: date
    ended_on: date | None
    encounter_id: str


@dataclass(frozen=True, slots=True)
class ImportedImmunization:
    """A vaccination, CVX coded."""

    code: str
    description: str
    given_on: date
    encounter_id: str


@dataclass(frozen=True, slots=True)
class ImportedMedication:
    """A medicine, RxNorm coded; `dosage` as written ("" when the source has none) and `directions` the same in safe words."""

    code: str
    description: str
    started_at: datetime
    stopped_at: datetime | None
    active: bool
    dosage: str
    directions: str
    reason_code: str
    reason: str
    encounter_id: str


@dataclass(frozen=True, slots=True)
class ImportedEncounter:
    """A visit; times in UTC, `kind` is Synthea's class (ambulatory, wellness, emergency …), `provider` a name where known."""

    source_id: str
    started_at: datetime
    ended_at: datetime | None
    kind: str
    code: str
    description: str
    reason_code: str
    reason: str
    provider: str


@dataclass(frozen=True, slots=True)
class ImportedVitals:
    """Measurements of one moment of one encounter, by kind of `rules.vitals.VITALS`, in its unit and at its precision."""

    encounter_id: str
    measured_at: datetime
    values: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class ImportedPatient:
    """A whole patient. `phone` and `ssn` may be empty (the native layout has no telephone); everything else passed the rules."""

    source_id: str
    line: int
    first_name: str
    last_name: str
    title: str
    born: date
    died: date | None
    sex: str
    ssn: str
    phone: str
    address: str
    allergies: tuple[ImportedAllergy, ...]
    conditions: tuple[ImportedCondition, ...]
    medications: tuple[ImportedMedication, ...]
    encounters: tuple[ImportedEncounter, ...]
    vitals: tuple[ImportedVitals, ...]
    immunizations: tuple[ImportedImmunization, ...] = ()
