"""What a password must be: 8 to 64 characters of any kind, not common, not the user name (FEATURES 1.3; after NIST SP 800-63B)."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from clinicdesk.errors import Invalid

SHORTEST: Final = 8
LONGEST: Final = 64


def prepare_password(typed: str) -> str:
    """The form that is hashed: composed Unicode, so that one password typed on two keyboards is one password. Nothing is trimmed."""
    return unicodedata.normalize("NFC", typed)


def check_password(typed: str, username: str = "", field: str = "password") -> str:
    """The prepared password, or `Invalid` saying what is allowed. Any character counts; there are no composition rules."""
    password = prepare_password(typed)
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(field, f"A password has {SHORTEST} to {LONGEST} characters; any character is allowed.")
    plain = password.casefold()
    if plain in _common():
        raise Invalid(field, "This password is on the list of common passwords and would be guessed at once. Choose another.")
    name = username.strip().casefold()
    if name and plain.strip() in {name, name[::-1], name + name}:
        raise Invalid(field, "The password must differ from the user name.")
    if len(set(plain)) == 1:
        raise Invalid(field, "A password needs more than one different character.")
    return password


@cache
def _common() -> frozenset[str]:
    # 30,000 by frequency, from the zxcvbn package (MIT); imported on first use because the list takes a moment to load.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]

    return frozenset(word.casefold() for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)
