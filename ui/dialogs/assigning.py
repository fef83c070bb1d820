"""Assign a doctor to a patient, with a note and dates."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import Invalid
from clinicdesk.services import doctors
from clinicdesk.services.people import DoctorRow
from ui.desk import Desk
from ui.widgets.fields import day_field
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet


class AssignSheet(Sheet):
    """Doctor, since when, and a note."""

    def __init__(self, desk: Desk, *patient_ids: str, parent: QWidget | None = None) -> None:
        super().__init__(
            desk,
            "Assign a doctor" if len(patient_ids) == 1 else f"Assign a doctor to {len(patient_ids)} patients",
            "Assign",
            parent=parent,
            key="assign",
            size=QSize(460, 320),
            explanation="An assigned doctor may read this patient's clinical record.",
        )
        self._patient_ids = patient_ids
        form = self.set_form(Form())
        form.choice("doctor_id", "Doctor", (), blank="Choose")
        form.add("starts_on", "Since", day_field(desk.now().date()))
        form.text("note", "Note", optional=True, limit=300)
        form.mark_clean()
        desk.ask(self, doctors.doctors, done=self._fill, failed=self.show_problem)

    def _fill(self, rows: list[DoctorRow]) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        box = self.form.editor("doctor_id")
        for row in rows:
            box.addItem(f"{row.name}, {row.specialization} ({row.patient_count} patients)", row.id)  # type: ignore[attr-defined]

    def submit(self) -> None:
        """Assign."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        if not isinstance(v["doctor_id"], int):
            self.show_problem(Invalid("doctor_id", "Choose the doctor."))
            return
        self.desk.do(
            self,
            doctors.assign_many,
            v["doctor_id"],
            self._patient_ids,
            v["note"],
            v["starts_on"],
            done=lambda _id: self.accept(),
            failed=self.show_problem,
        )
