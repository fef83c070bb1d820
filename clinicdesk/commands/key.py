"""`clinicdesk key show|enter`: the key that opens the sealed records, on paper and back."""

from __future__ import annotations

import sys

import typer

from clinicdesk.commands.options import DataDir, settings_for

app = typer.Typer(help="The clinic key: without it nobody can read the sealed records.", no_args_is_help=True)


@app.command()
def show(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Print the key this computer holds. Write it down, and keep the paper locked away from the computers."""
    from clinicdesk import clinic_key

    code = clinic_key.show(settings_for(ctx, data_dir))
    typer.echo(code)
    if sys.stdout.isatty():
        typer.echo("Whoever has this and the database can read every record. Keep it under lock, away from the computers.", err=True)


@app.command()
def enter(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Give this computer the key of its clinic. It is asked for (or read from standard input), never a part of the command."""
    from clinicdesk import clinic_key

    settings = settings_for(ctx, data_dir)
    typed = typer.prompt("Clinic key", err=True) if sys.stdin.isatty() else sys.stdin.read(1_000)
    new = clinic_key.enter(settings, typed)
    typer.echo("This computer now holds the key of its clinic." if new else "This computer held this key already.")
