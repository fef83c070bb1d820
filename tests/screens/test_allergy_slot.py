"""The allergy slot: four states for the doctor, none for the desk, and a failed read never looks like "no known allergies" (R9, R10)."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from clinicdesk.errors import Unavailable
from clinicdesk.services import chart
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting
from ui.main_window import MainWindow
from ui.widgets.banner import PatientBanner

NONE_KNOWN = "No known allergies"


def prepared(practice: Practice, state: str) -> tuple[str, int]:
    """A patient in this state, booked with Dr Kim, and the appointment."""
    patient = practice.patient(first_name="Ana", last_name="Adler")
    made = practice.book(patient, practice.at(9))
    with practice.write("dora") as session:
        if state == "Known allergies":
            chart.add_allergy(session, patient, "penicillin", reaction="rash")
        elif state == NONE_KNOWN:
            chart.state_no_allergies(session, patient)
    return patient, made


def shown_words(window: MainWindow) -> str:
    return "\n".join(one.text() for one in window.findChildren(QLabel) if one.isVisible())


@pytest.mark.parametrize("state", ["Known allergies", NONE_KNOWN, "Allergies not recorded"])
def test_what_the_doctor_sees(office: Office, practice: Practice, state: str) -> None:
    _, made = prepared(practice, state)
    room = consulting(office, office.open("dora"), made)
    office.until(lambda: room.banner.banner is not None)
    assert room.banner.banner.allergy_title == state
    assert (NONE_KNOWN in room.banner.texts()) == (state == NONE_KNOWN)
    assert ("penicillin" in room.banner.texts()) == (state == "Known allergies")


def test_a_doctor_without_a_care_relation_sees_unavailable(office: Office, practice: Practice) -> None:
    patient, _ = prepared(practice, NONE_KNOWN)
    window = office.open("hugo")
    room = office.panel(window, "consulting")
    room.show_topic("patient", patient)
    office.until(lambda: room.banner.banner is not None)
    office.settle()
    assert room.banner.banner.allergy_title == "Allergies unavailable"
    assert NONE_KNOWN not in shown_words(window)


@pytest.mark.parametrize("role", ["rita", "ada"])
@pytest.mark.parametrize("state", ["Known allergies", NONE_KNOWN, "Allergies not recorded"])
def test_the_desk_sees_identity_only(office: Office, practice: Practice, state: str, role: str) -> None:
    patient, _ = prepared(practice, state)
    window = office.open(role)
    panel = office.panel(window, "patients")
    panel.show_topic("patient", patient)
    office.until(lambda: panel.card is not None)
    office.settle()
    words = shown_words(window)
    assert "Adler, Ana" in words
    assert "llergies" not in words and "penicillin" not in words


def test_a_chart_that_cannot_be_read_says_unavailable(office: Office, practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    _, made = prepared(practice, NONE_KNOWN)
    window = office.open("dora")
    room = consulting(office, window, made)
    office.until(lambda: NONE_KNOWN in room.banner.texts())

    def broken(*_: Any) -> Any:
        raise Unavailable("documents", "The chart cannot be read now.")

    monkeypatch.setattr(chart, "chart", broken)
    room.chart.refresh()
    office.until(lambda: room.banner.banner.allergy_title == "Allergies unavailable")
    office.settle()
    assert NONE_KNOWN not in shown_words(window), "a failed read never looks like no known allergies"


def test_recording_an_allergy_changes_the_banner_at_once(office: Office, practice: Practice) -> None:
    patient, made = prepared(practice, NONE_KNOWN)
    room = consulting(office, office.open("dora"), made)
    with practice.write("dora") as session:
        chart.add_allergy(session, patient, "latex")
    office.until(lambda: "latex" in room.banner.texts(), "the banner follows by itself")


@pytest.mark.parametrize("who", ["rita", "dora", "ada"])
def test_no_banner_stands_on_a_screen_about_several_patients(office: Office, practice: Practice, who: str) -> None:
    prepared(practice, "Known allergies")
    window = office.open(who)
    for panel in window.panels:
        office.panel(window, panel.key)
        banners = [b for b in panel.findChildren(PatientBanner) if b.isVisible()]
        assert not banners, panel.key


def test_the_banner_never_shows_the_patient_before(office: Office, practice: Practice) -> None:
    """Banner and content belong to one patient, also while the next one is being read."""
    _, first = prepared(practice, "Known allergies")
    second = practice.book(practice.patient(first_name="Bo", last_name="Berg"), practice.at(10))
    window = office.open("dora")
    room = consulting(office, window, first)
    office.until(lambda: "penicillin" in room.banner.texts())
    day = next(p for p in window.panels if p.key == "my-day")
    day.table.select(second)
    day.open_selected()
    assert room.banner.banner is None, "while Berg is read nobody is named"
    assert "penicillin" not in shown_words(window)
    office.until(lambda: room.banner.banner is not None and room.banner.banner.family_name == "Berg")
