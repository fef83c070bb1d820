"""One way out, one way back: threads, order, replacement, destroyed owners, draining."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QObject, QThread

from clinicdesk.errors import Duplicate, SignedOut, Unavailable
from ui.desk import Desk
from ui.live import Live
from ui.tasks import CollectOnGuiThread, Pool


@pytest.fixture
def pool(qapp: Any) -> Iterator[Pool]:
    pool = Pool()
    yield pool
    assert pool.close(), "a worker did not end"


def test_answers_come_on_the_gui_thread(pool: Pool, qtbot: Any) -> None:
    owner, seen = QObject(), []
    pool.run(owner, threading.get_ident, lambda ident: seen.append((ident, QThread.currentThread() is owner.thread())))
    qtbot.waitUntil(lambda: bool(seen))
    assert seen[0][0] != threading.get_ident()
    assert seen[0][1]
    assert pool.busy == 0


def test_failures_come_on_the_gui_thread(pool: Pool, qtbot: Any) -> None:
    owner, seen = QObject(), []
    pool.run(owner, lambda: 1 // 0, None, lambda error: seen.append((error, QThread.currentThread() is owner.thread())))
    qtbot.waitUntil(lambda: bool(seen))
    assert isinstance(seen[0][0], ZeroDivisionError)
    assert seen[0][1]


def test_a_newer_question_discards_the_older(pool: Pool, qtbot: Any) -> None:
    owner, seen, gate = QObject(), [], threading.Event()
    pool.run(owner, lambda: gate.wait(10) and "old", seen.append, replaces="search")
    pool.run(owner, lambda: "new", seen.append, replaces="search")
    qtbot.waitUntil(lambda: seen == ["new"])
    gate.set()
    pool.run(owner, lambda: "other", seen.append)
    qtbot.waitUntil(lambda: "other" in seen)
    assert "old" not in seen


def test_a_replaced_question_that_has_not_begun_is_never_run(pool: Pool, qtbot: Any) -> None:
    owner, gate, ran, seen = QObject(), threading.Event(), [], []
    for _ in range(4):
        pool.run(owner, lambda: gate.wait(10))
    for n in range(50):
        pool.run(owner, lambda n=n: ran.append(n) or n, seen.append, replaces="search")
    gate.set()
    qtbot.waitUntil(lambda: seen == [49])
    assert ran == [49]


def test_an_answer_for_a_destroyed_owner_is_dropped(pool: Pool, qtbot: Any) -> None:
    import shiboken6

    owner, other, gate, seen = QObject(), QObject(), threading.Event(), []
    pool.run(owner, lambda: gate.wait(10), seen.append)
    shiboken6.delete(owner)
    gate.set()
    pool.run(other, lambda: "marker", seen.append)
    qtbot.waitUntil(lambda: pool.busy == 0)
    assert True not in seen


def test_a_failed_write_whose_owner_is_gone_is_still_told(pool: Pool, qtbot: Any) -> None:
    import shiboken6

    owner, gate = QObject(), threading.Event()

    def work() -> None:
        gate.wait(10)
        raise Duplicate("phone", "Somebody has this number.")

    with qtbot.waitSignal(pool.lost) as lost:
        pool.run(owner, work, None, lambda _e: None, keep=True)
        shiboken6.delete(owner)
        gate.set()
    assert isinstance(lost.args[0], Duplicate)


def test_closing_finishes_writes_and_drops_reads(qapp: Any) -> None:
    pool, owner, gate, ran = Pool(), QObject(), threading.Event(), []
    for _ in range(4):
        pool.run(owner, lambda: gate.wait(10))
    pool.run(owner, lambda: ran.append("read"))
    pool.run(owner, lambda: ran.append("write"), keep=True)
    threading.Timer(0.05, gate.set).start()
    assert pool.close()
    assert ran == ["write"]
    pool.run(owner, lambda: ran.append("late"))
    assert "late" not in ran


def test_a_bug_in_one_receiver_does_not_stop_the_next(pool: Pool, qtbot: Any) -> None:
    owner, seen = QObject(), []
    with qtbot.captureExceptions() as caught:
        pool.run(owner, lambda: 1, lambda _r: 1 // 0)
        pool.run(owner, lambda: 2, seen.append)
        qtbot.waitUntil(lambda: seen == [2])
    assert caught[0][0] is ZeroDivisionError


def test_the_collector_runs_only_on_the_gui_thread(qapp: Any, qtbot: Any) -> None:
    threads: list[int] = []

    def note(phase: str, _info: Any) -> None:
        if phase == "start":
            threads.append(threading.get_ident())

    gc.callbacks.append(note)
    collector = CollectOnGuiThread(every_ms=1)
    try:
        assert not gc.isenabled()
        worker = threading.Thread(target=lambda: [[] for _ in range(200_000)])
        worker.start()
        worker.join()
        rubbish = [[n] for n in range(10_000)]
        qtbot.waitUntil(lambda: bool(threads))
        assert set(threads) == {threading.get_ident()}
        assert rubbish
    finally:
        collector.close()
        gc.callbacks.remove(note)
    assert gc.isenabled()


def test_asking_reads_and_doing_writes(desk: Desk, clinic: Any) -> None:
    seen: list[Any] = []
    desk.ask(desk, lambda session, a, b: (session is clinic, a + b), 1, b=2, done=seen.append)
    desk.do(desk, lambda _session: "written", done=seen.append)
    assert seen == [(True, 3), "written"]
    assert clinic.opened == [("read", "token"), ("write", "token")]


def test_what_no_form_can_help_with_is_announced(desk: Desk, clinic: Any, qtbot: Any) -> None:
    clinic.error = Unavailable("database", "The database does not answer.")
    with qtbot.waitSignal(desk.unavailable) as away:
        desk.ask(desk, lambda _s: 1, done=lambda _r: None)
    assert away.args[0] is clinic.error
    clinic.error = None
    with qtbot.waitSignal(desk.unavailable) as back:
        desk.ask(desk, lambda _s: 1, done=lambda _r: None)
    assert back.args == [None]
    clinic.error = SignedOut()
    failures: list[Exception] = []
    with qtbot.waitSignal(desk.signed_out):
        desk.do(desk, lambda _s: 1, failed=failures.append)
    assert failures == [clinic.error]
    clinic.error = Duplicate("phone", "x")
    with qtbot.waitSignal(desk.problem):
        desk.ask(desk, lambda _s: 1, done=lambda _r: None)


def test_the_desk_says_when_the_listening_connection_is_lost(desk: Desk, live: Live, qtbot: Any) -> None:
    with qtbot.waitSignal(desk.unavailable) as away:
        threading.Thread(target=live.on_state, args=(False,)).start()
    assert isinstance(away.args[0], Unavailable)
    with qtbot.waitSignal(live.changed) as changed, qtbot.waitSignal(desk.unavailable) as back:
        threading.Thread(target=live.on_state, args=(True,)).start()
    assert changed.args == ["*"]
    assert back.args == [None]


def test_a_retired_desk_says_and_asks_nothing(desk: Desk, clinic: Any, qtbot: Any) -> None:
    clinic.error = SignedOut()
    desk.retire()
    with qtbot.assertNotEmitted(desk.signed_out), qtbot.assertNotEmitted(desk.problem):
        desk.check_session()
        desk.report(SignedOut())
        desk.report(Duplicate("phone", "x"))
    assert clinic.opened == []
