"""The bell of the top bar: a count of what is unread, and the list; a line opens what it is about."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRect, QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import notifying
from clinicdesk.services.notifying import Notice
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.form import announce
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label

ICONS = {"booked": "book", "moved": "move", "moved_away": "move", "cancelled": "cancelled", "no_show": "no_show", "arrived": "arrived",
         "assigned": "doctor", "unassigned": "doctor"}


class Bell(QToolButton):
    """Counts live. Pressing it opens the list."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self.count = 0
        self.list: NoticeList | None = None
        self.setIcon(desk.theme.icon("bell"))
        self.setIconSize(QSize(20, 20))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.clicked.connect(self.open_list)
        self._named(0)
        self._live = RefreshWhenShown(self, desk.live, (f"notifications {desk.me.user_id}",), self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Count again."""
        self._desk.ask(self, notifying.unread, done=self._counted, failed=lambda _e: None, replaces="unread")

    @Slot()
    def open_list(self) -> None:
        """The list, newest first."""
        self.list = NoticeList(self._desk, self.window())
        self.list.open()

    def _counted(self, count: int) -> None:
        if count > self.count:
            announce(self, f"{count} unread notices")
        self.count = count
        self._named(count)
        self.update()

    def _named(self, count: int) -> None:
        words = f"Notices, {count} unread" if count else "Notices"
        self.setAccessibleName(words)
        self.setToolTip(f"{words}  (Ctrl+B)")

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.count:
            return
        painter, theme = QPainter(self), self._desk.theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        words = str(self.count) if self.count < 100 else "99+"
        painter.setFont(theme.font("small"))
        width = max(16, painter.fontMetrics().horizontalAdvance(words) + 8)
        spot = QRect(self.width() - width, 0, width, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(spot, 8, 8)
        painter.setPen(theme.color("surface"))
        painter.drawText(spot, int(Qt.AlignmentFlag.AlignCenter), words)
        painter.end()


class NoticeList(Sheet):
    """What others did that concerns me. Opening a line marks it read; so does the button for all."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, "Notices", "Mark all as read", parent=parent, key="notices", size=QSize(600, 520), variant="")
        self.cancel_button.setText("Close")
        self.lines: list[Notice] = []
        self._list = QVBoxLayout()
        self.body.addWidget(scrolled(self._list, margins=(0, 0, 8, 0), spacing=0), 1)
        self._live = RefreshWhenShown(self, desk.live, (f"notifications {desk.me.user_id}",), self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Read the list again."""
        self.desk.ask(self, notifying.notices, done=self._show, failed=self.show_problem, replaces="notices")

    def submit(self) -> None:
        """Everything is read; the list stays."""
        self.desk.do(self, notifying.mark_read, done=self._marked, failed=self.show_problem)

    def _marked(self, _count: int) -> None:
        self.refresh()

    def _show(self, found: list[Notice]) -> None:
        self.lines = found
        self.set_busy(False)
        self.verb_button.setEnabled(any(not notice.read for notice in found))
        emptied(self._list)
        if not found:
            self._list.addWidget(label("Nothing yet. What others book, change or cancel with you is listed here.", "faint", wrap=True))
        for notice in found:
            self._list.addWidget(self._line(notice))
        self._list.addStretch(1)

    def _line(self, notice: Notice) -> QWidget:
        frame = QFrame()
        frame.setProperty("row", "true")
        at = notice.at.astimezone(self.desk.zone)
        today = at.date() == self.desk.now().date()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 8, 0, 8)
        row.setSpacing(12)
        picture = QToolButton()
        picture.setIcon(self.desk.theme.icon(ICONS[notice.kind]))
        picture.setEnabled(False)
        picture.setAccessibleName(notice.kind.replace("_", " "))
        row.addWidget(picture)
        text = QVBoxLayout()
        text.setSpacing(2)
        link = button(notice.words, partial(self._open, notice), variant="link", tip="Show it")
        text.addWidget(link)
        who = f" by {notice.who}" if notice.who else ""
        text.addWidget(label(f"{clinical_time(at) if today else f'{clinical_date(at.date())} {clinical_time(at)}'}{who}", "faint"))
        row.addLayout(text, 1)
        if not notice.read:
            row.addWidget(label("new", "warning"))
        frame.setAccessibleName(f"{notice.words}{'' if notice.read else ', new'}")
        return frame

    def _open(self, notice: Notice) -> None:
        self.desk.do(self.desk, notifying.mark_read, [notice.id])
        self.accept()
        if notice.starts_at is not None and notice.kind != "arrived":
            self.desk.show("day", notice.starts_at.astimezone(self.desk.zone).date())
        else:
            self.desk.show("patient", notice.patient_id)
