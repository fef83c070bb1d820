"""Doses by weight: every step said, held at the greatest dose, rounded to what can be measured, old weights refused."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from clinicdesk.errors import Invalid
from clinicdesk.rules.weight_doses import Weight, dose_by_weight, too_old, weight_age_limit

TODAY = date(2026, 11, 21)
W = Weight(Decimal("12.4"), TODAY)


def test_a_liquid_is_given_in_millilitres() -> None:
    found = dose_by_weight(Decimal(15), "mg", W, strength="120 mg in 5 mL", form="oral suspension")
    assert (found.value, found.unit) == (Decimal("8.0"), "mL")  # 186 mg are 7.75 mL
    assert found.steps == "15 mg per kg × 12.4 kg = 186 mg; given as 8 mL."
    assert found.basis == "15 mg per kg, 12.4 kg on 21-Nov-2026"


def test_a_day_is_divided_and_a_maximum_held() -> None:
    found = dose_by_weight(Decimal(90), "mg", W, doses_a_day=2, strength="400 mg in 5 mL", form="oral suspension")
    assert (found.value, found.unit) == (Decimal("7.0"), "mL")  # 558 mg are 6.975 mL
    assert found.basis == "90 mg per kg a day, 12.4 kg on 21-Nov-2026"
    heavy = dose_by_weight(Decimal(15), "mg", Weight(Decimal(80), TODAY), most=Decimal(1000), strength="500 mg", form="tablet")
    assert (heavy.value, heavy.unit) == (Decimal(2), "tablet")
    assert "held at the greatest single dose, 1 g" in heavy.steps


@pytest.mark.parametrize(("strength", "form"), [("500 mg", "tablet"), ("250 mg", "capsule")])
def test_what_cannot_be_divided_is_refused(strength: str, form: str) -> None:
    with pytest.raises(Invalid, match="cannot be divided"):
        dose_by_weight(Decimal(15), "mg", W, strength=strength, form=form)


def test_without_a_strength_the_amount_itself() -> None:
    assert dose_by_weight(Decimal("0.15"), "mg", W).value == Decimal("1.9")
    assert dose_by_weight(Decimal(15), "mg", W).value == Decimal(186)
    with pytest.raises(Invalid):
        dose_by_weight(Decimal(0), "mg", W)


def test_a_weight_grows_old_the_sooner_the_younger() -> None:
    born = [TODAY - timedelta(days=days) for days in (100, 500, 1200, 4000, 9000)]
    limits = [weight_age_limit(day, TODAY) for day in born]
    assert limits == [14, 30, 90, 180, 365]
    for day, limit in zip(born, limits, strict=True):
        assert not too_old(Weight(Decimal(10), TODAY - timedelta(days=limit)), day, TODAY)
        assert too_old(Weight(Decimal(10), TODAY - timedelta(days=limit + 1)), day, TODAY)
