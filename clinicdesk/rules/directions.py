"""How a medicine is to be taken: the structured direction, its wording in full words, its quantity, and what it still lacks.

The tables of routes, forms and frequencies are the pick lists; no label holds an abbreviation (a test runs the lexicon over all of
them). Legal completeness after reference clinical-safety § 1.6, P4–P9.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules.doses import DOSE_UNITS, fmt_dose, fmt_number
from clinicdesk.rules.moments import WEEKDAYS
from clinicdesk.rules.texts import tidy


@dataclass(frozen=True, slots=True)
class Route:
    """A way of giving: stored `name`, `label` for lists and paper, and the sentence: `verb` + dose + `where`."""

    name: str
    label: str
    verb: str
    where: str


_ROUTES: Final = (
    Route("oral", "by mouth", "Take", "by mouth"),
    Route("sublingual", "under the tongue", "Put", "under the tongue"),
    Route("buccal", "between gum and cheek", "Put", "between the gum and the cheek"),
    Route("inhaled", "inhaled", "Inhale", ""),
    Route("nebulised", "inhaled through a nebuliser", "Inhale", "through a nebuliser"),
    Route("nasal", "into the nose", "Use", "in the nose"),
    Route("each nostril", "into each nostril", "Use", "in each nostril"),
    Route("topical", "on the skin", "Apply", "to the skin"),
    Route("transdermal", "patch on the skin", "Apply", "to the skin"),
    Route("right eye", "into the right eye", "Put", "into the right eye"),
    Route("left eye", "into the left eye", "Put", "into the left eye"),
    Route("both eyes", "into both eyes", "Put", "into each eye"),
    Route("right ear", "into the right ear", "Put", "into the right ear"),
    Route("left ear", "into the left ear", "Put", "into the left ear"),
    Route("both ears", "into both ears", "Put", "into each ear"),
    Route("rectal", "into the rectum", "Insert", "into the rectum"),
    Route("vaginal", "into the vagina", "Insert", "into the vagina"),
    Route("subcutaneous", "injected under the skin", "Inject", "under the skin"),
    Route("intramuscular", "injected into a muscle", "Inject", "into a muscle"),
    Route("intravenous", "injected into a vein", "Inject", "into a vein"),
    Route("infusion", "infusion into a vein", "Give", "by infusion into a vein"),
    Route("intradermal", "injected into the skin", "Inject", "into the skin"),
    Route("feeding tube", "through a feeding tube", "Give", "through the feeding tube"),
    Route("mouthwash", "mouthwash, not swallowed", "Rinse the mouth with", "and spit out"),
)
ROUTES: Final[Mapping[str, Route]] = MappingProxyType({r.name: r for r in _ROUTES})
#: Where “apply” without an amount is a whole direction.
DOSE_FREE_ROUTES: Final = frozenset({"topical"})


@dataclass(frozen=True, slots=True)
class Form:
    """A pharmaceutical form: stored `name` (also its label), the usual route and dose unit, and whether a strength belongs to it."""

    name: str
    route: str
    unit: str
    strength: bool = True


_FORMS: Final = (
    Form("tablet", "oral", "tablet"), Form("modified-release tablet", "oral", "tablet"), Form("gastro-resistant tablet", "oral",
                                                                                              "tablet"),
    Form("dispersible tablet", "oral", "tablet"), Form("chewable tablet", "oral", "tablet"), Form("sublingual tablet", "sublingual",
                                                                                                  "tablet"),
    Form("capsule", "oral", "capsule"), Form("modified-release capsule", "oral", "capsule"), Form("oral solution", "oral", "mL"),
    Form("oral suspension", "oral", "mL"), Form("syrup", "oral", "mL"), Form("oral drops", "oral", "drop"), Form("powder", "oral",
                                                                                                                 "sachet"),
    Form("granules", "oral", "sachet"), Form("lozenge", "oral", "lozenge"), Form("inhaler", "inhaled", "puff"),
    Form("dry powder inhaler", "inhaled", "puff"), Form("nebuliser solution", "nebulised", "mL"), Form("nasal spray", "nasal", "spray"),
    Form("nasal drops", "nasal", "drop"), Form("eye drops", "both eyes", "drop"), Form("eye ointment", "both eyes", "application"),
    Form("ear drops", "both ears", "drop"), Form("cream", "topical", "application"), Form("ointment", "topical", "application"),
    Form("gel", "topical", "application"), Form("oral gel", "oral", "mL"), Form("lotion", "topical", "application"),
    Form("shampoo", "topical", "application"),
    Form("transdermal patch", "transdermal", "patch"), Form("suppository", "rectal", "suppository"), Form("pessary", "vaginal",
                                                                                                          "pessary"),
    Form("enema", "rectal", "dose"), Form("solution for injection", "intramuscular", "mg"), Form("prefilled pen", "subcutaneous", "unit"),
    Form("prefilled syringe", "subcutaneous", "mg"), Form("solution for infusion", "infusion", "mg"),
    Form("powder for injection", "intravenous", "mg"), Form("mouthwash", "mouthwash", "mL"), Form("emollient", "topical", "application",
                                                                                                  strength=False),
    Form("dressing", "topical", "application", strength=False), Form("device", "topical", "dose", strength=False),
)
FORMS: Final[Mapping[str, Form]] = MappingProxyType({f.name: f for f in _FORMS})

_TIMES: Final = MappingProxyType({1: "once a day", 2: "twice a day", 3: "three times a day", 4: "four times a day", 5: "five times a day",
                                  6: "six times a day"})
_WEEKS: Final = MappingProxyType({168: "once a week", 336: "every 2 weeks", 504: "every 3 weeks", 672: "every 4 weeks"})


@dataclass(frozen=True, slots=True)
class Direction:
    """How to take one medicine. At most one of `times_per_day`, `every_hours` and `once`; `weekdays` (0 is Monday) narrows the days.

    `max_per_day` is in `dose_unit`, `rate` is words ("100 mL per hour"), `text` a further sentence for the patient.
    """

    dose_value: Decimal | None = None
    dose_unit: str = ""
    route: str = ""
    times_per_day: int | None = None
    every_hours: int | None = None
    weekdays: tuple[int, ...] = ()
    once: bool = False
    as_needed: bool = False
    as_needed_for: str = ""
    min_interval_hours: int | None = None
    max_per_day: Decimal | None = None
    duration_days: int | None = None
    rate: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Frequency:
    """An entry of the frequency list; `applied` puts it into a direction."""

    label: str
    times_per_day: int | None = None
    every_hours: int | None = None
    weekdays: tuple[int, ...] = ()
    once: bool = False
    as_needed: bool = False

    def applied(self, direction: Direction) -> Direction:
        """The direction with this frequency instead of its own."""
        return replace(direction, times_per_day=self.times_per_day, every_hours=self.every_hours, weekdays=self.weekdays, once=self.once,
                       as_needed=self.as_needed)


FREQUENCIES: Final = (
    *(Frequency(words, times_per_day=n) for n, words in _TIMES.items()),
    *(Frequency(f"every {h} hours", every_hours=h) for h in (2, 3, 4, 6, 8, 12)),
    Frequency("every other day", every_hours=48),
    Frequency("every 72 hours", every_hours=72),
    Frequency("once a week", every_hours=168),
    Frequency("every 2 weeks", every_hours=336),
    Frequency("every 4 weeks", every_hours=672),
    *(Frequency(f"once a week, on {name}", times_per_day=1, weekdays=(i,)) for i, name in enumerate(WEEKDAYS)),
    Frequency("once only", once=True),
    Frequency("as needed", as_needed=True),
)


def check_direction(d: Direction) -> Direction:
    """The direction itself, or `Invalid` naming its field when a value is impossible; gaps are not errors here (`missing_elements`)."""
    rules = (
        ("dose_unit", d.dose_value is None or d.dose_unit in DOSE_UNITS, "Choose the unit of the dose from the list."),
        ("dose_value", d.dose_value is None or d.dose_value > 0, "A dose is more than zero."),
        ("route", not d.route or d.route in ROUTES, "Choose the route from the list."),
        ("times_per_day", d.times_per_day is None or 1 <= d.times_per_day <= 24, "A dose is given 1 to 24 times a day."),
        ("every_hours", d.every_hours is None or 1 <= d.every_hours <= 744, "The time between doses is 1 to 744 hours (31 days)."),
        ("every_hours", (d.times_per_day is not None) + (d.every_hours is not None) + d.once <= 1, "Choose one frequency, not two."),
        ("weekdays", set(d.weekdays) <= set(range(7)), "A weekday is Monday to Sunday."),
        ("min_interval_hours", d.min_interval_hours is None or 1 <= d.min_interval_hours <= 168,
         "The shortest time between doses is 1 to 168 hours (7 days)."),
        ("max_per_day", d.max_per_day is None or d.max_per_day >= (d.dose_value or 0), "The most in a day is at least one dose."),
        ("max_per_day", d.max_per_day is None or d.max_per_day > 0, "The most in a day is more than zero."),
        ("duration_days", d.duration_days is None or 1 <= d.duration_days <= 366, "A course lasts 1 to 366 days."),
    )
    for field, holds, sentence in rules:
        if not holds:
            raise Invalid(field, sentence)
    return d


def in_words(direction: Direction) -> str:
    """The direction as full sentences for the patient, for example `Take 1 tablet by mouth three times a day for 7 days.`

    What is not known is left out, never guessed. Raises like `check_direction`.
    """
    d = check_direction(direction)
    sentences = []
    first = " ".join(part for part in (_giving(d), _when(d), _reason(d), _for_days(d)) if part)
    if first:
        sentences.append(first[0].upper() + first[1:] + ".")
    if d.min_interval_hours is not None:
        hours = "1 hour" if d.min_interval_hours == 1 else f"{d.min_interval_hours} hours"
        sentences.append(f"Wait at least {hours} between doses.")
    if d.max_per_day is not None:
        sentences.append(f"No more than {fmt_dose(d.max_per_day, d.dose_unit or 'dose')} in 24 hours.")
    if text := tidy(d.text):
        sentences.append(text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else "."))
    return " ".join(sentences)


def dose_words(d: Direction) -> str:
    """The amount of one dose: `1 tablet`, `half a tablet`, `500 mg`; empty when none is given."""
    if d.dose_value is None or not d.dose_unit:
        return ""
    unit = DOSE_UNITS[d.dose_unit]
    if d.dose_value == Decimal("0.5") and unit.name in {"tablet", "sachet", "suppository"}:
        return f"half a {unit.name}"
    return fmt_dose(d.dose_value, d.dose_unit)


def frequency_words(d: Direction) -> str:
    """How often: `three times a day`, `every 6 hours`, `once a day on Monday and Thursday`, `as needed`; empty when not given."""
    return " ".join(part for part in (_when(d), "as needed" if d.as_needed else "") if part)


def _giving(d: Direction) -> str:
    route = ROUTES.get(d.route)
    if route is None and d.dose_value is None:
        return ""
    verb, where = (route.verb, route.where) if route else ("Use", "")
    if d.route == "transdermal" and d.dose_unit != "patch":
        where += " as a patch"
    rate = f"at {tidy(d.rate)}" if d.rate else ""
    return " ".join(part for part in (verb, dose_words(d), where, rate) if part)


def _when(d: Direction) -> str:
    up_to = "up to " if d.as_needed else ""
    if d.once:
        return "once only"
    often = ""
    if d.times_per_day is not None:
        often = f"{up_to}{_TIMES.get(d.times_per_day, f'{d.times_per_day} times a day')}"
    elif d.every_hours == 48:
        often = "every other day"
    elif d.every_hours is not None:
        often = "every hour" if d.every_hours == 1 else _WEEKS.get(d.every_hours, f"every {d.every_hours} hours")
    days = sorted(set(d.weekdays))
    if not days or len(days) == 7:
        return often
    if len(days) == 1 and d.times_per_day == 1:  # “once a day on Monday” has been read as every day
        return f"once a week on {WEEKDAYS[days[0]]}"
    names = [WEEKDAYS[i] for i in days]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{often} on {listed}".strip() if often else f"every {listed}"


def _reason(d: Direction) -> str:
    if not d.as_needed:
        return ""
    reason = tidy(d.as_needed_for)
    return f"as needed for {reason}" if reason else "as needed"


def _for_days(d: Direction) -> str:
    if d.duration_days is None or d.once:
        return ""
    return "for 1 day" if d.duration_days == 1 else f"for {d.duration_days} days"


def quantity(direction: Direction) -> Decimal | None:
    """How much the whole course needs in the dose unit, rounded up to whole doses; None where dose, frequency or duration is open.

    As-needed courses count the most that may be taken: `max_per_day`, else the frequency, else the shortest interval.
    """
    d = check_direction(direction)
    if d.dose_value is None or (d.duration_days is None and not d.once):
        return None
    if d.once or d.duration_days is None:
        return d.dose_value
    if d.as_needed and d.max_per_day is not None:
        return d.max_per_day * d.duration_days
    hours = d.every_hours or (d.min_interval_hours if d.as_needed and d.times_per_day is None else None)
    days_used = d.duration_days
    if d.weekdays:
        days_used = math.ceil(Decimal(d.duration_days * len(set(d.weekdays))) / 7)
    if d.times_per_day is not None:
        return d.dose_value * d.times_per_day * days_used
    if hours:
        return d.dose_value * math.ceil(Decimal(days_used * 24) / hours)
    return d.dose_value * days_used if d.weekdays else None


def quantity_words(value: Decimal, unit: str) -> str:
    """A quantity in figures and words, `21 tablets (twenty-one)`: forged or misread figures show (P7, P14)."""
    figures = fmt_dose(value, unit) if unit in DOSE_UNITS else f"{fmt_number(value)} {unit}"
    number = Decimal(figures.split(" ", 1)[0].replace(",", ""))
    return f"{figures} ({spelled(int(number))})" if number == int(number) and number < 10_000 else figures


_ONES: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
                "fourteen",
                "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def spelled(number: int) -> str:
    """A whole number from 0 to 9,999 in English words."""
    if number < 20:
        return _ONES[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens - 2] + (f"-{_ONES[ones]}" if ones else "")
    size, name = (100, "hundred") if number < 1_000 else (1_000, "thousand")
    count, rest = divmod(number, size)
    joint = " and " if rest < 100 else " "
    return f"{spelled(count)} {name}" + (f"{joint}{spelled(rest)}" if rest else "")


def missing_elements(d: Direction, *, medicine: str, strength: str, form: str, quantity_text: str) -> tuple[str, ...]:
    """What one item lacks to be legally complete (P4–P7), in words and in the order of the form; empty when it may be signed.

    As needed must say the shortest time between doses (“every 6 hours” does), the most in a day, and what for. A free `text` direction
    counts as frequency only together with a dose and a route.
    """
    known = FORMS.get(form)
    regular = d.once or d.times_per_day is not None or d.every_hours is not None or bool(d.weekdays)
    checks = (
        ("name of the medicine", bool(medicine.strip())),
        ("strength", bool(strength.strip()) or (known is not None and not known.strength)),
        ("form", bool(form.strip())),
        ("dose", d.dose_value is not None and bool(d.dose_unit)),
        ("route", bool(d.route)),
        ("how often", regular or d.as_needed),
        ("what it is needed for", not d.as_needed or bool(d.as_needed_for.strip())),
        ("shortest time between doses", not d.as_needed or d.min_interval_hours is not None or d.every_hours is not None),
        ("most in a day", not d.as_needed or d.max_per_day is not None),
        ("duration or quantity", d.once or d.duration_days is not None or bool(quantity_text.strip())),
    )
    return tuple(name for name, present in checks if not present)
