"""What meets: interactions and duplicate therapy, of each prescribed line with the current medicines and with the other lines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from clinicdesk.rules.checking.case import Case, Line, Named, alert, listed, slug
from clinicdesk.rules.safety import Alert

#: Groups of therapy that are often combined on purpose are not in the table; these are said, not asked.
_QUIET: Final = frozenset({"renin-angiotensin"})
_INFORMATION: Final = 3


def check_interactions(case: Case) -> Iterator[Alert]:
    """Both directions; a pair is said once, at the later line."""
    for line, other, current in _pairs(case):
        if line.named.local or other.local:
            continue
        best: dict[str, tuple[str, str]] = {}
        for one in line.named.ingredients:
            for two in other.ingredients:
                rules = case.knowledge.interactions.get((one, two), ())
                for rule in rules:
                    if rule.tier == rules[0].tier:  # they are sorted: what is milder for the same pair adds nothing
                        best.setdefault(rule.key, (one, two))
        worst = min((rule.tier for pair in best.values() for rule in case.knowledge.interactions[pair][:1]), default=_INFORMATION)
        for rule_key, (one, two) in best.items():
            rule = next(r for r in case.knowledge.interactions[one, two] if r.key == rule_key)
            if rule.tier == _INFORMATION > worst:
                continue  # “usually mild” beside a warning about the same two medicines would reassure falsely
            meets = "is a current medicine" if current else "is prescribed with it"
            yield alert(case, "interactions", "interaction", rule.tier, slug("interaction", rule.key, *sorted((one, two))),
                        line, f"{one} with {two}: {rule.what}", advice=rule.advice, other=other.text,
                        facts=(f"{other.text} {meets}",), source=rule.source)


def check_duplicates(case: Case) -> Iterator[Alert]:
    """The same ingredient twice, or two medicines of one therapy. A renewal of the same medicine is only said."""
    for line, other, current in _pairs(case):
        if line.named.local != other.local or not line.named.known:
            continue
        shared = [i for i in line.named.ingredients if i in other.ingredients]
        where = "already a current medicine" if current else "on another line of this prescription"
        if shared and current and set(line.named.ingredients) == set(other.ingredients):
            yield alert(case, "medicines", "duplicate", 3, slug("duplicate", "renewal", *shared), line,
                        f"{listed(shared)} is already a current medicine. Read as a renewal.",
                        advice="If this is an addition, stop the other one or check the total dose.", other=other.text,
                        facts=(f"{other.text} is a current medicine",))
        elif shared:
            yield alert(case, "medicines", "duplicate", 2, slug("duplicate", *shared), line,
                        f"{listed(shared)} would be taken twice: it is also in {other.text}, {where}.",
                        advice="Leave one out, or check the total dose.", other=other.text, facts=(f"{other.text} is {where}",))
        else:
            yield from _therapy(case, line, other, where)


def _therapy(case: Case, line: Line, other: Named, where: str) -> Iterator[Alert]:
    known = case.knowledge.medicines
    for one in line.named.ingredients:
        for two in other.ingredients:
            for therapy in sorted(known[one].therapy & known[two].therapy):
                tier = 3 if therapy in _QUIET else 2
                yield alert(case, "medicines", "duplicate", tier, slug("duplicate", therapy, *sorted((one, two))),
                            line, f"{one} and {two} are both {therapy}; {other.text} is {where}.",
                            advice="Stop one of them, unless both are wanted.", other=other.text, facts=(f"{other.text} is {where}",))


def _pairs(case: Case) -> Iterator[tuple[Line, Named, bool]]:
    """Each line with each current medicine (True) and with each line before it (False)."""
    for line in case.lines:
        for named in case.current:
            if named.known:
                yield line, named, True
        for before in case.lines:
            if before.number < line.number:
                yield line, before.named, False
