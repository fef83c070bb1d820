"""Somebody without rights uses it: commands, a moved folder, two at once, no home; and the tour, compared with that of the source tree."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from clinicdesk.storage.processes import wait_until
from tests.bundle.conftest import MADE, Person

ROOT = MADE.parent.parent
TOUR_SECONDS = 1_500


def pictures(folder: Path) -> dict[str, tuple[int, int] | str]:
    """Name → size of a picture, or `PDF`."""
    found: dict[str, tuple[int, int] | str] = {}
    for path in folder.iterdir():
        if path.suffix == ".png":
            with Image.open(path) as picture:
                found[path.name] = picture.size
        elif path.suffix == ".pdf":
            assert path.read_bytes().startswith(b"%PDF")
            found[path.name] = "PDF"
    return found


@pytest.mark.timeout(2 * TOUR_SECONDS + 60)
def test_the_tour_without_python_is_the_tour_with_it(program: Path, person: Person, tmp_path: Path) -> None:
    out = person.home / "tour"
    done = person.run(program, "tour", out, timeout=TOUR_SECONDS)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    source = subprocess.run([sys.executable, "-m", "clinicdesk", "tour", str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
                            check=False, timeout=TOUR_SECONDS, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"})
    assert source.returncode == 0, source.stdout[-2000:]
    steps = [[(step["role"], step["step"], step["passed"]) for step in json.loads((where / "tour.json").read_text("utf-8"))["steps"]]
             for where in (out, tmp_path)]
    assert steps[0] == steps[1]
    assert pictures(out) == pictures(tmp_path)


@pytest.mark.timeout(400)
def test_every_day_with_servers_of_its_own_after_a_move_too(folder: Path, person: Person) -> None:
    """check, backup, verify; no process maps a file from elsewhere or inherits our libraries; all goes on in another place."""
    data, first = ["--data-dir", str(person.home / "Données")], folder / "clinicdesk"
    assert person.run(first, *data, "migrate").returncode == 0
    assert person.run(first, *data, "server", "start").returncode == 0
    running = [process.pid for process in person.processes()]
    assert len(running) >= 2
    for pid in running:
        maps = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")
        assert "site-packages" not in maps
        assert str(ROOT) not in maps
        if Path(f"/proc/{pid}/exe").resolve().name == "postgres":
            inherited = Path(f"/proc/{pid}/environ").read_bytes()
            assert b"LD_LIBRARY_PATH" not in inherited
            assert b"_PYI_" not in inherited
    answer = person.asked(first, *data, "check")
    assert answer["ok"], answer
    assert answer["data_dir"] == data[1]
    kept = person.home / "clinic.backup"
    assert person.run(first, *data, "backup", kept).returncode == 0
    assert person.run(first, *data, "backup", "verify", kept).returncode == 0
    unchecked = person.run(first, *data, "verify", "this is no paper")
    assert (unchecked.returncode, "no trust list" in unchecked.stdout) == (2, True), unchecked
    assert person.run(first, *data, "server", "stop").stdout == "Stopped.\n"

    moved = person.home / "ailleurs à côté"
    shutil.copytree(folder, moved, symlinks=True)
    assert person.asked(moved / "clinicdesk", *data, "check")["ok"]
    assert person.run(moved / "clinicdesk", *data, "backup", "rehearse", kept).returncode == 0


@pytest.mark.timeout(300)
def test_two_at_once(program: Path, person: Person) -> None:
    """Two windows on one clinic open; both leave when told to, and the last one takes the servers along."""
    data = ["--data-dir", str(person.home / "clinic")]
    opened = person.home / "clinic" / "log" / "clinicdesk.log"
    both = [person.start(program, *data), person.start(program, *data)]
    try:
        assert wait_until(lambda: person.run(program, *data, "server", "status", "--json").returncode == 0, 120, pause=1)
        assert person.asked(program, *data, "check")["ok"]
        assert all(process.poll() is None for process in both)
        assert person.asked(program, *data, "server", "status")["in_use"]
    finally:
        for process in both:
            process.send_signal(signal.SIGTERM)
        said = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert "bug, reference" not in opened.read_text(encoding="utf-8")
    assert not any(person.asked(program, *data, "server", "status")["running"].values())


def test_without_a_home_it_says_so(program: Path, person: Person) -> None:
    done = person.run(program, HOME="/nonexistent", XDG_DATA_HOME="")
    assert done.returncode == 2
    assert done.stdout == ""
    sentence, advice = done.stderr.splitlines()
    assert sentence.startswith("The folder /nonexistent/.local/share/ClinicDesk cannot be used")
    assert "--data-dir" in advice


def test_what_is_not_shipped_says_so(program: Path, person: Person) -> None:
    done = person.run(program, "bench")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("The measurements are part of the source tree")


def test_the_menu_entry_starts_this_folder(program: Path, person: Person) -> None:
    done = person.run(program, "desktop-entry")
    assert done.returncode == 0, done.stderr
    entry = (person.home / ".local/share/applications/clinicdesk.desktop").read_text(encoding="utf-8")
    lines = dict(line.split("=", 1) for line in entry.splitlines() if "=" in line)
    assert lines["Exec"] == f'"{program}"'
    assert lines["TryExec"] == str(program)
    assert Path(lines["Icon"]).is_file()
    assert person.run(program, "desktop-entry", "--remove").returncode == 0
    assert not list((person.home / ".local/share/applications").iterdir())
