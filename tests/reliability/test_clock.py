"""The clock jumps: an hour, a day, back and forth, and the two nights of daylight saving. Nothing is lost, nothing crashes, and what
expires errs on the safe side.

Two clocks matter. The application's is `database.now`. The server's is PostgreSQL's own `now()`, which no test can turn: its rows are moved
instead, which is the same to every comparison.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from clinicdesk.errors import Invalid, SignedOut, SignInRefused
from clinicdesk.jobs.worker import deliver_all, tidy_desk
from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import appointments, auditing, availability, consultations, drafts, journaling, series, visits, waiting
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.services.waiting import FreePlace, WishForm
from clinicdesk.storage.journal import Journal
from tests.clinics import PASSWORD, Practice
from tests.reliability.conftest import Row
from tests.reliability.ledger import Ledger, nothing_half_done, read, tally
from tests.reliability.writing import KINDS, Hand
from tests.visiting import FULL, as_owner, completed, started

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
JUMPS = (timedelta(), HOUR, -HOUR, DAY, -DAY, timedelta())


def jump(practice: Practice, by: timedelta) -> None:
    """From now on the application's clock is off by so much."""
    for database in (practice.clinic.database, practice.clinic.worker_database):
        database.now = lambda: datetime.now(UTC) + by


def test_every_kind_of_write_while_the_clock_jumps(practice: Practice, tmp_path: Path, row: Row) -> None:
    ledger = Ledger(tmp_path / "ledger")
    tokens = {who: practice.token(who) for who in ("rita", "dora")}
    hand = Hand(practice.clinic, practice.doctors["dora"], tokens, ledger, 1)
    for by in JUMPS:
        jump(practice, by)
        for kind in KINDS:
            getattr(hand, kind)()
        deliver_all(practice.clinic.worker_database)
        tidy_desk(practice.clinic.worker_database)
        with practice.clinic.worker_database.write() as session:
            assert auditing.anchor(session), "an anchor of a wrong clock is an anchor all the same"
    ledger.close()
    found = tally(practice, read(ledger.path))
    row("application's clock jumps by an hour or a day", len(JUMPS), found.acknowledged, len(found.lost), len(found.doubled))
    found.holds()
    nothing_half_done(practice)
    with practice.clinic.worker_database.read() as session:
        proof = auditing.prove(session, [tmp_path / auditing.ANCHORS])
        assert visits.waiting(session) == []
    assert proof.verdict.intact and proof.verdict.anchors == 3 * len(JUMPS), "the chain is by number, and so are its anchors"
    numbers = as_owner(practice, "select seq, event_id from audit.chain order by seq")
    assert [row[0] for row in numbers] == list(range(1, len(numbers) + 1))


def test_the_audit_log_keeps_its_order_when_the_server_went_back(practice: Practice) -> None:
    """Events of the server's later hours stand before those of its earlier ones; the proof does not mind."""
    practice.patient()
    before = as_owner(practice, "select count(*) from audit.events")[0][0]
    for moved in ("+ interval '1 hour'", "- interval '1 day'"):
        as_owner(practice, "insert into audit.events (at, actor, role, action, category)"
                           f" values (now() {moved}, 'x', 'tool', 'look', 'other')")
    practice.patient()
    nothing_half_done(practice)
    assert as_owner(practice, "select count(*) from audit.events")[0][0] > before + 2


def shifted(practice: Practice, by: timedelta) -> None:
    """The server's clock was turned by so much: every session is that much older, or younger."""
    as_owner(practice, "update auth.sessions set created_at = created_at - %s, last_used_at = last_used_at - %s,"
                       " expires_at = expires_at - %s, absolute_expires_at = absolute_expires_at - %s", by, by, by, by)


def still_in(practice: Practice, who: str) -> bool:
    try:
        with practice.read(who):
            return True
    except SignedOut:
        return False


@pytest.mark.parametrize(("by", "lives"), [(timedelta(minutes=10), True), (HOUR, False), (DAY, False), (-HOUR, True)])
def test_a_session_ends_when_the_servers_clock_jumps_ahead(practice: Practice, by: timedelta, lives: bool) -> None:
    practice.token("rita")
    shifted(practice, by)
    assert still_in(practice, "rita") == lives
    if not lives:
        assert not practice.clinic.renew(practice.token("rita")), "no way back without the password"
        shifted(practice, -by)
        assert still_in(practice, "rita"), "the clock was put right: nothing was destroyed"


def test_a_session_does_not_outlive_its_day_however_often_the_clock_goes_back(practice: Practice) -> None:
    practice.token("rita")
    for _ in range(3):  # the server an hour back, somebody goes on using the window
        shifted(practice, -HOUR)
        assert practice.clinic.renew(practice.token("rita"))
    assert as_owner(practice, "select bool_and(expires_at <= now() + make_interval(mins => idle_minutes)) from auth.sessions") == [(True,)]


def test_the_applications_clock_decides_nothing_about_a_session(practice: Practice) -> None:
    practice.token("rita")
    for by in JUMPS:
        jump(practice, by)
        assert still_in(practice, "rita")
    as_owner(practice, "update auth.sessions set expires_at = now()")
    jump(practice, -DAY)
    assert not still_in(practice, "rita"), "a workstation with a slow clock is signed out like any other"


@pytest.mark.parametrize(("by", "waits"), [(HOUR, False), (-HOUR, True), (-DAY, True)])
def test_the_throttle_when_the_clock_jumps(practice: Practice, by: timedelta, waits: bool) -> None:
    """Ahead: half an hour without a failure forgets. Back: who guessed waits longer, and never less."""
    for _ in range(4):
        with pytest.raises(SignInRefused):
            practice.clinic.sign_in("rita", "wrong", "desk")
    as_owner(practice, "update auth.attempts set last_failed_at = last_failed_at - %s", by)
    if waits:
        with pytest.raises(SignInRefused) as refused:
            practice.clinic.sign_in("rita", PASSWORD, "desk")
        assert refused.value.wait > 0
        as_owner(practice, "update auth.attempts set last_failed_at = now() - interval '31 minutes'")
    assert practice.clinic.sign_in("rita", PASSWORD, "desk").me.username == "rita"


def test_a_wait_is_at_most_the_jump_and_the_longest_wait(practice: Practice) -> None:
    """The server was a day ahead for a moment and somebody mistyped then: safe, and longer than it need be (docs/reliability.md)."""
    for _ in range(4):
        with pytest.raises(SignInRefused):
            practice.clinic.sign_in("rita", "wrong", "desk")
    as_owner(practice, "update auth.attempts set last_failed_at = now() + interval '1 day'")
    with pytest.raises(SignInRefused) as refused:
        practice.clinic.sign_in("rita", PASSWORD, "desk")
    assert refused.value.wait <= 24 * 3600 + 900


def test_a_draft_outlives_the_jump(practice: Practice) -> None:
    """Two versions are told apart by number and content; a clock that went back makes neither the older one."""
    begun = started(practice, practice.patient())
    with practice.write("dora") as session:
        drafts.save(session, begun, ConsultationDraft(notes={"plan": "first"}), 0)
    jump(practice, -DAY)
    with practice.write("dora") as session:
        drafts.save(session, begun, ConsultationDraft(notes={"plan": "second"}), 1)
        sheet = consultations.open_sheet(session, begun)
    assert sheet.saved.draft.notes == {"plan": "second"}
    typed = ConsultationDraft(notes={"plan": "typed and not saved"})
    journal = Journal(sheet.journal, lambda _error: None)
    journal.put(journaling.snapshot(typed, sheet.saved.draft, 2, practice.clinic.database.now()))
    assert journal.flush()
    journal.close(keep=True)
    for by in JUMPS:
        jump(practice, by)
        with practice.read("dora") as session:
            again = consultations.open_sheet(session, begun)
        assert [one.draft.notes for one in again.undecided] == [{"plan": "typed and not saved"}], by
    with practice.write("dora") as session:
        consultations.complete(session, begun, replace(FULL, notes={"plan": "signed"}), 2)
    nothing_half_done(practice)


def nights(zone: object) -> list[date]:
    """The next two nights in which the clocks of Berlin change."""
    day, found = datetime.now(UTC).date() + timedelta(days=2), []
    while len(found) < 2:
        noon = [datetime.combine(d, time(12), tzinfo=zone) for d in (day - DAY, day)]  # type: ignore[arg-type]
        if noon[0].utcoffset() != noon[1].utcoffset():
            found.append(day)
        day += DAY
    return found


def test_the_nights_when_the_clocks_change(practice: Practice) -> None:
    """Appointments are moments: an hour that comes twice is two hours, and one that is missing takes nobody's place."""
    zone, patient = practice.clinic.zone, practice.patient()
    for night in nights(zone):
        first = datetime.combine(night, time(0, 30), tzinfo=zone).astimezone(UTC)
        starts = [first + timedelta(minutes=30 * n) for n in range(8)]
        with practice.write("rita") as session:
            booked = [appointments.book(session, NewAppointment(practice.doctors["dora"], patient, at, at + timedelta(minutes=30)))
                      for at in starts]
        with practice.read("rita") as session:
            seen = appointments.list_day(session, night)
            assert [row.id for row in seen] == booked
            assert [row.starts_at for row in seen] == starts
            assert len(appointments.day(session, night).blocks) == len(starts)
        with practice.write("rita") as session:
            moved = starts[-1] + HOUR
            appointments.move(session, booked[0], practice.doctors["dora"], moved, moved + timedelta(minutes=30), 1)
        with practice.read("rita") as session:
            assert availability.next_free(session, doctor_id=practice.doctors["dora"])
    jump(practice, timedelta())
    start = datetime.combine(nights(zone)[0] - 3 * DAY, time(9), tzinfo=zone)
    places = [(start + n * DAY, start + n * DAY + timedelta(minutes=20)) for n in range(6)]
    with practice.write("rita") as session:
        series.book(session, NewAppointment(practice.doctors["hugo"], patient, *places[0]), places, Repeats("workday", 6))
    rows = as_owner(practice, "select starts_at from clinic.appointments where series_id is not null order by starts_at")
    assert [row[0].astimezone(zone).hour for row in rows] == [9] * 6, "nine o'clock stays nine o'clock"
    nothing_half_done(practice)


def test_what_is_over_is_decided_by_the_servers_clock(practice: Practice) -> None:
    patient, at = practice.patient(), practice.at(9)
    jump(practice, 30 * DAY)
    assert practice.book(patient, at), "tomorrow is to come, whatever this computer believes"
    jump(practice, -30 * DAY)
    with pytest.raises(Invalid) as refused:
        practice.book(patient, datetime.now(UTC) - DAY)
    assert refused.value.field == "starts_at"
    assert completed(practice, practice.patient(), hour=11).visit_id


def test_a_held_place_is_let_go_by_the_servers_clock(practice: Practice) -> None:
    start = practice.at(9)
    with practice.write("rita") as session:
        wish = waiting.add(session, WishForm(practice.patient()))
        waiting.offer(session, wish, FreePlace(practice.doctors["dora"], start, start + timedelta(minutes=20)))
    jump(practice, DAY)
    tidy_desk(practice.clinic.worker_database)
    held = as_owner(practice, "select count(*) from clinic.offers where settled_at is null")
    as_owner(practice, "update clinic.offers set expires_at = now()")
    tidy_desk(practice.clinic.worker_database)
    assert (held, as_owner(practice, "select count(*) from clinic.offers where settled_at is null")) == ([(1,)], [(0,)])
