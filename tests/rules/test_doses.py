"""Dose expressions, the lexicon of forbidden forms, and tall-man letters."""

import random
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.rules.doses import DOSE_UNITS, LEXICON, corrected, fmt_dose, forbidden, parse_dose, same_dose, tall_man

NAKED, TRAILING, GLUED = re.compile(r"(^|\s)\.\d"), re.compile(r"\d\.\d*0(\s|$)"), re.compile(r"\d(mg|g|mL)")
amounts = st.decimals("0.000001", "99999999", places=6, allow_nan=False).filter(lambda d: d > 0)


@pytest.mark.parametrize(("value", "unit", "text"), [
    ("1.0", "mg", "1 mg"), ("0.50", "mg", "500 micrograms"), ("0.5", "g", "500 mg"), ("1000", "mg", "1 g"), ("1500", "mg", "1.5 g"),
    ("0.1", "mg", "100 micrograms"), ("1", "microgram", "1 microgram"), ("0.5", "microgram", "500 nanograms"), ("2500", "g", "2,500 g"),
    ("100000", "unit", "100,000 units"), ("1", "unit", "1 unit"), ("0.5", "tablet", "0.5 tablet"), ("2", "tablet", "2 tablets"),
    ("2.50", "mL", "2.5 mL"), ("1E+3", "mL", "1,000 mL"), ("5", "mcg", "5 micrograms"), ("999", "mg", "999 mg"), ("0.999", "mg",
                                                                                                                  "999 micrograms"),
])
def test_written(value: str, unit: str, text: str) -> None:
    assert fmt_dose(Decimal(value), unit) == text


@pytest.mark.parametrize(("value", "unit"),
                         [("0", "mg"), ("-1", "mg"), ("NaN", "mg"), ("Infinity", "mg"), ("1E+9", "mL"), ("0.0000001", "mL"),
                                             ("1", "spoon"), ("1", "")])
def test_impossible_doses(value: str, unit: str) -> None:
    with pytest.raises(Invalid) as refusal:
        fmt_dose(Decimal(value), unit)
    assert refusal.value.field == "dose"


def test_a_hundred_thousand_doses_are_never_misread() -> None:
    source = random.Random(7)
    units = list(DOSE_UNITS)
    for _ in range(100_000):
        value = Decimal(source.randint(1, 10 ** source.randint(1, 9))).scaleb(-source.randint(0, 6))
        unit = source.choice(units)
        text = fmt_dose(value, unit)
        assert not NAKED.search(text), text
        assert not TRAILING.search(text), text
        assert not GLUED.search(text), text
        assert not re.search(r"\d{4}", text.split(".")[0]), text
        read_value, read_unit = parse_dose(text)
        assert same_dose(read_value, read_unit, value, unit), text


@given(amounts, st.sampled_from(list(DOSE_UNITS)))
def test_round_trip(value: Decimal, unit: str) -> None:
    assert same_dose(*parse_dose(fmt_dose(value, unit)), value, unit)
    assert forbidden(fmt_dose(value, unit)) == []


@pytest.mark.parametrize(("typed", "value", "unit"),
                         [("500mg", "500", "mg"), ("1,500 units", "1500", "unit"), ("0.5 Tablets", "0.5", "tablet"),
                                                      ("100 mcg", "100", "microgram"), ("5 ml", "5", "mL"), ("٥ mg", "5", "mg")])
def test_typed(typed: str, value: str, unit: str) -> None:
    assert parse_dose(typed) == (Decimal(value), unit)


@pytest.mark.parametrize(("typed", "says"), [
    ("500", "number and a unit"), ("mg", "number and a unit"), (".5 mg", "zero before the point: 0.5 mg"), ("1,5 mg",
                                                                                                            "point for decimals"),
    ("1,50 mg", "point for decimals"), ("0,125 mg", "point for decimals"), ("10 U", "Write units"), ("10u", "Write units"),
    ("10 IU", "Write international units"), ("100 µg", "Write micrograms"), ("100 ug", "Write micrograms"), ("5 cc", "Write mL"),
    ("5 bottels", "not a unit"), ("0 mg", "more than zero"), ("5.0 mg", "no zero at the end of decimals.*write 5"),
    ("5.000 units", "is it 5 or 5,000"), ("0.50 mg", "write 0.5"), ("1,000.0 mg", "write 1,000"),
])
def test_typing_is_corrected_not_guessed(typed: str, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        parse_dose(typed)


#: form → part of what must be offered instead
LEXICON_CASES = {
    "10 U": "units", "10u": "units", "5 IU": "international units", "5iu": "international", "QD": "daily", "q.d.": "daily", "OD": "daily",
    "o.d.": "daily", "QOD": "every other day", "qod": "every other day", "100 µg": "micrograms", "100 μg": "micrograms",
    "100ug": "micrograms",
    "100 mcg": "micrograms", "5 cc": "mL", "MS 10 mg": "morphine", "MSO4": "morphine", "MgSO4": "magnesium", "HS": "bedtime",
    "qhs": "bedtime",
    "BT": "bedtime", "SC": "subcut", "SQ": "subcut", "sub q": "subcut", "IJ": "injection", "give IN now": "intranasal",
    "D/C": "discharge",
    "drops AD": "right ear", "drops AS": "left ear", "AU": "each ear", "OS": "left eye", "OU": "each eye", "per os": "mouth",
    "q6PM": "18:00",
    "q1d": "daily", "qn": "night", "ss": "half", "> 5": "greater", "< 5": "less", "two @ night": "at", "milk + bread": "and",
    "bread & milk": "and",
    "b.i.d.": "twice", "tid": "three times", "t.d.s.": "three times", "QID": "four times", "prn": "as needed", "PO": "mouth",
    "stat": "immediately",
    "ac": "before meals", "p.c.": "after meals", "q6h": "every", "q 4-6 hrs": "every", "SL": "tongue", "NPO": "mouth", "NKDA": "no known",
    "2 gtts": "drops", "2 tabs": "tablets", "2 caps": "capsule", "x 7d": "for", "5/7": "days", "mg/kg": "per", "500 mg/5 mL": "per",
    "5.0 mg": "zero", "take .5 mg": "zero", "HCTZ": "hydrochlorothiazide", "MTX": "methotrexate", "AZT": "zidovudine", "ASA": "aspirin",
    "nocte": "night", "mane": "morning", "ad lib": "freely", "w/ food": "with", "5 mLs": "plural", "TIW": "three times a week",
    "UD": "directed",
}


@pytest.mark.parametrize(("text", "use"), LEXICON_CASES.items())
def test_lexicon_fires(text: str, use: str) -> None:
    hits = forbidden(text)
    assert len(hits) == 1
    assert use in hits[0].use
    assert text[hits[0].start : hits[0].end].strip() == hits[0].text


def test_lexicon_is_long_enough_and_its_corrections_are_clean() -> None:
    assert len(LEXICON) >= 60
    assert len(LEXICON_CASES) >= 60
    for entry in LEXICON:
        assert forbidden(entry.use) == [], entry.name
        if entry.replacement:
            assert forbidden(entry.replacement) == []


@pytest.mark.parametrize("text", [
    "Take 1 tablet by mouth three times a day for 7 days.", "TAKE ONE TABLET IN THE MORNING AS NEEDED ON WAKING",
    "process mass possible assess",
    "Ms Smith, code scan disc ode bids", "the screw cap", "vitamin D and B12", "blood pressure 120/80", "10.5 mg", "10 mg", "0.05 mg",
    "100 mL",
    "co-amoxiclav", "morphine sulfate", "hydrochlorothiazide 12.5 mg", "as in on ad at us", "once only, at bedtime", "status post",
    "post", "Pose",
    "Acetaminophen 325 MG Oral Tablet", "St John's wort", "O'Brien", "i.e. with water", "U.S. formulary", "500 mg in 5 mL",
    "sodium chloride 0.9 %",
    "tablet", "tablets", "capsules", "suppository", "injection", "stationary statin", "12-Nov-2026 14:05", "inhaler", "Tabitha", "no. 5",
])
def test_lexicon_is_silent_in_ordinary_words(text: str) -> None:
    assert forbidden(text) == []


def test_plus_is_allowed_between_ingredients_only() -> None:
    assert forbidden("amoxicillin + clavulanic acid", ingredients=True) == []
    assert forbidden("amoxicillin + clavulanic acid")
    assert forbidden("250 mg + 62.5 mg in 5 mL", ingredients=True) == []
    assert forbidden("5 % + 1 %", ingredients=True) == []
    assert forbidden("250 mg + 62.5 mg in 5 mL")
    assert forbidden("1 + 2 tablets", ingredients=True)
    assert forbidden("5+", ingredients=True)


def test_corrections() -> None:
    assert corrected("10u tid prn, 100 mcg/kg") == "10 units three times a day as needed, 100 micrograms per kg"
    assert corrected("Take 1 tablet tid. Give b.i.d. to the child.") == "Take 1 tablet three times a day. Give twice a day to the child."
    assert corrected("give MS qd") == "give MS qd"
    assert forbidden(corrected("5 cc sub q bid")) == []


def test_tall_man() -> None:
    assert tall_man("Prednisolone 5 mg") == "prednisoLONE 5 mg"
    assert tall_man("VINCRISTINE") == "vinCRIStine"
    assert tall_man("paracetamol") == "paracetamol"
    assert tall_man("hydroxyzine and hydralazine") == "hydrOXYzine and hydrALAZINE"
