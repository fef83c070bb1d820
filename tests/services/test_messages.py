"""Messages wait for the undo window and are let go once each: also when nothing is due, asked twice, or for every visit of a series."""

from __future__ import annotations

from datetime import timedelta

from clinicdesk.jobs.worker import tidy_desk
from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import messages, series, undoing, waiting
from clinicdesk.services.schedule import NewAppointment
from tests.clinics import Practice
from tests.visiting import as_owner

STILL_OPEN = "update clinic.messages set hold_until = now() where released_at is null"


def told(practice: Practice) -> list[tuple[int, str]]:
    return as_owner(practice, "select appointment_id, kind from clinic.messages where released_at is not null order by id")


def test_nothing_due_is_no_fault_and_nothing_is_said_twice(practice: Practice) -> None:
    """Traps: the job fails when nothing is due, or sends again every hour."""
    worker = practice.clinic.worker_database
    assert tidy_desk(worker) == (0, 0)
    number = practice.book(practice.patient(), practice.at(9))
    assert tidy_desk(worker) == (0, 0), "the undo window is open"
    with practice.read("rita") as session:
        assert [(m.appointment_id, m.kind) for m in messages.waiting(session)] == [(number, "booked")]
    as_owner(practice, STILL_OPEN)
    assert [tidy_desk(worker) for _ in range(3)] == [(1, 0), (0, 0), (0, 0)]
    assert told(practice) == [(number, "booked")]
    practice.step(number, "confirmed")
    as_owner(practice, STILL_OPEN)
    tidy_desk(worker)
    assert told(practice) == [(number, "booked")], "nothing changed for the patient"


def test_every_visit_of_a_series_is_said_and_what_was_taken_back_never(practice: Practice) -> None:
    """Trap: the job skips recurring visits."""
    start = practice.at(9)
    places = [(start + timedelta(days=7 * n), start + timedelta(days=7 * n, minutes=20)) for n in range(3)]
    wish = NewAppointment(practice.doctors["dora"], practice.patient(), *places[0])
    with practice.write("rita") as session:
        numbers = series.book(session, wish, places, Repeats("week", 3))
    practice.book(practice.patient(), practice.at(11))
    with practice.write("rita") as session:
        undoing.undo(session)
    as_owner(practice, STILL_OPEN)
    tidy_desk(practice.clinic.worker_database)
    assert told(practice) == [(number, "booked") for number in numbers]


def test_the_running_worker_does_it_by_itself(practice: Practice) -> None:
    """The job is known to the queue and runs; the minute itself is procrastinate's."""
    from clinicdesk.jobs.worker import build_app

    assert practice.clinic.addresses.worker
    app = build_app(practice.clinic.addresses.worker, practice.clinic.worker_database)
    number = practice.book(practice.patient(), practice.at(9))
    with practice.write("rita") as session:
        wish = waiting.add(session, waiting.WishForm(practice.patient()))
        waiting.offer(session, wish, waiting.FreePlace(practice.doctors["dora"], practice.at(10), practice.at(10, 20)))
    as_owner(practice, STILL_OPEN)
    as_owner(practice, "alter table clinic.offers disable trigger user; update clinic.offers set offered_at = now() - interval '1 hour',"
                       " expires_at = now() - interval '1 second'; alter table clinic.offers enable trigger user")
    with app.open():
        assert [task.cron for task in app.periodic_registry.periodic_tasks.values()] == [
            "* * * * *", "* * * * *", "*/5 * * * *", "* * * * *"]
        app.configure_task("every_minute").defer(timestamp=0)
        app.run_worker(wait=False, install_signal_handlers=False, queues=["desk"])
    assert told(practice) == [(number, "booked")]
    assert as_owner(practice, "select status from clinic.offers") == [("expired",)]
