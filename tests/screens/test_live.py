"""Notices become coalesced signals; panels refresh when visible, later when hidden, and never under somebody's fingers."""

from __future__ import annotations

import threading
from typing import Any

from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from ui.live import HOLDS_REFRESH, Live, RefreshWhenShown, concerns


def test_notices_are_coalesced(live: Live, qtbot: Any) -> None:
    seen: list[str] = []
    live.changed.connect(seen.append)
    workers = [threading.Thread(target=live.on_notice, args=(f"appointments 2026-11-2{n % 2}",)) for n in range(20)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    qtbot.waitUntil(lambda: len(seen) == 2)
    assert sorted(seen) == ["appointments 2026-11-20", "appointments 2026-11-21"]


def test_topics_match_by_whole_words() -> None:
    assert concerns("appointments 2026-11-21", ["appointments"])
    assert concerns("appointments 2026-11-21", ["appointments 2026-11-21"])
    assert not concerns("appointments 2026-11-22", ["appointments 2026-11-21"])
    assert not concerns("visits", ["visit"])
    assert concerns("*", ["anything"])


def test_a_hidden_panel_waits_until_it_is_shown(live: Live, qtbot: Any) -> None:
    panel, refreshed = QWidget(), []
    qtbot.addWidget(panel)
    watcher = RefreshWhenShown(panel, live, ["appointments"], lambda: refreshed.append(1))
    assert not refreshed
    panel.show()
    qtbot.waitUntil(lambda: len(refreshed) == 1)
    live.on_notice("patients p_abc123")
    live.on_notice("appointments 2026-11-21")
    qtbot.waitUntil(lambda: len(refreshed) == 2)
    panel.hide()
    live.on_notice("appointments 2026-11-21")
    qtbot.waitUntil(lambda: watcher.stale)
    assert len(refreshed) == 2
    panel.show()
    qtbot.waitUntil(lambda: len(refreshed) == 3)


def test_nothing_refreshes_under_a_typing_person(live: Live, qtbot: Any) -> None:
    panel, refreshed = QWidget(), []
    qtbot.addWidget(panel)
    layout = QVBoxLayout(panel)
    field, find = QLineEdit(), QLineEdit()
    field.setProperty(HOLDS_REFRESH, True)
    layout.addWidget(field)
    layout.addWidget(find)
    watcher = RefreshWhenShown(panel, live, ["appointments"], lambda: refreshed.append(1))
    panel.show()
    qtbot.waitUntil(lambda: len(refreshed) == 1)
    panel.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    live.on_notice("appointments 2026-11-21")
    qtbot.waitUntil(lambda: watcher.stale)
    assert len(refreshed) == 1
    find.setFocus()
    qtbot.waitUntil(lambda: len(refreshed) == 2)
    live.on_notice("appointments 2026-11-21")
    qtbot.waitUntil(lambda: len(refreshed) == 3)
