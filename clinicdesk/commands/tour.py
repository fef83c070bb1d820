"""`clinicdesk tour OUT`: every role's main job through the real windows, with pictures, papers and tour.json."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from clinicdesk.commands.options import OK, PROBLEMS, settings_for

Out = Annotated[Path, typer.Argument(metavar="OUT", help="Folder for the pictures; made when missing.")]


def tour(ctx: typer.Context, out: Out) -> None:
    """Walk through the demo clinic as reception, doctor and administrator. Exit code 0: every step passed, 1: one did not."""
    if sys.platform.startswith("linux") and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    settings = settings_for(ctx, None)
    from ui.tour.run import run

    raise typer.Exit(OK if run(settings, out.absolute(), typer.echo) == 0 else PROBLEMS)


def fallen() -> None:
    """The second ClinicDesk that the tour kills while it types; reads its job from standard input."""
    from ui.tour.fallen import main

    raise typer.Exit(main())
