"""National Early Warning Score 2 for adults, with every part shown so that a person can check the sum.

Thresholds and responses: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017 (reference clinical-safety
§ 1.10.1); reproduced with credit. The total is only given when every part is known; never below 16 years or in pregnancy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final, Literal

from clinicdesk.errors import Invalid

YOUNGEST: Final = 16
#: Level of consciousness → words. Everything but alert scores 3.
CONSCIOUSNESS: Final[Mapping[str, str]] = MappingProxyType({
    "alert": "Alert",
    "confusion": "New confusion",
    "voice": "Responds to voice",
    "pain": "Responds to pain",
    "unresponsive": "Unresponsive",
})
PARTS: Final = ("respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature")
_LABELS: Final = MappingProxyType({
    "respiration": "respiration", "spo2": "oxygen saturation", "oxygen": "air or oxygen", "systolic": "systolic blood pressure",
    "pulse": "pulse", "consciousness": "consciousness", "temperature": "temperature"})


@dataclass(frozen=True, slots=True)
class News2Inputs:
    """What the score needs; None where not measured. Units: /min, %, mmHg, °C. `scale` 2 only when a clinician set it (target 88–92 %)."""

    respiration: Decimal | None = None
    spo2: Decimal | None = None
    on_oxygen: bool | None = None
    systolic: Decimal | None = None
    pulse: Decimal | None = None
    consciousness: str | None = None
    temperature: Decimal | None = None
    scale: Literal[1, 2] = 1


@dataclass(frozen=True, slots=True)
class News2Score:
    """`total` 0–20 or None; `parts` points by name (known ones only); `response` in words; `missing` what is not measured, in words."""

    total: int | None
    parts: Mapping[str, int]
    response: str
    missing: tuple[str, ...] = ()


def _bands(value: Decimal, *limits: tuple[str, int], above: int) -> int:
    """Points of the first band whose upper limit (inclusive) holds `value`."""
    return next((points for limit, points in limits if value <= Decimal(limit)), above)


def _spo2(value: Decimal, on_oxygen: bool | None, scale: Literal[1, 2]) -> int | None:  # noqa: FBT001  three-valued measurement
    if scale == 1:
        return _bands(value, ("91", 3), ("93", 2), ("95", 1), above=0)
    low = _bands(value, ("83", 3), ("85", 2), ("87", 1), ("92", 0), above=-1)
    if low >= 0:
        return low
    if on_oxygen is None:
        return None
    return _bands(value, ("94", 1), ("96", 2), above=3) if on_oxygen else 0


def news2(inputs: News2Inputs, age_years: int | None, *, pregnant: bool = False) -> News2Score:
    """The score, or no total with the reason in `response` (too young, pregnant, age unknown, incomplete).

    `Invalid("consciousness")` for a level that is not in `CONSCIOUSNESS`.
    """
    if age_years is None:
        return News2Score(None, MappingProxyType({}), "NEWS2 needs the patient's age.")
    if age_years < YOUNGEST:
        return News2Score(None, MappingProxyType({}), f"NEWS2 is not for people under {YOUNGEST} years.")
    if pregnant:
        return News2Score(None, MappingProxyType({}), "NEWS2 is not for use in pregnancy.")
    if inputs.consciousness is not None and inputs.consciousness not in CONSCIOUSNESS:
        raise Invalid("consciousness", f"Consciousness is one of: {', '.join(CONSCIOUSNESS.values())}.")
    parts = {name: points for name, points in _parts(inputs).items() if points is not None}
    missing = tuple(_LABELS[name] for name in PARTS if name not in parts)
    if missing:
        return News2Score(None, MappingProxyType(parts), f"NEWS2 incomplete: {', '.join(missing)} missing.", missing)
    total = sum(parts.values())
    return News2Score(total, MappingProxyType(parts), _response(total, parts))


def _parts(i: News2Inputs) -> dict[str, int | None]:
    return {
        "respiration": None if i.respiration is None else _bands(i.respiration, ("8", 3), ("11", 1), ("20", 0), ("24", 2), above=3),
        "spo2": None if i.spo2 is None else _spo2(i.spo2, i.on_oxygen, i.scale),
        "oxygen": None if i.on_oxygen is None else 2 * i.on_oxygen,
        "systolic": None if i.systolic is None else _bands(i.systolic, ("90", 3), ("100", 2), ("110", 1), ("219", 0), above=3),
        "pulse": None if i.pulse is None else _bands(i.pulse, ("40", 3), ("50", 1), ("90", 0), ("110", 1), ("130", 2), above=3),
        "consciousness": None if i.consciousness is None else 3 * (i.consciousness != "alert"),
        "temperature": None if i.temperature is None else _bands(
            i.temperature, ("35.0", 3), ("36.0", 1), ("38.0", 0), ("39.0", 1), above=2),
    }


def _response(total: int, parts: Mapping[str, int]) -> str:
    if total >= 7:
        return "Emergency response: continuous monitoring."
    if total >= 5:
        return "Urgent response: monitor at least every hour."
    if 3 in parts.values():
        return "One value scores 3: urgent review by a clinician, monitor at least every hour."
    if total >= 1:
        return "Monitor at least every 4 to 6 hours."
    return "Monitor at least every 12 hours."
