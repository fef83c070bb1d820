"""Doses: weekly medicines on every route, schedules beside a maximum, strengths as they are typed, and faults that stay with their line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from clinicdesk.interchange.medicine_cases import read_cases
from clinicdesk.rules import checks
from clinicdesk.rules.checking.amounts import strengths
from clinicdesk.rules.checking.case import Case
from clinicdesk.rules.checks import check, line_of, shipped
from clinicdesk.rules.directions import Direction
from clinicdesk.rules.safety import Alert, KnownAllergy, PatientFacts, Prescribed
from clinicdesk.rules.shorthand import Parsed, parse
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.safety import prescribed

TODAY = date(2026, 11, 21)
ADULT = PatientFacts(TODAY, date(1980, 1, 1), "M", Decimal(70), allergies=(), egfr=Decimal(90))


def found(*lines: str, **patient: Any) -> tuple[Alert, ...]:
    """The alerts for lines written `medicine | dose | route | frequency | duration | strength`."""
    names = ("medicine", "dose", "route", "frequency", "duration", "strength")
    rows = [dict(zip(names, (part.strip() for part in line.split("|")), strict=False)) for line in lines]
    person = {"sex": "M", "birth_date": "1980-01-01", "weight_kg": 70, "egfr": 90, "allergies": [], **patient}
    cases, _ = read_cases(json.dumps({"today": TODAY.isoformat(), "patient": person, "prescribe": rows}), TODAY)
    return check(cases[0].facts, cases[0].lines, shipped())


def serious(alerts: tuple[Alert, ...]) -> list[str]:
    return [f"{a.rule} {a.tier}" for a in alerts if a.tier < 3]


@pytest.mark.parametrize(("line", "expected"), [
    ("methotrexate | 25 mg | subcutaneous | daily", ["max-dose 1"]), ("methotrexate | 25 mg | intramuscular | daily", ["max-dose 1"]),
    ("methotrexate | 25 mg | IM | every 72 hours", ["max-dose 1"]), ("methotrexate | 10 mg | peg | daily", ["max-dose 1"]),
    ("methotrexate | 10 mg | intravenous | daily", ["max-dose 1"]), ("methotrexate | 10 mg | through the wall | daily", ["max-dose 1"]),
    ("methotrexate | 5 mg | oral | every Monday, Wednesday and Friday", ["max-dose 1"]),
    ("methotrexate | 10 mg | oral | every Monday and Thursday", ["max-dose 1"]),
    ("methotrexate | 7.5 mg | oral | every 72 hours", ["max-dose 1"]), ("methotrexate | 7.5 mg | oral | every 6 days", ["max-dose 1"]),
    ("methotrexate | 10 mg | oral | three times a day | 1 day", ["max-dose 1"]),
    ("methotrexate | 10 mg | oral | daily | 3 days", ["max-dose 1"]),
    ("methotrexate | 10 mg | subcutaneous | as directed", ["not-checked 2", "not-checked 2"]),
    ("methotrexate | 10 mg | oral | once a week", []), ("methotrexate | 10 mg | oral | weekly on Monday", []),
    ("methotrexate | 20 mg | subcutaneous | once a week", []), ("methotrexate | 25 mg | intramuscular | once a week", []),
    ("methotrexate | 25 mg | subcutaneous | weekly on Friday", []), ("methotrexate | 30 mg | subcutaneous | once a week", ["max-dose 2"]),
    ("methotrexate | 25 mg | oral | once a week", ["max-dose 2"]), ("methotrexate | 50 mg | oral | once a week", ["max-dose 1"]),
    ("methotrexate | 50 mg | subcutaneous | once only", ["max-dose 2"]), ("methotrexate | 90 mg | intravenous | once only", []),
    ("methotrexate | 10 mg | oral | every 2 weeks", []), ("methotrexate 2.5 mg tablet | 4 tablets | oral | once a week", []),
    ("methotrexate 1 % ointment | 1 application | on the skin | daily", []),
])
def test_methotrexate_is_weekly_on_every_route(line: str, expected: list[str]) -> None:
    assert serious(found(line)) == expected


@pytest.mark.parametrize(("line", "expected", "says"), [
    ("paracetamol | 200 g | oral | six times a day max 4 g per day", ["max-dose 1", "not-checked 2"], "The most in a day is at least"),
    ("paracetamol | 2 g | oral | qid max 4 g per day", ["max-dose 1", "max-dose 2", "not-checked 2"], "gives 8 g in a day"),
    ("paracetamol | 1 g | oral | q6h at least 8 hours apart", ["not-checked 2"], "do not agree"),
    ("senna | 200 g | oral | six times a day", ["not-checked 2"], "surely a typing error"),
    ("paracetamol | 1.0 g | oral | qid", ["not-checked 2"], "write 1"),
    ("paracetamol | 1 g | oral | bd tds", ["not-checked 2"], "Two frequencies"),
    ("warfarin | 3 mg | oral | 5 days a week", ["not-checked 2"], "Which five days"),
    ("paracetamol | 1 g | oral | qid prn max 4 g per day", [], ""), ("chloramphenicol | 2 drops | right eye | od", [], ""),
    ("paracetamol | 1 g | oral | od", [], ""), ("hydrocortisone 1 % cream | | on the skin | bd", [], ""),
])
def test_a_line_that_contradicts_itself_is_said_and_its_parts_are_checked(line: str, expected: list[str], says: str) -> None:
    alerts = found(line)
    assert sorted(set(serious(alerts))) == expected
    assert any(says in a.sentence for a in alerts) or not says


@pytest.mark.parametrize(("strength", "read"), [
    ("5.0 mg", False), ("1.000 mg", False), ("1,125 mg", False), ("1.125 units", False), ("3.125 mg", True), ("1,000 mg", True),
    ("1,200,000 units", True), ("100 mg in 1,000 mL", True)])
def test_a_strength_that_may_mean_two_amounts_is_none(strength: str, read: bool) -> None:
    assert bool(strengths(strength)) is read


def test_two_lines_of_a_weekly_medicine_are_added_up() -> None:
    lines = ("methotrexate 10 mg tablet | 2 tablets | oral | weekly on Monday",
             "methotrexate 2.5 mg tablet | 1 tablet | oral | weekly on Monday")
    assert "max-dose 2" in serious(found(*lines))
    assert "max-dose 2" not in serious(found(lines[0].replace("2 tablets", "1 tablet"), lines[1]))


def draft(text: str) -> ItemDraft:
    """A typed line as the consulting room keeps it."""
    read = parse(text, shipped().formulary)
    assert isinstance(read, Parsed), read
    d = read.direction

    def words(value: object) -> str:
        return "" if value is None else str(value)

    return ItemDraft(medicine=text.split(maxsplit=1)[0], route=d.route, dose_value=words(d.dose_value), dose_unit=d.dose_unit,
                     times_per_day=words(d.times_per_day), every_hours=words(d.every_hours), weekdays=d.weekdays, once=d.once,
                     as_needed=d.as_needed, max_per_day=words(d.max_per_day), duration_days=words(d.duration_days))


@pytest.mark.parametrize(("text", "expected"), [
    ("methotrexate 10 mg po weekly on monday", []), ("methotrexate 10 mg po once only", []), ("methotrexate 10 mg po every monday", []),
    ("simvastatin 20 mg po every monday", []), ("methotrexate 10 mg po daily", ["max-dose 1"]),
    ("methotrexate 5 mg po every monday and thursday", ["max-dose 1"]), ("paracetamol 1 g po qid", []),
])
def test_the_consulting_room_reads_a_direction_as_the_command_does(text: str, expected: list[str]) -> None:
    line = prescribed(draft(text))
    assert serious(check(ADULT, [line], shipped())) == expected
    read = parse(text, shipped().formulary)
    assert isinstance(read, Parsed) and line == line_of(text.split(maxsplit=1)[0], read.direction)


def test_a_direction_that_cannot_be_read_is_said() -> None:
    line = prescribed(ItemDraft(medicine="paracetamol", dose_value="many", dose_unit="g"))
    assert serious(check(ADULT, [line], shipped())) == ["not-checked 2"] and "Dose: a number." in line.unclear


@pytest.mark.parametrize(("allergies", "lines", "expected"), [
    ((KnownAllergy("penicillin", "anaphylaxis", "severe"), KnownAllergy("penicillin", "nausea", "mild")), ["amoxicillin"],
     ["allergy-class 1", "allergy-class 2"]),
    ((KnownAllergy("penicillin", "nausea", "mild"), KnownAllergy("penicillin", "anaphylaxis", "severe")), ["amoxicillin"],
     ["allergy-class 1", "allergy-class 2"]),
    ((KnownAllergy("penicillin", "hives"), KnownAllergy("penicillin", "hives")), ["amoxicillin"], ["allergy-class 1"]),
])
def test_a_milder_finding_does_not_hide_a_worse_one(allergies: tuple[KnownAllergy, ...], lines: list[str], expected: list[str]) -> None:
    alerts = check(replace(ADULT, allergies=allergies), [Prescribed(one) for one in lines], shipped())
    assert [one for one in serious(alerts) if one.startswith("allergy")] == expected


@pytest.mark.parametrize(("lines", "expected"), [
    (("ibuprofen | 2 g | oral | once only", "ibuprofen | 1 g | oral | bd"), {(1, 0), (2, 1)}),
    (("ibuprofen | 1 g | oral | bd", "ibuprofen | 2 g | oral | once only"), {(2, 0), (1, 1)}),
    (("codeine | 200 mg | oral | once only", "codeine | 61 mg | oral | once only"), {(1, 0), (2, 1)}),
])
def test_each_line_keeps_its_own_alert(lines: tuple[str, ...], expected: set[tuple[int, int]]) -> None:
    assert {(a.tier, a.line) for a in found(*lines) if a.key.endswith("single-max")} == expected


@pytest.mark.parametrize(("grams", "direction", "expected"), [
    ("1", Direction(times_per_day=6, max_per_day=Decimal(4)), ["max-dose 1"]),
    ("1", Direction(every_hours=4, max_per_day=Decimal(4)), ["max-dose 1"]),
    ("1", Direction(every_hours=4, as_needed=True, max_per_day=Decimal(4)), []),
    ("1", Direction(times_per_day=6, as_needed=True, max_per_day=Decimal(4)), []),
    ("0.5", Direction(times_per_day=4, max_per_day=Decimal(4)), []),
    ("0.5", Direction(times_per_day=4, max_per_day=Decimal(6)), ["max-dose 1"]),
])
def test_a_maximum_does_not_replace_the_schedule(grams: str, direction: Direction, expected: list[str]) -> None:
    line = line_of("paracetamol", replace(direction, dose_value=Decimal(grams), dose_unit="g", route="oral"))
    assert serious(check(ADULT, [line], shipped())) == expected


@pytest.mark.parametrize(("line", "words"), [
    ("paracetamol | 49 g | oral | every hour", "1,176 g"), ("paracetamol | 1 g | oral | every hour", "24 g"),
    ("digoxin | 1.5 mg | oral | every 2 hours", "18 mg"),
])
def test_an_amount_of_any_size_is_said_and_leaves_the_next_line_alone(line: str, words: str) -> None:
    alerts = found(line, "codeine | 200 mg | oral | once only")
    assert any(words in a.sentence and (a.tier, a.line) == (1, 0) for a in alerts), alerts
    assert any((a.rule, a.tier, a.line) == ("max-dose", 1, 1) for a in alerts) and not any("failed" in a.sentence for a in alerts)


@pytest.mark.parametrize("bad", [0, 1, 2])
def test_a_fault_belongs_to_its_line(monkeypatch: pytest.MonkeyPatch, bad: int) -> None:
    room = dict(checks.ROOMS)["maximum doses"]

    def broken(case: Case) -> Iterator[Alert]:
        for one in room(case):
            if one.line == bad:
                raise KeyError(one)
            yield one

    monkeypatch.setattr(checks, "ROOMS", (("maximum doses", broken),))
    lines = [line_of("codeine", Direction(Decimal(200), "mg", "oral", once=True)) for _ in range(3)]
    alerts = check(ADULT, lines, shipped())
    assert [a.line for a in alerts if "failed" in a.sentence] == [bad]
    assert {a.line for a in alerts if (a.rule, a.tier) == ("max-dose", 1)} == {0, 1, 2} - {bad}


@pytest.mark.parametrize(("line", "expected"), [
    ("digoxin | 2 tablets | oral | daily || 500 µg", ["max-dose 1"]), ("digoxin | 2 tablets | oral | daily || 500 μg", ["max-dose 1"]),
    ("digoxin | 2 tablets | oral | daily || 500 mcg", ["max-dose 1"]), ("digoxin | 2 tablets | oral | daily || 0,5 mg", ["max-dose 1"]),
    ("digoxin 0,25 mg tablet | 1 tablet | oral | daily", []), ("digoxin 0,25 mg tablet | 3 tablets | oral | daily", ["max-dose 1"]),
    ("digoxin | 2 tablets | oral | daily || 0,0625 mg", []), ("digoxin | 2 tablets | oral | daily || 0.125 milligrams", []),
    ("paracetamol | 2 tablets | oral | qid || 1.000 mg", ["not-checked 2"]),
    ("paracetamol | 2 tablets | oral | qid || 500.0 mg", ["not-checked 2"]),
    ("paracetamol 1.000 mg tablet | 2 tablets | oral | qid", ["not-checked 2"]),
    ("paracetamol | 2 tablets | oral | qid || extra strong", ["not-checked 2"]),
    ("paracetamol | 2 tablets | oral | qid || 1,000 mg", ["max-dose 1", "max-dose 2"]),
    ("paracetamol | 1 tablet | oral | qid || 1 gram", []), ("paracetamol | 2 tablets | oral | qid || 500mg", []),
    ("paracetamol | 500 mg | oral | qid || extra strong", []), ("ramipril | 1 capsule | oral | daily || 2,5 mg", []),
    ("amlodipine + valsartan | 1 tablet | oral | daily || 5/160 mg", []),
])
def test_strengths_are_read_as_they_are_typed_or_said_not_to_be(line: str, expected: list[str]) -> None:
    assert serious(found(line)) == expected


@pytest.mark.parametrize(("age", "kg", "line", "expected"), [
    (12, 25, "paracetamol | 1 g | oral | qid", ["not-checked 2"]), (17, 39, "paracetamol | 1 g | oral | qid", ["not-checked 2"]),
    (12, 25, "paracetamol | 375 mg | oral | qid", ["not-checked 3"]), (12, 40, "paracetamol | 1 g | oral | qid", []),
    (18, 35, "paracetamol | 1 g | oral | qid", []), (12, None, "paracetamol | 500 mg | oral | qid", []),
    (13, 30, "amlodipine | 5 mg | oral | daily", ["not-checked 3"]), (12, 38, "amoxicillin | 500 mg | oral | tid", ["not-checked 3"]),
    (11, 25, "paracetamol | 1 g | oral | qid", []),
])
def test_a_light_adolescent_is_no_adult_in_silence(age: int, kg: int | None, line: str, expected: list[str]) -> None:
    alerts = found(line, birth_date=f"{2026 - age}-11-21", weight_kg=kg)
    assert [f"{a.rule} {a.tier}" for a in alerts if "/light/" in a.key] == expected
    if age == 11:
        assert "max-dose 1" in serious(alerts)
