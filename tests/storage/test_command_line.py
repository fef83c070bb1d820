"""The command line as a shell sees it: exit codes, one sentence, no traceback, and servers let go however it ends."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from clinicdesk import __version__
from clinicdesk.clinic import open_clinic
from clinicdesk.config import load_settings
from clinicdesk.credentials import Credentials
from clinicdesk.storage.embedded import EmbeddedServers
from clinicdesk.storage.processes import ServerState, wait_until

ROOT = Path(__file__).parent.parent.parent


def command(*arguments: str | Path, cwd: Path = ROOT, **environment: str) -> tuple[int, str, str]:
    done = subprocess.run([sys.executable, "-m", "clinicdesk", *map(str, arguments)], capture_output=True, text=True, cwd=cwd, timeout=120,
                          env={**os.environ, "PYTHONPATH": str(ROOT), **environment}, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def test_help_version_and_a_wrong_verb() -> None:
    returned, said, _ = command("--help")
    assert returned == 0
    assert all(verb in said for verb in ("check", "migrate", "server", "worker", "--demo", "--data-dir"))
    assert command("--version")[:2] == (0, f"ClinicDesk {__version__}\n")
    returned, _, said = command("chekc")
    assert returned == 2
    assert said.startswith("No such command 'chekc'")


@pytest.mark.parametrize(("content", "says"), [("%$&\n", "Line 1 of"), ("DATABASE_URL=mysql://x\n", "DATABASE_URL must start with postgresql://")])
def test_nonsense_in_the_env_file_is_two_lines_and_exit_code_2(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / ".env").write_text(content)
    returned, out, said = command("check", cwd=tmp_path)
    assert (returned, out) == (2, "")
    assert says in said
    assert len(said.splitlines()) == 2


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    returned, _, said = command("server", "start", "--data-dir", tmp_path / "file" / "clinic")
    assert returned == 2
    assert "cannot be used" in said.splitlines()[0]
    assert "--data-dir" in said.splitlines()[1]


def test_servers_are_started_left_running_and_stopped(clinic_folder: Path) -> None:
    option = ("--data-dir", clinic_folder)
    assert command(*option, "server", "status")[0] == 1
    assert command("server", "start", *option)[0] == 0
    assert command("server", "status", *option)[0] == 0
    assert command("migrate", *option)[0] == 0  # attaches, and leaves them running
    assert command("server", "status", *option)[0] == 0
    user = EmbeddedServers(clinic_folder, Credentials(clinic_folder))
    user.start()
    refused, _, said = command("server", "stop", *option)
    assert refused == 1
    assert "--force" in said
    user.stop()
    assert command("server", "stop", *option)[:2] == (0, "Stopped.\n")
    assert command("server", "status", *option)[0] == 1


@pytest.mark.parametrize("ended_by", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_told_to_end_lets_the_servers_go(clinic_folder: Path, ended_by: signal.Signals) -> None:
    assert command("migrate", "--data-dir", clinic_folder)[0] == 0
    refused, _, said = command("worker", "--data-dir", clinic_folder)
    assert refused == 2 and "not been set up" in said
    open_clinic(load_settings(data_dir=clinic_folder), worker=False).close()
    worker = subprocess.Popen([sys.executable, "-m", "clinicdesk", "worker", "--data-dir", str(clinic_folder)], stdout=subprocess.PIPE,
                              text=True, cwd=ROOT)
    assert worker.stdout is not None
    assert worker.stdout.readline().startswith("Working")
    worker.send_signal(ended_by)
    out, _ = worker.communicate(timeout=60)
    assert (worker.returncode, out) == (0, "Ended.\n")
    assert not any(EmbeddedServers(clinic_folder, Credentials(clinic_folder)).running().values())


def test_a_start_that_is_interrupted_leaves_nothing_running(clinic_folder: Path) -> None:
    """SIGTERM while the databases are being made: no process stays behind, and the next start is a good one."""
    starting = subprocess.Popen([sys.executable, "-m", "clinicdesk", "migrate", "--data-dir", str(clinic_folder)], cwd=ROOT,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert wait_until((clinic_folder / "postgresql").exists, 60)
    with contextlib.suppress(ProcessLookupError):
        starting.terminate()
    starting.wait(timeout=60)
    state = ServerState.read(clinic_folder / "run/documents.json")
    assert state is None or not state.lives()
    assert not any(EmbeddedServers(clinic_folder, Credentials(clinic_folder)).running().values())
    assert command("migrate", "--data-dir", clinic_folder)[0] == 0


def test_without_the_owner_a_workstation_does_not_migrate(tmp_path: Path, servers: object) -> None:
    app, documents = servers.app, servers.documents  # type: ignore[attr-defined]
    returned, _, said = command("migrate", "--data-dir", tmp_path, DATABASE_URL=app, MONGODB_URI=documents)
    assert returned == 2
    assert "may not change the clinic's tables" in said
