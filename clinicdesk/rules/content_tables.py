"""The tables of clinical content that a clinician approves: which files each is made of, its version, its rows, its fingerprint."""

from __future__ import annotations

import csv
import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

#: Table → (title, files). The sources belong to each: a fact and where it was read are approved together.
FILES: Final = {
    "medicines": ("Medicines, their ingredients, groups and presentations", ("medicines.csv", "presentations.csv")),
    "limits": ("Dose, age, kidney and pregnancy limits", ("limits.csv",)),
    "interactions": ("Interactions", ("interactions.toml",)),
    "allergies": ("Allergy classes and cross-reactions", ("allergies.toml",)),
}


@dataclass(frozen=True, slots=True)
class ContentTable:
    """One table as it is shipped. `sha256` is over its files and the sources; any change of them is another version."""

    name: str
    title: str
    version: str
    rows: int
    sources: int
    sources_read: int
    sha256: str


@cache
def content_tables(folder: Path) -> tuple[ContentTable, ...]:
    """All tables of the folder, read once."""
    dates = tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))["dates"]
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as lines:
        sources = {row["key"]: bool(row["read_on"]) for row in csv.DictReader(lines)}
    return tuple(_table(folder, name, str(dates[name]), sources) for name in FILES)


def _table(folder: Path, name: str, version: str, sources: dict[str, bool]) -> ContentTable:
    title, files = FILES[name]
    digest, rows, used = hashlib.sha256(), 0, set()
    for file in (*files, "sources.csv"):
        data = (folder / file).read_bytes()
        digest.update(file.encode() + b"\0" + data + b"\0")
        if file != "sources.csv":
            entries = _entries(folder / file)
            rows += len(entries)
            used |= {str(entry["source"]) for entry in entries if entry.get("source")}
    return ContentTable(name, title, version, rows, len(used), sum(sources.get(key, False) for key in used), digest.hexdigest())


def _entries(path: Path) -> list[dict[str, object]]:
    if path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as lines:
            return [dict(row) for row in csv.DictReader(lines)]
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return [entry for part in table.values() if isinstance(part, list) for entry in part]
