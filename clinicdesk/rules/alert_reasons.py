"""Why a doctor prescribes against an alert: a short list (reference clinical-safety R34), never a default, in words for the worst."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from clinicdesk.rules.safety import Alert

#: Stored code → words, in the order of the keys 1 to 6.
REASONS: Final[Mapping[str, str]] = MappingProxyType({
    "tolerated": "Patient tolerates it or took it before",
    "monitor": "Will monitor",
    "no_alternative": "No alternative",
    "allergy_wrong": "Allergy entry is wrong",
    "specialist": "Specialist advice",
    "dose_adjusted": "Dose adjusted",
})
#: Only alerts about an allergy can be due to a wrong entry.
ALLERGY_RULES: Final = frozenset({"allergy", "allergy-class", "allergy-cross-reaction"})
LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class GivenReason:
    """A reason for one alert as it stood (`about`): `words` a person wrote, `confirmed` by a second action."""

    about: str
    reason: str
    words: str = ""
    confirmed: bool = False


def about(alert: Alert) -> str:
    """What a reason is given for: the alert with what it said and the facts and data it used. Any change asks again."""
    said = "\x1f".join((alert.key, alert.medicine, alert.other, alert.sentence, alert.data_date, str(alert.tier), *alert.facts))
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def reasons_for(alert: Alert) -> tuple[str, ...]:
    """The codes that may be chosen for an alert."""
    return tuple(code for code in REASONS if code != "allergy_wrong" or alert.rule in ALLERGY_RULES)


def lacks(alert: Alert, given: GivenReason | None) -> str:
    """What is missing before a line with this alert may be signed, in words; empty when nothing is. Tier 1 alone keeps from signing."""
    if alert.tier != 1:
        return ""
    if given is None or given.about != about(alert) or given.reason not in reasons_for(alert):
        return "a reason"
    if not any(c.isalpha() for c in given.words) or len(given.words) > LONGEST:
        return "the reason in words"
    return "" if given.confirmed else "the confirmation"


def reason_of(alert: Alert, reasons: Iterable[GivenReason]) -> GivenReason | None:
    """The reason given for exactly this alert."""
    wanted = about(alert)
    return next((given for given in reasons if given.about == wanted), None)
