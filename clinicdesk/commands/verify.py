"""`clinicdesk verify`: is this paper genuine? Without servers, without a network."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from clinicdesk.commands.options import CANNOT, OK, PROBLEMS, DataDir, Json

#: Without one nobody's key is known; what was altered is found all the same where the file carries its key.
NO_LIST = "This computer has no trust list. Export one in ClinicDesk (“Check a paper”) and give it with --trust."


def verify(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(metavar="FILE|TEXT", help="A PDF, a scan or photo, or the text of codes; - reads text.")],
    *,
    trust: Annotated[Path | None, typer.Option("--trust", metavar="FILE", help="The trust list; else that of the data folder.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say whether a paper is valid, altered (and what), of an unknown key, or cancelled.

    Exit code 0: valid. 1: altered, cancelled or unknown key. 2: nothing could be checked, or the trust list cannot be used.
    """
    from clinicdesk.config import load_settings
    from clinicdesk.verifying.papers import check
    from clinicdesk.verifying.trust import TRUST_FILE, Trust, load

    before = (ctx.find_root().obj or {}).get("data_dir")
    folder = data_dir or before
    place = trust or (load_settings(**({"data_dir": folder} if folder else {})).data_dir / TRUST_FILE)
    known = load(place) if trust or place.exists() else Trust()
    verdict = check(typer.get_text_stream("stdin").read() if what == "-" else what, known)
    if not known.keys:
        verdict = replace(verdict, notes=(*verdict.notes, NO_LIST))
    if as_json:
        shown = asdict(verdict) | {"sentence": verdict.sentence, "clinic": known.clinic, "trust_list_of": known.made,
                                   "differences": [asdict(one) | {"sentence": one.sentence()} for one in verdict.differences],
                                   "details": [{"what": label, "value": value} for label, value in verdict.details]}
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=1))
    else:
        typer.echo(verdict.status.upper())
        typer.echo(verdict.sentence)
        for one in verdict.differences:
            typer.echo(f"  Different: {one.sentence()}")
        for label, value in (("Number", verdict.number), ("Signed by", verdict.signed_by), ("Key", verdict.key), ("Issued", verdict.at),
                             ("Cancelled", verdict.cancelled_at)):
            if value:
                typer.echo(f"{label}: {value}")
        for label, value in verdict.details:
            typer.echo(f"  {label}: {value}")
        for note in verdict.notes:
            typer.echo(f"Note: {note}")
        if known.made:
            typer.echo(f"Trust list of {known.clinic or 'a clinic'}, {known.made[:16].replace('T', ' ')}.")
    raise typer.Exit(OK if verdict.status == "valid" else CANNOT if verdict.status == "not checked" else PROBLEMS)
