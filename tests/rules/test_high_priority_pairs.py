"""Every pair of the 15 high-priority classes interrupts, in both directions; no pair of the low-priority list ever does.

The members are typed here a second time from reference clinical-safety § 1.8.1 and § 1.8.2: a row lost from the shipped table shows.
"""

from __future__ import annotations

from datetime import date
from itertools import combinations, product

import pytest

from clinicdesk.rules.checks import check, shipped
from clinicdesk.rules.safety import Alert, PatientFacts, Prescribed

MAOI = "tranylcypromine phenelzine isocarboxazid procarbazine selegiline"
PROTEASE = "atazanavir darunavir fosamprenavir amprenavir indinavir lopinavir nelfinavir ritonavir saquinavir tipranavir"
STRONG_3A4 = f"ketoconazole itraconazole clarithromycin telithromycin erythromycin nefazodone {PROTEASE}"
AMPHETAMINES = ("amphetamine dextroamphetamine methamphetamine lisdexamfetamine methylphenidate dexmethylphenidate atomoxetine"
                " benzphetamine diethylpropion phentermine phendimetrazine pseudoephedrine")
HIGH = {
    1: (AMPHETAMINES, MAOI),
    2: ("atazanavir", "omeprazole esomeprazole lansoprazole pantoprazole rabeprazole dexlansoprazole"),
    3: ("febuxostat", "azathioprine mercaptopurine"),
    4: ("fluoxetine paroxetine citalopram escitalopram sertraline fluvoxamine venlafaxine desvenlafaxine duloxetine milnacipran nefazodone",
        MAOI),
    5: ("irinotecan", f"{STRONG_3A4} voriconazole fluconazole diltiazem verapamil aprepitant amiodarone cimetidine"),
    6: ("pethidine meperidine fentanyl methadone tramadol tapentadol dextromethorphan", MAOI),
    7: ("amitriptyline nortriptyline imipramine desipramine clomipramine doxepin protriptyline trimipramine", MAOI),
    9: ("ramelteon", "fluvoxamine ciprofloxacin amiodarone ticlopidine"),
    10: (PROTEASE, "rifampicin rifampin rifabutin rifapentine carbamazepine bosentan"),
    11: ("simvastatin lovastatin", f"{STRONG_3A4} fluconazole diltiazem verapamil amiodarone"),
    12: ("ergotamine dihydroergotamine ergometrine ergonovine methylergometrine", STRONG_3A4),
    13: ("tizanidine", "ciprofloxacin fluvoxamine amiodarone mexiletine propafenone ticlopidine zileuton"),
    14: ("tranylcypromine", "procarbazine"),
    15: ("sumatriptan rizatriptan zolmitriptan", "tranylcypromine phenelzine isocarboxazid"),
}
QT = ("amiodarone dronedarone sotalol dofetilide ibutilide disopyramide procainamide quinidine flecainide azithromycin clarithromycin"
      " erythromycin moxifloxacin sparfloxacin citalopram escitalopram chlorpromazine haloperidol droperidol pimozide thioridazine"
      " mesoridazine sulpiride ondansetron domperidone cisapride methadone levomethadyl chloroquine halofantrine pentamidine"
      " arsenic_trioxide vandetanib anagrelide astemizole terfenadine bepridil probucol cocaine sevoflurane")
LOW = (
    ("lisinopril ramipril enalapril", "aspirin hydrochlorothiazide bendroflumethiazide gliclazide glimepiride losartan ibuprofen naproxen"),
    ("simvastatin atorvastatin", "niacin levothyroxine warfarin"),
    ("bisoprolol atenolol", "sertraline levothyroxine calcium_carbonate ibuprofen nifedipine"),
    ("levothyroxine", "calcium_carbonate"),
    ("hydrochlorothiazide", "ibuprofen naproxen"),
    ("prednisolone", "tacrolimus aluminium_hydroxide warfarin ethinylestradiol pyridostigmine"),
    ("alendronate", "calcium_carbonate"),
    ("folic_acid", "methotrexate"),
    ("warfarin", "paracetamol omeprazole tocopherol"),
    ("omeprazole", "ketoconazole diazepam lorazepam"),
    ("clopidogrel", "aspirin"),
)


def met(prescribed: str, current: str) -> tuple[Alert, ...]:
    facts = PatientFacts(date(2026, 11, 21), allergies=(), medicines=(current.replace("_", " "),))
    return tuple(a for a in check(facts, [Prescribed(prescribed.replace("_", " "))], shipped()) if a.rule == "interaction")


def together(one: str, other: str) -> tuple[Alert, ...]:
    facts = PatientFacts(date(2026, 11, 21), allergies=())
    lines = [Prescribed(name.replace("_", " ")) for name in (one, other)]
    return tuple(a for a in check(facts, lines, shipped()) if a.rule == "interaction")


def pairs(number: int) -> list[tuple[str, str]]:
    if number == 8:
        return list(combinations(QT.split(), 2))
    objects, precipitants = HIGH[number]
    return [(one, two) for one, two in product(objects.split(), precipitants.split()) if one != two]


@pytest.mark.parametrize("number", [*HIGH, 8])
def test_every_pair_of_a_high_priority_class_interrupts(number: int) -> None:
    lost = [pair for pair in pairs(number) for found in (met(*pair), met(*reversed(pair)), together(*pair))
            if not any(a.tier == 1 and f"/onc-{number}/" in a.key for a in found)]
    assert not lost


def test_the_pairs_are_as_many_as_the_public_mapping_and_more() -> None:
    assert sum(len(pairs(number)) for number in [*HIGH, 8]) > 1_100


def test_esomeprazole_lisdexamfetamine_and_febuxostat_are_there_though_the_mapping_lacks_them() -> None:
    assert met("esomeprazole", "atazanavir")[0].tier == met("phenelzine", "lisdexamfetamine")[0].tier == 1
    assert met("azathioprine", "febuxostat")[0].tier == 1


def test_no_pair_of_the_low_priority_list_interrupts_or_asks() -> None:
    for objects, precipitants in LOW:
        for one, two in product(objects.split(), precipitants.split()):
            for found in (met(one, two), met(two, one)):
                assert found and {a.tier for a in found} == {3}, (one, two)


def test_ranitidine_with_atazanavir_was_left_out_on_purpose() -> None:
    assert not met("ranitidine", "atazanavir")
