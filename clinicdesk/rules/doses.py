"""How an amount of medicine is written and read (reference clinical-safety R29), with the lexicon and tall-man letters beside it.

Whole numbers without decimals, a zero before the point, none after, a comma from 1,000, a space before the unit, full unit names where
short ones kill, and the United Kingdom ladder: 1 g and more in g, below in mg, below 1 mg in micrograms.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.abbreviations import LEXICON, Hit, corrected, forbidden
from clinicdesk.rules.numerals import Unsure, sure
from clinicdesk.rules.tall_man import tall_man
from clinicdesk.rules.texts import latin_digits, tidy

__all__ = ["DOSE_UNITS", "LEXICON", "DoseUnit", "Hit", "corrected", "fmt_dose", "fmt_number", "forbidden", "parse_dose", "same_dose",
           "tall_man"]

#: More decimals than this are a typing error, not a dose.
MOST_DECIMALS: Final = 6
LARGEST: Final = Decimal(1_000_000_000)


@dataclass(frozen=True, slots=True)
class DoseUnit:
    """A unit as stored (`name`), in words for one and for many; `micrograms` is its mass where it is one."""

    name: str
    plural: str
    micrograms: Decimal | None = None

    def word(self, value: Decimal) -> str:
        """The word after a number: `tablet` up to one, `tablets` above."""
        return self.name if value <= 1 else self.plural


_MASS: Final = (
    DoseUnit("g", "g", Decimal(1_000_000)),
    DoseUnit("mg", "mg", Decimal(1_000)),
    DoseUnit("microgram", "micrograms", Decimal(1)),
    DoseUnit("nanogram", "nanograms", Decimal("0.001")),
)
_OTHER: Final = (
    DoseUnit("mL", "mL"), DoseUnit("L", "L"), DoseUnit("mmol", "mmol"), DoseUnit("unit", "units"),
    DoseUnit("international unit", "international units"), DoseUnit("tablet", "tablets"), DoseUnit("capsule", "capsules"),
    DoseUnit("drop", "drops"), DoseUnit("puff", "puffs"), DoseUnit("spray", "sprays"), DoseUnit("patch", "patches"),
    DoseUnit("suppository", "suppositories"), DoseUnit("pessary", "pessaries"), DoseUnit("sachet", "sachets"), DoseUnit("lozenge",
                                                                                                                        "lozenges"),
    DoseUnit("application", "applications"), DoseUnit("ampoule", "ampoules"), DoseUnit("vial", "vials"), DoseUnit("pen", "pens"),
    DoseUnit("inhaler", "inhalers"), DoseUnit("tube", "tubes"), DoseUnit("bottle", "bottles"), DoseUnit("pack", "packs"),
    DoseUnit("dose", "doses"),
)
#: Stored name → unit, for pick lists.
DOSE_UNITS: Final[Mapping[str, DoseUnit]] = MappingProxyType({u.name: u for u in (*_MASS, *_OTHER)})
_BY_WORD: Final = MappingProxyType(
    {word.casefold(): u for u in DOSE_UNITS.values() for word in (u.name, u.plural)}
    | {"mcg": DOSE_UNITS["microgram"], "gram": DOSE_UNITS["g"], "grams": DOSE_UNITS["g"], "milligram": DOSE_UNITS["mg"],
       "milligrams": DOSE_UNITS["mg"], "millilitre": DOSE_UNITS["mL"], "millilitres": DOSE_UNITS["mL"], "litre": DOSE_UNITS["L"],
       "litres": DOSE_UNITS["L"]})


def fmt_number(value: Decimal) -> str:
    """A number by R29: `1`, `0.5`, `1,000`, never `.5`, `1.0` or `1000`."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def fmt_dose(value: Decimal, unit: str, field: str = "dose") -> str:
    """An amount in words and figures, mass on the ladder: (0.5, g) → `500 mg`; (0.1, mg) → `100 micrograms`; (2, tablet) → `2 tablets`.

    `Invalid(field)` for an unknown unit or an amount that is not above zero, too large, or has more than six decimals.
    """
    known = _unit(unit, field)
    _check_amount(value, field)
    if known.micrograms is not None:
        mass = value * known.micrograms
        known = next((u for u in _MASS if u.micrograms is not None and mass >= u.micrograms), _MASS[-1])
        value = mass / (known.micrograms or 1)
    return f"{fmt_number(value)} {known.word(value)}"


def parse_dose(text: str, field: str = "dose") -> tuple[Decimal, str]:
    """The amount and stored unit name a person typed: `500mg`, `1,000 units`, `0.5 tablet`, `100 mcg`.

    `Invalid(field)` explains: a dangerous abbreviation with what to write instead, a comma that could be a decimal, a zero at the end of
    decimals (`5.0`, `5.000`), an unknown unit.
    """
    typed = latin_digits(tidy(text))
    match = re.fullmatch(r"(\d[\d,]*(?:\.\d+)?|\.\d+)\s*([^\d\s].*)", typed)
    if not match:
        raise Invalid(field, "A dose is a number and a unit, for example 500 mg or 2 tablets.")
    number, unit = match.groups()
    if number.startswith("."):
        raise Invalid(field, f"Write a zero before the point: 0{number} {unit}.")
    if "," in number and not re.fullmatch(r"[1-9]\d{0,2}(,\d{3})+(\.\d+)?", number):
        raise Invalid(field, "Use a point for decimals and a comma only for thousands: 1.5 mg, 1,500 units.")
    if unit.rstrip(".").casefold() not in _BY_WORD and (hits := forbidden(f"{number} {unit}")):
        raise Invalid(field, f"“{hits[0].text}” is misread too easily. Write {hits[0].use}.")
    value = Decimal(number.replace(",", ""))
    _check_amount(value, field, MOST_DECIMALS + 6)
    try:
        sure(number, value)  # point and comma have one meaning each here, as they are printed: the unit makes nothing doubtful
    except Unsure as doubt:
        raise Invalid(field, doubt.sentence) from None
    return value, _unit(unit, field).name


def same_dose(value: Decimal, unit: str, other_value: Decimal, other_unit: str) -> bool:
    """Whether two amounts are equal, converting between units of mass."""
    one, two = _unit(unit, "dose"), _unit(other_unit, "dose")
    if one.micrograms is None or two.micrograms is None:
        return one == two and value == other_value
    return value * one.micrograms == other_value * two.micrograms


def _unit(word: str, field: str) -> DoseUnit:
    unit = _BY_WORD.get(" ".join(word.split()).rstrip(".").casefold())
    if unit is None:
        raise Invalid(field, f"“{word}” is not a unit of dose. Choose one of the list, for example mg, mL, units or tablet.")
    return unit


def _check_amount(value: Decimal, field: str, decimals: int = MOST_DECIMALS) -> None:
    exponent = value.as_tuple().exponent
    if not value.is_finite() or not isinstance(exponent, int) or not 0 < value < LARGEST:
        raise Invalid(field, "A dose is more than zero.")
    if exponent < -decimals and value != value.quantize(Decimal(1).scaleb(-decimals)):
        raise Invalid(field, f"A dose has at most {decimals} decimals.")
