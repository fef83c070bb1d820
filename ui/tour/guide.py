"""Drives the windows and keeps the record: pictures in light and dark, seconds, and the step that failed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QEvent, QEventLoop, QPoint, Qt, QTimer
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid

from ui.sign_in import SignInWindow
from ui.tasks import Pool
from ui.theme import Mode, Theme

W = TypeVar("W", bound=QWidget)
PATIENCE = 20.0  #: seconds a step waits for what it expects


class TourFailed(Exception):
    """A step did not do what it says; the sentence names it."""


@dataclass(slots=True)
class Step:
    """One line of `tour.json`."""

    number: int
    role: str
    step: str
    seconds: float = 0.0
    passed: bool = False
    pictures: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)


class Guide:
    """One tour. `step` wraps each thing done; `picture` grabs a window in both schemes."""

    def __init__(self, app: QApplication, theme: Theme, pool: Pool, out: Path, say: Callable[[str], None]) -> None:
        self.app, self.theme, self.pool, self.out, self._say = app, theme, pool, out, say
        self.steps: list[Step] = []
        self.unexpected: list[Exception] = []  #: what nobody caught, from any slot or thread

    def step(self, role: str, what: str, do: Callable[[], object]) -> None:
        """Do one thing; a failure ends the tour after the record was written."""
        one = Step(len(self.steps) + 1, role, what)
        self.steps.append(one)
        begun = time.monotonic()
        try:
            do()
            self.app.processEvents()  # a failure in a slot is told by a queued signal
            if self.unexpected:
                raise TourFailed(f"nobody caught {self.unexpected[0]!r}")
            one.passed = True
        except Exception as error:
            self._say(f"{one.number:02d} {role}: {what} — FAILED: {error}")
            raise TourFailed(f"Step {one.number}, {role}: {what}: {error}") from error
        finally:
            one.seconds = round(time.monotonic() - begun, 3)
            self.write()
        self._say(f"{one.number:02d} {role}: {what} ({one.seconds:.1f} s)")

    def fact(self, name: str, value: object) -> None:
        """Something measured in this step."""
        self.steps[-1].facts[name] = value

    def write(self) -> None:
        """`tour.json` as far as the tour has come."""
        record = {"passed": all(s.passed for s in self.steps), "steps": [asdict(s) for s in self.steps]}
        (self.out / "tour.json").write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")

    def pdf(self, content: bytes, name: str) -> None:
        """Keep a paper the tour made."""
        path = self.out / f"{self.steps[-1].number:02d}-{name}.pdf"
        path.write_bytes(content)
        self.steps[-1].pictures.append(path.name)

    def picture(self, widget: QWidget, name: str, *, dark: bool = True) -> None:
        """Grab a window (with the dialog over it) in light and, unless told otherwise, in dark."""
        self.settle()
        modes: tuple[Mode, ...] = ("dark", "light") if self.theme.dark else ("light", "dark")
        if not dark:
            modes = ("light",)
        for mode in modes:  # beginning with the one shown: every change of scheme restyles all windows
            self.theme.set_mode(mode)
            self.settle(quick=True)
            path = self.out / f"{self.steps[-1].number:02d}-{name}{'' if mode == 'light' else '-dark'}.png"
            if not _composed(widget).save(str(path)):
                raise TourFailed(f"The picture {path.name} could not be written.")
            self.steps[-1].pictures.append(path.name)

    # Waiting, without sleeping longer than needed

    def until(self, holds: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
        """Run the event loop until something holds; says what did not."""
        deadline = time.monotonic() + patience
        while not holds():
            if time.monotonic() > deadline:
                raise TourFailed(f"{what} did not happen within {patience:.0f} s")
            self.app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)

    def settle(self, *, quick: bool = False) -> None:
        """Until nothing is on its way to the database and the screen is painted."""
        if not quick:
            self.until(lambda: self.pool.busy == 0, "quiet")
        loop = QEventLoop()
        QTimer.singleShot(20 if quick else 80, loop.quit)
        loop.exec()
        if quick:
            for _ in range(3):  # lines that wrap are measured after the style sheet reached them, and laid out after that
                self.app.processEvents()
        else:
            self.until(lambda: self.pool.busy == 0, "quiet")

    def dialog(self, kind: type[W]) -> W:
        """The dialog of a kind that is open now."""
        found: list[W] = []

        def look() -> bool:
            found[:] = [w for w in self.app.topLevelWidgets() if isinstance(w, kind) and w.isVisible()]
            return bool(found)

        self.until(look, f"{kind.__name__} opens")
        found[-1].activateWindow()
        self.settle()
        return found[-1]

    def gone(self, sheet: QWidget, what: str) -> None:
        """Wait until a dialog has closed; it may be deleted by then."""
        self.until(lambda: not isValid(sheet) or not sheet.isVisible(), what)

    # Hands

    def keys(self, widget: QWidget, *keys: str | Qt.Key | tuple[Qt.Key, Qt.KeyboardModifier]) -> None:
        """Type words and press keys into a widget."""
        widget.setFocus()
        for key in keys:
            if isinstance(key, str):
                _type(widget, key)
            elif isinstance(key, tuple):
                QTest.keyClick(widget, key[0], key[1])
            else:
                QTest.keyClick(widget, key)
            self.app.processEvents()

    def fill(self, editor: QWidget, text: str) -> None:
        """Replace what stands in a field by typing."""
        if isinstance(editor, (QLineEdit, QPlainTextEdit)):
            editor.setFocus()
            editor.selectAll()
            QTest.keyClick(editor, Qt.Key.Key_Delete)
            _type(editor, text)
        self.app.processEvents()

    def click(self, widget: QWidget, at: QPoint | None = None, *, double: bool = False) -> None:
        """Click a widget with the mouse."""
        act = QTest.mouseDClick if double else QTest.mouseClick
        act(widget, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, at or widget.rect().center())
        self.app.processEvents()

    def sign_in(self, window: SignInWindow, username: str, password: str) -> None:
        """Type name and password as a person does."""
        self.fill(window.username, username)
        self.fill(window.password, password)
        self.click(window.enter_button)


def _type(widget: QWidget, text: str) -> None:
    """Key by key; QTest knows only ASCII keys, other letters come as an input method sends them."""
    for letter in text:
        if letter.isascii():
            QTest.keyClicks(widget, letter)
        else:
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
                QApplication.sendEvent(widget, QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, letter))


def _composed(widget: QWidget) -> QPixmap:
    """The window with the dialogs above it, as a person sees it; offscreen windows are not composed by any desktop."""
    picture = widget.grab()
    painter = QPainter(picture)
    for other in QApplication.topLevelWidgets():
        parent = other.parentWidget()
        if other is not widget and other.isVisible() and other.isModal() and parent is not None and parent.window() is widget:
            painter.fillRect(picture.rect(), QColor(0, 0, 0, 90))
            painter.drawPixmap(QPoint((widget.width() - other.width()) // 2, (widget.height() - other.height()) // 2), other.grab())
    painter.end()
    return picture
