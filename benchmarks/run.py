"""`clinicdesk bench`: fill a scratch clinic, measure, print a table, write the numbers."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import audits, databases, medicines, screens
from benchmarks.filling import Filled, administrator, fill
from benchmarks.measuring import Result, summary
from clinicdesk import __version__
from clinicdesk.clinic import open_clinic
from clinicdesk.config import load_settings
from clinicdesk.credentials import Credentials
from clinicdesk.storage.embedded import EmbeddedServers

_START_SECONDS = 120


def run(patients: int, target: Path | None, *, keep: bool = False, rounds: int = 100) -> int:
    """Measure with so many patients; 0 when all aims are met, 1 when something falls short. The scratch clinic is removed unless `keep`."""
    os.environ["CLINICDESK_SECRETS"] = "file"  # the passwords of a scratch clinic have no business in anybody's keyring
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    console = Console(width=None if sys.stdout.isatty() else 132)
    folder = Path(tempfile.mkdtemp(prefix="clinicdesk-bench-"))
    folder.chmod(0o711)
    data = folder / "clinic"
    try:
        results, facts = _measured(console, data, patients, rounds)
    finally:
        if (data / "run").exists():
            EmbeddedServers(data, Credentials(data)).stop_now()
        if keep:
            console.print(f"The scratch clinic is kept in {data}.")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    _show(console, results, facts)
    if target is not None:
        written = {**facts, "results": [r.as_json() for r in results]}
        target.write_text(json.dumps(written, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return 0 if all(r.passed for r in results) else 1


def _measured(console: Console, data: Path, patients: int, rounds: int) -> tuple[list[Result], dict[str, Any]]:
    settings = load_settings(data_dir=data).model_copy(update={"database_url": None, "mongodb_uri": None})
    clinic = open_clinic(settings, worker=False)
    try:
        begun = time.monotonic()
        filled = fill(clinic, patients)
        facts = _facts(filled, round(time.monotonic() - begun, 1))
        results = []
        with databases.floors_of(clinic) as floors:
            for source in (databases.measure, screens.measure, medicines.measure, audits.measure):
                for result in source(clinic, filled, floors, rounds):
                    console.print(_line(result))
                    results.append(result)
        with administrator(clinic) as admin:
            version = admin.execute("select current_setting('server_version'), pg_database_size(current_database()) / 1048576").fetchone()
            admin.execute("set search_path = jobs; delete from procrastinate_jobs")  # the deliveries that are done already
            facts["postgresql"], facts["database_mb"] = version or ("", 0)
    finally:
        clinic.close()
    starts = [_start(data) for _ in range(max(2, min(5, rounds // 10)))]
    seconds = [start["seconds"] * 1000 for start in starts]
    results.append(summary("Start to sign-in window (servers stopped before)", seconds, limit=3000))
    console.print(_line(results[-1]))
    facts["start_memory_mb"] = max(start["memory_mb"] for start in starts)
    facts["start_peak_mb"] = max(start["peak_mb"] for start in starts)
    return results, facts


def _start(data: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.opening", str(data), repr(time.time())]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=_START_SECONDS, cwd=Path(__file__).parent.parent, check=False,
                          env=environment)
    if done.returncode:
        raise RuntimeError(f"the application did not start: {done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _facts(filled: Filled, seconds: float) -> dict[str, Any]:
    return {"clinicdesk": __version__, "at": datetime.now(UTC).isoformat(timespec="seconds"), "python": platform.python_version(),
            "system": f"{platform.system()} {platform.machine()}", "processors": os.cpu_count(), "patients": filled.patients,
            "rows": filled.rows, "fill_seconds": seconds}


def _line(result: Result) -> str:
    floor = f", floor {result.floor_p50:.2f} ms" if result.floor_p50 is not None else ""
    return f"{result.name}: {result.p50:.2f} ms{floor}"


def _show(console: Console, results: list[Result], facts: dict[str, Any]) -> None:
    table = Table(title=f"{facts['patients']:,} patients, {facts['rows']['appointments']:,} appointments (ms)")
    for name in ("", "p50", "p95", "floor p50", "floor p95", "ratio", "aim", ""):
        table.add_column(name, justify="left" if not name else "right")
    for r in results:
        table.add_row(r.name, f"{r.p50:.2f}", f"{r.p95:.2f}", _number(r.floor_p50), _number(r.floor_p95), _number(r.ratio, "×"),
                      f"{r.aim:.2f}" if r.aim is not None else "", "" if r.aim is None else "ok" if r.passed else "FALLS SHORT")
    console.print(table)
    console.print(f"Filled in {facts['fill_seconds']:.0f} s; the database has {facts['database_mb']} MB."
                  f" The application at its sign-in window uses {facts['start_memory_mb']:.0f} MB.")
    for r in results:
        if not r.passed and r.aim is not None:
            console.print(f"Falls short: {r.name}: {r.measured:.1f} ms, aim {r.aim:.1f} ms ({r.aim_words}).")


def _number(value: float | None, unit: str = "") -> str:
    return "" if value is None else f"{value:.2f}{unit}"
