"""A page with marks over it, drawn and moved with the mouse or with keys alone.

Keys: R remark · A arrow · B box · arrows move the chosen mark (Shift: faster) · Tab next mark · Del takes it away · Ctrl+Z the last one.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QImage, QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from clinicdesk.rules.marks import PEN, TYPE_SIZE, Mark, MarkKind, Point, head_of
from ui.theme import Theme

_PART = 0.005
#: Height in points of the page a remark's type size is meant for.
_PAGE = 842.0


class MarkBoard(QWidget):
    """`show_page(number, picture)`, `marks`, `tool`. Signals: `changed()`; `words_wanted(Point)` where a remark shall stand."""

    changed = Signal()
    words_wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self.page, self.picture = theme, 0, QImage()
        self.marks: list[Mark] = []
        self.tool: MarkKind = "text"
        self.chosen = -1
        self._drawn: list[Point] = []
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Page to mark. R remark, A arrow, B box, arrow keys move, Delete takes away")
        self.setCursor(Qt.CursorShape.CrossCursor)

    def show_page(self, number: int, picture: QImage) -> None:
        """Another page."""
        self.page, self.picture, self.chosen, self._drawn = number, picture, -1, []
        self.update()

    def put(self, kind: MarkKind, points: tuple[Point, ...], words: str = "") -> None:
        """Add a mark to the page shown and choose it; one that draws nothing is not added."""
        mark = Mark(self.page, kind, points, words)
        if mark.whole:
            self.marks.append(mark)
            self.chosen = len(self.marks) - 1
            self.changed.emit()
        self.update()

    def take_away(self) -> None:
        """The chosen mark, else the last of this page."""
        here = [number for number, mark in enumerate(self.marks) if mark.page == self.page]
        if here:
            del self.marks[self.chosen if self.chosen in here else here[-1]]
            self.chosen = -1
            self.changed.emit()
            self.update()

    def _frame(self) -> QRectF:
        """Where the page is drawn."""
        if self.picture.isNull():
            return QRectF(self.rect())
        size = QSize(self.picture.size()).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        return QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())

    def place_of(self, at: QPointF) -> Point:
        """A place of the widget as a part of the page, never off it."""
        frame = self._frame()
        return (max(0.0, min(1.0, (at.x() - frame.left()) / frame.width())), max(0.0, min(1.0, (at.y() - frame.top()) / frame.height())))

    def point_at(self, place: Point) -> QPointF:
        """The other way round."""
        frame = self._frame()
        return QPointF(frame.left() + place[0] * frame.width(), frame.top() + place[1] * frame.height())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        place = self.place_of(event.position())
        if self.tool == "text":
            self.words_wanted.emit(place)
        else:
            self._drawn = [place]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._drawn:
            place = self.place_of(event.position())
            self._drawn = [*self._drawn, place] if self.tool == "stroke" else [self._drawn[0], place]
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drawn:
            last = self.place_of(event.position())
            drawn, self._drawn = [*self._drawn, last] if self.tool == "stroke" else [self._drawn[0], last], []
            self.put(self.tool, tuple(drawn))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _PART * (6 if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1)
        moves = {Qt.Key.Key_Left: (-step, 0.0), Qt.Key.Key_Right: (step, 0.0), Qt.Key.Key_Up: (0.0, -step), Qt.Key.Key_Down: (0.0, step)}
        key, letter = Qt.Key(event.key()), event.text().lower()
        if event.matches(QKeySequence.StandardKey.Undo) or key in {Qt.Key.Key_Delete, Qt.Key.Key_Backspace}:
            self.take_away()
        elif key in moves and 0 <= self.chosen < len(self.marks):
            self.marks[self.chosen] = self.marks[self.chosen].moved(*moves[key])
            self.changed.emit()
            self.update()
        elif letter == "r":
            self.words_wanted.emit((0.3, 0.4))
        elif letter == "a":
            self.put("arrow", ((0.3, 0.5), (0.5, 0.5)))
        elif letter == "b":
            self.put("box", ((0.35, 0.45), (0.65, 0.6)))
        else:
            super().keyPressEvent(event)

    def focusNextPrevChild(self, next_one: bool) -> bool:  # noqa: FBT001  Qt's signature
        """Tab goes through the marks of the page first."""
        here = [number for number, mark in enumerate(self.marks) if mark.page == self.page]
        later = [number for number in here if number > self.chosen] if next_one else []
        if later and self.chosen >= 0:
            self.chosen = later[0]
            self.update()
            return True
        return super().focusNextPrevChild(next_one)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), self._theme.color("sunken"))
        frame = self._frame()
        if not self.picture.isNull():
            painter.drawImage(frame, self.picture)
        for number, mark in enumerate(self.marks):
            if mark.page == self.page:
                self._paint(painter, mark, chosen=number == self.chosen and self.hasFocus())
        if len(self._drawn) > 1:
            self._paint(painter, Mark(self.page, self.tool, tuple(self._drawn)), chosen=False)
        painter.setPen(self._theme.color("focus" if self.hasFocus() else "line"))
        painter.drawRect(frame.adjusted(0, 0, -1, -1))
        painter.end()

    def _paint(self, painter: QPainter, mark: Mark, *, chosen: bool) -> None:
        ink, scale = QColor("#B3261E"), self._frame().height() / _PAGE  # the ink of pdf.marking, on the white of the page
        painter.setPen(QPen(ink, max(1.0, PEN * scale * (1.6 if chosen else 1.0)), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap,
                            Qt.PenJoinStyle.RoundJoin))
        points = [self.point_at(place) for place in mark.points]
        if mark.kind == "text":
            font = QFont(self._theme.font())  # a copy: the theme's own is the application's
            font.setPixelSize(max(7, round(TYPE_SIZE * scale)))
            painter.setFont(font)
            room = QRectF(points[0], QSize(round(self._frame().width() * 0.42), 10_000).toSizeF())
            box = painter.boundingRect(room, int(Qt.TextFlag.TextWordWrap), mark.words).adjusted(-4, -2, 4, 2)
            box.moveLeft(max(self._frame().left(), min(box.left(), self._frame().right() - box.width())))
            box.moveTop(max(self._frame().top(), min(box.top(), self._frame().bottom() - box.height())))
            painter.fillRect(box, Qt.GlobalColor.white)
            painter.drawRect(box)
            painter.drawText(box.adjusted(4, 2, -4, -2), int(Qt.TextFlag.TextWordWrap), mark.words)
        elif mark.kind == "box":
            painter.drawRect(QRectF(points[0], points[-1]).normalized())
        else:
            painter.drawPolyline(points)
            if mark.kind == "arrow":
                ends = head_of((points[0].x(), points[0].y()), (points[-1].x(), points[-1].y()), 9 * PEN * scale)
                painter.drawPolyline([QPointF(*ends[0]), points[-1], QPointF(*ends[1])])
