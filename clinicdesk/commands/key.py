"""`clinicdesk key show|enter|kit|enrol|rotate`: the key that opens the sealed records, on paper and back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from clinicdesk.commands.options import PROBLEMS, DataDir, settings_for

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


@app.command()
def kit(ctx: typer.Context, out: Annotated[Path, typer.Argument(metavar="OUT.pdf", help="Where to write it; print it, then delete it.")], *,
        data_dir: DataDir = None) -> None:
    """Make the recovery kit: one page with the key, to be printed and kept in a safe."""
    from clinicdesk.clinic import open_clinic
    from clinicdesk.errors import ClinicError
    from clinicdesk.services import recovery_kit
    from clinicdesk.whole_files import write_whole

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    try:
        with clinic.as_owner() if clinic.may_own else clinic.database.read() as session:
            make = recovery_kit.make if clinic.may_own else recovery_kit.page
            write_whole(out, make(session))  # before the note that there is one is committed
    except OSError as error:
        raise ClinicError(f"The recovery kit cannot be written to {out}: {error.strerror}.", "Choose another place.") from None
    finally:
        clinic.close()
    typer.echo(f"The recovery kit is in {out}. Print it, lock the paper away, then delete the file.")


@app.command()
def enrol(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Ask for the key over the shared database: shows a code, which an administrator types under Keys. Exit code 1: nobody did."""
    from clinicdesk import clinic_key

    def say(code: str) -> None:
        typer.echo(f"Code of this computer: {code}")
        typer.echo("An administrator types it in her window under Keys, “Let a computer in”, within a quarter of an hour.")

    if not clinic_key.enrol(settings_for(ctx, data_dir), say):
        typer.echo("Nobody let this computer in. Try again.", err=True)
        raise typer.Exit(PROBLEMS)
    typer.echo("This computer now holds the key of its clinic.")


@app.command()
def rotate(ctx: typer.Context, *, data_dir: DataDir = None,
           username: Annotated[str, typer.Option("--user", metavar="NAME", help="The administrator who does it.")] = "") -> None:
    """Change the clinic key, or go on with a change that was stopped. Asks for an administrator's name and password.

    Ctrl+C stops between two batches; readers go on working. Print a new recovery kit afterwards, and enter the new key elsewhere.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from clinicdesk import key_change
    from clinicdesk.clinic import open_clinic
    from clinicdesk.rules.key_code import key_fingerprint

    settings = settings_for(ctx, data_dir)
    asked = sys.stdin.isatty()
    username = username or (typer.prompt("Administrator", err=True) if asked else sys.stdin.readline().strip())
    password = typer.prompt("Password", err=True, hide_input=True) if asked else sys.stdin.readline().rstrip("\n")
    clinic = open_clinic(settings, worker=False)
    try:
        token = clinic.sign_in(username, password).token
        try:
            with Progress(TextColumn("Keys"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=not asked) as bar:
                task = bar.add_task("Keys", total=None)
                done = key_change.change(lambda service, *args: clinic.perform(token, lambda session: service(session, *args)),
                                         settings.data_dir, lambda n, of: bar.update(task, completed=n, total=of))
        finally:
            clinic.sign_out(token)
        typer.echo(f"The clinic has a new key; {done} patient keys were wrapped again.")
        typer.echo(f"Fingerprint {key_fingerprint(clinic.vault.clinic_key)}.")
        typer.echo("Print a new recovery kit now. The other computers ask for the new key at their next start.")
    finally:
        clinic.close()
