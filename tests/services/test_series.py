"""Series: planned, booked at once, changed by scope, and never damaged by one of them; the local time survives the change of clocks."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinicdesk.errors import Invalid, SlotTaken
from clinicdesk.rules.recurrence import Repeats, days
from clinicdesk.services import appointments, availability, series, undoing
from clinicdesk.services.schedule import NewAppointment
from tests.clinics import Practice
from tests.visiting import as_owner

WEEKLY = Repeats("week", 4)


def book(practice: Practice, hour: int = 9, repeats: Repeats = WEEKLY, key: str = "") -> list[int]:
    start = practice.at(hour)
    with practice.write("rita") as session:
        planned = series.plan(session, practice.doctors["dora"], start, start + timedelta(minutes=20), repeats)
        assert not any(one.problem for one in planned)
        wish = NewAppointment(practice.doctors["dora"], practice.patient(), start, start + timedelta(minutes=20), "physio", key=key)
        return list(series.book(session, wish, [(one.starts_at, one.ends_at) for one in planned], repeats))


def where(practice: Practice) -> list[tuple[int, datetime, str]]:
    return as_owner(practice, "select id, starts_at, status from clinic.appointments order by id")


def version(practice: Practice, number: int) -> int:
    return int(as_owner(practice, "select version from clinic.appointments where id = %s", number)[0][0])


def test_days_of_each_rule() -> None:
    assert days(date(2026, 11, 27), Repeats("workday", 3)) == [date(2026, 11, 27), date(2026, 11, 30), date(2026, 12, 1)]
    assert days(date(2026, 11, 3), Repeats("two_weeks", 3)) == [date(2026, 11, 3), date(2026, 11, 17), date(2026, 12, 1)]
    assert days(date(2026, 11, 10), Repeats("month", 3)) == [date(2026, 11, 10), date(2026, 12, 8), date(2027, 1, 12)]
    assert days(date(2026, 11, 29), Repeats("month", 3))[-1] == date(2027, 1, 31), "a fifth Sunday is the last one where there are four"
    for count in (1, 61):
        with pytest.raises(Invalid):
            days(date(2026, 11, 3), Repeats("week", count))


def test_the_local_time_stays_when_the_clock_changes(practice: Practice) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime(2027, 3, 22, 9, tzinfo=berlin)
    with practice.read("rita") as session:
        planned = series.plan(session, practice.doctors["dora"], start, start + timedelta(minutes=20), Repeats("week", 3))
    assert [one.starts_at.astimezone(berlin).time() for one in planned] == [time(9)] * 3
    assert len({one.starts_at.utcoffset() for one in planned}) == 2
    assert {one.ends_at - one.starts_at for one in planned} == {timedelta(minutes=20)}


def test_plan_says_what_stands_against_each_and_what_is_near(practice: Practice) -> None:
    practice.book(practice.patient(), practice.at(9, day=8))
    with practice.write("rita") as session:
        availability.add_closure(session, practice.doctors["dora"], practice.at(0, day=15), practice.at(0, day=16), "Congress")
    with practice.read("rita") as session:
        planned = series.plan(session, practice.doctors["dora"], practice.at(9), practice.at(9, 20), WEEKLY)
    assert [(one.problem, one.blocked) for one in planned] == [
        ("", False),
        ("The doctor already has an appointment then.", True),
        ("Closed: Congress.", False),
        ("", False),
    ]
    assert planned[1].nearest is not None
    assert abs(planned[1].nearest.starts_at - practice.at(9, day=8)) <= timedelta(minutes=40)


def test_all_or_none_is_booked_and_a_repeated_click_books_once(practice: Practice) -> None:
    start = practice.at(9)
    blocker = practice.book(practice.patient(), practice.at(9, day=15))
    with practice.read("rita") as session:
        planned = series.plan(session, practice.doctors["dora"], start, start + timedelta(minutes=20), WEEKLY)
    wish = NewAppointment(practice.doctors["dora"], practice.patient(), start, start + timedelta(minutes=20), key="k")
    places = [(one.starts_at, one.ends_at) for one in planned]
    with practice.write("rita") as session, pytest.raises(SlotTaken, match=r"^\d\d-\w{3}-\d{4} 09:00: "):
        series.book(session, wish, places, WEEKLY)
    assert [row[0] for row in where(practice)] == [blocker]
    assert as_owner(practice, "select count(*) from clinic.series") == [(0,)]
    del places[2]
    with practice.write("rita") as session:
        booked = series.book(session, wish, places, WEEKLY)
    with practice.write("rita") as session:
        assert series.book(session, wish, places, WEEKLY) == booked
    assert len(where(practice)) == 4
    assert as_owner(practice, "select rule from clinic.series") == [("every week, 3 times",)]


def test_cancelling_one_leaves_the_others_alone(practice: Practice) -> None:
    """Trap: a recurring series damaged by deleting one."""
    numbers = book(practice)
    before = where(practice)
    with practice.write("rita") as session:
        assert series.cancel(session, numbers[1], series.THIS, "on holiday", version(practice, numbers[1])) == 1
    after = where(practice)
    assert [row for row in after if row[0] != numbers[1]] == [row for row in before if row[0] != numbers[1]]
    assert after[1][2] == "cancelled"
    with practice.write("rita") as session:  # and the others still are one series
        assert series.cancel(session, numbers[2], series.FOLLOWING, "moved away", version(practice, numbers[2])) == 2
    assert [row[2] for row in where(practice)] == ["scheduled", "cancelled", "cancelled", "cancelled"]


@pytest.mark.parametrize(("scope", "moved"), [("this", {1}), ("following", {1, 2, 3}), ("all", {0, 1, 2, 3})])
def test_moving_by_scope_and_taking_it_back_at_once(practice: Practice, scope: str, moved: set[int]) -> None:
    numbers = book(practice)
    before = where(practice)
    at = practice.at(11, day=8 + 7)  # a week later, two hours later: each lands in the next one's week
    with practice.write("rita") as session:
        count = series.move(
            session, numbers[1], scope, practice.doctors["dora"], at, at + timedelta(minutes=30), version(practice, numbers[1])
        )
    assert count == len(moved)
    for place, (number, start, _) in enumerate(where(practice)):
        expected = practice.at(11, day=1 + 7 * place + 7) if place in moved else practice.at(9, day=1 + 7 * place)
        assert (number, start) == (numbers[place], expected)
    with practice.write("rita") as session:
        done = undoing.undo(session)
    assert not done.refused
    assert where(practice) == before
    with practice.write("rita") as session:
        assert not undoing.redo(session).refused
    assert where(practice) != before


def test_a_week_on_the_same_time_does_not_run_into_itself(practice: Practice) -> None:
    numbers = book(practice)
    for day in (8, 1):
        at = practice.at(9, day=day)
        with practice.read("rita") as session:
            planned = series.plan_move(session, numbers[0], series.ALL, practice.doctors["dora"], at, at + timedelta(minutes=20))
        assert not any(one.blocked for one in planned), "their own places are no obstacle"
        with practice.write("rita") as session:
            series.move(
                session, numbers[0], series.ALL, practice.doctors["dora"], at, at + timedelta(minutes=20), version(practice, numbers[0])
            )
        assert [row[1] for row in where(practice)] == [practice.at(9, day=day + 7 * n) for n in range(4)]


def test_a_move_that_one_cannot_follow_moves_none_unless_it_is_left(practice: Practice) -> None:
    numbers = book(practice)
    practice.book(practice.patient(), practice.at(11, day=15))
    before = where(practice)
    at, end = practice.at(11), practice.at(11, 20)
    with practice.write("rita") as session, pytest.raises(SlotTaken):
        series.move(session, numbers[0], series.ALL, practice.doctors["dora"], at, end, version(practice, numbers[0]))
    assert where(practice) == before
    with practice.write("rita") as session:
        moved = series.move(
            session, numbers[0], series.ALL, practice.doctors["dora"], at, end, version(practice, numbers[0]), leave={numbers[2]}
        )
    assert moved == 3
    assert [row[1].astimezone(practice.clinic.zone).hour for row in where(practice)[:4]] == [11, 11, 9, 11]


def test_booking_a_series_is_one_thing_to_take_back(practice: Practice) -> None:
    numbers = book(practice)
    with practice.write("rita") as session:
        done = undoing.undo(session)
    assert done.words.startswith("Booked 4 appointments of ")
    assert where(practice) == []
    assert as_owner(practice, "select count(*) from clinic.series") == [(0,)]
    with practice.write("rita") as session:
        assert not undoing.redo(session).refused
    assert [row[0] for row in where(practice)] == numbers
    assert as_owner(practice, "select rule from clinic.series") == [("every week, 4 times",)]
    with practice.read("rita") as session:
        assert {
            block.series_id
            for block in appointments.blocks(session, practice.at(0), practice.at(0, day=2), list(practice.doctors.values()))
        } != {None}
