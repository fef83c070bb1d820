"""Which medicines a text names, however it is written: as people type it, as Synthea and RxNorm write it, in brackets or capitals.

Names are found as the longest runs of words the table knows. What is left over must be a number, a unit, a form, a salt or a filler
word; anything else is reported as not understood, because it could be a second medicine.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clinicdesk.rules.texts import latin_digits, tidy


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SALTS: Final = _set("""
sodium potassium calcium magnesium zinc hydrochloride hcl dihydrochloride sulfate sulphate bisulfate bisulphate maleate besylate besilate
mesylate mesilate tosylate tosilate tartrate bitartrate succinate fumarate hemifumarate acetate phosphate diphosphate citrate dicitrate
bromide hydrobromide nitrate mononitrate hyclate monohydrate dihydrate trihydrate hemihydrate sesquihydrate anhydrous medoxomil axetil
proxetil pivoxil disoproxil alafenamide propionate dipropionate furoate valerate butyrate pamoate embonate stearate ethylsuccinate
gluconate lactate carbonate bicarbonate chloride iodide oxalate edisylate esylate napsylate trometamol tromethamine lysine arginine erbumine
decanoate enanthate cypionate palmitate xinafoate nafate benzathine benzoate malate salicylate hydrate meglumine disodium dipotassium
marboxil cilexetil mofetil isethionate aspartate orotate hemisuccinate magnesia base
""")
_FILLERS: Final = _set("""
mg g gram grams mcg microgram micrograms ug kg ml l litre liter unit units unt iu meq mmol mol percent hr hrs hour hours actuat actuation
dose doses daily day week per in of and or the a an to with without for by from on
tablet tablets tab tabs capsule capsules cap caps oral solution suspension syrup elixir drop drops powder granules sachet sachets lozenge
inhaler inhalation inhaled inhalant metered dry nebuliser nebulizer nasal spray ophthalmic otic eye eyes ear ears cream ointment gel lotion
foam shampoo paste topical transdermal patch patches system suppository suppositories rectal pessary vaginal ring insert enema injection
injectable injected inj iv im sc po prefilled pre filled pen syringe cartridge vial ampoule auto injector autoinjector pack kit film
extended release modified delayed immediate sustained prolonged controlled er xr sr mr dr ec xl la cr ir la24 release enteric coated
gastro resistant dispersible chewable effervescent soluble disintegrating sublingual buccal orodispersible liquid concentrate mouthwash
bar product products medication medicine medicines drug drugs brand generic implant intrauterine skin mouth
mucosal actuations once twice times weekly
allergy allergic allergies hypersensitivity sensitivity intolerance intolerant adverse reaction reactions disorder finding substance
situation known history hx class antibiotic antibiotics preparation preparations containing agent agents type all any other group
porcine bovine live attenuated recombinant
nda anda adult adults child children paediatric pediatric infant junior strength low high extra plain usp bp
""")
_LOCAL: Final = _set("""
cream ointment gel lotion foam shampoo paste topical ophthalmic otic eye eyes ear ears mouthwash emollient
""")
_SWALLOWED: Final = _set("""
tablet tablets tab tabs capsule capsules cap caps oral orally syrup elixir injection injectable inj iv im sc po suppository lozenge
sublingual buccal transdermal patch inhaler inhalation nebuliser nebulizer infusion
""")
_BRACKETED: Final = re.compile(r"\[[^\]]*\]")
_NUMBER: Final = re.compile(r"nda\d+|anda\d+|[\d.,]+[a-z]{0,3}")


def words_of(text: str) -> list[str]:
    """The words of a name, folded: no case, accents, apostrophes or punctuation; `+` and `/` stay apart as separators."""
    folded = latin_digits(tidy(text)).casefold()
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    bare = re.sub(r"['’`´]", "", bare)
    return re.sub(r"[^\w.,]+", " ", bare).replace("_", " ").split()


def key_of(text: str) -> str:
    """One comparable string for a name."""
    return " ".join(word.strip(".,") for word in words_of(text))


@dataclass(frozen=True, slots=True)
class Naming:
    """What was found in a text: names of the table in the order written, the words nobody knows, and whether its form only acts where it
    is put (a word of the skin, eye or ear, and none of a form that is swallowed, inhaled or injected)."""

    found: tuple[str, ...]
    unknown: tuple[str, ...]
    local: bool


class NameBook:
    """Finds the names of a table in a text."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names: dict[tuple[str, ...], str] = {}
        for written, name in names.items():
            words = tuple(key_of(written).split())
            if self._names.get(words, name) != name:
                raise ValueError(f"{written} means both {self._names[words]} and {name}")
            self._names[words] = name
        self._longest = max((len(words) for words in self._names), default=1)

    def exactly(self, text: str) -> str | None:
        """The name that is written exactly so, whatever the case; None otherwise."""
        return self._names.get(tuple(key_of(text).split()))

    def read(self, text: str) -> Naming:
        """All names in the text and what is left over."""
        words = [word for word in (w.strip(".,") for w in words_of(_BRACKETED.sub(" ", text))) if word]
        found: list[str] = []
        unknown: list[str] = []
        at = 0
        while at < len(words):
            for size in range(min(self._longest, len(words) - at), 0, -1):
                name = self._names.get(tuple(words[at:at + size]))
                if name is not None:
                    found.append(name)
                    at += size
                    break
            else:
                word = words[at]
                if not _is_noise(word):
                    unknown.append(word)
                at += 1
        local = not _LOCAL.isdisjoint(words) and _SWALLOWED.isdisjoint(words)
        return Naming(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(unknown)), local)


def _is_noise(word: str) -> bool:
    return word in _SALTS or word in _FILLERS or _NUMBER.fullmatch(word) is not None
