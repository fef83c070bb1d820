"""Open the demo clinic and walk through it: reception, doctor, document server away and back, administrator."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from clinicdesk import demo
from clinicdesk.clinic import open_clinic
from clinicdesk.config import Settings
from clinicdesk.demo.days import Progress
from clinicdesk.services import backup_proofs, finding, visits
from ui.desk import Desk
from ui.live import Live
from ui.main_window import MainWindow
from ui.panels import panels_for
from ui.problems import Unexpected
from ui.sign_in import SignInWindow
from ui.tasks import Pool
from ui.theme import Theme
from ui.tour import (
    administrator,
    backups,
    calendar,
    consulting_room,
    content,
    desk,
    doctor,
    drafts,
    files,
    history,
    keys,
    money,
    papers,
    reception,
    register,
    signing_in,
    therapy,
    walls,
)
from ui.tour.guide import Guide, TourFailed


class Walk:
    """What the steps share: the open clinic, the accounts, the windows by user name, and what was found on the way."""

    def __init__(self, guide: Guide, clinic: Any, accounts: dict[str, demo.DemoAccount], live: Live) -> None:
        self.guide, self.clinic, self.accounts, self.live = guide, clinic, accounts, live
        self.windows: dict[str, MainWindow] = {}
        self.found: dict[str, Any] = {}
        self.changes: list[str] = []
        live.changed.connect(self.changes.append)

    def sign_in(self, username: str) -> MainWindow:
        """Through the real sign-in window, by typing."""
        guide, account = self.guide, self.accounts[username]
        window = SignInWindow(guide.theme, guide.pool, self.clinic.sign_in, demo_accounts=tuple(self.accounts.values()))
        answers: list[Any] = []
        window.signed_in.connect(answers.append)
        window.show()
        guide.settle()
        guide.picture(window, f"sign-in-{username}")
        guide.sign_in(window, username, account.password)
        guide.until(lambda: answers, f"{username} is signed in")
        window.close()
        window.deleteLater()
        main = self.windows[username] = self._window(answers[0])
        return main

    def second_desk(self, username: str) -> str:
        """The same person signed in at another desk; under which name its window is kept."""
        name = f"{username}, second desk"
        self.windows[name] = self._window(self.clinic.sign_in(username, self.accounts[username].password, name))
        return name

    def _window(self, signed_in: Any) -> MainWindow:
        guide = self.guide
        desk = Desk(
            self.clinic,
            signed_in.token,
            signed_in.me,
            live=self.live,
            pool=guide.pool,
            theme=guide.theme,
            settings=self.clinic.settings,
            zone=self.clinic.zone,
        )
        main = MainWindow(
            desk, panels_for(signed_in.me, desk), self.clinic, find_patients=finding.search, count_undelivered=visits.undelivered,
            backup_alarm=backup_proofs.overdue if signed_in.me.role == "administrator" else None,
        )
        main.resize(1280, 800)
        main.show()
        main.activateWindow()
        guide.settle()
        return main

    def panel(self, username: str, key: str) -> Any:
        """Show a panel of somebody's window and give it back."""
        window = self.windows[username]
        number = next(n for n, panel in enumerate(window.panels) if panel.key == key)
        window.activateWindow()
        window.show_panel(number)
        self.guide.settle()
        return window.panels[number]

    def close(self) -> None:
        """Take every window down."""
        for name in list(self.windows):
            self.leave(name)

    def leave(self, name: str) -> None:
        """Take one window down."""
        window = self.windows.pop(name)
        window.idle.stop()
        window.desk.retire()
        window.blockSignals(True)  # noqa: FBT003  Qt's signature
        window.hide()
        window.deleteLater()


def run(settings: Settings, out: Path, say: Callable[[str], None] = print) -> int:
    """Walk the tour on a fresh demo clinic in a folder of its own; 0 when every step passed, 1 else. Writes pictures and tour.json."""
    out.mkdir(parents=True, exist_ok=True)
    for old in (*out.glob("[0-9][0-9]-*.png"), *out.glob("[0-9][0-9]-*.pdf"), out / "tour.json"):
        old.unlink(missing_ok=True)
    QGuiApplication.setDesktopFileName("clinicdesk")
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    with tempfile.TemporaryDirectory(prefix="clinicdesk tour ", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        clinic = open_clinic(settings.model_copy(update={"data_dir": Path(folder) / "clinic"}), say)
        try:
            accounts = {a.username: a for a in demo.prepare(clinic, _counted(say))}
            return _walk(app, clinic, accounts, out, say)
        finally:
            clinic.close()


def _walk(app: QApplication, clinic: Any, accounts: dict[str, demo.DemoAccount], out: Path, say: Callable[[str], None]) -> int:
    pool, live = Pool(), Live()
    guide = Guide(app, Theme(app, mode="light"), pool, out, say)
    listener = clinic.listen(live.on_notice, live.on_state)
    walk = Walk(guide, clinic, accounts, live)
    unexpected = Unexpected()
    unexpected.happened.connect(guide.unexpected.append)
    try:
        reception.walk(walk)
        calendar.walk(walk)
        register.walk(walk)
        doctor.walk(walk)
        therapy.walk(walk)
        files.walk(walk)
        consulting_room.walk(walk)
        drafts.walk(walk)
        history.walk(walk)
        desk.walk(walk)
        money.walk(walk)
        administrator.walk(walk)
        backups.walk(walk)
        content.walk(walk)
        walls.walk(walk)
        keys.walk(walk)
        papers.walk(walk)
        signing_in.walk(walk)
        administrator.leave(walk)
        say(f"{len(guide.steps)} steps passed. Pictures, papers and tour.json are in {out}.")
    except TourFailed as failure:
        say(f"The tour failed. {failure}")
        return 1
    finally:
        walk.close()
        pool.close()
        listener.stop()
        unexpected.restore()
    return 0


def _counted(say: Callable[[str], None]) -> Progress:
    told: set[str] = set()

    def progress(what: str, _done: int, total: int) -> None:
        if what not in told:
            told.add(what)
            say(f"Filling the demo clinic: {what.lower()} ({total}) …")

    return progress
