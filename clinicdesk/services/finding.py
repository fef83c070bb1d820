"""Find a patient as somebody types: names in any order, phone tail, birth date, e-mail, record id, tag; sound-alikes when little fits.

Each need becomes a byte-order prefix range over `patient_terms`, the only form that uses the index under row security (DESIGN 6).
"""

from __future__ import annotations

from collections.abc import Sequence
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
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from clinicdesk.models.people import Patient, PatientTag, PatientTerm
from clinicdesk.models.scheduling import Appointment
from clinicdesk.rules.names import Query, normalise, parse_query, prefix_end
from clinicdesk.services.people import PatientRow
from clinicdesk.storage.database import ClinicSession

#: Candidates looked at before ranking; a page of results is shorter.
CANDIDATES = 60
#: With fewer exact finds than this, sound-alikes are added.
FEW = 3
_SELECTIVE = {"id": 4, "email": 3, "born": 3, "phone": 2, "tag": 1, "name": 0}

Need = Sequence[tuple[str, str]]


def search(session: ClinicSession, typed: str, limit: int = 20, *, archived: bool = False) -> list[PatientRow]:
    """Patients that fit everything typed, best first; empty for text that says nothing yet."""
    query = parse_query(typed, session.now().astimezone(session.zone).date())
    if not query.needs:
        return []
    ids = _fitting(session, query.needs)
    if len(ids) < FEW and query.sounds and all(any(kind == "name" for kind, _ in need) for need in query.needs):
        heard = _fitting(session, [[("sound", sound)] for sound in query.sounds], exact=True)
        ids = list(dict.fromkeys([*ids, *heard]))
    rows = rows_of(session, ids[:CANDIDATES], archived=archived)
    return sorted(rows, key=lambda row: _rank(row, query))[:limit]


def _fitting(session: ClinicSession, needs: Sequence[Need], *, exact: bool = False) -> list[str]:
    """Ids of patients that fit all needs: walk the most selective one, look the others up."""
    ordered = sorted(needs, key=lambda need: max((_SELECTIVE.get(k, 0), len(p)) for k, p in need), reverse=True)
    bounds = {}
    for i, need in enumerate(ordered):
        for j, (_, prefix) in enumerate(need):
            bounds[f"from_{i}_{j}"] = prefix
            if not exact:
                bounds[f"to_{i}_{j}"] = prefix_end(prefix)
    shape = tuple(tuple(kind for kind, _ in need) for need in ordered)
    return list(dict.fromkeys(session.scalars(_walk(shape, exact), bounds)))


@lru_cache(maxsize=256)
def _walk(shape: tuple[tuple[str, ...], ...], exact: bool) -> Select[Any] | CompoundSelect[Any]:  # noqa: FBT001
    """The statement for needs of some kinds. Put together once: that takes longer than its answer."""
    others = []
    for i, kinds in enumerate(shape[1:], 1):
        other = aliased(PatientTerm)
        others.append((other, or_(*(_fits(other, kind, f"{i}_{j}", exact=exact) for j, kind in enumerate(kinds)))))
    walks = []
    for j, kind in enumerate(shape[0]):
        walk = select(PatientTerm.patient_id).where(_fits(PatientTerm, kind, f"0_{j}", exact=exact))
        for other, condition in others:
            walk = walk.where(select(1).where(other.patient_id == PatientTerm.patient_id, condition).exists())
        walks.append(walk.order_by(PatientTerm.term).limit(CANDIDATES))
    return walks[0] if len(walks) == 1 else union_all(*(select(w.subquery()) for w in walks))


def _fits(term: type[PatientTerm], kind: str, bound: str, *, exact: bool) -> ColumnElement[bool]:
    begins: BindParameter[str] = bindparam(f"from_{bound}", type_=Text)
    if exact:
        return and_(term.kind == kind, term.term == begins)
    return and_(term.kind == kind, term.term >= begins, term.term < bindparam(f"to_{bound}", type_=Text))


def rows_of(session: ClinicSession, ids: Sequence[str], *, archived: bool = False) -> list[PatientRow]:
    """Rows of some patients, in no order."""
    if not ids:
        return []
    return [
        PatientRow(r[0], r[1], r[2], r[3], r[4], r[5] or "", r[6], tuple(sorted(r[7] or ())), r[8] is not None)
        for r in session.execute(_ROWS if archived else _CURRENT_ROWS, {"ids": list(ids)})
    ]


def _row_query() -> Select[Any]:
    p = Patient
    last = (
        select(func.max(Appointment.starts_at))
        .where(Appointment.patient_id == p.id, Appointment.status == "completed")
        .correlate(p)
        .scalar_subquery()
    )
    tags = select(func.array_agg(PatientTag.tag)).where(PatientTag.patient_id == p.id).correlate(p).scalar_subquery()
    query = select(p.id, p.first_name, p.last_name, p.born, p.sex, p.phone, last, tags, p.archived_at)
    return query.where(p.id == any_(bindparam("ids", type_=ARRAY(Text))))


#: Built once, and with one array for the ids, so that the statement is the same each time and the server keeps its plan.
_ROWS = _row_query()
_CURRENT_ROWS = _ROWS.where(Patient.archived_at.is_(None))


def recent(session: ClinicSession, limit: int = 50) -> list[PatientRow]:
    """The patients registered or changed last, newest first: what a list shows before anybody types."""
    ids = list(session.scalars(select(Patient.id).where(Patient.archived_at.is_(None)).order_by(Patient.updated_at.desc()).limit(limit)))
    place = {patient_id: i for i, patient_id in enumerate(ids)}
    return sorted(rows_of(session, ids), key=lambda row: place[row.id])


def _rank(row: PatientRow, query: Query) -> tuple[object, ...]:
    """Archived last; whole words before beginnings, beginnings before sound-alikes; then by name."""
    words = {*normalise(row.first_name).split(), *normalise(row.last_name).split()}
    names = query.of("name")
    whole = sum(1 for name in names if name in words)
    begun = sum(1 for name in names if any(word.startswith(name) for word in words))
    return row.archived, -whole, -begun, normalise(row.last_name), normalise(row.first_name), row.born
