"""The application's own log: rotating, in the data folder, with where a bug happened but never the values it happened with."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
import traceback
from pathlib import Path
from types import TracebackType

LOG_FILE = "clinicdesk.log"
log = logging.getLogger(__name__)
#: Loggers whose words are our own. What a library says may quote a patient's values (asyncio prints a lost exception, a driver its
#: parameters): of that only the place where it was said is written.
_OURS = ("clinicdesk", "ui", "qt")


class PlaceFormatter(logging.Formatter):
    """Tracebacks by file, line and exception type. Messages of exceptions are left out: a driver puts a patient's values in them."""

    def format(self, record: logging.LogRecord) -> str:
        own = logging.makeLogRecord(record.__dict__)
        own.exc_text = None  # what another handler made of it has the message in it
        if record.name.partition(".")[0] not in _OURS:
            own.msg, own.args = f"said in {record.pathname}:{record.lineno} {record.funcName}", None
        return super().format(own)

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


class LogFile(logging.handlers.RotatingFileHandler):
    """The log's file. What cannot be written (disk full, folder gone) is said on standard error by its kind alone: logging's own way prints
    the record and every exception it came from, with the patient's values in them."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        kind = sys.exc_info()[0]
        if sys.stderr is not None:  # a program without a console has none
            print(f"A line of {record.name} could not be written to the log: {kind.__name__ if kind else 'unknown'}.", file=sys.stderr)


def log_uncaught() -> None:
    """From now on what nobody catches in a thread or while an object is taken away goes to the log, by places; Python's own hooks print the
    message to standard error, which a service manager keeps. The windows have hooks of their own (`ui.problems.Unexpected`)."""
    def in_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            log.critical("nobody caught this in a thread", exc_info=args.exc_value)

    threading.excepthook = in_thread
    sys.unraisablehook = lambda lost: log.critical("nobody could catch this", exc_info=lost.exc_value)


def log_to_file(data_dir: Path, level: str) -> Path:
    """Send the log of this process to `log/clinicdesk.log` in the data folder (which exists); the file's path. Called again, the log goes
    there instead of where it went before."""
    path = data_dir / "log" / LOG_FILE
    root = logging.getLogger()
    for earlier in [one for one in root.handlers if isinstance(one, LogFile)]:
        root.removeHandler(earlier)
        earlier.close()
    handler = LogFile(path, maxBytes=5_000_000, backupCount=3, encoding="utf-8", delay=True)
    handler.setFormatter(PlaceFormatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"))
    root.addHandler(handler)
    root.setLevel(level)
    for noisy in ("pymongo", "procrastinate", "alembic", "sqlalchemy", "PIL", "fontTools"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    return path
