"""A growth chart as shapes: the centiles of one measure for one sex, and where a child's measurements stand among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor
from typing import Final

from clinicdesk.rules.growth import CENTILES, MEASURES, YEAR_DAYS, Standard, age_days, curve, lms, ordinal, standing
from clinicdesk.rules.moments import clinical_date
from clinicdesk.rules.pictures import Dot, Line, Mark, Picture, Shape, Words

LEFT: Final = 56.0
RIGHT: Final = 64.0
HEAD: Final = 26.0
FOOT: Final = 44.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement of a child, in the measure's unit."""

    on: date
    value: float


@dataclass(frozen=True, slots=True)
class Child:
    """Whose chart it is. Without male or female sex no table fits."""

    born: date
    sex: str


def span_days(child: Child, measured: Sequence[Measured], today: date) -> tuple[float, float]:
    """The ages a chart shows: birth to two, to five, to ten or to nineteen years, whichever holds the child's age and measurements."""
    oldest = max([age_days(child.born, today), *(age_days(child.born, one.on) for one in measured)])
    limit = next((years for years in (2, 5, 10) if oldest <= years * YEAR_DAYS), 19)
    return 0.0, limit * YEAR_DAYS


def chart(child: Child, measure: str, measured: Sequence[Measured], today: date, size: tuple[float, float],
          standard: Standard = "who") -> Picture:
    """The chart of one measure, `size` px; measurements outside the tables stand on it without words about centiles."""
    width, height = size
    begin, end = span_days(child, measured, today)
    ages = [begin + (end - begin) * n / 240 for n in range(241)]
    lines = {centile: list(curve(measure, child.sex, centile, ages, standard)) for centile in CENTILES}
    reached = max((points[-1][0] for points in lines.values() if points), default=end)
    end = min(end, max(reached, *(float(age_days(child.born, one.on)) for one in measured), begin + 365)) if measured else min(end, reached)
    values = [v for points in lines.values() for age, v in points if age <= end] + [one.value for one in measured]
    words, unit = MEASURES[measure]
    if not values:
        return Picture(width, height, (Words(width / 2, height / 2, "No measurement yet.", "text_faint", align="center"),))
    low, high = min(values), max(values)
    step = _step(high - low)
    low, high = floor(low / step) * step, ceil(high / step) * step

    def x(age: float) -> float:
        return LEFT + (age - begin) / (end - begin) * (width - LEFT - RIGHT)

    def y(value: float) -> float:
        return height - FOOT - (value - low) / (high - low) * (height - HEAD - FOOT)

    shapes: list[Shape] = [Words(LEFT, HEAD / 2, f"{words}, {unit}", "text", bold=True)]
    value = low
    while value <= high + step / 2:
        shapes += [Line(((LEFT, y(value)), (width - RIGHT, y(value))), "line"), Words(LEFT - 8, y(value), f"{value:g}", align="right")]
        value += step
    shapes += _ages(begin, end, x, height)
    for centile, points in lines.items():
        drawn = [(x(age), y(v)) for age, v in points if age <= end]
        if drawn:
            shapes.append(Line(drawn, "text_soft" if centile == 50 else "outline", 1.6 if centile == 50 else 1.0, dashed=centile != 50))
            shapes.append(Words(drawn[-1][0] + 6, drawn[-1][1], ordinal(centile), "text_faint"))
    marks = []
    trace = [(x(age_days(child.born, one.on)), y(one.value)) for one in measured]
    if len(trace) > 1:
        shapes.append(Line(trace, "accent", 1.8))
    for (px, py), one in zip(trace, measured, strict=True):
        shapes.append(Dot(px, py, 4.0, "accent"))
        marks.append(Mark(px - 8, py - 8, 16, 16, measure, one.on, said(child, measure, one, standard)))
    found = lms(measure, child.sex, max(begin, min(end, age_days(child.born, today))), standard)
    source = found.source if found else "no table for this age and sex"
    shapes.append(Words(LEFT, height - 9, f"Dashed: {', '.join(ordinal(c) for c in CENTILES if c != 50)} centile. Source: {source}.",
                        "text_faint", most=width - LEFT - 8))
    return Picture(width, height, tuple(shapes), tuple(marks))


def said(child: Child, measure: str, one: Measured, standard: Standard = "who") -> str:
    """One measurement in words: `12.4 kg on 03-May-2026: 72nd centile, z +0.58`."""
    place = standing(measure, child.sex, age_days(child.born, one.on), one.value, standard)
    words = f"{one.value:.1f}".rstrip("0").rstrip(".") + f" {MEASURES[measure][1]} on {clinical_date(one.on)}"
    return f"{words}: {place.words}" if place is not None else f"{words}: outside the tables"


def _step(span: float) -> float:
    """A round distance between lines, about eight of them."""
    rough = max(span, 1.0) / 8
    return next(step for step in (0.5, 1, 2, 5, 10, 20, 50, 100) if step >= rough)


def _ages(begin: float, end: float, x: Callable[[float], float], height: float) -> list[Shape]:
    months = (end - begin) / YEAR_DAYS <= 2.1
    every = YEAR_DAYS / 12 * 3 if months else YEAR_DAYS * (1 if end / YEAR_DAYS <= 10 else 2)
    shapes: list[Shape] = []
    number, age = 0, begin
    while age <= end + 1:
        at = x(age)
        shapes.append(Line(((at, HEAD), (at, height - FOOT)), "line"))
        label = f"{number * 3} m" if months else f"{number * (1 if end / YEAR_DAYS <= 10 else 2)} y"
        shapes.append(Words(at, height - FOOT + 12, label, align="center"))
        number, age = number + 1, age + every
    return shapes
