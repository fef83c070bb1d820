"""The patient's own page at the kiosk: her appointments and her visits, in large type, nobody else's."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from clinicdesk.rules.moments import clinical_time, long_date
from clinicdesk.rules.steps import STATUSES
from clinicdesk.services import appointments, auditing, visits
from clinicdesk.services.accounts import ROLE_WORDS
from clinicdesk.services.auditing import Reader
from clinicdesk.services.schedule import AppointmentRow
from clinicdesk.services.visits import VisitText
from ui.desk import Desk
from ui.live import RefreshWhenShown
from ui.panel import Panel
from ui.widgets.arranging import emptied, scrolled
from ui.widgets.section import Section
from ui.widgets.text import label

#: Days and people shown; what an action is called.
LINES = 30
WORDS = {"read": "opened", "print": "printed", "export": "exported", "glass": "opened as an emergency", "kiosk code": "made a kiosk code",
         "sign-in": "signed in"}


class MinePanel(Panel):
    """Reading only; check-in and booking by patients come with the kiosk."""

    key = "mine"
    title = "My page"
    icon = "kiosk"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._column = QVBoxLayout()
        area = scrolled(self._column, margins=(24, 24, 24, 24), spacing=16)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        self._live = RefreshWhenShown(self, desk.live, ("appointments", f"visits {desk.me.patient_id}"), self.refresh)

    def refresh(self) -> None:
        """Read again."""
        if self.desk.me.patient_id:
            self.desk.ask(self, _mine, self.desk.me.patient_id, done=self._show, replaces="mine")

    def _show(self, found: tuple[list[AppointmentRow], list[VisitText], list[Reader]]) -> None:
        booked, seen, readers = found
        emptied(self._column)
        self._column.addWidget(label(f"Hello, {self.desk.me.name}", "display"))
        ahead = Section("Your next appointments", card="surface", role="title")
        coming = [row for row in reversed(booked) if row.starts_at >= self.desk.now() and row.status in {"scheduled", "confirmed"}]
        for row in coming:
            day = long_date(row.starts_at, self.desk.zone, weekday=True)
            ahead.body.addWidget(label(f"{day}, {clinical_time(row.starts_at, self.desk.zone)}", "title"))
            ahead.body.addWidget(label(f"{row.doctor_name}, {STATUSES[row.status].lower()}", "soft"))
        if not coming:
            ahead.body.addWidget(label("You have no appointment. Please ask at reception.", "soft"))
        self._column.addWidget(ahead)
        past = Section("Your visits", card="surface", role="title")
        for text in seen:
            past.body.addWidget(label(f"{long_date(text.visit_date, self.desk.zone)}, {text.doctor_name}", "heading"))
            for words in (text.reason, text.notes.get("plan", ""), *text.prescription):
                if words:
                    past.body.addWidget(label(words, "body", wrap=True))
        if not seen:
            past.body.addWidget(label("No visits yet.", "soft"))
        self._column.addWidget(past)
        self._column.addWidget(self._opened_by(readers))
        self._column.addStretch(1)


    def _opened_by(self, readers: list[Reader]) -> Section:
        """One line a day and person: what she looked at, and what she changed."""
        section = Section("Who opened your record", card="surface", role="title")
        lines: dict[tuple[str, str, str], dict[str, set[str]]] = {}
        for one in readers:
            day = long_date(one.at, self.desk.zone)
            lines.setdefault((day, one.name, one.role), {}).setdefault(WORDS.get(one.action, "changed"), set()).add(one.category)
        for (day, name, role), did in list(lines.items())[:LINES]:
            section.body.addWidget(label(f"{day}, {name}{f' ({ROLE_WORDS[role].lower()})' if role in ROLE_WORDS else ''}", "heading"))
            words = "; ".join(f"{action}: {', '.join(sorted(parts))}" for action, parts in did.items())
            section.body.addWidget(label(words[:1].upper() + words[1:], "body", wrap=True))
        if not lines:
            section.body.addWidget(label("Nobody but you yet.", "soft"))
        elif len(lines) > LINES:
            section.body.addWidget(label("For more, please ask at reception.", "soft"))
        return section


def _mine(session: Any, patient_id: str) -> tuple[list[AppointmentRow], list[VisitText], list[Reader]]:
    """Her appointments, the texts of her last visits, and who opened her record; runs on a worker."""
    seen = visits.read(session, visits.of_patient(session, patient_id, 10))
    return appointments.of_patient(session, patient_id), seen, auditing.my_readers(session)
