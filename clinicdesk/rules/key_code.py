"""The clinic key as a person writes it on paper and types it again: letters and digits in groups of four, with a checksum."""

from __future__ import annotations

import base64
import binascii
import hashlib

_KEY, _CHECK = 32, 3  #: 35 octets are 56 characters of base 32 (RFC 4648 § 6) without any padding
_MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B"})  # digits that base 32 does not have, for the letters they are taken for


def key_code(key: bytes) -> str:
    """The 32-byte key as 14 groups of four characters."""
    if len(key) != _KEY:
        raise ValueError("a clinic key has 32 bytes")
    text = base64.b32encode(key + hashlib.sha256(key).digest()[:_CHECK]).decode()
    return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def read_key_code(typed: str) -> bytes | None:
    """The key of a code in any spacing and case; None when it is not one or has a mistake in it."""
    text = "".join(c for c in typed.upper() if c.isalnum()).translate(_MISREAD)
    try:
        raw = base64.b32decode(text)
    except (binascii.Error, ValueError):
        return None
    key, check = raw[:_KEY], raw[_KEY:]
    return key if len(raw) == _KEY + _CHECK and hashlib.sha256(key).digest()[:_CHECK] == check else None
