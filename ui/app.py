"""The composition root of the windows: theme, hooks, garbage on the GUI thread, start → sign-in → work → sign-out, and the exit order.

Only what the start window needs is imported with this module, so that it shows in half a second; the model layer is imported by the worker
that opens the clinic, and each later window when it is its turn (docs/packaging.md has the times).

Exit order: windows closed → pool drained (writes finish) → listener stopped → clinic closed → hooks restored.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEventLoop, QObject, QSettings, QTimer, Slot
from PySide6.QtGui import QGuiApplication, QIcon
from PySide6.QtWidgets import QApplication, QWidget

from clinicdesk import __version__
from clinicdesk.paths import resource
from ui.live import Live
from ui.problems import Unexpected, explain
from ui.starting import StartWindow
from ui.tasks import CollectOnGuiThread, Pool
from ui.theme import Mode, Theme
from ui.widgets.focus_ring import FocusRing
from ui.widgets.problem_box import ProblemBox

if TYPE_CHECKING:
    from clinicdesk.services.people import Me
    from clinicdesk.services.settings import ClinicSettings
    from ui.desk import Desk
    from ui.main_window import MainWindow
    from ui.panel import Panel
    from ui.sign_in import DemoAccount

log = logging.getLogger("clinicdesk.ui")
Progress = Callable[[str], None]
PanelsFor = Callable[["Me", "Desk"], "list[Panel]"]


@dataclass(frozen=True, slots=True)
class Services:
    """What the frame of the application asks of the clinic; `services_of` names the real ones, tests pass their own.

    `open_clinic(settings, progress)` and `prepare(clinic, progress)` (the demo's accounts, or none) run on a worker while the start
    window shows progress. The application is given a function that makes them, called by the same worker.
    """

    open_clinic: Callable[[Any, Progress], Any]
    prepare: Callable[[Any, Progress], Sequence[DemoAccount]] = lambda _clinic, _progress: ()
    is_new: Callable[[Any], bool] = lambda _clinic: False
    create_first: Callable[[Any, str, str, str, ClinicSettings], object] = lambda *_: None
    find_patients: Callable[..., Sequence[Any]] | None = None
    count_undelivered: Callable[..., int] | None = None
    lock_minutes: Callable[..., float] | None = None
    backup_alarm: Callable[..., str] | None = None


class Application(QObject):
    """Owns the windows one after another. Call `start` inside the event loop and `close` after it."""

    def __init__(self, app: QApplication, settings: Any, services: Callable[[], Services], *, panels: PanelsFor | None = None) -> None:
        super().__init__()
        self.app, self.settings, self._services_of, self._panels_for = app, settings, services, panels
        self.memory = QSettings(str(settings.data_dir / "window.ini"), QSettings.Format.IniFormat)
        self.theme = Theme(app, mode=_mode(self.memory.value("theme")))
        self.ring = FocusRing(app, self.theme)
        self.pool = Pool()
        self.live = Live()
        self.unexpected = Unexpected()
        self.collector = CollectOnGuiThread()
        self.window: QWidget | None = None
        self.desk: Desk | None = None
        self._working: MainWindow | None = None  # the window, while somebody is signed in
        self._services: Services  # set by the worker that opens the clinic, before any window asks for it
        self._clinics: list[Any] = []
        self._listener: Any = None
        self._accounts: Sequence[DemoAccount] = ()
        self._new = self._fresh = False
        self.unexpected.happened.connect(self._unexpected)

    @property
    def clinic(self) -> Any:
        """The open clinic; None while it starts."""
        return self._clinics[0] if self._clinics else None

    def start(self) -> None:
        """Show what is being done and open the clinic."""
        def open_clinic(progress: Callable[[str], None]) -> Any:
            services = self._services = self._services_of()
            clinic = services.open_clinic(self.settings, progress)
            self._clinics.append(clinic)  # kept here too, so that it is closed when the person gave up waiting
            self._accounts = services.prepare(clinic, progress)
            self._new = services.is_new(clinic)
            return clinic

        window = StartWindow(self.pool, open_clinic)
        window.opened.connect(self._opened)
        window.closed.connect(self.app.quit)
        window.restore_requested.connect(self._restore)
        self._show(window)
        window.start()

    def close(self) -> None:
        """Leave in the right order. Safe to call once, after the event loop ended."""
        self._take_down()
        ended = self._retire()
        if not self.pool.close(seconds=20):  # every write is done before the session it runs under ends
            log.error("a worker is still busy at exit")
        for token in ended:
            self.clinic.sign_out(token)
        if self._listener is not None:
            self._listener.stop()
        for clinic in self._clinics:
            clinic.close()
        self.collector.close()
        self.unexpected.restore()

    @Slot(object)
    def _opened(self, clinic: Any) -> None:
        self._listener = clinic.listen(self.live.on_notice, self.live.on_state)
        if self._new:
            self._first_run()
        else:
            self.sign_in()

    def _first_run(self) -> None:
        from ui.first_run import FirstRunWindow

        clinic, create = self.clinic, self._services.create_first
        window = FirstRunWindow(self.theme, self.pool, partial(create, clinic))
        window.created.connect(self._created)
        window.closed.connect(self.app.quit)
        window.restore_requested.connect(self._restore)
        self._show(window)

    @Slot()
    def _restore(self) -> None:
        from ui.dialogs.restoring import RestoreWizard

        wizard = RestoreWizard(self.theme, self.pool, self.settings, self.window)
        wizard.opened_elsewhere.connect(self.app.quit)
        wizard.open()

    @Slot(str)
    def _created(self, username: str) -> None:
        self._new, self._fresh = False, True
        self.memory.setValue("last_name", username)
        self.sign_in()

    def sign_in(self) -> None:
        """Show the sign-in window."""
        from ui.sign_in import SignInWindow

        accounts = self._accounts
        last = "" if accounts else str(self.memory.value("last_name") or "")
        window = SignInWindow(self.theme, self.pool, self.clinic.sign_in, demo_accounts=accounts, last_name=last,
                              doors=self.clinic)
        window.signed_in.connect(self._signed_in)
        window.closed.connect(self.app.quit)
        self._show(window)

    @Slot(object)
    def _signed_in(self, signed_in: Any) -> None:
        from ui.desk import Desk
        from ui.dialogs.checking import keep_trust
        from ui.main_window import MainWindow
        from ui.panels import panels_for

        services, make_panels = self._services, self._panels_for or panels_for
        me: Me = signed_in.me
        if me.role != "patient":
            self.memory.setValue("last_name", me.username)
        self.desk = Desk(self.clinic, signed_in.token, me, live=self.live, pool=self.pool, theme=self.theme, settings=self.settings,
                         zone=self.clinic.zone, memory=self.memory)
        self.theme.set_mode(_mode(self.desk.recall("theme", self.theme.mode)))
        staff = me.role != "patient"
        window = MainWindow(self.desk, make_panels(me, self.desk), self.clinic,
                            find_patients=services.find_patients if staff else None,
                            count_undelivered=services.count_undelivered if staff else None,
                            lock_minutes=services.lock_minutes,
                            backup_alarm=services.backup_alarm if me.role == "administrator" else None)
        window.sign_out_requested.connect(self._sign_out)
        window.closed.connect(self._closed)
        self._show(window)
        self._working = window
        if self._fresh and me.role == "administrator":
            self._fresh = False
            window.show_topic("keys", None)  # the recovery kit is offered before anything can be lost
        if me.doctor_id is not None:
            keep_trust(self.desk, window)  # papers can be checked on this computer, also when the databases are away

    @Slot()
    def _sign_out(self) -> None:
        self._end_session()
        self.sign_in()

    @Slot()
    def _closed(self) -> None:
        self.app.quit()  # and `close` ends the session

    def _end_session(self) -> None:
        """The window has waited for its writes (`MainWindow.sign_out_requested`)."""
        clinic = self.clinic
        for token in self._retire():
            self.pool.run(self, partial(clinic.sign_out, token), None, lambda _error: None, keep=True)

    def _retire(self) -> list[str]:
        """Nobody works here any more; the token of who did."""
        if self.desk is None:
            return []
        desk, self.desk = self.desk, None
        self.memory.setValue("theme", self.theme.mode)
        desk.retire()
        desk.deleteLater()
        return [desk.token]

    def _show(self, window: QWidget) -> None:
        self._take_down()
        self.window = window
        window.show()
        window.raise_()
        window.activateWindow()

    def _take_down(self) -> None:
        if self.window is not None:
            window, self.window = self.window, None
            if self._working is not None:
                self._working.idle.stop()
                self._working = None
            window.blockSignals(True)  # noqa: FBT003  Qt's signature; the window goes, its signals mean nothing any more
            window.hide()
            window.deleteLater()

    @Slot(object)
    def _unexpected(self, error: Exception) -> None:
        if self._working is not None:
            self._working.show_problem(error)
        elif self.window is not None:
            box = ProblemBox(self.theme, explain(error), self.window)
            box.finished.connect(box.deleteLater)
            box.open()


def _mode(value: object) -> Mode:
    return "light" if value == "light" else "dark" if value == "dark" else "system"


def services_of(*, demo: bool) -> Services:
    """The services of the real clinic. Imports the whole model layer: called on the worker that opens the clinic, not on the GUI thread."""
    from clinicdesk.clinic import Clinic, open_clinic
    from clinicdesk.demo import prepare
    from clinicdesk.services import accounts, backup_proofs, finding, visits
    from clinicdesk.services.settings import change_settings, lock_minutes

    def prepared(clinic: Clinic, progress: Callable[[str], None]) -> Sequence[DemoAccount]:
        return prepare(clinic, lambda what, done, total: progress(f"{what} {done} of {total}")) if demo else ()

    def is_new(clinic: Clinic) -> bool:
        with clinic.database.read() as session:
            return accounts.is_new(session)

    def create_first(clinic: Clinic, username: str, name: str, password: str, wanted: ClinicSettings) -> object:
        with clinic.database.write() as session:
            made = accounts.create_first_administrator(session, username, name, password)
        signed_in = clinic.sign_in(username, password)
        with clinic.write(signed_in.token) as session:
            change_settings(session, wanted)
        clinic.sign_out(signed_in.token)
        return made

    return Services(open_clinic, prepared, is_new, create_first, finding.search, visits.undelivered, lock_minutes, backup_proofs.overdue)


def _application() -> QApplication:
    """The one there is, made on first use."""
    QGuiApplication.setDesktopFileName("clinicdesk")
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("ClinicDesk")
    app.setApplicationVersion(__version__)
    app.setWindowIcon(QIcon(str(resource("icon/clinicdesk-256.png"))))
    return app


def tell(problem: Exception) -> None:
    """Show why the application cannot even begin, and wait until it is read."""
    box = ProblemBox(Theme(_application(), mode="system"), explain(problem))
    read = QEventLoop()
    box.finished.connect(read.quit)
    box.open()
    read.exec()
    box.deleteLater()


def run(settings: Any, *, demo: bool = False, services: Callable[[], Services] | None = None, panels: PanelsFor | None = None) -> int:
    """Run the application until it is left; the exit code. With `demo` the clinic is filled with made-up people first."""
    app = _application()
    app.setQuitOnLastWindowClosed(False)
    application = Application(app, settings, services or partial(services_of, demo=demo), panels=panels)
    if threading.current_thread() is threading.main_thread():  # the collector's timer gives Python a turn each second to notice
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: app.quit())
    QTimer.singleShot(0, application, application.start)
    try:
        return app.exec()
    finally:
        application.close()
