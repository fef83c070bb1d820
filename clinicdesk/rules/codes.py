"""Canonical text in a printed code and back: parts of a size a scanner reads from a grey copy, in the letters of a QR code's compact mode.

A payload is `CD1:` and, in base 45 (RFC 9285): key id (4 bytes), CRC-32 (4), part and parts (1 each), signature (64), and the
canonical text made short by `code_words`. The checksum finds a misread letter without any key; the signature says who wrote it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from clinicdesk.rules.canonical import END, HEAD, KINDS, VERSION, Field, NotCanonical, Paper, read, written
from clinicdesk.rules.code_words import packed, unpacked

PREFIX: Final = "CD1:"
ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
KEY_ID, SIGNATURE = 4, 64
_FIXED: Final = KEY_ID + 4 + 2 + SIGNATURE
#: Characters of version 10 (57 modules) at the lowest error correction in alphanumeric mode, ISO/IEC 18004 table 7.
MOST_LETTERS: Final = 395
MOST_BYTES: Final = (MOST_LETTERS - len(PREFIX)) // 3 * 2
MOST_PARTS: Final = 99
_PURPOSE: Final = b"ClinicDesk paper code 1\0"
#: Letters of a number: Crockford's base 32.
NUMBER_LETTERS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_NUMBER: Final = re.compile(f"([A-Z]{{2}})-([{NUMBER_LETTERS}]{{4}})-([{NUMBER_LETTERS}]{{4}})")
_EPOCH: Final = datetime(2000, 1, 1)  # noqa: DTZ001  a time of the clinic's wall clock, as printed


class Unreadable(ValueError):
    """A payload that cannot be read; `at` is the first letter at fault from 1, or 0 when no single one can be named."""

    def __init__(self, words: str, at: int = 0) -> None:
        super().__init__(words)
        self.at = at


@dataclass(frozen=True, slots=True)
class Stamp:
    """Who signs: the id of the key and the signing itself."""

    key_id: bytes
    sign: Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Part:
    """A payload taken apart; nothing is proven yet except the checksum."""

    key_id: bytes
    number: int
    total: int
    signature: bytes
    text: str

    @property
    def signed(self) -> bytes:
        """The bytes under the signature."""
        return signed_bytes(self.key_id, self.number, self.total, self.text)

    @property
    def fields(self) -> list[Field]:
        """What it says; NotCanonical when that is not of this version."""
        return read(self.text)


def signed_bytes(key_id: bytes, number: int, total: int, text: str) -> bytes:
    """What the signature of a part covers: purpose, key, place and the canonical text."""
    return _PURPOSE + key_id + bytes([number, total]) + text.encode()


def pieces(head: Sequence[Field], content: Sequence[Field]) -> list[list[Field]]:
    """The content in pieces that each fit a code together with the head; a field longer than a code is cut between letters."""
    found: list[list[Field]] = [[]]
    waiting = list(content)
    while waiting:
        field = waiting.pop(0)
        if _fits(head, [*found[-1], field]):
            found[-1].append(field)
            continue
        if found[-1]:
            found.append([])
            waiting.insert(0, field)
            continue
        most, least = len(field.value), 1
        while least < most:
            middle = (least + most + 1) // 2
            least, most = (middle, most) if _fits(head, [Field(field.code, field.value[:middle])]) else (least, middle - 1)
        if not _fits(head, [Field(field.code, field.value[:least])]):
            raise NotCanonical("the name of the patient alone does not fit a code")
        found[-1].append(Field(field.code, field.value[:least]))
        found.append([])
        waiting.insert(0, Field("+", field.value[least:]))
    return found if found[-1] else found[:-1]


def _fits(head: Sequence[Field], content: Sequence[Field]) -> bool:
    return _FIXED + len(_packed([*head, *content])) <= MOST_BYTES


def payload(stamp: Stamp, number: int, total: int, fields: Sequence[Field]) -> str:
    """The letters of one code."""
    text = written(fields)
    signature = stamp.sign(signed_bytes(stamp.key_id, number, total, text))
    rest = bytes([number, total]) + signature + _packed(fields)
    return PREFIX + base45(stamp.key_id + zlib.crc32(stamp.key_id + rest).to_bytes(4, "big") + rest)


def payloads(stamp: Stamp, paper: Paper, pages: Sequence[Sequence[int]]) -> list[list[str]]:
    """The codes of each page: `pages` are the numbers of the units that begin on it; every code says its place among all."""
    cut = [pieces(paper.head, [f for unit in page for f in paper.units[unit]]) for page in pages]
    total = sum(len(page) for page in cut)
    if total > MOST_PARTS:
        raise NotCanonical("more text than codes can hold")
    number, found = 0, []
    for page in cut:
        codes = []
        for piece in page:
            number += 1
            codes.append(payload(stamp, number, total, [*paper.head, *piece]))
        found.append(codes)
    return found


def taken_apart(letters: str) -> Part:
    """A payload as scanned or pasted; Unreadable names the letter at fault where one can be named."""
    raw = opened(letters)
    if not _whole(raw):
        raise Unreadable("The checksum does not fit: at least one letter was changed or misread.")
    key_id, rest = raw[:KEY_ID], raw[KEY_ID + 4:]
    text = _unpacked(rest[2 + SIGNATURE:])
    return Part(key_id, rest[0], rest[1], rest[2:2 + SIGNATURE], text)


def opened(letters: str) -> bytes:
    """The bytes of a payload, unchecked."""
    if not letters.startswith(PREFIX):
        wrong = next((n for n, (a, b) in enumerate(zip(letters, PREFIX, strict=False), 1) if a != b), len(letters))
        raise Unreadable("This is not a code of a ClinicDesk paper.", wrong)
    raw = unbase45(letters[len(PREFIX):], len(PREFIX))
    if len(raw) <= _FIXED:
        raise Unreadable("The code is cut short.", len(letters))
    return raw


def one_letter_away(letters: str) -> Iterator[tuple[int, str]]:
    """Every payload that differs in one letter and whose checksum fits, as (place from 1, letter): where a single letter was changed.

    At most some 18,000 tries of two microseconds.
    """
    start = len(PREFIX)
    wrong = [n for n in range(start) if letters[n:n + 1] != PREFIX[n]]
    if wrong:
        if len(wrong) == 1 and _whole(_group_bytes(letters[start:])):
            yield wrong[0] + 1, PREFIX[wrong[0]]
        return
    groups = [letters[n:n + 3] for n in range(start, len(letters), 3)]
    known = [_group_bytes(group) for group in groups]
    broken = [n for n, data in enumerate(known) if data is None]
    if len(broken) > 1:
        return
    for n in broken or range(len(groups)):
        before = b"".join(data for data in known[:n] if data is not None)
        after = b"".join(data for data in known[n + 1:] if data is not None)
        for place, old in enumerate(groups[n]):
            for letter in ALPHABET:
                middle = _group_bytes(groups[n][:place] + letter + groups[n][place + 1:]) if letter != old else None
                if middle is not None and _whole(before + middle + after):
                    yield start + 3 * n + place + 1, letter


def _group_bytes(letters: str) -> bytes | None:
    try:
        return unbase45(letters)
    except Unreadable:
        return None


def _whole(raw: bytes | None) -> bool:
    """Whether the checksum fits."""
    return raw is not None and len(raw) > _FIXED and zlib.crc32(raw[:KEY_ID] + raw[KEY_ID + 4:]) == int.from_bytes(raw[KEY_ID:KEY_ID + 4],
                                                                                                                   "big")


def base45(data: bytes) -> str:
    """RFC 9285."""
    letters = []
    for n in range(0, len(data), 2):
        pair = data[n:n + 2]
        value = int.from_bytes(pair, "big")
        for _ in range(3 if len(pair) == 2 else 2):
            value, digit = divmod(value, 45)
            letters.append(ALPHABET[digit])
    return "".join(letters)


def unbase45(letters: str, offset: int = 0) -> bytes:
    """RFC 9285 back; Unreadable names the letter (counted from `offset`)."""
    data = bytearray()
    if len(letters) % 3 == 1:
        raise Unreadable("A letter is missing or too many.", offset + len(letters))
    for n in range(0, len(letters), 3):
        value, group = 0, letters[n:n + 3]
        for place in range(len(group) - 1, -1, -1):
            digit = ALPHABET.find(group[place])
            if digit < 0:
                raise Unreadable(f"“{group[place]}” cannot stand in a code.", offset + n + place + 1)
            value = value * 45 + digit
        size = len(group) - 1
        if value >= 256 ** size:
            raise Unreadable("These letters cannot stand together in a code.", offset + n + 1)
        data += value.to_bytes(size, "big")
    return bytes(data)


def _packed(parts: Sequence[Field]) -> bytes:
    """Kind and number in 6 bytes, issue in 4, birth in 3, the other fields as text."""
    known = {f.code: f.value for f in parts[:len(HEAD)]}
    number = _NUMBER.fullmatch(known["n"])
    if "".join(f.code for f in parts[:len(HEAD)]) != HEAD or number is None or number.group(1) != KINDS[known["k"]][1]:
        raise NotCanonical("a head this version does not know")
    value = 0
    for letter in number.group(2) + number.group(3):
        value = value * 32 + NUMBER_LETTERS.index(letter)
    minutes = (datetime.strptime(known["t"], "%Y-%m-%d %H:%M") - _EPOCH) // timedelta(minutes=1)  # noqa: DTZ007
    fixed = (bytes([list(KINDS).index(known["k"])]) + value.to_bytes(5, "big") + minutes.to_bytes(4, "big")
             + date.fromisoformat(known["b"]).toordinal().to_bytes(3, "big"))
    return fixed + packed("".join(f.written() for f in parts if f.code not in "kntb"))


def _unpacked(data: bytes) -> str:
    try:
        kind = list(KINDS)[data[0]]
        value, letters = int.from_bytes(data[1:6], "big"), ""
        for _ in range(8):
            value, digit = divmod(value, 32)
            letters = NUMBER_LETTERS[digit] + letters
        issued = _EPOCH + timedelta(minutes=int.from_bytes(data[6:10], "big"))
        born = date.fromordinal(int.from_bytes(data[10:13], "big"))
        rest = read(VERSION + END + unpacked(data[13:]))
        known = {f.code: f for f in rest[:4]}
        head = [Field("k", kind), Field("n", f"{KINDS[kind][1]}-{letters[:4]}-{letters[4:]}"), Field("t", f"{issued:%Y-%m-%d %H:%M}"),
                known["f"], known["g"], Field("b", born.isoformat()), known["s"], known["r"]]
    except (ValueError, KeyError, IndexError, OverflowError):
        raise Unreadable("The text of the code cannot be opened.") from None
    return written([*head, *rest[4:]])
