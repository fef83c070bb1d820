"""Codes that are read aloud or copied from a slip: how they may be typed, and what a second factor's code looks like."""

from __future__ import annotations

import re
from typing import Final

DIGITS: Final = 6
_ALIKE: Final = str.maketrans("oil", "011")


def plain_code(typed: str) -> str:
    """A code as it is compared: small letters and digits without gaps; O counts as 0, I and L as 1 (Crockford's base 32)."""
    return re.sub(r"[^a-z0-9]", "", typed.casefold()).translate(_ALIKE)


def is_authenticator_code(typed: str) -> bool:
    """Whether what was typed or pasted is a whole code of an authenticator: six digits, with or without a gap."""
    return bool(re.fullmatch(rf"[0-9]{{{DIGITS}}}", re.sub(r"[\s-]", "", typed), re.ASCII))
