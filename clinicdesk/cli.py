"""The command line: `clinicdesk` opens the application, `clinicdesk VERB` does one thing. One module per verb in `commands/`."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from clinicdesk import __version__
from clinicdesk.commands import (
    audit,
    backup,
    bench,
    check,
    check_medicines,
    desktop_entry,
    documents,
    import_,
    key,
    migrate,
    options,
    parse_sig,
    recover,
    server,
    tour,
    verify,
    worker,
)
from clinicdesk.errors import ClinicError
from clinicdesk.logs import log_uncaught

app = typer.Typer(name="clinicdesk", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
                  help="A desktop clinic: schedule, chart, consultation, prescriptions, administration and kiosk.")
app.command("bench")(bench.bench)
app.command("check")(check.check)
app.command("check-medicines")(check_medicines.check_medicines)
app.command("desktop-entry")(desktop_entry.desktop_entry)
app.command("migrate")(migrate.migrate)
app.command("parse-sig")(parse_sig.parse_sig)
app.command("recover")(recover.recover)
app.command("restore")(backup.restore)
app.command("tour")(tour.tour)
app.command("tour-fallen", hidden=True)(tour.fallen)
app.command("verify")(verify.verify)
app.command("worker")(worker.worker)
app.add_typer(audit.app, name="audit")
app.add_typer(backup.app, name="backup")
app.add_typer(documents.app, name="documents")
app.add_typer(import_.app, name="import")
app.add_typer(key.app, name="key")
app.add_typer(server.app, name="server")


@app.callback(invoke_without_command=True)
def clinicdesk(
    ctx: typer.Context,
    *,
    data_dir: options.DataDir = None,
    demo: Annotated[bool, typer.Option("--demo", help="Open the demo clinic: made-up people, sign-in by one click.")] = False,
    log_level: Annotated[str | None, typer.Option("--log-level", metavar="LEVEL", help="DEBUG, INFO, WARNING or ERROR.")] = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Open the application, or do what VERB says."""
    if version:
        typer.echo(f"ClinicDesk {__version__}")
        raise typer.Exit
    ctx.obj = {"data_dir": data_dir, "log_level": log_level}
    if ctx.invoked_subcommand is None:
        try:
            settings = options.settings_for(ctx, None)
        except ClinicError as error:
            if not sys.stderr.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
                from ui.app import tell

                tell(error)  # started from a menu: nobody sees what is printed
            raise
        from ui.app import run

        raise typer.Exit(run(settings, demo=demo))
    if demo:
        raise typer.BadParameter("--demo opens the application and goes without a verb.")


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and leave with its exit code. Whatever happens, a person reads sentences and no traceback."""
    logging.getLogger().addHandler(logging.NullHandler())  # nothing of ours on stderr before the log file is open
    log_uncaught()
    signal.signal(signal.SIGTERM, _leave)  # so that `finally` runs and the servers are let go
    sys.exit(_run(arguments))


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _run(arguments: list[str] | None) -> int:
    try:
        outcome = app(arguments, standalone_mode=False)
    except ClinicError as error:
        typer.echo(error.sentence, err=True)
        if error.advice:
            typer.echo(error.advice, err=True)
        return options.CANNOT
    except TyperException as error:
        typer.echo(f"{error.format_message()} Try “clinicdesk --help”.", err=True)
        return options.CANNOT
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("Stopped.", err=True)
        return 130
    except Exception:
        reference = secrets.token_hex(4)
        logging.getLogger(__name__).exception("bug, reference %s", reference)
        typer.echo(f"Sorry, something went wrong inside ClinicDesk (reference {reference}).", err=True)
        typer.echo("Please send the file log/clinicdesk.log of the data folder with this reference.", err=True)
        return options.BUG
    return outcome if isinstance(outcome, int) else options.OK
