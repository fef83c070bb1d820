"""`clinicdesk documents status|rebuild`: the visit documents, which can always be made again from the database."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from clinicdesk.commands.options import OK, PROBLEMS, DataDir, Json, settings_for

app = typer.Typer(help="The visit documents in the document server.", no_args_is_help=True)


@app.command()
def status(ctx: typer.Context, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Say how many visits there are and how many have their document. Exit code 0: all of them, 1: not all, or no server."""
    from clinicdesk.clinic import open_clinic
    from clinicdesk.errors import ClinicError
    from clinicdesk.services import visits

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    try:
        with clinic.worker_database.read() as session:
            known, waiting = visits.total(session), visits.waiting_count(session)
        sentence = ""
        stored = None
        try:
            clinic.documents.ping()
            stored = clinic.documents.count()
        except ClinicError as error:
            trouble = clinic.servers.embedded.documents_trouble if clinic.servers and clinic.servers.embedded else None
            sentence, advice = (trouble.sentence, trouble.advice) if trouble else (error.sentence, error.advice)
    finally:
        clinic.close()
    fine = stored is not None and stored >= known and not waiting
    if as_json:
        found = {"ok": fine, "visits": known, "waiting": waiting, "documents": stored, "problem": sentence}
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo(f"{known} visits in the database; {waiting} wait to be delivered.")
        if stored is None:
            typer.echo(f"{sentence} {advice}")
        else:
            typer.echo(f"{stored} documents." if stored >= known else
                       f"{stored} documents: some are missing. Run “clinicdesk documents rebuild”.")
    raise typer.Exit(OK if fine else PROBLEMS)


@app.command()
def rebuild(
    ctx: typer.Context, *, data_dir: DataDir = None,
    new_store: Annotated[bool, typer.Option("--new-store", help="Begin with an empty store even when the old one works.")] = False,
) -> None:
    """Send every visit to the document server again. An own store that is broken is put aside first (never deleted) and made new."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from clinicdesk.clinic import open_clinic
    from clinicdesk.jobs.worker import deliver_all

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    try:
        embedded = clinic.servers.embedded if clinic.servers else None
        own = embedded is not None and clinic.addresses.embedded_documents
        aside = clinic.renew_documents() if embedded and own and (new_store or embedded.documents_trouble) else None
        if aside:
            typer.echo(f"The old store is kept in {aside}.")
        clinic.documents.ensure()
        with Progress(TextColumn("Visits"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as bar:
            task = bar.add_task("Visits", total=None)
            sent = deliver_all(clinic.worker_database, again=True,
                               progress=lambda done, total: bar.update(task, completed=done, total=total))
    finally:
        clinic.close()
    typer.echo(f"{sent} visits were sent to the document server.")
