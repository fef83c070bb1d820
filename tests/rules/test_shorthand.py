"""Typed prescription lines: what they mean, what is asked back, and that full words are read back as they were said."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinicdesk.cli import main
from clinicdesk.errors import Invalid
from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.directions import FREQUENCIES, ROUTES, Direction, in_words
from clinicdesk.rules.doses import DOSE_UNITS, same_dose
from clinicdesk.rules.formulary import Formulary, Presentation, Product
from clinicdesk.rules.shorthand import Parsed, Unclear, parse, read_dose, read_duration, read_frequency, read_route
from clinicdesk.rules.shorthand_names import LEAST_LETTERS, matching, mixes_lookalikes
from clinicdesk.rules.shorthand_scan import is_known, simplified
from clinicdesk.rules.shorthand_words import ADVICE_ORDER, REASONS

SHELF = {
    "amoxicillin": [("capsule", "250 mg"), ("capsule", "500 mg"), ("tablet", "500 mg"), ("powder for injection", "500 mg"),
                    ("oral suspension", "125 mg in 5 mL"),
    ("oral suspension", "250 mg in 5 mL")],
    "amoxicillin + clavulanic acid": [("tablet", "500 mg + 125 mg")],
    "paracetamol": [("tablet", "500 mg"), ("oral solution", "120 mg in 5 mL"), ("suppository", "100 mg")],
    "prednisolone": [("tablet", "5 mg"), ("tablet", "25 mg")],
    "amlodipine": [("tablet", "5 mg"), ("tablet", "10 mg")],
    "metformin": [("tablet", "500 mg"), ("modified-release tablet", "500 mg"), ("tablet", "1 g")],
    "morphine": [("tablet", "10 mg"), ("solution for injection", "10 mg in 1 mL")],
    "ceftriaxone": [("powder for injection", "1 g")],
    "metronidazole": [("tablet", "400 mg")],
    "methotrexate": [("tablet", "2.5 mg"), ("tablet", "10 mg")],
    "levothyroxine": [("tablet", "50 micrograms"), ("tablet", "100 micrograms")],
    "salbutamol": [("inhaler", "100 micrograms per puff")],
    "chloramphenicol": [("eye drops", "0.5 %"), ("eye ointment", "1 %")],
    "timolol": [("eye drops", "0.5 %")],
    "hydrocortisone": [("cream", "1 %")],
    "fentanyl": [("transdermal patch", "25 micrograms per hour")],
    "insulin (human, soluble)": [("solution for injection", "100 units in 1 mL")],
}
FORMULARY = Formulary({name: Product(name, "", tuple(Presentation(form, strength, "test") for form, strength in rows))
                       for name, rows in SHELF.items()})

M, Q, H = "times_per_day", "every_hours", "duration_days"
TAKEN: list[tuple[str, dict[str, Any]]] = [
    ("amox 500 tid 7d", {"medicine": "amoxicillin", "dose": "500 mg", "route": "oral", M: 3, H: 7, "form": "capsule"}),
    ("amoxicillin 500 mg po tid x7d", {"medicine": "amoxicillin", "dose": "500 mg", "route": "oral", M: 3, H: 7}),
    ("AMOX 500MG TDS 7/7", {"medicine": "amoxicillin", "dose": "500 mg", M: 3, H: 7}),
    ("amox 250mg/5ml 5 ml tid 7 days", {"medicine": "amoxicillin", "dose": "5 mL", "form": "oral suspension", M: 3, H: 7}),
    ("amox 250 mg in 5 mL 10 mL bid 1/52", {"dose": "10 mL", "strength": "250 mg in 5 mL", M: 2, H: 7}),
    ("co-amoxiclav 500/125 1 tab tid 7d", {"medicine": "amoxicillin + clavulanic acid", "dose": "1 tablet", M: 3}),
    ("amox clav 1 tab tid 7d", {"medicine": "amoxicillin + clavulanic acid", "dose": "1 tablet"}),
    ("amox/clav 1 tablet twice a day", {"medicine": "amoxicillin + clavulanic acid", M: 2}),
    ("amox 250/5 5 ml tid", {"dose": "5 mL", "strength": "250 mg in 5 mL", "form": "oral suspension"}),
    ("hydrocortisone 1% cream thin layer to the affected area twice daily", {"route": "topical", "text": "in a thin layer", M: 2}),
    ("amlodipine 5 od", {"medicine": "amlodipine", "dose": "5 mg", "strength": "5 mg", "route": "oral", M: 1}),
    ("amlodipine 5 mg o.d.", {"dose": "5 mg", M: 1}),
    ("amlo 10 qd", {"medicine": "amlodipine", "dose": "10 mg", M: 1}),
    ("metformin 500 bd", {"medicine": "metformin", "dose": "500 mg", M: 2, "form": "tablet"}),
    ("metformin modified-release tablet 500 od", {"dose": "500 mg", M: 1, "form": "modified-release tablet"}),
    ("morphine 10 mg sc q4h", {"route": "subcutaneous", "dose": "10 mg", Q: 4}), ("morphine 1 tab q4h", {"route": "oral"}),
    ("ceftriaxone 1 g im stat", {"route": "intramuscular", "dose": "1 g", "form": "powder for injection"}),
    ("paracetamol 100 mg pr qid", {"route": "rectal", "form": "suppository"}),
    ("levothyroxine 100 mane", {"dose": "100 microgram", M: 1, "text": "in the morning"}),
    ("levothyroxine 100 mcg qam", {"dose": "100 microgram", M: 1, "text": "in the morning"}),
    ("levothyroxine 0.1 mg daily", {"dose": "0.1 mg", M: 1, "strength": "100 micrograms"}),
    ("prednisolone 30 mg mane 5/7", {"dose": "30 mg", M: 1, H: 5}),
    ("prednisolone 5 mg 6 tabs od 5d", {"dose": "6 tablet", "strength": "5 mg", M: 1, H: 5}),
    ("prednisolone 6 tabs 5 mg od 5d", {"dose": "6 tablet", "strength": "5 mg"}),
    ("paracetamol 1 g po q6h prn for pain max 4g/24h", {"dose": "1 g", Q: 6, "prn": "pain", "max_per_day": "4"}),
    ("paracetamol 500 2 tabs qid", {"dose": "2 tablet", "strength": "500 mg", M: 4}),
    ("acetaminophen 500 mg po tid", {"medicine": "paracetamol", "dose": "500 mg"}),
    ("paracetamol 500 mg po prn fever at least 6 hours apart max 4 doses/day", {"prn": "fever", "min_interval_hours": 6,
                                                                                 "max_per_day": "2000"}),
    ("paracetamol 120mg/5ml 10 ml qid prn fever max 4 doses per day", {"dose": "10 mL", M: 4, "max_per_day": "40"}),
    ("paracetamol 500 1-0-1 7/7", {"dose": "1 tablet", M: 2, H: 7, "text": "in the morning and in the evening"}),
    ("paracetamol 500 mg tab 1-1-1-1", {"dose": "1 tablet", M: 4, "strength": "500 mg"}),
    ("amlodipine 5 mg 0-0-1", {"dose": "1 tablet", M: 1, "text": "in the evening"}),
    ("methotrexate 10 mg weekly on monday", {"dose": "10 mg", M: 1, "weekdays": (0,)}),
    ("methotrexate 2.5 mg 4 tabs once a week on Friday", {"dose": "4 tablet", M: 1, "weekdays": (4,)}),
    ("methotrexate 10 mg po every monday", {"dose": "10 mg", "weekdays": (0,)}),
    ("salbutamol 2 puffs q4-6h prn max 8/d", {"medicine": "salbutamol", "dose": "2 puff", "route": "inhaled", "min_interval_hours": 4,
                                              "max_per_day": "8", "prn": "", "text": "every 4 to 6 hours"}),
    ("salbutamol 100 mcg 2 puffs q6h prn wheeze", {"dose": "2 puff", Q: 6, "prn": "wheeze", "strength": "100 micrograms per puff"}),
    ("2 puffs q4-6h prn max 8/d", {"dose": "2 puff", "min_interval_hours": 4, "max_per_day": "8", "prn": ""}),
    ("chloramphenicol 1 drop os qid 7d", {"route": "left eye", "dose": "1 drop", M: 4, "form": "eye drops"}),
    ("chloramphenicol 1 gtt od qid", {"route": "right eye", M: 4}),
    ("chloramphenicol 1 drop right eye od", {"route": "right eye", M: 1}),
    ("timolol 1 drop both eyes bid", {"route": "both eyes", "dose": "1 drop", M: 2}),
    ("timolol 1 drop ou bid", {"route": "both eyes", M: 2}),
    ("hydrocortisone apply bid 2 weeks", {"medicine": "hydrocortisone", "route": "topical", M: 2, H: 14, "dose": None}),
    ("hydrocortisone 1% top bd 7d", {"strength": "1 %", "route": "topical", M: 2, "dose": None}),
    ("fentanyl 1 patch every 72 hours", {"dose": "1 patch", "route": "transdermal", Q: 72}),
    ("insulin 10u sc hs", {"dose": "10 unit", "route": "subcutaneous", M: 1, "text": "at bedtime"}),
    ("1 tab po tid", {"dose": "1 tablet", "route": "oral", M: 3}),
    ("1 tab bid", {"dose": "1 tablet", M: 2}),
    ("1 tab b.i.d.", {M: 2}), ("1 tab BD", {M: 2}), ("1 tab bds", {M: 2}), ("1 tab twice daily", {M: 2}), ("1 tab 2x/d", {M: 2}),
    ("1 tab t.i.d.", {M: 3}), ("1 tab tds", {M: 3}), ("1 tab thrice daily", {M: 3}), ("1 tab 3x daily", {M: 3}),
    ("1 tab 3 times a day", {M: 3}), ("1 tab three times per day", {M: 3}), ("1 tab x3/day", {M: 3}),
    ("1 tab qid", {M: 4}), ("1 tab qds", {M: 4}), ("1 tab q.d.s.", {M: 4}), ("1 tab five times a day", {M: 5}),
    ("1 tab qd", {M: 1}), ("1 tab q.d.", {M: 1}), ("1 tab daily", {M: 1}), ("1 tab once daily", {M: 1}), ("1 tab every day", {M: 1}),
    ("1 tab od", {M: 1}), ("1 tab a day", {M: 1}), ("1 cap each day", {M: 1}), ("1 tab every 1 day", {M: 1}),
    ("1 tab q4h", {Q: 4}), ("1 tab q 6 h", {Q: 6}), ("1 tab q8h", {Q: 8}), ("1 tab q12h", {Q: 12}), ("1 tab q24h", {Q: 24}),
    ("1 tab every 6 hours", {Q: 6}), ("1 tab every six hours", {Q: 6}), ("1 tab 6 hourly", {Q: 6}), ("1 tab 8-hourly", {Q: 8}),
    ("1 tab 6/24", {Q: 6}), ("1 drop right eye hourly", {Q: 1}), ("1 tab qod", {Q: 48}), ("1 tab alternate days", {Q: 48}),
    ("1 tab every other day", {Q: 48}), ("1 tab every 2 days", {Q: 48}), ("1 tab every 3 days", {Q: 72}),
    ("1 tab weekly", {Q: 168}), ("1 tab once a week", {Q: 168}), ("1 tab fortnightly", {Q: 336}), ("1 tab every 4 weeks", {Q: 672}),
    ("1 tab nocte", {M: 1, "text": "at night"}), ("1 tab hs", {M: 1, "text": "at bedtime"}), ("1 tab at bedtime", {M: 1}),
    ("1 tab mane", {M: 1, "text": "in the morning"}), ("1 tab mane nocte", {M: 2, "text": "in the morning and at night"}),
    ("1 tab bid mane and nocte", {M: 2}), ("1 tab daily at night", {M: 1, "text": "at night"}),
    ("1 tab mon wed fri", {"weekdays": (0, 2, 4)}), ("1 tab mon/wed/fri", {"weekdays": (0, 2, 4)}),
    ("1 tab daily mon-fri", {M: 1, "weekdays": (0, 1, 2, 3, 4)}), ("1 tab on Tuesdays and Thursdays", {"weekdays": (1, 3)}),
    ("1 tab bid sat sun", {M: 2, "weekdays": (5, 6)}),
    ("1 tab stat", {"once": True, "text": "immediately"}), ("2 tabs single dose", {"once": True}), ("1 tab once only", {"once": True}),
    ("½ tab qd", {"dose": "0.5 tablet", M: 1}), ("1/2 tab qd", {"dose": "0.5 tablet"}), ("half a tablet daily", {"dose": "0.5 tablet"}),
    ("1½ tabs bid", {"dose": "1.5 tablet"}), ("1.5 tab bid", {"dose": "1.5 tablet"}),
    ("one and a half tablets bid", {"dose": "1.5 tablet"}),
    ("1/4 tab od", {"dose": "0.25 tablet", M: 1}), ("two tablets three times a day", {"dose": "2 tablet", M: 3}),
    ("0,5 mg nocte", {"dose": "0.5 mg"}), ("1,25 mg daily", {"dose": "1.25 mg"}), ("0,125 mg daily", {"dose": "0.125 mg"}),
    ("1,000 units daily", {"dose": "1000 unit"}), ("100 micrograms daily", {"dose": "100 microgram"}),
    ("100 µg daily", {"dose": "100 microgram"}), ("100ug daily", {"dose": "100 microgram"}), ("5 cc tid", {"dose": "5 mL"}),
    ("10 iu im once only", {"dose": "10 international unit", "route": "intramuscular", "once": True}),
    ("1 amp iv stat", {"dose": "1 ampoule", "route": "intravenous"}), ("1 supp pr nocte", {"dose": "1 suppository", "route": "rectal"}),
    ("1 pessary pv nocte 3d", {"route": "vaginal", H: 3}), ("1 tab sl stat", {"route": "sublingual"}),
    ("2 sprays each nostril bid", {"route": "each nostril", "dose": "2 spray"}), ("5 mL neb qid", {"route": "nebulised"}),
    ("2 drops au tid", {"route": "both ears"}), ("2 drops ad tid", {"route": "right ear"}), ("2 drops as tid", {"route": "left ear"}),
    ("500 mg iv q8h x 5 days", {"route": "intravenous", H: 5}), ("1 mg/mL 2 mL im stat", {"dose": "2 mL"}),
    ("1 tab tid x 7d", {H: 7}), ("1 tab tid x7/7", {H: 7}), ("1 tab tid 2/52", {H: 14}), ("1 tab tid 2 weeks", {H: 14}),
    ("1 tab tid for two weeks", {H: 14}), ("1 tab tid 2w", {H: 14}), ("1 tab tid x2wk", {H: 14}), ("1 tab tid ten days", {H: 10}),
    ("1 tab tid for a week", {H: 7}), ("1 tab tid for a fortnight", {H: 14}), ("1 tab tid for 48 hours", {H: 2}),
    ("1 tab tid with food", {M: 3, "text": "with food"}), ("1 tab tid ac", {"text": "before food"}),
    ("1 tab tid pc", {"text": "after food"}),
    ("1 tab tid 7d until finished", {H: 7, "text": "until finished"}), ("1 tab nocte with food", {"text": "at night, with food"}),
    ("1 tab tid 7d for otitis media", {H: 7, "indication": "otitis media"}),
    ("1 tab q6h prn for pain or fever no more than 4 tablets in 24 hours", {"prn": "pain or fever", "max_per_day": "4", Q: 6}),
    ("1 tab tid prn", {M: 3, "prn": ""}), ("1 tab sos", {"prn": ""}), ("1 tab when required for headache max 3/day", {"prn": "headache"}),
    ("Sig: take 1 tab po bid", {"dose": "1 tablet", M: 2}), ("1 tab po bid long term", {M: 2, H: None}),
]


@pytest.mark.parametrize(("text", "expected"), TAKEN, ids=[text for text, _ in TAKEN])
def test_taken(text: str, expected: dict[str, Any]) -> None:
    found = parse(text, FORMULARY)
    assert isinstance(found, Parsed), getattr(found, "sentence", "")
    d = found.direction
    for name, value in expected.items():
        if name == "dose":
            assert (d.dose_value is None) if value is None else (f"{d.dose_value.normalize():f} {d.dose_unit}" == value), d
        elif name == "prn":
            assert (d.as_needed, d.as_needed_for) == (True, value)
        elif name == "max_per_day":
            assert d.max_per_day == Decimal(value)
        else:
            assert getattr(found if name in {"medicine", "form", "strength", "indication"} else d, name) == value
    assert forbidden(found.text) == []


ASKED = [
    ("amox 300/5 5 ml tid", "no strength"),
    ("morphine 10 q4h", "by which way"), ("amox 5000 mg tid", "5 times"),
    ("", "Nothing typed"), ("   ", "Nothing typed"), ("pred 5 od", "several medicines"), ("prednis 5 od", "several medicines"),
    ("met 500 bid", "several medicines"), ("am 5 od", "at least three letters".replace("three", str(LEAST_LETTERS))),
    ("mtx 10 weekly", "write methotrexate"), ("foozol 5 mg od", "No medicine"), ("1 tab tid bid", "Two frequencies"),
    ("1 tab q6h daily", "Two frequencies"), ("1 tab daily stat", "Two frequencies"), ("1 tab q4h q6h", "twice|Two frequencies"),
    ("1 tab tid 5d 7d", "Two durations"), ("1 tab 2 tabs tid", "Two amounts"), ("amox 500 mg 250 mg tid", "Two amounts"),
    ("1 tab po iv tid", "Two routes"), ("1 od", "of what"), ("amox 1 tid", "of what"), ("500 tid", "of what"),
    ("2 eye drops tid", "of what|Which eye"),
    ("timolol 1 drop od", "right eye or once a day"), ("timolol 1 drop od od", "several ways"), ("chloramphenicol 1 drop qid", "Which eye"),
    ("1 drop eye tid", "Which eye"), ("2 drops ear tid", "Which ear"), ("amlodipine 5 mg os daily", "left eye"),
    ("1 tab as tid", "left ear"), ("amox 5000 tid", "of what"), ("levothyroxine 100 mg od", "5 times"),
    ("amlodipine 5 micrograms od", "less than"), ("200 tabs tid", "typing error"), ("1-2 tabs qid", "a range"),
    ("1 to 2 tabs qid", "range"),
    ("500-1000 mg tid", "range"), ("1 tab q4-6h", "is a range"), ("1 tab tid 1 month", "no fixed number of days"),
    ("1 tab tid 3/12", "84 days"), ("1 tab monthly", "no fixed number"), ("1 tab twice a week", "Which two days"),
    ("1 tab tiw", "Which three days"), ("2-0-1 tab", "different doses"), ("1 tab 2-2-2", "do not agree"), ("1-1-1-1", "of what"),
    ("1 tab tid nocte", "do not agree"), ("1 tab q6h mane", "do not agree"), ("1 tab x 7 tid", "how many of what"),
    ("1 tab q6", "every how many"), ("1 tab tid max 8", "in which time"), ("amlodipine 5 mg tid max 3/d", "of what"),
    ("15 mg/kg tid", "weight"), ("1 tsp tid", "mL"), ("1 tab once", "once only"), ("1 tab on", "at night"), (".5 mg daily", "zero before"),
    ("5.0 mg daily", "write 5"),
    ("1 tab tid not with milk", "not understood"), ("1 tab tid flurble", "not understood"), ("2 tabs stat then 1 daily", "not understood"),
    ("1 tab up to tid", "as needed"), ("0 tab tid", "more than zero"), ("1 tab q0h", "above zero"),
    ("1 tab 1.5 times a day", "whole number"),
    ("1 tab tid for 36 hours", "whole number of days"), ("500 ½ tab bid", "no strength"), ("metformin 300 ½ tab bid", "no strength"),
    ("amox tid 7d", "How much"), ("1 tab po", "How often"), ("amlodipine 5 mg 8 am", "Two amounts|not understood"),
    ("1 tab bid or tid", "not understood"), ("1 tab tid 400 d", "366"), ("5 mg 30 times a day", "24 times"), ("x" * 500, "characters"),
    ("insulin 10", "How often|of what"), ("1 tab q6-4h prn", "not a range"), ("1 tab prn max 0.5/d", "at least one dose"),
]


@pytest.mark.parametrize(("text", "words"), ASKED, ids=[text[:40] or "empty" for text, _ in ASKED])
def test_asked(text: str, words: str) -> None:
    found = parse(text, FORMULARY)
    assert isinstance(found, Unclear), found
    assert any(part in found.sentence for part in words.split("|")), found.sentence


def test_a_question_names_its_choices_and_what_was_understood() -> None:
    found = parse("pred 5 mg od", FORMULARY)
    assert isinstance(found, Unclear)
    assert found.questions[0].field == "medicine"
    assert set(found.questions[0].choices) == {"prednisolone", "prednisone"}  # even where the formulary holds only one of the two
    assert found.understood.direction.dose_value == 5
    assert matching("pr", FORMULARY) == ()
    assert matching("met", FORMULARY) == ("metformin", "methotrexate", "metronidazole")
    assert mixes_lookalikes(matching("met", FORMULARY))
    assert not mixes_lookalikes(matching("amox", FORMULARY))


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["parse-sig", "amox 500 tid 7d", "--json"])
    assert left.value.code == 0
    found = json.loads(capsys.readouterr().out)
    assert {"medicine": "amoxicillin", "dose_value": 500, "dose_unit": "mg", "times_per_day": 3, "every_hours": None, "as_needed": False,
            "max_per_day": None, "duration_days": 7, "weekdays": []}.items() <= found.items()
    assert "three times a day for 7 days" in found["text"]
    with pytest.raises(SystemExit) as left:
        main(["parse-sig", "1 tab tid bid", "--json"])
    assert left.value.code == 1
    assert json.loads(capsys.readouterr().out) == {"error": "Two frequencies: “tid” and “bid”."}


def test_parts() -> None:
    assert read_dose("500 mg") == (Decimal(500), "mg")
    assert read_dose("½ tab") == (Decimal("0.5"), "tablet")
    assert read_dose("1 tablet") == (Decimal(1), "tablet")
    assert read_dose("10 units") == (Decimal(10), "unit")
    assert read_frequency("three times a day").times_per_day == 3
    assert read_frequency("od").times_per_day == 1
    assert read_frequency("every 6 hours as needed") == FREQUENCIES[0].__class__("every 6 hours as needed", every_hours=6, as_needed=True)
    assert read_frequency("weekly on Monday").weekdays == (0,)
    assert read_frequency("as needed").as_needed
    assert read_frequency("q4-6h prn").as_needed
    assert read_duration("for 7 days") == 7
    assert read_duration("2/52") == 14
    assert read_duration("long term") is None
    assert read_route("by mouth") == "oral"
    assert read_route("into the right eye") == "right eye"
    assert [read_route(r.label) for r in ROUTES.values()] == list(ROUTES)
    assert [read_route(name) for name in ROUTES] == list(ROUTES)
    for frequency in FREQUENCIES:
        read = read_frequency(frequency.label)
        assert replace(read, label="") == replace(frequency, label="")
    for read_one, wrong in ((read_dose, "500"), (read_dose, "tid"), (read_frequency, "7 days"), (read_frequency, "tid bid"),
                            (read_duration, "1 month"), (read_duration, "tid"), (read_route, "od"), (read_route, "by post"),
                            (read_dose, ""), (read_dose, "1-2 tablets")):
        with pytest.raises(Invalid):
            read_one(wrong)


def unknown_words(text: str) -> bool:
    """No part of it is a piece of its own."""
    return simplified(text) == text and not any(is_known(text[i:]) for i in range(len(text)) if i == 0 or text[i - 1] == " ")


reasons = st.one_of(st.sampled_from(sorted(REASONS)),
                    st.lists(st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9), min_size=1, max_size=3).map(" ".join)
                    .filter(unknown_words))
amounts = st.one_of(st.integers(1, 9).map(Decimal), st.sampled_from([Decimal("0.5"), Decimal("1.5"), Decimal("2.5"), Decimal("0.25")]))
UNDIVIDED = {"patch", "puff", "spray", "drop", "capsule"}
masses = st.tuples(st.decimals("0.001", "2000", places=3).filter(lambda d: d > 0),
                   st.sampled_from(["mg", "g", "microgram", "nanogram"])).filter(lambda pair: not (pair[1] == "g" and pair[0] > 200))
units = st.tuples(st.decimals("0.01", "2000", places=2), st.sampled_from(["unit", "international unit", "mmol"]))
counted = st.tuples(amounts, st.sampled_from([u for u in DOSE_UNITS if u != "L"])).filter(
    lambda pair: (pair[0] <= 4 or pair[1] in {"tablet", "capsule", "mL", "drop"}) and (pair[0] % 1 == 0 or pair[1] not in UNDIVIDED))


def runs_longer_than_its_interval(d: Direction) -> bool:
    """“Once a week for 5 days” is no plan: it is asked about."""
    interval = d.every_hours or (168 if len(d.weekdays) == 1 else 0)
    return d.duration_days is None or d.duration_days * 24 > interval


@st.composite
def picked(draw: st.DrawFn) -> Direction:
    """Any complete direction of the pick lists."""
    value, unit = draw(st.one_of(counted, masses, units))
    d = draw(st.sampled_from(FREQUENCIES)).applied(Direction(value, unit, draw(st.sampled_from(["", *ROUTES]))))
    if d.once:
        return replace(d, duration_days=None)
    d = replace(d, duration_days=draw(st.none() | st.integers(1, 366)), text=draw(st.sampled_from(["", *ADVICE_ORDER[:6]])))
    if d.times_per_day or d.every_hours:
        d = replace(d, as_needed=draw(st.booleans()))
    if d.as_needed:
        d = replace(d, as_needed_for=draw(st.just("") | reasons), min_interval_hours=draw(st.none() | st.integers(1, 168)),
                    max_per_day=draw(st.none() | st.integers(1, 4).map(lambda n: n * value)))
    return d


def _same(one: Direction, two: Direction) -> bool:
    def amount(a: Decimal | None, b: Decimal | None) -> bool:
        return a is b is None or (a is not None and b is not None and same_dose(a, one.dose_unit, b, two.dose_unit))

    topical = {"topical", "transdermal"}
    patch = one.dose_unit == "patch" and {one.route, two.route} <= topical  # a patch on the skin is both
    bare = {"dose_value": None, "dose_unit": "", "max_per_day": None, "route": ""}
    return (amount(one.dose_value, two.dose_value) and amount(one.max_per_day, two.max_per_day) and (patch or one.route == two.route)
            and replace(one, **bare) == replace(two, **bare))  # type: ignore[arg-type]


@settings(max_examples=600, deadline=None)
@given(picked().filter(runs_longer_than_its_interval))
def test_full_words_are_read_back(direction: Direction) -> None:
    found = parse(in_words(direction), FORMULARY)
    assert isinstance(found, Parsed), f"{in_words(direction)}: {getattr(found, 'sentence', '')}"
    assert _same(direction, found.direction), (in_words(direction), found.direction)
    assert in_words(found.direction) == in_words(direction)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([f for f in FREQUENCIES if (f.every_hours or 0) >= 24 or f.weekdays]).flatmap(
    lambda f: st.builds(lambda days: f.applied(Direction(Decimal(1), "tablet", "oral", duration_days=days)),
                        st.integers(1, (f.every_hours or 168) // 24))))
def test_a_course_not_longer_than_its_interval_is_asked_about(direction: Direction) -> None:
    found = parse(in_words(direction), FORMULARY)
    assert isinstance(found, Unclear)
    assert any(q.field == "duration" for q in found.questions)


@settings(max_examples=200, deadline=None)
@given(st.builds(Direction, dose_value=st.none() | amounts, dose_unit=st.just("tablet"), route=st.sampled_from(["", "oral"]),
                 times_per_day=st.none() | st.integers(1, 6), duration_days=st.none() | st.integers(1, 90)))
def test_an_open_direction_is_asked_about_and_still_understood(direction: Direction) -> None:
    direction = replace(direction, dose_unit="tablet" if direction.dose_value else "")
    found = parse(in_words(direction), FORMULARY)
    complete = direction.dose_value and direction.times_per_day
    assert isinstance(found, Parsed) == bool(complete)
    assert (found.understood if isinstance(found, Unclear) else found).direction == direction


WORDS = ["amox", "500", "mg", "tid", "1", "tab", "q4h", "prn", "for", "pain", "max", "8/d", "/", "-", "x7d", "½", "od", "1-0-1",
    "monday", "every",
         "5", "days", "no", "more", "than", ",", ".", "1,5", "1.2.3", "(", "٣", "µg", "once", "mg/kg", "½", "1/52", "each", "up", "to",
         "at"]


@settings(max_examples=5000, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_any_words_are_answered(text: str) -> None:
    _answered(text)


@settings(max_examples=5000, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    _answered(text)


def _answered(text: str) -> None:
    found = parse(text, FORMULARY)
    if isinstance(found, Parsed):
        assert forbidden(found.text) == []
        again = parse(found.text, FORMULARY)
        assert isinstance(again, Parsed), (text, found.text, again.sentence)
        assert again.text == found.text
    else:
        assert found.questions
        assert found.sentence
