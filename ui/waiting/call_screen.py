"""The call screen: a window of its own for the waiting room. Numbers and rooms, never a name."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QCloseEvent, QFont, QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import calling, settings
from clinicdesk.services.calling import Call
from clinicdesk.services.settings import ClinicSettings
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.lock import PUBLIC
from ui.widgets.arranging import emptied
from ui.widgets.text import restyle

NEW_SECONDS = 12  #: so long a new call stands out
MOST_BEFORE = 4  #: earlier calls below it


class CallScreen(QWidget):
    """Opens on the second screen when there is one. F11 fills the screen, Esc leaves that, then closes."""

    def __init__(self, desk: Desk, clinic: str = "") -> None:
        super().__init__()
        self.setProperty(PUBLIC, True)  # noqa: FBT003  a property's value
        self.desk = desk
        self.calls: list[Call] = []
        self.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)  # noqa: FBT003  Qt's signature
        self.setWindowTitle("ClinicDesk – call screen")
        self.setAccessibleName("Call screen")
        self.setMinimumSize(QSize(480, 320))
        self.head = QLabel(clinic or "ClinicDesk")
        self.clock = QLabel()
        self.number, self.room = QLabel(), QLabel()
        self.now = QFrame()
        self.now.setProperty("card", "accent")
        inside = QVBoxLayout(self.now)
        inside.setSpacing(0)
        for made in (self.number, self.room):
            made.setAlignment(Qt.AlignmentFlag.AlignCenter)
            inside.addWidget(made)
        self.room.setWordWrap(True)
        self.before = QGridLayout()
        self.before.setHorizontalSpacing(32)
        self.before.setVerticalSpacing(0)
        top = QHBoxLayout()
        top.addWidget(self.head)
        top.addStretch(1)
        top.addWidget(self.clock)
        outer = QVBoxLayout(self)
        outer.addLayout(top)
        outer.addWidget(self.now, 3)
        outer.addLayout(self.before, 2)
        self._second = QTimer(self)
        self._second.setInterval(1_000)
        self._second.timeout.connect(self._tick)
        self._second.start()
        self.resize(QSize(960, 600))
        self.restoreGeometry(desk.recall("call-screen", QByteArray()))
        self._tick()
        self._draw()
        if not clinic:
            desk.ask(self, settings.clinic_settings, done=self._name, failed=lambda _e: None, replaces="clinic")
        self._live = RefreshWhenShown(self, desk.live, ("calls", "appointments"), self.refresh)

    def show_there(self) -> None:
        """Show it, on another screen than the desk's when there is one."""
        screens = QGuiApplication.screens()
        if len(screens) > 1 and self.desk.recall("call-screen", QByteArray()).isEmpty():
            self.setGeometry(screens[1].availableGeometry())
            self.showFullScreen()
        else:
            self.show()
        self.raise_()

    @Slot()
    def refresh(self) -> None:
        """Read today's calls."""
        self.desk.ask(self, calling.calls, done=self._show, failed=lambda _e: None, replaces="calls")

    def _name(self, clinic: ClinicSettings) -> None:
        self.head.setText(clinic.name)

    def _show(self, calls: list[Call]) -> None:
        known = {(call.number, call.called_at) for call in self.calls}
        fresh = [call for call in calls if (call.number, call.called_at) not in known]
        first = not self.calls
        self.calls = calls
        self._draw()
        if fresh and not first:
            QApplication.beep()

    @Slot()
    def _tick(self) -> None:
        now = self.desk.now()
        self.clock.setText(f"{clinical_date(now.date(), weekday=True)}   {clinical_time(now)}")
        self._mark()

    def _mark(self) -> None:
        fresh = bool(self.calls) and (self.desk.now() - self.calls[0].called_at).total_seconds() < NEW_SECONDS
        restyle(self.now, "card", "accent" if fresh else "surface")

    def _draw(self) -> None:
        emptied(self.before)
        newest = self.calls[0] if self.calls else None
        self.number.setText(str(newest.number) if newest else "")
        self.room.setText(newest.room if newest else "Please wait until your number is called.")
        self.now.setAccessibleName(f"Number {newest.number}, {newest.room}" if newest else "Nobody is called")
        for line, call in enumerate(self.calls[1:MOST_BEFORE + 1]):
            for column, words in enumerate((str(call.number), call.room)):
                made = QLabel(words)
                made.setAlignment(
                    Qt.AlignmentFlag.AlignVCenter | (Qt.AlignmentFlag.AlignRight if column == 0 else Qt.AlignmentFlag.AlignLeft)
                )
                self.before.addWidget(made, line, column)
        self.before.setColumnStretch(0, 1)
        self.before.setColumnStretch(1, 2)
        self._mark()
        self._size_letters()

    def _size_letters(self) -> None:
        """Letters grow with the window: they are read from across the room."""
        unit = max(12, min(self.height(), self.width() * 2 // 3) // 15)
        for layout, space in ((self.layout(), unit * 2 // 3), (self.now.layout(), unit // 3)):
            if layout is not None:
                layout.setContentsMargins(space, space, space, space)
        if (outer := self.layout()) is not None:
            outer.setSpacing(unit // 2)
        self.number.setVisible(bool(self.calls))
        for made, size, strong in (
            (self.number, unit * 3, True),
            (self.room, unit * 7 // 5, True),
            (self.head, unit * 2 // 3, True),
            (self.clock, unit * 2 // 3, False),
        ):
            made.setStyleSheet(
                f"font-size: {max(1, size)}px; font-weight: {QFont.Weight.Bold.value if strong else QFont.Weight.Normal.value};"
            )
        for number in range(self.before.count()):
            item = self.before.itemAt(number)
            line = item.widget() if item is not None else None
            if line is not None:
                line.setStyleSheet(f"font-size: {unit * 4 // 5}px;")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._size_letters()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F11:
            (self.showNormal if self.isFullScreen() else self.showFullScreen)()
        elif event.key() == Qt.Key.Key_Escape:
            (self.showNormal if self.isFullScreen() else self.close)()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.desk.remember("call-screen", self.saveGeometry())
        super().closeEvent(event)
