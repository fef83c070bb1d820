"""What reading a typed line gives: the line as understood, or the questions that stand in the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from clinicdesk.rules.directions import Direction, in_words


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
    def sentence(self) -> str:
        """All questions, each with its choices."""
        return " ".join(q.sentence + (f" Choose: {'; '.join(q.choices)}." if q.choices else "") for q in self.questions)
