"""What happened between doing a thing and taking it back: the list, the doctor and the patient, the till, the other window, midnight."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest

from clinicdesk.errors import FreePlace, NotAllowed
from clinicdesk.jobs.worker import tidy_desk
from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import appointments, messages, money, patients, series, undoing, waiting
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.services.undoing import Settled
from clinicdesk.services.waiting import WishForm
from tests.clinics import Practice
from tests.paying import FEE, account, pay
from tests.reliability.test_races import together
from tests.services.test_undoing import redo, release, undo
from tests.visiting import as_owner

LIST = "select id, status, booked_id from clinic.waiting_list order by id"


def accepted(practice: Practice, patient: str, *, gives_up: int | None = None) -> tuple[int, int]:
    """A wish that was offered nine o'clock and took it; the wish and the appointment."""
    with practice.write("rita") as session:
        wish = waiting.add(session, WishForm(patient, gives_up=gives_up))
        held = waiting.offer(session, wish, FreePlace(practice.doctors["dora"], practice.at(9), practice.at(9, 20)))
        return wish, waiting.accept(session, held)


@pytest.mark.parametrize("how", ["unmade", "told already", "moved"])
def test_an_accepted_offer_goes_back_to_the_list_and_is_settled_again(practice: Practice, how: str) -> None:
    patient = practice.patient()
    later = practice.book(patient, practice.at(15)) if how == "moved" else None
    wish, booked = accepted(practice, patient, gives_up=later)
    assert as_owner(practice, LIST) == [(wish, "booked", booked)]
    if how == "told already":
        release(practice)
    assert undo(practice).refused == ""
    assert as_owner(practice, LIST) == [(wish, "waiting", None)]
    other = practice.book(practice.patient(), practice.at(9))  # what was accepted blocks nothing
    with practice.write("rita") as session:
        undoing.undo(session)
    assert as_owner(practice, "select count(*) from clinic.appointments where id = %s", other) == [(0,)]
    # A booking of the same person was something new: do the same by hand that an untouched list would offer.
    as_owner(practice, "delete from clinic.desk_actions where changes -> 0 ->> 'id' = %s", str(other))
    with practice.write("sam") as session:  # meanwhile another place is held for her
        waiting.offer(session, wish, FreePlace(practice.doctors["hugo"], practice.at(10), practice.at(10, 20)))
    assert redo(practice).refused == ""
    assert as_owner(practice, LIST) == [(wish, "booked", booked)]
    assert as_owner(practice, "select status from clinic.appointments where id = %s", booked) == [("scheduled",)]
    assert as_owner(practice, "select count(*) from clinic.offers where status = 'held'") == [(0,)]


def test_it_is_not_given_again_to_who_is_not_waiting_any_more(practice: Practice) -> None:
    wish, booked = accepted(practice, practice.patient())
    undo(practice)
    with practice.write("sam") as session:
        waiting.withdraw(session, wish, waiting.wishes(session)[0].version)
    assert "settled in another way" in redo(practice).refused
    assert as_owner(practice, "select count(*) from clinic.appointments where id = %s", booked) == [(0,)]
    assert as_owner(practice, "select status from clinic.waiting_list") == [("withdrawn",)]


def test_nothing_is_booked_for_the_archived_or_with_a_doctor_who_left(practice: Practice) -> None:
    patient = practice.patient()
    number = practice.book(patient, practice.at(9))
    with practice.write("rita") as session:
        appointments.move(session, number, practice.doctors["hugo"], practice.at(9), practice.at(9, 20), 1)
    as_owner(practice, "update clinic.doctors set available = false, version = version + 1 where id = %s", practice.doctors["dora"])
    assert undo(practice).refused == "Dr Dora Kim does not see patients at present."
    as_owner(practice, "update clinic.doctors set available = true, version = version + 1 where id = %s", practice.doctors["dora"])
    with practice.write("rita") as session:
        undoing.undo(session, undoing.actions(session)[0].id)
    assert undo(practice).refused == ""
    with practice.write("sam") as session:
        patients.archive(session, patient, patients.card(session, patient).version)
    assert redo(practice).refused == "This patient is archived."
    assert as_owner(practice, "select count(*) from clinic.appointments") == [(0,)]


def sixty(practice: Practice) -> tuple[int, ...]:
    start = practice.at(9)
    with practice.write("rita") as session:
        planned = series.plan(session, practice.doctors["dora"], start, start + timedelta(minutes=20), Repeats("week", 60))
        wish = NewAppointment(practice.doctors["dora"], practice.patient(), start, start + timedelta(minutes=20))
        return series.book(session, wish, [(one.starts_at, one.ends_at) for one in planned], Repeats("week", 60))


def test_sixty_at_once_all_or_nothing_and_soon(practice: Practice) -> None:
    numbers = sixty(practice)
    practice.step(numbers[40], "confirmed", "sam")
    before = as_owner(practice, "select id, status, version from clinic.appointments order by id")
    assert undo(practice).refused.startswith("Sam Second changed this appointment since (confirmed at ")
    assert as_owner(practice, "select id, status, version from clinic.appointments order by id") == before
    undo(practice, "sam")
    with practice.write("rita") as session:
        mine = undoing.actions(session)[0].id
    began = time.perf_counter()
    with practice.write("rita") as session:
        assert undoing.undo(session, mine).refused == ""
    assert time.perf_counter() - began < 5
    # One of them had been in another person's hands: it is cancelled, not unmade.
    assert as_owner(practice, "select id, status from clinic.appointments") == [(numbers[40], "cancelled")]
    assert redo(practice).refused == ""
    assert as_owner(practice, "select count(*), count(distinct series_id) from clinic.appointments where status = 'scheduled'") == [(60, 1)]


def test_two_windows_of_one_person_take_back_two_things(practice: Practice) -> None:
    for hour in range(9, 13):
        practice.book(practice.patient(), practice.at(hour))
    outcomes = together(*(lambda: undo(practice) for _ in range(4)))
    assert len({one.action_id for one in outcomes if isinstance(one, Settled)}) == 4, outcomes
    with pytest.raises(NotAllowed, match="nothing to undo"):
        undo(practice)


def test_what_was_paid_stays_paid_when_the_check_in_is_taken_back(practice: Practice) -> None:
    patient = practice.patient()
    number = practice.book(patient, practice.at(9))
    practice.step(number, "arrived")
    with practice.write("rita") as session:
        charge = money.charge_visit(session, number)
    assert charge is not None
    pay(practice, patient, charge, "20")
    assert undo(practice).refused == ""
    assert account(practice, patient).owed == FEE - Decimal(20)
    assert redo(practice).refused == ""
    with practice.write("rita") as session:
        assert money.charge_visit(session, number) == charge


def test_a_price_that_was_agreed_comes_back_with_the_check_in(practice: Practice) -> None:
    patient = practice.patient()
    number = practice.book(patient, practice.at(9))
    practice.step(number, "arrived")
    with practice.write("rita") as session:
        charge = money.charge_visit(session, number)
        assert charge is not None
        money.change_charge(session, charge, Decimal(20), "student")
    undo(practice)
    assert account(practice, patient).owed == 0
    redo(practice)
    with practice.write("rita") as session:
        row = money.open_account(session, patient, number).open[0]
    assert (row.amount, row.usual, row.reason) == (Decimal(20), FEE, "student")


def test_nobody_pays_a_charge_that_falls_away_at_the_same_moment(practice: Practice) -> None:
    for hour in range(9, 15):
        patient = practice.patient()
        number = practice.book(patient, practice.at(hour))
        practice.step(number, "arrived")
        with practice.write("rita") as session:
            charge = money.charge_visit(session, number)
        assert charge is not None
        with practice.write("sam") as paying:
            money.pay(paying, patient, [money.Part(charge, "cash", FEE)], f"pay {number}")
            taken_back: list[object] = []

            thread = threading.Thread(target=lambda: taken_back.append(undo(practice)))  # noqa: B023  joined below
            thread.start()
            for _ in range(500):
                if as_owner(practice, "select 1 from pg_locks l join pg_stat_activity s using (pid) where not l.granted"
                                      " and s.datname = current_database()") or taken_back:
                    break
        thread.join()
    assert as_owner(practice, "select count(*) from clinic.charges c join clinic.payments p on p.charge_id = c.id"
                              " where c.voided_at is not null") == [(0,)]


def test_what_has_begun_is_not_announced_and_the_dead_get_no_letters(practice: Practice) -> None:
    number, patient = practice.book(practice.patient(), practice.at(9)), practice.patient()
    late = practice.book(patient, practice.at(10))
    begun = "update clinic.messages set hold_until = now(), starts_at = now() - interval '1 second' where appointment_id = %s"
    as_owner(practice, begun, number)
    as_owner(practice, "update clinic.patients set died = current_date, version = version + 1 where id = %s", patient)
    release(practice)
    as_owner(practice, "update clinic.messages set released_at = null where appointment_id = %s", number)
    practice.step(late, "cancelled", reason="she died")
    assert tidy_desk(practice.clinic.worker_database)[0] == 0
    with practice.read("rita") as session:
        assert messages.waiting(session) == []


def test_a_message_let_go_at_the_moment_of_undo_is_not_lost(practice: Practice) -> None:
    """The worker has let it go but not committed: undo waits for it, then cancels and says so."""
    number = practice.book(practice.patient(), practice.at(9))
    as_owner(practice, "update clinic.messages set hold_until = now()")
    outcome: list[Settled] = []

    with practice.clinic.worker_database.write() as worker:
        assert messages.release(worker) == 1
        thread = threading.Thread(target=lambda: outcome.append(undo(practice)))
        thread.start()
        for _ in range(2000):
            if as_owner(practice, "select 1 from pg_locks l join pg_stat_activity s using (pid) where not l.granted"
                                  " and s.datname = current_database()"):
                break
    thread.join()
    assert outcome[0].refused == ""
    assert as_owner(practice, "select status from clinic.appointments") == [("cancelled",)]
    assert as_owner(practice, "select appointment_id, kind from clinic.messages where released_at is null") == [(number, "cancelled")]
