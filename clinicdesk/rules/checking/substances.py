"""What the text of an allergy names: medicines, classes, things that are no medicine, what happened, and what nobody knows in it.

It is understood when no word is left over; what is left over may be a second medicine, so it is said to be not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from clinicdesk.rules.checking.case import Named
from clinicdesk.rules.checking.reactions import reaction_words
from clinicdesk.rules.knowledge import AllergyClass, Knowledge
from clinicdesk.rules.medicine_names import SALTS, NameBook, bracketed, is_noise, lone_salts, name_words, runs, word_set, words_of

#: “No known allergies” written as if it were a substance: nothing but these words, and one of the first few.
_NONE: Final = word_set("no nil none nkda nka denies")
_KNOWN: Final = word_set("known drug drugs medicine medicines medication medications food foods allergy allergies allergic to any reported")
#: What a reaction is treated with: “penicillin, needed adrenaline” names one substance.
_TREAT: Final = frozenset({"antihistamine", "corticosteroid"})
_TREATED: Final = re.compile(r"(?:needed|required|treated with|responded to|settled with)(?: (?:im|iv|an?|some))* $")
_PRODUCT: Final = re.compile(r"\d.*\[[^\]]*\]\s*$")
#: Ordinary words beside a substance that name none.
_CHATTER: Final = word_set("""
about after ago all allergies also always am analgesic analgesics are arm arms as at avoid avoided avoids back bad be been before belly
blood body bottom but by came cannot cant caused causes causing certain chest child childhood clinic confirmed could dad days did do
doctor doctors does dont due during each eg especially etc even ever every everything except experienced face family father feels feet
felt few fingers first gave generalised generalized get gets getting give given gives go goes gone got gp gums had hand hands has have he
head her him his i if ill immediate immediately in incl including infancy into is it itchy joint joints just last left leg legs like
likely lip lips localised localized longer made makes many maybe me mild minor minutes moderate month months more most mother mum must my
near neck needed never no none nor nose not now off old once only organism other our out outbreak over own painkiller painkillers part
patient patients per possible possibly pressure previous previously probable probably problem problems proven pt query quite ray reacted
reacts recent record recorded related report reported reports required right said same says see several severe severely severity she
should sick similar since small so some stated still stomach stop stopped sudden suddenly suspected swallow swallowing symptom symptoms
take taken takes taking test tested than that their them then there these they this throat time told tongue too tummy turned twice under
unknown unsure until unwell up upset upsets us use used using very via was we week weeks well went were when whenever where which while
who whole widespread will within woke would year years yes young your
""")
#: Words many different medicines and vaccines share, and what they are for: alone they make nothing the same.
_SHARED: Final = word_set("""
acid acne agent antibiotic anxiety arthritis asthma bladder blue brand bronchitis brown capsule capsules chest cholesterol cold complex
compound cough course courses depression diabetes drug ear eczema extract eye fever flu forte gout green hayfever headache health heart
hepatitis herbal hormone human infection infections inh injection jab kidney liver medicine migraine mixture nausea oil pain painkiller
pill pills pink pneumonia powder red remedy shot sinusitis skin solution spray supplement tablet tablets therapy thyroid tonic tonsillitis
treatment ulcer urine uti vaccination vaccine vitamin vitamins white wound yellow
""")
_SHORTEST: Final = 3
Found = list[tuple[tuple[str, ...], NameBook | None]]


@dataclass(frozen=True, slots=True)
class Substance:
    """A text read: `beside` is what stands beside the names, `left` the runs of words nobody knows, as written, `own` the words no table
    knows, `words` these and the words of its medicines: by them it is the same as another text. `empty` when nothing in it is known."""

    ingredients: tuple[str, ...]
    classes: tuple[AllergyClass, ...]
    beside: str
    left: tuple[str, ...]
    own: frozenset[str]
    words: frozenset[str]
    empty: bool

    @property
    def understood(self) -> bool:
        """Whether all of it is checked."""
        return bool(self.ingredients or self.classes) and not self.left


def read_substance(text: str, known: Knowledge) -> Substance:
    """Read the text of an allergy."""
    words = set(words_of(text))
    if words <= _NONE | _KNOWN and words & _NONE:
        return Substance((), (), "", (), frozenset(), frozenset(), empty=False)
    product = _PRODUCT.search(text) is not None  # what RxNorm writes: the bracket holds a brand of what stands before it
    plain = text if product else text.replace("[", "(").replace("]", ")")
    books = (known.names, known.allergy_names, known.other_names)
    found = list(runs(name_words(plain), *books))
    treated = {n for n, (run, book) in enumerate(found) if book is known.names and _was_treatment(found[:n], book.at(run, 0)[1], known)}
    medicines = [book.at(run, 0)[1] for n, (run, book) in enumerate(found) if book is known.names and n not in treated]
    classes = {book.at(run, 0)[1] for run, book in found if book is known.allergy_names}
    beside = " ".join(" ".join(run) for n, (run, book) in enumerate(found) if book is None or n in treated)
    ignored, salts = _CHATTER | reaction_words(plain) | reaction_words(beside), lone_salts(plain, *books)
    left: list[list[str]] = [[]]
    for run, book in found:
        if book is None and _is_left(run[0], ignored, known.other_names):
            left[-1].append(run[0])
        elif left[-1]:
            left.append([])
    phrases = [one for one in (*left, *([salt] for salt in salts)) if one]
    none = not any(book for _, book in found)
    unknown = {word for phrase in phrases for word in phrase} | bracketed(text) | ({run[0] for run, _ in found} & SALTS if none else set())
    own, named = _telling(unknown), _telling({word for run, book in found if book is known.names for word in run})
    return Substance(tuple(dict.fromkeys(i for m in medicines for i in known.medicines[m].ingredients)),
                     tuple(c for c in known.allergy_classes if c.name in classes), beside,
                     tuple(dict.fromkeys(_as_written(phrase, text) for phrase in phrases)), own, named - SALTS | own, empty=none)


def _was_treatment(before: Found, medicine: str, known: Knowledge) -> bool:
    said = "".join(f"{word} " for run, _ in before for word in run)
    treats = medicine == "epinephrine" or not known.medicines[medicine].groups.isdisjoint(_TREAT)
    return treats and any(book for _, book in before) and _TREATED.search(said) is not None


def shared_words(named: Named, allergy: Substance) -> list[str]:
    """Words of a prescribed medicine that make it the same as an allergy, though one of the two is in no table: a brand, “iodine”."""
    words = set(words_of(named.text))
    own = _telling({*named.unknown, *bracketed(named.text)} | (set() if named.known else words & SALTS))
    return sorted(own & allergy.words | (_telling(words) - SALTS | own) & allergy.own)


def _telling(words: set[str]) -> frozenset[str]:
    return frozenset(w for w in words if len(w) >= _SHORTEST and w not in _SHARED and w not in _CHATTER and (w in SALTS or not is_noise(w)))


def _is_left(word: str, ignored: frozenset[str], others: NameBook) -> bool:
    if len(word) == 1 or word in ignored or is_noise(word):
        return False
    return not any(others.at((word[:-len(end)],), 0)[0] for end in ("s", "es") if word.endswith(end))


def _as_written(words: list[str], text: str) -> str:
    spelt = {word: token for token in re.findall(r"[\w'’]+", text) for word in words_of(token)}
    return " ".join(spelt.get(word, word) for word in words)
