"""The bar above the calendar: day back and forth, today, a month to choose from, which doctors, how close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

from PySide6.QtCore import QDate, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCalendarWidget, QFrame, QHBoxLayout, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_date
from clinicdesk.services.schedule import DoctorColumn
from ui.theme import Theme
from ui.widgets.text import button, icon_button


class DayBar(QFrame):
    """Signals: `day_changed(date)`; `doctors_changed(ids | None)`, None meaning all; `zoomed(steps)` +1 closer, -1 further.

    Keys: Alt+← and Alt+→ a day, Alt+T today (work anywhere in the panel). `tools` is the row at the right for the panel's own buttons.
    Without `calendar` there is no filter and no zoom (lists of one doctor).
    """

    day_changed = Signal(object)
    doctors_changed = Signal(object)
    zoomed = Signal(int)

    def __init__(self, theme: Theme, day: date, *, today: Callable[[], date] = date.today, calendar: bool = True,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._today, self.day = theme, today, day
        self._doctors: dict[int, QAction] = {}
        self.back = icon_button(theme, "left", self.tr("Day before"), lambda: self._go(-1), shortcut="Alt+Left")
        self.forth = icon_button(theme, "right", self.tr("Day after"), lambda: self._go(1), shortcut="Alt+Right")
        self.today_button = button(self.tr("Today"), lambda: self.set_day(self._today()), shortcut="Alt+T")
        self.date_button = QPushButton()
        self.date_button.setProperty("variant", "quiet")
        self.date_button.setAutoDefault(False)
        self.date_button.setFont(theme.font("title", bold=True))
        self.date_button.setStyleSheet(f"font-size: {theme.px('title')}px; font-weight: 600; color: palette(text);")
        self.date_button.clicked.connect(self._open_month)
        self.filter_button = QToolButton()
        self.filter_button.setProperty("framed", "true")
        self.filter_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.filter_button.setIcon(theme.icon("filter"))
        self.filter_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.filter_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._menu = _StayOpenMenu(self.filter_button)
        self.filter_button.setMenu(self._menu)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(8)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.back)
        layout.addWidget(self.forth)
        layout.addWidget(self.date_button)
        layout.addWidget(self.today_button)
        layout.addStretch(1)
        self.filter_button.setVisible(calendar)
        if calendar:
            layout.addWidget(self.filter_button)
            layout.addWidget(icon_button(theme, "zoom_out", self.tr("Further away  (-)"), lambda: self.zoomed.emit(-1)))
            layout.addWidget(icon_button(theme, "zoom_in", self.tr("Closer  (+)"), lambda: self.zoomed.emit(1)))
        layout.addSpacing(8)
        layout.addLayout(self.tools)
        self._name_filter()
        self._say_day()

    def set_day(self, day: date) -> None:
        """Go to a day; says so only when it is another."""
        if day != self.day:
            self.day = day
            self._say_day()
            self.day_changed.emit(day)

    def set_doctors(self, columns: Sequence[DoctorColumn]) -> None:
        """The doctors one can choose among; those shown stay shown."""
        hidden = {number for number, action in self._doctors.items() if not action.isChecked()}
        self._menu.clear()
        everybody = self._menu.addAction(self.tr("All doctors"))
        everybody.triggered.connect(self._show_all)
        self._menu.addSeparator()
        self._doctors = {}
        for column in columns:
            action = self._menu.addAction(column.name)
            action.setCheckable(True)
            action.setChecked(column.doctor_id not in hidden)
            action.toggled.connect(self._filtered)
            self._doctors[column.doctor_id] = action
        self._name_filter()

    @property
    def doctors(self) -> tuple[int, ...] | None:
        """The chosen doctors; None when all are."""
        chosen = tuple(number for number, action in self._doctors.items() if action.isChecked())
        return None if len(chosen) == len(self._doctors) else chosen

    def _go(self, days: int) -> None:
        self.set_day(self.day + timedelta(days=days))

    def _say_day(self) -> None:
        days = (self.day - self._today()).days
        near = {0: self.tr("Today"), 1: self.tr("Tomorrow"), -1: self.tr("Yesterday")}.get(days, "")
        self.date_button.setText(clinical_date(self.day, weekday=True))
        self.date_button.setToolTip(self.tr("Choose a day") + (f" · {near}" if near else ""))
        self.date_button.setAccessibleName(f"{near} {clinical_date(self.day, weekday=True)}".strip())
        self.today_button.setEnabled(days != 0)

    def _show_all(self) -> None:
        for action in self._doctors.values():
            action.blockSignals(True)  # noqa: FBT003  Qt's signature; one answer for all of them
            action.setChecked(True)
            action.blockSignals(False)  # noqa: FBT003
        self._filtered()

    def _filtered(self) -> None:
        self._name_filter()
        self.doctors_changed.emit(self.doctors)

    def _name_filter(self) -> None:
        chosen = self.doctors
        if chosen is None:
            words = self.tr("All doctors")
        else:
            words = self.tr("1 doctor") if len(chosen) == 1 else self.tr("%n doctors", "", len(chosen))
        self.filter_button.setText(words)
        self.filter_button.setAccessibleName(self.tr("Doctors shown: {0}").format(words))

    def _open_month(self) -> None:
        popup = _Month(self._theme, self.day, self.set_day, self)
        popup.move(self.date_button.mapToGlobal(QPoint(0, self.date_button.height() + 4)))
        popup.show()
        popup.setFocus()


class _StayOpenMenu(QMenu):
    """Ticking several doctors does not close the menu."""

    def mouseReleaseEvent(self, event: object) -> None:
        action = self.activeAction()
        if action is not None and action.isCheckable():
            action.toggle()
        else:
            super().mouseReleaseEvent(event)  # type: ignore[arg-type]


class _Month(QFrame):
    """A month to choose a day from; Enter or a click takes it, Esc closes."""

    def __init__(self, theme: Theme, day: date, chosen: Callable[[date], None], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)  # for the round corners
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._chosen = chosen
        month = QCalendarWidget()
        month.setSelectedDate(QDate(day.year, day.month, day.day))
        month.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        month.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.ISOWeekNumbers)
        month.setGridVisible(False)
        for weekday in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            shape = month.weekdayTextFormat(weekday)
            shape.setForeground(theme.color("text_faint"))
            month.setWeekdayTextFormat(weekday, shape)
        month.clicked.connect(self._take)
        month.activated.connect(self._take)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(month)
        self.setFocusProxy(month)
        self.resize(QSize(320, 260))

    def _take(self, day: QDate) -> None:
        self.close()
        self._chosen(date(day.year(), day.month(), day.day()))
