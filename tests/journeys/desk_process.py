"""The real application in a process of its own, with somebody at its keyboard: `python -m tests.journeys.desk_process FOLDER JOB DAY`.

`write` begins (or goes on with) the consultation and types until it is killed, one letter after the other, and says each on standard
output with the moment (`typed N SECONDS`). `finish` says what the recovered note is (`found TEXT`), completes the visit and leaves.
"""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from PySide6.QtCore import QObject, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinicdesk.config import load_settings
from tests.clinics import PASSWORD
from ui import app as application
from ui.main_window import MainWindow
from ui.sign_in import SignInWindow

WORDS = "The cough began a week ago and is worse at night. "


def say(*words: object) -> None:
    print(*words, flush=True)


class Person(QObject):
    """Does one thing after another, each as soon as the window is ready for it."""

    def __init__(self, job: str, day: date, app: QApplication) -> None:
        super().__init__()
        self._app, self._day = app, day
        self._steps = self._write() if job == "write" else self._finish()
        self._waits: Callable[[], object] = lambda: True
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on)
        self._timer.start(30)

    def _on(self) -> None:
        if self._waits():
            try:
                self._waits = next(self._steps)
            except StopIteration:
                self._timer.stop()
                self._app.quit()

    def _window(self, kind: type) -> Any:
        return next((w for w in QApplication.topLevelWidgets() if isinstance(w, kind) and w.isVisible()), None)

    def _room(self) -> Iterator[Callable[[], object]]:
        yield lambda: self._window(SignInWindow)
        self._window(SignInWindow).fill("dora", PASSWORD)
        yield lambda: self._window(MainWindow)
        main = self._window(MainWindow)
        day = main.panels[next(n for n, panel in enumerate(main.panels) if panel.key == "my-day")]
        main.show_panel(main.panels.index(day))
        yield lambda: main.desk.pool.busy == 0
        day.bar.set_day(self._day)
        yield lambda: any(row.patient_name == "Adler, Ana" for row in day.table.rows)
        day.table.select(next(row.id for row in day.table.rows if row.patient_name == "Adler, Ana"))
        day.open_selected()
        self.room = next(panel for panel in main.panels if panel.key == "consulting")
        yield lambda: self.room.editor is not None or (hasattr(self.room, "start_button") and self.room.start_button.isVisible())
        if self.room.editor is None:
            self.room.start_button.click()
        yield lambda: self.room.editor is not None
        editor = self.room.editor
        if editor._undecided:  # what the process before had typed and not saved
            yield lambda: editor.versions is not None and editor.versions.isVisible()
            editor.versions.choose_all("mine")
            editor.versions.verb_button.click()
            yield lambda: not editor._undecided

    def _write(self) -> Iterator[Callable[[], object]]:
        yield from self._room()
        note = self.room.editor.notes.editor("subjective")
        self.room.editor.saved.connect(lambda: say("saved"))
        note.setFocus()
        for number, letter in enumerate(itertools.cycle(WORDS), 1):
            QTest.keyClicks(note, letter)
            say("typed", number, time.monotonic())
            yield lambda: True

    def _finish(self) -> Iterator[Callable[[], object]]:
        yield from self._room()
        yield lambda: self.room.editor.notes.editor("subjective").toPlainText()
        say("found", json.dumps(self.room.editor.notes.editor("subjective").toPlainText()))
        self.room.editor.complete_button.click()
        yield lambda: self.room.editor is None
        say("completed")


def main() -> int:
    app = QApplication(sys.argv[:1])
    person = Person(sys.argv[2], date.fromisoformat(sys.argv[3]), app)
    settings = load_settings(data_dir=sys.argv[1])
    try:
        return application.run(settings)
    finally:
        person.deleteLater()


if __name__ == "__main__":
    sys.exit(main())
