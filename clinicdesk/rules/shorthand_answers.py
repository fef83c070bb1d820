"""What reading a typed line gives: the line as understood, or the questions that stand in the way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from clinicdesk.rules.directions import Direction, in_words

#: Asked where a line is only a part of a direction.
HOW_MUCH: Final = "How much is one dose?"
HOW_OFTEN: Final = "How often?"


@dataclass(frozen=True, slots=True)
class Question:
    """What is unclear: the field it is about, one sentence, and what could be meant (empty when only a person knows)."""

    field: str
    sentence: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Parsed:
    """A line as understood. `medicine` is a name of the formulary or empty; `strength` and `form` only where typed or settled by it."""

    direction: Direction = field(default_factory=Direction)
    medicine: str = ""
    strength: str = ""
    form: str = ""
    indication: str = ""
    long_term: bool = False

    @property
    def text(self) -> str:
        """The direction in full words."""
        return in_words(self.direction)


@dataclass(frozen=True, slots=True)
class Unclear:
    """Why a line is not taken, in the order of the line, and what of it was understood."""

    questions: tuple[Question, ...]
    understood: Parsed = field(default_factory=Parsed)

    @property
    def doubts(self) -> tuple[str, ...]:
        """The sentences about what was said, without those about what was not."""
        return tuple(q.sentence for q in self.questions if q.sentence not in {HOW_MUCH, HOW_OFTEN})

    @property
    def sentence(self) -> str:
        """All questions, each with its choices."""
        return " ".join(q.sentence + (f" Choose: {'; '.join(q.choices)}." if q.choices else "") for q in self.questions)
