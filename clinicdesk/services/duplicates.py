"""Who in the register might be the person being typed: candidates by blocking in the database, scored in `rules/likeness.py`.

Blocking asks for those who share a date of birth (also with day and month swapped, or one digit off beside a near name), the end of a
telephone number, an e-mail, or near spellings of both names: each an index lookup, so a million patients cost what a thousand cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ARRAY, Select, Text, and_, any_, bindparam, func, insert, or_, select, text

from clinicdesk.errors import Invalid
from clinicdesk.models.people import Patient, PatientTerm
from clinicdesk.models.register import DifferentPeople
from clinicdesk.rules.likeness import WARN, Identity, Likeness, compare
from clinicdesk.rules.moments import parse_birth_date
from clinicdesk.rules.names import normalise, phone_term, prefix_end
from clinicdesk.services.finding import called, rows_of
from clinicdesk.services.people import PatientForm, PatientRow
from clinicdesk.services.spelling import near_words
from clinicdesk.storage.database import ClinicSession

#: Before a date of birth is typed, both names nearly the same are enough to show somebody.
NAMES_ALONE = 37
#: So many digits from the end make a telephone number worth a look.
_TAIL = 7
_EACH = 200


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who might be the person asked about: the row, the score from 0 to 100, and why in sentences, what speaks for it first."""

    row: PatientRow
    score: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records that might be one person."""

    one: PatientRow
    other: PatientRow
    score: int
    reasons: tuple[str, ...]


def identity_of(form: PatientForm, today: date) -> Identity:
    """What can be compared of a form as far as it is typed; what is not readable yet is left out."""
    try:
        born = parse_birth_date(form.born, today) if form.born.strip() else None
    except Invalid:
        born = None
    return Identity(form.first_name, form.last_name, born, form.sex, form.phone, form.email, form.address)


def candidates(session: ClinicSession, form: PatientForm, but: str = "", limit: int = 5) -> list[Candidate]:
    """Who might be the person typed so far, most likely first. `but` is the record being changed; pairs said to differ are left out."""
    wanted = identity_of(form, session.now().astimezone(session.zone).date())
    ids = _block(session, wanted)
    if not ids:
        return []
    least = WARN if wanted.born else NAMES_ALONE
    best: dict[str, Likeness] = {}
    for patient_id, person_id, known in _identities(session, ids):
        found = compare(wanted, known)
        if but not in {patient_id, person_id} and found.score >= least and (
                person_id not in best or found.score > best[person_id].score):
            best[person_id] = found
    for other in _said_to_differ(session, but):
        best.pop(other, None)
    chosen = sorted(best, key=lambda i: -best[i].score)[:limit]
    rows = {row.id: row for row in rows_of(session, chosen, archived=True)}
    return [Candidate(rows[i], best[i].score, tuple(r.text for r in best[i].reasons)) for i in chosen if i in rows]


def say_different(session: ClinicSession, patient_id: str, others: Iterable[str]) -> None:
    """These records are other people: nobody is asked about the pairs again."""
    known = _said_to_differ(session, patient_id)
    pairs = [sorted((patient_id, other)) for other in dict.fromkeys(others) if other != patient_id and other not in known]
    if pairs:
        session.execute(insert(DifferentPeople),
                        [{"patient_id": one, "other_id": other, "said_by": session.my_id} for one, other in pairs])


def possible(session: ClinicSession, among: int = 2_000, limit: int = 100) -> list[Pair]:
    """Pairs that might be one person, most likely first, among the records changed last and everybody."""
    found: dict[tuple[str, str], Likeness] = {}
    pairs = [(str(a), str(b)) for a, b in session.execute(_PAIRS, {"among": among})]
    known = {i: identity for i, _, identity in _identities(session, sorted({i for pair in pairs for i in pair}))}
    for one, other in pairs:
        likeness = compare(known[one], known[other])
        if likeness.warns:
            found[one, other] = likeness
    chosen = sorted(found, key=lambda pair: (-found[pair].score, pair))[:limit]
    rows = {row.id: row for row in rows_of(session, sorted({i for pair in chosen for i in pair}))}
    return [Pair(rows[a], rows[b], found[a, b].score, tuple(r.text for r in found[a, b].reasons))
            for a, b in chosen if a in rows and b in rows]


#: Records that share a date of birth (or one with day and month swapped) and a sound of their names, or an e-mail;
#: neither merged, archived, nor said to be two people.
_PAIRS = text("""
    with recent as materialized (
        select p.id, to_char(p.born, 'YYYYMMDD') as born, lower(p.email) as email from clinic.patients p
         where p.archived_at is null and not exists (select 1 from clinic.aliases a where a.patient_id = p.id and a.person_id <> p.id)
         order by p.updated_at desc limit :among),
    same as materialized (
        select r.id, o.patient_id as other from recent r join clinic.patient_terms o on o.kind = 'born' and o.term = r.born
         where o.patient_id <> r.id
        union
        select r.id, o.patient_id from recent r join clinic.patient_terms o on o.kind = 'born'
           and o.term = substr(r.born, 1, 4) || substr(r.born, 7, 2) || substr(r.born, 5, 2)
         where o.patient_id <> r.id
        union
        select r.id, o.patient_id from recent r join clinic.patient_terms o on o.kind = 'email' and o.term = r.email
         where r.email <> '' and o.patient_id <> r.id),
    pairs as materialized (select distinct least(id, other) as one, greatest(id, other) as two from same)
    select p.one, p.two from pairs p join clinic.patients q on q.id = p.one and q.archived_at is null
      join clinic.patients o on o.id = p.two and o.archived_at is null
     where exists (select 1 from clinic.patient_terms s join clinic.patient_terms t on t.term = s.term and t.kind = s.kind
                    where s.patient_id = p.one and s.kind in ('sound', 'email') and t.patient_id = p.two)
       and not exists (select 1 from clinic.aliases a where a.patient_id in (p.one, p.two) and a.person_id <> a.patient_id)
       and not exists (select 1 from clinic.different_people d where d.patient_id = p.one and d.other_id = p.two)
     limit 4000""")


def _said_to_differ(session: ClinicSession, patient_id: str) -> set[str]:
    if not patient_id:
        return set()
    d = DifferentPeople
    rows = session.execute(select(d.patient_id, d.other_id).where(or_(d.patient_id == patient_id, d.other_id == patient_id)))
    return {other for row in rows for other in row} - {patient_id}


def _identities(session: ClinicSession, ids: Sequence[str]) -> Iterator[tuple[str, str, Identity]]:
    """Record, the record its person is kept under, and what is compared."""
    p = Patient
    query = select(p.id, func.clinic.person_of(p.id), p.first_name, p.last_name, p.born, p.sex, p.phone, p.email, p.address)
    for row in session.execute(query.where(p.id == any_(bindparam("ids", type_=ARRAY(Text)))), {"ids": list(ids)}):
        yield row[0], row[1], Identity(row[2], row[3], row[4], row[5], row[6] or "", row[7], row[8])


def _block(session: ClinicSession, wanted: Identity) -> list[str]:
    ids: dict[str, None] = {}
    exact: list[Any] = []
    if wanted.born:
        exact.append(_terms("born", [f"{day:%Y%m%d}" for day in (wanted.born, *_swapped(wanted.born))]))
    if wanted.email.strip():
        exact.append(_terms("email", [wanted.email.strip().casefold()]))
    tail = phone_term(wanted.phone)[:_TAIL]
    if len(tail) == _TAIL:
        exact.append(select(PatientTerm.patient_id).where(
            PatientTerm.kind == "phone", PatientTerm.term >= tail, PatientTerm.term < prefix_end(tail)).limit(_EACH))
    for query in exact:
        ids.update(dict.fromkeys(session.scalars(query)))
    first, last = normalise(wanted.first_name).split(), normalise(wanted.last_name).split()
    words = near_words(session, [w for w in dict.fromkeys([*first, *last]) if len(w) > 1])
    firsts, lasts = ([near for part in parts for near in words.get(part, ())] for parts in (first, last))
    if firsts and lasts:
        ids.update(dict.fromkeys(called(session, [firsts, lasts], limit=_EACH)))
    if wanted.born and (firsts or lasts):
        ids.update(dict.fromkeys(session.scalars(_called_and_born([*firsts, *lasts], _slips(wanted.born)))))
    return list(ids)


def _terms(kind: str, terms: list[str]) -> Select[Any]:
    return select(PatientTerm.patient_id).where(PatientTerm.kind == kind, PatientTerm.term.in_(terms)).limit(_EACH)


def _called_and_born(words: list[str], days: list[date]) -> Select[Any]:
    """Whoever is nearly called so and was born on one of these days."""
    name = select(PatientTerm.patient_id).where(PatientTerm.kind == "name", PatientTerm.term.in_(words))
    born = PatientTerm
    return select(born.patient_id).where(and_(born.kind == "born", born.term.in_([f"{day:%Y%m%d}" for day in days])),
                                         born.patient_id.in_(name)).limit(_EACH)


def _swapped(born: date) -> list[date]:
    return [date(born.year, born.day, born.month)] if born.day <= 12 and born.day != born.month else []


def _slips(born: date) -> list[date]:
    """Days one digit away, and the same day of the years beside."""
    text_of = f"{born:%Y%m%d}"
    days = {born + timedelta(days=0)}
    for i in range(len(text_of)):
        for digit in "0123456789":
            changed = text_of[:i] + digit + text_of[i + 1 :]
            try:
                days.add(date(int(changed[:4]), int(changed[4:6]), int(changed[6:])))
            except ValueError:
                continue
    for years in (-2, -1, 1, 2):
        try:
            days.add(born.replace(year=born.year + years))
        except ValueError:
            continue
    return sorted(day for day in days if day != born and day.year >= 1880)
