"""A receptionist whose mouse is broken: book into the first free place, move, take back, do again, check in, take the money.

Every key is counted, also Ctrl and Shift, and the counts of the house are asserted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from clinicdesk.services import appointments, availability, day_close, undoing
from clinicdesk.services.schedule import AppointmentRow
from tests.clinics import Practice
from tests.paying import FEE, account
from tests.screens.office import Office
from ui.bell import NoticeList
from ui.dialogs.booking import BookingSheet
from ui.dialogs.payment import PaymentSheet
from ui.main_window import MainWindow
from ui.undo_history import UndoList

BOOKING, CHECK_IN, MOVING, TAKING_BACK, PAYING = 12, 3, 3, 2, 4  #: the most keys each may need
CTRL, NONE = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.NoModifier
HELD = (CTRL, Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier)
MOUSE = {QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonRelease, QEvent.Type.MouseButtonDblClick, QEvent.Type.Wheel}


class Keyboard(QObject):
    """Two hands on the keys: presses go to whatever has the focus and are counted; every event of a mouse is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.pressed = 0
        self.mouse: list[str] = []
        app = QApplication.instance()
        assert app is not None
        app.installEventFilter(self)

    def press(self, key: str | Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        """Type a word, or press one key while others are held (QTest presses these too and lets them go); each held key counts."""
        self.pressed += sum(bool(modifiers & one) for one in HELD) + (len(key) if isinstance(key, str) else 1)
        if isinstance(key, str):
            QTest.keyClicks(self._focus(), key)
        else:
            QTest.keyClick(self._focus(), key, modifiers)
        QApplication.processEvents()

    @contextmanager
    def at_most(self, keys: int, what: str) -> Iterator[None]:
        """What is done inside needs no more keys, and no mouse."""
        before = self.pressed
        yield
        used = self.pressed - before
        assert 0 < used <= keys, f"{what} took {used} keys, {keys} are allowed"
        assert not self.mouse, f"{what} used the mouse: {self.mouse}"

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802  Qt's name
        if event.type() in MOUSE and isinstance(watched, QWidget):
            self.mouse.append(f"{event.type().name} on {type(watched).__name__}")
        return False

    @staticmethod
    def _focus() -> QWidget:
        menu = QApplication.activePopupWidget()
        focus = menu if isinstance(menu, QMenu) else QApplication.focusWidget()  # an open menu hears the keys
        assert focus is not None, "nothing has the focus: a person without a mouse is lost here"
        return focus


@pytest.fixture
def keyboard() -> Iterator[Keyboard]:
    made = Keyboard()
    yield made
    app = QApplication.instance()
    assert app is not None
    app.removeEventFilter(made)


def row(practice: Practice, number: int) -> AppointmentRow:
    with practice.read("rita") as session:
        return appointments.one(session, number)


def booked(office: Office, window: MainWindow, keyboard: Keyboard, name: str) -> int:
    """Find her by the beginning of her name and book the first free place; gives the appointment, which is selected then."""
    desk: Any = window.panel
    with keyboard.at_most(BOOKING, f"booking {name}"):
        keyboard.press(Qt.Key.Key_F3)
        sheet = office.sheet(BookingSheet)
        keyboard.press(name)
        keyboard.press(Qt.Key.Key_Return)
        office.until(lambda: sheet.patient is not None, f"“{name}” and Enter choose the patient")
        office.settle()
        keyboard.press(Qt.Key.Key_Return)
        office.gone(sheet)
    assert sheet.patient is not None
    office.until(lambda: desk.calendar.block is not None and desk.calendar.block.patient_id == sheet.patient.id, "the booking is selected")
    office.settle()
    return int(desk.calendar.block.id)


def moved_and_back(office: Office, practice: Practice, keyboard: Keyboard, number: int) -> None:
    """A step later with the arrows, taken back, and done again."""
    desk: Any = office.windows[0].panel
    first = row(practice, number).starts_at
    with keyboard.at_most(MOVING, "moving"):
        keyboard.press(Qt.Key.Key_Down, CTRL)
        office.until(lambda: row(practice, number).starts_at > first, "Ctrl and the arrow move it")
    later = row(practice, number).starts_at
    office.settle()
    for key, wanted, words in ((Qt.Key.Key_Z, first, "Undone: "), (Qt.Key.Key_Y, later, "Done again: ")):
        with keyboard.at_most(TAKING_BACK, words):
            keyboard.press(key, CTRL)
            office.until(lambda wanted=wanted: row(practice, number).starts_at == wanted, f"{words} where it was")
        office.until(lambda words=words: office.windows[0].toasts.sentence.startswith(words))
        office.until(lambda wanted=wanted: desk.calendar.block.starts_at == wanted, "she sees it there")
        office.settle()


def paid(office: Office, keyboard: Keyboard) -> None:
    """The fee in cash, and on with the work."""
    with keyboard.at_most(PAYING, "taking the payment"):
        keyboard.press(Qt.Key.Key_F8)
        sheet = office.sheet(PaymentSheet)
        office.until(lambda: sheet.account is not None and sheet.verb_button.isEnabled(), "what is owed is read")
        keyboard.press(Qt.Key.Key_Return)
        office.until(lambda: sheet.receipt_id is not None, "Enter takes it")
        keyboard.press(Qt.Key.Key_Return)
        office.gone(sheet)


def test_a_receptionist_without_a_mouse(office: Office, practice: Practice, keyboard: Keyboard) -> None:
    people = {name: practice.patient(first_name=first, last_name=name) for name, first in (("Adler", "Ana"), ("Bauer", "Bea"))}
    with practice.write("rita") as session:  # today is over for everybody, so that the first free place is tomorrow at eight
        availability.add_closure(session, None, practice.at(0, day=0), practice.at(0), "Day off")
    window = office.open("rita")
    desk: Any = window.panel
    assert desk.key == "front-desk", "the day is where she begins"
    office.until(lambda: desk.schedule is not None)
    made = {}
    for typed, name in (("adl", "Adler"), ("bau", "Bauer")):
        made[name] = number = booked(office, window, keyboard, typed)
        first = row(practice, number)
        assert (first.patient_id, first.starts_at) == (people[name], practice.at(8)), "the first free place of anybody"
        moved_and_back(office, practice, keyboard, number)
        with keyboard.at_most(CHECK_IN, "checking in"):
            keyboard.press(Qt.Key.Key_F4)
            office.until(lambda number=number: row(practice, number).status == "arrived", "she is checked in")
        office.until(lambda: desk.calendar.block.status == "arrived")
        office.settle()
        paid(office, keyboard)

    step = timedelta(minutes=desk.calendar.grid.snap)
    for name, number in made.items():
        stands = row(practice, number)
        assert (stands.starts_at, stands.ends_at, stands.status) == (practice.at(8) + step, practice.at(8, 20) + step, "arrived")
        owed = account(practice, people[name])
        assert (owed.owed, owed.wallet) == (0, 0)
    assert len({row(practice, number).doctor_id for number in made.values()}) == 2, "the second first free place is with the other doctor"
    with practice.read("rita") as session:
        till = day_close.till(session, practice.at(9, day=0).date())
        assert (till.sum_of("cash"), [r.total for r in till.receipts]) == (2 * FEE, [FEE, FEE]), "each visit is paid once"
        done = undoing.actions(session)
    assert [(one.state, one.words.split()[0]) for one in done] == [("done", "Checked"), ("done", "Moved"), ("done", "Booked")] * 2
    assert [name for name in ("Bauer", "Adler") for _ in range(3)] == [one.words.split(",")[0].split()[-1] for one in done]

    keyboard.press(Qt.Key.Key_Z, CTRL | Qt.KeyboardModifier.AltModifier)
    listed = office.sheet(UndoList)
    office.until(lambda: [line.words for line in listed.lines] == [one.words for one in done], "the list says what was done")
    keyboard.press(Qt.Key.Key_Escape)
    office.gone(listed)
    assert not keyboard.mouse


def test_the_keyboard_counts_and_notices_a_mouse(office: Office, keyboard: Keyboard) -> None:
    office.open("rita")
    with pytest.raises(AssertionError, match="took 4 keys, 3 are allowed"), keyboard.at_most(3, "typing"):
        keyboard.press("four")
    with pytest.raises(AssertionError, match="used the mouse: "), keyboard.at_most(2, "closing a list"):
        keyboard.press(Qt.Key.Key_B, CTRL)
        office.click(office.sheet(NoticeList).cancel_button)
    assert keyboard.pressed == 6
