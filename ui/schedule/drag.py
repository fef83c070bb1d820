"""What a drag in the calendar means, without events and without painting: create a range, move a block, or resize it.

A drag only proposes a `Span`; the block stays where it is until the database agrees.
"""

from __future__ import annotations

from enum import Enum

from ui.schedule.model import MOVABLE, DayLayout, Placed, Span, Verdict


class Mode(Enum):
    """What the drag does."""

    CREATE = "create"
    MOVE = "move"
    RESIZE = "resize"


class Drag:
    """A press that may become a drag. `span` is what is proposed, `verdict` what stands against it."""

    def __init__(self, layout: DayLayout, x: float, y: float, *, resize: bool = False, block: Placed | None = None,
                 carry: bool = False) -> None:
        """`carry`: the block comes from outside the grid and hangs below the pointer."""
        self.block = block
        self.mode = Mode.CREATE if block is None else Mode.RESIZE if resize else Mode.MOVE
        self.began = False
        self._press = (x, y)
        self._anchor = layout.free_cell_at(x, y)
        if block is None:
            self.span = Span(self._anchor.column, self._anchor.minute, self._anchor.minute + layout.snap)
            self._grab = 0.0
        else:
            self.span = Span(block.column, block.start, block.end)
            self._grab = min(10.0, (block.end - block.start) / 2) if carry else layout.minute(y) - block.start
        self.verdict = Verdict()

    @property
    def possible(self) -> bool:
        """Whether this block may be moved or resized by hand at all."""
        return self.block is None or self.block.block.status in MOVABLE

    @property
    def changed(self) -> bool:
        """Whether dropping here would change anything."""
        return self.block is None or self.span != Span(self.block.column, self.block.start, self.block.end)

    def far_enough(self, x: float, y: float, threshold: int) -> bool:
        """Whether the pointer went far enough from the press for a drag."""
        return abs(x - self._press[0]) + abs(y - self._press[1]) >= threshold

    def to(self, layout: DayLayout, x: float, y: float) -> None:
        """The pointer is here now."""
        self.began = True
        if self.block is None:
            here = layout.snapped(layout.first + y * 60 / layout.hour_px)
            start = min(self._anchor.minute, here)
            end = max(self._anchor.minute + layout.snap, here)
            self.span = Span(self._anchor.column, start, end)
        elif self.mode is Mode.RESIZE:
            end = layout.snapped(layout.first + y * 60 / layout.hour_px)
            self.span = Span(self.block.column, self.block.start, max(self.block.start + layout.snap, end))
        else:
            length = self.block.end - self.block.start
            start = layout.snapped(layout.first + y * 60 / layout.hour_px - self._grab)
            start = max(layout.first, min(layout.last - length, start))
            self.span = Span(layout.column_at(x), start, start + length)
        self.verdict = layout.verdict(self.span, ignoring=self.block.block.id if self.block else 0)


def nudged(layout: DayLayout, placed: Placed, span: Span, columns: int, steps: int, *, resize: bool = False) -> Span:
    """The span after one key press: moved by columns and snap steps, or its end moved. Kept inside the day."""
    if resize:
        return Span(span.column, span.start, max(span.start + layout.snap, min(layout.last, span.end + steps * layout.snap)))
    length = placed.end - placed.start
    start = max(layout.first, min(layout.last - length, span.start + steps * layout.snap))
    return Span(max(0, min(len(layout.columns) - 1, span.column + columns)), start, start + length)
