"""`clinicdesk check-medicines`: the checks of the consulting room for a case in a file. Needs no database and no server.

Medicines a clinic imported count where its data folder is named.
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clinicdesk.commands.options import CANNOT, OK, DataDir, Json

if TYPE_CHECKING:
    from clinicdesk.rules.safety import Alert

_MARKS = {1: "STOP  ", 2: "LOOK  ", 3: "note  "}


def check_medicines(file: Annotated[str, typer.Argument(metavar="FILE", help="A JSON case or list of cases; - reads standard input.")], *,
                    as_json: Json = False, data_dir: DataDir = None) -> None:
    """Check medicines against allergies, other medicines and facts of a patient. Exit code 0: it ran, 2: the file is wrong."""
    from clinicdesk.errors import Invalid
    from clinicdesk.interchange.medicine_cases import read_cases
    from clinicdesk.rules.checks import check
    from clinicdesk.rules.imported_medicines import clinic_knowledge

    try:
        cases, many = read_cases(_read(file), datetime.now().astimezone().date())
    except Invalid as error:
        typer.echo(error.sentence, err=True)
        raise typer.Exit(CANNOT) from None
    knowledge = clinic_knowledge(data_dir)
    found = [check(case.facts, case.lines, knowledge) for case in cases]
    if as_json:
        answers = [{"alerts": [_row(alert) for alert in alerts]} for alerts in found]
        typer.echo(json.dumps(answers if many else answers[0], ensure_ascii=False, indent=1))
    else:
        for number, alerts in enumerate(found, 1):
            if many:
                typer.echo(f"Case {number}")
            _tell(alerts)
    raise typer.Exit(OK)


def _read(file: str) -> str:
    from clinicdesk.errors import Invalid

    try:
        if file == "-":
            return sys.stdin.buffer.read().decode("utf-8-sig")
        with open(file, "rb") as source:  # noqa: PTH123  the name may be relative to anything
            return source.read().decode("utf-8-sig")
    except OSError as error:
        raise Invalid("file", f"{file} cannot be read: {error.strerror or error}.") from None
    except UnicodeDecodeError:
        raise Invalid("file", f"{file} is not text in UTF-8.") from None


def _row(alert: Alert) -> dict[str, Any]:
    return {"rule": alert.rule, "tier": alert.tier, "medicine": alert.medicine, "sentence": alert.sentence, "advice": alert.advice,
            "other": alert.other, "facts": list(alert.facts), "source": alert.source, "data_date": alert.data_date, "key": alert.key,
            "approved": alert.approved}


def _tell(alerts: tuple[Alert, ...]) -> None:
    if not alerts:
        typer.echo("Nothing was found.")
    for alert in alerts:
        typer.echo(f"{_MARKS[alert.tier]}{alert.sentence}")
        for line in (alert.advice, *alert.facts, f"Source: {alert.source}; table of {alert.data_date}, {alert.approved}."):
            if line:
                typer.echo(f"        {line}")
