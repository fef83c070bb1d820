"""What somebody types in a hurry for a person she means: slips of the keyboard, names heard on the telephone, either order."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

from benchmarks.filling import Filled
from benchmarks.measuring import Result, beside
from benchmarks.people import Person, person
from clinicdesk.clinic import Clinic
from clinicdesk.services import duplicates, finding
from clinicdesk.services.people import PatientForm

LETTERS = "abcdefghijklmnopqrstuvwxyz"
#: Spellings people hear alike, as a clerk takes them down on the telephone.
HEARD = (("ph", "f"), ("c", "k"), ("k", "c"), ("y", "i"), ("ie", "y"), ("mm", "m"), ("nn", "n"), ("ll", "l"), ("tz", "z"), ("ch", "k"),
         ("ei", "ey"), ("sch", "sh"), ("th", "t"), ("z", "s"), ("ou", "u"), ("dt", "t"))
#: How many of the first rows count as found.
FIRST = 5


def slip(chance: random.Random, text: str) -> str:
    """One slip in a word of three letters or more: heard differently, or a letter left out, doubled, replaced, swapped."""
    if len(text) < 3:
        return text
    heard = [(a, b) for a, b in HEARD if a in text.lower()]
    if heard and chance.random() < 0.35:
        return text.lower().replace(*chance.choice(heard), 1)
    i, kind = chance.randrange(len(text) - 1), chance.randrange(4)
    if kind == 0:
        return text[:i] + text[i + 1 :]
    if kind == 1:
        return text[:i] + text[i] + text[i:]
    if kind == 2:
        return text[:i] + chance.choice(LETTERS) + text[i + 1 :]
    return text[:i] + text[i + 1] + text[i] + text[i + 2 :]


def query(chance: random.Random, who: Person) -> str:
    """A noisy query that means one person: both names with one or two slips, in either order, often with what else was asked for."""
    first, last = who.first_name, who.last_name
    for _ in range(chance.choice((1, 1, 2))):
        if chance.random() < 0.6:
            last = slip(chance, last)
        else:
            first = slip(chance, first)
    typed = chance.choice((f"{first} {last}", f"{last} {first}", f"{last}, {first}", f"{last.upper()} {first.lower()}"))
    kind = chance.random()
    if kind < 0.35:
        return f"{typed} {chance.choice((f'{who.born:%d.%m.%Y}', f'{who.born:%Y-%m-%d}', f'{who.born:%Y}'))}"
    if kind < 0.5:
        return f"{last} {who.phone[-4:]}"
    return typed


def found_in_first(search: Callable[[str], Sequence[str]], people: Sequence[Person], seed: int) -> tuple[float, list[tuple[str, Person]]]:
    """The share of noisy queries, one for each person, that give her among the first rows; and those that did not."""
    chance = random.Random(seed)
    missed = []
    for who in people:
        typed = query(chance, who)
        if who.id not in search(typed)[:FIRST]:
            missed.append((typed, who))
    return 1 - len(missed) / len(people), missed


def measure(clinic: Clinic, filled: Filled, token: str, rounds: int) -> Iterator[Result]:
    """How often the right person is among the first five, how long that takes, and how long it takes to say who it might be."""
    count = min(1_000, max(50, rounds * 10))
    chance = random.Random(11)
    people = [person(chance.randrange(filled.patients)) for _ in range(count)]

    def search(typed: str) -> list[str]:
        with clinic.read(token) as session:
            return [row.id for row in finding.search(session, typed, FIRST)]

    share, _ = found_in_first(search, people, 12)
    noisy = [query(chance, who) for who in people]
    yield beside("Search with slips in the names", lambda n: search(noisy[n % count]), None, rounds, limit=150,
                 note=f"{share:.1%} of {count} among the first {FIRST}")

    def likely(n: int) -> None:
        who = people[n % count]
        form = PatientForm(slip(chance, who.first_name), slip(chance, who.last_name), f"{who.born:%Y-%m-%d}", who.sex, "")
        with clinic.read(token) as session:
            duplicates.candidates(session, form)

    yield beside("Who it might be, while registering", likely, None, rounds, limit=150)

    def pairs(_n: int) -> None:
        with clinic.read(token) as session:
            duplicates.possible(session)

    yield beside("Possible duplicates", pairs, None, max(3, rounds // 10), limit=2_000)

