"""Many desks at once: the database decides, one wins, and everybody else is told so."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import psycopg

from clinicdesk.errors import ChangedElsewhere, ClinicError, Duplicate
from clinicdesk.services import appointments, consultations, drafts, patients
from clinicdesk.services.people import PatientForm
from clinicdesk.storage.addresses import libpq_address
from tests.clinics import Practice
from tests.visiting import FULL, arrived, as_owner, started

DESKS, PLACES = 32, 50


def together(*works: Callable[[], object]) -> list[object]:
    """Run all at once, from one starting shot; what each gave or the ClinicError it raised."""
    outcomes: list[object] = [None] * len(works)
    ready = threading.Barrier(len(works))

    def run(number: int, work: Callable[[], object]) -> None:
        ready.wait()
        try:
            outcomes[number] = work()
        except ClinicError as error:
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number, work)) for number, work in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def desk(practice: Practice, token: str, patient: str, places: Sequence[tuple[int, datetime]]) -> Counter[str]:
    """One workstation with a connection of its own, under row security, wanting every place once."""
    outcomes: Counter[str] = Counter()
    with psycopg.connect(libpq_address(practice.clinic.addresses.app), autocommit=True) as connection:
        for doctor, start in places:
            try:
                with connection.transaction():
                    connection.execute("select set_config('clinicdesk.session', %s, true)", [token])
                    connection.execute("insert into clinic.appointments (doctor_id, patient_id, starts_at, ends_at, booked_by)"
                                       " values (%s, %s, %s, %s, auth.me())", [doctor, patient, start, start + timedelta(minutes=15)])
                outcomes["booked"] += 1
            except psycopg.errors.ExclusionViolation:
                outcomes["taken"] += 1
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure):
                outcomes["again"] += 1
    return outcomes


def test_32_desks_race_for_50_places(practice: Practice) -> None:
    tokens = [practice.token("rita"), practice.token("sam"), practice.token("ada")]
    people = [practice.patient() for _ in range(4)]
    first = practice.at(8, day=3)
    places = [(doctor, first + timedelta(minutes=15 * number)) for doctor in practice.doctors.values() for number in range(PLACES // 2)]
    rotated = [places[n:] + places[:n] for n in range(DESKS)]
    outcomes = together(*(lambda n=n: desk(practice, tokens[n % 3], people[n % 4], rotated[n]) for n in range(DESKS)))
    total = sum((o for o in outcomes if isinstance(o, Counter)), Counter[str]())
    assert total["booked"] + total["taken"] + total["again"] == DESKS * PLACES
    assert total["booked"] == PLACES
    assert as_owner(practice, "select count(*) from clinic.appointments") == [(PLACES,)]
    assert as_owner(practice, "select count(*) from clinic.appointments a join clinic.appointments b on a.doctor_id = b.doctor_id"
                              " and a.id < b.id and a.lane = b.lane and a.during && b.during") == [(0,)]
    assert as_owner(practice, "select count(*) from clinic.appointment_events") == [(PLACES,)]
    assert as_owner(practice, "select count(*) from clinic.records where kind = 'visit'") == [(PLACES,)]


def one_wins(outcomes: list[object], refusal: type[ClinicError]) -> None:
    assert sum(not isinstance(o, Exception) for o in outcomes) == 1, outcomes
    assert sum(isinstance(o, refusal) for o in outcomes) == len(outcomes) - 1, outcomes


def test_two_people_step_one_appointment(practice: Practice) -> None:
    booked = practice.book(practice.patient(), practice.at(9))
    tokens = {who: practice.token(who) for who in ("rita", "sam")}

    def step(who: str, to: str, reason: str = "") -> int:
        with practice.clinic.write(tokens[who]) as session:
            return appointments.step(session, booked, to, 1, reason)

    one_wins(together(lambda: step("rita", "arrived"), lambda: step("sam", "cancelled", "called in")), ChangedElsewhere)
    assert as_owner(practice, "select count(*) from clinic.appointment_events") == [(2,)]


def test_two_people_register_one_phone(practice: Practice) -> None:
    tokens = [practice.token("rita"), practice.token("sam")]
    form = PatientForm(first_name="Ann", last_name="Twice", born="1980-01-01", sex="F", phone="+491700000000")

    def register(token: str) -> str:
        with practice.clinic.write(token) as session:
            return patients.register(session, form)

    one_wins(together(*(lambda t=t: register(t) for t in tokens)), Duplicate)
    assert as_owner(practice, "select count(*), (select count(*) from clinic.patient_keys) from clinic.patients") == [(1, 2)]


def test_two_windows_start_save_and_complete_one_consultation(practice: Practice) -> None:
    token = practice.token("dora")
    booked = arrived(practice, practice.patient())

    def start() -> int:
        with practice.clinic.write(token) as session:
            return consultations.start(session, booked, 2)

    outcomes = together(start, start)
    assert as_owner(practice, "select count(*) from clinic.consultations") == [(1,)]
    assert len({o for o in outcomes if isinstance(o, int)}) == 1
    assert all(isinstance(o, (int, ClinicError)) for o in outcomes)

    consultation = started(practice, practice.patient(), hour=11)

    def save() -> int:
        with practice.clinic.write(token) as session:
            return drafts.save(session, consultation, FULL, 0)

    outcomes = together(save, save)
    assert sum(o == 1 for o in outcomes) == 1
    assert sum(isinstance(o, ClinicError) for o in outcomes) == 1

    def complete() -> object:
        with practice.clinic.write(token) as session:
            return consultations.complete(session, consultation, FULL, 1)

    outcomes = together(complete, complete)
    assert sum(isinstance(o, consultations.Completed) for o in outcomes) == 1
    assert sum(isinstance(o, ClinicError) for o in outcomes) == 1
    assert as_owner(practice, "select count(*), (select count(*) from clinic.prescriptions) from clinic.visits") == [(1, 1)]


def test_one_request_sent_twice_books_once(practice: Practice) -> None:
    patient = practice.patient()
    practice.token("rita")

    def book() -> int:
        return practice.book(patient, practice.at(9), key="once")

    outcomes = together(book, book)
    assert as_owner(practice, "select count(*) from clinic.appointments") == [(1,)]
    assert all(isinstance(o, (int, ClinicError)) for o in outcomes)


def test_two_imports_of_one_file_store_each_patient_once(practice: Practice) -> None:
    from clinicdesk.interchange.imported import ImportedPatient
    from clinicdesk.services.importing import ImportReport, import_patients

    born = practice.at(9, day=-9000).date()
    found = [ImportedPatient(f"x{n}", n + 2, "Ann", f"Name{chr(97 + n)}", "", born, None, "F", "", "", "", (), (), (), (), ())
             for n in range(8)]
    outcomes = together(*(lambda: import_patients(practice.clinic.as_owner, found) for _ in range(2)))
    reports = [o for o in outcomes if isinstance(o, ImportReport)]
    assert len(reports) == 2
    assert sum(r.patients.added for r in reports) == 8
    assert as_owner(practice, "select count(*) from clinic.patients") == [(8,)]
