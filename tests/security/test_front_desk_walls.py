"""What somebody with psql at a desk tries with the front desk's functions: undo, series, waiting list, calling, messages, money."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from clinicdesk.services import appointments, undoing, waiting
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.services.waiting import WishForm
from tests.security.conftest import Ward
from tests.security.test_walls import refused
from tests.visiting import as_owner, raw

BOOK_AGAIN = "select clinic.book_again(%s, %s::jsonb, 'every week, 2 times')"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_numbers_moments_and_makers_are_nobodys_to_choose(ward: Ward) -> None:
    at = ward.practice.at(15, day=5)
    values = (ward.mine.doctor, ward.mine.patient, at, at + timedelta(minutes=20))
    with raw(ward.practice, "rita") as connection:
        for extra, value in (("created_at", LONG_AGO), ("status_since", LONG_AGO), ("id", 1), ("cancel_reason", "x")):
            statement = (f"insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, booked_by, {extra})"
                         " overriding system value values (%s, %s, %s, %s, auth.me(), %s)")
            assert refused(connection, statement, *values, value) == "42501", extra
        rita, patient = ward.users["rita"], ward.mine.patient
        for table, columns, given in (("waiting_list", "patient_id, made_by, created_at", (patient, rita, LONG_AGO)),
                                      ("waiting_list", "patient_id, made_by, id", (patient, rita, 10**9)),
                                      ("series", "patient_id, rule, made_by, id", (patient, "x", rita, 10**9)),
                                      ("desk_actions", "user_id, kind, changes, at", (rita, "book", "[1]", LONG_AGO))):
            marks = ", ".join(["%s"] * len(given))
            statement = f"insert into clinic.{table} ({columns}) overriding system value values ({marks})"
            assert refused(connection, statement, *given) == "42501", columns
        number = connection.execute("insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, booked_by)"
                                    " values (%s, %s, %s, %s, auth.me()) returning id", values).fetchone()
        assert number
        for column, value in (("booked_by", "1"), ("request_key", "'x'"), ("series_id", "null"), ("created_at", "now()"), ("id", "default"),
                              ("patient_id", "patient_id")):
            change = f"update clinic.appointments set {column} = {value}, version = version + 1 where id = {number[0]}"
            assert refused(connection, change) == "42501", column
        connection.execute("update clinic.appointments set status = 'arrived', status_since = %s, version = version + 1 where id = %s",
                           (LONG_AGO, number[0]))
        since = connection.execute("select status_since = now() from clinic.appointments where id = %s", number).fetchone()
        assert since == (True,), "only a moment that the history knows is taken"
        foreign = as_owner(ward.practice, "select id from clinic.series where patient_id = %s", ward.other.patient)[0][0]
        into = ("insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, booked_by, series_id)"
                " values (%s, %s, %s, %s, auth.me(), %s)")
        later = (ward.mine.doctor, ward.mine.patient, at + timedelta(hours=1), at + timedelta(minutes=80))
        assert refused(connection, into, *later, foreign) == "CD010", "somebody else's series"


def test_a_booking_is_made_again_only_as_it_was_and_only_by_its_maker(ward: Ward) -> None:
    practice = ward.practice
    number = practice.book(ward.bare, practice.at(15, day=6), reason="cough", key="one")
    state = as_owner(practice, "select changes -> 0 -> 'after' from clinic.desk_actions order by id desc limit 1")[0][0]
    with practice.write("rita") as session:
        undoing.undo(session)
    forged = {**state, "doctor_id": ward.other.doctor, "starts_at": practice.at(9, day=30).isoformat(),
              "ends_at": practice.at(21, day=30).isoformat(), "status": "completed", "created_at": LONG_AGO.isoformat(),
              "status_since": LONG_AGO.isoformat(), "lane": 5,
              "booked_by": ward.users["ada"], "series_id": None}
    for who in ("sam", "dora", "kim", "ada", None):
        with raw(practice, who) as connection:
            assert refused(connection, BOOK_AGAIN, number, json.dumps(state)) == "CD001", who
            assert refused(connection, BOOK_AGAIN, 999_999, json.dumps(state)) == "CD001", who
    with raw(practice, "rita") as connection:
        assert refused(connection, BOOK_AGAIN, number, json.dumps({**state, "patient_id": ward.mine.patient})) == "CD001"
        assert refused(connection, BOOK_AGAIN, number, json.dumps({**state, "series_id": 10**12})) != ""
        connection.execute(BOOK_AGAIN, (number, json.dumps(forged)))
        kept = ("select doctor_id, patient_id, starts_at, status, lane, booked_by, created_at > now() - interval '1 hour',"
                " status_since > now() - interval '1 hour' from clinic.appointments where id = %s")
        assert connection.execute(kept, [number]).fetchone() == (
            state["doctor_id"], ward.bare, practice.at(15, day=6), "scheduled", 0, ward.users["rita"], True, True)
        assert refused(connection, BOOK_AGAIN, number, json.dumps(state)) == "CD001", "it stands already"


def test_nobody_unmakes_what_is_not_hers_any_more(ward: Ward) -> None:
    practice = ward.practice
    with practice.write("dora") as session:
        start = practice.at(15, day=7)
        number = appointments.book(session, NewAppointment(ward.mine.doctor, ward.mine.patient, start, start + timedelta(minutes=20)))
    for who in ("rita", "hugo", "kim", "ada", None):
        with raw(practice, who) as connection:
            assert refused(connection, "select clinic.take_back(%s)", number) == "CD001", who
            assert refused(connection, "select clinic.take_back(999999)") == "CD001", who
    with practice.write("rita") as session:
        row = appointments.one(session, number)
        appointments.move(session, number, ward.other.doctor, row.starts_at, row.ends_at, row.version)
    with raw(practice, "dora") as connection:
        assert refused(connection, "select clinic.take_back(%s)", number) == "CD001", "it is another doctor's now"
    touched = practice.book(ward.mine.patient, practice.at(16, day=7))
    practice.step(touched, "confirmed", "sam")
    old = practice.book(ward.mine.patient, practice.at(16, 20, day=7))
    as_owner(practice, "alter table clinic.appointments disable trigger user")
    as_owner(practice, "update clinic.appointments set created_at = now() - interval '8 days' where id = %s", old)
    as_owner(practice, "alter table clinic.appointments enable trigger user")
    with raw(practice, "rita") as connection:
        for kept in (touched, old):
            assert connection.execute("select clinic.take_back(%s)", [kept]).fetchone() == (False,)


@pytest.mark.parametrize("who", ["dora", "rita"])
def test_a_forged_list_of_actions_does_no_more_than_she_may_do_herself(ward: Ward, who: str) -> None:
    """Undo reads JSON that she could have written: it runs under her own rights."""
    practice = ward.practice
    theirs = practice.book(ward.other.patient, practice.at(15, day=8), "hugo")
    state = as_owner(practice, "select changes -> 0 -> 'after' from clinic.desk_actions order by id desc limit 1")[0][0]
    tries = {
        "complete": ({**state, "status": "completed"}, state), "give away": ({**state, "doctor_id": ward.mine.doctor}, state),
        "unmake": (None, state), "past": ({**state, "starts_at": LONG_AGO.isoformat()}, state)}
    for name, (before, after) in tries.items():
        if who == "rita" and name in {"give away", "unmake"}:
            continue  # she may
        change = [{"id": theirs, "before": before, "after": after, "rule": ""}]
        with practice.write(who) as session:
            session.execute(undoing.insert(undoing.ActionTable).values(user_id=session.my_id, kind="move", changes=change))
        with practice.write(who) as session:
            assert undoing.undo(session).refused, name
        assert as_owner(practice, "select doctor_id, status from clinic.appointments where id = %s", theirs) == [
            (ward.other.doctor, "scheduled")], name


def test_a_patient_at_the_kiosk_calls_and_moves_nothing(ward: Ward) -> None:
    calls = ("select clinic.call_in(%s, 'Room 1')", "select clinic.take_back(%s)", "select clinic.charge_visit(%s)",
             "select clinic.void_charge(%s, 'not mine')", "select clinic.receipt_printed(%s)", "select clinic.reopen_day(%s, 'because')")
    for who in ("kim", None):
        with raw(ward.practice, who) as connection:
            for call in calls:
                assert {refused(connection, call, number) for number in (ward.mine.free, ward.other.free, 999_999)} == {"CD001"}, call
            assert refused(connection, "select clinic.expire_offers()") == "42501"
            got = connection.execute("select patient_id from clinic.messages union select patient_id from clinic.offers").fetchall()
            assert {row[0] for row in got} <= ({ward.mine.patient} if who else set())
    with raw(ward.practice, "dora") as connection:
        said = {refused(connection, "select clinic.call_in(%s, 'Room 1')", number) for number in (ward.other.free, 999_999)}
        assert said == {"CD001"}, "whether there is one is not to be learnt"


def test_a_wish_gives_up_only_her_own_appointment_and_an_offer_only_to_who_waits(ward: Ward) -> None:
    practice = ward.practice
    foreign = practice.book(ward.other.patient, practice.at(15, day=9), "hugo")
    with practice.write("rita") as session, pytest.raises(Exception, match="not an appointment of this patient"):
        waiting.add(session, WishForm(ward.mine.patient, gives_up=foreign))
    offer = as_owner(practice, "select id from clinic.offers where patient_id = %s", ward.mine.patient)[0][0]
    as_owner(practice, "update clinic.waiting_list set status = 'booked', version = version + 1 where patient_id = %s", ward.mine.patient)
    with raw(practice, "rita") as connection:
        assert refused(connection, "update clinic.offers set status = 'accepted' where id = %s", offer) == "CD010"


def test_a_wallet_is_not_put_right_with_another_ones_request(ward: Ward) -> None:
    correct = "select clinic.correct_wallet(%s, %s, 'counted again', 'same key')"
    with raw(ward.practice, "ada") as connection:
        first = connection.execute(correct, (ward.mine.patient, 5)).fetchone()
        assert connection.execute(correct, (ward.mine.patient, 5)).fetchone() == first
        assert refused(connection, correct, ward.other.patient, 5) == "CD010"
        assert refused(connection, correct, ward.mine.patient, 6) == "CD010"
    with pytest.raises(psycopg.Error), raw(ward.practice, "rita") as connection:
        connection.execute(correct, (ward.mine.patient, 5))
