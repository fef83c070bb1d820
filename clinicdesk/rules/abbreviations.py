"""Abbreviations and signs that are misread on prescriptions, with what to write instead (reference clinical-safety R25 and R30).

After the ISMP list of error-prone abbreviations and the Joint Commission's "do not use" list, retyped. Matching is by word and, where
a capital form collides with an ordinary word (AS, IN, ON), by case and surroundings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_LETTER: Final = r"[^\W\d_]"
_BEFORE: Final = rf"(?<!{_LETTER})(?<!{_LETTER}['’.\-])"
_AFTER: Final = r"(?![^\W_])(?!['’.]\w)"


@dataclass(frozen=True, slots=True)
class Entry:
    """One forbidden form. `use` tells a person; `replacement` is what an automatic correction may write, None where it needs a person."""

    name: str
    pattern: re.Pattern[str]
    use: str
    replacement: str | None
    ordinary: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A forbidden form found in a text: what stands there, what to write, and where (character positions)."""

    text: str
    use: str
    start: int
    end: int


def _dotted(word: str) -> str:
    """`qd` matches qd, q.d and q.d. but leaves the full stop of a sentence that ends in qd."""
    dotted = r"\.".join(word)
    return rf"(?:{word}|{dotted}\.?)" if len(word) > 1 else word


def _words(use: str, *forms: str, person: bool = False, case: bool = False, ordinary: bool = False) -> Iterator[Entry]:
    for form in forms:
        body = _dotted(form) if form.isalpha() and len(form) <= 4 else re.escape(form).replace(r"\ ", r"\s+")
        flags = re.NOFLAG if case else re.IGNORECASE
        yield Entry(form, re.compile(_BEFORE + body + _AFTER, flags), use, None if person else use, ordinary)


def _sign(name: str, pattern: str, use: str, replacement: str | None = None) -> Entry:
    return Entry(name, re.compile(pattern), use, replacement)


def _units() -> Iterator[Entry]:
    yield _sign("U", r"(?<=\d)\s*[Uu](?![^\W_])", "units", " units")
    yield from _words("units", "U", case=True)
    yield _sign("IU glued", r"(?<=\d)(?:I\.?U\.?|iu)(?![^\W_])", "international units", " international units")
    yield from _words("international units", "IU")
    yield _sign("micro sign", r"[µμ]g(?![^\W_])", "micrograms", "micrograms")
    yield _sign("ug, mcg", r"(?<![^\W\d_])(?:ug|UG|mcg|MCG|mcgs)(?![^\W_])", "micrograms", "micrograms")
    yield _sign("cc", r"(?<![^\W\d_])(?:cc|CC|c\.c\.)(?![^\W_])", "mL", "mL")
    yield _sign("plural unit", r"(?<![^\W\d_])(?:mLs|mls|MLs|mgs|MGs|gms?|GMs?)(?![^\W_])", "mL, mg or g without plural")


def _frequencies() -> Iterator[Entry]:
    yield from _words("daily", "QD", "OD", "q1d", "qday", person=True)
    yield from _words("every other day", "QOD", "EOD")
    yield from _words("twice a day", "BID")
    yield from _words("twice a day", "bd", "bds", case=True)
    yield from _words("three times a day", "TID", "TDS")
    yield from _words("four times a day", "QID", "QDS")
    yield from _words("three times a week", "TIW")
    yield from _words("twice a week", "BIW")
    yield from _words("once a week", "QW", "qwk")
    yield _sign("every hours", r"(?<![^\W_])[qQ]\.?\s?\d{1,2}(?:\s?-\s?\d{1,2})?\s?(?:h|H|hr|hrs|hourly)\b\.?", "every … hours")
    yield _sign("q6PM", r"(?<![^\W_])[qQ]\s?\d{1,2}\s?[AaPp]\.?[Mm]\.?(?![^\W_])", "every day at a 24-hour time, for example 18:00")
    yield from _words("every hour", "qh")
    yield from _words("every night", "qn", "nocte")
    yield from _words("every morning", "qam", "mane")
    yield from _words("every evening", "qpm")
    yield from _words("at bedtime", "qhs", "HS", "BT", "qbt", person=True)
    yield from _words("every morning", "OM", case=True, person=True)
    yield from _words("every night", "ON", case=True, ordinary=True)
    yield from _words("as needed", "PRN", "SOS")
    yield from _words("immediately", "stat")
    yield from _words("before meals", "ac", "a.c.", case=True)
    yield from _words("after meals", "pc", "p.c.", case=True)


def _routes() -> Iterator[Entry]:
    yield from _words("by mouth", "per os", "PO")
    yield from _words("nothing by mouth", "NPO", "NBM")
    yield from _words("subcutaneously", "SC", "SQ", "sub q", "subq", "subcut", "sub-q")
    yield from _words("under the tongue", "SL")
    yield from _words("injection", "IJ", "inj")
    yield from _words("intranasal", "IN", case=True, ordinary=True)
    yield from _words("intrathecal", "i.t.", case=True)
    yield from _words("right ear", "AD", case=True, person=True, ordinary=True)
    yield from _words("left ear", "AS", case=True, person=True, ordinary=True)
    yield from _words("each ear", "AU", case=True, person=True)
    yield from _words("left eye", "OS", case=True, person=True)
    yield from _words("each eye", "OU", case=True, person=True)


def _medicines() -> Iterator[Entry]:
    yield from _words("discharge or stop, in full", "D/C", "d/ced", person=True)
    yield from _words("one half, or sliding scale, in full", "ss", "s.s.", person=True, case=True)
    yield from _words("sliding scale insulin", "SSI", "SSRI insulin", person=True)
    yield from _words("as directed", "UD", "u.d.", person=True)
    yield from _words("freely", "ad lib")
    yield from _words("morphine sulfate or magnesium sulfate", "MS", case=True, person=True)
    yield from _words("morphine sulfate", "MSO4")
    yield from _words("magnesium sulfate", "MgSO4")
    yield from _words("zinc sulfate", "ZnSO4")
    yield from _words("zidovudine", "AZT")
    yield from _words("hydrocortisone", "HCT", person=True)
    yield from _words("hydrochlorothiazide", "HCTZ")
    yield from _words("methotrexate", "MTX")
    yield from _words("aspirin", "ASA")
    yield from _words("paracetamol", "APAP")
    yield from _words("isoniazid", "INH", case=True)
    yield from _words("propylthiouracil", "PTU", person=True)
    yield from _words("triamcinolone", "TAC", case=True, person=True)
    yield from _words("prochlorperazine", "CPZ", person=True)
    yield from _words("diphtheria, pertussis and tetanus vaccine", "DPT", "DTP", person=True)
    yield from _words("tenecteplase", "TNK")
    yield from _words("alteplase", "tPA", case=True, person=True)
    yield from _words("opium tincture, diluted, in full", "DTO", person=True)
    yield from _words("no known drug allergies", "NKDA")
    yield from _words("no known allergies", "NKA")


def _forms_and_signs() -> Iterator[Entry]:
    yield from _words("drops", "gtt", "gtts")
    yield from _words("tablet", "tab")
    yield from _words("tablets", "tabs")
    yield _sign("caps", r"(?i)(?<=\d\s)caps?(?![^\W_])|(?<=\bone\s)cap(?![^\W_])", "capsule", "capsule")
    yield from _words("suppository", "supp")
    yield from _words("suspension", "susp")
    yield from _words("solution", "soln")
    yield from _words("ointment", "ung", "oint")
    yield from _words("elixir", "elix")
    yield _sign("x3d", r"(?<![^\W_])[x×]\s?\d+\s?(?:d|wk?s?|/7|/52)(?![^\W_])", "for … days or weeks")
    yield _sign("n/7", r"(?<!\d)\d{1,2}/(?:7|52|12)(?![\d/])", "days, weeks or months in full")
    yield _sign("w/", r"(?<![^\W_])w/o?(?=[\s\w])", "with or without")
    yield _sign("slash", r"(?<=[A-Za-z])\s?/\s?(?=(?:\d+\s?)?(?:mL|ml|ML|L|kg|day|dose|hour|hr|h|min|minute|tablet|actuation|m2|m²)\b)"
                r"|(?<=\d)\s?/\s?(?=(?:mL|ml|L|kg|day)\b)", "per", " per ")
    yield _sign("trailing zero", r"\d+\.\d*0(?=\s?(?:mg|g|micrograms?|nanograms?|mL|ml|L|units?|mmol|tablets?|capsules?)(?![^\W_]))",
                "the number without a zero at the end")
    yield _sign("naked decimal", r"(?<![\d.\w])\.\d+(?![\d.])", "a zero before the point")
    yield _sign(">", r">", "greater than", "greater than")
    yield _sign("<", r"<", "less than", "less than")
    yield _sign("≥≤", r"[≥≤]", "at least or at most")
    yield _sign("@", r"@", "at", "at")
    yield _sign("&", r"&", "and", "and")
    yield _sign("|", r"\|", "a new line or a word")
    yield _sign("+", r"\+", "and", "and")


#: The whole lexicon.
LEXICON: Final = (*_units(), *_frequencies(), *_routes(), *_medicines(), *_forms_and_signs())


def forbidden(text: str, *, ingredients: bool = False) -> list[Hit]:
    """Every forbidden form in `text`, in order, overlapping ones once.

    `ingredients` allows " + " between ingredients and between their strengths, the only places where R25 allows the sign.
    """
    return list(_forbidden(text, ingredients))


@lru_cache(maxsize=4096)
def _forbidden(text: str, ingredients: bool) -> tuple[Hit, ...]:  # noqa: FBT001  positional for the cache
    hits: list[Hit] = []
    for entry in LEXICON:
        for match in entry.pattern.finditer(text):
            if entry.ordinary and _shouted(text, match):
                continue
            if ingredients and entry.name == "+" and _between_names(text, match):
                continue
            hits.append(Hit(match.group().strip(), entry.use, match.start(), match.end()))
    hits.sort(key=lambda h: (h.start, -h.end))
    result: list[Hit] = []
    for hit in hits:
        if not result or hit.start >= result[-1].end:
            result.append(hit)
    return tuple(result)


def corrected(text: str) -> str:
    """`text` with every form replaced that has exactly one meaning; what needs a person stays (and stays forbidden)."""
    for entry in LEXICON:
        replacement = entry.replacement
        if replacement is not None and not entry.ordinary:
            text = entry.pattern.sub(lambda _, r=replacement: r, text)  # type: ignore[misc]
    return " ".join(text.split())


def _between_names(text: str, match: re.Match[str]) -> bool:
    """Whether the sign joins ingredients or their strengths: `a + b`, `500 mg + 125 mg`, but not `1 + 2`."""
    before, after = text[: match.start()], text[match.end() :]
    return bool(re.search(rf"(?:{_LETTER}|[)%])\s$", before) and re.match(r"\s\w", after))


def _shouted(text: str, match: re.Match[str]) -> bool:
    """Whether the word stands in a sentence typed in capitals, where AS, IN and ON are just words."""
    before = re.findall(rf"{_LETTER}+", text[: match.start()])
    after = re.findall(rf"{_LETTER}+", text[match.end() :])
    return any(word.isupper() and len(word) >= 3 for word in (*before[-1:], *after[:1]))
