"""A clinic on servers somebody else started: addresses from the environment or a `.env`, two workstations, one of them without rights."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql
from pymongo import MongoClient

from clinicdesk.clinic import open_clinic
from clinicdesk.config import Settings, load_settings
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.services import visits
from clinicdesk.storage.addresses import libpq_address, libpq_parameters
from clinicdesk.storage.documents import parse_address
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.processes import wait_until
from tests.clinics import ZONE, Practice, fill_template
from tests.conftest import open_folder
from tests.visiting import completed

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "p@ss:w/rd#1%?& ü"  #: every character that must be percent-encoded
DATABASE, COLLECTION = "praxis_docs", "visits_of_ours"


@dataclass
class Foreign:
    """Servers of somebody else: a superuser `boss` and a database, a document user; nothing of ClinicDesk's in them."""

    port: str
    documents: str
    admin: str

    def url(self, user: str) -> str:
        return f"postgresql://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/praxis"

    @property
    def variables(self) -> dict[str, str]:
        return {"DATABASE_URL": self.url("boss"), "MONGODB_URI": self.documents, "MONGODB_DB_NAME": DATABASE,
                "MONGODB_COLLECTION_NAME": COLLECTION, "CLINICDESK_ZONE": ZONE}

    def let_workstations_in(self) -> None:
        """What the server's administrator does once: the workstations' role gets a password."""
        with psycopg.connect(self.admin, autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE clinicdesk_app LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))


@pytest.fixture
def foreign() -> Iterator[Foreign]:
    folder = open_folder("foreign-")
    servers = EmbeddedServers(folder, Credentials(folder), postgres_settings={"fsync": "off"})
    addresses = servers.start()
    try:
        assert addresses.admin and addresses.documents_admin
        admin = libpq_address(addresses.admin)
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("DROP DATABASE clinicdesk")
            for role in ("owner", "app", "worker", "backup"):
                connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(f"clinicdesk_{role}")))
            connection.execute(sql.SQL("CREATE ROLE boss SUPERUSER LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
            connection.execute("CREATE DATABASE praxis OWNER boss")
        [(host, port)] = parse_address(addresses.documents).hosts
        with MongoClient(addresses.documents_admin) as client:  # type: ignore[var-annotated]
            client.admin.command("createUser", "desk@praxis", pwd=PASSWORD, roles=[{"role": "readWrite", "db": DATABASE}])
        uri = f"mongodb://{quote('desk@praxis', safe='')}:{quote(PASSWORD, safe='')}@{host}:{port}/?authSource=admin"
        yield Foreign(libpq_parameters(addresses.admin)["port"], uri, admin)
    finally:
        servers.stop_now()
        shutil.rmtree(folder)


def told(how: str, variables: dict[str, str], folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a workstation whose addresses stand in the environment, in a `.env` where it starts, or in its data folder's."""
    folder.mkdir(mode=0o711)
    monkeypatch.chdir(folder.parent)
    if how == "environment":
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
    else:
        place = folder if how == "data folder" else folder.parent
        (place / ".env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()), encoding="utf-8")
    return load_settings(data_dir=folder)


@pytest.mark.parametrize("how", ["environment", ".env", "data folder"])
def test_a_morning_on_shared_servers(foreign: Foreign, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = told(how, foreign.variables, tmp_path / "first", monkeypatch)
    clinic = open_clinic(first)
    try:
        assert clinic.servers is not None and clinic.servers.embedded is None
        practice = Practice(clinic, fill_template(clinic))
        patient_id = practice.patient(first_name="Ana", last_name="Adler")
        completed(practice, patient_id)

        def delivered() -> bool:
            with practice.read("dora") as session:
                return visits.undelivered(session) == 0

        assert wait_until(delivered, 60), "the visit is not delivered"
        with practice.read("dora") as session:
            assert [text.source for text in visits.read(session, visits.of_patient(session, patient_id))] == ["documents"]
        assert clinic.documents.count() == 1
        doctors = practice.doctors
    finally:
        clinic.close()
    with MongoClient(foreign.documents) as client:  # type: ignore[var-annotated]
        assert client[DATABASE][COLLECTION].estimated_document_count() == 1, "not in the collection that was named"
    assert not (tmp_path / "first" / "postgresql").exists() and not (tmp_path / "first" / "documents").exists()

    foreign.let_workstations_in()
    for name in foreign.variables:
        monkeypatch.delenv(name, raising=False)
    above = tmp_path / "elsewhere"
    above.mkdir(mode=0o711)
    second = told(how, {**foreign.variables, "DATABASE_URL": foreign.url("clinicdesk_app")}, above / "second", monkeypatch)
    with pytest.raises(CannotStart) as refusal:
        open_clinic(second)
    assert refusal.value.code == "clinic_key"

    def key(verb: str, folder: Path, typed: str = "") -> str:
        done = subprocess.run([sys.executable, "-m", "clinicdesk", "key", verb, "--data-dir", str(folder)], capture_output=True, text=True,
                              check=True, timeout=60, input=typed, cwd=folder.parent, env={**os.environ, "PYTHONPATH": str(ROOT)})
        return done.stdout

    assert "now holds the key" in key("enter", above / "second", key("show", tmp_path / "first"))
    clinic = open_clinic(second)
    try:
        assert not clinic.may_own
        assert not clinic.start_worker()
        practice = Practice(clinic, doctors, numbers=100)
        with practice.read("dora") as session:
            texts = visits.read(session, visits.of_patient(session, patient_id))
        assert [text.source for text in texts] == ["documents"] and texts[0].notes["plan"] == "Rest and fluids."
        practice.book(practice.patient(), practice.at(11), "hugo")
        with pytest.raises(CannotStart), clinic.as_owner():
            pass
    finally:
        clinic.close()
