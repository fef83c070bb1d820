"""Sign-in, the first start, the start window, and the order in which everything is left."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel

from clinicdesk.errors import CannotStart, Invalid, SignInRefused
from clinicdesk.services.settings import ClinicSettings
from tests.screens.conftest import FakeClinic
from tests.screens.test_frame import ROSA, Gate, Numbers
from ui.app import Application, Services, tell
from ui.first_run import FirstRunWindow
from ui.main_window import MainWindow
from ui.sign_in import SignInWindow
from ui.starting import StartWindow
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.problem_box import ProblemBox


@pytest.fixture
def inline(qapp: Any) -> Pool:
    return Pool(inline=True)


ACCOUNTS = [SimpleNamespace(role=role, username=role[:4], name=role.capitalize(), password="good") for role in ("doctor", "receptionist")]


def test_sign_in_refuses_with_a_count_down(theme: Theme, inline: Pool, qtbot: Any) -> None:
    def refuse(_u: str, _p: str) -> Any:
        raise SignInRefused("Name or password is wrong. Wait 2 seconds, then try again.", wait=1.2)

    made = SignInWindow(theme, inline, refuse)
    qtbot.addWidget(made)
    made.show()
    made.submit()
    assert "Type your name" in made.error.text()
    QTest.keyClicks(made.username, "rosa")
    QTest.keyClick(made.username, Qt.Key.Key_Return)
    QTest.keyClicks(made.password, "'; drop table users; --")
    QTest.keyClick(made.password, Qt.Key.Key_Return)
    assert made.error.text() == "Name or password is wrong. Try again in 2 s."
    assert not made.enter_button.isEnabled() and made.enter_button.text() == "Wait 2 s"
    assert made.password.text() == "'; drop table users; --"
    made._count_down()
    made._count_down()
    assert made.enter_button.isEnabled() and made.error.text() == "Name or password is wrong."


def test_demo_accounts_are_one_click(theme: Theme, inline: Pool, qtbot: Any) -> None:
    made = SignInWindow(theme, inline, Gate().sign_in, demo_accounts=ACCOUNTS)
    qtbot.addWidget(made)
    with qtbot.waitSignal(made.signed_in) as signed_in:
        made.demo_cards[0].click()
    assert signed_in.args[0].token == "fresh"
    assert made.password.text() == "", "no password stays in the window"


def test_the_first_administrator(theme: Theme, inline: Pool, qtbot: Any) -> None:
    made_accounts: list[tuple[str, str, str]] = []

    def create(username: str, name: str, password: str, clinic: ClinicSettings) -> None:
        if password == "password":
            raise Invalid("password", "That password is on every list of common ones.")
        made_accounts.append((username, name, password))
        assert clinic.name == "Lakeside Clinic"

    made = FirstRunWindow(theme, inline, create)
    qtbot.addWidget(made)
    made.show()
    made.form.set_values({"name": "Ada Lindqvist", "username": "Ada", "password": "password", "again": "passwort"})
    made.submit()
    assert "name" in made.form.error("clinic")
    made.form.set_value("clinic", "Lakeside Clinic")
    made.submit()
    assert "differ" in made.form.error("again")
    made.form.set_value("again", "password")
    made.submit()
    assert "common" in made.form.error("password")
    made.form.set_values({"password": "grey cats sleep late", "again": "grey cats sleep late"})
    with qtbot.waitSignal(made.created):
        made.submit()
    assert made_accounts == [("ada", "Ada Lindqvist", "grey cats sleep late")]


class Opened(FakeClinic):
    """A fake open clinic that notes what happens to it."""

    def __init__(self, order: list[str]) -> None:
        super().__init__()
        self.order, self.zone = order, None

    def sign_in(self, _username: str, _password: str) -> Any:
        return SimpleNamespace(token="t", me=ROSA)

    def sign_out(self, _token: str) -> None:
        self.order.append("signed out")

    def renew(self, _token: str) -> bool:
        return True

    def listen(self, _on_notice: Any, _on_state: Any) -> Any:
        return SimpleNamespace(stop=lambda: self.order.append("listener stopped"))

    def close(self) -> None:
        self.order.append("clinic closed")


def test_start_work_sign_out_and_leave_in_order(qapp: Any, qtbot: Any, tmp_path: Path) -> None:
    order: list[str] = []
    release = threading.Event()

    def slow_write(_session: Any) -> None:
        release.wait(10)
        order.append("written")

    services = Services(lambda _s, progress: (progress("Starting the databases …"), Opened(order))[1],
                        prepare=lambda _c, progress: (progress("Patients 3 of 400"), ACCOUNTS)[1])
    application = Application(qapp, SimpleNamespace(data_dir=tmp_path), lambda: services, panels=lambda _me, desk: [Numbers(desk)])
    try:
        application.start()
        assert isinstance(application.window, StartWindow)
        qtbot.waitUntil(lambda: isinstance(application.window, SignInWindow))
        application.window.demo_cards[0].click()
        qtbot.waitUntil(lambda: isinstance(application.window, MainWindow))
        application.window.sign_out()
        qtbot.waitUntil(lambda: isinstance(application.window, SignInWindow))
        application.window.demo_cards[0].click()
        qtbot.waitUntil(lambda: isinstance(application.window, MainWindow))
        application.desk.do(application.desk, slow_write)
        threading.Timer(0.05, release.set).start()
    finally:
        application.close()
        application.theme.set_mode("light")
    assert order[0] == "signed out"
    assert order[-2:] == ["listener stopped", "clinic closed"]
    assert order.index("written") < order.index("listener stopped")
    assert order.count("signed out") == 2


def test_a_clinic_that_cannot_start_says_why_and_tries_again(qtbot: Any) -> None:
    answers: list[Any] = [CannotStart("folder", "The folder cannot be written.", "Choose another with --data-dir."), "clinic"]

    def open_clinic(_progress: Any) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    window = StartWindow(Pool(inline=True), open_clinic)
    qtbot.addWidget(window)
    window.show()
    window.start()
    assert window.sentence.text() == "The folder cannot be written."
    assert window.advice.text() == "Choose another with --data-dir."
    with qtbot.waitSignal(window.opened) as opened:
        window.again_button.click()
    assert opened.args == ["clinic"]


def test_a_new_clinic_begins_with_its_administrator(qapp: Any, qtbot: Any, tmp_path: Path) -> None:
    order: list[str] = []
    created: list[str] = []
    services = Services(lambda _s, _p: Opened(order), is_new=lambda _c: True, create_first=lambda _c, u, *_: created.append(u))
    application = Application(qapp, SimpleNamespace(data_dir=tmp_path), lambda: services, panels=lambda _me, _desk: [])
    try:
        application.start()
        qtbot.waitUntil(lambda: isinstance(application.window, FirstRunWindow))
        application.window.form.set_values({"clinic": "Lakeside", "name": "Ada", "username": "ada", "password": "x", "again": "x"})
        application.window.submit()
        qtbot.waitUntil(lambda: isinstance(application.window, SignInWindow))
        assert created == ["ada"]
        assert application.window.username.text() == "ada"
    finally:
        application.close()
        application.theme.set_mode("light")


def test_what_keeps_it_from_beginning_is_told_in_a_box(qtbot: Any) -> None:
    """Started from a menu, a sentence on a terminal would be seen by nobody."""
    words: list[str] = []

    def read() -> None:
        box = next(window for window in QApplication.topLevelWidgets() if isinstance(window, ProblemBox) and window.isVisible())
        words.extend(label.text() for label in box.findChildren(QLabel))
        box.accept()

    QTimer.singleShot(50, read)
    tell(CannotStart("data_dir", "The folder /x cannot be used: Permission denied.", "Choose another folder."))
    assert {"The folder /x cannot be used: Permission denied.", "Choose another folder."} <= set(words)


def test_the_start_window_waits_for_no_database_library() -> None:
    """What `ui.app` imports stands between the click and the first window (docs/packaging.md)."""
    code = "import sys, clinicdesk.cli, clinicdesk.config, ui.app; print(*sorted(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"sqlalchemy", "pymongo", "reportlab", "clinicdesk.clinic", "ui.main_window"}.isdisjoint(said.stdout.split())
