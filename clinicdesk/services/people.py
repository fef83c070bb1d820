"""Records of people: patients in lists and in full, requests to register and change them, doctors, staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in. `role` is receptionist, doctor, administrator or patient."""

    user_id: int
    username: str
    name: str
    role: str
    doctor_id: int | None
    patient_id: str | None


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient in a list, with what tells two namesakes apart."""

    id: str
    first_name: str
    last_name: str
    born: date
    sex: str
    phone: str
    last_visit: datetime | None
    tags: tuple[str, ...]
    archived: bool
    merged_into: str = ""  #: the record this one is kept under, when it is merged
    near: bool = False  #: found by a name near what was typed, not by what was typed


@dataclass(frozen=True, slots=True)
class EmergencyContact:
    """Whom to call."""

    name: str
    relation: str
    phone: str


@dataclass(frozen=True, slots=True)
class PatientCard:
    """Identity of one patient as reception sees it. `ssn` is None when the reader may not open it."""

    id: str
    first_name: str
    last_name: str
    title: str
    born: date
    died: date | None
    sex: str
    phone: str
    email: str
    address: str
    ssn: str | None
    emergency_contact: EmergencyContact | None
    added_note: str
    about_note: str
    tags: tuple[str, ...]
    archived_at: datetime | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class PatientForm:
    """What a person types to register or change a patient; raw text, checked by `patients.register` and `patients.edit`.

    `medical_history`, `allergies` and `medication` are what the patient says at registration; reception may write but not read them
    again (they are sealed with the clinical key): None leaves them as they are.
    """

    first_name: str
    last_name: str
    born: str
    sex: str
    phone: str
    title: str = ""
    email: str = ""
    address: str = ""
    ssn: str = ""
    emergency_name: str = ""
    emergency_relation: str = ""
    emergency_phone: str = ""
    added_note: str = ""
    about_note: str = ""
    tags: tuple[str, ...] = ()
    medical_history: str | None = None
    allergies: str | None = None
    medication: str | None = None


@dataclass(frozen=True, slots=True)
class Banner:
    """What the patient banner shows (reference clinical-safety § 1.1). `allergy_title` is one of the four titles, or "" for roles
    that see no clinical data; `allergies` names them when known."""

    patient_id: str
    family_name: str
    given_name: str
    title: str
    born: date
    died: date | None
    sex: str
    allergy_title: str
    allergies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DoctorRow:
    """A doctor in a list."""

    id: int
    name: str
    specialization: str
    available: bool
    fee: Decimal
    patient_count: int


@dataclass(frozen=True, slots=True)
class DoctorCard:
    """A doctor's profile (FEATURES 3.1)."""

    id: int
    user_id: int
    name: str
    licence_number: str
    specialization: str
    qualifications: str
    experience_years: int
    fee: Decimal
    phone: str
    email: str
    address: str
    available: bool
    version: int


@dataclass(frozen=True, slots=True)
class DoctorForm:
    """What a person types into a doctor's profile; raw text, checked by the service."""

    licence_number: str
    specialization: str
    qualifications: str = ""
    experience_years: str = "0"
    fee: str = "0"
    phone: str = ""
    email: str = ""
    address: str = ""
    available: bool = True


@dataclass(frozen=True, slots=True)
class StaffRow:
    """An account in the administration list."""

    user_id: int
    username: str
    name: str
    role: str
    active: bool
    last_sign_in: datetime | None
    version: int
    second_factor: bool = False


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in session: who, where, since when, last used; `mine` marks the reader's own."""

    id: int
    username: str
    name: str
    role: str
    workstation: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    mine: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """A doctor looking after a patient, or having done so."""

    id: int
    doctor_id: int
    doctor_name: str
    patient_id: str
    patient_name: str
    note: str
    starts_on: date
    ends_on: date | None
    version: int
