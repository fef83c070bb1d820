"""What every screen test is given: the theme, a desk over a fake clinic with an inline pool, and the rule that Qt's warnings fail."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from typing import Any

import pytest
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication, QWidget

from clinicdesk.services.people import Me
from tests.screens.office import office
from ui.desk import Desk
from ui.live import Live
from ui.tasks import Pool
from ui.theme import Theme

__all__ = ["office"]

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
ALLOWED = re.compile(r"This plugin does not support|propagateSizeHints|XDG_RUNTIME_DIR")
MORNING = datetime(2026, 11, 20, 10, 12, tzinfo=UTC)
TODAY = date(2026, 11, 20)


class FakeClinic:
    """Services are plain functions; `session` is this object. `opened` lists the transactions in order."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str]] = []
        self.error: Exception | None = None

    @contextmanager
    def read(self, token: str) -> Iterator[Any]:
        self.opened.append(("read", token))
        if self.error:
            raise self.error
        yield self

    def perform(self, token: str, work: Any) -> Any:
        self.opened.append(("write", token))
        if self.error:
            raise self.error
        return work(self)


@pytest.fixture(autouse=True)
def _no_qt_warnings(qtlog: Any) -> Iterator[None]:
    yield
    found = [record.message for record in qtlog.records if record.log_type_name != "QtDebugMsg" and not ALLOWED.search(record.message)]
    assert not found, found


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    return Theme(qapp, mode="light")


@pytest.fixture
def me() -> Me:
    return Me(1, "rosa", "Rosa Lind", "receptionist", None, None)


@pytest.fixture
def clinic() -> FakeClinic:
    return FakeClinic()


@pytest.fixture
def live(qapp: QApplication) -> Iterator[Live]:
    live = Live(coalesce_ms=1)
    yield live
    live.deleteLater()


@pytest.fixture
def desk(clinic: FakeClinic, me: Me, live: Live, theme: Theme) -> Iterator[Desk]:
    pool = Pool(inline=True)
    desk = Desk(clinic, "token", me, live=live, pool=pool, theme=theme)
    yield desk
    pool.close()
    desk.deleteLater()


def shown(widget: QWidget, qtbot: Any, size: QSize | None = None) -> QWidget:
    """Show a widget in its own active window for this test."""
    qtbot.addWidget(widget)
    widget.resize(size or QSize(700, 500))
    widget.show()
    widget.activateWindow()
    return widget
