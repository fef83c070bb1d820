"""Who reads by patient asks for all records of the person: a service that forgets shows half a history after a merge."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SERVICES = sorted((ROOT / "clinicdesk" / "services").glob("*.py"))
#: Tables that describe one record, not the person: each record keeps its own.
OF_ONE_RECORD = {"PatientTerm", "PatientKey", "SealedField", "ContactTable", "EmergencyContact", "PatientTag", "ImportKey",
                 "Photo", "Alias", "DifferentPeople"}
#: Module and function → why it asks for one record on purpose.
ON_PURPOSE = {
    ("money.py", "wallet_entries"): "every record keeps its own wallet",
    ("duplicates.py", "_said_to_differ"): "pairs of records",
    ("merging.py", "separation"): "what was made for one of the two records",
    ("merging.py", "_titles"): "what stands under one of the two records",
}
ADVICE = ("asks for the rows of one record. A merged person has several: write `of_person(Table.patient_id, patient_id)` from"
          " clinicdesk/services/person.py, or name the table or function here with the reason.")


def comparisons(tree: ast.AST) -> Iterator[tuple[str, ast.Compare]]:
    """Function and comparison, for every `Table.patient_id == something that is no column`."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if not (isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq) and isinstance(node.left, ast.Attribute)
                    and node.left.attr == "patient_id"):
                continue
            other = node.comparators[0]
            named = isinstance(other, ast.Attribute) and other.attr in {"id", "patient_id"} and isinstance(other.value, ast.Name)
            joins = (named and (other.value.id[0].isupper() or len(other.value.id) == 1)) or (  # type: ignore[attr-defined]
                ast.unparse(other).endswith(".c.patient_id"))
            if not joins:
                yield function.name, node


@pytest.mark.parametrize("path", SERVICES, ids=lambda p: p.name)
def test_services_ask_for_the_whole_person(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    forgot = [f"{path.name}:{node.lineno} {function}: {ast.unparse(node)}" for function, node in comparisons(ast.parse(source))
              if ast.unparse(node.left.value) not in OF_ONE_RECORD and (path.name, function) not in ON_PURPOSE]  # type: ignore[attr-defined]
    assert not forgot, f"{forgot} {ADVICE}"
    assert not re.search(r"patient_id = [:%]", source), f"{path.name}: SQL text that {ADVICE}"
