"""The vocabulary of typed prescriptions: which abbreviations and plain words mean which unit, route, frequency or advice.

Only for reading what a person typed. What is shown and printed comes from `directions.py` and never holds one of these.
A word that means two things (od, os, as, ad, on, once) is not here: `shorthand.py` decides by what stands around it, or asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from clinicdesk.rules.directions import FORMS, ROUTES
from clinicdesk.rules.doses import DOSE_UNITS


def _spread(table: Mapping[str, str]) -> dict[str, str]:
    """`{name: "word|word"}` → `{word: name}`."""
    return {word: name for name, words in table.items() for word in words.split("|")}


def _list(words: str) -> tuple[str, ...]:
    return tuple(words.split("|"))


NUMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {word: str(n) for n, word in enumerate(_list("zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"))}
    | {"fourteen": "14", "fifteen": "15", "twenty": "20", "twenty-one": "21", "twenty-eight": "28", "thirty": "30"})

UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {word.casefold(): unit.name for unit in DOSE_UNITS.values() for word in (unit.name, unit.plural)}
    | _spread({
        "mg": "mgs|milligram|milligrams",
        "g": "gm|gms|gram|grams",
        "microgram": "mcg|mcgs|ug|µg|μg|microg",
        "nanogram": "ng",
        "mL": "mls|millilitre|millilitres|milliliter|milliliters|cc",
        "L": "litre|litres|liter|liters",
        "unit": "u",
        "international unit": "iu|ius",
        "tablet": "tab|tabs|tbl|tbls|tb|pill|pills",
        "capsule": "cap|caps",
        "drop": "gtt|gtts|gutt|drp",
        "puff": "pf|inhalation|inhalations|actuation|actuations",
        "spray": "squirt|squirts",
        "suppository": "supp|supps|suppos",
        "pessary": "pess",
        "sachet": "sach|sachets",
        "lozenge": "loz",
        "application": "applic",
        "ampoule": "amp|amps|ampule|ampules",
    }))

#: Units that count pieces or measure a volume: beside one of them an amount of mass is the strength.
COUNTED: Final = frozenset({"tablet", "capsule", "puff", "drop", "spray", "patch", "suppository", "pessary", "sachet", "lozenge",
                            "application", "mL", "dose", "ampoule", "vial"})

FORM_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {name: name for name in FORMS} | {f"{name}s": name for name in ("tablet", "capsule", "suppository", "lozenge", "inhaler", "cream")}
    | _spread({
        "tablet": "tab|tabs", "capsule": "cap|caps", "modified-release tablet": "mr tablet|sr tablet|xl tablet|er tablet",
        "modified-release capsule": "mr capsule|sr capsule|xl capsule|er capsule", "oral suspension": "susp|suspension",
        "oral solution": "oral soln|oral liquid", "syrup": "syr", "ointment": "oint|ung", "cream": "crm", "suppository": "supp",
        "transdermal patch": "patch|patches", "eye drops": "eyedrops|eye drop", "ear drops": "eardrops|ear drop",
        "nasal drops": "nose drops", "inhaler": "mdi|puffer", "nebuliser solution": "nebules|nebule", "pessary": "pess",
    }))

_ROUTE_WORDS: Final = {
    "oral": "po|by mouth|per os|per oral|orally|oral|in the mouth|p o",
    "sublingual": "sl|sublingual|sublingually|under the tongue|under tongue",
    "buccal": "buccal|buccally|between the gum and the cheek|between gum and cheek",
    "inhaled": "inh|inhaled|by inhalation|via inhaler|with inhaler|inhale",
    "nebulised": "neb|nebs|nebulised|nebulized|nebuliser|nebulizer|via nebuliser|by nebuliser|through a nebuliser|through the nebuliser|"
                 "inhaled through a nebuliser|inhale through a nebuliser",
    "nasal": "nasal|nasally|intranasal|intranasally|into the nose|in the nose|in nose",
    "each nostril": "each nostril|both nostrils|in each nostril|into each nostril|in both nostrils|per nostril",
    "topical": "top|topical|topically|to the skin|on the skin|on skin|to skin|to the affected area|to affected area|to the affected skin",
    "transdermal": "transdermal|transdermally|td|patch on the skin|to the skin as a patch",
    "right eye": "right eye|into the right eye|in the right eye|in right eye|to the right eye",
    "left eye": "left eye|into the left eye|in the left eye|in left eye|to the left eye",
    "both eyes": "ou|both eyes|each eye|into each eye|into both eyes|in both eyes|in each eye|to both eyes",
    "right ear": "right ear|into the right ear|in the right ear|in right ear",
    "left ear": "left ear|into the left ear|in the left ear|in left ear",
    "both ears": "au|both ears|each ear|into each ear|into both ears|in both ears|in each ear",
    "rectal": "pr|rectal|rectally|per rectum|into the rectum|in the rectum",
    "vaginal": "pv|vaginal|vaginally|per vaginam|into the vagina|in the vagina",
    "subcutaneous": "sc|sq|subcut|subq|sub-q|sub q|s/c|subcutaneous|subcutaneously|under the skin|injected under the skin",
    "intramuscular": "im|intramuscular|intramuscularly|into a muscle|into the muscle|injected into a muscle",
    "intravenous": "iv|intravenous|intravenously|into a vein|injected into a vein|iv bolus|iv push",
    "infusion": "infusion|iv infusion|by infusion|by infusion into a vein|infusion into a vein|ivi",
    "intradermal": "intradermal|intradermally|into the skin|injected into the skin",
    "feeding tube": "feeding tube|through a feeding tube|through the feeding tube|via feeding tube|peg|via peg|nasogastric|via ng",
    "mouthwash": "mouthwash|mouthwash, not swallowed|and spit out|as a mouthwash",
}
ROUTE_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    _spread(_ROUTE_WORDS) | {r.label.casefold(): r.name for r in ROUTES.values()} | {name: name for name in ROUTES})

#: Where only the side is missing: the question to ask.
SIDELESS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({
    **dict.fromkeys(("eye", "eyes", "into the eye", "in the eye", "in eye"), ("right eye", "left eye", "both eyes")),
    **dict.fromkeys(("ear", "ears", "into the ear", "in the ear", "in ear"), ("right ear", "left ear", "both ears")),
})

TIMES: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_list("qd|qday|q1d|daily|once daily|once a day|once per day|once each day|every day|each day|1 time a day|a day"), 1)
    | dict.fromkeys(_list("bid|bd|bds|twice daily|twice a day|twice per day|twice each day|two times a day"), 2)
    | dict.fromkeys(_list("tid|tds|thrice daily|thrice a day|thrice per day"), 3)
    | dict.fromkeys(_list("qid|qds"), 4))

#: Frequencies that are a time between doses, in hours.
EVERY: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_list("hourly|every hour|qh|each hour"), 1)
    | dict.fromkeys(_list("qod|eod|q2d|every other day|alternate days|on alternate days|every second day|every 2nd day|alt days"), 48)
    | dict.fromkeys(_list("every third day|every 3rd day"), 72)
    | dict.fromkeys(_list("weekly|once weekly|once a week|once per week|every week|qw|qwk|1 time a week|a week"), 168)
    | dict.fromkeys(_list("fortnightly|every fortnight|every other week"), 336))

#: Words that say how often but not which days or dates: a person must.
OPEN_FREQUENCIES: Final[Mapping[str, str]] = MappingProxyType(
    {"biw": "Which two days of the week?", "tiw": "Which three days of the week?"}
    | dict.fromkeys(["monthly", "once monthly", "once a month", "every month"],
                    "A month has no fixed number of days: write every 4 weeks, or every 30 days."))

#: Times of the day, in the order of a day; each counts as one dose a day.
MOMENTS: Final[Mapping[str, str]] = MappingProxyType(_spread({
    "in the morning": "mane|om|qam|every morning|in the morning|each morning",
    "at noon": "at noon|noon|midday|at midday",
    "in the evening": "in the evening|every evening|each evening|qpm|evening",
    "at night": "nocte|qn|every night|at night|each night|nightly|night",
    "at bedtime": "hs|qhs|at bedtime|bedtime|before bed|before sleep|every bedtime",
}))
DAY_ORDER: Final = ("in the morning", "at noon", "in the evening", "at night", "at bedtime")

#: Advice for the patient, kept as the direction's further sentence.
ADVICE: Final[Mapping[str, str]] = MappingProxyType(_spread({
    "with food": "with food|w/ food|with meals|with a meal|cum cibo",
    "before food": "before food|before meals|ac|before eating|before a meal",
    "after food": "after food|after meals|pc|after eating|after a meal",
    "on an empty stomach": "on an empty stomach|on empty stomach|empty stomach",
    "with plenty of water": "with plenty of water|with water",
    "until finished": "until finished|until all taken|until gone|til gone|till finished|until completed|finish the course",
    "in a thin layer": "in a thin layer|a thin layer|thin layer|thinly|sparingly",
    "as directed": "as directed|ut dict|ud|as instructed",
}))
ADVICE_ORDER: Final = ("before food", "with food", "after food", "on an empty stomach", "with plenty of water", "until finished",
                       "in a thin layer", "as directed", "immediately")

LONG_TERM: Final = frozenset({"long term", "long-term", "ongoing", "continuous", "continuously", "indefinitely", "regular", "lifelong"})

AS_NEEDED: Final = ("as needed", "as required", "when needed", "when required", "if needed", "if required", "if necessary", "prn", "sos",
                    "as necessary")
#: Reasons that may follow “prn” without “for”.
REASONS: Final = frozenset((
    "pain", "fever", "nausea", "vomiting", "wheeze", "wheezing", "itch", "itching", "anxiety", "sleep", "insomnia", "cough", "headache",
    "migraine", "constipation", "diarrhoea", "diarrhea", "breathlessness", "heartburn", "angina", "chest pain", "spasm", "spasms",
    "dizziness", "vertigo", "agitation", "seizure", "seizures", "allergy", "hay fever", "indigestion", "cramps", "sob"))

WEEKDAY_WORDS: Final[Mapping[str, int]] = MappingProxyType({
    word: number
    for number, words in enumerate(("mon monday mondays", "tue tues tuesday tuesdays", "wed weds wednesday wednesdays",
                                    "thu thur thurs thursday thursdays", "fri friday fridays", "sat saturday saturdays",
                                    "sun sunday sundays"))
    for word in words.split()})

#: Verbs and small words that carry no amount; a side meaning (a route) is never taken from them alone.
FILLERS: Final = ("sig", "rx", "take", "give", "use", "apply", "put", "insert", "inject", "instil", "instill", "place", "inhale", "of",
                  "rinse the mouth with", "rinse with", "dose", "the", "please", "it", "and")

#: Names of one substance in different countries, and combinations with a name of their own.
SYNONYMS: Final[Mapping[str, str]] = MappingProxyType({
    "acetaminophen": "paracetamol", "aspirin": "acetylsalicylic acid", "albuterol": "salbutamol", "adrenaline": "epinephrine",
    "frusemide": "furosemide", "nitroglycerin": "glyceryl trinitrate", "co-amoxiclav": "amoxicillin + clavulanic acid",
    "coamoxiclav": "amoxicillin + clavulanic acid", "co-trimoxazole": "sulfamethoxazole + trimethoprim",
    "cotrimoxazole": "sulfamethoxazole + trimethoprim", "glyburide": "glibenclamide", "meperidine": "pethidine",
    "rifampin": "rifampicin", "lignocaine": "lidocaine", "cephalexin": "cefalexin", "amoxycillin": "amoxicillin",
    "cholecalciferol": "colecalciferol", "acyclovir": "aciclovir", "beclomethasone": "beclometasone", "isoproterenol": "isoprenaline",
})
