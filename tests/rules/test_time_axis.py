"""The time axis: everything is where its moment is, nothing is drawn twice in one place, whatever the length of the history."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinicdesk.rules.pictures import Dot, Line, Words
from clinicdesk.rules.time_axis import EVENT_KINDS, GUTTER, SPAN_KINDS, Event, History, Series, Span, Window, picture, ticks

ZONE = ZoneInfo("Europe/Berlin")
DAY, YEAR = 86_400.0, 365.25 * 86_400.0
NOW = datetime(2026, 11, 21, 12, tzinfo=ZONE).timestamp()
LANES = (*EVENT_KINDS, *SPAN_KINDS)


def history(events: int = 0, spans: int = 0, points: int = 0, years: float = 20.0) -> History:
    step = years * YEAR
    visits = tuple(Event("visit", NOW - step + step * n / max(1, events), f"Visit {n}", n) for n in range(events))
    taken = tuple(Span("medicine", NOW - step + step * n / max(1, spans), NOW - step + step * (n + 1.5) / spans, f"medicine {n}", n)
                  for n in range(spans))
    moments = tuple(NOW - step + step * n / max(1, points) for n in range(points))
    values = tuple(60.0 + n % 40 for n in range(points))
    return History(visits, taken, (Series("pulse", "Pulse", "/min", moments, values),) if points else (), NOW)


def drawn(found: History, begins: float, ends: float, width: float = 1000.0) -> list[object]:
    return list(picture(found, Window(begins, ends, width), ZONE, kinds=LANES, series={"pulse"}).shapes)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 25), st.floats(0.01, 25), st.integers(200, 2400))
def test_a_place_is_its_moment(back: float, span: float, width: int) -> None:
    window = Window(NOW - (back + span) * YEAR, NOW - back * YEAR, width)
    for share in (0.0, 0.3, 1.0):
        moment = window.begins + (window.ends - window.begins) * share
        assert abs(window.moment(window.x(moment)) - moment) < 1.0
        assert GUTTER - 1e-6 <= window.x(moment) <= width + 1e-6
    marks = ticks(window, ZONE)
    assert all(window.begins <= moment <= window.ends for moment, _ in marks)
    assert all(window.x(b) - window.x(a) >= 60 for (a, _), (b, _) in pairwise(marks)), "labels do not touch"


def test_ticks_stand_at_round_dates_in_the_clinics_zone() -> None:
    years = ticks(Window(NOW - 20 * YEAR, NOW, 1000), ZONE)
    assert [label for _, label in years][-2:] == ["2024", "2026"]
    assert datetime.fromtimestamp(years[-1][0], ZONE).timetuple()[:5] == (2026, 1, 1, 0, 0)
    months = ticks(Window(NOW - YEAR / 2, NOW, 900), ZONE)
    assert [label for _, label in months] == ["Jun 2026", "Jul 2026", "Aug 2026", "Sep 2026", "Oct 2026", "Nov 2026"]
    hours = ticks(Window(NOW - DAY, NOW, 900), ZONE)
    assert {label for _, label in hours} >= {"00:00", "06:00"}


def test_two_thousand_visits_cost_what_the_screen_can_show() -> None:
    found = history(events=2000, spans=150, points=20_000)
    begins, ends = found.extent()
    shapes = drawn(found, begins, ends)
    assert len(shapes) < 1500
    line = next(shape for shape in shapes if isinstance(shape, Line) and len(shape.points) > 50)
    assert len(line.points) < 3 * 500
    assert {round(y) for _, y in line.points} >= {round(min(y for _, y in line.points)), round(max(y for _, y in line.points))}
    groups = [mark for mark in picture(found, Window(begins, ends, 1000), ZONE, kinds=LANES, series=()).marks if mark.kind == "group"]
    assert sum(int(mark.tip.split(" ", 1)[0]) for mark in groups) == 2000, "none is left out"


def test_zoomed_in_each_visit_is_a_mark_of_its_own() -> None:
    found = history(events=2000)
    last = found.events[-1].at
    shown = picture(found, Window(last - 30 * DAY, last + DAY, 1000), ZONE, kinds=LANES, series=())
    singles = [mark for mark in shown.marks if mark.kind == "visit"]
    assert [mark.ref for mark in singles] == [e.ref for e in found.events if last - 30 * DAY <= e.at]
    assert singles[-1].tip.endswith("Visit 1999")
    assert shown.at(singles[-1].x + 3, singles[-1].y + 3) == singles[-1]
    assert shown.at(3, 3) is None


def test_labels_of_bars_never_cover_each_other() -> None:
    found = history(spans=40, years=4)
    window = Window(*found.extent(), 900.0)
    words = [shape for shape in picture(found, window, ZONE, kinds={"medicine"}, series=()).shapes
             if isinstance(shape, Words) and shape.text.startswith("medicine")]
    rows: dict[float, list[tuple[float, float]]] = {}
    for one in words:
        wide = len(one.text) * 6.3
        rows.setdefault(one.y, []).append((one.x - wide, one.x) if one.align == "right" else (one.x, one.x + wide))
    assert len(rows) > 1
    for spans in rows.values():
        for (_, end), (begin, _) in pairwise(sorted(spans)):
            assert end <= begin + 4


def test_words_that_do_not_fit_their_bar_stand_beside_it() -> None:
    """In the bar, behind it or, at the right edge, before it: never across its end."""
    long, short = Span("medicine", NOW - 4 * YEAR, NOW, "amlodipine 5 mg tablet", 1), "lisinopril 10 mg tablet"
    found = History((), (long, Span("medicine", NOW - 3 * YEAR, NOW - 2.6 * YEAR, short, 2),
                         Span("medicine", NOW - DAY, NOW, short, 3)), (), NOW)
    window = Window(*found.extent(), 900.0)
    drawn = picture(found, window, ZONE, kinds={"medicine"}, series=())
    bars = {mark.ref: mark for mark in drawn.marks}
    words = [shape for shape in drawn.shapes if isinstance(shape, Words) and "mg" in shape.text]
    assert [one.align for one in words] == ["left", "left", "right"]
    inside, behind, before = words
    assert bars[1].x < inside.x < bars[1].x + bars[1].width
    assert behind.x >= bars[2].x + bars[2].width
    assert before.x <= bars[3].x


def test_what_lasts_ends_today_and_hidden_lanes_are_not_drawn() -> None:
    found = History((), (Span("problem", NOW - YEAR, None, "asthma", 1), Span("allergy", NOW - YEAR, NOW - DAY, "latex", 2)), (), NOW)
    window = Window(NOW - 2 * YEAR, NOW + YEAR, 1000)
    both = picture(found, window, ZONE, kinds=LANES, series=())
    assert [(m.kind, m.tip.split(", ")[1]) for m in both.marks] == [("allergy", "21-Nov-2025 to 20-Nov-2026"),
                                                                    ("problem", "21-Nov-2025 to today")]
    bar = next(m for m in both.marks if m.kind == "problem")
    assert abs(bar.x + bar.width - window.x(NOW)) < 1
    only = picture(found, window, ZONE, kinds={"allergy"}, series=())
    assert [m.kind for m in only.marks] == ["allergy"] and only.height < both.height


def test_an_empty_history_has_an_extent() -> None:
    found = History((), (), (), NOW)
    begins, ends = found.extent()
    assert ends - begins > 30 * DAY
    assert picture(found, Window(begins, ends, 500), ZONE, kinds=LANES, series=()).marks == ()


def test_both_values_of_a_pair_are_plotted() -> None:
    pair = Series("pulse", "Blood pressure", "mmHg", (NOW - DAY, NOW), (128.0, 131.0), (82.0, 84.0))
    shapes = drawn(History((), (), (pair,), NOW), NOW - 3 * DAY, NOW + DAY)
    dots = [shape for shape in shapes if isinstance(shape, Dot)]
    assert len(dots) == 4 and {dot.ink for dot in dots} == {"accent", "outline"}


def test_a_plot_ends_at_the_edges_of_its_window() -> None:
    moments = tuple(NOW - n * DAY for n in range(40, -1, -10))
    plot = Series("weight", "Weight", "kg", moments, (80.0, 70.0, 80.0, 70.0, 80.0), ())
    window = Window(NOW - 25 * DAY, NOW - 5 * DAY, 1000)
    shapes = picture(History((), (), (plot,), NOW), window, ZONE, kinds=(), series={"weight"}).shapes
    (line,) = [s for s in shapes if isinstance(s, Line) and s.ink == "accent"]
    assert [round(x) for x, _ in line.points] == [round(window.x(NOW - n * DAY)) for n in (25, 20, 10, 5)], "cut off where it crosses"
    middle = (line.points[1][1] + line.points[2][1]) / 2
    assert line.points[0][1] == pytest.approx(middle) == line.points[-1][1], "half way between two values"
    assert len([s for s in shapes if isinstance(s, Dot)]) == 2, "no dot outside"
