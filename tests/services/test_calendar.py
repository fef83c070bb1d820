"""Weeks and months: right days in the clinic's zone, closures by name, and no more queries for more doctors or appointments."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta

import pypdf
import pytest

from clinicdesk.services import appointments, availability, calendar, day_sheets
from tests.clinics import Practice
from tests.visiting import counted


def monday(practice: Practice) -> date:
    """The Monday of the week after this one."""
    return calendar.monday_of(practice.at(9, day=7).date())


def on(practice: Practice, day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=practice.clinic.zone)


def test_a_week_has_a_column_for_each_day_and_doctor(practice: Practice) -> None:
    first, patient = monday(practice), practice.patient()
    made = [practice.book(patient, on(practice, first + timedelta(days=d), 9), ("dora", "hugo")[d % 2]) for d in range(7)]
    practice.book(patient, on(practice, first - timedelta(days=1), 23))
    practice.book(patient, on(practice, first + timedelta(days=7), 0))
    with practice.write("ada") as session:
        until = on(practice, first + timedelta(days=2), 0)
        availability.add_closure(session, practice.doctors["hugo"], on(practice, first, 0), until, "Congress")
    with practice.read("rita") as session:
        week = calendar.week(session, first)
        assert [(c.name, c.day) for c in week.columns[:3]] == [("Dr Dora Kim", first), ("Dr Hugo Blanc", first),
                                                               ("Dr Dora Kim", first + timedelta(days=1))]
        assert len(week.columns) == 14 and len(week.doctors) == 2
        assert [b.id for b in week.blocks] == made, "the days before and after are not in it"
        assert [c.closed_reason for c in week.columns if c.name == "Dr Hugo Blanc"] == ["Congress", "Congress", "", "", "", "", ""]
        assert week.columns[1].open == () and week.columns[0].open[0].starts_at == on(practice, first, 8)
        alone = calendar.week(session, first, [practice.doctors["dora"]])
    assert {c.name for c in alone.columns} == {"Dr Dora Kim"} and len(alone.doctors) == 2
    assert [b.id for b in alone.blocks] == made[::2]


def test_a_month_says_how_full_each_day_is_and_what_is_closed(practice: Practice) -> None:
    first = monday(practice)
    patient, tuesday = practice.patient(), first + timedelta(days=1)
    practice.book(patient, on(practice, first, 9), minutes=90)
    practice.book(patient, on(practice, first, 14), "hugo", minutes=30)
    practice.step(practice.book(patient, on(practice, first, 16), minutes=60), "cancelled", reason="Called off")
    with practice.write("ada") as session:
        availability.add_closure(session, None, on(practice, tuesday, 0), on(practice, tuesday + timedelta(days=1), 0), "Town holiday")
        availability.add_closure(session, practice.doctors["dora"], on(practice, first, 12), on(practice, first, 17), "Dentist")
    with practice.read("rita") as session:
        month = calendar.month(session, first.year, first.month)
        mine = calendar.month(session, first.year, first.month, [practice.doctors["hugo"]])
    loads = {load.day: load for load in month.days}
    assert len(month.days) % 7 == 0 and month.days[0].day.weekday() == 0
    assert min(loads) <= date(first.year, first.month, 1)
    assert (loads[first].appointments, loads[first].booked_minutes) == (2, 120), "what is cancelled holds no time"
    assert loads[first].open_minutes == 9 * 60 + 4 * 60
    assert loads[first].closures == ("Dr Dora Kim: Dentist",)
    assert (loads[tuesday].open_minutes, loads[tuesday].closures) == (0, ("Town holiday",))
    hugo = next(load for load in mine.days if load.day == first)
    assert (hugo.appointments, hugo.booked_minutes, hugo.open_minutes, hugo.closures) == (1, 30, 540, ())


def test_an_hour_that_comes_twice_stays_on_its_day(practice: Practice) -> None:
    day = date(2027, 10, 31)
    late = practice.book(practice.patient(), on(practice, day, 23, 30))
    with practice.read("rita") as session:
        week = calendar.week(session, calendar.monday_of(day))
        load = next(load for load in calendar.month(session, 2027, 10).days if load.day == day)
    assert [b.id for b in week.blocks] == [late]
    assert (load.appointments, load.open_minutes) == (1, 2 * 9 * 60)


@pytest.mark.parametrize("number", [3, 24])
def test_weeks_and_months_cost_the_same_queries_whatever_they_hold(practice: Practice, number: int) -> None:
    first, patient = monday(practice), practice.patient()
    for i in range(number):
        practice.book(patient, on(practice, first + timedelta(days=i % 7), 8 + i // 7), doctor=("dora", "hugo")[i % 2])
    with practice.read("rita") as session:
        with counted(session) as queries:
            assert len(calendar.week(session, first).blocks) == number
        assert len(queries) == 5
        with counted(session) as queries:
            calendar.month(session, first.year, first.month)
        assert len(queries) == 6
        with counted(session) as queries:
            assert len(day_sheets.sheet(session, first).doctors) == 2
        assert len(queries) <= 7


def test_what_stands_against_a_place(practice: Practice) -> None:
    dora = practice.doctors["dora"]
    made = practice.book(practice.patient(last_name="Held"), practice.at(10))
    with practice.write("ada") as session:
        availability.add_closure(session, dora, practice.at(15), practice.at(17), "Training")
    with practice.read("rita") as session:
        ask = calendar.against
        assert ask(session, dora, practice.at(10, 10), practice.at(10, 30)) == (True, "Taken: Held, Maria 10:00–10:20")
        assert ask(session, dora, practice.at(10, 10), practice.at(10, 30), made) == (False, "")
        assert ask(session, dora, practice.at(15), practice.at(15, 20)) == (False, "Closed: Training")
        assert ask(session, dora, practice.at(19), practice.at(19, 20)) == (False, "Outside the doctor's hours")


def test_moving_on_top_needs_a_lane_and_a_reason_and_comes_back_to_the_ordinary_one(practice: Practice) -> None:
    practice.book(practice.patient(), practice.at(10))
    moved = practice.book(practice.patient(), practice.at(11))
    dora, start, end = practice.doctors["dora"], practice.at(10), practice.at(10, 20)
    with practice.write("rita") as session:
        lane = appointments.free_lane(session, dora, start, end)
        version = appointments.move(session, moved, dora, start, end, 1, lane=lane, overbook_reason=" In pain ")
    with practice.read("rita") as session:
        block, = calendar.placed_again(session, [moved])
        assert (block.lane, block.overbook_reason, block.version) == (1, "In pain", version)
    with practice.write("rita") as session:
        appointments.move(session, moved, dora, practice.at(12), practice.at(12, 20), version)
    with practice.read("rita") as session:
        assert [(b.lane, b.overbook_reason) for b in calendar.placed_again(session, [moved])] == [(0, "")]


def test_a_doctor_sees_only_what_is_hers(practice: Practice) -> None:
    first = monday(practice)
    practice.book(practice.patient(), on(practice, first, 9), "hugo")
    with practice.read("dora") as session:
        assert calendar.week(session, first).blocks == ()
        assert all(load.appointments == 0 for load in calendar.month(session, first.year, first.month).days)


def test_the_day_sheet_has_phones_and_leaves_out_what_was_called_off(practice: Practice) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler", phone="+4930111222333")
    practice.book(ana, practice.at(9), reason="Cough")
    practice.step(practice.book(practice.patient(last_name="Gone"), practice.at(11)), "cancelled", reason="Called off")
    with practice.read("rita") as session:
        made = day_sheets.pdf(session, practice.at(9).date())
    text = pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()
    for words in ("Adler, Ana", "09:00–09:20", "Cough", "Dr Dora Kim", "Dr Hugo Blanc", "No appointments.", "Page 1 of 1"):
        assert words in text, words
    assert "111222333" in "".join(text.split())
    assert "Gone" not in text
