"""Places that became free and who would like them: beside the calendar, only when there are some."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.services import waiting
from clinicdesk.services.waiting import Freed
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.waiting.offering import OfferSheet, place_words
from ui.widgets.arranging import emptied
from ui.widgets.section import Section
from ui.widgets.text import button, label


class FreedPlaces(Section):
    """The soonest freed places with the best match of the waiting list for each."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("Freed places", card="surface")
        self._desk = desk
        self.places: list[Freed] = []
        self.sheet: OfferSheet | None = None
        self._lines = QVBoxLayout()
        self._lines.setSpacing(8)
        self.body.addLayout(self._lines)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(150)
        self._wait.timeout.connect(self.refresh)
        self.hide()

    def watch(self, host: QWidget) -> None:
        """Refresh while this widget, which holds the section, is on the screen."""
        self._live = RefreshWhenShown(host, self._desk.live, ("appointments", "waiting_list", "availability"), self._wait.start)

    @Slot()
    def refresh(self) -> None:
        """Read them again."""
        self._desk.ask(self, waiting.freed, done=self._show, failed=lambda _e: None, replaces="freed")

    def offer_first(self) -> None:
        """Offer the soonest one."""
        if self.places:
            self.offer(self.places[0])
        else:
            self._desk.tell("No freed place fits anybody on the waiting list.")

    def offer(self, freed: Freed) -> None:
        """Open the offer of a place."""
        self.sheet = OfferSheet(self._desk, freed.place, freed.doctor_name, parent=self.window())
        self.sheet.open()

    def _show(self, places: list[Freed]) -> None:
        self.places = places
        emptied(self._lines)
        for freed in places[:4]:
            line = QWidget()
            inside = QVBoxLayout(line)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.setSpacing(2)
            inside.addWidget(label(f"{place_words(self._desk, freed.place)}", "body"))
            with_whom = QHBoxLayout()
            with_whom.addWidget(label(freed.doctor_name, "soft"), 1)
            with_whom.addWidget(button("Offer …", partial(self.offer, freed), tip="Who fits, and hold the place"))
            inside.addLayout(with_whom)
            best = f"{freed.best.wish.patient_name}: {', '.join(freed.best.reasons[:2])}"
            more = f", and {freed.count - 1} more" if freed.count > 1 else ""
            inside.addWidget(label(best + more, "soft", wrap=True))
            line.setAccessibleName(f"Freed: {place_words(self._desk, freed.place)}, {freed.doctor_name}, best: {best}")
            self._lines.addWidget(line)
        self.set_title(f"Freed places ({len(places)})")
        self.setVisible(bool(places))
