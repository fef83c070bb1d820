"""Growth tables: against WHO's published numbers by day, at every seam, and the traps of other programs."""

from __future__ import annotations

import importlib
import itertools
from datetime import date

import pytest

from clinicdesk.rules.growth import CENTILES, MEASURES, Standard, age_days, curve, lms, ordinal, standing

#: Medians as WHO publishes them.
MEDIANS = [("weight", "M", 0, 3.3464), ("weight", "F", 0, 3.2322), ("height", "M", 365, 75.7391)]


@pytest.mark.parametrize(("measure", "sex", "age", "median"), MEDIANS)
def test_the_median_is_the_published_one(measure: str, sex: str, age: int, median: float) -> None:
    found = lms(measure, sex, age)
    assert found is not None and found.median == pytest.approx(median, abs=0.002)
    here = standing(measure, sex, age, found.median)
    assert here is not None and abs(here.z) < 1e-9 and here.words == "50th centile, z +0.00"


@pytest.mark.parametrize("sex", ["M", "F"])
@pytest.mark.parametrize(("measure", "daily"), [("weight", "wfa"), ("height", "lfa"), ("bmi", "bmifa"), ("head_circumference", "hcfa")])
def test_every_day_of_the_who_standards_within_a_hundredth(measure: str, daily: str, sex: str) -> None:
    table = importlib.import_module(f"pygrowup.tables.by_day.{daily}").DATA["male" if sex == "M" else "female"]
    worst = 0.0
    for day, row in table.items():
        power, median, spread = float(row["l"]), float(row["m"]), float(row["s"])
        for z in (-2.5, -1.0, 0.0, 1.0, 2.5):
            there = median * (1 + power * spread * z) ** (1 / power)
            here = standing(measure, sex, day, there)
            assert here is not None
            worst = max(worst, abs(here.z - z))
    assert worst <= 0.01


@pytest.mark.parametrize("standard", ["who", "cdc"])
def test_under_two_years_everybody_stands_on_the_who_tables(standard: Standard) -> None:
    early, late = lms("weight", "M", 729, standard), lms("weight", "M", 800, standard)
    assert early is not None and early.source == "WHO Child Growth Standards 2006"
    assert late is not None and late.source.startswith("CDC" if standard == "cdc" else "WHO")


def test_no_table_no_answer() -> None:
    assert lms("weight", "O", 100) is None and lms("weight", "", 100) is None
    assert lms("weight", "M", -1) is None and lms("weight", "M", 12 * 365) is None  # WHO's weight ends at ten years
    assert lms("height", "M", 18 * 365) is not None and lms("height", "M", 20 * 365) is None
    assert lms("head_circumference", "M", 6 * 365, "cdc") is None
    assert standing("weight", "M", 100, 0) is None


def test_beyond_three_the_skewed_measures_go_on_in_a_straight_line() -> None:
    found = lms("weight", "F", 365)
    assert found is not None
    third, step = found.value(3), found.value(3) - found.value(2)
    heavy = standing("weight", "F", 365, third + 2 * step)
    assert heavy is not None and heavy.z == pytest.approx(5.0) and found.raw_z(third + 2 * step) < 4.7
    light = standing("weight", "F", 365, found.value(-3) - (found.value(-2) - found.value(-3)))
    assert light is not None and light.z == pytest.approx(-4.0) and light.words == "below the 1st centile, z -4.00"
    tall = lms("height", "F", 365)
    assert tall is not None
    assert standing("height", "F", 365, tall.value(3) * 1.1).z == pytest.approx(tall.raw_z(tall.value(3) * 1.1))  # type: ignore[union-attr]


@pytest.mark.parametrize("standard", ["who", "cdc"])
@pytest.mark.parametrize("measure", list(MEASURES))
@pytest.mark.parametrize("sex", ["M", "F"])
def test_centiles_never_cross(measure: str, sex: str, standard: Standard) -> None:
    ages = range(0, 19 * 365, 13)
    lines = [list(curve(measure, sex, centile, ages, standard)) for centile in CENTILES]
    assert len({len(line) for line in lines}) == 1 and len(lines[0]) > 100
    for below, above in itertools.pairwise(lines):
        assert all(low[1] < high[1] for low, high in zip(below, above, strict=True))


def test_words() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 22, 50, 93, 97)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "50th", "93rd", "97th"]
    assert age_days(date(2024, 2, 28), date(2024, 3, 1)) == 2
