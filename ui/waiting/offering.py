"""Offer a free place: who fits best and why, hold it while the telephone rings, and go on to the next on refusal."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSize, Qt, QTimer, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import FreePlace
from clinicdesk.rules.formats import phone_text
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import waiting
from clinicdesk.services.waiting import HOLD_MINUTES, Match, OfferRow
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.undo_history import take_back
from ui.widgets.arranging import emptied
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label


def place_words(desk: Desk, place: FreePlace | OfferRow) -> str:
    """`Tue 24-Nov-2026 09:00–09:20`."""
    start, end = place.starts_at.astimezone(desk.zone), place.ends_at.astimezone(desk.zone)
    return f"{clinical_date(start.date(), weekday=True)} {clinical_time(start)}–{clinical_time(end)}"


class OfferSheet(Sheet):
    """Those who fit, best first. “Hold and call” holds the place; then she takes it, or the next one is asked."""

    def __init__(self, desk: Desk, place: FreePlace, doctor: str, parent: QWidget | None = None) -> None:
        super().__init__(
            desk,
            f"Offer {place_words(desk, place)}",
            "Hold and call",
            parent=parent,
            key="offer",
            size=QSize(640, 520),
            explanation=f"With {doctor}. The place is held for {HOLD_MINUTES} minutes; nobody else can book it meanwhile.",
        )
        self.cancel_button.setText("Close")
        self._place = place
        self.matches: list[Match] = []
        self.held: OfferRow | None = None
        self._now = QFrame()
        self._now.setProperty("card", "accent")
        inside = QVBoxLayout(self._now)
        inside.setContentsMargins(16, 12, 16, 12)
        self._now_words, self._until = label("", "heading", wrap=True), label("", "soft")
        self.taken_button = button("Book it", self._accept_offer, variant="primary", tip="Book it  (Ctrl+Enter)")
        self.refused_button = button("Not wanted, next", self._refuse)
        answers = QHBoxLayout()
        answers.addWidget(self.taken_button)
        answers.addWidget(self.refused_button)
        answers.addStretch(1)
        for widget in (self._now_words, self._until):
            inside.addWidget(widget)
        inside.addLayout(answers)
        self._now.hide()
        self.body.addWidget(self._now)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self.body.addLayout(self._list)
        self.body.addStretch(1)
        self.verb_button.setEnabled(False)
        self._second = QTimer(self)
        self._second.setInterval(1_000)
        self._second.timeout.connect(self._tick)
        self._second.start()
        self._live = RefreshWhenShown(self, desk.live, ("waiting_list",), self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Who fits now, and whether the place is held."""
        self.desk.ask(self, _look, self._place, done=self._show, failed=self.show_problem, replaces="look")

    def submit(self) -> None:
        """Hold it for the best one, or book it when it is held already."""
        if self.held is not None:
            self._accept_offer()
        elif self.matches:
            self.hold(self.matches[0])

    def hold(self, match: Match) -> None:
        """Hold the place for one of them."""
        self.desk.do(self, waiting.offer, match.wish.id, self._place, done=lambda _id: self.refresh(), failed=self.show_problem)

    def _show(self, found: tuple[list[Match], OfferRow | None]) -> None:
        self.matches, self.held = found
        self._now.setVisible(self.held is not None)
        if self.held is not None:
            phone = phone_text(self.held.phone) if self.held.phone else "no phone"
            self._now_words.setText(f"Held for {self.held.patient_name}  ·  {phone}")
            self._tick()
        emptied(self._list)
        title = "Next in line" if self.held is not None else "Who fits, best first"
        self._list.addWidget(label(title if self.matches else "Nobody else on the waiting list fits this place.", "soft"))
        for match in self.matches:
            self._list.addWidget(self._line(match))
        self.verb_button.setText("Book it" if self.held is not None else "Hold and call")
        self.verb_button.setEnabled(self.held is not None or bool(self.matches))

    def _line(self, match: Match) -> QWidget:
        frame = QFrame()
        frame.setProperty("row", "true")
        text = QVBoxLayout()
        text.setSpacing(2)
        phone = phone_text(match.wish.phone) if match.wish.phone else "no phone"
        text.addWidget(label(f"{match.wish.patient_name}  ·  {clinical_date(match.wish.patient_born)}  ·  {phone}", "body"))
        text.addWidget(label(", ".join(match.reasons) + (f".  {match.wish.note}" if match.wish.note else ""), "soft", wrap=True))
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 8, 0, 8)
        row.addLayout(text, 1)
        hold = button("Hold", partial(self.hold, match))
        hold.setEnabled(self.held is None)
        row.addWidget(hold, 0, Qt.AlignmentFlag.AlignTop)
        frame.setAccessibleName(f"{match.wish.patient_name}, {', '.join(match.reasons)}")
        return frame

    def _accept_offer(self) -> None:
        held = self.held
        if held is None:
            return
        self.desk.do(self, waiting.accept, held.id, done=lambda _id: self._booked(held), failed=self.show_problem)

    def _booked(self, held: OfferRow) -> None:
        self.desk.tell(f"{held.patient_name} is booked, {place_words(self.desk, held)}.", partial(take_back, self.desk))
        self.accept()

    def _refuse(self) -> None:
        if self.held is not None:
            self.desk.do(self, waiting.refuse, self.held.id, done=lambda _m: self.refresh(), failed=self.show_problem)

    @Slot()
    def _tick(self) -> None:
        if self.held is None:
            return
        left = int((self.held.expires_at - self.desk.now()).total_seconds())
        self._until.setText(
            f"Held until {clinical_time(self.held.expires_at, self.desk.zone)}, {max(0, left) // 60}:{max(0, left) % 60:02} left"
        )
        if left < 0:
            self.held = None
            self.refresh()


def _look(session: object, place: FreePlace) -> tuple[list[Match], OfferRow | None]:
    """Runs on a worker."""
    held = next(
        (
            offer
            for offer in waiting.offers(session)  # type: ignore[arg-type]
            if offer.doctor_id == place.doctor_id and offer.starts_at < place.ends_at and place.starts_at < offer.ends_at
        ),
        None,
    )
    return waiting.matches(session, place), held  # type: ignore[arg-type]
