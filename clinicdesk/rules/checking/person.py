"""What the patient's own facts forbid: age, pregnancy and breast-feeding age, kidney function. A fact that is missing is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from clinicdesk.rules.checking.case import Case, Line, alert, not_checked, slug
from clinicdesk.rules.checking.problems import kidney_problem, pregnancy_noted
from clinicdesk.rules.doses import fmt_number
from clinicdesk.rules.knowledge import Limit
from clinicdesk.rules.safety import Alert

CAN_BE_PREGNANT_FROM: Final = 12
CAN_BE_PREGNANT_TO: Final = 55
#: From this eGFR on the kidneys count as healthy where no table says otherwise.
HEALTHY_EGFR: Final = 60
_PREGNANCY: Final = MappingProxyType({"pregnancy-contraindicated": ("must not be taken in pregnancy", 2),
                                      "pregnancy-avoid": ("should not be taken in pregnancy", 2),
                                      "pregnancy-caution": ("needs care in pregnancy", 3)})
#: Classes with members that harm the unborn child: of the others a missing line is not mere information (our proposal).
_TERATOGENS: Final = MappingProxyType({
    "cytotoxic": "cytotoxic medicines", "retinoid": "retinoids", "vitamin-k-antagonist": "vitamin K antagonists", "ace": "ACE inhibitors",
    "arb": "angiotensin receptor blockers", "antiepileptic": "antiepileptics", "tetracycline": "tetracyclines", "statin": "statins",
    "antifolate": "folate antagonists", "oestrogen": "oestrogens", "nsaid": "NSAIDs",
    "ergot": "ergot medicines", "aromatase": "aromatase inhibitors"})
_NEPHROTOXIC: Final = MappingProxyType({"cytotoxic": "cytotoxic medicines"})


def check_age(case: Case) -> Iterator[Alert]:
    """Minimum ages; without a birth date the check says so for the medicines that have one."""
    for line, _, limits in _facts(case, "min-age"):
        limit = next((one for one in limits if one.value is not None), None)
        if limit is None or limit.value is None:
            continue
        below = f"{fmt_number(limit.value)} years" if limit.value >= 1 else f"{fmt_number((limit.value * 12).quantize(limit.value))} months"
        if case.age is None:
            yield not_checked(case, "limits", 2, slug("age", limit.medicine), line,
                              f"{limit.medicine} has a lowest age ({below}), but no date of birth is recorded.",
                              advice="Enter the date of birth.", facts=("date of birth not recorded",))
        elif case.age < limit.value:
            yield alert(case, "limits", "age", 2, slug("age", limit.medicine), line,
                        f"{limit.medicine} is not for patients younger than {below}{_because(limit)}.",
                        advice="Choose another medicine.", other=f"from {below}", facts=(case.age_words,), source=limit.source)


def check_pregnancy(case: Case) -> Iterator[Alert]:
    """Only where a pregnancy can be: not in a patient recorded as male, from 12 to 55 years, or where one is recorded."""
    facts = case.facts
    if facts.pregnant is False or (facts.sex == "M" and facts.pregnant is None):
        return
    noted = facts.pregnant is None and _could_be(case) and pregnancy_noted(facts.problems, facts.today)
    if not facts.pregnant and not noted and not _could_be(case):
        return
    why = "pregnant" if facts.pregnant else "pregnancy among the problems" if noted else "pregnancy not recorded"
    for line, ingredient, limits in _facts(case, *_PREGNANCY):
        if facts.pregnant or noted:
            yield from _pregnant(case, line, ingredient, limits, why)
        else:
            yield from _perhaps_pregnant(case, line, ingredient, limits, why)


def _pregnant(case: Case, line: Line, ingredient: str, limits: tuple[Limit, ...], why: str) -> Iterator[Alert]:
    for limit in limits:
        words, tier = _PREGNANCY[limit.fact]
        yield alert(case, "limits", "pregnancy", tier, slug("pregnancy", ingredient), line,
                    f"{ingredient} {words}{_because(limit)}; this patient is pregnant.", other=words, facts=(why,),
                    advice="Choose another medicine, or weigh it with the patient." if tier == 2 else "Weigh it with the patient.",
                    source=limit.source)
    if not limits:
        family = _class(case, ingredient, _TERATOGENS)
        yield not_checked(case, "limits", 2 if family else 3, slug("pregnancy", ingredient), line,
                          f"Nothing is on file about pregnancy for {ingredient}{family}; this patient is pregnant.",
                          advice="Check it in your own source.", facts=(why,))


def _perhaps_pregnant(case: Case, line: Line, ingredient: str, limits: tuple[Limit, ...], why: str) -> Iterator[Alert]:
    sex = {"F": "", "I": " and the sex is recorded as neither female nor male"}.get(case.facts.sex, " and the sex is not recorded")
    family = _class(case, ingredient, _TERATOGENS)
    for limit in limits:
        words, tier = _PREGNANCY[limit.fact]
        if tier == 2:
            yield not_checked(case, "limits", 2 if limit.fact == "pregnancy-contraindicated" and case.facts.sex == "F" else 3,
                              slug("pregnancy", ingredient), line, f"{ingredient} {words}; pregnancy is not recorded{sex}.",
                              advice="Ask, and record whether this patient is pregnant.", facts=(why, case.age_words))
    if not limits and family:
        yield not_checked(case, "limits", 3, slug("pregnancy", ingredient), line,
                          f"Nothing is on file about pregnancy for {ingredient}{family}; pregnancy is not recorded{sex}.",
                          advice="Ask, and check it in your own source.", facts=(why, case.age_words))


def check_kidney(case: Case) -> Iterator[Alert]:
    """Limits by eGFR: below the value, not at it. Without an eGFR it says so; louder where a kidney problem is recorded."""
    egfr, problem = case.facts.egfr, kidney_problem(case.facts.problems)
    noted = (f"problem: {problem}",) if problem else ()
    measured = "eGFR not recorded" if egfr is None else f"eGFR {fmt_number(egfr)} mL/min/1.73 m²"
    for line, ingredient, limits in _facts(case, "kidney-avoid-below", "kidney-reduce-below"):
        passed = next((one for one in limits if egfr is not None and one.value is not None and egfr < one.value), None)
        if limits and egfr is None:
            limit = limits[0]
            yield not_checked(case, "limits", 2 if problem else 3, slug("kidney", ingredient), line,
                              f"{ingredient} {_kidney_words(limit)} below an eGFR of {_below(limit)}, but no eGFR is recorded.",
                              advice="Measure kidney function, or enter the last eGFR.", facts=(measured, *noted))
        elif passed is not None and egfr is not None:
            yield alert(case, "limits", "kidney", 2, slug("kidney", ingredient, passed.fact), line,
                        f"{ingredient} {_kidney_words(passed)} below an eGFR of {_below(passed)}; this patient’s is {fmt_number(egfr)}"
                        f"{_because(passed)}.", other=f"eGFR {_below(passed)}",
                        advice="Choose another medicine." if "avoid" in passed.fact else "Lower the dose or lengthen the interval.",
                        facts=(measured,), source=passed.source)
        elif not limits and (problem or (egfr is not None and egfr < HEALTHY_EGFR)):
            family = _class(case, ingredient, _NEPHROTOXIC)
            yield not_checked(case, "limits", 2 if family else 3, slug("kidney", ingredient), line,
                              f"Nothing is on file about kidney function for {ingredient}{family}.",
                              advice="Check the dose in your own source.", facts=(measured, *noted))


def _kidney_words(limit: Limit) -> str:
    return "should be avoided" if "avoid" in limit.fact else "needs a lower dose"


def _below(limit: Limit) -> str:
    return fmt_number(limit.value) if limit.value is not None else "any value"


def _could_be(case: Case) -> bool:
    age = case.age
    return age is None or CAN_BE_PREGNANT_FROM <= int(age) <= CAN_BE_PREGNANT_TO


def _because(limit: Limit) -> str:
    return f" ({limit.note})" if limit.note else ""


def _class(case: Case, ingredient: str, classes: Mapping[str, str]) -> str:
    """“, one of the retinoids” where it belongs to one of these; else empty."""
    groups = case.knowledge.medicines[ingredient].groups
    return next((f", one of the {words}" for group, words in classes.items() if group in groups), "")


def _facts(case: Case, *facts: str) -> Iterator[tuple[Line, str, tuple[Limit, ...]]]:
    """Every ingredient of every line with its facts of these kinds, in their order; what only acts on the skin, eye or ear is left out."""
    for line in case.lines:
        if line.named.local:
            continue
        for ingredient in line.named.ingredients:
            rows = case.knowledge.limits.get(ingredient, ())
            yield line, ingredient, tuple(row for fact in facts for row in rows
                                          if row.fact == fact and (not row.route or not line.route or row.route == line.route))
