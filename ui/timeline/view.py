"""The time axis with what belongs around it: filters, plots to choose, zoom, and the page for printing."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QScrollArea, QVBoxLayout, QWidget

from clinicdesk.rules.time_axis import EVENT_KINDS, SPAN_KINDS, History
from clinicdesk.services import timeline
from clinicdesk.services.people import Banner
from ui.desk import Desk
from ui.dialogs.pdf_window import PdfWindow
from ui.problems import explain
from ui.timeline.axis import TimeAxis
from ui.widgets.banner import PatientBanner
from ui.widgets.empty import EmptyState
from ui.widgets.text import button, icon_button, label

YEAR = 365.25 * 86_400.0
#: Plots shown to begin with, where there are values.
FIRST_PLOTS = ("pressure", "pulse", "weight")
LANES = {kind: title for kind, (title, *_) in {**EVENT_KINDS, **SPAN_KINDS}.items()}


class TimelineView(QWidget):
    """Reads and shows one patient's history. Signal `opened(kind, ref)` when a mark is opened."""

    opened = Signal(str, object)

    def __init__(self, desk: Desk, parent: QWidget | None = None, *, wide: bool = False) -> None:
        super().__init__(parent)
        self.desk, self.patient_id, self._wide = desk, "", wide
        self.history: History | None = None
        self.axis = TimeAxis(desk.theme, desk.zone)
        self.axis.opened.connect(self.opened)
        self._kinds = set(LANES)
        self._plots = set(FIRST_PLOTS)
        self.lanes_button = button("Lanes", self._offer_lanes, variant="quiet", icon="filter", theme=desk.theme)
        self.plots_button = button("Plots", self._offer_plots, variant="quiet", icon="vitals", theme=desk.theme)
        self.state = label("", "faint")
        head = QHBoxLayout()
        head.setContentsMargins(8, 6, 8, 2)
        head.setSpacing(4)
        for widget in (self.lanes_button, self.plots_button):
            head.addWidget(widget)
        head.addStretch(1)
        head.addWidget(button("All", self.axis.show_all, variant="quiet", tip="The whole history  (Home)"))
        head.addWidget(button("5 years", lambda: self.axis.show_last(5 * YEAR), variant="quiet"))
        head.addWidget(button("1 year", lambda: self.axis.show_last(YEAR), variant="quiet"))
        head.addWidget(icon_button(desk.theme, "zoom_out", "Zoom out  (-)", lambda: self.axis.zoom(1 / 0.7)))
        head.addWidget(icon_button(desk.theme, "zoom_in", "Zoom in  (+)", lambda: self.axis.zoom(0.7)))
        self.print_button = icon_button(desk.theme, "print", "Print this view", self.print_view)
        head.addWidget(self.print_button)
        if not wide:
            self.wide_button = icon_button(desk.theme, "fit_width", "Show in a window of its own", self.show_wide)
            head.addWidget(self.wide_button)
        self._empty = EmptyState(desk.theme, "Reading …", icon="history")
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inner = QWidget()
        inner.setProperty("plain", "true")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.axis)
        column.addWidget(self._empty)
        column.addStretch(1)
        self._area.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(head)
        outer.addWidget(self._area, 1)
        outer.addWidget(self.state)
        self.state.setContentsMargins(12, 2, 12, 4)
        self.setFocusProxy(self.axis)
        self._show_state()

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self.patient_id, self.history = "", None
        self.axis.clear()
        self._show_state()

    def show_patient(self, patient_id: str) -> None:
        """Read this patient's history."""
        if patient_id != self.patient_id:
            self.clear()
        self.patient_id = patient_id
        self.desk.ask(self, timeline.history, patient_id, done=lambda history: self._show(patient_id, history), failed=self._unreadable,
                      replaces="timeline")

    def _show(self, patient_id: str, history: History) -> None:
        if patient_id != self.patient_id:
            return  # a late answer about somebody whose chart was closed
        self.history = history
        names = {one.name for one in history.series}
        if not self._plots & names:
            self._plots = set(sorted(names)[:3])
        self.axis.show_history(history)
        self._choose()
        self._show_state()

    def _show_state(self) -> None:
        nothing = self.history is None or not (self.history.events or self.history.spans or self.history.series)
        self.axis.setVisible(not nothing)
        self._empty.setVisible(nothing)
        if self.history is not None and nothing:
            self._empty.say("Nothing has happened yet.", "Visits, medicines and measurements appear here as they are recorded.")
        self.state.setText("" if nothing else "Wheel with Ctrl zooms, dragging moves, arrows go from mark to mark, Enter opens.")

    def _unreadable(self, error: Exception) -> None:
        self.history = None
        self.axis.clear()
        self._show_state()
        self._empty.say(explain(error).sentence, explain(error).advice)

    def _choose(self) -> None:
        self.axis.choose(self._kinds, self._plots)

    def _offer_lanes(self) -> None:
        menu = QMenu(self)
        for kind, title in LANES.items():
            self._tick(menu, title, kind, self._kinds)
        self._pop(menu, self.lanes_button)

    def _offer_plots(self) -> None:
        menu = QMenu(self)
        for one in self.history.series if self.history is not None else ():
            self._tick(menu, one.label, one.name, self._plots)
        self._pop(menu, self.plots_button)

    def _tick(self, menu: QMenu, title: str, name: str, chosen: set[str]) -> None:
        action = menu.addAction(title)
        action.setCheckable(True)
        action.setChecked(name in chosen)

        def toggled(on: bool) -> None:  # noqa: FBT001  a slot's argument has no keyword
            (chosen.add if on else chosen.discard)(name)
            self._choose()

        action.toggled.connect(toggled)

    def _pop(self, menu: QMenu, below: QWidget) -> None:
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(below.mapToGlobal(below.rect().bottomLeft()))

    def print_view(self) -> None:
        """The window of time that is shown, as a page."""
        if self.history is not None:
            window = PdfWindow(self.desk, "Time axis", "time-axis.pdf", category="chart", patient_id=self.patient_id, parent=self.window())
            window.ask(timeline.pdf, self.patient_id, self.axis.begins, self.axis.ends, frozenset(self._kinds), frozenset(self._plots))
            window.show()
            self.paper = window

    def show_wide(self) -> None:
        """The same in a window of its own, under the patient's banner."""
        self.window_of_its_own = TimelineWindow(self.desk, self.patient_id, self._kinds, self._plots, parent=self.window())
        self.window_of_its_own.view.opened.connect(self.opened)
        self.window_of_its_own.show()

    def take_choice(self, kinds: set[str], plots: set[str]) -> None:
        """Show the same lanes and plots as another view."""
        self._kinds, self._plots = set(kinds), set(plots)


class TimelineWindow(QWidget):
    """The time axis of one patient over the whole width, below the banner."""

    def __init__(self, desk: Desk, patient_id: str, kinds: set[str], plots: set[str], parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.desk = desk
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Time axis")
        self.banner = PatientBanner(desk.theme)
        self.view = TimelineView(desk, wide=True)
        self.view.take_choice(kinds, plots)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.banner)
        outer.addWidget(self.view, 1)
        self.resize(desk.recall("timeline", QSize(1180, 760)))
        desk.ask(self, timeline.head, patient_id, done=self._show_banner)
        self.view.show_patient(patient_id)

    def _show_banner(self, banner: Banner) -> None:
        self.banner.set_banner(banner)

    def closeEvent(self, event: object) -> None:
        self.desk.remember("timeline", self.size())
        super().closeEvent(event)  # type: ignore[arg-type]
