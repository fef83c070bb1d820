"""The axis itself: zoom with the wheel or + and -, pan by dragging or with the arrows, go from mark to mark, Enter opens what is marked."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, tzinfo
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QMenu, QSizePolicy, QToolTip, QWidget

from clinicdesk.rules.moments import clinical_moment
from clinicdesk.rules.pictures import Mark, Picture
from clinicdesk.rules.time_axis import GUTTER, History, Window, picture
from ui.theme import Theme
from ui.widgets.form import announce
from ui.widgets.picture import PicturePainter

#: No closer than two days, no wider than this times the whole history.
_CLOSEST = 2 * 86_400.0
_WIDEST = 1.5
#: So much of the window may lie beyond the history.
_KEPT = 0.9
#: A group of more than this is not listed one by one.
_MOST_LISTED = 40


class TimeAxis(QWidget):
    """Shows a `History`. Signals: `opened(kind, ref)` when a mark is opened; `window_changed()` after zoom and pan."""

    opened = Signal(str, object)
    window_changed = Signal()

    def __init__(self, theme: Theme, zone: tzinfo, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._zone = theme, zone
        self._painter = PicturePainter(theme)
        self._history: History | None = None
        self._kinds: frozenset[str] = frozenset()
        self._series: frozenset[str] = frozenset()
        self.begins, self.ends = 0.0, 1.0
        self._picture: Picture | None = None
        self._marked: Mark | None = None
        self._drag: QPoint | None = None
        self.menu: QMenu | None = None
        self._moved = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Time axis")
        theme.changed.connect(self.update)

    def show_history(self, history: History) -> None:
        """Show it whole; the window of time stays when it is the same patient's again."""
        first = self._history is None
        self._history = history
        if first:
            self.begins, self.ends = history.extent()
        self._changed()

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self._history = self._picture = self._marked = None
        self.update()

    def choose(self, kinds: Collection[str], series: Collection[str]) -> None:
        """Which lanes and which plots are shown."""
        self._kinds, self._series = frozenset(kinds), frozenset(series)
        self._changed()

    def show_all(self) -> None:
        """The whole history."""
        if self._history is not None:
            self.begins, self.ends = self._history.extent()
            self._changed()

    def show_last(self, seconds: float) -> None:
        """The newest part of it."""
        if self._history is not None:
            self.ends = self._history.extent()[1]
            self.begins = self.ends - seconds
            self._changed()

    def zoom(self, factor: float, at: float | None = None) -> None:
        """Make the window `factor` times as long around a moment, the middle when none is given."""
        if self._history is None:
            return
        first, last = self._history.extent()
        span = self.ends - self.begins
        new = min(max(span * factor, _CLOSEST), (last - first) * _WIDEST)
        at = self.begins + span / 2 if at is None else at
        share = (at - self.begins) / span
        self.begins = at - new * share
        self.ends = self.begins + new
        self._changed()

    def pan(self, share: float) -> None:
        """Move the window by a share of its length, never past the history: a held key must not end in years no calendar has."""
        if self._history is None:
            return
        first, last = self._history.extent()
        span = self.ends - self.begins
        self.begins = min(max(self.begins + span * share, first - span * _KEPT), last - span * (1 - _KEPT))
        self.ends = self.begins + span
        self._changed()

    @property
    def drawn(self) -> Picture:
        """What is shown now."""
        if self._picture is None:
            self._picture = self._laid_out(float(self.width()))
        return self._picture

    def _laid_out(self, width: float) -> Picture:
        if self._history is None:
            return Picture(width, 40, ())
        return picture(self._history, Window(self.begins, self.ends, max(width, GUTTER + 40)), self._zone, kinds=self._kinds,
                       series=self._series)

    def _changed(self) -> None:
        was, self._picture = self._marked, None
        self._marked = next((m for m in self.drawn.marks if was is not None and (m.kind, m.ref) == (was.kind, was.ref)), None)
        height = int(self.drawn.height) + 2
        if height != self.height():
            self.setFixedHeight(height)
        self.update()
        self.window_changed.emit()

    def step(self, by: int) -> None:
        """Mark the next or the one before, and bring it into the window."""
        marks = self.drawn.marks
        if not marks:
            return
        here = marks.index(self._marked) if self._marked in marks else (-1 if by > 0 else len(marks))
        self._mark(marks[max(0, min(len(marks) - 1, here + by))])

    def _mark(self, mark: Mark | None) -> None:
        self._marked = mark
        if mark is not None:
            announce(self, mark.tip)
        self.update()

    def open_marked(self) -> None:
        """Open what is marked; several in one place are zoomed into."""
        if self._marked is not None:
            self._open(self._marked)

    def _open(self, mark: Mark) -> None:
        if mark.kind == "group" and isinstance(mark.ref, tuple):
            first, last = mark.ref
            air = max((last - first) * 0.3, _CLOSEST / 2)
            if last - first + 2 * air > (self.ends - self.begins) * 0.95:
                self._list(first, last, mark)  # no closer: what happened within minutes is chosen by name
                return
            self.begins, self.ends = first - air, last + air
            self._changed()
        else:
            self.opened.emit(mark.kind, mark.ref)

    def _list(self, first: float, last: float, mark: Mark) -> None:
        events = [e for e in self._history.events if first <= e.at <= last and e.kind in self._kinds] if self._history is not None else []
        self.menu = menu = QMenu(self)
        for event in events[:_MOST_LISTED]:
            when = datetime.fromtimestamp(event.at, self._zone)
            menu.addAction(f"{clinical_moment(when)}  {event.title}".replace("&", "&&"), partial(self.opened.emit, event.kind, event.ref))
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(self.mapToGlobal(QPoint(int(mark.x), int(mark.y + mark.height))))

    def sizeHint(self) -> QSize:
        return QSize(640, int(self.drawn.height) + 2)

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width():
            self._changed()
        super().resizeEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("surface"))
        self._painter.paint(painter, self.drawn)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if self._marked is not None:
            m = self._marked
            painter.setPen(QPen(self._theme.color("focus"), 2))
            painter.drawRoundedRect(QRectF(m.x - 2, m.y - 1, m.width + 4, m.height + 2), 4, 4)
        elif self.hasFocus():
            painter.setPen(QPen(self._theme.color("focus"), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, held = event.key(), event.modifiers()
        control = bool(held & Qt.KeyboardModifier.ControlModifier)
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(0.7)
        elif key == Qt.Key.Key_Minus:
            self.zoom(1 / 0.7)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            by = 1 if key == Qt.Key.Key_Right else -1
            if control:
                self.pan(0.15 * by)
            else:
                self.step(by)
        elif key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown):
            self.pan(0.8 if key == Qt.Key.Key_PageDown else -0.8)
        elif key == Qt.Key.Key_Home:
            self.show_all()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_marked()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            moment = Window(self.begins, self.ends, float(self.width())).moment(event.position().x())
            self.zoom(0.85 if event.angleDelta().y() > 0 else 1 / 0.85, moment)
            event.accept()
        elif event.angleDelta().x():
            self.pan(-event.angleDelta().x() / 1200)
            event.accept()
        else:
            event.ignore()  # the area around scrolls

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._drag, self._moved = event.position().toPoint(), False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        here = event.position().toPoint()
        if self._drag is not None and event.buttons() & Qt.MouseButton.LeftButton:
            if self._moved or abs(here.x() - self._drag.x()) > 4:
                self._moved = True
                self.pan(-(here.x() - self._drag.x()) / max(1.0, self.width() - GUTTER))
                self._drag = here
        else:
            over = self.drawn.at(here.x(), here.y())
            self.setCursor(Qt.CursorShape.PointingHandCursor if over is not None else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        moved, self._drag = self._moved, None
        mark = self.drawn.at(event.position().x(), event.position().y())
        if not moved and mark is not None:
            self._mark(mark)
            self._open(mark)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            mark = self.drawn.at(event.pos().x(), event.pos().y())
            QToolTip.showText(event.globalPos(), mark.tip if mark is not None else "", self)
            return True
        return super().event(event)
