"""Growth charts: every measurement stands where its age and value are, and says in words what it means."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from clinicdesk.rules.growth_chart import LEFT, RIGHT, Child, Measured, chart, said, span_days
from clinicdesk.rules.pictures import Dot, Words

BORN = date(2023, 1, 21)
TODAY = date(2026, 11, 21)
BOY = Child(BORN, "M")
WEIGHTS = [Measured(BORN, 3.4), Measured(BORN + timedelta(days=365), 9.6), Measured(BORN + timedelta(days=1380), 15.9)]


def dots(child: Child, measured: list[Measured], measure: str = "weight") -> list[Dot]:
    return [shape for shape in chart(child, measure, measured, TODAY, (640, 480)).shapes if isinstance(shape, Dot)]


def test_measurements_stand_at_their_age_and_value() -> None:
    found = dots(BOY, WEIGHTS)
    assert [round((dot.x - LEFT) / (640 - LEFT - RIGHT), 2) for dot in found] == [0.0, 0.2, 0.76], "five years wide"
    assert found[0].y > found[1].y > found[2].y
    picture = chart(BOY, "weight", WEIGHTS, TODAY, (640, 480))
    assert [mark.tip for mark in picture.marks] == [said(BOY, "weight", one) for one in WEIGHTS]
    assert said(BOY, "weight", WEIGHTS[2]) == "15.9 kg on 01-Nov-2026: 50th centile, z +0.00"


@pytest.mark.parametrize(("born", "years"), [("2025-06-01", 2), ("2022-06-01", 5), ("2018-06-01", 10), ("2010-06-01", 19)])
def test_the_chart_is_as_long_as_the_child_is_old(born: str, years: int) -> None:
    assert span_days(Child(date.fromisoformat(born), "F"), [], TODAY)[1] == pytest.approx(years * 365.25)


def test_measurements_the_tables_do_not_reach_are_shown_without_a_centile() -> None:
    teenager = Child(date(2012, 1, 1), "F")
    one = Measured(date(2026, 1, 1), 52.0)
    assert said(teenager, "weight", one) == "52 kg on 01-Jan-2026: outside the tables"
    assert len(dots(teenager, [one])) == 1


def test_without_a_measurement_it_says_so() -> None:
    words = [shape.text for shape in chart(Child(BORN, "O"), "weight", [], TODAY, (640, 480)).shapes if isinstance(shape, Words)]
    assert words == ["No measurement yet."]


def test_the_source_of_the_lines_stands_below() -> None:
    words = [shape.text for shape in chart(BOY, "height", [], TODAY, (640, 480)).shapes if isinstance(shape, Words)]
    assert words[-1] == "Dashed: 3rd, 15th, 85th, 97th centile. Source: WHO Child Growth Standards 2006."
    american = [s.text for s in chart(BOY, "height", [], TODAY, (640, 480), "cdc").shapes if isinstance(s, Words)]
    assert american[-1].endswith("CDC growth charts 2000.")
