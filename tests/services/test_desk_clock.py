"""The front desk and the clock: the nights it changes, midnight, and a clinic whose zone is not the server's."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from clinicdesk.rules.matching import Place, Wanted, fit
from clinicdesk.rules.moments import elapsed, later
from clinicdesk.rules.recurrence import Repeats, shifted
from clinicdesk.services import appointments, availability, calendar, calling, commanding, series, undoing, waiting
from clinicdesk.services.waiting import WishForm
from tests.clinics import Practice
from tests.visiting import as_owner

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
TWENTY = timedelta(minutes=20)


@pytest.mark.parametrize("day", [SPRING, date(2026, 10, 25), AUTUMN])
def test_a_length_is_a_length_also_in_the_night_the_clock_changes(day: date) -> None:
    for hour, minute in ((1, 50), (2, 50), (3, 10)):
        start = datetime.combine(day, time(hour, minute), BERLIN)
        assert elapsed(start, later(start, TWENTY)) == TWENTY
        assert later(start, TWENTY).tzinfo is BERLIN


def test_a_series_over_the_change_keeps_clock_and_length(practice: Practice) -> None:
    for day in (SPRING, AUTUMN):
        for at in (time(2, 50), time(9)):
            start = datetime.combine(day - timedelta(days=7), at, BERLIN)
            with practice.read("rita") as session:
                planned = series.plan(session, practice.doctors["dora"], start, start + TWENTY, Repeats("week", 3))
            assert {elapsed(one.starts_at, one.ends_at) for one in planned} == {TWENTY}, (day, at)
            if at != time(2, 50) or day != SPRING:  # ten to three is not there that night
                assert [one.starts_at.astimezone(BERLIN).time() for one in planned] == [at] * 3


def test_a_series_moved_over_the_change_keeps_clock_and_length(practice: Practice) -> None:
    start = datetime(2027, 3, 22, 9, tzinfo=BERLIN)
    places = [(start + timedelta(days=7 * n), start + timedelta(days=7 * n) + TWENTY) for n in range(3)]
    with practice.write("rita") as session:
        wish = appointments.NewAppointment(practice.doctors["dora"], practice.patient(), *places[0])
        numbers = series.book(session, wish, places, Repeats("week", 3))
    before = as_owner(practice, "select id, starts_at, ends_at from clinic.appointments order by id")
    with practice.write("rita") as session:
        to = datetime(2027, 3, 29, 15, tzinfo=BERLIN)
        series.move(session, numbers[0], series.ALL, practice.doctors["dora"], to, to + TWENTY, 1)
    rows = as_owner(practice, "select starts_at, ends_at - starts_at from clinic.appointments order by id")
    assert [(at.astimezone(BERLIN).date(), at.astimezone(BERLIN).time(), length) for at, length in rows] == [
        (date(2027, 3, 29) + timedelta(days=7 * n), time(15), TWENTY) for n in range(3)]
    with practice.write("rita") as session:
        assert undoing.undo(session).refused == ""
    assert as_owner(practice, "select id, starts_at, ends_at from clinic.appointments order by id") == before
    back = datetime(2027, 10, 31, 1, 30, tzinfo=UTC)  # half past two for the second time
    assert shifted(back, back, back + timedelta(days=1), BERLIN).astimezone(UTC) == datetime(2027, 11, 1, 1, 30, tzinfo=UTC)


def test_a_wish_for_a_morning_means_the_clinics_morning_on_every_day() -> None:
    now = datetime(2027, 3, 1, tzinfo=UTC)
    wanted = Wanted(20, now, from_minute=480, to_minute=540, weekdays=0b1000000, first_day=SPRING, last_day=AUTUMN)
    for day, hour in ((SPRING, 6), (AUTUMN, 7)):  # eight o'clock in summer and in winter
        for minutes, fits in ((0, True), (40, True), (41, False), (-1, False)):
            start = datetime.combine(day, time(hour), UTC) + timedelta(minutes=minutes)
            assert (fit(wanted, Place(1, "", start, start + TWENTY), now, BERLIN) is not None) == fits, (day, minutes)
    night = Wanted(20, now)
    fold = datetime(2027, 10, 31, 0, 50, tzinfo=UTC).astimezone(BERLIN)  # 02:50 to 02:10, twenty minutes later
    found = fit(night, Place(1, "", fold, later(fold, TWENTY)), now, BERLIN)
    assert found is not None
    assert found.reasons[-1] == "needs just these 20 minutes"


def test_a_freed_place_on_the_day_of_the_change_is_offered(practice: Practice) -> None:
    start = datetime.combine(SPRING, time(8), BERLIN)
    number = practice.book(practice.patient(), start)
    practice.step(number, "cancelled", reason="on holiday")
    with practice.write("rita") as session:
        form = WishForm(practice.patient(), from_minute=480, to_minute=500, weekdays=1 << 6, first_day=SPRING, last_day=SPRING)
        waiting.add(session, form)
        assert [one.place.starts_at for one in waiting.freed(session)] == [start]


def test_a_typed_command_on_the_day_of_the_change(practice: Practice) -> None:
    practice.patient(first_name="Otto", last_name="Winter")
    with practice.read("rita") as session:
        found = commanding.proposals(session, "book winter 2027-03-28 09:00")
    assert found[0].wish.starts_at == datetime.combine(SPRING, time(9), BERLIN)
    assert elapsed(found[0].wish.starts_at, found[0].wish.ends_at) == TWENTY
    assert found[0].problem == ""


def test_weeks_and_months_hold_the_hours_of_the_clinics_days(practice: Practice) -> None:
    for day in (SPRING, AUTUMN):
        for hour in (0, 23):
            practice.book(practice.patient(), datetime.combine(day, time(hour, 30), BERLIN))
        with practice.read("rita") as session:
            week = calendar.week(session, calendar.monday_of(day))
            load = next(one for one in calendar.month(session, day.year, day.month).days if one.day == day)
            of_day = appointments.list_day(session, day)
        assert len([b for b in week.blocks if b.starts_at.astimezone(BERLIN).date() == day]) == len(of_day) == load.appointments == 2
        assert load.booked_minutes == 40


def test_just_before_and_after_midnight(practice: Practice) -> None:
    """The clinic's clock decides, not the server's (UTC): at 00:30 in Berlin the server is still in yesterday."""
    as_owner(practice, "update clinic.settings set value = '\"Pacific/Kiritimati\"', version = version + 1 where key = 'zone'")
    there = ZoneInfo("Pacific/Kiritimati")
    start = datetime.now(UTC) + timedelta(minutes=30)
    number = practice.book(practice.patient(), start.replace(second=0, microsecond=0))
    practice.step(number, "arrived")
    assert as_owner(practice, "select day from clinic.tickets") == [(datetime.now(there).date(),)]
    practice.clinic.database.zone = there
    with practice.read("rita") as session:
        assert [row.number for row in calling.waiting_room(session)] == [1]


def test_an_undo_after_midnight_says_why_not(practice: Practice) -> None:
    """Moved from yesterday to today: yesterday is over, and stays over."""
    number = practice.book(practice.patient(), practice.at(9))
    as_owner(practice, "alter table clinic.appointments disable trigger user")
    past = "update clinic.appointments set starts_at = starts_at - interval '2 days', ends_at = ends_at - interval '2 days' where id = %s"
    as_owner(practice, past, number)
    as_owner(practice, "alter table clinic.appointments enable trigger user")
    with practice.write("rita") as session:
        version = appointments.one(session, number).version
        appointments.move(session, number, practice.doctors["dora"], practice.at(11), practice.at(11, 20), version)
    with practice.write("rita") as session:
        assert undoing.undo(session).refused == "This time has already passed."
    assert availability.day_bounds(session, SPRING)[1] - availability.day_bounds(session, SPRING)[0] == timedelta(hours=23)
