"""Marks put over a page: remarks, arrows, boxes, free strokes. Places are parts of the page from its top left corner, 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, hypot, pi, sin
from typing import Final, Literal

MarkKind = Literal["text", "arrow", "box", "stroke"]
Point = tuple[float, float]
#: Of the type of a remark and the pen, in points on paper; on a picture in proportion to it.
TYPE_SIZE: Final = 11.0
PEN: Final = 1.8
LONGEST: Final = 500
MOST: Final = 200


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark on one page (from 0). A text has one point, an arrow and a box two, a stroke two or more."""

    page: int
    kind: MarkKind
    points: tuple[Point, ...]
    words: str = ""

    @property
    def whole(self) -> bool:
        """Whether there is something to draw: a remark says something, a line is longer than a slip of the hand."""
        if self.kind == "text":
            return len(self.points) == 1 and bool(self.words.strip())
        first, last = self.points[0], self.points[-1]
        return len(self.points) > 2 or hypot(last[0] - first[0], last[1] - first[1]) > 0.004

    def moved(self, right: float, down: float) -> Mark:
        """The same mark elsewhere on its page, never off it."""
        right = max(-min(p[0] for p in self.points), min(1 - max(p[0] for p in self.points), right))
        down = max(-min(p[1] for p in self.points), min(1 - max(p[1] for p in self.points), down))
        return Mark(self.page, self.kind, tuple((x + right, y + down) for x, y in self.points), self.words)


def head_of(start: Point, end: Point, length: float) -> tuple[Point, Point]:
    """The two ends of an arrow's head at `end`, in the units the points are in."""
    angle = atan2(end[1] - start[1], end[0] - start[0])
    return tuple((end[0] - length * cos(angle + turn), end[1] - length * sin(angle + turn))  # type: ignore[return-value]
                 for turn in (pi / 7, -pi / 7))
