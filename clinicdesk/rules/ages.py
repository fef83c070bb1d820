"""Age as shown on a banner or paper, and completed years for rules that depend on age.

Units follow table 7/8 of the NHS CUI patient banner guide (reference clinical-safety R7).
"""

from __future__ import annotations

from calendar import monthrange
from datetime import date, datetime, timedelta

from clinicdesk.errors import Invalid


def whole_months(born: date, on: date) -> int:
    """Completed months of life on a day; who was born on a 31st completes one on the 1st where the month has no 31st."""
    return (on.year - born.year) * 12 + on.month - born.month - (on.day < born.day)


def _after_months(born: date, months: int) -> date:
    year, month = divmod(born.year * 12 + born.month - 1 + months, 12)
    return date(year, month + 1, min(born.day, monthrange(year, month + 1)[1]))


def years(born: date, on: date) -> int:
    """Completed years of life on a day; someone born on 29 February completes a year on 1 March of a common year."""
    if isinstance(born, datetime):
        born = born.date()
    if isinstance(on, datetime):
        on = on.date()
    return whole_months(born, on) // 12


def age_text(born: date, at: datetime) -> str:
    """Age at a moment in the units of R7: `90min`, `26hrs`, `27d`, `4w 1d`, `13m 8d`, `4y 1m`, `61y`; units of zero are left out.

    `born` may be a date or an aware datetime; minutes and hours need the time of birth, else days are used from birth on. Dates are
    compared in the zone of `at`. `Invalid("born")` when the birth is later than `at`.
    """
    if isinstance(born, datetime):
        elapsed = at.timestamp() - born.timestamp()
        birthday = born.astimezone(at.tzinfo).date() if born.tzinfo else born.date()
        if elapsed < 0:
            raise Invalid("born", "The date of birth is in the future.")
        if elapsed < 2 * 86_400:
            return f"{int(elapsed // 60)}min" if elapsed < 2 * 3_600 else f"{int(elapsed // 3_600)}hrs"
        days = int(elapsed // 86_400)
    else:
        birthday = born
        days = (at.date() - birthday) // timedelta(days=1)
        if days < 0:
            raise Invalid("born", "The date of birth is in the future.")
    if days < 28:
        return f"{days}d"
    months = whole_months(birthday, at.date())
    if months < 12:
        return _joined(days // 7, "w", days % 7, "d")
    if months < 24:
        return _joined(months, "m", (at.date() - _after_months(birthday, months)).days, "d")
    return _joined(months // 12, "y", months % 12 if months < 18 * 12 else 0, "m")


def _joined(major: int, major_unit: str, minor: int, minor_unit: str) -> str:
    return f"{major}{major_unit}" + (f" {minor}{minor_unit}" if minor else "")
