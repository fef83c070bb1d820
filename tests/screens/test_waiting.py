"""The waiting room, the call screen and the waiting list through real windows."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from clinicdesk.services import appointments, calling, waiting
from clinicdesk.services.waiting import WishForm
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_front_desk import tomorrow
from ui.dialogs.booking import BookingSheet
from ui.waiting.offering import OfferSheet
from ui.waiting.room import RoomSheet
from ui.waiting.wish import WishSheet


def texts(widget: QWidget) -> str:
    return " | ".join(part.text() for part in widget.findChildren(QLabel) + widget.findChildren(QPushButton) if part.isVisible())


def arrive(practice: Practice, hour: int, name: str) -> int:
    number = practice.book(practice.patient(first_name="Ana", last_name=name), practice.at(hour, day=0))
    practice.step(number, "arrived")
    return number


def test_call_the_next_and_the_number_is_on_the_screen_without_a_name(office: Office, practice: Practice) -> None:
    arrive(practice, 12, "Adler")
    arrive(practice, 13, "Bauer")
    window = office.open("rita")
    front = office.panel(window, "front-desk")
    office.until(lambda: [p.number for p in front.waiting.people] == [1, 2])
    front.open_call_screen()
    screen = front.call_screen
    office.until(lambda: "Please wait" in screen.room.text())
    front.calendar.setFocus()
    QTest.keyClick(front.calendar, Qt.Key.Key_F4, Qt.KeyboardModifier.ShiftModifier)
    sheet = office.sheet(RoomSheet)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.form.error("room"), "a room is needed")
    office.fill(sheet.form.editor("room"), "Room 4")
    office.keys(Qt.Key.Key_Return)
    office.gone(sheet)
    office.until(lambda: (screen.number.text(), screen.room.text()) == ("1", "Room 4"), "live on the call screen")
    office.front(window)
    office.settle()
    QTest.keyClick(front.calendar, Qt.Key.Key_F4, Qt.KeyboardModifier.ShiftModifier)
    office.until(lambda: screen.number.text() == "2", "the next, to the same room, without asking")
    shown = " ".join(made.text() for made in screen.findChildren(QLabel))
    assert "Adler" not in shown and "Bauer" not in shown and "Room 4" in shown
    office.until(lambda: "called to Room 4" in texts(front.waiting))
    screen.close()
    assert not screen.isVisible() and window.isVisible()


def test_a_minute_passing_takes_nobody_s_keys(office: Office, practice: Practice) -> None:
    arrive(practice, 12, "Adler")
    number = arrive(practice, 13, "Bauer")
    front = office.panel(office.open("rita"), "front-desk")
    office.until(lambda: len(front.waiting.people) == 2)
    front.waiting.findChild(QPushButton, f"call {number}").setFocus()
    front.waiting._draw()
    office.settle()
    focus = QApplication.focusWidget()
    assert focus is not None and focus.objectName() == f"call {number}"


def wish(practice: Practice, name: str, **changes: Any) -> int:
    with practice.write("rita") as session:
        return waiting.add(session, WishForm(practice.patient(first_name="Wilma", last_name=name), **changes))


def test_a_freed_place_is_offered_refused_and_taken_by_the_next(office: Office, practice: Practice) -> None:
    wish(practice, "First", urgency=3)
    wish(practice, "Second")
    number = practice.book(practice.patient(), practice.at(9))
    window = office.open("rita")
    front = office.panel(window, "front-desk")
    assert not front.freed.isVisible()
    practice.step(number, "cancelled", who="sam", reason="fell ill")
    office.until(front.freed.isVisible, "a cancellation at another desk shows it")
    assert "First, Wilma: Urgent, waiting since today, and 1 more" in texts(front.freed)
    office.click(next(b for b in front.freed.findChildren(QPushButton) if b.text().startswith("Offer")))
    sheet = office.sheet(OfferSheet)
    office.until(lambda: len(sheet.matches) == 2)
    office.click(sheet.verb_button)
    office.until(lambda: sheet.held is not None and sheet.held.patient_name == "First, Wilma")
    assert "Held for First, Wilma" in texts(sheet) and " left" in texts(sheet)
    office.click(sheet.refused_button)
    office.until(lambda: sheet.held is None and [m.wish.patient_name for m in sheet.matches] == ["Second, Wilma"])
    office.click(sheet.verb_button)
    office.until(lambda: sheet.held is not None)
    office.click(sheet.taken_button)
    office.gone(sheet)
    with practice.read("rita") as session:
        names = [row.patient_name for row in appointments.list_day(session, practice.at(9).date()) if row.status == "scheduled"]
    assert names == ["Second, Wilma"]
    office.until(lambda: not front.freed.isVisible())
    assert window.undo()
    office.until(front.freed.isVisible, "taken back, it is offered again")


def test_a_place_held_at_another_desk_is_refused_in_the_booking_sheet(office: Office, practice: Practice) -> None:
    practice.patient(first_name="Ana", last_name="Adler")
    number = wish(practice, "First")
    desk = tomorrow(office, office.open("rita"))
    desk._book_at(practice.doctors["dora"], practice.at(9), practice.at(9, 20))
    sheet = office.sheet(BookingSheet)
    office.fill(sheet.find_box, "adler")
    office.until(lambda: sheet.find_box.hits.shown)
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.patient)
    with practice.write("sam") as session:
        waiting.offer(session, number, waiting.FreePlace(practice.doctors["dora"], practice.at(9), practice.at(9, 20)))
    office.click(sheet.verb_button)
    office.until(lambda: "held for somebody of the waiting list" in texts(sheet))
    sheet.reject()


def test_put_on_the_list_changed_and_taken_off_with_undo(office: Office, practice: Practice) -> None:
    patient = practice.patient(first_name="Ana", last_name="Adler")
    later = practice.book(patient, practice.at(15, day=5))
    window = office.open("rita")
    panel = office.panel(window, "waiting-list")
    panel.add()
    sheet = office.sheet(WishSheet)
    office.click(sheet.verb_button)
    office.until(lambda: "Choose the patient first" in texts(sheet))
    office.fill(sheet.find_box, "adler")
    office.until(lambda: sheet.find_box.hits.shown)
    office.keys(Qt.Key.Key_Return)
    office.until(lambda: sheet.patient_id == patient)
    office.settle()
    sheet.form.set_value("whom", practice.doctors["dora"])
    sheet.weekdays.set_value({0, 3})
    sheet.form.set_value("gives_up", later)
    sheet.form.set_value("urgency", 2)
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: [row.wants for row in panel.table.rows] == ["Dr Dora Kim, Mon Thu, 20 min"])
    panel.table.select(panel.table.rows[0].id)
    panel.edit(panel.table.record())
    sheet = office.sheet(WishSheet)
    office.until(lambda: sheet.form.value("gives_up") == later)
    sheet.form.set_value("minutes", 30)
    office.click(sheet.verb_button)
    office.gone(sheet)
    office.until(lambda: "30 min" in panel.table.rows[0].wants)
    panel.table.select(panel.table.rows[0].id)
    panel.remove()
    office.until(lambda: len(panel.table.rows) == 0)
    assert window.undo()
    office.until(lambda: len(panel.table.rows) == 1)


def test_nothing_on_the_call_screen_is_cut_off_at_any_size(office: Office, practice: Practice) -> None:
    for n in range(5):
        arrive(practice, 12 + n, f"Name{n}")  # not over twelve hours ago, however late this runs
    with practice.write("rita") as session:
        for person in calling.waiting_room(session):
            calling.call_in(session, person.appointment_id, f"Room {person.number + 10}")
    front = office.panel(office.open("rita"), "front-desk")
    front.open_call_screen()
    screen = front.call_screen
    office.until(lambda: len(screen.calls) == 5 and screen.head.text() == "Test Clinic")
    for size in (QSize(480, 320), QSize(960, 600), QSize(1024, 768), QSize(1920, 1080)):
        screen.resize(size)
        office.settle()
        shown = [made for made in screen.findChildren(QLabel) if made.isVisible()]
        assert len(shown) == 4 + 2 * 4
        for made in shown:
            needs = made.fontMetrics().boundingRect(made.text())
            assert made.width() >= needs.width() and made.height() >= made.fontMetrics().tightBoundingRect(made.text()).height() * 1.2, (
                size, made.text(), made.size())
        assert screen.number.fontMetrics().height() > 2 * screen.room.fontMetrics().height() * 0.9 > 0
    screen.close()
