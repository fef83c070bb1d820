"""Lists: frozen records and column specs, a sort role and a record role; nothing is computed by SQL and nothing formatted twice.

`RowTable.show_rows` replaces the records by identity: the selected record stays selected, the first visible row stays where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from PySide6.QtCore import QAbstractTableModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFontMetrics, QKeyEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView, QWidget

from ui.theme import Theme
from ui.widgets.empty import EmptyState
from ui.widgets.status_chip import paint_chip, status_word

R = TypeVar("R")
Index = QModelIndex | QPersistentModelIndex
SORT_ROLE, RECORD_ROLE = int(Qt.ItemDataRole.UserRole) + 1, int(Qt.ItemDataRole.UserRole) + 2
ROW_HEIGHT = 34


@dataclass(frozen=True)  # no slots: with them `Column[Row](…)` raises TypeError in typing
class Column(Generic[R]):
    """One column: `text(record)` is what stands in it, `sort(record)` what orders it (the text without one).

    `width` in px, 0 shares what is left; `kind` chip draws `text` as an appointment status; `icon(record)` names an icon before the text
    or ""; `tip(record)` is the tool tip.
    """

    title: str
    text: Callable[[R], str]
    sort: Callable[[R], Any] | None = None
    align: Literal["left", "right", "center"] = "left"
    width: int = 0
    kind: Literal["text", "chip", "strong", "soft"] = "text"
    icon: Callable[[R], str] | None = None
    tip: Callable[[R], str] | None = None


_ALIGN = {"left": Qt.AlignmentFlag.AlignLeft, "right": Qt.AlignmentFlag.AlignRight, "center": Qt.AlignmentFlag.AlignHCenter}


class RowModel(QAbstractTableModel, Generic[R]):
    """Records in the order asked for; texts are computed per visible cell, sort keys once per sort."""

    def __init__(self, columns: Sequence[Column[R]], identity: Callable[[R], Hashable], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns, self._identity = tuple(columns), identity
        self._rows: list[R] = []
        self._places: dict[Hashable, int] = {}
        self._sorted: tuple[int, Qt.SortOrder] | None = None

    @property
    def rows(self) -> Sequence[R]:
        """The records in display order."""
        return self._rows

    def place(self, identity: Hashable) -> int:
        """The row of a record, -1 when it is not there."""
        return self._places.get(identity, -1)

    def identity(self, record: R) -> Hashable:
        """What makes two versions of a record the same."""
        return self._identity(record)

    def fill(self, rows: Iterable[R]) -> None:
        """Replace all records, keeping the sort order. When the same records stand in the same places only cells are repainted."""
        fresh = self._ordered(list(rows))
        same = len(fresh) == len(self._rows) and all(self._identity(a) == self._identity(b) for a, b in zip(fresh, self._rows, strict=True))
        if same:
            self._rows = fresh
            if fresh:
                self.dataChanged.emit(self.index(0, 0), self.index(len(fresh) - 1, len(self.columns) - 1))
            return
        self.beginResetModel()
        self._rows = fresh
        self._places = {self._identity(record): n for n, record in enumerate(fresh)}
        self.endResetModel()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorted = (column, order) if column >= 0 else None
        self.layoutAboutToBeChanged.emit()
        before = {index.row(): self._identity(self._rows[index.row()]) for index in self.persistentIndexList()}
        self._rows = self._ordered(self._rows)
        self._places = {self._identity(record): n for n, record in enumerate(self._rows)}
        for index in self.persistentIndexList():
            self.changePersistentIndex(index, self.index(self._places[before[index.row()]], index.column()))
        self.layoutChanged.emit()

    def _ordered(self, rows: list[R]) -> list[R]:
        if self._sorted is None:
            return rows
        number, order = self._sorted
        column = self.columns[number]
        key = column.sort or (lambda record: column.text(record).casefold())
        known = [(value, record) for record in rows if (value := key(record)) is not None]
        unknown = [record for record in rows if key(record) is None]
        known.sort(key=lambda pair: pair[0], reverse=order == Qt.SortOrder.DescendingOrder)
        return [record for _, record in known] + unknown

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation == Qt.Orientation.Horizontal and section < len(self.columns):
            if role == Qt.ItemDataRole.DisplayRole:
                return self.columns[section].title
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return int(_ALIGN[self.columns[section].align] | Qt.AlignmentFlag.AlignVCenter)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        record, column = self._rows[index.row()], self.columns[index.column()]
        match role:
            case Qt.ItemDataRole.DisplayRole | Qt.ItemDataRole.AccessibleTextRole:
                text = column.text(record)
                return status_word(text) if column.kind == "chip" else text
            case Qt.ItemDataRole.TextAlignmentRole:
                return int(_ALIGN[column.align] | Qt.AlignmentFlag.AlignVCenter)
            case Qt.ItemDataRole.ToolTipRole if column.tip is not None:
                return column.tip(record)
            case _ if role == RECORD_ROLE:
                return record
            case _ if role == SORT_ROLE:
                return column.sort(record) if column.sort else column.text(record)
        return None


class _Cells(QStyledItemDelegate):
    """Paints cells from the column specs: quiet line below, chip, strong or soft text, icon, tabular figures at the right."""

    def __init__(self, theme: Theme, view: RowTable[Any]) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(80, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, rect, state = self._theme, option.rect, option.state
        column = self._view.spec(index.column())
        record = index.data(RECORD_ROLE)
        painter.save()
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("accent_soft"))
            if index.column() == 0:
                painter.fillRect(QRect(rect.x(), rect.y(), 3, rect.height()), theme.color("accent"))
        elif index.row() == self._view.hovered:
            painter.fillRect(rect, theme.color("sunken"))
        painter.setPen(theme.color("line", 0.6))
        painter.drawLine(rect.bottomLeft(), rect.bottomRight())
        inner = rect.adjusted(8, 0, -8, 0)
        if column.icon is not None and (name := column.icon(record)):
            theme.icons.paint(painter, QRect(inner.x(), inner.center().y() - 8, 17, 17), name, theme.color("text_soft"))
            inner.setLeft(inner.left() + 24)
        if column.kind == "chip":
            paint_chip(painter, inner, theme, column.text(record))
        else:
            painter.setFont(theme.font(bold=column.kind == "strong", tabular=True))
            painter.setPen(theme.color("text_soft" if column.kind == "soft" else "text"))
            text = painter.fontMetrics().elidedText(column.text(record), Qt.TextElideMode.ElideRight, inner.width())
            painter.drawText(inner, int(_ALIGN[column.align] | Qt.AlignmentFlag.AlignVCenter), text)
        painter.restore()


class RowTable(QTableView, Generic[R]):
    """A list of records. Keyboard: arrows, type-ahead over the first column, Enter or double click activates, Menu key opens the menu.

    Signals: `opened(record)`, `selected(record | None)`, `menu_requested(record, menu)` to fill a context menu before it is shown.
    `identity(record)` tells two versions of a record as the same; `empty` is shown when there is nothing.
    """

    opened = Signal(object)
    selected = Signal(object)
    menu_requested = Signal(object, QMenu)

    def __init__(self, theme: Theme, columns: Sequence[Column[R]], identity: Callable[[R], Hashable], *, name: str, empty: EmptyState | None
                 = None, sort_by: int = -1, descending: bool = False, several: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows_model: RowModel[R] = RowModel(columns, identity, self)
        self._empty = empty or EmptyState(theme, self.tr("Nothing here yet."))
        self._told: Hashable = None
        self.hovered = -1
        self.setModel(self._rows_model)
        self.setItemDelegate(_Cells(theme, self))
        self.setAccessibleName(name)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        mode = QAbstractItemView.SelectionMode
        self.setSelectionMode(mode.ExtendedSelection if several else mode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        head.setMinimumSectionSize(48)
        head.setSectionsMovable(False)
        self.setSortingEnabled(True)
        head.setSortIndicator(sort_by, Qt.SortOrder.DescendingOrder if descending else Qt.SortOrder.AscendingOrder)
        for n, column in enumerate(columns):
            stretch = column.width == 0
            head.setSectionResizeMode(n, QHeaderView.ResizeMode.Stretch if stretch else QHeaderView.ResizeMode.Interactive)
            if not stretch:
                self.setColumnWidth(n, max(column.width, QFontMetrics(theme.font("small", bold=True)).horizontalAdvance(column.title) + 34))
        self._empty.setParent(self.viewport())
        self._empty.hide()
        self.doubleClicked.connect(self._activate)
        self.entered.connect(self._enter_cell)
        self.selectionModel().selectionChanged.connect(self._tell)
        self._rows_model.modelReset.connect(self._place_empty)

    def spec(self, column: int) -> Column[R]:
        """The spec of a column."""
        return self._rows_model.columns[column]

    @property
    def rows(self) -> Sequence[R]:
        """The records in display order."""
        return self._rows_model.rows

    def show_rows(self, rows: Iterable[R]) -> None:
        """Show these records; selection and scroll position stay with their records, focus stays where it is."""
        kept = [self._rows_model.identity(record) for record in self.selection()]
        top = self.rowAt(2) if self.verticalScrollBar().value() > 0 else -1  # at the top what is new comes into sight
        anchor = self._rows_model.identity(self.rows[top]) if 0 <= top < len(self.rows) else None
        offset = self.rowViewportPosition(top) if anchor is not None else 0
        blocked = self.selectionModel().blockSignals(True)  # noqa: FBT003  Qt's signature
        self._rows_model.fill(rows)
        for identity in kept:
            if (row := self._rows_model.place(identity)) >= 0:
                self._select_row(row)
        self.selectionModel().blockSignals(blocked)
        if anchor is not None and (row := self._rows_model.place(anchor)) >= 0:
            self.verticalScrollBar().setValue(row * ROW_HEIGHT - offset)
        self._place_empty()
        self._tell()

    def set_empty(self, empty: EmptyState) -> None:
        """What is shown when there is nothing."""
        self._empty.deleteLater()
        self._empty = empty
        empty.setParent(self.viewport())
        self._place_empty()

    def record(self) -> R | None:
        """The selected record (the first of several)."""
        return next(iter(self.selection()), None)

    def selection(self) -> list[R]:
        """All selected records in display order."""
        return [self.rows[i] for i in sorted({index.row() for index in self.selectionModel().selectedRows()}) if i < len(self.rows)]

    def select(self, identity: Hashable) -> bool:
        """Select a record and scroll to it; False when it is not listed."""
        row = self._rows_model.place(identity)
        if row < 0:
            return False
        self.selectRow(row)
        self.scrollTo(self._rows_model.index(row, 0))
        return True

    def select_first(self) -> None:
        """Select the first row when nothing is selected."""
        if self.rows and not self.selection():
            self.selectRow(0)

    def _select_row(self, row: int) -> None:
        flag = self.selectionModel().SelectionFlag
        index = self._rows_model.index(row, 0)
        self.selectionModel().select(index, flag.Select | flag.Rows)
        self.selectionModel().setCurrentIndex(index, flag.NoUpdate)

    def _tell(self, *_: object) -> None:
        record = self.record()
        identity = None if record is None else self._rows_model.identity(record)
        if record is not None or self._told is not None:
            self._told = identity
            self.selected.emit(record)

    def _activate(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self.rows[index.row()])

    def _enter_cell(self, index: QModelIndex) -> None:
        self._hover(index.row())

    def _hover(self, row: int) -> None:
        if row != self.hovered:
            self.hovered = row
            self.viewport().update()

    def _place_empty(self) -> None:
        self._empty.setGeometry(self.viewport().rect())
        self._empty.setVisible(not self.rows)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_empty()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._activate(self.currentIndex())
        elif event.key() in (Qt.Key.Key_Home, Qt.Key.Key_End) and self.rows:
            self.selectRow(0 if event.key() == Qt.Key.Key_Home else len(self.rows) - 1)
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        keyboard = event.reason() == QContextMenuEvent.Reason.Keyboard
        index = self.currentIndex() if keyboard else self.indexAt(self.viewport().mapFromGlobal(event.globalPos()))
        if not index.isValid():
            return
        menu = QMenu(self)
        self.menu_requested.emit(self.rows[index.row()], menu)
        if menu.isEmpty():
            menu.deleteLater()
            return
        corner = self.viewport().mapToGlobal(self.visualRect(index).bottomLeft() + QPoint(16, 0))
        menu.aboutToHide.connect(lambda: QTimer.singleShot(0, menu, menu.deleteLater))
        menu.popup(corner if keyboard else event.globalPos())
