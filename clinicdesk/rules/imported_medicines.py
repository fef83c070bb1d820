"""Medicines a clinic imported (RxNorm): a table in its data folder, read beside the shipped ones.

They add names, forms and strengths; what the checks know of them is what the shipped tables know of their ingredients. A name that the
shipped tables already have keeps its meaning there.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from clinicdesk.rules.formulary import Formulary, Presentation, Product
from clinicdesk.rules.knowledge import Knowledge, Medicine, shipped
from clinicdesk.rules.medicine_names import NameBook, key_of

FILE: Final = "medicines/rxnorm.csv"
COLUMNS: Final = ("name", "kind", "code", "ingredients", "form", "strength")
SOURCE: Final = "rxnorm"
_TITLE: Final = "RxNorm, imported by this clinic"


@dataclass(frozen=True, slots=True)
class ImportedName:
    """A name and what it holds; `form` and `strength` are empty where our lists cannot say them."""

    name: str
    kind: str
    code: str
    ingredients: tuple[str, ...]
    form: str
    strength: str


def write_imported(path: Path, rows: Iterable[ImportedName]) -> int:
    """Write the table beside itself and put it in place whole; how many rows it has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    count = 0
    with fresh.open("w", encoding="utf-8", newline="") as target:
        table = csv.writer(target, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            table.writerow((row.name, row.kind, row.code, " + ".join(row.ingredients), row.form, row.strength))
            count += 1
    fresh.replace(path)
    return count


def clinic_knowledge(data_dir: Path | None) -> Knowledge:
    """The shipped tables and what this clinic imported; the shipped ones alone where nothing was.

    A row whose ingredient the shipped tables no longer have is left out: its name is then unknown, which the checks say.
    """
    path = data_dir / FILE if data_dir else None
    return shipped() if path is None or not path.exists() else _joined(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _joined(path: Path, _changed: int) -> Knowledge:
    known = shipped()
    medicines = dict(known.medicines)
    names = {key_of(word): m.name for m in known.medicines.values() for word in (m.name, *m.also)}
    products = {p.name: list(p.presentations) for p in known.formulary.products()}
    routes = {p.name: p.route for p in known.formulary.products()}
    by_ingredients = {tuple(sorted(m.ingredients)): m.name for m in medicines.values()}
    for row in _rows(path, known):
        key = tuple(sorted(row.ingredients))
        name = by_ingredients.get(key)
        if name is None:
            name = by_ingredients[key] = " + ".join(row.ingredients)
            medicines[name] = Medicine(name, (), row.ingredients, frozenset(), frozenset(), SOURCE)
            names.setdefault(key_of(name), name)
            products[name], routes[name] = [], ""
        if row.kind == "BN" and not known.names.read(row.name).found:
            names.setdefault(key_of(row.name), name)
        same_order = medicines[name].ingredients == row.ingredients
        if row.form and row.strength and same_order and all((p.form, p.strength) != (row.form, row.strength) for p in products[name]):
            products[name].append(Presentation(row.form, row.strength, _TITLE))
    also = {other: m.name for m in known.medicines.values() for other in m.also}
    formulary = Formulary({name: Product(name, routes[name], tuple(rows)) for name, rows in products.items()}, also)
    return replace(known, medicines=MappingProxyType(medicines), names=NameBook(names), formulary=formulary)


def _rows(path: Path, known: Knowledge) -> Iterable[ImportedName]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            ingredients = tuple(row["ingredients"].split(" + "))
            if all(i in known.medicines for i in ingredients):
                yield ImportedName(row["name"], row["kind"], row["code"], ingredients, row["form"], row["strength"])
