"""The bar above the calendar: back and forth by day, week or month, today, a month to choose from, which doctors, how close."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial

from PySide6.QtCore import QDate, QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QCalendarWidget, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from clinicdesk.rules.moments import MONTHS, clinical_date
from clinicdesk.services.schedule import DoctorColumn
from ui.schedule.doctor_filter import DoctorFilter
from ui.schedule.month import month_after
from ui.theme import Theme
from ui.widgets.text import button, icon_button


class DayBar(QFrame):
    """Signals: `day_changed(date)`; `unit_changed("day" | "week" | "month")`; `doctors_changed(ids | None)`, None meaning all;
    `zoomed(steps)` +1 closer, -1 further.

    Keys: Alt+← and Alt+→ by the unit shown, Alt+T today, Ctrl+Shift+D, W, M (work anywhere in the panel). `choices` is the row for what
    else is chosen, `tools` the row at the right for the panel's own buttons. Without `calendar` there are no units, no filter and no zoom
    (lists of one doctor).
    """

    day_changed = Signal(object)
    unit_changed = Signal(str)
    doctors_changed = Signal(object)
    zoomed = Signal(int)

    def __init__(self, theme: Theme, day: date, *, today: Callable[[], date] = date.today, calendar: bool = True,
                 parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._today, self.day = theme, today, day
        self.unit = "day"
        self.back = icon_button(theme, "left", self.tr("Back"), lambda: self._go(-1), shortcut="Alt+Left")
        self.forth = icon_button(theme, "right", self.tr("Forward"), lambda: self._go(1), shortcut="Alt+Right")
        self.today_button = button(self.tr("Today"), lambda: self.set_day(self._today()), shortcut="Alt+T")
        self.date_button = QPushButton()
        self.date_button.setProperty("variant", "quiet")
        self.date_button.setAutoDefault(False)
        self.date_button.setFont(theme.font("title", bold=True))
        self.date_button.setStyleSheet(f"font-size: {theme.px('title')}px; font-weight: 600; color: palette(text);")
        self.date_button.clicked.connect(self._open_month)
        self.units: dict[str, QPushButton] = {}
        self.filter = DoctorFilter(theme)
        self.filter.changed.connect(self.doctors_changed)
        self.choices, self.tools = QHBoxLayout(), QHBoxLayout()
        self.choices.setSpacing(4)
        self.tools.setSpacing(8)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.back)
        layout.addWidget(self.forth)
        layout.addWidget(self.date_button)
        layout.addWidget(self.today_button)
        layout.addStretch(1)
        self.filter.setVisible(calendar)
        if calendar:
            layout.addLayout(self._unit_buttons())
            layout.addSpacing(4)
            layout.addLayout(self.choices)
            layout.addWidget(self.filter)
            self._zooms = [icon_button(theme, "zoom_out", self.tr("Further away  (-)"), lambda: self.zoomed.emit(-1)),
                           icon_button(theme, "zoom_in", self.tr("Closer  (+)"), lambda: self.zoomed.emit(1))]
            for zoom in self._zooms:
                layout.addWidget(zoom)
        layout.addSpacing(8)
        layout.addLayout(self.tools)
        self._say_day()

    def set_day(self, day: date) -> None:
        """Go to a day; says so only when it is another."""
        if day != self.day:
            self.day = day
            self._say_day()
            self.day_changed.emit(day)

    def set_unit(self, unit: str) -> None:
        """Show a day, a week or a month; says so only when it is another."""
        for name, made in self.units.items():
            made.setChecked(name == unit)
        if unit != self.unit:
            self.unit = unit
            for zoom in self._zooms:
                zoom.setEnabled(unit != "month")
            self._say_day()
            self.unit_changed.emit(unit)

    def set_doctors(self, doctors: Sequence[DoctorColumn]) -> None:
        """The doctors one can choose among; those shown stay shown."""
        self.filter.set_doctors(doctors)

    @property
    def doctors(self) -> tuple[int, ...] | None:
        """The chosen doctors; None when all are."""
        return self.filter.chosen

    def _unit_buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        line.setSpacing(2)
        for unit, words in (("day", self.tr("Day")), ("week", self.tr("Week")), ("month", self.tr("Month"))):
            made = button(words, partial(self.set_unit, unit), shortcut=f"Ctrl+Shift+{unit[0].upper()}")
            made.setToolTip(self.tr("{0}  ({1} in the calendar, Ctrl+Shift+{1})").format(words, unit[0].upper()))
            made.setProperty("chosen", "true")
            made.setCheckable(True)
            made.setChecked(unit == self.unit)
            self.units[unit] = made
            line.addWidget(made)
        return line

    def _go(self, steps: int) -> None:
        days = {"day": 1, "week": 7}.get(self.unit)
        self.set_day(month_after(self.day, steps) if days is None else self.day + timedelta(days=steps * days))

    def _say_day(self) -> None:
        today = self._today()
        days = (self.day - today).days
        near = {0: self.tr("Today"), 1: self.tr("Tomorrow"), -1: self.tr("Yesterday")}.get(days, "") if self.unit == "day" else ""
        words = shown_words(self.unit, self.day)
        self.date_button.setText(words)
        self.date_button.setToolTip(self.tr("Choose a day") + (f" · {near}" if near else ""))
        self.date_button.setAccessibleName(f"{near} {words}".strip())
        self.today_button.setEnabled(days != 0)

    def _open_month(self) -> None:
        popup = _Month(self._theme, self.day, self.set_day, self)
        popup.move(self.date_button.mapToGlobal(QPoint(0, self.date_button.height() + 4)))
        popup.show()
        popup.setFocus()


def shown_words(unit: str, day: date) -> str:
    """What is shown in words: `Fri 20-Nov-2026`, `16-Nov to 22-Nov-2026`, `November 2026`."""
    if unit == "month":
        return f"{MONTHS[day.month - 1]} {day.year}"
    if unit == "week":
        first = day - timedelta(days=day.weekday())
        last = first + timedelta(days=6)
        begin = clinical_date(first) if first.year != last.year else clinical_date(first)[:6]
        return f"{begin} to {clinical_date(last)}"
    return clinical_date(day, weekday=True)


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
