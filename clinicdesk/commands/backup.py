"""`clinicdesk backup FILE`, `backup rehearse [FILE]`, `backup verify FILE`, and `clinicdesk restore FILE --into FOLDER`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from clinicdesk.commands.options import OK, PROBLEMS, DataDir, Json, settings_for

if TYPE_CHECKING:
    from clinicdesk.services.backup_proofs import Proof

Show = Callable[[str, int, int], None]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup file.")]
_TAKE = "take"


class FileOrVerb(TyperGroup):
    """A group whose verb may be left out: what names none of the verbs is the FILE of `take`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the verb in where it was left out."""
        if args and args[0] != "--help" and not any(one in self.commands for one in args):
            args = [_TAKE, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=FileOrVerb, no_args_is_help=True, subcommand_metavar="FILE | rehearse [FILE] | verify FILE",
                  help="Encrypted backups of both databases: take one, check one, prove one by restoring it.")


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Show]:
    """A bar that says what is being done; nothing where a program reads or where there is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:24}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=quiet or not sys.stderr.isatty()) as bar:
        task = bar.add_task("Starting", total=None)
        yield lambda what, done, total: bar.update(task, description=what, completed=done, total=total)


@app.command(_TAKE, hidden=True)
def take(ctx: typer.Context, file: File, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Write an encrypted backup of both databases into FILE, which must not exist. Other desks go on working."""
    from clinicdesk import backups
    from clinicdesk.clinic import open_clinic
    from clinicdesk.rules.texts import size_words

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    try:
        with _progress(quiet=as_json) as show:
            taken = backups.back_up(clinic, file.expanduser().absolute(), show)
    finally:
        clinic.close()
    manifest = taken.manifest
    if as_json:
        typer.echo(json.dumps({"ok": not manifest.missing, "file": str(taken.path), "bytes": taken.size, "sha256": taken.sha256,
                               "rows": manifest.rows(), "visits": manifest.visits[0], "attachments": manifest.files[0],
                               "missing": manifest.missing}))
    else:
        typer.echo(f"{taken.path}: {size_words(taken.size)}, {manifest.rows():,} rows, {manifest.visits[0]:,} visit documents,"
                   f" {manifest.files[0]:,} attachments.")
        if manifest.missing:
            typer.echo(f"{len(manifest.missing)} documents could not be read from the document server. Run “clinicdesk documents check”.")
    raise typer.Exit(PROBLEMS if manifest.missing else OK)


@app.command()
def rehearse(
    ctx: typer.Context, file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Which backup; else the newest.")] = None, *,
    data_dir: DataDir = None, as_json: Json = False,
    certificate: Annotated[Path | None, typer.Option("--certificate", metavar="PDF", help="Write the one-page certificate here.")] = None,
) -> None:
    """Restore a backup onto scratch servers, compare every row and document, and keep the proof. Exit code 0: all equal, 1: not."""
    from clinicdesk import backups
    from clinicdesk.clinic import open_clinic
    from clinicdesk.services import backup_proofs

    clinic = open_clinic(settings_for(ctx, data_dir), worker=False)
    try:
        with _progress(quiet=as_json) as show:
            proof = backups.rehearse(clinic, file.expanduser().absolute() if file else None, show)
        if certificate is not None:
            with backups.book(clinic) as session:
                certificate.write_bytes(backup_proofs.certificate(session, proof))
    finally:
        clinic.close()
    if as_json:
        typer.echo(json.dumps({"ok": proof.ok, "file": proof.file_name, "bytes": proof.file_size, "sha256": proof.sha256,
                               "taken_at": proof.taken_at.isoformat(), "proved_at": proof.at.isoformat(), **proof.numbers}))
    else:
        _say(proof)
    raise typer.Exit(OK if proof.ok else PROBLEMS)


def _say(proof: Proof) -> None:
    numbers = proof.numbers
    if proof.ok:
        typer.echo(f"{proof.file_name} can be restored: {numbers['rows'][1]:,} rows, {numbers['visits'][1]:,} visit documents and"
                   f" {numbers['files'][1]:,} attachments came back equal, in {numbers['seconds']} seconds.")
        return
    typer.echo(f"{proof.file_name} did NOT come back as it was saved:", err=True)
    for problem in numbers["problems"]:
        typer.echo(f"  {problem}", err=True)


@app.command()
def verify(ctx: typer.Context, file: File, *, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Check every byte of a backup file against its seals. Exit code 0: whole, 1: damaged or of another key."""
    from clinicdesk import restoring
    from clinicdesk.errors import ClinicError

    settings = settings_for(ctx, data_dir)
    problem, found = "", None
    try:
        key = restoring.own_key(file, settings) or _asked_key()
        with _progress(quiet=as_json) as show:
            found = restoring.verify(file, restoring.vault_for(file, key, settings), show)
    except ClinicError as error:
        problem = error.sentence
    if as_json:
        typer.echo(json.dumps({"ok": not problem, "problem": problem, **({"bytes": found.size, "sha256": found.sha256, "parts": found.parts,
                               "taken_at": found.header.taken_at} if found else {})}))
    elif problem:
        typer.echo(problem, err=True)
    elif found:
        typer.echo(f"Whole: {found.parts:,} parts, {found.size:,} bytes, every one as it was written.")
    raise typer.Exit(PROBLEMS if problem else OK)


def restore(
    ctx: typer.Context, file: File, *,
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="A new or empty folder; it becomes the clinic's data folder.")],
    key: Annotated[bool, typer.Option("--key", help="Ask for the clinic key even when this computer holds it.")] = False,
    data_dir: DataDir = None, as_json: Json = False,
) -> None:
    """Restore a backup into a folder of its own. The key comes from this computer, or is asked for (or read from standard input)."""
    from clinicdesk import restoring

    settings = settings_for(ctx, data_dir)
    held = None if key else restoring.own_key(file, settings)
    with _progress(quiet=as_json) as show:
        done = restoring.restore(file, into, held or _asked_key(), settings, show)
    if as_json:
        typer.echo(json.dumps({"ok": True, "data_dir": str(done.data_dir), "taken_at": done.taken_at.isoformat(), "rows": done.rows,
                               "visits": done.visits, "attachments": done.files, "erased_again": done.erased, "caution": done.caution,
                               "seconds": done.seconds}))
        return
    typer.echo(f"{done.rows:,} rows, {done.visits:,} visit documents and {done.files:,} attachments are back, each compared.")
    if done.caution:
        typer.echo(done.caution, err=True)
    typer.echo(f'Open it with: clinicdesk --data-dir "{done.data_dir}"')


def _asked_key() -> bytes:
    from clinicdesk import restoring

    return restoring.typed_key(typer.prompt("Clinic key", err=True) if sys.stdin.isatty() else sys.stdin.read(1_000))
