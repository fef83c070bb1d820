"""What somebody with psql and the workstation's sign-in tries, whoever she is: the database says no, and says nothing else."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import errors

from clinicdesk.errors import NotAllowed
from clinicdesk.services import chart, consultations, prescriptions, records
from tests.security.conftest import Ward
from tests.visiting import as_owner, raw

SIGNED_IN = ("rita", "dora", "ada", "kim", None)


def refused(connection: psycopg.Connection[object], statement: str, *values: object) -> str:
    """The SQLSTATE of a refusal; empty when nothing was refused."""
    connection.execute("savepoint attack")
    try:
        connection.execute(statement, values)
    except psycopg.Error as error:
        return str(error.sqlstate)
    finally:
        connection.execute("rollback to savepoint attack")
    return ""


def test_nobody_becomes_another_database_role(ward: Ward) -> None:
    for who in SIGNED_IN:
        with raw(ward.practice, who) as connection:
            for role in ("clinicdesk_owner", "clinicdesk_worker", "clinicdesk_backup", "postgres", "clinicdesk_admin"):
                assert refused(connection, f"set role {role}") in {"42501", "22023"}, (who, role)
                assert refused(connection, f"set session authorization {role}") in {"42501", "22023"}, (who, role)
            assert refused(connection, "set row_security = off; select * from clinic.patients") == "42501"
            assert refused(connection, "alter table clinic.patients disable row level security") == "42501"
            assert refused(connection, "create policy mine on clinic.patients using (true)") == "42501"
            assert refused(connection, "alter table clinic.consultations disable trigger all") == "42501"
            assert refused(connection, "set session_replication_role = replica") == "42501"
            assert refused(connection, "create function public.f() returns int language sql as 'select 1'") == "42501"


def test_no_setting_makes_one_somebody_else(ward: Ward) -> None:
    with raw(ward.practice, "rita") as connection:
        for name in ("clinicdesk.user", "clinicdesk.user_id", "clinicdesk.role", "clinicdesk.me", "clinicdesk.doctor", "role_name.x"):
            connection.execute("select set_config(%s, %s, true)", [name, str(ward.users["ada"])])
        assert connection.execute("select auth.my_role()").fetchone() == ("receptionist",)
        for spoof in (str(ward.users["ada"]), "ada", "' or true --", "\\x00", "x" * 100_000, "é"):
            connection.execute("select set_config('clinicdesk.session', %s, true)", [spoof])
            assert connection.execute("select auth.me(), auth.my_role(), auth.is_staff()").fetchone() == (None, None, False)
            assert connection.execute("select count(*) from clinic.patients").fetchone() == (0,)


def test_a_token_of_another_time_is_nobody(ward: Ward) -> None:
    token = ward.practice.token("dora")
    for column in ("expires_at", "absolute_expires_at"):
        as_owner(ward.practice, f"update auth.sessions set {column} = now() - interval '1 second' where user_id = %s", ward.users["dora"])
        with raw(ward.practice, token=token) as connection:
            assert connection.execute("select auth.me(), (select count(*) from clinic.patients)").fetchone() == (None, 0)
        as_owner(ward.practice, f"update auth.sessions set {column} = now() + interval '1 hour' where user_id = %s", ward.users["dora"])
    as_owner(ward.practice, "update auth.users set active = false, version = version + 1 where username = 'dora'")
    with raw(ward.practice, token=token) as connection:
        assert connection.execute("select auth.me()").fetchone() == (None,)


def test_proofs_and_tokens_cannot_be_read(ward: Ward) -> None:
    for who in SIGNED_IN:
        with raw(ward.practice, who) as connection:
            for statement in ("select verifier from auth.credentials", "select token_hash from auth.sessions",
                              "select * from auth.sessions", "select value from auth.secrets", "select * from auth.attempts",
                              "select * from pg_authid", "select auth.insert_user('x', 'x', 'administrator', null, '', 1, 1, 1, '')",
                              "select auth.wait_of('x', 0, 1)", "select * from auth.tries", "select * from auth.second_factors",
                              "select * from auth.one_time_codes", "select auth.redeem(gen_random_uuid())",
                              "select auth.code_hash(1, '')", "select auth.totp('', 1)", "select auth.forget_second_factor(1)",
                              "select auth.set_proof(1, '', 1, 1, 1, '')", "select auth.make_code(1, 'reset', 16, '1 day')",
                              "select clinic.renew_care(1, 'p_aaaaaa')", "select pg_read_file('pg_hba.conf')",
                              "select jobs.procrastinate_defer_jobs_v1(null)", "select * from jobs.procrastinate_jobs"):
                assert refused(connection, statement) == "42501", (who, statement)


def test_accounts_are_added_and_ended_by_those_who_may(ward: Ward) -> None:
    add = ("select auth.add_user('eve', 'Eve', %s, null, decode(repeat('00', 16), 'hex'), 19456, 2, 1, decode(repeat('00', 32), 'hex'))")
    theirs = as_owner(ward.practice, "select id from auth.sessions where user_id = %s", ward.users["ada"])[0][0]
    for who in ("rita", "dora", "kim", None):
        with raw(ward.practice, who) as connection:
            for role in ("administrator", "doctor", "receptionist"):
                assert refused(connection, add, role) == "CD001", (who, role)
            assert refused(connection, "select auth.set_active(%s, false)", ward.users["sam"]) == "CD001"
            assert connection.execute("select auth.end_session(%s)", [theirs]).fetchone() == (False,)
            assert refused(connection, "select auth.create_first_administrator('e', 'e', '', 1, 1, 1, '')") == "CD001"
    with raw(ward.practice, "ada") as connection:
        assert refused(connection, add, "doctor") == ""
        assert refused(connection, "select auth.set_active(%s, false)", ward.users["ada"]) == "CD001"  # nobody locks herself out


def test_names_of_ones_own_do_not_fool_the_guards(ward: Ward) -> None:
    """Temporary tables and functions come first in an unpinned search path: none of ours looks there."""
    with raw(ward.practice, "kim") as connection:
        connection.execute("create temp table users (id bigint, username text, name text, role text, patient_id text, active boolean)")
        connection.execute("create temp table sessions as select 1 as id")
        connection.execute("create function pg_temp.now() returns timestamptz language sql as 'select ''-infinity''::timestamptz'")
        connection.execute("create function pg_temp.sha256(bytea) returns bytea language sql as 'select ''''::bytea'")
        connection.execute("set local search_path = pg_temp, auth, clinic, pg_catalog")
        assert connection.execute("select auth.my_role()").fetchone() == ("patient",)
        assert connection.execute("select count(*) from clinic.patients").fetchone() == (1,)
        connection.execute("select set_config('clinicdesk.session', 'x', true)")
        assert connection.execute("select auth.me()").fetchone() == (None,)


def test_bulk_ways_in_and_out_keep_to_the_rows(ward: Ward) -> None:
    with raw(ward.practice, "kim") as connection:
        with connection.cursor().copy("copy (select id from clinic.patients) to stdout") as rows:
            assert [row for (row,) in rows.rows()] == [ward.mine.patient]
        with connection.cursor().copy("copy clinic.patients to stdout") as rows:
            assert len(list(rows.rows())) == 1
        assert refused(connection, "copy clinic.patients to program 'cat'") == "42501"
        assert refused(connection, "copy clinic.patients to '/tmp/x'") == "42501"
        for table in ("clinic.patients", "clinic.drafts", "auth.users"):
            assert refused(connection, f"truncate {table} cascade") == "42501"
        assert refused(connection, "drop table clinic.notes") == "42501"
    with raw(ward.practice, "rita") as connection, pytest.raises((errors.FeatureNotSupported, errors.InsufficientPrivilege)):
        connection.execute("copy clinic.notes (patient_id) from stdin")


def test_a_row_cannot_be_carried_to_another_patient(ward: Ward) -> None:
    with raw(ward.practice, "dora") as connection:
        for table in ("problems", "allergies", "medicines", "records", "sealed_fields", "prescriptions", "consultations"):
            assert refused(connection, f"update clinic.{table} set patient_id = %s", ward.other.patient) == "42501", table
        for column in ("recorded_by", "source_key"):
            assert refused(connection, f"update clinic.allergies set {column} = null") == "42501"
        annotate = "insert into clinic.annotations (record_id, patient_id, doctor_id, body) values (%s, %s, %s, '')"
        assert refused(connection, annotate, ward.other.record, ward.mine.patient, ward.mine.doctor) == "42501"
    with raw(ward.practice, "ada") as connection:
        forged = "insert into clinic.vitals (patient_id, taken_at, source_key, recorded_by) values (%s, now(), 'x', %s)"
        assert refused(connection, forged, ward.mine.patient, ward.users["dora"]) == "42501"


def test_guards_hold_beside_row_security(ward: Ward) -> None:
    """Her own patient, somebody else's consultation: the parts fit row security one by one, the whole does not."""
    mine, other, me = ward.mine, ward.other, ward.users["dora"]
    with raw(ward.practice, "dora") as connection:
        note = "insert into clinic.notes (consultation_id, patient_id, kind, body, author_id) values (%s, %s, 'general', '', %s)"
        assert refused(connection, note, other.blank, mine.patient, me) == "CD010"
        assert refused(connection, note, mine.done, mine.patient, me) == "CD010"  # signed
        assert refused(connection, note, mine.blank, mine.patient, ward.users["hugo"]) == "42501"
        assert refused(connection, note, mine.blank, mine.patient, me) == ""
        sign = ("update clinic.consultations set status = 'completed', completed_at = now(), signed_by = %s, version = version + 1,"
                " content_sha256 = decode(repeat('00', 32), 'hex') where id = %s")
        assert refused(connection, sign, ward.users["hugo"], mine.blank) == "CD010"
        assert refused(connection, "update clinic.appointments set status = 'completed', version = version + 1 where id = %s",
                       mine.free) == "CD010"
        visit = "insert into clinic.visits values (gen_random_uuid(), 1, %s, %s, %s, %s, now())"
        assert refused(connection, visit, mine.patient, mine.free, mine.blank, mine.doctor) == "CD010"


def test_forbidden_and_absent_look_the_same(ward: Ward) -> None:
    said = set()
    with ward.practice.read("dora") as session:
        for patient in (ward.other.patient, "p_zzzzzz"):
            for read in (chart.banner, chart.chart):
                try:
                    said.add((read.__name__, getattr(read(session, patient), "allergy_title", "")))
                except NotAllowed as error:
                    said.add((read.__name__, error.sentence))
        sentences = set()
        for consultation in (ward.other.open, 999_999):
            with pytest.raises(NotAllowed) as error:
                consultations.open_sheet(session, consultation)
            sentences.add(error.value.sentence)
        for prescription in (ward.other.prescription, 999_999):
            with pytest.raises(NotAllowed) as error:
                prescriptions.stored_pdf(session, prescription)
            sentences.add(error.value.sentence)
        assert len(sentences) == 1
    # A doctor may know that the other patient exists (identity is open to staff) but reads nothing of the record.
    assert ("banner", chart.UNAVAILABLE) in said
    with ward.practice.read("hugo") as session:
        row = next(r for r in records.of_patient(session, ward.other.patient) if r.id == ward.other.record)
    with ward.practice.read("dora") as session, pytest.raises(NotAllowed):
        records.read(session, row)
    with raw(ward.practice, "dora") as connection:
        insert = "insert into clinic.allergies (patient_id, substance, recorded_by) values (%s, 'x', %s)"
        texts = set()
        for patient in (ward.other.patient, "p_zzzzzz"):
            with pytest.raises(errors.InsufficientPrivilege) as problem, connection.transaction():
                connection.execute(insert, [patient, ward.users["dora"]])
            texts.add(str(problem.value))
        assert len(texts) == 1
