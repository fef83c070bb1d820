"""The formulary: generic medicines with the forms and strengths they come in, read from the tables of `resources/medicines/`.

`presentations.csv` has one row for a medicine in a form: its strengths, the route (empty: the usual one of the form) and a source. Facts
only; no doses are suggested. Until a clinician has compared the table with its sources, every row says “not yet verified”.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clinicdesk.rules.directions import FORMS, ROUTES
from clinicdesk.rules.medicine_names import key_of


@dataclass(frozen=True, slots=True)
class Presentation:
    """One form and strength of a medicine, with where the fact was read."""

    form: str
    strength: str
    source: str


@dataclass(frozen=True, slots=True)
class Product:
    """A generic medicine; `route` is empty where the form's usual route holds, `presentations` where none are on file."""

    name: str
    route: str
    presentations: tuple[Presentation, ...]


class Formulary:
    """Look medicines up by name or another name of theirs, whatever the case. `names` are those with a form to offer, `others` the other
    names of these."""

    def __init__(self, products: Mapping[str, Product], also: Mapping[str, str] | None = None) -> None:
        self._products = {key_of(name): product for name, product in products.items()}
        for other, name in (also or {}).items():
            self._products.setdefault(key_of(other), products[name])
        self.names = tuple(sorted((p.name for p in products.values() if p.presentations), key=str.casefold))
        self.others = {other: name for other, name in (also or {}).items() if products[name].presentations}

    def find(self, name: str) -> Product | None:
        """The medicine of exactly this name; None when the formulary does not know it (free text)."""
        return self._products.get(key_of(name))

    def products(self) -> tuple[Product, ...]:
        """Every medicine once."""
        return tuple({id(p): p for p in self._products.values()}.values())


@cache
def read_formulary(folder: Path) -> Formulary:
    """Read the tables once. ValueError names the line whose form, route or source does not exist."""
    with (folder / "sources.csv").open(encoding="utf-8", newline="") as lines:
        titles = {row["key"]: row["title"] + ("" if row["read_on"] else "; not yet verified") for row in csv.DictReader(lines)}
    with (folder / "medicines.csv").open(encoding="utf-8", newline="") as lines:
        names = [(row["name"], row["also"]) for row in csv.DictReader(lines)]
    found: dict[str, tuple[str, list[Presentation]]] = {name: ("", []) for name, _ in names}
    path = folder / "presentations.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            if row["form"] not in FORMS or (row["route"] and row["route"] not in ROUTES) or row["source"] not in titles:
                raise ValueError(f"{path.name} line {number}: unknown form, route or source")
            route, rows = found.get(row["medicine"], ("", []))
            rows.extend(Presentation(row["form"], strength.strip(), titles[row["source"]]) for strength in row["strengths"].split(";"))
            found[row["medicine"]] = (row["route"] or route, rows)
    products = {name: Product(name, route, tuple(rows)) for name, (route, rows) in found.items()}
    return Formulary(products, {other.strip(): name for name, also in names for other in also.split(";") if other.strip()})
