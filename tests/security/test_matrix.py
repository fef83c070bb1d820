"""Every cell of `matrix.py` as raw SQL under the workstation's own sign-in: what a person with psql at a desk could do.

The guards (triggers) are switched off in this copy of the database, so that a refusal here is row security's own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import errors, sql

from tests.security.conftest import Side, Ward, count_cells
from tests.security.matrix import READS, ROLES, WRITES
from tests.visiting import as_owner, raw

Row = dict[str, Any]
Where = tuple[str, Row]
Shapes = dict[str, tuple[str, str]]
LATER = datetime(2031, 5, 6, 8, tzinfo=UTC)
IDENTITY = "('ssn', 'added_note', 'about_note')"
OF_ACCOUNT = {"auth.users": "id", "auth.sessions": "user_id", "clinic.drafts": "author_id", "clinic.signing_secrets": "user_id",
              "clinic.desk_actions": "user_id", "clinic.notifications": "user_id"}
OF_DOCTOR = ("clinic.favourites", "clinic.waiting_list", "clinic.offers", "clinic.assignments",
             "clinic.care", "clinic.appointments", "clinic.appointment_events")


def visible(table: str, level: str, role: str, ward: Ward) -> Where:
    """The rows a role may see, as the owner finds them."""
    me = ward.users.get(ward.role(role) or "")
    if level == "identity":
        return ("purpose = 'identity'" if table == "clinic.patient_keys" else f"field in {IDENTITY}"), {}
    if level == "own+doctors":
        return "id = %(me)s or role = 'doctor'", {"me": me}
    if level == "own" and table in OF_ACCOUNT:
        return f"{OF_ACCOUNT[table]} = %(me)s", {"me": me}
    if level == "own" and role == "doctor" and table in OF_DOCTOR:
        return "doctor_id = %(d)s", {"d": ward.mine.doctor}
    if level in {"own", "care"}:
        if table == "clinic.visit_outbox":
            return "visit_id = %(v)s", {"v": ward.mine.visit}
        if table == "clinic.attachment_chunks":
            return "attachment_id in (select id from clinic.attachments where patient_id = %(p)s)", {"p": ward.mine.patient}
        return ("id" if table == "clinic.patients" else "patient_id") + " = %(p)s", {"p": ward.mine.patient}
    return ("true" if level == "all" else "false"), {}


def new_row(table: str, side: Side, ward: Ward, role: str, me: int | None, *, inside: bool) -> Row | None:
    """A row that every constraint accepts, about this side; None for tables no role may insert into."""
    patient, doctor = {"patient_id": side.patient}, {"doctor_id": side.doctor}
    times = {"starts_at": LATER, "ends_at": LATER + timedelta(minutes=20)}
    key = {"source_key": uuid4().hex if role != "administrator" or inside else None}
    recorder = {"recorded_by": me if role != "administrator" else None}  # an import names nobody
    makers: dict[str, Callable[[], Row]] = {
        "clinic.patients": lambda: {"id": f"p_{uuid4().hex[:6]}", "first_name": "A", "last_name": "B", "born": "1990-01-01", "sex": "F",
                                    "created_by": me},
        "clinic.patient_terms": lambda: {**patient, "term": "zzz", "kind": "name"},
        "clinic.patient_tags": lambda: {**patient, "tag": "zzz"},
        "clinic.emergency_contacts": lambda: {"patient_id": ward.bare, "name": "X", "phone": "0301234567"},
        "clinic.patient_keys": lambda: {"patient_id": ward.bare, "purpose": "identity", "wrapped": b"x" * 61},
        "clinic.sealed_fields": lambda: {**patient, "field": "about_note", "body": b"x" * 40, "written_by": me},
        "clinic.import_keys": lambda: {**patient, "system": "other", "external_id": "1"},
        "clinic.doctors": lambda: {"user_id": ward.without_profile, "licence_number": "L-9", "specialization": "Surgery"},
        "clinic.assignments": lambda: {**patient, **doctor, "starts_on": "2020-01-01", "ends_on": "2020-02-01", "assigned_by": me},
        "clinic.working_hours": lambda: {**doctor, "weekday": 1, "starts_minute": 1200, "ends_minute": 1260},
        "clinic.closures": lambda: {**doctor, **times, "reason": "leave"},
        "clinic.time_slots": lambda: {**doctor, **times, "made_by": me},
        "clinic.appointments": lambda: {**patient, **doctor, **times, "booked_by": me},
        "clinic.series": lambda: {**patient, "rule": "every week", "made_by": me},
        "clinic.waiting_list": lambda: {**patient, **doctor, "made_by": me},
        "clinic.offers": lambda: {**patient, **doctor, **times, "wish_id": ward.wishes[side.patient], "status": "refused", "offered_by": me,
                                  "expires_at": datetime.now(UTC) + timedelta(minutes=5)},
        "clinic.desk_actions": lambda: {"user_id": me if inside else ward.users["sam"], "kind": "book", "changes": "[1]"},
        "clinic.consultations": lambda: {**patient, **doctor, "appointment_id": side.free},
        "clinic.drafts": lambda: {"consultation_id": side.blank, "author_id": me if inside else ward.users["hugo"], "body": b"x"},
        "clinic.notes": lambda: {**patient, "consultation_id": side.blank, "kind": "plan", "body": b"x" * 30, "author_id": me},
        "clinic.vitals": lambda: {**patient, **key, **recorder, "taken_at": LATER},
        "clinic.diagnoses": lambda: {**patient, "consultation_id": side.blank, "position": 9, "description": "x", "recorded_by": me},
        "clinic.addenda": lambda: {**patient, "consultation_id": side.done, "position": 9, "body": b"x" * 30, "author_id": me},
        "clinic.problems": lambda: {**patient, **key, **recorder, "description": "x"},
        "clinic.allergies": lambda: {**patient, **key, **recorder, "substance": "x"},
        "clinic.allergy_statements": lambda: {**patient, "stated_by": me},
        "clinic.medicines": lambda: {**patient, **key, **recorder, "description": "x"},
        "clinic.prescriptions": lambda: {**patient, **doctor, "consultation_id": side.blank, "number": "RX-0000-0000", "page": "A4",
                                         "pdf": b"x", "pdf_sha256": b"x" * 32},
        "clinic.prescription_items": lambda: {**patient, "prescription_id": side.prescription, "position": 9, "medicine": "xx",
                                              "directions": "Take one."},
        "clinic.records": lambda: {**patient, **key, "kind": "general", "title": "x", "happened_at": LATER, "created_by": me},
        "clinic.annotations": lambda: {**patient, **doctor, "record_id": side.record, "body": b"x" * 30},
        "clinic.session_log": lambda: {**patient, "key": uuid4().hex, "happened_at": LATER, "kind": "other", "title": "x", "minutes": 5,
                                       "therapist_id": me, "note": b"x" * 30},
        "clinic.attachments": lambda: {**patient, "id": uuid4(), "kind": "text", "title": b"x" * 30, "file_name": b"x" * 29, "size": 1,
                                       "chunks": 1, "sealed_size": 30, "sealed_sha256": b"x" * 32, "added_by": me},
        "clinic.attachment_chunks": lambda: {"attachment_id": of_attachment(side, ward), "position": 1, "body": b"x" * 30},
        "clinic.immunizations": lambda: {**patient, **key, **recorder, "id": uuid4(), "vaccine": "x"},
        "clinic.visits": lambda: {**patient, **doctor, "id": uuid4(), "revision": 9, "appointment_id": side.free,
                                  "consultation_id": side.done, "visit_date": LATER},
        "clinic.visit_outbox": lambda: {"visit_id": side.visit, "revision": 7, "notes": b"", "prescription": b"", "visit": b""},
        "clinic.settings": lambda: {"key": "zzz", "value": "1"},
        # Papers
        "clinic.signing_keys": lambda: {"user_id": me if inside else ward.users["hugo"], "public_key": uuid4().bytes * 2,
                                        "certificate": b"x" * 200},
        "clinic.signing_secrets": lambda: {"key_id": ward.spare_keys["dora" if inside else "hugo"], "wrapped": b"x" * 61,
                                           "user_id": me if inside else ward.users["hugo"]},
        "clinic.papers": lambda: {**patient, **doctor, "consultation_id": side.done, "kind": "VS", "number": "VS-0000-0000", "page": "A4",
                                  "pdf": b"x", "pdf_sha256": b"x" * 32},
        "clinic.signatures": lambda: {**patient, "number": "RX-0000-0000", "prescription_id": side.prescription, "signed_by": me,
                                      "key_id": ward.spare_keys["dora"], "canonical": b"x" * 40, "signature": b"x" * 64},
        "clinic.voids": lambda: {**patient, "number": "RX-0000-0000", "voided_by": me, "reason": b"x" * 40},
        # The register
        "clinic.different_people": lambda: {"patient_id": min(side.patient, ward.bare), "other_id": max(side.patient, ward.bare),
                                            "said_by": me},
        "clinic.merges": lambda: {"id": uuid4(), "kept_id": side.patient, "lost_id": ward.bare, "identity": b"x", "merged_by": me},
        "clinic.photos": lambda: {"patient_id": ward.bare, "body": b"x" * 40, "added_by": me},
        # Prescribing
        "clinic.favourites": lambda: {**doctor, "title": "zzz", "item": "{}"},
        "clinic.medicine_stops": lambda: {**patient, "medicine_id": ward.medicines[side.patient], "reason": "finished", "stopped_by": me},
        "clinic.patient_facts": lambda: {**patient, "kind": "pregnant", "pregnant": False, "stated_by": me},
        "clinic.alert_firings": lambda: {**patient, "consultation_id": side.open, "alert_key": "x", "rule": "age", "tier": 2,
                                         "medicine": "x"},
        "clinic.alert_overrides": lambda: {**patient, "consultation_id": side.open, "alert_key": "x", "rule": "age", "tier": 2,
                                           "medicine": "x", "reason": "monitor", "given_by": me},
        "clinic.content_approvals": lambda: {**doctor, "content": "limits", "version": "9", "sha256": "0" * 64,
                                             "approved_on": "2026-01-01", "recorded_by": me},
    }
    return makers[table]() if table in makers else None


def of_attachment(side: Side, ward: Ward) -> Any:
    """An attachment of this side whose first piece is missing."""
    number = as_owner(ward.practice, "select id from clinic.attachments where patient_id = %s", side.patient)[0][0]
    as_owner(ward.practice, "delete from clinic.attachment_chunks where attachment_id = %s and position = 1", number)
    return number


#: What an update sets, where a column grant or a policy wants something special.
SETS = {
    "auth.users": "name = name, version = version + 1", "clinic.consultations": "version = version + 1",
    "clinic.prescriptions": "printed = printed + 1", "clinic.settings": "version = version + 1",
    "clinic.sealed_fields": "written_by = %(me)s, version = version + 1", "clinic.desk_actions": "state = state",
    "clinic.offers": "status = status", "clinic.notifications": "read_at = read_at",
    "clinic.merges": "undone_at = now(), undone_by = %(me)s", "clinic.signing_keys": "retired_at = retired_at",
    "clinic.papers": "printed = printed + 1",
    "clinic.attachments": "withdrawn_at = now(), withdrawn_by = %(me)s, withdrawn_reason = decode(repeat('78', 40), 'hex')",
    "clinic.immunizations": "version = version + 1",
}


def rows_of_side(table: str, side: Side, ward: Ward, role: str, me: int | None, *, inside: bool) -> Where:
    """The rows of this side that an update or delete is tried on."""
    special: dict[str, Where] = {
        "auth.users": ("id = %(me)s" if inside else "username = 'sam'", {}),
        "clinic.patients": ("id = %(p)s", {}), "clinic.doctors": ("id = %(d)s", {}),
        "clinic.sealed_fields": ("patient_id = %(p)s and field = " + ("'medical_history'" if role == "doctor" else "'ssn'"), {}),
        "clinic.drafts": ("consultation_id = %(c)s", {}),
        "clinic.desk_actions": ("user_id = %(me)s" if inside else "user_id = (select id from auth.users where username = 'sam')", {}),
        "clinic.notifications": ("user_id = %(me)s" if inside else "user_id = (select id from auth.users where username = 'sam')", {}),
        "clinic.consultations": ("id = %(c)s", {}),
        **{table: ("user_id = %(me)s" if inside else "user_id = (select id from auth.users where username = 'hugo')", {})
           for table in ("clinic.signing_keys", "clinic.signing_secrets")},
        "clinic.visit_outbox": ("visit_id = %(v)s", {}),
        "clinic.attachment_chunks": ("attachment_id in (select id from clinic.attachments where patient_id = %(p)s)", {}),
        "clinic.settings": ("key = 'name'", {}),
        "clinic.name_spellings": ("true", {}), "clinic.merges": ("kept_id = %(p)s", {}),
    }
    where, more = special.get(table, ("", {}))
    if not where:
        by_doctor = {"clinic.favourites", "clinic.content_approvals", "clinic.working_hours", "clinic.closures", "clinic.time_slots"}
        unscoped = {"auth.tries", "auth.second_factors", "auth.one_time_codes", "auth.credentials", "auth.attempts", "auth.secrets",
                    "auth.sessions", "clinic.appointment_steps", "clinic.receipt_counters", "clinic.day_closes",
                    "audit.events", "audit.chain", "audit.head", "audit.anchors", "clinic.clinic_keys", "auth.enrolments",
                    "clinic.backup_proofs"}
        where = "doctor_id = %(d)s" if table in by_doctor | {"clinic.appointment_events"} else "patient_id = %(p)s"
        where = "true" if table in unscoped else where
    return where, {"me": me, "p": side.patient, "d": side.doctor, "c": side.open, "v": side.visit, **more}


def attempt(connection: psycopg.Connection[Any], statement: str | sql.Composed, values: Row) -> str:
    """`done`, `refused`, or the error that says that the attempt itself was wrong."""
    connection.execute("savepoint cell")
    try:
        return "done" if connection.execute(statement, values).rowcount > 0 else "refused"
    except errors.InsufficientPrivilege:
        return "refused"
    except psycopg.Error as error:
        return f"{type(error).__name__}: {error}"
    finally:
        connection.execute("rollback to savepoint cell")


def shapes(ward: Ward) -> Shapes:
    """Of each table a column that an update may set to itself (the version where there is one), and its key as text."""
    rows = as_owner(ward.practice, """
        select c.oid::regclass::text,
               (array_agg(a.attname::text order by a.attname <> 'version', a.attnum) filter (where attidentity = ''))[1],
               string_agg(a.attname || '::text', ', ' order by a.attname) filter (where a.attnum = any(i.indkey))
          from pg_class c join pg_index i on i.indrelid = c.oid and i.indisprimary join pg_attribute a on a.attrelid = c.oid and attnum > 0
         where c.relnamespace in ('auth'::regnamespace, 'clinic'::regnamespace, 'audit'::regnamespace) group by 1""")
    return {name: (column, keys) for name, column, keys in rows}


def write_cells(ward: Ward, role: str, token: str | None, known: Shapes) -> tuple[list[str], int]:
    wrong, cells = [], 0
    me = ward.users.get(ward.role(role) or "")
    with raw(ward.practice, token=token) as connection:
        for table, by_role in WRITES.items():
            letters = by_role[ROLES.index(role)]
            changed = known[table][0]
            for inside in (True, False):
                side = ward.mine if inside else ward.other
                row = new_row(table, side, ward, role, me, inside=inside)
                insert: str | sql.Composed = f"insert into {table} default values"
                if row is not None:
                    insert = sql.SQL("insert into {} ({}) values ({})").format(
                        sql.SQL(table), sql.SQL(", ").join(map(sql.Identifier, row)), sql.SQL(", ").join(map(sql.Placeholder, row)))
                where, values = rows_of_side(table, side, ward, role, me, inside=inside)
                change = SETS.get(table) or f"{changed} = {changed}"
                tries = {"i": (insert, row or {}), "u": (f"update {table} set {change} where {where}", values),
                         "d": (f"delete from {table} where {where}", values)}
                for letter, (statement, given) in tries.items():
                    cells += 1
                    expected = "done" if letter.upper() in letters or (letter in letters and inside) else "refused"
                    got = attempt(connection, statement, given)
                    if got != expected:
                        wrong.append(f"{role} {letter} {table} ({'her own' if inside else 'others'}): {got}, expected {expected}")
    return wrong, cells


def read_cells(ward: Ward, role: str, token: str | None, known: Shapes) -> tuple[list[str], int]:
    wrong = []
    owner = ward.practice.clinic.addresses.owner
    assert owner
    with raw(ward.practice, token=token) as connection, raw(ward.practice, role="owner") as everything:
        for table, by_role in READS.items():
            level = by_role[ROLES.index(role)]
            keys = known[table][1]
            connection.execute("savepoint cell")
            try:
                got: object = sorted(connection.execute(f"select {keys} from {table}").fetchall())
            except errors.InsufficientPrivilege:
                got = None
            connection.execute("rollback to savepoint cell")
            if level is None:
                expected: object = None
            else:
                where, values = visible(table, level, role, ward)
                expected = sorted(everything.execute(f"select {keys} from {table} where {where}", values).fetchall())
                if level != "none" and not expected:
                    wrong.append(f"{table}: the test has no row that a {role} may read")
            if got != expected:
                wrong.append(f"{role} reads {table}: {got}, expected {level}: {expected}")
    return wrong, len(READS)


def tokens(ward: Ward, role: str) -> list[str | None]:
    """The session of a role; for nobody the ways of having none."""
    name = ward.role(role)
    if name is not None:
        return [ward.practice.token(name)]
    gone = ward.practice.clinic.sign_in("sam", "a quiet morning 7", "another desk")
    ward.practice.clinic.sign_out(gone.token)
    return [None, "", "wrong", gone.token]


def test_every_table_stands_in_the_matrix(ward: Ward) -> None:
    tables = {name for (name,) in as_owner(ward.practice, "select oid::regclass::text from pg_class where relkind in ('r', 'p') and"
                                                          " relnamespace::regnamespace::text in ('auth', 'clinic', 'audit')")}
    assert set(READS) == set(WRITES) == tables


@pytest.mark.parametrize("what", ["reads", "writes"])
def test_matrix(ward: Ward, what: str) -> None:
    shown, known = {role: tokens(ward, role) for role in ROLES}, shapes(ward)
    if what == "writes":
        as_owner(ward.practice, "; ".join(f"alter table {table} disable trigger user" for table in WRITES))
    wrong, cells = [], 0
    for role, each in shown.items():
        for token in each:
            found, number = (read_cells if what == "reads" else write_cells)(ward, role, token, known)
            wrong += found
            cells += number
    count_cells(f"matrix, {what}", cells, len(wrong))
    assert not wrong, "\n" + "\n".join(wrong)
