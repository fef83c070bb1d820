"""What a problem list says of pregnancy and of the kidneys: of now, not of the past, of others, or of what was wished for or ruled out.

What is not plainly said of this patient today counts as not recorded: the checks ask then, they do not state it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final

_PREGNANT: Final = re.compile(r"pregnan|antenatal|antepartum")
_KIDNEY: Final = re.compile(
    r"kidney|(?<!ad)(?<!supra)renal|(?<!pyelo)nephr|\bckd|\baki\b|\bes[rk][df]\b|\b[ca]rf\b|dialysis|glomerul|\bura?emi")
_NOT: Final = (r"no|not|non|nil|never|without|denie[sd]|negative|exclud\w*|rul\w+ out|unlikely|family|mother\w*|father\w*|sister\w*|"
               r"brother\w*|wife\w*|partner\w*|daughter\w*")
#: What stands up to three words before and takes it back.
_TAKEN_BACK: Final = re.compile(rf"\b(?:{_NOT})(?:\W+\w+){{0,3}}\W*$")
_NOT_NOW: Final = re.compile(
    r"\b(?:history|h/o|hx|previous\w*|prior|past|former\w*|earlier|ended|complet\w*|terminat\w*|abort\w*|miscarr\w*|prevent\w*|avoid\w*|"
    r"contracept\w*|plan\w*|wish\w*|want\w*|desir\w*|trying|hop\w*|fear\w*|suspect\w*|possib\w*|probab\w*|query|false|phantom|if)"
    r"(?:\W+\w+){0,3}\W*$|\b(?:pre|post|after|before|pseudo)\W*$|\?\W*$")
_TAKEN_BACK_AFTER: Final = re.compile(r"^\w*(?:\W+\w+){0,3}?\W+(?:ruled out|exclud\w*|unlikely|negative|not confirmed|absent)\b")
_ENDED: Final = re.compile(
    r"^\w*(?:\W+\w+){0,3}?\W+(?:end(?:ed|s)|terminat\w*|loss|deliver\w*|complet\w*|resolved|prevent\w*|counsel\w*|wish\w*|desire\w*|plann\w*|"
    r"test(?!\W+positive))\b")
_NORMAL: Final = re.compile(r"\bnormal\W*(?:\w+\W+)?$")
_NORMAL_AFTER: Final = re.compile(r"^\w*\W+(?:functions?|ultrasound|scan|tests?)\W+(?:\w+\W+)?normal\b")
_CLAUSES: Final = re.compile(r"[,;.]|\bwith\b|\bbut\b")
_YEAR: Final = re.compile(r"\b(?:19|20)\d\d\b")
#: The longest a pregnancy noted with a year may have lasted since.
_PREGNANCY: Final = timedelta(days=300)


def pregnancy_noted(problems: Iterable[str], today: date) -> bool:
    """Whether a problem says that this patient is pregnant now."""
    since = (today - _PREGNANCY).year
    return any(
        not _TAKEN_BACK.search(before) and not _NOT_NOW.search(before) and not _TAKEN_BACK_AFTER.match(after) and not _ENDED.match(after)
        for problem in problems if all(int(year) >= since for year in _YEAR.findall(problem))
        for before, after in _said(_PREGNANT, problem))


def kidney_problem(problems: Iterable[str]) -> str | None:
    """The first problem that is one of the kidneys, as written."""
    return next((
        problem for problem in problems for before, after in _said(_KIDNEY, problem)
        if not _TAKEN_BACK.search(before) and not _TAKEN_BACK_AFTER.match(after)
        and not _NORMAL.search(before) and not _NORMAL_AFTER.match(after)), None)


def _said(words: re.Pattern[str], problem: str) -> Iterable[tuple[str, str]]:
    """What stands before and after each place where one of the words stands, within its clause."""
    for clause in _CLAUSES.split(problem.casefold()):
        for match in words.finditer(clause):
            yield clause[:match.start()], clause[match.end():]
