"""The answer to "is this paper genuine?", for a window, a command line and a program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Status = Literal["valid", "altered", "cancelled", "unknown key", "not checked"]
#: What each answer means in one sentence.
SENTENCES: Final[dict[Status, str]] = {
    "valid": "Genuine: signed by the prescriber and unchanged.",
    "altered": "Altered: this is not what was signed. Do not use it.",
    "cancelled": "Cancelled: it was genuine, and it no longer counts.",
    "unknown key": "Unknown key: signed by somebody this computer does not know.",
    "not checked": "Not checked: nothing was found that could be checked.",
}
#: A code proves what is in it; whether the paper around it says the same only a person sees.
_BY_EYE: Final = "The code is genuine. It proves what is listed here: compare that with the paper."
_IN_PART: Final = "Not checked as a whole: not every code of the paper was read."


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs from what was signed. `signed` and `found` are empty where there are no words."""

    what: str
    signed: str = ""
    found: str = ""

    def sentence(self) -> str:
        """For a person."""
        if not self.signed and not self.found:
            return self.what
        return f"{self.what}: signed “{self.signed or 'nothing'}”, found “{self.found or 'nothing'}”"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`details` are the signed elements as (label, value); `notes` say what was compared and what a person still has to compare.

    `by_eye`: only codes were judged, not the words around them (a picture, a scan, typed codes).
    """

    status: Status
    number: str = ""
    signed_by: str = ""
    key: str = ""
    at: str = ""
    cancelled_at: str = ""
    differences: tuple[Difference, ...] = ()
    details: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    by_eye: bool = False

    @property
    def sentence(self) -> str:
        """The answer in words."""
        if self.status == "valid" and self.by_eye:
            return _BY_EYE
        return _IN_PART if self.status == "not checked" and self.details else SENTENCES[self.status]
