"""Book an appointment: patient, doctor, time, reason. A clash keeps the sheet open and says who is there and what is free nearby."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial

from PySide6.QtCore import QSize, QTimer, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QVBoxLayout, QWidget

from clinicdesk.errors import FreePlace, Invalid, SlotTaken
from clinicdesk.rules.moments import clinical_date, clinical_time
from clinicdesk.rules.recurrence import LEAST, MOST, UNITS, Repeats
from clinicdesk.services import appointments, availability, finding, series
from clinicdesk.services.people import PatientRow
from clinicdesk.services.schedule import AppointmentRow, DoctorColumn, NewAppointment
from ui.desk import Desk
from ui.dialogs.repeating import SeriesPlan
from ui.problems import explain
from ui.widgets.arranging import emptied
from ui.widgets.fields import day_field, number_field, time_field
from ui.widgets.form import Form
from ui.widgets.patient_hit import patient_hit, patient_line
from ui.widgets.search_box import SearchBox
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label

LENGTHS = (10, 15, 20, 30, 40, 60, 90)


class BookingSheet(Sheet):
    """Signal `booked(id)`. Without a time the first free place of the doctor (or of anybody) is proposed."""

    booked = Signal(int)

    def __init__(
        self,
        desk: Desk,
        doctors: Sequence[DoctorColumn],
        *,
        doctor_id: int | None = None,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        patient: PatientRow | None = None,
        minutes: int = 20,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(desk, "New appointment", "Book", parent=parent, key="booking", size=QSize(560, 520))
        self.patient: PatientRow | None = None
        self._request = uuid.uuid4()
        self._lane = 0
        self.count = 1  #: how many were booked
        self.find_box = SearchBox(desk, finding.search, lambda r: patient_hit(r, desk.zone), placeholder="Find patient")
        self.find_box.chosen.connect(self.take_patient)
        self.chosen = label("No patient chosen yet", "heading", wrap=True)
        self.body.addWidget(self.find_box)
        self.body.addWidget(self.chosen)
        form = Form(columns=4)
        self.doctor = form.choice("doctor_id", "Doctor", [(d.doctor_id, f"{d.name}, {d.specialization}") for d in doctors], span=4)
        self.date, self.time = day_field(desk.now().date()), time_field(desk.now().time())
        form.add("date", "Day", self.date, span=2)
        form.add("starts_at", "Time", self.time)
        choices = sorted({*LENGTHS, minutes if ends_at is None or starts_at is None else int((ends_at - starts_at).total_seconds() // 60)})
        self.length: QComboBox = form.choice("minutes", "Minutes", [(m, str(m)) for m in choices])
        form.text("reason", "Reason", optional=True, limit=300, span=4)
        units = [("", "Does not repeat"), *((unit, words.capitalize()) for unit, words in UNITS.items())]
        self.repeat: QComboBox = form.choice("repeat", "Repeats", units, span=3)
        self.times = number_field(6, LEAST, MOST)
        form.add("repeat_count", "Times", self.times)
        self._times_field = self.times.parentWidget()
        self.set_form(form)
        self._plan = SeriesPlan(desk)
        self._plan.changed.connect(self._count_places)
        self._plan.hide()
        self.body.addWidget(self._plan, 20)
        self._clash = _Clash()
        self.body.addWidget(self._clash)
        form.text("overbook_reason", "Book on top of it because", span=4, limit=300)
        self._overbook_field = form.editor("overbook_reason").parentWidget()
        self._show_overbook(shown=False)
        self._clash.taken.connect(self._take_place)
        self._clash.overbook.connect(self._offer_overbook)
        self.warning = label("", "warning", wrap=True)
        self.body.addWidget(self.warning)
        self.body.addStretch(1)
        form.set_value("minutes", minutes if starts_at is None or ends_at is None else int((ends_at - starts_at).total_seconds() // 60))
        if doctor_id is not None:
            form.set_value("doctor_id", doctor_id)
        self._set_start(starts_at or datetime.now(desk.zone))
        if starts_at is None:
            self._propose(doctor_id)
        for editor in (self.date, self.time):
            editor.editingFinished.connect(self._changed)
        self.doctor.currentIndexChanged.connect(self._changed)
        self.length.currentIndexChanged.connect(self._changed)
        self.repeat.currentIndexChanged.connect(self._plan_series)
        self.times.valueChanged.connect(self._plan_series)
        self._plan_series()
        form.mark_clean()
        if patient is not None:
            self.take_patient(patient)
        else:
            QTimer.singleShot(0, self.find_box, self.find_box.setFocus)

    def take_patient(self, patient: PatientRow) -> None:
        """For whom."""
        self.patient = patient
        self.chosen.setText(patient_line(patient))
        self._look_for_clashes()
        QTimer.singleShot(0, self, lambda: self.form.editor("reason").setFocus() if self.form else None)

    @property
    def starts_at(self) -> datetime:
        """The chosen start, aware."""
        return datetime.combine(self.date.date().toPython(), self.time.time().toPython(), tzinfo=self.desk.zone)  # type: ignore[arg-type]

    @property
    def ends_at(self) -> datetime:
        """The chosen end; minutes are real minutes even when the clock changes in between."""
        return (self.starts_at.astimezone(UTC) + timedelta(minutes=self.length.currentData())).astimezone(self.desk.zone)

    def _set_start(self, at: datetime) -> None:
        local = at.astimezone(self.desk.zone)
        assert self.form is not None  # noqa: S101  built in __init__
        self.form.set_value("date", local.date())
        self.form.set_value("starts_at", local.time())

    def _propose(self, doctor_id: int | None) -> None:
        """The first free place, unless a place was chosen by hand before the answer came."""
        before = (self.doctor.currentData(), self.starts_at)

        def proposed(places: list[FreePlace]) -> None:
            if (self.doctor.currentData(), self.starts_at) == before:
                self._proposed(places)

        self.desk.ask(
            self,
            availability.next_free,
            doctor_id=doctor_id,
            minutes=self.length.currentData() or 20,
            count=1,
            done=proposed,
            failed=lambda _e: None,
            replaces="propose",
        )

    def _proposed(self, places: list[FreePlace]) -> None:
        if places and self.form is not None:
            self.form.set_value("doctor_id", places[0].doctor_id)
            self._set_start(places[0].starts_at)
            self._look_for_clashes()

    def _changed(self) -> None:
        self._lane = 0
        self._show_overbook(shown=False)
        self._clash.clear()
        self._look_for_clashes()
        self._plan_series()

    def _plan_series(self) -> None:
        """Show what the series would be, as soon as it repeats."""
        repeats = bool(self.repeat.currentData())
        if self._times_field is not None:
            self._times_field.setVisible(repeats)
        self._plan.setVisible(repeats)
        self.verb_button.setText("Book")
        self.verb_button.setEnabled(not repeats)
        if repeats:
            self.resize(max(self.width(), 620), max(self.height(), 680))
            self.desk.ask(self, series.plan, self.doctor.currentData(), self.starts_at, self.ends_at, self._repeats(),
                          done=self._plan.show_plan, failed=self.show_problem, replaces="plan")

    def _repeats(self) -> Repeats:
        return Repeats(self.repeat.currentData(), self.times.value())

    def _count_places(self) -> None:
        count = len(self._plan.places)
        self.verb_button.setText(f"Book {count}")
        self.verb_button.setEnabled(count >= LEAST)

    def _look_for_clashes(self) -> None:
        if self.patient is None:
            return
        self.desk.ask(
            self,
            appointments.clashes_of_patient,
            self.patient.id,
            self.starts_at,
            self.ends_at,
            done=self._warn,
            failed=lambda _e: self.warning.setText("Whether this patient already has an appointment then cannot be checked now."),
            replaces="clashes",
        )

    def _warn(self, rows: list[AppointmentRow]) -> None:
        words = "; ".join(f"{r.doctor_name}, {clinical_time(r.starts_at, self.desk.zone)}" for r in rows)
        self.warning.setText(f"This patient already has an appointment then: {words}." if rows else "")

    def _take_place(self, place: FreePlace) -> None:
        self._set_start(place.starts_at)
        self._changed()
        self.verb_button.setFocus()

    def _offer_overbook(self) -> None:
        self.desk.ask(
            self,
            appointments.free_lane,
            self.doctor.currentData(),
            self.starts_at,
            self.ends_at,
            done=self._overbook_in,
            failed=self.show_problem,
            replaces="lane",
        )

    def _overbook_in(self, lane: int) -> None:
        self._lane = lane
        self._show_overbook(shown=True)
        assert self.form is not None  # noqa: S101  built in __init__
        self.form.editor("overbook_reason").setFocus()

    def _show_overbook(self, *, shown: bool) -> None:
        if self._overbook_field is not None:
            self._overbook_field.setVisible(shown)

    def submit(self) -> None:
        """Ask the database, which decides."""
        assert self.form is not None  # noqa: S101  built in __init__
        if self.patient is None:
            self.set_busy(False)
            self.problem.say("Choose the patient first.")
            self.find_box.setFocus()
            return
        v = self.form.values()
        if self._lane and len(v["overbook_reason"].strip()) < 3:
            self.show_problem(Invalid("overbook_reason", "Say why this is booked on top of another appointment."))
            return
        wish = NewAppointment(
            v["doctor_id"],
            self.patient.id,
            self.starts_at,
            self.ends_at,
            v["reason"],
            self._lane,
            v["overbook_reason"] if self._lane else "",
            self._request_key(v["doctor_id"]),
        )
        if self.repeat.currentData():
            self.desk.do(self, series.book, wish, self._plan.places, self._repeats(), done=self._series_done, failed=self._failed)
        else:
            self.desk.do(self, appointments.book, wish, done=self._done, failed=self._failed)

    def _series_done(self, numbers: tuple[int, ...]) -> None:
        self.count = len(numbers)
        self._done(numbers[0])

    def _request_key(self, doctor_id: int) -> str:
        """The same for the same wish sent again because its answer was lost; another once another place or patient is chosen."""
        assert self.patient is not None  # noqa: S101  asked by `submit`
        places = self._plan.places if self.repeat.currentData() else [(self.starts_at, self.ends_at)]
        wish = f"{doctor_id} {self.patient.id} {' '.join(f'{a.isoformat()} {b.isoformat()}' for a, b in places)}"
        return uuid.uuid5(self._request, wish).hex

    def _done(self, appointment_id: int) -> None:
        self.booked.emit(appointment_id)
        self.accept()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, SlotTaken):
            self.set_busy(False)
            self._clash.show_clash(explain(error).sentence, error.nearest, self.starts_at.date(), self.desk)
            self.refused.emit()
        else:
            self.show_problem(error)


class _Clash(QFrame):
    """Who is there, the nearest free times to click, and the overbook."""

    taken = Signal(object)
    overbook = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("card", "sunken")
        self.words = label("", "error", wrap=True)
        self.places = QHBoxLayout()
        self.places.setSpacing(8)
        inner = QVBoxLayout(self)
        inner.setContentsMargins(12, 8, 12, 8)
        inner.setSpacing(8)
        inner.addWidget(self.words)
        inner.addLayout(self.places)
        self.hide()

    def clear(self) -> None:
        """No clash any more."""
        self.hide()

    def show_clash(self, sentence: str, nearest: Sequence[FreePlace], day: date, desk: Desk) -> None:
        """Say it and offer what is free; a time on another day than the wished one says so."""
        emptied(self.places)
        self.words.setText(sentence + (" Nearest free times:" if nearest else " No free time nearby."))
        self.offers = []
        for place in nearest:
            when = place.starts_at.astimezone(desk.zone)
            words = clinical_time(when) if when.date() == day else f"{clinical_date(when.date(), weekday=True)[:6]} {clinical_time(when)}"
            offer = button(words, partial(self.taken.emit, place))
            self.offers.append(offer)
            self.places.addWidget(offer)
        self.places.addStretch(1)
        self.places.addWidget(button("Overbook …", self.overbook.emit, variant="quiet", icon="overbook", theme=desk.theme))
        self.show()
