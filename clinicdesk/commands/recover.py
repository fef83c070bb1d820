"""`clinicdesk recover`: into a clinic again on a new computer, or on one that lost its keyring, with the recovery kit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from clinicdesk.commands.options import DataDir, settings_for


def recover(
    ctx: typer.Context, *, data_dir: DataDir = None,
    kit: Annotated[Path | None, typer.Option("--kit", metavar="FILE", help="A scan, photograph or PDF of the recovery kit.")] = None,
    keyring_lost: Annotated[bool, typer.Option("--keyring-lost", help="The keyring that held the passwords is gone for good.")] = False,
) -> None:
    """Give this computer the clinic key of the recovery kit; lost passwords of its own databases are made new.

    The code is asked for (or read from standard input, or from the kit), never a part of the command.
    """
    from clinicdesk import clinic_key
    from clinicdesk.rules.key_code import key_fingerprint

    settings = settings_for(ctx, data_dir)
    if kit is not None:
        typed = clinic_key.read_kit(kit)
    else:
        typed = typer.prompt("Code of the recovery kit", err=True) if sys.stdin.isatty() else sys.stdin.read(1_000)
    new = clinic_key.enter(settings, typed, recover=True, keyring_lost=keyring_lost)
    typer.echo("This computer now holds the key of its clinic." if new else "This computer held this key already.")
    typer.echo(f"Fingerprint {key_fingerprint(clinic_key.held(settings))}. ClinicDesk can be started.")
