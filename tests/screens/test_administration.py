"""The administrator on a real clinic: add staff, switch off, change a profile, settings; everybody: own name and password."""

from __future__ import annotations

from typing import Any

import pytest

from clinicdesk.errors import SignInRefused
from clinicdesk.services import settings
from tests.clinics import PASSWORD, Practice
from tests.screens.office import Office
from ui.dialogs.own import NameSheet, PasswordSheet
from ui.dialogs.staff import DoctorSheet, StaffSheet

DOCTOR = {"name": "Dr Nora Bright", "username": "nora", "licence_number": "NB-1", "specialization": "Cardiology", "experience_years": "12",
          "fee": "55"}


def test_adding_a_doctor_refuses_at_each_field_and_then_she_can_sign_in(office: Office, practice: Practice) -> None:
    panel = office.panel(office.open("ada"), "staff")
    office.click(panel.add_button)
    sheet = office.sheet(StaffSheet)
    assert not sheet.form.editor("fee").isVisible(), "only a doctor has a profile"
    sheet.form.set_value("role", "doctor")
    for field, text in DOCTOR.items():
        office.fill(sheet.form.editor(field), text)
    for field, bad in (("password", "password"), ("experience_years", "61"), ("fee", "a lot"), ("username", "dora")):
        good = sheet.form.value(field)
        sheet.form.set_value("password", "a calm afternoon 9")
        sheet.form.set_value(field, bad)
        office.click(sheet.verb_button)
        office.until(lambda name=field: sheet.form.error(name), field)
        if field != "password":
            sheet.form.set_value(field, good)
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: any(r.username == "nora" for r in panel.accounts.rows))
    office.until(lambda: any(r.name == "Dr Nora Bright" for r in panel.doctors.rows))
    assert practice.clinic.sign_in("nora", "a calm afternoon 9").me.role == "doctor"


def test_switching_off_ends_the_sessions(office: Office, practice: Practice) -> None:
    rita, ada = office.open("rita"), office.open("ada")
    panel = office.panel(ada, "staff")
    me = next(r for r in panel.accounts.rows if r.username == "ada")
    panel.accounts.select(me.user_id)
    assert not panel.off_button.isEnabled(), "nobody switches herself off"
    row = next(r for r in panel.accounts.rows if r.username == "rita")
    panel.accounts.select(row.user_id)
    office.click(panel.off_button)
    office.until(lambda: rita.locked is not None)
    office.until(lambda: not next(r for r in panel.accounts.rows if r.username == "rita").active)
    with pytest.raises(SignInRefused):
        practice.clinic.sign_in("rita", PASSWORD)


def test_filtering_doctors(office: Office, practice: Practice) -> None:
    panel = office.panel(office.open("ada"), "staff")
    assert len(panel.doctors.rows) == 2
    panel._edit_doctor(next(r for r in panel.doctors.rows if r.name == "Dr Hugo Blanc"))
    sheet = office.sheet(DoctorSheet)
    sheet.form.set_value("available", False)
    office.fill(sheet.form.editor("specialization"), "Dermatology")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: panel.specialization.findData("Dermatology") > 0)
    panel.available.setCurrentIndex(1)
    office.until(lambda: [r.name for r in panel.doctors.rows] == ["Dr Dora Kim"])
    panel.available.setCurrentIndex(0)
    panel.specialization.setCurrentIndex(panel.specialization.findData("Dermatology"))
    office.until(lambda: [r.name for r in panel.doctors.rows] == ["Dr Hugo Blanc"])


def test_settings_are_kept_and_a_refusal_stays_at_the_field(office: Office, practice: Practice) -> None:
    window = office.open("ada")
    panel = office.panel(window, "settings")
    office.until(lambda: panel.form.value("name") == "Test Clinic")
    office.fill(panel.form.editor("name"), "")
    assert "not saved" in panel.unsaved
    office.click(panel.save_button)
    office.until(lambda: panel.form.error("name") or panel.problem.text())
    office.fill(panel.form.editor("name"), "Lakeside Practice")
    panel.form.set_value("minutes", 30)
    office.click(panel.save_button)
    office.until(lambda: panel.unsaved == "" and "Saved" in window.toasts.sentence)
    with practice.read("ada") as session:
        stored = settings.clinic_settings(session)
    assert (stored.name, stored.minutes) == ("Lakeside Practice", 30)


def test_the_numbers_of_the_day(office: Office, practice: Practice) -> None:
    panel = office.panel(office.open("ada"), "overview")
    office.until(lambda: panel.figures.body.count() >= 4)
    made = practice.book(practice.patient(), practice.at(9))
    panel.bar.set_day(practice.at(9).date())
    office.until(lambda: panel.doctors.body.count() == 1 and "Kim" in text(panel.doctors))
    practice.step(made, "cancelled", reason="Feeling better")
    office.settle()


def text(widget: Any) -> str:
    from PySide6.QtWidgets import QLabel

    return "\n".join(one.text() for one in widget.findChildren(QLabel) if one.isVisible())


def test_a_doctor_changes_her_own_profile_and_name(office: Office, practice: Practice) -> None:
    window = office.open("dora")
    window.account.edit_profile()
    sheet = office.sheet(DoctorSheet)
    office.fill(sheet.form.editor("name"), "Dr Dora Kim-Lee")
    office.fill(sheet.form.editor("fee"), "61.50")
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: window.who.text() == "Dr Dora Kim-Lee")
    desk = office.panel(office.open("rita"), "front-desk")
    office.until(lambda: "Dr Dora Kim-Lee" in [c.name for c in desk.schedule.columns])


def test_reception_changes_her_own_name_only(office: Office) -> None:
    window = office.open("rita")
    window.account.edit_profile()
    sheet = office.sheet(NameSheet)
    office.fill(sheet.form.editor("name"), "   ")
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("name"))
    office.fill(sheet.form.editor("name"), "Rita R.")
    office.click(sheet.verb_button)
    office.gone(sheet)
    assert window.who.text() == "Rita R."


def test_changing_ones_password(office: Office, practice: Practice) -> None:
    window, other = office.open("rita"), office.open("rita")
    window.account.change_password()
    sheet = office.sheet(PasswordSheet)

    def attempt(old: str, new: str, again: str) -> None:
        for field, typed in (("old_password", old), ("new_password", new), ("again", again)):
            office.fill(sheet.form.editor(field), typed)
        office.click(sheet.verb_button)

    attempt(PASSWORD, "a new long one", "another")
    office.until(lambda: sheet.form.error("again"))
    attempt(PASSWORD, "password", "password")
    office.until(lambda: sheet.form.error("new_password"))
    attempt("not the old one", "a new long one", "a new long one")
    office.until(lambda: sheet.form.error("old_password"))
    attempt(PASSWORD, "a new long one", "a new long one")
    office.gone(sheet)
    assert window.locked is None
    office.until(lambda: other.locked is not None, "her other window is signed out")
    assert practice.clinic.sign_in("rita", "a new long one").me.username == "rita"


def test_signing_out_everywhere_else(office: Office) -> None:
    window, other = office.open("rita"), office.open("rita")
    window.account.sign_out_elsewhere()
    office.until(lambda: other.locked is not None)
    office.until(lambda: "1 other session is signed out" in window.toasts.sentence)
    assert window.locked is None
