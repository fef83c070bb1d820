"""The only place where an exception becomes words on the screen.

Two kinds: the world went wrong (`ClinicError`: its own sentence and advice) or we did (anything else: an apology and a reference
number; the log gets the type and the frames under that number, never message, arguments or locals, which may hold patient data).
"""

from __future__ import annotations

import contextlib
import logging
import re
import secrets
import sys
import threading
import traceback
from collections.abc import Callable
from enum import Enum
from types import TracebackType
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication, QMessageLogContext, QObject, Qt, QtMsgType, Signal, qInstallMessageHandler

from clinicdesk.errors import ChangedElsewhere, ClinicError, Invalid, NotAllowed, SignedOut, SignInRefused, SlotTaken, Unavailable

log = logging.getLogger("clinicdesk.ui")
_REFERENCE = "clinicdesk_reference"
#: How Qt begins a message: the class and function that says it.
_SPEAKER = re.compile(r"Q[A-Za-z]+(::~?[A-Za-z]+)+")


class Kind(Enum):
    """Where a problem belongs."""

    INLINE = "at the field or in the form that asked"
    TOAST = "one line that goes away"
    DIALOG = "a box that waits"
    BANNER = "the connection banner of the main window"
    SIGN_IN = "the lock over the window, keeping the work"
    BUG = "a box with an apology and a reference number"


class Explained(NamedTuple):
    """A problem in words: what happened, what to do (may be empty), and where to say it."""

    sentence: str
    advice: str
    kind: Kind

    @property
    def text(self) -> str:
        """Sentence and advice in one line."""
        return f"{self.sentence} {self.advice}".strip()


def tr(text: str) -> str:
    """Translate in the context of this module."""
    return QCoreApplication.translate("problems", text)


def explain(error: BaseException) -> Explained:
    """Say what happened. A bug is logged once, under the reference number in its advice."""
    if not isinstance(error, ClinicError):
        advice = tr("Nothing was saved by this step. If it happens again, tell your administrator this reference: {0}.")
        return Explained(tr("Sorry, something went wrong inside ClinicDesk."), advice.format(reference(error)), Kind.BUG)
    if isinstance(error, (Invalid, SlotTaken, SignInRefused)):
        kind = Kind.INLINE
    elif isinstance(error, Unavailable):
        kind = Kind.BANNER
    elif isinstance(error, SignedOut):
        kind = Kind.SIGN_IN
    else:
        kind = Kind.TOAST if isinstance(error, (NotAllowed, ChangedElsewhere)) else Kind.DIALOG
    return Explained(error.sentence, error.advice, kind)


def reference(error: BaseException) -> str:
    """The reference number of a bug; the first call writes its frames to the log."""
    known: str | None = getattr(error, _REFERENCE, None)
    if known is not None:
        return known
    number = secrets.token_hex(3).upper()
    with contextlib.suppress(AttributeError):  # an exception class with slots: it is only logged twice
        setattr(error, _REFERENCE, number)
    log.error("bug %s: %s", number, frames(error))
    return number


def frames(error: BaseException) -> str:
    """Exception types and code places, causes included: what a programmer needs and no patient's data."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(current.__traceback__)]
        parts.append(" < ".join([type(current).__qualname__, *reversed(places)]))
        current = current.__cause__ or current.__context__
    return " | caused by ".join(parts)


class Unexpected(QObject):
    """Catches what nobody caught: `sys.excepthook`, `threading.excepthook`, `sys.unraisablehook` and Qt's own messages (to the log).

    Signal `happened(error)` on the GUI thread. `restore()` puts the earlier hooks back.
    """

    happened = Signal(object)
    _caught = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._caught.connect(self.happened, Qt.ConnectionType.QueuedConnection)
        self._before: tuple[Any, Any, Any] = (sys.excepthook, threading.excepthook, sys.unraisablehook)
        self._qt_before: Callable[..., object] | None = qInstallMessageHandler(_log_qt_message)
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook
        sys.unraisablehook = _log_unraisable

    def restore(self) -> None:
        """Undo the constructor."""
        sys.excepthook, threading.excepthook, sys.unraisablehook = self._before
        qInstallMessageHandler(self._qt_before)

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, KeyboardInterrupt):
            QCoreApplication.quit()
        elif isinstance(error, Exception):
            if not isinstance(error, ClinicError):
                reference(error)
            self._caught.emit(error)
        else:
            sys.__excepthook__(kind, error, trace)

    def _thread_hook(self, args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
            self._hook(args.exc_type, args.exc_value, args.exc_traceback)


def _log_unraisable(lost: sys.UnraisableHookArgs) -> None:
    """While an object was being taken away: no person can be told, and the work goes on."""
    if lost.exc_value is not None:
        reference(lost.exc_value)


def _log_qt_message(kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
    """Which function of Qt complains; what it says may quote what stands in a field."""
    levels = {QtMsgType.QtDebugMsg: logging.DEBUG, QtMsgType.QtInfoMsg: logging.INFO, QtMsgType.QtWarningMsg: logging.WARNING}
    category = getattr(context, "category", None) or "default"
    speaker = _SPEAKER.match(text)
    logging.getLogger("qt").log(levels.get(kind, logging.ERROR), "%s: %s", category, speaker.group() if speaker else "a message")
