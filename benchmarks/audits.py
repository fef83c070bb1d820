"""What the audit log costs: one event chained and committed, fifty writers at once, and the proof of a long log."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg

from benchmarks.filling import Filled, administrator
from benchmarks.floors import Floors
from benchmarks.measuring import Result, beside, summary, timed
from clinicdesk.clinic import Clinic
from clinicdesk.services import auditing
from clinicdesk.storage.addresses import libpq_address

#: Events of the log that is proved; writers that meet.
EVENTS, WRITERS = 100_000, 50
_NOTE = "select audit.note('read', 'notes', 'p_aaaaaa', 'bench')"
_PLAIN = "insert into public.bench_plain (words) values ('read notes p_aaaaaa bench')"


def measure(clinic: Clinic, _filled: Filled, _floors: Floors, rounds: int) -> Iterator[Result]:
    """Three lines. The aims are those of security-reliability § 3.7: 5 ms with 50 writers, 100,000 rows a second."""
    owner = libpq_address(str(clinic.addresses.owner))
    with psycopg.connect(owner, autocommit=True) as ours, psycopg.connect(owner, autocommit=True) as floor:
        floor.execute("create table public.bench_plain (id bigint generated always as identity primary key, words text)")
        yield beside("An audit event, chained and committed", lambda _n: ours.execute(_NOTE), lambda _n: floor.execute(_PLAIN), rounds * 4,
                     note="floor: a row in a table without a trigger, committed")
        floor.execute("drop table public.bench_plain")
    yield _together(owner, rounds)
    with administrator(clinic) as admin:
        admin.execute("insert into audit.events (actor, role, action, category, patient_id, subject)"
                      " select 'bench', 'tool', 'read', 'notes', 'p_aaaaaa', 'row ' || n from generate_series(1, %s) n", [EVENTS])
        seconds = []
        for _ in range(3):
            with clinic.worker_database.read() as session:
                seconds.append(timed(lambda session=session: auditing.prove(session, [])))  # type: ignore[misc]
        found = admin.execute("select count(*) from audit.events").fetchone()
    events = int(found[0]) if found else EVENTS
    yield summary(f"The proof of {events:,} events", seconds, limit=events / 100, note="100,000 events a second")


def _together(owner: str, rounds: int) -> Result:
    """Fifty connections write one event after the other, all at once."""
    def write(connection: psycopg.Connection[object]) -> list[float]:
        return [timed(lambda: connection.execute(_NOTE)) for _ in range(max(5, rounds // 10))]

    connections = [psycopg.connect(owner, autocommit=True) for _ in range(WRITERS)]
    try:
        with ThreadPoolExecutor(WRITERS) as pool:
            times = [one for each in pool.map(write, connections) for one in each]
    finally:
        for connection in connections:
            connection.close()
    return summary(f"The same while {WRITERS} write without a pause", times, note="each waits for the commits of the others")
