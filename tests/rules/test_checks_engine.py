"""The engine around the rules: what cannot be checked is said, faults are alerts, names are read however they are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from clinicdesk.cli import app
from clinicdesk.paths import resource
from clinicdesk.rules import checks
from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.checking.amounts import strengths
from clinicdesk.rules.checking.case import Case, name
from clinicdesk.rules.checks import check, line_of, shipped
from clinicdesk.rules.directions import Direction
from clinicdesk.rules.knowledge import read_knowledge
from clinicdesk.rules.safety import Alert, KnownAllergy, PatientFacts, Prescribed

TODAY = date(2026, 11, 21)
FACTS = PatientFacts(TODAY, date(1980, 1, 1), "M", allergies=(), egfr=Decimal(90))


@pytest.mark.parametrize(("written", "ingredients"), [
    ("Penicillin V Potassium 250 MG Oral Tablet", "phenoxymethylpenicillin"),
    ("aspirin 81 MG", "acetylsalicylic_acid"),
    ("24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", "metformin"),
    ("Acetaminophen 325 MG / Hydrocodone Bitartrate 7.5 MG Oral Tablet", "paracetamol hydrocodone"),
    ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]", "amoxicillin clavulanic_acid"),
    ("NDA020503 200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler", "salbutamol"),
    ("0.4 ML Enoxaparin sodium 100 MG/ML Prefilled Syringe", "enoxaparin"),
    ("insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension [Humulin]", "insulin_human"),
    ("co-amoxiclav", "amoxicillin clavulanic_acid"),
    ("Co-Trimoxazole 960mg tabs", "sulfamethoxazole trimethoprim"),
    ("TMP-SMX", "sulfamethoxazole trimethoprim"),
    ("St. John's Wort", "St_John's_wort"),
    ("LEVOTHYROXINE SODIUM 100 MCG", "levothyroxine"),
    ("Naproxen sodium 220 MG Oral Tablet", "naproxen"),
    ("sodium valproate MR", "valproate"),
    ("Fluticasone propionate 0.25 MG/ACTUAT / salmeterol 0.05 MG/ACTUAT Dry Powder Inhaler", "fluticasone salmeterol"),
    ("Vitamin B 12 5 MG/ML Injectable Solution", "cyanocobalamin"),
    ("lidocaïne", "lidocaine"),
    ("calcium carbonate 500 mg", "calcium_carbonate"),
    ("atorvastatin calcium 20 mg", "atorvastatin"),
    ("zzyrdin", ""),
])
def test_names_are_read_as_people_and_programs_write_them(written: str, ingredients: str) -> None:
    found = name(written, shipped())
    assert found.ingredients == tuple(word.replace("_", " ") for word in ingredients.split())


def test_a_second_medicine_that_is_not_known_is_reported() -> None:
    found = check(FACTS, [Prescribed("amoxicillin + zzyrdin")], shipped())
    assert any(a.rule == "not-checked" and "“zzyrdin”" in a.sentence for a in found)


@pytest.mark.parametrize(("text", "amounts"), [
    ("500 mg + 125 mg", [(500_000, None), (125_000, None)]), ("250 mg + 62.5 mg in 5 mL", [(250_000, 5), (62_500, 5)]),
    ("800/160 mg", [(800_000, None), (160_000, None)]), ("120 mg/5 mL", [(120_000, 5)]), ("100 MG/ML", [(100_000, 1)]),
    ("0.09 MG/ACTUAT", [(90, None)]), ("1,200,000 units", [(1_200_000, None)]), ("25 micrograms per hour", []), ("1 %", []),
])
def test_strengths(text: str, amounts: list[tuple[int, int | None]]) -> None:
    assert [(s.amount, s.per_ml) for s in strengths(text)] == amounts


@pytest.mark.parametrize(("text", "tier"), [
    *((one, 2) for one in ("Augmentin500 (clavulanate) zzyrdin", "amoxicillin + zzyrdin", "Zzyrdin (clavulanate)",
                           "warfarin and Blurbex daily",
                           "paracetamol, Zorblaxin twice a day for headache", "paracetamol for fever, Zorblaxin")),
    *((one, 3) for one in (
        "amoxicillin for an ear infection", "paracetamol 500 mg when required for headache max 8 per day", "lisinopril 10 mg every morning",
        "metformin 500 mg twice daily with meals", "furosemide 40 mg in the morning, stopped", "warfarin as per INR", "aspirin 75 mg od",
        "omeprazole 20 mg gastro-resistant capsules before breakfast",
        "salbutamol 100 micrograms/dose CFC free inhaler 2 puffs as required",
        "prednisolone 5 mg reducing course", "codeine phosphate started last week by GP", "levothyroxine on an empty stomach",
        "Abuse-Deterrent 12 HR Oxycodone Hydrochloride 15 MG Extended Release Oral Tablet", "insulin glargine 10 units at night",
        "3 ML Amiodarone hydrocholoride 50 MG/ML Prefilled Syringe", "paracetamol for zzyrdin fever", "morphine for breakthrough pain")),
    *((one, None) for one in ("Acetaminophen 325 MG Oral Tablet", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet",
                              "1 ML Epoetin Alfa 4000 UNT/ML Injection [Epogen]")),
])
def test_a_word_that_could_be_a_second_medicine_is_asked(text: str, tier: int | None) -> None:
    for facts, line in ((FACTS, Prescribed(text)), (replace(FACTS, medicines=(text,)), Prescribed("cetirizine"))):
        found = [a.tier for a in check(facts, [line], shipped()) if "not understood" in a.sentence]
        assert found == ([tier] if tier else []), text


def test_a_check_that_fails_is_a_red_alert_and_the_others_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(case: Case) -> Iterator[Alert]:
        raise KeyError(case)

    rooms = tuple((what, broken if what == "interactions" else room) for what, room in checks.ROOMS)
    monkeypatch.setattr(checks, "ROOMS", rooms)
    facts = replace(FACTS, allergies=(KnownAllergy("amoxicillin", "anaphylaxis"),), medicines=("warfarin",))
    found = check(facts, [Prescribed("amoxicillin")], shipped())
    assert [(a.rule, a.tier) for a in found if "interactions" in a.sentence] == [("not-checked", 2)]
    assert any(a.rule == "allergy" and a.tier == 1 for a in found)


def test_a_medicine_taken_since_the_allergy_is_information_only() -> None:
    allergy = KnownAllergy("penicillin", "anaphylaxis", "severe", date(2001, 1, 1), tolerated=("amoxicillin 500 mg",))
    found = check(replace(FACTS, allergies=(allergy,)), [Prescribed("amoxicillin")], shipped())
    one = next(a for a in found if a.rule == "allergy-class")
    assert one.tier == 3 and "taken since" in " ".join(one.facts)
    assert next(a for a in check(replace(FACTS, allergies=(allergy,)), [Prescribed("flucloxacillin")], shipped())
                if a.rule == "allergy-class").tier == 1


def test_every_alert_says_what_it_rests_on() -> None:
    allergy = KnownAllergy("penicillin", "hives", "moderate", date(2020, 5, 4))
    facts = replace(FACTS, allergies=(allergy,), medicines=("simvastatin 20 mg", "zzyrdin"), egfr=Decimal(20))
    lines = [Prescribed("amoxicillin", Decimal(9), "g", times_per_day=Decimal(3)), Prescribed("clarithromycin"), Prescribed("metformin")]
    found = check(facts, lines, shipped())
    assert {"allergy-class", "interaction", "max-dose", "kidney", "not-checked"} <= {a.rule for a in found}
    for one in found:
        assert one.sentence and one.source and one.data_date and one.key == one.key.lower() and " " not in one.key, one
        assert one.approved == "not yet approved" and one.sentence[-1] in ".:?" and not forbidden(one.sentence), one
        if one.tier < 3:
            assert one.advice, one
    assert "04-May-2020" in next(a for a in found if a.rule == "allergy-class").facts[0]


def test_a_pair_is_said_once_at_its_most_serious() -> None:
    found = check(replace(FACTS, medicines=("warfarin",)), [Prescribed("naproxen")], shipped())
    assert [a.key for a in found if a.rule == "interaction"] == ["interaction/warfarin-nsaid/naproxen/warfarin"]


def test_beside_a_warning_about_two_medicines_nothing_reassures() -> None:
    found = check(replace(FACTS, medicines=("sacubitril + valsartan",)), [Prescribed("enalapril")], shipped())
    assert [a.key for a in found if a.rule == "interaction"] == ["interaction/sacubitril-ace/enalapril/sacubitril"]
    found = check(replace(FACTS, medicines=("valsartan",)), [Prescribed("enalapril")], shipped())
    assert [a.tier for a in found if a.rule == "interaction"] == [3]


def test_keys_are_the_same_whichever_way_the_medicines_meet() -> None:
    one = check(replace(FACTS, medicines=("simvastatin",)), [Prescribed("clarithromycin")], shipped())
    two = check(replace(FACTS, medicines=("clarithromycin 500 mg",)), [Prescribed("SIMVASTATIN")], shipped())
    keys = [next(a.key for a in found if a.rule == "interaction") for found in (one, two)]
    assert keys == ["interaction/onc-11/clarithromycin/simvastatin"] * 2


def test_approval_is_shown_where_a_clinician_gave_it() -> None:
    approved = replace(shipped(), approved={"interactions": "approved by Dr Adler on 01-Nov-2026"})
    found = check(replace(FACTS, medicines=("simvastatin",)), [Prescribed("clarithromycin")], approved)
    assert {a.approved for a in found if a.rule == "interaction"} == {"approved by Dr Adler on 01-Nov-2026"}


@pytest.mark.parametrize(("direction", "times"), [
    (Direction(times_per_day=3), 3), (Direction(every_hours=6), 4), (Direction(min_interval_hours=4, as_needed=True), 6),
    (Direction(once=True), 1), (Direction(as_needed=True), None), (Direction(), None),
])
def test_how_often_becomes_times_in_a_day(direction: Direction, times: int | None) -> None:
    assert line_of("x", direction).times_per_day == times


def test_a_weekly_direction_is_a_seventh_of_a_day() -> None:
    found = line_of("methotrexate", Direction(times_per_day=1, weekdays=(0,))).times_per_day
    assert found is not None and round(found, 3) == Decimal("0.143")


def test_without_a_date_of_birth_it_says_which_limits_it_used() -> None:
    line = Prescribed("paracetamol", Decimal(1), "g", times_per_day=Decimal(3))
    found = check(replace(FACTS, birth_date=None), [line], shipped())
    assert [fact for a in found if a.key.endswith("age-unknown/paracetamol") for fact in a.facts] == ["date of birth not recorded"]
    assert not [a for a in check(FACTS, [line], shipped()) if "age-unknown" in a.key]


def test_the_tables_hold_what_they_promise() -> None:
    known = shipped()
    assert len(known.medicines) >= 400 and len(known.formulary.names) >= 400
    for rows in known.limits.values():
        for row in rows:
            assert known.sources[row.source].read_on and known.sources[row.source].address, row
    for product in known.formulary.products():
        assert all(p.strength and p.source for p in product.presentations), product
    assert not [n for n in known.formulary.names if re.search(r"[^\w\s+'-]", n)]


@pytest.mark.parametrize(("table", "wrong", "said"), [
    ("limits.csv", "paracetamol,daily-max,4,mg,,,,,,practice\n", "a source that was read"),
    ("limits.csv", "paracetamol,daily-max,4,cups,,,,,,nps-children\n", "greatest dose is in one of"),
    ("limits.csv", "zzyrdin,daily-max,4,mg,,,,,,nps-children\n", "unknown fact or medicine"),
    ("medicines.csv", "paracetamol,,,,,practice\n", "stands there twice"),
    ("presentations.csv", "paracetamol,spoon,5 mg,,practice\n", "unknown form"),
    ("presentations.csv", "zzyrdin,tablet,5 mg,,practice\n", "not in medicines.csv"),
])
def test_a_table_that_contradicts_itself_is_refused(tmp_path: Path, table: str, wrong: str, said: str) -> None:
    for file in resource("medicines").iterdir():
        text = file.read_text(encoding="utf-8")
        (tmp_path / file.name).write_text(text + wrong if file.name == table else text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_knowledge(tmp_path)


def run(tmp_path: Path, content: object, *more: str) -> tuple[int, str, str]:
    file = tmp_path / "case.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    result = CliRunner().invoke(app, ["check-medicines", str(file), *more])
    return result.exit_code, result.stdout, result.stderr


CASE = {"patient": {"birth_date": "1980-01-01", "sex": "female", "weight_kg": 70.5, "pregnant": None, "egfr": None, "allergies": None,
                    "medicines": ["simvastatin 20 mg"], "problems": []},
        "prescribe": [{"medicine": "clarithromycin", "dose": "500 mg", "route": "oral", "frequency": "twice a day", "duration": "7 days"}]}


def test_the_command_answers_as_it_was_asked(tmp_path: Path) -> None:
    code, out, _ = run(tmp_path, CASE, "--json")
    one = json.loads(out)
    assert code == 0 and {"rule", "tier", "medicine", "facts", "source", "data_date"} <= set(one["alerts"][0])
    assert [(a["rule"], a["tier"]) for a in one["alerts"]][:2] == [("interaction", 1), ("not-checked", 2)]
    code, out, _ = run(tmp_path, [CASE, CASE], "--json")
    assert code == 0 and [a["alerts"] for a in json.loads(out)] == [one["alerts"]] * 2
    code, out, _ = run(tmp_path, CASE)
    assert code == 0 and "STOP  Clarithromycin with simvastatin" in out


def test_what_is_for_the_reader_of_a_file_is_left_alone(tmp_path: Path) -> None:
    labelled = {**CASE, "id": 3, "note": "x", "patient": {**CASE["patient"], "name": "Ada"}}
    assert run(tmp_path, labelled, "--json")[:2] == run(tmp_path, CASE, "--json")[:2]


def test_a_file_that_is_not_there_and_standard_input(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["check-medicines", str(tmp_path / "none.json")])
    assert result.exit_code == 2 and "none.json cannot be read" in result.stderr
    result = CliRunner().invoke(app, ["check-medicines", "-", "--json"], input=json.dumps(CASE))
    assert result.exit_code == 0 and json.loads(result.stdout)["alerts"]


@pytest.mark.parametrize(("content", "said"), [
    ("{", "not JSON"), ([1], "Case 1 must be an object"), ({"patient": {}}, "“prescribe” of the case must be a list"),
    ({"prescribe": []}, "“patient” of the case"), ({"patient": {"sex": "x"}, "prescribe": []}, "“sex” of the case must be"),
    ({"patient": {"birth_date": "1.2.80"}, "prescribe": []}, "“birth_date” of the case must be a date"),
    ({"patient": {"weight_kg": -3}, "prescribe": []}, "“weight_kg” of the case must be a number above zero"),
    ({"patient": {"allergies": [{}]}, "prescribe": []}, "Allergy 1 of the case"),
    ({"patient": {"medicines": "aspirin"}, "prescribe": []}, "a list of names"),
    ([CASE, {"patient": {}, "prescribe": [{"dose": "1 g"}]}], "Prescribe 1 of case 2"),
    ("[" * 100_000, "nested far too deeply"),
    ({"patient": {"pregnant": "no"}, "prescribe": []}, "true, false or null"),
    ({"patient": {"weight_kg": 3500}, "prescribe": []}, "“weight_kg” of the case is 3500, but must be 0.15 to 500 kg. Check the unit."),
    ({"patient": {"weight_kg": 0.1}, "prescribe": []}, "must be 0.15 to 500 kg"),
    ({"patient": {"weight_kg": 1e30}, "prescribe": []}, "must be 0.15 to 500 kg"),
    ({"patient": {"egfr": 201}, "prescribe": []}, "must be 1 to 200 mL/min/1.73 m²"),
    ({"patient": {"egfr": float("nan")}, "prescribe": []}, "a number above zero"),
    ({"patient": {"birth_date": "1780-01-01"}, "prescribe": []}, "more than 130 years ago"),
    ({"patient": {"current_medicines": ["warfarin"]}, "prescribe": []}, "“current_medicines” of “patient” of the case is not understood."),
    ({"patient": {}, "medications": [], "prescribe": []}, "“medications” of the case is not understood."),
    ({"patient": {"allergies": [{"substance": "eggs", "kind": "food"}]}, "prescribe": []}, "What can be said there: substance, reaction"),
    ({"patient": {}, "prescribe": [{"medicine": "x", "as_needed": True}]}, "“as_needed” of prescribe 1 of the case is not understood"),
    ('{"patient": {"problems": ["\\ud800"]}, "prescribe": []}', "half of a character"),
    ('{"patient": {"\\udfff": 1}, "prescribe": []}', "half of a character"),
    ('{"patient": {"allergies": null, "allergies": []}, "prescribe": []}', "“allergies” stands twice"),
])
def test_bad_input_is_one_sentence_that_names_the_place(tmp_path: Path, content: object, said: str) -> None:
    code, out, err = run(tmp_path, content, "--json")
    assert code == 2 and not out and said in err and len(err.splitlines()) == 1
