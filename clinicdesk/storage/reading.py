"""What a transaction has read of whose chart, seen where every statement passes, so that no service can forget to say it.

A statement names its patients in its parameters, or loads rows that do; one that names none belongs to the patients of the same
transaction, and a list (many patients, or none) is written down as a list.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import QueryContext

from clinicdesk.models.base import Base
from clinicdesk.rules.chart_tables import CATEGORIES, categories_of, is_patient

V = TypeVar("V")

#: Reading the same category of the same chart again within ten minutes, in the same session and program, is one reading.
AGAIN_SECONDS = 600.0
#: A statement about the names of more people than this is a list, not somebody's record.
A_LIST = 3
LIST = ""


class Seen:
    """The pairs (patient, category) of one transaction; patient is LIST for lists. One thread at a time."""

    def __init__(self) -> None:
        self.pairs: set[tuple[str, str]] = set()
        self.patients: set[str] = set()

    def statement(self, sql: str, parameters: object) -> None:
        """A statement is about to run."""
        named = set(_patients(parameters))
        self.patients |= named if len(named) <= A_LIST else set()
        for category in categories_of(sql):
            lists = category == "identity" and len(named) > A_LIST
            self.pairs |= {(patient, category) for patient in ({LIST} if lists else named or self.patients or {LIST})}

    def row(self, table: str, patient_id: str) -> None:
        """A whole row was loaded."""
        if table in CATEGORIES:
            self.patients.add(patient_id)
            self.pairs.add((patient_id, CATEGORIES[table]))


class Kept(Generic[V]):
    """What a program remembers for ten minutes: readings already written down, keys already released. Threads may share it."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str, str], tuple[V, float]] = {}

    def get(self, key: tuple[str, str, str]) -> V | None:
        """What was put here within the last ten minutes."""
        value, until = self._kept.get(key, (None, 0.0))
        return value if time.monotonic() < until else None

    def put(self, key: tuple[str, str, str], value: V) -> None:
        """Keep it for ten minutes."""
        now = time.monotonic()
        if len(self._kept) > 20_000:
            self._kept = {one: (kept, until) for one, (kept, until) in list(self._kept.items()) if now < until}
        self._kept[key] = (value, now + AGAIN_SECONDS)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()


def watch(engine: Engine) -> None:
    """See every statement of this engine; a connection says in `info["seen"]` whose it is."""

    @event.listens_for(engine, "before_cursor_execute")
    def _before(connection: Connection, _cursor: object, statement: str, parameters: object, _context: object, _many: object) -> None:
        seen: Seen | None = connection.info.get("seen")
        if seen is not None:
            seen.statement(statement, parameters)


@event.listens_for(Base, "load", propagate=True)
def _loaded(row: Any, context: QueryContext) -> None:
    seen: Seen | None = getattr(context.session, "seen", None)
    if seen is not None:
        patient_id = getattr(row, "patient_id", None)
        if isinstance(patient_id, str):
            seen.row(row.__table__.name, patient_id)


def _patients(parameters: object) -> Iterator[str]:
    for value in parameters.values() if isinstance(parameters, dict) else parameters if isinstance(parameters, tuple | list) else ():
        if is_patient(value):
            yield str(value)
        elif isinstance(value, dict | tuple | list):
            yield from _patients(value)
