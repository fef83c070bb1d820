"""The measurements run from end to end on a small clinic. What the numbers are is not a test's business."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.measuring import summary
from clinicdesk.commands import bench
from clinicdesk.errors import CannotStart

ROOT = Path(__file__).parent.parent


def test_a_small_clinic_is_filled_and_measured(tmp_path: Path) -> None:
    target = tmp_path / "bench.json"
    left = set(Path(tempfile.gettempdir()).glob("clinicdesk-bench-*"))
    command = [sys.executable, "-m", "clinicdesk", "bench", "--patients", "300", "--rounds", "3", "--json", str(target)]
    with (tmp_path / "said.txt").open("w+", encoding="utf-8") as said:  # a file: servers that outlive a killed run would hold a pipe open
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, timeout=200, cwd=ROOT, check=False)
        said.seek(0)
        words = said.read()
    assert done.returncode in {0, 1}, words
    found = json.loads(target.read_text(encoding="utf-8"))
    assert found["patients"] == found["rows"]["patients"] == 300
    assert found["rows"]["visits"] == 60
    assert found["rows"]["appointments"] >= 50 * 27 * 7
    lines = {line["name"]: line for line in found["results"]}
    assert len(lines) == 25
    for name, line in lines.items():
        assert line["p50"] > 0, name
    for name in ("Search by the beginning of a name", "Search by two parts of a name", "Search by the end of a phone number",
                 "Patient card", "Booking"):
        assert lines[name]["floor_p50"] > 0
        assert lines[name]["aim"] == pytest.approx(3 * lines[name]["floor_p50"] + 2, abs=0.01)
    assert lines["A day of 50 doctors"]["note"].endswith("1350 appointments")
    assert done.returncode == (0 if all(line["passed"] for line in lines.values()) else 1)
    assert "Falls short" in words or done.returncode == 0
    assert set(Path(tempfile.gettempdir()).glob("clinicdesk-bench-*")) <= left, "the scratch clinic stayed behind"


def test_without_the_source_tree_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clinicdesk.paths.root", lambda: tmp_path)
    with pytest.raises(CannotStart, match="source tree"):
        bench.bench(patients=100)


def test_an_impossible_target_is_refused_before_anything_is_filled(tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="no folder"):
        bench.bench(patients=100, target=tmp_path / "missing" / "bench.json")


def test_a_fixed_aim_is_held_against_the_slow_runs_and_a_factor_against_the_median() -> None:
    times = [1.0] * 18 + [40.0] * 2
    assert not summary("fixed", times, limit=30).passed
    assert summary("fixed", times, limit=40).passed
    assert summary("factor", times, [0.1] * 20, factor=True).passed
    assert not summary("factor", [2.4] * 20, [0.1] * 20, factor=True).passed
