"""Growth of children: z-scores and centiles of weight, height, body mass index and head circumference from published LMS tables.

Tables: WHO Child Growth Standards 2006 (birth to 5 years) and WHO Growth Reference 2007 (5 to 19; weight to 10), CDC growth charts 2000
(2 to 20 years), see `resources/growth`. z = ((X/M)^L - 1) / (L S), and ln(X/M) / S where L is 0 (Cole and Green 1992); beyond z = ±3 the
WHO tables of weight and body mass index go on in a straight line with the distance of z from 2 to 3 (WHO 2006, computation of z-scores).
Lengths up to two years are measured lying, heights from then on standing; the tables step by 0.7 cm there. No correction for birth before
37 weeks is made: nothing records the weeks.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import exp, log
from pathlib import Path
from statistics import NormalDist
from types import MappingProxyType
from typing import Final, Literal

from clinicdesk.paths import resource

Sex = Literal["M", "F"]
#: Which tables a clinic uses: WHO throughout, or WHO to two years and then CDC, as the CDC recommends for the United States.
Standard = Literal["who", "cdc"]
#: Measure → words and unit.
MEASURES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({
    "weight": ("Weight", "kg"), "height": ("Length or height", "cm"), "bmi": ("Body mass index", "kg/m²"),
    "head_circumference": ("Head circumference", "cm"),
})
#: The centiles drawn: as on WHO's charts.
CENTILES: Final = (3, 15, 50, 85, 97)
YEAR_DAYS: Final = 365.25
_CDC_FROM: Final = 2 * YEAR_DAYS
_SKEWED: Final = frozenset({"weight", "bmi"})
_NORMAL: Final = NormalDist()


@dataclass(frozen=True, slots=True)
class Lms:
    """The three numbers of a distribution: power, median (in the measure's unit), coefficient of variation; and where they are from."""

    power: float
    median: float
    spread: float
    source: str

    def value(self, z: float) -> float:
        """The measurement at a z-score between -3 and 3."""
        if self.power == 0:
            return self.median * exp(self.spread * z)
        return float(self.median * (1 + self.power * self.spread * z) ** (1 / self.power))

    def raw_z(self, value: float) -> float:
        """The z-score without the straight tails."""
        if self.power == 0:
            return log(value / self.median) / self.spread
        return float(((value / self.median) ** self.power - 1) / (self.power * self.spread))


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one measurement stands among children of the same age and sex."""

    z: float
    source: str

    @property
    def centile(self) -> float:
        """Between 0 and 100."""
        return _NORMAL.cdf(self.z) * 100

    @property
    def words(self) -> str:
        """`72nd centile, z +0.58`; below and above the outermost centiles in words."""
        whole = round(self.centile)
        if whole < 1 or whole > 99:
            place = "below the 1st centile" if whole < 1 else "above the 99th centile"
        else:
            place = f"{ordinal(whole)} centile"
        return f"{place}, z {round(self.z, 2) + 0.0:+.2f}"  # no minus before zero


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 11th."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def age_days(born: date, on: date) -> int:
    """Whole days between birth and a measurement; negative before birth."""
    return (on - born).days


def lms(measure: str, sex: str, age: float, standard: Standard = "who") -> Lms | None:
    """The distribution at an age in days, between the rows of the table in a straight line; None outside it or without male or female sex.

    Children under two years stand on the WHO tables whatever the standard.
    """
    use_cdc = standard == "cdc" and age >= _CDC_FROM and measure != "head_circumference"
    table = _tables(resource("growth/cdc.csv" if use_cdc else "growth/who.csv")).get((measure, sex))
    if table is None or not table.ages[0] <= age <= table.ages[-1]:
        return None
    source = "CDC growth charts 2000" if use_cdc else (
        "WHO Child Growth Standards 2006" if age <= 1856 else "WHO Growth Reference 2007")
    after = bisect_right(table.ages, age)
    if after == len(table.ages):
        return Lms(*table.rows[-1], source)
    before, share = table.rows[after - 1], (age - table.ages[after - 1]) / (table.ages[after] - table.ages[after - 1])
    power, median, spread = (a + (b - a) * share for a, b in zip(before, table.rows[after], strict=True))
    return Lms(power, median, spread, source)


def standing(measure: str, sex: str, age: float, value: float, standard: Standard = "who") -> Standing | None:
    """The z-score of a measurement (kg, cm, kg/m²) at an age in days; None where no table reaches."""
    found = lms(measure, sex, age, standard)
    if found is None or value <= 0:
        return None
    z = found.raw_z(value)
    if measure in _SKEWED and abs(z) > 3 and not found.source.startswith("CDC"):
        edge = 3.0 if z > 0 else -3.0
        reach = abs(found.value(edge) - found.value(edge - edge / 3))
        z = edge + (value - found.value(edge)) / reach
    return Standing(z, found.source)


def curve(measure: str, sex: str, centile: float, ages: Sequence[float], standard: Standard = "who") -> Iterator[tuple[float, float]]:
    """Age in days and measurement along a centile, where the tables reach."""
    z = _NORMAL.inv_cdf(centile / 100)
    for age in ages:
        found = lms(measure, sex, age, standard)
        if found is not None:
            yield age, found.value(z)


@dataclass(frozen=True, slots=True)
class _Table:
    ages: tuple[float, ...]
    rows: tuple[tuple[float, float, float], ...]


@cache
def _tables(path: Path) -> Mapping[tuple[str, str], _Table]:
    found: dict[tuple[str, str], list[tuple[float, float, float, float]]] = {}
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            numbers = (float(row["age_days"]), float(row["l"]), float(row["m"]), float(row["s"]))
            found.setdefault((row["measure"], row["sex"]), []).append(numbers)
    return MappingProxyType({key: _Table(tuple(row[0] for row in rows), tuple(row[1:] for row in rows)) for key, rows in found.items()})
