"""The checks of medicines against a table of vignettes (`vignettes.txt`): what must fire fires, nothing common interrupts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from clinicdesk.interchange.medicine_cases import read_cases
from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.safety import Alert

TODAY = date(2026, 11, 21)
TABLE = Path(__file__).with_name("vignettes.txt")


def rows() -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            cells = [cell.strip() for cell in line.split("|")]
            assert len(cells) == 5, f"line {number}: {len(cells)} cells"
            yield number, cells


def patient(words: str, allergies: str, current: str) -> dict[str, Any]:
    sex, age, options = re.fullmatch(r"([MF])(\S+)((?: \w+=.*)?)", words).groups()  # type: ignore[union-attr]
    found = dict(re.findall(r"(\w+)=(.*?)(?= \w+=|$)", options))
    born = None
    if age.endswith("m"):
        born = TODAY - timedelta(days=int(age[:-1]) * 31)
    elif age != "-":
        born = TODAY.replace(year=TODAY.year - int(age))
    adult = born is None or TODAY.year - born.year >= 16
    egfr = found.get("egfr", "90")
    return {
        "sex": sex, "birth_date": born and born.isoformat(), "weight_kg": found.get("kg", "70" if adult else None),
        "egfr": None if egfr == "?" else egfr, "pregnant": {"yes": True, "no": False, "?": None}[found.get("preg", "no")],
        "allergies": None if allergies == "?" else [
            dict(zip(("substance", "reaction", "severity"), one.strip().split(":"), strict=True))
            for one in allergies.split(" ; ") if one != "none"],
        "medicines": [one for one in current.split(" ; ") if one], "problems": [found["problem"]] if "problem" in found else [],
    }


def line(words: str) -> dict[str, str]:
    return dict(zip(("medicine", "dose", "frequency"), [w.strip() for w in words.split(",")], strict=True))


def alerts(person: dict[str, Any], prescribe: list[dict[str, str]]) -> tuple[Alert, ...]:
    cases, _ = read_cases(json.dumps({"today": TODAY.isoformat(), "patient": person, "prescribe": prescribe}), TODAY)
    return check(cases[0].facts, cases[0].lines, shipped())


@pytest.mark.parametrize(("number", "cells"), list(rows()), ids=lambda value: str(value) if isinstance(value, int) else "")
def test_vignette(number: int, cells: list[str]) -> None:
    person, allergies, current, prescribed, expected = cells
    found = alerts(patient(person, allergies, current), [line(one) for one in prescribed.split("&&")])
    told = "\n".join(f"{a.rule} {a.tier}: {a.sentence}" for a in found)
    if expected == "max-dose-gap":
        assert any(a.rule == "not-checked" and "cannot be converted" in a.sentence for a in found), told
        return
    wanted = {one.strip() for one in expected.split(";")} - {"-"}
    serious = {f"{a.rule} {a.tier}" for a in found if a.tier < 3}
    assert serious == {one for one in wanted if not one.endswith(" 3")}, told
    assert wanted <= {f"{a.rule} {a.tier}" for a in found}, told


def test_the_table_is_as_large_as_promised() -> None:
    cases = list(rows())
    ordinary = TABLE.read_text(encoding="utf-8").split("## ordinary practice")[1].count("\n") - 1
    assert len(cases) >= 150 and ordinary >= 40
