"""`clinicdesk audit verify`: whether the log of who did what is as it was written, and if not, where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from clinicdesk.commands.options import OK, PROBLEMS, DataDir, Json, settings_for

app = typer.Typer(help="The audit log: every reading, change, print, export and sign-in.", no_args_is_help=True)


@app.command()
def verify(
    ctx: typer.Context, *, data_dir: DataDir = None, as_json: Json = False,
    anchor_files: Annotated[list[Path] | None, typer.Option("--anchors", metavar="FILE", help="Also these anchors.")] = None,
) -> None:
    """Read the whole log and compare it with every anchor. Exit code 0: as it was written, 1: not, 2: it could not be read."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from clinicdesk.clinic import open_clinic
    from clinicdesk.services import auditing

    settings = settings_for(ctx, data_dir)
    clinic = open_clinic(settings, worker=False)
    try:
        with (clinic.worker_database.read() as session,
              Progress(TextColumn("Events"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), disable=as_json) as bar):
            task = bar.add_task("Events", total=None)
            proof = auditing.prove(session, [settings.data_dir / auditing.ANCHORS, *(anchor_files or [])],
                                   lambda done, total: bar.update(task, completed=done, total=total))
    finally:
        clinic.close()
    verdict = proof.verdict
    if as_json:
        typer.echo(json.dumps({
            "ok": verdict.intact, "events": verdict.events, "head": verdict.head, "head_hash": verdict.head_hash.hex(),
            "anchors": verdict.anchors, "anchors_missing": list(proof.away), "seconds": round(proof.seconds, 3), "found": verdict.found,
            "restores": [{"head": one.seq, "at": one.at.isoformat()} for one in proof.restored],
            "findings": [{"kind": one.kind, "seq": one.seq, "event": one.event_id, "sentence": one.sentence} for one in verdict.findings],
        }, ensure_ascii=False, indent=1))
    else:
        for one in verdict.findings:
            typer.echo(f"{one.kind.upper()}: {one.sentence}")
        for restore in proof.restored:
            typer.echo(f"A backup whose log ended at number {restore.seq} was put in place on {restore.at:%Y-%m-%d %H:%M} UTC.")
        typer.echo(f"{verdict.events:,} events, {verdict.anchors:,} anchors"
                   + (f" (none found in: {', '.join(proof.away)})" if proof.away else "")
                   + (": the log is as it was written." if verdict.intact else f": {verdict.found:,} findings."))
    raise typer.Exit(OK if verdict.intact else PROBLEMS)
