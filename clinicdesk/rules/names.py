"""Finding people: search terms of a patient, what a person typed into the find box, and whether two names are the same.

Terms are short lower-case strings compared byte-wise (COLLATE "C") as `term >= p and term < prefix_end(p)`, which stays an index
scan under row level security where LIKE does not (DESIGN, decision 6). Latin, Greek and Cyrillic become plain a–z, so each finds the other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

import jellyfish
import phonenumbers

from clinicdesk.rules.moments import EARLIEST_BIRTH, MONTHS, date_readings
from clinicdesk.rules.texts import latin_digits, tidy

#: Kinds of term: a name part, its sound, reversed telephone digits, birth date yyyymmdd, e-mail, record id, tag.
KINDS: Final = ("name", "sound", "phone", "born", "email", "id", "tag")
#: Fewer digits say nothing about a telephone number.
SHORTEST_PHONE_TAIL: Final = 3

_SPECIAL: Final = str.maketrans({
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k",
    "ə": "e", "ς": "s",
    "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n",
    "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ж": "zh", "з": "z", "и": "i", "к": "k", "л": "l", "м": "m", "н": "n",
    "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch",
    "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya", "є": "ye", "і": "i", "ґ": "g", "ђ": "dj", "ј": "j", "љ": "lj", "њ": "nj",
    "ћ": "c", "џ": "dz",
})
_COMPOSED: Final = str.maketrans({"й": "y", "ё": "e", "ї": "yi", "ў": "u", "ѓ": "gj", "ќ": "kj"})
_JOINERS: Final = "'’‘ʼʻ`´ʹ′\"-‐‑–—·."
_COMMA: Final = re.compile(r"(?<=[^\W\d])[,;](?=\S)")
_EMAIL_WORD = re.compile(r"[^\s@]*@[^\s@]*")
_ID_WORD = re.compile(r"p_[a-z0-9]{0,6}")
_NUMERIC_WORD = re.compile(r"[+(]*\d[\d().\-‐‑–/+]*")


@lru_cache(maxsize=4096)  # names repeat: ranking a page of finds asks for the same few hundred
def normalise(text: str) -> str:
    """Case, accents and script folded away, apostrophes and hyphens kept as spaces: `O’Brien-Łukasz` → `o brien lukasz`."""
    return " ".join("".join(c if c.isalnum() else " " for c in _fold(text)).split())


def _fold(text: str) -> str:
    folded = tidy(text).casefold().translate(_COMPOSED)
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return latin_digits(bare.translate(_SPECIAL))


def _joined(text: str) -> str:
    return normalise("".join(c for c in text if c not in _JOINERS))


def name_words(text: str) -> tuple[str, ...]:
    """Every form in which a name may be typed: its parts, parts joined over apostrophe and hyphen, and all joined; in stable order."""
    words = [*normalise(text).split(), *_joined(text).split(), normalise(text).replace(" ", "")]
    return tuple(dict.fromkeys(w for w in words if w))


def sound(word: str) -> str:
    """The sound code (metaphone, lower case) of one normalised word; empty when it has none (other scripts)."""
    return jellyfish.metaphone(word).lower() if word.isascii() and word.isalpha() else ""


def prefix_end(prefix: str) -> str:
    """The first string, in byte order of UTF-8, after every string that starts with `prefix`; `prefix` must not be empty."""
    for i in range(len(prefix) - 1, -1, -1):
        point = ord(prefix[i]) + 1
        if 0xD800 <= point <= 0xDFFF:
            point = 0xE000
        if point <= 0x10FFFF:
            return prefix[:i] + chr(point)
    raise ValueError("no string sorts after this prefix")


def phone_term(phone: str) -> str:
    """Digits of a telephone number reversed, so that the last digits are a prefix."""
    return "".join(c for c in reversed(phone) if c.isdigit())


def patient_terms(*, patient_id: str, first_name: str, last_name: str, phone: str = "", email: str = "", born: date | None = None,
                  tags: Iterable[str] = ()) -> frozenset[tuple[str, str]]:
    """All (term, kind) pairs under which a patient is found; write them in the transaction that writes the patient."""
    words = (*name_words(first_name), *name_words(last_name))
    terms = {(w, "name") for w in words}
    terms |= {(code, "sound") for w in words if (code := sound(w))}
    terms.add((patient_id.lower(), "id"))
    if digits := phone_term(phone):
        terms.add((digits, "phone"))
    if email:
        terms.add((email.casefold(), "email"))
    if born is not None:
        terms.add((f"{born:%Y%m%d}", "born"))
    terms |= {(normal, "tag") for tag in tags if (normal := normalise(tag))}
    return frozenset(terms)


def capitals(name: str) -> str:
    """A family name in capitals for the banner and for paper (reference R4); Greek capitals carry no accent."""
    upper = unicodedata.normalize("NFD", name.upper())
    kept = re.sub(r"(?<=[\u0391-\u03ab])(\u0308?)\u0301", r"\1", upper)
    return unicodedata.normalize("NFC", kept)


@dataclass(frozen=True, slots=True)
class Query:
    """What the find box asks for. A patient fits when for every entry of `needs` one of its (kind, prefix) alternatives fits.

    The other fields are the same by kind: `names` prefixes in typed order, `phone_tails` reversed, `born` as yyyymmdd or its start,
    `ids`, `emails`, `tags`. `sounds` are the codes of the names, for a second, more tolerant look: each must equal a sound term.
    """

    needs: tuple[tuple[tuple[str, str], ...], ...] = ()
    sounds: tuple[str, ...] = ()

    def of(self, kind: str) -> tuple[str, ...]:
        """All prefixes of one kind, in typed order."""
        return tuple(p for need in self.needs for k, p in need if k == kind)

    @property
    def names(self) -> tuple[str, ...]:
        """Name prefixes, all of which must fit, in any order."""
        return self.of("name")

    @property
    def phone_tails(self) -> tuple[str, ...]:
        """Alternative reversed telephone tails."""
        return self.of("phone")

    @property
    def born(self) -> tuple[str, ...]:
        """Alternative birth dates or starts of them."""
        return self.of("born")

    @property
    def ids(self) -> tuple[str, ...]:
        """Record ids or starts of them."""
        return self.of("id")

    @property
    def emails(self) -> tuple[str, ...]:
        """E-mail addresses or starts of them."""
        return self.of("email")

    @property
    def tags(self) -> tuple[str, ...]:
        """Starts of tags."""
        return self.of("tag")

    def __bool__(self) -> bool:
        """Whether anything is asked for at all."""
        return bool(self.needs)


def parse_query(text: str, today: date) -> Query:
    """Understand what was typed so far: names, telephone tail, birth date in any notation, record id, e-mail, #tag, in any order.

    What can be read in two ways asks for either. Nothing is ever refused; what says nothing yet (one or two digits) is left out.
    """
    words = _COMMA.sub(" ", latin_digits(tidy(text))).split()
    needs: list[tuple[tuple[str, str], ...]] = []
    i = 0
    while i < len(words):
        need, used = _read(words[i:], today)
        if need:
            needs.append(need)
        i += used
    unique = tuple(dict.fromkeys(needs))
    names = [p for need in unique for k, p in need if k == "name"]
    return Query(unique, tuple(code for name in names if (code := sound(name))))


def _read(words: Sequence[str], today: date) -> tuple[tuple[tuple[str, str], ...], int]:
    word = words[0]
    if _EMAIL_WORD.fullmatch(word):
        return ((("email", word.casefold()),) if len(word) > 1 else ()), 1
    if word.startswith("#"):
        tag = normalise(word)
        return ((("tag", tag),) if tag else ()), 1
    if _ID_WORD.fullmatch(word.lower()):
        return (("id", word.lower()),), 1
    born, used = _worded_date(words, today)
    if born:
        return tuple(("born", day) for day in born), used
    run = 0
    while run < len(words) and _NUMERIC_WORD.fullmatch(words[run]):
        run += 1
        if run == 1 and re.fullmatch(r"\d+[./-]\d+[./-]\d+", word) and date_readings(word, today):
            break
    if run:
        return tuple(_numeric(words[:run], today)), run
    return _word(word), 1


def _word(word: str) -> tuple[tuple[str, str], ...]:
    alternatives = []
    if name := _joined(word).replace(" ", ""):
        alternatives.append(("name", name))
        if len(name) >= 3:
            alternatives.append(("tag", name))
    folded = word.casefold()
    if re.search(r"[\d._+]", folded) and re.fullmatch(r"[\w.+\-]{3,}", folded):
        alternatives.append(("email", folded))
    if re.fullmatch(r"[a-z0-9]{6}", folded) and re.search(r"\d", folded):
        alternatives.append(("id", "p_" + folded))
    return tuple(alternatives)


def _worded_date(words: Sequence[str], today: date) -> tuple[list[str], int]:
    for size in (4, 3, 2, 1):
        typed = " ".join(words[:size])
        if len(words) < size or not re.search(r"[A-Za-z]{3}", typed) or not re.search(r"\d", typed):
            continue
        if days := date_readings(typed, today):
            return [f"{day:%Y%m%d}" for day in days], size
        month_of_year = re.fullmatch(r"([A-Za-z]{3,9})[\s\-.,]*(\d{4})", typed)
        if month_of_year:
            starts = [f"{month_of_year.group(2)}{m:02d}" for m, name in enumerate(MONTHS, 1)
                      if name.lower().startswith(month_of_year.group(1).lower())]
            if len(starts) == 1:
                return starts, size
    return [], 0


def _numeric(words: Sequence[str], today: date) -> Iterator[tuple[str, str]]:
    typed = " ".join(words)
    for day in date_readings(typed, today):
        yield "born", f"{day:%Y%m%d}"
    if re.fullmatch(r"\d{4}", typed) and EARLIEST_BIRTH.year <= int(typed) <= today.year:
        yield "born", typed
    if part := re.fullmatch(r"(0?[1-9]|1[0-2])[./\-](\d{4})", typed):
        yield "born", f"{part.group(2)}{int(part.group(1)):02d}"
    digits = "".join(c for c in typed if c.isdigit())
    if len(digits) < SHORTEST_PHONE_TAIL:
        return
    tails = [digits, digits.lstrip("0")]
    if typed.startswith(("+", "00")):
        try:
            number = phonenumbers.parse("+" + digits.lstrip("0"))
            tails.append(phonenumbers.national_significant_number(number))
        except phonenumbers.NumberParseException:
            pass
    for tail in dict.fromkeys(t for t in tails if len(t) >= SHORTEST_PHONE_TAIL):
        yield "phone", tail[::-1]
