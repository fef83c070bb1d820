"""Form, find box, sheet, toast: what a person would notice."""

from __future__ import annotations

import threading
from datetime import UTC, date
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QSettings, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from shiboken6 import isValid

from clinicdesk.errors import Duplicate, Invalid, NotAllowed
from clinicdesk.services.people import Me, PatientRow
from tests.screens.conftest import shown
from ui.command_bar import CommandBar, matches
from ui.desk import Desk
from ui.live import Live
from ui.panel import Action
from ui.tasks import Pool
from ui.theme import Theme
from ui.widgets.editors import editing
from ui.widgets.form import Form
from ui.widgets.hits import Hit, emphasis, folded
from ui.widgets.patient_hit import patient_hit
from ui.widgets.search_box import SearchBox
from ui.widgets.sheet import Sheet
from ui.widgets.toast import Toasts

# Form

@pytest.fixture
def form(qtbot: Any, theme: Theme) -> Form:
    made = Form(2)
    made.text("first_name", "First name")
    made.text("phone", "Phone", hint="9 to 15 digits")
    made.choice("sex", "Sex", [("F", "Female"), ("M", "Male")], blank="Choose…")
    made.paragraph("note", "Note", limit=20, optional=True)
    made.check("reminders", "Send reminders")
    shown(made, qtbot)
    return made


def test_an_error_stands_under_its_field_and_keeps_what_was_typed(form: Form, qtbot: Any) -> None:
    QTest.keyClicks(form.editor("phone"), "12ab")
    assert form.show_problem(Invalid("phone", "A phone number has 9 to 15 digits."))
    assert form.error("phone") == "A phone number has 9 to 15 digits."
    assert form.hint_label("phone").text() == "A phone number has 9 to 15 digits."
    assert form.editor("phone").property("invalid") == "true"
    assert form.editor("phone").hasFocus()
    assert form.editor("phone").accessibleDescription() == "A phone number has 9 to 15 digits."
    assert form.value("phone") == "12ab"
    QTest.keyClicks(form.editor("phone"), "3")
    assert form.error("phone") == ""
    assert form.hint_label("phone").text() == "9 to 15 digits"
    assert not form.show_problem(Invalid("unheard_of", "x"))
    assert not form.show_problem(NotAllowed())


def test_a_form_knows_whether_something_would_be_lost(form: Form) -> None:
    assert not form.dirty
    form.set_values({"first_name": "Mia", "sex": "F", "reminders": True})
    assert not form.dirty
    assert form.values() == {"first_name": "Mia", "phone": "", "sex": "F", "note": "", "reminders": True}
    QTest.keyClicks(form.editor("first_name"), "x")
    assert form.dirty
    form.mark_clean()
    assert not form.dirty


def test_text_over_the_limit_is_counted_and_not_cut(form: Form) -> None:
    QTest.keyClicks(form.editor("note"), "x" * 23)
    assert len(form.value("note")) == 23
    counters = [w.text() for w in form.findChildren(QWidget) if isinstance(w.property("text"), str) and "too many" in w.property("text")]
    assert counters == ["3 too many"]


def test_every_field_has_a_name_and_a_buddy(form: Form) -> None:
    for name in form.values():
        assert form.editor(name).accessibleName()
    assert editing(form.editor("phone")).read(form.editor("phone")) == ""


# Find box

class People:
    def __init__(self, rows: list[tuple[str, str]]) -> None:
        self.rows, self.asked = rows, []

    def __call__(self, _session: Any, text: str) -> list[tuple[str, str]]:
        self.asked.append(text)
        return [row for row in self.rows if text.lower() in row[0].lower()]


def box(desk: Desk, people: People, qtbot: Any, **options: Any) -> SearchBox:
    made = SearchBox(desk, people, lambda row: Hit(row, row[0], row[1]), placeholder="Find patient", **options)
    window = QWidget()
    QVBoxLayout(window).addWidget(made)
    window.layout().addStretch(1)
    shown(window, qtbot)
    made.window_kept = window
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


def test_typing_asks_once_after_the_last_key(desk: Desk, qtbot: Any) -> None:
    people = People([("Mia Andersen", "05-Nov-1980"), ("Mia Roe", "01-Jan-1990")])
    made = box(desk, people, qtbot)
    QTest.keyClicks(made, "mia and")
    qtbot.waitUntil(lambda: bool(made.hits.shown))
    assert people.asked == ["mia and"]
    assert made.hits.marked().title == "Mia Andersen"
    with qtbot.waitSignal(made.chosen) as chosen:
        QTest.keyClick(made, Qt.Key.Key_Return)
    assert chosen.args[0] == ("Mia Andersen", "05-Nov-1980")
    assert made.text() == "" and not made.hits.isVisible()


def test_namesakes_are_never_opened_by_enter_alone(desk: Desk, qtbot: Any) -> None:
    made = box(desk, People([("Mía Andersen", "05-Nov-1980"), ("mia andersen", "17-Mar-1992")]), qtbot)
    taken: list[Any] = []
    made.chosen.connect(taken.append)
    made.setText("andersen")
    made.search_now()
    assert made.hits.marked() is None
    assert "share a name" in made.hits.note.text()
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert taken == []
    QTest.keyClick(made, Qt.Key.Key_Down)
    QTest.keyClick(made, Qt.Key.Key_Down)
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert taken == [("mia andersen", "17-Mar-1992")]


def test_a_name_only_near_what_was_typed_is_never_opened_by_enter_alone(desk: Desk, qtbot: Any) -> None:
    made = box(desk, People([("Mia Schmidt", "05-Nov-1980")]), qtbot)
    made._to_hit = lambda row: Hit(row, row[0], row[1], sure=False)
    taken: list[Any] = []
    made.chosen.connect(taken.append)
    made.setText("mia")
    QTest.keyClick(made, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: bool(made.hits.shown))
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert taken == [] and made.hits.marked() is None
    QTest.keyClick(made, Qt.Key.Key_Down)
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert taken == [("Mia Schmidt", "05-Nov-1980")]


def test_enter_before_the_answer_opens_only_a_single_hit(desk: Desk, qtbot: Any) -> None:
    made = box(desk, People([("Mia Andersen", "x"), ("Noah Andersen", "y")]), qtbot)
    taken: list[Any] = []
    made.chosen.connect(taken.append)
    QTest.keyClicks(made, "andersen")
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert taken == [], "two hits: the person must look first"
    made.selectAll()
    QTest.keyClicks(made, "noah")
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert taken == [("Noah Andersen", "y")]


def test_nothing_found_offers_to_register(desk: Desk, qtbot: Any) -> None:
    made = box(desk, People([]), qtbot, create="Register “{0}”")
    QTest.keyClicks(made, "zoe")
    made.search_now()
    with qtbot.waitSignal(made.create_requested) as create:
        QTest.keyClick(made, Qt.Key.Key_Return)
    assert create.args == ["zoe"]


def test_a_failed_search_says_so(desk: Desk, clinic: Any, qtbot: Any) -> None:
    clinic.error = NotAllowed()
    made = box(desk, People([]), qtbot)
    QTest.keyClicks(made, "zoe")
    made.search_now()
    assert "You cannot do this" in made.hits.note.text()
    QTest.keyClick(made, Qt.Key.Key_Escape)
    assert not made.hits.isVisible() and made.text() == "zoe"
    QTest.keyClick(made, Qt.Key.Key_Escape)
    assert made.text() == ""


def test_emphasis_marks_beginnings_of_words_also_with_accents() -> None:
    assert emphasis("Åse Ândersson", "and as") == [(0, 2), (4, 3)]
    assert folded("ÉCLAIR") == "eclair"


def test_commands_and_patients_in_one_box(desk: Desk, qtbot: Any) -> None:
    row = PatientRow("p_k3m9x2", "Mia", "Lockwood", date(1980, 11, 5), "F", "+441632960001", None, (), archived=False)
    ran: list[str] = []
    made = CommandBar(desk, lambda _s, _t: [row], lambda: [Action("Lock", lambda: ran.append("lock"), "lock", "Ctrl+L")])
    shown(made, qtbot)
    made.open_commands()
    assert [hit.title for hit in made.hits.shown] == ["Lock"]
    QTest.keyClicks(made, "loc")
    made.search_now()
    assert [hit.title for hit in made.hits.shown] == ["Lockwood, Mia", "Lock"]
    QTest.keyClick(made, Qt.Key.Key_Down)
    QTest.keyClick(made, Qt.Key.Key_Return)
    assert ran == ["lock"]
    assert "05-Nov-1980" in patient_hit(row, UTC).detail
    assert matches("Register patient", "pat reg") and not matches("Register patient", "x")


# Sheet

class Renaming(Sheet):
    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, "Change name", "Save")
        self.set_form(Form()).text("name", "Name")
        self.answer: Exception | None = None

    def submit(self) -> None:
        if self.answer is not None:
            self.show_problem(self.answer)
        else:
            self.accept()


def test_a_refused_sheet_stays_open_with_everything_typed(desk: Desk, qtbot: Any) -> None:
    sheet = Renaming(desk)
    shown(sheet, qtbot)
    QTest.keyClicks(sheet.form.editor("name"), "Mia")
    sheet.answer = Duplicate("name", "Somebody else has this name.")
    sheet.verb_button.click()
    assert sheet.isVisible() and sheet.form.error("name") == "Somebody else has this name."
    sheet.answer = NotAllowed("You cannot do this.")
    sheet.verb_button.click()
    assert sheet.problem.isVisible() and "You cannot do this." in sheet.problem.words.text()
    assert sheet.verb_button.isEnabled()
    sheet.answer = None
    with qtbot.waitSignal(sheet.accepted):
        QTest.keyClick(sheet.form.editor("name"), Qt.Key.Key_Return)


def test_a_closed_sheet_goes_once_what_it_asked_for_is_answered(clinic: Any, me: Me, live: Live, theme: Theme, qtbot: Any) -> None:
    pool, gate, told = Pool(), threading.Event(), []
    sheet = Renaming(Desk(clinic, "token", me, live=live, pool=pool, theme=theme))
    shown(sheet, qtbot)
    sheet.desk.do(sheet, lambda _session: gate.wait(10), done=told.append)
    sheet.reject()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert isValid(sheet) and not sheet.isVisible(), "the write must still find whom to tell"
    gate.set()
    qtbot.waitUntil(lambda: not isValid(sheet))
    assert told == [True]
    pool.close()


def test_esc_asks_before_it_loses_something(desk: Desk, qtbot: Any) -> None:
    sheet = Renaming(desk)
    shown(sheet, qtbot)
    QTest.keyClicks(sheet.form.editor("name"), "Mia")
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert sheet.isVisible() and "not saved" in sheet.problem.words.text()
    sheet._discard()
    assert not sheet.isVisible()
    clean = Renaming(desk)
    shown(clean, qtbot)
    QTest.keyClick(clean, Qt.Key.Key_Escape)
    assert not clean.isVisible()


def test_a_sheet_remembers_its_size(desk: Desk, qtbot: Any, tmp_path: Any) -> None:
    desk._memory = QSettings(str(tmp_path / "window.ini"), QSettings.Format.IniFormat)
    sheet = Renaming(desk)
    shown(sheet, qtbot, QSize(611, 455))
    sheet.accept()
    assert Renaming(desk).size() == QSize(611, 455)
    desk.remember("zoom", 144)
    desk._memory.sync()
    assert desk.recall("zoom", 96) == 144
    assert desk.recall("unknown", "x") == "x"


# Toast

def test_a_toast_can_be_undone_and_is_replaced(theme: Theme, qtbot: Any) -> None:
    window = QWidget()
    shown(window, qtbot)
    toasts, undone = Toasts(window, theme), []
    toasts.show("Moved.", undo=lambda: undone.append(1))
    assert toasts.sentence == "Moved."
    assert toasts.undo() and undone == [1]
    assert not toasts.undo()
    toasts.show("First.")
    toasts.show("Second.", seconds=0.02)
    assert toasts.sentence == "Second."
    qtbot.waitUntil(lambda: toasts.sentence == "")
