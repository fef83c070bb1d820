"""The program of `make bundle` as another person finds it: in a folder with a space and an accent, on a computer without Python."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import open_folder

MADE = Path(__file__).parent.parent.parent / "dist" / "clinicdesk"
NOBODY = pwd.getpwnam("nobody")


@dataclass(frozen=True)
class Person:
    """Somebody without rights and without Python: how she starts programs, and her home, which can be written."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.home), "TMPDIR": str(self.home), "PATH": str(self.home / "no programs here"), "LANG": "C.UTF-8",
                "QT_QPA_PLATFORM": "offscreen"}

    def start(self, *command: str | Path, **more: str) -> subprocess.Popen[str]:
        who: dict[str, Any] = {"user": NOBODY.pw_uid, "group": NOBODY.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, cwd=self.home, env=self.environment | more, **who)

    def run(self, *command: str | Path, timeout: float = 180, **more: str) -> subprocess.CompletedProcess[str]:
        with self.start(*command, **more) as process:
            try:
                out, err = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.terminate()
                raise
        assert "Traceback" not in out + err, err
        return subprocess.CompletedProcess(command, process.returncode, out, err)

    def asked(self, *command: str | Path) -> Mapping[str, Any]:
        """What a verb with --json answers, whatever its exit code."""
        done = self.run(*command, "--json")
        answer: Mapping[str, Any] = json.loads(done.stdout)
        return answer

    def processes(self) -> list[psutil.Process]:
        """What runs and names her home."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess):
                if str(self.home) in " ".join(process.cmdline()):
                    found.append(process)
        return found


@pytest.fixture
def person() -> Iterator[Person]:
    above = open_folder("clinicdesk-bundle-")
    home = above / "Zoë’s home"
    home.mkdir(mode=0o700)
    if os.geteuid() == 0:
        os.chown(home, NOBODY.pw_uid, NOBODY.pw_gid)
    made = Person(home)
    yield made
    left = made.processes()  # a test that failed halfway leaves its servers
    for process in left:
        process.kill()
    psutil.wait_procs(left, timeout=30)
    shutil.rmtree(above)


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A copy of the folder that belongs to another account and that nobody may write to."""
    assert (MADE / "clinicdesk").exists(), "run make bundle first"
    above = open_folder("clinicdesk-bundle-")
    place = above / "Programme für Ärzte" / "Clinic Desk"
    place.parent.mkdir(mode=0o755)
    shutil.copytree(MADE, place, symlinks=True)
    for path in (place, *place.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    yield place
    for path in (place, *place.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(above)


@pytest.fixture
def program(folder: Path) -> Path:
    return folder / "clinicdesk"
