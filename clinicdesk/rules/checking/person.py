"""What the patient's own facts forbid: age, pregnancy and breast-feeding age, kidney function. A fact that is missing is said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clinicdesk.rules.checking.case import Case, Line, alert, not_checked, slug
from clinicdesk.rules.doses import fmt_number
from clinicdesk.rules.knowledge import Limit
from clinicdesk.rules.safety import Alert

CAN_BE_PREGNANT_FROM: Final = 12
CAN_BE_PREGNANT_TO: Final = 55
_KIDNEY_WORDS: Final = ("kidney", "renal", "nephro", "ckd", "dialysis", "glomerulo")
_PREGNANT_WORDS: Final = ("pregnan",)


def check_age(case: Case) -> Iterator[Alert]:
    """Minimum ages; without a birth date the check says so for the medicines that have one."""
    for line, limit in _limits(case, "min-age"):
        if limit.value is None:
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
    noted = any(word in problem.casefold() for problem in facts.problems for word in _PREGNANT_WORDS)
    pregnant = True if facts.pregnant is None and noted and facts.sex != "M" else facts.pregnant
    if pregnant is False or (facts.sex == "M" and pregnant is not True):
        return
    why = "pregnant" if facts.pregnant else "pregnancy among the problems" if noted else "pregnancy not recorded"
    for fact, tier in (("pregnancy-contraindicated", 2), ("pregnancy-avoid", 2), ("pregnancy-caution", 3)):
        for line, limit in _limits(case, fact):
            words = {"pregnancy-contraindicated": "must not be taken in pregnancy", "pregnancy-avoid": "should not be taken in pregnancy",
                     "pregnancy-caution": "needs care in pregnancy"}[fact]
            if pregnant:
                yield alert(case, "limits", "pregnancy", tier, slug("pregnancy", limit.medicine), line,
                            f"{limit.medicine} {words}{_because(limit)}; this patient is pregnant.", other=words, facts=(why,),
                            advice="Choose another medicine, or weigh it with the patient." if tier == 2 else "Weigh it with the patient.",
                            source=limit.source)
            elif fact != "pregnancy-caution" and _could_be(case):
                unsure = 2 if fact == "pregnancy-contraindicated" and facts.sex == "F" else 3
                sex = "" if facts.sex == "F" else " and the sex is not recorded"
                yield not_checked(case, "limits", unsure, slug("pregnancy", limit.medicine), line,
                                  f"{limit.medicine} {words}; pregnancy is not recorded{sex}.",
                                  advice="Ask, and record whether this patient is pregnant.", facts=(why, case.age_words))


def check_kidney(case: Case) -> Iterator[Alert]:
    """Limits by eGFR: below the value, not at it. Without an eGFR it says so; louder where a kidney problem is recorded."""
    egfr = case.facts.egfr
    kidney_problem = next((p for p in case.facts.problems if any(w in p.casefold() for w in _KIDNEY_WORDS)), None)
    for line in case.lines:
        said: set[str] = set()
        for fact, words in (("kidney-avoid-below", "should be avoided"), ("kidney-reduce-below", "needs a lower dose")):
            for limit in _of(case, line, fact):
                if limit.value is None or limit.medicine in said:
                    continue
                below = fmt_number(limit.value)
                if egfr is None:
                    said.add(limit.medicine)
                    facts = ("eGFR not recorded", *((f"problem: {kidney_problem}",) if kidney_problem else ()))
                    yield not_checked(case, "limits", 2 if kidney_problem else 3, slug("kidney", limit.medicine), line,
                                      f"{limit.medicine} {words} below an eGFR of {below}, but no eGFR is recorded.",
                                      advice="Measure kidney function, or enter the last eGFR.", facts=facts)
                elif egfr < limit.value:
                    said.add(limit.medicine)
                    yield alert(case, "limits", "kidney", 2, slug("kidney", limit.medicine, fact), line,
                                f"{limit.medicine} {words} below an eGFR of {below}; this patient’s is {fmt_number(egfr)}"
                                f"{_because(limit)}.", other=f"eGFR {below}",
                                advice="Choose another medicine." if "avoid" in fact else "Lower the dose or lengthen the interval.",
                                facts=(f"eGFR {fmt_number(egfr)} mL/min/1.73 m²",), source=limit.source)


def _could_be(case: Case) -> bool:
    age = case.age
    return age is None or CAN_BE_PREGNANT_FROM <= int(age) <= CAN_BE_PREGNANT_TO


def _because(limit: Limit) -> str:
    return f" ({limit.note})" if limit.note else ""


def _limits(case: Case, fact: str) -> Iterator[tuple[Line, Limit]]:
    for line in case.lines:
        for limit in _of(case, line, fact):
            yield line, limit


def _of(case: Case, line: Line, fact: str) -> Iterator[Limit]:
    """Facts of this kind for the ingredients of a line; what only acts on the skin, eye or ear is left out."""
    if line.named.local:
        return
    for ingredient in line.named.ingredients:
        for limit in case.knowledge.limits.get(ingredient, ()):
            if limit.fact == fact and (not limit.route or not line.route or limit.route == line.route):
                yield limit
