"""What a review of the walls found, each as the attack that worked: raw SQL with the workstation's own sign-in (docs/decisions/0016)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
from sqlalchemy import text

from clinicdesk.errors import ClinicError, NotAllowed, SignInRefused
from clinicdesk.services import accounts, auditing, glass, proofs
from clinicdesk.services.appointments import book
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.storage.addresses import libpq_address
from tests.clinics import PASSWORD, Practice
from tests.visiting import as_owner, completed, raw

BOOK = ("insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, booked_by, status, reason)"
        " values (%s, %s, %s, %s, auth.me(), 'scheduled', '') returning id")


@pytest.fixture
def his(practice: Practice) -> str:
    """A patient of Hugo's with a signed visit, whom Dora has never seen."""
    patient = practice.patient()
    completed(practice, patient, doctor="hugo")
    return patient


def refusal(connection: psycopg.Connection[Any], statement: str, *values: object) -> str:
    """The constraint or the SQLSTATE a statement is refused with; the transaction goes on."""
    with pytest.raises(psycopg.Error) as refused, connection.transaction():
        connection.execute(statement, values)
    return refused.value.diag.constraint_name or str(refused.value.sqlstate)


@contextmanager
def committed(practice: Practice, username: str) -> Iterator[psycopg.Connection[Any]]:
    """psql at the desk as somebody, committed at the end."""
    with psycopg.connect(libpq_address(practice.clinic.addresses.app)) as connection:
        connection.execute("select set_config('clinicdesk.session', %s, true)", [practice.token(username)])
        yield connection


# -- care -------------------------------------------------------------------------------------------------------------------------

def test_a_doctor_does_not_book_herself_into_a_record(practice: Practice, his: str) -> None:
    with raw(practice, "dora") as connection:
        values = (practice.doctors["dora"], his, practice.at(15), practice.at(16))
        assert refusal(connection, BOOK, *values) == "appointment_not_hers"
        assert connection.execute("select count(*) from clinic.vitals").fetchone() == (0,)
    with practice.write("dora") as session, pytest.raises(ClinicError, match="reception can book"):
        book(session, NewAppointment(practice.doctors["dora"], his, practice.at(15), practice.at(16)))


def test_nor_does_an_hour_of_broken_glass_become_care_for_ever(practice: Practice, his: str) -> None:
    with practice.write("dora") as session:
        glass.break_glass(session, his, "covering", "Her doctor is ill and she is here")
    with raw(practice, "dora") as connection:
        assert connection.execute("select count(*) from clinic.vitals").fetchone() == (1,)
        assert refusal(connection, BOOK, practice.doctors["dora"], his, practice.at(15), practice.at(16)) == "appointment_not_hers"
    practice.book(his, practice.at(15), "dora")  # reception may
    with raw(practice, "dora") as connection:
        connection.execute(BOOK, [practice.doctors["dora"], his, practice.at(10, day=9), practice.at(11, day=9)])


def test_she_revives_no_appointment_that_another_called_off(practice: Practice, his: str) -> None:
    revive = "update clinic.appointments set status = 'scheduled', version = version + 1 where id = %s"
    theirs, hers = practice.book(his, practice.at(15), "dora"), practice.book(his, practice.at(16), "dora")
    practice.step(hers, "cancelled", "dora", "I am away")
    practice.step(theirs, "cancelled", reason="wants another doctor")
    with raw(practice, "dora") as connection:
        assert refusal(connection, revive, theirs) == "appointment_not_hers"
        assert connection.execute("select count(*) from clinic.vitals").fetchone() == (0,)
        reword = "update clinic.appointments set {} version = version + 1 where id = %s"
        for change in ("reason = reason || ' ',", "status = 'no_show',"):
            with suppress(psycopg.Error), connection.transaction():
                connection.execute(reword.format(change), [theirs])
            assert refusal(connection, revive, theirs) == "appointment_not_hers", change
        assert connection.execute("select count(*) from clinic.vitals").fetchone() == (0,)
        connection.execute(revive, [hers])  # her own step, taken back


def test_nobody_takes_over_a_doctors_profile(practice: Practice, his: str) -> None:
    move = "update clinic.doctors set user_id = {}, version = version + 1 where id = %s"
    with raw(practice, "ada") as connection:
        for account in ("auth.me()", "(select id from auth.users where username = 'dora')"):
            assert refusal(connection, move.format(account), practice.doctors["hugo"]) == "doctor_account"
        assert refusal(connection, "insert into clinic.doctors (user_id, licence_number, specialization) values (auth.me(), 'x', 'x')") \
            == "doctor_account"
        assert connection.execute("select auth.my_doctor(), (select count(*) from clinic.notes)").fetchone() == (None, 0)


def test_two_doctors_who_broke_the_same_glass_do_not_excuse_each_other(practice: Practice, his: str) -> None:
    third = practice.patient()
    with practice.write("dora") as session:
        mine = glass.break_glass(session, third, "other", "to see what there is")
    with practice.write("hugo") as session:
        glass.break_glass(session, third, "other", "to see it as well")
    with pytest.raises(NotAllowed), practice.write("hugo") as session:
        session.execute(text("select clinic.review_glass(:g, 'justified')"), {"g": mine.id})


# -- patients' accounts -----------------------------------------------------------------------------------------------------------

def test_no_desk_gives_a_patient_a_password(practice: Practice, his: str) -> None:
    proof = proofs.proof_of(PASSWORD).values
    add = text("select auth.add_user('kim', 'Kim', 'patient', :p, :salt, :memory, :iterations, :lanes, :verifier)")
    for who in ("rita", "ada"):
        with pytest.raises(NotAllowed), practice.write(who) as session:
            session.execute(add, {"p": his, **proof})


def test_a_patient_sees_codes_made_for_her_and_who_came_in_with_them(practice: Practice, his: str) -> None:
    with practice.write("rita") as session:
        code = accounts.kiosk_code(session, his)
    token = practice.clinic.sign_in_with_code(his, code).token
    with practice.clinic.read(token) as session:
        seen = {(reader.name, reader.action) for reader in auditing.my_readers(session)}
    assert {("Rita Reception", "kiosk code"), ("You", "sign-in")} <= seen


def test_the_log_names_a_patient_by_her_number(practice: Practice, his: str) -> None:
    with practice.clinic.as_owner() as session:
        session.execute(text("select auth.insert_user('maria.example', 'Maria', 'patient', :p, :salt, :memory, :iterations, :lanes,"
                             " :verifier)"),
                        {"p": his, **proofs.proof_of(PASSWORD).values})
    practice.token("maria.example")
    assert as_owner(practice, "select count(*) from audit.events where actor = 'maria.example'") == [(0,)]
    assert as_owner(practice, "select count(*) > 0 from audit.events where actor = %s and action = 'sign-in'", his) == [(True,)]


# -- time and locks ---------------------------------------------------------------------------------------------------------------

def test_a_transaction_held_open_is_nobodys_after_five_minutes(practice: Practice) -> None:
    token = practice.token("rita")
    source = as_owner(practice, "select pg_get_functiondef('auth.refuse_old_transaction()'::regprocedure)")[0][0]
    as_owner(practice, source.replace("5 minutes", "0 seconds"))  # the clock cannot be moved, so the limit is
    with raw(practice) as connection:
        connection.execute("set transaction isolation level repeatable read")
        connection.execute("select set_config('clinicdesk.session', %s, true)", [token])
        assert refusal(connection, "select auth.me()") == "CD002"
        assert connection.execute("select set_config('clinicdesk.session', '', true), auth.me()").fetchone() == ("", None)


@pytest.mark.parametrize(("hold", "wanted"), [
    (("set constraints all immediate", "select auth.note_lock()"), "select auth.note_lock(); commit"),  # the end of the chain
    (("select auth.renew()",), "select auth.set_active((select id from auth.users where username = 'rita'), false)"),
    (("update auth.users set name = name, version = version + 1 where id = auth.me()",),
     "select auth.set_active((select id from auth.users where username = 'rita'), false)"),
    (("lock table clinic.doctors in access exclusive mode",), "select count(*) from clinic.doctors"),
    (("select pg_advisory_lock(hashtext('clinic.erasures'))", "commit"), "select pg_advisory_xact_lock(hashtext('clinic.erasures'))"),
])
def test_who_keeps_others_waiting_is_cut_off(practice: Practice, hold: tuple[str, ...], wanted: str) -> None:
    source = as_owner(practice, "select pg_get_functiondef('auth.cut_blockers()'::regprocedure)")[0][0]
    as_owner(practice, source.replace("45 seconds", "0 seconds"))
    with psycopg.connect(libpq_address(practice.clinic.addresses.app)) as holder, raw(practice, "ada") as waiter:
        holder.execute("select set_config('clinicdesk.session', %s, true)", [practice.token("rita")])
        for statement in hold:
            holder.execute(statement)
        waiter.execute("set local statement_timeout = '20s'")
        waiter.pgconn.send_query(wanted.encode())
        cut, begun = 0, time.monotonic()
        while not cut and time.monotonic() < begun + 15:
            with practice.clinic.worker_database.write() as session:
                cut = accounts.cut_blockers(session)
        assert cut == 1
        while waiter.pgconn.is_busy():
            waiter.pgconn.consume_input()
        result = waiter.pgconn.get_result()
        assert result is not None and not result.error_message
        while waiter.pgconn.get_result() is not None:
            pass
        with pytest.raises(psycopg.OperationalError):
            holder.execute("select 1")
    assert as_owner(practice, "select count(*) from audit.events where action = 'cut off'") == [(1,)]


def test_nobody_is_signed_in_after_a_restore(practice: Practice, his: str) -> None:
    token = practice.token("rita")
    with practice.write("rita") as session:
        code = accounts.kiosk_code(session, his)
    with practice.clinic.as_owner() as session:
        assert accounts.begin_anew(session) >= 1
    with raw(practice, token=token) as connection:
        assert connection.execute("select auth.me()").fetchone() == (None,)
    with pytest.raises(SignInRefused):
        practice.clinic.sign_in_with_code(his, code)
