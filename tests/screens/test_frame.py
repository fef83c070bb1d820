"""The main window: panels, keys, problems in their place, the lock."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from clinicdesk.errors import NotAllowed, SignedOut, SignInRefused, Unavailable
from clinicdesk.services.people import Me
from ui.desk import Desk
from ui.lock import IdleWatch
from ui.main_window import MainWindow
from ui.panel import Action, Panel

ROSA = Me(1, "rosa", "Rosa Lind", "receptionist", None, None)


class Notes(Panel):
    key, title, icon = "notes", "Notes", "note"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.text, self.refreshed, self.shown_patient, self.ran = QPlainTextEdit(), 0, "", 0
        self.text.setAccessibleName("Note")
        QVBoxLayout(self).addWidget(self.text)

    def refresh(self) -> None:
        self.refreshed += 1

    def show_topic(self, topic: str, subject: Any) -> bool:
        self.shown_patient = subject
        return topic == "patient"

    def _run(self) -> None:
        self.ran += 1

    def commands(self) -> list[Action]:
        return [Action("Write a note", self._run, "note", "F7")]

    def first_focus(self) -> QWidget:
        return self.text

    @property
    def unsaved(self) -> str:
        return "The note is not saved." if self.text.toPlainText() else ""


class Numbers(Panel):
    key, title, icon = "numbers", "Numbers", "numbers"


class Gate:
    """The sessions of a fake clinic: the password is `good`."""

    def __init__(self) -> None:
        self.renewed: list[str] = []
        self.alive = True

    def sign_in(self, _username: str, password: str, *, again: str | None = None) -> Any:  # noqa: ARG002
        if password != "good":
            raise SignInRefused(wait=0.02)
        return SimpleNamespace(token="fresh", me=ROSA)

    def note_lock(self, token: str) -> None:
        pass

    def renew(self, token: str) -> bool:
        self.renewed.append(token)
        return self.alive


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def window(desk: Desk, gate: Gate, qtbot: Any) -> Iterator[MainWindow]:
    made = MainWindow(desk, [Numbers(desk), Notes(desk)], gate, find_patients=lambda _s, _t: [], count_undelivered=lambda _s: 2)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    yield made
    made.idle.stop()


def notes(window: MainWindow) -> Notes:
    panel = window.panels[1]
    assert isinstance(panel, Notes)
    return panel


def test_panels_by_key_and_their_own_keys(window: MainWindow, qtbot: Any) -> None:
    assert isinstance(window.panel, Numbers)
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert window.panel is notes(window)
    qtbot.waitUntil(notes(window).text.hasFocus)
    QTest.keyClick(window, Qt.Key.Key_F7)
    QTest.keyClick(window, Qt.Key.Key_F5)
    assert (notes(window).ran, notes(window).refreshed) == (1, 1)
    QTest.keyClick(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(window, Qt.Key.Key_F7)
    assert notes(window).ran == 1, "a panel's keys work only while it is shown"


def test_the_command_bar_lists_everything(window: MainWindow, qtbot: Any) -> None:
    QTest.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    titles = [hit.title for hit in window.find_box.hits.shown]
    own = ["My account", "Check a paper", "Change my password", "Sign out everywhere else", "About ClinicDesk",
           "Undo", "Redo", "What you did", "Notices", "Dark colours",
           "Lock", "Sign out"]
    assert titles == ["Numbers", "Notes", "Write a note", *own]
    assert window.find_box.hasFocus()


def test_show_topic_finds_the_panel(window: MainWindow, desk: Desk) -> None:
    desk.show("patient", "p_k3m9x2")
    assert window.panel is notes(window) and notes(window).shown_patient == "p_k3m9x2"
    assert not window.show_topic("unheard of", None)


def test_problems_have_their_place(window: MainWindow, desk: Desk, clinic: Any, qtbot: Any) -> None:
    desk.report(NotAllowed("Only her doctor may read this."))
    assert "Only her doctor may read this." in window.toasts.sentence
    desk.report(Unavailable("database", "The database does not answer."))
    assert window.connection.isVisible() and "does not answer" in window.connection.words.text()
    assert window.status.state.text() == "Not connected"
    desk.ask(window, lambda _s: 1, done=lambda _r: None)
    assert not window.connection.isVisible() and window.status.state.text() == "Connected"
    desk.report(ZeroDivisionError())
    qtbot.waitUntil(lambda: window._problem is not None and window._problem.isVisible())
    window._problem.accept()
    assert window._problem is None


def test_the_status_line_counts_undelivered_visits(window: MainWindow, qtbot: Any) -> None:
    qtbot.waitUntil(window.status.outbox.isVisible)
    assert window.status.outbox.text() == "2 visits waiting for the visit history"
    window.status.set_undelivered(1)
    assert window.status.outbox.text() == "1 visit waiting for the visit history"
    window.status.set_undelivered(0)
    assert not window.status.outbox.isVisible()


def test_undo_takes_back_what_the_toast_offers(window: MainWindow, desk: Desk) -> None:
    undone: list[int] = []
    desk.tell("Moved to 10:30.", lambda: undone.append(1))
    QTest.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert undone == [1]


def test_the_lock_covers_everything_and_keeps_the_work(window: MainWindow, desk: Desk, qtbot: Any) -> None:
    window.show_panel(1)
    notes(window).text.setPlainText("half a sentence")
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    window.lock()
    lock = window.locked
    assert lock is not None
    assert {cover.parentWidget() for cover in lock._covers} == {window, other}
    assert all(cover.geometry() == cover.parentWidget().rect() for cover in lock._covers)
    window.resize(1100, 700)
    assert lock._covers[0].geometry() == lock._covers[0].parentWidget().rect()
    lock.password.setText("wrong")
    lock.unlock_button.click()
    assert "wrong" in lock.error.text() and window.locked is not None
    QTest.keyClick(lock, Qt.Key.Key_Escape)
    assert lock.isVisible()
    qtbot.waitUntil(lock.unlock_button.isEnabled)
    lock.password.setText("good")
    lock.unlock_button.click()
    assert window.locked is None and desk.token == "fresh"
    assert notes(window).text.toPlainText() == "half a sentence"
    notes(window).text.clear()


def test_an_ended_session_locks_with_a_sentence(window: MainWindow, desk: Desk, clinic: Any, gate: Gate, live: Any, qtbot: Any) -> None:
    clinic.error = SignedOut()
    live.on_notice("sessions")
    qtbot.waitUntil(lambda: window.locked is not None)
    clinic.error = None
    window.locked.password.setText("good")
    window.locked.unlock_button.click()
    assert window.locked is None
    gate.alive = False
    desk.renew(gate.renew)
    assert window.locked is not None


def test_idle_minutes_lock(window: MainWindow, qtbot: Any) -> None:
    watch = IdleWatch(0.0005)
    with qtbot.waitSignal(watch.idled):
        pass
    watch._timer.setInterval(60_000)
    watch._watch(window.windowHandle())
    watch._timer.stop()
    QTest.keyClick(window.windowHandle(), Qt.Key.Key_Shift)
    assert watch._timer.isActive()
    watch.stop()


def test_leaving_unsaved_work_is_asked(window: MainWindow, qtbot: Any) -> None:
    left: list[int] = []
    window.sign_out_requested.connect(lambda: left.append(1))
    notes(window).text.setPlainText("half a sentence")
    window.sign_out()
    assert left == [] and window.leaving.asking is not None and window.leaving.asking.isVisible()
    window.leaving.asking.reject()
    window.close()
    assert window.isVisible()
    window.leaving.asking.verb_button.click()
    assert not window.isVisible()
    notes(window).text.clear()


def test_everything_that_takes_the_focus_has_a_name(window: MainWindow) -> None:
    window.show_panel(1)
    tab = Qt.FocusPolicy.TabFocus
    for widget in window.findChildren(QWidget):
        if widget.focusPolicy() & tab and isinstance(widget, (QAbstractButton, QLineEdit, QPlainTextEdit)):
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, widget


def test_f6_walks_the_panes(window: MainWindow, qtbot: Any) -> None:
    window.show_panel(1)
    qtbot.waitUntil(notes(window).text.hasFocus)
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.find_box.hasFocus()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert window.rail.current().hasFocus()
    QTest.keyClick(window, Qt.Key.Key_F6)
    assert notes(window).text.hasFocus()
