"""Allergies as people write them: the same word in both, how heavy a reaction was, and no part of an entry dropped in silence."""

from __future__ import annotations

from datetime import date

import pytest

from clinicdesk.rules.checking.reactions import weight_of
from clinicdesk.rules.checking.substances import read_substance
from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.safety import Alert, KnownAllergy, PatientFacts, Prescribed

ALLERGY_RULES = {"allergy", "allergy-class", "allergy-cross-reaction"}


def alerts(allergy: KnownAllergy, medicine: str) -> tuple[Alert, ...]:
    return check(PatientFacts(date(2026, 11, 21), allergies=(allergy,)), [Prescribed(medicine)], shipped())


def worst(allergy: KnownAllergy, medicine: str) -> tuple[str, int] | None:
    found = [(a.rule, a.tier) for a in alerts(allergy, medicine) if a.rule in ALLERGY_RULES]
    return found[0] if found else None


@pytest.mark.parametrize(("substance", "reaction", "medicine", "expected"), [
    # the same word, which no table knows as one medicine
    ("Penicillin", "anaphylaxis", "Penicillin 500 mg", ("allergy", 1)),
    ("Penicillin", "", "penicillin", ("allergy", 1)),
    ("Penicillin", "nausea", "penicillin", ("allergy", 2)),
    ("Keflex", "anaphylaxis", "Keflex", ("allergy", 1)),
    ("Keflex", "", "KEFLEX 500 mg capsules", ("allergy", 1)),
    ("Keflex", "rash", "Keflex", ("allergy", 2)),
    ("Penicillin, Keflex", "", "Keflex", ("allergy", 1)),
    ("Augmentin", "hives", "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]", ("allergy", 1)),
    ("Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]", "hives", "Augmentin", ("allergy", 1)),
    ("calcium", "", "calcium 500 mg", ("allergy", 1)),
    ("INH", "", "INH 300 mg", None),  # T2 not checked on both sides: it may be an inhaler
    ("iodine", "rash", "povidone iodine", ("allergy", 2)), ("povidone iodine", "hives", "iodine tincture", ("allergy", 1)),
    ("tetanus vaccine", "anaphylaxis", "tetanus and diphtheria vaccine", ("allergy", 1)),
    # a class written in the line
    ("sulfa", "SJS", "trimethoprim/sulfa", ("allergy", 1)),
    ("amoxicillin", "anaphylaxis", "penicillin 250 mg", ("allergy-class", 1)),
    ("cefalexin", "anaphylaxis", "cephalosporin", ("allergy-class", 1)),
    ("statins", "muscle ache", "statin", ("allergy", 2)), ("aspirin", "asthma", "choline salicylate gel", ("allergy-class", 1)),
    ("beta-lactams (amoxicillin)", "", "flucloxacillin", ("allergy-class", 1)), ("NSAIDs, ibuprofen", "", "naproxen", ("allergy-class", 1)),
    ("opiates", "", "opiate", ("allergy", 2)),
    # words that many medicines share make nothing the same
    ("Haemophilus vaccine", "anaphylaxis", "rabies vaccine", None),
    ("hepatitis B vaccine", "anaphylaxis", "hepatitis A vaccine", None),
    ("calcium", "hives", "atorvastatin calcium", None), ("penicillin, asthma", "", "Zorblaxin for asthma", None),
    ("reaction to a course of tablets", "hives", "7-day course of Zorblaxin", None),
    ("human albumin", "hives", "insulin human", None), ("folic acid", "hives", "tranexamic acid", None),
    ("vitamin Q", "hives", "vitamin Z complex", None),
    ("rash from a tablet", "hives", "some new tablet", None),
    ("penicillin", "hives", "fluticasone 125 mcg inh", None),
    ("INH", "hives", "fluticasone 125 mcg inh", None),
    ("chest infection medicine", "hives", "Zorblaxin for chest infection", None),
])
def test_the_words_are_compared_before_the_ingredients(substance: str, reaction: str, medicine: str,
                                                       expected: tuple[str, int] | None) -> None:
    assert worst(KnownAllergy(substance, reaction), medicine) == expected


def test_the_same_word_taken_since_is_information() -> None:
    assert worst(KnownAllergy("Keflex", "hives", noted_on=date(2001, 1, 1), tolerated=("Keflex 500 mg",)), "Keflex") == ("allergy", 3)


SEVERE = """
anaphylaxis / Anaphylactic shock / anaphalaxis / anaphilaxis / anaphlyaxis / anafylaxis / anafilaxia / Anaphylaxie / angio-oedema
/ angio oedema / angiodema / angioneurotic oedema / throat closed up / throat closing / his throat felt tight / tight throat
/ swollen tongue and lips / tongue swelled / swelling of the face / face swelled up / facial oedema / puffy eyes / eyes swollen shut
/ lump in the throat / hoarse voice / loss of consciousness / passed out / fainted / blackout / collapsed / wheals / weals / nettle rash
/ nettlerash / hives / urticarial rash / peeling skin / skin peeled off / blisters / mouth ulcers / laryngospasm / bronchospasm
/ couldn't breathe / SOB / wheezy / tight chest / chest tightness, tight in the chest / needed adrenaline / EpiPen / ICU
/ ambulance called / low blood pressure / BP dropped / hypotension / jaundice / hepatitis / SJS / Stevens Johnson / TEN / DRESS
/ erythema multiforme / agranulocytosis / pancytopenia / GI bleed / seizure / nearly died / life-threatening / serious / severe rash
/ rash, not sure if anaphylaxis / no anaphylaxis until the third dose / no anaphylaxis? / not breathing / rash but no pulse, arrest
/ no anaphylaxis, but angioedema / no rash, wheeze / ÚRTICARIA
/ swelling / rash and swelling / oedema / itchy throat / tingling lips / numb tongue / colapsed / unconcious / hypotention / sever rash
/ needed epi / could not swallow / kidney injury / haemolysis / tendon rupture / prolonged QT / admitted overnight / edema, sudden
"""
UNKNOWN = """
/ unknown / Unknown. / not known / ? / ??? / unsure / not sure / not recorded / not documented / unspecified / n/a / none / - / allergy
/ allergic reaction / adverse reaction / can't remember / does not recall / as a child / childhood
/ bad reaction / no known reaction / see letter / reaction unknown / rash? / ? rash
"""
OTHER = """
rash / no anaphylaxis / not severe / non-severe rash / rash, no anaphylaxis / rash without anaphylaxis or angioedema / rash; denies wheeze
/ never had anaphylaxis / itching / muscle pain / rash under the dressing / flushing / ankle swelling, dry mouth / nausea and rash
/ raised liver enzymes / muscle spasm / palpitations / swollen ankles / swelling of the hands / swollen gums / peripheral oedema
/ no SOB / ten days of rash / hypertension / fever / several spots / dressing fell off / itchy eyes / sore throat / felt faint
"""
MILD = ("nausea / vomiting / diarrhoea / stomach pain / cough / headache / drowsy / dry mouth / constipation"
        " / nausea? / GI upset / loose stools / tummy ache")


def listed(words: str) -> list[str]:
    return [" ".join(one.split()) for one in words.replace("\n/", " / ").split(" / ")]


@pytest.mark.parametrize(("reaction", "weight"), [(one, weight) for words, weight in (
    (SEVERE, "severe"), (UNKNOWN, "unknown"), (OTHER, "other"), (MILD, "mild")) for one in listed(words)])
def test_how_heavy_a_reaction_was(reaction: str, weight: str) -> None:
    assert weight_of(KnownAllergy("amoxicillin", reaction)) == weight
    tier = {"severe": 1, "unknown": 1, "other": 2, "mild": 2}[weight]
    assert worst(KnownAllergy("amoxicillin", reaction), "amoxicillin") == ("allergy", tier)


@pytest.mark.parametrize(("severity", "reaction", "weight"), [
    ("severe", "", "severe"), ("very severe", "", "severe"), ("Severe", "nausea", "severe"), ("anaphylaxis", "", "severe"),
    ("life-threatening", "rash", "severe"), ("life threatening", "rash", "severe"), ("fatal", "", "severe"), ("high", "", "severe"),
    ("moderate to severe", "rash", "severe"), ("grade 4", "rash", "severe"), ("anaphalaxis", "", "severe"),
    ("not severe", "", "other"), ("non-severe", "rash", "other"), ("moderate", "", "other"), ("moderate", "unknown", "other"),
    ("mild", "", "mild"), ("mild", "hives", "severe"), ("mild", "unknown", "mild"), ("unknown", "", "unknown"),
    ("unknown", "rash", "other"),
    ("unable-to-assess", "", "unknown"), ("", "", "unknown"), ("not known", "allergic reaction", "unknown"),
])
def test_the_severity_is_read_too(severity: str, reaction: str, weight: str) -> None:
    assert weight_of(KnownAllergy("amoxicillin", reaction, severity)) == weight


@pytest.mark.parametrize(("substance", "reaction", "severity", "medicine", "expected"), [
    ("NSAIDs", "anaphylaxis", "severe", "ibuprofen", 1), ("cephalosporins", "anaphylaxis", "severe", "ceftriaxone", 1),
    ("quinolones", "anaphylaxis", "severe", "ciprofloxacin", 1), ("macrolides", "anaphylaxis", "severe", "clarithromycin", 1),
    ("ACE inhibitors", "angioedema", "severe", "lisinopril", 1), ("statins", "hepatitis", "", "simvastatin", 1),
    ("NSAIDs - anaphylaxis", "", "", "ibuprofen", 1), ("severe allergy to quinolones", "", "", "ciprofloxacin", 1),
    ("quinolones", "rash", "moderate", "ciprofloxacin", 2), ("macrolides", "", "", "clarithromycin", 2),
    ("NSAIDs", "no wheeze", "", "ibuprofen", 2),
    ("macrolides", "nausea", "mild", "clarithromycin", 3), ("opioids", "anaphylaxis", "severe", "morphine", 3),
    # a severe reaction to one member says less of the others (1.9, R35)
    ("erythromycin", "anaphylaxis", "severe", "azithromycin", 2), ("ramipril", "angioedema", "severe", "lisinopril", 2),
    ("cefazolin", "anaphylaxis", "severe", "ceftriaxone", 2),
])
def test_a_severe_reaction_to_a_class_interrupts(substance: str, reaction: str, severity: str, medicine: str, expected: int) -> None:
    assert worst(KnownAllergy(substance, reaction, severity), medicine) == ("allergy-class", expected)


def test_every_class_but_the_opioids_interrupts_after_a_severe_reaction_for_every_member_and_every_word() -> None:
    for family in shipped().allergy_classes:
        assert family.severe_tier == (3 if family.name == "opioids" else 1)
        pairs = [(word, min(family.members)) for word in family.words] + [(family.words[0], member) for member in family.members]
        for word, member in pairs:
            assert worst(KnownAllergy(word, "anaphylaxis"), member) == ("allergy-class", family.severe_tier), (word, member)


def test_an_allergy_to_a_member_is_said_for_every_other_member_of_its_class() -> None:
    silent = []
    for family in shipped().allergy_classes:
        lines = [Prescribed(member) for member in sorted(family.members)]
        for member in family.members if not family.wide else ():
            facts = PatientFacts(date(2026, 11, 21), allergies=(KnownAllergy(member, "anaphylaxis"),))
            said = {a.medicine for a in check(facts, lines, shipped()) if a.rule in ALLERGY_RULES}
            silent += [(family.name, member, other) for other in family.members - said]
    assert not silent


def test_a_wide_class_is_one_only_as_written() -> None:
    assert worst(KnownAllergy("beta-lactam antibiotics", "anaphylaxis"), "amoxicillin") == ("allergy-class", 1)
    assert worst(KnownAllergy("beta-lactams"), "ceftriaxone") == ("allergy-class", 2)
    assert worst(KnownAllergy("amoxicillin", "anaphylaxis"), "ceftriaxone") == ("allergy-cross-reaction", 3)


def test_what_a_reaction_was_treated_with_is_no_allergy() -> None:
    assert read_substance("penicillin - collapse, needed IM adrenaline", shipped()).ingredients == ()
    assert read_substance("aspirin, treated with prednisolone", shipped()).ingredients == ("acetylsalicylic acid",)
    for named in ("adrenaline", "penicillin, adrenaline", "adrenaline, needed adrenaline", "needed adrenaline"):
        assert read_substance(named, shipped()).ingredients == ("epinephrine",)
    assert read_substance("penicillin, needed cefalexin", shipped()).ingredients == ("cefalexin",)
    assert worst(KnownAllergy("quinolones, needed adrenaline"), "ciprofloxacin") == ("allergy-class", 1)


def test_itch_from_an_opioid_with_anaphylaxis_is_no_intolerance() -> None:
    assert worst(KnownAllergy("codeine", "itching and anaphylaxis"), "codeine") == ("allergy", 1)
    assert worst(KnownAllergy("codeine", "itching", "severe"), "codeine") == ("allergy", 2)


@pytest.mark.parametrize(("substance", "left"), [
    ("Penicillin Bactrim", "Bactrim"), ("Penicillin - Bactrim", "Bactrim"), ("Penicillin. Bactrim", "Bactrim"),
    ("Penicillin.Bactrim", "Bactrim"), ("Penicillin (and Bactrim)", "Bactrim"), ("Penicillin [Bactrim]", "Bactrim"),
    ("Penicillin,Bactrim", "Bactrim"), ("Penicillin & the blue pill", "blue pill"), ("Keflex with food", "Keflex"),
    ("Augmentin bee sting", "Augmentin"), ("Augmentin - chicken", "Augmentin"), ("Bactrim & eggs", "Bactrim"),
    ("penicillin, Keflex and Zorblaxin forte rash", "Keflex|Zorblaxin forte"), ("penicillin and potassium", "potassium"),
    ("penicillin + HCT", "HCT"), ("latex gloves, Zorb", "Zorb"), ("house dust mite Zorb", "Zorb"), ("Keflex rash, latex", "Keflex"),
    ("Face Keflex swelling, latex", "Keflex"),
])
def test_what_is_left_over_is_said_and_the_rest_is_checked(substance: str, left: str) -> None:
    read = read_substance(substance, shipped())
    assert "|".join(read.left) == left and not read.understood
    said = [a.sentence for a in alerts(KnownAllergy(substance), "paracetamol") if "Of the allergy" in a.sentence]
    assert len(said) == 1 and all(f"“{one}”" in said[0] for one in left.split("|"))
    if substance.casefold().startswith("penicillin"):
        assert worst(KnownAllergy(substance), "amoxicillin") == ("allergy-class", 1)


@pytest.mark.parametrize("substance", [
    "penicillin", "Allergy to penicillin", "Penicillin V Potassium 250 MG Oral Tablet", "PENICILLIN ALLERGY", "sulfa drugs",
    "Penicillin (rash)",
    "Penicillin - rash and hives as a child", "Penicillin when he was small, rash all over the body", "penicillin causes severe swelling",
    "amoxicillin - unknown reaction", "lisinopril - cough, severe swelling", "penicillins and cephalosporins", "aspirin / NSAIDs",
    "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet [Augmentin]", "penicillin: throat closed up, anaphalaxis", "penicillin 2009",
    "no known drug allergies except penicillin", "penicillin, eggs and bee stings", "codeine upsets stomach", "acetyl salicylic acid",
    "penicillin family", "opioid analgesics", "ACE-inhibitors", "non-steroidal anti-inflammatory drugs", "Beta lactams",
])
def test_an_ordinary_entry_is_understood(substance: str) -> None:
    assert read_substance(substance, shipped()).understood
    assert not [a for a in alerts(KnownAllergy(substance), "cetirizine") if "allergy “" in a.sentence]


@pytest.mark.parametrize("substance", [
    "latex gloves", "cat hair", "brazil nuts", "eggs, cow's milk and tree nuts", "bee stings", "Animal dander", "Peanut (substance)",
    "no known food allergies", "House dust mites", "NKDA", "No known drug allergies (NKDA)", "denies allergies", "Mold (organism)",
    "X-ray contrast media", "Allergy to dairy product", "Dander (animal) allergy", "Iodinated contrast agent",
])
def test_what_is_no_medicine_is_quiet(substance: str) -> None:
    assert not [a for a in alerts(KnownAllergy(substance), "cetirizine") if "allergy “" in a.sentence]
    assert not read_substance(substance, shipped()).understood


def test_a_mistyped_name_is_asked_after() -> None:
    found = [a.advice for a in alerts(KnownAllergy("penicilin"), "cetirizine") if "allergy “" in a.sentence]
    assert len(found) == 1 and found[0].startswith("Did you mean penicillin?")
