"""The engine, the transaction, and who is asking in it. Every transaction begins by presenting the session token as a bound parameter."""

from __future__ import annotations

import logging
import selectors
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from sqlalchemy import CursorResult, Executable, create_engine, event, text
from sqlalchemy.exc import InvalidatePoolError, SQLAlchemyError
from sqlalchemy.orm import Session

from clinicdesk.errors import Collision, NotAllowed, SignedOut
from clinicdesk.storage.reading import Kept, Seen, watch
from clinicdesk.storage.translation import translated

T = TypeVar("T")
log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from clinicdesk.services.people import Me
    from clinicdesk.storage.documents import Documents
    from clinicdesk.storage.vault import Vault

#: Sets the token, the mode of the transaction, and answers who this is; CASE keeps the order.
_BEGIN = text(
    "select case when set_config('clinicdesk.session', :token, true) is not null"
    " and set_config('transaction_read_only', :mode, true) is not null then auth.me() end"
)
_STILL = text("select auth.me()")
_SAW = text("select audit.saw(cast(:patients as text[]), cast(:categories as text[]))")
_REFUSED = text("select audit.refused(:category, :patient, :subject)")


class ClinicSession(Session):
    """A SQLAlchemy session of one transaction, with what a service may need besides: the vault, the documents, the data folder, the zone,
    the clock, me.

    `me` is the person who signed in (None for the owner's own tools); what she may do is decided by the database, not by this value.
    `seen` is what was read of whose chart, `released` the wrapped keys this program was given lately; `aside()` is a short transaction of
    the same person beside this one, kept whatever becomes of this one.
    """

    vault: Vault
    documents: Documents
    folder: Path
    zone: ZoneInfo
    me: Me | None
    now: Callable[[], datetime]
    seen: Seen
    token: str | None
    read_only: bool
    released: Kept[tuple[bytes, int]]
    aside: Callable[[], AbstractContextManager[ClinicSession]]

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A savepoint: a refusal inside is raised as a ClinicError and the transaction goes on.

        What was changed before is written first, outside the savepoint: change inside what may be refused and explained afterwards.
        """
        try:
            with self.begin_nested():
                yield
        except Exception as error:
            known = translated(error)
            if known is None or known is error:
                raise
            raise known from error

    def rows(self, query: Executable) -> list[tuple[Any, ...]]:
        """Every row of a query as a plain tuple, to be spread into a record."""
        return [tuple(row) for row in self.execute(query)]

    def changed(self, statement: Executable) -> int:
        """Run an UPDATE or DELETE; how many rows it touched."""
        result = self.execute(statement)
        return result.rowcount if isinstance(result, CursorResult) else 0

    @property
    def my_id(self) -> int | None:
        """The account of whoever asks; None for the owner's own tools."""
        return self.me.user_id if self.me else None


def _pairs(seen: list[tuple[str, str]]) -> dict[str, list[str | None]]:
    return {"patients": [patient or None for patient, _ in seen], "categories": [category for _, category in seen]}


def _spoke(line: int) -> bool:
    """Whether something waits to be read from a socket; asks only this computer's system."""
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        return bool(selector.select(0))


def utc_now() -> datetime:
    """The clock of the application."""
    return datetime.now(UTC)


class Database:
    """One engine. `read` and `write` give a session in one transaction; errors leave as ClinicError or as the bug they are.

    Threads may share it. `token` None is for the owner's tools on an embedded clinic (import, demo) and for before sign-in.
    """

    def __init__(self, url: str, *, zone: str = "UTC", statement_timeout_ms: int = 30_000, pool_size: int = 6) -> None:
        self.engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=4,
            pool_timeout=10,
            pool_recycle=1800,
            hide_parameters=True,
            connect_args={
                "connect_timeout": 5,
                "keepalives_idle": 10,
                "keepalives_interval": 3,
                "keepalives_count": 3,
                "tcp_user_timeout": 15_000,
                "application_name": "clinicdesk",
            },
        )

        @event.listens_for(self.engine, "connect")
        def settle(connection: object, _record: object) -> None:
            with connection.cursor() as cursor:  # type: ignore[attr-defined]
                cursor.execute(f"set statement_timeout = {int(statement_timeout_ms)}")
                cursor.execute("set idle_in_transaction_session_timeout = '60s'")
                cursor.execute("set timezone = 'UTC'")
            connection.commit()  # type: ignore[attr-defined]

        @event.listens_for(self.engine, "checkout")
        def still_there(connection: Any, _record: object, _proxy: object) -> None:
            if _spoke(connection.pgconn.socket):  # nobody asked it anything: the server said good-bye, or was killed and its system did
                raise InvalidatePoolError
            self._lent[id(connection)] = connection

        @event.listens_for(self.engine, "checkin")
        def back(connection: Any, _record: object) -> None:
            self._lent.pop(id(connection), None)

        watch(self.engine)
        self._lent: dict[int, Any] = {}
        self._told: Kept[bool] = Kept()
        self._released: Kept[tuple[bytes, int]] = Kept()
        self.zone = ZoneInfo(zone)
        self.vault: Vault | None = None
        self.documents: Documents | None = None
        self.folder: Path | None = None
        self.now: Callable[[], datetime] = utc_now

    @contextmanager
    def _transaction(self, token: str | None, me: Me | None, *, read_only: bool) -> Iterator[ClinicSession]:
        session = ClinicSession(self.engine, expire_on_commit=False, autoflush=not read_only)
        session.zone, session.me, session.now, session.seen = self.zone, me, self.now, Seen()
        session.token, session.read_only, session.released, session.aside = token, read_only, self._released, partial(self.write, token, me)
        if self.vault is not None:
            session.vault = self.vault
        if self.documents is not None:
            session.documents = self.documents
        if self.folder is not None:
            session.folder = self.folder
        try:
            with session.begin():
                session.connection().info["seen"] = session.seen
                who = session.execute(_BEGIN, {"token": token or "", "mode": "on" if read_only else "off"}).scalar_one()
                if token and who is None:
                    raise SignedOut
                yield session
                if token and read_only and session.scalar(_STILL) is None:
                    raise SignedOut  # ended meanwhile: what was read since then is less than what there is
                news = [pair for pair in sorted(session.seen.pairs) if not self._told.get((token, *pair))] if token else []
                if news and not read_only:
                    session.flush()
                    session.execute(_SAW, _pairs(news))
            self._note_seen(token, news, read_only=read_only)
        except Exception as error:
            known = translated(error)
            if token and isinstance(known or error, NotAllowed):
                self._refused(token, session.seen)
            if known is None or known is error:
                raise
            raise known from error
        finally:
            session.close()

    def _note_seen(self, token: str | None, news: list[tuple[str, str]], *, read_only: bool) -> None:
        """Write down what a reading transaction saw, and remember what was written down (a writing one has done it itself)."""
        if news and read_only:
            with self.engine.begin() as connection:
                connection.execute(_BEGIN, {"token": token, "mode": "off"})
                connection.execute(_SAW, _pairs(news))
        for pair in news:
            self._told.put((token or "", *pair), True)  # noqa: FBT003  the value of a set

    def _refused(self, token: str, seen: Seen) -> None:
        """Write a refusal down; its own transaction is gone. That it was refused matters more than that it could be written down."""
        patients, categories = sorted(seen.patients), sorted({category for _, category in seen.pairs})
        try:
            with self.engine.begin() as connection:
                connection.execute(_BEGIN, {"token": token, "mode": "off"})
                connection.execute(_REFUSED, {"category": categories[0] if categories else "other",
                                              "patient": patients[0] if len(patients) == 1 else None, "subject": ", ".join(categories)})
        except SQLAlchemyError as error:
            log.warning("a refusal could not be written down: %s", type(error).__name__)

    @contextmanager
    def read(self, token: str | None = None, me: Me | None = None) -> Iterator[ClinicSession]:
        """A read-only transaction as whoever holds the token.

        Raises SignedOut when the token's session is over.
        """
        with self._transaction(token, me, read_only=True) as session:
            yield session

    @contextmanager
    def write(self, token: str | None = None, me: Me | None = None) -> Iterator[ClinicSession]:
        """A writing transaction; committed when the block ends, rolled back whole when anything is raised."""
        with self._transaction(token, me, read_only=False) as session:
            yield session

    def perform(self, token: str | None, me: Me | None, work: Callable[[ClinicSession], T]) -> T:
        """Run `work` in a writing transaction, and once more when the database ended it because two waited for each other.

        Services lock in one order (appointments, doctors, wishes, offers, each by number; `undoing.hold`): this is only the net below.
        """
        try:
            with self.write(token, me) as session:
                return work(session)
        except Collision:
            with self.write(token, me) as session:
                return work(session)

    def hang_up(self) -> None:
        """End every transaction under way, because the server is known not to answer: who waits for it gets Unavailable. Any thread.

        A network that swallows everything would else keep the workers waiting for ever: the server's own time limits cannot reach them.
        """
        for connection in list(self._lent.values()):
            if connection.closed:
                continue
            try:
                line = socket.socket(fileno=connection.pgconn.socket)
            except (psycopg.Error, OSError, ValueError) as error:
                log.info("a connection closed meanwhile (%s)", type(error).__name__)
                continue
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.info("a connection had ended already (%s)", type(error).__name__)
            finally:
                line.detach()  # libpq closes it

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
