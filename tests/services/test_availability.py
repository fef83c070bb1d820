"""Hours, closures and slots: what is free is what is open and not taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

import pytest

from clinicdesk.errors import ChangedElsewhere, Duplicate, Invalid, NotAllowed, SlotTaken
from clinicdesk.rules.slots import Range, WorkingHours
from clinicdesk.services import appointments, availability, doctors, records, settings
from clinicdesk.services.availability import SlotTemplate
from clinicdesk.services.people import DoctorForm
from tests.clinics import Practice
from tests.visiting import as_owner, counted


def test_hours_are_replaced_whole_and_never_overlap(practice: Practice) -> None:
    dora, week = practice.doctors["dora"], [WorkingHours(0, time(8), time(12)), WorkingHours(0, time(13), time(0))]
    with practice.write("dora") as session:
        availability.set_working_hours(session, dora, week)
        assert availability.working_hours(session, dora) == week
    with pytest.raises(Invalid) as refused, practice.write("rita") as session:
        availability.set_working_hours(session, dora, [*week, WorkingHours(0, time(11), time(14))])
    assert refused.value.field == "starts"
    with practice.read("rita") as session:
        assert availability.working_hours(session, dora) == week, "nothing half-written"
    with pytest.raises(NotAllowed), practice.write("hugo") as session:
        availability.set_working_hours(session, dora, week)


def test_a_closure_shuts_one_doctor_or_all(practice: Practice) -> None:
    dora, hugo, day = practice.doctors["dora"], practice.doctors["hugo"], practice.at(9).date()
    with practice.write("rita") as session:
        availability.add_closure(session, dora, practice.at(9), practice.at(12), " leave ")
        availability.add_closure(session, None, practice.at(15), practice.at(17), "training")
        seen = {c.doctor_id: c for c in appointments.day(session, day).columns}
        assert [(r.starts_at, r.ends_at) for r in seen[dora].open] == [(practice.at(8), practice.at(9)), (practice.at(12), practice.at(15))]
        assert [r.minutes for r in seen[hugo].open] == [7 * 60]
        assert seen[dora].closed_reason
        assert availability.free_doctors(session, practice.at(9)) == [hugo]
        assert availability.free_doctors(session, practice.at(15)) == []
        (leave,) = [c for c in availability.closures(session, dora) if c.doctor_id == dora]
        assert (leave.reason, leave.doctor_name) == ("leave", "Dr Dora Kim")
        availability.remove_closure(session, leave.id)
        with pytest.raises(NotAllowed):
            availability.remove_closure(session, leave.id)
        for start, end, reason, field in ((9, 9, "x", "ends_at"), (9, 8, "x", "ends_at"), (9, 10, "", "reason"),
                                          (9, 10, "x" * 121, "reason")):
            with pytest.raises(Invalid) as refused:
                availability.add_closure(session, dora, practice.at(start), practice.at(end), reason)
            assert refused.value.field == field
    with pytest.raises(NotAllowed), practice.write("dora") as session:
        availability.add_closure(session, None, practice.at(9), practice.at(10), "everybody out")


def test_slots_in_bulk_are_all_or_none(practice: Practice) -> None:
    dora, day = practice.doctors["dora"], practice.at(9, day=7).date()
    template = SlotTemplate(dora, day, day + timedelta(days=6), frozenset(range(7)), time(18), time(20), 30, 10)
    with practice.write("dora") as session:
        assert availability.make_slots(session, template) == 21
        first = availability.slots(session, dora, day, day)
        assert [(s.starts_at, s.taken) for s in first] == [(practice.at(18, m, day=7) + timedelta(hours=h), False)
                                                           for h, m in ((0, 0), (0, 40), (1, 20))]
        clash = SlotTemplate(dora, day - timedelta(days=3), day, frozenset(range(7)), time(18, 10), time(19), 20)
        with pytest.raises(SlotTaken):
            availability.make_slots(session, clash)
    assert as_owner(practice, "select count(*) from clinic.time_slots") == [(21,)]
    practice.book(practice.patient(), first[0].starts_at, minutes=10)
    with practice.write("rita") as session:
        assert [s.taken for s in availability.slots(session, dora, day, day)] == [True, False, False]
        free = availability.next_free(session, doctor_id=dora, after=practice.at(0, day=7), count=2)
        assert [p.starts_at for p in free] == [first[1].starts_at, first[2].starts_at], "slots are what she offers that day"
        assert availability.remove_slots(session, [s.id for s in first]) == 3
    with pytest.raises(NotAllowed), practice.write("hugo") as session:
        availability.make_slots(session, replace(template, start=time(5), end=time(6)))


def test_next_free_and_free_doctors(practice: Practice) -> None:
    dora, hugo = practice.doctors["dora"], practice.doctors["hugo"]
    patient = practice.patient()
    practice.book(patient, practice.at(8), minutes=60)
    practice.book(patient, practice.at(10), minutes=20)
    with practice.read("rita") as session:
        free = availability.next_free(session, doctor_id=dora, after=practice.at(8), count=5, minutes=20)
        assert [p.starts_at for p in free] == [
            practice.at(9), practice.at(9, 20), practice.at(9, 40), practice.at(10, 20), practice.at(10, 40)]
        both = availability.next_free(session, specialization="Family medicine", after=practice.at(8), count=2)
        assert {p.doctor_id for p in both} == {hugo}
        assert availability.next_free(session, specialization="Surgery") == []
        assert availability.free_doctors(session, practice.at(8)) == [hugo]
        assert availability.free_doctors(session, practice.at(16, 50)) == [], "20 minutes do not fit before five"
        with counted(session) as queries:
            availability.next_free(session, after=practice.at(8), count=1)
    assert len(queries) <= 5
    with practice.read("dora") as session:
        assert hugo in availability.free_doctors(session, practice.at(9)), "a doctor too learns who is busy"


def test_the_open_day_is_in_the_clinics_zone(practice: Practice) -> None:
    with practice.read("rita") as session:
        column = appointments.day(session, practice.at(8).date()).columns[0]
    assert column.open == (Range(practice.at(8), practice.at(17)),)


def test_doctors_and_who_looks_after_whom(practice: Practice) -> None:
    dora, patient = practice.doctors["dora"], practice.patient()
    with practice.write("rita") as session:
        row = doctors.assign(session, dora, patient, " since long ")
        with pytest.raises(Duplicate):
            doctors.assign(session, dora, patient)
        with pytest.raises(Invalid):
            doctors.assign(session, practice.doctors["hugo"], patient, "x" * 301)
        assert [(d.name, d.patient_count) for d in doctors.doctors(session)] == [("Dr Dora Kim", 1), ("Dr Hugo Blanc", 0)]
        with counted(session) as queries:
            doctors.doctors(session, "family MEDICINE", available_only=True)
        assert len(queries) == 1
        assert doctors.specializations(session) == ["Family medicine"]
    with practice.read("dora") as session:
        records.of_patient(session, patient)
        assert [a.note for a in doctors.assignments(session, patient_id=patient)] == ["since long"]
    with practice.write("rita") as session:
        with pytest.raises(ChangedElsewhere):
            doctors.end_assignment(session, row, 9)
        doctors.end_assignment(session, row, 1)
        assert doctors.assignments(session, patient_id=patient)[0].ends_on is not None, "kept as history"


def test_a_planned_assignment_gives_care_at_once(practice: Practice) -> None:
    patient = practice.patient()
    with practice.write("rita") as session:
        doctors.assign(session, practice.doctors["dora"], patient, starts_on=practice.at(9, day=30).date())
    assert as_owner(practice, "select doctor_id, until from clinic.care") == [(practice.doctors["dora"], None)]


def test_a_doctors_profile_has_its_limits(practice: Practice) -> None:
    dora = practice.doctors["dora"]
    with practice.write("dora") as session:
        card = doctors.card(session, dora)
        form = DoctorForm(card.licence_number, card.specialization, fee="45,50", experience_years="12", phone="+49 30 1234567")
        doctors.edit(session, dora, form, card.version)
        assert str(doctors.card(session, dora).fee) == "45.50"
        with pytest.raises(ChangedElsewhere):
            doctors.edit(session, dora, form, card.version)
    for change, field in (({"fee": "-1"}, "fee"), ({"fee": "much"}, "fee"), ({"fee": "1.005"}, "fee"), ({"experience_years": "61"},
                          "experience_years"), ({"experience_years": "x"}, "experience_years"), ({"licence_number": "x"}, "licence_number"),
                          ({"specialization": ""}, "specialization"), ({"phone": "1"}, "phone"), ({"email": "x"}, "email"),
                          ({"address": "x" * 301}, "address"), ({"qualifications": "x" * 301}, "qualifications"),
                          ({"licence_number": "LIC-hugo"}, "licence_number")):
        values = {"licence_number": "LIC-dora", "specialization": "Family medicine", **change}
        with pytest.raises(Invalid) as refused, practice.write("ada") as session:
            doctors.edit(session, dora, DoctorForm(**values), card.version + 1)
        assert refused.value.field == field, change
    with pytest.raises((NotAllowed, ChangedElsewhere)), practice.write("hugo") as session:
        doctors.edit(session, dora, replace(form, fee="99"), card.version + 1)


def test_records_and_their_remarks(practice: Practice) -> None:
    patient = practice.patient()
    practice.book(patient, practice.at(9))
    with practice.write("dora") as session:
        assert [r.kind for r in records.of_patient(session, patient)] == ["visit"], "booking made it"
        record = records.add(session, patient, "letter", " From the hospital ", "canary text")
        row = records.of_patient(session, patient, limit=2)[-1]
        records.annotate(session, row, " read ")
        opened = records.read(session, next(r for r in records.of_patient(session, patient) if r.id == record))
        assert (opened.description, [a.text for a in opened.annotations], opened.row.annotations) == ("canary text", ["read"], 1)
        for kind, title, words, field in (("visit", "x", "", "kind"), ("poem", "x", "", "kind"), ("letter", " ", "", "title"),
                                          ("letter", "x" * 201, "", "title"), ("letter", "x", "x" * 10_001, "description")):
            with pytest.raises(Invalid) as refused:
                records.add(session, patient, kind, title, words)
            assert refused.value.field == field
        for text in ("", "x" * 2001):
            with pytest.raises(Invalid):
                records.annotate(session, row, text)
    assert b"canary" not in bytes(as_owner(practice, "select description from clinic.records where kind = 'letter'")[0][0])
    with practice.read("hugo") as session:
        assert records.of_patient(session, patient) == []
    with pytest.raises(NotAllowed), practice.write("hugo") as session:
        records.add(session, patient, "letter", "x", "text")


def test_settings_are_the_administrators(practice: Practice) -> None:
    with practice.write("ada") as session:
        before = settings.clinic_settings(session)
        assert (before.name, before.minutes) == ("Test Clinic", 20)
        settings.change_settings(session, settings.ClinicSettings(name="New", minutes=30))
        assert settings.clinic_settings(session).minutes == 30
        for bad, field in ((settings.ClinicSettings(name=" "), "name"), (settings.ClinicSettings(name="x" * 121), "name"),
                           (settings.ClinicSettings(page="B5"), "page"), (settings.ClinicSettings(minutes=0), "minutes"),
                           (settings.ClinicSettings(day_starts=9, day_ends=9), "day_ends")):
            with pytest.raises(Invalid) as refused:
                settings.change_settings(session, bad)
            assert refused.value.field == field
    with practice.read("rita") as session:
        assert settings.clinic_settings(session).name == "New"
    with pytest.raises((NotAllowed, ChangedElsewhere)), practice.write("rita") as session:
        settings.change_settings(session, settings.ClinicSettings(name="Mine"))


def test_free_places_of_some_weekdays_and_hours_and_the_openings_of_the_next_days(practice: Practice) -> None:
    after = practice.at(0)
    day = after.weekday()
    with practice.read("rita") as session:
        found = availability.next_free(session, after=after, count=50, when=availability.When(1 << day, 10 * 60, 11 * 60))
        zone = session.zone
        assert {(p.starts_at.astimezone(zone).weekday(), p.starts_at.astimezone(zone).hour) for p in found} == {(day, 10)}
        openings = availability.next_free(session, doctor_id=practice.doctors["dora"], after=after, when=availability.When(first=True))
    assert [p.starts_at for p in openings] == [practice.at(8, day=n) for n in range(1, 11)], "one for each of the next ten days"
