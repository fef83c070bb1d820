"""Real windows of several people on one real clinic, each with its own listener, pool and desk, as at the desks of a clinic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid

from clinicdesk.clinic import SignedIn
from clinicdesk.services import finding, visits
from tests.clinics import PASSWORD, Practice
from ui.desk import Desk
from ui.live import Live
from ui.main_window import MainWindow
from ui.panels import panels_for
from ui.problems import Unexpected
from ui.tasks import CollectOnGuiThread, Pool
from ui.theme import Theme

W = TypeVar("W", bound=QWidget)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Office:
    """Opens windows and has hands: click, type, wait."""

    def __init__(self, practice: Practice, theme: Theme, qtbot: Any) -> None:
        self.practice, self.theme, self.qtbot = practice, theme, qtbot
        self.windows: list[MainWindow] = []
        self._ends: list[Callable[[], object]] = []

    def open(self, username: str, **more: Any) -> MainWindow:
        """Somebody signs in and her window opens, with a session, a listener and a pool of its own."""
        return self.window_of(self.practice.clinic.sign_in(username, PASSWORD, f"desk of {username}"), **more)

    def window_of(self, signed_in: SignedIn, **more: Any) -> MainWindow:
        """The window of somebody who is signed in already."""
        clinic = self.practice.clinic
        live, pool = Live(coalesce_ms=5), Pool()
        listener = clinic.listen(live.on_notice, live.on_state)
        self._ends.append(listener.stop)
        desk = Desk(clinic, signed_in.token, signed_in.me, live=live, pool=pool, theme=self.theme, settings=clinic.settings,
                    zone=clinic.zone)
        self._ends.append(pool.close)
        window = MainWindow(desk, panels_for(signed_in.me, desk), clinic, find_patients=finding.search,
                            count_undelivered=visits.undelivered, **more)
        window.resize(QSize(1280, 800))
        window.show()
        self.windows.append(window)
        self.front(window)
        self.settle()
        return window

    def front(self, window: QWidget) -> None:
        """Bring a window to the front, so that it gets the keys."""
        window.raise_()
        window.activateWindow()
        self.until(lambda: QApplication.activeWindow() is window)

    def panel(self, window: MainWindow, key: str) -> Any:
        """Show a panel by the rail and wait until it has read."""
        number = next(n for n, panel in enumerate(window.panels) if panel.key == key)
        window.show_panel(number)
        self.settle()
        return window.panels[number]

    def until(self, holds: Callable[[], object], what: str = "", *, patience: float = 10.0) -> None:
        """Wait for a condition; fails after `patience` seconds."""
        try:
            self.qtbot.waitUntil(lambda: bool(holds()), timeout=round(patience * 1000))
        except Exception as error:
            raise AssertionError(what or "did not happen") from error

    def settle(self) -> None:
        """Until nothing is on its way to the database, and every zero-length timer has run."""
        def quiet() -> bool:
            QApplication.processEvents()
            QApplication.processEvents()
            return all(window.desk.pool.busy == 0 for window in self.windows)

        self.until(quiet, "quiet")
        QApplication.processEvents()
        self.until(quiet, "quiet")

    def click(self, widget: QWidget, at: QPoint | None = None, *, double: bool = False) -> None:
        """Click with the mouse; a widget nobody can press fails."""
        assert widget.isVisible() and widget.isEnabled(), f"{widget} cannot be pressed"
        (QTest.mouseDClick if double else QTest.mouseClick)(widget, LEFT, NONE, at or widget.rect().center())
        QApplication.processEvents()

    def fill(self, editor: QWidget, text: str) -> None:
        """Replace what stands in a field by typing."""
        assert isinstance(editor, (QLineEdit, QPlainTextEdit))
        editor.setFocus()
        editor.selectAll()
        QTest.keyClick(editor, Qt.Key.Key_Delete)
        QTest.keyClicks(editor, text)

    def keys(self, *keys: str | Qt.Key) -> None:
        """Type into whatever has the focus."""
        for key in keys:
            target = QApplication.focusWidget()
            assert target is not None, f"nothing has the focus for {key}"
            (QTest.keyClicks if isinstance(key, str) else QTest.keyClick)(target, key)
            QApplication.processEvents()

    def sheet(self, kind: type[W]) -> W:
        """The open dialog of a kind, in front."""
        found: list[W] = []

        def look() -> bool:
            found[:] = [w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
            return bool(found)

        self.until(look, f"{kind.__name__} opens")
        self.front(found[-1])
        self.settle()
        return found[-1]

    def gone(self, sheet: QWidget, *, patience: float = 10.0) -> None:
        """Wait until a dialog has closed; the window below it has the keys again."""
        parent = sheet.parentWidget() if isValid(sheet) else None
        self.until(lambda: not isValid(sheet) or not sheet.isVisible(), f"{type(sheet).__name__} closes",
                   patience=patience)
        if parent is not None:
            parent.window().activateWindow()
        self.settle()

    def close(self) -> None:
        """Dialogs and windows, then pools, then listeners."""
        for widget in QApplication.topLevelWidgets():
            if widget.parentWidget() in self.windows:
                widget.hide()
        for window in self.windows:
            window.idle.stop()
            window.blockSignals(True)
            window.hide()
            window.desk.retire()
        for end in reversed(self._ends):
            end()
        for window in self.windows:
            window.deleteLater()
        QApplication.sendPostedEvents(None, 0)
        QApplication.processEvents()


@pytest.fixture
def office(practice: Practice, theme: Theme, qtbot: Any) -> Iterator[Office]:
    """The desks of one clinic. An unexpected failure in a slot fails the test; garbage is collected on the GUI thread alone."""
    unexpected, collector = Unexpected(), CollectOnGuiThread()
    happened: list[Exception] = []
    unexpected.happened.connect(happened.append)
    QApplication.setQuitOnLastWindowClosed(False)  # as the application does: else Qt may close the next test's windows
    made = Office(practice, theme, qtbot)
    try:
        yield made
    finally:
        made.close()
        collector.close()
        unexpected.restore()
    assert not happened, happened
