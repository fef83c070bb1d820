"""A clinic for each test: a copy of a migrated template with staff on the run's real servers. Imported by tests/conftest.py."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pymongo
import pytest
from pymongo.errors import PyMongoError

from clinicdesk.clinic import Clinic, SignedIn
from clinicdesk.config import Settings, load_settings
from clinicdesk.rules.slots import WorkingHours
from clinicdesk.services import accounts, appointments, availability, doctors, patients, settings
from clinicdesk.services.people import DoctorForm, PatientForm
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.database import ClinicSession
from clinicdesk.storage.vault import Vault

PASSWORD = "a quiet morning 7"
KEY = bytes(range(32))
STAFF = (("ada", "Ada Admin", "administrator"), ("rita", "Rita Reception", "receptionist"), ("sam", "Sam Second", "receptionist"),
         ("dora", "Dr Dora Kim", "doctor"), ("hugo", "Dr Hugo Blanc", "doctor"))
ZONE = "Europe/Berlin"


@dataclass
class Practice:
    """A clinic with staff. `as_` gives a transaction of somebody; doctors' ids by user name."""

    clinic: Clinic
    doctors: dict[str, int]
    signed_in: dict[str, SignedIn] = field(default_factory=dict)
    numbers: int = 0

    def token(self, username: str) -> str:
        if username not in self.signed_in:
            self.signed_in[username] = self.clinic.sign_in(username, PASSWORD, "test desk")
        return self.signed_in[username].token

    def read(self, username: str) -> AbstractContextManager[ClinicSession]:
        return self.clinic.read(self.token(username))

    def write(self, username: str) -> AbstractContextManager[ClinicSession]:
        return self.clinic.write(self.token(username))

    def patient(self, **changes: object) -> str:
        """Register somebody with a phone of her own."""
        self.numbers += 1
        form = PatientForm(first_name="Maria", last_name=f"Example{self.numbers}", born="1980-05-03", sex="F",
                           phone=f"+49170{self.numbers:07d}", address="4 Test Road, Berlin")
        with self.write("rita") as session:
            return patients.register(session, replace(form, **changes))  # type: ignore[arg-type]

    def at(self, hour: int, minute: int = 0, day: int = 1) -> datetime:
        """A moment of a day counted from today, in the clinic's zone."""
        today = datetime.now(self.clinic.zone).date()
        return datetime.combine(today + timedelta(days=day), time(hour, minute), tzinfo=self.clinic.zone)

    def book(self, patient_id: str, start: datetime, doctor: str = "dora", minutes: int = 20, **more: object) -> int:
        with self.write("rita") as session:
            return appointments.book(session, NewAppointment(self.doctors[doctor], patient_id, start, start + timedelta(minutes=minutes),
                                                             **more))  # type: ignore[arg-type]

    def step(self, appointment_id: int, to: str, who: str = "rita", reason: str = "") -> None:
        with self.write(who) as session:
            appointments.step(session, appointment_id, to, appointments.one(session, appointment_id).version, reason)


def test_settings(folder: Path, **more: object) -> Settings:
    """Settings of a folder with a collection of its own."""
    return load_settings(data_dir=folder, zone=ZONE, mongodb_collection_name=f"visits_{uuid.uuid4().hex[:12]}", **more)


test_settings.__test__ = False  # type: ignore[attr-defined]


def fill_template(clinic: Clinic) -> dict[str, int]:
    """Staff, two doctors with hours every day from 8 to 17, and the clinic's letterhead."""
    found = {}
    with clinic.as_owner() as session:
        accounts.found_clinic(session, "", ZONE)
        for username, name, role in STAFF:
            user_id = accounts.insert_account(session, username, name, role, PASSWORD)
            if role == "doctor":
                found[username] = doctors.add(session, user_id, DoctorForm(
                    licence_number=f"LIC-{username}", specialization="Family medicine", fee="50", phone="+493012345678"))
                availability.set_working_hours(session, found[username], [WorkingHours(d, time(8), time(17)) for d in range(7)])
        settings.change_settings(session, settings.ClinicSettings(name="Test Clinic", address="1 Test Street", phone="+493012345678"))
    return found


@pytest.fixture(scope="session")
def template(servers: Addresses, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[tuple[str, dict[str, int]]]:
    """The name of a migrated database with staff, which nobody uses, and its doctors."""
    name = f"template_{worker_id}_{uuid.uuid4().hex[:8]}"
    assert servers.admin and servers.owner
    schema.create_database(servers.admin, name)
    schema.upgrade(schema.in_database(servers.owner, name))
    clinic = Clinic(test_settings(tmp_path_factory.mktemp("template")), in_other_database(servers, name), vault=Vault(KEY), zone=ZONE)
    found = fill_template(clinic)
    clinic.close()
    yield name, found
    schema.drop_database(servers.admin, name)


def in_other_database(addresses: Addresses, name: str) -> Addresses:
    """The same servers, another database."""
    assert addresses.owner and addresses.worker and addresses.backup
    return replace(addresses, app=schema.in_database(addresses.app, name), owner=schema.in_database(addresses.owner, name),
                   worker=schema.in_database(addresses.worker, name), backup=schema.in_database(addresses.backup, name))


def forget_documents(clinic: Clinic) -> None:
    """Drop the clinic's collections: each that stays makes the next one slower to create (50 ms with few, 150 with 360)."""
    name = clinic.settings.mongodb_collection_name
    with pymongo.timeout(5), suppress(PyMongoError):
        for part in ("", "_attachments.files", "_attachments.chunks", "_anchors", "_erasures"):
            clinic.documents._database.drop_collection(f"{name}{part}")


@pytest.fixture
def practice(servers: Addresses, template: tuple[str, dict[str, int]], tmp_path: Path) -> Iterator[Practice]:
    """A clinic of this test alone, with its worker not running (call `practice.clinic.start_worker()`)."""
    name = f"clinic_{uuid.uuid4().hex[:12]}"
    assert servers.admin
    schema.create_database(servers.admin, name, template=template[0])
    clinic = Clinic(test_settings(tmp_path), in_other_database(servers, name), vault=Vault(KEY), zone=ZONE)
    clinic.documents.ensure()
    yield Practice(clinic, dict(template[1]))
    forget_documents(clinic)
    clinic.close()
    schema.drop_database(servers.admin, name)
