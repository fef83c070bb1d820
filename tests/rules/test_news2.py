"""NEWS2 against an independent reading of the chart: every whole number in the hard range, both saturation scales."""

from decimal import Decimal

import pytest

from clinicdesk.errors import Invalid
from clinicdesk.rules.news2 import CONSCIOUSNESS, News2Inputs, news2
from clinicdesk.rules.vitals import VITALS

#: The chart as drawn: for each parameter the ranges (both ends included) under each score.
CHART: dict[str, dict[int, list[range]]] = {
    "respiration": {3: [range(9), range(25, 1000)], 2: [range(21, 25)], 1: [range(9, 12)], 0: [range(12, 21)]},
    "systolic": {3: [range(91), range(220, 1000)], 2: [range(91, 101)], 1: [range(101, 111)], 0: [range(111, 220)]},
    "pulse": {3: [range(41), range(131, 1000)], 2: [range(111, 131)], 1: [range(41, 51), range(91, 111)], 0: [range(51, 91)]},
    # in tenths of a degree
    "temperature": {3: [range(351)], 2: [range(391, 1000)], 1: [range(351, 361), range(381, 391)], 0: [range(361, 381)]},
    "scale 1": {3: [range(92)], 2: [range(92, 94)], 1: [range(94, 96)], 0: [range(96, 101)]},
    "scale 2 air": {3: [range(84)], 2: [range(84, 86)], 1: [range(86, 88)], 0: [range(88, 101)]},
    "scale 2 oxygen": {3: [range(84), range(97, 101)], 2: [range(84, 86), range(95, 97)], 1: [range(86, 88), range(93, 95)],
                       0: [range(88, 93)]},
}


def drawn(row: str, value: int) -> int:
    found = [score for score, ranges in CHART[row].items() if any(value in r for r in ranges)]
    assert len(found) == 1, (row, value)
    return found[0]


@pytest.mark.parametrize("kind", ["respiration", "systolic", "pulse"])
def test_every_integer(kind: str) -> None:
    for value in range(int(VITALS[kind].hard_low), int(VITALS[kind].hard_high) + 1):
        assert news2(News2Inputs(**{kind: Decimal(value)}), 40).parts == {kind: drawn(kind, value)}  # type: ignore[arg-type]


def test_every_tenth_of_a_degree() -> None:
    for tenths in range(250, 451):
        assert news2(News2Inputs(temperature=Decimal(tenths) / 10), 40).parts == {"temperature": drawn("temperature", tenths)}


@pytest.mark.parametrize("on_oxygen", [False, True])
def test_every_saturation_on_both_scales(on_oxygen: bool) -> None:
    for value in range(20, 101):
        first = news2(News2Inputs(spo2=Decimal(value), on_oxygen=on_oxygen), 40).parts
        second = news2(News2Inputs(spo2=Decimal(value), on_oxygen=on_oxygen, scale=2), 40).parts
        assert first == {"spo2": drawn("scale 1", value), "oxygen": 2 if on_oxygen else 0}
        assert second["spo2"] == drawn("scale 2 oxygen" if on_oxygen else "scale 2 air", value)


def test_consciousness() -> None:
    assert {level: news2(News2Inputs(consciousness=level), 40).parts["consciousness"] for level in CONSCIOUSNESS} == {
        "alert": 0, "confusion": 3, "voice": 3, "pain": 3, "unresponsive": 3}
    with pytest.raises(Invalid):
        news2(News2Inputs(consciousness="A"), 40)


def full(rr: int, spo2: int, oxygen: bool, systolic: int, pulse: int, consciousness: str, temperature: str,
         scale: int = 1) -> News2Inputs:
    return News2Inputs(Decimal(rr), Decimal(spo2), oxygen, Decimal(systolic), Decimal(pulse), consciousness, Decimal(temperature),
                       scale)  # type: ignore[arg-type]


@pytest.mark.parametrize(("inputs", "total"), [
    (full(16, 97, False, 120, 70, "alert", "36.8"), 0),
    (full(25, 91, True, 90, 131, "voice", "35.0"), 20),
    (full(16, 97, True, 120, 70, "alert", "36.8", scale=2), 5),
    (full(16, 93, False, 120, 70, "alert", "36.8", scale=2), 0),
    (full(21, 95, False, 110, 91, "alert", "38.1"), 6),
    (full(24, 89, True, 100, 125, "alert", "39.1", scale=2), 10),
])
def test_vectors(inputs: News2Inputs, total: int) -> None:
    assert news2(inputs, 40).total == total


@pytest.mark.parametrize(("inputs", "says"), [
    (full(16, 97, False, 120, 70, "alert", "36.8"), "12 hours"),
    (full(16, 97, False, 110, 70, "alert", "36.8"), "4 to 6 hours"),
    (full(16, 97, False, 120, 70, "voice", "36.8"), "One value scores 3"),
    (full(21, 95, False, 110, 91, "alert", "36.8"), "Urgent response"),
    (full(24, 89, True, 100, 125, "alert", "39.1"), "Emergency"),
])
def test_responses(inputs: News2Inputs, says: str) -> None:
    assert says in news2(inputs, 40).response


def test_incomplete_has_no_total() -> None:
    score = news2(News2Inputs(Decimal(16), Decimal(97), None, Decimal(120), Decimal(70), "alert", Decimal("36.8")), 40)
    assert (score.total, score.missing) == (None, ("air or oxygen",))
    assert "incomplete" in score.response
    on_scale_2 = news2(News2Inputs(Decimal(16), Decimal(95), None, Decimal(120), Decimal(70), "alert", Decimal("36.8"), scale=2), 40)
    assert on_scale_2.missing == ("oxygen saturation", "air or oxygen")
    assert len(news2(News2Inputs(), 40).missing) == 7


def test_not_for_children_or_pregnancy() -> None:
    inputs = full(16, 97, False, 120, 70, "alert", "36.8")
    assert news2(inputs, 15).total is None
    assert news2(inputs, 16).total == 0
    assert news2(inputs, None).total is None
    assert news2(inputs, 30, pregnant=True).total is None
