"""The real consulting room with somebody typing, in a process that is going to be killed: forked off one that has everything loaded.

`python -m tests.reliability.editor_process` reads one JSON job per line ({"folder", "addresses", "appointment", "log"}) and forks for
each; the child opens the room, chooses "all mine" when a crash left something to decide, and types until it is killed, noting each state
with its moment in the log: `LETTERS WEIGHT SECONDS`. It says `child PID`, and `gone STATUS` when the child has ended.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from clinicdesk.clinic import Clinic
from clinicdesk.config import load_settings
from clinicdesk.services import appointments
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.vault import Vault
from tests.clinics import KEY, PASSWORD, ZONE
from tests.reliability.forking import fork_for_each_line
from ui.desk import Desk
from ui.dialogs.two_versions import TwoVersionsSheet
from ui.live import Live
from ui.panels.consulting import ConsultingPanel
from ui.tasks import Pool
from ui.theme import Theme

WORDS = "The cough began a week ago and is worse at night. "
#: A letter every so many milliseconds: a very fast typist.
LETTER_MS = 12


def steps(room: Any, row: Any, log: int) -> Iterator[Callable[[], object]]:
    """What is done, each as soon as the condition yielded before holds."""
    room.open(row)
    yield lambda: room.editor is not None
    editor = room.editor
    if editor._undecided:
        yield lambda: editor.versions is not None and editor.versions.isVisible()
        sheet: TwoVersionsSheet = editor.versions
        sheet.choose_all("mine")
        sheet.verb_button.click()
        yield lambda: editor._area.isEnabled() and not editor._undecided
    note, weight = editor.notes.editor("subjective"), editor.vitals.editor("weight")
    note.moveCursor(QTextCursor.MoveOperation.End)
    begun = len(note.toPlainText())
    os.write(log, f"{begun} 0 {time.monotonic()}\n".encode())
    for number, letter in enumerate(itertools.islice(itertools.cycle(WORDS), begun, None), begun + 1):
        QTest.keyClicks(note, letter)
        kilograms = 40 + number % 100
        if number % 10 == 0:
            weight.selectAll()
            QTest.keyClicks(weight, str(kilograms))
        os.write(log, f"{number} {kilograms if number % 10 == 0 else 0} {time.monotonic()}\n".encode())
        yield lambda: True


def person(job: dict[str, Any]) -> None:
    """Sit down, type, never stop."""
    app = QApplication(["editor"])
    clinic = Clinic(load_settings(data_dir=Path(job["folder"]), zone=ZONE), Addresses(**job["addresses"]), vault=Vault(KEY), zone=ZONE)
    signed_in = clinic.sign_in("dora", PASSWORD, "a desk that will fall")
    desk = Desk(clinic, signed_in.token, signed_in.me, live=Live(), pool=Pool(), theme=Theme(app, mode="light"), settings=clinic.settings,
                zone=clinic.zone)
    room = ConsultingPanel(desk)
    room.resize(1100, 700)
    room.show()
    with clinic.read(signed_in.token) as session:
        row = appointments.one(session, job["appointment"])
    doing = steps(room, row, os.open(job["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    waits: list[Callable[[], object]] = [lambda: True]

    def on() -> None:
        if waits[0]():
            waits[0] = next(doing)

    timer = QTimer()
    timer.timeout.connect(on)
    timer.start(LETTER_MS)
    app.exec()


if __name__ == "__main__":
    fork_for_each_line(person)
