"""What happens on the screen: a day painted, another desk repainted. Real windows, offscreen where there is no display."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from datetime import time as clock

from PySide6.QtCore import QEvent, QEventLoop, QObject, QSize
from PySide6.QtWidgets import QApplication

from benchmarks import axes, calendars
from benchmarks.filling import PASSWORD, Filled
from benchmarks.floors import Floors
from benchmarks.measuring import Result, beside, summary
from clinicdesk.clinic import Clinic
from clinicdesk.services import appointments
from clinicdesk.services.schedule import NewAppointment
from ui.desk import Desk
from ui.live import Live
from ui.panels.front_desk import FrontDeskPanel
from ui.schedule.view import DayCalendar
from ui.tasks import Pool
from ui.theme import Theme

_PATIENCE = 20.0


class _Painted(QObject):
    """Notes that a calendar was painted since it was asked last."""

    def __init__(self, calendar: DayCalendar) -> None:
        super().__init__(calendar)
        self._calendar, self.shown = calendar, False
        self.wanted = 0
        calendar.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        grid = self._calendar.grid
        if event.type() == QEvent.Type.Paint and grid is not None and self.wanted in grid.by_id:
            self.shown = True
        return False


def measure(clinic: Clinic, filled: Filled, floors: Floors, rounds: int) -> Iterator[Result]:
    """The lines of the screen."""
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    signed_in = clinic.sign_in("rita", PASSWORD, "bench screen")
    other = clinic.sign_in("rita", PASSWORD, "bench other desk").token
    pool, live, theme = Pool(), Live(), Theme(app, mode="light")
    desk = Desk(clinic, signed_in.token, signed_in.me, live=live, pool=pool, theme=theme, settings=clinic.settings, zone=clinic.zone)
    listener = clinic.listen(live.on_notice, live.on_state)
    panel = FrontDeskPanel(desk)
    try:
        panel.resize(QSize(1280, 800))
        panel.show()
        _until(app, lambda: panel.schedule is not None and pool.busy == 0, "the day is shown")
        yield _day_painted(clinic, filled, panel.calendar, signed_in.token, max(3, rounds // 4))
        yield _other_desk(app, clinic, filled, floors, panel, other, max(3, rounds // 4))
        yield from calendars.measure(app, theme, max(3, rounds // 4))
        yield from axes.measure(app, theme, max(3, rounds // 4))
    finally:
        panel.hide()
        listener.stop()
        desk.retire()
        pool.close()
        panel.deleteLater()
        desk.deleteLater()
        live.deleteLater()
        app.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def _day_painted(clinic: Clinic, filled: Filled, calendar: DayCalendar, token: str, rounds: int) -> Result:
    with clinic.read(token) as session:
        known = appointments.day(session, filled.today)

    def ours(_n: int) -> None:
        with clinic.read(token) as session:
            schedule = appointments.day(session, filled.today)
        calendar.show_schedule(schedule)
        calendar.viewport().repaint()

    def paint(_n: int) -> None:
        calendar.show_schedule(known)
        calendar.viewport().repaint()

    return beside(f"A day of {len(known.columns)} doctors read and painted", ours, paint, rounds, limit=100, note="floor: painting alone")


def _other_desk(app: QApplication, clinic: Clinic, filled: Filled, floors: Floors, panel: FrontDeskPanel, token: str,
                rounds: int) -> Result:
    """From the commit's return at one desk to the paint event at the other; the window shows the full day of every doctor."""
    seen = _Painted(panel.calendar)
    times = []
    for n in range(rounds + 1):
        start = datetime.combine(filled.today, clock(19), tzinfo=clinic.zone) + timedelta(minutes=20 * (n % 6))
        end, doctor, who = start + timedelta(minutes=20), filled.doctors[n % 50], filled.readable[n % len(filled.readable)]
        with clinic.write(token) as session:
            lane = appointments.free_lane(session, doctor, start, end)
            seen.shown = False
            seen.wanted = appointments.book(session, NewAppointment(doctor, who, start, end, "Check", lane, "measured"))
        begun = time.perf_counter()
        _until(app, lambda: seen.shown, "the other desk shows the booking")
        times.append((time.perf_counter() - begun) * 1000)
        floors.unbook([seen.wanted])
    return summary("Commit at one desk to painted at another", times[1:], limit=300)


def _until(app: QApplication, holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {_PATIENCE:.0f} s")
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
