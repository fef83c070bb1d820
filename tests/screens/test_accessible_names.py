"""Whoever listens instead of looking: everything that takes the focus says what it is, in every panel and sheet of every role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QTabBar, QWidget

from clinicdesk.services import consultations
from tests.clinics import Practice
from tests.screens.office import Office
from tests.screens.test_two_desks import consulting


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
            lambda _s, w: w.account.change_password(), lambda _s, w: w.account.show_profile(),
        ],
        "dora": [
            lambda show, _w: show("consulting").editor.prescription.add(), lambda show, _w: show("consulting").chart._add_allergy(),
            lambda show, _w: show("consulting").chart._state_none(), lambda show, _w: show("consulting").chart._add_problem(),
            lambda _s, w: w.account.show_profile(),
        ],
        "ada": [lambda show, _w: show("staff").add(), lambda _s, w: w.lock()],
    }[who]


@pytest.mark.parametrize("who", ["rita", "dora", "ada"])
def test_every_sheet(office: Office, practice: Practice, who: str) -> None:
    made = practice.book(practice.patient(first_name="Ana", last_name="Adler"), practice.at(9))
    practice.step(made, "arrived")
    window = office.open(who)
    if who == "dora":
        with practice.write("dora") as session:
            consultations.start(session, made, 2)
        consulting(office, window, made)
    else:
        office.panel(window, "availability")
    missing = []
    for opens in sheets(who):
        opens(lambda key: office.panel(window, key), window)
        office.settle()
        office.until(lambda: [t for t in window.findChildren(QWidget) if t.isWindow() and t.isVisible() and t.isModal()])
        sheet = next(t for t in window.findChildren(QWidget) if t.isWindow() and t.isVisible() and t.isModal())
        missing += [f"{type(sheet).__name__}: {one}" for one in nameless(sheet)]
        sheet.hide()
    assert not missing, "\n".join(missing)
