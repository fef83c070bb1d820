"""The adversarial suite: every attack of `attacks.py` as every role, as raw SQL; and that a refusal never tells absent from forbidden.

`make security` runs it with the matrix and prints how many cells were checked and how many failed.
"""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from psycopg import sql

from clinicdesk.storage.addresses import libpq_address
from tests.security.attacks import REFUSALS, Attack, on_server, on_table
from tests.security.conftest import Ward, count_cells
from tests.security.matrix import READS, ROLES
from tests.security.test_matrix import rows_of_side, tokens, visible
from tests.visiting import as_owner, raw

Connection = psycopg.Connection[Any]


def tried(connection: Connection, statement: str) -> tuple[str, int]:
    """The SQLSTATE ("" when it ran) and the number found: of the last count, or of the rows copied."""
    connection.execute("savepoint attack")
    try:
        if statement.startswith("copy (") and statement.endswith("stdout"):
            with connection.cursor().copy(sql.SQL(statement)) as rows:  # type: ignore[arg-type]
                return "", len(list(rows.rows()))
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        while cursor.nextset():
            pass
        row = cursor.fetchone() if cursor.description else None
        return "", int(row[0]) if row and isinstance(row[0], int) else cursor.rowcount
    except psycopg.Error as error:
        return str(error.sqlstate), 0
    finally:
        connection.execute("rollback to savepoint attack")


def alone(ward: Ward, statement: str) -> tuple[str, int]:
    """The same outside a transaction, where no session can be shown."""
    with psycopg.connect(libpq_address(ward.practice.clinic.addresses.app), autocommit=True) as connection:
        try:
            connection.execute(statement)  # type: ignore[call-overload]
        except psycopg.Error as error:
            return str(error.sqlstate), 0
    return "", 0


def fault(attack: Attack, state: str, number: int, allowed: int | None) -> str:
    """What is wrong with an outcome; "" when it is as it must be."""
    if attack.expected == "refused":
        return "" if state in REFUSALS else f"{state or 'it ran'}"
    if attack.expected == "nothing":
        return "" if state in REFUSALS or (not state and number == 0) else f"{state or number}"
    if allowed is None:
        return "" if state in REFUSALS else f"{state or number} rows, expected a refusal"
    return "" if state in REFUSALS or (not state and number <= allowed) else f"{state or number} rows, at most {allowed} expected"


@pytest.mark.parametrize("role", ROLES)
def test_no_attack_goes_around_the_rows(ward: Ward, role: str) -> None:
    attacks = [attack for table in READS for attack in on_table(table)] + list(on_server())
    assert len(attacks) >= 200
    allowed: dict[str, int | None] = {}
    with raw(ward.practice, role="owner") as everything:
        for table, by_role in READS.items():
            level = by_role[ROLES.index(role)]
            where, values = ("false", {}) if level is None else visible(table, level, role, ward)
            row = everything.execute(f"select count(*) from {table} where {where}", values).fetchone()
            allowed[table] = None if level is None else int(row[0]) if row else 0
    wrong, cells = [], 0
    for token in tokens(ward, role):
        with raw(ward.practice, token=token) as connection:
            for attack in attacks:
                state, number = alone(ward, attack.statement) if attack.alone else tried(connection, attack.statement)
                cells += 1
                found = fault(attack, state, number, allowed.get(attack.table))
                if found:
                    wrong.append(f"{role}, {attack.about} {attack.table}: {found}")
    count_cells(f"attacks as {role}", cells, len(wrong))
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("role", ["receptionist", "doctor", "administrator", "patient"])
def test_no_refusal_tells_absent_from_forbidden(ward: Ward, role: str) -> None:
    """The same statement about a row of somebody else and about one that is not there: same state, same message, same count."""
    wrong, cells = [], 0
    me = ward.users.get(ward.role(role) or "")
    known = {name for (name,) in as_owner(
        ward.practice, "select attrelid::regclass::text from pg_attribute where attname = 'patient_id' and attnum > 0")}
    with raw(ward.practice, ward.role(role)) as connection:
        for table in READS:
            if table not in known or READS[table][ROLES.index(role)] in {"all", "identity", None}:
                continue  # who sees everybody's rows learns nothing by it; who sees none of the table is refused before any row
            _, values = rows_of_side(table, ward.other, ward, role, me, inside=False)
            for statement in (f"select count(*) from {table} where patient_id = %(p)s", f"delete from {table} where patient_id = %(p)s",
                              f"update {table} set patient_id = patient_id where patient_id = %(p)s",
                              f"insert into {table} (patient_id) values (%(p)s)"):
                found = []
                for patient in (ward.other.patient, "p_zzzzzz"):
                    connection.execute("savepoint cell")
                    try:
                        cursor = connection.execute(statement, {**values, "p": patient})
                        found.append(("", "", cursor.fetchone() if cursor.description else cursor.rowcount))
                    except psycopg.Error as error:
                        found.append((str(error.sqlstate), str(error.diag.message_primary), None))
                    connection.execute("rollback to savepoint cell")
                cells += 1
                if found[0] != found[1]:
                    wrong.append(f"{role}: {statement}: {found[0]} of a stranger, {found[1]} of nobody")
        for call in ("clinic.release_key(%s, 'clinical')", "clinic.break_glass(%s, 'emergency')", "clinic.rows_about(%s)"):
            if (role, call) == ("receptionist", "clinic.rows_about(%s)") or role == "administrator":
                continue  # may know every patient
            found = []
            for patient in (ward.other.patient, "p_zzzzzz"):
                connection.execute("savepoint cell")
                try:
                    found.append(("", str(connection.execute(f"select {call}", [patient]).fetchall())))  # type: ignore[call-overload]
                except psycopg.Error as error:
                    found.append((str(error.sqlstate), str(error.diag.message_primary)))
                connection.execute("rollback to savepoint cell")
            cells += 1
            if found[0] != found[1] and not (role == "doctor" and call.startswith("clinic.break_glass")):
                wrong.append(f"{role}: {call}: {found}")
    count_cells(f"oracles as {role}", cells, len(wrong))
    assert not wrong, "\n" + "\n".join(wrong)

