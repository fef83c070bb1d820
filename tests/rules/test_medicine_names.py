"""Names in a text: written apart, together or short they stay the same medicine or none, and a form acts where it is put or in the body."""

from __future__ import annotations

from datetime import date

import pytest

from clinicdesk.rules.checking.case import name
from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.medicine_names import key_of
from clinicdesk.rules.safety import KnownAllergy, PatientFacts, Prescribed

KNOWN = shipped()
WRITTEN = {word: m.name for m in KNOWN.medicines.values() for word in (m.name, *m.also)}


def read(text: str) -> tuple[str, str]:
    named = name(text, KNOWN)
    return ", ".join(named.ingredients), " ".join(named.unknown)


@pytest.mark.parametrize(("text", "ingredients", "unknown"), [
    ("5-ASA", "mesalazine", ""), ("5 ASA 800 mg", "mesalazine", ""), ("5ASA", "mesalazine", ""), ("mesalazine (5-ASA)", "mesalazine", ""),
    ("5-aminosalicylic acid", "mesalazine", ""), ("ASA 75 mg", "acetylsalicylic acid", ""),
    ("warfarin 5, ASA 75", "warfarin, acetylsalicylic acid", ""),
    ("acetyl salicylic acid", "acetylsalicylic acid", ""), ("acetyl-salicylic acid 75 mg", "acetylsalicylic acid", ""),
    ("salicylic acid 2 %", "salicylic acid", ""), ("amino salicylic acid", "", "amino salicylic acid"),
    ("prednisolone 5 mg, 6MP 50 mg", "prednisolone, mercaptopurine", ""), ("6-MP", "mercaptopurine", ""), ("6 mp", "mercaptopurine", ""),
    ("5FU", "fluorouracil", ""), ("5-FU cream", "fluorouracil", ""),
    ("prednisolone 5 mg 7XY", "prednisolone", "7xy"),
    ("methyl prednisolone", "methylprednisolone", ""), ("methyl-prednisolone", "methylprednisolone", ""),
    ("fluticasone 125 mcg inh", "fluticasone", "inh"), ("INH 300 mg", "", "inh"), ("AZT", "", "azt"), ("T3", "", "t3"),
    ("T4 100 mcg", "levothyroxine", ""), ("paracetamol 1 t 4 x daily", "paracetamol", "t x"),
    ("prednisolone,warfarin", "prednisolone, warfarin", ""), ("prednisolone.Warfarin", "prednisolone, warfarin", ""),
    ("lisinopril and potassium 20 mmol", "lisinopril", "potassium"), ("lisinopril + zinc", "lisinopril, zinc sulfate", ""),
    ("amlodipine besylate, tablet", "amlodipine", ""), ("penicillin V potassium", "phenoxymethylpenicillin", ""),
    ("lisinopril and sodium valproate", "lisinopril, valproate", ""), ("gentamicin 80 mg i.v.", "gentamicin", ""),
    ("salbutamol 100µg", "salbutamol", ""), ("amoxicillin 250mg/5ml", "amoxicillin", ""), ("ramipril 2.5mg caps", "ramipril", ""),
    ("amoxicillin 500mg, 21 caps", "amoxicillin", ""), ("insulin glargine 100 units/mL", "insulin glargine", ""),
    ("7-day course of amoxicillin", "amoxicillin", "course"),
])
def test_a_name_is_itself_or_nothing(text: str, ingredients: str, unknown: str) -> None:
    assert read(text) == (ingredients, unknown)


@pytest.mark.parametrize("short", ["MSO4", "MgSO4", "MS", "NTG", "AZT", "T3", "INH", "HCT", "CPZ", "TAC", "DPT", "TNK", "tPA", "PAS",
                                   "ARA A", "PCA", "MTZ", "CBZ", "VPA", "PHT", "FE", "Mg", "K", "Ca", "HC", "PN", "PHEN", "CEF", "SMX",
                                   "TMP"])
def test_a_short_form_that_may_mean_two_medicines_is_none(short: str) -> None:
    assert read(f"{short} 10 mg")[0] == ""


@pytest.mark.parametrize(("short", "meant"), [
    ("ASA", "acetylsalicylic acid"), ("MTX", "methotrexate"), ("HCTZ", "hydrochlorothiazide"),
    ("TMP/SMX", "sulfamethoxazole, trimethoprim"), ("SMX-TMP", "sulfamethoxazole, trimethoprim"), ("APAP", "paracetamol"),
    ("GTN", "glyceryl trinitrate"), ("PTU", "propylthiouracil"),
    ("KCl", "potassium chloride"), ("3TC", "lamivudine"),
])
def test_a_short_form_with_one_meaning_is_read(short: str, meant: str) -> None:
    assert read(short)[0] == read(short.lower())[0] == meant


@pytest.mark.parametrize(("text", "route", "local"), [
    ("clarithromycin 500 mg bd for ear infection", "", False), ("Ciprofloxacin 500 mg twice daily (ear)", "", False),
    ("amiodarone 200 mg daily, eye check yearly", "", False), ("amoxicillin drops for ear infection", "", False),
    ("ciprofloxacin suspension, ear infection", "", False), ("miconazole oral gel", "", False), ("diclofenac 50 mg topical", "", False),
    ("selegiline patch", "topical", False), ("rivastigmine patch", "topical", False), ("ciprofloxacin tablet", "both eyes", False),
    ("selegiline gel", "topical", False), ("ciprofloxacin", "oral", False), ("rotigotine", "patch on the skin", False),
    ("ciprofloxacin", "injected into the skin", False), ("ciprofloxacin", "by mouth for the ear", False),
    ("ciprofloxacin eye drops", "", True), ("ciprofloxacin eye drops", "ophthalmic", True), ("ciprofloxacin drops", "otic", True),
    ("ciprofloxacin drops", "into the eye", True), ("ciprofloxacin drops", "into the left ear", True),
    ("ciprofloxacin", "into both ears", True),
    ("ciprofloxacin 0.3 % drops, left eye", "", True), ("ciprofloxacin drops into the right ear twice a day", "", True),
    ("ofloxacin 3 MG/ML Ophthalmic Solution", "", True), ("ciprofloxacin 2 MG/ML Otic Solution", "", True),
    ("Diclofenac Sodium 0.01 MG/MG Topical Gel", "", True), ("erythromycin 5 mg per g eye ointment", "", True),
    ("hydrocortisone 1 % cream", "", True), ("ketoconazole 2 % shampoo", "", True), ("ibuprofen 5 % gel", "", True),
    ("hydrocortisone", "to the affected area", True), ("chlorhexidine", "mouthwash, not swallowed", True),
    ("diclofenac", "topically", True),
])
def test_what_acts_only_where_it_is_put(text: str, route: str, local: bool) -> None:
    assert name(text, KNOWN, route).local is local


@pytest.mark.parametrize(("current", "prescribed", "route", "interrupts"), [
    ("clarithromycin 500 mg bd for ear infection", "simvastatin", "", True),
    ("tizanidine 4 mg", "Ciprofloxacin 500 mg twice daily (ear)", "", True),
    ("amiodarone 200 mg daily, eye check yearly", "simvastatin", "", True),
    ("fluoxetine", "selegiline patch", "topical", True), ("prednisolone 5 mg, 6MP 50 mg", "febuxostat", "", True),
    ("tizanidine", "ciprofloxacin eye drops", "ophthalmic", False), ("tizanidine", "ciprofloxacin drops", "otic", False),
    ("tizanidine", "ciprofloxacin drops", "into the eye", False), ("simvastatin", "ketoconazole 2 % shampoo", "", False),
])
def test_an_interaction_is_neither_lost_nor_invented_by_the_form(current: str, prescribed: str, route: str, *, interrupts: bool) -> None:
    found = check(PatientFacts(date(2026, 11, 21), allergies=(), medicines=(current,)), [Prescribed(prescribed, route=route)], KNOWN)
    assert any(a.rule == "interaction" and a.tier == 1 for a in found) is interrupts


# -- sweeps over the whole formulary ---------------------------------------------------------------------------------

def test_every_name_as_a_severe_allergy_stops_every_name_of_the_same_medicine() -> None:
    by_medicine: dict[str, list[str]] = {}
    for word, medicine in WRITTEN.items():
        by_medicine.setdefault(medicine, []).append(word)
    lost = []
    for medicine, words in by_medicine.items():
        facts = PatientFacts(date(2026, 11, 21), allergies=tuple(KnownAllergy(word, "anaphylaxis") for word in words))
        found = check(facts, [Prescribed(word) for word in words], KNOWN)
        exact = {(a.medicine, a.other) for a in found if a.rule == "allergy" and a.tier == 1}
        lost += [(medicine, one, two) for one in words for two in words if (one, two) not in exact]
        lost += [(medicine, a.sentence) for a in found if a.rule == "not-checked" and "allergy “" in a.sentence]
    assert not lost


def test_a_name_written_apart_or_together_is_the_same_medicine() -> None:
    wrong = []
    for word, medicine in WRITTEN.items():
        key = key_of(word)
        apart = {key[:at] + " " + key[at:] for at in range(2, len(key) - 1) if key[at - 2:at + 2].isalpha()}
        together = {key.replace(" ", ""), key.replace(" ", "-")} if len(key.split()) == 2 else set()
        wrong += [(word, text) for text in apart | together
                  if (found := KNOWN.names.read(text)).found != (medicine,) and not found.unknown]
    assert not wrong


#: One letter of these is a name of its own: penicillin G and V, the vitamins, ASA and 5-ASA.
LETTER_IS_A_NAME = {"penicillin g benzathine", "penicillin g procaine", "vitamin b 12", "vitamin d2", "5 asa"}


def test_a_mistyped_name_is_never_another_medicine_in_silence() -> None:
    keys = {key_of(word): KNOWN.medicines[medicine].ingredients for word, medicine in WRITTEN.items()}
    wrong = []
    for key in keys.keys() - LETTER_IS_A_NAME:
        places = range(len(key))
        typed = {key[:at] + key[at + 1:] for at in places} | {key[:at] + key[at:at + 2][::-1] + key[at + 2:] for at in places}
        for text in (typed | {key[:at] + key[at] + key[at:] for at in places}) - keys.keys():
            found = KNOWN.names.read(text)
            if not found.unknown and {i for m in found.found for i in KNOWN.medicines[m].ingredients} not in (set(), set(keys[key])):
                wrong.append((key, text, found.found))
    assert not wrong


def test_every_presentation_is_local_by_its_form_and_understood() -> None:
    put_on = {"cream", "ointment", "gel", "lotion", "shampoo", "eye drops", "eye ointment", "ear drops", "mouthwash"}
    wrong = []
    for product in KNOWN.formulary.products():
        for one in product.presentations:
            named = name(f"{product.name} {one.strength} {one.form}", KNOWN)
            systemic = any(KNOWN.medicines[i].groups & {"nitrate", "opioid", "sex-hormone", "maoi"} for i in named.ingredients)
            if named.local is not (one.form in put_on and not systemic) or named.unknown:
                wrong.append((named.text, named.local, named.unknown))
    assert not wrong
