"""Which medicines a text names, however it is written: as people type it, as Synthea and RxNorm write it, in brackets or capitals.

Names are found as the longest runs of words the table knows. What is left over must be a number, a unit, a form, a salt or a filler
word; anything else is reported as not understood, because it could be a second medicine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from clinicdesk.rules.texts import latin_digits, tidy


def word_set(words: str) -> frozenset[str]:
    """Words written with spaces between them, as a set."""
    return frozenset(words.split())


#: What makes a salt of a name, and is no medicine of its own beside one.
SALTS: Final = word_set("""
sodium potassium calcium magnesium zinc hydrochloride hcl dihydrochloride sulfate sulphate bisulfate bisulphate maleate besylate besilate
mesylate mesilate tosylate tosilate tartrate bitartrate succinate fumarate hemifumarate acetate phosphate diphosphate citrate dicitrate
bromide hydrobromide nitrate mononitrate hyclate monohydrate dihydrate trihydrate hemihydrate sesquihydrate anhydrous medoxomil axetil
proxetil pivoxil disoproxil alafenamide propionate dipropionate furoate valerate butyrate pamoate embonate stearate ethylsuccinate
gluconate lactate carbonate bicarbonate chloride iodide oxalate edisylate esylate napsylate trometamol tromethamine lysine arginine erbumine
decanoate enanthate cypionate palmitate xinafoate nafate benzathine benzoate malate salicylate hydrate meglumine disodium dipotassium
marboxil cilexetil mofetil isethionate aspartate orotate hemisuccinate magnesia base
""")
_FILLERS: Final = word_set("""
mg g gram grams mcg microgram micrograms ug kg ml l litre liter unit units unt iu meq mmol mol percent hr hrs hour hours actuat actuation
dose doses daily day week per in of and or the a an to with without for by from on
tablet tablets tab tabs capsule capsules cap caps oral solution suspension syrup elixir drop drops powder granules sachet sachets lozenge
inhaler inhalation inhaled inhalant metered dry nebuliser nebulizer nasal spray ophthalmic otic eye eyes ear ears cream ointment gel lotion
foam shampoo paste topical transdermal patch patches system suppository suppositories rectal pessary vaginal ring insert enema injection
injectable injected inj iv im sc po prefilled pre filled pen syringe cartridge vial ampoule auto injector autoinjector pack kit film
extended release modified delayed immediate sustained prolonged controlled er xr sr mr dr ec xl la cr ir la24 release enteric coated
gastro resistant dispersible chewable effervescent soluble disintegrating sublingual buccal orodispersible liquid concentrate mouthwash
bar product products medication medicine medicines drug drugs brand generic implant intrauterine skin mouth
mucosal actuations puff puffs infusion once twice times weekly night morning evening bd bid tds tid qds qid prn nocte mane
allergy allergic allergies hypersensitivity sensitivity intolerance intolerant adverse reaction reactions disorder finding substance
situation known history hx class antibiotic antibiotics preparation preparations containing agent agents type all any other group
porcine bovine live attenuated recombinant
nda anda adult adults child children paediatric pediatric infant junior strength low high extra plain usp bp
""")
_ON_THE_SKIN: Final = word_set("cream ointment gel lotion foam shampoo paste topical mouthwash emollient")
_IN_THE_BODY: Final = word_set("""
tablet tablets tab tabs capsule capsules cap caps orally syrup elixir injection injectable inj iv im sc po suppository lozenge infusion
sublingual buccal transdermal patch patches plaster inhaler inhalation nebuliser nebulizer swallowed
""")
#: Eye and ear count only beside a form that is put there: “eye drops”, “drops into the left ear”, never “for an ear infection”.
_BESIDE: Final = re.compile(
    r"\b(?:eyes?|ears?|ocular|aural|ophthalmic|otic) (?:drops?|ointment|gel|spray|cream|lotion|wash)\b"
    r"|\b(?:ocular|aural|ophthalmic|otic) (?:solution|suspension|emulsion)\b"
    r"|\b(?:drops?|spray)\b.* (?:(?:in|into|to)(?: the)?|each|both|left|right|affected) (?:eyes?|ears?)"
    r"(?= \d| once| twice| three| four| daily| every| at|$)"
    r"|\b(?:drops?|spray) (?:ophthalmic|otic|ocular|aural)\b")
#: An amount of medicine and not of medicine in something: “500 mg”, not “5 mg/mL”.
_MG: Final = re.compile(r"\d\s*(?:mg|milligrams?)\b(?!\s*(?:/|per\b|in\b))", re.IGNORECASE)
_BRACKETED: Final = re.compile(r"\[[^\]]*\]")
_NUMBER: Final = re.compile(
    r"a?nda\d+|\d[\d.,]*(?:k?g|mg|mcg|[uμ]g|mls?|l|iu|units?|unt|u|meq|mmol|mol|h|hrs?|hours?|d|days?|wk|x|st|nd|rd|th|s|tabs?|caps?)?")
_DOTTED: Final = re.compile(r"\b[a-z](?:\.[a-z]\b)+\.?")
_NUMBERED: Final = re.compile(r"(?<![\w-])(\d)-(?=[A-Za-z]{2,4}\b)")  # 5-ASA, 6-MP
_JOINT: Final = re.compile(r"[,;/&+\n]|\b(?:and|or|plus|with)\b", re.IGNORECASE)
#: Beginnings of chemical names: what follows an unknown “amino” is another substance than what it says alone.
_PREFIXES: Final = word_set("""
acetyl amino methyl ethyl hydroxy dihydroxy chloro fluoro bromo iso levo dextro benzyl phenyl oxy deoxy hydro
""")


def folded(text: str) -> str:
    """A text in one spelling: no case, no accents, no apostrophes, Latin digits; its punctuation stays."""
    plain = latin_digits(tidy(text)).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(c))
    return re.sub(r"['’`´]", "", bare)


def words_of(text: str) -> list[str]:
    """The words of a name, folded; commas and points stay only within numbers."""
    bare = _DOTTED.sub(lambda found: found[0].replace(".", ""), folded(text))
    bare = re.sub(r"(?<!\d)[.,]|[.,](?!\d)", " ", bare)
    return re.sub(r"[^\w.,]+", " ", bare).replace("_", " ").split()


def key_of(text: str) -> str:
    """One comparable string for a name."""
    return " ".join(words_of(text))


def name_words(text: str) -> list[str]:
    """The words in which names are looked for: “5-ASA” is one of them. What stands in square brackets (a brand, in RxNorm) is left out."""
    return words_of(_NUMBERED.sub(r"\1", _BRACKETED.sub(" ", text)))


def bracketed(text: str) -> frozenset[str]:
    """The words in square brackets."""
    return frozenset(word for inside in _BRACKETED.findall(text) for word in words_of(inside))


@dataclass(frozen=True, slots=True)
class Naming:
    """What was found in a text: names of the table in the order written, the words nobody knows, whether its form only acts where it
    is put, and whether a form is named that reaches the whole body (swallowed, inhaled, injected, a patch)."""

    found: tuple[str, ...]
    unknown: tuple[str, ...]
    local: bool
    in_the_body: bool = False


class NameBook:
    """Finds the names of a table in a text, also when they are written apart or together (“acetyl salicylic acid”, “6MP”)."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        for written, name in names.items():
            words = tuple(key_of(written).split())
            if self._names.get(words, name) != name:
                raise ValueError(f"{written} means both {self._names[words]} and {name}")
            self._names[words] = name
        self._joined: dict[str, tuple[str, frozenset[str]] | None] = {}
        for words, name in self._names.items():
            joined = "".join(words)
            before = self._joined.get(joined, (name, frozenset()))
            self._joined[joined] = (name, _single(words) | before[1]) if before is not None and before[0] == name else None
        self._longest = max((len(words) for words in self._names), default=1)

    def exactly(self, text: str) -> str | None:
        """The name that is written exactly so, whatever the case; None otherwise."""
        return self._names.get(tuple(key_of(text).split()))

    def at(self, words: Sequence[str], at: int) -> tuple[int, str]:
        """The longest name that begins at a word: how many words it is, and which; (0, "") when none does."""
        for size in range(min(self._longest + 1, len(words) - at), 0, -1):
            run = tuple(words[at:at + size])
            name = self._names.get(run) or self._together(run)
            if name:
                return size, name
        return 0, ""

    def _together(self, run: tuple[str, ...]) -> str:
        """The name these words are when written together; single letters and digits only where the name has them (never “1 t 4 x”)."""
        name, single = self._joined.get("".join(run)) or ("", frozenset())
        return name if _single(run) <= single else ""

    def read(self, text: str) -> Naming:
        """All names in the text and what is left over."""
        words = name_words(text)
        found = [(run, book) for run, book in runs(words, self)]
        names = [self.at(run, 0)[1] for run, book in found if book is not None]
        unknown = [run[0] for run, book in found if book is None and not is_noise(run[0])] + lone_salts(text, self)
        in_the_body = not _IN_THE_BODY.isdisjoint(words)
        put_there = not _ON_THE_SKIN.isdisjoint(words) or _BESIDE.search(" ".join(words)) is not None
        local = put_there and not in_the_body and "oral" not in words and ("%" in text or _MG.search(text) is None)
        return Naming(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(unknown)), local, in_the_body)


def _single(words: Sequence[str]) -> frozenset[str]:
    return frozenset(word for word in words if len(word) == 1)


def runs(words: Sequence[str], *books: NameBook) -> Iterator[tuple[tuple[str, ...], NameBook | None]]:
    """The words in order, as runs that are a name of a book (the longest one wins) and single words that no book knows.

    The first book holds the medicines: none is read after the beginning of another chemical name (“amino salicylic acid”).
    """
    at, before, named = 0, "", False
    while at < len(words):
        size, book = max(((found.at(words, at)[0], found) for found in books), key=lambda best: best[0])
        amount = named and size > 1 and words[at].isdigit()  # warfarin 5, ASA 75: the 5 is not of “5-ASA”
        named = size > 0 and not amount and not (before in _PREFIXES and book is books[0])
        size = size if named else 1
        yield tuple(words[at:at + size]), book if named else None
        before = "" if named else words[at]
        at += size


def lone_salts(text: str, *books: NameBook) -> list[str]:
    """Salts that stand alone after a joint (“lisinopril and potassium”): there they are no salt of the name before."""
    parts = [name_words(part) for part in _JOINT.split(_BRACKETED.sub(" ", text))[1:]]
    return [word for part in parts if all(map(is_noise, part)) and not any(book.at(part, n)[0] for book in books for n in range(len(part)))
            for word in part if word in SALTS]


def is_noise(word: str) -> bool:
    """Whether a word in a medicine's text is a number, a unit, a form, a salt or a filler word."""
    return word in SALTS or word in _FILLERS or _NUMBER.fullmatch(word) is not None
