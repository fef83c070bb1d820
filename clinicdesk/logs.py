"""The application's own log: rotating, in the data folder, with where a bug happened but never the values it happened with."""

from __future__ import annotations

import logging
import logging.handlers
import traceback
from pathlib import Path
from types import TracebackType

LOG_FILE = "clinicdesk.log"


class PlaceFormatter(logging.Formatter):
    """Tracebacks by file, line and exception type. Messages of exceptions are left out: a driver puts a patient's values in them."""

    def formatException(self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]) -> str:  # noqa: N802
        error = ei[1]
        lines: list[str] = []
        while error is not None:
            lines += [f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
            lines.append(f"  {type(error).__module__}.{type(error).__qualname__}{_code(error)}")
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            if error is not None:
                lines.append("  after")
        return "\n".join(lines)


def _code(error: BaseException) -> str:
    code = getattr(error, "sqlstate", None) or getattr(error, "code", None)
    return f" [{code}]" if isinstance(code, str | int) else ""


def log_to_file(data_dir: Path, level: str) -> Path:
    """Send the log of this process to `log/clinicdesk.log` in the data folder (which exists); the file's path. Call once."""
    path = data_dir / "log" / LOG_FILE
    handler = logging.handlers.RotatingFileHandler(path, maxBytes=5_000_000, backupCount=3, encoding="utf-8", delay=True)
    handler.setFormatter(PlaceFormatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("pymongo", "procrastinate", "alembic", "sqlalchemy", "PIL", "fontTools"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    return path
