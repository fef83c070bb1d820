"""Templates for notes: fields, prompts, and nothing guessed."""

from pathlib import Path

import pytest

from clinicdesk.paths import resource
from clinicdesk.rules.snippets import FIELDS, Prompt, filled, prompts, read_snippets
from clinicdesk.services.drafts import NOTE_KINDS

TEXT = "{patient} has [[complaint]], [[course: better / worse]]. Again: [[complaint]]."


def test_questions_come_once_and_in_order() -> None:
    assert prompts(TEXT) == (Prompt("complaint"), Prompt("course", ("better", "worse")))


def test_answers_and_fields_stand_in_their_places() -> None:
    words = filled(TEXT, {"patient": "Ana Kim"}, {"complaint": "cough", "course": "worse"})
    assert words == "Ana Kim has cough, worse. Again: cough."


def test_what_is_not_answered_stays_visible() -> None:
    assert filled("Pain in [[where]].", {}, {"where": "  "}) == "Pain in [where]."


def test_braces_in_an_answer_are_not_fields() -> None:
    assert filled("[[x]] {age}", {"age": "61y"}, {"x": "{age} {odd}"}) == "{age} {odd} 61y"


def test_shipped_templates_are_whole() -> None:
    shipped = read_snippets(resource("note_templates.toml"))
    assert len(shipped) >= 6
    for snippet in shipped:
        assert snippet.kind in {*NOTE_KINDS, ""}
        assert filled(snippet.text, dict.fromkeys(FIELDS, "x"), {})


def test_an_unknown_field_is_refused_when_the_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text('[[template]]\nname = "Bad"\ntext = "{ssn}"\n', encoding="utf-8")
    with pytest.raises(ValueError, match="Bad"):
        read_snippets(path)
