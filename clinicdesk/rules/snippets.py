"""Text templates for notes: patient fields in braces, prompts in double brackets.

`{patient}`, `{age}`, `{sex}`, `{born}`, `{date}` and `{doctor}` are filled in; `[[question]]` asks for words, `[[question: one / two]]`
offers choices. Nothing is guessed: a prompt left empty stays visible as `[question]` so that nobody signs over it unseen.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

FIELDS: Final = ("patient", "age", "sex", "born", "date", "doctor")
_PROMPT = re.compile(r"\[\[([^\[\]:]+)(?::([^\[\]]+))?\]\]")
_FIELD = re.compile(r"\{([a-z_]+)\}")
_EITHER = re.compile(_PROMPT.pattern + r"|\{(?P<field>[a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A question of a template; without choices any words are an answer."""

    question: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """A template for one kind of note, or for all when `kind` is empty."""

    name: str
    kind: str
    text: str


def prompts(text: str) -> tuple[Prompt, ...]:
    """The questions of a template, each once, in order."""
    found: dict[str, Prompt] = {}
    for match in _PROMPT.finditer(text):
        question = match.group(1).strip()
        choices = tuple(c.strip() for c in (match.group(2) or "").split("/") if c.strip())
        found.setdefault(question, Prompt(question, choices))
    return tuple(found.values())


def filled(text: str, fields: Mapping[str, str], answers: Mapping[str, str]) -> str:
    """The template with fields and answers in place.

    Raises KeyError for a field that does not exist: a template is checked when it is read, never while writing.
    """

    def put(match: re.Match[str]) -> str:
        if match.group("field"):
            return fields[match.group("field")]
        question = match.group(1).strip()
        return answers.get(question, "").strip() or f"[{question}]"

    return _EITHER.sub(put, text)


@cache
def read_snippets(path: Path) -> tuple[Snippet, ...]:
    """The templates of a file. ValueError names the one with an unknown field."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    found = []
    for row in raw["template"]:
        unknown = {name for name in _FIELD.findall(row["text"]) if name not in FIELDS}
        if unknown:
            raise ValueError(f"template {row['name']}: unknown field {', '.join(sorted(unknown))}")
        found.append(Snippet(row["name"], row.get("kind", ""), row["text"].strip()))
    return tuple(found)
