"""The growth charts of a child: one measure at a time, with what each measurement means in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QEvent
from PySide6.QtGui import QHelpEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolTip, QVBoxLayout, QWidget

from clinicdesk.rules.growth import MEASURES, Standard
from clinicdesk.rules.growth_chart import Child, Measured, chart, said
from clinicdesk.rules.pictures import Picture
from clinicdesk.services import growth
from clinicdesk.services.growth import GrowthRecord
from ui.desk import Desk
from ui.dialogs.pdf_window import PdfWindow
from ui.problems import explain
from ui.theme import Theme
from ui.widgets.empty import EmptyState
from ui.widgets.picture import PicturePainter
from ui.widgets.text import button, icon_button, label

#: Growth charts end here, in years.
LAST_YEARS = 19
SHORT = {"weight": "Weight", "height": "Height", "bmi": "Body mass index", "head_circumference": "Head"}


class GrowthPicture(QWidget):
    """Paints one chart as large as its place."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._painter = theme, PicturePainter(theme)
        self._drawn: tuple[Child, str, Sequence[Measured], date, Standard] | None = None
        self._picture: Picture | None = None
        self.setMinimumSize(320, 280)
        theme.changed.connect(self.update)

    def show_chart(self, child: Child, measure: str, measured: Sequence[Measured], today: date, standard: Standard) -> None:
        """Show these measurements; they are read out in words, oldest first."""
        self._drawn, self._picture = (child, measure, measured, today, standard), None
        words = "; ".join(said(child, measure, one, standard) for one in measured) or "No measurement yet"
        self.setAccessibleName(f"{MEASURES[measure][0]}: {words}")
        self.update()

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self._drawn = self._picture = None
        self.update()

    @property
    def picture(self) -> Picture | None:
        """What is painted now."""
        if self._drawn is None:
            return None
        if self._picture is None or (self._picture.width, self._picture.height) != (self.width(), self.height()):
            child, measure, measured, today, standard = self._drawn
            self._picture = chart(child, measure, measured, today, (float(self.width()), float(self.height())), standard)
        return self._picture

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("surface"))
        if self.picture is not None:
            self._painter.paint(painter, self.picture)
        painter.end()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            mark = self.picture.at(event.pos().x(), event.pos().y()) if self.picture is not None else None
            QToolTip.showText(event.globalPos(), mark.tip if mark is not None else "", self)
            return True
        return super().event(event)


class GrowthView(QWidget):
    """Reads and shows one child's measurements."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk, self.patient_id, self.measure = desk, "", "weight"
        self.record: GrowthRecord | None = None
        self.drawing = GrowthPicture(desk.theme)
        self.words = label("", "body", wrap=True, selectable=True)
        self.words.setAccessibleName("The newest measurement")
        self._empty = EmptyState(desk.theme, "Reading …", icon="numbers")
        head = QHBoxLayout()
        head.setContentsMargins(8, 6, 8, 2)
        head.setSpacing(4)
        group = QButtonGroup(self)
        self.buttons = {}
        for measure in MEASURES:
            made = button(SHORT[measure], lambda m=measure: self.choose(m), variant="quiet")  # type: ignore[misc]
            made.setAccessibleName(MEASURES[measure][0])
            made.setCheckable(True)
            made.setChecked(measure == self.measure)
            group.addButton(made)
            head.addWidget(made)
            self.buttons[measure] = made
        head.addStretch(1)
        head.addWidget(icon_button(desk.theme, "print", "Print the growth charts", self.print_charts))
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(2)
        outer.addLayout(head)
        outer.addWidget(self.drawing, 1)
        outer.addWidget(self._empty, 1)
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 4, 16, 8)
        foot.addWidget(self.words)
        outer.addLayout(foot)
        self._draw()

    def clear(self) -> None:
        """Nothing of a patient stays."""
        self.patient_id, self.record = "", None
        self.drawing.clear()
        self._draw()

    def show_patient(self, patient_id: str) -> None:
        """Read this child's measurements."""
        if patient_id != self.patient_id:
            self.clear()
        self.patient_id = patient_id
        self.desk.ask(self, growth.record, patient_id, done=lambda record: self._show(patient_id, record), failed=self._unreadable,
                      replaces="growth")

    def choose(self, measure: str) -> None:
        """Show another measure."""
        self.measure = measure
        self.buttons[measure].setChecked(True)
        self._draw()

    def _show(self, patient_id: str, record: GrowthRecord) -> None:
        if patient_id != self.patient_id:
            return  # a late answer about somebody whose chart was closed
        self.record = record
        self._draw()

    def _unreadable(self, error: Exception) -> None:
        self.record = None
        self._draw()
        self._empty.say(explain(error).sentence, explain(error).advice)

    def _draw(self) -> None:
        record = self.record
        measured = record.measured.get(self.measure, ()) if record is not None else ()
        sexed = record is not None and record.child.sex in {"M", "F"}
        self.drawing.setVisible(record is not None and sexed)
        self._empty.setVisible(record is None or not sexed)
        if record is None:
            self.words.setText("")
            return
        if not sexed:
            self._empty.say("Growth charts need male or female sex.",
                            "The published tables know no other. The measurements are under Summary.")
        self.drawing.show_chart(record.child, self.measure, measured, record.today, record.standard)
        self.words.setText(said(record.child, self.measure, measured[-1], record.standard) if measured else "Nothing measured yet.")

    def print_charts(self) -> None:
        """All measures there are, on paper."""
        if self.record is not None:
            self.paper = PdfWindow(self.desk, "Growth charts", "growth-charts.pdf", category="vitals", patient_id=self.patient_id,
                                   parent=self.window())
            self.paper.ask(growth.pdf, self.patient_id)
            self.paper.show()


def is_child(born: date, today: date) -> bool:
    """Whether growth charts say anything about this patient."""
    return (today - born).days < LAST_YEARS * 366
