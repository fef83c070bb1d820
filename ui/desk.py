"""What every panel is given: `ask` to read, `do` to write, and who is signed in.

One desk per signed-in person. It holds no widget and no SQL: a service is any function whose first argument is the session.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PySide6.QtCore import QObject, QSettings, QTimer, Signal, Slot

from clinicdesk.errors import SignedOut, Unavailable
from clinicdesk.services import auditing
from clinicdesk.services.people import Me
from ui.live import Live
from ui.tasks import Pool

if TYPE_CHECKING:
    from ui.theme import Theme

T = TypeVar("T")
#: While the database is away it is asked again this often, in milliseconds.
AGAIN_MS = 2_000


def _nothing(_: object) -> None:
    """A question with no answer: only whether the session still is one."""


class ReadsAndWrites(Protocol):
    """The part of `clinicdesk.clinic.Clinic` a desk needs (tests pass a small fake)."""

    def read(self, token: str) -> AbstractContextManager[Any]:
        """A read-only transaction under the session `token`."""
        ...

    def perform(self, token: str, work: Callable[[Any], T]) -> T:
        """`work(session)` in a transaction under the session `token`, committed at the end; run again once when it collided."""
        ...


class Desk(QObject):
    """Reads and writes for one signed-in person; callbacks on the GUI thread.

    Signals: `problem(error)` when something failed and no `failed` was given; `unavailable(error | None)` when a server went away
    (None: it answers again); `signed_out()` when the session ended; `busy(count)` for the status line;
    `told(sentence, undo | None)` for the toast; `wanted(topic, subject)` when something should be shown elsewhere in the window.
    """

    problem = Signal(object)
    unavailable = Signal(object)
    signed_out = Signal()
    busy = Signal(int)
    told = Signal(str, object)
    wanted = Signal(str, object)

    def __init__(self, clinic: ReadsAndWrites, token: str, me: Me, *, live: Live, pool: Pool, theme: Theme, settings: Any = None,
                 zone: tzinfo = UTC, memory: QSettings | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.me, self.live, self.pool, self.theme, self.settings = me, live, pool, theme, settings
        self.zone = zone  #: the clinic's; every time on the screen is in it
        self._clinic, self._token, self._memory = clinic, token, memory
        self._away: Unavailable | None = None
        self._retired = False
        self._again = QTimer(self)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self._ask_again)
        pool.busy_changed.connect(self.busy)
        pool.lost.connect(self.report)
        live.connected.connect(self._connected)

    def ask(self, owner: QObject, service: Callable[..., T], *args: Any, done: Callable[[T], object],
            failed: Callable[[Exception], object] | None = None, replaces: str | None = None, **kwargs: Any) -> None:
        """Read: `service(session, *args, **kwargs)` in a read-only transaction on a worker, then `done(result)` or `failed(error)`.

        A newer question of the same `owner` with the same `replaces` discards the older one; an answer for a destroyed owner is
        dropped. Without `failed` the error goes to `problem`; a lost server or session is announced in either case.
        """
        if self._retired:
            return
        clinic, token = self._clinic, self._token

        def work() -> T:
            with clinic.read(token) as session:
                return service(session, *args, **kwargs)

        self.pool.run(owner, work, self._answered(done), self._failed(failed), replaces=replaces)

    def do(self, owner: QObject, service: Callable[..., T], *args: Any, done: Callable[[T], object] | None = None,
           failed: Callable[[Exception], object] | None = None, **kwargs: Any) -> None:
        """Write: `service(session, *args, **kwargs)` in one transaction on a worker, then `done(result)` or `failed(error)`.

        Never dropped once asked, not even when the application closes; a failure whose owner is gone goes to `problem`.
        """
        clinic, token = self._clinic, self._token

        def work() -> T:
            return clinic.perform(token, lambda session: service(session, *args, **kwargs))

        self.pool.run(owner, work, self._answered(done), self._failed(failed), keep=True)

    def write_down(self, owner: QObject, action: str, category: str, patient_id: str | None = None, subject: str = "") -> None:
        """Tell the audit log what only this window knows: `action` is print, export or preview, of which part of whose record."""
        self.do(owner, auditing.told, action, category, patient_id, subject)

    def run(self, owner: QObject, work: Callable[..., T], *args: Any, done: Callable[[T], object],
            failed: Callable[[Exception], object] | None = None, replaces: str | None = None) -> None:
        """Something that is more than one transaction (a backup): `work(clinic, *args, token=…)` on a worker, then `done` or `failed`."""
        clinic, token = self._clinic, self._token
        self.pool.run(owner, lambda: work(clinic, *args, token=token), self._answered(done), self._failed(failed), replaces=replaces)

    def take_over(self, token: str) -> None:
        """Go on under a fresh session of the same person (after the lock or an ended session)."""
        self._token = token

    def retire(self) -> None:
        """The person signed out: what is still on its way back is nobody's business any more."""
        self._retired = True
        self._again.stop()

    @property
    def token(self) -> str:
        """The session token, for the lock and for sign-out."""
        return self._token

    def now(self) -> datetime:
        """The present moment in the clinic's zone."""
        return datetime.now(self.zone)

    def tell(self, sentence: str, undo: Callable[[], object] | None = None) -> None:
        """Say what was done in the window's toast; with `undo` it can be taken back for ten seconds (button and Ctrl+Z)."""
        self.told.emit(sentence, undo)

    def show(self, topic: str, subject: Any = None) -> None:
        """Ask the window to show a thing in whichever panel can: `show("patient", "p_k3m9x2")`, `show("day", date)`."""
        self.wanted.emit(topic, subject)

    def renew(self, renew: Callable[[str], object]) -> None:
        """Prolong the session while the person is active; `renew` says False, or fails, when it is over, which is announced."""
        token = self._token
        self.pool.run(self, lambda: renew(token), self._renewed, self.report, replaces="renew")

    def check_session(self) -> None:
        """Somebody's session was ended somewhere: find out whether it was this one."""
        self.ask(self, _nothing, done=_nothing, replaces="check_session")

    def remember(self, name: str, value: Any) -> None:
        """Keep a size, a zoom, a choice of this person at this desk; never anything about a patient."""
        if self._memory is not None:
            self._memory.setValue(f"{self.me.username}/{name}", value)

    def recall(self, name: str, default: T) -> T:
        """What was remembered under `name`, if it is of the same type as `default`."""
        if self._memory is None:
            return default
        key = f"{self.me.username}/{name}"
        simple = isinstance(default, (bool, int, float, str))  # an ini file gives these back as text
        value = self._memory.value(key, default, type=type(default)) if simple else self._memory.value(key, default)
        return value if isinstance(value, type(default)) else default

    @Slot(object)
    def report(self, error: Exception) -> None:
        """Announce a failure that no form can help with: lost server, ended session, or `problem`."""
        if self._retired:
            return
        if isinstance(error, Unavailable) and error.what == "database":  # visits wait in the database when the documents are away
            self._away = error
            self._again.start()
            self.unavailable.emit(error)
        elif isinstance(error, SignedOut):
            self.signed_out.emit()
        else:
            self.problem.emit(error)

    def _answered(self, done: Callable[[T], object] | None) -> Callable[[T], None]:
        def answered(result: T) -> None:
            self._back()
            if done is not None:
                done(result)

        return answered

    def _failed(self, failed: Callable[[Exception], object] | None) -> Callable[[Exception], None]:
        def fails(error: Exception) -> None:
            if failed is None or isinstance(error, SignedOut) or (isinstance(error, Unavailable) and error.what == "database"):
                self.report(error)
            if failed is not None:
                failed(error)

        return fails

    def _renewed(self, alive: object) -> None:
        if alive is False:
            self.report(SignedOut())

    @Slot(bool)
    def _connected(self, up: bool) -> None:  # noqa: FBT001  a slot's argument has no keyword
        if not up:
            self.report(Unavailable("database", "The connection to the database is lost."))
        else:
            self._back()

    def _back(self) -> None:
        self._again.stop()
        if self._away is not None:
            self._away = None
            self.unavailable.emit(None)

    @Slot()
    def _ask_again(self) -> None:
        """An answer that failed late may come after the connection was back already: nobody else would ask then."""
        self._again.stop()
        self.ask(self, _nothing, done=_nothing, failed=_nothing)  # a failure starts the clock again
