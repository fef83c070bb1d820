"""Limits at every boundary (generated from the reference's own numbers), conversions and classes."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules import vitals
from clinicdesk.rules.vitals import VITALS, check_pressure, check_vital, parse_vital

#: Retyped from reference § 1.10.2: hard low, hard high, soft low, soft high, step, soft limits only for adults.
REFERENCE = {
    "temperature": ("25.0", "45.0", "34.0", "41.0", "0.1", False),
    "pulse": ("10", "300", "40", "150", "1", True),
    "respiration": ("2", "70", "8", "35", "1", True),
    "systolic": ("30", "350", "80", "220", "1", True),
    "diastolic": ("10", "250", "40", "130", "1", True),
    "spo2": ("20", "100", "88", "100", "1", False),
    "oxygen_flow": ("0.1", "60", "0.1", "60", "0.1", False),  # not in the reference: our own limits, for the flow beside SpO2
    "height": ("20", "300", "130", "210", "0.1", True),
    "weight": ("0.15", "500", "35", "200", "0.01", True),
    "bmi": ("7.5", "105", "14", "60", "0.1", True),
    "head_circumference": ("5", "100", "5", "100", "0.1", False),
    "glucose": ("0.3", "80", "3.0", "20", "0.1", False),
    "pain": ("0", "10", "0", "10", "1", False),
    "gcs": ("3", "15", "14", "15", "1", False),
}


def boundary_cases() -> list[tuple[str, Decimal, int, str]]:
    cases = []
    for kind, (*numbers, adult_only) in REFERENCE.items():
        low, high, ask_low, ask_high, step = (Decimal(str(n)) for n in numbers)
        for value in sorted({edge + offset for edge in (low, high, ask_low, ask_high) for offset in (-step, 0, step)}):
            for age in (5, 17, 18, 60):
                if value < low or value > high:
                    level = "hard"
                elif adult_only and age < 18:
                    level = "ok"
                else:
                    level = "ok" if ask_low <= value <= ask_high else "soft"
                cases.append((kind, value, age, level))
    return cases


def test_the_table_is_the_reference() -> None:
    assert set(VITALS) == set(REFERENCE)
    for kind, (*_, step, adult_only) in REFERENCE.items():
        assert (VITALS[kind].step, VITALS[kind].soft_adult_only) == (Decimal(step), adult_only)
        assert VITALS[kind].name == kind
    assert len({v.loinc for v in VITALS.values()}) == len(VITALS)


@pytest.mark.parametrize(("kind", "value", "age", "level"), boundary_cases())
def test_boundaries(kind: str, value: Decimal, age: int, level: str) -> None:
    reading = check_vital(kind, value, age)
    assert reading.level == level
    assert bool(reading.sentence) == (level != "ok")
    if value >= 0:
        assert parse_vital(kind, str(value)) == value


def test_unknown_age_is_asked_like_an_adult() -> None:
    assert check_vital("pulse", Decimal(160), None).level == "soft"


def test_fahrenheit_is_offered_never_applied() -> None:
    reading = check_vital("temperature", Decimal("98.6"), 40)
    assert (reading.level, reading.offer) == ("hard", Decimal("37.0"))
    assert "98.6 °F" in reading.sentence
    assert "37.0 °C" in reading.sentence
    for value, offer in (("76.9", None), ("77", Decimal("25.0")), ("113", Decimal("45.0")), ("113.1", None), ("46", None)):
        assert check_vital("temperature", Decimal(value), 40).offer == offer
    assert check_vital("pulse", Decimal(301), 40).offer is None


@pytest.mark.parametrize(("kind", "typed", "value"), [("temperature", "36,8", "36.8"), ("temperature", " 36.80 ", "36.8"),
                                                      ("pulse", "72", "72"),
                                                      ("pulse", "72.0", "72"), ("weight", "71.25", "71.25"), ("glucose", "٥.٤", "5.4")])
def test_parse(kind: str, typed: str, value: str) -> None:
    assert parse_vital(kind, typed) == Decimal(value)


@pytest.mark.parametrize(("kind", "typed"),
                         [("temperature", "36.85"), ("pulse", "72.5"), ("pulse", ""), ("pulse", "abc"), ("pulse", "-5"),
                                             ("weight", "1,234.5"), ("pulse", "1e2"), ("pulse", "NaN"), ("pulse", "9" * 400)])
def test_parse_refuses_with_the_range(kind: str, typed: str) -> None:
    with pytest.raises(Invalid, match=" to ") as refusal:
        parse_vital(kind, typed)
    assert refusal.value.field == kind


def test_pressure_pair() -> None:
    wanted = {120: "ok", 80: "hard", 79: "hard", 95: "ok", 94: "soft", 200: "ok", 201: "soft"}
    assert {systolic: check_pressure(Decimal(systolic), Decimal(80)).level for systolic in wanted} == wanted


def test_changes() -> None:
    assert vitals.check_height_change(Decimal(170), Decimal(173), 40).level == "ok"
    assert vitals.check_height_change(Decimal(170), Decimal("173.1"), 40).level == "soft"
    assert vitals.check_height_change(Decimal(120), Decimal(130), 10).level == "ok"
    assert vitals.check_weight_change(Decimal(70), Decimal(77), 90).level == "ok"
    assert vitals.check_weight_change(Decimal(70), Decimal("77.01"), 90).level == "soft"
    assert vitals.check_weight_change(Decimal(70), Decimal("62.9"), 10).level == "soft"
    assert vitals.check_weight_change(Decimal(70), Decimal(90), 91).level == "ok"


def test_bmi_class_uses_the_unrounded_value() -> None:
    assert vitals.bmi(Decimal(180), Decimal(81)) == 25
    assert vitals.bmi_class(Decimal("24.999"), 40) == "normal range"
    names = ["severe thinness", "moderate thinness", "mild thinness", "normal range", "pre-obese", "obese class I", "obese class II",
             "obese class III"]
    edges = [Decimal(16), Decimal(17), Decimal("18.5"), Decimal(25), Decimal(30), Decimal(35), Decimal(40)]
    for i, edge in enumerate(edges):
        assert vitals.bmi_class(edge - Decimal("0.0001"), 18) == names[i]
        assert vitals.bmi_class(edge, 18) == names[i + 1]
    assert vitals.bmi_class(Decimal(22), 17) is None
    assert vitals.bmi_class(Decimal(22), None) is None
    assert vitals.bmi_class(Decimal(22), 30, pregnant=True) is None


@given(st.integers(30, 350), st.integers(10, 250))
def test_higher_pressure_category_wins(systolic: int, diastolic: int) -> None:
    def rank_s(v: int) -> int:
        return sum(v >= limit for limit in (120, 130, 140, 181))

    def rank_d(v: int) -> int:
        return {0: 0, 1: 2, 2: 3, 3: 4}[sum(v >= limit for limit in (80, 90, 121))]

    names = ["normal range", "elevated range", "stage 1 range", "stage 2 range", "crisis range"]
    assert vitals.bp_range(Decimal(systolic), Decimal(diastolic)) == names[max(rank_s(systolic), rank_d(diastolic))]


def test_glucose() -> None:
    assert vitals.glucose_mg(Decimal("5.5")) == 99
    assert vitals.glucose_mmol(Decimal(100)) == Decimal("5.6")
    assert all(vitals.glucose_mmol(vitals.glucose_mg(Decimal(i) / 10)) == Decimal(i) / 10 for i in range(3, 801))
