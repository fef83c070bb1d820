"""“book NAME …” in the command bar: what it would do is listed, Enter does it, namesakes are never booked by accident."""

from __future__ import annotations

from PySide6.QtCore import Qt

from clinicdesk.services import appointments, commanding
from tests.clinics import Practice
from tests.screens.office import Office
from ui.main_window import MainWindow


def typed(office: Office, window: MainWindow, text: str) -> list[str]:
    window.find_box.open_commands()
    office.fill(window.find_box, text)
    office.until(lambda: window.find_box._answered_for == text, f"{text} is answered")
    office.settle()
    return [hit.title for hit in window.find_box.hits.shown]


def test_typed_previewed_booked_and_taken_back(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    window = office.open("rita")
    day = practice.at(15).strftime("%d.%m.%Y")
    shown = typed(office, window, f"book adler {day} 15:00 dr hugo 30min; cough")
    assert shown[0].startswith("Book Adler, Ana  ") and shown[0].endswith(" 15:00–15:30")
    with practice.read("rita") as session:
        assert appointments.list_day(session, practice.at(9).date()) == [], "showing it does nothing yet"
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: "Adler, Ana is booked" in window.toasts.sentence)
    with practice.read("rita") as session:
        row = appointments.list_day(session, practice.at(9).date())[0]
    assert (row.patient_name, row.doctor_name, row.starts_at, row.ends_at, row.reason) == (
        "Adler, Ana", "Dr Hugo Blanc", practice.at(15), practice.at(15, 30), "cough")
    front = next(panel for panel in window.panels if panel.key == "front-desk")
    assert window.panel is front and front.day == practice.at(15).date(), "the day is shown"
    assert window.undo()
    office.until(lambda: "Undone" in window.toasts.sentence)


def test_a_taken_time_says_so_and_offers_the_nearest(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    practice.book(practice.patient(), practice.at(15))
    window = office.open("rita")
    day = practice.at(15).strftime("%d.%m.%Y")
    shown = typed(office, window, f"book adler {day} 15:00 dr dora")
    assert [line.split("  ")[0] for line in shown[:4]] == ["Book Adler, Ana", *["Instead: Adler, Ana"] * 3]
    assert "Taken 15:00–15:20" in window.find_box.hits.shown[0].detail
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: "Taken 15:00–15:20" in window.toasts.sentence, "the taken one books nothing")
    typed(office, window, f"book adler {day} 15:00 dr dora")
    office.keys(Qt.Key.Key_Down, Qt.Key.Key_Return)
    office.until(lambda: "is booked" in window.toasts.sentence)
    with practice.read("rita") as session:
        assert len(appointments.list_day(session, practice.at(9).date())) == 2


def test_namesakes_have_to_be_chosen(office: Office, practice: Practice) -> None:
    for born in ("1980-05-03", "1991-02-07"):
        practice.patient(first_name="Ana", last_name="Adler", born=born)
    window = office.open("rita")
    shown = typed(office, window, f"book adler {practice.at(9):%d.%m.%Y} 10:00 dr dora")
    assert len([line for line in shown if line.startswith("Book Adler, Ana")]) == 2
    assert window.find_box.hits.marked() is None
    office.keys(Qt.Key.Key_Return)
    office.settle()
    with practice.read("rita") as session:
        assert appointments.list_day(session, practice.at(9).date()) == []


def test_without_a_time_the_first_free_one_with_the_doctor_she_knows(practice: Practice) -> None:
    patient = practice.patient(first_name="Ana", last_name="Adler")
    practice.step(practice.book(patient, practice.at(9, day=2), "hugo"), "cancelled", reason="was ill")
    practice.book(practice.patient(), practice.at(8), "hugo")
    with practice.read("rita") as session:
        found = commanding.proposals(session, "book adler tomorrow")
        assert (found[0].doctor_name, found[0].wish.starts_at) == ("Dr Hugo Blanc", practice.at(8, 20))
        assert commanding.proposals(session, "book nobody tomorrow") == []
        assert commanding.proposals(session, "book adler tomorrow dr nobody") == []
        past = commanding.proposals(session, f"book adler {practice.at(9, day=-1):%d.%m.%Y} 10:00")
        assert past[0].problem == "This time has already passed"
        closed = commanding.proposals(session, "book adler tomorrow 22:00 dr dora")
        assert closed[0].problem == "Outside the doctor’s hours"
    with practice.read("dora") as session:
        assert {one.doctor_name for one in commanding.proposals(session, "book adler tomorrow 10:00")} == {"Dr Dora Kim"}


def test_a_name_that_is_only_near_is_never_booked_by_enter_alone(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Schmidt")
    window = office.open("rita")
    shown = typed(office, window, f"book shmit {practice.at(9):%d.%m.%Y} 10:00 dr dora")
    assert shown[0].startswith("Book Schmidt, Ana") and "spelled differently" in window.find_box.hits.shown[0].detail
    assert window.find_box.hits.marked() is None
    office.keys(Qt.Key.Key_Return)
    office.settle()
    with practice.read("rita") as session:
        assert appointments.list_day(session, practice.at(9).date()) == []
