"""The words on a page against the signed words: which element differs. Works on extracted text, page by page, in drawing order."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date, datetime
from difflib import SequenceMatcher
from typing import Final

from clinicdesk.rules.canonical import HEAD, LABELS, Field, digest, squeezed
from clinicdesk.rules.moments import clinical_date, clinical_moment, long_date
from clinicdesk.rules.names import capitals
from clinicdesk.verifying.verdict import Difference

FREE_TEXT: Final = "Written as free text: not checked automatically."
_BEFORE: Final = {"B": "—", "S": "—", "F": "—", "d": "—DOSE", "R": "—", "o": "—", "y": "—", "i": "For", "x": "Instructions",
                  "u": "Based on", "Q": "Quantity"}
_ENDS: Final = ("No more items:", "Continued on page", "End of this paper")


def differences(fields: Sequence[Field], pages: Sequence[str]) -> tuple[list[Difference], list[str]]:
    """What the pages say otherwise than these fields, and notes on what could not be compared. `fields` is the whole paper."""
    known = {f.code: f.value for f in reversed(fields)}
    found: list[Difference] = []
    notes: list[str] = []
    bodies = []
    for number, page in enumerate(pages, 1):
        body, wrong, unread = _head(known, page, f" on page {number}" if len(pages) > 1 else "")
        found += wrong
        notes += [note for note in unread if note not in notes]
        bodies.append(body)
    body = "".join(bodies)
    content = [f for f in fields[len(HEAD):] if f.code not in "pqwalc"]
    found += _items(content, body, known.get("c", "")) if known["k"] == "RX" else _sections(content, body)
    return found, notes


def _head(known: dict[str, str], page: str, where: str) -> tuple[str, list[Difference], list[str]]:
    """The body of a page without white space, and what its head and foot say otherwise."""
    born, issued = date.fromisoformat(known["b"]), datetime.fromisoformat(known["t"])
    wrong, notes = [], []
    checks = [
        ("n", [known["n"]]), ("t", [f"Issued {clinical_moment(issued)}", f"Issued {long_date(issued.date())}"]),
        ("f", [f"{capitals(known['f'])}, {known['g']}"]), ("b", [f"Born {clinical_date(born)}", f"Born {long_date(born)}"]),
        ("s", [f"Sex {known['s']}"]), ("r", [f"Record {known['r']}"]),
    ]
    for code, label in (("p", ""), ("q", "Registration "), ("w", "Weight ")):
        if known.get(code):
            checks.append((code, [label + known[code]]))
    end = 0
    for code, forms in checks:
        spot = next((m for form in forms if (m := re.search(_bounded(form), page))), None)
        if spot is None and any(unicodedata.bidirectional(c) in {"R", "AL"} for form in forms for c in form):
            if not any(squeezed(form) in squeezed(page) for form in forms):
                notes.append(f"{LABELS[code].capitalize()} in Hebrew or Arabic letters: compare it by eye.")
            continue
        if spot is None:
            label = "name of the patient" if code == "f" else LABELS[code]
            wrong.append(Difference(f"{label[:1].upper()}{label[1:]}{where}", forms[0], _line_like(forms[0], page)))
        elif code in "rw":
            end = max(end, spot.end())
    body = squeezed(page[end:] if end else page)
    stops = [at for words in _ENDS if (at := body.find(squeezed(words))) >= 0]
    body = body[:min(stops)] if stops else body
    allergies = squeezed(known.get("a", "") + known.get("l", ""))
    if not body.startswith(allergies):
        begin = re.search("1of|2of|3of", body)
        wrong.append(Difference(f"Allergy status{where}", f"{known.get('a', '')} {known.get('l', '')}".strip(),
                                body[:begin.start() if begin else len(allergies)]))
        return (body[begin.start():] if begin else body[len(allergies):]), wrong, notes
    return body[len(allergies):], wrong, notes


def _bounded(form: str) -> str:
    words = r"\s+".join(re.escape(word) for word in form.split())
    return rf"(?<![\w.,]){words}(?!\w|[.,]\d)"


def _line_like(form: str, page: str) -> str:
    """The line of a page that resembles what should stand there."""
    best = max(page.splitlines(), key=lambda line: SequenceMatcher(None, form, line).ratio(), default="")
    return best.strip() if SequenceMatcher(None, form, best).ratio() > 0.4 else ""


def _items(content: Sequence[Field], body: str, total: str) -> list[Difference]:
    """Every letter between the allergies and the closed space must be that of the signed items."""
    expected, owners, of = "", [], ""
    for field in content:
        if field.code == "I":
            of, words = f"Item {field.value}", f"{field.value}of{total}"
        elif field.code == "e":
            words = squeezed(FREE_TEXT)
        else:
            words = squeezed(_BEFORE.get(field.code, "")) + squeezed(field.value)
        owners += [(of, field)] * len(words)
        expected += words
    if expected == body:
        return []
    found: dict[tuple[str, str], Difference] = {}
    for what, a, b, c, d in SequenceMatcher(None, expected, body, autojunk=False).get_opcodes():
        if what == "equal":
            continue
        of, field = owners[min(a, len(owners) - 1)] if owners else ("The page", Field("I", ""))
        if a == len(expected):
            of, field = "After the last item", Field("m", "")
        mine = [n for n, owner in enumerate(owners) if owner == (of, field)]
        before, after = (a - mine[0], mine[-1] + 1 - b) if mine else (0, 0)
        around = body[max(0, c - max(before, 0)):d + max(after, 0)]
        found.setdefault((of, field.code), Difference(f"{of}: {LABELS[field.code]}", field.value, around[:200]))
    return list(found.values())


def _sections(content: Sequence[Field], body: str) -> list[Difference]:
    """Headings in order, each followed by its words, or by words of the signed length and digest."""
    at, found = 0, []
    heading = ""
    for field in content:
        if field.code == "H":
            heading = field.value
        words = squeezed(field.value)
        if field.code == "h":
            length = int(field.value.split(".")[0])
            if digest(body[at:at + length]) != field.value:
                found.append(Difference(f"{heading}: the text", "", body[at:at + 80] + "…"))
                return found
            at += length
        elif body.startswith(words, at):
            at += len(words)
        else:
            found.append(Difference(f"{heading}: {LABELS[field.code]}", field.value, body[at:at + len(words) + 20]))
            return found
    if at != len(body):
        found.append(Difference("After the last section", "", body[at:at + 80]))
    return found
