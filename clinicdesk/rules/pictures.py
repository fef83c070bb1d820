"""Drawings as plain shapes: computed once, painted on the screen and on paper alike. Positions in px from the top left, y downwards.

Inks are names of the theme's tokens (`resources/theme.toml`); paper has its own greys for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Align = Literal["left", "center", "right"]
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points; `dashed` tells it from others without colour."""

    points: Sequence[Point]
    ink: str = "text_soft"
    width: float = 1.0
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A filled rectangle, with a border when `border` names an ink."""

    x: float
    y: float
    width: float
    height: float
    fill: str = "accent_soft"
    border: str = ""
    radius: float = 2.0


@dataclass(frozen=True, slots=True)
class Dot:
    """A mark of a shape of its own: kinds differ by form as well as by ink."""

    x: float
    y: float
    radius: float
    ink: str = "accent"
    form: Literal["round", "square", "diamond", "triangle", "ring"] = "round"


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text, `y` at the middle of its letters; cut with an ellipsis where `most` px are given."""

    x: float
    y: float
    text: str
    ink: str = "text_soft"
    small: bool = True
    bold: bool = False
    align: Align = "left"
    most: float = 0.0


Shape = Line | Box | Dot | Words


@dataclass(frozen=True, slots=True)
class Mark:
    """Something to point at: its place, what it is in words, and what it stands for (`kind` and `ref` of the caller)."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    ref: object
    tip: str

    def covers(self, x: float, y: float) -> bool:
        """Whether a pointer there means it."""
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height


@dataclass(frozen=True, slots=True)
class Picture:
    """Shapes in painting order, and the marks from left to right."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    marks: tuple[Mark, ...] = field(default=())

    def at(self, x: float, y: float) -> Mark | None:
        """The mark under a pointer; the one painted last wins."""
        return next((mark for mark in reversed(self.marks) if mark.covers(x, y)), None)
