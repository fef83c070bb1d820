"""The table of the reliability suite: one row for each fault, printed at the end of the run (`make reliability`, docs/reliability.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.screens.conftest import _no_qt_warnings, theme
from tests.screens.office import office

__all__ = ["_no_qt_warnings", "office", "theme"]

HEAD = ("fault", "times", "acknowledged writes", "lost", "doubled", "longest gap of the window, ms",
        "seconds to the next write: median, most")
ROWS: list[tuple[str, ...]] = []
Row = Callable[..., None]


@pytest.fixture
def row() -> Row:
    """Add a line: fault, times, acknowledged, lost, doubled; where it was measured the longest gap in ms, and the seconds."""
    def add(fault: str, times: int, acknowledged: int, lost: int, doubled: int, *, gap_ms: float | None = None,
            seconds: list[float] | None = None) -> None:
        ordered = sorted(seconds or ())
        back = f"{ordered[len(ordered) // 2]:.1f}, {ordered[-1]:.1f}" if ordered else "–"
        ROWS.append((fault, f"{times:,}", f"{acknowledged:,}", str(lost), str(doubled), "–" if gap_ms is None else f"{gap_ms:.0f}", back))

    return add


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """The table, where the tests ran in this process."""
    if ROWS:
        terminalreporter.write_line("")
        for line in (HEAD, ("---", *["--:"] * (len(HEAD) - 1)), *ROWS):
            terminalreporter.write_line(f"| {' | '.join(line)} |")
