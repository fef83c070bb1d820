"""Records of the schedule: what the calendar, the lists and the booking dialog are given and ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from clinicdesk.errors import FreePlace
from clinicdesk.rules.slots import Range

OpenRange = Range  # half-open interval in which a doctor takes appointments, in UTC


@dataclass(frozen=True, slots=True)
class DoctorColumn:
    """One doctor in a day: her name, open hours and, when closed, why."""

    doctor_id: int
    name: str
    specialization: str
    day: date
    open: tuple[OpenRange, ...]
    closed_reason: str = ""


@dataclass(frozen=True, slots=True)
class AppointmentBlock:
    """One appointment as the calendar draws it. `lane` 0 is ordinary, higher lanes are overbooks (`overbook_reason` says why)."""

    id: int
    doctor_id: int
    patient_id: str
    patient_name: str
    patient_born: date
    starts_at: datetime
    ends_at: datetime
    status: str
    lane: int
    reason: str
    overbook_reason: str
    status_since: datetime
    version: int
    series_id: int | None = None


@dataclass(frozen=True, slots=True)
class DaySchedule:
    """A day of some doctors, columns in display order; blocks of all of them ordered by start."""

    day: date
    columns: tuple[DoctorColumn, ...]
    blocks: tuple[AppointmentBlock, ...]


@dataclass(frozen=True, slots=True)
class WeekSchedule(DaySchedule):
    """Seven days from `day` (a Monday): a column for each day and doctor, day by day; `doctors` are all one may choose among, once each."""

    doctors: tuple[DoctorColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class DayLoad:
    """How full a day is: minutes open and minutes booked within them or not, appointments that hold time, and what is closed, by name."""

    day: date
    open_minutes: int
    booked_minutes: int
    appointments: int
    closures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MonthSchedule:
    """The weeks that touch a month, Monday to Sunday; `first` is the first of the month."""

    first: date
    days: tuple[DayLoad, ...]
    doctors: tuple[DoctorColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class AppointmentRow:
    """One appointment in a list (today, upcoming, past), with the names of both people."""

    id: int
    doctor_id: int
    doctor_name: str
    patient_id: str
    patient_name: str
    patient_born: date
    patient_sex: str
    starts_at: datetime
    ends_at: datetime
    status: str
    status_since: datetime
    reason: str
    cancel_reason: str
    consultation_id: int | None
    version: int


@dataclass(frozen=True, slots=True)
class AppointmentEvent:
    """One step in the history of an appointment: what happened, when, by whom."""

    at: datetime
    who: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One appointment of a series as it would be; `was` where a move comes from. `problem` says what stands against it ("" nothing);
    `blocked` when the database would refuse it, else it is only unusual; `nearest` the nearest free place then."""

    appointment_id: int
    starts_at: datetime
    ends_at: datetime
    problem: str = ""
    blocked: bool = False
    nearest: FreePlace | None = None
    was: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeskAction:
    """One thing I did: in words, and whether it stands (`state` done, undone, refused with `note`) or can be done `again`."""

    id: int
    at: datetime
    words: str
    state: str
    note: str
    again: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What taking back or doing again came to: `refused` says why nothing happened; the appointments and days concerned."""

    action_id: int
    words: str
    refused: str
    appointment_ids: tuple[int, ...]
    days: frozenset[date]


@dataclass(frozen=True, slots=True)
class NewAppointment:
    """A request to book. `lane` > 0 asks for an overbook and then needs `overbook_reason`. `key` makes a repeated request harmless."""

    doctor_id: int
    patient_id: str
    starts_at: datetime
    ends_at: datetime
    reason: str = ""
    lane: int = 0
    overbook_reason: str = ""
    key: str = ""
    series_id: int | None = None
