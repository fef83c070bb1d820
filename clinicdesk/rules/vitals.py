"""Vital signs: limits at entry, conversions, body mass index and blood pressure ranges.

Limits are the table of reference clinical-safety § 1.10.2 (its sources: MIMIC filters, RCPCH limits, NEWS2 bands, a maternity
specification; no universal standard exists). Outside a hard limit a value is refused, and the database has the same numbers as
constraints; outside a soft limit one key confirms it. LOINC and UCUM as in § 1.10.5.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Final, Literal

from clinicdesk.errors import Invalid
from clinicdesk.rules.texts import latin_digits, tidy

Level = Literal["ok", "soft", "hard"]

#: Soft limits written for adults are asked from this age on; younger people need centiles, which this table does not hold.
ADULT_YEARS: Final = 18
#: mg/dL in one mmol/L of glucose (molar mass 180.16 g/mol, reference § 1.10.2).
GLUCOSE_MG_PER_DL: Final = Decimal("18.016")


@dataclass(frozen=True, slots=True)
class Vital:
    """One kind of measurement. Limits are inclusive; `soft_adult_only` limits are not asked below `ADULT_YEARS`."""

    name: str
    label: str
    unit: str
    ucum: str
    loinc: str
    hard_low: Decimal
    hard_high: Decimal
    soft_low: Decimal | None
    soft_high: Decimal | None
    decimals: int
    soft_adult_only: bool = False

    @property
    def step(self) -> Decimal:
        """Smallest difference that is stored, for example 0.1."""
        return Decimal(1).scaleb(-self.decimals)


def _vital(name: str, label: str, codes: tuple[str, str, str], hard: tuple[str, str], soft: tuple[str | None, str | None],
           *, decimals: int = 0, adult: bool = False) -> Vital:
    unit, ucum, loinc = codes
    low, high = (None if s is None else Decimal(s) for s in soft)
    return Vital(name, label, unit, ucum, loinc, Decimal(hard[0]), Decimal(hard[1]), low, high, decimals, adult)


_TABLE: Final = (
    _vital("temperature", "Temperature", ("°C", "Cel", "8310-5"), ("25.0", "45.0"), ("34.0", "41.0"), decimals=1),
    _vital("pulse", "Pulse", ("/min", "/min", "8867-4"), ("10", "300"), ("40", "150"), adult=True),
    _vital("respiration", "Respiration", ("/min", "/min", "9279-1"), ("2", "70"), ("8", "35"), adult=True),
    _vital("systolic", "Systolic blood pressure", ("mmHg", "mm[Hg]", "8480-6"), ("30", "350"), ("80", "220"), adult=True),
    _vital("diastolic", "Diastolic blood pressure", ("mmHg", "mm[Hg]", "8462-4"), ("10", "250"), ("40", "130"), adult=True),
    _vital("spo2", "Oxygen saturation", ("%", "%", "59408-5"), ("20", "100"), ("88", "100")),
    _vital("oxygen_flow", "Oxygen flow", ("L/min", "L/min", "3151-8"), ("0.1", "60"), (None, None), decimals=1),
    _vital("height", "Height", ("cm", "cm", "8302-2"), ("20", "300"), ("130", "210"), decimals=1, adult=True),
    _vital("weight", "Weight", ("kg", "kg", "29463-7"), ("0.15", "500"), ("35", "200"), decimals=2, adult=True),
    _vital("bmi", "Body mass index", ("kg/m²", "kg/m2", "39156-5"), ("7.5", "105"), ("14", "60"), decimals=1, adult=True),
    _vital("head_circumference", "Head circumference", ("cm", "cm", "9843-4"), ("5", "100"), (None, None), decimals=1),
    _vital("glucose", "Blood glucose", ("mmol/L", "mmol/L", "15074-8"), ("0.3", "80"), ("3.0", "20"), decimals=1),
    _vital("pain", "Pain", ("of 10", "{score}", "72514-3"), ("0", "10"), (None, None)),
    _vital("gcs", "Glasgow Coma Scale", ("of 15", "{score}", "9269-2"), ("3", "15"), ("14", None)),
)
VITALS: Final[Mapping[str, Vital]] = MappingProxyType({v.name: v for v in _TABLE})


@dataclass(frozen=True, slots=True)
class Reading:
    """The verdict on a value: ok, soft (ask once, allow) or hard (refuse), with a sentence unless ok.

    `offer` is a corrected value to offer, never to apply silently (a temperature typed in Fahrenheit).
    """

    level: Level
    sentence: str = ""
    offer: Decimal | None = None


OK: Final = Reading("ok")


def number_text(value: Decimal, decimals: int) -> str:
    """A measurement at its stored precision: 36.5, 120, 71.25; a trailing zero is meant here (reference R29, exception)."""
    return f"{value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):f}"


def limits_text(vital: Vital) -> str:
    """The allowed range in words: `25.0 to 45.0 °C`."""
    return f"{number_text(vital.hard_low, vital.decimals)} to {number_text(vital.hard_high, vital.decimals)} {vital.unit}"


def parse_vital(kind: str, text: str) -> Decimal:
    """The number a person typed for a vital, with point or comma; `Invalid(kind)` for anything else or too many decimals.

    The limits are not checked here (`check_vital`), so that a refused value can still be shown.
    """
    vital = VITALS[kind]
    typed = latin_digits(tidy(text)).replace(",", ".")
    match = re.fullmatch(r"(\d{1,6})(?:\.(\d*))?", typed)
    if not match:
        raise Invalid(kind, f"{vital.label} is a number, {limits_text(vital)}.")
    decimals = (match.group(2) or "").rstrip("0")
    if len(decimals) > vital.decimals:
        allowed = "a whole number" if vital.decimals == 0 else f"given with at most {vital.decimals} decimal{'s' * (vital.decimals > 1)}"
        raise Invalid(kind, f"{vital.label} is {allowed}, {limits_text(vital)}.")
    return Decimal(f"{match.group(1)}.{decimals}" if decimals else match.group(1))


def check_vital(kind: str, value: Decimal, age_years: int | None) -> Reading:
    """Judge one value in the vital's own unit. An unknown age is treated as adult, so nothing passes unasked.

    A temperature of 77–113 is offered as Fahrenheit: the commonest real entry error (PMC3881102).
    """
    vital = VITALS[kind]
    shown = f"{_plain(value)} {vital.unit}"
    if not vital.hard_low <= value <= vital.hard_high:
        offer = celsius(value) if kind == "temperature" and 77 <= value <= 113 else None
        if offer is not None:
            return Reading("hard", f"{shown} is not possible. Did you mean {_plain(value)} °F, which is {offer} °C?", offer)
        if kind == "glucose" and vital.hard_high < value <= glucose_mg(vital.hard_high):
            mmol = glucose_mmol(value)
            return Reading("hard", f"{shown} is not possible. Did you mean {_plain(value)} mg/dL, which is {mmol} mmol/L?", mmol)
        return Reading("hard", f"{vital.label} must be {limits_text(vital)}.")
    if vital.soft_adult_only and age_years is not None and age_years < ADULT_YEARS:
        return OK
    if vital.soft_low is not None and value < vital.soft_low:
        return Reading("soft", f"{vital.label} of {shown} is unusually low. Is it right?")
    if vital.soft_high is not None and value > vital.soft_high:
        return Reading("soft", f"{vital.label} of {shown} is unusually high. Is it right?")
    return OK


def check_pressure(systolic: Decimal, diastolic: Decimal) -> Reading:
    """Judge the pair (mmHg): systolic must exceed diastolic; a pulse pressure below 15 or above 120 is asked about."""
    difference = systolic - diastolic
    if difference <= 0:
        return Reading("hard", "The systolic blood pressure must be higher than the diastolic.")
    if difference < 15:
        return Reading("soft", f"Systolic and diastolic are only {_plain(difference)} mmHg apart. Is it right?")
    if difference > 120:
        return Reading("soft", f"Systolic and diastolic are {_plain(difference)} mmHg apart. Is it right?")
    return OK


def check_height_change(previous: Decimal, value: Decimal, age_years: int | None) -> Reading:
    """Judge a height (cm) against the last one: a change of more than 3 cm in an adult is asked about."""
    if (age_years is None or age_years >= ADULT_YEARS) and abs(value - previous) > 3:
        return Reading("soft", f"The last height was {_plain(previous)} cm, {_plain(abs(value - previous))} cm different. Is it right?")
    return OK


def check_weight_change(previous: Decimal, value: Decimal, days_since: int) -> Reading:
    """Judge a weight (kg) against one of at most 90 days ago: a change of more than 10 % is asked about."""
    if days_since <= 90 and abs(value - previous) * 10 > previous:
        when = {0: "earlier today", 1: "yesterday"}.get(days_since, f"{days_since} days ago")
        return Reading("soft", f"The weight was {_plain(previous)} kg {when}, more than 10 % different. Is it right?")
    return OK


def celsius(fahrenheit: Decimal) -> Decimal:
    """Degrees Celsius rounded to 0.1."""
    return ((fahrenheit - 32) * 5 / 9).quantize(Decimal("0.1"), ROUND_HALF_UP)


def glucose_mmol(mg_per_dl: Decimal) -> Decimal:
    """Glucose in mmol/L rounded to 0.1."""
    return (mg_per_dl / GLUCOSE_MG_PER_DL).quantize(Decimal("0.1"), ROUND_HALF_UP)


def glucose_mg(mmol_per_l: Decimal) -> Decimal:
    """Glucose in whole mg/dL."""
    return (mmol_per_l * GLUCOSE_MG_PER_DL).quantize(Decimal(1), ROUND_HALF_UP)


def bmi(height_cm: Decimal, weight_kg: Decimal) -> Decimal:
    """Body mass index in kg/m², unrounded; round only for display."""
    if height_cm <= 0 or weight_kg <= 0:
        raise ValueError("height and weight are positive")
    return weight_kg * 10_000 / (height_cm * height_cm)


_BMI_CLASSES: Final = (
    (Decimal(16), "severe thinness"), (Decimal(17), "moderate thinness"), (Decimal("18.5"), "mild thinness"), (Decimal(25),
                                                                                                               "normal range"),
    (Decimal(30), "pre-obese"), (Decimal(35), "obese class I"), (Decimal(40), "obese class II"),
)


def bmi_class(value: Decimal, age_years: int | None, *, pregnant: bool = False) -> str | None:
    """WHO class of an unrounded BMI (reference § 1.10.3); None under 18 years, at unknown age and in pregnancy."""
    if age_years is None or age_years < ADULT_YEARS or pregnant:
        return None
    return next((name for limit, name in _BMI_CLASSES if value < limit), "obese class III")


def bp_range(systolic: Decimal, diastolic: Decimal) -> str:
    """The ACC/AHA 2017 range one adult reading (mmHg) falls into; the higher category wins. A range, not a diagnosis (§ 1.10.4)."""
    if systolic > 180 or diastolic > 120:
        return "crisis range"
    if systolic >= 140 or diastolic >= 90:
        return "stage 2 range"
    if systolic >= 130 or diastolic >= 80:
        return "stage 1 range"
    return "elevated range" if systolic >= 120 else "normal range"


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
