"""The waiting list: who fits and why, holding a place, the next on refusal, and never two offers; and the numbers of the waiting room."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from time import perf_counter

import psycopg
import pytest

from clinicdesk.errors import ClinicError, FreePlace, Invalid, SlotTaken
from clinicdesk.rules.matching import Place, Wanted, fit
from clinicdesk.services import appointments, calling, undoing, waiting
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.services.waiting import WishForm
from clinicdesk.storage.addresses import libpq_address
from tests.clinics import Practice
from tests.visiting import as_owner, counted

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
PLACE = Place(1, "Family medicine", MONDAY, MONDAY + timedelta(minutes=30))


def wanted(**changes: object) -> Wanted:
    return Wanted(**{"minutes": 20, "since": NOW - timedelta(days=3), **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(("changes", "fits"), [
    ({}, True), ({"minutes": 30}, True), ({"minutes": 31}, False), ({"doctor_id": 1}, True), ({"doctor_id": 2}, False),
    ({"specialization": "Family medicine"}, True), ({"specialization": "Surgery"}, False), ({"weekdays": 0b1}, True),
    ({"weekdays": 0b1111110}, False), ({"from_minute": 540}, True), ({"from_minute": 541}, False), ({"to_minute": 560}, True),
    ({"to_minute": 559}, False), ({"first_day": MONDAY.date()}, True), ({"first_day": MONDAY.date() + timedelta(days=1)}, False),
    ({"last_day": MONDAY.date()}, True), ({"last_day": MONDAY.date() - timedelta(days=1)}, False),
    ({"notice_minutes": 69 * 60}, True), ({"notice_minutes": 69 * 60 + 1}, False)])
def test_each_wish_is_kept(changes: dict[str, object], fits: bool) -> None:
    assert (fit(wanted(**changes), PLACE, NOW, UTC) is not None) == fits


def test_order_is_urgency_then_waiting_then_this_doctor_then_the_fuller_place_and_says_why() -> None:
    people = {
        "urgent": wanted(urgency=3, since=NOW), "longest": wanted(since=NOW - timedelta(days=9)),
        "this doctor": wanted(doctor_id=1), "fuller": wanted(minutes=30), "plain": wanted()}
    found = {name: fit(one, PLACE, NOW, UTC) for name, one in people.items()}
    assert sorted(found, key=lambda name: found[name].score, reverse=True) == list(people)  # type: ignore[union-attr]
    assert found["urgent"].reasons == ("Urgent", "waiting since today", "needs 20 of 30 minutes")  # type: ignore[union-attr]
    assert found["this doctor"].reasons == ("waiting for 3 days", "wants this doctor", "needs 20 of 30 minutes")  # type: ignore[union-attr]


def wish(practice: Practice, **changes: object) -> int:
    form = WishForm(**{"patient_id": practice.patient(), **changes})  # type: ignore[arg-type]
    with practice.write("rita") as session:
        return waiting.add(session, form)


def place(practice: Practice, hour: int = 9, minutes: int = 20) -> FreePlace:
    return FreePlace(practice.doctors["dora"], practice.at(hour), practice.at(hour) + timedelta(minutes=minutes))


def free_a_place(practice: Practice, hour: int = 9) -> None:
    practice.step(practice.book(practice.patient(), practice.at(hour)), "cancelled", reason="on holiday")


def hold(practice: Practice, wish_id: int, where: FreePlace, who: str = "rita") -> int:
    with practice.write(who) as session:
        return waiting.offer(session, wish_id, where)


def test_a_cancellation_offers_itself_to_the_best_match(practice: Practice) -> None:
    wish(practice)
    urgent = wish(practice, urgency=3, doctor_id=practice.doctors["dora"])
    wish(practice, urgency=3, doctor_id=practice.doctors["hugo"])
    with practice.read("rita") as session:
        assert waiting.freed(session) == []
    free_a_place(practice)
    moved = practice.book(practice.patient(), practice.at(11))
    with practice.write("rita") as session:
        appointments.move(session, moved, practice.doctors["dora"], practice.at(13), practice.at(13, 20), 1)
    with practice.read("rita") as session:
        found = waiting.freed(session)
    assert [one.place.starts_at for one in found] == [practice.at(9), practice.at(11)]
    assert (found[0].best.wish.id, found[0].best.reasons[0], found[0].count) == (urgent, "Urgent", 2)
    practice.book(practice.patient(), practice.at(9))
    with practice.read("rita") as session:
        assert [one.place.starts_at for one in waiting.freed(session)] == [practice.at(11)], "a place that is booked again is not offered"


def test_refused_goes_to_the_next_and_accepted_is_booked_as_one_thing(practice: Practice) -> None:
    first, second = wish(practice, urgency=2), wish(practice)
    held = hold(practice, first, place(practice))
    with practice.read("sam") as session:
        assert [m.wish.id for m in waiting.matches(session, place(practice))] == [second]
        assert [row.held.id for row in waiting.wishes(session) if row.held] == [held]
    with practice.write("rita") as session:
        assert [m.wish.id for m in waiting.refuse(session, held)] == [second], "not offered the same place again"
    held = hold(practice, second, place(practice))
    with practice.write("rita") as session:
        booked = waiting.accept(session, held)
    with practice.read("rita") as session:
        assert appointments.one(session, booked).starts_at == practice.at(9)
        assert [row.id for row in waiting.wishes(session)] == [first]
    with practice.write("rita") as session:
        assert not undoing.undo(session).refused
    with practice.read("rita") as session:
        assert {row.id for row in waiting.wishes(session)} == {first, second}, "who was booked waits again"
        assert appointments.list_day(session, practice.at(9).date()) == []


def test_giving_up_a_later_appointment_moves_it_and_only_earlier_places_fit(practice: Practice) -> None:
    patient = practice.patient()
    later = practice.book(patient, practice.at(15))
    number = wish(practice, patient_id=patient, gives_up=later)
    with practice.read("rita") as session:
        assert waiting.matches(session, place(practice, 16)) == []
        assert [m.wish.id for m in waiting.matches(session, place(practice, 9))] == [number]
    with practice.write("rita") as session:
        assert waiting.accept(session, waiting.offer(session, number, place(practice, 9))) == later
    with practice.read("rita") as session:
        assert [row.starts_at for row in appointments.of_patient(session, patient)] == [practice.at(9)]


def test_a_held_place_is_refused_to_everybody_else_until_it_expires(practice: Practice) -> None:
    held = hold(practice, wish(practice), place(practice))
    with pytest.raises(SlotTaken, match="held for somebody"):
        practice.book(practice.patient(), practice.at(9))
    other = practice.book(practice.patient(), practice.at(10))
    with practice.write("rita") as session, pytest.raises(SlotTaken):
        appointments.move(session, other, practice.doctors["dora"], practice.at(9), practice.at(9, 20), 1)
    practice.book(practice.patient(), practice.at(9), lane=1, overbook_reason="emergency")
    as_owner(practice, "alter table clinic.offers disable trigger user; update clinic.offers set expires_at = now() - interval '1 second',"
                       " offered_at = now() - interval '1 hour'; alter table clinic.offers enable trigger user")
    with practice.write("rita") as session, pytest.raises(ClinicError, match="offer is over"):
        waiting.accept(session, held)
    practice.book(practice.patient(), practice.at(9))
    with practice.clinic.worker_database.write() as session:
        assert waiting.expire(session) == 1
    with practice.read("rita") as session:
        assert waiting.offers(session) == []


def test_never_two_offers_for_one_place_nor_two_places_for_one_person(practice: Practice) -> None:
    first, second = wish(practice), wish(practice)
    hold(practice, first, place(practice))
    with pytest.raises(SlotTaken, match="already held"):
        hold(practice, second, place(practice, minutes=15))
    with pytest.raises(ClinicError, match="Another place is already held"):
        hold(practice, first, place(practice, 11))
    practice.book(practice.patient(), practice.at(12))
    with pytest.raises(SlotTaken, match="booked in the meantime"):
        hold(practice, second, place(practice, 12))


def test_a_race_of_offers_and_bookings_gives_a_place_to_one(practice: Practice) -> None:
    numbers, patients = [wish(practice) for _ in range(6)], [practice.patient() for _ in range(6)]
    for name in ("rita", "sam"):
        practice.token(name)
    ready, won = threading.Barrier(12), []

    def run(number: int) -> None:
        ready.wait()
        try:
            if number < 6:
                hold(practice, numbers[number], place(practice), "rita")
            else:
                wanted = NewAppointment(practice.doctors["dora"], patients[number - 6], practice.at(9), practice.at(9, 20))
                with practice.write("sam") as session:
                    appointments.book(session, wanted)
            won.append(number)
        except SlotTaken:
            pass

    threads = [threading.Thread(target=run, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1


def test_what_is_typed_is_checked_and_a_wish_is_changed_and_withdrawn(practice: Practice) -> None:
    patient = practice.patient()
    for changes, field in (({"patient_id": ""}, "patient_id"), ({"minutes": 4}, "minutes"), ({"weekdays": 0}, "weekdays"),
                           ({"from_minute": 600, "to_minute": 610}, "to_minute"), ({"note": "x" * 201}, "note"),
                           ({"first_day": MONDAY.date(), "last_day": NOW.date()}, "last_day")):
        with practice.write("rita") as session, pytest.raises(Invalid) as refused:
            waiting.add(session, WishForm(**{"patient_id": patient, **changes}))  # type: ignore[arg-type]
        assert refused.value.field == field
    number = wish(practice, note=" ring twice ")
    hold(practice, number, place(practice))
    with practice.write("rita") as session:
        row = waiting.wishes(session)[0]
        form = WishForm(row.patient_id, practice.doctors["hugo"], weekdays=0b10010, from_minute=480, to_minute=720)
        waiting.change(session, number, form, 1)
        row = waiting.wishes(session)[0]
        assert (row.wants, row.version) == ("Dr Hugo Blanc, Tue Fri, 08:00–12:00, 20 min", 2)
        waiting.withdraw(session, number, 2)
        assert waiting.wishes(session) == []
        waiting.put_back(session, number, 3)
        assert [w.id for w in waiting.wishes(session)] == [number]
    practice.book(practice.patient(), practice.at(9))  # the place that was held is free again


def test_numbers_are_given_on_arrival_called_and_gone_when_it_is_taken_back(practice: Practice) -> None:
    noon = practice.at(12, day=0)  # today, and never too long ago to book
    first, second, third = (practice.book(practice.patient(), noon + timedelta(minutes=20 * n)) for n in range(3))
    for number in (second, first):
        practice.step(number, "arrived")
    with practice.write("rita") as session:
        assert [(w.appointment_id, w.number) for w in calling.waiting_room(session)] == [(second, 1), (first, 2)]
        with pytest.raises(Invalid):
            calling.call_in(session, second)
        assert calling.call_in(session, second, "Room 2") == 1
        assert calling.call_in(session, first) == 2, "the doctor's last room"
    with practice.write("rita") as session, pytest.raises(ClinicError, match="waiting room"):
        calling.call_in(session, third, "Room 2")
    with practice.read("dora") as session:
        assert {(c.number, c.room, c.waits) for c in calling.calls(session)} == {(1, "Room 2", True), (2, "Room 2", True)}
    with practice.write("rita") as session:
        assert not undoing.undo(session).refused
    with practice.read("rita") as session:
        assert [(w.appointment_id, w.number, w.room) for w in calling.waiting_room(session)] == [(second, 1, "Room 2")]


MANY = """
    insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at)
    select d.id, %(patient)s, at, at + interval '20 minutes'
      from clinic.doctors d, generate_series(0, 184) day, generate_series(0, 26) place,
           lateral (select %(first)s::timestamptz + make_interval(days => day, mins => place * 20) as at) x"""


def test_ten_thousand_appointments_and_a_hundred_wishes_are_looked_through_at_once(practice: Practice) -> None:
    """Also with many places free and nobody who fits them but the last in line; the number of queries does not depend on it."""
    with psycopg.connect(libpq_address(str(practice.clinic.addresses.owner))) as owner:
        owner.execute("alter table clinic.appointments disable trigger user")
        owner.execute(MANY, {"patient": practice.patient(), "first": practice.at(8, day=1)})
        owner.execute("insert into clinic.appointment_events (appointment_id, what, status, doctor_id, starts_at, ends_at, lane, at) select"
                      " id, 'booked', status, doctor_id, starts_at, ends_at, lane, now() - interval '20 days' from clinic.appointments")
        owner.execute("alter table clinic.appointments enable trigger user")
        owner.execute("analyze clinic.appointments; analyze clinic.appointment_events")
    people = [practice.patient() for _ in range(10)]
    with practice.write("rita") as session:
        for number in range(100):
            waiting.add(session, WishForm(people[number % 10], weekdays=1 << number % 7, to_minute=480 + number * 4, from_minute=400))
    asked: list[int] = []
    for share in (900, 30):  # a few places are free again, then many
        as_owner(practice, "update clinic.appointments set status = 'cancelled', cancel_reason = 'fell ill', version = version + 1"
                           " where mod(id, %s) = 0 and status = 'scheduled'", share)
        took = []
        with practice.read("rita") as session:
            waiting.freed(session)
            for _ in range(5):
                began = perf_counter()
                with counted(session) as statements:
                    found = waiting.freed(session)
                took.append(perf_counter() - began)
        assert found
        asked.append(len(statements))
        assert min(took) < 0.15, took
        print(f"freed: {len(found)} places, {min(took) * 1000:.0f} ms, {len(statements)} queries")
    assert asked[0] == asked[1] <= 11, asked
