"""How the calendar looks: grid, open hours, blocks, cursor, now-line. Paints only what is exposed.

A block is its status: tint, a bar in the ink at the left edge, icon and word; never colour alone. Drawn once, a block is kept as a picture
(a tile) until its words, size or colours change: laying out text costs ten times as much as copying it.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QFont, QFontMetrics, QPainter, QPen, QPixmap

from clinicdesk.rules.steps import ACTIVE
from clinicdesk.services.schedule import AppointmentBlock
from ui.schedule.model import MIN_COLUMN, Cell, DayLayout, Placed, Rect, Span, Verdict, clock
from ui.theme import STATUSES, Theme
from ui.widgets.status_chip import status_word

HEADER_HEIGHT, RULER_WIDTH = 52, 52
_PAD, _LINE, _TIGHT = 7, 16, 14
_LEAST_WORDS = 36  # px: narrower blocks show only their icon
_MOST_PIXELS = 12_000_000  # of all tiles together: 48 MB


class Ghost(NamedTuple):
    """Something proposed: where, what it is called, what stands against it; `waiting` once the database has been asked."""

    span: Span
    title: str
    verdict: Verdict
    waiting: bool = False


class Shown(NamedTuple):
    """What the view wants drawn besides the blocks. `now` is a minute of the columns `today`; `pinned` blocks wait on the pinboard."""

    selected: int | None = None
    hovered: int | None = None
    cursor: Cell | None = None
    focused: bool = False
    now: int | None = None
    today: range = range(0)
    moving: int | None = None
    pinned: frozenset[int] = frozenset()


def _qrect(rect: Rect) -> QRect:
    return QRect(*rect)


class Painting:
    """Draws with one theme; keeps fonts, measures and shortened texts, which cost more than drawing them."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._short: dict[tuple[str, int, bool], str] = {}
        self._wide: dict[tuple[str, bool], int] = {}
        self._tiles: dict[tuple[object, ...], QPixmap] = {}
        self._tile_pixels = 0
        self.forget()

    def forget(self) -> None:
        """Colours or type changed."""
        theme = self._theme
        self._short.clear()
        self._wide.clear()
        self._tiles.clear()
        self._tile_pixels = 0
        self.bold, self.plain = theme.font("small", bold=True), theme.font("small", tabular=True)
        self._struck = QFont(self.plain)
        self._struck.setStrikeOut(True)
        self._inks = {status: theme.ink(status) for status in STATUSES}
        self._tints = {status: theme.tint(status) for status in STATUSES}
        self._edges = {status: _blend(self._inks[status], self._tints[status]) for status in STATUSES}
        self._bold_measure, self._plain_measure = QFontMetrics(self.bold), QFontMetrics(self.plain)

    def paint(self, painter: QPainter, layout: DayLayout, exposed: QRect, shown: Shown) -> None:
        """Draw the part of the content inside `exposed` (content pixels)."""
        theme = self._theme
        painter.fillRect(exposed, theme.color("sunken"))
        if not layout.columns:
            return
        first, last = layout.column_at(exposed.left()), layout.column_at(exposed.right())
        for column in range(first, last + 1):
            self._ground(painter, layout, column, exposed)
        self._lines(painter, layout, first, last, exposed)
        if shown.now is not None:
            self._now(painter, layout, shown, exposed, 1.0)
        if shown.cursor is not None and shown.focused:
            self._cursor(painter, layout, shown.cursor)
        for column in range(first, last + 1):
            for placed in layout.in_view(column, exposed.top(), exposed.bottom()):
                self._block(painter, layout, placed, shown)
        if shown.selected is not None and (chosen := layout.by_id.get(shown.selected)) is not None and first <= chosen.column <= last:
            self._block(painter, layout, chosen, shown)
        if shown.now is not None:
            self._now(painter, layout, shown, exposed, 0.3)  # over the blocks it must not cross out a name

    def _ground(self, painter: QPainter, layout: DayLayout, column: int, exposed: QRect) -> None:
        x = column * layout.column_width
        for start, end in layout.open[column]:
            top, bottom = max(layout.y(start), exposed.top()), min(layout.y(end), exposed.bottom() + 1)
            if top < bottom:
                painter.fillRect(QRect(x, top, layout.column_width, bottom - top), self._theme.color("surface"))
        reason = layout.columns[column].closed_reason
        if reason:
            self._closed(painter, layout, column, exposed, reason)

    def _closed(self, painter: QPainter, layout: DayLayout, column: int, exposed: QRect, reason: str) -> None:
        """A closure is hatched; where nothing is open all day its reason stands in the column, upwards where it is narrow."""
        theme, width = self._theme, layout.column_width
        if layout.open[column]:
            return
        place = QRect(column * width, exposed.top(), width - 1, exposed.height())
        painter.save()
        painter.setBrushOrigin(0, 0)
        painter.fillRect(place, QBrush(theme.color("outline", 0.28), Qt.BrushStyle.BDiagPattern))
        painter.setFont(self.bold)
        painter.setPen(theme.color("text_soft"))
        painter.setBackground(theme.color("sunken"))
        painter.setBackgroundMode(Qt.BGMode.OpaqueMode)
        step = 5 * layout.hour_px
        for middle in range(2 * layout.hour_px, layout.height, step):
            if exposed.top() - step <= middle <= exposed.bottom() + step:
                painter.save()
                painter.translate(column * width + width // 2, middle)
                if width < MIN_COLUMN:
                    painter.rotate(-90)
                words = self.shortened(reason, step - 40 if width < MIN_COLUMN else width - 16, bold=True)
                painter.drawText(QPointF(-self.advance(words, bold=True) / 2, 4), words)
                painter.restore()
        painter.restore()

    def _lines(self, painter: QPainter, layout: DayLayout, first: int, last: int, exposed: QRect) -> None:
        theme, width = self._theme, layout.column_width
        step = 30 if layout.hour_px < 96 else 15
        begin = layout.minute(exposed.top()) // step * step
        quiet: list[QLineF] = []
        loud: list[QLineF] = []
        left, right = float(max(exposed.left(), first * width)), float(min(exposed.right(), (last + 1) * width))
        for minute in range(begin, layout.minute(exposed.bottom()) + step, step):
            line = QLineF(left, layout.y(minute), right, layout.y(minute))
            (loud if minute % 60 == 0 else quiet).append(line)
        painter.setPen(QPen(theme.color("line", 0.45), 1))
        painter.drawLines(quiet)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.drawLines(loud)
        separators = [QLineF((c + 1) * width - 1, exposed.top(), (c + 1) * width - 1, exposed.bottom()) for c in range(first, last + 1)]
        painter.drawLines(separators)
        if layout.lanes > 1 and len(layout.days) > 1:
            painter.setPen(QPen(theme.color("outline"), 1))
            days = [c for c in range(first, last + 1) if (c + 1) % layout.lanes == 0]
            painter.drawLines([QLineF((c + 1) * width - 1, exposed.top(), (c + 1) * width - 1, exposed.bottom()) for c in days])

    def _block(self, painter: QPainter, layout: DayLayout, placed: Placed, shown: Shown) -> None:
        block = placed.block
        rect = _qrect(layout.rect(placed))
        pinned = block.id in shown.pinned
        faded = shown.moving == block.id or pinned
        if faded:
            painter.setOpacity(0.6 if pinned else 0.45)
        painter.drawPixmap(rect.topLeft(), self._tile(painter, placed, rect, hovered=shown.hovered == block.id))
        if faded:
            painter.setOpacity(1.0)
        if pinned:
            self._pinned(painter, rect)
        if shown.selected == block.id:
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.color("focus" if shown.focused else "outline"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect), 4, 4)
            painter.restore()

    def _tile(self, painter: QPainter, placed: Placed, rect: QRect, *, hovered: bool) -> QPixmap:
        block, ratio = placed.block, painter.device().devicePixelRatio()
        key = (block.id, block.version, block.status, block.patient_name, block.reason, placed.start, placed.end, rect.width(),
               rect.height(), hovered, ratio)
        tile = self._tiles.get(key)
        if tile is None:
            if self._tile_pixels > _MOST_PIXELS:
                self._tiles.clear()
                self._tile_pixels = 0
            tile = QPixmap(round(rect.width() * ratio), round(rect.height() * ratio))
            tile.setDevicePixelRatio(ratio)
            tile.fill(Qt.GlobalColor.transparent)
            inner = QPainter(tile)
            self._draw_block(inner, QRect(0, 0, rect.width(), rect.height()), placed, hovered=hovered)
            inner.end()
            self._tiles[key] = tile
            self._tile_pixels += tile.width() * tile.height()
        return tile

    def _draw_block(self, painter: QPainter, rect: QRect, placed: Placed, *, hovered: bool) -> None:
        block = placed.block
        ink, tint = self._inks[block.status], self._tints[block.status]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(ink, 1) if hovered else QPen(self._edges[block.status], 1))
        painter.setBrush(tint)
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(QRectF(rect.x(), rect.y(), 2 if block.status not in ACTIVE else 4, rect.height()), 1.5, 1.5)
        painter.setClipRect(rect)
        self._words(painter, rect, placed, ink)

    def _pinned(self, painter: QPainter, rect: QRect) -> None:
        """Its place is kept: hatched, with the pin at the right."""
        theme = self._theme
        painter.save()
        painter.setBrushOrigin(0, 0)
        painter.fillRect(rect, QBrush(theme.color("outline", 0.4), Qt.BrushStyle.FDiagPattern))
        mark = QRect(rect.right() - 17, rect.top() + 1, 16, 16)
        painter.fillRect(mark, theme.color("surface"))
        theme.icons.paint(painter, mark.adjusted(1, 1, -1, -1), "pin", theme.color("text"))
        painter.restore()

    def _words(self, painter: QPainter, rect: QRect, placed: Placed, ink: QColor) -> None:
        """Icon and name first; time and status word beside or below; the reason with what room is left."""
        theme, block = self._theme, placed.block
        aside = block.status not in ACTIVE
        tall = rect.height() >= 2 * _LINE + 6
        two = rect.height() >= 2 * _TIGHT  # a twenty-minute visit at the usual zoom: name, and below it time and status
        top = rect.y() + (5 if tall else 0 if two else max(0, (rect.height() - _LINE) // 2))
        pitch = _LINE if tall else _TIGHT
        if rect.width() < MIN_COLUMN - 20 and two:
            self._narrow_words(painter, rect, placed, ink, top, pitch)
            return
        theme.icons.paint(painter, QRect(rect.x() + _PAD, top + 1, 14, 14), block.status, ink)
        if rect.width() < 52:
            return
        left, width = rect.x() + _PAD + 18, rect.width() - _PAD - 24
        if block.lane > 0:
            theme.icons.paint(painter, QRect(rect.right() - 19, top + 1, 14, 14), "overbook", ink)
            width -= 18
        start, word = clock(placed.start), status_word(block.status)
        state = f"{start}–{clock(placed.end)}  {word}"
        name = self.shortened(block.patient_name, width, bold=not aside)
        painter.setFont(self._struck if aside else self.bold)
        painter.setPen(theme.color("text_soft" if aside else "text"))
        painter.drawText(QPointF(left, top + 12), name)
        used = self.advance(name, bold=not aside) + 10
        painter.setFont(self.plain)
        painter.setPen(ink)
        beside = next((form for form in ((state,) if two else (state, start)) if self.advance(form) <= width - used), "")
        if beside:
            painter.drawText(QPointF(left + used, top + 12), beside)
        room = rect.width() - _PAD - 8
        lines: list[str] = []
        if beside != state:
            forms = (state, f"{start}  {word}", f"{start}–{clock(placed.end)}", start)
            lines.append(next((form for form in forms if self.advance(form) <= room), start))
        lines.append(block.reason)
        y = top + 12 + pitch
        for line in lines:
            if y + 3 > rect.bottom():
                break
            painter.setPen(ink if line is not block.reason else theme.color("text_soft"))
            painter.drawText(QPointF(rect.x() + _PAD + 2, y), self.shortened(line, room, bold=False))
            y += pitch

    def _narrow_words(self, painter: QPainter, rect: QRect, placed: Placed, ink: QColor, top: int, pitch: int) -> None:
        """In a lane the name has the first line for itself; the icon stands before the time below it."""
        theme, block = self._theme, placed.block
        aside = block.status not in ACTIVE
        if rect.width() < _LEAST_WORDS:
            theme.icons.paint(painter, QRect(rect.x() + (rect.width() - 11) // 2, top + 2, 13, 13), block.status, ink)
            return
        painter.setFont(self._struck if aside else self.bold)
        painter.setPen(theme.color("text_soft" if aside else "text"))
        painter.drawText(QPointF(rect.x() + _PAD, top + 12), self._lane_name(block.patient_name, rect.width() - _PAD - 3, bold=not aside))
        theme.icons.paint(painter, QRect(rect.x() + _PAD - 1, top + pitch + 1, 13, 13), block.status, ink)
        forms = (f"{clock(placed.start)}–{clock(placed.end)}", clock(placed.start))
        room = rect.width() - _PAD - 17 - (16 if block.lane > 0 else 0)
        time = next((form for form in forms if self.advance(form) <= room), "")
        painter.setFont(self.plain)
        painter.setPen(ink)
        painter.drawText(QPointF(rect.x() + _PAD + 15, top + 12 + pitch), time)
        if block.lane > 0 and rect.width() > 64:
            theme.icons.paint(painter, QRect(rect.right() - 16, top + pitch + 1, 13, 13), "overbook", ink)

    def _lane_name(self, name: str, width: int, *, bold: bool) -> str:
        """The whole name, or surname and initial (`Hughes, J.`), or what fits."""
        last, _comma, first = name.partition(", ")
        forms = (name, f"{last}, {first[:1]}." if first else last)
        return next((form for form in forms if self.advance(form, bold=bold) <= width), self.shortened(name, width, bold=bold))

    def _cursor(self, painter: QPainter, layout: DayLayout, cell: Cell) -> None:
        rect = QRectF(*layout.span_rect(Span(cell.column, cell.minute, cell.minute + layout.snap))).adjusted(1, 0, -1, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("focus"), 2))
        painter.setBrush(self._theme.color("accent_soft"))
        painter.drawRoundedRect(rect, 4, 4)
        painter.setFont(self.plain)
        painter.setPen(self._theme.color("text_soft"))
        if rect.height() >= 13:
            painter.drawText(rect.adjusted(_PAD, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), clock(cell.minute))
        painter.restore()

    def _now(self, painter: QPainter, layout: DayLayout, shown: Shown, exposed: QRect, alpha: float) -> None:
        if shown.now is None or not shown.today or not layout.first <= shown.now <= layout.last:
            return
        y, width = layout.y(shown.now), layout.column_width
        left, right = max(exposed.left(), shown.today.start * width), min(exposed.right(), shown.today.stop * width - 1)
        if left < right:
            painter.setPen(QPen(self._theme.color("danger", alpha), 2))
            painter.drawLine(left, y, right, y)

    def advance(self, text: str, *, bold: bool = False) -> int:
        """Pixels of a small text, remembered."""
        key = (text, bold)
        if key not in self._wide:
            if len(self._wide) > 30_000:
                self._wide.clear()
            self._wide[key] = (self._bold_measure if bold else self._plain_measure).horizontalAdvance(text)
        return self._wide[key]

    def shortened(self, text: str, width: int, *, bold: bool) -> str:
        """A small text cut to a width with an ellipsis, remembered."""
        key = (text, width, bold)
        if key not in self._short:
            if len(self._short) > 30_000:
                self._short.clear()
            measure = self._bold_measure if bold else self._plain_measure
            self._short[key] = measure.elidedText(text, Qt.TextElideMode.ElideRight, width)
        return self._short[key]


def tool_tip(block: AppointmentBlock, times: str) -> str:
    """Everything about a block in plain lines, for the pointer and for screen readers."""
    lines = [block.patient_name, f"{times} · {status_word(block.status)}", block.reason]
    if block.lane > 0:
        lines.append(f"Overbooked: {block.overbook_reason}")
    return "\n".join(filter(None, lines))


def _blend(ink: QColor, tint: QColor) -> QColor:
    return QColor((ink.red() + 3 * tint.red()) // 4, (ink.green() + 3 * tint.green()) // 4, (ink.blue() + 3 * tint.blue()) // 4)
