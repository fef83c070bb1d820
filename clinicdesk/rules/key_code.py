"""The clinic key as a person writes it on paper and types it again: letters and digits in groups of four, with a checksum."""

from __future__ import annotations

import base64
import binascii
import hashlib

_KEY, _CHECK = 32, 3  #: 35 octets are 56 characters of base 32 (RFC 4648 § 6) without any padding
KIT_PREFIX = "CDKEY1:"  #: how the square code of a recovery kit begins; upper case, so that it takes the shorter alphanumeric form
_MISREAD = str.maketrans({"0": "O", "1": "I", "8": "B"})  # digits that base 32 does not have, for the letters they are taken for


def key_code(key: bytes) -> str:
    """The 32-byte key as 14 groups of four characters."""
    if len(key) != _KEY:
        raise ValueError("a clinic key has 32 bytes")
    text = base64.b32encode(key + hashlib.sha256(key).digest()[:_CHECK]).decode()
    return "-".join(text[n : n + 4] for n in range(0, len(text), 4))


def kit_text(key: bytes) -> str:
    """What the square code of the recovery kit says."""
    return KIT_PREFIX + key_code(key)


def key_fingerprint(key: bytes) -> str:
    """Sixteen hexadecimal digits by which two people compare keys aloud. Says nothing about the key, which is random."""
    digits = hashlib.sha256(b"ClinicDesk clinic key\0" + key).hexdigest()[:16].upper()
    return " ".join(digits[n : n + 4] for n in range(0, 16, 4))


def enrolment_code(public: bytes) -> str:
    """Twelve letters and digits (60 bits) for the public key of a computer that asks for the clinic key.

    Whoever could change the database in the quarter of an hour a request lives cannot make another key with the same code.
    """
    text = base64.b32encode(hashlib.sha256(b"ClinicDesk enrolment\0" + public).digest()).decode()[:12]
    return "-".join(text[n : n + 4] for n in range(0, 12, 4))


def read_key_code(typed: str) -> bytes | None:
    """The key of a code in any spacing and case, or of a kit's square code; None when it is not one or has a mistake in it."""
    text = "".join(c for c in typed.strip().upper().removeprefix(KIT_PREFIX) if c.isalnum()).translate(_MISREAD)
    try:
        raw = base64.b32decode(text)
    except (binascii.Error, ValueError):
        return None
    key, check = raw[:_KEY], raw[_KEY:]
    return key if len(raw) == _KEY + _CHECK and hashlib.sha256(key).digest()[:_CHECK] == check else None
