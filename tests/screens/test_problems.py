"""Errors become sentences; a bug becomes an apology and a log line without anybody's data."""

from __future__ import annotations

import logging
import re
import sys
import threading
from typing import Any

import pytest
from PySide6.QtCore import qWarning

from clinicdesk.errors import ChangedElsewhere, Invalid, NotAllowed, SignedOut, SlotTaken, Unavailable
from ui.problems import Kind, Unexpected, explain


@pytest.mark.parametrize(("error", "kind"), [
    (Invalid("phone", "A phone number has 9 to 15 digits."), Kind.INLINE), (SlotTaken("Dr Ames has Mia Roe then."), Kind.INLINE),
    (NotAllowed(), Kind.TOAST), (ChangedElsewhere(), Kind.TOAST), (Unavailable("database", "No answer."), Kind.BANNER),
    (SignedOut(), Kind.SIGN_IN), (ValueError("x"), Kind.BUG)])
def test_each_error_has_its_place(error: Exception, kind: Kind) -> None:
    assert explain(error).kind is kind


def test_a_bug_is_logged_once_without_its_message(caplog: pytest.LogCaptureFixture) -> None:
    def consult(note: str) -> None:
        raise ValueError(note)

    try:
        try:
            consult("Mia Roe has a secret")
        except ValueError as inner:
            raise KeyError("p_abc123") from inner
    except KeyError as error:
        with caplog.at_level(logging.ERROR):
            first, second = explain(error), explain(error)
    number = re.search(r"[0-9A-F]{6}", first.advice)
    assert number is not None
    assert first == second
    assert len(caplog.records) == 1
    line = caplog.text
    assert number.group() in line
    assert "ValueError" in line and "KeyError" in line and "consult" in line
    assert "Mia" not in line and "p_abc123" not in line


def test_uncaught_errors_arrive_on_the_gui_thread(qtbot: Any, caplog: pytest.LogCaptureFixture) -> None:
    unexpected = Unexpected()
    try:
        with qtbot.waitSignal(unexpected.happened) as happened:
            worker = threading.Thread(target=lambda: 1 // 0)
            worker.start()
            worker.join()
        assert isinstance(happened.args[0], ZeroDivisionError)
        with qtbot.waitSignal(unexpected.happened):
            sys.excepthook(ValueError, ValueError("x"), None)
        with caplog.at_level(logging.WARNING):
            qWarning("QWidget::setLayout: something about Mia Roe")
        assert "QWidget::setLayout" in caplog.text
        assert "Mia" not in caplog.text
    finally:
        unexpected.restore()
    assert sys.excepthook != unexpected._hook
