"""How the calendar looks: grid, open hours, blocks, ghost, cursor, now-line, header and ruler. Paints only what is exposed.

A block is its status: tint, a bar in the ink at the left edge, icon and word; never colour alone.
"""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QLineF, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen

from clinicdesk.rules.steps import ACTIVE
from clinicdesk.services.schedule import AppointmentBlock
from ui.schedule.model import Cell, DayLayout, Placed, Rect, Span, Verdict, clock
from ui.theme import STATUSES, Theme
from ui.widgets.status_chip import status_word

HEADER_HEIGHT, RULER_WIDTH = 52, 52
_PAD, _LINE, _TIGHT = 7, 16, 14


class Ghost(NamedTuple):
    """Something proposed: where, what it is called, what stands against it; `waiting` once the database has been asked."""

    span: Span
    title: str
    verdict: Verdict
    waiting: bool = False


class Shown(NamedTuple):
    """What the view wants drawn besides the blocks."""

    selected: int | None = None
    hovered: int | None = None
    cursor: Cell | None = None
    focused: bool = False
    now: int | None = None
    ghost: Ghost | None = None
    moving: int | None = None


def _qrect(rect: Rect) -> QRect:
    return QRect(*rect)


class Painting:
    """Draws with one theme; keeps fonts, measures and shortened texts, which cost more than drawing them."""

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._short: dict[tuple[str, int, bool], str] = {}
        self._wide: dict[tuple[str, bool], int] = {}
        self.forget()

    def forget(self) -> None:
        """Colours or type changed."""
        theme = self._theme
        self._short.clear()
        self._wide.clear()
        self._bold, self._plain = theme.font("small", bold=True), theme.font("small", tabular=True)
        self._struck = QFont(self._plain)
        self._struck.setStrikeOut(True)
        self._inks = {status: theme.ink(status) for status in STATUSES}
        self._tints = {status: theme.tint(status) for status in STATUSES}
        self._edges = {status: _blend(self._inks[status], self._tints[status]) for status in STATUSES}
        self._bold_measure, self._plain_measure = QFontMetrics(self._bold), QFontMetrics(self._plain)

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
            self._now(painter, layout, shown.now, exposed, 1.0)
        if shown.cursor is not None and shown.focused:
            self._cursor(painter, layout, shown.cursor)
        for column in range(first, last + 1):
            for placed in layout.in_view(column, exposed.top(), exposed.bottom()):
                self._block(painter, layout, placed, shown)
        if shown.selected is not None and (chosen := layout.by_id.get(shown.selected)) is not None and first <= chosen.column <= last:
            self._block(painter, layout, chosen, shown)
        if shown.now is not None:
            self._now(painter, layout, shown.now, exposed, 0.3)  # over the blocks it must not cross out a name
        if shown.ghost is not None:
            self._ghost(painter, layout, shown.ghost)

    def header(self, painter: QPainter, layout: DayLayout, exposed: QRect, counts: list[int]) -> None:
        """Draw the frozen header: doctor, specialization or why closed, number booked."""
        theme = self._theme
        painter.fillRect(exposed, theme.color("surface"))
        measure = QFontMetrics(theme.font(bold=True))
        for number in range(layout.column_at(exposed.left()), layout.column_at(exposed.right()) + 1) if layout.columns else ():
            column, x, width = layout.columns[number], number * layout.column_width, layout.column_width
            painter.setPen(theme.color("line"))
            painter.drawLine(x + width - 1, 10, x + width - 1, HEADER_HEIGHT - 1)
            painter.setFont(theme.font(bold=True))
            painter.setPen(theme.color("text"))
            name = measure.elidedText(column.name, Qt.TextElideMode.ElideRight, width - 20)
            painter.drawText(QRect(x + 10, 7, width - 18, 20), int(Qt.AlignmentFlag.AlignVCenter), name)
            painter.setFont(self._plain)
            painter.setPen(theme.color("text_faint"))
            booked = "" if not counts[number] else f"{counts[number]} booked" if width >= 170 else str(counts[number])
            painter.drawText(QRect(x + 10, 27, width - 20, 18), int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight), booked)
            room = width - 28 - self._advance(booked)
            second = column.closed_reason or column.specialization
            painter.setPen(theme.color("warning" if column.closed_reason else "text_faint"))
            painter.drawText(QRect(x + 10, 27, room, 18), int(Qt.AlignmentFlag.AlignVCenter), self._shortened(second, room, bold=False))
        painter.setPen(theme.color("line"))
        painter.drawLine(exposed.left(), HEADER_HEIGHT - 1, exposed.right(), HEADER_HEIGHT - 1)

    def ruler(self, painter: QPainter, layout: DayLayout, exposed: QRect, now: int | None) -> None:
        """Draw the frozen time ruler; `now` in red where the now-line is."""
        theme = self._theme
        painter.fillRect(exposed, theme.color("surface"))
        painter.setFont(self._plain)
        right = int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight)
        for hour in range(layout.minute(exposed.top() - 20) // 60, layout.minute(exposed.bottom() + 20) // 60 + 1):
            y = layout.y(hour * 60)
            if hour * 60 <= layout.first:
                continue
            near = now is not None and abs(layout.y(now) - y) < 12
            if not near:
                painter.setPen(theme.color("text_soft"))
                painter.drawText(QRect(0, y - 9, RULER_WIDTH - 8, 18), right, clock(hour * 60))
        painter.setPen(theme.color("line"))
        painter.drawLine(RULER_WIDTH - 1, exposed.top(), RULER_WIDTH - 1, exposed.bottom())
        if now is not None and layout.first <= now <= layout.last:
            y = layout.y(now)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("danger"))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawRoundedRect(QRectF(4, y - 9, RULER_WIDTH - 8, 18), 4, 4)
            painter.setPen(theme.color("surface"))
            painter.setFont(self._bold)
            painter.drawText(QRect(4, y - 9, RULER_WIDTH - 8, 18), int(Qt.AlignmentFlag.AlignCenter), clock(now))

    def _ground(self, painter: QPainter, layout: DayLayout, column: int, exposed: QRect) -> None:
        x = column * layout.column_width
        for start, end in layout.open[column]:
            top, bottom = max(layout.y(start), exposed.top()), min(layout.y(end), exposed.bottom() + 1)
            if top < bottom:
                painter.fillRect(QRect(x, top, layout.column_width, bottom - top), self._theme.color("surface"))

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

    def _block(self, painter: QPainter, layout: DayLayout, placed: Placed, shown: Shown) -> None:
        theme, block = self._theme, placed.block
        rect = _qrect(layout.rect(placed))
        ink, tint = self._inks[block.status], self._tints[block.status]
        aside = block.status not in ACTIVE
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if shown.moving == block.id:
            painter.setOpacity(0.45)
        painter.setPen(QPen(ink, 1) if shown.hovered == block.id else QPen(self._edges[block.status], 1))
        painter.setBrush(tint)
        painter.drawRoundedRect(QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRoundedRect(QRectF(rect.x(), rect.y(), 2 if aside else 4, rect.height()), 1.5, 1.5)
        painter.setClipRect(rect)
        self._words(painter, rect, placed, ink)
        painter.setClipping(False)
        if shown.selected == block.id:
            painter.setPen(QPen(theme.color("focus" if shown.focused else "outline"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(rect).adjusted(0, 0, 0, 0), 4, 4)
        painter.restore()

    def _words(self, painter: QPainter, rect: QRect, placed: Placed, ink: QColor) -> None:
        """Icon and name first; time and status word beside or below; the reason with what room is left."""
        theme, block = self._theme, placed.block
        aside = block.status not in ACTIVE
        tall = rect.height() >= 2 * _LINE + 6
        two = rect.height() >= 2 * _TIGHT  # a twenty-minute visit at the usual zoom: name, and below it time and status
        top = rect.y() + (5 if tall else 0 if two else max(0, (rect.height() - _LINE) // 2))
        pitch = _LINE if tall else _TIGHT
        theme.icons.paint(painter, QRect(rect.x() + _PAD, top + 1, 14, 14), block.status, ink)
        if rect.width() < 52:
            return
        left, width = rect.x() + _PAD + 18, rect.width() - _PAD - 24
        if block.lane > 0:
            theme.icons.paint(painter, QRect(rect.right() - 19, top + 1, 14, 14), "overbook", ink)
            width -= 18
        start, word = clock(placed.start), status_word(block.status)
        state = f"{start}–{clock(placed.end)}  {word}"
        name = self._shortened(block.patient_name, width, bold=not aside)
        painter.setFont(self._struck if aside else self._bold)
        painter.setPen(theme.color("text_soft" if aside else "text"))
        painter.drawText(QPointF(left, top + 12), name)
        used = self._advance(name, bold=not aside) + 10
        painter.setFont(self._plain)
        painter.setPen(ink)
        beside = next((form for form in ((state,) if two else (state, start)) if self._advance(form) <= width - used), "")
        if beside:
            painter.drawText(QPointF(left + used, top + 12), beside)
        room = rect.width() - _PAD - 8
        lines: list[str] = []
        if beside != state:
            forms = (state, f"{start}  {word}", f"{start}–{clock(placed.end)}", start)
            lines.append(next((form for form in forms if self._advance(form) <= room), start))
        lines.append(block.reason)
        y = top + 12 + pitch
        for line in lines:
            if y + 3 > rect.bottom():
                break
            painter.setPen(ink if line is not block.reason else theme.color("text_soft"))
            painter.drawText(QPointF(rect.x() + _PAD + 2, y), self._shortened(line, room, bold=False))
            y += pitch

    def _cursor(self, painter: QPainter, layout: DayLayout, cell: Cell) -> None:
        rect = QRectF(*layout.span_rect(Span(cell.column, cell.minute, cell.minute + layout.snap))).adjusted(1, 0, -1, 0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("focus"), 2))
        painter.setBrush(self._theme.color("accent_soft"))
        painter.drawRoundedRect(rect, 4, 4)
        painter.setFont(self._plain)
        painter.setPen(self._theme.color("text_soft"))
        if rect.height() >= 13:
            painter.drawText(rect.adjusted(_PAD, 0, 0, 0), int(Qt.AlignmentFlag.AlignVCenter), clock(cell.minute))
        painter.restore()

    def _now(self, painter: QPainter, layout: DayLayout, now: int, exposed: QRect, alpha: float) -> None:
        if layout.first <= now <= layout.last:
            painter.setPen(QPen(self._theme.color("danger", alpha), 2))
            painter.drawLine(exposed.left(), layout.y(now), min(exposed.right(), layout.width), layout.y(now))

    def _ghost(self, painter: QPainter, layout: DayLayout, ghost: Ghost) -> None:
        theme, rect = self._theme, QRectF(*layout.span_rect(ghost.span))
        verdict = ghost.verdict
        name = "danger" if verdict.taken else "warning" if verdict.unusual else "accent"
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color(name), 2, Qt.PenStyle.DashLine if ghost.waiting else Qt.PenStyle.SolidLine))
        ground = theme.color("danger", 0.16) if verdict.taken else theme.color(name, 0.18)
        painter.setBrush(theme.color("surface", 0.86))
        painter.drawRoundedRect(rect, 4, 4)
        painter.setBrush(ground)
        painter.drawRoundedRect(rect, 4, 4)
        words = [(f"{clock(ghost.span.start)}–{clock(ghost.span.end)}  {ghost.title}".strip(), "text", True)]
        if verdict.reason:
            words.append((verdict.reason, name, True))
        elif not ghost.waiting:
            words.append((f"{ghost.span.end - ghost.span.start} min", "text_soft", False))
        room = int(rect.width()) - 2 * _PAD
        if rect.height() < len(words) * _LINE + 2:  # a short ghost carries its words on a label of its own, so that the reason is never cut
            label = QRectF(rect.x(), rect.bottom() + 3, rect.width(), len(words) * _LINE + 6)
            painter.setPen(QPen(theme.color(name), 1))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(label, 4, 4)
            rect = label
        for n, (text, ink, bold) in enumerate(words):
            painter.setFont(self._bold if bold else self._plain)
            painter.setPen(theme.color(ink))
            painter.drawText(QPointF(rect.x() + _PAD, rect.y() + 14 + n * _LINE), self._shortened(text, room, bold=bold))
        painter.restore()

    def _advance(self, text: str, *, bold: bool = False) -> int:
        key = (text, bold)
        if key not in self._wide:
            if len(self._wide) > 30_000:
                self._wide.clear()
            self._wide[key] = (self._bold_measure if bold else self._plain_measure).horizontalAdvance(text)
        return self._wide[key]

    def _shortened(self, text: str, width: int, *, bold: bool) -> str:
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
