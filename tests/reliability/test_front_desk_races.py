"""A busy morning at four desks, all of it on the same few patients and doctors: no desk ever waits for another in a circle."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text

from clinicdesk.errors import ChangedElsewhere, ClinicError, Collision, FreePlace
from clinicdesk.jobs.worker import tidy_desk
from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import appointments, money, notifying, series, undoing, waiting
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.services.waiting import WishForm
from clinicdesk.storage.database import ClinicSession
from tests.clinics import Practice
from tests.paying import consistent
from tests.visiting import as_owner

ROUNDS = int(os.environ.get("CLINICDESK_ROUNDS", "60"))


class Desk:
    """One person's window, doing what a receptionist might, at random."""

    def __init__(self, practice: Practice, who: str, people: list[str], seed: int) -> None:
        self.practice, self.who, self.people, self.dice = practice, who, people, random.Random(seed)
        self.token = practice.token(who)
        self.outcomes: Counter[str] = Counter()
        self.circles: list[str] = []
        self.acts: list[Callable[[ClinicSession], object]] = [
            self.book, self.series, self.move_series, self.move_series, self.cancel_series, self.move, self.step, self.step, self.undo,
            self.undo, self.undo, self.redo, self.redo, self.offer, self.offer, self.accept, self.accept,
            self.withdraw, self.pay, notifying.mark_read]

    def run(self) -> None:
        for _ in range(ROUNDS):
            act = self.dice.choice(self.acts)
            try:
                with self.practice.clinic.write(self.token) as session:  # without the second try that a desk has
                    act(session)
                self.outcomes["done"] += 1
            except Collision as error:
                self.circles.append(f"{getattr(act, '__name__', act)}: {error.__cause__}")
            except ClinicError:
                self.outcomes["refused"] += 1

    def some(self, session: ClinicSession, status: str = "true") -> tuple[int, int, str]:
        rows = session.execute(text(f"select id, version, patient_id from clinic.appointments where {status} order by id")).all()
        if not rows:
            raise ChangedElsewhere
        row = self.dice.choice(rows)
        return row[0], row[1], row[2]

    def place(self, day: int = 0) -> tuple[int, NewAppointment]:
        start = self.practice.at(self.dice.randrange(8, 16), self.dice.choice((0, 20, 40)), day or self.dice.randrange(1, 3))
        doctor = self.practice.doctors[self.dice.choice(("dora", "hugo"))]
        return doctor, NewAppointment(doctor, self.dice.choice(self.people), start, start + timedelta(minutes=20))

    def book(self, session: ClinicSession) -> None:
        appointments.book(session, self.place()[1])

    def series(self, session: ClinicSession) -> None:
        wish = self.place()[1]
        places = [(wish.starts_at + timedelta(days=n), wish.ends_at + timedelta(days=n)) for n in range(4)]
        series.book(session, wish, places, Repeats("workday", 4))

    def move_series(self, session: ClinicSession) -> None:
        number, version, _ = self.some(session, "series_id is not null")
        doctor, wish = self.place(1)
        series.move(session, number, self.dice.choice((series.THIS, series.ALL)), doctor, wish.starts_at, wish.ends_at, version)

    def cancel_series(self, session: ClinicSession) -> None:
        number, version, _ = self.some(session, "series_id is not null")
        series.cancel(session, number, series.ALL, "on holiday", version)

    def move(self, session: ClinicSession) -> None:
        number, version, _ = self.some(session)
        doctor, wish = self.place()
        appointments.move(session, number, doctor, wish.starts_at, wish.ends_at, version)

    def step(self, session: ClinicSession) -> None:
        number, version, _ = self.some(session)
        to = self.dice.choice(("confirmed", "arrived", "cancelled", "scheduled", "arrived"))
        appointments.step(session, number, to, version, "because")

    def undo(self, session: ClinicSession) -> None:
        assert "same moment" not in undoing.undo(session).refused

    def redo(self, session: ClinicSession) -> None:
        undoing.redo(session)

    def offer(self, session: ClinicSession) -> None:
        doctor, wish = self.place()
        number = waiting.add(session, WishForm(wish.patient_id))
        waiting.offer(session, number, FreePlace(doctor, wish.starts_at, wish.ends_at))

    def accept(self, session: ClinicSession) -> None:
        held = waiting.offers(session)
        if held:
            waiting.accept(session, self.dice.choice(held).id)

    def withdraw(self, session: ClinicSession) -> None:
        held = waiting.wishes(session)
        if held:
            one = self.dice.choice(held)
            waiting.withdraw(session, one.id, one.version)

    def pay(self, session: ClinicSession) -> None:
        number, _, patient = self.some(session, "status = 'arrived'")
        with self.practice.clinic.write(self.token) as looking:  # two transactions, as the window does it
            charge = money.charge_visit(looking, number)
        with self.practice.clinic.write(self.token) as paying:
            assert charge is not None
            if self.dice.random() < 0.3:
                money.change_charge(paying, charge, Decimal(self.dice.randrange(1, 40)), "another price")
            else:
                money.pay(paying, patient, [money.Part(charge, "cash", Decimal(1))], f"{self.who} {self.dice.random()}")


def test_a_busy_morning_has_no_collisions(practice: Practice) -> None:
    people = [practice.patient() for _ in range(4)]
    desks = [Desk(practice, who, people, seed) for seed, who in enumerate(("rita", "sam", "ada", "rita"))]
    done = threading.Event()
    problems: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  handed to the test
            problems.append(error)

    def clean_up() -> None:
        while not done.is_set():
            as_owner(practice, "update clinic.messages set hold_until = now() where id in"
                               " (select id from clinic.messages where released_at is null and mod(id, 2) = 0 for update skip locked)")
            tidy_desk(practice.clinic.worker_database)

    threads = [threading.Thread(target=guarded, args=(desk.run,)) for desk in desks]
    worker = threading.Thread(target=guarded, args=(clean_up,))
    for thread in (*threads, worker):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    worker.join()
    total = sum((desk.outcomes for desk in desks), Counter[str]())
    assert not problems, problems
    assert [circle for desk in desks for circle in desk.circles] == []
    assert total["done"] > ROUNDS, total
    consistent(practice)
    assert as_owner(practice, "select count(*) from clinic.charges c join clinic.payments p on p.charge_id = c.id"
                              " where c.voided_at is not null") == [(0,)]
    in_care = "select distinct doctor_id, patient_id from clinic.appointments where status not in ('cancelled', 'no_show') order by 1, 2"
    assert as_owner(practice, "select doctor_id, patient_id from clinic.care order by 1, 2") == as_owner(practice, in_care)


def test_what_collides_is_done_once_more(practice: Practice) -> None:
    """Two people take two rows in opposite order by hand: the database ends one, and the second try of `perform` succeeds."""
    numbers = [practice.book(practice.patient(), practice.at(hour)) for hour in (9, 10)]
    tokens, meet, tries = [practice.token("rita"), practice.token("sam")], threading.Barrier(2), Counter[int]()

    def work(which: int) -> Callable[[ClinicSession], str]:
        def both(session: ClinicSession) -> str:
            tries[which] += 1
            for place, number in enumerate(numbers if which else numbers[::-1]):
                session.execute(text("update clinic.appointments set reason = reason || 'x', version = version + 1 where id = :id"),
                                {"id": number})
                if place == 0 and tries[which] == 1:
                    meet.wait()
            return "done"
        return both

    outcomes: list[str] = []
    threads = [threading.Thread(target=lambda n=n: outcomes.append(practice.clinic.perform(tokens[n], work(n)))) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == ["done", "done"]
    assert 3 <= sum(tries.values()) <= 4, "at least one was ended and tried again, nobody more than once"
    assert as_owner(practice, "select reason from clinic.appointments") == [("xx",), ("xx",)]


def test_a_notice_holds_no_other_and_a_month_of_them_is_kept(practice: Practice) -> None:
    """Two desks that change two appointments of one doctor do not wait for each other; what is older than a month goes, ten at a time."""
    first, second = (practice.book(practice.patient(), practice.at(hour)) for hour in (9, 10))
    with practice.clinic.write(practice.token("rita")) as session:
        appointments.step(session, first, "confirmed", 1)
        appointments.step(session, first, "cancelled", 2, "fell ill")  # a new notice to the doctor, not committed yet
        held = as_owner(practice, "select id from clinic.notifications where appointment_id = %s for update nowait", second)
        assert len(held) == 1
    as_owner(practice, "update clinic.notifications set at = now() - interval '31 days' where appointment_id = %s", second)
    practice.book(practice.patient(), practice.at(11))
    assert as_owner(practice, "select count(*) from clinic.notifications where appointment_id = %s", second) == [(0,)]
    assert as_owner(practice, "select count(*) from clinic.notifications where appointment_id = %s", first) == [(1,)]
