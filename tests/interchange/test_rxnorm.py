"""RxNorm’s prescribable content: a small one written here, and one of full size that must be read within a minute."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clinicdesk.cli import app
from clinicdesk.errors import Invalid
from clinicdesk.interchange.rxnorm import RxNormReport, read_rxnorm
from clinicdesk.rules.checks import check
from clinicdesk.rules.imported_medicines import ImportedName, clinic_knowledge, write_imported
from clinicdesk.rules.knowledge import shipped
from clinicdesk.rules.safety import KnownAllergy, PatientFacts, Prescribed

NAMES = [
    ("723", "IN", "amoxicillin", "N"), ("48203", "IN", "clavulanate", "N"), ("435", "IN", "albuterol", "N"), ("1", "IN", "zzyrdin", "N"),
    ("317541", "DF", "Oral Tablet", "N"), ("2", "DF", "Metered Dose Inhaler", "N"), ("3", "DF", "Drug Implant", "N"),
    ("308192", "SCD", "amoxicillin 500 MG Oral Tablet", "N"), ("562508", "SCD", "amoxicillin 875 MG / clavulanate 125 MG Oral Tablet", "N"),
    ("245314", "SCD", "albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "N"), ("4", "SCD", "zzyrdin 5 MG Oral Tablet", "N"),
    ("5", "SCD", "amoxicillin 9 MG Drug Implant", "N"), ("6", "SCD", "amoxicillin 1 MG Oral Tablet", "O"),
    ("11", "SCDC", "amoxicillin 500 MG", "N"), ("12", "SCDC", "amoxicillin 875 MG", "N"), ("13", "SCDC", "clavulanate 125 MG", "N"),
    ("14", "SCDC", "albuterol 0.09 MG/ACTUAT", "N"), ("15", "SCDC", "zzyrdin 5 MG", "N"), ("16", "SCDC", "amoxicillin 9 MG", "N"),
    ("151392", "BN", "Augmentin", "N"), ("21", "BN", "Zzy", "N"),
    ("562251", "SBD", "amoxicillin 875 MG / clavulanate 125 MG Oral Tablet [Augmentin]", "N"), ("22", "SBD", "zzyrdin [Zzy]", "N"),
]
LINKS = [
    ("11", "308192", "consists_of"), ("12", "562508", "consists_of"), ("13", "562508", "consists_of"), ("14", "245314", "consists_of"),
    ("15", "4", "consists_of"), ("16", "5", "consists_of"), ("723", "11", "has_ingredient"), ("723", "12", "has_ingredient"),
    ("48203", "13", "has_ingredient"), ("435", "14", "has_ingredient"), ("1", "15", "has_ingredient"), ("723", "16", "has_ingredient"),
    ("317541", "308192", "has_dose_form"), ("317541", "562508", "has_dose_form"), ("2", "245314", "has_dose_form"),
    ("317541", "4", "has_dose_form"), ("3", "5", "has_dose_form"), ("151392", "723", "has_tradename"), ("48203", "151392", "tradename_of"),
    ("562251", "562508", "has_tradename"), ("22", "4", "has_tradename"), ("21", "1", "has_tradename"),
]


def write(folder: Path, names: list[tuple[str, str, str, str]], links: list[tuple[str, str, str]]) -> Path:
    rows = []
    for cui, kind, name, suppress in names:
        row = [""] * 18
        row[0], row[1], row[11], row[12], row[14], row[16] = cui, "ENG", "RXNORM", kind, name, suppress
        rows.append("|".join(row) + "|")
    (folder / "RXNCONSO.RRF").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = []
    for one, two, word in links:
        row = [""] * 16
        row[0], row[3], row[4], row[7], row[10] = one, "RO", two, word, "RXNORM"
        rows.append("|".join(row) + "|")
    (folder / "RXNREL.RRF").write_text("\n".join(rows) + "\n", encoding="utf-8")
    rows = []
    for cui, kind, name, _ in names:
        if kind == "SCDC":
            row = [""] * 13
            row[0], row[8], row[9], row[10] = cui, "RXN_STRENGTH", "RXNORM", " ".join(name.split()[1:])
            rows.append("|".join(row) + "|")
    (folder / "RXNSAT.RRF").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def read(folder: Path) -> tuple[list[ImportedName], RxNormReport]:
    report = RxNormReport()
    known = shipped()
    return list(read_rxnorm(folder, known.names, {m.name: m.ingredients for m in known.medicines.values()}, report)), report


def test_medicines_are_known_by_their_ingredients_forms_and_strengths(tmp_path: Path) -> None:
    found, report = read(write(tmp_path, NAMES, LINKS))
    assert {(f.kind, f.ingredients, f.form, f.strength) for f in found} == {
        ("SCD", ("amoxicillin",), "tablet", "500 mg"),
        ("SCD", ("amoxicillin", "clavulanic acid"), "tablet", "875 mg + 125 mg"),
        ("SCD", ("salbutamol",), "inhaler", "90 micrograms per puff"),
        ("SCD", ("amoxicillin",), "", ""),
        ("SBD", ("amoxicillin", "clavulanic acid"), "tablet", "875 mg + 125 mg"),
        ("BN", ("clavulanic acid", "amoxicillin"), "", ""),
    }
    assert report.read["SCD"] == 5 and report.taken["SCD"] == 4 and report.taken["BN"] == 1
    assert report.examples["ingredient that is not in our table"] == ["zzyrdin"]
    assert report.left_out["branded medicine whose generic was left out"] == 1


def test_an_imported_brand_takes_part_in_the_checks(tmp_path: Path) -> None:
    folder = tmp_path / "rrf"
    folder.mkdir()
    result = CliRunner().invoke(app, ["import", "rxnorm", str(write(folder, NAMES, LINKS)), "--data-dir", str(tmp_path), "--json"])
    told = json.loads(result.stdout)
    assert result.exit_code == 0 and told["ok"] and told["taken"] == {"SCD": 4, "SBD": 1, "BN": 1}, result.output
    known = clinic_knowledge(tmp_path)
    facts = PatientFacts(date(2026, 11, 21), allergies=(KnownAllergy("Augmentin", "hives"),))
    alerts = check(facts, [Prescribed("amoxicillin")], known)
    assert ("allergy", 1) in {(a.rule, a.tier) for a in alerts}
    assert ("not-checked", 2) in {(a.rule, a.tier) for a in check(facts, [Prescribed("amoxicillin")], shipped())}
    product = known.formulary.find("salbutamol")
    assert product is not None and ("inhaler", "90 micrograms per puff") in {(p.form, p.strength) for p in product.presentations}


def test_a_second_import_replaces_the_first_and_is_seen_at_once(tmp_path: Path) -> None:
    path = tmp_path / "medicines" / "rxnorm.csv"
    write_imported(path, [ImportedName("Zubrin", "BN", "1", ("ibuprofen",), "", "")])
    assert clinic_knowledge(tmp_path).names.exactly("zubrin") == "ibuprofen"
    write_imported(path, [ImportedName("Zubrilla", "BN", "1", ("ibuprofen",), "", "")])
    assert clinic_knowledge(tmp_path).names.exactly("zubrin") is None
    assert clinic_knowledge(tmp_path).names.exactly("Zubrilla") == "ibuprofen"


def test_a_folder_that_is_no_rxnorm_is_one_sentence(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["import", "rxnorm", str(tmp_path), "--data-dir", str(tmp_path)])
    assert result.exit_code == 2 and "RXNCONSO.RRF" in result.stderr and len(result.stderr.splitlines()) == 1
    write(tmp_path, NAMES, LINKS)
    (tmp_path / "RXNREL.RRF").write_text("a,b,c\n", encoding="utf-8")
    with pytest.raises(Invalid, match=r"RXNREL\.RRF line 1 has 1 columns"):
        read(tmp_path)


def test_the_full_size_is_read_within_a_minute(tmp_path: Path) -> None:
    known = sorted(n for n, m in shipped().medicines.items() if m.ingredients == (n,))[:500]
    names = [("317541", "DF", "Oral Tablet", "N")] + [(f"i{n}", "IN", name, "N") for n, name in enumerate(known)]
    links = []
    for n in range(12_768):
        ingredient = n % len(known)
        words = f"{known[ingredient]} {n + 1} MG"
        names += [(f"c{n}", "SCDC", words, "N"), (f"s{n}", "SCD", f"{words} Oral Tablet", "N")]
        links += [(f"c{n}", f"s{n}", "consists_of"), (f"i{ingredient}", f"c{n}", "has_ingredient"), ("317541", f"s{n}", "has_dose_form")]
    write(tmp_path, names, links)
    started = time.monotonic()
    found, report = read(tmp_path)
    assert report.taken["SCD"] == len(found) >= 12_000
    write_imported(tmp_path / "medicines" / "rxnorm.csv", found)
    clinic_knowledge(tmp_path)
    assert time.monotonic() - started < 60
