"""`clinicdesk check`: what is wrong with folder, secrets, servers and tables, and what to do."""

from __future__ import annotations

import json

import typer

from clinicdesk.commands.options import CANNOT, OK, PROBLEMS, DataDir, Json, settings_for

_MARKS = {"ok": "ok     ", "warning": "warning", "problem": "PROBLEM"}


def check(ctx: typer.Context, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Look at everything this clinic needs. Exit code 0: usable, 1: problems, 2: cannot start."""
    from clinicdesk.errors import CannotStart

    try:
        settings = settings_for(ctx, data_dir)
    except CannotStart as error:
        if not as_json:
            raise
        typer.echo(json.dumps({"ok": False, "checks": [_row("settings", error.code, error.sentence, error.advice, level="problem")]}))
        raise typer.Exit(CANNOT) from None
    from clinicdesk.storage.health import examine

    report = examine(settings)
    if as_json:
        typer.echo(json.dumps({
            "ok": report.ok, "data_dir": report.data_dir, "database": report.database, "documents": report.documents,
            "versions": report.versions, "visit_documents": report.visit_documents, "undelivered_visits": report.undelivered_visits,
            "undelivered_attachments": report.undelivered_attachments,
            "checks": [_row(one.name, one.code, one.sentence, one.advice, level=one.level) for one in report.findings],
        }, ensure_ascii=False, indent=1))
    else:
        for one in report.findings:
            typer.echo(f"{_MARKS[one.level]}  {one.name}: {one.sentence}")
            if one.advice:
                typer.echo(f"         → {one.advice}")
        typer.echo("Versions: " + ", ".join(f"{name} {version}" for name, version in report.versions.items()))
    raise typer.Exit(OK if report.ok else PROBLEMS)


def _row(name: str, code: str, sentence: str, advice: str, *, level: str) -> dict[str, object]:
    return {"name": name, "ok": level != "problem", "level": level, "code": code, "sentence": sentence, "advice": advice}
