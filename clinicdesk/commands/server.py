"""`clinicdesk server start|stop|status`: the clinic's own two servers without a window."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clinicdesk.commands.options import OK, PROBLEMS, DataDir, Json, settings_for

app = typer.Typer(help="The clinic's own database servers, without a window.", no_args_is_help=True)

_NAMES = {"database": "PostgreSQL", "documents": "Document server"}


@app.command()
def start(ctx: typer.Context, data_dir: DataDir = None) -> None:
    """Start them and leave them running until `clinicdesk server stop`."""
    from clinicdesk.credentials import Credentials
    from clinicdesk.storage.servers import embedded_servers

    settings = settings_for(ctx, data_dir)
    servers = embedded_servers(settings, Credentials(settings.data_dir))
    servers.start()
    servers.keep_running()
    servers.stop()
    for name in servers.running():
        typer.echo(f"{_NAMES[name]} is running for {settings.data_dir}.")


@app.command()
def stop(
    ctx: typer.Context, *, data_dir: DataDir = None,
    force: Annotated[bool, typer.Option("--force", help="Even while a ClinicDesk is using them.")] = False,
) -> None:
    """Stop them. Refused while a ClinicDesk is open on them."""
    from clinicdesk.credentials import Credentials
    from clinicdesk.storage.servers import embedded_servers

    settings = settings_for(ctx, data_dir)
    servers = embedded_servers(settings, Credentials(settings.data_dir))
    if not force and servers.in_use():
        typer.echo("A ClinicDesk is using these servers; close it first, or use --force.", err=True)
        raise typer.Exit(PROBLEMS)
    typer.echo("Stopped." if servers.stop_now() else "They were not running.")


@app.command()
def status(ctx: typer.Context, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Say whether they run. Exit code 0 when all do, 1 when not."""
    from clinicdesk.credentials import Credentials
    from clinicdesk.storage.servers import embedded_servers

    settings = settings_for(ctx, data_dir)
    servers = embedded_servers(settings, Credentials(settings.data_dir))
    running, in_use = servers.running(), servers.in_use()
    if as_json:
        typer.echo(json.dumps({"ok": all(running.values()), "running": running, "in_use": in_use, "data_dir": str(settings.data_dir)}))
    else:
        for name, alive in running.items():
            typer.echo(f"{_NAMES[name]}: {'running' if alive else 'not running'}")
        typer.echo("In use by a ClinicDesk." if in_use else "Not in use.")
    raise typer.Exit(OK if all(running.values()) else PROBLEMS)
