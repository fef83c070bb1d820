"""`clinicdesk import synthea DIR`: patients of another system become patients of this clinic; `import rxnorm DIR`: names of medicines."""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from clinicdesk.commands.options import CANNOT, OK, PROBLEMS, DataDir, Json, settings_for

if TYPE_CHECKING:
    from rich.progress import Progress

    from clinicdesk.clinic import Clinic
    from clinicdesk.interchange.rxnorm import RxNormReport
    from clinicdesk.services.importing import ImportReport, Transaction
    from clinicdesk.storage.database import ClinicSession

app = typer.Typer(help="Bring patients or names of medicines in from files of other systems.", no_args_is_help=True)

#: An administrator's session is kept alive this often, in seconds, while a long import runs.
_RENEW = 60
_SHOWN = 5


@app.command()
def synthea(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="A folder of Synthea CSV files.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Do everything, then take it back: nothing is written.")] = False,
    as_json: Json = False,
    report_file: Annotated[Path | None, typer.Option("--report", metavar="FILE", dir_okay=False, help="Where the report goes.")] = None,
    user: Annotated[str | None, typer.Option("--user", metavar="NAME", help="Administrator, where the database is shared.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Import patients with allergies, conditions, medications, immunizations, vital signs and encounters. Again adds only what is new.

    Exit code 0: done (refused lines are in the report), 1: nothing could be read, 2: cannot start.
    """
    from clinicdesk.clinic import open_clinic
    from clinicdesk.errors import ClinicError
    from clinicdesk.interchange.synthea import count_patients

    started = time.monotonic()
    try:
        total = count_patients(folder)
    except ClinicError as error:
        if as_json:
            typer.echo(json.dumps({"ok": False, "dry_run": dry_run, "sentence": error.sentence, "advice": error.advice}))
        else:
            typer.echo(f"{error.sentence} {error.advice}", err=True)
        raise typer.Exit(PROBLEMS) from None
    settings = settings_for(ctx, data_dir)
    clinic = open_clinic(settings, worker=False)
    try:
        report = _run(clinic, _transactions(clinic, user), folder, total, dry_run=dry_run, quiet=as_json)
    finally:
        clinic.close()
    taken = report.patients.added + report.patients.known
    outcome = {"ok": taken > 0, "dry_run": dry_run, "patients": asdict(report.patients),
               "rows": {kind: asdict(tally) for kind, tally in report.rows.items()},
               "refused": [asdict(refusal) for refusal in report.refused], "seconds": round(time.monotonic() - started, 2)}
    if report_file is None and report.refused and not dry_run and not as_json:
        report_file = settings.data_dir / "reports" / f"import-{datetime.now():%Y%m%d-%H%M%S}.json"  # noqa: DTZ005  the desk's own clock
    if report_file is not None:
        report_file.parent.mkdir(parents=True, exist_ok=True)
        report_file.write_text(json.dumps(outcome, ensure_ascii=False, indent=1), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(outcome, ensure_ascii=False))
    else:
        _tell(report, report_file)
    raise typer.Exit(OK if taken else PROBLEMS)


@app.command()
def rxnorm(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", exists=True, file_okay=False, help="RxNorm’s prescribable content, unpacked.")],
    *,
    as_json: Json = False,
    data_dir: DataDir = None,
) -> None:
    """Import names, forms and strengths of medicines. The checks know them by the ingredients of the shipped tables.

    Exit code 0: done, 1: nothing could be taken, 2: the folder is wrong. The import before is replaced as a whole.
    """
    from clinicdesk.errors import Invalid
    from clinicdesk.interchange.rxnorm import RxNormReport, files_of, read_rxnorm
    from clinicdesk.rules.imported_medicines import FILE, write_imported
    from clinicdesk.rules.knowledge import shipped

    started = time.monotonic()
    known, report = shipped(), RxNormReport()
    try:
        total = sum(path.stat().st_size for path in files_of(folder))
        settings = settings_for(ctx, data_dir)
        ingredients = {m.name: m.ingredients for m in known.medicines.values()}
        with _bar("Reading RxNorm", quiet=as_json) as bar:
            task = bar.add_task("", total=total)
            found = list(read_rxnorm(folder, known.names, ingredients, report, lambda more: bar.advance(task, more)))
    except Invalid as error:
        typer.echo(json.dumps({"ok": False, "sentence": error.sentence}) if as_json else error.sentence, err=not as_json)
        raise typer.Exit(CANNOT) from None
    if found:
        write_imported(settings.data_dir / FILE, found)
    if as_json:
        typer.echo(json.dumps({"ok": bool(found), "read": report.read, "taken": report.taken, "left_out": report.left_out,
                               "examples": report.examples, "seconds": round(time.monotonic() - started, 2)}, ensure_ascii=False))
    else:
        _tell_medicines(report)
    raise typer.Exit(OK if found else PROBLEMS)


def _bar(caption: str, *, quiet: bool) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(TextColumn(caption), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), console=Console(stderr=True),
                    disable=quiet)


def _tell_medicines(report: RxNormReport) -> None:
    words = {"SCD": "clinical medicines", "SBD": "branded medicines", "BN": "brand names"}
    for kind, word in words.items():
        typer.echo(f"{word}: {report.taken[kind]:,} taken of {report.read[kind]:,}")
    for reason, count in report.left_out.items():
        typer.echo(f"{count:,} × {reason}, for example {', '.join(report.examples[reason][:3])}")
    typer.echo("They are offered when the application is next opened.")


def _transactions(clinic: Clinic, user: str | None) -> Transaction:
    """As the owner of the tables where this computer is; else as an administrator, who proves it first."""
    from clinicdesk.clinic import HalfSignedIn
    from clinicdesk.errors import NotAllowed, SecondFactorNeeded

    if clinic.may_own:
        return clinic.as_owner
    username = user or str(typer.prompt("Administrator's user name"))
    try:
        signed_in = clinic.sign_in(username, str(typer.prompt("Password", hide_input=True)))
    except SecondFactorNeeded as needed:
        if needed.needs != "code" or not isinstance(needed.half, HalfSignedIn):
            raise
        signed_in = clinic.give_code(needed.half, str(typer.prompt("Code of your authenticator")))
    if signed_in.me.role != "administrator":
        clinic.sign_out(signed_in.token)
        raise NotAllowed("Only an administrator imports patients.")
    renewed = time.monotonic()

    def opened() -> AbstractContextManager[ClinicSession]:
        nonlocal renewed
        if time.monotonic() - renewed > _RENEW:
            clinic.renew(signed_in.token)
            renewed = time.monotonic()
        return clinic.write(signed_in.token)

    return opened


def _run(clinic: Clinic, opened: Transaction, folder: Path, total: int, *, dry_run: bool, quiet: bool) -> ImportReport:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from clinicdesk.interchange.synthea import read_synthea
    from clinicdesk.services.importing import import_patients

    found = read_synthea(folder, datetime.now(clinic.zone).date())
    columns = (TextColumn("Importing patients"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("", total=total)
        return import_patients(opened, found, dry_run=dry_run, progress=lambda done: bar.update(task, completed=done))


def _tell(report: ImportReport, report_file: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("", "read", "added", "already here", "refused", title="Dry run: nothing was written" if report.dry_run else None)
    for name, tally in (("patients", report.patients), *report.rows.items()):
        table.add_row(name, *(f"{number:,}" for number in (tally.read, tally.added, tally.known, tally.refused)))
    console = Console(highlight=False)
    console.print(table)
    if report.patients.added + sum(tally.added for tally in report.rows.values()) == 0 and report.patients.known:
        console.print("Nothing is new: everything was here already.")
    for refusal in report.refused[:_SHOWN]:
        console.print(f"Refused: {refusal.file} line {refusal.line}: {refusal.reason}", markup=False)
    if len(report.refused) > _SHOWN:
        console.print(f"… and {len(report.refused) - _SHOWN:,} more refused lines.")
    if report_file is not None:
        console.print(f"The full report is in {report_file}", markup=False, soft_wrap=True)
