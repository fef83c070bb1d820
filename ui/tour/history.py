"""The long view: one time axis of everything, and the growth charts of a child, both on the screen and on paper."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt

from ui.tour.consulting_room import expect, in_light, patient_called, room_of

if TYPE_CHECKING:
    from ui.tour.run import Walk

ROLE = "doctor"


def walk(w: Walk) -> None:
    """All steps in order; Margaret Ellery and Mia Larkin of the demo have years behind them."""
    step = partial(in_light, w)
    step(ROLE, "sees five years on one time axis, goes from mark to mark by keys and opens a visit", lambda: _axis(w))
    step(ROLE, "gives the axis a window of its own, zooms, and makes a page of it", lambda: _wide(w))
    step(ROLE, "reads the growth charts of a child, each value in words, and prints them", lambda: _growth(w))


def _pages(w: Walk, window: Any, name: str) -> None:
    w.guide.until(lambda: window.content, "the page is made")
    expect(window.content.startswith(b"%PDF"), "it is a PDF")
    w.guide.settle()
    w.guide.pdf(window.content, name)
    w.guide.picture(window, f"{name}-window", dark=False)
    window.close()


def _axis(w: Walk) -> None:
    room = room_of(w)
    room.show_topic("patient", w.found["margaret id"])
    room.chart.show_tab(room.chart.timeline)
    view = room.chart.timeline
    w.guide.until(lambda: view.history is not None, "the history is read")
    w.guide.settle()
    history = view.history
    expect(len(history.events) >= 13 and len(history.spans) >= 6 and len(history.series) >= 5,
           f"{len(history.events)} events, {len(history.spans)} bars, {len(history.series)} plots")
    w.guide.fact("events, bars, plots", [len(history.events), len(history.spans), len(history.series)])
    axis = view.axis
    for _ in axis.drawn.marks:
        w.guide.keys(axis, Qt.Key.Key_Right)
        if axis._marked is not None and axis._marked.kind == "visit":  # noqa: SLF001
            break
    w.guide.picture(w.windows["dora"], "time-axis")
    w.guide.keys(axis, Qt.Key.Key_Return)
    w.guide.until(lambda: room.chart.tabs.currentWidget() is room.chart.visits, "Enter opens the marked visit")
    room.chart.show_tab(view)
    w.guide.settle()


def _wide(w: Walk) -> None:
    view = room_of(w).chart.timeline
    w.guide.click(view.wide_button)
    window = view.window_of_its_own
    w.guide.until(lambda: window.view.history is not None, "it is read there too")
    w.guide.settle()
    w.guide.picture(window, "time-axis-wide", dark=False)
    axis = window.view.axis
    before = axis.ends - axis.begins
    w.guide.keys(axis, "++")
    expect(axis.ends - axis.begins < before * 0.6, "the + key zooms")
    w.guide.picture(window, "time-axis-zoomed", dark=False)
    w.guide.click(window.view.print_button)
    _pages(w, window.view.paper, "time-axis")
    window.close()


def _growth(w: Walk) -> None:
    room = room_of(w)
    room.show_topic("patient", patient_called(w, "Larkin"))
    chart = room.chart
    w.guide.until(lambda: chart.tabs.indexOf(chart.growth) >= 0, "a child has growth charts")
    chart.show_tab(chart.growth)
    w.guide.until(lambda: chart.growth.record is not None, "they are read")
    w.guide.settle()
    expect(len(chart.growth.record.measured["weight"]) >= 10, "all measurements are there")
    expect("centile" in chart.growth.words.text().casefold(), f"it says: {chart.growth.words.text()}")
    w.guide.picture(w.windows["dora"], "growth-weight")
    w.guide.click(chart.growth.buttons["height"])
    w.guide.picture(w.windows["dora"], "growth-height", dark=False)
    chart.growth.print_charts()
    _pages(w, chart.growth.paper, "growth-charts")
