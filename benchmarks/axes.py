"""The time axis of a long life: read and painted the first time, and one frame while it is being panned, beside as many rectangles."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from benchmarks.measuring import Result, beside
from clinicdesk.rules.time_axis import EVENT_KINDS, SPAN_KINDS, Event, History, Series, Span
from ui.theme import Theme
from ui.timeline.axis import TimeAxis

_YEAR = 365.25 * 86_400.0
_NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
_PLOTS = ("pressure", "pulse", "temperature", "respiration", "spo2", "weight", "height", "glucose", "bmi", "pain")


def life(years: int = 20, visits: int = 2000, observations: int = 20_000) -> History:
    """So many years with 2,000 visits, 300 documents, 150 courses of medicines, 20,000 observations of ten kinds."""
    def spread(count: int) -> list[float]:
        return [_NOW - years * _YEAR * (1 - (n + 0.5) / count) for n in range(count)]

    events = [Event("visit", at, "Visit with Dr Dora Kim", n) for n, at in enumerate(spread(visits))]
    events += [Event("document", at, "Letter: cardiology", n) for n, at in enumerate(spread(300))]
    spans = [Span("medicine", at, at + (30 + n * 37 % 700) * 86_400, f"medicine number {n % 40}", n) for n, at in enumerate(spread(150))]
    moments = tuple(spread(observations // len(_PLOTS)))
    series = [Series(name, name.capitalize(), "unit", moments, tuple(60.0 + n * 7 % 40 for n in range(len(moments))),
                     tuple(40.0 + n * 5 % 15 for n in range(len(moments))) if name == "pressure" else ()) for name in _PLOTS]
    return History(tuple(sorted(events, key=lambda e: e.at)), tuple(spans), tuple(series), _NOW)


def measure(app: QApplication, theme: Theme, rounds: int) -> Iterator[Result]:
    """Two lines; the aims are those of the reference for the time axis: 150 ms to the first paint, 50 frames a second."""
    history = life()
    axis = TimeAxis(theme, UTC)
    axis.resize(QSize(1180, 700))
    axis.choose({*EVENT_KINDS, *SPAN_KINDS}, {"pressure", "pulse", "weight"})
    axis.show()
    app.processEvents()
    floor = QImage(QSize(1180, 700), QImage.Format.Format_RGB32)

    def first(_n: int) -> None:
        axis.clear()
        axis.show_history(history)
        axis.repaint()

    def frame(n: int) -> None:
        axis.pan(0.004 if n % 20 < 10 else -0.004)
        axis.repaint()

    try:
        first(0)
        count = len(axis.drawn.shapes)
        note = f"2,000 visits and 20,000 observations in 20 years; {count} shapes; floor: {count} plain rectangles"
        yield beside("A life of 20 years on the time axis, painted", first, lambda _n: _rectangles(floor, count), rounds, limit=150,
                     note=note)
        yield beside("One frame of panning it", frame, lambda _n: _rectangles(floor, count), rounds, limit=20, note=note)
    finally:
        axis.hide()
        axis.deleteLater()


def _rectangles(target: QImage, count: int) -> None:
    painter = QPainter(target)
    painter.setPen(QColor("#45525F"))
    for n in range(count):
        painter.drawRect(QRectF(n % 1100, n * 7 % 680, 12, 12))
    painter.end()
