"""A doctor whose mouse is broken: from signing in to the next patient, through the real windows, and every key is counted.

Arrived patient, start, note, template with its questions, vital signs, diagnosis, typed prescription, an alert answered, signature,
paper, next patient; and "repeat prescription" as one movement of the hands.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu

from clinicdesk.services import appointments, chart, consultations, medication, prescriptions, visits
from clinicdesk.services.drafts import ConsultationDraft
from clinicdesk.services.schedule import NewAppointment
from tests.clinics import PASSWORD, Practice
from tests.journeys.test_keyboard_desk import CTRL, Keyboard, keyboard  # noqa: F401  the fixture
from tests.screens.office import Office
from tests.visiting import TABLET, completed
from ui.dialogs.paper import PrescriptionWindow
from ui.dialogs.prompts import PromptSheet
from ui.main_window import MainWindow
from ui.sign_in import SignInWindow

ENTER, TAB, SPACE, ESC, DOWN = Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_Space, Qt.Key.Key_Escape, Qt.Key.Key_Down
ALT, SHIFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.ShiftModifier
#: The most keys of each part (Ctrl and Alt count) besides the words and numbers somebody has to say anyway.
OPENING, STARTING, TEMPLATE, DIAGNOSIS, ALERT, SIGNING, PAPER, NEXT, REPEAT = 1, 1, 6, 3, 4, 1, 2, 2, 8


class Counted:
    """The keys of each part; `words` are typed, everything else is a key that could have been spared."""

    def __init__(self, keyboard: Keyboard) -> None:  # noqa: F811
        self._keyboard, self.parts = keyboard, {}

    @contextmanager
    def part(self, name: str, most: int) -> Iterator[None]:
        """Keys besides words in this part."""
        self._words, before = 0, self._keyboard.pressed
        yield
        used = self._keyboard.pressed - before - self._words
        self.parts[name] = (used, self._words)
        print(f"{name}: {used} keys of at most {most}, and {self._words} of words")
        assert used <= most, f"{name} took {used} keys, {most} are allowed"
        assert not self._keyboard.mouse, f"{name} used the mouse: {self._keyboard.mouse}"

    def key(self, key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """One key, with what is held."""
        self._keyboard.press(key, held)

    def words(self, text: str) -> None:
        """What somebody has to say."""
        self._words += len(text)
        self._keyboard.press(text)


@pytest.fixture
def hands(keyboard: Keyboard) -> Counted:  # noqa: F811
    return Counted(keyboard)


def sit_down(practice: Practice, patient: str, minutes: int) -> int:
    """An appointment of today whose patient sits in the waiting room."""
    start = practice.at(0, day=0) + timedelta(hours=12, minutes=minutes)
    with practice.write("rita") as session:
        wish = NewAppointment(practice.doctors["dora"], patient, start, start + timedelta(minutes=20), "Cough")
        booked = appointments.book(session, wish)
        appointments.step(session, booked, "arrived", 1)
    return booked


def room_of(window: MainWindow) -> Any:
    return next(p for p in window.panels if p.key == "consulting")


def opened(office: Office, window: MainWindow, hands: Counted, name: str) -> Any:
    """The chosen patient of the day, and Enter; Enter again starts."""
    day: Any = next(p for p in window.panels if p.key == "my-day")
    office.until(lambda: day.table.record() is not None and name in day.table.record().patient_name, f"{name} is chosen by itself")
    office.settle()
    with hands.part("opening the patient", OPENING):
        hands.key(ENTER)
    room = room_of(window)
    office.until(lambda: hasattr(room, "start_button") and room.start_button.hasFocus(), "the start has the keys")
    office.settle()
    with hands.part("starting", STARTING):
        hands.key(ENTER)
    office.until(lambda: room.editor is not None, "the editor opens")
    office.settle()
    assert room.editor.notes.editor("subjective").hasFocus(), "one can write at once"
    return room


def test_signing_in_without_a_mouse(practice: Practice, office: Office, hands: Counted) -> None:
    window = SignInWindow(office.theme, office.open("rita").desk.pool, practice.clinic.sign_in, demo_accounts=())
    answers: list[Any] = []
    window.signed_in.connect(answers.append)
    window.show()
    office.front(window)
    with hands.part("signing in", 2):
        hands.words("dora")
        hands.key(TAB)
        hands.words(PASSWORD)
        hands.key(ENTER)
        office.until(lambda: answers, "she is in")
    window.close()
    assert answers[0].me.username == "dora"


def test_a_consultation_without_a_mouse(practice: Practice, office: Office, hands: Counted) -> None:
    ana, bea = (practice.patient(first_name=first, last_name=last) for first, last in (("Ana", "Adler"), ("Bea", "Bauer")))
    booked = [sit_down(practice, patient, 20 * n) for n, patient in enumerate((ana, bea))]
    with practice.write("dora") as session:
        chart.add_allergy(session, ana, "penicillin", reaction="anaphylaxis", severity="severe")
    window = office.open("dora")
    assert window.panel.key == "my-day", "the day is where she begins"
    room = opened(office, window, hands, "Adler")
    editor = room.editor
    written(office, hands, editor)
    measured(office, hands, editor)
    diagnosed(office, hands, editor)
    prescribed(office, hands, editor)
    with hands.part("signing", SIGNING):
        hands.key(Qt.Key.Key_F9)
        office.until(lambda: room.editor is None, "F9 signs")
    office.settle()
    with hands.part("paper", PAPER):
        hands.key(ENTER)
        paper = office.sheet(PrescriptionWindow)
        office.until(lambda: paper.stored is not None, "the paper is shown")
        hands.key(ESC)
        office.until(lambda: not any(isinstance(w, PrescriptionWindow) for w in QApplication.topLevelWidgets()), "Esc closes it")
    office.front(window)
    with hands.part("next patient", NEXT):
        hands.key(TAB)
        hands.key(ENTER)
        office.until(lambda: window.panel.key == "my-day" or room.row.id == booked[1], "on to the next")
    office.settle()
    with practice.read("dora") as session:
        (visit,) = visits.read(session, visits.of_patient(session, ana))
        (paper_row,) = prescriptions.of_patient(session, ana)
        assert appointments.one(session, booked[0]).status == "completed"
    assert visit.notes["subjective"].startswith("Cough for a week") and "{patient}" not in visit.notes["plan"]
    assert "Ana" in visit.notes["plan"] and "[[" not in visit.notes["plan"]
    assert any("J20.9" in line for line in visit.diagnoses)
    assert len(paper_row.items) == 1 and "amoxicillin" in paper_row.items[0]


def written(office: Office, hands: Counted, editor: Any) -> None:
    """A note, and a template that asks."""
    with hands.part("note", 0):
        hands.words("Cough for a week, no fever.")
    with hands.part("to the plan", 3):
        for _ in range(3):
            hands.key(TAB)
    assert editor.notes.editor("plan").hasFocus()
    with hands.part("template with its questions", TEMPLATE):
        hands.key(SPACE, CTRL)
        office.until(lambda: isinstance(QApplication.activePopupWidget(), QMenu), "the templates are listed")
        hands.key(ENTER)
        sheet = office.sheet(PromptSheet)
        hands.words("fever")
        hands.key(TAB)
        hands.words("two weeks")
        hands.key(ENTER, CTRL)
        office.gone(sheet)
    assert editor.notes.editor("plan").hasFocus() and "two weeks" in editor.notes.editor("plan").toPlainText()


def measured(office: Office, hands: Counted, editor: Any) -> None:
    """Four vital signs."""
    with hands.part("vital signs", 5):
        hands.key(Qt.Key.Key_G, ALT)
        assert editor.vitals.editor("systolic").hasFocus()
        for number, value in enumerate(("128", "78", "84")):
            if number:
                hands.key(TAB)
            hands.words(value)
    assert [editor.vitals.editor(n).text() for n in ("systolic", "diastolic", "pulse")] == ["128", "78", "84"]


def diagnosed(office: Office, hands: Counted, editor: Any) -> None:
    """Words, and Enter."""
    with hands.part("diagnosis", DIAGNOSIS):
        hands.key(Qt.Key.Key_D, ALT)
        hands.words("acute bronchitis unspecified")
        office.until(lambda: any(hit.detail == "J20.9" for hit in editor.diagnoses.box.hits.shown), "the code is found")
        office.settle()
        hands.key(ENTER)
    assert [d.code for d in editor.diagnoses.diagnoses()] == ["J20.9"]


def prescribed(office: Office, hands: Counted, editor: Any) -> None:
    """A typed line that must stop, answered by keys: a number, words, and the second action."""
    line = editor.prescription
    with hands.part("prescription line", 2):
        hands.key(Qt.Key.Key_F7)
        hands.words("amox 500 tid 7d")
        hands.key(ENTER)
        office.until(lambda: line.boxes and line.check.state == "found", "the alert shows")
    office.settle()
    with hands.part("to the alert", 1):
        hands.key(Qt.Key.Key_F9)  # signing is refused, and the alert that waits has the keys
        office.until(lambda: "Signing needs a reason" in line.problem.text(), "signing is refused")
        office.settle()
        office.until(lambda: line.boxes and line.boxes[0].hasFocus(), "the alert has the keys")
    with hands.part("alert", ALERT):
        hands.key(Qt.Key.Key_1)
        hands.words("took it in May")
        hands.key(TAB)
        hands.key(TAB)
        assert line.boxes[0].confirm.hasFocus()
        hands.key(SPACE)
        office.until(line.reasons, "the second action counts")
    office.settle()


def test_a_repeat_prescription_without_a_mouse(practice: Practice, office: Office, hands: Counted) -> None:
    ana = practice.patient(first_name="Ana", last_name="Adler")
    completed(practice, ana, ConsultationDraft(notes={"plan": "Go on."}, items=(replace(TABLET, long_term=True),)))
    sit_down(practice, ana, 0)
    window = office.open("dora")
    room = room_of(window)
    day: Any = window.panel
    office.until(lambda: day.table.record() is not None and day.table.record().status == "arrived", "she is chosen")
    office.settle()
    with hands.part("repeat prescription, from the day to the signature", REPEAT):
        hands.key(ENTER)
        office.until(lambda: hasattr(room, "start_button") and room.start_button.hasFocus(), "the start has the keys")
        office.settle()
        hands.key(ENTER)
        office.until(lambda: room.editor is not None, "the editor opens")
        office.settle()
        hands.key(Qt.Key.Key_R, ALT)
        office.until(lambda: len(room.editor.prescription.items()) == 1, "it is renewed")
        office.until(lambda: room.editor.prescription.check.state in {"found", "clear"}, "it is checked")
        office.settle()
        hands.key(Qt.Key.Key_F9)
        office.until(lambda: room.editor is None, "it is signed")
    with practice.read("dora") as session:
        assert [m.long_term for m in medication.current(session, ana)].count(True) == 1, "the renewal took the place of the older entry"
        assert len(prescriptions.of_patient(session, ana)) == 2
        assert not consultations.in_progress(session)
