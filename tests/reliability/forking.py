"""One process that has everything imported and forks a child for each line it is given: a child is there in milliseconds, to be killed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any


def fork_for_each_line(work: Callable[[Any], object]) -> None:
    """Fork for every line of standard input (JSON, given to `work`); say which child it is, and with what status it is gone."""
    print("ready", flush=True)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            work(json.loads(line))
            os._exit(0)
        print(f"child {pid}", flush=True)
        _, status = os.waitpid(pid, 0)
        print(f"gone {status}", flush=True)
