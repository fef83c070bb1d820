"""Every function of ours: who may call it, that nobody else can, and what it says to each role; definers pin their search path."""

from __future__ import annotations

import psycopg
import pytest

from tests.security.conftest import Ward, count_cells
from tests.security.functions import FUNCTIONS
from tests.security.matrix import ROLES
from tests.security.test_matrix import tokens
from tests.visiting import as_owner, raw

REFUSED = {"42501", "CD001", "CD002"}
#: Definers that call the queue's functions look into its schema first; it belongs to the owner, and nobody else may create anything in it.
WITH_QUEUE = "search_path=jobs, pg_catalog, pg_temp"


def test_the_catalogue_says_the_same(ward: Ward) -> None:
    found = as_owner(ward.practice, """
        select oid::regprocedure::text, string_agg(letter, '' order by letter) filter (where has_function_privilege(role, oid, 'execute')),
               bool_or(has_function_privilege('public', oid, 'execute')), prosecdef, coalesce(array_to_string(proconfig, '; '), '')
          from pg_proc, (values ('A', 'clinicdesk_app'), ('B', 'clinicdesk_backup'), ('W', 'clinicdesk_worker')) as r (letter, role)
         where pronamespace::regnamespace::text in ('auth', 'clinic', 'audit') group by oid""")
    assert len(found) > 140
    assert {name: callers for name, callers, *_ in found if callers} == {name: callers for name, (callers, _) in FUNCTIONS.items()}
    assert [name for name, _, public, *_ in found if public] == [], "nothing is granted to everybody"
    wrong = [(name, settings) for name, *_, definer, settings in found
             if definer and "search_path=pg_catalog, pg_temp" not in settings and WITH_QUEUE not in settings]
    assert wrong == []
    assert as_owner(ward.practice, "select has_schema_privilege('clinicdesk_app', 'jobs', 'create')"
                                   " or has_schema_privilege('clinicdesk_worker', 'jobs', 'create')") == [(False,)]


@pytest.mark.parametrize("role", ROLES)
def test_every_function_as_every_role(ward: Ward, role: str) -> None:
    place, wrong, cells = ROLES.index(role), [], 0
    for token in tokens(ward, role):
        with raw(ward.practice, token=token) as connection:
            for name, (callers, expected) in FUNCTIONS.items():
                if "A" not in callers or not expected:
                    continue
                arguments = name.partition("(")[2].rstrip(")")
                call = f"select * from {name.partition('(')[0]}({', '.join(f'null::{a}' for a in arguments.split(',') if a)})"
                connection.execute("savepoint cell")
                try:
                    connection.execute(call)  # type: ignore[call-overload]
                    got = "+"
                except psycopg.Error as error:
                    got = "-" if error.sqlstate in REFUSED else "+"
                connection.execute("rollback to savepoint cell")
                cells += 1
                if got != expected[place]:
                    wrong.append(f"{role} calls {name}: {got}, expected {expected[place]}")
    count_cells(f"functions as {role}", cells, len(wrong))
    assert not wrong, "\n" + "\n".join(wrong)
