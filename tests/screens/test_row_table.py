"""Lists: selection and scroll survive a refresh, sorting, keys, menu, empty, large."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from tests.screens.conftest import shown
from ui.row_table import ROW_HEIGHT, Column, RowTable
from ui.theme import Theme
from ui.widgets.empty import EmptyState

COLUMNS = [Column[tuple[int, str]]("Name", lambda r: r[1], kind="strong"),
           Column[tuple[int, str]]("Number", lambda r: f"{r[0]:,}", sort=lambda r: r[0], align="right", width=100)]


def table(theme: Theme, qtbot: Any, rows: list[tuple[int, str]]) -> RowTable[tuple[int, str]]:
    made = RowTable(theme, COLUMNS, lambda r: r[0], name="People", empty=EmptyState(theme, "Nobody yet."))
    shown(made, qtbot)
    made.show_rows(rows)
    return made


def test_a_refresh_keeps_selection_and_scroll(theme: Theme, qtbot: Any) -> None:
    made = table(theme, qtbot, [(n, f"Person {n:03}") for n in range(200)])
    told: list[Any] = []
    made.selected.connect(told.append)
    made.select(120)
    made.verticalScrollBar().setValue(100 * ROW_HEIGHT)
    made.show_rows([(-1, "New one"), *((n, f"Changed {n:03}") for n in range(200))])
    assert made.record() == (120, "Changed 120")
    assert made.verticalScrollBar().value() == 101 * ROW_HEIGHT
    made.show_rows([(1, "Only one")])
    assert made.record() is None
    assert told[-1] is None


def test_sorting_uses_the_sort_key_and_keeps_the_selection(theme: Theme, qtbot: Any) -> None:
    made = table(theme, qtbot, [(9, "a"), (100, "b"), (20, "c")])
    made.select(20)
    made.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert [row[0] for row in made.rows] == [9, 20, 100]
    assert made.record() == (20, "c")
    made.show_rows([(9, "a"), (100, "b"), (20, "c"), (15, "d")])
    assert [row[0] for row in made.rows] == [9, 15, 20, 100]


def test_enter_opens_and_typing_finds(theme: Theme, qtbot: Any) -> None:
    made = table(theme, qtbot, [(1, "Ames"), (2, "Okonkwo"), (3, "Vogt")])
    made.setFocus()
    QTest.keyClicks(made, "vo")
    assert made.record() == (3, "Vogt")
    with qtbot.waitSignal(made.opened) as opened:
        QTest.keyClick(made, Qt.Key.Key_Return)
    assert opened.args == [(3, "Vogt")]


def test_the_context_menu_is_filled_by_who_asked(theme: Theme, qtbot: Any) -> None:
    made = table(theme, qtbot, [(1, "Ames")])
    made.selectRow(0)
    seen: list[Any] = []

    def fill(record: Any, menu: QMenu) -> None:
        menu.addAction("Open")
        seen.append((record, menu))

    made.menu_requested.connect(fill)
    made.contextMenuEvent(QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), made.mapToGlobal(QPoint(5, 5))))
    assert seen[0][0] == (1, "Ames")
    assert seen[0][1].isVisible()
    seen[0][1].close()


def test_an_empty_list_says_what_to_do(theme: Theme, qtbot: Any) -> None:
    made = table(theme, qtbot, [])
    assert made._empty.isVisible()
    made.show_rows([(1, "Ames")])
    assert not made._empty.isVisible()


def test_a_hundred_thousand_rows(theme: Theme, qtbot: Any) -> None:
    made = table(theme, qtbot, [(n, f"Person {n}") for n in range(100_000)])
    made.select(99_999)
    assert made.record() == (99_999, "Person 99999")
    assert not made.grab().isNull()
