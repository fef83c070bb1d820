"""What the checks know about medicines, read once from the folder `resources/medicines/`: plain tables a clinician can read and approve.

- `sources.csv`: key, title, address, read_on. A source without a date was not read: such rows hold names and classes, never limits.
- `medicines.csv`: name, also (other names), ingredients (of a combination), groups (for allergy and interaction), therapy, source.
- `limits.csv`: one fact about one ingredient in a row: medicine, fact, value, unit, route, from_age, below_age, hard, note, source.
- `interactions.toml` and `allergies.toml`: the pairs that matter, with their tier.

The text of `approved` stands on every alert: until a clinician approved a table it is “not yet approved”.
"""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from clinicdesk.paths import resource
from clinicdesk.rules.formulary import Formulary, read_formulary
from clinicdesk.rules.medicine_names import NameBook, key_of

NOT_APPROVED: Final = "not yet approved"
TABLES: Final = ("medicines", "limits", "interactions", "allergies")
FACTS: Final = frozenset({"usual", "single-max", "daily-max", "weekly-max", "single-max-per-kg", "daily-max-per-kg", "min-age",
                          "kidney-avoid-below", "kidney-reduce-below", "pregnancy-contraindicated", "pregnancy-avoid",
                          "pregnancy-caution"})
#: Units a greatest dose may stand in.
MAX_UNITS: Final = ("g", "mg", "microgram", "unit", "mmol")


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts come from; `read_on` (ISO) is empty when it was not read for this table."""

    key: str
    title: str
    address: str = ""
    read_on: str = ""


@dataclass(frozen=True, slots=True)
class Medicine:
    """A generic medicine: its ingredients (itself, when it is one), the groups it belongs to and the therapies it duplicates."""

    name: str
    also: tuple[str, ...]
    ingredients: tuple[str, ...]
    groups: frozenset[str]
    therapy: frozenset[str]
    source: str


@dataclass(frozen=True, slots=True)
class Limit:
    """One fact about an ingredient. Ages in years; `route` empty for every route; `hard` limits interrupt when passed."""

    medicine: str
    fact: str
    value: Decimal | None
    unit: str
    route: str
    from_age: Decimal | None
    below_age: Decimal | None
    hard: bool
    note: str
    source: str

    def holds_for(self, age: Decimal | None, route: str) -> bool:
        """Whether it is about this age (None: an adult is assumed) and this route (empty: the route of the row is assumed)."""
        years = Decimal(30) if age is None else age
        if self.from_age is not None and years < self.from_age:
            return False
        if self.below_age is not None and years >= self.below_age:
            return False
        return not self.route or not route or self.route == route


@dataclass(frozen=True, slots=True)
class Interaction:
    """A rule about two sets of ingredients; `mutual` when any two of the first set meet."""

    key: str
    tier: int
    title: str
    objects: frozenset[str]
    precipitants: frozenset[str]
    what: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class AllergyClass:
    """A class as people write it into an allergy list (“penicillins”, “sulfa”) and the ingredients that belong to it.

    `severe_tier` is for a severe reaction to the class itself; a severe reaction to one member stays at `tier` for the others, and
    says nothing of them where the class is `wide`.
    """

    name: str
    words: tuple[str, ...]
    members: frozenset[str]
    tier: int
    mild_tier: int
    severe_tier: int
    wide: bool
    source: str


@dataclass(frozen=True, slots=True)
class CrossReaction:
    """An allergy to one of `allergies` and a medicine of `medicines`; `severe_tier` when the reaction was severe."""

    key: str
    tier: int
    severe_tier: int
    allergies: frozenset[str]
    medicines: frozenset[str]
    what: str
    advice: str
    source: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All tables, read and joined. `approved` maps a table to what is to be said of its approval."""

    medicines: Mapping[str, Medicine]
    names: NameBook
    formulary: Formulary
    limits: Mapping[str, tuple[Limit, ...]]
    interactions: Mapping[tuple[str, str], tuple[Interaction, ...]]
    allergy_classes: tuple[AllergyClass, ...]
    allergy_names: NameBook
    cross_reactions: tuple[CrossReaction, ...]
    other_names: NameBook
    sources: Mapping[str, Source]
    dates: Mapping[str, str]
    approved: Mapping[str, str] = field(default_factory=dict)

    def source(self, key: str) -> str:
        """A source in words for an alert: its title, its address, and when it was read or that nobody did."""
        known = self.sources[key]
        read = f"read {known.read_on}" if known.read_on else "not yet verified"
        return ", ".join(part for part in (known.title, known.address, read) if part)

    def approval(self, table: str) -> str:
        """What is said of the approval of a table."""
        return self.approved.get(table, NOT_APPROVED)

    def group(self, name: str) -> frozenset[str]:
        """The ingredients of a group."""
        return frozenset(m.name for m in self.medicines.values() if name in m.groups)


def shipped() -> Knowledge:
    """The tables that came with the program, read once."""
    return read_knowledge(resource("medicines"))


@cache
def read_knowledge(folder: Path) -> Knowledge:
    """Read all tables of the folder once. ValueError names table, row and fault: a table that contradicts itself is not used."""
    sources = {row["key"]: Source(row["key"], row["title"], row["address"], row["read_on"]) for _, row in _rows(folder / "sources.csv")}
    about = tomllib.loads((folder / "about.toml").read_text(encoding="utf-8"))
    medicines = dict(_medicines(folder / "medicines.csv", sources))
    limits = _limits(folder / "limits.csv", medicines, sources)
    rules = _Rules(medicines, sources)
    classes, crossed, others = rules.allergies(folder / "allergies.toml")
    formulary = read_formulary(folder)
    for product in formulary.products():
        if product.name not in medicines:
            raise ValueError(f"presentations.csv: {product.name} is not in medicines.csv")
    return Knowledge(
        medicines=MappingProxyType(medicines), formulary=formulary, limits=MappingProxyType(limits),
        names=NameBook({word: m.name for m in medicines.values() for word in (m.name, *m.also)}),
        interactions=MappingProxyType(rules.interactions(folder / "interactions.toml")), allergy_classes=classes,
        allergy_names=NameBook({word: c.name for c in classes for word in c.words}), cross_reactions=crossed, other_names=NameBook(others),
        sources=MappingProxyType(sources), dates=MappingProxyType({table: str(about["dates"][table]) for table in TABLES}))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    with path.open(encoding="utf-8", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            yield number, {key: (value or "").strip() for key, value in row.items() if key}


def _parts(text: str, separator: str = ";") -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())


def _medicines(path: Path, sources: Mapping[str, Source]) -> Iterator[tuple[str, Medicine]]:
    found: dict[str, Medicine] = {}
    for number, row in _rows(path):
        name = row["name"]
        if name in found or row["source"] not in sources:
            raise ValueError(f"{path.name} line {number}: {name} stands there twice or has no known source")
        ingredients = _parts(row["ingredients"], "+") or (name,)
        found[name] = Medicine(name, _parts(row["also"]), ingredients, frozenset(_parts(row["groups"])), frozenset(_parts(row["therapy"])),
                               row["source"])
    for medicine in found.values():
        if strange := [i for i in medicine.ingredients if i not in found or found[i].ingredients != (i,)]:
            raise ValueError(f"{path.name}: {medicine.name} holds {strange[0]}, which is no single ingredient of the table")
    yield from found.items()


def _limits(path: Path, medicines: Mapping[str, Medicine], sources: Mapping[str, Source]) -> dict[str, tuple[Limit, ...]]:
    found: dict[str, list[Limit]] = {}
    for number, row in _rows(path):
        where = f"{path.name} line {number}"
        if row["fact"] not in FACTS or row["medicine"] not in medicines:
            raise ValueError(f"{where}: unknown fact or medicine, {row['medicine']} {row['fact']}")
        if ("-max" in row["fact"]) != bool(row["unit"]) or row["unit"] not in {"", *MAX_UNITS}:
            raise ValueError(f"{where}: a greatest dose is in one of {', '.join(MAX_UNITS)}, other facts have no unit")
        if row["source"] not in sources or not sources[row["source"]].read_on:
            raise ValueError(f"{where}: a limit needs a source that was read")
        found.setdefault(row["medicine"], []).append(Limit(
            row["medicine"], row["fact"], _number(row["value"]), row["unit"], row["route"], _number(row["from_age"]),
            _number(row["below_age"]), row["hard"] == "yes", row["note"], row["source"]))
    return {name: tuple(rows) for name, rows in found.items()}


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


class _Rules:
    """Reads the two rule tables; a member is an ingredient or `group:NAME`, and must exist."""

    def __init__(self, medicines: Mapping[str, Medicine], sources: Mapping[str, Source]) -> None:
        self._medicines, self._sources = medicines, sources

    def _members(self, words: Iterable[str], where: str) -> frozenset[str]:
        found: set[str] = set()
        for word in words:
            if word.startswith("group:"):
                group = {m.name for m in self._medicines.values() if word[6:] in m.groups and m.ingredients == (m.name,)}
                if not group:
                    raise ValueError(f"{where}: no medicine belongs to {word}")
                found |= group
            elif word in self._medicines:
                found.add(word)
            else:
                raise ValueError(f"{where}: {word} is not in medicines.csv")
        return frozenset(found)

    def _source(self, row: Mapping[str, Any], where: str) -> str:
        if row.get("source") not in self._sources:
            raise ValueError(f"{where}: unknown source")
        return str(row["source"])

    def interactions(self, path: Path) -> dict[tuple[str, str], tuple[Interaction, ...]]:
        found: dict[tuple[str, str], list[Interaction]] = {}
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["rule"]:
            where = f"{path.name} {row['key']}"
            objects = self._members(row["objects"], where)
            precipitants = objects if row.get("each_other") else self._members(row["precipitants"], where)
            rule = Interaction(row["key"], int(row["tier"]), row["title"], objects, precipitants, row["what"], row["advice"],
                               self._source(row, where))
            for one in objects:
                for other in precipitants:
                    if one != other:
                        for pair in ((one, other), (other, one)):
                            rules = found.setdefault(pair, [])
                            if rule not in rules:
                                rules.append(rule)
        return {pair: tuple(sorted(rules, key=lambda r: r.tier)) for pair, rules in found.items()}

    def allergies(self, path: Path) -> tuple[tuple[AllergyClass, ...], tuple[CrossReaction, ...], dict[str, str]]:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        classes = tuple(
            AllergyClass(row["name"], tuple(row["words"]), self._members(row["members"], f"{path.name} {row['name']}"), int(row["tier"]),
                         int(row["mild_tier"]), int(row["severe_tier"]), bool(row.get("wide")),
                         self._source(row, f"{path.name} {row['name']}"))
            for row in table["class"])
        crossed = tuple(
            CrossReaction(row["key"], int(row["tier"]), int(row.get("severe_tier", row["tier"])),
                          self._members(row["allergies"], f"{path.name} {row['key']}"),
                          self._members(row["medicines"], f"{path.name} {row['key']}"), row["what"], row["advice"],
                          self._source(row, f"{path.name} {row['key']}"))
            for row in table["cross"])
        return classes, crossed, {word: key_of(word) for word in table["not_medicines"]["words"]}
