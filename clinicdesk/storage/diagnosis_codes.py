"""ICD-10-CM offline: every billable code with its title, searched by words or by the code itself.

Read once per process from `resources/icd10cm.tsv.xz` into a full-text index in memory (some 0.4 s and 60 MB, so never on the GUI
thread). The only user of sqlite3.
"""

from __future__ import annotations

import lzma
import re
import sqlite3
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

SYSTEM: Final = "ICD-10-CM"
_CODE: Final = re.compile(r"[A-Za-z]\d[0-9A-Za-z]?(\.?[0-9A-Za-z]{0,4})?")
_WORD: Final = re.compile(r"\w+")
#: So many matches are weighed; more than that means that too little was typed.
_WEIGHED: Final = 400
#: Chapters that need a reason to be thought of: pregnancy, the newborn, causes from outside, circumstances.
_LATER_CHAPTERS: Final = frozenset("OPVWXYZ")
_PLAIN: Final = re.compile(r"\bunspecified|\(primary\)|\bnot (otherwise )?specified|\bwithout complications|\buncomplicated", re.IGNORECASE)
_SPECIAL: Final = re.compile(r"\b(sequela|subsequent encounter|due to|in diseases classified elsewhere|other|with|following|history of)\b",
                             re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class DiagnosisCode:
    """A code of ICD-10-CM with its title as published."""

    code: str
    title: str


class DiagnosisCodes:
    """Search the codes. Threads may share it."""

    def __init__(self, path: Path) -> None:
        head, _, text = lzma.decompress(path.read_bytes()).decode().partition("\n")
        self.release = head
        self._lock = threading.Lock()
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute("create virtual table codes using fts5(code unindexed, title, more, prefix='2 3 4',"
                         " tokenize='unicode61 remove_diacritics 2')")
        self._db.execute("create table titles (code text primary key, title text) without rowid")
        rows = [line.split("\t") for line in text.split("\n")]
        self._db.executemany("insert into codes values (?, ?, ?)", rows)
        self._db.executemany("insert into titles values (?, ?)", (row[:2] for row in rows))

    def title(self, code: str) -> str | None:
        """The title of a code; None when there is no such billable code."""
        with self._lock:
            found = self._db.execute("select title from titles where code = ?", (code,)).fetchone()
        return found[0] if found else None

    def search(self, typed: str, limit: int = 12) -> list[DiagnosisCode]:
        """Codes whose title or inclusion terms hold every typed word or its beginning; or that begin with a typed code."""
        text = typed.strip()
        if _CODE.fullmatch(text):
            code = text.upper()
            if "." not in code and len(code) > 3:
                code = f"{code[:3]}.{code[3:]}"
            query, values = "select code, title from titles where code >= ? and code < ? order by code limit ?", (code, code + "~", limit)
        else:
            words = _WORD.findall(text)
            if not words or len(text) < 2:
                return []
            match = " ".join(f'"{word}"*' for word in words)
            with self._lock:
                found = self._db.execute("select code, title from codes where codes match ? order by bm25(codes, 0, 4.0, 1.0) limit ?",
                                         (match, _WEIGHED)).fetchall()
            typed_words = [word.casefold() for word in words]
            found.sort(key=lambda row: (_weight(row[0], row[1], typed_words), row[0]))
            return [DiagnosisCode(*row) for row in found[:limit]]
        with self._lock:
            return [DiagnosisCode(*row) for row in self._db.execute(query, values)]


def _weight(code: str, title: str, typed: list[str]) -> float:
    """Smaller comes first: the plain form of what was typed before its rare kinds. A matter of convenience, never of meaning."""
    words = [word.casefold() for word in _WORD.findall(title)]
    whole = sum(word in words for word in typed)
    begun = sum(any(w.startswith(word) for w in words) for word in typed)
    weight = len(words) * 0.5 - whole * 3 - begun * 2
    if words and any(words[0].startswith(word) for word in typed):
        weight -= 2
    if _PLAIN.search(title):
        weight -= 4
    weight += 2 * len(_SPECIAL.findall(title))
    if code[0] in _LATER_CHAPTERS:
        weight += 5
    if len(code) == 8 and code[7] != "A":
        weight += 6
    return weight


@cache
def read_codes(path: Path) -> DiagnosisCodes:
    """The codes of a file, read once in this process."""
    return DiagnosisCodes(path)
