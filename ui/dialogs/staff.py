"""Add somebody to the staff; a doctor gets her profile with it. Change a doctor's profile."""

from __future__ import annotations

import secrets
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QWidget

from clinicdesk.errors import ChangedElsewhere, Invalid
from clinicdesk.services import accounts, doctors
from clinicdesk.services.people import DoctorCard, DoctorForm
from ui.desk import Desk
from ui.widgets.form import Form
from ui.widgets.sheet import Sheet
from ui.widgets.text import button, label

ROLES = (("receptionist", "Receptionist"), ("doctor", "Doctor"), ("administrator", "Administrator"))
PROFILE = ("licence_number", "specialization", "qualifications", "experience_years", "fee", "phone", "email", "address", "available")
#: No letter that is easily taken for another.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def _profile_fields(form: Form) -> None:
    form.text("licence_number", "Licence number")
    form.text("specialization", "Specialization")
    form.text("qualifications", "Qualifications", optional=True, limit=300, span=2)
    form.text("experience_years", "Years of experience", placeholder="0 to 60")
    form.text("fee", "Fee of a consultation", placeholder="45.00")
    form.text("phone", "Phone", optional=True)
    form.text("email", "E-mail", optional=True)
    form.text("address", "Address", optional=True, limit=300, span=2)
    form.check("available", "Takes appointments", span=2)


class StaffSheet(Sheet):
    """A new account. `username`, `password` are kept for telling the person."""

    def __init__(self, desk: Desk, role: str = "receptionist", parent: QWidget | None = None) -> None:
        super().__init__(desk, "Add to the staff", "Add", parent=parent, key="staff", size=QSize(620, 620), scroll=True)
        form = self.set_form(Form(columns=2))
        self.role = form.choice("role", "Role", ROLES, span=2)
        form.text("name", "Name as others see it", placeholder="Dr Dora Kim")
        form.text("username", "User name", placeholder="dora", hint="Small letters and digits")
        form.text("password", "First password", hint="8 to 64 characters. Hand it over; the person changes it.", span=2)
        self.propose = button("Propose a password", self._propose, variant="link")
        form.heading("Doctor's profile")
        _profile_fields(form)
        form.set_values({"role": role, "available": True})
        self.body.addWidget(self.propose)
        self.body.setAlignment(self.propose, Qt.AlignmentFlag.AlignLeft)
        self.role.currentIndexChanged.connect(self._fit)
        self._fit()
        form.editor("name").setFocus()

    def _fit(self) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        for field in PROFILE:
            holder = self.form.editor(field).parentWidget()
            if holder is not None:
                holder.setVisible(self.role.currentData() == "doctor")
        for text in self.form.findChildren(QWidget):
            if text.property("role") == "heading":
                text.setVisible(self.role.currentData() == "doctor")

    def _propose(self) -> None:
        assert self.form is not None  # noqa: S101  built in __init__
        self.form.set_value("password", "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3)))

    def submit(self) -> None:
        """Add the account, and the profile in the same transaction."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        profile = DoctorForm(**{f: v[f] for f in PROFILE}) if v["role"] == "doctor" else None
        self.desk.do(
            self,
            _add,
            v["username"],
            v["name"],
            v["role"],
            v["password"],
            profile,
            done=lambda _id: self.accept(),
            failed=self.show_problem,
        )


def _add(session: Any, username: str, name: str, role: str, password: str, profile: DoctorForm | None) -> int:
    """Account and profile together; runs on a worker."""
    user_id = accounts.add_staff(session, username, name, role, password)
    if profile is not None:
        doctors.add(session, user_id, profile)
    return user_id


class DoctorSheet(Sheet):
    """A doctor's profile, with the name others see; her own, or anybody's for an administrator."""

    def __init__(self, desk: Desk, card: DoctorCard, parent: QWidget | None = None) -> None:
        super().__init__(desk, card.name, "Save", parent=parent, key="doctor", size=QSize(620, 620), scroll=True)
        self._card = card
        form = self.set_form(Form(columns=2))
        form.text("name", "Name as others see it", limit=120, span=2)
        form.set_value("name", card.name)
        _profile_fields(form)
        form.set_values({f: getattr(card, f) if f == "available" else str(getattr(card, f)) for f in PROFILE})
        self.body.addWidget(label("The fee is charged per consultation.", "faint"))

    def submit(self) -> None:
        """Save the profile."""
        assert self.form is not None  # noqa: S101  built in __init__
        v = self.form.values()
        self.name = v.pop("name").strip()
        self.desk.do(self, _edit, self._card, DoctorForm(**v), self.name, done=lambda _none: self.accept(), failed=self.show_problem)


def _edit(session: Any, card: DoctorCard, form: DoctorForm, name: str) -> None:
    """Profile and name together; runs on a worker."""
    doctors.edit(session, card.id, form, card.version)
    if name != card.name:
        if not name:
            raise Invalid("name", "Name: 1 to 120 characters.")
        known = accounts.account(session, card.user_id)
        if known.name != card.name:
            raise ChangedElsewhere
        accounts.rename(session, card.user_id, name, known.version)
