"""Taking back and doing again: every kind of action, refusals that explain, the messages that wait, and long random scripts."""

from __future__ import annotations

import os
import random
from datetime import timedelta
from typing import Any

import pytest

from clinicdesk.errors import ClinicError, NotAllowed
from clinicdesk.services import appointments, undoing
from clinicdesk.services.schedule import NewAppointment
from tests.clinics import Practice
from tests.visiting import as_owner

#: What may rise although everything was taken back; status_since is compared.
STATE = ("select id, doctor_id, patient_id, starts_at, ends_at, status, lane, reason, overbook_reason, cancel_reason, request_key,"
         " booked_by, created_at, status_since, series_id from clinic.appointments order by id")
RECORDS = "select patient_id, appointment_id, kind, title, happened_at from clinic.records order by appointment_id"


def picture(practice: Practice) -> dict[str, list[tuple[Any, ...]]]:
    """Everything a desk action may touch, without versions, keys of records and history."""
    return {
        "appointments": as_owner(practice, STATE),
        "records": as_owner(practice, RECORDS),
        "care": as_owner(practice, "select * from clinic.care order by 1, 2"),
        "series": as_owner(practice, "select * from clinic.series order by id"),
    }


def waiting(practice: Practice) -> list[tuple[Any, ...]]:
    return as_owner(practice, "select appointment_id, kind from clinic.messages where released_at is null order by 1")


def release(practice: Practice) -> None:
    """The undo window is over."""
    as_owner(practice, "update clinic.messages set released_at = now(), hold_until = now() where released_at is null")


def undo(practice: Practice, who: str = "rita") -> Any:
    with practice.write(who) as session:
        return undoing.undo(session)


def redo(practice: Practice, who: str = "rita") -> Any:
    with practice.write(who) as session:
        return undoing.redo(session)


def move(practice: Practice, number: int, hour: int, who: str = "rita", doctor: str = "dora", minutes: int = 20) -> None:
    with practice.write(who) as session:
        row = appointments.one(session, number)
        start = practice.at(hour)
        appointments.move(session, number, practice.doctors[doctor], start, start + timedelta(minutes=minutes), row.version)


def test_a_booking_taken_back_never_was_but_for_its_history(practice: Practice) -> None:
    patient = practice.patient()
    before = picture(practice)
    number = practice.book(patient, practice.at(9), reason="cough")
    booked = picture(practice)
    assert waiting(practice) == [(number, "booked")]
    done = undo(practice)
    assert not done.refused
    assert done.words.startswith("Booked Example1, Maria, ")
    assert done.appointment_ids == (number,)
    assert picture(practice) == before
    assert waiting(practice) == []
    assert [row[0] for row in as_owner(practice, "select what from clinic.appointment_events order by id")] == ["booked", "taken back"]
    assert not redo(practice).refused
    assert picture(practice) == booked
    assert waiting(practice) == [(number, "booked")]


def test_each_step_and_move_goes_back_and_forth(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    release(practice)
    pictures = [picture(practice)]
    practice.step(number, "confirmed")
    pictures.append(picture(practice))
    practice.step(number, "arrived")
    pictures.append(picture(practice))
    move(practice, number, 11, doctor="hugo", minutes=40)
    pictures.append(picture(practice))
    practice.step(number, "cancelled", reason="fell ill")
    pictures.append(picture(practice))
    with practice.read("rita") as session:
        words = [action.words for action in undoing.actions(session)]
    assert [w.split(" Example1")[0] for w in words] == ["Cancelled", "Moved", "Checked in", "Confirmed", "Booked"]
    assert "to Dr Hugo Blanc" in words[1]
    for wanted in reversed(pictures[:-1]):
        assert not undo(practice).refused
        assert picture(practice) == wanted
    for wanted in pictures[1:]:
        assert not redo(practice).refused
        assert picture(practice) == wanted
    with pytest.raises(NotAllowed, match="nothing to do again"):
        redo(practice)


def test_a_resize_an_overbook_and_no_show(practice: Practice) -> None:
    first = practice.book(practice.patient(), practice.at(9))
    second = practice.book(practice.patient(), practice.at(10))
    before = picture(practice)
    move(practice, first, 9, minutes=50)
    with practice.write("rita") as session:
        lane = appointments.free_lane(session, practice.doctors["dora"], practice.at(9), practice.at(9, 20))
        appointments.move(session, second, practice.doctors["dora"], practice.at(9), practice.at(9, 20),
                          appointments.one(session, second).version, lane=lane, overbook_reason="emergency")
        assert lane == 1
    with practice.write("rita") as session:  # it stays on top while it only shifts there
        version = appointments.one(session, second).version
        appointments.move(session, second, practice.doctors["dora"], practice.at(9, 10), practice.at(9, 30), version)
        assert appointments.blocks(session, practice.at(9), practice.at(10), [practice.doctors["dora"]])[1].overbook_reason == "emergency"
    practice.step(second, "no_show")
    for _ in range(4):
        assert not undo(practice).refused
    assert picture(practice) == before


def test_somebody_else_changed_it_and_it_says_who(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    other = practice.book(practice.patient(), practice.at(10))
    move(practice, number, 11)
    move(practice, number, 12, who="sam")
    before = picture(practice)
    refused = undo(practice)
    assert refused.refused.startswith("Sam Second changed this appointment since (moved at ")
    assert picture(practice) == before
    assert undo(practice).appointment_ids == (other,), "goes on to the thing before"
    with practice.write("sam") as session:  # when he takes his own back, ours can be taken back too
        undoing.undo(session)
    with practice.write("rita") as session:
        mine = next(action for action in undoing.actions(session) if action.state == "refused")
        assert undoing.undo(session, mine.id).refused == ""


def test_the_place_is_taken_meanwhile(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    move(practice, number, 11)
    with practice.write("sam") as session:
        appointments.book(session, NewAppointment(practice.doctors["dora"], practice.patient(), practice.at(9), practice.at(9, 20)))
    before = picture(practice)
    assert "already has an appointment" in undo(practice).refused
    assert picture(practice) == before


def test_a_booking_the_patient_was_told_of_is_cancelled_instead_and_she_hears_of_it(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    release(practice)
    booked = picture(practice)
    assert not undo(practice).refused
    assert as_owner(practice, "select status, cancel_reason from clinic.appointments") == [("cancelled", undoing.TAKEN_BACK)]
    assert waiting(practice) == [(number, "cancelled")]
    assert not redo(practice).refused
    assert picture(practice) == booked
    assert waiting(practice) == []


def test_a_message_says_only_what_changed_in_the_end(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    move(practice, number, 10)
    assert waiting(practice) == [(number, "booked")]
    release(practice)
    move(practice, number, 11)
    assert waiting(practice) == [(number, "moved")]
    move(practice, number, 10)
    assert waiting(practice) == []
    practice.step(number, "cancelled", reason="holiday")
    assert waiting(practice) == [(number, "cancelled")]
    nobody = practice.patient()
    as_owner(practice, "update clinic.patients set phone = null, version = version + 1 where id = %s", nobody)
    silent = practice.book(nobody, practice.at(14))
    assert (silent, "booked") not in waiting(practice), "nobody can be told without phone and e-mail"


def test_others_actions_are_not_mine(practice: Practice) -> None:
    practice.book(practice.patient(), practice.at(9))
    with pytest.raises(NotAllowed, match="nothing to undo"):
        undo(practice, "sam")
    with practice.read("sam") as session:
        assert undoing.actions(session) == []


def test_what_hangs_on_a_booking_keeps_it(practice: Practice) -> None:
    number = practice.book(practice.patient(), practice.at(9))
    as_owner(practice, "update clinic.records set title = 'Visit for cough', version = version + 1 where appointment_id = %s", number)
    assert not undo(practice).refused
    assert as_owner(practice, "select status from clinic.appointments") == [("cancelled",)]


def act(practice: Practice, dice: random.Random, patients: list[str], who: str) -> None:
    """One thing a receptionist might do, whether it succeeds or not."""
    day = dice.randrange(1, 4)
    start = practice.at(dice.randrange(8, 17), dice.choice((0, 20, 40)), day)
    doctor = practice.doctors[dice.choice(("dora", "hugo"))]
    try:
        with practice.write(who) as session:
            rows = appointments.list_day(session, start.date())
            if dice.random() < 0.4 or not rows:
                lane = 0
                if dice.random() < 0.2:
                    lane = appointments.free_lane(session, doctor, start, start + timedelta(minutes=20))
                end = start + timedelta(minutes=dice.choice((20, 40)))
                appointments.book(session, NewAppointment(doctor, dice.choice(patients), start, end, lane=lane,
                                                          overbook_reason="squeezed in" if lane else ""))
                return
            row = dice.choice(rows)
            if dice.random() < 0.5:
                appointments.move(session, row.id, doctor, start, start + timedelta(minutes=dice.choice((20, 30))), row.version)
            else:
                to = dice.choice(("confirmed", "arrived", "cancelled", "no_show", "scheduled"))
                appointments.step(session, row.id, to, row.version, "did not suit" if to == "cancelled" else "")
    except ClinicError:
        return


@pytest.mark.parametrize("seed", [int(os.environ.get("CLINICDESK_SEED", "7"))])
def test_a_thousand_random_actions_then_undo_all(practice: Practice, seed: int) -> None:
    """Moonshot 5: the tables equal the start, the history keeps every step, no message is left. And all of it again, forwards."""
    dice = random.Random(seed)
    patients = [practice.patient() for _ in range(12)]
    for hour in range(8, 12):  # something that was there before
        practice.book(patients[hour - 8], practice.at(hour, 20), "hugo")
    as_owner(practice, "delete from clinic.desk_actions")
    release(practice)
    start = picture(practice)
    while (done := as_owner(practice, "select count(*) from clinic.desk_actions")[0][0]) < 1000:
        for _ in range(1000 - done):
            act(practice, dice, patients, "rita")
    middle = picture(practice)
    events = as_owner(practice, "select count(*) from clinic.appointment_events")[0][0]
    assert middle != start
    for step in range(done):
        settled = undo(practice)
        assert not settled.refused, (step, settled)
    assert picture(practice) == start
    assert waiting(practice) == []
    assert as_owner(practice, "select count(*) from clinic.appointment_events")[0][0] == events + done
    with pytest.raises(NotAllowed):
        undo(practice)
    for _ in range(done):
        assert not redo(practice).refused
    assert picture(practice) == middle
