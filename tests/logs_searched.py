"""No log of this run may hold anybody's data: what the tests' patients are called, their telephones, what was written about them, and every
password and token. Searched when a folder of a clinic is taken away and at the end of the run; the file and the line are named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

#: What the tests type, as it would stand in a log. Names that are in the folders' own paths (Praxis Müller) are not here.
PATIENT_DATA = re.compile("|".join((
    r"Example\d", r"\bMaria\b", r"Belastung\d", r"\bAdler\b", r"\bGarcía\b", r"\bNovák\b", r"Brien\b", "Щербаков", "Иванова", r"\bMeyer\b",
    r"[Cc]anary", r"Zwielicht", r"[Zz]zyzx", r"\+49[ -]?17\d", r"\+49[ -]?30\d", r"\b078-?05-?1120\b", r"\b123-?45-?6789\b",
    r"4 Test Road", r"[Cc]ough\b", r"Rest and fluids", r"[Hh]igh blood pressure", r"a quiet morning 7", r"BEGIN [A-Z ]*PRIVATE KEY",
    r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{64}(?![\w-])",  # a session token: 48 bytes in base 64
)))


def log_files(folder: Path) -> Iterator[Path]:
    """Logs, rotated logs and crash reports below a folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and (path.parent.name == "log" or re.search(r"\.log(\.\d+)?$|crash|fault", path.name)):
            yield path


def secrets_of(folder: Path) -> set[str]:
    """The passwords and keys of the clinics below a folder, as they are kept on this computer."""
    found: set[str] = set()
    for path in folder.rglob("secrets.json"):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:  # a test broke it on purpose
            continue
        found |= {value for value in kept.values() if isinstance(value, str) and len(value) > 10}
    return found


def leaks(folder: Path) -> list[str]:
    """`file:line: what` for everything in the logs below a folder that must not be there."""
    secrets, found = secrets_of(folder), []
    for path in log_files(folder):
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            hit = PATIENT_DATA.search(line)
            if hit or any(secret in line for secret in secrets):
                found.append(f"{path}:{number}: {hit.group() if hit else 'a password'}")
    return found


def search(folder: Path) -> None:
    """Fail naming each place."""
    hits = leaks(folder)
    assert not hits, "logs hold what must not be in a log:\n" + "\n".join(hits[:20])
