"""The demo clinic opened again another day: what stands is filled around, and the desk's part is made once."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from clinicdesk.demo import days, desk, people
from clinicdesk.services import accounts, calling, waiting
from tests.clinics import Practice
from tests.visiting import as_owner


def test_a_day_that_is_partly_full_is_filled_around_what_stands(practice: Practice) -> None:
    for _ in range(3):
        practice.patient()
    tomorrow = practice.at(9).date()
    counts = []
    for seed in (1, 2, 3):
        with practice.clinic.as_owner() as session:
            ids, rita = days.patients_all(session), accounts.by_username(session, "rita")
        with practice.clinic.as_owner(rita) as session:
            days._fill_day(session, random.Random(seed), tomorrow, ids, tomorrow - timedelta(days=1))
        counts.append(as_owner(practice, "select count(*) from clinic.appointments")[0][0])
    assert 0 < counts[0] < counts[1] <= counts[2], "what fits goes into the gaps"


def test_the_desk_is_filled_once(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "DOCTORS", (("lars",), ("hugo",)))  # this clinic has two doctors; the first stands in for the demo's Lars
    monkeypatch.setattr(desk, "FREED", ((1, "hugo", 9), (2, "lars", 9)))
    monkeypatch.setattr(desk, "OVERBOOKED", ((1, "lars", "Came from abroad"),))
    for number in range(140):
        practice.patient(last_name=f"Example {number}")
    for day in (1, 2):
        for hour in (9, 10, 11):
            for doctor in ("dora", "hugo"):
                practice.book(practice.patient(), practice.at(hour, day=day), doctor)
    for _ in range(2):
        desk.desk(practice.clinic, random.Random(1), lambda *_all: None)
    with practice.read("rita") as session:
        assert len(waiting.wishes(session)) == len(desk.WISHES)
        assert [place.doctor_name for place in waiting.freed(session)] == ["Dr Hugo Blanc", "Dr Dora Kim"]
        assert all(person.room for person in calling.waiting_room(session) if person.called_at)
    assert as_owner(practice, "select count(*) from clinic.appointments where lane > 0")[0][0] == 1
    assert as_owner(practice, "select count(*) from clinic.appointments where series_id is not null")[0][0] == desk.SERIES.count
