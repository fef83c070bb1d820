"""Every way a connection can be wrong, provoked on real servers, has its own code, sentence and advice."""

import json
import os
import re
import socket
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from clinicdesk.config import load_settings
from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.storage import connections, health, schema
from clinicdesk.storage.addresses import ROLES, Addresses, libpq_address, libpq_parameters, postgres_url, roles_to_act_as
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.servers import open_servers

ROOT = Path(__file__).parent.parent.parent
NASTY = "p@ss/w#d%4?:x"
Within = Callable[[str], str]


@pytest.fixture
def place(servers: Addresses) -> str:
    """host:port of the real PostgreSQL."""
    found = libpq_parameters(servers.app)
    return f"{found['host']}:{found['port']}"


@pytest.fixture
def stranger(servers: Addresses, empty_database: Within) -> Iterator[str]:
    """A sign-in with a nasty password that is member of nothing."""
    name = f"stranger_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(libpq_address(servers.admin or ""), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(name), sql.Literal(NASTY)))
        yield name
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def opened(tmp_path: Path, url: str, uri: str, **more: object) -> Addresses:
    """What the application would use; both servers are somebody else's."""
    return open_servers(load_settings(data_dir=tmp_path, database_url=url, mongodb_uri=uri, **more)).addresses


def code_of(tmp_path: Path, url: str, uri: str, **more: object) -> str:
    with pytest.raises(CannotStart) as caught:
        opened(tmp_path, url, uri, **more)
    assert caught.value.sentence.endswith(".")
    assert caught.value.advice.endswith((".", ";"))
    assert NASTY not in caught.value.sentence + caught.value.advice
    return caught.value.code


def test_postgresql(servers: Addresses, tmp_path: Path, place: str, stranger: str, empty_database: Within) -> None:
    database = libpq_parameters(empty_database(servers.app))["dbname"]
    docs, good = servers.documents, quote(NASTY, safe="")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = listening.getsockname()[1]

    def code(user_password: str, where: str, **more: object) -> str:
        return code_of(tmp_path, f"postgresql://{user_password}@{where}", docs, **more)

    assert code(f"{stranger}:{good}", f"127.0.0.1:{closed}/{database}") == "nothing_listening"
    assert code(f"{stranger}:{good}", f"no-such-host.invalid/{database}") == "host_unknown"
    assert code(f"{stranger}:wrong", f"{place}/{database}") == "wrong_password"
    assert code(f"nobody-of-that-name:{good}", f"{place}/{database}") == "wrong_password"
    assert code(stranger, f"{place}/{database}") == "wrong_password"
    assert code(f"{stranger}:{good}", f"{place}/no_such_database") == "database_missing"
    assert code(f"{stranger}:{good}", f"{place}/clinicdesk") == "role_not_allowed"
    assert code(f"{stranger}:{good}", f"{place}/{database}") == "role_not_allowed"
    assert code(f"{stranger}:{good}", f"{place}/{database}", require_tls=True) == "tls_not_offered"
    assert code_of(tmp_path, "postgresql://[", docs) == "database_url"
    assert code_of(tmp_path, f"postgresql+psycopg://{stranger}:wrong@{place}/{database}", docs) == "wrong_password"
    for nasty in (NASTY, "a@b", "a/b", "a#b", "a%b", "a?b", "a%zz"):
        assert code(f"{stranger}:{nasty}", f"{place}/{database}") == "not_url_encoded", nasty


def test_mongodb(servers: Addresses, tmp_path: Path) -> None:
    def code(uri: str, **more: object) -> str:
        return code_of(tmp_path, servers.app, uri, **more)

    uri = servers.documents
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = listening.getsockname()[1]
    assert code(re.sub(r"@[^/]*", f"@127.0.0.1:{closed}", uri)) == "nothing_listening"
    assert code("mongodb://no-such-host.invalid/") == "host_unknown"
    assert code(re.sub(r":[^:@]+@", ":wrong@", uri)) == "wrong_password"
    assert code(re.sub(r"//.*@", "//", uri)) == "role_not_allowed"
    assert code(uri, mongodb_db_name="somebody_elses") == "role_not_allowed"
    assert code(f"{uri}&tls=true") == "tls_not_offered"
    assert code("mongodb://") == "mongodb_uri"
    for nasty in (NASTY, "a@b", "a/b", "a%b", "a:b"):
        assert code(re.sub(r":[^:@]+@", lambda _, nasty=nasty: f":{nasty}@", uri)) == "not_url_encoded", nasty


def test_mongodb_must_ask_for_tls_where_it_is_required(servers: Addresses, tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, mongodb_uri=servers.documents, require_tls=True)
    found = connections.documents_trouble(settings)
    assert found is not None
    assert found.code == "tls_not_asked"


@pytest.mark.parametrize(("url", "is_wrong"), [
    ("postgresql://u:p%40ss@h/d", False), ("postgresql://u@h/d", False), ("postgresql://h:5432/d?user=a@b", False),
    ("postgresql://u:plain@h1:1,h2:2/d?options=-c%20a=b", False), ("host=h password=p@ss", False), ("postgresql://u:p@s@h/d", True),
    ("postgresql://u:100%@h/d", True), ("mongodb://u:a/b@h", True),
])
def test_an_unencoded_password_is_recognised(url: str, *, is_wrong: bool) -> None:
    assert connections.unencoded_password(url) is is_wrong


@pytest.mark.parametrize("given", [
    "postgresql://u:p%40s@h1:1,h2:2/d?sslmode=require", "postgres://u:p%40s@h1:1,h2:2/d?sslmode=require",
    "postgresql+psycopg2://u:p%40s@h1:1,h2:2/d?sslmode=require", "host=h1,h2 port=1,2 user=u password=p@s dbname=d sslmode=require",
])
def test_every_spelling_of_an_address_means_the_same(given: str) -> None:
    round_trip = libpq_parameters(libpq_address(postgres_url(libpq_parameters(given))))
    assert {name: round_trip[name] for name in ("user", "password", "dbname", "host", "port", "sslmode")} == {
        "user": "u", "password": "p@s", "dbname": "d", "host": "h1,h2", "port": "1,2", "sslmode": "require"}


def test_the_first_of_two_hosts_may_be_down(servers: Addresses, tmp_path: Path) -> None:
    found = libpq_parameters(servers.app)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = listening.getsockname()[1]
    url = postgres_url({**found, "host": "127.0.0.1,127.0.0.1", "port": f"{closed},{found['port']}"})
    address = opened(tmp_path, url, servers.documents).app
    with psycopg.connect(libpq_address(address)) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("clinicdesk_app",)


def test_options_of_a_caller_do_not_drop_the_role(servers: Addresses) -> None:
    url = postgres_url({**libpq_parameters(servers.admin or ""), "options": "-c role=clinicdesk_worker"})
    with psycopg.connect(libpq_address(url, options="-c search_path=jobs")) as connection:
        assert connection.execute("SELECT current_user, current_setting('search_path')").fetchone() == ("clinicdesk_worker", "jobs")


def test_a_role_that_may_create_roles_prepares_a_shared_server(clinic_folder: Path, servers: Addresses, tmp_path: Path) -> None:
    """A fresh server without our roles, as a clinic's administrator would hand it over: CREATEROLE and an empty database of her own."""
    embedded = EmbeddedServers(clinic_folder, Credentials(clinic_folder), want_documents=False)
    own = embedded.start()
    with psycopg.connect(libpq_address(own.admin or ""), autocommit=True) as admin:
        admin.execute("DROP DATABASE clinicdesk")
        for role in ROLES:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
        admin.execute("CREATE ROLE \"dba ä\" LOGIN CREATEROLE PASSWORD 'x'")
        admin.execute('CREATE DATABASE "Übung" OWNER "dba ä"')
    url = postgres_url({**libpq_parameters(own.admin or ""), "user": "dba ä", "password": "x", "dbname": "Übung"})
    first, second = opened(tmp_path, url, servers.documents), opened(tmp_path, url, servers.documents)
    assert first == second
    schema.upgrade(first.owner or "")
    for address, role in ((first.app, "clinicdesk_app"), (first.owner, "clinicdesk_owner"), (first.worker, "clinicdesk_worker")):
        with psycopg.connect(libpq_address(address or "")) as connection:
            assert connection.execute("SELECT current_user, session_user").fetchone() == (role, "dba ä")
    with psycopg.connect(libpq_address(url)) as connection:
        assert roles_to_act_as(connection) >= {"clinicdesk_app", "clinicdesk_owner", "clinicdesk_worker"}
    report = health.examine(load_settings(data_dir=tmp_path, database_url=url, mongodb_uri=servers.documents))
    assert report.ok
    assert [one.code for one in report.findings if one.name == "role"] == ["role_too_mighty"]
    embedded.stop()


def check(folder: Path, *more: str, **environment: str) -> tuple[int, dict[str, object]]:
    done = subprocess.run([sys.executable, "-m", "clinicdesk", "check", "--json", "--data-dir", str(folder), *more], capture_output=True,
                          text=True, cwd=ROOT, env={**os.environ, **environment}, timeout=120, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, json.loads(done.stdout)


def codes(found: dict[str, object]) -> dict[str, str]:
    return {row["name"]: row["code"] for row in found["checks"]}  # type: ignore[attr-defined,index]


def test_check_tells_each_age_of_a_shared_schema(servers: Addresses, tmp_path: Path, empty_database: Within) -> None:
    settings = load_settings(data_dir=tmp_path, database_url=empty_database(servers.app), mongodb_uri=servers.documents)
    seen = []

    def look() -> None:
        report = health.examine(settings)
        seen.append({one.name: one.code for one in report.findings}["schema"])

    look()
    schema.upgrade(empty_database(servers.owner))
    look()
    with psycopg.connect(libpq_address(empty_database(servers.owner))) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    look()
    assert seen == ["schema_missing", "ok", "schema_too_new"]


def test_check_as_a_program_reads_it(clinic_folder: Path, servers: Addresses) -> None:
    returned, found = check(clinic_folder)
    assert (returned, found["ok"], found["database"], found["documents"]) == (0, True, "embedded", "embedded")
    assert codes(found)["database"] == codes(found)["documents"] == "ok"
    assert set(found["versions"]) == {"clinicdesk", "python", "postgresql", "documents"}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        closed = listening.getsockname()[1]
    returned, found = check(clinic_folder, DATABASE_URL=f"postgresql://a:b@127.0.0.1:{closed}/c", MONGODB_URI=servers.documents)
    assert (returned, found["ok"], codes(found)["database"], codes(found)["documents"]) == (1, False, "nothing_listening", "ok")
    returned, found = check(clinic_folder, CLINICDESK_ZONE="Mars")
    assert (returned, codes(found)) == (2, {"settings": "settings"})
