"""One desk of two in a process of its own: a real front desk window, somebody who does many things at random, and a calendar that must end
up like the database. `python -m tests.journeys.two_desks_process ADDRESSES SEED` with the addresses as JSON.

Says `ready`; told `go` it acts and says `done` with what it did and which version each change gave; told `show`, what its calendar shows.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QApplication

from clinicdesk.clinic import Clinic
from clinicdesk.errors import ClinicError
from clinicdesk.services import appointments, finding, undoing, visits
from clinicdesk.services.schedule import AppointmentBlock, NewAppointment
from clinicdesk.storage.addresses import Addresses
from clinicdesk.storage.vault import Vault
from tests.clinics import KEY, PASSWORD, ZONE, test_settings
from ui.desk import Desk
from ui.live import Live
from ui.main_window import MainWindow
from ui.panels import panels_for
from ui.tasks import Pool
from ui.theme import Theme

ACTIONS = 120


class Lines(QObject):
    """Lines of standard input, as a signal on the GUI thread."""

    came = Signal(str)

    def start(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in sys.stdin:
            self.came.emit(line.strip())
        self.came.emit("end")


def act(
    session: Any, dice: random.Random, day: date, doctors: list[int], patients: list[str], rows: Sequence[AppointmentBlock]
) -> list[int]:
    """Book, move, step or take back on what the calendar showed, whatever the other desk has just done; gives the appointment and the
    version that was made of it."""
    start = datetime.combine(day, time(dice.randrange(8, 14), dice.choice((0, 20, 40))), session.zone)
    doctor, choice = dice.choice(doctors), dice.random()
    if choice < 0.35 or not rows:
        return [appointments.book(session, NewAppointment(doctor, dice.choice(patients), start, start + timedelta(minutes=20))), 1]
    if choice < 0.65:
        row = dice.choice(rows)
        end = start + timedelta(minutes=dice.choice((20, 40)))
        version = appointments.move(session, row.id, doctor, start, end, row.version)
        return [row.id, version] if version > row.version else []
    if choice < 0.9:
        row = dice.choice(rows)
        to = dice.choice(("confirmed", "arrived", "cancelled", "scheduled"))
        return [row.id, appointments.step(session, row.id, to, row.version, "did not suit" if to == "cancelled" else "")]
    undoing.undo(session)
    return []


def main() -> int:
    task = json.loads(sys.argv[1])
    dice, day = random.Random(int(sys.argv[2])), date.fromisoformat(task["day"])
    app = QApplication(sys.argv[:1])
    clinic = Clinic(test_settings(Path(task["folder"])), Addresses(**task["addresses"]), vault=Vault(KEY), zone=ZONE)
    signed_in = clinic.sign_in(task["username"], PASSWORD, f"desk {sys.argv[2]}")
    live, pool, theme = Live(), Pool(), Theme(app)
    listener = clinic.listen(live.on_notice, live.on_state)
    desk = Desk(clinic, signed_in.token, signed_in.me, live=live, pool=pool, theme=theme, settings=clinic.settings, zone=clinic.zone)
    window = MainWindow(desk, panels_for(signed_in.me, desk), clinic, find_patients=finding.search, count_undelivered=visits.undelivered)
    window.show()
    front = next(panel for panel in window.panels if panel.key == "front-desk")
    window.show_panel(window.panels.index(front))
    front.bar.set_day(day)
    made: list[list[int]] = []
    refused: list[str] = []

    def one_more() -> None:
        if front.calendar.grid is None:
            QTimer.singleShot(20, window, one_more)
            return
        if len(made) + len(refused) == ACTIONS:
            print("done", json.dumps(made), flush=True)
            return
        shown = front.calendar.grid.schedule.blocks
        desk.do(window, act, dice, day, task["doctors"], task["patients"], shown, done=did, failed=failed)

    def did(change: list[int]) -> None:
        made.append(change)
        QTimer.singleShot(0, window, one_more)

    def failed(error: Exception) -> None:
        if not isinstance(error, ClinicError):
            raise error
        refused.append(error.sentence)
        QTimer.singleShot(0, window, one_more)

    def show() -> None:
        if pool.busy or front._live.stale:
            QTimer.singleShot(20, window, show)
            return
        blocks = sorted(
            [b.id, b.doctor_id, b.starts_at.isoformat(), b.ends_at.isoformat(), b.status, b.version]
            for b in front.calendar.grid.schedule.blocks
        )
        print("shows", json.dumps(blocks), flush=True)

    orders = {"go": one_more, "show": show, "end": app.quit}
    lines = Lines()
    lines.came.connect(lambda line: orders[line]())
    lines.start()
    QTimer.singleShot(0, window, lambda: print("ready", flush=True))
    app.exec()
    desk.retire()
    window.hide()
    pool.close()
    listener.stop()
    clinic.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
