"""What every verb accepts, and the settings that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from clinicdesk.config import Settings

DataDir = Annotated[Path | None, typer.Option("--data-dir", metavar="FOLDER", help="Where this clinic lives. Also CLINICDESK_DATA_DIR.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]

#: Exit codes: all is well, problems were found, cannot start or wrong usage, a bug of ours.
OK, PROBLEMS, CANNOT, BUG = 0, 1, 2, 70


def settings_for(ctx: typer.Context, data_dir: Path | None, **more: object) -> Settings:
    """The settings for a verb: its own options win over those before the verb. Makes the data folder and starts the log file."""
    from clinicdesk.config import load_settings, prepare_data_dir
    from clinicdesk.logs import log_to_file

    before: dict[str, object] = ctx.find_root().obj or {}
    own = {"data_dir": data_dir, **more}
    settings = load_settings(**{**before, **{name: value for name, value in own.items() if value is not None}})
    prepare_data_dir(settings.data_dir)
    log_to_file(settings.data_dir, settings.log_level)
    return settings
