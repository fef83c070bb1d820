"""How heavy a recorded reaction was, read from its words as people write them.

What is not known could have been anaphylaxis, and what is doubtful counts as severe: a denial (“no anaphylaxis”) only counts where it is a
clause of its own, and only what is an intolerance and nothing else is mild.
"""

from __future__ import annotations

import re
from typing import Final, Literal

import jellyfish

from clinicdesk.rules.medicine_names import folded, word_set
from clinicdesk.rules.safety import KnownAllergy

Weight = Literal["severe", "mild", "other", "unknown"]

_PLACE: Final = r"(?:throat|tongue|lips?|face|facial|airways?|eyes?|eyelids?|(?<!dry )mouth|laryn\w+|uvula|neck|glottis|windpipe|cheeks?)"
_SWOLLEN: Final = r"(?:swell\w*|swole|swollen|o?edema\w*|clos(?:e[ds]?|ing|ure)|tight\w*|puff\w*|constrict\w*|block\w*)"
_ITCHY: Final = r"(?:itch\w*|tingl\w*|numb\w*|thick\w*|huge)"
_NEAR: Final = r"(?:[^\w,;.]+\w+){0,3}?[^\w,;.]+"
_BREATHING: Final = (r"asthma|(?:bronch|laryn)\w*spasm|wheez|breath|respiratory|dyspno?ea|\bsob\b|stridor|chok(?:ed|ing)|gasp"
                     r"|chest (?:was )?tight|tight\w* (?:in |of )?(?:the )?chest")
_WHEALS: Final = r"urtic?ari|\bhives?\b|\bwh?eals?\b|\bwh?elts?\b|nettle ?rash"
_ANGIO: Final = r"angio\W*o?e*dema|angio\W*neurotic|quincke"
_ANAPHYLAXIS: Final = r"\ban+a?(?:ph|f)[aeiyl]|anaphyla"
#: An immediate reaction, or one of skin, blood or organs that kills, or what is only done for such a one.
SEVERE: Final = re.compile("|".join((
    _ANAPHYLAXIS, _ANGIO, _BREATHING, _WHEALS, rf"{_PLACE}{_NEAR}{_SWOLLEN}|{_SWOLLEN}{_NEAR}{_PLACE}",
    rf"(?:throat|tongue|lips?){_NEAR}{_ITCHY}|{_ITCHY}{_NEAR}(?:throat|tongue|lips?)|lump in (?:the )?throat|hoarse",
    r"difficult\w* swallow|(?:can ?not|cant|could ?no?t|unable to) (?:swallow|speak)|cyanos|turned blue|blue lips",
    r"shock|collapse|\bfaint(?:ed|ing|s)\b|passed out|syncop|black(?:ed)? ?out|unconscious|consciousness|unrespons|arrest",
    r"hypotens|low (?:blood pressure|bp)\b|(?:bp|blood pressure) (?:drop|fell|low|crash)|(?:drop|fall) in (?:bp|blood pressure)",
    r"seizure|convuls|arrhythm|torsade|\bqt\b|meningitis|ruptur",
    r"stevens|johnson|\bsjs\b|toxic epidermal|lyell|necroly|\bten\b(?! (?:days?|minutes?|hours?|weeks?|months?|years?|times|mg))",
    r"\bdress\b|\bagep\b|blister|bullous|exfoliat|erythroderm|multiforme|peel|slough|skin (?:came|coming|fell|falling) off",
    r"mucosal|mouth ulcer|serum sickness|vasculitis|agranulocytosis|neutropeni|pancytopeni|aplastic|thrombocytopeni|ha?emoly",
    r"hepat|jaundice|(?:liver|kidney|renal|organ|heart) (?:failure|injury|damage)|pancreatitis|nephritis|\baki\b|rhabdomyo",
    r"ha?emorrhag|ha?ematemesis|mela?ena|perforat|(?:gastrointestinal|gi|stomach|internal) bleed",
    r"adrenaline|epinephrine|epi ?pen|needed epi|resus|intubat|\bventilat|\bicu\b|\bitu\b|intensive|hospital|admitted|emergency",
    r"ambulance|\ba&e\b|life\W*threat|fatal|death|\bdie[ds]?\b|serious|severe(?:ly)?\b|critical|extreme|grade (?:3|4|5|iii|iv|v)\b",
)))
#: Severe words that are written in many ways, with how many letters off a word still is one (hypertension is 2 off hypotension).
_OFTEN_MISSPELT: Final = {
    "anaphylaxis": 2, "anaphylactic": 2, "anaphylactoid": 2, "angioedema": 2, "angiooedema": 2, "urticaria": 2, "bronchospasm": 2,
    "laryngospasm": 2, "unconscious": 2, "hypotension": 1, "collapse": 1, "collapsed": 1, "severe": 1}
_LONG: Final = 5
#: Swelling without a place may be of the face; in these places it is none of an immediate reaction.
_SWELLING: Final = re.compile(r"\bsw(?:ell\w*|ole|ollen)|o?edema")
_ELSEWHERE: Final = re.compile(
    r"ankle|\blegs?\b|foot|feet|hands?\b|finger|joint|knee|\barms?\b|gums?\b|breast|peripheral|gland|\bsite|local|testic")
AIRWAY: Final = re.compile(rf"{_BREATHING}|{_WHEALS}|angio|{_PLACE}{_NEAR}{_SWOLLEN}|{_SWOLLEN}{_NEAR}{_PLACE}")
ITCH: Final = re.compile(r"\b(?:itch\w*|prurit\w*)")
_INTOLERANCE: Final = re.compile(
    r"nausea|vomit|diarrh|constipat|headache|dizz|drows|sleep|stomach|abdom|gastr|indigest|dyspeps|heartburn|cough|fatigue|cramp"
    r"|insomnia|dry mouth|flatulen|sedat|malaise|gi upset|tummy|loose (?:stool|motion)|bloat")
_SKIN: Final = re.compile(r"\brash\w*|swell\w*|swollen|swole|red(?:ness)?\b|erythema\w*|o?edema\w*")
_DENIED: Final = (r"anaphyla\w*|angio-?o?edema|swelling|wheez\w*|(?:breathing|respiratory) (?:difficulty|problems?|trouble)|hives|urticaria"
                  r"|sob|collapse|shock|blister\w*|hospital\w*|life\W*threatening|severe|serious")
#: “no anaphylaxis or wheeze” up to the end of the clause; whatever is less plain than this stays as it is written.
_DENIAL: Final = re.compile(
    rf"\b(?:no|not|non|without|denies|never)\b[ -]?(?:(?:any|had|a|an|very|really|signs? of|evidence of|history of) )*(?:{_DENIED})"
    rf"(?: (?:reaction|symptoms?))?(?:(?: or | nor |/)(?:{_DENIED}))*(?=\s*(?:$|[,.;)]|but\b|only\b|just\b|rash\b|reaction\b))")
_NOT_KNOWN: Final = re.compile(
    r"\?|unknown|unknow\b|not (?:known|sure|certain|recorded|documented|stated|specified|remembered|available|clear)|unsure|uncertain"
    r"|unspecified|unclear|unable.to.assess|undetermined|unrecorded|undocumented"
    r"|(?:can ?no?t|does not|doesnt|cant|unable to) (?:remember|recall)"
    r"|forgot\w*|no (?:details?|information|record)|see (?:the )?(?:letter|notes?|records?|file|history|gp)")
#: Words that say that there was a reaction, and nothing of it.
_EMPTY: Final = word_set("""
a an the as to in of had has reaction reactions allergy allergic adverse drug hypersensitivity sensitivity bad some possible probable
reported child childhood baby infant young years year ago long time when was since patient mother family says none nil no n na yes other
known true active
""")


def weight_of(allergy: KnownAllergy, beside: str = "") -> Weight:
    """How heavy it was, by the reaction, the severity, and for severe words only by what else is written `beside` the substance."""
    severity, reaction = (without_denials(folded(text)) for text in (allergy.severity, allergy.reaction))
    if severity in {"high", "life threatening"} or any(is_severe(text) for text in (severity, reaction, without_denials(folded(beside)))):
        return "severe"
    graded = bool(_told(allergy.severity)) and not _NOT_KNOWN.search(severity)
    if severity in {"mild", "low", "minor", "slight"}:
        return "mild"
    intolerance = _INTOLERANCE.search(reaction) is not None
    if not graded and ((_NOT_KNOWN.search(reaction) and not intolerance) or not _told(allergy.reaction)):
        return "unknown"
    return "mild" if intolerance and not _SKIN.search(reaction) else "other"


def without_denials(text: str) -> str:
    """A folded text without what it plainly denies."""
    return text if "?" in text else _DENIAL.sub(" ", text).strip()


def is_severe(text: str) -> bool:
    """Whether folded words tell of a severe reaction, also where they are misspelt."""
    swollen = _SWELLING.search(text) is not None and _ELSEWHERE.search(text) is None
    return swollen or SEVERE.search(text) is not None or any(_misspelt(word) for word in re.findall(r"\w+", text))


def reaction_words(text: str) -> frozenset[str]:
    """The words of a text, folded, that say what happened and name no substance."""
    plain = folded(text)
    told = [found for about in (SEVERE, _INTOLERANCE, ITCH, _SKIN) for found in about.finditer(plain)]
    ends = {at for found in told for at in (found.start(), found.end() - 1)}
    return frozenset(w[0] for w in re.finditer(r"\w+", plain) if _misspelt(w[0]) or any(w.start() <= at < w.end() for at in ends))


def _misspelt(word: str) -> bool:
    distance = jellyfish.damerau_levenshtein_distance
    return len(word) >= _LONG and any(distance(word, known) <= far for known, far in _OFTEN_MISSPELT.items())


def _told(text: str) -> bool:
    """Whether a text says anything: a denial does, “allergic reaction” does not."""
    return any(word not in _EMPTY and not word.isdigit() for word in re.findall(r"\w+", folded(text)))
