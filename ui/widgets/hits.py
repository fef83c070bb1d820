"""The list of hits below a find box: two lines per hit, what matched in bold, drawn over the window without taking the focus."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QFrame, QLabel, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QVBoxLayout, QWidget

from ui.theme import Theme
from ui.widgets.text import label

ROW_HEIGHT, MOST_ROWS = 46, 10
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Hit:
    """One row: `record` is what choosing it means, `name` what namesakes share (the title when empty), `right` a word at the right.

    What is not `sure` (a name only near what was typed) is never marked by itself, so that Enter opens nobody by mistake.
    """

    record: Any
    title: str
    detail: str
    icon: str = "patient"
    name: str = ""
    right: str = ""
    sure: bool = True


def folded(text: str) -> str:
    """Lower case without accents, one character for one character where possible (for emphasis and namesakes)."""
    return "".join(unicodedata.normalize("NFKD", char)[0].casefold()[:1] or char for char in text)


def emphasis(title: str, query: str) -> list[tuple[int, int]]:
    """(start, length) of the word beginnings in `title` that match words of `query`."""
    text, found = folded(title), []
    for word in folded(query).replace(",", " ").split():
        starts = [i for i in range(len(text)) if text.startswith(word, i) and (i == 0 or not text[i - 1].isalnum())]
        found += [(start, len(word)) for start in starts]
    return sorted(found)


class _Hits(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.hits: tuple[Hit, ...] = ()

    def fill(self, hits: Sequence[Hit]) -> None:
        self.beginResetModel()
        self.hits = tuple(hits)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self.hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        hit = self.hits[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{hit.title}, {hit.detail}"
        return hit if role == Qt.ItemDataRole.UserRole else None


class _TwoLines(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self.query = theme, ""

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(200, ROW_HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        hit: Hit = index.data(Qt.ItemDataRole.UserRole)
        theme, rect = self._theme, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state: QStyle.StateFlag = option.state
        if state & QStyle.StateFlag.State_Selected:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent_soft"))
            painter.drawRoundedRect(QRectF(rect), 5, 5)
            painter.setBrush(theme.color("accent"))
            painter.drawRoundedRect(QRectF(rect.x(), rect.y() + 8, 3, rect.height() - 16), 1.5, 1.5)
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("sunken"))
            painter.drawRoundedRect(QRectF(rect), 5, 5)
        theme.icons.paint(painter, QRect(rect.x() + 12, rect.y() + 13, 20, 20), hit.icon, theme.color("text_soft"))
        width = rect.width() - 56
        if hit.right:
            painter.setFont(theme.font("small"))
            painter.setPen(theme.color("text_faint"))
            painter.drawText(rect.adjusted(0, 0, -12, 0), int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), hit.right)
            width -= painter.fontMetrics().horizontalAdvance(hit.right) + 12
        painter.setPen(theme.color("text"))
        self._title(painter, QPoint(rect.x() + 44, rect.y() + (5 if hit.detail else 14)), width, hit.title)
        painter.setFont(theme.font("small", tabular=True))
        painter.setPen(theme.color("text_soft"))
        detail = painter.fontMetrics().elidedText(hit.detail, Qt.TextElideMode.ElideRight, width)
        painter.drawText(QRect(rect.x() + 44, rect.y() + 24, width, 18), int(Qt.AlignmentFlag.AlignVCenter), detail)
        painter.restore()

    def _title(self, painter: QPainter, at: QPoint, width: int, title: str) -> None:
        strong = QTextCharFormat()
        strong.setFontWeight(QFont.Weight.Bold)
        strong.setForeground(self._theme.color("accent"))
        font = self._theme.font("body")
        short = QFontMetrics(font).elidedText(title, Qt.TextElideMode.ElideRight, width - 12)
        layout = QTextLayout(short, font)
        ranges = []
        for start, length in emphasis(short, self.query):
            one = QTextLayout.FormatRange()
            one.start, one.length, one.format = start, length, strong
            ranges.append(one)
        layout.setFormats(ranges)
        layout.beginLayout()
        layout.createLine()
        layout.endLayout()
        layout.draw(painter, at)


class HitList(QFrame):
    """Drawn as a child over the window of its field. Signal `taken(hit)` on click."""

    taken = Signal(object)

    def __init__(self, theme: Theme, field: QWidget) -> None:
        super().__init__(field)
        self.setObjectName("popup")
        self._field = field
        self._model = _Hits(self)
        self._delegate = _TwoLines(theme, self)
        self.view = QListView()
        self.view.setModel(self._model)
        self.view.setItemDelegate(self._delegate)
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setMouseTracking(True)
        self.view.setUniformItemSizes(True)
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setAccessibleName(self.tr("Hits"))
        self.view.clicked.connect(lambda index: self.taken.emit(index.data(Qt.ItemDataRole.UserRole)))
        self.note: QLabel = label("", "faint", wrap=True)
        self.note.setIndent(8)
        self.note.setContentsMargins(0, 6, 0, 6)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(0)
        layout.addWidget(self.view)
        layout.addWidget(self.note)
        self.hide()

    def show_hits(self, hits: Sequence[Hit], query: str, *, mark_first: bool, nothing: str = "", note: str = "") -> None:
        """Show these hits below the field; with none the sentence `nothing`."""
        self._delegate.query = query
        self._model.fill(hits)
        words = note or ("" if hits else nothing)
        self.note.setText(words)
        self.note.setVisible(bool(words))
        self.view.setVisible(bool(hits))
        self.view.setCurrentIndex(self._model.index(0) if mark_first and hits else QModelIndex())
        if self.parentWidget() is not self._field.window():
            self.setParent(self._field.window())
            self._field.window().installEventFilter(self._field)
        self.place_below(self._field, self._field.mapTo(self._field.window(), QPoint(0, self._field.height() + 4)))
        self.show()
        self.raise_()

    def place_below(self, field: QWidget, at: QPoint) -> None:
        """Size and move the list to `at` in the window, keeping it inside."""
        window = field.window()
        width = min(max(field.width(), 500), window.width() - 16)
        rows = min(len(self._model.hits), MOST_ROWS)
        note = 0 if self.note.isHidden() else self.note.heightForWidth(width - 8)
        height = min(rows * ROW_HEIGHT + note + 12, max(ROW_HEIGHT + 12, window.height() - at.y() - 8))
        self.setGeometry(min(at.x(), window.width() - width - 8), at.y(), width, height)

    def close_list(self) -> None:
        """Hide and forget the hits."""
        self.hide()
        self._model.fill(())

    def step(self, rows: int) -> None:
        """Move the mark; from nothing marked, down goes to the first and up to the last."""
        count = len(self._model.hits)
        if not count:
            return
        current = self.view.currentIndex()
        row = current.row() + rows if current.isValid() else (0 if rows > 0 else count - 1)
        self.view.setCurrentIndex(self._model.index(max(0, min(count - 1, row))))

    def marked(self) -> Hit | None:
        """The hit Enter would take."""
        index = self.view.currentIndex()
        return self._model.hits[index.row()] if index.isValid() and index.row() < len(self._model.hits) else None

    @property
    def shown(self) -> tuple[Hit, ...]:
        """What is listed now."""
        return self._model.hits
