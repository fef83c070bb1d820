"""Pregnancy, kidneys, age and sex: a missing line of the table is said, and nothing false is said of the patient."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from clinicdesk.rules.ages import whole_months
from clinicdesk.rules.checking.case import make_case
from clinicdesk.rules.checking.problems import kidney_problem, pregnancy_noted
from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.safety import Alert, PatientFacts, Prescribed

TODAY = date(2026, 11, 21)
WOMAN = PatientFacts(TODAY, date(1996, 1, 1), "F", Decimal(60), pregnant=False, allergies=(), egfr=Decimal(90))


def about(medicine: str, rule: str, facts: PatientFacts, route: str = "") -> list[Alert]:
    """The alerts of a rule, or what of it was not checked."""
    found = check(facts, [Prescribed(medicine, route=route)], shipped())
    return [a for a in found if a.rule == rule or a.key.startswith(f"not-checked/{rule}")]


@pytest.mark.parametrize(("medicine", "expected"), [
    *((name, "pregnancy 2") for name in (
        "thalidomide", "lenalidomide", "bosentan", "ambrisentan", "fluorouracil", "phenprocoumon", "mifepristone", "testosterone",
        "dutasteride", "carbamazepine", "ibuprofen", "naproxen", "diclofenac", "tigecycline", "methotrexate", "capecitabine", "carbimazole",
        "dihydroergotamine", "ergotamine", "imatinib", "trastuzumab")),
    *((name, "not-checked 2") for name in ("cisplatin", "vincristine", "hydroxycarbamide", "levetiracetam", "trimethoprim",
                                               "letrozole", "methylergometrine", "ethinylestradiol")),
    *((name, "not-checked 3") for name in ("amoxicillin", "paracetamol", "folic acid", "metoclopramide", "insulin", "cetirizine")),
    ("acetylsalicylic acid", "pregnancy 3"), ("lorazepam", "pregnancy 3"),
])
def test_in_pregnancy_every_medicine_is_either_on_file_or_said_not_to_be(medicine: str, expected: str) -> None:
    found = about(medicine, "pregnancy", replace(WOMAN, pregnant=True))
    assert [f"{a.rule} {a.tier}" for a in found] == [expected], found
    assert not about(medicine, "pregnancy", WOMAN), "not pregnant"
    assert not about(medicine, "pregnancy", replace(WOMAN, pregnant=None, sex="M"))


def test_what_only_acts_on_the_skin_is_left_out() -> None:
    assert not about("ibuprofen 5 % gel", "pregnancy", replace(WOMAN, pregnant=True), "on the skin")
    assert not about("ibuprofen 5 % gel", "kidney", replace(WOMAN, egfr=Decimal(20)), "on the skin")


@pytest.mark.parametrize(("medicine", "expected"), [("cisplatin", 3), ("thalidomide", 2), ("amoxicillin", None), ("lorazepam", None)])
def test_pregnancy_not_recorded_asks_where_it_matters(medicine: str, expected: int | None) -> None:
    found = about(medicine, "pregnancy", replace(WOMAN, pregnant=None))
    assert [a.tier for a in found] == ([expected] if expected else [])


@pytest.mark.parametrize(("medicine", "egfr", "expected"), [
    *((name, 10, "kidney 2") for name in ("enoxaparin", "morphine", "atenolol", "gabapentin", "pregabalin", "lisinopril", "methotrexate",
                                           "potassium chloride", "baclofen", "codeine", "ramipril", "spironolactone", "eplerenone",
                                           "alendronic acid", "fondaparinux", "valaciclovir", "aciclovir")),
    ("enoxaparin", 30, None), ("morphine", 30, None), ("atenolol", 35, None), ("atenolol", 34, "kidney 2"), ("gabapentin", 59, "kidney 2"),
    ("gabapentin", 60, None), ("baclofen", 45, "kidney 2"), ("lisinopril", 45, None), ("cisplatin", 40, "not-checked 2"),
    ("amlodipine", 40, "not-checked 3"), ("paracetamol", 59, "not-checked 3"), ("paracetamol", 60, None), ("cisplatin", 90, None),
])
def test_with_weak_kidneys_every_medicine_is_either_on_file_or_said_not_to_be(medicine: str, egfr: int, expected: str | None) -> None:
    found = about(medicine, "kidney", replace(WOMAN, egfr=Decimal(egfr)))
    assert [f"{a.rule} {a.tier}" for a in found] == ([expected] if expected else []), found


def test_a_kidney_problem_without_an_egfr_is_enough() -> None:
    ill = replace(WOMAN, egfr=None, problems=("ESRD",))
    assert [(a.rule, a.tier) for a in about("amlodipine", "kidney", ill)] == [("not-checked", 3)]
    assert [(a.rule, a.tier) for a in about("metformin", "kidney", ill)] == [("not-checked", 2)]
    assert not about("amlodipine", "kidney", replace(WOMAN, egfr=None))


@pytest.mark.parametrize(("problem", "noted"), [
    ("Normal pregnancy", True), ("Pregnancy", True), ("pregnant, 12 weeks", True), ("Twin pregnancy", True), ("Ectopic pregnancy", True),
    ("High risk pregnancy", True), ("Supervision of pregnancy with history of ectopic pregnancy, first trimester", True),
    ("Pre-eclampsia in pregnancy", True), ("Antenatal care", True), ("Pregnancy 2026", True), ("Pregnancy test positive", True),
    ("Unwanted pregnancy", True), ("Post-term pregnancy", True), ("Complication occurring during pregnancy", True),
    ("Pregnancy ruled out", False), ("History of ectopic pregnancy 1975", False), ("Ectopic pregnancy 1975", False),
    ("Not pregnant", False), ("non-pregnant", False), ("No evidence of pregnancy", False), ("Previous pregnancy", False),
    ("Personal history of complications of pregnancy", False), ("Pregnancy test negative", False), ("Pregnancy test", False),
    ("Possible pregnancy", False), ("?pregnant", False), ("Planning a pregnancy", False), ("Wish for pregnancy", False),
    ("Prevention of pregnancy", False), ("Pre-pregnancy counselling", False), ("Termination of pregnancy", False),
    ("Pregnancy loss", False), ("Pregnancy ended in miscarriage", False), ("Partner is pregnant", False), ("Pseudopregnancy", False),
    ("False pregnancy", False), ("Family history of molar pregnancy", False), ("Pregnancy excluded", False), ("Asthma", False),
])
def test_pregnancy_among_the_problems_is_one_of_now(problem: str, noted: bool) -> None:
    assert pregnancy_noted([problem], TODAY) is noted
    pregnant = "this patient is pregnant" in " ".join(
        a.sentence for a in check(replace(WOMAN, pregnant=None, problems=(problem,)), [Prescribed("valproate")], shipped()))
    assert pregnant is noted


@pytest.mark.parametrize(("born", "sex", "said"), [(1950, "F", False), (1996, "F", True), (1996, "I", True), (1996, "M", False),
                                                     (2020, "F", False)])
def test_a_problem_makes_nobody_pregnant_who_cannot_be(born: int, sex: str, said: bool) -> None:
    facts = replace(WOMAN, birth_date=date(born, 1, 1), sex=sex, pregnant=None, problems=("Pregnancy",))
    assert any("this patient is pregnant" in a.sentence for a in check(facts, [Prescribed("valproate")], shipped())) is said


@pytest.mark.parametrize(("problem", "noted"), [
    *((one, True) for one in (
        "Chronic kidney disease stage 3", "CKD 4", "CKD3b", "ESRD", "ESKD", "AKI", "Acute renal failure", "Uraemia", "Uremia",
        "On dialysis", "Diabetic nephropathy", "Glomerulonephritis", "Hepatorenal syndrome", "History of acute kidney injury",
        "Nephrotic syndrome", "Renal transplant", "Hyperkalaemia with renal impairment", "Polycystic kidneys",
        "Single kidney")),
    *((one, False) for one in (
        "Adrenal insufficiency", "Adrenal adenoma", "Suprarenal mass", "Pyelonephritis", "No kidney disease", "Normal renal function",
        "Family history of polycystic kidney disease", "Kidney disease ruled out", "Kidney function normal", "Mother had kidney failure",
        "Neuralgia", "Hyperuricaemia", "Takis syndrome")),
])
def test_kidney_problems(problem: str, noted: bool) -> None:
    assert (kidney_problem(["Asthma", problem]) == problem) is noted


@pytest.mark.parametrize(("sex", "said"), [("F", ""), ("", "and the sex is not recorded"), ("I", "recorded as neither female nor male")])
def test_the_sex_is_said_as_it_is_recorded(sex: str, said: str) -> None:
    sentence = about("isotretinoin", "pregnancy", replace(WOMAN, sex=sex, pregnant=None))[0].sentence
    assert said in sentence and ("sex" in sentence) == bool(said)


def test_months_of_life_are_completed_on_their_day() -> None:
    for days in range(800):
        born = TODAY - timedelta(days=days)
        months = (TODAY.year - born.year) * 12 + TODAY.month - born.month - (TODAY.day < born.day)
        case = make_case(replace(WOMAN, birth_date=born), [], shipped())
        assert whole_months(born, TODAY) == months
        assert case.age == Decimal(months) / 12
        words = "1 month " if months == 1 else f"{months} months " if months < 24 else f"{months // 12} years "
        assert case.age_words.startswith(words)


@pytest.mark.parametrize(("born", "warned"), [(date(2026, 8, 21), False), (date(2026, 8, 22), True), (date(2026, 5, 31), False)])
def test_ibuprofen_from_three_months_on(born: date, warned: bool) -> None:
    facts = replace(WOMAN, birth_date=born, weight_kg=Decimal(6))
    assert bool(about("ibuprofen", "age", facts)) is warned
