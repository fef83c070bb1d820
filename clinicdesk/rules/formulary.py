"""The formulary: generic medicines with the forms and strengths they come in, read from `resources/formulary.csv`.

A row is one presentation: name, route (empty: the usual one of its form), form, strength, source. Facts only; no doses are suggested.
Until a clinician has compared the table with its sources, every row says “not yet verified”.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from clinicdesk.rules.directions import FORMS, ROUTES


@dataclass(frozen=True, slots=True)
class Presentation:
    """One form and strength of a medicine, with where the fact was read."""

    form: str
    strength: str
    source: str


@dataclass(frozen=True, slots=True)
class Product:
    """A generic medicine; `route` is empty where the form's usual route holds."""

    name: str
    route: str
    presentations: tuple[Presentation, ...]


class Formulary:
    """Look medicines up by name, whatever the case."""

    def __init__(self, products: Mapping[str, Product]) -> None:
        self._products = {name.casefold(): product for name, product in products.items()}
        self.names = tuple(sorted((p.name for p in products.values()), key=str.casefold))

    def find(self, name: str) -> Product | None:
        """The medicine of exactly this name; None when the formulary does not know it (free text)."""
        return self._products.get(" ".join(name.split()).casefold())


@cache
def read_formulary(path: Path) -> Formulary:
    """Read the table once. ValueError names the line whose form or route does not exist."""
    found: dict[str, tuple[str, list[Presentation]]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            if row["form"] not in FORMS or (row["route"] and row["route"] not in ROUTES):
                raise ValueError(f"{path.name} line {number}: unknown form or route")
            found.setdefault(row["name"], (row["route"], []))[1].append(Presentation(row["form"], row["strength"], row["source"]))
    return Formulary({name: Product(name, route, tuple(rows)) for name, (route, rows) in found.items()})
