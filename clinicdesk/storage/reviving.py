"""Own servers that die are started again: one thread that looks every few seconds."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from clinicdesk.errors import ClinicError
from clinicdesk.storage.servers import Servers

log = logging.getLogger(__name__)

_PAUSE, _LONGEST_PAUSE = 1.0, 10.0


class Reviver:
    """Calls `revived()` on its thread after a server came back.

    `broken()` says that the document server lives and does not do its work: it is ended, and started anew.
    One that cannot be started is tried ever more rarely, every ten seconds at last: so long after a full disk has room again.
    """

    def __init__(self, servers: Servers, revived: Callable[[], None], *, broken: Callable[[], bool] = lambda: False,
                 pause: float = _PAUSE) -> None:
        self._servers, self._revived, self._broken, self._pause = servers, revived, broken, pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reviver", daemon=True)

    def start(self) -> None:
        """Begin to look; returns at once."""
        self._thread.start()

    def stop(self, patience: float = 60.0) -> None:
        """Stop looking; waits for a server that is just being started."""
        self._ended.set()
        self._thread.join(patience)

    def _run(self) -> None:
        pause = self._pause
        while not self._ended.wait(pause):
            try:
                if self._broken():
                    self._servers.end_broken_documents()
                if not self._servers.needs_reviving():
                    pause = self._pause
                    continue
                self._servers.revive()
                self._revived()
            except (ClinicError, OSError) as error:
                log.warning("a server of this clinic cannot be started again: %s", error)
            pause = min(pause * 2, _LONGEST_PAUSE) if self._servers.needs_reviving() else self._pause
