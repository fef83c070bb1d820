"""Weekly hours, closures, time slots and who is free, on a real clinic; and the list of appointments."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from PySide6.QtCore import QDate, Qt, QTime

from clinicdesk.services import availability
from tests.clinics import Practice
from tests.screens.office import Office
from ui.dialogs.booking import BookingSheet
from ui.dialogs.closure import ClosureSheet
from ui.dialogs.slots import SlotSheet
from ui.main_window import MainWindow


def shown(office: Office, window: MainWindow, tab: str, who: str = "dora") -> Any:
    """The availability panel on a tab, about a doctor."""
    panel = office.panel(window, "availability")
    page = getattr(panel, tab)
    panel.tabs.setCurrentWidget(page)
    panel.doctor.setCurrentIndex(panel.doctor.findData(office.practice.doctors[who]))
    office.settle()
    return page


def test_changing_weekly_hours(office: Office, practice: Practice) -> None:
    window = office.open("rita")
    hours = shown(office, window, "hours")
    assert all(day.values() == [(time(8), time(17))] for day in hours.days)
    assert not hours.save_button.isEnabled()
    monday = hours.days[0]
    monday.stretches[0].end.setTime(QTime(12, 0))
    office.click(monday.add_button)
    monday.stretches[1].start.setTime(QTime(11, 0))
    monday.stretches[1].end.setTime(QTime(15, 0))
    assert not next(p for p in window.panels if p.key == "availability").doctor.isEnabled(), "nothing changed is lost by looking away"
    office.click(hours.save_button)
    assert "overlap" in monday.problem.text() and monday.problem.isVisible(), "said on its day"
    monday.stretches[1].start.setTime(QTime(13, 0))
    monday.stretches[1].end.setTime(QTime(12, 30))
    office.click(hours.save_button)
    assert "later" in monday.problem.text()
    monday.stretches[1].end.setTime(QTime(16, 0))
    office.click(hours.copy_button)
    office.click(hours.days[6].stretches[0].remove)
    assert hours.days[6].closed.isVisible()
    office.click(hours.save_button)
    office.until(lambda: not hours.dirty and "saved" in window.toasts.sentence)
    with practice.read("rita") as session:
        stored = availability.working_hours(session, practice.doctors["dora"])
    weekdays = [(h.start, h.end) for h in stored if h.weekday == 3]
    assert weekdays == [(time(8), time(12)), (time(13), time(16))]
    assert not [h for h in stored if h.weekday == 6]
    assert [(h.start, h.end) for h in stored if h.weekday == 5] == [(time(8), time(17))], "copying leaves the weekend"


def test_discarding_and_what_another_desk_saved(office: Office, practice: Practice) -> None:
    hours = shown(office, office.open("rita"), "hours")
    office.click(hours.days[0].stretches[0].remove)
    with practice.write("dora") as session:
        week = [h for h in availability.working_hours(session, practice.doctors["dora"]) if h.weekday != 1]
        availability.set_working_hours(session, practice.doctors["dora"], week)
    office.settle()
    assert hours.dirty and hours.days[0].values() == [], "what is being changed here is not overwritten"
    office.click(hours.discard_button)
    hours.refresh()
    office.until(lambda: hours.days[1].values() == [] and hours.days[0].values())


def test_a_doctor_sees_her_own_hours_and_no_choice(office: Office, practice: Practice) -> None:
    window = office.open("hugo")
    panel = office.panel(window, "my-hours")
    assert not panel.doctor.isVisible() and panel.doctor_id == practice.doctors["hugo"] and panel.free is None
    office.click(panel.hours.days[0].stretches[0].remove)
    office.click(panel.hours.save_button)
    office.until(lambda: not panel.hours.dirty)
    with practice.read("hugo") as session:
        assert not [h for h in availability.working_hours(session, practice.doctors["hugo"]) if h.weekday == 0]


def test_closing_counts_the_booked_and_removing_is_undone(office: Office, practice: Practice) -> None:
    practice.book(practice.patient(), practice.at(9))
    window = office.open("rita")
    closures = shown(office, window, "closures")
    office.click(closures.add_button)
    sheet = office.sheet(ClosureSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("reason"), "a reason is asked for")
    office.fill(sheet.form.editor("reason"), "Leave")
    day = practice.at(9).date()
    for name in ("first", "ends_at"):
        sheet.form.editor(name).setDate(QDate(day.year, day.month, day.day))
    sheet.form.set_value("whose", 0)
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: len(closures.table.rows) == 1)
    assert "1 appointment is booked in that time" in window.toasts.sentence
    row = closures.table.rows[0]
    assert row.doctor_id is None and row.starts_at == practice.at(0) and row.ends_at == practice.at(0, day=2)
    closures.table.select(row.id)
    office.click(closures.remove_button)
    office.until(lambda: not closures.table.rows)
    assert window.undo()
    office.until(lambda: len(closures.table.rows) == 1, "undo closes again")


def test_a_doctor_cannot_open_what_the_clinic_closed(office: Office, practice: Practice) -> None:
    with practice.write("rita") as session:
        availability.add_closure(session, None, practice.at(0), practice.at(0, day=2), "Holiday")
    panel = office.panel(office.open("dora"), "my-hours")
    panel.tabs.setCurrentWidget(panel.closures)
    office.until(lambda: len(panel.closures.table.rows) == 1)
    panel.closures.table.select(panel.closures.table.rows[0].id)
    assert not panel.closures.remove_button.isEnabled()


def test_half_a_day(office: Office, practice: Practice) -> None:
    closures = shown(office, office.open("rita"), "closures")
    office.click(closures.add_button)
    sheet = office.sheet(ClosureSheet)
    sheet.whole_days.setChecked(False)
    day = practice.at(9).date()  # tomorrow: today's afternoon may be over
    for name in ("first", "ends_at"):
        sheet.form.editor(name).setDate(QDate(day.year, day.month, day.day))
    office.fill(sheet.form.editor("reason"), "Training")
    sheet.form.set_value("from", time(14))
    sheet.form.set_value("until", time(13))
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("until"))
    sheet.form.set_value("until", time(16))
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: [(r.ends_at - r.starts_at) for r in closures.table.rows] == [timedelta(hours=2)])


def test_slots_in_bulk_say_beforehand_what_they_make_and_explain_an_overlap(office: Office, practice: Practice) -> None:
    window = office.open("ada")
    slots = shown(office, window, "slots")
    office.click(slots.make_button)
    sheet = office.sheet(SlotSheet)
    first = practice.at(0).date()
    sheet.form.set_value("last", first + timedelta(days=6))
    sheet.weekdays.set_value(range(7))
    sheet.form.set_value("minutes", 30)
    office.until(lambda: "Makes 42 slots of 30 minutes" in sheet.plan.text(), "6 a day, 7 days")
    sheet.weekdays.set_value(())
    office.until(lambda: "at least one day" in sheet.plan.text())
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("weekdays"))
    sheet.weekdays.set_value(range(7))
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: len(slots.table.rows) == 42)
    office.click(slots.make_button)
    again = office.sheet(SlotSheet)
    again.form.set_value("last", first)
    again.weekdays.set_value(range(7))
    office.until(lambda: "slots are already there, the first on" in again.overlap.text(), "the overlap is said before pressing")
    office.click(again.verb_button)
    office.until(again.problem.isVisible)
    assert "already there" in again.problem.words.text() and again.isVisible()
    again._discard()
    assert len(slots.table.rows) == 42


def test_slots_show_which_are_taken_and_a_removed_selection_comes_back(office: Office, practice: Practice) -> None:
    day = practice.at(0).date()
    with practice.write("rita") as session:
        template = availability.SlotTemplate(practice.doctors["dora"], day, day, frozenset(range(7)), time(9), time(10), 20)
        availability.make_slots(session, template)
    window = office.open("rita")
    slots = shown(office, window, "slots")
    assert [r.taken for r in slots.table.rows] == [False] * 3
    practice.book(practice.patient(), practice.at(9, 20))
    office.until(lambda: [r.taken for r in slots.table.rows] == [False, True, False], "a booking shows by itself")
    slots.table.selectAll()
    assert slots.remove_button.text() == "Remove 3 slots"
    office.click(slots.remove_button)
    office.until(lambda: not slots.table.rows)
    assert window.undo()
    office.until(lambda: [r.starts_at for r in slots.table.rows] == [practice.at(9), practice.at(9, 20), practice.at(9, 40)])


@pytest.fixture
def free(office: Office, practice: Practice) -> Any:
    """Who is free tomorrow at 9, when Dr Kim is booked."""
    practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    page = shown(office, office.open("rita"), "free")
    day = practice.at(9).date()
    page.day.setDate(QDate(day.year, day.month, day.day))
    page.time.setTime(QTime(9, 0))
    office.until(lambda: [r.name for r in page.doctors.rows] == ["Dr Hugo Blanc"])
    return page


def test_who_is_free_and_the_next_places_of_a_doctor(office: Office, practice: Practice, free: Any) -> None:
    free.whom.setCurrentIndex(free.whom.findData(practice.doctors["dora"]))
    office.until(lambda: free.places.rows and {o.name for o in free.places.rows} == {"Dr Dora Kim"})
    assert free.places.rows[0].place.starts_at == practice.at(9, 20)
    free.whom.setCurrentIndex(free.whom.findData("Family medicine"))
    office.until(lambda: {o.name for o in free.places.rows} == {"Dr Dora Kim", "Dr Hugo Blanc"})


def test_enter_on_a_free_place_books_it(office: Office, practice: Practice, free: Any) -> None:
    free.places.select_first()
    opening = free.places.record()
    free.places.setFocus()
    office.keys(Qt.Key.Key_Return)
    sheet = office.sheet(BookingSheet)
    assert (sheet.doctor.currentData(), sheet.starts_at) == (opening.place.doctor_id, opening.place.starts_at)
    sheet._discard()


def test_the_list_of_appointments(office: Office, practice: Practice) -> None:
    ana, bo = practice.patient(first_name="Ana", last_name="Adler"), practice.patient(first_name="Bo", last_name="Berg")
    one = practice.book(ana, practice.at(9))
    two = practice.book(bo, practice.at(10), "hugo")
    practice.step(two, "confirmed")
    window = office.open("rita")
    panel = office.panel(window, "appointments")
    panel.when.setCurrentIndex(panel.when.findData("upcoming"))
    office.until(lambda: [r.id for r in panel.table.rows] == [one, two], "soonest first")
    panel.status.setCurrentIndex(panel.status.findData("confirmed"))
    office.until(lambda: [r.id for r in panel.table.rows] == [two])
    panel.status.setCurrentIndex(0)
    panel.doctor.setCurrentIndex(panel.doctor.findData(practice.doctors["dora"]))
    office.until(lambda: [r.id for r in panel.table.rows] == [one])
    panel.doctor.setCurrentIndex(0)
    office.fill(panel.find_box, "berg")
    office.until(lambda: [r.id for r in panel.table.rows] == [two])
    panel.table.select(two)
    panel.table.setFocus()
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: window.panel.key == "front-desk", "Enter shows the day")
    office.until(lambda: window.panel.day == practice.at(9).date() and window.panel.calendar.block_id == two)
    panel = office.panel(window, "appointments")
    panel.when.setCurrentIndex(panel.when.findData("past"))
    office.until(lambda: not panel.table.rows)
