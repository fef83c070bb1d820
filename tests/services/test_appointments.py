"""Booking and the steps of an appointment: only legal ones, only by those who may, never twice in one place."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import psycopg
import pytest

from clinicdesk.errors import ChangedElsewhere, ClinicError, Invalid, NotAllowed, SlotTaken
from clinicdesk.rules import steps
from clinicdesk.rules.slots import wall
from clinicdesk.services import appointments, patients
from clinicdesk.services.schedule import NewAppointment
from tests.clinics import Practice
from tests.visiting import arrived, as_owner, counted, raw, started


def status(practice: Practice, appointment_id: int) -> str:
    return str(as_owner(practice, "select status from clinic.appointments where id = %s", appointment_id)[0][0])


def version(practice: Practice, appointment_id: int) -> int:
    return int(as_owner(practice, "select version from clinic.appointments where id = %s", appointment_id)[0][0])


def test_a_clash_says_who_is_there_and_the_three_nearest_free_places(practice: Practice) -> None:
    first, second = practice.patient(last_name="Held"), practice.patient()
    practice.book(first, practice.at(10))
    with practice.write("rita") as session:
        with pytest.raises(SlotTaken) as taken:
            start = practice.at(10, 10)
            appointments.book(session, NewAppointment(practice.doctors["dora"], second, start, start + timedelta(minutes=20)))
        free = appointments.book(session, NewAppointment(practice.doctors["dora"], second, taken.value.nearest[0].starts_at,
                                                         taken.value.nearest[0].ends_at))  # the transaction goes on
    assert taken.value.sentence == "Held, Maria is booked there, 10:00–10:20."
    assert len(taken.value.nearest) == 3
    assert all(abs(p.starts_at - practice.at(10)) <= timedelta(hours=1) for p in taken.value.nearest)
    assert status(practice, free) == "scheduled"


def test_neighbours_touch_and_doctors_do_not_clash(practice: Practice) -> None:
    practice.book(practice.patient(), practice.at(10))
    practice.book(practice.patient(), practice.at(10, 20))
    practice.book(practice.patient(), practice.at(9, 40))
    practice.book(practice.patient(), practice.at(10), doctor="hugo")
    with pytest.raises(SlotTaken):
        practice.book(practice.patient(), practice.at(9, 59), minutes=5)


def test_the_database_itself_refuses_an_overlap(practice: Practice) -> None:
    patient = practice.patient()
    practice.book(patient, practice.at(10))
    insert = ("insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, booked_by, lane, overbook_reason)"
              " values (%s, %s, %s, %s, auth.me(), %s, %s)")
    with raw(practice, "rita") as connection:
        for lane, reason, refused in ((0, "", "ex_appointments_overlap"), (1, "", "ck_appointments_overbook_reason"),
                                      (0, "why", "ck_appointments_overbook_reason"), (10, "why", "ck_appointments_lane")):
            with pytest.raises(psycopg.errors.IntegrityError) as error, connection.transaction():
                connection.execute(insert, [practice.doctors["dora"], patient, practice.at(10), practice.at(11), lane, reason])
            assert error.value.diag.constraint_name == refused
        connection.execute(insert, [practice.doctors["dora"], patient, practice.at(10), practice.at(11), 1, "urgent"])


def test_an_overbook_is_on_purpose_and_gives_its_reason(practice: Practice) -> None:
    practice.book(practice.patient(), practice.at(10))
    with practice.write("rita") as session:
        lane = appointments.free_lane(session, practice.doctors["dora"], practice.at(10), practice.at(10, 20))
    with pytest.raises(Invalid) as refused:
        practice.book(practice.patient(), practice.at(10), lane=lane)
    assert refused.value.field == "overbook_reason"
    over = practice.book(practice.patient(), practice.at(10), lane=lane, overbook_reason="acute pain")
    with practice.read("rita") as session:
        assert appointments.history(session, over)[0].detail == "acute pain"
        assert appointments.free_lane(session, practice.doctors["dora"], practice.at(10), practice.at(10, 20)) == 2
    practice.step(over, "arrived")
    as_owner(practice, "insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, lane, overbook_reason)"
                       " select doctor_id, patient_id, starts_at, ends_at, l, 'more'"
                       " from clinic.appointments, generate_series(2, 9) l where id = %s", over)
    with practice.read("rita") as session, pytest.raises(SlotTaken):
        appointments.free_lane(session, practice.doctors["dora"], practice.at(10), practice.at(10, 20))


def test_every_legal_step_is_taken_and_every_other_refused(practice: Practice) -> None:
    """Each pair of statuses, by the service and by raw SQL: the rules and the guard agree."""
    patient = practice.patient()
    ids = {}
    for number, old in enumerate(steps.STATUSES):
        ids[old] = practice.book(patient, practice.at(8 + number))
        as_owner(practice, "alter table clinic.appointments disable trigger user")
        as_owner(practice, "update clinic.appointments set status = %s, cancel_reason = 'ill today' where id = %s", old, ids[old])
        as_owner(practice, "alter table clinic.appointments enable trigger user")
    legal = set(steps.table())
    for old, booked in ids.items():
        for new in steps.STATUSES:
            if new == old:
                continue
            doctor_only = steps.STEPS[old, new].roles == {"doctor"} if (old, new) in legal else False
            with raw(practice, "rita") as connection:
                sql = "update clinic.appointments set status = %s, version = version + 1, cancel_reason = 'ill today' where id = %s"
                if (old, new) in legal and not doctor_only:
                    assert connection.execute(sql, [new, booked]).rowcount == 1
                    continue
                with pytest.raises(psycopg.Error) as error:
                    connection.execute(sql, [new, booked])
                assert error.value.diag.constraint_name == ("appointment_doctor_only" if doctor_only else "appointment_step"), (old, new)
            with practice.write("rita") as session, pytest.raises(ClinicError):
                appointments.step(session, booked, new, appointments.one(session, booked).version, "ill today")
    with practice.write("dora") as session, pytest.raises(Invalid) as refused:
        appointments.step(session, ids["arrived"], "in_progress", version(practice, ids["arrived"]))
    assert "in the consultation" in refused.value.sentence
    with raw(practice, "hugo") as connection:
        assert connection.execute("update clinic.appointments set status = 'in_progress', version = version + 1 where id = %s",
                                  [ids["arrived"]]).rowcount == 0, "another doctor does not even see it"
    with raw(practice, "dora") as connection, pytest.raises(psycopg.Error) as unsigned:
        connection.execute("update clinic.appointments set status = 'completed', version = version + 1 where id = %s", [ids["in_progress"]])
    assert unsigned.value.diag.constraint_name == "appointment_unsigned"


def test_cancelling_needs_a_reason_and_frees_the_place(practice: Practice) -> None:
    booked = practice.book(practice.patient(), practice.at(10))
    for reason in ("", "  x "):
        with pytest.raises(Invalid) as refused:
            practice.step(booked, "cancelled", reason=reason)
        assert refused.value.field == "cancel_reason"
    practice.step(booked, "cancelled", reason="ill today")
    other = practice.book(practice.patient(), practice.at(10))
    with pytest.raises(SlotTaken):
        practice.step(booked, "scheduled")  # the place is somebody else's now
    practice.step(other, "no_show")
    practice.step(booked, "scheduled")
    with practice.read("rita") as session:
        assert appointments.one(session, booked).cancel_reason == ""
        assert [(e.what, e.who, e.detail) for e in appointments.history(session, booked)] == [
            ("booked", "Rita Reception", ""), ("cancelled", "Rita Reception", "ill today"), ("scheduled", "Rita Reception", "")]


def test_moving_keeps_the_history_and_never_overlaps(practice: Practice) -> None:
    booked, other = practice.book(practice.patient(), practice.at(10)), practice.book(practice.patient(), practice.at(11))
    dora, hugo = practice.doctors["dora"], practice.doctors["hugo"]

    def move(doctor: int, start: datetime, minutes: int, seen: int) -> int:
        with practice.write("rita") as session:
            return appointments.move(session, booked, doctor, start, start + timedelta(minutes=minutes), seen)

    with pytest.raises(SlotTaken) as taken:
        move(dora, practice.at(10, 50), 20, 1)
    assert taken.value.nearest
    assert move(dora, practice.at(10), 60, 1) == 2  # resized to the neighbour's start
    assert move(hugo, practice.at(11), 20, 2) == 3
    with pytest.raises(ChangedElsewhere):
        move(dora, practice.at(9), 20, 2)
    with pytest.raises(Invalid):
        move(dora, practice.at(9), 0, 3)
    with pytest.raises(Invalid) as past:
        move(dora, practice.at(9, day=-3), 20, 3)
    assert past.value.field == "starts_at"
    with practice.read("rita") as session:
        assert [(e.what, e.detail) for e in appointments.history(session, booked)] == [
            ("booked", ""), ("moved", "10:00"), ("moved", "11:00")]
    with pytest.raises(NotAllowed), practice.write("dora") as session:
        appointments.move(session, booked, dora, practice.at(9), practice.at(9, 20), 3)  # it is hugo's now
    practice.step(other, "cancelled", reason="ill today")
    with pytest.raises(ClinicError, match="not begun"), practice.write("rita") as session:
        appointments.move(session, other, dora, practice.at(15), practice.at(16), 2)


def test_what_cannot_be_booked(practice: Practice) -> None:
    patient = practice.patient()
    for start, minutes, field in ((practice.at(9, day=-2), 20, "starts_at"), (practice.at(9), 0, "ends_at"),
                                  (practice.at(9), -5, "ends_at"), (practice.at(9), 721, "ends_at")):
        with pytest.raises(Invalid) as refused:
            practice.book(patient, start, minutes=minutes)
        assert refused.value.field == field
    with pytest.raises(Invalid) as long:
        practice.book(patient, practice.at(9), reason="x" * 301)
    assert long.value.field == "reason"
    with pytest.raises(NotAllowed):
        practice.book("p_zzzzzz", practice.at(9))
    with practice.write("rita") as session:
        patients.archive(session, patient, patients.card(session, patient).version)
    with pytest.raises(Invalid) as archived:
        practice.book(patient, practice.at(9))
    assert archived.value.field == "patient_id"


def test_a_repeated_request_is_one_appointment(practice: Practice) -> None:
    patient = practice.patient()
    assert practice.book(patient, practice.at(10), key="k1") == practice.book(patient, practice.at(10), key="k1")
    assert as_owner(practice, "select count(*) from clinic.appointments") == [(1,)]


def test_the_patients_own_clash_is_a_warning(practice: Practice) -> None:
    patient = practice.patient()
    booked = practice.book(patient, practice.at(10))
    with practice.read("rita") as session:
        clashes = appointments.clashes_of_patient(session, patient, practice.at(10, 10), practice.at(10, 30))
        assert [row.id for row in clashes] == [booked]
        assert appointments.clashes_of_patient(session, patient, practice.at(10, 20), practice.at(10, 40)) == []
        assert appointments.clashes_of_patient(session, patient, practice.at(10), practice.at(10, 20), but=booked) == []
    practice.book(patient, practice.at(10), doctor="hugo")


def test_who_books_and_who_sees(practice: Practice) -> None:
    patient = practice.patient()
    hers, his = practice.book(patient, practice.at(10)), practice.book(patient, practice.at(11), doctor="hugo")
    with practice.write("dora") as session:
        assert [row.id for row in appointments.of_patient(session, patient)] == [hers]
        with pytest.raises(NotAllowed):
            appointments.one(session, his)
        with pytest.raises(NotAllowed):
            appointments.book(session, NewAppointment(practice.doctors["hugo"], patient, practice.at(15), practice.at(16)))
        appointments.book(session, NewAppointment(practice.doctors["dora"], patient, practice.at(15), practice.at(16)))
    with practice.read("rita") as session:
        assert {row.id for row in appointments.upcoming(session)} >= {hers, his}
        assert [row.id for row in appointments.upcoming(session, doctor_id=practice.doctors["hugo"])] == [his]
        assert appointments.past(session) == []


def test_a_consultation_that_began_is_not_moved_or_cancelled(practice: Practice) -> None:
    started(practice, practice.patient())
    with practice.read("rita") as session:
        (row,) = appointments.list_day(session, practice.at(9).date())
    with pytest.raises(Invalid), practice.write("rita") as session:
        appointments.step(session, row.id, "cancelled", row.version, "ill today")
    with pytest.raises(ClinicError), practice.write("rita") as session:
        appointments.move(session, row.id, row.doctor_id, practice.at(15), practice.at(16), row.version)


def test_undoing_a_check_in(practice: Practice) -> None:
    booked = arrived(practice, practice.patient())
    practice.step(booked, "scheduled")
    practice.step(booked, "confirmed")
    assert status(practice, booked) == "confirmed"


def test_the_day_the_clocks_go_back_has_25_hours(practice: Practice) -> None:
    zone, day = practice.clinic.zone, date(2027, 10, 31)
    first, second = wall(day, time(2, 30), zone), wall(day, time(2, 30), zone) + timedelta(hours=1)  # 02:30 twice
    patient = practice.patient()
    one, two = practice.book(patient, first, minutes=60), practice.book(patient, second, minutes=60)
    late = practice.book(patient, wall(day, time(23, 30), zone), minutes=20)
    practice.book(patient, wall(day + timedelta(days=1), time(0), zone))
    with practice.read("rita") as session:
        shown = appointments.day(session, day)
    assert [b.id for b in shown.blocks] == [one, two, late]
    assert shown.columns[0].open[0].minutes == 9 * 60
    assert shown.blocks[0].starts_at == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("number", [3, 30])
def test_a_day_costs_the_same_queries_whatever_it_holds(practice: Practice, number: int) -> None:
    patient = practice.patient()
    for i in range(number):
        practice.book(patient, practice.at(8, 0) + timedelta(minutes=10 * i), minutes=10, doctor=("dora", "hugo")[i % 2])
    with practice.read("rita") as session, counted(session) as queries:
        shown = appointments.day(session, practice.at(8).date())
        assert (len(shown.blocks), [c.name for c in shown.columns]) == (number, ["Dr Dora Kim", "Dr Hugo Blanc"])
    assert len(queries) == 5
    with practice.read("rita") as session, counted(session) as queries:
        assert len(appointments.list_day(session, practice.at(8).date())) == number
    assert len(queries) == 1
