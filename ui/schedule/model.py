"""The geometry of a day or a week, without painting: minutes to pixels, blocks side by side, what is under a point.

A column is a doctor on a date; a week of several doctors has a narrow column (a lane) for each doctor within each day.
Minutes are minutes of the clinic's wall clock since midnight (0 to 1440). Pixels are content coordinates: before scrolling, without header
and ruler. Active blocks that overlap stand in lanes beside each other; cancelled and missed ones stand aside at the right.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import NamedTuple

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.rules.steps import ACTIVE
from clinicdesk.services.schedule import AppointmentBlock, DaySchedule, DoctorColumn

MOVABLE = frozenset({"scheduled", "confirmed", "arrived"})
ZOOMS = (60, 96, 144, 240)  #: px per hour; the finer the picture, the finer the snapping
SNAPS = {60: 15, 96: 15, 144: 10, 240: 5}
MIN_COLUMN = 118
MIN_DAY, MIN_LANE = 92, 84  #: px of a day in the week of one doctor, and of one doctor in a day of everybody's week
EDGE = 7  #: px at the bottom of a block that resize it
_ASIDE_SHARE, _BESIDE_SHARE, _LEAST_HEIGHT = 0.42, 0.16, 15


class Rect(NamedTuple):
    """A rectangle in content pixels."""

    x: int
    y: int
    width: int
    height: int

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


@dataclass(frozen=True, slots=True)
class Placed:
    """A block in its column: minutes, and its share of the column's width from `left` (both 0 to 1). `aside` ones do not hold time."""

    block: AppointmentBlock
    column: int
    start: int
    end: int
    left: float
    share: float
    aside: bool


class Cell(NamedTuple):
    """A place in the grid: a column and the minute it begins."""

    column: int
    minute: int


class Span(NamedTuple):
    """A stretch of one column."""

    column: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would happen there: `taken` (the database will refuse), `unusual` (outside hours) or free; `reason` says why."""

    taken: bool = False
    unusual: bool = False
    reason: str = ""


def minute_of(moment: datetime, day: date, zone: tzinfo) -> int:
    """Minutes of the wall clock since midnight of `day`, cut to 0…1440."""
    local = moment.astimezone(zone)
    days = (local.date() - day).days
    return max(0, min(1440, days * 1440 + local.hour * 60 + local.minute))


def moment_of(minute: int, day: date, zone: tzinfo) -> datetime:
    """The aware moment of a wall clock minute of a day; 1440 is the next midnight."""
    days, rest = divmod(minute, 1440)
    return datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), zone)


def carried(block: AppointmentBlock) -> Placed:
    """A block that is held in the hand and stands in no column, with its length."""
    minutes = max(1, round((block.ends_at - block.starts_at).total_seconds() / 60))
    return Placed(block, -1, 0, minutes, 0.0, 1.0, aside=False)


@cache
def clock(minute: int) -> str:
    """A minute as 24-hour `HH:mm`; the end of the day is 24:00."""
    return "24:00" if minute >= 1440 else clinical_time(time(minute // 60, minute % 60))


class DayLayout:
    """The layout of one `DaySchedule` at a zoom (px per hour) and a column width."""

    def __init__(self, schedule: DaySchedule, zone: tzinfo, hour_px: int = 96, column_width: int = 180) -> None:
        self.schedule, self.zone, self.hour_px = schedule, zone, hour_px
        self.columns: Sequence[DoctorColumn] = schedule.columns
        self.days = tuple(dict.fromkeys(column.day for column in schedule.columns)) or (schedule.day,)
        self.lanes = max(1, len(schedule.columns) // len(self.days))  # doctors a day
        self.least = MIN_COLUMN if len(self.days) == 1 else MIN_LANE if self.lanes > 1 else MIN_DAY
        self.column_width = max(self.least, column_width)
        self._number = {(column.doctor_id, column.day): n for n, column in enumerate(schedule.columns)}
        self.open = [[(minute_of(r.starts_at, column.day, zone), minute_of(r.ends_at, column.day, zone)) for r in column.open]
                     for column in schedule.columns]
        mine: list[list[Timed]] = [[] for _ in schedule.columns]
        for block in schedule.blocks:
            local = block.starts_at.astimezone(zone)
            day = local.date()
            if (number := self._number.get((block.doctor_id, day))) is not None:
                start, until = local.hour * 60 + local.minute, block.ends_at.astimezone(zone)
                end = until.hour * 60 + until.minute if until.date() == day else 1440
                mine[number].append((start, max(end, start + 1), block))
        self.placed = [_place(number, timed) for number, timed in enumerate(mine)]
        self.by_id = {placed.block.id: placed for column in self.placed for placed in column}
        self._starts = [[placed.start for placed in column] for column in self.placed]
        self._longest = [max((p.end - p.start for p in column), default=0) for column in self.placed]
        times = [minute for ranges in self.open for pair in ranges for minute in pair]
        times += [minute for column in self.placed for p in column for minute in (p.start, p.end)]
        self.first = max(0, (min(times, default=8 * 60) // 60 - 1) * 60)
        self.last = min(1440, (-(-max(times, default=18 * 60) // 60) + 1) * 60)

    def number(self, doctor_id: int, day: date) -> int | None:
        """The column of a doctor on a day; None when it is not shown."""
        return self._number.get((doctor_id, day))

    def on_day(self, day: date) -> range:
        """The columns of a day, side by side."""
        if day not in self.days:
            return range(0)
        first = self.days.index(day) * self.lanes
        return range(first, first + self.lanes)

    def name(self, column: int) -> str:
        """A column in words: the doctor, the day, or both, whatever tells it from the others."""
        one = self.columns[column]
        day = clinical_date(one.day, weekday=True)[:10]
        return one.name if len(self.days) == 1 else day if self.lanes == 1 else f"{one.name}, {day}"

    @property
    def snap(self) -> int:
        """The step of times set by hand, in minutes."""
        return SNAPS.get(self.hour_px, 15)

    @property
    def height(self) -> int:
        """Of the whole content, in px."""
        return self.y(self.last)

    @property
    def width(self) -> int:
        """Of the whole content, in px."""
        return len(self.columns) * self.column_width

    def y(self, minute: int) -> int:
        """Content pixel of a minute."""
        return round((minute - self.first) * self.hour_px / 60)

    def minute(self, y: float) -> int:
        """Minute at a content pixel, cut to the day shown."""
        return max(self.first, min(self.last, self.first + int(y * 60 // self.hour_px)))

    def snapped(self, minute: float) -> int:
        """The nearest time that can be set by hand."""
        return max(self.first, min(self.last, round(minute / self.snap) * self.snap))

    def column_at(self, x: float) -> int:
        """Column at a content pixel, cut to the existing ones."""
        return max(0, min(len(self.columns) - 1, int(x // self.column_width)))

    def cell_at(self, x: float, y: float) -> Cell:
        """The grid cell under a point."""
        return Cell(self.column_at(x), self.minute(y) // self.snap * self.snap)

    def free_cell_at(self, x: float, y: float) -> Cell:
        """The cell under a point between appointments: it begins no earlier than the one above ends, also off the steps."""
        cell, minute = self.cell_at(x, y), self.minute(y)
        ends = [p.end for p in self.placed[cell.column] if not p.aside and cell.minute < p.end <= minute]
        return Cell(cell.column, max([cell.minute, *ends]))

    def rect(self, placed: Placed) -> Rect:
        """Where a block is drawn."""
        x = placed.column * self.column_width + 3
        usable = self.column_width - 8
        top = self.y(placed.start)
        left = round(placed.left * usable)
        return Rect(x + left, top + 1, max(18, round((placed.left + placed.share) * usable) - left - 2),
                    max(_LEAST_HEIGHT, self.y(placed.end) - top - 2))

    def span_rect(self, span: Span) -> Rect:
        """Where a stretch of a column (ghost, cursor) is drawn."""
        top = self.y(span.start)
        return Rect(span.column * self.column_width + 3, top + 1, self.column_width - 10, max(_LEAST_HEIGHT, self.y(span.end) - top - 2))

    def block_at(self, x: float, y: float) -> Placed | None:
        """The block under a point; of two above each other the one drawn last."""
        if not self.columns or not 0 <= x < self.width:
            return None
        found = [placed for placed in self.in_view(self.column_at(x), y - 40, y + 40) if self.rect(placed).holds(x, y)]
        return found[-1] if found else None

    @staticmethod
    def span_of(placed: Placed) -> Span:
        """The stretch a block holds."""
        return Span(placed.column, placed.start, placed.end)

    def on_edge(self, placed: Placed, y: float) -> bool:
        """Whether a point of a block is on the edge that resizes it."""
        rect = self.rect(placed)
        return y >= rect.y + rect.height - min(EDGE, rect.height // 3)

    def in_view(self, column: int, top: float, bottom: float) -> Iterator[Placed]:
        """The blocks of a column that touch a stretch of content pixels, aside ones first (drawn below)."""
        last = bisect_right(self._starts[column], self.minute(bottom))
        slack = 60 * _LEAST_HEIGHT // self.hour_px + 1
        earliest = self.minute(max(0.0, top)) - self._longest[column] - slack
        first = bisect_right(self._starts[column], earliest)
        shown = self.placed[column][max(0, first - 1):last]
        yield from (placed for placed in shown if placed.aside)
        yield from (placed for placed in shown if not placed.aside)

    def verdict(self, span: Span, ignoring: int = 0) -> Verdict:
        """What stands against putting an appointment there, looking away from the one being moved."""
        column = self.columns[span.column]
        for placed in self.placed[span.column]:
            if not placed.aside and placed.block.id != ignoring and placed.start < span.end and span.start < placed.end:
                words = f"{placed.block.patient_name} {clock(placed.start)}–{clock(placed.end)}"
                return Verdict(taken=True, reason=f"Taken: {words}")
        if not any(start <= span.start and span.end <= end for start, end in self.open[span.column]):
            closed = column.closed_reason
            return Verdict(unusual=True, reason=f"Closed: {closed}" if closed else "Outside the doctor's hours")
        return Verdict()

    def move(self, cell: Cell, columns: int, steps: int) -> Cell:
        """The cursor after moving by columns and snap steps, kept inside the grid."""
        column = max(0, min(len(self.columns) - 1, cell.column + columns))
        minute = (cell.minute // self.snap + steps) * self.snap
        return Cell(column, max(self.first, min(self.last - self.snap, minute)))

    def first_open(self, column: int) -> int:
        """The first minute a doctor is open, else the first shown."""
        return self.open[column][0][0] if self.open[column] else self.first

    def last_open(self, column: int) -> int:
        """The last cell a doctor is open, else the last shown."""
        return (self.open[column][-1][1] if self.open[column] else self.last) - self.snap

    def at(self, cell: Cell) -> Placed | None:
        """The block that fills a cell: an active one before one aside."""
        here = [p for p in self.placed[cell.column] if p.start < cell.minute + self.snap and cell.minute < p.end] if self.columns else []
        return next((p for p in here if not p.aside), here[0] if here else None)

    def following(self, block_id: int | None, step: int) -> Placed | None:
        """The next (or previous) block in reading order: by column, then time; None past the ends."""
        order = [placed for column in self.placed for placed in column]
        if not order:
            return None
        if block_id is None or block_id not in self.by_id:
            return order[0] if step > 0 else order[-1]
        place = order.index(self.by_id[block_id]) + step
        return order[place] if 0 <= place < len(order) else None


Timed = tuple[int, int, AppointmentBlock]


def _place(column: int, timed: Sequence[Timed]) -> list[Placed]:
    active = sorted((t for t in timed if t[2].status in ACTIVE), key=lambda t: (t[0], t[2].lane, t[2].id))
    asides = [(start, end) for start, end, block in timed if block.status not in ACTIVE]
    placed: list[Placed] = []
    for cluster in _clusters(active):
        if len(cluster) == 1 and not asides:  # nearly all of them
            start, end, block = cluster[0]
            placed.append(Placed(block, column, start, end, 0.0, 1.0, aside=False))
            continue
        crowded = any(start < e and s < end for start, end in asides for s, e, _ in cluster)
        placed += _lanes(column, cluster, 1 - _BESIDE_SHARE if crowded else 1.0)
    if not asides:
        return placed if all(p.left == 0 for p in placed) else sorted(placed, key=lambda p: (p.start, p.aside, p.left))
    held = [(p.start, p.end) for p in placed]
    for start, end, block in timed:
        if block.status not in ACTIVE:
            share = _BESIDE_SHARE if any(s < end and start < e for s, e in held) else _ASIDE_SHARE
            placed.append(Placed(block, column, start, end, 1 - share, share, aside=True))
    return sorted(placed, key=lambda p: (p.start, p.aside, p.left))


def _clusters(timed: Sequence[Timed]) -> Iterator[list[Timed]]:
    """Groups of blocks that overlap directly or through one another; `timed` is ordered by start."""
    cluster: list[Timed] = []
    until = -1
    for item in timed:
        if cluster and item[0] >= until:
            yield cluster
            cluster = []
        cluster.append(item)
        until = max(until, item[1]) if len(cluster) > 1 else item[1]
    if cluster:
        yield cluster


def _lanes(column: int, cluster: Sequence[Timed], room: float) -> Iterator[Placed]:
    """Each block of a cluster in the leftmost lane that is free at its start; all lanes together take `room` of the width."""
    ends: list[int] = []
    lanes: list[int] = []
    for start, end, _block in cluster:
        lane = next((n for n, until in enumerate(ends) if until <= start), len(ends))
        if lane == len(ends):
            ends.append(end)
        else:
            ends[lane] = end
        lanes.append(lane)
    for (start, end, block), lane in zip(cluster, lanes, strict=True):
        yield Placed(block, column, start, end, room * lane / len(ends), room / len(ends), aside=False)
