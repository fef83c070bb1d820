"""Typed text made comparable: composed Unicode, visible characters, Latin digits."""

from __future__ import annotations

import unicodedata

_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs"})


def tidy(text: str) -> str:
    """Composed Unicode without invisible characters, spaces collapsed and trimmed: one line of text as it is stored."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if c.isspace() else c for c in composed if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    return " ".join(visible.split())


def latin_digits(text: str) -> str:
    """The same text with decimal digits of any script as 0–9, so that digits typed on an Arabic or Hindi keyboard count."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)


def size_words(octets: int) -> str:
    """Bytes as a person reads them."""
    size, unit = float(octets), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:
            break
        size, unit = size / 1000, larger
    return f"{octets} bytes" if unit == "bytes" else f"{size:.1f} {unit}"
