"""Whoever listens instead of looking: everything that takes the focus says what it is, in every panel and sheet of every role."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QShortcut
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QPushButton, QTabBar, QWidget
from shiboken6 import isValid

from clinicdesk.paths import resource
from clinicdesk.rules.content_tables import content_tables
from clinicdesk.rules.recurrence import Repeats
from clinicdesk.services import consultations, series, waiting
from clinicdesk.services.attachments import AttachmentRow
from clinicdesk.services.chart import AllergyRow
from clinicdesk.services.content import TableState
from clinicdesk.services.drafts import ItemDraft
from clinicdesk.services.medication import CurrentMedicine
from clinicdesk.services.schedule import NewAppointment
from clinicdesk.services.waiting import WishForm
from tests.clinics import Practice
from tests.files import pdf
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting
from ui.consultation.medicines_view import KidneySheet, PregnancySheet, StopSheet
from ui.dialogs.allergy import EndAllergySheet
from ui.dialogs.annotating import AnnotateSheet
from ui.dialogs.codes import kiosk_sheet
from ui.dialogs.files import Source
from ui.dialogs.immunization import ImmunizationSheet
from ui.dialogs.profile import LeaveSheet
from ui.dialogs.tagging import TagSheet
from ui.dialogs.withdrawing import WithdrawSheet
from ui.dialogs.wrong_allergy import WrongAllergySheet
from ui.panels.clinical_content import ApprovalSheet
from ui.widgets.sheet import Sheet


def nameless(root: QWidget) -> list[str]:
    """Visible widgets that take the focus by Tab and have no name: own, text of a button, or of the field they belong to."""
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        takes = widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and widget.focusProxy() is None
        if not takes or widget.isWindow():
            continue
        named = widget.accessibleName() or (isinstance(widget, (QAbstractButton, QLabel)) and widget.text())
        inside = widget.parentWidget()
        part = inside is not None and (inside.focusProxy() is widget or widget.objectName().startswith("qt_"))
        empty_area = isinstance(widget, QAbstractScrollArea) and type(widget).__name__ == "QScrollArea"
        if not named and not part and not empty_area:
            found.append(f"{type(widget).__name__} {widget.objectName()} in {path(widget)}")
    return found


def path(widget: QWidget) -> str:
    names = []
    above = widget.parentWidget()
    while above is not None:
        names.append(type(above).__name__)
        above = above.parentWidget()
    return " < ".join(names[:4])


@pytest.mark.parametrize("who", ["rita", "dora", "ada"])
def test_every_panel(office: Office, practice: Practice, who: str) -> None:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    practice.step(made, "arrived")
    window = office.open(who)
    if who == "dora":
        with practice.write("dora") as session:
            consultations.start(session, made, 2)
        consulting(office, window, made)
    missing = nameless(window)
    for panel in window.panels:
        office.panel(window, panel.key)
        if panel.key == "patients":
            panel.table.select_first()
            office.settle()
        for tabs in panel.findChildren(QTabBar):
            for number in range(tabs.count()):
                tabs.setCurrentIndex(number)
                office.settle()
                missing += [f"{panel.key}: {one}" for one in nameless(panel)]
        missing += [f"{panel.key}: {one}" for one in nameless(panel)]
    assert not missing, "\n".join(dict.fromkeys(missing))


def sheets(who: str) -> list[Callable[[Any, Any], object]]:
    """What opens each sheet of a role, given a function that shows a panel by its key."""
    return {
        "rita": [
            lambda show, _w: show("front-desk").new_appointment(), lambda show, _w: show("patients").register(),
            lambda show, _w: show("availability").slots.make(), lambda show, _w: show("availability").closures.add(),
            lambda _s, w: w.account.change_password(), lambda _s, w: w.account.show_profile(), lambda _s, w: w.account.edit_profile(),
            lambda _s, w: w.account.second_factor(), lambda show, w: kiosk_sheet(w.desk, show("patients").patient_id, "Ana", w).open(),
            lambda show, _w: show("patients")._assign(),
            lambda show, w: TagSheet(w.desk, [show("patients").patient_id], parent=w).open(),
            lambda show, _w: front(show).step(blocks(show)["Cora"], "cancelled"),
            lambda show, _w: front(show).step(blocks(show)["Serge"], "cancelled"),
            lambda show, _w: moved(front(show), blocks(show)["Serge"]),
            lambda show, _w: front(show).take_payment(blocks(show)["Ana"]),
            lambda show, _w: front(show).waiting.call_next(), lambda show, _w: front(show).freed.offer_first(),
            lambda show, _w: show("waiting-list").add(), lambda show, _w: show("waiting-list").edit(show("waiting-list").table.rows[0]),
            lambda show, _w: show("till").top_up(),
            lambda _s, w: w.show_undo_list(), lambda _s, w: w.bell.open_list(),
        ],
        "dora": [
            lambda show, _w: show("consulting").editor.prescription.add(),
            *(lambda show, _w, words=words: pressed(show("consulting").chart, words)
              for words in ("Add allergy", "State none known", "Add problem")),
            lambda show, _w: record(show("consulting")), lambda show, _w: session(show("consulting")),
            *(lambda show, _w, kind=kind: kind(show("consulting")) for kind in (stopping, pregnancy, kidney, wrong_allergy)),
            *(lambda show, _w, kind=kind: show("consulting").chart.papers.new(kind) for kind in ("SN", "RL", "VS")),
            lambda show, _w: documents(show("consulting")),
            *(lambda show, _w, kind=kind: kind(show("consulting")) for kind in (annotating, withdrawing, vaccine, ending)),
            lambda _s, w: w.account.show_profile(), lambda _s, w: w.show_undo_list(), lambda _s, w: w.bell.open_list(),
        ],
        "ada": [lambda show, _w: show("staff").add(), lambda _s, w: LeaveSheet(w.desk, w._sessions, parent=w).open(),
                lambda show, _w: approval(show("content")),
                lambda _s, w: w.bell.open_list(), lambda _s, w: w.lock()],
    }[who]


def pressed(part: QWidget, words: str) -> None:
    next(made for made in part.findChildren(QPushButton) if made.text() == words).click()


def approval(panel: Any) -> None:
    table = content_tables(resource("medicines"))[0]
    ApprovalSheet(panel.desk, TableState(table, "", None, "", None), parent=panel.window()).open()


def stopping(room: Any) -> None:
    row = CurrentMedicine(1, "aspirin", "", "", None, None, True, 1, ItemDraft(medicine="aspirin"))
    StopSheet(room.desk, row, parent=room.window()).open()


def pregnancy(room: Any) -> None:
    PregnancySheet(room.desk, room.patient_id, parent=room.window()).open()


def kidney(room: Any) -> None:
    KidneySheet(room.desk, room.patient_id, parent=room.window()).open()


def wrong_allergy(room: Any) -> None:
    WrongAllergySheet(room.desk, room.patient_id, parent=room.window()).open()


def documents(room: Any) -> None:
    room.chart.attachments.add([Source("letter.pdf", 10), Source("empty.txt", 0)])


def annotating(room: Any) -> None:
    AnnotateSheet(room.desk, an_attachment(), pdf(), parent=room.window()).open()


def withdrawing(room: Any) -> None:
    WithdrawSheet(room.desk, an_attachment(), parent=room.window()).open()


def an_attachment() -> AttachmentRow:
    return AttachmentRow(uuid4(), "p_aaaaaa", "pdf", "Letter", "letter.pdf", 10, datetime.now(UTC), "Dr Kim", True, None, "", None, None,
                         "", None, "", "")


def vaccine(room: Any) -> None:
    ImmunizationSheet(room.desk, room.patient_id, parent=room.window()).open()


def ending(room: Any) -> None:
    EndAllergySheet(room.desk, AllergyRow(1, "latex", "allergy", "", "", None, "", 1), parent=room.window()).open()


def front(show: Callable[[str], Any]) -> Any:
    return show("front-desk")


def blocks(show: Callable[[str], Any]) -> dict[str, Any]:
    """The appointments of the day by first name; a later one of the same person counts."""
    return {block.patient_name.split(", ")[1]: block for block in front(show).schedule.blocks}


def moved(desk: Any, block: Any) -> None:
    desk._move(block, block.doctor_id, block.starts_at + timedelta(minutes=20), block.ends_at + timedelta(minutes=20))


def record(room: Any) -> None:
    room.chart.tabs.setCurrentWidget(room.chart.records)
    room.chart.records.new_button.click()


def session(room: Any) -> None:
    room.chart.tabs.setCurrentWidget(room.chart.sessions)
    room.chart.sessions.new_button.click()


def busy_desk(practice: Practice) -> None:
    """A series, somebody who can be cancelled, somebody in the waiting room, a freed place and somebody who would like it."""
    practice.book(practice.patient(first_name="Cora", last_name="Cole"), practice.at(10))
    start, length = practice.at(11), timedelta(minutes=20)
    places = [(start + timedelta(weeks=n), start + timedelta(weeks=n) + length) for n in range(3)]
    wish = NewAppointment(practice.doctors["dora"], practice.patient(first_name="Serge", last_name="Stone"), start, start + length)
    freed = practice.book(practice.patient(first_name="Fred", last_name="Free"), practice.at(14))
    practice.step(freed, "cancelled", who="dora", reason="fell ill")
    with practice.write("rita") as session:
        series.book(session, wish, places, Repeats("week", 3))
        waiting.add(session, WishForm(practice.patient(first_name="Wilma", last_name="Wish"), note="Any day"))


def twice(window: QWidget) -> list[str]:
    """Keys that two visible things of a window want: then neither gets them."""
    keys = [action.shortcut().toString() for action in window.actions()]
    keys += [made.key().toString() for made in window.findChildren(QShortcut) if made.parent() is window and made.isEnabled()]
    buttons = [made for made in window.findChildren(QAbstractButton) if made.window() is window and made.isVisible() and made.isEnabled()]
    keys += [made.shortcut().toString() for made in buttons]
    return [f"{key} means two things" for key in sorted(set(keys)) if key and keys.count(key) > 1]


@pytest.mark.parametrize("who", ["rita", "dora", "ada"])
def test_every_sheet(office: Office, practice: Practice, who: str) -> None:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    practice.step(made, "arrived")
    window = office.open(who)
    if who == "dora":
        with practice.write("dora") as session:
            consultations.start(session, made, 2)
        consulting(office, window, made)
    elif who == "rita":
        busy_desk(practice)
        desk = office.panel(window, "front-desk")
        desk.bar.set_day(practice.at(9).date())
        office.until(lambda: desk.schedule.day == practice.at(9).date() and desk.freed.places and desk.waiting.people)
        office.panel(window, "patients").table.select_first()
        for key in ("waiting-list", "availability"):
            office.panel(window, key)
        office.settle()
    else:
        office.panel(window, "staff")
    missing, seen = [], []
    for opens in sheets(who):
        opens(lambda key: office.panel(window, key), window)
        office.settle()
        office.until(lambda: [t for t in window.findChildren(QWidget) if t.isWindow() and t.isVisible() and t.isModal()])
        sheet = next(t for t in window.findChildren(QWidget) if t.isWindow() and t.isVisible() and t.isModal())
        missing += [f"{type(sheet).__name__}: {one}" for one in (*nameless(sheet), *twice(sheet))]
        seen.append(type(sheet).__name__)
        if isinstance(sheet, Sheet):
            sheet.done(0)
            office.until(partial(lambda gone: not isValid(gone), sheet), f"{seen[-1]} goes, and what it showed with it")
        else:
            sheet.hide()
    assert not missing, "\n".join(missing)
    if who == "rita":
        assert {"CancelSheet", "AssignSheet", "TagSheet", "MoveSeriesSheet", "UndoList", "NoticeList", "WishSheet", "OfferSheet",
                "RoomSheet", "PaymentSheet", "WalletSheet"} <= set(seen)
        desk.open_call_screen()
        office.settle()
        screen = desk.call_screen
        assert screen.accessibleName() == "Call screen" and screen.now.accessibleName() and not nameless(screen)
        screen.close()


@pytest.mark.parametrize("who", ["rita", "dora", "ada"])
def test_no_key_means_two_things(office: Office, who: str) -> None:
    window = office.open(who)
    found = []
    for panel in window.panels:
        office.panel(window, panel.key)
        found += [f"{panel.key}: {one}" for one in twice(window)]
    assert not found, "\n".join(found)
