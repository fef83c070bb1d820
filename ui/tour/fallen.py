"""A second ClinicDesk on the same folder, with a doctor typing, for the tour to kill: `clinicdesk tour-fallen`.

Reads one line of JSON from standard input ({"folder", "username", "password", "appointment", "words"}), opens the consultation, types the
words and says `typed` when they are in the draft journal of this computer. Then it waits for its end.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinicdesk.clinic import open_clinic
from clinicdesk.config import load_settings
from clinicdesk.services import appointments
from ui.desk import Desk
from ui.live import Live
from ui.panels.consulting import ConsultingPanel
from ui.tasks import Pool
from ui.theme import Theme


def _steps(room: ConsultingPanel, row: Any, words: str) -> Iterator[Callable[[], object]]:
    """What is done, each as soon as the condition yielded before holds."""
    room.open(row)
    yield lambda: room.editor is not None
    editor = room.editor
    if editor is None:
        return
    editor.save = lambda: None  # type: ignore[method-assign]  # its network is gone: only this computer has what is typed
    note = editor.notes.editor("objective")
    note.setFocus()
    QTest.keyClicks(note, words)
    editor._journal.flush()  # noqa: SLF001
    print("typed", flush=True)
    yield lambda: False


def main() -> int:
    """Open, type, wait to be killed."""
    job = json.loads(sys.stdin.readline())
    app = QApplication(["fallen"])
    clinic = open_clinic(load_settings(data_dir=Path(job["folder"])), worker=False)
    signed_in = clinic.sign_in(job["username"], job["password"], "a desk that will fall")
    desk = Desk(clinic, signed_in.token, signed_in.me, live=Live(), pool=Pool(), theme=Theme(app, mode="light"), settings=clinic.settings,
                zone=clinic.zone)
    room = ConsultingPanel(desk)
    room.resize(1100, 700)
    room.show()
    with clinic.read(signed_in.token) as session:
        row = appointments.one(session, job["appointment"])
    doing = _steps(room, row, job["words"])
    waits: list[Callable[[], object]] = [lambda: True]

    def on() -> None:
        if waits[0]():
            waits[0] = next(doing)

    timer = QTimer()
    timer.timeout.connect(on)
    timer.start(20)
    return app.exec()
