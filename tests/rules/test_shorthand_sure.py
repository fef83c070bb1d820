"""What a typed line may not be taken for: each table is a class that was once read wrongly, with what is near it and must still be read.

The medicines are those of the clinic. `everyday_lines.txt` holds lines that must mean for ever what they meant.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from clinicdesk.errors import Invalid
from clinicdesk.paths import resource
from clinicdesk.rules.abbreviations import forbidden
from clinicdesk.rules.directions import FORMS, ROUTES, in_words
from clinicdesk.rules.doses import DOSE_UNITS, fmt_dose
from clinicdesk.rules.formulary import read_formulary
from clinicdesk.rules.numerals import Unsure, number
from clinicdesk.rules.shorthand import Parsed, Unclear, parse, read_dose, read_frequency
from clinicdesk.rules.shorthand_names import find_medicine

FORMULARY = read_formulary(resource("medicines"))
EVERYDAY = [line.split(" => ") for line in (Path(__file__).parent / "everyday_lines.txt").read_text(encoding="utf-8").splitlines()[1:]]

WEEKS_ASKED = [
    ("warfarin 3 mg 5 days a week", "Which five days of the week?"), ("warfarin 3 mg 5 nights per week", "Which five days"),
    ("warfarin 3 mg 5 days/week", "Which five days"), ("warfarin 3 mg 5d/wk", "Which five days"),
    ("warfarin 3 mg five days each week", "Which five days"), ("warfarin 3 mg for 5 days a week", "Which five days"),
    ("warfarin 3 mg od for 5 days in the week", "Which five days"), ("warfarin 3 mg 5 days weekly", "Which five days"),
    ("warfarin 3 mg 5 days out of 7", "Which five days"), ("warfarin 3 mg 5 of 7 days", "Which five days"),
    ("warfarin 3 mg once a day 5 days a week", "Which five days"), ("warfarin 3 mg 5-6 days a week", "Which days"),
    ("zopiclone 7.5 mg 3 nights a week", "Which three days"), ("prednisolone 5 mg 6 mornings a week", "Which six days"),
    ("warfarin 3 mg 6 times a week", "Which six days"), ("warfarin 3 mg 4x/week", "Which four days"),
    ("warfarin 3 mg 3 a week", "Which three days"), ("warfarin 3 mg thrice per week", "Which three days"),
    ("2 doses a week", "Which two days"), ("methotrexate 10 mg po 1 day a week", "Which days"),
    ("prednisolone 5 mg bd 7 days a week", "Two frequencies"), ("prednisolone 5 mg for 7 days a week", "Which days"),
    ("prednisolone 5 mg for 1 week every 4 weeks", "not longer than the time between doses"),
    ("prednisolone 5 mg 21 days every 28 days", "not longer"), ("methotrexate 10 mg po weekly for 5 days", "not longer"),
    ("methotrexate 10 mg po weekly on monday for 5 days", "not longer"), ("fentanyl 1 patch every 72 hours for 3 days", "not longer"),
    ("colecalciferol 20,000 units weekly 1/52", "not longer"), ("1 tab alternate days for 2 days", "not longer"),
    ("warfarin 3 mg 5/7 days a week", "not longer"),
]
FRACTIONS_ASKED = [
    *((f"{medicine} {typed}", f"Choose: {whole} tablets; {n} mg, half a tablet") for medicine, typed, whole, n in (
        ("warfarin", "1 1/2 tab od", "1.5", 1), ("warfarin", "1 ½ tab od", "1.5", 1), ("warfarin", "2 1/2 tabs daily", "2.5", 2),
        ("warfarin", "1-1/2 tabs od", "1.5", 1), ("risperidone", "1 1/2 tab od", "1.5", 1), ("lorazepam", "1 1/2 tab po od", "1.5", 1),
        ("clonazepam", "2 1/2 tabs od", "2.5", 2), ("glimepiride", "1 ½ tab od", "1.5", 1), ("prednisolone", "5 1/2 tab od", "5.5", 5),
        ("warfarin", "1 1/2 od", "1.5", 1))),
    ("warfarin 1 1/2 mg od", "1.5 mg"), ("warfarin 1 half tab od", "1 and a half, or 1 times a half"),
    ("warfarin two half tablets od", "Choose: 2.5 tablets; 1 tablet"), ("1 1/2 - 2 tabs od", "Choose: 1.5 tablets; 2 tablets"),
    ("1 - 1 1/2 tabs od", "Choose: 1 tablet; 1.5 tablets"), ("ramipril 1 1/2 caps od", "not divided"),
    ("warfarin 11/2 tab od", "no strength"), ("clonazepam 1 tab mane and half nocte", "Two doses at different times"),
    ("prednisolone 5 mg mane 2 tabs nocte", "Two doses"), ("warfarin 3 mg mon wed 1 tab tue thu", "Two doses"),
    ("risperidone 1 tab 2 nocte", "Two amounts"), ("prednisolone 6 tabs (30 mg) od", "Choose: 5 mg, 6 tablets"),
    ("warfarin 1 1/2 tabs (1.5 mg) od", "Choose: 1 mg, 1.5 tablets"),
    ("paracetamol 2 tabs (1 g) qid", "Choose: 500 mg, 2 tablets; 1 g, 2 tablets"),
]
NUMBERS_ASKED = [
    ("heparin 5·000 units sc bd", "5 or 5,000"),
    ("colecalciferol 1.000 iu od", "Choose: 1 international unit; 1,000 international units"),
    ("heparin 5.000 units sc bd", "is it 5 or 5,000? Choose: 5 units; 5,000 units"), ("enoxaparin 4.000 units sc od", "4 or 4,000"),
    ("colecalciferol 25.000 units weekly", "25 or 25,000"), ("paracetamol 1.000 mg qid", "1 or 1,000"),
    ("metformin 1.000 bd", "1 or 1,000"), ("heparin 12.500 units sc bd", "12.5 or 12,500"),
    ("heparin 1.125 units sc bd", "1.125 or 1,125"), ("benzylpenicillin 1.200.000 units im stat", "Choose: 1,200,000 units"),
    ("heparin 5 000 units sc bd", "Choose: 5,000 units"), ("heparin 5'000 units sc bd", "Choose: 5,000 units"),
    ("carvedilol 3,125 mg bd", "3.125 or 3,125"), ("paracetamol 1.0 g qid", "write 1."), ("warfarin 5,0 mg od", "write 5."),
    ("digoxin 0.1250 mg od", "write 0.125."), ("warfarin 2,50 mg od", "write 2.5."),
    ("paracetamol 500 mg qid max 4.000 mg per day", "4 or 4,000"), ("amox 125.0mg/5ml 5 ml tid", "write 125."),
    ("hydrocortisone 1.0% cream bd", "write 1."), ("1 tab od for 7.0 days", "write 7."), ("1 tab q6.0h", "write 6."),
    ("1.2.3 mg od", "not a number"), ("1,2345 mg od", "not a number"),
]
NAMES_ASKED = [
    ("penicillins 500 qid", "(penicillin V)"), ("penicil 500 qid", "penicillamine; .*phenoxymethylpenicillin"),
    ("penicillin 500 qid", "phenoxymethylpenicillin"), ("aceta 500 qid prn", "acetazolamide; paracetamol (acetaminophen)"),
    ("nitro 0.4 mg sl prn", "Choose: glyceryl trinitrate"), ("nitro 50 qid", "nitrofurantoin; glyceryl trinitrate (nitroglycerin)"),
    ("alb 2 puffs qid", "Choose: salbutamol (albuterol)"), ("alb 400 stat", "albendazole; salbutamol (albuterol)"),
    ("vitamin d 1000 units od", "colecalciferol"), ("insulin 10u sc hs", "several medicines"), ("asa 75 od", "write aspirin"),
    ("gtn 1 tab sl prn", "No medicine"),
]
FITS_ASKED = [
    ("propranolol 1 mg iv stat", "not on file injected into a vein"),
    ("amoxicillin 1 sachet tid", "Choose: 1 capsule; 1 tablet; 1 mL."), ("metformin 850 cc bd", "Choose: 850 mg"),
    ("insulin glargine 10 ml sc nocte", "written in units"), ("insulin human 0.1 ml sc tds", "written in units"),
    ("insulin aspart 10 mg sc tds", "Choose: 10 units"), ("heparin 5000 mg sc bd", "Choose: 5,000 units"),
    ("warfarin 5 units od", "Choose: 5 mg"), ("amoxicillin 5 mmol od", "not on file in mmol"),
    ("amlodipine 5 mg both ears od", "Choose: by mouth"), ("omeprazole 20 mg right eye od", "not on file into the right eye"),
    ("timolol 1 drop both ears bd", "into the right eye"), ("ciprofloxacin 500 mg both ears bd", "in mg into both ears"),
    ("salbutamol 4 mg iv stat", "not on file injected into a vein"), ("amoxicillin 500 mg pr tid", "into the rectum"),
    ("metformin cream bd", "not on file as cream"), ("amlodipine eye drops 1 drop both eyes od", "not on file as eye drops"),
    ("metformin 10 puffs od", "Choose: 10 tablets"), ("salbutamol 2 tabs inhaled qid", "in tablets inhaled"),
    ("buprenorphine 5 patch weekly", "Choose: 5 patches; 5 micrograms per hour, 1 patch"),
    ("rivastigmine 4.6 patch od", "4.6 mg, 1 patch"), ("fentanyl 25 patch every 72 hours", "25 micrograms per hour, 1 patch"),
    ("nicotine 21 patch daily", "21 mg, 1 patch"), ("fentanyl 1.5 patch every 72 hours", "not divided"),
    ("amlodipine 5 tabs od", "5 mg, 1 tablet"), ("tiotropium 18 puffs od", "strength"), ("lactulose 15 bd", "Choose: 15 mL; 15 g"),
    ("salbutamol 5 neb qid", "5 mL; 5 mg"), ("insulin glargine 1000 units nocte", "typing error"),
    ("insulin glargine 161 units sc nocte", "typing error"), ("heparin 20,000,000 units sc", "typing error"),
]
RANGES_ASKED = [
    ("paracetamol 500 mg or 1 g qid", "Choose: 500 mg; 1 g."),
    ("digoxin 62.5 mcg or 0.125 mg od", "Choose: 62.5 micrograms; 125 micrograms."),
    ("levothyroxine 500 micrograms - 1 mg od", "Choose: 500 micrograms; 1 mg."), ("digoxin 0.125 or 0.25 mg od", "125 micrograms; 250"),
    ("ibuprofen 200mg to 400 tds", "Choose: 200 mg; 400 mg."), ("digoxin 0.125 daily", "0.125 mg (125 micrograms)"),
    ("levothyroxine 0.05 od", "Choose: 0.05 mg (50 micrograms)."),
]
SENSE_ASKED = [
    ("paracetamol 1 g six times a day max 4 g per day", "gives 6 g in a day, more than the maximum of 4 g"),
    ("paracetamol 1 g qid max 2 g/day", "maximum of 2 g"), ("paracetamol 1 g q4h max 4 g/day", "gives 6 g"),
    ("ibuprofen 400 mg q5h max 1600 mg/day", "gives 2 g"), ("paracetamol 500 mg 2 tabs qid max 3 g/day", "8 tablets"),
    ("salbutamol 2 puffs qid max 4/d", "8 puffs"), ("paracetamol 1 g tds max 2 doses per day", "gives 3 g"),
    ("paracetamol 1 g qid at least 8 hours apart", "do not agree"), ("1 tab q6h at least 8 hours apart", "do not agree"),
    ("1000 g od", "typing error"), ("2000000 mg od", "typing error"), ("900000000 micrograms od", "typing error"),
    ("prn for µg 500 mg", "is not understood"),
    ("potassium chloride 20 mmol iv stat", "undiluted"), ("potassium chloride 10 mmol im stat", "undiluted"),
    ("200 g six times a day", "in a day is surely a typing error"), ("1 g qid max 1000000 g per day", "typing error"),
]
#: Containers on file (ampoules, vials, bags) make an ordinary dose quiet; ten of it must still be asked about.
TENFOLD_ASKED = [(f"{line} stat", "5 times the largest strength") for line in (
    "gentamicin 800 mg iv", "gentamicin 2,400 mg iv", "furosemide 800 mg iv", "paracetamol 10 g iv", "potassium chloride 200 mmol iv",
    "phenytoin 10 g iv", "digoxin 5 mg iv", "metronidazole 5 g iv", "levofloxacin 5 g iv", "linezolid 6 g iv", "fluconazole 4 g iv",
    "magnesium sulfate 40 g iv", "calcium gluconate 10 g iv", "labetalol 500 mg iv", "hydralazine 200 mg iv", "verapamil 50 mg iv",
    "metoprolol 50 mg iv", "valproate 4 g iv", "promethazine 250 mg im", "prochlorperazine 125 mg im", "terbutaline 25 mg sc",
    "amiodarone 3 g iv", "aminophylline 2.5 g iv", "dobutamine 2.5 g iv", "tranexamic acid 10 g iv", "olanzapine 100 mg im",
    "ciprofloxacin 4 g iv", "tramadol 1 g iv", "ranitidine 500 mg iv",
    "morphine 100 mg iv", "morphine 300 mg pr", "diazepam 100 mg pr", "heparin 50,000 units sc", "colecalciferol 1,000 micrograms",
    "colecalciferol 25 mg")]
ASKED = [*TENFOLD_ASKED, *WEEKS_ASKED, *FRACTIONS_ASKED, *NUMBERS_ASKED, *NAMES_ASKED, *FITS_ASKED, *RANGES_ASKED, *SENSE_ASKED]

#: What stands beside each class and is clear.
READ = [
    ("miconazole 200 mg bd", "Insert 200 mg into the vagina twice a day."), ("miconazole 2 % bd", "Apply to the skin twice a day."),
    ("miconazole gel bd", "Apply to the skin twice a day."), ("colecalciferol 1000 od", "Take 1,000 units by mouth once a day."),
    ("digoxin 0·125 mg od", "Take 125 micrograms by mouth once a day."),
    ("heparin ٥٬٠٠٠ units sc bd", "Inject 5,000 units under the skin twice a day."),
    ("oral rehydration salts 200 mL prn", "Take 200 mL by mouth as needed."),
    ("nystatin 1 ml mouthwash qid", "Rinse the mouth with 1 mL and spit out four times a day."),
    ("amoxicillin 500 mg 7 days a week", "Take 500 mg by mouth once a day."),
    ("alendronic acid 70 a week", "Take 70 mg by mouth once a week."), ("methotrexate 10 weekly po", "Take 10 mg by mouth once a week."),
    ("1 tab 1x/week", "Use 1 tablet once a week."),
    ("alendronic acid 70 mg weekly for 4 weeks", "Take 70 mg by mouth once a week for 28 days."),
    ("1 tab every 2 weeks for 8 weeks", "Use 1 tablet every 2 weeks for 56 days."),
    ("1 tab daily mon-fri", "Use 1 tablet once a day on Monday, Tuesday, Wednesday, Thursday and Friday."),
    ("prednisolone 5 mg alternate days for 5 days", "Take 5 mg by mouth every other day for 5 days."),
    ("1 1/2 tab od", "Use 1.5 tablets once a day."), ("bisoprolol 1 1/2 tabs od", "Take 1.5 tablets by mouth once a day."),
    ("warfarin 1½ tabs od", "Take 1.5 tablets by mouth once a day."),
    ("warfarin 1 and ½ tab od", "Take 1.5 tablets by mouth once a day."),
    ("warfarin 2 & 1/2 tab od", "Take 2.5 tablets by mouth once a day."),
    ("clonazepam 1 tab and half od", "Take 1.5 tablets by mouth once a day."),
    ("warfarin 1 mg 1 1/2 tab od", "Take 1.5 tablets by mouth once a day."),
    ("warfarin one half tablet od", "Take half a tablet by mouth once a day."),
    ("levothyroxine 100 1 1/2 tabs od", "Take 1.5 tablets by mouth once a day."),
    ("paracetamol 2 1/2 ml qid", "Take 2.5 mL by mouth four times a day."),
    ("amlodipine 10 1/2 tab od", "Take half a tablet by mouth once a day."),
    ("atenolol 50 ½ tab od", "Take half a tablet by mouth once a day."),
    ("lorazepam 1 mg tab 1/2 od po", "Take half a tablet by mouth once a day."),
    ("warfarin 3 mg 3 tabs od", "Take 3 tablets by mouth once a day."),
    ("prednisolone 6 tabs 5 mg od", "Take 6 tablets by mouth once a day."),
    ("carvedilol 3.125 mg bd", "Take 3.125 mg by mouth twice a day."),
    ("heparin 5,000 units sc bd", "Inject 5,000 units under the skin twice a day."),
    ("bisoprolol 1,25 mg od", "Take 1.25 mg by mouth once a day."), ("digoxin 0,0625 mg od", "Take 62.5 micrograms by mouth once a day."),
    ("paracetamol 1,000 mg qid", "Take 1 g by mouth four times a day."),
    ("penicillin v 500 mg qid 10d", "Take 500 mg by mouth four times a day for 10 days."),
    ("acetamin 500 mg qid", "Take 500 mg by mouth four times a day."), ("albuterol 2 puffs qid", "Inhale 2 puffs four times a day."),
    ("thyrox 100 mcg od", "Take 100 micrograms by mouth once a day."),
    ("nitrogl 400 mcg sl prn", "Put 400 micrograms under the tongue as needed."),
    ("glyceryl trinitrate 2 sprays sl prn", "Put 2 sprays under the tongue as needed."),
    ("omeprazole 1 tab od", "Take 1 tablet by mouth once a day."),
    ("misoprostol 800 mcg pv stat", "Insert 800 micrograms into the vagina once only. Immediately."),
    ("lorazepam 1 mg sl stat", "Put 1 mg under the tongue once only. Immediately."),
    ("paracetamol 1 g pr qid", "Insert 1 g into the rectum four times a day."),
    ("magnesium sulfate 8 mmol iv stat", "Inject 8 mmol into a vein once only. Immediately."),
    ("fentanyl 2 patches every 72 hours", "Apply 2 patches to the skin every 72 hours."),
    ("hyoscine hydrobromide 1 patch every 72 hours", "Apply 1 patch to the skin every 72 hours."),
    ("enoxaparin 40 sc od", "Inject 40 mg under the skin once a day."),
    ("nystatin 100,000 qid", "Take 100,000 units by mouth four times a day."),
    ("insulin glargine 160 units sc nocte", "Inject 160 units under the skin once a day. At night."),
    ("paracetamol 1 g qid max 4 g/day", "Take 1 g by mouth four times a day. No more than 4 g in 24 hours."),
    ("paracetamol 1 g qid prn max 2 g/day", "Take 1 g by mouth up to four times a day as needed. No more than 2 g in 24 hours."),
    ("ibuprofen 400 mg q8h max 1200 mg/day", "Take 400 mg by mouth every 8 hours. No more than 1.2 g in 24 hours."),
]


def test_everyday_lines_mean_what_they_meant() -> None:
    assert len(EVERYDAY) > 200
    for line, meant in EVERYDAY:
        found = parse(line, FORMULARY)
        assert isinstance(found, Parsed), (line, getattr(found, "sentence", ""))
        assert " | ".join((found.medicine, found.strength, found.form, found.text)) == meant, line


@pytest.mark.parametrize(("text", "words"), ASKED, ids=[text for text, _ in ASKED])
def test_asked(text: str, words: str) -> None:
    found = parse(text, FORMULARY)
    assert isinstance(found, Unclear), found
    rest = found.sentence
    for part in words.split(".*"):
        assert part in rest, found.sentence
        rest = rest.split(part, 1)[1]


@pytest.mark.parametrize(("text", "words"), READ, ids=[text for text, _ in READ])
def test_read(text: str, words: str) -> None:
    found = parse(text, FORMULARY)
    assert isinstance(found, Parsed), getattr(found, "sentence", "")
    assert found.text == words


@pytest.mark.parametrize(("text", "unit", "value"), [
    ("1,000", "", "1000"), ("1,000", "mg", "1000"), ("1,200,000", "unit", "1200000"), ("1,5", "mg", "1.5"), ("0,125", "mg", "0.125"),
    ("3.125", "mg", "3.125"), ("3.125", "", "3.125"), ("0.125", "unit", "0.125"), ("1,125", "unit", "1125"), ("12", "", "12"),
    ("1,234.5", "mg", "1234.5"), ("0.0625", "mg", "0.0625")])
def test_numbers_that_are_sure(text: str, unit: str, value: str) -> None:
    assert number(text, unit) == Decimal(value)


@pytest.mark.parametrize(("text", "unit", "choices"), [
    ("5.000", "", ("5", "5,000")), ("5.0", "mg", ("5",)), ("5,0", "", ("5",)), ("0.50", "g", ("0.5",)), ("0,500", "g", ("0.5",)),
    ("10.0", "", ("10",)), ("1.250", "mg", ("1.25", "1,250")), ("1.125", "unit", ("1.125", "1,125")), ("3,125", "mg", ("3.125", "3,125")),
    ("1.200.000", "unit", ("1,200,000",)), ("1.2.3", "", ()), ("1,2,3", "", ()), ("", "", ()), ("1234567890", "", ()),
    ("0.1234567", "mg", ()), ("1,2345", "", ()), ("1,234.50", "mg", ("1,234.5",))])
def test_numbers_that_are_refused(text: str, unit: str, choices: tuple[str, ...]) -> None:
    with pytest.raises(Unsure) as refused:
        number(text, unit)
    assert refused.value.choices == choices
    assert isinstance(refused.value, ArithmeticError)
    assert text in refused.value.sentence


@pytest.mark.parametrize(("read", "text"), [
    (read_dose, "5.000 units"), (read_dose, "5.0 mg"), (read_dose, "2 kg"), (read_dose, "900000000 micrograms"), (read_dose, "1.5 puffs"),
    (read_dose, "500 mg or 1 g"), (read_frequency, "5 days a week"), (read_frequency, "4 times a week"),
    (read_frequency, "3 nights a week")])
def test_parts_refuse_the_same(read: object, text: str) -> None:
    with pytest.raises(Invalid):
        read(text)  # type: ignore[operator]


def test_seven_days_a_week_is_daily() -> None:
    assert read_frequency("7 days a week").times_per_day == 1
    assert read_dose("1 1/2 tablets") == (Decimal("1.5"), "tablet")
    assert read_dose("2.5 mg") == (Decimal("2.5"), "mg")


@pytest.mark.parametrize("letters", sorted({name.casefold()[:n] for name in (*FORMULARY.names, *FORMULARY.others) for n in (4, 5, 6)
                                            if name[:n].isalpha() and len(name) >= n}))
def test_letters_that_begin_two_substances_are_never_one(letters: str) -> None:
    found = find_medicine(letters + " ", 0, FORMULARY, first=True)
    if found is None or not found.name or letters in {*FORMULARY.names, *FORMULARY.others}:
        return
    names = {name: name for name in FORMULARY.names} | {o: n for o, n in FORMULARY.others.items() if not o.isupper()}
    meant = {name for written, name in names.items() if written.casefold().startswith(letters)}
    parts = {found.name, *(name for name in meant if found.name in name.split(" + ") or name.startswith(f"{found.name} "))}
    assert meant <= parts, (letters, found.name, meant)


SHELF = [(product, row) for product in FORMULARY.products() for row in product.presentations]


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(SHELF), st.sampled_from([*DOSE_UNITS]), st.sampled_from(["0.5", "1", "1.5", "2", "5", "10", "250", "5,000"]),
       st.sampled_from(["", *(r.label for r in ROUTES.values())]), st.sampled_from(["once a day", "weekly", "tid 7d", "q6h prn", "stat"]))
def test_what_is_read_is_on_file_is_printed_and_is_read_back(shelf: tuple, unit: str, count: str, way: str, often: str) -> None:
    product, _row = shelf
    text = f"{product.name} {count} {unit} {way} {often}"
    found = parse(text, FORMULARY)
    if isinstance(found, Unclear):
        assert found.sentence
        return
    d = found.direction
    assert d.dose_value is not None
    assert fmt_dose(d.dose_value, d.dose_unit)
    assert forbidden(found.text) == []
    if d.dose_unit in {"puff", "drop", "spray", "patch", "suppository", "sachet", "pessary"} and product.name != "glyceryl trinitrate":
        assert d.dose_unit in {FORMS[r.form].unit for r in product.presentations}, text
    assume(found.medicine == product.name)
    again = parse(f"{product.name} {in_words(d)}", FORMULARY)
    assert isinstance(again, Parsed), (text, found.text, again.sentence)
    assert again.text == found.text


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SHELF), st.integers(1, 4), st.sampled_from(["once a day", "twice a day for 7 days", "every 6 hours as needed"]))
def test_a_presentation_on_file_is_never_asked_about(shelf: tuple, count: int, often: str) -> None:
    product, row = shelf
    form = FORMS[row.form]
    assume(form.route not in {"both eyes", "both ears", "topical", "mouthwash"} and form.unit not in {"mg", "unit"})
    way = ROUTES[product.route or form.route].label
    found = parse(f"{product.name} {row.strength} {row.form} {count} {form.unit} {way} {often}", FORMULARY)
    assert isinstance(found, Parsed), found.sentence
    assert (found.medicine, found.form, found.direction.dose_value) == (product.name, row.form, count)
