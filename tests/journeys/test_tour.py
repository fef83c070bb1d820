"""The tour is a journey itself: all roles, every step, and every picture it names is there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.mark.timeout(1_200)
def test_the_tour_passes_and_leaves_what_it_names(tmp_path: Path) -> None:
    out = tmp_path / "tour"
    done = subprocess.run([sys.executable, "-m", "clinicdesk", "tour", str(out)], capture_output=True, text=True, cwd=ROOT, check=False,
                          timeout=1_150, env={**os.environ, "QT_QPA_PLATFORM": "offscreen"})
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    record = json.loads((out / "tour.json").read_text(encoding="utf-8"))
    assert record["passed"] is True
    assert all(step["passed"] for step in record["steps"])
    assert {"receptionist", "doctor", "administrator"} <= {step["role"] for step in record["steps"]}
    named = [name for step in record["steps"] for name in step["pictures"]]
    assert len(named) == len(set(named)) >= 30
    for name in named:
        magic = b"%PDF" if name.endswith(".pdf") else b"\x89PNG"
        assert (out / name).read_bytes().startswith(magic), name
    assert any(name.endswith(".pdf") for name in named) and any(name.endswith("-dark.png") for name in named)
    assert sorted(path.name for path in out.iterdir() if path.name != "tour.json") == sorted(named)
