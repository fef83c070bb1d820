"""One time axis for a whole history: visits, documents, problems and allergies, medicines, measurements, laid out for any window of time.

Moments are seconds since 1970 (UTC) while laying out; labels are written in the clinic's zone. Nothing is drawn twice in one column of
pixels, so that twenty years of two thousand visits cost no more than one year of fifty.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from dateutil.relativedelta import relativedelta

from clinicdesk.rules.moments import MONTHS, clinical_date
from clinicdesk.rules.pictures import Box, Dot, Line, Mark, Picture, Point, Shape, Words

#: Kinds in the order of their lanes → title, form and ink of their dots.
EVENT_KINDS: Final = {
    "visit": ("Visits", "round", "accent"), "document": ("Documents", "square", "text_soft"),
    "paper": ("Papers", "diamond", "success"), "immunization": ("Immunizations", "triangle", "text_soft"),
}
SPAN_KINDS: Final = {"allergy": ("Allergies", "danger"), "problem": ("Problems", "warning"), "medicine": ("Medicines", "accent")}
GUTTER: Final = 118.0
HEAD: Final = 26.0
LANE: Final = 24.0
ROW: Final = 18.0
TRACK: Final = 64.0
MOST_ROWS: Final = 10
#: More measurements than this in the window are a line alone: dots would only thicken it.
MOST_DOTS: Final = 200
#: A letter of the small type is about so wide in px: enough to keep labels apart.
_LETTER: Final = 6.3


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a moment; `ref` finds its source."""

    kind: str
    at: float
    title: str
    ref: object


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted; `ends` None while it lasts."""

    kind: str
    begins: float
    ends: float | None
    title: str
    ref: object


@dataclass(frozen=True, slots=True)
class Series:
    """Measurements of one kind in order of time. `low` are the lower values of a pair (diastolic), else empty."""

    name: str
    label: str
    unit: str
    moments: tuple[float, ...]
    values: tuple[float, ...]
    low: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """Everything there is, each kind in order of time; `now` ends what still lasts."""

    events: tuple[Event, ...]
    spans: tuple[Span, ...]
    series: tuple[Series, ...]
    now: float

    def extent(self) -> tuple[float, float]:
        """From the first to the last moment with a little air; at least a month."""
        moments = [e.at for e in self.events] + [s.begins for s in self.spans] + [m for s in self.series for m in s.moments[:1]]
        first = min(moments, default=self.now - 30 * 86_400)
        last = max([self.now, *(e.at for e in self.events[-1:])])
        air = max((last - first) * 0.02, 5 * 86_400)
        return first - air, last + air


@dataclass(frozen=True, slots=True)
class Window:
    """What is shown: from, until (seconds), over so many px to the right of the gutter."""

    begins: float
    ends: float
    width: float

    def x(self, moment: float) -> float:
        """Where a moment lies, in px from the left edge of the picture."""
        return GUTTER + (moment - self.begins) / (self.ends - self.begins) * (self.width - GUTTER)

    def moment(self, x: float) -> float:
        """The moment at a place."""
        return self.begins + (x - GUTTER) / (self.width - GUTTER) * (self.ends - self.begins)


_STEPS: Final = (
    (relativedelta(hours=1), "%H:%M"), (relativedelta(hours=6), "%H:%M"), (relativedelta(days=1), "%d-%b"),
    (relativedelta(days=7), "%d-%b"),
    (relativedelta(months=1), "%b %Y"), (relativedelta(months=3), "%b %Y"), (relativedelta(years=1), "%Y"), (relativedelta(years=2), "%Y"),
    (relativedelta(years=5), "%Y"), (relativedelta(years=10), "%Y"), (relativedelta(years=20), "%Y"),
)


def ticks(window: Window, zone: tzinfo, apart: float = 86.0) -> list[tuple[float, str]]:
    """Moments at round dates at least `apart` px from each other, with their labels (English months, whatever the computer's language)."""
    origin = datetime(2000, 1, 1, tzinfo=zone)
    per_px = (window.ends - window.begins) / max(1.0, window.width - GUTTER)
    step, pattern = next(((s, p) for s, p in _STEPS if ((origin + s) - origin).total_seconds() >= per_px * apart), _STEPS[-1])
    at = _floor(datetime.fromtimestamp(window.begins, zone), step)
    found = []
    while at.timestamp() <= window.ends:
        if at.timestamp() >= window.begins:
            label = at.strftime(pattern.replace("%b", MONTHS[at.month - 1][:3]))
            found.append((at.timestamp(), label))
        at = _next(at, step)
    return found


def _floor(at: datetime, step: relativedelta) -> datetime:
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if step.years:
        return day.replace(year=at.year - at.year % step.years, month=1, day=1)
    if step.months:
        return day.replace(month=at.month - (at.month - 1) % step.months, day=1)
    return day - timedelta(days=day.weekday()) if step.days == 7 else day


def _next(at: datetime, step: relativedelta) -> datetime:
    if step.hours:
        return datetime.fromtimestamp(at.timestamp() + step.hours * 3600, at.tzinfo)
    return at + step


def picture(history: History, window: Window, zone: tzinfo, *, kinds: Collection[str], series: Collection[str]) -> Picture:
    """The lanes of the chosen kinds and the plots of the chosen series, one below the other."""
    shapes: list[Shape] = []
    marks: list[Mark] = []
    y = HEAD
    for kind, (title, form, ink) in EVENT_KINDS.items():
        found = [e for e in history.events if e.kind == kind] if kind in kinds else []
        if found:
            _event_lane(found, window, zone, (title, form, ink), y, shapes, marks)
            y += LANE
    for kind, (title, ink) in SPAN_KINDS.items():
        spans = [s for s in history.spans if s.kind == kind] if kind in kinds else []
        if spans:
            y = _span_lane(spans, history.now, window, zone, (title, ink), y, shapes, marks)
    for one in history.series:
        if one.name in series and one.moments:
            _track(one, window, zone, y, shapes, marks)
            y += TRACK
    height = max(y, HEAD + LANE) + 4
    grid: list[Shape] = []
    for moment, label in ticks(window, zone):
        x = window.x(moment)
        grid += [Line(((x, HEAD - 6), (x, height)), "line"), Words(x + 4, HEAD / 2, label, "text_soft")]
    grid.append(Line(((0, HEAD), (window.width, HEAD)), "line"))
    if window.begins <= history.now <= window.ends:
        x = window.x(history.now)
        grid.append(Line(((x, HEAD - 6), (x, height)), "accent", 1.4))
    marks.sort(key=lambda mark: (mark.x, mark.y))
    return Picture(window.width, height, (*grid, *shapes), tuple(marks))


def _event_lane(events: Sequence[Event], window: Window, zone: tzinfo, look: tuple[str, str, str], y: float, shapes: list[Shape],
                marks: list[Mark]) -> None:
    title, form, ink = look
    middle = y + LANE / 2
    shapes += [Words(8, middle, title, "text", most=GUTTER - 12), Line(((0, y + LANE), (window.width, y + LANE)), "line")]
    moments = [e.at for e in events]
    shown = events[bisect_left(moments, window.begins) : bisect_right(moments, window.ends)]
    for group in _columns(shown, window):
        x = window.x(group[0].at)
        first, last = group[0], group[-1]
        if len(group) == 1:
            shapes.append(Dot(x, middle, 4.2, ink, form))  # type: ignore[arg-type]
            tip = f"{clinical_date(datetime.fromtimestamp(first.at, zone))}  {first.title}"
        else:
            count = str(len(group))
            wide = 8 + len(count) * _LETTER
            shapes += [Box(x - wide / 2, middle - 8, wide, 16, ink, radius=8),
                       Words(x, middle, count, "surface", bold=True, align="center")]
            tip = (f"{count} from {clinical_date(datetime.fromtimestamp(first.at, zone))} to"
                   f" {clinical_date(datetime.fromtimestamp(last.at, zone))}: zoom in")
        marks.append(Mark(x - 9, middle - 10, 18, 20, first.kind if len(group) == 1 else "group",
                          first.ref if len(group) == 1 else (first.at, last.at), tip))


def _columns(events: Sequence[Event], window: Window) -> Iterator[list[Event]]:
    """Events that would touch each other, together."""
    per_px = (window.ends - window.begins) / max(1.0, window.width - GUTTER)
    group: list[Event] = []
    for event in events:
        if group and event.at - group[0].at > per_px * 18:
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _span_lane(spans: Sequence[Span], now: float, window: Window, zone: tzinfo, look: tuple[str, str], y: float, shapes: list[Shape],
               marks: list[Mark]) -> float:
    """Bars packed into rows so that no label covers another; what does not fit is counted."""
    title, ink = look
    shapes.append(Words(8, y + LANE / 2, title, "text", most=GUTTER - 12))
    free: list[float] = []
    left_over = 0
    for span in spans:
        ends = span.ends if span.ends is not None else max(now, span.begins)
        if ends < window.begins or span.begins > window.ends:
            continue
        begin, end = max(window.x(span.begins), GUTTER), min(window.x(ends), window.width)
        end = max(end, begin + 3)
        wide = len(span.title) * _LETTER + 6
        words, first, reach = _words_of_bar(span.title, begin, end, wide, window.width)
        row = next((n for n, taken in enumerate(free) if taken + 8 <= first), len(free))
        if row >= MOST_ROWS:
            left_over += 1
            continue
        free[row:row + 1] = [reach]
        top = y + 3 + row * ROW
        shapes.append(Box(begin, top, end - begin, ROW - 4, "accent_soft" if span.kind == "medicine" else "sunken", ink))
        middle = top + (ROW - 4) / 2
        shapes.append(replace(words, y=middle))
        until = clinical_date(datetime.fromtimestamp(span.ends, zone)) if span.ends is not None else "today"
        tip = f"{span.title}, {clinical_date(datetime.fromtimestamp(span.begins, zone))} to {until}"
        marks.append(Mark(begin, top, max(end - begin, 12), ROW - 4, span.kind, span.ref, tip))
    rows = max(1, len(free))
    if left_over:
        shapes.append(Words(8, y + LANE / 2 + ROW, f"{left_over} more: zoom in", "text_faint", most=GUTTER - 12))
        rows = max(rows, 2)
    bottom = y + max(LANE, rows * ROW + 6)
    shapes.append(Line(((0, bottom), (window.width, bottom)), "line"))
    return bottom


def _words_of_bar(title: str, begin: float, end: float, wide: float, width: float) -> tuple[Words, float, float]:
    """Where a bar's words stand, and from where to where both reach: in the bar, else behind it, else before it, never across its end."""
    if wide <= end - begin:
        return Words(begin + 5, 0, title, "text", most=end - begin - 6), begin, end
    if end + 3 + wide <= width:
        return Words(end + 3, 0, title, "text", most=wide + 20), begin, end + wide + 3
    if begin - wide - 4 >= GUTTER:
        return Words(begin - 5, 0, title, "text", align="right", most=begin - GUTTER), begin - wide - 4, end
    return Words(begin + 5, 0, title, "text", most=max(40.0, width - begin - 8)), begin, max(end, begin + wide)


def _track(one: Series, window: Window, zone: tzinfo, y: float, shapes: list[Shape], marks: list[Mark]) -> None:
    begin = max(0, bisect_left(one.moments, window.begins) - 1)
    end = min(len(one.moments), bisect_right(one.moments, window.ends) + 1)
    values, low = one.values[begin:end], one.low[begin:end]
    moments = one.moments[begin:end]
    shapes += [Words(8, y + 24, one.label, "text", most=GUTTER - 12), Words(8, y + 40, one.unit, "text_faint"),
               Line(((0, y + TRACK), (window.width, y + TRACK)), "line")]
    if not values:
        return
    bottom, top = min((*values, *low)), max(values)
    if top == bottom:
        top, bottom = top + 1, bottom - 1

    def at(value: float) -> float:
        return y + TRACK - 10 - (value - bottom) / (top - bottom) * (TRACK - 20)

    shapes += [Words(GUTTER - 6, y + 10, _number(top), "text_faint", align="right"),
               Words(GUTTER - 6, y + TRACK - 10, _number(bottom), "text_faint", align="right")]
    for side, ink in ((values, "accent"), *(((low, "outline"),) if low else ())):
        points: list[Point] = []
        for first, after in _ranges(moments, window, 2.5):
            part = side[first:after]
            x = window.x(moments[first])
            points.append((x, at(part[0])))
            if len(part) > 1:  # the lowest and the highest of two columns of pixels look the same as all of them
                points += [(x, at(min(part))), (x, at(max(part)))]
        if len(line := _inside(points, GUTTER, window.width)) > 1:
            shapes.append(Line(line, ink))
    dense = len(values) > MOST_DOTS
    for first, _ in _ranges(moments, window, 16.0 if dense else 6.0):
        x = window.x(moments[first])
        if not GUTTER <= x <= window.width:
            continue
        if not dense:
            shapes.append(Dot(x, at(values[first]), 2.2, "accent"))
            if low:
                shapes.append(Dot(x, at(low[first]), 2.2, "outline"))
        words = _number(values[first]) + (f" / {_number(low[first])}" if low else "")
        marks.append(Mark(x - 5, y + 4, 10, TRACK - 8, one.name, moments[first],
                          f"{one.label} {words} {one.unit}, {clinical_date(datetime.fromtimestamp(moments[first], zone))}"))


def _inside(points: Sequence[Point], left: float, right: float) -> list[Point]:
    """The part of a line between two edges; where it crosses one, the crossing: paper has no widget that cuts it off."""
    found = [p for p in points[:1] if left <= p[0] <= right]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 < left or x0 > right:
            continue
        slope = (y1 - y0) / (x1 - x0) if x1 > x0 else 0.0
        if x0 < left:
            found.append((left, y0 + slope * (left - x0)))
        found.append((right, y0 + slope * (right - x0)) if x1 > right else (x1, y1))
    return found


def _ranges(moments: Sequence[float], window: Window, px: float) -> Iterator[tuple[int, int]]:
    """Measurements that share `px` px, as ranges of their numbers; the empty places are passed over."""
    step = (window.ends - window.begins) / max(1.0, window.width - GUTTER) * px
    first = 0
    while first < len(moments):
        after = bisect_right(moments, moments[first] + step, first)
        yield first, after
        first = after


def _number(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
