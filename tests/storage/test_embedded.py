"""The clinic's own servers under rough treatment: killed, shared, moved into closed folders, raced for."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pymongo
import pytest

from clinicdesk.credentials import Credentials
from clinicdesk.errors import CannotStart
from clinicdesk.storage import processes
from clinicdesk.storage.addresses import Addresses, libpq_address
from clinicdesk.storage.embedded import EmbeddedServers

ROOT = Path(__file__).parent.parent.parent
USER = """
import sys
from pathlib import Path
from clinicdesk.credentials import Credentials
from clinicdesk.storage.embedded import EmbeddedServers
folder = Path(sys.argv[1])
servers = EmbeddedServers(folder, Credentials(folder))
print(servers.start().app, flush=True)
sys.stdin.read()
print(servers.stop(), flush=True)
"""
is_root = hasattr(os, "geteuid") and os.geteuid() == 0
only_root = pytest.mark.skipif(not is_root, reason="only root runs servers as somebody else")
Desk = subprocess.Popen[str]


def servers_in(folder: Path, **more: object) -> EmbeddedServers:
    return EmbeddedServers(folder, Credentials(folder), **more)  # type: ignore[arg-type]


def postmaster(folder: Path) -> int:
    return int((folder / "postgresql/data/postmaster.pid").read_text().splitlines()[0])


def document_process(folder: Path) -> int:
    return int(json.loads((folder / "run/documents.json").read_text())["pid"])


def ask(url: str, question: str) -> object:
    with psycopg.connect(libpq_address(url)) as connection:
        found = connection.execute(question).fetchone()  # type: ignore[arg-type]
    return found[0] if found else None


@pytest.fixture
def desk(clinic_folder: Path) -> Iterator[Callable[[], Desk]]:
    """Start another ClinicDesk process on the folder; it stops in an orderly way when its stdin is closed."""
    made: list[Desk] = []

    def start() -> Desk:
        made.append(subprocess.Popen([sys.executable, "-c", USER, str(clinic_folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                     text=True, cwd=ROOT))
        return made[-1]

    yield start
    for process in made:
        with contextlib.suppress(ValueError):
            process.communicate(timeout=60)


def test_four_roles_with_passwords_and_no_power(servers: Addresses) -> None:
    for url, role in ((servers.app, "clinicdesk_app"), (servers.owner, "clinicdesk_owner"), (servers.worker, "clinicdesk_worker"),
                      (servers.backup, "clinicdesk_backup")):
        assert url is not None
        with psycopg.connect(libpq_address(url)) as connection:
            row = connection.execute("SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls FROM pg_roles"
                                     " WHERE rolname = session_user").fetchone()
        assert row == (role, False, False, False, role == "clinicdesk_backup")
        assert "password" not in repr(servers)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(servers.app, "CREATE TABLE public.mine()")


def test_the_server_is_set_up_as_the_design_says(servers: Addresses) -> None:
    shown = {name: ask(servers.admin or "", f"SHOW {name}") for name in (
        "data_checksums", "password_encryption", "listen_addresses", "unix_socket_directories", "server_encoding", "TimeZone")}
    assert shown == {"data_checksums": "on", "password_encryption": "scram-sha-256", "listen_addresses": "127.0.0.1",
                     "unix_socket_directories": "", "server_encoding": "UTF8", "TimeZone": "UTC"}
    assert ask(servers.admin or "", "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'clinicdesk'") == "bC.UTF-8"
    assert ask(servers.admin or "", "SELECT count(*) FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'") == 0


def test_a_killed_postmaster_recovers_with_what_was_committed(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_documents=False)
    address = servers.start()
    with psycopg.connect(libpq_address(address.owner or "")) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    os.kill(postmaster(clinic_folder), signal.SIGKILL)
    again = servers.start()
    assert ask(again.owner or "", "SELECT n FROM kept") == 7
    assert again.app == address.app
    assert servers.stop()


def test_a_number_in_postmaster_pid_that_belongs_to_another_process_does_not_matter(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_documents=False)
    servers.start()
    pid_file = clinic_folder / "postgresql/data/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    servers.stop()
    account = {"user": pid_file.parent.stat().st_uid} if is_root else {}
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, **account) as other:  # type: ignore[call-overload]
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert not servers.running()["database"]
        assert ask(servers.start().app, "SELECT 1") == 1
    assert servers.stop()


def test_a_killed_application_leaves_the_servers_and_the_next_finds_them(clinic_folder: Path, desk: Callable[[], Desk]) -> None:
    first = desk()
    assert first.stdout is not None
    url = first.stdout.readline().strip()
    before = postmaster(clinic_folder), document_process(clinic_folder)
    first.kill()
    first.wait()
    servers = servers_in(clinic_folder)
    assert all(servers.running().values())
    assert not servers.in_use()
    assert servers.start().app == url
    assert (postmaster(clinic_folder), document_process(clinic_folder)) == before
    assert servers.stop()
    assert not any(servers.running().values())


def test_two_at_once_on_one_folder_share_the_servers_and_the_last_one_stops_them(clinic_folder: Path, desk: Callable[[], Desk]) -> None:
    desks = [desk(), desk()]
    urls = {process.stdout.readline().strip() for process in desks if process.stdout}
    assert len(urls) == 1
    assert ask(urls.pop(), "SELECT current_user") == "clinicdesk_app"
    ends = [process.communicate(timeout=60)[0].strip() for process in desks]
    assert ends == ["False", "True"]
    assert not any(servers_in(clinic_folder).running().values())


def test_keep_running_outlives_the_last_user_until_it_is_ended(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_database=False)
    servers.start()
    servers.keep_running()
    assert not servers.stop()
    assert servers.running() == {"documents": True}
    assert servers.stop_now()
    assert servers.running() == {"documents": False}


def test_acknowledged_documents_survive_a_kill(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_database=False)
    uri = servers.start().documents
    acknowledged: list[int] = []
    with pymongo.MongoClient(uri, serverSelectionTimeoutMS=2000, retryWrites=False) as client, \
            contextlib.suppress(pymongo.errors.PyMongoError):
        for number in range(100_000):
            client["clinic_appointment"]["smoke"].insert_one({"_id": number, "text": "x" * 500})
            acknowledged.append(number)
            if number == 300:
                os.kill(document_process(clinic_folder), signal.SIGKILL)
    assert len(acknowledged) >= 301
    with pymongo.MongoClient(servers.start().documents) as client:
        found = {one["_id"] for one in client["clinic_appointment"]["smoke"].find({}, {"_id": 1})}
    assert set(acknowledged) <= found
    assert servers.stop()


def test_documents_need_a_password_from_the_first_moment_they_are_offered(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_database=False)
    uri = servers.start().documents
    with pymongo.MongoClient("mongodb://" + uri.partition("@")[2].partition("?")[0], directConnection=True) as nobody, \
            pytest.raises(pymongo.errors.OperationFailure):
        nobody["clinic_appointment"]["x"].find_one()
    assert servers.stop()


def test_a_start_that_died_while_making_users_is_repeated(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_database=False)
    servers.start()
    servers.stop()
    (clinic_folder / "documents/users-created").unlink()
    uri = servers.start().documents
    with pymongo.MongoClient(uri) as client:
        client["clinic_appointment"]["x"].insert_one({})
    assert servers.stop()


def test_a_half_made_database_is_made_anew(clinic_folder: Path) -> None:
    (clinic_folder / "postgresql/draft").mkdir(parents=True)
    (clinic_folder / "postgresql/draft/PG_VERSION").write_text("18\n")
    servers = servers_in(clinic_folder, want_documents=False)
    assert ask(servers.start().app, "SELECT 1") == 1
    assert not (clinic_folder / "postgresql/draft").exists()
    assert servers.stop()


def test_a_taken_port_is_changed(clinic_folder: Path) -> None:
    import socket

    servers = servers_in(clinic_folder)
    servers.start()
    ports = {name: processes.ServerState.read(clinic_folder / f"run/{name}.json") for name in ("postgresql", "documents")}
    servers.stop()
    with contextlib.ExitStack() as taken:
        for state in ports.values():
            assert state is not None
            taken.enter_context(socket.create_server(("127.0.0.1", state.port)))
        again = servers.start()
        assert ask(again.app, "SELECT 1") == 1
        with pymongo.MongoClient(again.documents) as client:
            client.admin.command("ping")
        assert servers.stop()


def test_lost_passwords_are_a_sentence(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_documents=False)
    servers.start()
    (clinic_folder / "secrets.json").unlink()
    with pytest.raises(CannotStart) as caught:
        servers_in(clinic_folder, want_documents=False).start()
    assert caught.value.code == "password_lost"
    servers.stop_now()


def test_a_second_program_on_the_document_folder_is_a_sentence(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder, want_database=False)
    servers.start()
    (clinic_folder / "run/documents.json").rename(clinic_folder / "run/away")  # as if somebody else had started it
    second = servers_in(clinic_folder, want_database=False)
    second.start()
    assert second.documents_trouble is not None
    assert second.documents_trouble.code == "documents_in_use"
    with pytest.raises(CannotStart) as caught:
        second.renew_documents()
    assert caught.value.code == "documents_in_use"
    assert list((clinic_folder / "documents").glob("aside-*")) == [], "a store that somebody uses is left alone"
    second.stop()
    (clinic_folder / "run/away").rename(clinic_folder / "run/documents.json")
    servers.stop_now()


@only_root
def test_root_runs_them_as_somebody_else_even_below_a_closed_folder(clinic_folder: Path) -> None:
    closed = clinic_folder.parent
    closed.chmod(0o700)
    servers = servers_in(clinic_folder, want_documents=False)
    assert ask(servers.start().app, "SELECT 1") == 1
    owner = Path(f"/proc/{postmaster(clinic_folder)}").stat().st_uid
    assert owner != 0
    assert (clinic_folder / "postgresql/data").stat().st_uid == owner
    assert clinic_folder.stat().st_uid == 0
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert servers.stop()


@only_root
def test_an_unknown_server_account_is_a_sentence(clinic_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINICDESK_SERVER_ACCOUNT", "no-such-account")
    with pytest.raises(CannotStart, match="no-such-account"):
        servers_in(clinic_folder)
    monkeypatch.setenv("CLINICDESK_SERVER_ACCOUNT", "root")
    with pytest.raises(CannotStart, match="cannot run as root"):
        servers_in(clinic_folder)


def test_no_secret_of_the_servers_is_in_their_logs_or_settings(clinic_folder: Path) -> None:
    servers = servers_in(clinic_folder)
    servers.start()
    servers.stop()
    secrets = set(json.loads((clinic_folder / "secrets.json").read_text()).values())
    assert len(secrets) == 7
    for path in [*(clinic_folder / "log").iterdir(), *(clinic_folder / "run").iterdir(), clinic_folder / "postgresql/settings.conf"]:
        assert not [one for one in secrets if one in path.read_text(errors="replace")], path
    assert not (clinic_folder / "postgresql/password").exists()
