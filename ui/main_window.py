"""The frame: rail at the left, top bar with the find box, connection banner, the panel, status line.

It knows panels only as `Panel`, shows what the desk reports, and locks. Everything has a key, shown in its tool tip.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QHideEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from clinicdesk.errors import Unavailable
from clinicdesk.rules.steps import PATIENT
from ui.account import Account
from ui.backup_alarm import BackupAlarm
from ui.bell import Bell
from ui.command_bar import CommandBar
from ui.desk import Desk
from ui.leaving import Leaving
from ui.live import concerns
from ui.lock import IDLE_MINUTES, IdleWatch, LockScreen, Sessions
from ui.panel import Action, Panel
from ui.problems import Kind, explain
from ui.rail import Rail
from ui.status_line import ConnectionBanner, StatusLine
from ui.undo_history import UndoList, do_again, take_back
from ui.widgets.empty import EmptyState
from ui.widgets.problem_box import ProblemBox
from ui.widgets.text import icon_button
from ui.widgets.toast import Toasts


class MainWindow(QMainWindow):
    """One signed-in person's window. Signals: `sign_out_requested()`, `closed()`.

    `find_patients(session, text)` gives the hits of the find box (None: no patients for this role); `count_undelivered(session)` the
    number in the status line; `lock_minutes(session, role)` the idle minutes of this role, read again when the settings change;
    `backup_alarm(session)` the sentence of the red banner, or "".
    """

    sign_out_requested = Signal()
    closed = Signal()

    def __init__(self, desk: Desk, panels: Sequence[Panel], sessions: Sessions, *,
                 find_patients: Callable[..., Sequence[Any]] | None = None, count_undelivered: Callable[..., int] | None = None,
                 lock_minutes: Callable[..., float] | None = None, backup_alarm: Callable[..., str] | None = None) -> None:
        super().__init__()
        self.desk, self.panels, self._sessions = desk, list(panels), sessions
        self._lock: LockScreen | None = None
        self._problem: ProblemBox | None = None
        self._undo_list: UndoList | None = None
        self._leaving = False
        self._keys: list[QAction] = []
        self._focused: set[Panel] = set()
        self.setWindowTitle(f"ClinicDesk – {desk.me.name}")
        self.setMinimumSize(QSize(960, 600))
        self.stack = QStackedWidget()
        for panel in panels:
            self.stack.addWidget(panel)
        if not panels:
            self.stack.addWidget(EmptyState(desk.theme, self.tr("There is nothing for this role yet."), icon="home"))
        self.rail = Rail(desk.theme, [(panel.title, panel.icon) for panel in panels])
        self.find_box = CommandBar(desk, find_patients, self.all_commands)
        self.connection = ConnectionBanner(desk.theme)
        self.alarm = BackupAlarm(desk, backup_alarm)
        self.status = StatusLine(desk, count_undelivered)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        for widget in (self._top(), self.connection, self.alarm, self.stack, self.status):
            right.addWidget(widget, 1 if widget is self.stack else 0)
        frame = QWidget()
        layout = QHBoxLayout(frame)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.rail)
        layout.addLayout(right, 1)
        self.setCentralWidget(frame)
        self.toasts = Toasts(self, desk.theme)
        self.leaving = Leaving(desk, self, self.panels, self.toasts)
        self.idle = IdleWatch(IDLE_MINUTES.get(desk.me.role, 10), self)
        self._lock_minutes = lock_minutes
        self._read_minutes()
        self._connect(find_patients is not None)
        self.resize(QSize(1280, 800))
        self.restoreGeometry(desk.recall("window", QByteArray()))
        self.show_panel(0)

    @property
    def panel(self) -> Panel | None:
        """The panel being shown."""
        shown = self.stack.currentWidget()
        return shown if isinstance(shown, Panel) else None

    def show_panel(self, number: int) -> None:
        """Show the panel with this place on the rail (from 0)."""
        if not 0 <= number < len(self.panels):
            return
        panel = self.panels[number]
        self.stack.setCurrentWidget(panel)
        self.rail.mark(number)
        self.alarm.rest(resting=panel.key == "backups")  # that panel says it itself
        for key in self._keys:
            self.removeAction(key)
            key.deleteLater()
        self._keys = [self._key(action.shortcut, action.run) for action in panel.commands() if action.shortcut]
        if panel not in self._focused:
            self._focused.add(panel)
            if (focus := panel.first_focus()) is not None:
                focus.setFocus()

    def show_topic(self, topic: str, subject: Any) -> bool:
        """Let the first panel that can show a thing show it; the shown panel is asked first."""
        here = self.panel
        ordered = [panel for panel in self.panels if panel is here] + [panel for panel in self.panels if panel is not here]
        for panel in ordered:
            if panel.show_topic(topic, subject):
                self.show_panel(self.panels.index(panel))
                return True
        return False

    def all_commands(self) -> list[Action]:
        """What the command bar lists: the shown panel's actions, the panels, the other panels' actions, the window's own."""
        here = self.panel
        places = [Action(panel.title, lambda n=n: self.show_panel(n), panel.icon, f"Alt+{n + 1}")  # type: ignore[misc]
                  for n, panel in enumerate(self.panels)]
        others = [action for panel in self.panels if panel is not here for action in panel.commands()]
        scheme = self.tr("Light colours") if self.desk.theme.dark else self.tr("Dark colours")
        taken = [Action(self.tr("Undo"), self.undo, "undo", "Ctrl+Z"), Action(self.tr("Redo"), self.redo, "redo", "Ctrl+Y"),
                 Action(self.tr("What you did"), self.show_undo_list, "history", "Ctrl+Alt+Z")] if self._remembers else []
        own = [*taken, Action(self.tr("Notices"), self.bell.open_list, "bell", "Ctrl+B"),
               Action(scheme, self.toggle_theme, "light" if self.desk.theme.dark else "dark"),
               Action(self.tr("Lock"), self.lock, "lock", "Ctrl+L"), Action(self.tr("Sign out"), self.sign_out, "sign_out")]
        return [*(here.commands() if here else ()), *places, *others, *self.account.commands(), *own]

    @Slot()
    def lock(self, sentence: str = "") -> None:
        """Cover everything and ask for the password; the work stays. A patient's window is wiped instead: the kiosk is the next one's.

        Does nothing when locked already.
        """
        if self.desk.me.role == PATIENT:
            self.sign_out_requested.emit()
        elif self._lock is None:
            token, sessions = self.desk.token, self._sessions
            self.desk.pool.run(self, lambda: sessions.note_lock(token), None, lambda _error: None, keep=True)
            self._lock = LockScreen(self.desk, self, lambda name, password: sessions.sign_in(name, password, again=token),
                                    sentence=sentence, doors=sessions)
            self.toasts.hold()
            self._lock.unlocked.connect(self._unlocked)
            self._lock.sign_out_requested.connect(self._out_of_lock)
            self._lock.open()

    @property
    def locked(self) -> LockScreen | None:
        """The lock, while it is closed."""
        return self._lock

    def toggle_theme(self) -> None:
        """Light to dark or back, remembered for this person."""
        self.desk.remember("theme", self.desk.theme.toggle())

    def sign_out(self) -> None:
        """End the session, once what was saved last is on the server; when there is unsaved work, ask first with the verb on the button."""
        self.leaving.leave(self.sign_out_requested.emit)

    def undo(self) -> bool:
        """Take back what the visible toast offers to, else the newest thing this person did here; False when there is no such list."""
        if self.toasts.undo():
            return True
        if self._remembers:
            take_back(self.desk)
        return self._remembers

    def redo(self) -> None:
        """Do again what was taken back last."""
        if self._remembers:
            do_again(self.desk)

    def show_undo_list(self) -> None:
        """What can be taken back, as a list."""
        self._undo_list = UndoList(self.desk, self)
        self._undo_list.open()

    @property
    def _remembers(self) -> bool:
        return self.desk.me.role != PATIENT

    def _top(self) -> QFrame:
        theme = self.desk.theme
        top = QFrame()
        top.setObjectName("top")
        self.find_box.setMaximumWidth(460)
        self.who = QToolButton()
        self.who.setText(self.desk.me.name)
        self.who.setIcon(theme.icon("person"))
        self.who.setIconSize(QSize(22, 22))
        self.who.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.who.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.who.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.who.setAccessibleName(self.tr("Signed in: {0}, {1}").format(self.desk.me.name, self.desk.me.role))
        menu = QMenu(self.who)
        head = menu.addAction(f"{self.desk.me.username} · {self.desk.me.role.capitalize()}")
        head.setEnabled(False)
        menu.addSeparator()
        self.account = Account(self.desk, self._sessions, self)
        self.account.renamed.connect(self._renamed)
        for action in self.account.commands():
            menu.addAction(theme.icon(action.icon), action.title, action.run)
        menu.addSeparator()
        menu.addAction(theme.icon("sign_out"), self.tr("Sign out"), self.sign_out)
        self.who.setMenu(menu)
        self._scheme = icon_button(theme, "dark", self.tr("Light or dark colours"), self.toggle_theme)
        self.lock_button = icon_button(theme, "lock", self.tr("Lock"), self.lock, shortcut="Ctrl+L")
        self.lock_button.setVisible(self.desk.me.role != PATIENT)
        layout = QHBoxLayout(top)
        layout.setContentsMargins(16, 8, 12, 8)
        layout.setSpacing(4)
        layout.addWidget(self.find_box, 3)
        layout.addStretch(2)
        self.undo_button = icon_button(theme, "history", self.tr("What you did, and undo"), self.show_undo_list, shortcut="Ctrl+Alt+Z")
        self.undo_button.setVisible(self._remembers)
        self.bell = Bell(self.desk)
        for widget in (self.undo_button, self.bell, self._scheme, self.lock_button, self.who):
            layout.addWidget(widget)
        return top

    @Slot()
    def _renamed(self) -> None:
        self.who.setText(self.desk.me.name)
        self.setWindowTitle(f"ClinicDesk – {self.desk.me.name}")

    def _connect(self, patients: bool) -> None:  # noqa: FBT001  whether this role finds patients
        desk = self.desk
        self.rail.chosen.connect(self.show_panel)
        desk.problem.connect(self.show_problem)
        desk.unavailable.connect(self._unavailable)
        desk.signed_out.connect(self._session_ended)
        desk.told.connect(self._tell)
        desk.wanted.connect(self.show_topic)
        self.connection.retry_requested.connect(self.refresh)
        desk.live.changed.connect(self._changed)
        self.idle.idled.connect(self.lock)
        self.idle.lock_pressed.connect(self.lock)
        self.idle.used.connect(self._used)
        self.find_box.patient_chosen.connect(lambda row: self.show_topic("patient", row.id))
        if patients:
            QShortcut(QKeySequence("F2"), self, self._find)
        QShortcut(QKeySequence("Ctrl+K"), self, self.find_box.open_commands)
        QShortcut(QKeySequence("Ctrl+B"), self, self.bell.open_list)
        QShortcut(QKeySequence("F5"), self, self.refresh)
        QShortcut(QKeySequence("F6"), self, self._next_pane)
        QShortcut(QKeySequence("Ctrl+Z"), self, self.undo)
        if self._remembers:
            QShortcut(QKeySequence("Ctrl+Y"), self, self.redo)
            QShortcut(QKeySequence("Ctrl+Shift+Z"), self, self.redo)
        for number in range(len(self.panels)):
            QShortcut(QKeySequence(f"Alt+{number + 1}"), self, lambda n=number: self.show_panel(n))

    def _key(self, shortcut: str, run: Callable[[], object]) -> QAction:
        action = QAction(self)
        action.setShortcut(QKeySequence(shortcut))
        action.triggered.connect(lambda _checked=False: run())
        self.addAction(action)
        return action

    @Slot()
    def refresh(self) -> None:
        """Read the shown panel again."""
        if self.panel is not None:
            self.panel.refresh()

    def _find(self) -> None:
        self.find_box.setFocus()
        self.find_box.selectAll()

    def _next_pane(self) -> None:
        """Move the focus to the next of find box, rail, and the panel's own panes (widgets with the property `pane`)."""
        shown = self.stack.currentWidget()
        inside = [w for w in shown.findChildren(QWidget) if w.property("pane") and w.isVisible()] if shown is not None else []
        panes: list[QWidget] = [*(inside or ([shown] if shown is not None else [])), self.find_box, self.rail.current()]
        focus = QApplication.focusWidget()
        places = [n for n, pane in enumerate(panes) if focus is not None and (pane is focus or pane.isAncestorOf(focus))]
        pane = panes[(places[0] + 1) % len(panes)] if places else panes[0]
        if pane.focusPolicy() == Qt.FocusPolicy.NoFocus:
            tab = Qt.FocusPolicy.TabFocus
            reachable = [w for w in pane.findChildren(QWidget) if w.focusPolicy() & tab and w.isVisible() and w.isEnabled()]
            pane = reachable[0] if reachable else self.find_box
        pane.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @Slot(object)
    def show_problem(self, error: Exception) -> None:
        """Say what no form could: a toast for small things, a box for the rest."""
        found = explain(error)
        if found.kind in (Kind.TOAST, Kind.INLINE):
            self.toasts.show(found.text, icon="warning", seconds=8)
        elif self._problem is None:
            self._problem = ProblemBox(self.desk.theme, found, self)
            self._problem.finished.connect(self._problem_read)
            self._problem.open()

    @Slot()
    def _problem_read(self) -> None:
        if self._problem is not None:
            self._problem.deleteLater()
            self._problem = None

    @Slot(object)
    def _unavailable(self, error: Unavailable | None) -> None:
        self.connection.say(error)
        self.status.set_connected(error is None)

    @Slot(str, object)
    def _tell(self, sentence: str, undo: Callable[[], object] | None) -> None:
        self.toasts.show(sentence, undo=undo)

    @Slot()
    def _used(self) -> None:
        if self._lock is None:
            self.desk.renew(self._sessions.renew)

    def _read_minutes(self) -> None:
        if self._lock_minutes is not None:
            self.desk.ask(self, self._lock_minutes, self.desk.me.role, done=self.idle.set_minutes, failed=lambda _error: None,
                          replaces="lock_minutes")

    @Slot(str)
    def _changed(self, topic: str) -> None:
        if concerns(topic, ["settings"]):
            self._read_minutes()
        if self._lock is None and concerns(topic, ["sessions"]):
            self.desk.check_session()

    @Slot()
    def _session_ended(self) -> None:
        self.lock(self.tr("Your session has ended. Sign in again; what you typed is still here."))

    @Slot(object)
    def _unlocked(self, signed_in: Any) -> None:
        if self._lock is not None:
            self.desk.take_over(signed_in.token)
            self._lock.uncover()
            self._lock = None
            self.toasts.release()
            self.idle.note()
            self.refresh()

    @Slot()
    def _out_of_lock(self) -> None:
        if self._lock is None or self._lock.warn(self.leaving.unsaved()):
            return
        self._lock.uncover(give_back=False)
        self._lock = None
        self.leaving.once_written(self.sign_out_requested.emit)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_scheme"):
            self._scheme.setIcon(self.desk.theme.icon("light" if self.desk.theme.dark else "dark"))

    def _close_anyway(self) -> None:
        self._leaving = True
        self.close()

    def hideEvent(self, event: QHideEvent) -> None:
        self.desk.remember("window", self.saveGeometry())
        super().hideEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self._leaving and self.leaving.hinders:
            event.ignore()
            self.leaving.leave(self._close_anyway)
            return
        self.idle.stop()
        super().closeEvent(event)
        self.closed.emit()
