"""`clinicdesk parse-sig`: a typed direction in structured form, or what is unclear in it. Needs no database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Annotated, Any

import typer

from clinicdesk.commands.options import OK, PROBLEMS, Json


def parse_sig(text: Annotated[str, typer.Argument(help="For example: amox 500 tid 7d")], *, as_json: Json = False) -> None:
    """Read a prescription line the way the consulting room does. Exit code 0: understood, 1: something is unclear."""
    from clinicdesk.paths import resource
    from clinicdesk.rules.formulary import read_formulary
    from clinicdesk.rules.shorthand import Unclear, parse

    found = parse(text, read_formulary(resource("medicines")))
    if isinstance(found, Unclear):
        typer.echo(json.dumps({"error": found.sentence}, ensure_ascii=False) if as_json else found.sentence)
        raise typer.Exit(PROBLEMS)
    if not as_json:
        typer.echo(" ".join(part for part in (found.medicine, found.strength, found.form) if part) or "No medicine named.")
        typer.echo(found.text)
        raise typer.Exit(OK)
    d = found.direction
    typer.echo(json.dumps({
        "medicine": found.medicine or None, "dose_value": _number(d.dose_value), "dose_unit": d.dose_unit or None,
        "route": d.route or None, "times_per_day": d.times_per_day, "every_hours": d.every_hours, "as_needed": d.as_needed,
        "max_per_day": _number(d.max_per_day), "duration_days": d.duration_days, "weekdays": list(d.weekdays), "text": found.text,
        "once": d.once, "min_interval_hours": d.min_interval_hours, "as_needed_for": d.as_needed_for or None,
        "strength": found.strength or None, "form": found.form or None,
    }, ensure_ascii=False))


def _number(value: Decimal | None) -> Any:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)
