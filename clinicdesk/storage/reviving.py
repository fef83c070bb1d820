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

    One that cannot be started is tried ever more rarely, every ten seconds at last: so long after a full disk has room again.
    """

    def __init__(self, servers: Servers, revived: Callable[[], None], *, pause: float = _PAUSE) -> None:
        self._servers, self._revived, self._pause = servers, revived, pause
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
            if not self._servers.needs_reviving():
                pause = self._pause
                continue
            try:
                self._servers.revive()
                self._revived()
            except (ClinicError, OSError) as error:
                log.warning("a server of this clinic cannot be started again: %s", error)
            pause = min(pause * 2, _LONGEST_PAUSE) if self._servers.needs_reviving() else self._pause
