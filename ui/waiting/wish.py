"""Put somebody on the waiting list, or change what she waits for."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, QTimer
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.rules.matching import URGENCY
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.services import appointments, finding, waiting
from clinicdesk.services.people import DoctorRow, PatientRow
from clinicdesk.services.schedule import AppointmentRow
from clinicdesk.services.waiting import WishForm, WishRow
from ui.desk import Desk
from ui.dialogs.slots import Weekdays
from ui.widgets.form import Form
from ui.widgets.patient_hit import patient_hit, patient_line
from ui.widgets.search_box import SearchBox
from ui.widgets.sheet import Sheet
from ui.widgets.text import label

LENGTHS = (10, 15, 20, 30, 40, 60, 90)
#: Hours by their first and last minute, as text: Qt compares other data of a choice by identity.
HOURS = {"0-1440": "Any hour", "0-600": "Before 10:00", "0-720": "Mornings", "720-1440": "Afternoons", "960-1440": "After 16:00"}
NOTICE = ((0, "None"), (60, "An hour"), (180, "3 hours"), (1440, "A day"), (2880, "2 days"))
SPAN = ((0, "No limit"), (7, "Within a week"), (14, "Within 2 weeks"), (28, "Within 4 weeks"), (91, "Within 3 months"))


class WishSheet(Sheet):
    """Accepts once the wish is kept."""

    def __init__(
        self,
        desk: Desk,
        people: Sequence[DoctorRow],
        *,
        wish: WishRow | None = None,
        patient: PatientRow | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            desk,
            "Change the wish" if wish else "Put on the waiting list",
            "Save" if wish else "Add",
            parent=parent,
            key="wish",
            size=QSize(600, 600),
        )
        self._wish, self.patient_id = wish, wish.patient_id if wish else ""
        self.find_box = SearchBox(desk, finding.search, lambda row: patient_hit(row, desk.zone), placeholder="Find patient")
        self.find_box.chosen.connect(self.take_patient)
        self.find_box.setVisible(wish is None)
        self.chosen = label(wish.patient_name if wish else "No patient chosen yet", "heading", wrap=True)
        self.body.addWidget(self.find_box)
        self.body.addWidget(self.chosen)
        form = Form(columns=2)
        whom = [
            (None, "Any doctor"),
            *((name, f"Any doctor of {name}") for name in sorted({p.specialization for p in people})),
            *((p.id, p.name) for p in people if p.available),
        ]
        form.choice("whom", "With", whom, span=2)
        form.choice("minutes", "Minutes", [(m, str(m)) for m in LENGTHS])
        form.choice("urgency", "Urgency", list(URGENCY.items()))
        self.weekdays = Weekdays()
        form.add("weekdays", "On these days", self.weekdays, span=2)
        form.choice("to_minute", "Hours", list(HOURS.items()))
        form.choice("notice_minutes", "Must know beforehand", list(NOTICE))
        form.choice("last_day", "Until", list(SPAN))
        form.choice("gives_up", "Gives up for it", [(None, "Nothing")])
        form.text("note", "Note", optional=True, limit=200, span=2)
        self.set_form(form)
        self.body.addStretch(1)
        self.weekdays.set_value(range(7))
        form.set_value("minutes", 20)
        if wish is not None:
            self._fill(wish.form)
        form.mark_clean()
        if patient is not None:
            self.take_patient(patient)
        elif wish is not None:
            self._ask_later()
        else:
            QTimer.singleShot(0, self.find_box, self.find_box.setFocus)

    def _fill(self, known: WishForm) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        form = self.form
        form.set_value("whom", known.doctor_id if known.doctor_id is not None else known.specialization or None)
        for name in ("minutes", "urgency", "notice_minutes", "note"):
            form.set_value(name, getattr(known, name))
        form.set_value("to_minute", f"{known.from_minute}-{known.to_minute}")
        self.weekdays.set_value(n for n in range(7) if known.weekdays >> n & 1)

    def take_patient(self, patient: PatientRow) -> None:
        """Who waits."""
        self.patient_id = patient.id
        self.chosen.setText(patient_line(patient))
        self._ask_later()
        QTimer.singleShot(0, self, lambda: self.form.editor("whom").setFocus() if self.form else None)

    def _ask_later(self) -> None:
        self.desk.ask(self, appointments.of_patient, self.patient_id, done=self._offer_later, failed=lambda _e: None, replaces="later")

    def _offer_later(self, rows: list[AppointmentRow]) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        box = self.form.editor("gives_up")
        now = self.desk.now()
        for row in reversed(rows):
            if row.starts_at > now and row.status in {"scheduled", "confirmed"}:
                when = f"{clinical_date(row.starts_at, self.desk.zone, weekday=True)} {clinical_time(row.starts_at, self.desk.zone)}"
                box.addItem(f"{when}, {row.doctor_name}", row.id)  # type: ignore[attr-defined]
        if self._wish is not None:
            self.form.set_value("gives_up", self._wish.form.gives_up)
            self.form.mark_clean()

    def submit(self) -> None:
        """Keep it."""
        assert self.form is not None  # noqa: S101  built in __init__
        if not self.patient_id:
            self.set_busy(False)
            self.problem.say("Choose the patient first.")
            self.find_box.setFocus()
            return
        v = self.form.values()
        days = self.weekdays.value()
        if not days:
            self.show_problem(Invalid("weekdays", "Choose at least one weekday."))
            return
        begins, ends = (int(minute) for minute in v["to_minute"].split("-"))
        last = self.desk.now().date().fromordinal(self.desk.now().date().toordinal() + v["last_day"]) if v["last_day"] else None
        form = WishForm(
            self.patient_id,
            v["whom"] if isinstance(v["whom"], int) else None,
            v["whom"] if isinstance(v["whom"], str) else "",
            v["minutes"],
            sum(1 << day for day in days),
            begins,
            ends,
            None,
            last,
            v["notice_minutes"],
            v["urgency"],
            v["note"],
            v["gives_up"],
        )
        if self._wish is None:
            self.desk.do(self, waiting.add, form, done=lambda _id: self.accept(), failed=self.show_problem)
        else:
            self.desk.do(
                self, waiting.change, self._wish.id, form, self._wish.version, done=lambda _n: self.accept(), failed=self.show_problem
            )
