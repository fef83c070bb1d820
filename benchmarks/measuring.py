"""Time a thing beside its floor: one of the one, one of the other, in turn, so that a busy machine is busy for both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

WARM = 5


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table; milliseconds. `aim` bounds the median where it is a factor, the 95th percentile where it is fixed."""

    name: str
    runs: int
    p50: float
    p95: float
    floor_p50: float | None
    floor_p95: float | None
    aim: float | None
    aim_words: str
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times the floor."""
        return self.p50 / self.floor_p50 if self.floor_p50 else None

    @property
    def measured(self) -> float:
        """The number that is held against the aim."""
        return self.p50 if self.aim_words.startswith("3 ×") else self.p95

    @property
    def passed(self) -> bool:
        """Whether it stays below its aim; things without one do."""
        return self.aim is None or self.measured <= self.aim

    def as_json(self) -> dict[str, Any]:
        """Every number, rounded to a thousandth."""
        row = {**asdict(self), "ratio": self.ratio, "passed": self.passed}
        return {name: round(value, 3) if isinstance(value, float) else value for name, value in row.items()}


def timed(call: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def beside(name: str, ours: Callable[[int], object], floor: Callable[[int], object] | None, rounds: int, *, factor: bool = False,
           limit: float | None = None, after: Callable[[int], object] | None = None, note: str = "") -> Result:
    """Measure `ours(n)` and `floor(n)` in turn; `after(n)` cleans up unmeasured. `factor`: aim at three times the floor and 2 ms."""
    mine: list[float] = []
    bare: list[float] = []
    warm = min(WARM, rounds)
    gc.collect()
    for n in range(rounds + warm):
        for call, times in ((ours, mine), (floor, bare)) if n % 2 else ((floor, bare), (ours, mine)):
            if call is not None:
                times.append(timed(lambda call=call, n=n: call(n)))  # type: ignore[misc]
        if after is not None:
            after(n)
    return summary(name, mine[warm:], bare[warm:], factor=factor, limit=limit, note=note)


def summary(name: str, mine: Sequence[float], bare: Sequence[float] = (), *, factor: bool = False, limit: float | None = None,
            note: str = "") -> Result:
    """The line of some measured times."""
    floor = percentile(bare, 50) if bare else None
    aim = 3 * floor + 2 if factor and floor is not None else limit
    words = "3 × floor + 2 ms" if factor else f"{limit:g} ms" if limit else ""
    floor_p95 = percentile(bare, 95) if bare else None
    return Result(name, len(mine), percentile(mine, 50), percentile(mine, 95), floor, floor_p95, aim, words, note)


def percentile(times: Sequence[float], part: float) -> float:
    """The smallest measured time that at least `part` percent of all do not exceed."""
    ordered = sorted(times)
    return ordered[max(0, -(-int(len(ordered) * part) // 100) - 1)]
