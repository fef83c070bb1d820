"""What other desks changed, as it happens: one thread with one connection that listens."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import PollingStatus

from clinicdesk.storage.addresses import libpq_address

log = logging.getLogger(__name__)

EVERYTHING = "*"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0
_CONNECT_SECONDS = 5.0
#: After so many silent seconds the server is asked whether it is there, and has as long to answer: a network that swallows everything ends
#: no connection, and a window says within five seconds that nothing comes through (reference security-reliability 3.12).
_SILENT_SECONDS, _ANSWER_SECONDS = 2.0, 2.0


class NoticeListener:
    """Calls `on_notice(payload)` for each NOTIFY on `channel`, and with "*" after every reconnect because notices may have been missed.

    `on_state(True)` when it listens, `on_state(False)` when the connection is gone; both callbacks run on the listener's thread and
    must return quickly. A lost connection is tried again by itself, after 0.2 s and then ever longer up to 5 s; `on_refusal` is called, on
    the same thread, whenever that fails.
    """

    def __init__(self, url: str, channel: str = "clinicdesk", *, on_notice: Callable[[str], None],
                 on_state: Callable[[bool], None] | None = None, on_refusal: Callable[[], object] = lambda: None) -> None:
        self._address = libpq_address(url)
        self._channel = channel
        self._on_notice = on_notice
        self._on_state = on_state or (lambda _listening: None)
        self._on_refusal = on_refusal
        self._ended = threading.Event()
        self._wake_in, self._wake_out = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="notices", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once. Call once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; on return the thread has ended (within a second, unless a callback hangs). Harmless when repeated."""
        self._ended.set()
        with suppress(OSError):
            self._wake_in.send(b"x")
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._wake_in.close()
        self._wake_out.close()

    def _run(self) -> None:
        pause, listened_before = _FIRST_PAUSE, False
        while not self._ended.is_set():
            try:
                connection = self._connect()
            except psycopg.Error as error:
                log.info("cannot listen for notices now (%s); trying again in %.1f s", type(error).__name__, pause)
                self._say_refusal()
                self._wait(-1, 0, pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
                continue
            if connection is None:
                return
            pause = _FIRST_PAUSE
            try:
                self._tell_state(listening=True)
                if listened_before:
                    self._tell(EVERYTHING)
                listened_before = True
                self._listen(connection)
            except psycopg.Error as error:
                log.info("the connection for notices is gone (%s)", type(error).__name__)
                self._tell_state(listening=False)
            finally:
                connection.close()

    def _connect(self) -> psycopg.Connection[Any] | None:
        """A listening connection, or None when asked to stop meanwhile: connecting is done in steps so that it can be interrupted."""
        conn = psycopg.pq.PGconn.connect_start(self._address.encode())
        while (status := conn.connect_poll()) != PollingStatus.OK:
            if status == PollingStatus.FAILED:
                raise psycopg.OperationalError(conn.get_error_message())
            event = selectors.EVENT_READ if status == PollingStatus.READING else selectors.EVENT_WRITE
            if not self._wait(conn.socket, event, _CONNECT_SECONDS):
                conn.finish()
                if self._ended.is_set():
                    return None
                raise psycopg.OperationalError("no answer")
        connection: psycopg.Connection[Any] = psycopg.Connection(conn)
        try:
            connection.autocommit = True
            connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(self._channel)))
        except psycopg.Error:
            connection.close()
            raise
        return connection

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        """Until stopped, until the connection fails, or until the server does not answer any more."""
        conn = connection.pgconn
        asked = False
        while not self._ended.is_set():
            while notice := conn.notifies():
                self._tell(notice.extra.decode())
            if self._wait(conn.socket, selectors.EVENT_READ, _ANSWER_SECONDS if asked else _SILENT_SECONDS):
                conn.consume_input()
                while asked and not conn.is_busy():
                    asked = conn.get_result() is not None
            elif asked and not self._ended.is_set():
                raise psycopg.OperationalError("no answer")
            elif not self._ended.is_set():
                conn.send_query(b"")
                conn.flush()
                asked = True

    def _wait(self, fd: int, event: int, seconds: float | None) -> bool:
        """True when the socket is ready; False when told to stop, or after `seconds`."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_out, selectors.EVENT_READ)
            if fd >= 0:
                selector.register(fd, event)
            ready = [key.fileobj for key, _ in selector.select(seconds)]
        return fd in ready and not self._ended.is_set()

    def _tell(self, payload: str) -> None:
        try:
            self._on_notice(payload)
        except Exception:
            log.exception("a receiver of notices failed")

    def _say_refusal(self) -> None:
        try:
            self._on_refusal()
        except Exception:
            log.exception("a receiver of a refused connection failed")

    def _tell_state(self, *, listening: bool) -> None:
        try:
            self._on_state(listening)
        except Exception:
            log.exception("a receiver of the connection's state failed")
