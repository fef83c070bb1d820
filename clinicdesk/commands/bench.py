"""`clinicdesk bench`: measure this version on this machine. What measures is in the source tree (`benchmarks/`) and is not shipped."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from clinicdesk.commands.options import OK, PROBLEMS


def bench(
    *,
    patients: Annotated[int, typer.Option("--patients", metavar="N", min=50, max=2_000_000, help="How many patients.")] = 100_000,
    target: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write every number to this file.")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the scratch clinic.")] = False,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", min=3, help="How often each thing is measured.")] = 100,
) -> None:
    """Fill a scratch clinic and measure it beside its floor. Exit code 0: every aim is met, 1: something falls short."""
    from clinicdesk.errors import CannotStart
    from clinicdesk.paths import bundled, root

    if bundled() or not (root() / "benchmarks" / "run.py").is_file():
        raise CannotStart("bench", "The measurements are part of the source tree and not of an installed ClinicDesk.",
                          "Run it from a checkout: make bench.")
    if target is not None and not target.absolute().parent.is_dir():
        raise CannotStart("bench", f"There is no folder {target.absolute().parent}.", "Make it, or write the numbers elsewhere.")
    sys.path.insert(0, str(root()))
    from benchmarks.run import run

    raise typer.Exit(OK if run(patients, target, keep=keep, rounds=rounds) == 0 else PROBLEMS)
