"""What every test may ask for: one real PostgreSQL and one real document server for the whole run, and databases on them.

The servers are the application's own embedded ones in a folder of this run. All xdist workers share them; they go when the last
worker stops, and also when the run is killed (see `watchdog.py`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clinicdesk.credentials import Credentials
from clinicdesk.storage import schema
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.embedded import EmbeddedServers
from tests import logs_searched
from tests.clinics import practice, template

__all__ = ["practice", "template"]

os.environ["CLINICDESK_SECRETS"] = "file"
#: PYTHONDONTWRITEBYTECODE would make every process that a test starts compile everything again.
for _name in ("PYTHONDONTWRITEBYTECODE", "DATABASE_URL", "MONGODB_URI", "MONGODB_DB_NAME", "MONGODB_COLLECTION_NAME",
              "CLINICDESK_DATA_DIR"):
    os.environ.pop(_name, None)

HERE = Path(__file__).parent
#: A disk in memory, where the system has one: a database of a test is copied there in 25 ms, on a disk of this kind in 200 to 500.
IN_MEMORY, ROOM = Path("/dev/shm"), 6 << 30  # noqa: S108  the run's folder in it is made with an unguessable name
#: Nothing here must survive a power cut, so PostgreSQL may take it easy.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "120"}


def open_folder(prefix: str) -> Path:
    """A fresh folder that the account running the servers may pass through (pytest's own temporary folders are closed to it)."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    return folder


@pytest.fixture(scope="session")
def run_folder() -> Path:
    """The data folder of the run's two servers, shared by its workers. In memory where there is room (tests of what survives use a
    `clinic_folder`, on the disk)."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", uuid.uuid4().hex)
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM
    folder = (IN_MEMORY if roomy else Path(tempfile.gettempdir())) / f"clinicdesk-run-{run[:16]}"
    folder.mkdir(mode=0o711, exist_ok=True)
    return folder


@pytest.fixture(scope="session", autouse=True)
def _logs_hold_nobodys_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """At the end of the run: the logs of every clinic that a test made in a temporary folder. Those of other folders before they go."""
    yield
    logs_searched.search(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def servers(run_folder: Path) -> Iterator[Addresses]:
    """Addresses of the two servers of this run, signed in as each role; the database `clinicdesk` on them is empty: leave it so."""
    folder = run_folder
    watchdog = subprocess.Popen([sys.executable, str(HERE / "watchdog.py"), str(folder)], stdin=subprocess.PIPE, cwd=HERE.parent,
                                start_new_session=True)
    embedded = EmbeddedServers(folder, Credentials(folder), postgres_settings=FAST)
    try:
        yield embedded.start()
    finally:
        leaks = logs_searched.leaks(folder)
        if embedded.stop():
            shutil.rmtree(folder, ignore_errors=True)
        watchdog.communicate(timeout=60)
        assert not leaks, leaks[:20]


@pytest.fixture
def empty_database(servers: Addresses) -> Iterator[Callable[[str], str]]:
    """A database of this test alone, without any table. Call it with one of the `servers` addresses to get that role's address in it."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    assert servers.admin
    schema.create_database(servers.admin, name)
    yield lambda url: schema.in_database(url, name)
    schema.drop_database(servers.admin, name)


@pytest.fixture
def clinic_folder() -> Iterator[Path]:
    """A data folder of this test alone, with spaces and accents in its path; servers started in it are stopped afterwards."""
    above = open_folder("clinicdesk-")
    folder = above / "Praxis Müller – Ärzte"
    folder.mkdir(mode=0o711)
    yield folder
    if (folder / "run").exists():
        EmbeddedServers(folder, Credentials(folder)).stop_now()
    leaks = logs_searched.leaks(above)
    shutil.rmtree(above)
    assert not leaks, leaks[:20]


@pytest.fixture(autouse=True)
def _no_leftover_threads() -> Iterator[None]:
    """A thread that outlives the test that started it fails that test (Qt's and pymongo's own are theirs to end)."""
    before = set(threading.enumerate())
    yield

    def leftover() -> list[str]:
        return [thread.name for thread in threading.enumerate()
                if thread not in before and thread.is_alive() and not isinstance(thread, threading._DummyThread)
                and not thread.name.startswith("pymongo_")]  # a closed client's threads end by themselves within half a second

    deadline = time.monotonic() + 3.0
    while leftover() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not leftover(), "threads left running"
