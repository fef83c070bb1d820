"""`clinicdesk verify` on a computer that knows nobody, and on one that does: answers, exit codes, JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from clinicdesk.cli import _run
from clinicdesk.verifying.trust import written
from tests.pdf.test_prescription import sheet
from tests.signing import KEY, signed, trust_of


def answer(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    code = _run(["verify", *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    path = tmp_path / "prescription.pdf"
    path.write_bytes(signed(sheet())[1])
    return path


def test_without_a_trust_list_nobody_is_known_and_an_alteration_is_found(
    paper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ("--data-dir", str(tmp_path / "nothing"))
    code, found = answer(capsys, str(paper), *folder)
    assert (code, found["status"]) == (1, "unknown key") and "no trust list" in str(found["notes"])
    content = bytearray(paper.read_bytes())
    content[len(content) // 2] ^= 1
    paper.write_bytes(content)
    code, found = answer(capsys, str(paper), *folder)
    assert (code, found["status"]) == (1, "altered") and found["differences"]


def test_with_the_list_it_is_valid_and_a_list_that_is_named_must_exist(
    paper: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trust = tmp_path / "trust.json"
    trust.write_text(written(trust_of(), KEY), encoding="utf-8")
    code, found = answer(capsys, str(paper), "--trust", str(trust))
    assert (code, found["status"]) == (0, "valid")
    assert _run(["verify", str(paper), "--trust", str(tmp_path / "missing.json"), "--json"]) == 2
    assert "trust list" in capsys.readouterr().err
