"""`clinicdesk documents status|check|rebuild`: the visit documents, which can always be made again, and the attachments, which cannot."""

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
    from clinicdesk.services import attachments, visits

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    try:
        with clinic.worker_database.read() as session:
            known, waiting = visits.total(session), visits.waiting_count(session)
            files, files_waiting = attachments.counts(session)
        sentence = ""
        stored = files_stored = None
        try:
            clinic.documents.ping()
            stored, files_stored = clinic.documents.count(), clinic.documents.count_files()
        except ClinicError as error:
            trouble = clinic.servers.embedded.documents_trouble if clinic.servers and clinic.servers.embedded else None
            sentence, advice = (trouble.sentence, trouble.advice) if trouble else (error.sentence, error.advice)
    finally:
        clinic.close()
    fine = stored is not None and stored >= known and not waiting
    fine = fine and files_stored is not None and files_stored >= files and not files_waiting
    if as_json:
        found = {"ok": fine, "visits": known, "waiting": waiting, "documents": stored, "problem": sentence,
                 "attachments": files, "attachments_waiting": files_waiting, "attachments_stored": files_stored}
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo(f"{known} visits in the database; {waiting} wait to be delivered.")
        if stored is None:
            typer.echo(f"{sentence} {advice}")
        else:
            typer.echo(f"{stored} documents." if stored >= known else
                       f"{stored} documents: some are missing. Run “clinicdesk documents rebuild”.")
        typer.echo(f"{files} attachments in the database; {files_waiting} wait to be delivered.")
        if files_stored is not None and files_stored < files - files_waiting:
            typer.echo(f"{files_stored} attachments in the document server: some are missing. Run “clinicdesk documents check”.")
    raise typer.Exit(OK if fine else PROBLEMS)


@app.command()
def check(ctx: typer.Context, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Read every delivered attachment back and compare its checksum. Exit code 0: all are as they were, 1: some are not, or no server."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from clinicdesk.clinic import open_clinic
    from clinicdesk.errors import Unavailable
    from clinicdesk.services import attachments

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    bad, problem = [], ""
    try:
        with (clinic.worker_database.read() as session,
              Progress(TextColumn("Attachments"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=as_json) as bar):
            task = bar.add_task("Attachments", total=None)
            files, waiting = attachments.counts(session)
            bad = attachments.broken(session, lambda done, total: bar.update(task, completed=done, total=total))
    except Unavailable as error:
        problem = f"{error.sentence} {error.advice}"
    finally:
        clinic.close()
    fine = not bad and not problem
    if as_json:
        found = {"ok": fine, "checked": 0 if problem else files - waiting, "broken": [str(one) for one in bad], "problem": problem}
        typer.echo(json.dumps(found, ensure_ascii=False))
    elif problem:
        typer.echo(problem)
    else:
        typer.echo(f"{files - waiting} attachments read; {len(bad)} are missing or not as they were put in.")
        for one in bad:
            typer.echo(f"  {one}")
        if bad:
            typer.echo("Restore the document server's files from a backup: attachments cannot be made again from the database.")
    raise typer.Exit(OK if fine else PROBLEMS)


@app.command()
def rebuild(
    ctx: typer.Context, *, data_dir: DataDir = None,
    new_store: Annotated[bool, typer.Option("--new-store", help="Begin with an empty store even when the old one works.")] = False,
) -> None:
    """Send every visit to the document server again. An own store that is broken is put aside first (never deleted) and made new."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from clinicdesk.clinic import open_clinic
    from clinicdesk.jobs.worker import deliver_all, deliver_files
    from clinicdesk.services import attachments

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
        files = deliver_files(clinic.worker_database)
        with clinic.worker_database.read() as session:
            missing = len(attachments.broken(session))
    finally:
        clinic.close()
    typer.echo(f"{sent} visits were sent to the document server." + (f" So were {files} attachments that waited." if files else ""))
    if missing:
        typer.echo(f"{missing} attachments are not in this store. Their only copies are in the old store and in backups.")
