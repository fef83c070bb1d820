"""Puts the pieces of a typed line together: one dose, one route, one frequency, one duration, or a question for each that is not one."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Final

from clinicdesk.errors import Invalid
from clinicdesk.rules import shorthand_words as w
from clinicdesk.rules.directions import DOSE_FREE_ROUTES, Direction, check_direction, in_words
from clinicdesk.rules.doses import DOSE_UNITS, fmt_number
from clinicdesk.rules.formulary import Formulary, Product
from clinicdesk.rules.numerals import Unsure, number
from clinicdesk.rules.shorthand_answers import HOW_MUCH, HOW_OFTEN, Parsed, Question, Unclear
from clinicdesk.rules.shorthand_doses import Reading, settle
from clinicdesk.rules.shorthand_fits import Amount, amount_words, not_on_file, other_units, piece_words, strengths_of
from clinicdesk.rules.shorthand_names import MedicineFound, find_medicine
from clinicdesk.rules.shorthand_scan import Piece, next_start, piece_at, reason_after, word_at
from clinicdesk.rules.shorthand_sense import contradictions

_COUNTS: Final = w.COUNTED | {"unit", "international unit"}
#: Pieces that say when.
_TIMES: Final = frozenset({"times", "every", "every_range", "moment", "weekdays", "weekly_on", "schedule", "once", "prn", "two"})


class LineReader:
    """Collects the pieces of one line and puts them together."""

    def __init__(self, formulary: Formulary | None) -> None:
        self.formulary = formulary
        self.questions: list[Question] = []
        self.pieces: list[Piece] = []
        self.medicine: MedicineFound | None = None

    def ask(self, about: str, sentence: str, *choices: str) -> None:
        self.questions.append(Question(about, sentence, choices))

    def read(self, s: str) -> None:
        at, started = next_start(s, 0), False
        while at < len(s):
            if (named := self._named(s, at, first=not started)) is not None:
                at, started = named, True
            elif (found := piece_at(s, at)) is not None:
                piece, at = found
                if piece.kind == "prn":
                    words, at = reason_after(s, at)
                    piece = replace(piece, value=words)
                started = started or piece.kind != "filler"
                self.pieces.append(piece)
            elif (reason := reason_after(s, at))[0]:
                self.pieces.append(Piece("reason", reason[0], reason[0]))
                at = reason[1]
            else:
                word = word_at(s, at)
                self.ask("text", f"“{word}” is not understood.")
                at, started = at + len(word), True
            at = next_start(s, at)

    def _named(self, s: str, at: int, *, first: bool) -> int | None:
        if self.formulary is None or self.medicine is not None:
            return None
        found = find_medicine(s, at, self.formulary, first=first)
        if found is None:
            return None
        if found.problem:
            self.ask("medicine", found.problem, *found.choices)
        self.medicine = found
        return found.end

    def all(self, kind: str) -> list[Piece]:
        return [piece for piece in self.pieces if piece.kind == kind]

    def one(self, kind: str, what: str) -> Piece | None:
        """The piece of a kind that may be said once; saying it twice differently is a question."""
        found = self.all(kind)
        if len({str(piece.value) for piece in found}) > 1:
            self.ask(kind, f"{what} is said twice: {' and '.join(piece.text for piece in found)}.")
            return None
        return found[0] if found else None

    def number(self, text: str, about: str, unit: str = "") -> Decimal | None:
        try:
            return number(text, unit)
        except Unsure as doubt:
            words = {choice: DOSE_UNITS[unit].word(number(choice)) if unit else "" for choice in doubt.choices}
            self.ask(about, doubt.sentence, *(f"{choice} {word}".strip() for choice, word in words.items()))
            return None

    def whole(self, text: str, about: str) -> int | None:
        value = self.number(text, about)
        if value is None:
            return None
        if value != int(value) or not 0 < value < 10_000:
            self.ask(about, f"“{text}” must be a whole number above zero.")
            return None
        return int(value)

    def _amount(self, text: str, unit: str) -> str:
        value = self.number(text, "dose", unit)
        return amount_words(value, unit) if value else f"{text} {unit}".strip()

    # -- putting together ------------------------------------------------------------------------------------------

    def outcome(self) -> Parsed | Unclear:
        for piece in self.all("refuse"):
            self.ask("text", piece.value[0], *piece.value[1])
        reading = self._dose()
        route = self._route(reading)
        direction = Direction(dose_value=reading.value, dose_unit=reading.unit, route=route)
        direction = self._when(direction, route, reading)
        direction = replace(direction, duration_days=self._duration())
        direction = self._limits(direction, reading)
        rate = self.one("rate", "The rate")
        direction = replace(direction, rate=rate.value if rate else "", text=self._advice(direction))
        said = self.one("reason", "The reason")
        reason = str(said.value) if said else ""
        if reason and direction.as_needed and not direction.as_needed_for:
            direction, reason = replace(direction, as_needed_for=reason), ""
        understood = Parsed(direction, reading.medicine, reading.strength, reading.form, reason, bool(self.all("long_term")))
        if not self.pieces and not reading.medicine and not self.questions:
            self.ask("text", "Nothing typed.")
        self._fits(direction, reading.form)
        self._narrow(direction, reading.form)
        self._gaps(understood)
        try:
            check_direction(direction)
            in_words(direction)
            asked = {q.field for q in self.questions}
            for about, sentence, choices in contradictions(direction, reading.medicine):
                if about not in asked:
                    self.ask(about, sentence, *choices)
        except Invalid as refusal:
            self.ask(refusal.field, refusal.sentence)
            understood = replace(understood, direction=Direction(route=route))
        if self.medicine and self.medicine.problem:  # unit and route may follow from the medicine: one question at a time
            self.questions = [q for q in self.questions if q.field not in {"dose_unit", "route"}]
        return Unclear(tuple(dict.fromkeys(self.questions)), understood) if self.questions else understood

    def _fits(self, d: Direction, form: str) -> None:
        """A unit, way or form that the medicine is not on file in is a question; one of them at a time."""
        product = self.product()
        if product is None or {q.field for q in self.questions} & {"form", "route", "dose_unit", "dose_value"}:
            return
        for about, sentence, choices in not_on_file(product, d.dose_unit, d.route, form)[:1]:
            others = other_units(product, d.dose_value, d.dose_unit) if about == "dose_unit" and d.dose_value is not None else ()
            self.ask(about, sentence, *(others or choices))

    def _narrow(self, d: Direction, form: str) -> None:
        """Of several medicines do not offer those that have no such unit, way or form, where others have it."""
        found = self.medicine
        if found is None or self.formulary is None:
            return
        products = {c: self.formulary.find(c) or self.formulary.find(c.rsplit(" (", 1)[0]) for c in found.choices}
        fitting = tuple(c for c, product in products.items() if product is None or not not_on_file(product, d.dose_unit, d.route, form))
        if fitting:
            self.questions = [replace(q, choices=fitting) if q.field == "medicine" else q for q in self.questions]

    def _gaps(self, parsed: Parsed) -> None:
        """A line that says less than a direction is a question too."""
        d = parsed.direction
        if self.questions:
            return
        if d.dose_value is None and d.route not in DOSE_FREE_ROUTES:
            self.ask("dose", HOW_MUCH)
        if not (d.times_per_day or d.every_hours or d.once or d.as_needed or d.weekdays):
            self.ask("frequency", HOW_OFTEN)

    def product(self) -> Product | None:
        """The medicine of the line, where it names one of the formulary."""
        return self.formulary.find(self.medicine.name) if self.formulary and self.medicine and self.medicine.name else None

    def _amounts(self) -> list[Amount]:
        found: list[Amount] = []
        said = "".join("a" if p.kind in {"amount", "mixed"} else "t" if p.kind in _TIMES else "" for p in self.pieces)
        if re.search("at+a+t", said):
            self.ask("dose", "Two doses at different times: write a line for each.")
            return found
        for piece in self.all("amount"):
            value = self.number(piece.value[0], "dose", piece.value[1])
            if value is not None and value > 0:
                found.append(Amount(value, piece.value[1], piece.text))
            elif value is not None:
                self.ask("dose", "A dose is more than zero.")
        for piece in self.all("mixed"):
            self._mixed(piece, found)
        return found

    def _mixed(self, piece: Piece, found: list[Amount]) -> None:
        """“1 1/2 tab” is one and a half tablets, unless 1 may be their strength."""
        whole, part, unit = piece.value
        both, rest = Decimal(whole) + Decimal(part), Amount(Decimal(part), unit, f"{part} {unit}".strip())
        if unit not in w.COUNTED and self.all("form") and unit:  # 1 tablet of 0.5 mg
            found += [Amount(Decimal(whole), "", whole), rest]
            return
        counted = unit if unit in w.COUNTED else "tablet"
        other = found or self.all("strength") or counted != (unit or counted)
        strengths = () if other else strengths_of(self.product(), Decimal(whole), counted)
        if unit in w.COUNTED and not strengths:
            found.append(Amount(both, unit, amount_words(both, unit)))
            return
        one = piece_words(Decimal(part), counted)
        self.ask("dose", f"“{whole}” may be the strength or part of the dose.", amount_words(both, unit or counted),
                 *(f"{s}, {one}" for s in strengths))

    def _dose(self) -> Reading:
        amounts = self._amounts()
        for piece in self.all("dose_range"):
            self.ask("dose", f"A line has one dose; “{piece.text}” is a range.", *(self._amount(n, unit) for n, unit in piece.value))
        forms = list(dict.fromkeys(piece.value for piece in self.all("form")))
        strengths = [piece.text for piece in self.all("strength")]
        for digits in re.findall(r"\d[\d.,]*(?<=\d)", " ".join(strengths)):
            self.number(digits, "strength")
        schedule = self.one("schedule", "The schedule")
        counts = {n for n in schedule.value if n} if schedule else set()
        if len(counts) > 1:
            self.ask("dose", f"“{schedule.text if schedule else ''}” gives different doses: write a line for each.")
        count = counts.pop() if len(counts) == 1 else None
        reading = settle(amounts, strengths, forms, count, self.product(), [piece.value for piece in self.all("route")])
        for about, sentence, choices in reading.questions:
            self.ask(about, sentence, *choices)
        return reading

    def _route(self, reading: Reading) -> str:
        said = list(dict.fromkeys(piece.value for piece in self.all("route")))
        if "oral" in said and "sublingual" in said:
            said.remove("oral")
        if set(said) == {"topical", "transdermal"} or (said == ["topical"] and reading.unit == "patch"):
            said = ["transdermal"]
        if len(said) > 1:
            self.ask("route", f"Two routes: {' and '.join(piece.text for piece in self.all('route'))}.")
            return ""
        for piece in self.all("sideless"):
            if not said:
                self.ask("route", f"Which {'eye' if 'eye' in piece.text else 'ear'}?", *piece.value)
        if said:
            return str(said[0])
        if sided := self._sided(reading):
            return sided
        if self.all("verb"):
            return "inhaled"
        if reading.sides and not self.all("sideless") and not self.all("two"):
            self.ask("route", f"Which {'eye' if 'eye' in reading.sides[0] else 'ear'}?", *reading.sides)
        return reading.route

    def _sided(self, reading: Reading) -> str:
        """What “od”, “os”, “as” and “ad” mean here as a route; “od” that is a frequency gives nothing."""
        found = self.all("two")
        drops = reading.unit in {"drop", "application"} or reading.for_eyes or reading.for_ears
        often = any(self.all(kind) for kind in ("times", "every", "once", "schedule", "moment", "weekdays", "prn"))
        names = {"od": "right eye", "os": "left eye", "ad": "right ear", "as": "left ear"}
        if len({piece.value for piece in found}) > 1 or len(found) > 1:
            self.ask("route", f"“{' '.join(p.value for p in found)}” may be read in several ways: write eye, ear or once daily in full.")
            return ""
        if not found:
            return ""
        word = found[0].value
        doubted = self.all("refuse") or any(q.field.startswith(("dose", "strength", "form")) for q in self.questions)
        if word == "od" and not drops and (reading.unit or reading.value is not None or doubted):
            return ""
        fits = not (reading.for_ears if word in {"od", "os"} else reading.for_eyes)
        if drops and often and fits:
            return names[word]
        choices = (names[word], "once a day") if word == "od" else (names[word],)
        self.ask("route", f"“{word}” may mean {' or '.join(choices)} here: write it in full.", *choices)
        return ""

    def _when(self, d: Direction, route: str, reading: Reading) -> Direction:
        times = [("times", self.whole(str(p.value), "frequency"), p.text) for p in self.all("times")]
        od = [p for p in self.all("two") if p.value == "od"]
        swallowed = not route.endswith("eye") and reading.unit not in {"drop", "application"}
        if od and (self.all("route") or swallowed) and not self._asked_about("od"):
            times.append(("times", 1, "od"))
        hours = []
        for p in self.all("every"):
            n = self.whole(p.value[0], "frequency")
            days = n is not None and p.value[1] == 24 and n == 1  # “every 1 day” is daily
            hours.append(("times", 1, p.text) if days else ("every", n * p.value[1] if n else None, p.text))
        schedule = self.one("schedule", "The schedule")
        if schedule:
            times.append(("times", sum(1 for n in schedule.value if n) or None, schedule.text))
        once = self.all("once")
        often = [entry for entry in (*times, *hours) if entry[1] is not None]
        days = tuple(sorted({day for p in self.all("weekdays") for day in p.value}))
        for p in self.all("weekly_on"):
            days, often = (*days, p.value), [*often, ("times", 1, p.text)]
        if days and ("every", 168) in {entry[:2] for entry in often}:
            often = [("times", 1, e[2]) if e[:2] == ("every", 168) else e for e in often]
        moments = [m for m in w.DAY_ORDER if m in {p.value for p in self.all("moment")}]
        if len({entry[:2] for entry in often}) > 1 or (often and once):
            said = " and ".join(f"“{entry[2]}”" for entry in (*often, *(("", 1, p.text) for p in once)))
            self.ask("frequency", f"Two frequencies: {said}.")
            return d
        if moments and not often and not once and not self.all("every_range") and not days:
            often = [("times", len(moments), moments[0])]
        elif moments and often and often[0][0] == "times" and often[0][1] != len(moments):
            self.ask("frequency", f"“{often[0][2]}” and {' and '.join(moments)} do not agree.")
        elif moments and (once or (often and often[0][0] == "every" and (often[0][1] or 0) < 24)):
            self.ask("frequency", f"A fixed time ({moments[0]}) and “{(often or [('', 1, 'once')])[0][2]}” do not agree.")
        kind, n = often[0][:2] if often else ("", None)
        reason = self.one("prn", "The reason")
        d = replace(d, times_per_day=n if kind == "times" else None, every_hours=n if kind == "every" else None, once=bool(once),
                    weekdays=tuple(sorted(set(days))), as_needed=bool(self.all("prn")), as_needed_for=reason.value if reason else "")
        if self.all("up_to") and not d.as_needed:
            self.ask("frequency", "“Up to” is only for medicines taken as needed: say “as needed”, or how often.")
        return d

    def _asked_about(self, word: str) -> bool:
        return any(q.sentence.startswith(f"“{word}") for q in self.questions)

    def _duration(self) -> int | None:
        found: dict[int, str] = {}
        for piece in self.all("days"):
            n = self.whole(piece.value[0], "duration")
            if n is not None:
                found[n * piece.value[1]] = piece.text
        for piece in self.all("hours"):
            n = self.whole(piece.value, "duration")
            if n is not None and n % 24:
                self.ask("duration", f"“{piece.text}” is not a whole number of days.")
            elif n is not None:
                found[n // 24] = piece.text
        if len(found) > 1:
            self.ask("duration", f"Two durations: {' and '.join(found.values())}.")
            return None
        return next(iter(found), None)

    def _limits(self, d: Direction, reading: Reading) -> Direction:
        spans = self.all("every_range")
        low = high = None
        if spans:
            low, high = (self.whole(text, "frequency") for text in spans[0].value)
            if len(spans) > 1 or d.times_per_day or d.every_hours or d.once:
                self.ask("frequency", f"Two frequencies: “{spans[0].text}” and another.")
            elif low is not None and high is not None and low >= high:
                self.ask("frequency", f"“{spans[0].text}” is not a range.")
            elif not d.as_needed:
                self.ask("frequency", f"“{spans[0].text}” is a range: write one of them, or “as needed”.", f"every {low} hours",
                         f"every {high} hours")
        wait = self.one("wait", "The time between doses")
        hours = self.whole(wait.value, "min_interval_hours") if wait else None
        if hours is not None and low is not None and hours != low:
            self.ask("min_interval_hours", f"“{spans[0].text}” and {hours} hours between doses do not agree.")
        most = self._most(d, reading)
        return replace(d, min_interval_hours=hours if hours is not None else low, max_per_day=most)

    def _most(self, d: Direction, reading: Reading) -> Decimal | None:
        piece = self.one("max", "The most in a day")
        if piece is None:
            return None
        unit = piece.value[1]
        value = self.number(piece.value[0], "max_per_day", unit)
        if value is None or value <= 0:
            return None
        if unit == "dose" and d.dose_unit != "dose":
            if d.dose_value is None:
                self.ask("max_per_day", f"“{piece.text}”: how much is one dose?")
                return None
            return value * d.dose_value
        if not unit:
            if d.dose_unit not in _COUNTS:
                self.ask("max_per_day", f"“{piece.text}”: {fmt_number(value)} of what?", f"{fmt_number(value)} doses",
                         *((f"{fmt_number(value)} {d.dose_unit}",) if d.dose_unit else ()))
                return None
            return value
        converted = reading.converted(value, unit)
        if converted is None:
            self.ask("max_per_day", f"“{piece.text}” cannot be compared with the dose{f' in {d.dose_unit}' if d.dose_unit else ''}.")
        return converted

    def _advice(self, d: Direction) -> str:
        """Times of the day and advice in words, always in the same order, so that they are read back the same."""
        schedule = self.all("schedule")
        said = {p.value for p in self.all("moment")}
        if schedule:
            spots = ("in the morning", "at noon", "in the evening", "at night")
            said |= {spot for spot, n in zip(spots, schedule[0].value, strict=False) if n}
        moments = [m for m in w.DAY_ORDER if m in said]
        often = [f"every {p.value[0]} to {p.value[1]} hours" for p in self.all("every_range")] if d.as_needed else []
        advice = {p.value for p in self.all("advice")} | {p.value for p in self.all("once") if p.value}
        when = " and ".join(part for part in (", ".join(moments[:-1]), *moments[-1:]) if part)
        return ", ".join(part for part in (when, *often, *(a for a in w.ADVICE_ORDER if a in advice)) if part)
