"""RxNorm, Current Prescribable Content: clinical and branded medicines become names and strengths our checks know by their ingredients.

Reads RXNCONSO.RRF (names), RXNREL.RRF (what consists of what) and RXNSAT.RRF (strengths) line by line. Relations are followed by the kind
of their two ends, so their direction does not matter. A medicine whose ingredients are not all in our table is left out and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.doses import fmt_dose
from clinicdesk.rules.imported_medicines import ImportedName
from clinicdesk.rules.medicine_names import NameBook

FILES: Final = ("RXNCONSO.RRF", "RXNREL.RRF", "RXNSAT.RRF")
_KINDS: Final = frozenset({"IN", "SCD", "SCDC", "SBD", "BN", "DF"})
_LINKS: Final = frozenset({("SCD", "SCDC"), ("SCDC", "IN"), ("SCD", "DF"), ("SBD", "SCD"), ("BN", "IN")})
#: RxNorm's dose form → ours; what is not here has no form of ours and gives only a name.
_FORMS: Final[Mapping[str, str]] = MappingProxyType({
    "oral tablet": "tablet", "extended release oral tablet": "modified-release tablet",
    "12 hr extended release oral tablet": "modified-release tablet", "24 hr extended release oral tablet": "modified-release tablet",
    "delayed release oral tablet": "gastro-resistant tablet", "chewable tablet": "chewable tablet",
    "disintegrating oral tablet": "dispersible tablet", "tablet for oral suspension": "dispersible tablet",
    "sublingual tablet": "sublingual tablet", "oral capsule": "capsule", "extended release oral capsule": "modified-release capsule",
    "delayed release oral capsule": "modified-release capsule", "oral solution": "oral solution", "oral suspension": "oral suspension",
    "oral lozenge": "lozenge", "granules for oral suspension": "granules", "powder for oral solution": "powder",
    "metered dose inhaler": "inhaler", "dry powder inhaler": "dry powder inhaler", "inhalation solution": "nebuliser solution",
    "inhalation suspension": "nebuliser solution", "metered dose nasal spray": "nasal spray", "nasal spray": "nasal spray",
    "ophthalmic solution": "eye drops", "ophthalmic suspension": "eye drops", "ophthalmic ointment": "eye ointment",
    "otic solution": "ear drops", "otic suspension": "ear drops", "topical cream": "cream", "topical ointment": "ointment",
    "topical gel": "gel", "topical lotion": "lotion", "medicated shampoo": "shampoo", "transdermal system": "transdermal patch",
    "rectal suppository": "suppository", "vaginal insert": "pessary", "enema": "enema", "mouthwash": "mouthwash",
    "injectable solution": "solution for injection", "injection": "solution for injection",
    "injectable suspension": "solution for injection", "prefilled syringe": "prefilled syringe", "pen injector": "prefilled pen",
    "auto-injector": "prefilled pen",
})
_STRENGTH: Final = re.compile(r"(\d+(?:\.\d+)?) (MG|UNT|MMOL)(?:/(ML|ACTUAT|HR))?", re.IGNORECASE)
_UNIT: Final = {"MG": "mg", "UNT": "unit", "MMOL": "mmol"}
_PER: Final = {"ML": " in 1 mL", "ACTUAT": " per puff", "HR": " per hour", "": ""}


@dataclass(slots=True)
class RxNormReport:
    """What was read, what came of it, and what was left out (reason → count, with a few examples)."""

    read: Counter[str] = field(default_factory=Counter)
    taken: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def leave(self, reason: str, example: str) -> None:
        """Count something left out, keeping the first few by name."""
        self.left_out[reason] += 1
        shown = self.examples.setdefault(reason, [])
        if len(shown) < 5 and example not in shown:
            shown.append(example)


@dataclass(slots=True)
class _Content:
    kinds: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    links: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    strengths: dict[str, str] = field(default_factory=dict)

    def of(self, cui: str, kind: str) -> list[str]:
        return sorted(self.links.get((cui, kind), ()))


def files_of(folder: Path) -> list[Path]:
    """The three files, in the folder or in its `rrf` folder. `Invalid` says which one is missing."""
    for place in (folder, folder / "rrf"):
        found = {path.name.upper(): path for path in place.iterdir()} if place.is_dir() else {}
        if all(name in found for name in FILES):
            return [found[name] for name in FILES]
    missing = [name for name in FILES if not any((place / name).exists() for place in (folder, folder / "rrf"))]
    raise Invalid("folder", f"{folder} lacks {', '.join(missing) or 'files'}: unpack RxNorm’s prescribable content into one folder.")


def read_rxnorm(folder: Path, names: NameBook, ingredients_of: Mapping[str, tuple[str, ...]], report: RxNormReport,
                progress: Callable[[int], None] = lambda _: None) -> Iterator[ImportedName]:
    """Names with ingredients of our table (`names`, `ingredients_of`), each with form and strength where ours can say them.

    `progress` is told the bytes read since it was told last. `Invalid` when a file is missing or not RRF.
    """
    conso, rel, sat = files_of(folder)
    content = _Content()
    for row in _rows(conso, 17, progress):
        if row[11] == "RXNORM" and row[12] in _KINDS and row[16] == "N":
            content.kinds[row[0]], content.names[row[0]] = row[12], row[14]
            report.read[row[12]] += 1
    for row in _rows(rel, 11, progress):
        one, two = content.kinds.get(row[0]), content.kinds.get(row[4])
        if row[10] == "RXNORM" and one and two:
            if (one, two) in _LINKS:
                content.links.setdefault((row[0], two), set()).add(row[4])
            elif (two, one) in _LINKS:
                content.links.setdefault((row[4], one), set()).add(row[0])
    for row in _rows(sat, 11, progress):
        if row[8] == "RXN_STRENGTH" and content.kinds.get(row[0]) == "SCDC":
            content.strengths[row[0]] = row[10]
    ours = {cui: found for cui, kind in content.kinds.items()
            if kind == "IN" and (found := _ours(content.names[cui], names, ingredients_of))}
    yield from _medicines(content, ours, report)


def _rows(path: Path, columns: int, progress: Callable[[int], None]) -> Iterator[list[str]]:
    since = 0
    with path.open(encoding="utf-8", errors="replace", newline="") as lines:
        for number, line in enumerate(lines, 1):
            row = line.rstrip("\r\n").split("|")
            if len(row) < columns:
                raise Invalid("folder", f"{path.name} line {number} has {len(row)} columns, {columns} are needed: this is not RRF.")
            since += len(line)
            if since > 1_000_000:
                progress(since)
                since = 0
            yield row
    progress(since)


def _ours(name: str, names: NameBook, ingredients_of: Mapping[str, tuple[str, ...]]) -> str:
    found = names.read(name)
    if len(found.found) != 1 or found.unknown:
        return ""
    ingredients = ingredients_of[found.found[0]]
    return ingredients[0] if len(ingredients) == 1 else ""


def _medicines(content: _Content, ours: Mapping[str, str], report: RxNormReport) -> Iterator[ImportedName]:
    clinical: dict[str, ImportedName] = {}
    for cui, kind in content.kinds.items():
        if kind == "SCD" and (found := _clinical(content, cui, ours, report)):
            clinical[cui] = found
            report.taken["SCD"] += 1
            yield found
    for cui, kind in content.kinds.items():
        name = content.names[cui]
        if kind == "SBD":
            generic = next((clinical[scd] for scd in content.of(cui, "SCD") if scd in clinical), None)
            if generic is None:
                report.leave("branded medicine whose generic was left out", name)
                continue
            report.taken["SBD"] += 1
            yield ImportedName(name, "SBD", cui, generic.ingredients, generic.form, generic.strength)
        elif kind == "BN":
            members = [ours.get(i, "") for i in content.of(cui, "IN")]
            if not members or not all(members):
                report.leave("brand with an ingredient that is not in our table", name)
                continue
            report.taken["BN"] += 1
            yield ImportedName(name, "BN", cui, tuple(members), "", "")


def _clinical(content: _Content, cui: str, ours: Mapping[str, str], report: RxNormReport) -> ImportedName | None:
    parts: dict[str, str] = {}
    for component in content.of(cui, "SCDC"):
        for ingredient in content.of(component, "IN"):
            if ingredient not in ours:
                report.leave("ingredient that is not in our table", content.names[ingredient])
                return None
            parts[ours[ingredient]] = content.strengths.get(component) or _after(content.names[component])
    if not parts:
        report.leave("medicine without ingredients in the files", content.names[cui])
        return None
    form = next((_FORMS[f] for df in content.of(cui, "DF") if (f := content.names[df].casefold()) in _FORMS), "")
    strength = _joined(parts.values())
    if not form or not strength:
        report.leave("form or strength our lists cannot say (the name was taken)", content.names[cui])
        form = strength = ""
    return ImportedName(content.names[cui], "SCD", cui, tuple(parts), form, strength)


def _after(name: str) -> str:
    match = re.search(r"\d.*$", name)
    return match.group() if match else ""


def _joined(strengths: Iterable[str]) -> str:
    """`500 mg + 125 mg`, `25 mg in 1 mL`, `90 micrograms per puff`; empty where a part is in a unit we do not print."""
    amounts, ends = [], set()
    for text in strengths:
        match = _STRENGTH.fullmatch(text.strip())
        if match is None:
            return ""
        amounts.append(fmt_dose(Decimal(match[1]), _UNIT[match[2].upper()]))
        ends.add(_PER[(match[3] or "").upper()])
    return " + ".join(amounts) + ends.pop() if len(ends) == 1 else ""
