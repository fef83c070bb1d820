"""Find a patient as somebody types: names in any order, phone tail, birth date, e-mail, record id, tag; near spellings when little fits.

Each need becomes a byte-order prefix range over `patient_terms`, the only form that uses the index under row security (DESIGN 6). When
fewer than `FEW` fit, each typed name is replaced by the words near it (`services/spelling.py`) and everybody called so is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from clinicdesk.models.people import Patient, PatientTag, PatientTerm
from clinicdesk.models.register import Alias
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.names import Query, normalise, parse_query, prefix_end
from clinicdesk.services.people import PatientRow
from clinicdesk.services.person import of_person
from clinicdesk.services.spelling import alike_enough, near_words, nearness
from clinicdesk.storage.database import ClinicSession

#: Candidates looked at before ranking; a page of results is shorter.
CANDIDATES = 60
#: Of people whose names are only near what was typed, more are looked at: the best of them is not the first in the index.
NEAR_CANDIDATES = 200
#: With fewer exact finds than this, near spellings are added.
FEW = 3
#: A beginning that fits fewer terms than this is rare enough to start from.
RARE = 400
#: Of a beginning that fits more terms than this only so many are read to meet another one.
WIDE = 20_000
_SELECTIVE = {"id": 4, "email": 3, "born": 3, "phone": 2, "tag": 1, "name": 0}

Need = Sequence[tuple[str, str]]
Shape = tuple[tuple[str, ...], ...]


def search(session: ClinicSession, typed: str, limit: int = 20, *, archived: bool = False) -> list[PatientRow]:
    """Patients that fit everything typed, best first; empty for text that says nothing yet.

    A merged record is found as the one it is kept under; its own number, typed in full, finds itself too.
    """
    query = parse_query(typed, session.now().astimezone(session.zone).date())
    if not query.needs:
        return []
    ids = _fitting(session, query.needs)
    rows = rows_of(session, ids[:CANDIDATES], archived=archived, numbers=[i for i in query.ids if len(i) == _ID_LENGTH])
    found = sorted(rows, key=lambda row: _rank(row, query))
    if len(found) < FEW and query.names:
        words = near_words(session, query.names)
        for look, judge in ((_near, _anybody), (_partly, _could_be)):
            if len(found) < FEW and (ids := look(session, query, words)):
                known = {row.id for row in found}
                others = [row for row in rows_of(session, ids, archived=archived) if row.id not in known and judge(row, query)]
                found += [replace(row, near=True) for row in sorted(others, key=lambda row: _near_rank(row, query))]
    return found[:limit]


_ID_LENGTH = len("p_xxxxxx")


def _fitting(session: ClinicSession, needs: Sequence[Need]) -> list[str]:
    """Ids of patients that fit all needs: walk the most selective one, look the others up."""
    ordered = sorted(needs, key=lambda need: max((_SELECTIVE.get(k, 0), len(p)) for k, p in need), reverse=True)
    if len(ordered) == 1 or any(kind in {"born", "phone"} for kind, _ in ordered[0]):
        return _run(session, _walk, ordered)
    counts = _counted(session, ordered, RARE)
    ordered = [ordered[i] for i in sorted(range(len(ordered)), key=lambda i: (counts[i], i))]
    if min(counts) < RARE:
        return _run(session, _walk, ordered)
    found = _run(session, _meeting, ordered)
    if len(found) < CANDIDATES and max(_counted(session, ordered, WIDE)) >= WIDE:
        found = list(dict.fromkeys([*found, *_run(session, _walk, ordered)]))
    return found


def _run(session: ClinicSession, statement: Callable[[Shape], Any], needs: Sequence[Need]) -> list[str]:
    return list(dict.fromkeys(session.scalars(statement(_shape(needs)), _bounds(needs))))


def _shape(needs: Sequence[Need]) -> Shape:
    return tuple(tuple(kind for kind, _ in need) for need in needs)


def _bounds(needs: Sequence[Need]) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for i, need in enumerate(needs):
        for j, (_, prefix) in enumerate(need):
            bounds[f"from_{i}_{j}"], bounds[f"to_{i}_{j}"] = prefix, prefix_end(prefix)
    return bounds


def _counted(session: ClinicSession, needs: Sequence[Need], most: int) -> list[int]:
    """How many terms each need fits; counting stops at `most`."""
    return list(session.execute(_counts(_shape(needs)), {**_bounds(needs), "most": most}).one())


@lru_cache(maxsize=256)
def _meeting(shape: Shape) -> Select[Any]:
    """Needs that many fit, met in the middle: each is read once, which is less than looking thousands of one up in the other.

    Written as one grouping, because a join here becomes a nested loop as soon as the server keeps a plan for any parameters.
    """
    parts = []
    for i, kinds in enumerate(shape):
        for j, kind in enumerate(kinds):
            side = select(PatientTerm.patient_id, PatientTerm.term, literal(1 << i).label("side"))
            parts.append(side.where(_fits(PatientTerm, kind, f"{i}_{j}")).order_by(PatientTerm.term).limit(WIDE))
    either = union_all(*(select(part.subquery()) for part in parts)).subquery()
    first = func.min(either.c.term).filter(either.c.side == 1)
    query = select(either.c.patient_id).group_by(either.c.patient_id).having(func.bit_or(either.c.side) == (1 << len(shape)) - 1)
    return query.order_by(first).limit(CANDIDATES)


@lru_cache(maxsize=256)
def _counts(shape: Shape) -> Select[Any]:
    columns = []
    for i, kinds in enumerate(shape):
        most: BindParameter[int] = bindparam("most")
        parts = [select(func.count()).select_from(select(literal(1)).where(_fits(PatientTerm, kind, f"{i}_{j}")).limit(most).subquery())
                 .scalar_subquery() for j, kind in enumerate(kinds)]
        whole: Any = parts[0]
        for part in parts[1:]:
            whole = whole + part
        columns.append(whole)
    return select(*columns)


@lru_cache(maxsize=256)
def _walk(shape: Shape) -> Select[Any] | CompoundSelect[Any]:
    """The statement for needs of some kinds. Put together once: that takes longer than its answer."""
    others = []
    for i, kinds in enumerate(shape[1:], 1):
        other = aliased(PatientTerm)
        others.append((other, or_(*(_fits(other, kind, f"{i}_{j}") for j, kind in enumerate(kinds)))))
    walks = []
    for j, kind in enumerate(shape[0]):
        walk = select(PatientTerm.patient_id).where(_fits(PatientTerm, kind, f"0_{j}"))
        for other, condition in others:
            walk = walk.where(select(1).where(other.patient_id == PatientTerm.patient_id, condition).exists())
        walks.append(walk.order_by(PatientTerm.term).limit(CANDIDATES))
    return walks[0] if len(walks) == 1 else union_all(*(select(w.subquery()) for w in walks))


def _fits(term: type[PatientTerm], kind: str, bound: str) -> ColumnElement[bool]:
    begins: BindParameter[str] = bindparam(f"from_{bound}", type_=Text)
    return and_(term.kind == kind, term.term >= begins, term.term < bindparam(f"to_{bound}", type_=Text))


def _near(session: ClinicSession, query: Query, words: dict[str, list[str]]) -> list[str]:
    """Ids of people called nearly what was typed, whatever else was typed fitting too."""
    return called(session, list(words.values()), _besides(query)) if all(words.values()) else []


def _partly(session: ClinicSession, query: Query, words: dict[str, list[str]]) -> list[str]:
    """Ids of people who have one of several typed names nearly; the others are judged by `_could_be`."""
    if len(words) < 2:
        return []
    found = [called(session, [some], _besides(query)) for some in words.values() if some]
    return list(dict.fromkeys(i for ids in found for i in ids))


def _besides(query: Query) -> list[Need]:
    """What was typed besides names."""
    return [need for need in query.needs if all(kind != "name" for kind, _ in need)]


def _parts(row: PatientRow) -> tuple[str, ...]:
    """The parts of somebody's names, and each name in one word."""
    first, last = normalise(row.first_name), normalise(row.last_name)
    return (*first.split(), *last.split(), first.replace(" ", ""), last.replace(" ", ""))


def _anybody(_row: PatientRow, _query: Query) -> bool:
    return True


def _could_be(row: PatientRow, query: Query) -> bool:
    """Whether every typed name could be meant for one of this person's."""
    return all(any(alike_enough(name, word) for word in _parts(row)) for name in query.names)


def called(session: ClinicSession, names: Sequence[Sequence[str]], others: Sequence[Need] = (), limit: int = NEAR_CANDIDATES) -> list[str]:
    """Ids of people who have, for each of `names`, one of its words as a part of the name, and who fit the other needs."""
    bounds: dict[str, Any] = {"names": limit}
    for i, some in enumerate(sorted(names, key=len)):
        bounds[f"words_{i}"] = list(some)
    bounds.update(_bounds([(), *others]))  # the others are counted from one
    statement = _called(len(names), _shape(others))
    return list(session.scalars(statement, bounds))


@lru_cache(maxsize=64)
def _called(names: int, others: Shape) -> Select[Any]:
    """Everybody called so by each name, met in the middle: no walk over a common name that looks a rare one up each time."""
    def some(i: int) -> Select[Any]:
        words = any_(bindparam(f"words_{i}", type_=ARRAY(Text)))
        return select(PatientTerm.patient_id).where(PatientTerm.kind == "name", PatientTerm.term == words)

    first = some(0).distinct().subquery()
    query = select(first.c.patient_id)
    for i in range(1, names):
        query = query.where(first.c.patient_id.in_(some(i)))
    for i, kinds in enumerate(others, 1):
        other = aliased(PatientTerm)
        fits = or_(*(_fits(other, kind, f"{i}_{j}") for j, kind in enumerate(kinds)))
        query = query.where(select(1).where(other.patient_id == first.c.patient_id, fits).exists())
    return query.limit(bindparam("names"))


def rows_of(session: ClinicSession, ids: Sequence[str], *, archived: bool = False, numbers: Sequence[str] = ()) -> list[PatientRow]:
    """Rows of some patients, in no order; a merged record as the one it is kept under unless it is among `numbers`."""
    if not ids:
        return []
    return [
        PatientRow(r[0], r[1], r[2], r[3], r[4], r[5] or "", r[6], tuple(sorted(r[7] or ())), r[8] is not None, r[9] or "")
        for r in session.execute(_ROWS if archived else _CURRENT_ROWS, {"ids": list(ids), "numbers": list(numbers)})
    ]


def _row_query() -> Select[Any]:
    p = Patient
    last = (
        select(func.max(Appointment.starts_at))
        .where(of_person(Appointment.patient_id, p.id), Appointment.status == "completed")
        .correlate(p)
        .scalar_subquery()
    )
    tags = select(func.array_agg(PatientTag.tag)).where(PatientTag.patient_id == p.id).correlate(p).scalar_subquery()
    merged = select(Alias.person_id).where(Alias.patient_id == p.id, Alias.person_id != p.id).correlate(p).scalar_subquery()
    query = select(p.id, p.first_name, p.last_name, p.born, p.sex, p.phone, last, tags, p.archived_at, merged)
    ids, numbers = (bindparam(name, type_=ARRAY(Text)) for name in ("ids", "numbers"))
    return query.where(p.id == any_(func.array_cat(func.clinic.kept_ids(ids), numbers, type_=ARRAY(Text))))


#: Built once, and with one array for the ids, so that the statement is the same each time and the server keeps its plan.
_ROWS = _row_query()
_CURRENT_ROWS = _ROWS.where(Patient.archived_at.is_(None))


def recent(session: ClinicSession, limit: int = 50) -> list[PatientRow]:
    """The patients registered or changed last, newest first: what a list shows before anybody types."""
    merged = select(1).where(Alias.patient_id == Patient.id, Alias.person_id != Patient.id).exists()
    ids = list(session.scalars(
        select(Patient.id).where(Patient.archived_at.is_(None), ~merged).order_by(Patient.updated_at.desc()).limit(limit)))
    place = {patient_id: i for i, patient_id in enumerate(ids)}
    return sorted(rows_of(session, ids), key=lambda row: place[row.id])


def _rank(row: PatientRow, query: Query) -> tuple[object, ...]:
    """Archived last; whole words before beginnings; then by name."""
    words = {*normalise(row.first_name).split(), *normalise(row.last_name).split()}
    names = query.names
    whole = sum(1 for name in names if name in words)
    begun = sum(1 for name in names if any(word.startswith(name) for word in words))
    return row.archived, -whole, -begun, normalise(row.last_name), normalise(row.first_name), row.born


def _near_rank(row: PatientRow, query: Query) -> tuple[object, ...]:
    """Archived last; the fewest slips first; then by name."""
    slips = sum(min(0.5 if word.startswith(name) else nearness(name, word) for word in _parts(row)) for name in query.names)
    return row.archived, slips, normalise(row.last_name), normalise(row.first_name), row.born
